//! What holds for every kind.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Form, Index, Kind, Settings, describe};

const KINDS: [(&str, &str); 22] = [
    ("v1", "Pod"),
    ("v1", "Node"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "PersistentVolume"),
    ("v1", "Service"),
    ("v1", "Endpoints"),
    ("v1", "Namespace"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Event"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("batch/v1beta1", "CronJob"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("networking.k8s.io/v1", "Ingress"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("example.com/v1", "Anything"),
];

fn settings(form: Form) -> Settings {
    Settings { now: "2026-11-22T08:00:00Z".parse().unwrap(), zone: TimeZone::UTC, form }
}

fn pod() -> Value {
    json!({
        "metadata": {"name": "web", "namespace": "blueking", "uid": "u", "labels": {"app": "web"},
            "annotations": {"a": "b"}, "deletionTimestamp": "2026-11-22T07:59:00Z",
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-1", "uid": "r", "controller": true}]},
        "spec": {"nodeName": "n", "tolerations": [{"key": "k", "operator": "Exists", "tolerationSeconds": 3}],
            "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "command": ["sh"], "resources": {"requests": {"cpu": "1e2147483647", "memory": "1Gi"}},
                "env": [{"name": "E", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                    {"name": "T", "value": "ünicode\nline"}],
                "livenessProbe": {"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}},
                "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "s"}]}],
            "volumes": [{"name": "v", "hostPath": {"path": "/"}},
                {"name": "p", "projected": {"sources": [{"serviceAccountToken": {}}]}}]},
        "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 1}}, "lastState": {}}]},
        "data": {"release": "=", "k": "====", "n": 5}
    })
}

/// `value` with one of its parts replaced, for every part and every replacement.
fn spoiled(value: &Value) -> Vec<Value> {
    let mut all =
        vec![json!(null), json!(-7), json!(1e300), json!("=\t\u{1b}"), json!([]), json!({}), json!([[{}]])];
    match value {
        Value::Object(fields) => {
            for (field, part) in fields {
                all.extend(spoiled(part).into_iter().map(|part| {
                    let mut whole = value.clone();
                    whole[field] = part;
                    whole
                }));
            }
        }
        Value::Array(elements) => {
            for (at, part) in elements.iter().enumerate() {
                all.extend(spoiled(part).into_iter().map(|part| {
                    let mut whole = value.clone();
                    whole[at] = part;
                    whole
                }));
            }
        }
        _ => {}
    }
    all
}

#[test]
fn no_object_of_any_shape_makes_it_fail() {
    let objects = spoiled(&pod());
    assert!(objects.len() > 500);
    for (api_version, kind) in KINDS {
        let kind = Kind { api_version, kind };
        for object in &objects {
            let mut index = Index::new();
            index.observe(kind, object);
            for form in [Form::Kubectl120, Form::Kubectl132] {
                let text = describe(kind, object, &index, &settings(form));
                assert!(text.contains("Name:"), "{kind:?}: {text}");
                assert!(!text.contains('\u{1b}'), "{kind:?}: {text}");
            }
        }
    }
}

#[test]
fn values_of_secrets_are_not_printed() {
    let secret = json!({"metadata": {"name": "s"}, "type": "kubernetes.io/service-account-token",
        "data": {"token": "aHVudGVyMg==", "ca.crt": "aHVudGVyMg=="}});
    let kind = Kind { api_version: "v1", kind: "Secret" };
    let text = describe(kind, &secret, &Index::new(), &settings(Form::default()));
    assert!(text.contains("token:   7 bytes"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("aHVu"), "{text}");
}

#[test]
fn what_was_not_collected_is_unknown_and_not_none() {
    let mut index = Index::new();
    index.events_missing("events is forbidden");
    index.pods_missing("pods is forbidden");
    let unknown = |api_version, kind, title: &str, what: &str| {
        let text = describe(Kind { api_version, kind }, &pod(), &index, &settings(Form::default()));
        let line = text.lines().find(|line| line.starts_with(title)).unwrap();
        assert!(line.ends_with(&format!("<unknown: {what} is forbidden>")), "{kind}: {line}");
    };
    unknown("v1", "Pod", "Events:", "events");
    unknown("v1", "Node", "Pods:", "pods");
    unknown("v1", "PersistentVolumeClaim", "Used By:", "pods");
    for kind in ["StatefulSet", "DaemonSet", "ReplicaSet"] {
        unknown("apps/v1", kind, "Pods Status:", "pods");
    }
}

#[test]
fn later_fields_are_shown_in_the_newer_form_only() {
    let pod = json!({"metadata": {"name": "p", "namespace": "n"},
        "spec": {"serviceAccountName": "runner", "runtimeClassName": "kata",
            "securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "p.json"}},
            "topologySpreadConstraints": [{"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
                "maxSkew": 1, "labelSelector": {"matchLabels": {"app": "web"}}}],
            "ephemeralContainers": [{"name": "debug", "image": "busybox"}]}});
    let kind = Kind { api_version: "v1", kind: "Pod" };
    let text = |form| describe(kind, &pod, &Index::new(), &settings(form));
    let newer = text(Form::Kubectl132);
    for line in [
        "Service Account:",
        "Runtime Class Name:",
        "LocalhostProfile:",
        "zone:DoNotSchedule when max skew 1 is exceeded for selector app=web",
        "Ephemeral Containers:\n  debug:",
    ] {
        assert!(newer.contains(line), "{line} is missing in\n{newer}");
    }
    assert!(!text(Form::Kubectl120).contains("Service Account:"));
}
