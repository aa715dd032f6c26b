//! Logs whose beginning the node has rotated away.
//!
//! The API hands out a container's newest log file only, so a log may look whole and yet begin long after its
//! container did. The container's start and the time of the first line that is left tell.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::snapshot::{Known, Snapshot, TextKind};

/// Longer silences after a start are not believed: nearly every program says something sooner.
const SILENCE: SignedDuration = SignedDuration::from_mins(10);

/// Takes back that a log reaches to its beginning where it cannot.
pub(super) fn mark(snapshot: &mut Snapshot) {
    let started = starts(snapshot);
    for text in snapshot.texts.iter_mut().filter(|text| text.kind == TextKind::Log && !text.previous) {
        let (Some(namespace), Some(pod), Some(container)) = (&text.namespace, &text.pod, &text.container)
        else {
            continue;
        };
        let key = (namespace.clone(), pod.clone(), container.clone());
        let Some(start) = started.get(&key) else { continue };
        let log = &snapshot.files[text.file.0 as usize].text[text.range.clone()];
        let Some(first) = log.split_whitespace().next().and_then(|word| word.parse::<Timestamp>().ok())
        else {
            continue;
        };
        if first.duration_since(*start) > SILENCE {
            text.has_head = false;
            let known = snapshot.coverage.logs.entry((key.0, key.1, key.2, false)).or_insert(Known::Partly);
            if *known == Known::Whole {
                *known = Known::Partly;
            }
        }
    }
}

/// When the present run of each container began, by namespace, pod and container.
fn starts(snapshot: &Snapshot) -> HashMap<(String, String, String), Timestamp> {
    let mut starts = HashMap::new();
    for pod in snapshot.objects.of("pods") {
        let (Some(namespace), Some(name)) = (pod.namespace(), pod.name()) else { continue };
        let statuses = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"]
            .into_iter()
            .filter_map(|kind| pod.value.get("status")?.get(kind)?.as_array())
            .flatten();
        for status in statuses {
            let started = ["running", "terminated"]
                .into_iter()
                .find_map(|state| status.get("state")?.get(state)?.get("startedAt")?.as_str()?.parse().ok());
            if let (Some(container), Some(started)) = (status.get("name").and_then(Value::as_str), started) {
                starts.insert((namespace.to_owned(), name.to_owned(), container.to_owned()), started);
            }
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(first_line: &str) -> Snapshot {
        let pod = r#"[{"metadata": {"name": "web-0", "namespace": "a"}, "status": {"containerStatuses":
            [{"name": "web", "state": {"running": {"startedAt": "2026-11-01T03:00:00Z"}}}]}}]"#;
        let files = vec![
            ("cluster-resources/pods/a.json".to_owned(), pod.as_bytes().to_vec()),
            (
                "cluster-resources/pods/logs/a/web-0/web.log".to_owned(),
                format!("{first_line}\n").into_bytes(),
            ),
        ];
        crate::intake::from_files(files, Vec::new())
    }

    #[test]
    fn a_log_that_begins_days_after_its_container_has_lost_its_head() {
        let late = snapshot("2026-11-04T03:00:00Z still here");
        assert!(late.texts.iter().all(|text| !text.has_head));
        assert_eq!(late.coverage.log("a", "web-0", "web", false), Known::Partly);
    }

    #[test]
    fn a_log_that_begins_with_its_container_is_whole() {
        for line in ["2026-11-01T03:00:01Z hello", "no time at all"] {
            let whole = snapshot(line);
            assert!(whole.texts.iter().all(|text| text.has_head), "{line}");
            assert_eq!(whole.coverage.log("a", "web-0", "web", false), Known::Whole);
        }
    }
}
