//! What happened when, on one axis.
//!
//! Each moment was written by some clock: events and container endings by the kubelet of their node, other events by
//! the control plane. Where the collector measured how far these clocks are ahead of its own, moments are moved onto
//! the collector's clock, so that things that happened together stand together.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::report::Report;
use crate::snapshot::{Object, Snapshot};
use crate::triage;

/// Marks in the picture; beyond that nobody sees anything.
const MOST: usize = 4_000;

/// Milliseconds that lines of a log may lie apart and still be one burst, roughly.
const STEP: i64 = 10_000;

#[derive(Debug, Serialize)]
pub struct Timeline {
    /// Newest moment of the evidence, in milliseconds since 1970.
    now: Option<i64>,
    /// Whether any clock was corrected.
    corrected: bool,
    marks: Vec<Mark>,
    /// Marks that found no room; they were the least important.
    left_out: usize,
}

#[derive(Debug, Serialize)]
struct Mark {
    kind: Kind,
    /// The row it stands in.
    row: String,
    /// Milliseconds since 1970, on the collector's clock.
    at: i64,
    /// Where it covers a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<i64>,
    bad: bool,
    text: String,
    count: u64,
}

/// Rows are put together by kind, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Finding,
    Node,
    Helm,
    Restart,
    Log,
    Event,
}

/// How far clocks are ahead of the collector's.
struct Clocks<'a>(HashMap<&'a str, i64>);

impl<'a> Clocks<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let manifests = snapshot.inputs.iter().filter_map(|input| input.manifest.as_ref());
        Self(
            manifests
                .flat_map(|manifest| &manifest.clocks)
                // What lies within the error of the measurement is no skew.
                .filter(|clock| clock.skew_ms.abs() > clock.error_ms)
                .map(|clock| (clock.clock.as_str(), clock.skew_ms))
                .collect(),
        )
    }

    /// The moment on the collector's clock, in milliseconds.
    fn corrected(&self, moment: Timestamp, node: Option<&str>) -> i64 {
        let skew = match node {
            Some(node) => self.0.iter().find(|(clock, _)| clock.strip_prefix("node/") == Some(node)),
            None => self.0.get_key_value("apiserver"),
        };
        moment.as_millisecond() - skew.map_or(0, |(_, skew)| *skew)
    }
}

pub fn timeline(report: &Report, snapshot: &Snapshot) -> Timeline {
    let clocks = Clocks::of(snapshot);
    let mut marks = Vec::new();
    findings(report, &mut marks);
    nodes(snapshot, &clocks, &mut marks);
    revisions(snapshot, &mut marks);
    restarts(snapshot, &clocks, &mut marks);
    bursts(report, snapshot, &clocks, &mut marks);
    events(snapshot, &clocks, &mut marks);
    marks.sort_by(|a, b| {
        (!a.bad, a.kind, -a.at, &a.row, &a.text).cmp(&(!b.bad, b.kind, -b.at, &b.row, &b.text))
    });
    let left_out = marks.len().saturating_sub(MOST);
    marks.truncate(MOST);
    marks.sort_by(|a, b| (a.kind, &a.row, a.at, &a.text).cmp(&(b.kind, &b.row, b.at, &b.text)));
    Timeline {
        now: snapshot.inputs.iter().filter_map(|i| i.collected_at).max().map(|t| t.as_millisecond()),
        corrected: !clocks.0.is_empty(),
        marks,
        left_out,
    }
}

fn findings(report: &Report, marks: &mut Vec<Mark>) {
    for finding in &report.findings {
        for evidence in finding.evidence.iter().take(50) {
            if let Some(at) = evidence.time.as_deref().and_then(|time| time.parse::<Timestamp>().ok()) {
                marks.push(Mark {
                    kind: Kind::Finding,
                    row: finding.case.clone(),
                    at: at.as_millisecond(),
                    end: None,
                    bad: true,
                    text: format!("{}:{}", evidence.path, evidence.line),
                    count: evidence.count,
                });
            }
        }
    }
}

fn nodes(snapshot: &Snapshot, clocks: &Clocks, marks: &mut Vec<Mark>) {
    for node in snapshot.objects.of("nodes") {
        let name = node.name().unwrap_or_default();
        for condition in list(&node.value, "/status/conditions") {
            let word = |field: &str| condition.get(field).and_then(Value::as_str).unwrap_or_default();
            let Some(at) = moment(condition, "/lastTransitionTime") else { continue };
            let is_bad = (word("type") == "Ready") != (word("status") == "True");
            // Good conditions that never changed are as old as the node and say nothing.
            if is_bad || word("type") == "Ready" {
                marks.push(Mark {
                    kind: Kind::Node,
                    row: name.to_owned(),
                    at: clocks.corrected(at, Some(name)),
                    end: None,
                    bad: is_bad,
                    text: format!("{}={} {}", word("type"), word("status"), word("reason")),
                    count: 1,
                });
            }
        }
    }
}

fn revisions(snapshot: &Snapshot, marks: &mut Vec<Mark>) {
    for revision in snapshot.objects.of("helm.revisions") {
        let Some(at) = moment(&revision.value, "/updated") else { continue };
        let status = revision.str_at(&["status"]).unwrap_or_default();
        let number = revision.value.get("revision").map(ToString::to_string).unwrap_or_default();
        marks.push(Mark {
            kind: Kind::Helm,
            row: place(revision),
            at: at.as_millisecond(),
            end: None,
            bad: !matches!(status, "deployed" | "superseded"),
            text: format!("#{number} {status} {}", revision.str_at(&["chart"]).unwrap_or_default()),
            count: 1,
        });
    }
}

