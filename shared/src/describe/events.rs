//! Events: kept by the object they are about, printed as the last lines of its description.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use super::Context;
use super::page::{Page, line};
use crate::objects::{Field, name, namespace};

/// What is printed of an event, and what decides whether it belongs to an object.
struct Event {
    about_kind: String,
    about_uid: String,
    kind: String,
    reason: String,
    message: String,
    source: String,
    count: i64,
    first: Value,
    last: Value,
    /// When the event was made in the newer API, which has no `firstTimestamp`.
    time: Value,
    series: Option<(i64, Value)>,
}

/// Events by the namespace and name of the object they are about, in the order in which the server lists them.
#[derive(Default)]
pub(super) struct Events {
    about: HashMap<(String, String), Vec<Event>>,
    /// Why there are none, when they could not be collected.
    pub(super) missing: Option<String>,
}

/// Which events belong to an object. `None` where kubectl does not ask.
struct Search<'a> {
    kind: Option<&'a str>,
    uids: Vec<&'a str>,
}

impl Events {
    /// Takes an Event of `v1` or of `events.k8s.io`.
    pub(super) fn observe(&mut self, event: &Value) {
        let either = |old: &str, new: &str| match &event[old] {
            Value::Null => event[new].clone(),
            value => value.clone(),
        };
        let about = either("involvedObject", "regarding");
        let series = &event["series"];
        let source = match either("source", "deprecatedSource")["component"].some_text() {
            Some(component) => component.to_owned(),
            None => either("reportingComponent", "reportingController").text().to_owned(),
        };
        let kept = Event {
            about_kind: about["kind"].text().to_owned(),
            about_uid: about["uid"].text().to_owned(),
            kind: event["type"].text().to_owned(),
            reason: event["reason"].text().to_owned(),
            message: either("message", "note").text().trim().to_owned(),
            source,
            count: either("count", "deprecatedCount").int(),
            first: either("firstTimestamp", "deprecatedFirstTimestamp"),
            last: either("lastTimestamp", "deprecatedLastTimestamp"),
            time: event["eventTime"].clone(),
            series: series.is_object().then(|| (series["count"].int(), series["lastObservedTime"].clone())),
        };
        let key = (about["namespace"].text().to_owned(), about["name"].text().to_owned());
        self.about.entry(key).or_default().push(kept);
    }

    fn of(&self, object: &Value, search: &Search<'_>) -> Vec<&Event> {
        let key = (namespace(object).to_owned(), name(object).to_owned());
        let mut found = Vec::new();
        for uid in &search.uids {
            let events = self.about.get(&key).into_iter().flatten();
            found.extend(events.filter(|event| {
                (uid.is_empty() || event.about_uid == **uid)
                    && search.kind.is_none_or(|kind| event.about_kind == kind)
            }));
        }
        found
    }
}

/// Prints the events about `object`, which is of `kind`.
pub(super) fn events(page: &mut Page, object: &Value, kind: &str, cx: Context<'_>) {
    let uid = object["metadata"]["uid"].text();
    print(page, object, &Search { kind: Some(kind), uids: vec![uid] }, cx);
}

/// Prints the events about a pod. The kubelet reports on a static pod by the hash that its mirror carries.
pub(super) fn pod_events(page: &mut Page, pod: &Value, cx: Context<'_>) {
    let mirror = &pod["metadata"]["annotations"]["kubernetes.io/config.mirror"];
    let uid = mirror.some_text().unwrap_or_else(|| pod["metadata"]["uid"].text());
    print(page, pod, &Search { kind: None, uids: vec![uid] }, cx);
}

/// Prints the events about a node. Kubelets report with the node's name in place of its UID.
pub(super) fn node_events(page: &mut Page, node: &Value, cx: Context<'_>) {
    let by_name = name(node);
    let uids = if cx.is_132() { vec![node["metadata"]["uid"].text(), by_name] } else { vec![by_name] };
    print(page, node, &Search { kind: Some("Node"), uids }, cx);
}

fn print(page: &mut Page, object: &Value, search: &Search<'_>, cx: Context<'_>) {
    if let Some(reason) = &cx.index.events.missing {
        return line!(page, 0, "Events:\t<unknown: {reason}>");
    }
    let mut events = cx.index.events.of(object, search);
    if events.is_empty() {
        return line!(page, 0, "Events:\t<none>");
    }
    events.sort_by_key(|event| event.last.as_str().and_then(|time| time.parse::<Timestamp>().ok()));
    line!(page, 0, "Events:");
    line!(page, 1, "Type\tReason\tAge\tFrom\tMessage");
    line!(page, 1, "----\t------\t----\t----\t-------");
    for event in events {
        let Event { kind, reason, source, message, .. } = event;
        line!(page, 1, "{kind}\t{reason}\t{}\t{source}\t{message}", interval(event, cx));
    }
}

fn interval(event: &Event, cx: Context<'_>) -> String {
    let made = match (&event.first, &event.time) {
        (first, Value::Null) => first,
        (Value::Null, time) => time,
        (first, time) => {
            if cx.is_132() {
                time
            } else {
                first
            }
        }
    };
    let first = cx.age(made);
    match &event.series {
        Some((count, last)) if cx.is_132() => format!("{} (x{count} over {first})", cx.age(last)),
        _ if event.count > 1 => format!("{} (x{} over {first})", cx.age(&event.last), event.count),
        _ => first,
    }
}
