//! Nodes that restarted: all that ran on one ended in the same moment, and that is one thing that happened.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::draft::{Draft, named};
use super::model::{Cause, CauseKind, Relation};
use super::world::{World, int_at, str_at, time_at};
use crate::snapshot::Object;

/// What a node's restart ends is noted within this time.
const AT_ONCE: SignedDuration = SignedDuration::from_mins(1);
/// Fewer workloads than this end at once by chance, or since one of them took the other along.
const FEWEST: usize = 3;

/// Gives problems that are only what a restart of their node left behind that restart as their cause.
pub fn share(world: &World, drafts: &mut [Draft], roots: &[usize]) {
    let mut by_node: BTreeMap<String, Vec<(Timestamp, usize)>> = BTreeMap::new();
    for index in roots {
        let draft = &drafts[*index];
        let about = &draft.problem.subject;
        let (Some(node), Some(namespace)) = (&about.node, &about.namespace) else { continue };
        let pod =
            world.get("Pod", namespace, &about.name).filter(|_| draft.cause.kind == CauseKind::Workload);
        if let Some(at) = pod.and_then(swept_away) {
            by_node.entry(node.clone()).or_default().push((at, *index));
        }
    }
    for (node, mut ended) in by_node {
        ended.sort_unstable();
        for moment in ended.chunk_by(|a, b| b.0.duration_since(a.0) <= AT_ONCE) {
            let workloads: BTreeSet<&str> =
                moment.iter().map(|(_, index)| drafts[*index].cause.name.as_str()).collect();
            if workloads.len() < FEWEST {
                continue;
            }
            let cause = Cause { kind: CauseKind::Reboot, name: format!("{node} {}", moment[0].0) };
            for (_, index) in moment {
                let about = &drafts[*index].problem.subject;
                let me = named(&about.kind, about.namespace.as_deref(), &about.name);
                drafts[*index].edge(me, named("Node", None, &node), Relation::RunsOn);
                drafts[*index].cause = cause.clone();
            }
        }
    }
}

/// When the containers of a pod ended of which nobody knows how: the runtime that could tell was gone as well.
fn swept_away(pod: &Object) -> Option<Timestamp> {
    let statuses = pod.value.pointer("/status/containerStatuses").and_then(Value::as_array)?;
    let unknown = |ending: &Value| {
        let reason = str_at(ending, "/reason");
        int_at(ending, "/exitCode") == Some(255) && matches!(reason, Some("Error" | "Unknown") | None)
            || reason == Some("ContainerStatusUnknown")
    };
    let endings = statuses.iter().filter_map(|status| {
        ["/state/terminated", "/lastState/terminated"].iter().find_map(|at| status.pointer(at))
    });
    let endings: Vec<&Value> = endings.collect();
    // A container that ended otherwise had a reason of its own.
    if endings.is_empty() || !endings.iter().all(|ending| unknown(ending)) {
        return None;
    }
    endings.iter().filter_map(|ending| time_at(ending, "/finishedAt")).max()
}
