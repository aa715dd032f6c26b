//! The same small cluster in the layout of each collector that people use: objects, events and logs are found in all
//! of them, under their names, and each says what it lacks.
//!
//! The files are made here from one set of facts; where they lie is what the collectors' own documentation and sources
//! say.

// Helpers of tests are tests to a reader, not to the lint.
#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Write};
use std::path::Path;

use analyzer::intake;
use analyzer::snapshot::{Snapshot, TextKind};
use serde_json::{Value, json};
use shared::archive::Limits;
use shared::bundle::manifest::Outcome;
use shared::encryption::Identities;

const LOG: &str = "2026-11-22T08:00:00Z starting\n2026-11-22T08:00:01Z Error: cannot bind\n";

fn pod() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "namespace": "a"},
        "spec": {"nodeName": "n1", "containers": [{"name": "web", "image": "web:1"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "web", "ready": false, "restartCount": 7,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}})
}

fn event() -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "web-0.1", "namespace": "a"}, "reason": "BackOff",
        "message": "Back-off restarting failed container", "type": "Warning", "count": 9,
        "involvedObject": {"kind": "Pod", "name": "web-0", "namespace": "a"}, "lastTimestamp": "2026-11-22T08:00:02Z"})
}

fn node() -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]}})
}

fn list(kind: &str, item: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "items": [item]})
}

/// Without what a List says for its items.
fn bare(mut object: Value) -> Value {
    let fields = object.as_object_mut().unwrap();
    fields.remove("kind");
    fields.remove("apiVersion");
    object
}

/// As the printers of YAML print it, in blocks.
fn yaml(value: &Value) -> String {
    fn block(value: &Value, indent: usize, out: &mut String) {
        let pad = " ".repeat(indent);
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    out.push_str(&format!("{pad}{key}:"));
                    inner(value, indent, out);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    let mut text = String::new();
                    block(item, indent + 2, &mut text);
                    out.push_str(&format!("{pad}- {}", text.trim_start()));
                }
            }
            other => out.push_str(&format!("{pad}{other}\n")),
        }
    }
    fn inner(value: &Value, indent: usize, out: &mut String) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                out.push('\n');
                block(value, indent + 2, out);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                block(value, indent, out);
            }
            other => out.push_str(&format!(" {other}\n")),
        }
    }
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

type Files = Vec<(String, Vec<u8>)>;

fn files(files: &[(&str, String)]) -> Files {
    files.iter().map(|(path, text)| ((*path).to_owned(), text.clone().into_bytes())).collect()
}

fn tar_gz(top: &str, files: &Files, links: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(gzip(&[]).1);
    for (path, data) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_795_334_400);
        builder.append_data(&mut header, format!("{top}{path}"), &data[..]).unwrap();
    }
    for (path, target) in links {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_entry_type(tar::EntryType::Symlink);
        builder.append_link(&mut header, format!("{top}{path}"), target).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn gzip(data: &[u8]) -> (Vec<u8>, flate2::write::GzEncoder<Vec<u8>>) {
    let new = || flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut encoder = new();
    encoder.write_all(data).unwrap();
    (encoder.finish().unwrap(), new())
}

fn zip(files: &Files) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, data) in files {
        writer.start_file(path, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(data).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn load(name: &str, data: &[u8]) -> Snapshot {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, data).unwrap();
    intake::load(&[path], &Limits::default(), &Identities::default()).unwrap()
}

fn load_folder(files: &Files) -> Snapshot {
    let dir = tempfile::tempdir().unwrap();
    for (path, data) in files {
        let path = dir.path().join("saved").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, data).unwrap();
    }
    intake::load(&[dir.path().join("saved")], &Limits::default(), &Identities::default()).unwrap()
}

