//! Putting parts together into one snapshot.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use shared::bundle::manifest::{LedgerEntry, Outcome};

use super::Read;
use super::belonging;
use super::ledger::{self, Said};
use super::merge;
use super::part::{ListKey, LogKey, Part, Piece};
use super::rotation;
use crate::snapshot::{FileId, Known, Object, Snapshot, SourceFile, TextKind, TextSource};

/// The snapshot while inputs are added to it, oldest first.
pub(super) struct Joined {
    snapshot: Snapshot,
    /// Whether paths begin with the name of their input.
    several: bool,
    /// The Lists that each input holds to their end.
    whole: Vec<HashSet<ListKey>>,
}

/// What one input knows.
#[derive(Default)]
struct Coverage {
    lists: BTreeMap<ListKey, Known>,
    logs: BTreeMap<LogKey, Known>,
}

impl Joined {
    pub(super) fn new(several: bool) -> Self {
        Self { snapshot: Snapshot::default(), several, whole: Vec::new() }
    }

    pub(super) fn add(&mut self, read: Read) {
        let Read { input, name, mut parts, mut ledger, manifest_text } = read;
        let index = self.snapshot.inputs.len();
        self.snapshot.inputs.push(input);
        parts.sort_by(|a, b| a.path.cmp(&b.path));
        let there: HashSet<String> = parts.iter().map(|part| part.path.clone()).collect();
        let prefix = if self.several { format!("{name}/") } else { String::new() };
        let errors = ledger::errors(&ledger, manifest_text.as_deref());
        let mut coverage = Coverage::default();
        for mut part in parts {
            self.cut_by_ledger(&mut part, &ledger);
            ledger.append(&mut part.ledger);
            for (key, known) in part.lists.drain(..) {
                coverage
                    .lists
                    .entry(key)
                    .and_modify(|old| *old = merge::better(*old, known))
                    .or_insert(known);
            }
            for (key, known) in part.logs.drain(..) {
                coverage.logs.entry(key).and_modify(|old| *old = merge::better(*old, known)).or_insert(known);
            }
            self.part(part, index, &prefix);
        }
        if !errors.pieces.is_empty() {
            self.part(errors, index, &prefix);
        }
        // The ledger knows better than the files: an empty List may be one that was refused.
        for entry in &ledger {
            let lost = entry.outcome == Outcome::Collected && entry.bytes > 0 && !there.contains(&entry.path);
            let or_lost = |known| if lost { Known::Nothing(None) } else { known };
            match ledger::said(entry) {
                Said::Lists(lists) => {
                    coverage.lists.extend(lists.into_iter().map(|(key, known)| (key, or_lost(known))));
                }
                Said::Log(key, known) => {
                    coverage.logs.insert(key, or_lost(known));
                }
                Said::Nothing => {}
            }
        }
        self.whole.push(
            coverage
                .lists
                .iter()
                .filter(|(_, known)| **known == Known::Whole)
                .map(|(key, _)| key.clone())
                .collect(),
        );
        let all = &mut self.snapshot.coverage;
        for (key, known) in coverage.lists {
            all.lists.entry(key).and_modify(|old| *old = merge::better(*old, known)).or_insert(known);
        }
        for (key, known) in coverage.logs {
            all.logs.entry(key).and_modify(|old| *old = merge::better(*old, known)).or_insert(known);
        }
        all.ledger.extend(ledger);
    }

    /// A log that was cut without a marker has lost its head: the newest lines are what is always kept.
    fn cut_by_ledger(&self, part: &mut Part, ledger: &[LedgerEntry]) {
        let cut = ledger.iter().any(|entry| entry.outcome == Outcome::Truncated && entry.path == part.path);
        for piece in part.pieces.iter_mut().filter(|_| cut) {
            if piece.has_head && piece.has_middle && piece.has_tail {
                piece.has_head = false;
            }
        }
    }

    fn part(&mut self, part: Part, input: usize, prefix: &str) {
        let snapshot = &mut self.snapshot;
        let id = FileId(u32::try_from(snapshot.files.len()).expect("inputs have far fewer files"));
        let file = SourceFile::new(format!("{prefix}{}", part.path), input, part.text);
        for found in part.objects {
            let object = Object {
                value: Arc::new(found.value),
                file: id,
                line: file.line_of(found.offset),
                pointer: found.pointer,
                partial: found.partial,
            };
            if found.collection == "events" && found.partial {
                snapshot.event_lines.insert((id, object.line));
            }
            snapshot.objects.push(&found.collection, object);
        }
        for piece in part.pieces {
            snapshot.texts.push(source(piece, id));
        }
        snapshot.files.push(file);
    }

    pub(super) fn finish(mut self) -> Snapshot {
        for (collection, all) in &mut self.snapshot.objects.by_collection {
            *all = merge::objects(collection, std::mem::take(all), &self.snapshot.files, &self.whole);
        }
        belonging::settle(&mut self.snapshot);
        rotation::mark(&mut self.snapshot);
        self.snapshot
    }
}

fn source(piece: Piece, file: FileId) -> TextSource {
    let Piece { range, kind, namespace, pod, container, previous, node, has_head, has_tail, has_middle } =
        piece;
    // An error of the collector is whole by itself, whatever its text says of gaps.
    let whole = kind == TextKind::Ledger;
    TextSource {
        file,
        range,
        kind,
        namespace,
        pod,
        container,
        previous,
        node,
        has_head: whole || has_head,
        has_tail: whole || has_tail,
        has_middle: whole || has_middle,
    }
}
