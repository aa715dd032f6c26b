//! Persistent volumes, storage classes, config maps and secrets.

use serde_json::Value;

use super::claims::{access_modes, brackets, capacity, class, phase};
use super::labels::sorted;
use super::page::{Page, line};
use super::{Context, containers, events, labels, volumes};
use crate::objects::{Field, name, namespace};

pub(super) fn describe_volume(page: &mut Page, volume: &Value, cx: Context<'_>) {
    let (metadata, spec) = (&volume["metadata"], &volume["spec"]);
    line!(page, 0, "Name:\t{}", name(volume));
    labels::labels(page, "Labels", &metadata["labels"]);
    labels::annotations(page, "Annotations", &metadata["annotations"]);
    line!(page, 0, "Finalizers:\t{}", brackets(&metadata["finalizers"]));
    line!(page, 0, "StorageClass:\t{}", class(volume));
    line!(page, 0, "Status:\t{}", phase(volume, cx));
    match &spec["claimRef"] {
        Value::Null => line!(page, 0, "Claim:\t"),
        claim => line!(page, 0, "Claim:\t{}/{}", claim["namespace"].text(), claim["name"].text()),
    }
    line!(page, 0, "Reclaim Policy:\t{}", spec["persistentVolumeReclaimPolicy"].text());
    line!(page, 0, "Access Modes:\t{}", access_modes(&spec["accessModes"]));
    if let Some(mode) = spec["volumeMode"].as_str() {
        line!(page, 0, "VolumeMode:\t{mode}");
    }
    line!(page, 0, "Capacity:\t{}", capacity(&spec["capacity"]));
    node_affinity(page, &spec["nodeAffinity"]["required"]);
    line!(page, 0, "Message:\t{}", volume["status"]["message"].text());
    line!(page, 0, "Source:");
    volumes::persistent_source(page, spec);
    events::events(page, volume, "PersistentVolume", cx);
}

fn node_affinity(page: &mut Page, required: &Value) {
    if !required.is_object() {
        return line!(page, 0, "Node Affinity:\t<none>");
    }
    line!(page, 0, "Node Affinity:\t");
    let terms = required["nodeSelectorTerms"].items();
    line!(page, 1, "Required Terms:\t{}", if terms.is_empty() { "<none>" } else { "" });
    for (number, term) in terms.iter().enumerate() {
        let words = |term: &Value| requirement(&term["key"], &term["operator"], &term["values"]);
        let lines: Vec<String> = term["matchExpressions"].items().iter().map(words).collect();
        page.entries(2, "", &format!("Term {number}"), &lines);
    }
}

/// `zone notin [a, b]`
fn requirement(key: &Value, operator: &Value, values: &Value) -> String {
    let text = format!("{} {}", key.text(), operator.text().to_lowercase());
    let values: Vec<&str> = values.items().iter().map(Value::text).collect();
    if values.is_empty() { text } else { format!("{text} [{}]", values.join(", ")) }
}

pub(super) fn describe_class(page: &mut Page, class: &Value, cx: Context<'_>) {
    let annotations = &class["metadata"]["annotations"];
    line!(page, 0, "Name:\t{}", name(class));
    let default =
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
            .iter()
            .any(|annotation| annotations[annotation] == "true");
    line!(page, 0, "IsDefaultClass:\t{}", if default { "Yes" } else { "No" });
    line!(page, 0, "Annotations:\t{}", labels::joined(annotations));
    line!(page, 0, "Provisioner:\t{}", class["provisioner"].text());
    line!(page, 0, "Parameters:\t{}", labels::joined(&class["parameters"]));
    let expansion = class["allowVolumeExpansion"].as_bool().map_or("<unset>", containers::capital);
    line!(page, 0, "AllowVolumeExpansion:\t{expansion}");
    let options = class["mountOptions"].items();
    line!(page, 0, "MountOptions:{}", if options.is_empty() { "\t<none>" } else { "" });
    for option in options {
        line!(page, 1, "{}", option.text());
    }
    for (title, field) in [("ReclaimPolicy", "reclaimPolicy"), ("VolumeBindingMode", "volumeBindingMode")] {
        if let Some(text) = class[field].as_str() {
            line!(page, 0, "{title}:\t{text}");
        }
    }
    if let topologies @ Value::Array(_) = &class["allowedTopologies"] {
        allowed_topologies(page, topologies);
    }
    events::events(page, class, "StorageClass", cx);
}

fn allowed_topologies(page: &mut Page, topologies: &Value) {
    let none = topologies.items().is_empty();
    line!(page, 0, "AllowedTopologies:\t{}", if none { "<none>" } else { "" });
    for (number, term) in topologies.items().iter().enumerate() {
        let words = |term: &Value| requirement(&term["key"], &"in".into(), &term["values"]);
        let lines: Vec<String> = term["matchLabelExpressions"].items().iter().map(words).collect();
        page.entries(1, "", &format!("Term {number}"), &lines);
    }
}

pub(super) fn describe_config_map(page: &mut Page, map: &Value, cx: Context<'_>) {
    heading(page, map);
    line!(page, 0, "\nData\n====");
    for (key, value) in sorted(&map["data"]) {
        line!(page, 0, "{key}:\n----\n{}", value.text());
        if cx.is_132() {
            line!(page, 0, "");
        }
    }
    if cx.is_132() {
        line!(page, 0, "\nBinaryData\n====");
        for (key, value) in sorted(&map["binaryData"]) {
            line!(page, 0, "{key}: {} bytes", decoded_length(value));
        }
        line!(page, 0, "");
    }
    events::events(page, map, "ConfigMap", cx);
}

/// A Secret without its values: their sizes only, as kubectl has it. The token of a ServiceAccount, which kubectl
/// prints, is no exception here.
pub(super) fn describe_secret(page: &mut Page, secret: &Value) {
    heading(page, secret);
    line!(page, 0, "\nType:\t{}", secret["type"].text());
    line!(page, 0, "\nData\n====");
    for (key, value) in sorted(&secret["data"]) {
        line!(page, 0, "{key}:\t{} bytes", decoded_length(value));
    }
}

fn heading(page: &mut Page, object: &Value) {
    line!(page, 0, "Name:\t{}", name(object));
    line!(page, 0, "Namespace:\t{}", namespace(object));
    labels::labels(page, "Labels", &object["metadata"]["labels"]);
    labels::annotations(page, "Annotations", &object["metadata"]["annotations"]);
}

/// How many bytes a text in base64 stands for.
fn decoded_length(base64: &Value) -> usize {
    let text = base64.text();
    let padding = text.bytes().rev().take(2).filter(|byte| *byte == b'=').count();
    (text.len() / 4 * 3).saturating_sub(padding)
}