/// What every layout with objects has to tell.
fn holds(snapshot: &Snapshot, layout: &str, collections: &[&str]) {
    let input = &snapshot.inputs[0];
    assert_eq!(input.layout, layout);
    assert!(!input.notes.is_empty(), "{layout} does not say what it lacks");
    for (collection, name) in [("pods", "web-0"), ("events", "web-0.1"), ("nodes", "n1")] {
        let found: Vec<_> =
            snapshot.objects.of(collection).iter().filter_map(|object| object.name()).collect();
        let expected: &[&str] = if collections.contains(&collection) { &[name] } else { &[] };
        assert_eq!(found, expected, "{collection} of {layout}; there is {:?}", paths(snapshot));
    }
    if collections.contains(&"pods") {
        let pod = &snapshot.objects.of("pods")[0];
        assert_eq!((pod.namespace(), pod.str_at(&["kind"])), (Some("a"), Some("Pod")), "{layout}");
        let reason = pod.value.pointer("/status/containerStatuses/0/state/waiting/reason");
        assert_eq!(reason.and_then(Value::as_str), Some("CrashLoopBackOff"), "{layout}");
    }
}

fn paths(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.files.iter().map(|file| file.path.as_str()).collect()
}

const ALL: &[&str] = &["pods", "events", "nodes"];

/// Container logs as (previous, text), of the one container.
fn logs(snapshot: &Snapshot) -> Vec<(bool, &str)> {
    let of_web = snapshot.texts.iter().filter(|text| text.kind == TextKind::Log).map(|text| {
        let of = (text.namespace.as_deref(), text.pod.as_deref(), text.container.as_deref());
        assert_eq!(of, (Some("a"), Some("web-0"), Some("web")));
        (text.previous, &snapshot.files[text.file.0 as usize].text[text.range.clone()])
    });
    of_web.collect()
}

