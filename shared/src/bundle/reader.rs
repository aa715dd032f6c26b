//! Reading a bundle of our own back: its manifest, its files, and whether they are what the manifest says.

use std::collections::BTreeMap;
use std::path::Path;

use super::integrity::{self, Mismatch};
use super::manifest::Manifest;
use super::paths;
use crate::archive::{self, Entry, Limits, Note, ReadError};
use crate::encryption::Identities;

/// A bundle in memory.
#[derive(Debug)]
pub struct Bundle {
    /// Name of the folder that everything in the bundle lies in; empty for a directory.
    pub top: String,
    /// `None` if there is none, as in a bundle that was cut off.
    pub manifest: Option<Manifest>,
    /// All files but the manifest, by their path below the top folder.
    pub files: BTreeMap<String, Entry>,
    /// What was found wrong with the container.
    pub notes: Vec<Note>,
}

/// Why a bundle could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    #[error("{path} is not a bundle of casebook-collect: {reason}")]
    NotABundle { path: String, reason: String },
}

impl Bundle {
    /// Opens a bundle in any of its formats.
    ///
    /// # Errors
    /// If nothing can be read, or it holds neither a manifest nor the marker of the layout.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, OpenError> {
        let contents = archive::read(path, limits, &Identities::default())?;
        let not = |reason: String| OpenError::NotABundle { path: path.display().to_string(), reason };
        let marker = contents.entries.iter().find_map(|entry| {
            [paths::MANIFEST, paths::VERSION].iter().find_map(|marker| {
                let top = entry.path.strip_suffix(marker)?;
                (top.is_empty() || top.ends_with('/') && top.matches('/').count() == 1).then_some(top)
            })
        });
        let Some(top) = marker.map(str::to_owned) else {
            let fault = contents.notes.first().map_or_else(String::new, |note| format!(" ({})", note.fault));
            return Err(not(format!("it holds no {}{fault}", paths::MANIFEST)));
        };
        let mut files: BTreeMap<String, Entry> = contents
            .entries
            .into_iter()
            .filter_map(|mut entry| {
                entry.path = entry.path.strip_prefix(&top)?.to_owned();
                Some((entry.path.clone(), entry))
            })
            .collect();
        let manifest = match files.remove(paths::MANIFEST) {
            Some(entry) => Some(
                Manifest::parse(&entry.data)
                    .map_err(|error| not(format!("{} does not parse: {error}", paths::MANIFEST)))?,
            ),
            None => None,
        };
        Ok(Self { top: top.trim_end_matches('/').to_owned(), manifest, files, notes: contents.notes })
    }

    /// Compares every file with its ledger entry. Without a manifest there is nothing to compare with, and nothing is
    /// reported.
    pub fn check(&self) -> Vec<Mismatch> {
        let Some(manifest) = &self.manifest else { return Vec::new() };
        let sums =
            self.files.iter().map(|(path, entry)| (path.clone(), Some(integrity::sha256(&entry.data))));
        integrity::compare(manifest, &sums.collect())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::bundle::writer::tests::manifest;
    use crate::bundle::writer::{BundleWriter, Format, Item};

    fn write(target: &Path, format: Format, listed: &[Item], written: &[Item]) {
        let mut bundle = BundleWriter::create(target, format, "casebook-x").unwrap();
        for item in written {
            bundle.append(item).unwrap();
        }
        bundle.finish(&manifest(listed)).unwrap();
    }

    fn item(path: &str, text: &str) -> Item {
        Item::from_bytes(path, Timestamp::UNIX_EPOCH, text.as_bytes())
    }

    #[test]
    fn an_untouched_bundle_agrees_with_its_manifest_in_every_format() {
        let dir = tempfile::tempdir().unwrap();
        let items = [item("version.yaml", "x"), item("texts/终端.txt", "y")];
        for (name, format, top) in [
            ("a.tar.gz", Format::TarGz, "casebook-x"),
            ("a.zip", Format::Zip, "casebook-x"),
            ("a", Format::Directory, ""),
        ] {
            let target = dir.path().join(name);
            write(&target, format, &items, &items);
            let bundle = Bundle::open(&target, &Limits::default()).unwrap();
            assert_eq!((bundle.top.as_str(), bundle.files.len()), (top, 2));
            assert_eq!(bundle.check(), []);
        }
    }

    #[test]
    fn missing_changed_and_added_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.tar.gz");
        let listed = [item("a", "1"), item("b", "2"), item("c", "3")];
        write(&target, Format::TarGz, &listed, &[item("b", "two"), item("c", "3"), item("d", "4")]);
        let bundle = Bundle::open(&target, &Limits::default()).unwrap();
        assert_eq!(
            bundle.check(),
            [
                Mismatch::Missing { path: "a".into() },
                Mismatch::Changed { path: "b".into() },
                Mismatch::Unlisted { path: "d".into() },
            ]
        );
    }

    #[test]
    fn other_archives_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.txt");
        std::fs::write(&target, "hello").unwrap();
        let error = Bundle::open(&target, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("is not a bundle"), "{error}");
    }
}
