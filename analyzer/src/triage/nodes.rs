//! Nodes that are not well.

use serde_json::Value;

use crate::report::model::Severity;

use super::draft::Draft;
use super::model::CauseKind;
use super::needs::{is_network_missing, is_of_host_network};
use super::world::{World, array_at, condition, is_status, str_at, subject, time_at};

/// Conditions that are bad when true: the kubelet's own, then those of node-problem-detector.
const PRESSURES: &[&str] = &[
    "MemoryPressure",
    "DiskPressure",
    "PIDPressure",
    "NetworkUnavailable",
    "KernelDeadlock",
    "ReadonlyFilesystem",
    "XfsShutdown",
    "CperHardwareErrorFatal",
    "CorruptDockerOverlay2",
    "FrequentKubeletRestart",
    "FrequentDockerRestart",
    "FrequentContainerdRestart",
    "FrequentUnregisterNetDevice",
];

/// Whether the node says, or has stopped saying, that it is ready.
pub fn is_down(node: &Value) -> bool {
    condition(node, "Ready").is_some_and(|ready| !is_status(ready, "True"))
}

/// Whether pods of a node are in trouble because of it. The pods that should give it its network are not: it waits for
/// them.
pub fn keeps_down(node: &Value, pod: &Value) -> bool {
    let message = condition(node, "Ready").and_then(|ready| str_at(ready, "/message")).unwrap_or_default();
    is_down(node) && !(is_of_host_network(pod) && is_network_missing(message))
}

pub fn problems<'a>(world: &World<'a>) -> Vec<Draft<'a>> {
    let mut problems = Vec::new();
    for node in world.snapshot.objects.of("nodes") {
        let value = &*node.value;
        let name = node.name().unwrap_or_default();
        let draft = |state: &str| {
            Draft::new(world.snapshot, node, subject("Node", node), state).cause(CauseKind::Node, name)
        };
        if let Some(ready) = condition(value, "Ready").filter(|_| is_down(value)) {
            problems.push(
                draft("NotReady")
                    .severity(Severity::Critical)
                    .message(str_at(ready, "/message"))
                    .since(time_at(ready, "/lastTransitionTime")),
            );
        }
        for pressure in PRESSURES {
            if let Some(condition) = condition(value, pressure).filter(|c| is_status(c, "True")) {
                problems.push(
                    draft(pressure)
                        .message(str_at(condition, "/message"))
                        .since(time_at(condition, "/lastTransitionTime")),
                );
            }
        }
        if value.pointer("/spec/unschedulable").and_then(Value::as_bool) == Some(true) {
            let cordoned = array_at(value, "/spec/taints")
                .iter()
                .find(|taint| str_at(taint, "/key") == Some("node.kubernetes.io/unschedulable"));
            problems.push(
                draft("SchedulingDisabled")
                    .severity(Severity::Warning)
                    .since(cordoned.and_then(|taint| time_at(taint, "/timeAdded"))),
            );
        }
    }
    problems
}
