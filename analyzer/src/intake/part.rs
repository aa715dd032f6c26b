//! What was found in one file, before it is joined with the rest.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use shared::bundle::manifest::{LedgerEntry, Outcome};
use shared::lang::Localized;

use super::documents::ListOf;
use super::moment::Age;
use crate::snapshot::{Known, TextKind};

/// (namespace, pod, container, previous)
pub(super) type LogKey = (String, String, String, bool);

/// (collection, namespace); `None` for cluster-scoped ones and for all namespaces.
pub(super) type ListKey = (String, Option<String>);

/// One file and all that it says.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) path: String,
    pub(super) text: Arc<str>,
    pub(super) pieces: Vec<Piece>,
    pub(super) objects: Vec<Found>,
    pub(super) lists: Vec<(ListKey, Known)>,
    pub(super) logs: Vec<(LogKey, Known)>,
    /// What other tools say they could not collect.
    pub(super) ledger: Vec<LedgerEntry>,
    pub(super) notes: Vec<Localized>,
    /// Heads of the Lists in it.
    pub(super) heads: Vec<Arc<ListOf>>,
    /// It is the stream that `kubectl cluster-info dump` prints.
    pub(super) dump: bool,
    /// What `date` printed last in the text.
    pub(super) taken: Option<Timestamp>,
}

/// An object in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) collection: String,
    pub(super) value: Value,
    /// Byte at which it begins in the text.
    pub(super) offset: usize,
    pub(super) pointer: String,
    pub(super) partial: bool,
    /// Fields whose time is known once it is known when the text was taken.
    pub(super) ages: Vec<Age>,
}

/// A piece of a file that is searched as text; see [`TextSource`](crate::snapshot::TextSource).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    pub(super) kind: TextKind,
    pub(super) namespace: Option<String>,
    pub(super) pod: Option<String>,
    pub(super) container: Option<String>,
    pub(super) previous: bool,
    pub(super) node: Option<String>,
    pub(super) has_head: bool,
    pub(super) has_tail: bool,
    pub(super) has_middle: bool,
}

impl Piece {
    /// A piece of which nothing is missing and nothing more is known.
    pub(super) fn new(kind: TextKind, range: Range<usize>) -> Self {
        Self {
            range,
            kind,
            namespace: None,
            pod: None,
            container: None,
            previous: false,
            node: None,
            has_head: true,
            has_tail: true,
            has_middle: true,
        }
    }

    pub(super) fn in_namespace(mut self, namespace: Option<String>) -> Self {
        self.namespace = namespace;
        self
    }
}

/// How much is known of a source that ended with `outcome`.
pub(super) fn known(outcome: Outcome) -> Known {
    match outcome {
        whole if whole.is_whole() => Known::Whole,
        Outcome::Truncated => Known::Partly,
        other => Known::Nothing(Some(other)),
    }
}
