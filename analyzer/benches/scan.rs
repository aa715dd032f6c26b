//! What reading texts costs with the 40 cases of the catalogue, with all rules, and with 500 and 2,000 generated ones.
//!
//! `cargo bench -p analyzer --bench scan` prints throughput and the ratio to the cost with the catalogue's rules. The
//! text is generated: log lines of the shapes that clusters write, and one line in a thousand that some rule knows.

use std::time::{Duration, Instant};

use analyzer::matching::scan::Scanner;
use analyzer::rules::set::RuleText;
use analyzer::rules::{Rule, RuleSet};
use analyzer::snapshot::{FileId, Snapshot, SourceFile, TextKind, TextSource};

const MEGABYTES: usize = 128;
const RUNS: usize = 5;

fn main() {
    let snapshot = logs(MEGABYTES << 20);
    let all = RuleSet::built_in().expect("the rules in the program are sound");
    let catalogue: Vec<&Rule> = all
        .iter()
        .filter(|rule| rule.file.source.as_ref().is_some_and(|source| source.document == "问题案例.md"))
        .collect();
    let of_500 = generated(500);
    let of_2000 = generated(2000);
    println!("{MEGABYTES} MiB of logs, {} threads", rayon::current_num_threads());
    let base = measure("catalogue", &catalogue, &snapshot, None);
    measure("all packs", &all.iter().collect::<Vec<_>>(), &snapshot, Some(base));
    for set in [&of_500, &of_2000] {
        let both: Vec<&Rule> = all.iter().chain(set.iter()).collect();
        measure(&format!("all packs + {} generated", set.len()), &both, &snapshot, Some(base));
    }
}

/// The best of some runs, so that what else the machine does counts least.
fn measure(name: &str, rules: &[&Rule], snapshot: &Snapshot, base: Option<Duration>) -> Duration {
    let evidence = rules.iter().flat_map(|rule| &rule.evidence).filter(|evidence| evidence.pattern.is_some());
    let scanner = Scanner::new(evidence.collect());
    let mut best = Duration::MAX;
    let mut hits = 0;
    for _ in 0..RUNS {
        let start = Instant::now();
        hits = scanner.scan(snapshot).iter().map(Vec::len).sum();
        best = best.min(start.elapsed());
    }
    let rate = MEGABYTES as f64 / best.as_secs_f64();
    let ratio = base.map_or(1.0, |base| best.as_secs_f64() / base.as_secs_f64());
    println!("{name:32} {:5} rules  {rate:7.0} MiB/s  ×{ratio:.2}  ({hits} shapes hit)", rules.len());
    best
}

/// Rules that each look for a sentence of their own.
fn generated(count: usize) -> RuleSet {
    const SUBJECTS: &[&str] =
        &["lease", "volume", "session", "replica", "handshake", "shard", "token", "snapshot"];
    const TROUBLES: &[&str] =
        &["was lost", "is not writable", "has expired", "cannot be bound", "went away", "is corrupt"];
    let texts: Vec<RuleText> = (0..count)
        .map(|n| {
            let (subject, trouble) = (SUBJECTS[n % SUBJECTS.len()], TROUBLES[n / SUBJECTS.len() % TROUBLES.len()]);
            let id = format!("generated-{n}");
            let yaml = format!(
                "id: {id}\ntitle: {{zh: a, en: a}}\nstatus: stable\nseverity: error\nsince: 0.1.0\nevidence:\n  seen:\n    \
                 in: [logs, texts, events]\n    text: '(?P<name>[a-z-]+): {subject} of unit-{n} {trouble}(?: after \\d+ tries)?'\n\
                 verdict: {{likely: seen}}\noutcomes: [{{conclusion: {{zh: a, en: a}}}}]\n"
            );
            RuleText { path: format!("rules/generated/all/{id}.yaml"), section: "generated/all".into(), yaml }
        })
        .collect();
    RuleSet::compile(&texts).expect("the generated rules are sound")
}

/// Logs of some pods; the same bytes each time.
fn logs(bytes: usize) -> Snapshot {
    const LINES: &[&str] = &[
        "INFO [http-nio-8080-exec-{n}] c.t.b.web.RequestFilter : GET /api/v3/hosts/search 200 {n}ms trace={n}",
        "I1120 03:00:00.123456       1 controller.go:{n}] syncing replica set web-{n} in namespace blueking",
        "{\"level\":\"info\",\"msg\":\"reconciled\",\"controller\":\"ingress\",\"object\":\"blueking/web-{n}\",\"took\":{n}}",
        "10.244.0.{n} - - \"GET /static/app.{n}.js HTTP/1.1\" 200 {n} \"-\" \"Mozilla/5.0\"",
        "WARN  [pool-{n}] o.a.k.clients.NetworkClient - connection to node {n} could be established after a retry",
        "DEBUG session {n}: token refreshed, next refresh in {n} seconds, volume unit-{n} is writable",
    ];
    const KNOWN: &str = "java.net.UnknownHostException: bk-elastic-elasticsearch-master.blueking.svc.cluster.local lookup {n}";
    let mut snapshot = Snapshot::default();
    let pods = 16;
    for pod in 0..pods {
        let mut text = String::with_capacity(bytes / pods + 200);
        let mut n = pod;
        while text.len() < bytes / pods {
            n += 1;
            let line = if n % 1000 == 0 { KNOWN } else { LINES[n.wrapping_mul(2_654_435_761) % LINES.len()] };
            text.push_str("2026-11-20T03:00:00.123456789Z ");
            text.push_str(&line.replace("{n}", &(n % 997).to_string()));
            text.push('\n');
        }
        let file = FileId(pod as u32);
        let range = 0..text.len();
        snapshot.files.push(SourceFile::new(format!("pods/logs/blueking/web-{pod}/web.log"), 0, text.into()));
        snapshot.texts.push(TextSource {
            file,
            range,
            kind: TextKind::Log,
            namespace: Some("blueking".into()),
            pod: Some(format!("bk-elastic-elasticsearch-data-{pod}")),
            container: Some("web".into()),
            previous: false,
            node: None,
            has_head: true,
            has_tail: true,
            has_middle: true,
        });
    }
    snapshot
}
