//! What came of the collection: how much was asked for, what is missing and why, what was masked.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::bundle::manifest::{LedgerEntry, Outcome};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ledger {
    /// How many items were attempted; 0 when no input has a ledger, so that nothing is known of what is missing.
    pub items: u64,
    /// Items by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Items that are not in the bundle, or not whole; those that do not exist at all are not among them.
    pub missing: Vec<MissingItem>,
    /// Values masked, by kind of secret.
    pub masked: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct MissingItem {
    pub outcome: String,
    pub path: String,
    /// Where it would have come from, in a form a person can repeat.
    pub source: String,
    /// The server's or the system's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Bytes that were left out of the middle, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_bytes: Option<u64>,
}

/// Missing items that fail in the same way.
#[derive(Debug, PartialEq, Eq)]
pub struct Loss<'a> {
    pub outcome: &'a str,
    pub note: Option<&'a str>,
    /// In the order of their paths; never empty.
    pub items: Vec<&'a MissingItem>,
}

impl Loss<'_> {
    /// What to call it: a log that was cut in the middle is told from a list that stops early.
    pub fn word(&self) -> &str {
        let cut = self.outcome == Outcome::Truncated.as_str()
            && self.items.iter().all(|item| item.missing_bytes.is_some());
        if cut { "head_and_tail" } else { self.outcome }
    }
}

impl Ledger {
    pub fn of(entries: &[LedgerEntry]) -> Self {
        let mut ledger = Ledger { items: entries.len() as u64, ..Ledger::default() };
        for entry in entries {
            *ledger.outcomes.entry(entry.outcome.as_str().to_owned()).or_default() += 1;
            for (kind, count) in &entry.redactions {
                *ledger.masked.entry(kind.clone()).or_default() += count;
            }
            if entry.outcome.is_loss() || entry.outcome == Outcome::Skipped {
                ledger.missing.push(MissingItem {
                    outcome: entry.outcome.as_str().to_owned(),
                    path: entry.path.clone(),
                    source: entry.source.clone(),
                    note: entry.note.clone(),
                    missing_bytes: entry.missing_bytes,
                });
            }
        }
        ledger.missing.sort();
        ledger
    }

    /// The missing items put together by outcome and note, the most frequent first.
    pub fn losses(&self) -> Vec<Loss<'_>> {
        let mut by_reason: BTreeMap<(&str, Option<&str>), Vec<&MissingItem>> = BTreeMap::new();
        for item in &self.missing {
            by_reason.entry((&item.outcome, item.note.as_deref())).or_default().push(item);
        }
        let mut losses: Vec<Loss> =
            by_reason.into_iter().map(|((outcome, note), items)| Loss { outcome, note, items }).collect();
        losses.sort_by(|a, b| {
            let key = |loss: &Loss| (loss.outcome == "skipped", std::cmp::Reverse(loss.items.len()));
            key(a).cmp(&key(b))
        });
        losses
    }
}
