//! Labels, annotations, selectors, taints and tolerations.

use serde_json::Value;

use super::page::{Page, line};
use crate::objects::Field;

/// Annotations longer than this (with their key) get lines of their own, which are cut here.
const MAX_ANNOTATION: usize = 140;
/// Holds the whole object once more; kubectl never shows it.
const SKIPPED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The entries of a map, sorted by key.
pub(crate) fn sorted(map: &Value) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = map.entries().iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries
}

fn pairs(map: &Value) -> Vec<String> {
    sorted(map).into_iter().map(|(key, value)| format!("{key}={}", value.scalar())).collect()
}

/// `a=1,b=2` or `<none>`.
pub(crate) fn joined(map: &Value) -> String {
    let pairs = pairs(map);
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

pub(super) fn labels(page: &mut Page, title: &str, labels: &Value) {
    labels_indented(page, "", title, labels);
}

pub(super) fn labels_indented(page: &mut Page, indent: &str, title: &str, labels: &Value) {
    page.entries(0, indent, title, &pairs(labels));
}

pub(super) fn annotations(page: &mut Page, title: &str, annotations: &Value) {
    let mut lines = Vec::new();
    for (key, value) in sorted(annotations) {
        if key == SKIPPED {
            continue;
        }
        let value = value.scalar();
        let value = value.strip_suffix('\n').unwrap_or(&value);
        if value.len() + key.len() + 2 > MAX_ANNOTATION || value.contains('\n') {
            lines.push(format!("{key}:"));
            lines.extend(value.split('\n').map(|line| format!("  {}", shorten(line, MAX_ANNOTATION - 2))));
        } else {
            lines.push(format!("{key}: {value}"));
        }
    }
    page.entries(0, "", title, &lines);
}

/// Cuts at `max` bytes (at the character before, where kubectl would cut through it).
pub(super) fn shorten(text: &str, max: usize) -> String {
    if text.len() > max { format!("{}...", &text[..text.floor_char_boundary(max)]) } else { text.to_owned() }
}

/// A `LabelSelector` in the notation of `kubectl -l`, sorted by key; empty for one that selects nothing or all.
pub(crate) fn selector(selector: &Value) -> String {
    let mut terms: Vec<(&str, String)> = sorted(&selector["matchLabels"])
        .into_iter()
        .map(|(key, value)| (key.as_str(), format!("{key}={}", value.text())))
        .collect();
    for expression in selector["matchExpressions"].items() {
        let key = expression["key"].text();
        let mut values: Vec<&str> = expression["values"].items().iter().map(Value::text).collect();
        values.sort_unstable();
        let values = values.join(",");
        let term = match expression["operator"].text() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        };
        terms.push((key, term));
    }
    terms.sort_by_key(|(key, _)| *key);
    terms.into_iter().map(|(_, term)| term).collect::<Vec<_>>().join(",")
}

pub(super) fn taints(page: &mut Page, taints: &Value) {
    let mut taints: Vec<&Value> = taints.items().iter().collect();
    taints.sort_by_key(|taint| format!("{},{}", taint["effect"].text(), taint["key"].text()));
    let texts: Vec<String> = taints.into_iter().map(taint).collect();
    page.entries(0, "", "Taints", &texts);
}

fn taint(taint: &Value) -> String {
    let (key, value, effect) = (taint["key"].text(), taint["value"].text(), taint["effect"].text());
    match (value, effect) {
        ("", "") => key.to_owned(),
        ("", effect) => format!("{key}:{effect}"),
        (value, "") => format!("{key}={value}:"),
        (value, effect) => format!("{key}={value}:{effect}"),
    }
}

pub(super) fn tolerations(page: &mut Page, indent: &str, tolerations: &Value) {
    let mut tolerations: Vec<&Value> = tolerations.items().iter().collect();
    tolerations.sort_by_key(|toleration| toleration["key"].text());
    let texts: Vec<String> = tolerations.into_iter().map(toleration).collect();
    page.entries(0, indent, "Tolerations", &texts);
}

fn toleration(toleration: &Value) -> String {
    let (key, effect) = (toleration["key"].text(), toleration["effect"].text());
    let mut text = key.to_owned();
    if let Some(value) = toleration["value"].some_text() {
        text += &format!("={value}");
    }
    if !effect.is_empty() {
        text += &format!(":{effect}");
    }
    if toleration["operator"] == "Exists" && toleration["value"].text().is_empty() {
        text += if text.is_empty() { "op=Exists" } else { " op=Exists" };
    }
    if let Some(seconds) = toleration["tolerationSeconds"].as_i64() {
        text += &format!(" for {seconds}s");
    }
    text
}

/// Topology spread constraints of a pod or a template; nothing when there are none.
pub(super) fn spread_constraints(page: &mut Page, indent: &str, constraints: &Value) {
    let mut constraints: Vec<&Value> = constraints.items().iter().collect();
    constraints.sort_by_key(|constraint| constraint["topologyKey"].text());
    let texts: Vec<String> = constraints.into_iter().map(spread_constraint).collect();
    if !texts.is_empty() {
        page.entries(0, indent, "Topology Spread Constraints", &texts);
    }
}

fn spread_constraint(constraint: &Value) -> String {
    let (key, otherwise) = (constraint["topologyKey"].text(), constraint["whenUnsatisfiable"].text());
    let text = format!("{key}:{otherwise} when max skew {} is exceeded", constraint["maxSkew"].int());
    match &constraint["labelSelector"] {
        Value::Null => text,
        labels => {
            let selector = selector(labels);
            format!("{text} for selector {}", super::page::or_none(&selector))
        }
    }
}

/// The conditions of a workload: type, status and reason.
pub(super) fn conditions(page: &mut Page, conditions: &Value) {
    if conditions.items().is_empty() {
        return;
    }
    line!(page, 0, "Conditions:");
    line!(page, 1, "Type\tStatus\tReason");
    line!(page, 1, "----\t------\t------");
    for condition in conditions.items() {
        let (kind, status) = (condition["type"].text(), condition["status"].text());
        line!(page, 1, "{kind} \t{status}\t{}", condition["reason"].text());
    }
}
