//! The collection `containers`: one row a container of a pod, its specification and its state in one place.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Row, place, put, subject};
use crate::matching::row::excerpt;
use crate::report::model::Subject;
use crate::snapshot::Object;

/// (key in the specification, key in the status, what `type` says)
const KINDS: &[(&str, &str, &str)] = &[
    ("initContainers", "initContainerStatuses", "init"),
    ("containers", "containerStatuses", "regular"),
    ("ephemeralContainers", "ephemeralContainerStatuses", "ephemeral"),
];

pub(super) fn rows(pod: &Object) -> Vec<Row> {
    let mut rows = Vec::new();
    for (spec_key, status_key, kind) in KINDS {
        let specs = list(&pod.value, "spec", spec_key);
        let statuses = list(&pod.value, "status", status_key);
        let by_name =
            |name: &str| statuses.iter().position(|s| s.get("name").and_then(Value::as_str) == Some(name));
        for (index, spec) in specs.iter().enumerate() {
            let status_at = spec.get("name").and_then(Value::as_str).and_then(by_name);
            let pointer = match status_at {
                Some(at) => format!("{}/status/{status_key}/{at}", pod.pointer),
                None => format!("{}/spec/{spec_key}/{index}", pod.pointer),
            };
            rows.push(row(pod, kind, spec, status_at.map(|at| &statuses[at]), pointer));
        }
        if specs.is_empty() {
            // A cut or foreign object may have the status alone.
            for (at, status) in statuses.iter().enumerate() {
                rows.push(row(
                    pod,
                    kind,
                    status,
                    Some(status),
                    format!("{}/status/{status_key}/{at}", pod.pointer),
                ));
            }
        }
    }
    rows
}

fn list<'v>(pod: &'v Value, part: &str, key: &str) -> &'v [Value] {
    pod.get(part).and_then(|part| part.get(key)).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn row(pod: &Object, kind: &str, spec: &Value, status: Option<&Value>, pointer: String) -> Row {
    let mut fields = Map::new();
    let name = spec.get("name").and_then(Value::as_str).unwrap_or_default();
    put(&mut fields, "namespace", pod.namespace());
    put(&mut fields, "pod", pod.name());
    put(&mut fields, "name", Some(name));
    put(&mut fields, "type", Some(kind));
    put(&mut fields, "image", spec.get("image").and_then(Value::as_str));
    put(&mut fields, "node", pod.str_at(&["spec", "nodeName"]));
    put(&mut fields, "phase", pod.str_at(&["status", "phase"]));
    put(&mut fields, "pod_ip", pod.str_at(&["status", "podIP"]));
    let resources = spec.get("resources");
    for key in ["limits", "requests"] {
        fields.insert(key.into(), resources.and_then(|r| r.get(key)).cloned().unwrap_or_else(|| json!({})));
    }
    fields
        .insert("labels".into(), pod.value.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({})));
    if let Some(status) = status {
        put(&mut fields, "image_id", status.get("imageID").and_then(Value::as_str));
        fields.insert("ready".into(), json!(status.get("ready").and_then(Value::as_bool).unwrap_or(false)));
        fields.insert(
            "restarts".into(),
            json!(status.get("restartCount").and_then(Value::as_i64).unwrap_or(0)),
        );
        if let Some(state) = status.get("state") {
            add_state(&mut fields, state);
        }
        if let Some(last) = status.get("lastState") {
            let mut before = Map::new();
            add_state(&mut before, last);
            if !before.is_empty() {
                fields.insert("last".into(), Value::Object(before));
            }
        }
    }
    let excerpt = excerpt_of(&fields);
    let mut row_place = place(pod, excerpt);
    row_place.pointer = (!pod.pointer.is_empty()).then_some(pointer);
    let mut row = Row::new(Arc::new(Value::Object(fields)), row_place);
    row.partial = pod.partial;
    row.subject =
        subject::of_object("pods", pod).map(|pod| Subject { container: Some(name.to_owned()), ..pod });
    row
}

/// `{"waiting": {"reason": …}}` as `state`, `reason`, `message`, `exit_code`, `started_at`, `finished_at`.
fn add_state(fields: &mut Map<String, Value>, state: &Value) {
    let Some((kind, details)) =
        ["waiting", "running", "terminated"].into_iter().find_map(|kind| Some((kind, state.get(kind)?)))
    else {
        return;
    };
    put(fields, "state", Some(kind));
    for (key, ours) in [
        ("reason", "reason"),
        ("message", "message"),
        ("startedAt", "started_at"),
        ("finishedAt", "finished_at"),
    ] {
        put(fields, ours, details.get(key).and_then(Value::as_str));
    }
    for (key, ours) in [("exitCode", "exit_code"), ("signal", "signal")] {
        if let Some(value) = details.get(key).filter(|value| value.is_number()) {
            fields.insert(ours.into(), value.clone());
        }
    }
}

fn excerpt_of(fields: &Map<String, Value>) -> String {
    let value = Value::Object(fields.clone());
    let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut line = format!("container {}/{} {}", text("namespace"), text("pod"), text("name"));
    for field in ["state", "reason", "exit_code", "restarts", "message", "last.reason", "last.exit_code"] {
        let found = crate::matching::path::Path::parse(field).ok().and_then(|path| path.text(&value));
        if let Some(found) = found {
            line.push_str(&format!(" {field}={found}"));
        }
    }
    excerpt::shorten(&line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::FileId;

    #[test]
    fn specification_and_state_come_together() {
        let pod = Object {
            value: Arc::new(json!({
                "metadata": {"namespace": "a", "name": "web-0", "labels": {"app": "web"}},
                "spec": {"nodeName": "n1", "initContainers": [{"name": "wait", "image": "busybox"}],
                         "containers": [{"name": "nginx", "image": "nginx:1", "resources": {"limits": {"cpu": "1"}}}]},
                "status": {"phase": "Running", "containerStatuses": [{"name": "nginx", "ready": false, "restartCount": 5,
                    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
                    "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}
            })),
            file: FileId(0),
            line: 1,
            pointer: "/items/2".into(),
            partial: false,
        };
        let rows = rows(&pod);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].value["type"], "init");
        assert!(rows[0].value.get("state").is_none());
        let nginx = &rows[1];
        assert_eq!(nginx.value["state"], "waiting");
        assert_eq!(nginx.value["last"]["exit_code"], 137);
        assert_eq!(nginx.value["limits"]["cpu"], "1");
        assert_eq!(nginx.place.pointer.as_deref(), Some("/items/2/status/containerStatuses/0"));
        assert_eq!(nginx.subject.as_ref().unwrap().node.as_deref(), Some("n1"));
        assert!(
            nginx.place.excerpt.contains("reason=CrashLoopBackOff")
                && nginx.place.excerpt.contains("last.exit_code=137")
        );
    }
}
