//! `cargo run --release -p tests --bin bench -- analyzer|collector|layouts|page|redaction`: ratios to programs that everybody has.
//!
//! ```text
//! analyzer [MEGABYTES]   `casebook-analyze` on a generated bundle of that much data (default 200), beside `gzip -dc`
//! collector [PODS]       `casebook-collect` on a server with so many pods (default 5000) and twice as many events,
//!                        beside `kubectl cluster-info dump -A` on the same server
//! layouts [MEGABYTES]    `casebook-analyze` on so much data (default 200) in the layout of each collector, beside `gzip -dc`
//! page [MEGABYTES]       the HTML page about a generated installation in trouble with so much data (default 200): its
//!                        size, and how long the system's Chromium takes to open it
//! redaction [MEGABYTES]  `casebook-collect redact` on so much of generated logs (default 256), beside `cat` and beside
//!                        `sed` with three expressions
//! ```

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tests::bench::audit::{Mark, summary};
use tests::bench::load::{Load, node_addresses};
use tests::bench::measure::{Cost, best_of, once, row};
use tests::bench::{bundle, layouts, log_server, log_text, trouble};
use tests::cache::Cache;
use tests::cluster::{Cluster, Settings, User};
use tests::isolation;
use tests::programs::{self, program};
use tests::run::succeed;

const USAGE: &str = "usage: bench analyzer [MEGABYTES] | collector [PODS] | layouts [MEGABYTES] | page [MEGABYTES] | redaction [MEGABYTES]";

fn main() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |default: usize| args.get(1).map_or(Ok(default), |text| text.parse().context(USAGE));
    let cache = Cache::locate()?;
    if !isolation::inside() {
        programs::build()?;
        cache.prepare()?;
        cache.prepare_page()?;
    }
    // Both in memory of their own: what is measured is not the disk.
    if let Some(code) = isolation::enter(&cache)? {
        return Ok(code);
    }
    match args.first().map(String::as_str) {
        Some("analyzer") => analyzer(&cache.run_dir(), number(200)?)?,
        Some("layouts") => all_layouts(&cache.run_dir(), number(200)?)?,
        Some("page") => page(&cache, number(200)?)?,
        Some("redaction") => redaction(&cache.run_dir(), number(256)?)?,
        Some("collector") => collector(&cache, number(5000)?)?,
        _ => {
            eprintln!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn heading(base: &str) {
    println!("{:<44}{:>11}{:>9}{:>13}", "", "wall", format!("/ {base}"), "peak");
}

fn analyzer(dir: &Path, megabytes: usize) -> Result<()> {
    let members = dir.join("members.tar.gz");
    bundle::write(&members, u64::try_from(megabytes)? << 20)?;
    // The same data as other tools write it.
    let single = dir.join("single.tar.gz");
    let repack = format!("gzip -dc {} | gzip > {}", members.display(), single.display());
    once(Command::new("sh").args(["-c", &repack]), &dir.join("log"), &[0])?;
    let output = dir.join("output");
    heading("gzip");
    for (name, path) in [("run of members", &members), ("one member", &single)] {
        let size = std::fs::metadata(path)?.len() >> 20;
        println!("{megabytes} MiB of data, {size} MiB file, {name}");
        let gzip =
            best_of(3, || once(Command::new("gzip").arg("-dc").arg(path), Path::new("/dev/null"), &[0]))?;
        println!("{}", row("  gzip -dc", gzip, None));
        let ours = best_of(3, || {
            once(program("casebook-analyze")?.args(["--format", "json"]).arg(path), &output, &[0])
        })?;
        println!("{}", row("  casebook-analyze", ours, Some(gzip)));
    }
    Ok(())
}

fn all_layouts(dir: &Path, megabytes: usize) -> Result<()> {
    let (archive, folder, output) = (dir.join("layout.tar.gz"), dir.join("layout"), dir.join("output"));
    heading("gzip");
    for layout in layouts::LAYOUTS {
        layouts::write(layout, &archive, &folder, u64::try_from(megabytes)? << 20)?;
        let gzip =
            best_of(3, || once(Command::new("gzip").arg("-dc").arg(&archive), Path::new("/dev/null"), &[0]))?;
        let ours = best_of(3, || {
            once(program("casebook-analyze")?.args(["--format", "json"]).arg(&archive), &output, &[0])
        })?;
        let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&output)?)?;
        let called = report["bundle"]["inputs"][0]["layout"].as_str().unwrap_or("nothing");
        println!("{}  read as {called}", row(layout.name, ours, Some(gzip)));
    }
    Ok(())
}

