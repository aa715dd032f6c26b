//! One line that shows a reader what a row says, without opening the file.

use serde_json::Value;

use crate::matching::path::{Path, scalar};
use crate::snapshot::Object;

/// Characters of an excerpt.
const LONGEST: usize = 400;

/// Fields that tell most about an object, by its plural.
const TELLING: &[(&str, &[&str])] = &[
    ("pods", &["status.phase", "status.reason", "status.message", "spec.nodeName"]),
    (
        "nodes",
        &["spec.unschedulable", "status.nodeInfo.kubeletVersion", "status.nodeInfo.containerRuntimeVersion"],
    ),
    (
        "persistentvolumeclaims",
        &["status.phase", "spec.storageClassName", "spec.resources.requests.storage", "spec.volumeName"],
    ),
    (
        "persistentvolumes",
        &[
            "status.phase",
            "spec.storageClassName",
            "spec.capacity.storage",
            "spec.claimRef.namespace",
            "spec.claimRef.name",
        ],
    ),
    ("storageclasses", &["provisioner", "volumeBindingMode"]),
    ("services", &["spec.type", "spec.clusterIP"]),
    ("deployments", &["spec.replicas", "status.readyReplicas"]),
    ("statefulsets", &["spec.replicas", "status.readyReplicas"]),
    ("daemonsets", &["status.desiredNumberScheduled", "status.numberReady"]),
    ("jobs", &["status.succeeded", "status.failed", "status.active"]),
    ("namespaces", &["status.phase"]),
    ("helm.releases", &["revision", "status", "chart", "updated", "description"]),
    ("helm.revisions", &["revision", "status", "chart", "updated", "description"]),
];

pub(super) fn of_object(plural: &str, object: &Object) -> String {
    let name = match (object.namespace(), object.name()) {
        (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
        (None, Some(name)) => name.to_owned(),
        _ => String::new(),
    };
    let mut text = format!("{plural} {name}").trim_end().to_owned();
    let telling = TELLING.iter().find(|(known, _)| *known == plural).map_or(&[][..], |(_, fields)| fields);
    for field in telling {
        append(&mut text, field, &object.value);
    }
    if plural == "nodes" {
        conditions(&mut text, &object.value);
    }
    if telling.is_empty() {
        // Nothing is known of the kind: its plain fields.
        for (key, value) in object.value.as_object().into_iter().flatten().take(40) {
            if let Some(value) = scalar(value)
                .filter(|_| !matches!(key.as_str(), "kind" | "apiVersion" | "name" | "namespace"))
            {
                text.push_str(&format!(" {key}={value}"));
            }
        }
    }
    shorten(&text)
}

/// `name=value` for a field that is there; the last step of the path is the name.
pub(super) fn append(text: &mut String, field: &str, value: &Value) {
    let found = Path::parse(field).ok().and_then(|path| path.text(value));
    if let Some(found) = found.filter(|found| !found.is_empty()) {
        let name = field.rsplit('.').next().unwrap_or(field);
        text.push_str(&format!(" {name}={found}"));
    }
}

/// The conditions of a node that are not as they should be, and whether it is ready.
fn conditions(text: &mut String, node: &Value) {
    let all = node.pointer("/status/conditions").and_then(Value::as_array);
    for condition in all.into_iter().flatten() {
        let field = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
        let (kind, status) = (field("type"), field("status"));
        if kind == "Ready" || status != "False" {
            text.push_str(&format!(" {kind}={status}"));
            if kind != "Ready" || status != "True" {
                text.push_str(&format!(" ({}: {})", field("reason"), field("message")));
            }
        }
    }
}

pub(super) fn of_event(object: &Object, message: &str) -> String {
    let reason = object.str_at(&["reason"]).unwrap_or_default();
    let kind = object.str_at(&["type"]).unwrap_or_default();
    shorten(&format!("{kind} {reason} {message}"))
}

/// One line of bounded length: what follows is cut off with `…`.
pub fn shorten(text: &str) -> String {
    let mut line: String =
        text.trim().chars().take(LONGEST).map(|c| if c == '\n' { '⏎' } else { c }).collect();
    if text.trim().chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}
