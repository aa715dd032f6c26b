//! The last step: a finished bundle is read back and searched for secrets before anybody can take it for finished.
//!
//! It is written in a folder of its own beside its place, which only its owner can enter, and gets its name when the
//! search has found nothing. Whatever goes wrong, the folder goes away with all that is in it.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use shared::bundle::manifest::Manifest;
use shared::bundle::writer::{self, BundleWriter, Packing, WriteError, Written};
use shared::pseudonym::bundle::BundleError;
use shared::pseudonym::{self, Pseudonyms};
use shared::redact::scrub::{self, ScrubError};
use shared::redact::verify::{Leak, Verifier, What};
use shared::redact::{RedactError, Redactor};

use super::workplace::Workplace;
use crate::keyring::{Keyring, KeyringError};

/// Places that a refusal names.
const NAMED: usize = 5;
/// Places that are looked for at most; a value that stands in more items than this is found on the second pass.
const MOST: usize = 100_000;

/// Why a bundle that was written is not delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    #[error("the finished bundle still holds secrets, so it was removed:\n{}\nhint: leave that part out (see --only), or name what is secret with --redact FILE", list(.0))]
    Leaks(Vec<Leak>),
    #[error("the finished bundle cannot be read back, so it was removed: {0}")]
    Read(std::io::Error),
    #[error(transparent)]
    Scrub(#[from] ScrubError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Masks(#[from] RedactError),
    #[error("the finished bundle still holds names without pseudonyms, so it was removed:\n{}\nhint: leave that part out (see --only), or collect without --pseudonymize", list(.0))]
    Names(Vec<pseudonym::verify::Leak>),
    #[error(transparent)]
    Pseudonyms(#[from] BundleError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    TooMany(#[from] pseudonym::verify::TooMany),
}

fn list(leaks: &[impl Display]) -> String {
    let mut lines: Vec<String> = leaks.iter().take(NAMED).map(|leak| format!("  {leak}")).collect();
    if leaks.len() > NAMED {
        lines.push(format!("  … and {} more", leaks.len() - NAMED));
    }
    lines.join("\n")
}

/// Where a bundle lies until it is delivered.
#[derive(Debug)]
pub struct Stage {
    folder: Workplace,
    target: PathBuf,
    packing: Packing,
    top: String,
}

/// What is replaced before delivery.
#[derive(Debug)]
pub struct Renaming {
    pub words: Pseudonyms,
    /// Where the map is kept.
    pub keyring: Keyring,
    /// The file's name was made from the cluster's, and is replaced too.
    pub file_too: bool,
}

impl Stage {
    /// For a bundle that will be at `target`.
    ///
    /// # Errors
    /// If it is there already, or its folder cannot be written to.
    pub fn new(target: &Path, packing: Packing, top: &str) -> Result<Stage, WriteError> {
        if fs::symlink_metadata(target).is_ok() {
            return Err(WriteError::Exists { path: target.to_owned() });
        }
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder = Workplace::new_in(parent).map_err(|source| writer::cannot_begin(target, source))?;
        Ok(Stage { folder, target: target.to_owned(), packing, top: top.to_owned() })
    }

    /// Begins the bundle.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn writer(&self) -> Result<BundleWriter, WriteError> {
        BundleWriter::create(&self.place("first"), self.packing.clone(), &self.top)
            .map_err(|error| self.name(error))
    }

    /// Where everything lies until then.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The error with the name that the user gave instead of the temporary one.
    pub fn name(&self, error: WriteError) -> WriteError {
        let path = self.target.clone();
        match error {
            WriteError::DiskFull { kib, .. } => WriteError::DiskFull { path, kib },
            WriteError::Io { source, .. } => WriteError::Io { path, source },
            other => other,
        }
    }

    /// Searches the bundle, rewrites it where that was asked for, and gives it its name.
    ///
    /// # Errors
    /// If it holds secrets, or cannot be read or moved; nothing of it is left then.
    pub fn deliver(
        mut self,
        masks: &Redactor,
        written: Written,
        mut manifest: Manifest,
        renaming: Option<Renaming>,
    ) -> Result<(Written, Manifest), DeliverError> {
        let verifier = Verifier::new(masks)?;
        let search = |path: &Path| verifier.bundle(path, &self.packing, MOST).map_err(DeliverError::Read);
        let mut written = written;
        let mut leaks = search(&written.path)?;
        // Learned after it was written: masked now, without asking the cluster again.
        if leaks.iter().any(|leak| leak.what == What::KnownValue) {
            let touched: BTreeSet<String> = leaks.iter().map(|leak| leak.path.clone()).collect();
            let (from, to) = (written.path, self.place("second"));
            written = scrub::scrub(masks, (&from, &to), &self.packing, &self.top, &touched, &mut manifest)
                .map_err(|error| match error {
                    ScrubError::Write(error) => DeliverError::Write(self.name(error)),
                    other => other.into(),
                })?;
            leaks = search(&written.path)?;
        }
        if !leaks.is_empty() {
            return Err(DeliverError::Leaks(leaks));
        }
        if let Some(renaming) = renaming {
            written = self.rename(renaming, &written.path, &mut manifest)?;
        }
        Ok((self.publish(written)?, manifest))
    }

    /// Gives the bundle its name.
    ///
    /// # Errors
    /// If something has it meanwhile.
    pub fn publish(self, written: Written) -> Result<Written, WriteError> {
        let target = self.target;
        if fs::symlink_metadata(&target).is_ok() {
            return Err(WriteError::Exists { path: target });
        }
        fs::rename(&written.path, &target)
            .map_err(|source| WriteError::Io { path: target.clone(), source })?;
        Ok(Written { path: target, ..written })
    }

    /// Writes a bundle again under pseudonyms, has them remembered, and searches it for what they stand for.
    ///
    /// # Errors
    /// If that cannot be done, or something real is left; nothing of it is left then.
    pub fn rename(
        &mut self,
        renaming: Renaming,
        from: &Path,
        manifest: &mut Manifest,
    ) -> Result<Written, DeliverError> {
        let Renaming { mut words, keyring, file_too } = renaming;
        let to = self.place("renamed");
        words.learn(from, &self.packing, manifest).map_err(DeliverError::Read)?;
        if file_too && let Some(name) = self.target.file_name() {
            let name = words.string(&name.to_string_lossy());
            self.target.set_file_name(name);
        }
        let rewritten =
            words.bundle((from, &to), &self.packing, &self.top, manifest).map_err(|error| match error {
                BundleError::Write(error) => DeliverError::Write(self.name(error)),
                other => other.into(),
            })?;
        let map = words.map();
        keyring.remember(&map)?;
        let verifier = pseudonym::verify::Verifier::new(&map)?;
        let left = verifier.bundle(&rewritten.path, &self.packing, MOST).map_err(DeliverError::Read)?;
        if left.is_empty() { Ok(rewritten) } else { Err(DeliverError::Names(left)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::{Draft, Sink};
    use crate::stop::Stop;
    use crate::testing::manifest;
    use jiff::Timestamp;
    use shared::bundle::manifest::Outcome;
    use shared::bundle::writer::Format;
    use shared::encryption::{NewKey, Recipients, Seal};

    fn deliver(folder: &Path, text: &str, masks: &Redactor) -> Result<(Written, Manifest), DeliverError> {
        deliver_as(folder, Format::TarGz.into(), text, masks)
    }

    fn deliver_as(
        folder: &Path,
        packing: Packing,
        text: &str,
        masks: &Redactor,
    ) -> Result<(Written, Manifest), DeliverError> {
        let target = folder.join(format!("b{}", packing.extension()));
        let stage = Stage::new(&target, packing, "b").unwrap();
        let sink = Sink::new(stage.writer().unwrap(), Stop::default());
        let mut draft = Draft::new("texts/a.txt", "test");
        draft.push(text.as_bytes());
        sink.put(draft.finish(Outcome::Collected, None));
        let (written, manifest) = sink.finish(manifest(), masks).unwrap();
        stage.deliver(masks, written, manifest, None)
    }

    fn left(folder: &Path) -> Vec<String> {
        let names =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
        names.collect()
    }

    #[test]
    fn a_bundle_with_a_secret_is_not_delivered() {
        let folder = tempfile::tempdir().unwrap();
        let masks = Redactor::new(&[]).unwrap();
        let error =
            deliver(folder.path(), "a\nmysql://root:blueking@db/x\n", &masks).unwrap_err().to_string();
        assert!(error.contains("texts/a.txt:2: a password in a URL"), "{error}");
        assert!(!error.contains("blueking"), "{error}");
        assert_eq!(left(folder.path()), [""; 0]);
    }

    #[test]
    fn a_sealed_bundle_is_searched_and_mended_as_any_other() {
        let key = NewKey::generate(Timestamp::UNIX_EPOCH);
        let seal = Some(Seal::new(Recipients::read(&[key.public]).unwrap()));
        for format in [Format::TarGz, Format::Tar, Format::Zip] {
            let folder = tempfile::tempdir().unwrap();
            let packing = Packing { format, seal: seal.clone() };
            let masks = Redactor::new(&[]).unwrap();
            let leak = "mysql://root:blueking@db/x\n";
            let refused = deliver_as(folder.path(), packing.clone(), leak, &masks).unwrap_err();
            assert!(matches!(refused, DeliverError::Leaks(_)), "{refused}");
            assert_eq!(left(folder.path()), [""; 0]);
            masks.string("password: Zx81-spectrum", &mut Default::default()).unwrap();
            let late = "seen Zx81-spectrum here\n";
            let (_, manifest) = deliver_as(folder.path(), packing.clone(), late, &masks).unwrap();
            assert_eq!(manifest.ledger[0].redactions.values().sum::<u64>(), 1);
            assert_eq!(left(folder.path()), [format!("b{}", packing.extension())]);
        }
    }

    #[test]
    fn what_was_learned_late_is_masked_before_delivery() {
        let folder = tempfile::tempdir().unwrap();
        let masks = Redactor::new(&[]).unwrap();
        masks.string("password: Zx81-spectrum", &mut Default::default()).unwrap();
        let (written, manifest) = deliver(folder.path(), "seen Zx81-spectrum here\n", &masks).unwrap();
        assert_eq!(left(folder.path()), ["b.tar.gz"]);
        let entry = &manifest.ledger[0];
        assert_eq!(entry.redactions.values().sum::<u64>(), 1);
        assert_eq!(fs::metadata(&written.path).unwrap().len(), written.bytes);
    }
}
