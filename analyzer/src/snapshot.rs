//! Everything that the given bundles, folders and texts say, ready for matching.
//!
//! [`crate::intake`] builds it from any layout; matching, triage and the reports read it and nothing else. What a
//! source could not tell is *unknown* here, never *false*: see [`Coverage`].

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::Value;
use shared::bundle::manifest::{LedgerEntry, Manifest, Outcome};

/// The body of evidence of one run.
#[derive(Debug, Default)]
pub struct Snapshot {
    pub inputs: Vec<Input>,
    pub files: Vec<SourceFile>,
    pub texts: Vec<TextSource>,
    pub objects: Objects,
    pub coverage: Coverage,
    /// Lines of tables and descriptions that were read as events: what they say is known with its subject.
    pub event_lines: HashSet<(FileId, u32)>,
}

/// One path that the user gave.
#[derive(Debug, Clone)]
pub struct Input {
    /// As the user wrote it.
    pub path: String,
    /// Layout found by looking at the content: `casebook`, `troubleshoot`, `cluster-info dump`, `text`, …
    pub layout: String,
    pub manifest: Option<Manifest>,
    /// When the evidence was collected, as well as can be known.
    pub collected_at: Option<Timestamp>,
    /// What is wrong with the input, or what this layout cannot tell; each a sentence for the reader.
    pub notes: Vec<shared::lang::Localized>,
}

/// Index into [`Snapshot::files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// One file of the evidence, as text.
#[derive(Debug)]
pub struct SourceFile {
    /// Path inside the bundle without its top folder; with several inputs, the input's name stands before it.
    pub path: String,
    /// Index into [`Snapshot::inputs`].
    pub input: usize,
    /// Decoded to UTF-8; line breaks as in the original, so that line numbers point into the user's file.
    pub text: Arc<str>,
    line_starts: OnceLock<Vec<u32>>,
}

impl SourceFile {
    pub fn new(path: String, input: usize, text: Arc<str>) -> Self {
        Self { path, input, text, line_starts: OnceLock::new() }
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let breaks = memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at as u32 + 1);
            std::iter::once(0).chain(breaks).collect()
        })
    }

    /// The line, counted from 1, that the byte at `offset` is in.
    pub fn line_of(&self, offset: usize) -> u32 {
        self.line_starts().partition_point(|start| *start as usize <= offset) as u32
    }

    /// The text of line `line`, counted from 1, without its line break.
    pub fn line(&self, line: u32) -> Option<&str> {
        let starts = self.line_starts();
        let at = (line as usize).checked_sub(1)?;
        let start = *starts.get(at)? as usize;
        let end = starts.get(at + 1).map_or(self.text.len(), |next| *next as usize);
        Some(self.text[start..end].trim_end_matches(['\n', '\r']))
    }

    pub fn line_count(&self) -> u32 {
        self.line_starts().len() as u32
    }
}

/// What kind of text a piece is, and thereby which `in:` of a rule reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TextKind {
    /// What a person pasted or named: terminal scroll, browser message, execution log. `texts`
    Pasted,
    /// A container's log, current or previous. `logs`
    Log,
    /// `kubectl describe` output. `describe`
    Describe,
    /// `kubectl get`, `helm list`, `helm history` and other tables. `tables`
    Table,
    /// Command output and files of a host. `hosts`
    Host,
    /// Journals and component logs of a host or of the control plane's processes. `journals`
    Journal,
    /// The collector's own errors, one line a ledger entry. `ledger`
    Ledger,
}

/// One piece of a file that is searched as text. A file may hold several.
#[derive(Debug, Clone)]
pub struct TextSource {
    pub file: FileId,
    /// Bytes of the piece within the file.
    pub range: Range<usize>,
    pub kind: TextKind,
    pub namespace: Option<String>,
    pub pod: Option<String>,
    pub container: Option<String>,
    /// The log is that of the container's previous run.
    pub previous: bool,
    pub node: Option<String>,
    /// The piece reaches back to the beginning of its source.
    pub has_head: bool,
    /// The piece reaches to the end of its source.
    pub has_tail: bool,
    /// Nothing is missing between head and tail.
    pub has_middle: bool,
}

/// Objects by collection: the API's plural (`pods`, `persistentvolumeclaims`), `helm.releases`, `helm.revisions`,
/// `hosts` (facts of a host), `probes` (measured answers). Custom resources as `plural.group`.
#[derive(Debug, Default)]
pub struct Objects {
    pub by_collection: BTreeMap<String, Vec<Object>>,
}

