//! Several bundles in one folder or archive, such as one a host, or a bundle beside a note: each has a layout of its own.

use std::collections::BTreeMap;

use super::{Layout, ROOTS, recognise, wrapping};

/// Files of one layout.
#[derive(Debug, PartialEq)]
pub(in crate::intake) struct Group {
    /// Where they lie, with the slash at its end; empty if they lie in no folder of their own.
    pub(in crate::intake) folder: String,
    pub(in crate::intake) layout: Layout,
    /// Places in the list of paths.
    pub(in crate::intake) files: Vec<usize>,
    /// Bytes of each path that are folders around the layout.
    pub(in crate::intake) around: usize,
}

/// Bundles that are told apart in one input.
const MOST: usize = 64;
/// Folders in folders that are looked into.
const DEPTH: usize = 8;

/// The bundles among these paths, and after them what belongs to none.
pub(in crate::intake) fn groups(paths: &[&str]) -> Vec<Group> {
    let Level { mut bundles, mut rest } = level(paths, (0..paths.len()).collect(), 0, 0);
    // It is the input itself, whatever folders are around it.
    rest.folder.clear();
    if !rest.files.is_empty() {
        bundles.push(rest);
    }
    bundles
}

struct Level {
    bundles: Vec<Group>,
    rest: Group,
}

/// Looks at `files`, which have the first `from` bytes of their paths in common.
fn level(paths: &[&str], mut files: Vec<usize>, from: usize, depth: usize) -> Level {
    files.sort_unstable();
    let below = |from: usize| files.iter().map(move |file| &paths[*file][from..]);
    let folder = files.first().map_or(String::new(), |file| paths[*file][..from].to_owned());
    let around = from + wrapping(below(from));
    let layout = recognise(below(around));
    let mut bundles = Vec::new();
    if is_of_its_root(layout) || depth == DEPTH {
        return Level { bundles, rest: Group { folder, layout, files, around } };
    }
    let mut folders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut rest = Vec::new();
    for file in files {
        match paths[file][around..].split_once('/') {
            Some((name, _)) if !ROOTS.contains(&name) => folders.entry(name).or_default().push(file),
            _ => rest.push(file),
        }
    }
    for (name, files) in folders {
        let inner = level(paths, files, around + name.len() + 1, depth + 1);
        for group in inner.bundles.into_iter().chain([inner.rest]) {
            let own = group.layout != Layout::Loose && group.layout != layout;
            if own && bundles.len() < MOST {
                bundles.push(group);
            } else {
                rest.extend(group.files);
            }
        }
    }
    rest.sort_unstable();
    Level { bundles, rest: Group { folder, layout, files: rest, around } }
}

/// Whether a layout is known by what lies at its root, so that nothing else lies beside it. The others are known by
/// folders at any depth.
fn is_of_its_root(layout: Layout) -> bool {
    matches!(
        layout,
        Layout::Casebook
            | Layout::Troubleshoot
            | Layout::ClusterInfoDump
            | Layout::Sonobuoy
            | Layout::SupportBundleKit
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[&str]) -> Vec<(String, Layout, usize)> {
        groups(paths).into_iter().map(|group| (group.folder, group.layout, group.files.len())).collect()
    }

    #[test]
    fn bundles_beside_other_things_keep_their_layouts() {
        let own = [
            "b.tar.gz/top/manifest.json",
            "b.tar.gz/top/version.yaml",
            "b.tar.gz/top/cluster-resources/nodes.json",
        ];
        assert_eq!(found(&own), [(String::new(), Layout::Casebook, 3)]);
        let mixed = [&own[..], &["notes.txt", "d/dump/nodes.json", "d/dump/a/pods.json", "d/c.txt"]].concat();
        assert_eq!(
            found(&mixed),
            [
                ("b.tar.gz/".to_owned(), Layout::Casebook, 3),
                ("d/dump/".to_owned(), Layout::ClusterInfoDump, 2),
                (String::new(), Layout::Loose, 2),
            ]
        );
        let gathered = ["x/image/namespaces/a/core/pods.yaml", "x/second/namespaces/b/core/pods.yaml"];
        assert_eq!(found(&gathered), [(String::new(), Layout::MustGather, 2)]);
        let both = [&own[..], &gathered].concat();
        assert_eq!(
            found(&both),
            [("b.tar.gz/".to_owned(), Layout::Casebook, 3), (String::new(), Layout::MustGather, 2)]
        );
        assert_eq!(found(&["a.txt", "d/b.txt"]), [(String::new(), Layout::Loose, 2)]);
        assert_eq!(found(&[]), []);
    }

    #[test]
    fn there_is_a_bound() {
        let paths: Vec<String> = (0..100).map(|n| format!("{n}/version.yaml")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let found = found(&paths);
        assert_eq!((found.len(), found[MOST].1, found[MOST].2), (MOST + 1, Layout::Loose, 100 - MOST));
        // Something lies beside each folder, so that none is mere wrapping.
        let at = |depth: usize, name: &str| "x/".repeat(depth) + name;
        let deep = |most: usize| -> Vec<String> {
            (0..most).map(|depth| at(depth, "y")).chain([at(most, "version.yaml")]).collect()
        };
        for (most, expected) in [(DEPTH, 2), (DEPTH + 1, 1)] {
            let paths = deep(most);
            assert_eq!(
                groups(&paths.iter().map(String::as_str).collect::<Vec<_>>()).len(),
                expected,
                "{most}"
            );
        }
    }
}