#[test]
fn troubleshoot() {
    let made = files(&[
        ("version.yaml", "apiVersion: troubleshoot.sh/v1beta2\nkind: SupportBundle\n".into()),
        ("cluster-resources/pods/a.json", list("PodList", &pod()).to_string()),
        ("cluster-resources/events/a.json", list("EventList", &event()).to_string()),
        ("cluster-resources/nodes.json", list("NodeList", &node()).to_string()),
        ("cluster-resources/pvcs-errors.json", r#"["persistentvolumeclaims is forbidden"]"#.into()),
        ("cluster-resources/pods/logs/a/web-0/web.log", LOG.into()),
        ("cluster-resources/pods/logs/a/web-0/web-previous.log", LOG.into()),
        ("analysis.json", "[]".into()),
    ]);
    let links = [("app-logs/web-0/web.log", "../../cluster-resources/pods/logs/a/web-0/web.log")];
    let snapshot = load("b.tar.gz", &tar_gz("support-bundle-2026-11-22T08_00_00/", &made, &links));
    holds(&snapshot, "troubleshoot", ALL);
    assert_eq!(logs(&snapshot), [(true, LOG), (false, LOG)]);
    assert_eq!(snapshot.coverage.ledger[0].outcome, Outcome::Forbidden);
}

/// Before 2022: bare arrays, `null` for nothing, objects without kind, real files where now links are.
#[test]
fn troubleshoot_of_old() {
    let made = files(&[
        ("cluster-resources/pods/a.json", json!([bare(pod())]).to_string()),
        ("cluster-resources/pods/b.json", "null".into()),
        ("cluster-resources/events/a.json", json!([bare(event())]).to_string()),
        ("cluster-resources/nodes.json", json!([bare(node())]).to_string()),
        ("cluster-resources/deployments/a.json", "null\n".into()),
        (
            "cluster-resources/custom-resources/widgets.example.com/a.yaml",
            "- metadata:\n    name: w\n".into(),
        ),
        ("app/web-0/web.log", LOG.into()),
        ("cluster-resources/pods/logs/a/web-0/web.log", LOG.into()),
    ]);
    let snapshot = load("b.tar.gz", &tar_gz("bundle/", &made, &[]));
    holds(&snapshot, "troubleshoot", ALL);
    assert_eq!(snapshot.objects.of("widgets.example.com")[0].name(), Some("w"));
    let logs = snapshot.texts.iter().filter(|text| text.kind == TextKind::Log);
    assert_eq!(logs.filter(|text| text.pod.as_deref() == Some("web-0")).count(), 2);
    assert!(snapshot.texts.iter().all(|text| text.kind == TextKind::Log), "{:?}", snapshot.texts);
}

#[test]
fn cluster_info_dump_as_a_folder() {
    for (ending, print) in [("json", Value::to_string as fn(&Value) -> String), ("yaml", yaml)] {
        let log = "==== START logs for container web of pod a/web-0 ====\n".to_owned()
            + LOG
            + "==== END logs for container web of pod a/web-0 ====\n";
        let named = |name: &str| format!("{name}.{ending}");
        let made = vec![
            (named("nodes"), print(&list("NodeList", &bare(node()))).into_bytes()),
            (named("a/pods"), print(&list("PodList", &bare(pod()))).into_bytes()),
            (named("a/events"), print(&list("EventList", &bare(event()))).into_bytes()),
            (named("a/services"), print(&json!({"kind": "ServiceList", "items": []})).into_bytes()),
            ("a/web-0/logs.txt".to_owned(), log.into_bytes()),
            (named("kube-node-lease/pods"), print(&json!({"kind": "PodList", "items": []})).into_bytes()),
        ];
        let snapshot = load_folder(&made);
        holds(&snapshot, "cluster-info dump", ALL);
        assert_eq!(logs(&snapshot), [(false, LOG)]);
    }
}

#[test]
fn must_gather() {
    let top = "must-gather.local.1/quay-io-openshift-sha256-1/";
    let logs_of = "namespaces/a/pods/web-0/web/web/logs";
    let mut made = files(&[
        ("version", "openshift/must-gather\n4.14\n".into()),
        ("cluster-scoped-resources/core/nodes/n1.yaml", yaml(&node())),
        (
            "namespaces/a/a.yaml",
            yaml(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})),
        ),
        ("namespaces/a/core/pods.yaml", yaml(&list("PodList", &pod()))),
        ("namespaces/a/core/events.yaml", yaml(&list("EventList", &event()))),
        ("namespaces/a/pods/web-0/web-0.yaml", yaml(&pod())),
        ("namespaces/a/pods/web-0/web/web/logs/current.log", LOG.into()),
        ("namespaces/a/pods/web-0/web/web/logs/previous.log", LOG.into()),
    ]);
    made.push((format!("{logs_of}/rotated/0.log.20261121-000000.gz"), gzip(LOG.as_bytes()).0));
    let snapshot = load("mg.tar.gz", &tar_gz(top, &made, &[]));
    holds(&snapshot, "must-gather", ALL);
    assert_eq!(logs(&snapshot), [(false, LOG), (true, LOG), (false, LOG)]);
    assert!(paths(&snapshot).iter().any(|path| path.ends_with("rotated/0.log.20261121-000000")));
}

#[test]
fn kubectl_gather() {
    let made = files(&[
        ("gather.log", "2026-11-22 08:00:00 INFO gathering\n".into()),
        ("c1/cluster/nodes/n1.yaml", yaml(&node())),
        ("c1/namespaces/a/pods/web-0.yaml", yaml(&pod())),
        ("c1/namespaces/a/events/web-0.1.yaml", yaml(&event())),
        ("c1/namespaces/a/pods/web-0/web/current.log", LOG.into()),
        ("c1/namespaces/a/pods/web-0/web/previous.log", LOG.into()),
    ]);
    let snapshot = load_folder(&made);
    holds(&snapshot, "must-gather", ALL);
    assert_eq!(logs(&snapshot), [(false, LOG), (true, LOG)]);
}

