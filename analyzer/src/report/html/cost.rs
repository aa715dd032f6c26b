//! What each node offers and what its pods have asked for.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use shared::quantity::Quantity;

use crate::snapshot::{Object, Snapshot};

#[derive(Serialize)]
pub struct NodeLoad<'a> {
    name: &'a str,
    ready: bool,
    /// Bad conditions, cordon and taints, in the cluster's words.
    notes: Vec<String>,
    version: &'a str,
    system: &'a str,
    runtime: &'a str,
    address: &'a str,
    cpu: Load,
    memory: Load,
    pods: Load,
    /// Milliseconds by which its clock is ahead, where it was measured.
    skew_ms: Option<i64>,
}

/// Milli-cores, bytes or pieces.
#[derive(Default, Serialize)]
struct Load {
    allocatable: i64,
    requested: i64,
    limits: i64,
}

pub fn loads(snapshot: &Snapshot) -> Vec<NodeLoad<'_>> {
    let mut by_node: HashMap<&str, Vec<&Object>> = HashMap::new();
    for pod in snapshot.objects.of("pods") {
        let phase = pod.str_at(&["status", "phase"]).unwrap_or_default();
        if let Some(node) = pod.str_at(&["spec", "nodeName"])
            && !matches!(phase, "Succeeded" | "Failed")
        {
            by_node.entry(node).or_default().push(pod);
        }
    }
    let clocks: HashMap<&str, i64> = snapshot
        .inputs
        .iter()
        .filter_map(|input| input.manifest.as_ref())
        .flat_map(|manifest| &manifest.clocks)
        .filter_map(|clock| Some((clock.clock.strip_prefix("node/")?, clock.skew_ms)))
        .collect();
    let mut loads: Vec<NodeLoad> = snapshot
        .objects
        .of("nodes")
        .iter()
        .map(|node| {
            let name = node.name().unwrap_or_default();
            let pods = by_node.get(name).map_or(&[][..], Vec::as_slice);
            load(node, pods, clocks.get(name).copied())
        })
        .collect();
    loads.sort_by_key(|load| load.name);
    loads
}

fn load<'a>(node: &'a Object, pods: &[&Object], skew_ms: Option<i64>) -> NodeLoad<'a> {
    let info = |field: &str| node.str_at(&["status", "nodeInfo", field]).unwrap_or_default();
    let offered =
        |resource: &str| node.value.pointer("/status/allocatable").and_then(|all| all.get(resource));
    let asked =
        |kind: &str, resource: &str| pods.iter().map(|pod| asked_by(&pod.value, kind, resource)).sum();
    NodeLoad {
        name: node.name().unwrap_or_default(),
        ready: list(&node.value, "/status/conditions")
            .iter()
            .any(|c| field(c, "type") == "Ready" && field(c, "status") == "True"),
        notes: notes(&node.value),
        version: info("kubeletVersion"),
        system: info("osImage"),
        runtime: info("containerRuntimeVersion"),
        address: list(&node.value, "/status/addresses")
            .iter()
            .find(|address| field(address, "type") == "InternalIP")
            .map(|address| field(address, "address"))
            .unwrap_or_default(),
        cpu: Load {
            allocatable: amount(offered("cpu"), "cpu"),
            requested: asked("requests", "cpu"),
            limits: asked("limits", "cpu"),
        },
        memory: Load {
            allocatable: amount(offered("memory"), "memory"),
            requested: asked("requests", "memory"),
            limits: asked("limits", "memory"),
        },
        pods: Load { allocatable: amount(offered("pods"), "pods"), requested: pods.len() as i64, limits: 0 },
        skew_ms,
    }
}

/// What a pod is counted with: its containers' sum, or its largest init container if that is more, plus overhead.
fn asked_by(pod: &Value, kind: &str, resource: &str) -> i64 {
    let of = |container: &Value| {
        amount(
            container.pointer("/resources").and_then(|r| r.get(kind)).and_then(|r| r.get(resource)),
            resource,
        )
    };
    let is_sidecar = |container: &&Value| field(container, "restartPolicy") == "Always";
    let init = list(pod, "/spec/initContainers");
    let sidecars: i64 = init.iter().filter(is_sidecar).map(of).sum();
    let main: i64 = list(pod, "/spec/containers").iter().map(of).sum();
    let largest = init.iter().filter(|c| !is_sidecar(c)).map(of).max().unwrap_or(0);
    let overhead = match kind {
        "requests" => amount(pod.pointer("/spec/overhead").and_then(|o| o.get(resource)), resource),
        _ => 0,
    };
    (main + sidecars).max(largest) + overhead
}

/// Milli-cores of CPU, whole units of anything else; 0 for what is no quantity.
fn amount(value: Option<&Value>, resource: &str) -> i64 {
    let quantity: Option<Quantity> = match value {
        Some(Value::String(text)) => text.parse().ok(),
        Some(Value::Number(number)) => number.to_string().parse().ok(),
        _ => None,
    };
    quantity.map_or(0, |q| if resource == "cpu" { q.milli_value() } else { q.value() })
}

fn notes(node: &Value) -> Vec<String> {
    let mut notes: Vec<String> = list(node, "/status/conditions")
        .iter()
        .filter(|c| (field(c, "type") == "Ready") != (field(c, "status") == "True"))
        .filter(|c| field(c, "type") == "Ready" || field(c, "status") == "True")
        .map(|c| format!("{}={}: {}", field(c, "type"), field(c, "status"), field(c, "message")))
        .collect();
    if node.pointer("/spec/unschedulable").and_then(Value::as_bool) == Some(true) {
        notes.push("SchedulingDisabled".to_owned());
    }
    notes.extend(list(node, "/spec/taints").iter().map(|taint| {
        format!("{}={}:{}", field(taint, "key"), field(taint, "value"), field(taint, "effect"))
    }));
    notes
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn field<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_counts_with_its_sum_or_its_largest_init_container() {
        let container = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
        let pod = json!({"spec": {"initContainers": [container("2")], "containers": [container("100m"), container("0.5")]}});
        assert_eq!(asked_by(&pod, "requests", "cpu"), 2_000);
        let pod = json!({"spec": {"initContainers": [container("200m")], "containers": [container("100m"), container("0.5")], "overhead": {"cpu": "10m"}}});
        assert_eq!(asked_by(&pod, "requests", "cpu"), 610);
    }

    #[test]
    fn only_what_is_bad_is_noted() {
        let node = json!({"status": {"conditions": [
            {"type": "Ready", "status": "Unknown", "message": "gone"},
            {"type": "MemoryPressure", "status": "False"},
            {"type": "DiskPressure", "status": "True", "message": "full"}]}});
        assert_eq!(notes(&node), ["Ready=Unknown: gone", "DiskPressure=True: full"]);
    }
}
