//! Putting parts together into one snapshot.

use std::collections::HashSet;
use std::sync::Arc;

use shared::bundle::manifest::Outcome;

use super::Read;
use super::ledger::{self, Said};
use super::part::{Part, Piece};
use super::rotation;
use crate::snapshot::{FileId, Known, Object, Snapshot, SourceFile, TextKind, TextSource};

/// The snapshot while inputs are added to it.
pub(super) struct Joined {
    snapshot: Snapshot,
    /// Whether paths begin with the name of their input.
    several: bool,
}

impl Joined {
    pub(super) fn new(several: bool) -> Self {
        Self { snapshot: Snapshot::default(), several }
    }

    pub(super) fn add(&mut self, read: Read) {
        let Read { input, name, mut parts, ledger, manifest_text } = read;
        let index = self.snapshot.inputs.len();
        self.snapshot.inputs.push(input);
        parts.sort_by(|a, b| a.path.cmp(&b.path));
        let there: HashSet<String> = parts.iter().map(|part| part.path.clone()).collect();
        let prefix = if self.several { format!("{name}/") } else { String::new() };
        let errors = ledger::errors(&ledger, manifest_text.as_deref());
        for mut part in parts {
            self.cut_by_ledger(&mut part, &ledger);
            self.part(part, index, &prefix);
        }
        if !errors.pieces.is_empty() {
            self.part(errors, index, &prefix);
        }
        // The ledger knows better than the files: an empty List may be one that was refused.
        for entry in &ledger {
            let lost = entry.outcome == Outcome::Collected && entry.bytes > 0 && !there.contains(&entry.path);
            match ledger::said(entry) {
                Said::Lists(lists) => {
                    for (key, known) in lists {
                        let known = if lost { Known::Nothing(None) } else { known };
                        self.snapshot.coverage.lists.insert(key, known);
                    }
                }
                Said::Log(key, known) => {
                    let known = if lost { Known::Nothing(None) } else { known };
                    self.snapshot.coverage.logs.insert(key, known);
                }
                Said::Nothing => {}
            }
        }
        self.snapshot.coverage.ledger.extend(ledger);
    }

    /// A log that was cut without a marker has lost its head: the newest lines are what is always kept.
    fn cut_by_ledger(&self, part: &mut Part, ledger: &[shared::bundle::manifest::LedgerEntry]) {
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
            snapshot.objects.push(&found.collection, object);
        }
        for piece in part.pieces {
            snapshot.texts.push(source(piece, id));
        }
        for (key, known) in part.lists {
            snapshot.coverage.lists.insert(key, known);
        }
        for (key, known) in part.logs {
            snapshot.coverage.logs.insert(key, known);
        }
        snapshot.coverage.ledger.extend(part.ledger);
        snapshot.files.push(file);
    }

    pub(super) fn finish(mut self) -> Snapshot {
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
