//! Triage over small clusters built by hand; the shapes are those the API server gives.

use std::sync::Arc;

use serde_json::{Value, json};

use super::model::CauseKind;
use super::*;
use crate::snapshot::{FileId, Input, Known, Object, SourceFile};

/// A snapshot under construction.
pub(super) struct Cluster(Snapshot);

impl Cluster {
    pub(super) fn new() -> Self {
        let mut snapshot = Snapshot::default();
        snapshot.inputs.push(Input {
            path: "bundle".into(),
            layout: "casebook".into(),
            manifest: None,
            collected_at: "2024-05-01T12:00:00Z".parse().ok(),
            notes: Vec::new(),
        });
        snapshot.files.push(SourceFile::new("cluster-resources/all.json".into(), 0, "{}".into()));
        for list in ["pods", "services", "endpoints", "persistentvolumeclaims"] {
            snapshot.coverage.lists.insert((list.into(), None), Known::Whole);
        }
        Self(snapshot)
    }

    pub(super) fn with(mut self, collection: &str, value: Value) -> Self {
        let object = Object {
            value: Arc::new(value),
            file: FileId(0),
            line: 1,
            pointer: "/items/0".into(),
            partial: false,
        };
        self.0.objects.push(collection, object);
        self
    }

    pub(super) fn with_log(mut self, pod: &str, previous: bool, text: &str) -> Self {
        let file = FileId(self.0.files.len() as u32);
        self.0.files.push(SourceFile::new(format!("logs/{pod}{previous}.log"), 0, text.into()));
        self.0.texts.push(TextSource {
            file,
            range: 0..text.len(),
            kind: TextKind::Log,
            namespace: Some("shop".into()),
            pod: Some(pod.into()),
            container: Some("main".into()),
            previous,
            node: None,
            has_head: true,
            has_tail: true,
            has_middle: true,
        });
        self
    }

    pub(super) fn triage(&self) -> Triage {
        triage(&self.0)
    }
}

pub(super) fn pod(name: &str, status: Value) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": "2024-05-01T10:00:00Z",
            "labels": {"app": name},
            "ownerReferences": [{"kind": "StatefulSet", "name": name, "controller": true}]},
        "spec": {"nodeName": "n1", "containers": [{"name": "main", "image": "registry.example.com/shop/main:1"}]},
        "status": status,
    })
}

