//! Rows: what an evidence finds. A line, an event, an object, or something derived from one.

mod containers;
mod excerpt;
mod subject;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::cel::{Converted, convert};
use super::past::Past;
use crate::report::model::Subject;
use crate::rules::source::Source;
use crate::snapshot::{FileId, Object, Snapshot};

pub use excerpt::shorten;
pub use subject::{kind_of, text_subject};

pub use super::state::named;

/// One row of an evidence.
#[derive(Debug)]
pub struct Row {
    /// The fields, as `where` and templates see them.
    pub value: Arc<Value>,
    pub place: Place,
    /// What it is about, where that can be told.
    pub subject: Option<Subject>,
    pub time: Option<Timestamp>,
    /// How many lines or events of the same shape it stands for.
    pub count: u64,
    /// Read from a table or from describe text: a field that is absent here may exist.
    pub partial: bool,
    /// A line of a text that nobody named, found by an evidence that looks into certain pods alone.
    pub unplaced: bool,
    /// What it tells is over, see [`super::past`].
    pub over: bool,
    converted: OnceLock<Converted>,
}

/// Where a row can be looked up.
#[derive(Debug, Clone)]
pub struct Place {
    pub file: FileId,
    /// First and last line, counted from 1.
    pub line: u32,
    pub end_line: u32,
    pub pointer: Option<String>,
    /// The line, or the telling fields of the object.
    pub excerpt: String,
}

impl Row {
    pub fn new(value: Arc<Value>, place: Place) -> Row {
        Row {
            value,
            place,
            subject: None,
            time: None,
            count: 1,
            partial: false,
            unplaced: false,
            over: false,
            converted: OnceLock::new(),
        }
    }

    /// The row as a value of conditions; converted when first asked for.
    pub fn converted(&self) -> &Converted {
        self.converted.get_or_init(|| convert(&self.value))
    }

    /// The same place and subject with more fields.
    pub fn with_fields(&self, fields: impl IntoIterator<Item = (String, Value)>) -> Row {
        let mut map = self.value.as_object().cloned().unwrap_or_default();
        map.extend(fields);
        Row {
            value: Arc::new(Value::Object(map)),
            place: self.place.clone(),
            subject: self.subject.clone(),
            time: self.time,
            count: self.count,
            partial: self.partial,
            unplaced: self.unplaced,
            over: self.over,
            converted: OnceLock::new(),
        }
    }

    /// Of a container: the row as it were if it had never run before.
    pub fn of_this_run(&self) -> Row {
        let mut row = self.with_fields([("restarts".to_owned(), json!(0))]);
        if let Some(fields) = Arc::get_mut(&mut row.value).and_then(Value::as_object_mut) {
            fields.remove("last");
        }
        row
    }
}

/// The rows of every source of objects that some rule looks at, made once for all rules.
#[derive(Debug, Default)]
pub struct Tables {
    by_source: BTreeMap<Source, Vec<Arc<Row>>>,
}

impl Tables {
    pub fn build<'r>(
        snapshot: &Snapshot,
        past: &Past<'_>,
        sources: impl IntoIterator<Item = &'r Source>,
    ) -> Tables {
        let mut by_source = BTreeMap::new();
        for source in sources {
            if !by_source.contains_key(source) {
                by_source.insert(
                    source.clone(),
                    rows_of(snapshot, past, source).into_iter().map(Arc::new).collect(),
                );
            }
        }
        Tables { by_source }
    }

    pub fn of(&self, source: &Source) -> &[Arc<Row>] {
        self.by_source.get(source).map_or(&[], Vec::as_slice)
    }
}

fn rows_of(snapshot: &Snapshot, past: &Past<'_>, source: &Source) -> Vec<Row> {
    match source {
        Source::Text(_) => Vec::new(),
        Source::Events => {
            let mut rows: Vec<Row> = snapshot.objects.of("events").iter().map(event_row).collect();
            rows.iter_mut().for_each(|row| row.over = past.event(row));
            rows
        }
        Source::Containers => snapshot.objects.of("pods").iter().flat_map(containers::rows).collect(),
        Source::Objects(plural) => {
            snapshot.objects.of(plural).iter().map(|object| object_row(plural, object)).collect()
        }
    }
}

fn place(object: &Object, excerpt: String) -> Place {
    let pointer = (!object.pointer.is_empty()).then(|| object.pointer.clone());
    Place { file: object.file, line: object.line, end_line: object.line, pointer, excerpt }
}

