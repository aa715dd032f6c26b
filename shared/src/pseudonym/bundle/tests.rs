use super::*;
use jiff::Timestamp;

use crate::bundle::manifest::{ClockReading, Cluster, FORMAT, LedgerEntry, Subject, Tool};
use crate::bundle::reader::Bundle;
use crate::bundle::writer::Format;
use crate::pseudonym::verify::Verifier;
use crate::pseudonym::{Key, kinds};

fn put(writer: &mut BundleWriter, path: &str, text: &str) -> LedgerEntry {
    let mut item = ItemWriter::new(path, Timestamp::UNIX_EPOCH);
    item.write_all(text.as_bytes()).unwrap();
    let item = item.finish();
    writer.append(&item).unwrap();
    item.entry(format!("GET /api/v1/nodes/zeus-1/{path}"), Outcome::Collected)
}

const NODES: &str = r#"{"kind":"NodeList","apiVersion":"v1","items":[
{"metadata":{"name":"zeus-1"},"status":{"addresses":[{"type":"InternalIP","address":"10.0.6.31"},{"type":"Hostname","address":"zeus-1.dc.mycorp"}]}}]}
"#;
const TABLE: &str = "\
NAME    READY   STATUS    IP           NODE     NOMINATED NODE
web-0   1/1     Running   10.244.0.7   zeus-1   <none>
web-1   0/1     Pending   <none>       <none>   <none>
";

fn make(path: &Path, format: Format) -> Manifest {
    let mut writer = BundleWriter::create(path, format, "casebook-zeus-1").unwrap();
    let mut ledger = vec![
        // What is written first is learned last.
        put(
            &mut writer,
            "cluster-resources/pods/logs/a/etcd-zeus-1/etcd.log",
            "dial zeus-1 via db.dc.mycorp\n",
        ),
        put(&mut writer, "hosts/10.0.6.31/dmesg.txt", "hello\n"),
        put(&mut writer, "hosts/fd00__6_31/dmesg.txt", "hello\n"),
        put(&mut writer, "tables/a/pods.txt", TABLE),
        put(&mut writer, "cluster-resources/nodes.json", NODES),
        put(&mut writer, paths::README, "about\n"),
    ];
    ledger[0].subject = Subject { node: Some("zeus-1".into()), ..Subject::default() };
    ledger[0].note = Some("dial tcp 10.0.6.31:10250: refused".into());
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        tool: Tool { name: "casebook-collect".into(), version: "0".into() },
        started: Timestamp::UNIX_EPOCH,
        finished: Timestamp::UNIX_EPOCH,
        options: BTreeMap::from([("nodes".to_owned(), json!(["zeus-1"]))]),
        cluster: Some(Cluster { name: "c".into(), server: "https://10.0.6.31:6443".into(), version: None }),
        host: Some("zeus-1".into()),
        clocks: vec![ClockReading {
            clock: "node/zeus-1".into(),
            skew_ms: 0,
            error_ms: 0,
            witness: "x".into(),
        }],
        stopped: None,
        ledger,
    };
    writer.finish(&manifest).unwrap();
    manifest
}

#[test]
fn nothing_real_is_left_in_any_part_of_any_container() {
    for format in [Format::TarGz, Format::Tar, Format::Zip, Format::Directory] {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(format!("{name}{}", format.extension()));
        let packing = Packing::from(format);
        let mut manifest = make(&place("from"), format);
        let mut words = Pseudonyms::new(&Key::from_bytes([3; 32]), kinds(["all"]).unwrap(), None);
        words.learn(&place("from"), &packing, &manifest).unwrap();
        let map = words.map();
        let verifier = Verifier::new(&map).unwrap();
        let before = verifier.bundle(&place("from"), &packing, 100).unwrap();
        for path in ["hosts/10.0.6.31/dmesg.txt", "tables/a/pods.txt", "manifest.json"] {
            assert!(before.iter().any(|leak| leak.path == path), "{before:?}");
        }

        words.bundle((&place("from"), &place("to")), &packing, "casebook-zeus-1", &mut manifest).unwrap();
        assert_eq!(verifier.bundle(&place("to"), &packing, 100).unwrap(), []);
        let bundle = Bundle::open(&place("to"), &Default::default()).unwrap();
        assert_eq!(bundle.check(), []);
        assert_eq!(bundle.manifest.as_ref(), Some(&manifest));
        for (path, file) in &bundle.files {
            let text = format!("{path}\n{}", String::from_utf8_lossy(&file.data));
            for real in ["zeus", "mycorp", "10.0.6.31", "6_31", "10.244.0.7"] {
                assert!(!text.contains(real), "{real} in {text}");
            }
        }
        assert_eq!(manifest.options[OPTION]["key"], json!(words.id()));
        let counted = |entry: &LedgerEntry| entry.redactions.get("pseudonym-host").copied();
        assert_eq!(manifest.ledger.iter().find_map(counted), Some(2), "two names in the log");
    }
}

#[test]
fn a_table_has_its_columns_set_anew() {
    let mut words = Pseudonyms::new(&Key::from_bytes([3; 32]), kinds(["all"]).unwrap(), None);
    words.machine("zeus-1");
    let table = words.table(TABLE, &mut Counts::default());
    let starts = |line: &str, word: &str| line.find(word).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(starts(lines[0], "NODE"), starts(lines[1], &words.string("zeus-1")), "{table}");
    assert_eq!(
        lines[2].get(starts(lines[0], "NODE")..).map(|cell| cell.starts_with("<none>")),
        Some(true),
        "{table}"
    );
    assert_eq!(table.lines().count(), 3);
    assert!(lines[1].contains("Running   10."), "{table}");
    assert_eq!(words.table("No resources\n", &mut Counts::default()), "No resources\n");
}
