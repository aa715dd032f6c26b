//! The pod board: every pod of every namespace with its state.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::report::Report;
use crate::report::bundle::pod_state;
use crate::snapshot::{Object, Snapshot};

/// Pods on the board; a page with more would be slow to open.
const MOST: usize = 20_000;

#[derive(Serialize)]
pub struct Board<'a> {
    namespaces: BTreeMap<&'a str, Vec<Cell<'a>>>,
    /// Pods that found no room.
    left_out: usize,
}

/// One pod. A list in the JSON, since there may be thousands: name, state, class, node, restarts, creation time.
#[derive(Serialize)]
struct Cell<'a>(&'a str, String, Class, &'a str, u64, &'a str);

/// How a pod is doing; the order is from the worst down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Class {
    Bad,
    Warn,
    Ok,
    Done,
}

pub fn board<'a>(report: &Report, snapshot: &'a Snapshot) -> Board<'a> {
    let troubled: HashMap<(&str, &str), (&str, Class)> = report
        .triage
        .groups
        .iter()
        .flat_map(|group| &group.problems)
        .filter(|problem| problem.subject.kind == "Pod")
        .map(|problem| {
            let class = match problem.severity {
                crate::report::model::Severity::Critical | crate::report::model::Severity::Error => {
                    Class::Bad
                }
                _ => Class::Warn,
            };
            let namespace = problem.subject.namespace.as_deref().unwrap_or_default();
            ((namespace, problem.subject.name.as_str()), (problem.state.as_str(), class))
        })
        .collect();
    let pods = snapshot.objects.of("pods");
    let mut namespaces: BTreeMap<&str, Vec<Cell>> = BTreeMap::new();
    let mut cells: Vec<(&str, Cell)> = pods
        .iter()
        .map(|pod| {
            let namespace = pod.namespace().unwrap_or_default();
            let known = troubled.get(&(namespace, pod.name().unwrap_or_default())).copied();
            (namespace, cell(pod, known))
        })
        .collect();
    cells.sort_by(|(a_ns, a), (b_ns, b)| (a.2, a_ns, a.0).cmp(&(b.2, b_ns, b.0)));
    let left_out = cells.len().saturating_sub(MOST);
    cells.truncate(MOST);
    for (namespace, cell) in cells {
        namespaces.entry(namespace).or_default().push(cell);
    }
    Board { namespaces, left_out }
}

fn cell<'a>(pod: &'a Object, known: Option<(&str, Class)>) -> Cell<'a> {
    let state = pod_state(&pod.value);
    let (state, class) = match known {
        Some((state, class)) => (state.to_owned(), class),
        None if state == "Succeeded" => (state, Class::Done),
        None if state == "Ready" => (state, Class::Ok),
        // Not in trouble, or not yet: it may be so young that it still becomes ready.
        None => (state, Class::Warn),
    };
    let restarts = pod
        .value
        .pointer("/status/containerStatuses")
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|status| status.get("restartCount")?.as_u64())
        .sum();
    Cell(
        pod.name().unwrap_or_default(),
        state,
        class,
        pod.str_at(&["spec", "nodeName"]).unwrap_or_default(),
        restarts,
        pod.str_at(&["metadata", "creationTimestamp"]).unwrap_or_default(),
    )
}
