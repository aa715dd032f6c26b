//! Small clusters in which something waits for something else.

use serde_json::{Value, json};

use crate::triage::model::{CauseKind, Group, Relation, Triage};
use crate::triage::tests::{Cluster, healthy, pod, waiting};

/// What waits in a group: its name, what it waits for. A service without endpoints waits for its pods, which is no news.
fn waits(group: &Group) -> Vec<(&str, &str)> {
    let waiting = group.problems.iter().filter(|problem| problem.subject.kind != "Service");
    let waiting = waiting.filter_map(|problem| {
        Some((problem.subject.name.as_str(), problem.waits_for.as_ref()?.on.name.as_str()))
    });
    waiting.collect()
}

fn own(group: &Group) -> Vec<&str> {
    let own = group.problems.iter().filter(|problem| problem.waits_for.is_none());
    own.map(|problem| problem.subject.name.as_str()).collect()
}

fn service(namespace: &str, name: &str, app: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": namespace}, "spec": {"selector": {"app": app}}})
}

fn on(mut pod: Value, namespace: &str, node: &str) -> Value {
    pod["metadata"]["namespace"] = json!(namespace);
    pod["spec"]["nodeName"] = json!(node);
    pod
}

fn in_init(name: &str, env: &str) -> Value {
    let mut pod = pod(
        name,
        json!({"phase": "Pending", "initContainerStatuses": [{"name": "wait", "restartCount": 0, "ready": false,
            "state": {"running": {"startedAt": "2024-05-01T10:00:00Z"}}}]}),
    );
    pod["spec"]["initContainers"] = json!([{"name": "wait", "image": "busybox", "args": ["sh", "-c", env]}]);
    pod
}

fn pending(name: &str, claim: &str) -> Value {
    let mut pod = pod(
        name,
        json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
            "message": "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."}]}),
    );
    pod["spec"]["volumes"] = json!([{"name": "d", "persistentVolumeClaim": {"claimName": claim}}]);
    pod["spec"].as_object_mut().unwrap().remove("nodeName");
    pod
}

fn claim(name: &str, class: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop"}, "spec": {"storageClassName": class}, "status": {"phase": "Pending"}})
}

