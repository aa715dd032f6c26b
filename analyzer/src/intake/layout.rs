//! Layouts of bundles: which one an input has, and what each path means in it.
//!
//! A layout is told by the paths in it and, for single files, by the content. A file that its layout has no place for
//! is looked at for what it holds, so that nothing is lost because it lies where nobody expected it.

mod by_namespace;
pub(super) mod cluster_dump;
pub(super) mod host_report;
mod must_gather;
pub(super) mod several;
pub(super) mod support_bundle;

use super::kinds;
use super::role::Role;

/// How an input is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Our own bundle.
    Casebook,
    /// A support bundle of troubleshoot.sh.
    Troubleshoot,
    /// `kubectl cluster-info dump --output-directory`.
    ClusterInfoDump,
    /// must-gather, `oc adm inspect`, kubectl-gather.
    MustGather,
    Sos,
    Insights,
    /// `kind export logs`.
    Kind,
    Sonobuoy,
    SupportBundleKit,
    /// Files and folders of no known layout, or one text file.
    Loose,
}

impl Layout {
    /// As the report names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Layout::Casebook => "casebook",
            Layout::Troubleshoot => "troubleshoot",
            Layout::ClusterInfoDump => "cluster-info dump",
            Layout::MustGather => "must-gather",
            Layout::Sos => "sos",
            Layout::Insights => "insights",
            Layout::Kind => "kind export logs",
            Layout::Sonobuoy => "sonobuoy",
            Layout::SupportBundleKit => "support-bundle-kit",
            Layout::Loose => "text",
        }
    }

    /// What a file is, told by its path.
    pub(super) fn role(self, path: &str) -> Role {
        match self {
            Layout::Casebook | Layout::Troubleshoot => support_bundle::role(path),
            Layout::ClusterInfoDump => cluster_dump::role(path),
            Layout::MustGather => must_gather::role(path),
            Layout::Sos => host_report::sos(path),
            Layout::Insights => host_report::insights(path),
            Layout::Kind => host_report::kind(path),
            Layout::Sonobuoy => by_namespace::sonobuoy(path),
            Layout::SupportBundleKit => by_namespace::kit(path),
            Layout::Loose => loose(path),
        }
    }
}

/// Recognises the layout of a set of paths.
pub(super) fn recognise<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> Layout {
    let has = |wanted: &str| paths.clone().any(|path| path == wanted);
    let below = |folder: &str| paths.clone().any(|path| path.starts_with(folder));
    if below("cluster-resources/") || has("version.yaml") {
        let ours = has("manifest.json") || below("tables/") || below("describe/");
        if ours { Layout::Casebook } else { Layout::Troubleshoot }
    } else if has("manifest.json") && (below("texts/") || below("hosts/") || below("helm/")) {
        Layout::Casebook
    } else if host_report::is_sos(paths.clone()) {
        Layout::Sos
    } else if host_report::is_insights(paths.clone()) {
        Layout::Insights
    } else if by_namespace::is_kit(paths.clone()) {
        Layout::SupportBundleKit
    } else if by_namespace::is_sonobuoy(paths.clone()) {
        Layout::Sonobuoy
    } else if host_report::is_kind(paths.clone()) {
        Layout::Kind
    } else if must_gather::recognise(paths.clone()) {
        Layout::MustGather
    } else if cluster_dump::recognise(paths) {
        Layout::ClusterInfoDump
    } else {
        Layout::Loose
    }
}

/// A file that somebody saved: its name may say what the table in it is of.
fn loose(path: &str) -> Role {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    Role::Output { resource: kinds::of_known_name(stem), namespace: None, command: None, pasted: true }
}

/// Files that systems leave behind: twins that macOS adds to archives, thumbnails, editors' backups.
pub(super) fn is_litter(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("._")
        || name == ".DS_Store"
        || name == "Thumbs.db"
        || path.split('/').any(|segment| segment == "__MACOSX")
}

/// Folders that mean something at the root of a layout, and therefore are no mere wrapping.
const ROOTS: &[&str] = &[
    "cluster-resources",
    "cluster-info",
    "helm",
    "hosts",
    "probes",
    "tables",
    "describe",
    "install",
    "texts",
    "namespaces",
    "cluster-scoped-resources",
    "resources",
    "podlogs",
    "yamls",
    "sos_commands",
    "data",
    "insights_commands",
];

/// Length of the folders, with their slashes, that all paths have in front and that are only wrapping.
pub(super) fn wrapping<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> usize {
    let mut length = 0;
    loop {
        let mut rest = paths.clone().map(|path| &path[length..]);
        let Some((folder, _)) = rest.next().and_then(|first| first.split_once('/')) else { return length };
        if ROOTS.contains(&folder) || !rest.all(|path| path.split_once('/').is_some_and(|(f, _)| f == folder))
        {
            return length;
        }
        length += folder.len() + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_folders_are_seen_through_and_meaningful_ones_kept() {
        let wrapped = |paths: &[&'static str]| wrapping(paths.iter().copied());
        assert_eq!(wrapped(&["top/version.yaml", "top/texts/a.txt"]), 4);
        assert_eq!(wrapped(&["a/b/version.yaml", "a/b/texts/a.txt"]), 4);
        assert_eq!(wrapped(&["texts/a.txt", "texts/b.txt"]), 0);
        assert_eq!(wrapped(&["top/texts/a.txt"]), 4);
        assert_eq!(wrapped(&["a.txt"]), 0);
        assert_eq!(wrapped(&["x/a.txt", "y/b.txt"]), 0);
        assert_eq!(wrapped(&[]), 0);
    }
}
