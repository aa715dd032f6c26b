//! Any kind without a describer of its own: the object field by field, as kubectl prints custom resources.

use serde_json::Value;

use super::labels::sorted;
use super::page::{Page, line};
use super::{Context, Kind, events, labels};
use crate::objects::{name, namespace};

/// Fields that are printed above, or never.
const SKIPPED: [&str; 5] = [
    ".metadata.managedFields",
    ".metadata.name",
    ".metadata.namespace",
    ".metadata.labels",
    ".metadata.annotations",
];

pub(super) fn describe(page: &mut Page, kind: Kind<'_>, object: &Value, cx: Context<'_>) {
    line!(page, 0, "Name:\t{}", name(object));
    line!(page, 0, "Namespace:\t{}", namespace(object));
    labels::labels(page, "Labels", &object["metadata"]["labels"]);
    labels::annotations(page, "Annotations", &object["metadata"]["annotations"]);
    // Items of a list do not carry these two.
    let mut whole = object.clone();
    if let Value::Object(fields) = &mut whole {
        fields.entry("apiVersion").or_insert_with(|| kind.api_version.into());
        fields.entry("kind").or_insert_with(|| kind.kind.into());
    }
    fields(page, 0, &whole, "");
    events::events(page, object, kind.kind, cx);
}

fn fields(page: &mut Page, level: usize, object: &Value, above: &str) {
    for (field, value) in sorted(object) {
        let path = format!("{above}.{field}");
        if SKIPPED.contains(&path.as_str()) {
            continue;
        }
        let title = title(field);
        match value {
            Value::Object(_) => {
                line!(page, level, "{title}:");
                fields(page, level + 1, value, &path);
            }
            Value::Array(elements) => {
                line!(page, level, "{title}:");
                for element in elements {
                    match element {
                        Value::Object(_) => fields(page, level + 1, element, &path),
                        other => line!(page, level + 1, "{}", go_value(other)),
                    }
                }
            }
            other => line!(page, level, "{title}:\t{}", go_value(other)),
        }
    }
}

/// A value as Go's `%v` prints it.
fn go_value(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(go_value).collect::<Vec<_>>().join(" "))
        }
        Value::Object(_) => {
            let entries = sorted(value).into_iter().map(|(key, value)| format!("{key}:{}", go_value(value)));
            format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
        }
    }
}

/// `creationTimestamp` as `Creation Timestamp`; names that hold more than letters stay as they are.
fn title(field: &str) -> String {
    const ACRONYMS: [&str; 5] = ["API", "URL", "UID", "OSB", "GUID"];
    if field.chars().any(|c| !c.is_alphabetic() && c != '-') {
        return field.to_owned();
    }
    let word = |word: String| {
        let upper = word.to_uppercase();
        if ACRONYMS.contains(&upper.as_str()) {
            return upper;
        }
        let mut chars = word.chars();
        chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
    };
    words(field).into_iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Splits at the humps: `podCIDRs` into `pod`, `CID`, `Rs`; `HTTPServer` into `HTTP`, `Server`.
fn words(field: &str) -> Vec<String> {
    #[derive(PartialEq, Clone, Copy)]
    enum Class {
        Lower,
        Upper,
        Other,
    }
    let class = |c: char| match c {
        c if c.is_lowercase() => Class::Lower,
        c if c.is_uppercase() => Class::Upper,
        _ => Class::Other,
    };
    let mut runs: Vec<(Class, String)> = Vec::new();
    for c in field.chars() {
        match runs.last_mut() {
            Some((last, run)) if *last == class(c) => run.push(c),
            _ => runs.push((class(c), c.to_string())),
        }
    }
    // The last capital of a run begins the word that follows.
    for at in 1..runs.len() {
        if runs[at - 1].0 == Class::Upper
            && runs[at].0 == Class::Lower
            && let Some(capital) = runs[at - 1].1.pop()
        {
            runs[at].1.insert(0, capital);
        }
    }
    runs.into_iter().map(|(_, run)| run).filter(|run| !run.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_split_at_the_humps() {
        assert_eq!(title("creationTimestamp"), "Creation Timestamp");
        assert_eq!(title("apiVersion"), "API Version");
        assert_eq!(title("uid"), "UID");
        assert_eq!(title("HTTPServer"), "HTTP Server");
        assert_eq!(title("podCIDRs"), "Pod CID Rs");
        assert_eq!(title("a.b/c"), "a.b/c");
        assert_eq!(title("with-dash"), "With - Dash");
    }
}
