//! The lexicon of the repository as a whole: without mistakes, each reading reads its own lines, and sentences are whole.

// Helpers of tests are tests to a reader, not to the lint.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use analyzer::intake;
use analyzer::lexicon::Lexicon;
use analyzer::matching;
use analyzer::report::Report;
use analyzer::rules::RuleSet;
use serde_json::json;

/// Of the folder, so that what was just written is tried without building the program again;
/// [`what_the_program_holds_is_the_folder`] shows that it is the same.
static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let texts = analyzer::lexicon::set::read_folder(&rules_folder()).unwrap();
    Lexicon::compile(&texts).unwrap_or_else(|error| panic!("{error}"))
});
static RULES: LazyLock<RuleSet> = LazyLock::new(|| RuleSet::load(&[]).unwrap());

fn rules_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules")
}

#[test]
fn each_reading_is_the_first_to_read_its_lines() {
    let mut faults = Vec::new();
    for reading in LEXICON.iter() {
        for line in &reading.spec.tests.reads {
            let first = LEXICON.read(line).first().map(|read| read.reading.spec.id.clone());
            if first.as_deref() != Some(reading.spec.id.as_str()) {
                faults.push(format!("{} should read `{line}`, which is read by {first:?}", reading.spec.id));
            }
        }
        for line in &reading.spec.tests.passes {
            if LEXICON.read(line).iter().any(|read| read.reading.spec.id == reading.spec.id) {
                faults.push(format!("{} should pass over `{line}`", reading.spec.id));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// As a person sees it: nothing but the line was sent.
#[test]
fn a_line_alone_is_read_in_whole_sentences() {
    let mut faults = Vec::new();
    for reading in LEXICON.iter() {
        let line = &reading.spec.tests.reads[0];
        let report = report(vec![("line.txt".to_owned(), line.as_bytes().to_vec())]);
        if report.findings.is_empty() && report.reading("line.txt", 1).is_none() {
            faults.push(format!("{}: no answer and no reading for `{line}`", reading.spec.id));
        }
        for read in &report.readings {
            if [&read.meaning.zh, &read.meaning.en]
                .iter()
                .any(|text| text.contains('<') || text.contains("{{"))
            {
                faults.push(format!("{}: a part is missing in `{}`", read.id, read.meaning.en));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Lines of programs that are well. A reading that is told of one of them is noise.
#[test]
fn healthy_lines_are_passed_over() {
    const HEALTHY: &[&str] = &[
        "2026-11-20T04:00:00Z INFO  server started on port 8080 in 3.2 seconds",
        "I1120 04:00:00.000000       1 leaderelection.go:253] successfully acquired lease kube-system/x",
        "10.244.0.1 - - [20/Nov/2026:04:00:00 +0000] \"GET /healthz HTTP/1.1\" 200 2 \"-\" \"kube-probe/1.20\"",
        "level=info msg=\"Completed loading of configuration file\" filename=/etc/prometheus/prometheus.yml",
        "LOG:  database system is ready to accept connections",
        "[Note] mysqld: ready for connections. Version: '8.0.34'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306",
        "* Ready to accept connections tcp",
        "NAME   READY   STATUS    RESTARTS   AGE",
        "web-0  1/1     Running   0          3d",
    ];
    for line in HEALTHY {
        let read: Vec<&str> = LEXICON.read(line).iter().map(|read| read.reading.spec.id.as_str()).collect();
        assert!(read.is_empty(), "{read:?} for `{line}`");
    }
}

fn report(files: Vec<(String, Vec<u8>)>) -> Report {
    let snapshot = intake::from_files(files, Vec::new());
    let found = matching::run(&RULES, &snapshot);
    Report::build(&snapshot, found).read_with(&LEXICON, &snapshot)
}

/// A refused connection is followed through the service to the claim that its pod waits for.
#[test]
fn a_name_in_a_line_leads_to_what_is_behind_it() {
    let list = |items: serde_json::Value| {
        json!({"kind": "List", "apiVersion": "v1", "items": items}).to_string().into_bytes()
    };
    let pods = json!([
        {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "core-0", "namespace": "harbor"},
         "spec": {"nodeName": "n1", "containers": [{"name": "core", "image": "x"}]},
         "status": {"phase": "Running", "podIP": "10.244.0.5", "containerStatuses": [
            {"name": "core", "ready": false, "restartCount": 9, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
             "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}},
        {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "database-0", "namespace": "harbor", "labels": {"app": "db"}},
         "spec": {"containers": [{"name": "db", "image": "x"}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-database-0"}}]},
         "status": {"phase": "Pending"}}]);
    let services = json!([{"kind": "Service", "apiVersion": "v1", "metadata": {"name": "database", "namespace": "harbor"},
        "spec": {"clusterIP": "10.96.1.1", "selector": {"app": "db"}, "ports": [{"port": 5432}]}}]);
    let claims = json!([{"kind": "PersistentVolumeClaim", "apiVersion": "v1",
        "metadata": {"name": "data-database-0", "namespace": "harbor"},
        "spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}}]);
    let log =
        "2026-11-20T03:59:00Z FATAL cannot start: dial tcp 10.96.1.1:5432: connect: connection refused\n";
    let report = report(vec![
        ("cluster-resources/pods/harbor.json".to_owned(), list(pods)),
        ("cluster-resources/services/harbor.json".to_owned(), list(services)),
        ("cluster-resources/pvcs/harbor.json".to_owned(), list(claims)),
        ("cluster-resources/pods/logs/harbor/core-0/core.log".to_owned(), log.as_bytes().to_vec()),
    ]);
    let reading = report.reading("cluster-resources/pods/logs/harbor/core-0/core.log", 1).unwrap();
    assert_eq!(reading.id, "connection-refused");
    let named = &reading.names[0];
    assert_eq!((named.subject.kind.as_str(), named.subject.name.as_str()), ("Service", "database"));
    let steps: Vec<&str> = named.chain.iter().map(|link| link.subject.name.as_str()).collect();
    assert_eq!(steps, ["database-0", "data-database-0"]);
}

#[test]
fn what_the_program_holds_is_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let of_folder = Lexicon::compile(&analyzer::lexicon::set::read_folder(&folder).unwrap()).unwrap();
    let built_in = Lexicon::built_in().unwrap();
    assert!(of_folder.iter().map(|reading| &reading.spec).eq(built_in.iter().map(|reading| &reading.spec)));
}
