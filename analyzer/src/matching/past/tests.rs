use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::intake;
use crate::matching::{Findings, run};
use crate::rules::RuleSet;

static RULES: LazyLock<RuleSet> = LazyLock::new(|| RuleSet::load(&[]).expect("the built-in rules load"));

const NOW: &str = "2026-03-04T12:00:00Z";
const OLD: &str = "2026-03-04T10:30:00Z";
const READY: &str = "2026-03-04T10:40:00Z";
const RECENT: &str = "2026-03-04T11:58:00Z";

/// Warnings of all steps of a pod's course, with the step in which a pod that has it today hangs.
const WARNINGS: &[(&str, &str)] = &[
    ("FailedScheduling", "0/3 nodes are available: 3 Insufficient memory."),
    ("FailedScheduling", "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."),
    ("FailedScheduling", "0/3 nodes are available: 3 node(s) had untolerated taint {pool: gpu}."),
    (
        "FailedScheduling",
        "0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports.",
    ),
    ("FailedMount", "MountVolume.SetUp failed for volume \"cfg\" : configmap \"app-cfg\" not found"),
    ("FailedMount", "MountVolume.SetUp failed for volume \"tls\" : secret \"app-tls\" not found"),
    (
        "FailedMount",
        "MountVolume.SetUp failed for volume \"data\" : mount failed: exit status 32 Output: mount.nfs: access denied by server while mounting 10.2.0.9:/srv/data",
    ),
    (
        "FailedAttachVolume",
        "Multi-Attach error for volume \"pvc-5a\" Volume is already exclusively attached to one node and can't be attached to another",
    ),
    (
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \"4f\": plugin type=\"calico\" failed (add): stat /var/lib/calico/nodename: no such file or directory",
    ),
    (
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image \"reg.example/pause:3.9\": dial tcp 10.9.9.9:443: i/o timeout",
    ),
    (
        "Failed",
        "Failed to pull image \"reg.example/shop/web:7\": rpc error: code = Unknown desc = Get \"https://reg.example/v2/\": dial tcp: lookup reg.example on 10.2.0.2:53: no such host",
    ),
    (
        "Failed",
        "Failed to pull image \"reg.example/shop/web:7\": rpc error: code = NotFound desc = reg.example/shop/web:7: not found",
    ),
    (
        "Failed",
        "Failed to pull image \"reg.example/shop/web:7\": x509: certificate signed by unknown authority",
    ),
    ("Failed", "Error: ImagePullBackOff"),
    ("Failed", "Error: secret \"app-env\" not found"),
    (
        "Failed",
        "Error: failed to start container \"web\": exec: \"/run.sh\": stat /run.sh: no such file or directory",
    ),
    ("BackOff", "Back-off restarting failed container"),
    ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
    ("Unhealthy", "Liveness probe failed: Get \"http://10.2.3.4:8080/live\": context deadline exceeded"),
];

const DNS: &str = "Failed to pull image \"reg.example/shop/web:7\": rpc error: code = Unknown desc = Get \"https://reg.example/v2/\": dial tcp: lookup reg.example on 10.2.0.2:53: no such host";
const MOUNT: &str = "MountVolume.SetUp failed for volume \"cfg\" : configmap \"app-cfg\" not found";

fn event(kind: &str, name: &str, reason: &str, message: &str, count: u64, last: &str) -> Value {
    let mut about = json!({"kind": kind, "namespace": "shop", "name": name, "uid": format!("uid-{name}")});
    if kind == "Pod" && matches!(reason, "Failed" | "BackOff" | "Unhealthy" | "Pulled" | "Started") {
        about["fieldPath"] = json!("spec.containers{web}");
    }
    json!({
        "metadata": {"namespace": "shop", "name": format!("{name}.{reason}.{}", message.len())},
        "involvedObject": about, "type": "Warning", "reason": reason, "message": message, "count": count,
        "firstTimestamp": "2026-03-04T10:00:00Z", "lastTimestamp": last, "source": {"component": "kubelet"}
    })
}

