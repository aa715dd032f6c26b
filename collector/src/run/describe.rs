//! The text of `kubectl describe` for whatever a person would describe, rendered from the lists that are there.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use shared::bundle::manifest::{LedgerEntry, Outcome};
use shared::bundle::paths;
use shared::describe::{self, Form, Index, Kind, Settings};

use super::Run;
use super::tasks::{Panicked, each};
use crate::gather::store::{Kept, Stored};
use crate::gather::text;
use crate::messages::{ended_before, pick};
use crate::sink::entry;

/// Folder of the descriptions.
pub const FOLDER: &str = "describe";
/// Objects of one piece of work.
const PIECE: usize = 100;

/// Describes everything that was listed and is wanted.
pub async fn collect(run: &Arc<Run>) {
    let kept = run.store.take();
    let selection = &run.options.selection;
    let index = Arc::new(index(run, &kept));
    // One instant for all ages, or two descriptions of one bundle would disagree.
    let settings =
        Arc::new(Settings { now: Timestamp::now(), zone: TimeZone::system(), form: Form::default() });
    let wanted: Vec<Wanted> = kept
        .into_values()
        .filter(|kept| kept.described)
        .flat_map(|kept| named(kept.objects))
        .filter(|wanted| selection.wants_describe(&wanted.object.namespace, &wanted.object.name))
        .collect();
    let total = wanted.len();
    let pieces = pieces(wanted);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let work = |piece: Arc<Vec<Wanted>>| {
        let (run, index, settings) = (run.clone(), index.clone(), settings.clone());
        async move {
            let mut count = 0;
            for wanted in piece.iter().take_while(|_| run.stop.reason().is_none()) {
                guarded(&run, wanted, &index, &settings);
                count += 1;
            }
            count
        }
    };
    let step = pick(run.options.lang, "生成 describe 文本", "describing");
    let mut done = 0;
    each(pieces, workers, work, |piece, count| {
        done += count.unwrap_or(piece.len());
        run.progress.step(step, &format!("{done}/{total}"));
    })
    .await;
    if let Some(reason) = run.stop.reason().filter(|_| done < total) {
        let missing = ended_before(&format!("{} of {total} descriptions were made", total - done), reason);
        run.sink.note(LedgerEntry { note: Some(missing), ..entry(FOLDER, "descriptions", Outcome::Skipped) });
    }
}

/// Something to describe.
struct Wanted {
    object: Stored,
    /// Whether another one of its name and kind is described under that name: it was there before that one.
    name_taken: bool,
}

/// Objects of one kind. What is there comes before what is gone.
fn named(objects: Vec<Stored>) -> Vec<Wanted> {
    let mut names = HashSet::with_capacity(objects.len());
    let name_taken: Vec<bool> = objects.iter().map(|o| !names.insert((&*o.namespace, &*o.name))).collect();
    objects.into_iter().zip(name_taken).map(|(object, name_taken)| Wanted { object, name_taken }).collect()
}

/// Moved, not cloned: together these are the largest thing that a run holds.
fn pieces(objects: Vec<Wanted>) -> Vec<Arc<Vec<Wanted>>> {
    let mut pieces: Vec<Vec<Wanted>> = Vec::new();
    for object in objects {
        match pieces.last_mut() {
            Some(piece) if piece.len() < PIECE => piece.push(object),
            _ => pieces.push(vec![object]),
        }
    }
    pieces.into_iter().map(Arc::new).collect()
}

fn index(run: &Run, kept: &std::collections::BTreeMap<&'static str, Kept>) -> Index {
    let mut index = Index::new();
    if let Some(words) = run.store.lacking("events") {
        index.events_missing(words);
    }
    if let Some(words) = run.store.lacking("pods") {
        index.pods_missing(words);
    }
    for object in kept.values().flat_map(|kept| &kept.objects) {
        if let Some(value) = parse(object) {
            index.observe(kind_of(&value), &value);
        }
    }
    index
}

/// One that panics costs its own description alone.
fn guarded(run: &Run, wanted: &Wanted, index: &Index, settings: &Settings) {
    let described = AssertUnwindSafe(|| one(run, wanted, index, settings));
    if let Err(payload) = catch_unwind(described) {
        let object = &wanted.object;
        let scope = if object.namespace.is_empty() { "_cluster" } else { &*object.namespace };
        let path = format!("{FOLDER}/{scope}/{}", object.name);
        let note = Some(Panicked::new(&*payload).to_string());
        run.sink.note(LedgerEntry { note, ..entry(&path, "descriptions", Outcome::Failed) });
    }
}

fn one(run: &Run, Wanted { object, name_taken }: &Wanted, index: &Index, settings: &Settings) {
    let Some(value) = parse(object) else { return };
    let kind = kind_of(&value);
    let rendered = describe::describe(kind, &value, index, settings);
    let namespace = (!object.namespace.is_empty()).then_some(&*object.namespace);
    let kind = kind.kind.to_ascii_lowercase();
    let scope = namespace.map(|ns| format!(" -n {ns}")).unwrap_or_default();
    let source = format!("kubectl describe{scope} {kind} {}", object.name);
    let path = match value["metadata"]["uid"].as_str().filter(|_| *name_taken) {
        Some(uid) => paths::describe(namespace, &kind, &paths::gone(&object.name, uid)),
        None => paths::describe(namespace, &kind, &object.name),
    };
    text::put(&run.sink, &run.masks, &path, &source, rendered.as_bytes());
}

/// Every stored object was written by this program a moment ago; a broken one would only lack its description.
fn parse(object: &Stored) -> Option<Value> {
    serde_json::from_slice(&object.json).ok()
}

fn kind_of(value: &Value) -> Kind<'_> {
    Kind {
        api_version: value["apiVersion"].as_str().unwrap_or_default(),
        kind: value["kind"].as_str().unwrap_or_default(),
    }
}
