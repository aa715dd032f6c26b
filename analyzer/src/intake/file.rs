//! From one file's text and role to what it says.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use shared::bundle::truncation;
use shared::lang::Localized;

use super::documents::{self, Documents, Item};
use super::kinds::{self, Resource};
use super::part::{Found, Part, Piece};
use super::releases;
use super::role::{LogOf, Role, Span};
use super::text::{self, Context};
use super::yaml;
use super::{dialect, errors, shapes};
use crate::snapshot::{Known, TextKind};

/// Reads one file. `cut` says that its end is missing.
pub(super) fn read(path: String, text: Arc<str>, role: Role, cut: bool) -> Part {
    let mut part = Part { path, text: Arc::clone(&text), ..Part::default() };
    let all = 0..text.len();
    match role {
        Role::Objects { resource, namespace, span } => {
            let whole = objects_in(&mut part, all, resource.as_ref(), namespace.as_deref(), cut).whole;
            if let Some(resource) = resource {
                let known = if whole && span == Span::All { Known::Whole } else { Known::Partly };
                part.lists.push(((resource.collection.into_owned(), namespace), known));
            }
        }
        Role::Log(log) => part.log_piece(&log, all, cut),
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
                let partial = lacks_facts(&item.value);
                part.push("hosts", item.value, item.offset, item.pointer);
                if let Some(found) = part.objects.last_mut() {
                    found.partial = partial;
                }
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
        Role::Unknown => text::read(&mut part, &Context::default(), true, cut),
        Role::Output { resource, namespace, command, pasted } => {
            text::read(&mut part, &Context { resource, namespace, command }, pasted, cut);
        }
        Role::Errors { about } => {
            part.ledger = errors::read(&about, &text);
            if !part.ledger.is_empty() {
                part.pieces.push(Piece::new(TextKind::Ledger, all));
            }
        }
        Role::Manifest | Role::Skip => {}
    }
    part
}

/// Marks what is missing of a text.
pub(super) fn gaps(mut piece: Piece, text: &str, cut: bool) -> Piece {
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

/// What came of a part of a file that holds objects.
pub(super) struct Objects {
    /// All of them could be read.
    pub(super) whole: bool,
    /// Documents that are no objects of a cluster's.
    pub(super) others: Vec<Item>,
}

/// Reads objects in a part of the file; `resource` and `namespace` are what is known of those that do not say it
/// themselves.
pub(super) fn objects_in(
    part: &mut Part,
    range: Range<usize>,
    resource: Option<&Resource>,
    namespace: Option<&str>,
    cut: bool,
) -> Objects {
    let mut others = Vec::new();
    let text = Arc::clone(&part.text);
    let found = documents(&text[range.clone()]);
    if let Some(fault) = &found.fault {
        part.unreadable(fault);
    }
    let Documents { items, mut lists, more, fault } = found;
    part.heads.append(&mut lists);
    for mut item in items {
        dialect::modernise(&mut item.value);
        let of_item = {
            let text = |key: &str| item.value.get(key).and_then(Value::as_str);
            text("kind").map(|kind| kinds::of_kind(text("apiVersion").unwrap_or_default(), kind))
        };
        let list = item.list.take().unwrap_or_default();
        let of_list = || {
            let version = list.api_version.as_deref().unwrap_or_default();
            of_list_kind(list.kind.as_deref()).map(|kind| kinds::of_kind(version, kind))
        };
        let of_link = || {
            let link = item.value.pointer("/metadata/selfLink").and_then(Value::as_str);
            link.and_then(kinds::of_self_link)
        };
        let told = of_item.or_else(of_list).or_else(of_link).or_else(|| resource.cloned());
        let Some(own) = told.or_else(|| shapes::tell(&mut item.value)) else {
            others.push(item);
            continue;
        };
        if item.value.get("kind").is_none() {
            let object = item.value.as_object_mut().expect("documents are objects");
            let kind = of_list_kind(list.kind.as_deref()).or(own.kind);
            let version = list.api_version.as_deref().or(own.api_version);
            for (key, value) in [("kind", kind), ("apiVersion", version)] {
                if let Some(value) = value {
                    object.entry(key).or_insert_with(|| Value::from(value));
                }
            }
        }
        let meta = item.value.get_mut("metadata").and_then(Value::as_object_mut);
        if let (Some(namespace), Some(meta)) = (namespace, meta)
            && own.namespaced != Some(false)
        {
            meta.entry("namespace").or_insert_with(|| Value::from(namespace));
        }
        part.push(&own.collection, item.value, range.start + item.offset, item.pointer);
    }
    Objects { whole: !(cut || more || fault.is_some()), others }
}

/// Documents in whichever of the two languages.
fn documents(text: &str) -> Documents {
    match text.trim_start().as_bytes().first() {
        Some(b'{' | b'[') => documents::json(text),
        Some(_) if text.trim() != "null" => yaml::read(text),
        _ => Documents::default(),
    }
}

/// Whether some probe of a host brought less than it should: then a fact that is not there may hold all the same.
/// Journals are texts only, and draw no facts.
fn lacks_facts(facts: &Value) -> bool {
    let probes = facts.get("probes").and_then(Value::as_object);
    probes.into_iter().flatten().any(|(name, outcome)| {
        let whole = matches!(outcome.as_str(), Some("collected" | "empty" | "not_found"));
        !whole && !name.starts_with("journal")
    })
}

fn of_list_kind(list_kind: Option<&str>) -> Option<&str> {
    list_kind?.strip_suffix("List").filter(|kind| !kind.is_empty())
}

impl Part {
    fn documents(&mut self) -> Documents {
        let found = documents(&self.text);
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
            ages: Vec::new(),
        });
    }

    /// A container's log in a part of the file.
    pub(super) fn log_piece(&mut self, log: &LogOf, range: Range<usize>, cut: bool) {
        let mut piece = gaps(Piece::new(TextKind::Log, range), &self.text, cut);
        let whole = piece.has_head && piece.has_middle && piece.has_tail;
        piece.namespace = Some(log.namespace.clone());
        piece.pod = Some(log.pod.clone());
        piece.container = Some(log.container.clone());
        piece.previous = log.previous;
        self.pieces.push(piece);
        let known = if whole { Known::Whole } else { Known::Partly };
        self.logs
            .push(((log.namespace.clone(), log.pod.clone(), log.container.clone(), log.previous), known));
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
