use serde_json::{Value, json};

use super::*;

fn settings(minor: u32) -> Settings {
    Settings { now: "2026-11-22T10:00:00Z".parse().unwrap(), minor, secrets_withheld: false }
}

fn kind<'a>(api_version: &'a str, kind: &'a str) -> Kind<'a> {
    Kind { api_version, kind }
}

/// A row as `COLUMN=cell`, the columns of `-o wide` left out.
fn narrow(api_version: &str, name: &str, object: &Value, minor: u32) -> Vec<String> {
    let of = kind(api_version, name);
    let (columns, cells) = (columns(of, settings(minor)), cells(of, object, settings(minor)));
    assert_eq!(columns.len(), cells.len());
    let shown = columns.iter().zip(cells).filter(|(column, _)| column.priority == 0);
    shown.map(|(column, cell)| format!("{}={}", column.name, cell.scalar())).collect()
}

fn pod(status: Value) -> Value {
    json!({"metadata": {"name": "web", "creationTimestamp": "2026-11-22T09:55:00Z"},
        "spec": {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}, {"name": "j"}]},
        "status": status})
}

fn status_of(status: Value) -> String {
    let row = narrow("v1", "Pod", &pod(status), 20);
    row[1..4].join(" ")
}

#[test]
fn a_pod_says_what_it_waits_for() {
    let container = |state: Value| json!({"name": "a", "restartCount": 2, "ready": false, "state": state});
    let phase = |fields: Value| {
        let mut status = json!({"phase": "Pending"});
        status.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        status_of(status)
    };
    assert_eq!(phase(json!({})), "Ready=0/2 Status=Pending Restarts=0");
    assert_eq!(phase(json!({"reason": "Evicted"})), "Ready=0/2 Status=Evicted Restarts=0");
    let init = |state: Value| phase(json!({"initContainerStatuses": [container(state)]}));
    assert_eq!(
        init(json!({"waiting": {"reason": "PodInitializing"}})),
        "Ready=0/2 Status=Init:0/2 Restarts=2"
    );
    assert_eq!(
        init(json!({"waiting": {"reason": "CrashLoopBackOff"}})),
        "Ready=0/2 Status=Init:CrashLoopBackOff Restarts=2"
    );
    assert_eq!(init(json!({"terminated": {"exitCode": 3}})), "Ready=0/2 Status=Init:ExitCode:3 Restarts=2");
    assert_eq!(
        init(json!({"terminated": {"exitCode": 3, "signal": 9}})),
        "Ready=0/2 Status=Init:Signal:9 Restarts=2"
    );
    // An init container that has ended well is passed over, and its restarts no longer count.
    assert_eq!(init(json!({"terminated": {"exitCode": 0}})), "Ready=0/2 Status=Pending Restarts=0");
    let ended = container(json!({"terminated": {"reason": "Completed", "exitCode": 0}}));
    let runs = json!({"name": "b", "ready": true, "restartCount": 1, "state": {"running": {}}});
    assert_eq!(phase(json!({"containerStatuses": [ended, runs]})), "Ready=1/2 Status=NotReady Restarts=3");
}

#[test]
fn a_pod_that_goes_is_terminating_unless_its_node_is_lost() {
    for (reason, minor, phase, wanted) in [
        ("", 20, "Running", "Status=Terminating"),
        ("NodeLost", 20, "Running", "Status=Unknown"),
        ("", 31, "Succeeded", "Status=Succeeded"),
        ("", 30, "Succeeded", "Status=Terminating"),
    ] {
        let mut pod = pod(json!({"phase": phase, "reason": reason}));
        pod["metadata"]["deletionTimestamp"] = "2026-11-22T09:59:00Z".into();
        assert_eq!(narrow("v1", "Pod", &pod, minor)[2], wanted, "{reason} {minor} {phase}");
    }
}

#[test]
fn newer_servers_say_when_a_container_was_last_restarted() {
    let status = json!({"phase": "Running", "containerStatuses": [{"name": "a", "ready": true, "restartCount": 5,
        "state": {"running": {}}, "lastState": {"terminated": {"finishedAt": "2026-11-22T09:57:00Z"}}}]});
    assert_eq!(narrow("v1", "Pod", &pod(status.clone()), 20)[3], "Restarts=5");
    assert_eq!(narrow("v1", "Pod", &pod(status), 32)[3], "Restarts=5 (3m ago)");
}

#[test]
fn columns_that_came_later_are_not_those_of_an_old_server() {
    let names = |minor| -> Vec<String> {
        columns(kind("batch/v1", "Job"), settings(minor)).into_iter().map(|c| c.name).collect()
    };
    assert_eq!(names(20)[1], "Completions");
    assert_eq!(names(30)[1..3], ["Status", "Completions"]);
}

