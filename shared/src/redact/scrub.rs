//! The second pass: a value that was learned late in a run may stand in what was written early.
//!
//! The bundle is written anew; items that hold a value learned meanwhile are masked, everything else is copied. Sizes,
//! hashes and counts in the manifest follow. Where the disk has no room for both, the first one is removed before the
//! second is written, and its items wait in memory, compressed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use super::{Counts, RedactError, Redactor};
use crate::bundle::items;
use crate::bundle::manifest::{Manifest, NO_SPACE, Outcome};
use crate::bundle::paths;
use crate::bundle::writer::{BundleWriter, Format, Item, ItemWriter, Packing, WriteError, Written};

const PIECE: usize = 256 << 10;
/// A bundle larger than this is not held in memory.
const MOST_HELD: u64 = 256 << 20;

/// Why a bundle could not be gone over again.
#[derive(Debug, thiserror::Error)]
pub enum ScrubError {
    #[error("cannot read the bundle back: {0}")]
    Read(#[from] io::Error),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{path}: {source}")]
    Mask { path: String, source: RedactError },
}

/// Writes `from` again as `to`, with the values that `redactor` has learned masked in the items `touched`. `from` may
/// be gone afterwards.
///
/// # Errors
/// Nothing is left at `to` then.
pub fn scrub(
    redactor: &Redactor,
    (from, to): (&Path, &Path),
    packing: &Packing,
    top_folder: &str,
    touched: &BTreeSet<String>,
    manifest: &mut Manifest,
) -> Result<Written, ScrubError> {
    let before = manifest.clone();
    let copied = BundleWriter::create(to, packing.clone(), top_folder).map_err(ScrubError::Write).and_then(
        |mut writer| {
            again(redactor, (from, packing), touched, manifest, |item| Ok(writer.append(&item)?))?;
            Ok(writer.finish(manifest)?)
        },
    );
    match copied {
        Err(ScrubError::Write(WriteError::DiskFull { .. }))
            if packing.format != Format::Directory && fs::metadata(from)?.len() <= MOST_HELD => {}
        end => return end,
    }
    *manifest = before;
    let mut held = Vec::new();
    again(redactor, (from, packing), touched, manifest, |item| {
        held.push(item);
        Ok(())
    })?;
    fs::remove_file(from)?;
    let mut writer = BundleWriter::create(to, packing.clone(), top_folder)?;
    for item in held {
        match writer.append(&item) {
            Err(WriteError::DiskFull { .. }) => lose(manifest, item.path()),
            end => end?,
        }
    }
    Ok(writer.finish(manifest)?)
}

/// Marks take more room than what they stand for, sometimes too much.
fn lose(manifest: &mut Manifest, path: &str) {
    for entry in manifest.ledger.iter_mut().filter(|entry| entry.path == path && entry.sha256.is_some()) {
        entry.outcome = Outcome::Failed;
        entry.bytes = 0;
        entry.sha256 = None;
        entry.note = Some(NO_SPACE.to_owned());
    }
}

/// Makes every item but the manifest anew, and hands it to `put`.
fn again(
    redactor: &Redactor,
    (from, packing): (&Path, &Packing),
    touched: &BTreeSet<String>,
    manifest: &mut Manifest,
    mut put: impl FnMut(Item) -> Result<(), ScrubError>,
) -> Result<(), ScrubError> {
    items::visit(from, packing, |path, modified, data| {
        if path == paths::MANIFEST {
            return Ok(());
        }
        let entry = manifest.ledger.iter_mut().find(|entry| entry.path == path && entry.sha256.is_some());
        let modified = entry.as_ref().and_then(|entry| entry.started).unwrap_or(modified);
        let mut item = ItemWriter::new(path, modified);
        let counts = if touched.contains(path) {
            mask(redactor, data, &mut item).map_err(|error| match error {
                MaskError::Read(error) => ScrubError::Read(error),
                MaskError::Mask(source) => ScrubError::Mask { path: path.to_owned(), source },
            })?
        } else {
            io::copy(data, &mut item)?;
            Counts::new()
        };
        let item = item.finish();
        if let Some(entry) = entry {
            entry.bytes = item.bytes();
            entry.sha256 = Some(item.sha256().to_owned());
            for (kind, count) in counts {
                *entry.redactions.entry(kind).or_default() += count;
            }
        }
        put(item)
    })
}

enum MaskError {
    Read(io::Error),
    Mask(RedactError),
}

impl From<io::Error> for MaskError {
    fn from(error: io::Error) -> Self {
        MaskError::Read(error)
    }
}

impl From<RedactError> for MaskError {
    fn from(error: RedactError) -> Self {
        MaskError::Mask(error)
    }
}

fn mask(redactor: &Redactor, data: &mut dyn Read, item: &mut ItemWriter) -> Result<Counts, MaskError> {
    let mut masker = redactor.learned_only();
    let (mut piece, mut masked) = (vec![0; PIECE], Vec::new());
    loop {
        let len = data.read(&mut piece)?;
        if len == 0 {
            break;
        }
        masker.push(&piece[..len], &mut masked)?;
        item.write_all(&masked)?;
        masked.clear();
    }
    let counts = masker.finish(&mut masked)?;
    item.write_all(&masked)?;
    Ok(counts)
}

/// Masks what servers and systems said, in the manifest itself. What cannot be masked is not said.
pub fn scrub_manifest(redactor: &Redactor, manifest: &mut Manifest) {
    const UNSAID: &str = "[left out: it could not be masked]";
    for entry in &mut manifest.ledger {
        let mut counts = Counts::new();
        for text in [Some(&mut entry.source), entry.note.as_mut()].into_iter().flatten() {
            match redactor.string(text, &mut counts) {
                Ok(None) => {}
                Ok(Some(masked)) => *text = masked,
                Err(_) => UNSAID.clone_into(text),
            }
        }
        for (kind, count) in counts {
            *entry.redactions.entry(kind).or_default() += count;
        }
    }
    for value in manifest.options.values_mut() {
        if redactor.json(value).is_err() {
            *value = UNSAID.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    use crate::bundle::manifest::{FORMAT, LedgerEntry, Tool};
    use crate::bundle::reader::Bundle;
    use crate::redact::verify::Verifier;

    fn manifest(ledger: Vec<LedgerEntry>) -> Manifest {
        Manifest {
            format: FORMAT.to_owned(),
            tool: Tool { name: "casebook-collect".into(), version: "0".into() },
            started: Timestamp::UNIX_EPOCH,
            finished: Timestamp::UNIX_EPOCH,
            options: Default::default(),
            cluster: None,
            host: None,
            clocks: Vec::new(),
            stopped: None,
            ledger,
        }
    }

    fn put(writer: &mut BundleWriter, path: &str, text: &str) -> LedgerEntry {
        let mut item = ItemWriter::new(path, Timestamp::UNIX_EPOCH);
        item.write_all(text.as_bytes()).unwrap();
        let item = item.finish();
        writer.append(&item).unwrap();
        item.entry("test", Outcome::Collected)
    }

    #[test]
    fn what_was_learned_late_goes_from_what_was_written_early() {
        for format in [Format::TarGz, Format::Tar, Format::Zip, Format::Directory] {
            let packing = Packing::from(format);
            let folder = tempfile::tempdir().unwrap();
            let redactor = Redactor::new(&[]).unwrap();
            let (from, to) = (
                folder.path().join(format!("a{}", format.extension())),
                folder.path().join(format!("b{}", format.extension())),
            );
            let mut writer = BundleWriter::create(&from, format, "top").unwrap();
            let early = "args: --unheard-of Zx81-spectrum\n".repeat(20_000);
            let first = put(&mut writer, "texts/early.txt", &early);
            let other = put(&mut writer, "texts/other.txt", "nothing here\n");
            redactor.string("password: Zx81-spectrum", &mut Counts::new()).unwrap();
            let mut manifest = manifest(vec![first, other.clone()]);
            writer.finish(&manifest).unwrap();

            let verifier = Verifier::new(&redactor).unwrap();
            let leaks = verifier.bundle(&from, &packing, 1000).unwrap();
            let touched: BTreeSet<String> = leaks.iter().map(|leak| leak.path.clone()).collect();
            assert_eq!(touched, BTreeSet::from(["texts/early.txt".to_owned()]));
            scrub(&redactor, (&from, &to), &packing, "top", &touched, &mut manifest).unwrap();

            assert_eq!(verifier.bundle(&to, &packing, 10).unwrap(), []);
            let bundle = Bundle::open(&to, &Default::default()).unwrap();
            assert_eq!(bundle.check(), []);
            let kept = bundle.manifest.unwrap();
            assert_eq!(kept.ledger[0].redactions.values().sum::<u64>(), 20_000);
            assert_eq!(kept.ledger[1], other);
            let text = String::from_utf8(bundle.files["texts/early.txt"].data.to_vec()).unwrap();
            assert!(text.starts_with("args: --unheard-of ***password:"), "{}", &text[..60]);
        }
    }
}