fn pod(name: &str, state: &str) -> Value {
    let mut pod = json!({
        "metadata": {"namespace": "shop", "name": name, "uid": format!("uid-{name}"),
            "creationTimestamp": "2026-03-04T10:00:00Z"},
        "spec": {"nodeName": "n1", "containers": [{"name": "web", "image": "reg.example/shop/web:7"}]},
    });
    let status = match state {
        "ready" => json!({"phase": "Running",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": READY}],
            "containerStatuses": [{"name": "web", "ready": true, "restartCount": 0, "image": "reg.example/shop/web:7",
                "state": {"running": {"startedAt": "2026-03-04T10:39:00Z"}}}]}),
        "done" => json!({"phase": "Succeeded", "containerStatuses": [{"name": "web", "ready": false,
            "restartCount": 2, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]}),
        "failed" => json!({"phase": "Failed", "containerStatuses": [{"name": "web", "ready": false,
            "restartCount": 0, "state": {"terminated": {"exitCode": 1, "reason": "Error",
                "startedAt": OLD, "finishedAt": OLD}}}]}),
        "pending" => {
            pod["spec"].as_object_mut().expect("an object").remove("nodeName");
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False"}]})
        }
        reason => json!({"phase": "Pending",
            "conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-03-04T10:00:00Z"},
                {"type": "Ready", "status": "False", "lastTransitionTime": "2026-03-04T10:00:00Z"}],
            "containerStatuses": [{"name": "web", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": reason}}}]}),
    };
    pod["status"] = status;
    pod
}

fn list(items: Vec<Value>) -> Vec<u8> {
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string().into_bytes()
}

/// What is found in a bundle with these lists, all of them read whole.
fn found(lists: Vec<(&str, Vec<Value>)>, logs: &[(&str, &str)]) -> Findings {
    let files = lists
        .into_iter()
        .map(|(plural, items)| (format!("cluster-resources/{plural}/shop.json"), list(items)));
    let logs = logs
        .iter()
        .map(|(path, text)| (format!("cluster-resources/pods/logs/{path}"), text.as_bytes().to_vec()));
    let mut snapshot = intake::from_files(files.chain(logs).collect(), Vec::new());
    for input in &mut snapshot.inputs {
        input.collected_at = NOW.parse().ok();
    }
    run(&RULES, &snapshot)
}

fn cases(found: &Findings) -> Vec<&str> {
    found.findings.iter().map(|finding| finding.case.as_str()).collect()
}

fn events(count: u64, last: &str) -> Vec<Value> {
    let of = |(reason, message): &(&str, &str)| event("Pod", "web-0", reason, message, count, last);
    WARNINGS.iter().map(of).collect()
}

#[test]
fn nothing_that_was_ever_warned_of_is_said_of_a_pod_that_is_well_done_or_gone() {
    for pods in [vec![pod("web-0", "ready")], vec![pod("web-0", "done")], vec![pod("other-0", "ready")]] {
        let found = found(vec![("pods", pods), ("events", events(45, OLD))], &[]);
        assert_eq!(cases(&found), Vec::<&str>::new());
        assert!(found.earlier.len() > 5 && found.earlier.iter().all(|finding| finding.past));
    }
}

#[test]
fn each_of_them_is_said_of_a_pod_that_has_it_still() {
    for (reason, message) in WARNINGS.iter().filter(|(reason, message)| {
        *reason != "Unhealthy" && !message.contains("ack-off") && !message.contains("BackOff")
    }) {
        let state = match *reason {
            "FailedScheduling" => "pending",
            "Failed" if message.contains("secret") => "CreateContainerConfigError",
            _ => "ContainerCreating",
        };
        for (count, last) in [(1, OLD), (45, RECENT)] {
            let warned = vec![event("Pod", "web-0", reason, message, count, last)];
            let found = found(vec![("pods", vec![pod("web-0", state)]), ("events", warned)], &[]);
            assert!(!found.findings.is_empty(), "{message} x{count} at {last}");
            assert!(found.earlier.is_empty(), "{message}");
        }
    }
}

#[test]
fn a_step_that_was_made_since_is_over_though_the_pod_hangs_in_a_later_one() {
    let mut warned = vec![
        event("Pod", "web-0", "FailedScheduling", WARNINGS[0].1, 30, OLD),
        event("Pod", "web-0", "FailedMount", MOUNT, 3, RECENT),
    ];
    let hangs =
        found(vec![("pods", vec![pod("web-0", "ContainerCreating")]), ("events", warned.clone())], &[]);
    assert_eq!(cases(&hangs), ["volume-source-missing"]);
    assert_eq!(hangs.earlier[0].case, "insufficient-resources");
    // No object tells of it, only an event of success.
    warned.push(event("Pod", "web-0", "Started", "Started container web", 1, "2026-03-04T11:59:00Z"));
    let started = found(vec![("events", warned)], &[]);
    assert_eq!(cases(&started), Vec::<&str>::new());
}

#[test]
fn what_repeats_to_this_minute_is_present_though_the_pod_is_ready() {
    let of = |count, last| {
        let warned = vec![event("Pod", "web-0", "FailedMount", MOUNT, count, last)];
        found(vec![("pods", vec![pod("web-0", "ready")]), ("events", warned)], &[])
    };
    assert_eq!(cases(&of(1, RECENT)).len(), 0, "once is a hiccup");
    assert_eq!(cases(&of(120, OLD)).len(), 0, "before it was ready");
    assert_eq!(cases(&of(120, "2026-03-04T11:20:00Z")).len(), 0, "it stopped");
    assert_eq!(cases(&of(12, RECENT)), ["volume-source-missing"]);
}

#[test]
fn a_pod_that_is_ready_for_a_moment_between_its_crashes_is_not_well() {
    let mut flapping = pod("web-0", "ready");
    flapping["status"]["containerStatuses"][0]["restartCount"] = json!(31);
    flapping["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] =
        json!("2026-03-04T11:59:30Z");
    flapping["status"]["containerStatuses"][0]["lastState"] = json!({"terminated": {"exitCode": 137,
        "reason": "OOMKilled", "startedAt": "2026-03-04T11:50:00Z", "finishedAt": "2026-03-04T11:54:00Z"}});
    flapping["status"]["conditions"][0]["lastTransitionTime"] = json!("2026-03-04T11:59:40Z");
    assert_eq!(cases(&found(vec![("pods", vec![flapping.clone()])], &[])), ["oom-killed"]);
    // The same pod a day after its last crash.
    flapping["metadata"]["creationTimestamp"] = json!("2026-03-01T10:00:00Z");
    flapping["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] =
        json!("2026-03-03T11:00:00Z");
    let settled = found(vec![("pods", vec![flapping])], &[]);
    assert_eq!(cases(&settled), Vec::<&str>::new());
    assert_eq!(settled.earlier[0].case, "oom-killed");
}

#[test]
fn a_pod_that_is_gone_still_speaks_for_what_it_was_made_for_and_fails() {
    let warned = || vec![event("Pod", "migrate-7-x2k4d", "Failed", DNS, 4, OLD)];
    let job = |succeeded: u64| {
        json!({"metadata": {"namespace": "shop", "name": "migrate-7"}, "spec": {"completions": 1},
            "status": {"succeeded": succeeded, "failed": 1}})
    };
    let of = |job: Value| {
        let lists = vec![("pods", vec![pod("web-0", "ready")]), ("events", warned()), ("jobs", vec![job])];
        found(lists, &[])
    };
    assert!(cases(&of(job(0))).contains(&"registry-dns"));
    assert_eq!(cases(&of(job(1))), Vec::<&str>::new());
}

#[test]
fn a_failed_pod_is_over_when_its_work_was_done() {
    let owned = |kind: &str, name: &str| {
        let mut pod = pod("pack-1-aaaaa", "failed");
        pod["metadata"]["ownerReferences"] = json!([{"kind": kind, "name": name, "controller": true}]);
        pod
    };
    let warned = || vec![event("Pod", "pack-1-aaaaa", "Failed", DNS, 4, OLD)];
    let job = json!({"metadata": {"namespace": "shop", "name": "pack-1"}, "spec": {"completions": 1},
        "status": {"succeeded": 1, "failed": 1}});
    let lists = vec![("pods", vec![owned("Job", "pack-1")]), ("events", warned()), ("jobs", vec![job])];
    assert_eq!(cases(&found(lists, &[])), Vec::<&str>::new());
}

#[test]
fn claims_and_controllers_that_got_there_are_over() {
    let warned = || {
        vec![
            event(
                "PersistentVolumeClaim",
                "data",
                "ProvisioningFailed",
                "storageclass.storage.k8s.io \"fast\" not found",
                40,
                OLD,
            ),
            event(
                "ReplicaSet",
                "web-5",
                "FailedCreate",
                "Error creating: pods \"web-5-\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=9, limited: pods=9",
                12,
                OLD,
            ),
        ]
    };
    let of = |phase: &str, replicas: u64| {
        let claim = json!({"metadata": {"namespace": "shop", "name": "data"},
            "spec": {"storageClassName": "fast"}, "status": {"phase": phase}});
        let set = json!({"metadata": {"namespace": "shop", "name": "web-5"}, "spec": {"replicas": 2},
            "status": {"replicas": replicas, "readyReplicas": replicas}});
        let lists = vec![
            ("persistentvolumeclaims", vec![claim]),
            ("replicasets", vec![set]),
            ("pods", vec![pod("web-0", "ready")]),
            ("events", warned()),
        ];
        found(lists, &[])
    };
    assert_eq!(cases(&of("Bound", 2)), Vec::<&str>::new());
    let still = of("Pending", 0);
    assert!(cases(&still).contains(&"quota-exceeded"), "{:?}", cases(&still));
    assert!(cases(&still).len() > 1, "{:?}", cases(&still));
}

#[test]
fn a_log_says_what_it_went_on_saying() {
    let line =
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk";
    let log = |at: &str, then: &str| format!("{at} ERROR {line}\n{then} INFO served\n");
    let of = |text: String, path: &str| {
        let files = vec![("pods", vec![pod("web-0", "ready")])];
        cases(&found(files, &[(path, &text)])).len()
    };
    let current = "shop/web-0/web.log";
    assert_eq!(of(log("2026-03-04T10:32:30Z", "2026-03-04T10:41:00Z"), current), 0, "before it was ready");
    assert_eq!(of(log("2026-03-04T10:41:30Z", "2026-03-04T11:59:00Z"), current), 0, "it went on without it");
    assert!(of(log("2026-03-04T11:57:30Z", "2026-03-04T11:59:00Z"), current) > 0);
    // A log that fell silent may have said its last in trouble.
    assert!(of(log("2026-03-04T10:41:30Z", "2026-03-04T10:41:31Z"), current) > 0);
    assert_eq!(of(log("2026-03-04T11:57:30Z", "2026-03-04T11:59:00Z"), "shop/web-0/web-previous.log"), 0);
}

#[test]
fn another_object_of_the_same_name_does_not_inherit() {
    let mut warned = event("Pod", "web-0", "Failed", DNS, 9, RECENT);
    warned["involvedObject"]["uid"] = json!("another");
    let of =
        |pod: Value| cases(&found(vec![("pods", vec![pod]), ("events", vec![warned.clone()])], &[])).len();
    assert_eq!(of(pod("web-0", "ready")), 0);
    let mut of_a_file = pod("web-0", "ContainerCreating");
    of_a_file["metadata"]["annotations"] = json!({"kubernetes.io/config.hash": "another"});
    assert!(of(of_a_file) > 0, "kubelet tells of static pods by the hash of their manifest");
}