fn creating(name: &str) -> Value {
    pod(
        name,
        json!({"phase": "Pending", "startTime": "2024-05-01T10:00:00Z", "conditions": [{"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [{"name": "main", "restartCount": 0, "ready": false, "state": {"waiting": {"reason": "ContainerCreating"}}}]}),
    )
}

/// The agent of a network plugin on a node.
fn network(name: &str, node: &str, status: Value) -> Value {
    let mut pod = on(pod(name, status), "net", node);
    pod["spec"]["hostNetwork"] = json!(true);
    pod["spec"]["volumes"] = json!([{"name": "cni", "hostPath": {"path": "/etc/cni/net.d"}}]);
    pod
}

fn labelled(mut pod: Value, release: &str) -> Value {
    pod["metadata"]["labels"]["app.kubernetes.io/instance"] = json!(release);
    pod["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("Helm");
    pod
}

fn node(name: &str, ready: &str, message: &str) -> Value {
    json!({"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready, "message": message}]}})
}

#[test]
fn a_release_leads_with_the_claim_of_its_database() {
    let mut cluster = Cluster::new()
        .with("pods", labelled(pending("db", "data-db"), "store"))
        .with("persistentvolumeclaims", claim("data-db", "fast"))
        .with("services", service("shop", "store-db", "db"))
        .with(
            "helm.releases",
            json!({"name": "store", "namespace": "shop", "status": "failed", "description": "Release \"store\" failed: context deadline exceeded"}),
        );
    for name in ["web", "api", "job"] {
        cluster = cluster
            .with("pods", labelled(in_init(name, "until nc -z store-db 3306; do sleep 2; done"), "store"));
    }
    let triage = cluster.triage();
    assert_eq!(triage.groups.len(), 1, "{:#?}", triage.groups);
    let group = &triage.groups[0];
    assert_eq!((group.cause.kind, group.cause.name.as_str()), (CauseKind::StorageClass, "fast"));
    assert_eq!(own(group), ["data-db"]);
    let waits = waits(group);
    for (name, on) in [("db", "data-db"), ("web", "db"), ("api", "db"), ("job", "db"), ("store", "db")] {
        assert!(waits.contains(&(name, on)), "{name}: {waits:?}");
    }
    assert_eq!(waits.len(), 5, "each once");
    assert!(group.title.en.ends_with("; 6 more wait for it"), "with the service: {}", group.title.en);
}

#[test]
fn a_service_is_found_in_environment_arguments_and_config() {
    let names = |pod: Value, config: &str| {
        let triage = Cluster::new()
            .with("pods", pod)
            .with("pods", pod_named("queue", waiting("ImagePullBackOff")))
            .with("services", service("mq", "queue", "queue"))
            .with(
                "configmaps",
                json!({"metadata": {"name": "app", "namespace": "shop"}, "data": {"app.toml": config}}),
            )
            .triage();
        triage.groups.iter().filter(|group| !waits(group).is_empty()).count()
    };
    let client = |field: &str, value: Value| {
        let mut pod = pod("web", waiting("CrashLoopBackOff"));
        pod["spec"]["containers"][0][field] = value;
        pod
    };
    assert_eq!(names(client("env", json!([{"name": "A", "value": "amqp://u@queue.mq:5672/"}])), ""), 1);
    assert_eq!(names(client("args", json!(["--broker=queue.mq.svc.cluster.local:5672"])), ""), 1);
    assert_eq!(
        names(client("envFrom", json!([{"configMapRef": {"name": "app"}}])), "broker = 'queue.mq.svc:5672'"),
        1
    );
    let mut mounted = pod("web", waiting("CrashLoopBackOff"));
    mounted["spec"]["volumes"] = json!([{"name": "c", "configMap": {"name": "app"}}]);
    assert_eq!(names(mounted.clone(), "broker = 'queue.mq.svc:5672'"), 1);
    assert_eq!(names(mounted, "broker = 'queue.elsewhere.svc:5672'"), 0, "another namespace");
    fn pod_named(name: &str, status: Value) -> Value {
        on(pod(name, status), "mq", "n2")
    }
}

#[test]
fn a_fault_of_its_own_waits_for_nobody() {
    let client = |status: Value, log: &str| {
        let mut pod = pod("web", status);
        pod["spec"]["containers"][0]["env"] = json!([{"name": "DB", "value": "db"}]);
        let triage = Cluster::new()
            .with("pods", pod)
            .with("pods", pending("db", "data"))
            .with("persistentvolumeclaims", claim("data", "fast"))
            .with("services", service("shop", "db", "db"))
            .with_log("web", true, log)
            .triage();
        triage.groups.iter().flat_map(|group| waits(group)).any(|(name, _)| name == "web")
    };
    assert!(client(waiting("CrashLoopBackOff"), "starting\n"));
    assert!(client(waiting("CrashLoopBackOff"), "ERROR could not connect: connection refused\n"));
    assert!(!client(waiting("CrashLoopBackOff"), "FATAL no licence key in /etc/app.ini\n"));
    let mut killed = waiting("CrashLoopBackOff");
    killed["containerStatuses"][0]["lastState"]["terminated"]["reason"] = json!("OOMKilled");
    assert!(!client(killed, ""));
    assert!(!client(waiting("ImagePullBackOff"), ""));
    assert!(!client(waiting("CreateContainerConfigError"), ""));
}

#[test]
fn a_network_that_does_not_come_up_is_one_cause() {
    let triage = Cluster::new()
        .with("pods", network("agent-a", "n1", waiting("CrashLoopBackOff")))
        .with("pods", network("agent-b", "n2", healthy()))
        .with("pods", creating("web"))
        .with("pods", creating("api"))
        .with("pods", on(creating("elsewhere"), "shop", "n2"))
        .triage();
    let group = &triage.groups[0];
    assert_eq!(own(group), ["agent-a"]);
    assert_eq!(waits(group), [("api", "agent-a"), ("web", "agent-a")]);
    assert_eq!(group.problems[1].waits_for.as_ref().unwrap().relation, Relation::NetworkedBy);
    assert_eq!(triage.groups.len(), 2, "the network of the other node does its work");
}

#[test]
fn a_table_of_names_tells_who_waits_for_the_network() {
    let table = "NAMESPACE     NAME                READY   STATUS              RESTARTS        AGE\n\
        kube-system   kube-flannel-ds-x   0/1     CrashLoopBackOff    12 (2m ago)     40m\n\
        shop          web-5d9c-abcde      0/1     ContainerCreating   0               38m\n";
    let snapshot = crate::intake::from_files(vec![("texts/a.txt".into(), table.into())], Vec::new());
    let triage: Triage = crate::triage::triage(&snapshot);
    assert_eq!(triage.groups.len(), 1, "{:#?}", triage.groups);
    assert_eq!(waits(&triage.groups[0]), [("web-5d9c-abcde", "kube-flannel-ds-x")]);
}

#[test]
fn a_node_without_network_waits_for_its_agent() {
    let triage = Cluster::new()
        .with("nodes", node("n1", "False", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized"))
        .with("pods", network("agent-a", "n1", waiting("ImagePullBackOff")))
        .with("pods", creating("web"))
        .triage();
    assert_eq!(triage.groups.len(), 1, "{:#?}", triage.groups);
    let group = &triage.groups[0];
    assert_eq!(group.cause.kind, CauseKind::Registry);
    assert_eq!(own(group), ["agent-a"]);
    assert_eq!(waits(group), [("n1", "agent-a"), ("web", "n1")]);
}

#[test]
fn names_that_nobody_resolves_are_the_resolvers_trouble() {
    let cluster = |dns: Value| {
        let mut dns_pod = on(pod("dns-0", dns), "kube-system", "n1");
        dns_pod["metadata"]["labels"]["k8s-app"] = json!("kube-dns");
        let mut cluster = Cluster::new().with("pods", dns_pod);
        for (name, line) in [
            ("a", "ERROR dial tcp: lookup api.example.com on 10.96.0.10:53: no such host"),
            ("b", "Error: getaddrinfo EAI_AGAIN redis"),
            ("c", "java.net.UnknownHostException: kafka.example.org"),
            ("d", "socket.gaierror: [Errno -3] Temporary failure in name resolution"),
            (
                "e",
                "psql: error: could not translate host name \"pg.example.net\" to address: Name or service not known",
            ),
        ] {
            cluster = cluster.with("pods", pod(name, waiting("CrashLoopBackOff"))).with_log(
                name,
                true,
                &format!("{line}\n"),
            );
        }
        cluster.triage()
    };
    let down = cluster(waiting("CrashLoopBackOff"));
    assert_eq!(down.groups.len(), 1, "{:#?}", down.groups);
    assert_eq!(own(&down.groups[0]), ["dns-0"]);
    assert_eq!(waits(&down.groups[0]).len(), 5);
    let up = cluster(healthy());
    assert!(
        up.groups.iter().all(|group| waits(group).is_empty()),
        "a name that does not exist is nobody's trouble"
    );
}

#[test]
fn a_webhook_that_cannot_be_called_keeps_pods_from_being_made() {
    let refusal = r#"Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: Post "https://gate.policy.svc:443/check?timeout=10s": no endpoints available for service "gate""#;
    let triage = Cluster::new()
        .with("services", service("policy", "gate", "gate"))
        .with("pods", on(pod("gate", waiting("CrashLoopBackOff")), "policy", "n1"))
        .with(
            "replicasets",
            json!({"metadata": {"name": "web-1", "namespace": "shop"}, "spec": {"replicas": 2}, "status": {"replicas": 0,
                "conditions": [{"type": "ReplicaFailure", "status": "True", "message": refusal}]}}),
        )
        .triage();
    let group = &triage.groups[0];
    assert!(waits(group).contains(&("web-1", "gate")), "{:#?}", triage.groups);
    assert_eq!(triage.groups.len(), 1);
}

#[test]
fn a_claim_waits_for_its_provisioner() {
    let mut provisioner = on(pod("nfs-provisioner", waiting("ErrImagePull")), "storage", "n1");
    provisioner["spec"]["containers"][0]["env"] =
        json!([{"name": "PROVISIONER_NAME", "value": "example.com/nfs"}]);
    let triage = Cluster::new()
        .with("storageclasses", json!({"metadata": {"name": "fast"}, "provisioner": "example.com/nfs"}))
        .with("persistentvolumeclaims", claim("data-db", "fast"))
        .with("pods", pending("db", "data-db"))
        .with("pods", provisioner)
        .triage();
    assert_eq!(triage.groups.len(), 1, "{:#?}", triage.groups);
    assert_eq!(own(&triage.groups[0]), ["nfs-provisioner"]);
    assert_eq!(waits(&triage.groups[0]), [("data-db", "nfs-provisioner"), ("db", "data-db")]);
}

#[test]
fn an_extension_api_waits_for_its_server_and_its_users_for_it() {
    let triage = Cluster::new()
        .with("apiservices", json!({"kind": "APIService", "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {"service": {"name": "metrics", "namespace": "shop"}},
            "status": {"conditions": [{"type": "Available", "status": "False", "reason": "MissingEndpoints", "lastTransitionTime": "2024-05-01T10:00:00Z"}]}}))
        .with("services", service("shop", "metrics", "metrics"))
        .with("pods", pod("metrics", waiting("CrashLoopBackOff")))
        .with("horizontalpodautoscalers", json!({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "shop"},
            "status": {"conditions": [{"type": "ScalingActive", "status": "False", "lastTransitionTime": "2024-05-01T10:00:00Z",
                "message": "unable to get metrics for resource cpu: the server is currently unable to handle the request (get pods.metrics.k8s.io)"}]}}))
        .triage();
    assert_eq!(triage.groups.len(), 1, "{:#?}", triage.groups);
    let waits = waits(&triage.groups[0]);
    assert!(waits.contains(&("v1beta1.metrics.k8s.io", "metrics")), "{waits:?}");
    assert!(waits.contains(&("web", "v1beta1.metrics.k8s.io")), "{waits:?}");
}

#[test]
fn a_node_that_is_down_keeps_its_pods_waiting() {
    let mut cluster =
        Cluster::new().with("nodes", node("n1", "Unknown", "Kubelet stopped posting node status."));
    for number in 0..12 {
        let mut lost = pod(&format!("app-{number}"), healthy());
        lost["status"]["containerStatuses"][0]["ready"] = json!(false);
        cluster = cluster.with("pods", lost);
    }
    let triage = cluster.triage();
    assert_eq!(triage.groups.len(), 1);
    assert_eq!(own(&triage.groups[0]), ["n1"]);
    assert_eq!(waits(&triage.groups[0]).len(), 12);
    assert_eq!(triage.groups[0].title.en, "Node n1: NotReady, and 12 objects in trouble on it");
}

#[test]
fn a_service_with_one_pod_that_is_well_keeps_nobody_waiting() {
    let mut other = pod("db", healthy());
    other["metadata"]["name"] = json!("db-1");
    let mut client = pod("web", waiting("CrashLoopBackOff"));
    client["spec"]["containers"][0]["env"] = json!([{"name": "DB", "value": "db:5432"}]);
    let triage = Cluster::new()
        .with("pods", client)
        .with("pods", pod("db", waiting("ErrImagePull")))
        .with("pods", other)
        .with("services", service("shop", "db", "db"))
        .with("endpoints", json!({"metadata": {"name": "db", "namespace": "shop"}, "subsets": [{"addresses": [{"ip": "10.0.0.9"}]}]}))
        .triage();
    assert!(triage.groups.iter().all(|group| waits(group).is_empty()), "{:#?}", triage.groups);
}

#[test]
fn two_independent_troubles_stay_two() {
    let triage = Cluster::new()
        .with("pods", in_init("web", "until nc -z db 3306; do sleep 2; done"))
        .with("pods", pending("db", "data-db"))
        .with("persistentvolumeclaims", claim("data-db", "fast"))
        .with("services", service("shop", "db", "db"))
        .with("pods", pod("mail", waiting("ImagePullBackOff")))
        .triage();
    let kinds: Vec<CauseKind> = triage.groups.iter().map(|group| group.cause.kind).collect();
    assert_eq!(kinds, [CauseKind::StorageClass, CauseKind::Registry]);
}

#[test]
fn a_circle_has_no_first() {
    let client = |name: &str, of: &str| {
        let mut pod = pod(name, waiting("CrashLoopBackOff"));
        pod["spec"]["containers"][0]["env"] = json!([{"name": "PEER", "value": of}]);
        pod
    };
    let circle = || {
        Cluster::new()
            .with("pods", client("peer-a", "peer-b"))
            .with("pods", client("peer-b", "peer-c"))
            .with("pods", client("peer-c", "peer-a"))
            .with("services", service("shop", "peer-a", "peer-a"))
            .with("services", service("shop", "peer-b", "peer-b"))
            .with("services", service("shop", "peer-c", "peer-c"))
    };
    let triage = circle().triage();
    assert!(triage.groups.iter().all(|group| waits(group).is_empty()), "{:#?}", triage.groups);
    // Who hangs on the circle waits for one in it, and what a log says outweighs what is configured.
    let triage = circle()
        .with("pods", client("peer-d", "peer-a"))
        .with_log("peer-b", true, "ERROR dial tcp: lookup peer-c.shop.svc on 10.96.0.10:53: no such host\n")
        .triage();
    let waits: Vec<_> = triage.groups.iter().flat_map(waits).collect();
    assert!(waits.contains(&("peer-d", "peer-a")) && waits.contains(&("peer-b", "peer-c")), "{waits:?}");
    assert!(!waits.iter().any(|(name, _)| *name == "peer-c" || *name == "peer-a"), "{waits:?}");
}