fn object_row(plural: &str, object: &Object) -> Row {
    let mut row = Row::new(Arc::clone(&object.value), place(object, excerpt::of_object(plural, object)));
    row.subject = subject::of_object(plural, object);
    row.partial = object.partial;
    row.time = match plural {
        "helm.releases" | "helm.revisions" => time_at(object, &["updated"]),
        "probes" => time_at(object, &["time"]),
        _ => None,
    };
    row
}

/// An event with the fields that text rows have (`text`, `namespace`, `pod`, `node`, `time`, `count`) besides its
/// own. Both of the API's shapes of events are understood.
fn event_row(object: &Object) -> Row {
    let text = object.str_at(&["message"]).or_else(|| object.str_at(&["note"])).unwrap_or_default();
    let about =
        |key: &str| object.str_at(&["involvedObject", key]).or_else(|| object.str_at(&["regarding", key]));
    let last = [
        &["lastTimestamp"][..],
        &["series", "lastObservedTime"],
        &["deprecatedLastTimestamp"],
        &["eventTime"],
    ]
    .into_iter()
    .find_map(|path| time_at(object, path))
    .or_else(|| time_at(object, &["metadata", "creationTimestamp"]));
    let first = [&["firstTimestamp"][..], &["deprecatedFirstTimestamp"], &["eventTime"]]
        .into_iter()
        .find_map(|path| time_at(object, path))
        .or(last);
    let count = ["count", "deprecatedCount"]
        .into_iter()
        .find_map(|key| object.value.get(key)?.as_u64())
        .or_else(|| object.value.get("series")?.get("count")?.as_u64())
        .unwrap_or(1);
    let node = object.str_at(&["source", "host"]).or_else(|| object.str_at(&["deprecatedSource", "host"]));

    let mut fields = object.value.as_object().cloned().unwrap_or_default();
    if fields.get("involvedObject").is_none_or(Value::is_null)
        && let Some(regarding) = fields.get("regarding")
    {
        fields.insert("involvedObject".into(), regarding.clone());
    }
    fields.insert("text".into(), json!(text));
    fields.insert("message".into(), json!(text));
    put(&mut fields, "namespace", about("namespace").or(object.namespace()));
    put(&mut fields, "node", node);
    if about("kind") == Some("Pod") {
        put(&mut fields, "pod", about("name"));
    }
    put(&mut fields, "container", about("fieldPath").and_then(subject::container_of_field));
    put(&mut fields, "time", first.map(|time| time.to_string()).as_deref());
    put(&mut fields, "last_time", last.map(|time| time.to_string()).as_deref());
    fields.insert("count".into(), json!(count));

    let mut row = Row::new(Arc::new(Value::Object(fields)), place(object, excerpt::of_event(object, text)));
    row.subject = subject::of_event(object, &about);
    row.time = last;
    row.count = count;
    row.partial = object.partial;
    row
}

fn put(fields: &mut Map<String, Value>, key: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        fields.insert(key.into(), json!(value));
    }
}

fn time_at(object: &Object, path: &[&str]) -> Option<Timestamp> {
    object.str_at(path)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        Object {
            value: Arc::new(value),
            file: FileId(0),
            line: 7,
            pointer: "/items/0".into(),
            partial: false,
        }
    }

    #[test]
    fn both_shapes_of_events_give_the_same_fields() {
        let old = object(json!({
            "involvedObject": {"kind": "Pod", "namespace": "a", "name": "web-0", "fieldPath": "spec.containers{nginx}"},
            "reason": "Failed", "message": "no such host", "count": 4, "type": "Warning",
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:05:00Z", "source": {"host": "n1"}
        }));
        let new = object(json!({
            "regarding": {"kind": "Pod", "namespace": "a", "name": "web-0", "fieldPath": "spec.containers{nginx}"},
            "reason": "Failed", "note": "no such host", "deprecatedCount": 4, "type": "Warning",
            "deprecatedFirstTimestamp": "2026-01-01T00:00:00Z", "deprecatedLastTimestamp": "2026-01-01T00:05:00Z",
            "deprecatedSource": {"host": "n1"}
        }));
        for event in [old, new] {
            let row = event_row(&event);
            for (key, expected) in
                [("text", "no such host"), ("pod", "web-0"), ("container", "nginx"), ("node", "n1")]
            {
                assert_eq!(row.value[key], expected, "{key}");
            }
            assert_eq!(row.value["involvedObject"]["name"], "web-0");
            assert_eq!(row.value["last_time"], "2026-01-01T00:05:00Z");
            assert_eq!(row.count, 4);
            let subject = row.subject.unwrap();
            assert_eq!((subject.kind.as_str(), subject.container.as_deref()), ("Pod", Some("nginx")));
        }
    }
}
