//! The pod template of a workload.

use serde_json::Value;

use super::containers::{self, Containers};
use super::page::{Page, line};
use super::{Context, labels, volumes};
use crate::objects::Field;

pub(super) fn describe(page: &mut Page, template: &Value, cx: Context<'_>) {
    let (metadata, spec) = (&template["metadata"], &template["spec"]);
    line!(page, 0, "Pod Template:");
    if !template.is_object() {
        return line!(page, 1, "<unset>");
    }
    labels::labels(page, "  Labels", &metadata["labels"]);
    if !metadata["annotations"].entries().is_empty() {
        labels::annotations(page, "  Annotations", &metadata["annotations"]);
    }
    if let Some(account) = spec["serviceAccountName"].some_text() {
        line!(page, 1, "Service Account:\t{account}");
    }
    let of = |title, field: &str| Containers {
        title,
        indent: "  ",
        specs: spec[field].items(),
        statuses: &[],
        pod: None,
    };
    let init = of("Init Containers", "initContainers");
    if !init.specs.is_empty() {
        containers::describe(page, &init, cx);
    }
    containers::describe(page, &of("Containers", "containers"), cx);
    volumes::volumes(page, "  ", &spec["volumes"], cx);
    if cx.is_132() {
        labels::spread_constraints(page, "  ", &spec["topologySpreadConstraints"]);
    }
    if let Some(class) = spec["priorityClassName"].some_text() {
        line!(page, 1, "Priority Class Name:\t{class}");
    }
    if cx.is_132() {
        labels::labels(page, "  Node-Selectors", &spec["nodeSelector"]);
        labels::tolerations(page, "  ", &spec["tolerations"]);
    }
}
