//! ReplicaSets, and ReplicationControllers, which came before them.

use serde_json::Value;

use super::page::{Page, line, or_none};
use super::{Context, events, labels, template, workloads};
use crate::objects::{Field, controller_of, name, namespace};

pub(super) fn describe(page: &mut Page, set: &Value, kind: &str, cx: Context<'_>) {
    let (metadata, spec, status) = (&set["metadata"], &set["spec"], &set["status"]);
    line!(page, 0, "Name:\t{}", name(set));
    line!(page, 0, "Namespace:\t{}", namespace(set));
    // The selector of a ReplicationController is a plain map of labels.
    let selector = if kind == "ReplicaSet" {
        or_none(&labels::selector(&spec["selector"])).to_owned()
    } else {
        labels::joined(&spec["selector"])
    };
    line!(page, 0, "Selector:\t{selector}");
    labels::labels(page, "Labels", &metadata["labels"]);
    labels::annotations(page, "Annotations", &metadata["annotations"]);
    if let Some(owner) = controller_of(set) {
        line!(page, 0, "Controlled By:\t{}/{}", owner["kind"].text(), owner["name"].text());
    }
    let (current, desired) = (status["replicas"].int(), spec["replicas"].int());
    line!(page, 0, "Replicas:\t{current} current / {desired} desired");
    workloads::pods_status(page, set, cx);
    template::describe(page, &spec["template"], cx);
    labels::conditions(page, &status["conditions"]);
    events::events(page, set, kind, cx);
}