#[test]
fn sos() {
    let folder = "sos_commands/kubernetes/cluster-info";
    let command = "kubectl_--kubeconfig_.etc.kubernetes.admin.conf";
    let made = vec![
        ("version.txt".to_owned(), b"sos 4.7\n".to_vec()),
        (format!("{folder}/{command}_get_-o_json_nodes"), list("NodeList", &node()).to_string().into_bytes()),
        (
            format!("{folder}/a/{command}_get_-o_json_--namespace_a_pods"),
            list("List", &pod()).to_string().into_bytes(),
        ),
        (
            format!("{folder}/a/{command}_get_-o_json_--namespace_a_events"),
            list("List", &event()).to_string().into_bytes(),
        ),
        (format!("{folder}/a/podlogs/web-0/{command}_--namespace_a_logs_web-0_-c_web"), LOG.into()),
        (
            "sos_commands/logs/journalctl_--no-pager".to_owned(),
            b"Nov 22 08:00:00 n1 kubelet[1]: E1122 x\n".to_vec(),
        ),
        ("sos_logs/sos.log".to_owned(), b"ignored\n".to_vec()),
    ];
    let snapshot = load("sosreport.tar.gz", &tar_gz("sosreport-n1-2026-11-22-abc/", &made, &[]));
    holds(&snapshot, "sos", ALL);
    assert_eq!(logs(&snapshot), [(false, LOG)]);
    assert!(snapshot.texts.iter().any(|text| text.kind == TextKind::Journal));
}

#[test]
fn support_bundle_kit() {
    let inner = files(&[
        ("hostinfos/df.log", "Filesystem Size Used\n/dev/vda1 10G 10G\n".into()),
        ("logs/kubelet.log", "E1122 08:00:00.000000 1 kubelet.go:1] no space left on device\n".into()),
    ]);
    let mut made = files(&[
        ("metadata.yaml", "projectName: Longhorn\n".into()),
        ("yamls/cluster/v1/nodes.yaml", yaml(&list("NodeList", &node()))),
        ("yamls/namespaced/a/v1/pods.yaml", yaml(&list("PodList", &pod()))),
        ("yamls/namespaced/a/v1/events.yaml", yaml(&list("EventList", &event()))),
        ("logs/a/web-0/web.log", LOG.into()),
        ("logs/a/web-0/web.log.1", LOG.into()),
    ]);
    made.push(("nodes/n1.zip".to_owned(), zip(&inner)));
    let made = made.into_iter().map(|(path, data)| (format!("supportbundle_1_2026/{path}"), data)).collect();
    let snapshot = load("supportbundle.zip", &zip(&made));
    holds(&snapshot, "support-bundle-kit", ALL);
    assert_eq!(logs(&snapshot), [(false, LOG), (true, LOG)]);
    let on_node =
        |kind| snapshot.texts.iter().any(|text| text.kind == kind && text.node.as_deref() == Some("n1"));
    assert!(on_node(TextKind::Journal) && on_node(TextKind::Host));
}

