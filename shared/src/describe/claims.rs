//! PersistentVolumeClaims.

use serde_json::Value;

use super::labels::sorted;
use super::page::{Page, line};
use super::{Context, events, labels};
use crate::objects::{Field, name, namespace};

/// Old claims name their class in this annotation.
const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

pub(super) fn describe(page: &mut Page, claim: &Value, cx: Context<'_>) {
    let (metadata, spec, status) = (&claim["metadata"], &claim["spec"], &claim["status"]);
    line!(page, 0, "Name:\t{}", name(claim));
    line!(page, 0, "Namespace:\t{}", namespace(claim));
    line!(page, 0, "StorageClass:\t{}", class(claim));
    line!(page, 0, "Status:\t{}", phase(claim, cx));
    line!(page, 0, "Volume:\t{}", spec["volumeName"].text());
    labels::labels(page, "Labels", &metadata["labels"]);
    labels::annotations(page, "Annotations", &metadata["annotations"]);
    line!(page, 0, "Finalizers:\t{}", brackets(&metadata["finalizers"]));
    // What is asked for says nothing about an unbound claim's size; kubectl leaves it out.
    let bound = spec["volumeName"].some_text().is_some();
    let capacity = if bound { capacity(&status["capacity"]) } else { String::new() };
    line!(page, 0, "Capacity:\t{capacity}");
    line!(
        page,
        0,
        "Access Modes:\t{}",
        if bound { access_modes(&status["accessModes"]) } else { String::new() }
    );
    mode_and_source(page, 0, spec);
    match &cx.index.pods.missing {
        Some(reason) => line!(page, 0, "Used By:\t<unknown: {reason}>"),
        None => page.entries(0, "", "Used By", &cx.index.pods.using_claim(namespace(claim), name(claim))),
    }
    conditions(page, &status["conditions"], cx);
    events::events(page, claim, "PersistentVolumeClaim", cx);
}

pub(super) fn phase(object: &Value, cx: Context<'_>) -> String {
    match &object["metadata"]["deletionTimestamp"] {
        Value::Null => object["status"]["phase"].text().to_owned(),
        time => format!("Terminating (lasts {})", cx.age(time)),
    }
}

/// The class of a claim or of a persistent volume.
pub(crate) fn class(object: &Value) -> &str {
    let old = &object["metadata"]["annotations"][CLASS_ANNOTATION];
    old.as_str().unwrap_or_else(|| object["spec"]["storageClassName"].text())
}

/// `[a b]`
pub(super) fn brackets(list: &Value) -> String {
    format!("[{}]", list.items().iter().map(Value::text).collect::<Vec<_>>().join(" "))
}

pub(crate) fn capacity(resources: &Value) -> String {
    resources["storage"].as_str().unwrap_or("0").to_owned()
}

/// `RWO,ROX`, each once and in this order.
pub(crate) fn access_modes(modes: &Value) -> String {
    const SHORT: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let has = |long: &str| modes.items().iter().any(|mode| mode == long);
    let short: Vec<&str> = SHORT.iter().filter(|(long, _)| has(long)).map(|(_, short)| *short).collect();
    short.join(",")
}

fn mode_and_source(page: &mut Page, level: usize, spec: &Value) {
    if let Some(mode) = spec["volumeMode"].as_str() {
        line!(page, level, "VolumeMode:\t{mode}");
    }
    if let source @ Value::Object(_) = &spec["dataSource"] {
        line!(page, level, "DataSource:");
        if let Some(group) = source["apiGroup"].as_str() {
            line!(page, level + 1, "APIGroup:\t{group}");
        }
        line!(page, level + 1, "Kind:\t{}", source["kind"].text());
        line!(page, level + 1, "Name:\t{}", source["name"].text());
    }
}

fn conditions(page: &mut Page, conditions: &Value, cx: Context<'_>) {
    if conditions.items().is_empty() {
        return;
    }
    line!(page, 0, "Conditions:");
    line!(page, 1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage");
    line!(page, 1, "----\t------\t-----------------\t------------------\t------\t-------");
    for condition in conditions.items() {
        let (kind, status) = (condition["type"].text(), condition["status"].text());
        let (probed, changed) =
            (cx.date(&condition["lastProbeTime"]), cx.date(&condition["lastTransitionTime"]));
        let (reason, message) = (condition["reason"].text(), condition["message"].text());
        line!(page, 1, "{kind} \t{status} \t{probed} \t{changed} \t{reason} \t{message}");
    }
}

/// The template of an ephemeral volume's claim, of which only the wishes are known.
///
/// kubectl indents labels and annotations once more than their titles.
pub(super) fn template_of_ephemeral(page: &mut Page, template: &Value) {
    line!(page, 2, "StorageClass:\t{}", class(template));
    line!(page, 2, "Volume:\t{}", template["spec"]["volumeName"].text());
    for (title, field, between) in [("Labels", "labels", "="), ("Annotations", "annotations", ": ")] {
        let entries = sorted(&template["metadata"][field]);
        let mut lines: Vec<String> =
            entries.into_iter().map(|(key, value)| format!("    {key}{between}{}", value.scalar())).collect();
        if lines.is_empty() {
            lines.push("    <none>".to_owned());
        }
        page.entries(2, "", title, &lines);
    }
    line!(page, 2, "Capacity:\t");
    line!(page, 2, "Access Modes:\t");
    mode_and_source(page, 2, &template["spec"]);
}

/// The claim templates of a stateful set.
pub(super) fn templates(page: &mut Page, templates: &Value) {
    if templates.items().is_empty() {
        return line!(page, 0, "Volume Claims:\t<none>");
    }
    line!(page, 0, "Volume Claims:");
    for template in templates.items() {
        line!(page, 1, "Name:\t{}", name(template));
        line!(page, 1, "StorageClass:\t{}", class(template));
        labels::labels_indented(page, "  ", "Labels", &template["metadata"]["labels"]);
        labels::labels_indented(page, "  ", "Annotations", &template["metadata"]["annotations"]);
        let wanted = template["spec"]["resources"]["requests"]["storage"].as_str();
        line!(page, 1, "Capacity:\t{}", wanted.unwrap_or("<default>"));
        line!(page, 1, "Access Modes:\t{}", brackets(&template["spec"]["accessModes"]));
    }
}
