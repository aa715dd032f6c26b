//! Whether the files of a bundle are what its manifest says of them.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::manifest::Manifest;

/// A file that is not what the manifest says of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error("`{path}` is in the manifest and not in the bundle")]
    Missing { path: String },
    #[error("`{path}` was changed after it was collected")]
    Changed { path: String },
    #[error("`{path}` is in the bundle and not in the manifest")]
    Unlisted { path: String },
}

/// The hash of a file as the manifest writes it.
pub fn sha256(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares the hashes of all files but the manifest, by their path, with those in the ledger. A file without one was
/// not read to its end, and is there. In the order of their paths, what is not listed last.
pub fn compare(manifest: &Manifest, files: &BTreeMap<String, Option<String>>) -> Vec<Mismatch> {
    let mut listed: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in &manifest.ledger {
        if let Some(sha256) = &entry.sha256 {
            listed.insert(&entry.path, sha256);
        }
    }
    let differs = |(path, sha256): (&&str, &&str)| match files.get(*path) {
        None => Some(Mismatch::Missing { path: (*path).to_owned() }),
        Some(Some(found)) if found != sha256 => Some(Mismatch::Changed { path: (*path).to_owned() }),
        Some(_) => None,
    };
    let unlisted = files.keys().filter(|path| !listed.contains_key(path.as_str()));
    let unlisted = unlisted.map(|path| Mismatch::Unlisted { path: path.clone() });
    listed.iter().filter_map(differs).chain(unlisted).collect()
}