#[test]
fn sonobuoy() {
    let made = files(&[
        ("meta/info.json", "{}".into()),
        ("serverversion.json", r#"{"gitVersion":"v1.27.1"}"#.into()),
        ("resources/cluster/core_v1_nodes.json", list("NodeList", &bare(node())).to_string()),
        ("resources/ns/a/core_v1_pods.json", list("PodList", &bare(pod())).to_string()),
        ("resources/ns/a/core_v1_events.json", list("EventList", &bare(event())).to_string()),
        ("podlogs/a/web-0/logs/web.txt", LOG.into()),
        ("plugins/systemd-logs/results/n1/systemd_logs", "{\"MESSAGE\":\"x\"}\n".into()),
    ]);
    let snapshot = load("sonobuoy.tar.gz", &tar_gz("", &made, &[]));
    holds(&snapshot, "sonobuoy", ALL);
    assert_eq!(logs(&snapshot), [(false, LOG)]);
}

#[test]
fn objects_that_say_no_kind_are_known_by_what_they_are() {
    let mut node = bare(node());
    node["status"]["nodeInfo"] = json!({"kubeletVersion": "v1.29.1"});
    let job = json!({"metadata": {"name": "pack", "namespace": "a"}, "status": {"failed": 2},
        "spec": {"backoffLimit": 6, "template": {"spec": {"containers": [{"name": "pack"}]}}}});
    // One object a file, as the insights operator writes them.
    let each = files(&[
        ("config/pod/a/web-0.json", bare(pod()).to_string()),
        ("config/node/n1.json", node.to_string()),
        ("events/a.json", bare(event()).to_string()),
        ("config/jobs/a/pack.json", job.to_string()),
        ("config/settings.json", json!({"metadata": {"name": "x"}, "spec": {"replicas": 1}}).to_string()),
    ]);
    // Bare arrays under names that tell nothing.
    let together = files(&[
        ("part-1.json", json!([bare(pod()), bare(event())]).to_string()),
        ("part-2.json", json!([node, job]).to_string()),
    ]);
    for made in [each, together] {
        let snapshot = load_folder(&made);
        for collection in ["pods", "nodes", "events", "jobs"] {
            assert_eq!(snapshot.objects.of(collection).len(), 1, "{collection}");
        }
        assert_eq!(snapshot.objects.of("pods")[0].value["kind"], "Pod");
        assert_eq!(snapshot.objects.by_collection.len(), 4);
    }
    // Old sonobuoy, with bare items.
    let old = files(&[
        ("resources/non-ns/Nodes.json", json!({"items": [node]}).to_string()),
        ("resources/ns/a/Pods.json", json!({"items": [bare(pod())]}).to_string()),
    ]);
    let snapshot = load("sonobuoy.tar.gz", &tar_gz("", &old, &[]));
    assert_eq!((snapshot.objects.of("nodes").len(), snapshot.objects.of("pods").len()), (1, 1));
}

#[test]
fn kind_export_logs() {
    let made = files(&[
        ("kind-version.txt", "kind v0.20.0\n".into()),
        ("kind-worker/kubelet.log", "Nov 22 08:00:00 kind-worker kubelet[1]: x\n".into()),
        ("kind-worker/journal.log", "Nov 22 08:00:00 kind-worker systemd[1]: x\n".into()),
        ("kind-worker/pods/a_web-0_0a1b/web/9.log", LOG.into()),
        ("kind-worker/pods/a_web-0_0a1b/web/10.log", LOG.into()),
        ("kind-worker/pods/a_web-0_0a1b/web/10.log.20261121-000000", LOG.into()),
        ("kind-worker/containers/web-0_a_web-1.log", LOG.into()),
    ]);
    let snapshot = load_folder(&made);
    holds(&snapshot, "kind export logs", &[]);
    // Of the runs that the kubelet keeps, the newest is the present one.
    assert_eq!(logs(&snapshot), [(false, LOG), (false, LOG), (true, LOG)]);
    let journals = snapshot.texts.iter().filter(|text| text.kind == TextKind::Journal);
    assert!(journals.clone().count() == 2 && journals.into_iter().all(|text| text.node.is_some()));
}

#[test]
fn insights() {
    let made = files(&[
        ("insights_archive.txt", "".into()),
        ("data/insights_commands/journalctl_--no-pager", "Nov 22 08:00:00 n1 kubelet[1]: x\n".into()),
        ("data/insights_commands/df_-alP", "/dev/vda1 10 10 0 100% /\n".into()),
        ("data/var/log/messages", "Nov 22 08:00:00 n1 kernel: oom\n".into()),
        ("data/etc/hosts", "127.0.0.1 localhost\n".into()),
        (
            "meta_data/insights.specs.Specs.dmesg.json",
            r#"{"name":"insights.specs.Specs.dmesg","exec_time":0.1,"errors":["dmesg: read kernel buffer failed: Operation not permitted"],"results":null}"#.into(),
        ),
        (
            "meta_data/insights.specs.Specs.df__alP.json",
            r#"{"name":"insights.specs.Specs.df__alP","errors":[],"results":{"type":"x","object":{}}}"#.into(),
        ),
    ]);
    let snapshot = load("insights.tar.gz", &tar_gz("insights-n1-20261122080000/", &made, &[]));
    holds(&snapshot, "insights", &[]);
    let kinds = |kind| snapshot.texts.iter().filter(|text| text.kind == kind).count();
    assert_eq!((kinds(TextKind::Journal), kinds(TextKind::Host)), (2, 2));
    let failed = &snapshot.coverage.ledger;
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].note.as_deref().is_some_and(|note| note.contains("not permitted")));
}

