//! From one file's text and role to what it says.

use std::sync::Arc;

use serde_json::Value;
use shared::bundle::truncation;
use shared::lang::Localized;

use super::documents::{self, Documents};
use super::kinds::{self, Resource};
use super::part::{Found, Part, Piece};
use super::releases;
use super::role::{LogOf, Role, Span};
use crate::snapshot::{Known, TextKind};

/// Reads one file. `cut` says that its end is missing.
pub(super) fn read(path: String, text: Arc<str>, role: Role, cut: bool) -> Part {
    let mut part = Part { path, text: Arc::clone(&text), ..Part::default() };
    let all = 0..text.len();
    match role {
        Role::Objects { resource, namespace, span } => {
            objects(&mut part, resource.as_ref(), namespace.as_deref(), span, cut);
        }
        Role::Log(log) => part.read_log(log, cut),
        Role::Helm { namespace } => match releases::from_json(&text, &namespace) {
            Ok(found) => {
                part.objects = found;
                let known = if cut { Known::Partly } else { Known::Whole };
                for collection in [releases::RELEASES, releases::REVISIONS] {
                    part.lists.push(((collection.to_owned(), Some(namespace.clone())), known));
                }
            }
            Err(error) => part.unreadable(&error),
        },
        Role::HostFacts { host } => {
            for mut item in part.documents().items {
                let facts = item.value.as_object_mut().expect("documents are objects");
                facts.entry("name").or_insert_with(|| Value::from(host.clone()));
                part.push("hosts", item.value, item.offset, item.pointer);
            }
            part.lists.push((("hosts".to_owned(), Some(host)), Known::Whole));
        }
        Role::Probes { name } => {
            for item in part.documents().items {
                part.probes(item);
            }
            part.lists.push((("probes".to_owned(), Some(name)), Known::Whole));
        }
        Role::ServerVersion => {
            for item in part.documents().items {
                part.push("cluster-info", item.value, item.offset, item.pointer);
            }
        }
        Role::Text { kind, namespace, pod, node } => {
            let mut piece = gaps(Piece::new(kind, all), &text, cut);
            (piece.namespace, piece.pod, piece.node) = (namespace, pod, node);
            part.pieces.push(piece);
        }
        Role::Unknown => unknown(&mut part, cut),
        Role::Errors { .. } | Role::Manifest | Role::Skip => {}
    }
    part
}

/// Marks what is missing of a text.
fn gaps(mut piece: Piece, text: &str, cut: bool) -> Piece {
    for gap in truncation::gaps(&text[piece.range.clone()]) {
        let (start, end) = (piece.range.start + gap.range.start, piece.range.start + gap.range.end);
        if start == piece.range.start {
            piece.has_head = false;
        } else if end == piece.range.end {
            piece.has_tail = false;
        } else {
            piece.has_middle = false;
        }
    }
    piece.has_tail &= !cut;
    piece
}

/// A file that no layout places: objects if it is JSON, else text that somebody saved.
fn unknown(part: &mut Part, cut: bool) {
    if part.text.trim_start().starts_with(['{', '[']) {
        objects(part, None, None, Span::One, cut);
        if !part.objects.is_empty() {
            return;
        }
        part.notes.clear();
    }
    let piece = Piece::new(TextKind::Pasted, 0..part.text.len());
    let piece = gaps(piece, &part.text, cut);
    part.pieces.push(piece);
}

/// Reads objects; `resource` and `namespace` are what the path says of those that do not say it themselves.
fn objects(part: &mut Part, resource: Option<&Resource>, namespace: Option<&str>, span: Span, cut: bool) {
    let Documents { items, list_kind, list_api_version, more, fault } = part.documents();
    let of_list =
        list_kind.as_deref().and_then(|kind| kind.strip_suffix("List")).filter(|kind| !kind.is_empty());
    let broken = cut || more || fault.is_some();
    for mut item in items {
        let of_item = {
            let text = |key: &str| item.value.get(key).and_then(Value::as_str);
            text("kind").map(|kind| kinds::of_kind(text("apiVersion").unwrap_or_default(), kind))
        };
        let of_list =
            || of_list.map(|kind| kinds::of_kind(list_api_version.as_deref().unwrap_or_default(), kind));
        let Some(own) = of_item.or_else(of_list).or_else(|| resource.cloned()) else { continue };
        if item.value.get("kind").is_none() {
            let object = item.value.as_object_mut().expect("documents are objects");
            let kind = of_list_kind(list_kind.as_deref()).or(own.kind);
            let version = list_api_version.as_deref().or(own.api_version);
            for (key, value) in [("kind", kind), ("apiVersion", version)] {
                if let Some(value) = value {
                    object.entry(key).or_insert_with(|| Value::from(value));
                }
            }
        }
        if let (Some(namespace), Some(meta)) =
            (namespace, item.value.get_mut("metadata").and_then(Value::as_object_mut))
            && own.namespaced != Some(false)
        {
            meta.entry("namespace").or_insert_with(|| Value::from(namespace));
        }
        part.push(&own.collection, item.value, item.offset, item.pointer);
    }
    if let (Some(resource), Span::All) = (resource, span) {
        let known = if broken { Known::Partly } else { Known::Whole };
        part.lists.push(((resource.collection.to_string(), namespace.map(str::to_owned)), known));
    }
}

fn of_list_kind(list_kind: Option<&str>) -> Option<&str> {
    list_kind?.strip_suffix("List").filter(|kind| !kind.is_empty())
}

impl Part {
    fn documents(&mut self) -> Documents {
        let found = documents::json(&self.text);
        if let Some(fault) = &found.fault {
            self.unreadable(fault);
        }
        found
    }

    fn unreadable(&mut self, reason: &str) {
        self.notes.push(Localized::new(
            format!("{} 无法完整读取：{reason}", self.path),
            format!("{} could not be read to its end: {reason}", self.path),
        ));
    }

    fn push(&mut self, collection: &str, value: Value, offset: usize, pointer: String) {
        self.objects.push(Found {
            collection: collection.to_owned(),
            value,
            offset,
            pointer,
            partial: false,
        });
    }

    fn read_log(&mut self, log: LogOf, cut: bool) {
        let mut piece = gaps(Piece::new(TextKind::Log, 0..self.text.len()), &self.text, cut);
        let whole = piece.has_head && piece.has_middle && piece.has_tail;
        piece.namespace = Some(log.namespace.clone());
        piece.pod = Some(log.pod.clone());
        piece.container = Some(log.container.clone());
        piece.previous = log.previous;
        self.pieces.push(piece);
        let known = if whole { Known::Whole } else { Known::Partly };
        self.logs.push(((log.namespace, log.pod, log.container, log.previous), known));
    }

    /// One row an answer: the elements of an array at the top or under the only array field, or else the document.
    fn probes(&mut self, item: documents::Item) {
        let answers = item.value.as_object().and_then(|object| {
            ["answers", "probes", "results"]
                .iter()
                .find_map(|key| Some((*key, object.get(*key)?.as_array()?.clone())))
        });
        match answers {
            Some((key, answers)) => {
                for (index, answer) in answers.into_iter().enumerate() {
                    self.push("probes", answer, item.offset, format!("{}/{key}/{index}", item.pointer));
                }
            }
            None => self.push("probes", item.value, item.offset, item.pointer),
        }
    }
}
