//! Fuzz targets. `cargo test` runs each for a short while, always on the same inputs. `CASEBOOK_FUZZ_RUNS=100000` makes
//! it longer, `CASEBOOK_FUZZ_SEED=2` takes other inputs, and `cargo bolero test <target>` lets a coverage-guided fuzzer
//! loose on it and keeps that one's corpus. An input that a target fails on is kept in `tests/corpus/<target>/`, and
//! every later run begins with what lies there.
//!
//! Random bytes seldom get past the first check of a parser. An input here is a list of changes to a well-formed seed:
//! overwritten, inserted, removed and doubled stretches.

// Helpers of tests are tests to a reader, not to the lint.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::LazyLock;

use analyzer::intake;
use analyzer::lexicon::Lexicon;
use analyzer::matching;
use analyzer::report::{self, Dates, Report};
use analyzer::rules::{Rule, RuleSet};
use shared::archive::{self, Limits};
use shared::lang::Lang;
use shared::redact::Redactor;

/// (place, length, byte, what to do)
type Change = (u32, u8, u8, u8);

/// Runs a target on what the fuzzer brings.
#[cfg(fuzzing)]
fn check(_: &str, _: u32, target: impl Fn(u8, &[Change]) + std::panic::RefUnwindSafe) {
    bolero::check!().with_type::<(u8, Vec<Change>)>().for_each(|(seed, changes)| target(*seed, changes));
}

/// Runs a target on its corpus, then `runs` times on inputs that are the same each time.
#[cfg(not(fuzzing))]
fn check(name: &str, runs: u32, target: impl Fn(u8, &[Change]) + std::panic::RefUnwindSafe) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let mut known: Vec<_> =
        fs::read_dir(&corpus).into_iter().flatten().map(|file| file.unwrap().path()).collect();
    known.sort();
    for file in known {
        println!("{}", file.display());
        let (seed, changes): (u8, Vec<Change>) = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        target(seed, &changes);
    }
    let first = number("CASEBOOK_FUZZ_SEED").unwrap_or(0);
    let mut state = 0x9e37_79b9_7f4a_7c15u64.wrapping_add(u64::from(first) << 32);
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let started = std::time::Instant::now();
    let runs = number("CASEBOOK_FUZZ_RUNS").unwrap_or(runs);
    for run in 0..runs {
        let count = next() % 8;
        // Marks of structure hurt more than any byte does.
        let marks = b"{}[]\"':,-\n\r\t \0\x1b\xff#$@/.";
        let changes: Vec<Change> = (0..count)
            .map(|_| {
                let byte = if next() % 2 == 0 { marks[next() as usize % marks.len()] } else { next() as u8 };
                (next(), (next() % 40) as u8, byte, next() as u8)
            })
            .collect();
        let seed = next() as u8;
        let outcome = std::panic::catch_unwind(|| target(seed, &changes));
        if let Err(panic) = outcome {
            let file = corpus.join(format!("{first}-{run}.json"));
            fs::create_dir_all(&corpus).unwrap();
            fs::write(&file, serde_json::to_vec(&(seed, &changes)).unwrap()).unwrap();
            eprintln!("run {run} failed; its input is kept in {}", file.display());
            std::panic::resume_unwind(panic);
        }
    }
    println!("{name}: {runs} runs in {:.1} s", started.elapsed().as_secs_f64());
}