/// As people send them: a folder or a zip with a bundle, another and a note in it, the way their system packs it.
#[test]
fn bundles_in_one_folder_are_told_apart() {
    let made = files(&[
        ("version.yaml", "kind: SupportBundle\n".into()),
        ("cluster-resources/pods/a.json", list("PodList", &bare(pod())).to_string()),
        ("cluster-resources/pods/logs/a/web-0/web.log", LOG.into()),
    ]);
    let mut sent = files(&[
        ("case/dump/nodes.json", list("NodeList", &bare(node())).to_string()),
        ("case/dump/z/pods.json", json!({"kind": "PodList", "items": []}).to_string()),
        ("case/notes.txt", "it does not start\n".into()),
        ("__MACOSX/case/._notes.txt", "\u{0}\u{5}\u{16}".into()),
        ("case/.DS_Store", "x".into()),
    ]);
    sent.push(("case/b.tar.gz".to_owned(), tar_gz("top/", &made, &[])));
    for snapshot in [load("case.zip", &zip(&sent)), load_folder(&sent)] {
        let found = |layout: &str, place: &str| {
            snapshot.inputs.iter().any(|input| input.layout == layout && input.path.ends_with(place))
        };
        assert_eq!(snapshot.inputs.len(), 3);
        assert!(found("troubleshoot", "/case/b.tar.gz") && found("cluster-info dump", "/case/dump"));
        assert!(found("text", ""), "{:?}", snapshot.inputs);
        assert_eq!(logs(&snapshot), [(false, LOG)]);
        assert_eq!(snapshot.objects.of("pods")[0].str_at(&["kind"]), Some("Pod"));
        assert_eq!(snapshot.objects.of("nodes").len(), 1);
        assert!(snapshot.texts.iter().any(|text| text.kind == TextKind::Pasted));
    }
}

/// Two captures of one cluster, and a paste beside them, are one body of evidence.
#[test]
fn several_paths_are_one_body() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let made = files(&[
        ("version.yaml", "kind: SupportBundle\n".into()),
        ("cluster-resources/pods/a.json", list("PodList", &pod()).to_string()),
    ]);
    std::fs::write(at("b.tar.gz"), tar_gz("top/", &made, &[])).unwrap();
    std::fs::write(at("n.json"), list("NodeList", &node()).to_string()).unwrap();
    std::fs::write(at("paste.txt"), "[root@bk ~]# kubectl get pods -n a\nNAME    READY   STATUS             RESTARTS   AGE\nweb-0   0/1     CrashLoopBackOff   7          1d\n").unwrap();
    let paths: Vec<_> = ["b.tar.gz", "n.json", "paste.txt"].map(at).to_vec();
    let snapshot = intake::load(&paths, &Limits::default(), &Identities::default()).unwrap();
    assert_eq!((snapshot.inputs.len(), snapshot.objects.of("pods").len()), (3, 1));
    let pod = &snapshot.objects.of("pods")[0];
    assert!(!pod.partial);
    let path = Path::new(&snapshot.files[pod.file.0 as usize].path);
    assert_eq!(path, Path::new("b.tar.gz/cluster-resources/pods/a.json"));
    assert_eq!(snapshot.objects.of("nodes").len(), 1);
}
