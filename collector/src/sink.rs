//! Where everything goes: masked, counted, into the bundle, and into the ledger.
//!
//! A [`Draft`] is one file while it is made, by one task; only finished files take the writer's lock. Whoever fills a
//! draft has masked what it pushes.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use jiff::Timestamp;
use shared::bundle::failure::Failure;
use shared::bundle::manifest::{LedgerEntry, Manifest, NO_SPACE, Outcome, Subject};
use shared::bundle::writer::{BundleWriter, Item, ItemWriter, WriteError, Written};

use shared::redact::Redactor;
use shared::redact::scrub::scrub_manifest;

use crate::stop::{Reason, Stop};

/// The bundle that a run fills.
pub struct Sink {
    /// `None` once the bundle is finished or abandoned.
    writer: Mutex<Option<BundleWriter>>,
    ledger: Mutex<Vec<LedgerEntry>>,
    /// Entries that are still to come, as far as it is known.
    coming: AtomicUsize,
    stop: Stop,
    /// Bytes before and after compression, for the ratio.
    raw: AtomicU64,
    packed: AtomicU64,
}

/// One file of the bundle while it is made.
pub struct Draft {
    item: ItemWriter,
    entry: LedgerEntry,
    begun: Instant,
}

/// A file that is made and not yet in the bundle.
pub struct Finished {
    item: Item,
    entry: LedgerEntry,
}

impl Sink {
    pub fn new(writer: BundleWriter, stop: Stop) -> Self {
        Self {
            writer: Mutex::new(Some(writer)),
            ledger: Mutex::default(),
            coming: AtomicUsize::new(0),
            stop,
            raw: AtomicU64::new(0),
            packed: AtomicU64::new(0),
        }
    }

    /// Puts a file into the bundle. One that cannot be written becomes a failure in the ledger; a full disk ends the
    /// run.
    pub fn put(&self, finished: Finished) {
        let Finished { item, mut entry } = finished;
        let entries = self.ledger().len() + self.coming.load(Ordering::Relaxed) + 1;
        let written = match &mut *self.writer() {
            Some(writer) => {
                writer.expect_entries(entries);
                writer.append(&item)
            }
            None => return,
        };
        match written {
            Ok(()) => {
                self.raw.fetch_add(item.bytes(), Ordering::Relaxed);
                self.packed.fetch_add(item.held_bytes(), Ordering::Relaxed);
            }
            Err(error) => {
                entry.outcome = Outcome::Failed;
                entry.bytes = 0;
                entry.sha256 = None;
                (entry.failure, entry.note) = match error {
                    WriteError::DiskFull { .. } => {
                        self.stop.request(Reason::DiskFull);
                        (Some(Failure::NoSpace), Some(NO_SPACE.to_owned()))
                    }
                    other => (Some(Failure::Other), Some(other.to_string())),
                };
            }
        }
        self.note(entry);
    }

    /// Says what became of something that left no file.
    pub fn note(&self, entry: LedgerEntry) {
        self.ledger().push(entry);
    }

    /// Whether something of this folder, or all of it, could not be had, as far as it is known.
    pub fn lost(&self, folder: &str) -> bool {
        let within = |path: &str| {
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.ledger().iter().any(|entry| within(&entry.path) && entry.outcome.is_loss())
    }

    /// Says that so many entries are about to come, whatever becomes of them: the manifest needs room on the disk.
    pub fn expect(&self, entries: usize) {
        self.coming.fetch_add(entries, Ordering::Relaxed);
    }

    /// About how many bytes the bundle takes on the disk so far.
    pub fn written(&self) -> u64 {
        self.writer().as_ref().map_or(0, BundleWriter::written)
    }

    /// How many bytes of text have become one byte of the bundle so far.
    pub fn ratio(&self) -> f64 {
        let (raw, packed) = (self.raw.load(Ordering::Relaxed), self.packed.load(Ordering::Relaxed));
        // A guess for JSON and logs, until there is enough to know better.
        if packed < 256 << 10 { 8.0 } else { raw as f64 / packed as f64 }
    }

    /// Ends the bundle: everything of `manifest` is kept but its ledger, which is the one kept here.
    ///
    /// # Errors
    /// Nothing is left on the disk then.
    pub fn finish(
        &self,
        mut manifest: Manifest,
        masks: &Redactor,
    ) -> Result<(Written, Manifest), WriteError> {
        let mut ledger = std::mem::take(&mut *self.ledger());
        ledger.extend(unlearned(masks));
        ledger.sort_by(|a, b| (&a.path, &a.source).cmp(&(&b.path, &b.source)));
        manifest.ledger = ledger;
        scrub_manifest(masks, &mut manifest);
        let writer = self.writer().take().expect("a bundle is finished once, and not after it was abandoned");
        let written = writer.finish(&manifest)?;
        Ok((written, manifest))
    }

    /// Drops the bundle and its temporary file. What tasks still put in is lost.
    pub fn abandon(&self) {
        self.writer().take();
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Vec<LedgerEntry>> {
        self.ledger.lock().expect("no code panics while it holds the lock")
    }

    fn writer(&self) -> std::sync::MutexGuard<'_, Option<BundleWriter>> {
        self.writer.lock().expect("no code panics while it holds the lock")
    }
}

impl Draft {
    /// A file at `path`, whose content comes from `source`: a request, a command or a file, as a person would repeat
    /// it.
    pub fn new(path: impl Into<String>, source: impl Into<String>) -> Self {
        let path = path.into();
        let now = Timestamp::now();
        let entry = LedgerEntry { started: Some(now), ..entry(&path, source, Outcome::Collected) };
        Self { item: ItemWriter::new(path, now), entry, begun: Instant::now() }
    }

    pub fn about(mut self, subject: Subject) -> Self {
        self.entry.subject = subject;
        self
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.item.bytes()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// More of a text that holds no secret or has been masked already.
    pub fn push(&mut self, bytes: &[u8]) {
        self.item.write_all(bytes).expect("writing to memory cannot fail");
    }

    pub fn redacted(&mut self, counts: &BTreeMap<String, u64>) {
        for (kind, count) in counts {
            *self.entry.redactions.entry(kind.clone()).or_default() += count;
        }
    }

    /// Ends the file.
    pub fn finish(self, outcome: Outcome, note: Option<String>) -> Finished {
        let Self { item, mut entry, begun } = self;
        let item = item.finish();
        entry.bytes = item.bytes();
        entry.sha256 = Some(item.sha256().to_owned());
        entry.millis = begun.elapsed().as_millis() as u64;
        entry.outcome = outcome;
        entry.note = note;
        Finished { item, entry }
    }
}

impl Finished {
    pub fn entry_mut(&mut self) -> &mut LedgerEntry {
        &mut self.entry
    }
}

/// Says that there were more secrets than the table of learned values holds.
fn unlearned(masks: &Redactor) -> Option<LedgerEntry> {
    let (_, dropped) = masks.learned();
    let note = format!(
        "more secrets than can be remembered: {dropped} were masked where they were recognised and not searched for \
         elsewhere; look for them before the bundle goes to the public"
    );
    (dropped > 0).then(|| LedgerEntry {
        note: Some(note),
        ..entry("redaction", "values that were masked", Outcome::Truncated)
    })
}

/// A ledger entry for something that left no file.
pub fn entry(path: &str, source: impl Into<String>, outcome: Outcome) -> LedgerEntry {
    LedgerEntry::new(path, source, outcome)
}
