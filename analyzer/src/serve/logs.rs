//! `pods/log`: the lines of a container's log that are in the snapshot.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::lang::Lang;
use shared::objects::Field;

use super::cluster::Cluster;
use super::reply::{Refusal, Reply};
use crate::snapshot::{Known, TextKind, TextSource};

/// What `kubectl logs` may say.
#[derive(Debug, Default)]
pub struct LogQuery {
    pub container: Option<String>,
    pub previous: bool,
    pub timestamps: bool,
    pub tail: Option<u64>,
    pub since: Option<i64>,
    pub since_time: Option<Timestamp>,
    pub limit: Option<usize>,
}

const FIELDS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

pub fn log(cluster: &Cluster, namespace: &str, pod: &str, query: &LogQuery) -> Result<Reply, Refusal> {
    let container = container(cluster, namespace, pod, query.container.as_deref())?;
    let texts: Vec<&TextSource> = cluster
        .snapshot
        .texts
        .iter()
        .filter(|text| {
            text.kind == TextKind::Log
                && text.namespace.as_deref() == Some(namespace)
                && text.pod.as_deref() == Some(pod)
                && text.container.as_deref().is_none_or(|own| own == container)
                && text.previous == query.previous
        })
        .collect();
    let known = cluster.snapshot.coverage.log(namespace, pod, &container, query.previous);
    if texts.is_empty() {
        return Err(missing(cluster, namespace, pod, &container, query.previous, known));
    }
    let mut lines: Vec<&str> = Vec::new();
    for text in &texts {
        lines.extend(cluster.snapshot.files[text.file.0 as usize].text[text.range.clone()].lines());
    }
    let whole = texts.iter().all(|text| text.has_head && text.has_middle && text.has_tail);
    let stamped = lines.iter().any(|line| stamp(line).is_some());
    let mut warnings = Vec::new();
    if !whole {
        warnings.push(match cluster.lang {
            Lang::Zh => "日志不完整：快照中只有它的一部分".to_owned(),
            Lang::En => "the log is not whole: the snapshot holds a part of it".to_owned(),
        });
    }
    let since = query.since_time.or_else(|| {
        query.since.and_then(|seconds| cluster.now.checked_sub(SignedDuration::from_secs(seconds)).ok())
    });
    if let Some(since) = since {
        if stamped {
            // A line without a time belongs to the one before it.
            let mut wanted = false;
            lines.retain(|line| {
                wanted = stamp(line).map_or(wanted, |(time, _)| time >= since);
                wanted
            });
        } else {
            warnings.push(match cluster.lang {
                Lang::Zh => "日志没有时间，无法按时间筛选，给出全部".to_owned(),
                Lang::En => "the log has no times to select by; all of it follows".to_owned(),
            });
        }
    }
    if let Some(tail) = query.tail {
        let start = lines.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX));
        lines.drain(..start);
    }
    let mut body = String::new();
    for line in lines {
        body.push_str(match stamp(line) {
            Some((_, rest)) if !query.timestamps => rest,
            _ => line,
        });
        body.push('\n');
    }
    if let Some(limit) = query.limit.filter(|limit| *limit < body.len()) {
        body.truncate(body.floor_char_boundary(limit));
    }
    Ok(Reply::text(body).warn(warnings))
}

/// The time that `kubectl logs --timestamps` puts before a line, and the line.
fn stamp(line: &str) -> Option<(Timestamp, &str)> {
    let (time, rest) = line.split_once(' ').unwrap_or((line, ""));
    // 2026-11-22T09:55:05.648356159Z: other words that are times do not look so.
    let looks_so = time.len() >= 20 && time.as_bytes().get(10) == Some(&b'T') && time.contains('.');
    looks_so.then(|| time.parse().ok()).flatten().map(|time| (time, rest))
}

/// The container that is meant.
fn container(cluster: &Cluster, namespace: &str, pod: &str, wanted: Option<&str>) -> Result<String, Refusal> {
    let Some(found) = cluster.pod(namespace, pod) else {
        return match (wanted, cluster.kind("", "v1", "pods")) {
            (Some(wanted), _) => Ok(wanted.to_owned()),
            (None, Some(kind)) => Err(cluster.no_such(kind, Some(namespace), pod)),
            (None, None) => Err(Refusal::not_found(format!("pods \"{pod}\" not found"))),
        };
    };
    let names =
        |field: &str| found["spec"][field].items().iter().map(|c| c["name"].text()).collect::<Vec<_>>();
    match wanted {
        Some(wanted) if knows(found, wanted) => Ok(wanted.to_owned()),
        Some(wanted) => Err(Refusal::bad_request(format!("container {wanted} is not valid for pod {pod}"))),
        None => match names("containers")[..] {
            [only] => Ok(only.to_owned()),
            ref many => Err(Refusal::bad_request(format!(
                "a container name must be specified for pod {pod}, choose one of: [{}]",
                many.join(" ")
            ))),
        },
    }
}

/// Whether a pod has the container; one that is known in part may have it.
fn knows(pod: &Value, wanted: &str) -> bool {
    let mut all = FIELDS.iter().flat_map(|field| pod["spec"][*field].items()).peekable();
    all.peek().is_none()
        || all.any(|container| container["name"] == wanted)
        || pod["metadata"]["annotations"].get(super::cluster::READ_FROM).is_some()
}

/// Why a log is not there.
fn missing(
    cluster: &Cluster,
    namespace: &str,
    pod: &str,
    container: &str,
    previous: bool,
    known: Known,
) -> Refusal {
    use shared::bundle::manifest::Outcome;
    let path = shared::bundle::paths::log(namespace, pod, container, previous);
    let entry = cluster.snapshot.coverage.ledger.iter().find(|entry| entry.path == path);
    let outcome = match (entry, known) {
        (Some(entry), _) => entry.outcome,
        (None, Known::Nothing(Some(outcome))) => outcome,
        _ => Outcome::Skipped,
    };
    let reason = cluster.words(outcome, entry.and_then(|entry| entry.note.as_deref()));
    let what = match (cluster.lang, previous) {
        (Lang::Zh, false) => format!("Pod {namespace}/{pod} 的容器 {container} 的日志"),
        (Lang::Zh, true) => format!("Pod {namespace}/{pod} 的容器 {container} 上一次运行的日志"),
        (Lang::En, false) => format!("log of container {container} of pod {namespace}/{pod}"),
        (Lang::En, true) => {
            format!("log of the previous run of container {container} of pod {namespace}/{pod}")
        }
    };
    let of = cluster.described();
    let message = match cluster.lang {
        Lang::Zh => format!("{what}：{reason}（这是 {}）", of.zh),
        Lang::En => format!("{what}: {reason} (this is {})", of.en),
    };
    match outcome {
        Outcome::Forbidden => Refusal::forbidden(message),
        Outcome::NotFound => Refusal::bad_request(message),
        _ => Refusal::not_found(message),
    }
    .about("", "pods", pod)
}