pub(super) fn waiting(reason: &str) -> Value {
    json!({"phase": "Pending", "containerStatuses": [{"name": "main", "restartCount": 3, "ready": false,
        "state": {"waiting": {"reason": reason, "message": "words of the runtime"}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2024-05-01T11:59:00Z"}}}]})
}

/// Of which nothing is known but the state, as from a table.
fn silent() -> Value {
    json!({"phase": "Pending", "containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "CreateContainerError"}}}]})
}

pub(super) fn healthy() -> Value {
    json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "podIP": "10.0.0.9",
        "containerStatuses": [{"name": "main", "restartCount": 0, "ready": true,
        "state": {"running": {"startedAt": "2024-05-01T10:00:00Z"}}}]})
}

#[test]
fn a_healthy_cluster_has_nothing_to_tell() {
    let triage = Cluster::new()
        .with("pods", pod("a", healthy()))
        .with("pods", pod("done", json!({"phase": "Succeeded"})))
        .with("statefulsets", json!({"metadata": {"name": "a", "namespace": "shop"}, "spec": {"replicas": 1}, "status": {"readyReplicas": 1}}))
        .triage();
    assert!(triage.groups.is_empty(), "{:#?}", triage.groups);
}

#[test]
fn pods_that_cannot_pull_share_their_registry() {
    let triage = Cluster::new()
        .with("pods", pod("a", waiting("ImagePullBackOff")))
        .with("pods", pod("b", waiting("ErrImagePull")))
        .triage();
    assert_eq!(triage.groups.len(), 1);
    assert_eq!(triage.groups[0].cause.kind, CauseKind::Registry);
    assert_eq!(triage.groups[0].cause.name, "registry.example.com");
    assert_eq!(triage.groups[0].problems.len(), 2);
}

#[test]
fn a_pending_pod_and_its_claim_share_the_class() {
    let mut pending = pod(
        "db",
        json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
            "message": "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."}]}),
    );
    pending["spec"]["volumes"] = json!([{"name": "d", "persistentVolumeClaim": {"claimName": "data-db"}}]);
    let triage = Cluster::new()
        .with("pods", pending)
        .with(
            "persistentvolumeclaims",
            json!({"metadata": {"name": "data-db", "namespace": "shop"}, "spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}}),
        )
        .triage();
    assert_eq!(triage.groups.len(), 1, "{:#?}", triage.groups);
    let group = &triage.groups[0];
    assert_eq!((group.cause.kind, group.cause.name.as_str()), (CauseKind::StorageClass, "fast"));
    let kinds: Vec<(&str, &str)> =
        group.edges.iter().map(|e| (e.from.kind.as_str(), e.to.kind.as_str())).collect();
    assert!(kinds.contains(&("Pod", "PersistentVolumeClaim")), "{kinds:?}");
    assert!(kinds.contains(&("PersistentVolumeClaim", "StorageClass")), "{kinds:?}");
}

#[test]
fn a_pod_that_blames_a_service_stands_under_what_ails_the_pods_behind_it() {
    let triage = Cluster::new()
        .with("pods", pod("web", waiting("CrashLoopBackOff")))
        .with("pods", pod("redis", waiting("ImagePullBackOff")))
        .with(
            "services",
            json!({"metadata": {"name": "redis", "namespace": "shop"}, "spec": {"clusterIP": "10.1.0.7", "selector": {"app": "redis"}}}),
        )
        .with_log("web", true, "starting\nE0501 11:58:59.000000 1 m.go:1] dial tcp 10.1.0.7:6379: connect: connection refused\n")
        .triage();
    assert_eq!(triage.groups.len(), 1, "{:#?}", triage.groups);
    let group = &triage.groups[0];
    assert_eq!(group.cause.kind, CauseKind::Registry);
    // The service itself, its pod and its caller.
    assert_eq!(group.problems.len(), 3);
    assert!(group.edges.iter().any(|e| e.relation == model::Relation::Calls && e.to.name == "redis"));
}

#[test]
fn a_dependency_outside_the_cluster_is_named_as_written() {
    let triage = Cluster::new()
        .with("pods", pod("web", waiting("CrashLoopBackOff")))
        .with_log("web", true, "ERROR dial tcp: lookup db.example.com on 10.1.0.10:53: no such host\n")
        .triage();
    let cause = &triage.groups[0].cause;
    assert_eq!((cause.kind, cause.name.as_str()), (CauseKind::Dependency, "db.example.com"));
    assert_eq!(triage.groups[0].problems[0].log[0].line, 1);
}

#[test]
fn a_node_that_is_down_gathers_its_pods() {
    let mut lost = pod("a", healthy());
    lost["status"]["containerStatuses"][0]["ready"] = json!(false);
    let triage = Cluster::new()
        .with("pods", lost)
        .with(
            "nodes",
            json!({"metadata": {"name": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}]}}),
        )
        .triage();
    assert_eq!(triage.groups.len(), 1);
    assert_eq!(triage.groups[0].cause.kind, CauseKind::Node);
    assert_eq!(triage.groups[0].problems[0].subject.kind, "Node");
    assert_eq!(triage.groups[0].title.en, "Node n1: NotReady, and 1 object in trouble on it");
}

#[test]
fn a_node_in_trouble_by_itself_is_not_an_object_on_a_node() {
    let node = json!({"metadata": {"name": "n1"}, "status": {"conditions": [
        {"type": "Ready", "status": "True"}, {"type": "MemoryPressure", "status": "True"}]}});
    let triage = Cluster::new().with("nodes", node).triage();
    assert_eq!(triage.groups[0].title.zh, "节点 n1：MemoryPressure");
}

#[test]
fn a_pod_that_a_table_shows_terminating_is_not_unknown() {
    let table = "NAME    READY   STATUS        RESTARTS   AGE\nweb-0   0/2     Terminating   0          2s\n\
        web-1   0/1     Unknown       0          2s\n";
    let snapshot = crate::intake::from_files(vec![("texts/a.txt".into(), table.into())], Vec::new());
    let triage = crate::triage::triage(&snapshot);
    let told: Vec<&str> = triage.groups.iter().map(|group| group.title.en.as_str()).collect();
    assert_eq!(told, ["web-1: Unknown"]);
}

#[test]
fn pods_refused_by_a_quota_are_seen_at_the_replica_set() {
    let triage = Cluster::new()
        .with(
            "deployments",
            json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 2},
                "status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: compute, requested"}]}}),
        )
        .with(
            "replicasets",
            json!({"metadata": {"name": "web-1", "namespace": "shop", "ownerReferences": [{"kind": "Deployment", "name": "web", "controller": true}]},
                "spec": {"replicas": 2}, "status": {"replicas": 0, "conditions": [{"type": "ReplicaFailure", "status": "True",
                "message": "pods \"web-1-\" is forbidden: exceeded quota: compute, requested: cpu=1"}]}}),
        )
        .triage();
    assert_eq!(triage.groups.len(), 1, "{:#?}", triage.groups);
    assert_eq!(triage.groups[0].cause.name, "ResourceQuota shop/compute");
    assert_eq!(triage.groups[0].problems.len(), 1);
    assert_eq!(triage.groups[0].problems[0].subject.kind, "ReplicaSet");
}

