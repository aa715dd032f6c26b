//! Events.

use serde_json::Value;

use super::Row;
use crate::objects::{Field, name};

/// The version in which the count of a series became the number of times.
const SERIES_AGREED: u32 = 26;

pub(super) fn event(row: &mut Row, event: &Value) {
    // Events of events.k8s.io name the same things otherwise.
    let either = |old: &str, new: &str| match event[old].clone() {
        Value::Null => event[new].clone(),
        value => value,
    };
    let about = either("involvedObject", "regarding");
    let first = match either("firstTimestamp", "deprecatedFirstTimestamp") {
        Value::Null => event["eventTime"].clone(),
        time => time,
    };
    let series = &event["series"];
    let mut last = match either("lastTimestamp", "deprecatedLastTimestamp") {
        Value::Null => first.clone(),
        time => time,
    };
    let mut count = either("count", "deprecatedCount").int();
    if series.is_object() {
        last = series["lastObservedTime"].clone();
        // Recorders began to count at the second time, until they and the servers agreed on 2 for it.
        count = series["count"].int().saturating_add(i64::from(row.minor() < SERIES_AGREED));
    } else if count == 0 {
        // One that was made in the newer API and has not come again.
        count = 1;
    }
    let kind = about["kind"].text().to_lowercase();
    let object = match about["name"].some_text() {
        Some(name) => format!("{kind}/{name}"),
        None => kind,
    };
    let (last, first) = (row.since(&last), row.since(&first));
    row.text("Last Seen", last);
    row.text("Type", event["type"].text());
    row.text("Reason", event["reason"].text());
    row.text("Object", object);
    row.wide("Subobject", about["fieldPath"].text());
    row.wide("Source", source(event, &either("source", "deprecatedSource")));
    row.text("Message", either("message", "note").text().trim());
    row.wide("First Seen", first);
    row.cell(|| super::Column::new("Count", "string", 1), count.into());
    row.cell(|| super::Column { priority: 1, ..super::Column::of_names() }, name(event).into());
}

fn source(event: &Value, source: &Value) -> String {
    let controller =
        event["reportingComponent"].some_text().or_else(|| event["reportingController"].some_text());
    let component = source["component"].some_text().or(controller).unwrap_or_default();
    match source["host"].some_text().or_else(|| event["reportingInstance"].some_text()) {
        Some(host) => format!("{component}, {host}"),
        None => component.to_owned(),
    }
}
