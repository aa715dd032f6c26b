//! Whether a bundle of ours is still what was collected: said to the reader, who may have been sent something else.

use std::collections::BTreeMap;

use rayon::prelude::*;
use shared::archive::Entry;
use shared::bundle::integrity::{self, Mismatch};
use shared::bundle::manifest::Manifest;
use shared::bundle::paths;
use shared::lang::Localized;

/// Files that a note names; more of them are only counted.
const NAMED: usize = 3;

pub(super) type Sums = BTreeMap<String, Option<String>>;

/// The hashes of all files but the manifest, by their path, where there is a manifest to compare them with. What was cut
/// while it was read has none.
pub(super) fn sums(entries: &[Entry]) -> Sums {
    if !entries.iter().any(|entry| entry.path == paths::MANIFEST) {
        return Sums::new();
    }
    let files = entries.par_iter().filter(|entry| entry.path != paths::MANIFEST);
    files.map(|entry| (entry.path.clone(), (!entry.cut).then(|| integrity::sha256(&entry.data)))).collect()
}

/// What differs from the manifest, as notes.
pub(super) fn notes(manifest: &Manifest, sums: &Sums) -> Vec<Localized> {
    let (mut changed, mut missing, mut unlisted) = (Vec::new(), Vec::new(), Vec::new());
    for mismatch in integrity::compare(manifest, sums) {
        match mismatch {
            Mismatch::Changed { path } => changed.push(path),
            Mismatch::Missing { path } => missing.push(path),
            Mismatch::Unlisted { path } => unlisted.push(path),
        }
    }
    let mut notes: Vec<Localized> = [
        (changed, "在收集之后被修改过", "changed after it was collected"),
        (missing, "在清单中，但不在包里", "in the manifest and not in the bundle"),
        (unlisted, "在收集之后被加进来", "added after the collection"),
    ]
    .into_iter()
    .filter(|(paths, ..)| !paths.is_empty())
    .map(|(paths, zh, en)| {
        let named = paths[..paths.len().min(NAMED)].join(", ");
        let (more_zh, more_en) = match paths.len().saturating_sub(NAMED) {
            0 => (String::new(), String::new()),
            more => (format!(" 等 {} 个文件", more + NAMED), format!(" and {more} more")),
        };
        Localized::new(
            format!("收集包与收集时不同：{named}{more_zh} {zh}。"),
            format!("the bundle is not as it was collected: {named}{more_en}: {en}."),
        )
    })
    .collect();
    if !notes.is_empty() {
        notes.push(Localized::new(
            "清单中的哈希只能发现损坏，不能防止伪造：没有提示不等于没有被改过。",
            "The hashes show damage and do not keep anybody from forging: without a note it may have been changed all the same.",
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::super::tests::manifest;
    use super::*;
    use jiff::Timestamp;
    use shared::bundle::manifest::{LedgerEntry, Outcome};
    use shared::bundle::writer::Item;
    use shared::lang::Lang;

    fn entry(path: &str, data: &str, cut: bool) -> Entry {
        Entry { path: path.to_owned(), data: data.as_bytes().to_vec(), modified: None, cut }
    }

    fn listed(file: &Entry) -> LedgerEntry {
        Item::from_bytes(&file.path, Timestamp::UNIX_EPOCH, &file.data).entry("GET /x", Outcome::Collected)
    }

    fn said(manifest: &Manifest, files: &[Entry]) -> Vec<String> {
        notes(manifest, &sums(files)).iter().map(|note| note.get(Lang::En).to_owned()).collect()
    }

    #[test]
    fn what_is_not_as_it_was_is_named() {
        let mut files: Vec<Entry> = ["a", "b", "c", "d", "e"].map(|name| entry(name, name, false)).into();
        let manifest = manifest(files.iter().map(listed).collect());
        files.push(entry(paths::MANIFEST, "{}", false));
        assert_eq!(said(&manifest, &files), [""; 0]);
        let mut altered = vec![entry("a", "other", false), entry("new", "x", false)];
        // What was cut while it was read is told by others.
        altered.push(entry("e", "", true));
        altered.push(entry(paths::MANIFEST, "{}", false));
        assert_eq!(
            said(&manifest, &altered),
            [
                "the bundle is not as it was collected: a: changed after it was collected.",
                "the bundle is not as it was collected: b, c, d: in the manifest and not in the bundle.",
                "the bundle is not as it was collected: new: added after the collection.",
                "The hashes show damage and do not keep anybody from forging: without a note it may have been changed \
                 all the same.",
            ]
        );
    }
}