#[test]
fn a_pasted_table_tells_of_workloads_whose_pods_it_does_not_show() {
    let table = "NAME   READY   UP-TO-DATE   AVAILABLE   AGE\nweb    0/1     1            0           34m\n\
        api    1/2     2            1           34m\nfine   1/1     1            1           34m\n\n\
        NAME                   READY   STATUS             RESTARTS   AGE\n\
        api-7c67c65579-kdf9r   0/1     CrashLoopBackOff   12         34m\n";
    let snapshot = crate::intake::from_files(vec![("texts/a.txt".into(), table.into())], Vec::new());
    let triage = crate::triage::triage(&snapshot);
    let mut told: Vec<_> = triage
        .groups
        .iter()
        .flat_map(|group| &group.problems)
        .map(|problem| (problem.subject.kind.as_str(), problem.state.as_str()))
        .collect();
    told.sort_unstable();
    assert_eq!(told, [("Deployment", "0/1 ready"), ("Pod", "CrashLoopBackOff")]);
}

#[test]
fn a_release_in_trouble_stands_with_its_pods() {
    let mut broken = pod("web", waiting("CrashLoopBackOff"));
    broken["metadata"]["labels"] =
        json!({"app.kubernetes.io/instance": "shop", "app.kubernetes.io/managed-by": "Helm"});
    let triage = Cluster::new()
        .with("pods", broken)
        .with(
            "helm.releases",
            json!({"name": "shop", "namespace": "shop", "status": "failed", "revision": 2}),
        )
        .triage();
    assert_eq!(triage.groups.len(), 1, "{:#?}", triage.groups);
    assert_eq!(triage.groups[0].problems.len(), 2);
}

#[test]
fn a_service_scaled_to_nothing_is_no_problem_and_one_with_a_wrong_selector_is() {
    let service = |name: &str, app: &str| json!({"metadata": {"name": name, "namespace": "shop"}, "spec": {"selector": {"app": app}}});
    let triage = Cluster::new()
        .with("services", service("zero", "zero"))
        .with("services", service("typo", "typo"))
        .with(
            "deployments",
            json!({"metadata": {"name": "zero", "namespace": "shop"}, "spec": {"replicas": 0, "template": {"metadata": {"labels": {"app": "zero"}}}}, "status": {}}),
        )
        .triage();
    let names: Vec<&str> = triage.groups.iter().map(|g| g.problems[0].subject.name.as_str()).collect();
    assert_eq!(names, ["typo"]);
}

#[test]
fn old_restarts_are_forgiven_and_recent_ones_told() {
    let restarted = |at: &str| {
        let mut status = healthy();
        status["containerStatuses"][0]["restartCount"] = json!(1);
        status["containerStatuses"][0]["lastState"] =
            json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": at}});
        status
    };
    let old = Cluster::new().with("pods", pod("a", restarted("2024-04-01T00:00:00Z"))).triage();
    assert!(old.groups.is_empty());
    let recent = Cluster::new().with("pods", pod("a", restarted("2024-05-01T11:50:00Z"))).triage();
    assert_eq!(recent.groups[0].problems[0].state, "Restarting");
    assert_eq!(recent.groups[0].problems[0].message.as_deref(), Some("OOMKilled (exit 137)"));
}

