use std::path::Path;

use shared::bundle::manifest::{FORMAT, Outcome, Tool};
use shared::bundle::truncation;
use shared::bundle::writer::{BundleWriter, Format, Item};

use super::*;
use crate::snapshot::{Known, TextKind};

fn entry(path: &str, outcome: Outcome, note: Option<&str>) -> LedgerEntry {
    LedgerEntry {
        note: note.map(str::to_owned),
        sha256: None,
        ..Item::from_bytes(path, Timestamp::UNIX_EPOCH, b"").entry("GET /x", outcome)
    }
}

const PODS: &str = r#"{
  "kind": "PodList",
  "apiVersion": "v1",
  "items": [
    {"metadata": {"name": "web-0", "namespace": "a"}},
    {"metadata": {"name": "web-1", "namespace": "a"}}
  ]
}
"#;

/// The manifest of a run that left nothing but this ledger.
pub(super) fn manifest(ledger: Vec<LedgerEntry>) -> Manifest {
    let time = "2026-03-04T05:06:07Z".parse().unwrap();
    Manifest {
        format: FORMAT.to_owned(),
        tool: Tool { name: "casebook-collect".into(), version: "0.1.0".into() },
        started: time,
        finished: time,
        options: Default::default(),
        cluster: None,
        host: None,
        clocks: Vec::new(),
        stopped: None,
        ledger,
    }
}