impl Objects {
    pub fn of(&self, collection: &str) -> &[Object] {
        self.by_collection.get(collection).map_or(&[], Vec::as_slice)
    }

    pub fn push(&mut self, collection: &str, object: Object) {
        self.by_collection.entry(collection.to_owned()).or_default().push(object);
    }
}

/// One object and the place it was read from.
#[derive(Debug, Clone)]
pub struct Object {
    pub value: Arc<Value>,
    pub file: FileId,
    /// Line, counted from 1, where the object begins.
    pub line: u32,
    /// JSON pointer within the file, such as `/items/3`; empty for objects read from tables and describe text.
    pub pointer: String,
    /// Read from a table or from describe text: a field that is absent here may exist.
    pub partial: bool,
}

impl Object {
    /// A string field by its path, such as `["metadata", "namespace"]`.
    pub fn str_at(&self, path: &[&str]) -> Option<&str> {
        path.iter().try_fold(&*self.value, |value, key| value.get(key))?.as_str()
    }

    pub fn name(&self) -> Option<&str> {
        self.str_at(&["metadata", "name"]).or_else(|| self.str_at(&["name"]))
    }

    pub fn namespace(&self) -> Option<&str> {
        self.str_at(&["metadata", "namespace"]).or_else(|| self.str_at(&["namespace"]))
    }
}

/// How much of a source the evidence holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Known {
    /// All of it was read: what is not there does not exist.
    Whole,
    /// Some of it is there; what is not found may still exist.
    Partly,
    /// Nothing of it is there, for this reason. `None`: nobody asked for it.
    Nothing(Option<Outcome>),
}

/// What was read to its end and what was not.
#[derive(Debug, Default)]
pub struct Coverage {
    /// Every ledger entry of every input that has a ledger.
    pub ledger: Vec<LedgerEntry>,
    /// (collection, namespace) → how much is known; namespace `None`: the cluster-scoped List or all namespaces.
    pub lists: BTreeMap<(String, Option<String>), Known>,
    /// (namespace, pod, container, previous) → how much is known.
    pub logs: BTreeMap<(String, String, String, bool), Known>,
}

impl Coverage {
    /// How much is known of a collection, in one namespace or in all of them.
    ///
    /// An entry for all namespaces speaks for each one. Asked about all namespaces without such an entry, the
    /// weakest of the namespaces' entries is the answer.
    pub fn list(&self, collection: &str, namespace: Option<&str>) -> Known {
        let key = |ns: Option<&str>| (collection.to_owned(), ns.map(str::to_owned));
        if let Some(known) = self.lists.get(&key(namespace)).or_else(|| self.lists.get(&key(None))) {
            return *known;
        }
        if namespace.is_some() {
            return Known::Nothing(None);
        }
        let entries: Vec<Known> =
            self.lists.iter().filter(|((name, _), _)| name == collection).map(|(_, known)| *known).collect();
        if entries.is_empty() {
            Known::Nothing(None)
        } else if entries.iter().all(|known| *known == Known::Whole) {
            Known::Whole
        } else {
            Known::Partly
        }
    }

    /// How much is known of one container's log.
    pub fn log(&self, namespace: &str, pod: &str, container: &str, previous: bool) -> Known {
        let key = (namespace.to_owned(), pod.to_owned(), container.to_owned(), previous);
        self.logs.get(&key).copied().unwrap_or(Known::Nothing(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one_and_keep_their_place() {
        let file = SourceFile::new("a".into(), 0, "one\r\ntwo\n\nfour".into());
        assert_eq!(file.line(1), Some("one"));
        assert_eq!(file.line(3), Some(""));
        assert_eq!(file.line(4), Some("four"));
        assert_eq!(file.line(5), None);
        assert_eq!(file.line_of(0), 1);
        assert_eq!(file.line_of(5), 2);
        assert_eq!(file.line_of(10), 4);
    }

    #[test]
    fn the_weakest_namespace_speaks_for_all() {
        let mut coverage = Coverage::default();
        assert_eq!(coverage.list("pods", None), Known::Nothing(None));
        coverage.lists.insert(("pods".into(), Some("a".into())), Known::Whole);
        assert_eq!(coverage.list("pods", None), Known::Whole);
        assert_eq!(coverage.list("pods", Some("b")), Known::Nothing(None));
        coverage.lists.insert(("pods".into(), Some("b".into())), Known::Nothing(Some(Outcome::Forbidden)));
        assert_eq!(coverage.list("pods", None), Known::Partly);
        assert_eq!(coverage.list("pods", Some("b")), Known::Nothing(Some(Outcome::Forbidden)));
    }
}