#[test]
fn a_node_stands_out_only_against_the_others() {
    let on = |node: &str, name: &str, status: Value| {
        let mut pod = pod(name, status);
        pod["spec"]["nodeName"] = json!(node);
        pod
    };
    let mut cluster = Cluster::new();
    for name in ["a", "b", "c"] {
        cluster = cluster.with("pods", on("n1", name, waiting("CrashLoopBackOff")));
    }
    let kind = |triage: model::Triage| triage.groups[0].cause.kind;
    // Everything that there is runs on it.
    assert_ne!(kind(cluster.triage()), CauseKind::Node);
    let mut cluster = Cluster::new();
    for name in ["a", "b", "c"] {
        cluster = cluster.with("pods", on("n1", name, waiting("CrashLoopBackOff")));
    }
    for name in ["d", "e", "f"] {
        cluster = cluster.with("pods", on("n2", name, healthy()));
    }
    assert_eq!(kind(cluster.triage()), CauseKind::Node);
}

#[test]
fn workloads_of_which_only_the_state_is_known_are_one_group() {
    let mut cluster = Cluster::new();
    for name in ["a", "b", "c"] {
        cluster = cluster.with("pods", pod(name, silent()));
    }
    let triage = cluster.triage();
    assert_eq!(triage.groups.len(), 1, "{:#?}", triage.groups);
    assert_eq!(triage.groups[0].cause.kind, CauseKind::State);
    assert_eq!(triage.groups[0].command.as_deref(), Some("kubectl describe pod -n shop a"));
}

#[test]
fn one_case_in_a_state_explains_not_the_others() {
    let mut cluster = Cluster::new();
    for name in ["a", "b", "c"] {
        cluster = cluster.with("pods", pod(name, silent()));
    }
    let mut triage = cluster.triage();
    let mut finding = crate::report::tests::sample().findings.remove(0);
    finding.subjects.truncate(1);
    finding.subjects[0].name = "a".into();
    link_cases(&mut triage, std::slice::from_ref(&finding));
    assert_eq!((triage.groups[0].cases.len(), triage.groups[0].explained), (1, false));
    let one = finding.subjects[0].clone();
    finding
        .subjects
        .extend(["b", "c"].map(|name| crate::report::model::Subject { name: name.into(), ..one.clone() }));
    link_cases(&mut triage, &[finding]);
    assert!(triage.groups[0].explained);
}

/// Ended as docker and containerd leave what ran when the node went down.
fn swept_away(name: &str, reason: &str, at: &str) -> Value {
    let mut pod = pod(name, healthy());
    let status = &mut pod["status"]["containerStatuses"][0];
    status["restartCount"] = json!(1);
    status["lastState"] = json!({"terminated": {"reason": reason, "exitCode": 255, "finishedAt": at}});
    pod
}

#[test]
fn what_ended_when_its_node_restarted_is_one_group() {
    for reason in ["Error", "Unknown", "ContainerStatusUnknown"] {
        let mut cluster = Cluster::new();
        for (name, second) in [("a", 3), ("b", 3), ("c", 9), ("d", 31)] {
            let at = format!("2024-05-01T11:50:{second:02}Z");
            cluster = cluster.with("pods", swept_away(name, reason, &at));
        }
        // One that ends by itself is no part of it, and neither is one that ended at another time.
        let mut own = swept_away("own", "Error", "2024-05-01T11:50:04Z");
        own["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] = json!(1);
        cluster = cluster.with("pods", own).with("pods", swept_away("late", reason, "2024-05-01T11:57:00Z"));
        let triage = cluster.triage();
        let reboot = &triage.groups[0];
        assert_eq!(reboot.cause.kind, CauseKind::Reboot, "{reason}");
        assert_eq!(reboot.cause.name, "n1 2024-05-01T11:50:03Z");
        assert_eq!(reboot.problems.len(), 4);
        assert!(reboot.title.en.contains("Node n1 restarted"), "{}", reboot.title.en);
    }
}

#[test]
fn two_that_end_at_once_are_no_restart_of_a_node() {
    let at = "2024-05-01T11:50:03Z";
    let cluster =
        Cluster::new().with("pods", swept_away("a", "Error", at)).with("pods", swept_away("b", "Error", at));
    assert!(cluster.triage().groups.iter().all(|group| group.cause.kind != CauseKind::Reboot));
}
