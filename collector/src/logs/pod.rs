//! The little of a Pod that decides about its logs, read from the API's JSON without keeping the rest.

use jiff::Timestamp;
use serde::Deserialize;

/// A pod and its containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// `None` until it is scheduled.
    pub node: Option<String>,
    pub phase: String,
    /// Reason of the pod's status, such as `Evicted`.
    pub reason: Option<String>,
    pub ready: bool,
    pub deleting: bool,
    /// `ReplicaSet/bk-repo-6c8f6c9d5b`; replicas of one workload share it.
    pub owner: Option<String>,
    pub containers: Vec<Container>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Init,
    Regular,
    Ephemeral,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub name: String,
    pub role: Role,
    pub ready: bool,
    pub restarts: u32,
    pub state: State,
    /// End of the run before this one, where the status tells of one.
    pub last: Option<Ended>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// No status, or waiting; the reason where there is one.
    Waiting(Option<String>),
    Running,
    Terminated(Ended),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub exit_code: i32,
    pub reason: Option<String>,
    pub at: Option<Timestamp>,
}

impl Pod {
    /// # Errors
    /// When the JSON is no Pod.
    pub fn from_json(json: &str) -> Result<Pod, serde_json::Error> {
        serde_json::from_str::<Raw>(json).map(Pod::from)
    }
}

impl Container {
    /// Whether there can be a log at all: the container has run at some time.
    pub fn has_run(&self) -> bool {
        !matches!(self.state, State::Waiting(_)) || self.restarts > 0 || self.last.is_some()
    }

    /// Whether the run before this one left a log. The kubelet gives one only for a run that the status tells of.
    pub fn has_previous(&self) -> bool {
        self.last.is_some()
    }
}

#[derive(Deserialize)]
struct Raw {
    metadata: RawMeta,
    #[serde(default)]
    spec: RawSpec,
    #[serde(default)]
    status: RawStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMeta {
    #[serde(default)]
    namespace: String,
    name: String,
    #[serde(default)]
    uid: String,
    deletion_timestamp: Option<String>,
    #[serde(default)]
    owner_references: Vec<RawOwner>,
}

#[derive(Deserialize)]
struct RawOwner {
    kind: String,
    name: String,
    controller: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawSpec {
    node_name: Option<String>,
    init_containers: Vec<RawName>,
    containers: Vec<RawName>,
    ephemeral_containers: Vec<RawName>,
}

#[derive(Deserialize)]
struct RawName {
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawStatus {
    phase: Option<String>,
    reason: Option<String>,
    conditions: Vec<RawCondition>,
    init_container_statuses: Vec<RawContainer>,
    container_statuses: Vec<RawContainer>,
    ephemeral_container_statuses: Vec<RawContainer>,
}

#[derive(Deserialize)]
struct RawCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawContainer {
    name: String,
    #[serde(default)]
    ready: bool,
    #[serde(default)]
    restart_count: u32,
    #[serde(default)]
    state: RawState,
    #[serde(default)]
    last_state: RawState,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawState {
    waiting: Option<RawWaiting>,
    running: Option<serde::de::IgnoredAny>,
    terminated: Option<RawEnded>,
}

#[derive(Deserialize)]
struct RawWaiting {
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEnded {
    #[serde(default)]
    exit_code: i32,
    reason: Option<String>,
    finished_at: Option<Timestamp>,
}

impl From<RawEnded> for Ended {
    fn from(raw: RawEnded) -> Self {
        Ended { exit_code: raw.exit_code, reason: raw.reason, at: raw.finished_at }
    }
}

impl From<Raw> for Pod {
    fn from(raw: Raw) -> Self {
        let Raw { metadata, spec, mut status } = raw;
        let mut containers = Vec::new();
        for (names, role, statuses) in [
            (spec.init_containers, Role::Init, &mut status.init_container_statuses),
            (spec.containers, Role::Regular, &mut status.container_statuses),
            (spec.ephemeral_containers, Role::Ephemeral, &mut status.ephemeral_container_statuses),
        ] {
            for RawName { name } in names {
                let at = statuses.iter().position(|s| s.name == name);
                containers.push(container(name, role, at.map(|at| statuses.swap_remove(at))));
            }
        }
        let condition = status.conditions.iter().find(|c| c.kind == "Ready");
        // Before the kubelet has set conditions, the containers speak for the pod.
        let ready = condition.map_or_else(
            || containers.iter().all(|c: &Container| c.ready || c.role != Role::Regular),
            |c| c.status == "True",
        );
        let owner = metadata
            .owner_references
            .iter()
            .find(|o| o.controller == Some(true))
            .or(metadata.owner_references.first())
            .map(|o| format!("{}/{}", o.kind, o.name));
        Pod {
            namespace: metadata.namespace,
            name: metadata.name,
            uid: metadata.uid,
            node: spec.node_name.filter(|n| !n.is_empty()),
            phase: status.phase.unwrap_or_default(),
            reason: status.reason,
            ready,
            deleting: metadata.deletion_timestamp.is_some(),
            owner,
            containers,
        }
    }
}

fn container(name: String, role: Role, status: Option<RawContainer>) -> Container {
    let Some(status) = status else {
        let state = State::Waiting(None);
        return Container { name, role, ready: false, restarts: 0, state, last: None };
    };
    let state = match status.state {
        RawState { terminated: Some(ended), .. } => State::Terminated(ended.into()),
        RawState { running: Some(_), .. } => State::Running,
        RawState { waiting, .. } => State::Waiting(waiting.and_then(|w| w.reason)),
    };
    Container {
        name,
        role,
        ready: status.ready,
        restarts: status.restart_count,
        state,
        last: status.last_state.terminated.map(Ended::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_container_is_seen_with_its_status() {
        let pod = Pod::from_json(
            r#"{"metadata":{"namespace":"a","name":"p","ownerReferences":[{"kind":"ReplicaSet","name":"rs","controller":true}]},
            "spec":{"nodeName":"n","initContainers":[{"name":"i"}],"containers":[{"name":"c"},{"name":"d"}],"ephemeralContainers":[{"name":"e"}]},
            "status":{"phase":"Running","conditions":[{"type":"Ready","status":"False"}],
              "initContainerStatuses":[{"name":"i","state":{"terminated":{"exitCode":0,"finishedAt":"2026-11-22T07:00:00Z"}}}],
              "containerStatuses":[{"name":"d","ready":true,"state":{"running":{}}},
                {"name":"c","restartCount":5,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]}}"#,
        )
        .unwrap();
        let names: Vec<_> = pod.containers.iter().map(|c| (c.name.as_str(), c.role)).collect();
        assert_eq!(
            names,
            [("i", Role::Init), ("c", Role::Regular), ("d", Role::Regular), ("e", Role::Ephemeral)]
        );
        assert_eq!(pod.owner.as_deref(), Some("ReplicaSet/rs"));
        assert!(!pod.ready);
        let c = &pod.containers[1];
        assert_eq!(c.state, State::Waiting(Some("CrashLoopBackOff".into())));
        assert_eq!(c.last.as_ref().unwrap().exit_code, 137);
        assert!(c.has_previous() && c.has_run());
        assert!(!pod.containers[3].has_run());
        assert_eq!(pod.containers[2].state, State::Running);
    }
}