/// What the page about a bundle of 200 MB may weigh, and how long it may take to open.
const PAGE_GOAL: (f64, f64) = (5.0, 1.0);
/// Times that the page is opened; the median is told.
const OPENINGS: &str = "5";

fn page(cache: &Cache, megabytes: usize) -> Result<()> {
    let dir = cache.run_dir();
    let (bundle, html) = (dir.join("trouble.tar.gz"), dir.join("trouble.html"));
    trouble::write(&bundle, u64::try_from(megabytes)? << 20)?;
    println!("{megabytes} MiB of data, {} MiB file", std::fs::metadata(&bundle)?.len() >> 20);
    heading("JSON");
    let output = dir.join("output");
    let json = best_of(3, || {
        once(program("casebook-analyze")?.args(["--format", "json"]).arg(&bundle), &output, &[0])
    })?;
    println!("{}", row("casebook-analyze --format json", json, None));
    let written =
        best_of(3, || once(program("casebook-analyze")?.arg("-o").arg(&html).arg(&bundle), &output, &[0]))?;
    println!("{}", row("casebook-analyze -o page.html", written, Some(json)));
    let size = std::fs::metadata(&html)?.len() as f64 / 1e6;
    println!("size of the page {size:>32.2} MB, goal {:.0} MB", PAGE_GOAL.0);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("page/open.mjs");
    let mut node = Command::new("node");
    node.arg(script).arg(&html).arg(OPENINGS).env("MODULES", cache.prepare_page()?);
    let times: serde_json::Value = serde_json::from_str(&succeed(&mut node)?.stdout)?;
    let seconds = |name: &str| times[name].as_f64().unwrap_or(f64::NAN) / 1000.0;
    println!("until it is drawn {:>31.2} s,  goal {:.0} s", seconds("drawn"), PAGE_GOAL.1);
    println!("until the first picture {:>25.2} s,  goal {:.0} s", seconds("painted"), PAGE_GOAL.1);
    println!("elements {:>40}", times["elements"]);
    Ok(())
}

/// The three expressions that people mask logs with by hand.
const SED: &str = "sed -E -e 's/(password|secret|token)([\"=: ]+)[^\", ]+/\\1\\2***/g' -e 's#(://[^:/ ]+:)[^@/ ]+@#\\1***@#g' \
                   -e 's/Bearer [A-Za-z0-9._-]+/Bearer ***/g'";

fn redaction(dir: &Path, megabytes: usize) -> Result<()> {
    let (log, output) = (dir.join("redaction.log"), dir.join("output"));
    let mut text = std::io::BufWriter::new(std::fs::File::create(&log)?);
    log_text::write_with_secrets(&mut text, u64::try_from(megabytes)? << 20, 7)?;
    drop(text);
    let program = program("casebook-collect")?.get_program().to_string_lossy().into_owned();
    let time = |line: &str| {
        best_of(3, || {
            once(Command::new("sh").args(["-c", &format!("{line} < {}", log.display())]), &output, &[0])
        })
    };
    let size = std::fs::metadata(&log)?.len();
    let rate = |cost: Cost| format!("{:.0} MB/s", size as f64 / 1e6 / cost.wall.as_secs_f64());
    println!("{} MiB of logs, 1 line of 500 with a secret", size >> 20);
    heading("cat");
    let copy = time("cat")?;
    println!("{}  {}", row("cat", copy, None), rate(copy));
    for (name, line) in
        [("casebook-collect redact", format!("{program} redact")), ("sed, three expressions", SED.to_owned())]
    {
        let cost = time(&line)?;
        println!("{}  {}", row(name, cost, Some(copy)), rate(cost));
    }
    Ok(())
}

/// Whether one pod's log has a gigabyte.
static HUGE: AtomicBool = AtomicBool::new(false);
/// That pod, in the words of `--only`.
const HUGE_LOG: &str = "logs/load-0/bad-0-00000";

/// Every fifth unhealthy pod has a log longer than the collector keeps whole.
fn log_length(_namespace: &str, pod: &str, previous: bool) -> Option<u64> {
    if HUGE.load(Ordering::Relaxed) && HUGE_LOG.ends_with(pod) && !previous {
        return Some(1 << 30);
    }
    match (pod.starts_with("bad-"), previous) {
        (true, _) if pod.ends_with('0') => Some(8 << 20),
        (true, _) => Some(512 << 10),
        (false, false) => Some(20 << 10),
        (false, true) => None,
    }
}

/// Memory that a collection may take, however long the logs are.
const COLLECTOR_PEAK: u64 = 150 << 20;