fn restarts(snapshot: &Snapshot, clocks: &Clocks, marks: &mut Vec<Mark>) {
    for pod in snapshot.objects.of("pods") {
        let node = pod.str_at(&["spec", "nodeName"]);
        for status in ["/status/initContainerStatuses", "/status/containerStatuses"]
            .iter()
            .flat_map(|pointer| list(&pod.value, pointer))
        {
            for state in ["/lastState/terminated", "/state/terminated"] {
                let Some(ended) = status.pointer(state) else { continue };
                let Some(at) = moment(ended, "/finishedAt") else { continue };
                let code = ended.get("exitCode").and_then(Value::as_i64).unwrap_or(0);
                // Init containers and jobs that ended well are the ordinary course.
                if code == 0 && state == "/state/terminated" {
                    continue;
                }
                let word = |field: &str| status.get(field).and_then(Value::as_str).unwrap_or_default();
                marks.push(Mark {
                    kind: Kind::Restart,
                    row: place(pod),
                    at: clocks.corrected(at, node),
                    end: None,
                    bad: code != 0,
                    text: format!(
                        "{} {} (exit {code})",
                        word("name"),
                        ended.get("reason").and_then(Value::as_str).unwrap_or_default()
                    ),
                    count: status.get("restartCount").and_then(Value::as_u64).unwrap_or(1).max(1),
                });
            }
        }
    }
}

/// Lengths of time in which a troubled pod's log complains, in steps of [`STEP`].
fn bursts(report: &Report, snapshot: &Snapshot, clocks: &Clocks, marks: &mut Vec<Mark>) {
    let troubled: HashMap<(&str, &str), Option<&str>> = report
        .triage
        .groups
        .iter()
        .flat_map(|group| &group.problems)
        .filter(|problem| !problem.log.is_empty())
        .map(|problem| {
            let about = &problem.subject;
            ((about.namespace.as_deref().unwrap_or_default(), about.name.as_str()), about.node.as_deref())
        })
        .collect();
    for source in &snapshot.texts {
        let (Some(namespace), Some(pod)) = (source.namespace.as_deref(), source.pod.as_deref()) else {
            continue;
        };
        let Some(node) = troubled.get(&(namespace, pod)) else { continue };
        let mut steps: BTreeMap<i64, (u64, &str)> = BTreeMap::new();
        let text = &snapshot.files[source.file.0 as usize].text[source.range.clone()];
        for (at, line) in triage::complaints(text) {
            let entry = steps.entry(clocks.corrected(at, *node).div_euclid(STEP)).or_insert((0, line));
            entry.0 += 1;
            entry.1 = line;
        }
        let mut open: Option<Mark> = None;
        for (step, (count, line)) in steps {
            match &mut open {
                Some(mark) if mark.end == Some(step * STEP) => {
                    mark.end = Some((step + 1) * STEP);
                    mark.count += count;
                }
                _ => {
                    marks.extend(open.take());
                    open = Some(Mark {
                        kind: Kind::Log,
                        row: format!("{namespace}/{pod}"),
                        at: step * STEP,
                        end: Some((step + 1) * STEP),
                        bad: true,
                        text: crate::report::escape::shorten(line, 200).into_owned(),
                        count,
                    });
                }
            }
        }
        marks.extend(open);
    }
}

fn events(snapshot: &Snapshot, clocks: &Clocks, marks: &mut Vec<Mark>) {
    for event in snapshot.objects.of("events") {
        let Some(at) = triage::event_time(event) else { continue };
        let about = event.value.get("involvedObject").or_else(|| event.value.get("regarding"));
        let word = |field: &str| about.and_then(|a| a.get(field)).and_then(Value::as_str).unwrap_or_default();
        let node = event
            .str_at(&["source", "host"])
            .or_else(|| event.str_at(&["deprecatedSource", "host"]))
            .or_else(|| event.str_at(&["reportingInstance"]));
        let count = event.value.get("count").or_else(|| event.value.pointer("/series/count"));
        let message = triage::event_message(event).unwrap_or_default();
        let first = moment(&event.value, "/firstTimestamp").map(|first| clocks.corrected(first, node));
        let at = clocks.corrected(at, node);
        marks.push(Mark {
            kind: Kind::Event,
            row: match word("namespace") {
                "" => format!("{} {}", word("kind"), word("name")),
                namespace => format!("{} {namespace}/{}", word("kind"), word("name")),
            },
            at: first.filter(|first| *first < at).unwrap_or(at),
            end: Some(at).filter(|_| first.is_some_and(|first| first < at)),
            bad: event.str_at(&["type"]) == Some("Warning"),
            text: format!(
                "{}: {}",
                event.str_at(&["reason"]).unwrap_or_default(),
                crate::report::escape::shorten(message, 200)
            ),
            count: count.and_then(Value::as_u64).unwrap_or(1),
        });
    }
}

fn place(object: &Object) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name().unwrap_or_default())
}

fn moment(value: &Value, pointer: &str) -> Option<Timestamp> {
    value.pointer(pointer)?.as_str()?.parse().ok()
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
