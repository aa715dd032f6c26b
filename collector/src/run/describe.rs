//! The text of `kubectl describe` for whatever a person would describe, rendered from the lists that are there.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use shared::bundle::paths;
use shared::describe::{self, Form, Index, Kind, Settings};

use super::Run;
use super::tasks::each;
use crate::gather::store::{Kept, Stored};
use crate::gather::text;
use crate::messages::pick;

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
    let wanted: Vec<Stored> = kept
        .into_values()
        .filter(|kept| kept.described)
        .flat_map(|kept| kept.objects)
        .filter(|object| selection.wants_describe(&object.namespace, &object.name))
        .collect();
    let total = wanted.len();
    let pieces = pieces(wanted);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let work = |piece: Vec<Stored>| {
        let (run, index, settings) = (run.clone(), index.clone(), settings.clone());
        async move {
            let count = piece.len();
            for object in piece.iter().take_while(|_| run.stop.reason().is_none()) {
                one(&run, object, &index, &settings);
            }
            count
        }
    };
    let step = pick(run.options.lang, "生成 describe 文本", "describing");
    let mut done = 0;
    each(pieces, workers, work, |count: usize| {
        done += count;
        run.progress.step(step, &format!("{done}/{total}"));
    })
    .await;
}

/// Moved, not cloned: together these are the largest thing that a run holds.
fn pieces(objects: Vec<Stored>) -> Vec<Vec<Stored>> {
    let mut pieces: Vec<Vec<Stored>> = Vec::new();
    for object in objects {
        match pieces.last_mut() {
            Some(piece) if piece.len() < PIECE => piece.push(object),
            _ => pieces.push(vec![object]),
        }
    }
    pieces
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

fn one(run: &Run, object: &Stored, index: &Index, settings: &Settings) {
    let Some(value) = parse(object) else { return };
    let kind = kind_of(&value);
    let rendered = describe::describe(kind, &value, index, settings);
    let namespace = (!object.namespace.is_empty()).then_some(&*object.namespace);
    let kind = kind.kind.to_ascii_lowercase();
    let scope = namespace.map(|ns| format!(" -n {ns}")).unwrap_or_default();
    let source = format!("kubectl describe{scope} {kind} {}", object.name);
    let path = paths::describe(namespace, &kind, &object.name);
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
