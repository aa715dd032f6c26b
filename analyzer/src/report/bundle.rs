//! What was given to the analyzer, in a few numbers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::lang::Lang;

use super::model::Text;
use crate::snapshot::{Input, Snapshot};

/// The inputs and the cluster they speak of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Bundle")]
pub struct Bundle<T = Text> {
    pub inputs: Vec<InputSummary<T>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterSummary>,
    /// RFC 3339: the newest moment that any input speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<String>,
    /// Pieces of text that were searched, and their bytes.
    pub texts: u64,
    pub text_bytes: u64,
    /// How many objects of each collection were read.
    pub objects: BTreeMap<String, u64>,
    /// Pods by phase; ready ones count as `Ready`.
    pub pods: BTreeMap<String, u64>,
    /// Nodes by readiness.
    pub nodes: BTreeMap<String, u64>,
    /// Helm releases by status.
    pub releases: BTreeMap<String, u64>,
    /// Differences between clocks that were measured.
    pub clocks: Vec<Clock>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Input")]
pub struct InputSummary<T = Text> {
    /// As the user wrote it.
    pub path: String,
    pub layout: String,
    /// Name and version of the collector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<String>,
    /// Why the collection ended early, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// What is wrong with the input or what its layout cannot tell.
    pub notes: Vec<T>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Cluster")]
pub struct ClusterSummary {
    /// Absent where the layout does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// How far a clock is ahead of the collecting machine's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// `apiserver` or `node/<name>`.
    pub clock: String,
    /// Milliseconds; positive: ahead.
    pub skew_ms: i64,
    /// The truth lies within `skew_ms` plus or minus this.
    pub error_ms: i64,
}

impl Bundle {
    pub fn of(snapshot: &Snapshot) -> Self {
        let objects = &snapshot.objects;
        let mut bundle = Bundle {
            inputs: snapshot.inputs.iter().map(input).collect(),
            cluster: cluster(snapshot),
            collected_at: snapshot
                .inputs
                .iter()
                .filter_map(|input| input.collected_at)
                .max()
                .map(|t| t.to_string()),
            texts: snapshot.texts.len() as u64,
            text_bytes: snapshot.texts.iter().map(|text| text.range.len() as u64).sum(),
            objects: objects
                .by_collection
                .iter()
                .map(|(name, list)| (name.clone(), list.len() as u64))
                .collect(),
            clocks: snapshot
                .inputs
                .iter()
                .filter_map(|input| input.manifest.as_ref())
                .flat_map(|manifest| &manifest.clocks)
                .map(|c| Clock { clock: c.clock.clone(), skew_ms: c.skew_ms, error_ms: c.error_ms })
                .collect(),
            ..Bundle::default()
        };
        for pod in objects.of("pods") {
            *bundle.pods.entry(pod_state(&pod.value)).or_default() += 1;
        }
        for node in objects.of("nodes") {
            let state = if is_true(&node.value, "Ready") { "Ready" } else { "NotReady" };
            *bundle.nodes.entry(state.to_owned()).or_default() += 1;
        }
        for release in objects.of("helm.releases") {
            let status = release.str_at(&["status"]).unwrap_or("unknown");
            *bundle.releases.entry(status.to_owned()).or_default() += 1;
        }
        bundle
    }

    /// The same with its texts in one language.
    pub fn in_language(&self, lang: Lang) -> Bundle<String> {
        Bundle {
            inputs: self
                .inputs
                .iter()
                .map(|input| InputSummary {
                    path: input.path.clone(),
                    layout: input.layout.clone(),
                    tool: input.tool.clone(),
                    collected_at: input.collected_at.clone(),
                    stopped: input.stopped.clone(),
                    notes: input.notes.iter().map(|note| note.get(lang).to_owned()).collect(),
                })
                .collect(),
            cluster: self.cluster.clone(),
            collected_at: self.collected_at.clone(),
            texts: self.texts,
            text_bytes: self.text_bytes,
            objects: self.objects.clone(),
            pods: self.pods.clone(),
            nodes: self.nodes.clone(),
            releases: self.releases.clone(),
            clocks: self.clocks.clone(),
        }
    }
}

fn input(input: &Input) -> InputSummary {
    let manifest = input.manifest.as_ref();
    InputSummary {
        path: input.path.clone(),
        layout: input.layout.clone(),
        tool: manifest.map(|manifest| format!("{} {}", manifest.tool.name, manifest.tool.version)),
        collected_at: input.collected_at.map(|time| time.to_string()),
        stopped: manifest.and_then(|manifest| manifest.stopped.clone()),
        notes: input.notes.iter().cloned().map(Text::from).collect(),
    }
}

/// The manifest knows the cluster; without one, the kubelets' version is the best that the nodes tell.
fn cluster(snapshot: &Snapshot) -> Option<ClusterSummary> {
    let told =
        snapshot.inputs.iter().filter_map(|input| input.manifest.as_ref()).find_map(|m| m.cluster.as_ref());
    let kubelet = snapshot
        .objects
        .of("nodes")
        .iter()
        .find_map(|node| node.str_at(&["status", "nodeInfo", "kubeletVersion"]))
        .map(str::to_owned);
    match told {
        Some(cluster) => Some(ClusterSummary {
            name: Some(cluster.name.clone()),
            version: cluster.version.clone().or(kubelet),
        }),
        None => kubelet.map(|version| ClusterSummary { name: None, version: Some(version) }),
    }
}

/// `Ready` for a running pod whose containers are ready, else the phase. A table shows no conditions.
pub fn pod_state(pod: &Value) -> String {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str).unwrap_or("Unknown");
    match phase {
        "Running" if is_true(pod, "Ready") || has_ready_containers(pod) => "Ready".to_owned(),
        "Running" => "NotReady".to_owned(),
        other => other.to_owned(),
    }
}

/// Whether the containers alone say that the pod is ready, where nothing says so of the pod.
fn has_ready_containers(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    let containers = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    conditions.is_none_or(Vec::is_empty)
        && containers.is_some_and(|all| {
            !all.is_empty() && all.iter().all(|c| c.get("ready").and_then(Value::as_bool) == Some(true))
        })
}

fn is_true(object: &Value, condition: &str) -> bool {
    object.pointer("/status/conditions").and_then(Value::as_array).is_some_and(|conditions| {
        conditions.iter().any(|c| {
            c.get("type").and_then(Value::as_str) == Some(condition)
                && c.get("status").and_then(Value::as_str) == Some("True")
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_is_as_ready_as_its_condition_or_its_containers_say() {
        let ready = json!([{"type": "Ready", "status": "True"}]);
        let state = |status: Value| pod_state(&json!({"status": status}));
        assert_eq!(state(json!({"phase": "Running", "conditions": ready})), "Ready");
        let of_a_table = json!({"phase": "Running", "containerStatuses": [{"ready": true}, {"ready": true}]});
        assert_eq!(state(of_a_table), "Ready");
        assert_eq!(
            state(json!({"phase": "Running", "containerStatuses": [{"ready": false}, {"ready": true}]})),
            "NotReady"
        );
        let gated = json!([{"type": "Ready", "status": "False"}]);
        assert_eq!(
            state(json!({"phase": "Running", "conditions": gated, "containerStatuses": [{"ready": true}]})),
            "NotReady"
        );
        assert_eq!(state(json!({"phase": "Pending"})), "Pending");
    }
}
