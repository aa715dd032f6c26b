//! A large installation in trouble: as much as a page may have to show at once.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use shared::bundle::manifest::{LedgerEntry, Outcome};
use shared::bundle::paths;

use super::bundle::{Filling, NOW, running};

const NAMESPACES: usize = 40;
/// Pods of a namespace; every tenth is in trouble.
const PODS: usize = 125;
const EVENTS_OF_A_POD: usize = 20;
const NODES: usize = 100;
/// Helm releases of a namespace, and revisions of each.
const RELEASES: usize = 5;
const REVISIONS: usize = 10;
/// Items that could not be collected.
const MISSING: usize = 3_000;

/// Writes a bundle that holds about `bytes` of data before compression: 5,000 pods of which 500 fail in five ways,
/// 10,000 events about these, 100 nodes, 200 helm releases; what is left is logs of the failing pods.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, bytes: u64) -> Result<()> {
    let mut filling = Filling::start(path)?;
    let nodes: Vec<Value> = (0..NODES).map(node).collect();
    filling.list("", "nodes", "Node", None, &nodes)?;
    let failing = NAMESPACES * PODS / 10;
    let log = (bytes.saturating_sub(20 << 20) / (2 * failing as u64)).max(16 << 10);
    for number in 0..NAMESPACES {
        let namespace = format!("team-{number:02}");
        let pods: Vec<(String, Value)> = (0..PODS).map(|index| pod(&namespace, number, index)).collect();
        let objects: Vec<Value> = pods.iter().map(|(_, pod)| pod.clone()).collect();
        filling.list("", "pods", "Pod", Some(&namespace), &objects)?;
        let bad = pods.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with("bad-"));
        let events: Vec<Value> = bad
            .clone()
            .flat_map(|name| (0..EVENTS_OF_A_POD).map(|index| event(&namespace, name, index)))
            .collect();
        filling.list("", "events", "Event", Some(&namespace), &events)?;
        for (seed, name) in bad.enumerate() {
            for previous in [true, false] {
                filling.log(
                    &namespace,
                    name,
                    previous,
                    log,
                    (number * PODS + 2 * seed) as u64 + u64::from(previous),
                )?;
            }
        }
        let releases: Vec<Value> = (0..RELEASES).map(|index| release(&namespace, index)).collect();
        filling.json(paths::helm_releases(&namespace), &releases.into())?;
    }
    filling.ledger.extend((0..MISSING).map(missing));
    filling.finish()
}

fn node_name(number: usize) -> String {
    format!("node-10-0-8-{number}")
}

fn node(number: usize) -> Value {
    let ready = if number.is_multiple_of(25) { "Unknown" } else { "True" };
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": node_name(number), "creationTimestamp": "2026-01-05T08:00:00Z"},
        "status": {
            "allocatable": {"cpu": "32", "memory": "128Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": ready, "reason": "NodeStatusUnknown", "lastTransitionTime": NOW}],
            "nodeInfo": {"kubeletVersion": "v1.20.15", "osImage": "CentOS Linux 7 (Core)", "containerRuntimeVersion": "docker://19.3.15"}
        }
    })
}

/// A pod and its name; every tenth fails, in one of five ways.
fn pod(namespace: &str, number: usize, index: usize) -> (String, Value) {
    let fails = index.is_multiple_of(10);
    let name = format!("{}-{number:02}-{index:03}", if fails { "bad" } else { "app" });
    let mut pod = running(namespace, &name);
    pod["spec"]["nodeName"] = node_name((number * PODS + index) % NODES).into();
    pod["spec"]["containers"][0]["resources"] =
        json!({"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}});
    if fails {
        pod["status"]["conditions"] =
            json!([{"type": "Ready", "status": "False", "lastTransitionTime": NOW}]);
        let status = &mut pod["status"]["containerStatuses"][0];
        status["ready"] = false.into();
        status["restartCount"] = (index % 50).into();
        status["image"] = format!("registry.example.com/team/app-{index}:1.0.{number}").into();
        status["state"] = state(index / 10 % 5);
    } else {
        pod["status"]["conditions"] = json!([{"type": "Ready", "status": "True", "lastTransitionTime": NOW}]);
    }
    (name, pod)
}

fn state(way: usize) -> Value {
    let ended = |code: u8, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason, "finishedAt": "2026-11-22T07:59:30Z"}});
    match way {
        0 => {
            json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}})
        }
        1 => json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}),
        2 => {
            json!({"waiting": {"reason": "CreateContainerConfigError", "message": "configmap \"app-env\" not found"}})
        }
        3 => ended(137, "OOMKilled"),
        _ => json!({"running": {"startedAt": "2026-11-22T07:00:00Z"}}),
    }
}

fn event(namespace: &str, pod: &str, index: usize) -> Value {
    let (reason, message) = [
        ("BackOff", "Back-off restarting failed container"),
        ("Unhealthy", "Readiness probe failed: dial tcp 10.244.1.2:8080: connect: connection refused"),
        ("Failed", "Failed to pull image \"registry.example.com/team/app:1\": i/o timeout"),
        ("FailedMount", "Unable to attach or mount volumes: timed out waiting for the condition"),
    ][index % 4];
    let (hour, minute) = (index % 8, index * 7 % 60);
    let time = format!("2026-11-22T{hour:02}:{minute:02}:00Z");
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": format!("{pod}.{index:x}"), "namespace": namespace},
        "involvedObject": {"kind": "Pod", "namespace": namespace, "name": pod},
        "reason": reason, "message": format!("{message} ({pod}, {index})"), "type": "Warning",
        "count": index + 1, "firstTimestamp": time, "lastTimestamp": time, "source": {"component": "kubelet"}
    })
}

fn release(namespace: &str, index: usize) -> Value {
    let history: Vec<Value> = (1..=REVISIONS)
        .map(|revision| {
            let status = match (revision, index) {
                (REVISIONS, 0) => "failed",
                (REVISIONS, _) => "deployed",
                _ => "superseded",
            };
            let updated = format!("2026-11-{:02}T06:00:00Z", revision + 10);
            json!({
                "revision": revision.to_string(), "status": status, "description": "Upgrade complete", "updated": updated,
                "chart": format!("app-{index}"), "chartVersion": format!("1.0.{revision}"), "appVersion": "1.0"
            })
        })
        .collect();
    json!({"releaseName": format!("app-{index}"), "namespace": namespace, "chart": format!("app-{index}"),
        "chartVersion": "1.0.0", "appVersion": "1.0", "releaseHistory": history})
}

fn missing(number: usize) -> LedgerEntry {
    let (namespace, pod) = (format!("team-{:02}", number % NAMESPACES), format!("app-{number:04}"));
    let source = format!("GET /api/v1/namespaces/{namespace}/pods/{pod}/log");
    let outcome = if number.is_multiple_of(3) { Outcome::TimedOut } else { Outcome::Skipped };
    let note = Some("no room left in the bundle".to_owned());
    LedgerEntry { note, ..LedgerEntry::new(paths::log(&namespace, &pod, "main", false), source, outcome) }
}