/// The seed of that number with the changes made to it.
fn changed(seeds: &[Vec<u8>], seed: u8, changes: &[Change]) -> Vec<u8> {
    let mut data = seeds[seed as usize % seeds.len()].clone();
    for (place, length, byte, action) in changes.iter().take(32) {
        let at = *place as usize % (data.len() + 1);
        let end = (at + *length as usize).min(data.len());
        match action % 5 {
            0 => data[at..end].fill(*byte),
            1 => drop(data.splice(at..at, std::iter::repeat_n(*byte, *length as usize))),
            2 => drop(data.drain(at..end)),
            3 => {
                let part = data[at..end].to_vec();
                data.splice(at..at, part);
            }
            _ => data.truncate(at.max(1)),
        }
    }
    data
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn tarball(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

const FILES: &[(&str, &str)] = &[
    (
        "manifest.json",
        r#"{"format":"casebook.bundle/v1","tool":{"name":"casebook-collect","version":"0.1.0"},"started":"2026-01-01T00:00:00Z","finished":"2026-01-01T00:00:01Z","ledger":[{"path":"cluster-resources/nodes.json","source":"GET /api/v1/nodes","outcome":"forbidden","note":"nodes is forbidden"}]}"#,
    ),
    (
        "cluster-resources/pods/a.json",
        r#"{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"web-0","namespace":"a"},"spec":{"nodeName":"n1","containers":[{"name":"c","image":"i"}]},"status":{"phase":"Pending","containerStatuses":[{"name":"c","ready":false,"restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off"}}}]}}]}"#,
    ),
    (
        "cluster-resources/events/a.json",
        r#"{"kind":"EventList","apiVersion":"v1","items":[{"metadata":{"name":"e","namespace":"a"},"involvedObject":{"kind":"Pod","name":"web-0","namespace":"a"},"reason":"FailedScheduling","type":"Warning","message":"0/3 nodes are available: 3 pod has unbound immediate PersistentVolumeClaims.","count":3,"lastTimestamp":"2026-01-01T00:00:00Z"}]}"#,
    ),
    (
        "helm/a.json",
        r#"[{"releaseName":"r","chart":"c","chartVersion":"1.0.0","appVersion":"1","namespace":"a","releaseHistory":[{"revision":"1","date":"x","status":"deployed"},{"revision":"2","date":"y","status":"pending-upgrade"}]}]"#,
    ),
    (
        "cluster-resources/pods/logs/a/web-0/c.log",
        "2026-01-01T00:00:00Z start\n[casebook: 12 bytes left out here]\n2026-01-01T00:00:01Z Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress\n",
    ),
    ("hosts/h/facts.json", r#"{"os":"CentOS","disks":[{"path":"/","total":1,"free":0}]}"#),
    ("texts/scroll.txt", SCROLL),
];

const SCROLL: &str = "\
[root@bk ~]# kubectl get pods -n a -o wide
NAME    READY   STATUS             RESTARTS       AGE   IP         NODE
web-0   0/1     CrashLoopBackOff   5 (3m ago)     2d    10.0.0.1   n1
web-1   1/1     Running            0              2d    <none>     n1

[root@bk ~]# helm history r -n a
REVISION\tUPDATED                 \tSTATUS         \tCHART  \tAPP VERSION\tDESCRIPTION
1       \tFri Sep 30 14:37:41 2022\tdeployed       \tc-1.0.0\t1          \tUpgrade complete
[root@bk ~]# kubectl describe pod web-0 -n a
Name:         web-0
Namespace:    a
Node:         n1/10.0.0.2
Labels:       app=web
              tier=x
Status:       Pending
Containers:
  c:
    Image:          i
    State:          Waiting
      Reason:       CrashLoopBackOff
    Ready:          False
    Restart Count:  5
Events:
  Type     Reason   Age                 From     Message
  ----     ------   ----                ----     -------
  Warning  BackOff  2m (x26 over 7m)    kubelet  Back-off restarting failed container
[root@bk ~]# kubectl get pod web-0 -o yaml
apiVersion: v1
kind: Pod
metadata:
  name: web-0
[root@bk ~]# kubectl get svc -o json
{\"kind\": \"List\", \"items\": [{\"kind\": \"Service\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"s\"}}]}
==== START logs for container c of pod a/web-0 ====
x
==== END logs for container c of pod a/web-0 ====
\u{1b}[31mError\u{1b}[0m: 蓝鲸 password=secret
";

const MORE: &str = "\
(⎈ |prod:a)➜  ~ helm history r -n a -o json
[{\"revision\":1,\"updated\":\"2026-11-22T08:00:00+08:00\",\"status\":\"failed\",\"chart\":\"c-1.0.0\",\"app_version\":\"1\"}]
bash-5.1$ kubectl get events
LASTSEEN   FIRSTSEEN   COUNT   NAME                     KIND   SUBOBJECT   TYPE      REASON    SOURCE         MESSAGE
2m         3m          7       web-0.15a4f7a7c6f2f7a1   Pod                Warning   BackOff   kubelet, n1    Back-off
bash-5.1$ kubectl describe node n1
Name:               n1
Roles:              master
Conditions:
  Type   Status  LastHeartbeatTime                 LastTransitionTime                Reason        Message
  ----   ------  -----------------                 ------------------                ------        -------
  Ready  False   Thu, 01 Jan 2026 00:00:00 +0000   Thu, 01 Jan 2026 00:00:00 +0000   NotReady      x
10%\u{8}\u{8}20%\r30%
";

#[test]
fn archives() {
    static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let plain = tarball(FILES);
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (path, text) in FILES {
            zip.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        let zip = zip.finish().unwrap().into_inner();
        let member = archive::member::compress(&plain, flate2::Compression::fast());
        vec![gzip(&plain), tarball(&[("in.txt", "x")]), gzip(&zip), zip, member, plain]
    });
    check("archives", 1000, |seed, changes| {
        let data = changed(&SEEDS, seed, changes);
        let contents = archive::read_bytes("upload", &data, &Limits::default()).unwrap();
        assert!(
            contents
                .entries
                .iter()
                .all(|entry| !entry.path.split('/').any(|part| matches!(part, "" | "." | "..")))
        );
    });
}

#[test]
fn texts() {
    static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let utf16 = SCROLL.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let each = |before: &str| -> Vec<u8> {
            SCROLL.lines().flat_map(|line| format!("{before}{line}\r\n").into_bytes()).collect()
        };
        vec![
            SCROLL.as_bytes().to_vec(),
            utf16,
            FILES[1].1.as_bytes().to_vec(),
            each("> "),
            each("2026-11-30 10:15:32 "),
            each("    "),
            MORE.as_bytes().to_vec(),
        ]
    });
    check("texts", 500, |seed, changes| {
        let data = changed(&SEEDS, seed, changes);
        let snapshot = intake::from_files(vec![("texts/a.txt".to_owned(), data)], Vec::new());
        for piece in &snapshot.texts {
            let file = &snapshot.files[piece.file.0 as usize];
            assert!(file.text.get(piece.range.clone()).is_some(), "a piece ends inside of a character");
        }
        for object in snapshot.objects.by_collection.values().flatten() {
            assert!(snapshot.files[object.file.0 as usize].line(object.line).is_some());
        }
    });
}

/// Whatever a bundle holds, there is a report on it in every format.
#[test]
fn reports() {
    static RULES: LazyLock<RuleSet> = LazyLock::new(|| RuleSet::load(&[]).unwrap());
    static SEEDS: LazyLock<Vec<Vec<u8>>> =
        LazyLock::new(|| FILES.iter().map(|(_, text)| text.as_bytes().to_vec()).collect());
    check("reports", 60, |seed, changes| {
        let at = seed as usize % FILES.len();
        let files = FILES.iter().enumerate().map(|(n, (path, text))| {
            let data = if n == at { changed(&SEEDS, seed, changes) } else { text.as_bytes().to_vec() };
            ((*path).to_owned(), data)
        });
        let snapshot = intake::from_files(files.collect(), Vec::new());
        let found = matching::run(&RULES, &snapshot);
        let report = Report::build(&snapshot, found).read_with(Lexicon::built_in().unwrap(), &snapshot);
        let json = report::json::render(&report, Lang::En);
        serde_json::from_str::<serde_json::Value>(&json).unwrap();
        for lang in [Lang::Zh, Lang::En] {
            let dates = Dates::utc();
            let options = report::text::Options { lang, width: 80, color: false, dates, all: true };
            let text = report::text::render(&report, &options);
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "a control character reached the terminal");
            report::html::render(&report, &snapshot, lang);
        }
    });
}

#[test]
fn rule_files() {
    static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
        let rules = analyzer::rules::set::read_folder(&folder).unwrap();
        rules.into_iter().map(|rule| rule.yaml.into_bytes()).collect()
    });
    check("rule_files", 400, |seed, changes| {
        let data = changed(&SEEDS, seed, changes);
        let text = String::from_utf8_lossy(&data);
        if let Err(errors) = Rule::parse("a.yaml", "pack/section", &text) {
            assert!(errors.iter().all(|error| !error.to_string().is_empty()));
        }
    });
}

/// The masker takes any bytes in any cuts, and what it gives out does not depend on the cuts.
#[test]
fn redactor() {
    static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        vec![
            SCROLL.as_bytes().to_vec(),
            b"DB_PASSWORD=hunter2hunter2 url=mysql://root:s3cretpass@10.0.0.1/db\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n".to_vec(),
        ]
    });
    check("redactor", 40, |seed, changes| {
        let data = changed(&SEEDS, seed, changes);
        let mask = |size: usize| {
            let redactor = Redactor::with_key(&[], shared::redact::TokenKey::from_bytes([7; 32])).unwrap();
            let (mut masker, mut out) = (redactor.text(), Vec::new());
            for chunk in data.chunks(size) {
                masker.push(chunk, &mut out)?;
            }
            masker.finish(&mut out).map(|_| out)
        };
        let (whole, cut) = (mask(data.len().max(1)), mask(7));
        assert_eq!(whole.is_ok(), cut.is_ok());
        if let (Ok(whole), Ok(cut)) = (whole, cut) {
            assert!(whole == cut, "the output depends on how the input was cut");
        }
    });
}