#[test]
fn autoscalers_of_both_versions_print_alike() {
    let old = json!({"metadata": {"name": "a", "annotations": {"autoscaling.alpha.kubernetes.io/metrics":
            "[{\"type\":\"Pods\",\"pods\":{\"metricName\":\"qps\",\"targetAverageValue\":\"1k\"}}]"}},
        "spec": {"targetCPUUtilizationPercentage": 80, "maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web"}},
        "status": {"currentCPUUtilizationPercentage": 12}});
    let new = json!({"metadata": {"name": "a"}, "spec": {"maxReplicas": 3,
            "scaleTargetRef": {"kind": "Deployment", "name": "web"}, "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}},
            {"type": "Pods", "pods": {"metric": {"name": "qps"}, "target": {"averageValue": "1k"}}}]},
        "status": {"currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 12}}}]}});
    let rows = [("autoscaling/v1", old), ("autoscaling/v2", new)]
        .map(|(version, object)| narrow(version, "HorizontalPodAutoscaler", &object, 20));
    assert_eq!(rows[0], rows[1]);
    assert_eq!(rows[0][2], "Targets=12%/80%, <unknown>/1k");
}

#[test]
fn objects_of_any_shape_print_as_many_cells_as_there_are_columns() {
    let odd =
        [json!(null), json!([]), json!("x"), json!({"metadata": [], "spec": "x", "status": 5, "data": []})];
    for (version, name) in [
        ("v1", "Pod"),
        ("v1", "PodTemplate"),
        ("v1", "ReplicationController"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "ControllerRevision"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
        ("policy/v1", "PodDisruptionBudget"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("v1", "Service"),
        ("v1", "Endpoints"),
        ("discovery.k8s.io/v1", "EndpointSlice"),
        ("networking.k8s.io/v1", "Ingress"),
        ("networking.k8s.io/v1", "IngressClass"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("v1", "Node"),
        ("v1", "Namespace"),
        ("v1", "ComponentStatus"),
        ("coordination.k8s.io/v1", "Lease"),
        ("node.k8s.io/v1", "RuntimeClass"),
        ("v1", "Event"),
        ("v1", "PersistentVolume"),
        ("v1", "PersistentVolumeClaim"),
        ("storage.k8s.io/v1", "StorageClass"),
        ("storage.k8s.io/v1", "VolumeAttachment"),
        ("storage.k8s.io/v1", "CSINode"),
        ("storage.k8s.io/v1", "CSIDriver"),
        ("v1", "ConfigMap"),
        ("v1", "Secret"),
        ("v1", "ServiceAccount"),
        ("v1", "ResourceQuota"),
        ("scheduling.k8s.io/v1", "PriorityClass"),
        ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema"),
        ("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("certificates.k8s.io/v1", "CertificateSigningRequest"),
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
        ("policy/v1beta1", "PodSecurityPolicy"),
        ("apiregistration.k8s.io/v1", "APIService"),
        ("other/v1", "Other"),
    ] {
        for minor in [20, 22, 26, 30, NEWEST_MINOR] {
            let columns = columns(kind(version, name), settings(minor));
            assert!(columns.len() >= 2, "{name}");
            for object in &odd {
                assert_eq!(
                    cells(kind(version, name), object, settings(minor)).len(),
                    columns.len(),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn custom_resources_print_what_their_definition_says() {
    let definition = json!({"spec": {"versions": [{"name": "v1", "additionalPrinterColumns": [
        {"name": "Ready", "type": "string", "jsonPath": ".status.ready"},
        {"name": "Count", "type": "integer", "jsonPath": ".spec.count", "priority": 1},
        {"name": "Since", "type": "date", "jsonPath": ".status.since"},
        {"name": "Odd", "type": "boolean", "jsonPath": ".status.since"}]}]}});
    let printer = custom::Printer::new(&definition, "v1");
    let object = json!({"metadata": {"name": "x"}, "spec": {"count": 2.9},
        "status": {"ready": true, "since": "2026-11-22T09:00:00Z"}});
    assert_eq!(
        printer.cells(&object, settings(20)),
        [json!("x"), json!("true"), json!(2), json!("60m"), Value::Null]
    );
    assert_eq!(printer.columns()[2].priority, 1);
    let plain = custom::Printer::new(&definition, "v2");
    let names: Vec<String> = plain.columns().into_iter().map(|column| column.name).collect();
    assert_eq!(names, ["Name", "Age"]);
}
