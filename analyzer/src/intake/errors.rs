//! What troubleshoot.sh and insights say they could not collect, as ledger entries.

use serde_json::Value;
use shared::bundle::failure::Failure;
use shared::bundle::manifest::{LedgerEntry, Outcome};

/// Reads an errors file. `path` is its place: `cluster-resources/pods-errors.json` is about all pods, and where it
/// holds an object its keys are namespaces.
pub(super) fn read(path: &str, text: &str) -> Vec<LedgerEntry> {
    let about = subject(path);
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        // Errors of logs are plain text.
        return if text.trim().is_empty() { Vec::new() } else { vec![entry(about, path, text.trim())] };
    };
    match value {
        Value::Object(map) => match map.get("error").and_then(Value::as_str) {
            Some(error) => vec![entry(about, path, error)],
            // insights: the description of one command.
            None if map.get("errors").is_some_and(Value::is_array) => {
                let name = map.get("name").and_then(Value::as_str).unwrap_or(&about);
                let errors = map.get("errors").and_then(Value::as_array).into_iter().flatten();
                errors.filter_map(|error| Some(entry(name.to_owned(), path, &words(error)?))).collect()
            }
            None => map
                .iter()
                .filter_map(|(namespace, error)| {
                    Some(entry(format!("{about}/{namespace}.json"), path, &words(error)?))
                })
                .collect(),
        },
        Value::Array(all) => {
            all.iter().filter_map(|error| Some(entry(about.clone(), path, &words(error)?))).collect()
        }
        other => words(&other).map(|error| entry(about, path, &error)).into_iter().collect(),
    }
}

fn words(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(map) => {
            let what = map.get("error").or_else(|| map.get("reason")).and_then(words);
            match (map.get("collector").and_then(Value::as_str), what) {
                (Some(collector), Some(what)) => Some(format!("{collector}: {what}")),
                (_, what) => what.or_else(|| Some(value.to_string())),
            }
        }
        other => Some(other.to_string()),
    }
}

/// The path that the errors are about, as a ledger would name it.
fn subject(path: &str) -> String {
    if let Some(log) = path.strip_suffix("-logs-errors.log") {
        return format!("{log}.log");
    }
    let stem = ["-errors.json", "-error.json"].iter().find_map(|ending| path.strip_suffix(ending));
    match stem {
        Some(stem) => stem.to_owned(),
        None => path.strip_suffix("/errors.json").unwrap_or(path).to_owned(),
    }
}

fn entry(path: String, source: &str, error: &str) -> LedgerEntry {
    let lower = error.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    // Whoever is not known may be allowed everything: only "forbidden" is a missing right.
    let (outcome, failure) = if says(&["unauthorized", "must be logged in"]) {
        (Outcome::Failed, Some(Failure::Unauthorized))
    } else if says(&["forbidden"]) {
        (Outcome::Forbidden, Some(Failure::Forbidden))
    } else if says(&["timed out", "timeout", "deadline exceeded"]) {
        (Outcome::TimedOut, Some(Failure::Timeout))
    } else if says(&["not found", "could not find the requested resource", "no matches for kind"]) {
        (Outcome::NotFound, None)
    } else {
        (Outcome::Failed, None)
    };
    LedgerEntry { note: Some(error.to_owned()), failure, ..LedgerEntry::new(path, source, outcome) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_what_they_are_about() {
        let found = |path: &str, text: &str| -> Vec<(String, Outcome)> {
            read(path, text).into_iter().map(|entry| (entry.path, entry.outcome)).collect()
        };
        assert_eq!(
            found(
                "cluster-resources/pods-errors.json",
                r#"{"a": "pods is forbidden", "b": "context deadline exceeded"}"#
            ),
            [
                ("cluster-resources/pods/a.json".to_owned(), Outcome::Forbidden),
                ("cluster-resources/pods/b.json".to_owned(), Outcome::TimedOut)
            ]
        );
        assert_eq!(
            found("cluster-resources/nodes-errors.json", r#"["boom", null]"#),
            [("cluster-resources/nodes".to_owned(), Outcome::Failed)]
        );
        assert_eq!(
            found("cluster-resources/pods/logs/a/p/c-logs-errors.log", "container not found\n"),
            [("cluster-resources/pods/logs/a/p/c.log".to_owned(), Outcome::NotFound)]
        );
        let skipped = read("skipped-collectors.json", r#"[{"collector":"logs","reason":"rbac"}]"#);
        assert_eq!(skipped[0].note.as_deref(), Some("logs: rbac"));
        assert_eq!(found("collector-errors/x-error.json", r#"{"collector":"x","error":"no"}"#).len(), 1);
        assert_eq!(found("helm/errors.json", "null"), []);
    }
}