fn collector(cache: &Cache, pods: usize) -> Result<()> {
    for address in node_addresses() {
        isolation::add_address(&address)?;
    }
    // Controllers that would mind nodes without a kubelet stay out.
    let settings =
        Settings { controllers: "namespace,serviceaccount".to_owned(), audit: true, ..Settings::default() };
    let cluster = Cluster::start(cache, &settings)?;
    log_server::start(cluster.dir(), log_length)?;
    let load = Load { pods, events: 2 * pods, unhealthy: pods / 25 };
    let runtime = tokio::runtime::Runtime::new()?;
    let client = runtime.block_on(client(&cluster))?;
    let started = Instant::now();
    runtime.block_on(load.fill(&client))?;
    println!(
        "{pods} pods, {} of them unhealthy, {} events made in {} s",
        load.unhealthy,
        load.events,
        started.elapsed().as_secs()
    );

    let output = cluster.dir().join("output");
    let quiet = Latency::start(&runtime, &client);
    std::thread::sleep(Duration::from_secs(5));
    println!("latency of another client, idle server: {}", quiet.stop());

    println!("goals: wall 0.20 of kubectl's, peak {} MiB, latency at most doubled", COLLECTOR_PEAK >> 20);
    heading("kubectl");
    let mark = Mark::now(&cluster.audit_log())?;
    let mut dump = cluster.tool("kubectl-1.32", &["cluster-info", "dump", "-A"]);
    let kubectl = once(&mut dump, &output, &[0])?;
    println!("{}", row("kubectl cluster-info dump -A", kubectl, None));
    println!("  {} MiB, {}", kubectl.printed >> 20, summary(&mark.requests("kubectl")?));

    let all_logs = ["--all-logs", "--max-size", "1G", "--timeout", "30m"];
    for (name, more, huge) in [
        ("casebook-collect", &[][..], false),
        ("casebook-collect, a log of 1 GiB", &[][..], true),
        ("casebook-collect --only that log", &["--only", HUGE_LOG][..], true),
        ("casebook-collect --all-logs", &all_logs[..], false),
    ] {
        HUGE.store(huge, Ordering::Relaxed);
        let file = cluster.dir().join("bundle.tar.gz");
        let _ = std::fs::remove_file(&file);
        let mark = Mark::now(&cluster.audit_log())?;
        let latency = Latency::start(&runtime, &client);
        let mut command = program("casebook-collect")?;
        command.arg("-o").arg(&file).args(more).env("KUBECONFIG", cluster.kubeconfig(User::Admin));
        let ours = once(&mut command, &output, &[0, 3])?;
        println!("{}", row(name, ours, Some(kubectl)));
        let requests = mark.requests("casebook")?;
        let all: usize = requests.values().sum();
        // What is asked for itself is no object: lists bring those.
        let objects = pods + load.events;
        let logs = requests.get("logs").copied().unwrap_or_default();
        println!("  {} MiB, {}", std::fs::metadata(&file)?.len() >> 20, summary(&requests));
        println!("  {:.3} requests an object, besides those for logs", (all - logs) as f64 / objects as f64);
        println!("  latency of another client: {}", latency.stop());
    }
    Ok(())
}

async fn client(cluster: &Cluster) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(cluster.kubeconfig(User::Admin))?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

/// How long a small request of somebody else takes, asked ten times a second.
struct Latency {
    stop: Arc<AtomicBool>,
    times: std::thread::JoinHandle<Vec<Duration>>,
}

impl Latency {
    fn start(runtime: &tokio::runtime::Runtime, client: &Client) -> Latency {
        let stop = Arc::new(AtomicBool::new(false));
        let (handle, client, asked) = (runtime.handle().clone(), client.clone(), Arc::clone(&stop));
        let times = std::thread::spawn(move || {
            let mut times = Vec::new();
            while !asked.load(Ordering::Relaxed) {
                let started = Instant::now();
                let request = http::Request::get("/api/v1/namespaces/default").body(Vec::new());
                if let Ok(request) = request
                    && handle.block_on(client.request_text(request)).is_ok()
                {
                    times.push(started.elapsed());
                }
                std::thread::sleep(Duration::from_millis(100));
            }
            times
        });
        Latency { stop, times }
    }

    fn stop(self) -> String {
        self.stop.store(true, Ordering::Relaxed);
        let mut times = self.times.join().unwrap_or_default();
        times.sort_unstable();
        let at = |share: f64| {
            let place = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
            times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        format!("median {:.1} ms, 95 % {:.1} ms, of {} requests", at(0.5), at(0.95), times.len())
    }
}