fn bundle(dir: &Path, format: Format) -> PathBuf {
    let log = format!("first\n{}last\n", truncation::marker(Some(4096)));
    let files: [(&str, &str); 6] = [
        ("version.yaml", "kind: SupportBundle\n"),
        ("cluster-resources/pods/a.json", PODS),
        ("cluster-resources/pods/logs/a/web-0/nginx.log", &log),
        ("hosts/ctl/facts.json", r#"{"os": "CentOS 7"}"#),
        ("texts/scroll.txt", "$ helm list\nError: boom\n"),
        ("describe/a/pod/web-0.txt", "Name: web-0\n"),
    ];
    let target = dir.join(format!("bundle{}", format.extension()));
    let mut writer = BundleWriter::create(&target, format, "casebook-x").unwrap();
    let mut ledger = Vec::new();
    for (path, text) in files {
        let item = Item::from_bytes(path, Timestamp::UNIX_EPOCH, text.as_bytes());
        writer.append(&item).unwrap();
        ledger.push(item.entry("GET /x", Outcome::Collected));
    }
    ledger[2].outcome = Outcome::Truncated;
    ledger.push(entry(
        "cluster-resources/nodes.json",
        Outcome::Forbidden,
        Some("nodes is \"forbidden\":\nno"),
    ));
    ledger.push(entry("cluster-resources/pvcs", Outcome::Collected, None));
    ledger.push(entry("cluster-resources/pods/logs/a/web-1/nginx.log", Outcome::TimedOut, Some("deadline")));
    writer.finish(&manifest(ledger)).unwrap();
    target
}

#[test]
fn a_fact_is_absent_for_sure_only_where_every_probe_was_whole() {
    let facts = |probes: &str| {
        let text = format!(r#"{{"kernel": "5.4", "probes": {probes}}}"#);
        let snapshot = from_files(vec![("hosts/ctl/facts.json".to_owned(), text.into_bytes())], Vec::new());
        snapshot.objects.of("hosts")[0].partial
    };
    assert!(!facts(r#"{"clock": "collected", "runtime": "not_found", "journal-kubelet": "forbidden"}"#));
    assert!(facts(r#"{"clock": "timed_out", "runtime": "collected"}"#));
}

#[test]
fn a_native_bundle_is_read_alike_from_every_container() {
    let dir = tempfile::tempdir().unwrap();
    for format in [Format::TarGz, Format::Tar, Format::Zip, Format::Directory] {
        let path = bundle(dir.path(), format);
        let snapshot = load(&[path], &Limits::default(), &Identities::default()).unwrap();
        let input = &snapshot.inputs[0];
        assert_eq!((input.layout.as_str(), &input.notes[..]), ("casebook", &[][..]));
        assert_eq!(input.collected_at, input.manifest.as_ref().map(|manifest| manifest.started));

        let pods = snapshot.objects.of("pods");
        assert_eq!(pods.iter().map(|pod| pod.name().unwrap()).collect::<Vec<_>>(), ["web-0", "web-1"]);
        assert_eq!(
            (pods[1].line, pods[1].pointer.as_str(), pods[1].str_at(&["kind"])),
            (6, "/items/1", Some("Pod"))
        );
        assert_eq!(snapshot.files[pods[0].file.0 as usize].path, "cluster-resources/pods/a.json");
        assert_eq!(snapshot.objects.of("hosts")[0].name(), Some("ctl"));

        let coverage = &snapshot.coverage;
        assert_eq!(coverage.list("pods", Some("a")), Known::Whole);
        assert_eq!(coverage.list("pods", Some("b")), Known::Nothing(None));
        assert_eq!(coverage.list("persistentvolumeclaims", Some("b")), Known::Whole);
        assert_eq!(coverage.list("nodes", None), Known::Nothing(Some(Outcome::Forbidden)));
        assert_eq!(coverage.log("a", "web-0", "nginx", false), Known::Partly);
        assert_eq!(coverage.log("a", "web-1", "nginx", false), Known::Nothing(Some(Outcome::TimedOut)));

        let log = snapshot.texts.iter().find(|text| text.kind == TextKind::Log).unwrap();
        assert_eq!((log.pod.as_deref(), log.container.as_deref()), (Some("web-0"), Some("nginx")));
        assert_eq!((log.has_head, log.has_middle, log.has_tail), (true, false, true));
        assert!(snapshot.texts.iter().any(|text| text.kind == TextKind::Pasted));

        let errors: Vec<_> = snapshot.texts.iter().filter(|text| text.kind == TextKind::Ledger).collect();
        let file = &snapshot.files[errors[0].file.0 as usize];
        assert_eq!(file.path, "manifest.json");
        assert_eq!(&file.text[errors[0].range.clone()], "GET /x: nodes is \"forbidden\": no");
        assert_eq!(errors[1].pod.as_deref(), Some("web-1"));
    }
}

#[test]
fn ledger_errors_stand_on_the_lines_of_the_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let path = bundle(dir.path(), Format::Directory);
    let manifest = std::fs::read_to_string(path.join("manifest.json")).unwrap();
    let snapshot = load(&[path], &Limits::default(), &Identities::default()).unwrap();
    for (piece, words) in
        snapshot.texts.iter().filter(|text| text.kind == TextKind::Ledger).zip(["nodes.json", "web-1"])
    {
        let line = snapshot.files[piece.file.0 as usize].line_of(piece.range.start);
        assert!(manifest.lines().nth(line as usize - 1).unwrap().contains(words), "{words} on line {line}");
    }
}

#[test]
fn files_given_count_as_whole_but_for_their_ledger() {
    let files = vec![
        ("cluster-resources/pods/a.json".to_owned(), PODS.as_bytes().to_vec()),
        ("texts/terminal.txt".to_owned(), b"Error\n".to_vec()),
    ];
    let ledger = vec![entry("cluster-resources/events/a.json", Outcome::Forbidden, Some("no"))];
    let snapshot = from_files(files, ledger);
    assert_eq!(snapshot.coverage.list("pods", Some("a")), Known::Whole);
    assert_eq!(snapshot.coverage.list("events", Some("a")), Known::Nothing(Some(Outcome::Forbidden)));
    assert_eq!(snapshot.coverage.list("nodes", None), Known::Nothing(None));
    assert_eq!(snapshot.texts.len(), 2);
    assert_eq!(snapshot.inputs[0].notes, []);
}

#[test]
fn inputs_without_use_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.tar.gz");
    assert!(matches!(
        load(&[missing], &Limits::default(), &Identities::default()),
        Err(IntakeError::Unreadable(_))
    ));
    let empty = dir.path().join("empty.tar.gz");
    std::fs::write(&empty, "").unwrap();
    assert!(matches!(
        load(&[empty], &Limits::default(), &Identities::default()),
        Err(IntakeError::Empty { .. })
    ));
    let program = dir.path().join("program");
    std::fs::write(&program, [0u8; 600]).unwrap();
    assert!(matches!(
        load(&[program], &Limits::default(), &Identities::default()),
        Err(IntakeError::NothingInside { .. })
    ));
    assert!(matches!(load(&[], &Limits::default(), &Identities::default()), Err(IntakeError::NoInput)));
}
