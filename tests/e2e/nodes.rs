//! Facts of nodes: over a real sshd on addresses of `lo`, one a node, with everything that nodes do wrong; and the
//! clocks of nodes from leases.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use serde_json::Value;
use tests::cache::Cache;
use tests::cluster::User;
use tests::programs::program;
use tests::run::{Run, run, succeed};
use tests::scenario::DOOMED_NODE;
use tests::wait;

use crate::on_cluster;
use crate::world::{World, report, text};

const PORT: u16 = 2222;
/// Where a node sees the folder of the run's nodes, and that of sshd with its libraries.
const HOME: &str = "/run/home";
const PROGRAMS: &str = "/run/programs";
/// For one node; the hanging ones use all of it.
const NODE_TIMEOUT: u64 = 60;

pub fn trials() -> Vec<Trial> {
    let alone = |name: &str, test: fn() -> Result<()>| {
        Trial::test(name, move || test().map_err(|error| format!("{error:#}").into()))
    };
    vec![
        alone("nodes::bad_nodes_cost_the_good_ones_nothing", bad_nodes_cost_the_good_ones_nothing),
        alone("nodes::a_node_list_with_a_mistake_names_its_line", a_node_list_with_a_mistake_names_its_line),
        alone("nodes::a_host_without_rights_still_answers", a_host_without_rights_still_answers),
        alone("nodes::what_the_script_printed_joins_as_a_host", what_the_script_printed_joins_as_a_host),
        on_cluster("nodes::a_shifted_lease_shows_the_skew", a_shifted_lease_shows_the_skew),
    ]
}

/// What is special about one node.
#[derive(Default)]
struct Manner<'a> {
    /// Lines for its sshd's configuration.
    config: &'a str,
    /// Shell lines that its own mount namespace begins with.
    prepare: &'a str,
}

struct Nodes {
    dir: PathBuf,
    sshd: PathBuf,
    servers: Vec<Child>,
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl Nodes {
    fn new() -> Result<Nodes> {
        let nodes = Nodes { dir: folder("nodes")?, sshd: Cache::locate()?.sshd(), servers: Vec::new() };
        for key in ["user", "host", "other"] {
            let path = nodes.dir.join(key);
            succeed(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path))?;
        }
        std::fs::copy(nodes.dir.join("user.pub"), nodes.dir.join("authorized"))?;
        // sshd wants an account of its own, and one to log in to that no password locks.
        std::fs::write(
            nodes.dir.join("passwd"),
            "root:x:0:0:root:/var/tmp:/bin/sh\nsshd:x:990:65534::/run/sshd:/usr/sbin/nologin\n",
        )?;
        std::fs::write(nodes.dir.join("shadow"), "root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n")?;
        Ok(nodes)
    }

    /// Starts a node's sshd, in a mount namespace of its own, and waits until it listens.
    fn start(&mut self, address: &str, manner: &Manner) -> Result<u32> {
        let dir = self.dir.display();
        let config = format!("{address}.conf");
        let mut lines = format!(
            "Port {PORT}\nListenAddress {address}\nHostKey {HOME}/host\nPidFile none\nUsePAM no\nStrictModes no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n{}\n",
            manner.config
        );
        if !lines.contains("AuthorizedKeysFile") {
            lines += &format!("AuthorizedKeysFile {HOME}/authorized\n");
        }
        std::fs::write(self.dir.join(&config), lines)?;
        // A node may hide whatever folder the cache lies in (/run, /tmp), so what its sshd reads is taken along.
        let script = format!(
            "set -e\nmount --bind {dir}/passwd /etc/passwd\nmount --bind {dir}/shadow /etc/shadow\n\
             mkdir -p {dir}/run\nmount -t tmpfs -o size=256k tmpfs {dir}/run\n\
             mkdir {dir}/run/sshd {dir}/run/home {dir}/run/programs\n\
             mount --bind {dir} {dir}/run/home\nmount --bind {sshd} {dir}/run/programs\n\
             mount --rbind {dir}/run /run\n{prepare}\n\
             exec env LD_LIBRARY_PATH={PROGRAMS} {PROGRAMS}/sshd -D -e -f {HOME}/{config}",
            prepare = manner.prepare,
            sshd = self.sshd.display(),
        );
        let log = std::fs::File::create(self.dir.join(format!("{address}.log")))?;
        let server = Command::new("unshare")
            .args(["--mount", "sh", "-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot run unshare")?;
        let pid = server.id();
        self.servers.push(server);
        wait::until(&format!("sshd on {address}"), Duration::from_secs(20), || {
            Ok(std::net::TcpStream::connect((address, PORT))?)
        })?;
        Ok(pid)
    }

    /// Says which host key the user's ssh knows for an address.
    fn know(&self, address: &str, key: &str) -> Result<()> {
        let known = self.dir.join("known_hosts");
        let key = std::fs::read_to_string(self.dir.join(format!("{key}.pub")))?;
        let before = std::fs::read_to_string(&known).unwrap_or_default();
        std::fs::write(known, format!("{before}[{address}]:{PORT} {key}"))?;
        Ok(())
    }

    fn collect(&self, list: &str, output: &Path) -> Result<Run> {
        let file = self.dir.join("list");
        std::fs::write(&file, list)?;
        let option = |key: &str, name: &str| format!("{key}={}", self.dir.join(name).display());
        run(program("casebook-collect")?
            .args([
                "host",
                "-q",
                "--lang",
                "en",
                "--nodes",
                "ssh",
                "--ssh-user",
                "root",
                "--node-list",
                text(&file)?,
            ])
            .args(["--ssh-option", &option("IdentityFile", "user"), "--ssh-option", "IdentitiesOnly=yes"])
            .args([
                "--ssh-option",
                &option("UserKnownHostsFile", "known_hosts"),
                "--ssh-option",
                &format!("Port={PORT}"),
            ])
            .args([
                "--ssh-option",
                "StrictHostKeyChecking=yes",
                "--node-timeout",
                &format!("{NODE_TIMEOUT}s"),
            ])
            .args(["-o", text(output)?]))
    }
}

/// A folder of this run, in memory.
fn folder(name: &str) -> Result<PathBuf> {
    let dir = Cache::locate()?.run_dir().join(name);
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// The bundle's files, unpacked.
fn unpack(bundle: &Path) -> Result<PathBuf> {
    let folder = bundle.with_extension("unpacked");
    std::fs::create_dir_all(&folder)?;
    succeed(Command::new("tar").args(["-xzf", text(bundle)?, "--strip-components=1", "-C", text(&folder)?]))?;
    Ok(folder)
}

fn json(path: &Path) -> Result<Value> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no JSON", path.display()))
}

/// (outcome, note) of one ledger entry.
fn entry(bundle: &Path, path: &str) -> Result<(String, String)> {
    let manifest = json(&bundle.join("manifest.json"))?;
    let ledger = manifest["ledger"].as_array().context("the manifest has no ledger")?;
    let entry =
        ledger.iter().find(|entry| entry["path"] == path).with_context(|| format!("no entry for {path}"))?;
    let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    Ok((word("outcome"), word("note")))
}

fn bad_nodes_cost_the_good_ones_nothing() -> Result<()> {
    let mut nodes = Nodes::new()?;
    let good = nodes.start("127.0.2.1", &Manner::default())?;
    let full = nodes.start(
        "127.0.2.2",
        &Manner {
            // No folder has room for the program, and one file system has none for anything.
            prepare: "for d in /dev/shm /tmp /var/tmp; do mount -t tmpfs -o size=64k tmpfs $d; done\n\
                      head -c 1000000 /dev/zero >/var/tmp/log 2>/dev/null || true",
            ..Manner::default()
        },
    )?;
    nodes.start("127.0.2.3", &Manner { config: "AuthorizedKeysFile none", ..Manner::default() })?;
    nodes.start("127.0.2.4", &Manner { config: "ForceCommand sleep 600", ..Manner::default() })?;
    let silent = TcpListener::bind(("127.0.2.5", PORT))?;
    nodes.start("127.0.2.7", &Manner::default())?;
    let ahead = format!("SetEnv LD_PRELOAD={PROGRAMS}/libfaketime.so.1 FAKETIME=+62s");
    nodes.start("127.0.2.8", &Manner { config: &ahead, ..Manner::default() })?;
    for address in ["127.0.2.1", "127.0.2.2", "127.0.2.3", "127.0.2.4", "127.0.2.5", "127.0.2.6", "127.0.2.8"]
    {
        nodes.know(address, "host")?;
    }
    nodes.know("127.0.2.7", "other")?;

    let list = "good 127.0.2.1\nfull 127.0.2.2\nrefusing 127.0.2.3\nhanging 127.0.2.4\nsilent 127.0.2.5\nclosed 127.0.2.6\n\
                changed 127.0.2.7\nahead 127.0.2.8\n";
    let bundle = nodes.dir.join("nodes.tar.gz");
    let begun = Instant::now();
    nodes.collect(list, &bundle)?.expect_code(3)?;
    // Two of them hang until the end: one after the other they would take twice as long.
    ensure!(begun.elapsed() < Duration::from_secs(2 * NODE_TIMEOUT), "it took {:?}", begun.elapsed());
    drop(silent);
    let files = unpack(&bundle)?;

    let facts = json(&files.join("hosts/good/facts.json"))?;
    ensure!(facts["role"] == "node" && facts["node"] == "good", "{facts}");
    ensure!(facts["probes"]["ipv6"] == "collected", "{}", facts["probes"]);
    within(&facts, 0)?;
    ensure!(files.join("hosts/good/system.txt").is_file());
    // It was read by the shell script, since the program found no room.
    let facts = json(&files.join("hosts/full/facts.json"))?;
    let disks = facts["disks"].as_array().context("no disks")?;
    let is_full = |disk: &&Value| disk["mount"] == "/var/tmp" && disk["used_percent"] == 100;
    ensure!(disks.iter().any(|disk| is_full(&disk)), "{}", facts["disks"]);
    ensure!(entry(&files, "hosts/full/facts.json")?.1.contains("shell script"));
    within(&json(&files.join("hosts/ahead/facts.json"))?, 62_000)?;

    for (node, outcome, words) in [
        ("refusing", "forbidden", "accepts none of your keys"),
        ("hanging", "timed_out", "given up"),
        ("silent", "timed_out", ""),
        ("closed", "failed", "refuses connections"),
        ("changed", "forbidden", "ssh-keygen -R"),
    ] {
        let (found, note) = entry(&files, &format!("hosts/{node}/facts.json"))?;
        ensure!(found == outcome && note.contains(words), "{node}: {found}: {note}");
    }
    for pid in [good, full] {
        let find = "find /dev/shm /tmp /var/tmp /run /root -maxdepth 1 -name '.casebook*'";
        let left = succeed(Command::new("nsenter").args(["-t", &pid.to_string(), "-m", "sh", "-c", find]))?;
        ensure!(left.stdout.is_empty(), "left on a node: {}", left.stdout);
    }
    let running = run(Command::new("pgrep").args(["-f", "host --stream"]))?;
    ensure!(running.stdout.is_empty(), "still running: {}", running.stdout);
    Ok(())
}

/// The measured skew of a node is within its own bound of the truth, and that bound is useful.
fn within(facts: &Value, truth: i64) -> Result<()> {
    let clock = &facts["clock"];
    let skew = clock["skew_ms"].as_i64().with_context(|| format!("no skew in {clock}"))?;
    let error = clock["skew_error_ms"].as_i64().context("no bound")?;
    ensure!((skew - truth).abs() <= error.max(100) && error < 2000, "{clock}, not {truth}");
    Ok(())
}

fn a_node_list_with_a_mistake_names_its_line() -> Result<()> {
    let dir = folder("node-list")?;
    let list = dir.join("list");
    std::fs::write(&list, "10.0.0.1\n-oProxyCommand=x\n")?;
    let output = dir.join("out.tar.gz");
    let run = run(program("casebook-collect")?.args([
        "host",
        "--nodes",
        "ssh",
        "--node-list",
        text(&list)?,
        "-o",
        text(&output)?,
    ]))?
    .expect_code(2)?;
    ensure!(run.stderr.contains("line 2") && run.stderr.contains("hint: "), "{}", run.stderr);
    ensure!(!output.exists());
    Ok(())
}

/// As nobody, in an empty root with little more than the program: a container without systemd, tools or rights.
fn a_host_without_rights_still_answers() -> Result<()> {
    let dir = folder("no-rights")?;
    let binary = program("casebook-collect")?.get_program().to_owned();
    let lines = format!(
        "set -e\nr={root}\nmkdir $r/bin $r/proc $r/lib $r/lib64 $r/usr\ncp {binary} $r/bin/casebook-collect\n\
         chmod 755 $r $r/bin/casebook-collect\nmount -t proc proc $r/proc\n\
         for d in lib lib64 usr/lib; do [ -d /$d ] || continue; mkdir -p $r/$d; mount --bind /$d $r/$d; done\n\
         exec chroot --userspec=65534:65534 $r /bin/casebook-collect host --lang en",
        root = dir.display(),
        binary = Path::new(&binary).display(),
    );
    let run = run(Command::new("unshare").args(["--mount", "sh", "-c", &lines]))?;
    ensure!(matches!(run.code, Some(0 | 3)), "{:?}: {}", run.code, run.stderr);
    let (_, facts) = run.stdout.split_once("facts.json <==\n").context("no facts were printed")?;
    let facts = facts.split("\n\n").next().unwrap_or_default();
    let facts: Value = serde_json::from_str(facts).with_context(|| format!("no JSON: {facts}"))?;
    ensure!(facts["user"]["uid"] == 65534 || facts["user"].is_null(), "{}", facts["user"]);
    ensure!(facts["kernel"].is_string() && facts["memory"]["total"].is_u64(), "{facts}");
    ensure!(facts["tools"]["helm"]["found"] == false);
    ensure!(facts.get("os").is_none(), "what could not be read is absent");
    ensure!(run.stdout.contains("$ chronyc -n tracking\n[not found]"));
    Ok(())
}

fn what_the_script_printed_joins_as_a_host() -> Result<()> {
    let dir = folder("script")?;
    let script = succeed(program("casebook-collect")?.args(["host", "--script"]))?.stdout;
    let file = dir.join("script");
    std::fs::write(&file, script)?;
    let printed = succeed(Command::new("sh").arg(&file))?.stdout;
    let text_file = dir.join("node.txt");
    std::fs::write(&text_file, format!("[root@node ~]# sh script\n{printed}"))?;
    let bundle = dir.join("out.tar.gz");
    let args = ["host", "-q", "--no-host", "--text", text(&text_file)?, "-o", text(&bundle)?];
    run(program("casebook-collect")?.args(args))?.expect_code(0)?;
    let files = unpack(&bundle)?;
    let name = succeed(Command::new("uname").arg("-n"))?.stdout;
    let facts = json(&files.join("hosts").join(name.trim()).join("facts.json"))?;
    ensure!(facts["role"] == "node" && facts["memory"]["total"].is_u64(), "{facts}");
    Ok(())
}

fn a_shifted_lease_shows_the_skew(world: &World) -> Result<()> {
    const AHEAD: i64 = 62;
    let lease = |time: Timestamp| {
        format!(r#"{{"spec":{{"renewTime":"{}"}}}}"#, time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
    };
    let shifted = || Timestamp::now() + SignedDuration::from_secs(AHEAD);
    let manifest = world.file("shifted-lease.json");
    std::fs::write(
        &manifest,
        r#"{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"shifted","namespace":"kube-node-lease"},"spec":{"holderIdentity":"shifted"}}"#,
    )?;
    let kubectl = |args: &[&str]| -> Result<Run> {
        let mut command = Command::new(Cache::locate()?.tool("kubectl-1.32"));
        succeed(command.args(args).env("KUBECONFIG", world.cluster.kubeconfig(User::Admin)))
    };
    kubectl(&["apply", "-f", text(&manifest)?])?;
    let bundle = world.file("shifted.tar.gz");
    let done = AtomicBool::new(false);
    let collected = thread::scope(|scope| {
        let renewing = scope.spawn(|| -> Result<()> {
            while !done.load(Ordering::Relaxed) {
                let patch = lease(shifted());
                kubectl(&[
                    "patch",
                    "lease",
                    "-n",
                    "kube-node-lease",
                    "shifted",
                    "--type=merge",
                    "-p",
                    &patch,
                ])?;
                // Nobody waits long for a node that says nothing.
                thread::sleep(Duration::from_millis(200));
            }
            Ok(())
        });
        let collected =
            world.collect(&["-q", "--clock-wait", "60s", "--only", "host,nodes", "-o", text(&bundle)?]);
        done.store(true, Ordering::Relaxed);
        renewing.join().expect("it does not panic")?;
        collected
    });
    kubectl(&["delete", "lease", "-n", "kube-node-lease", "shifted"])?;
    let collected = collected?;
    ensure!(matches!(collected.code, Some(0 | 3)), "{}", collected.stderr);
    let files = world.unpack(&bundle)?;
    let answers = json(&files.join("probes/clock.json"))?;
    let rows = answers["answers"].as_array().context("no answers")?;
    let of = |clock: &str| rows.iter().find(|row| row["clock"] == clock);
    let row = of("node/shifted").with_context(|| format!("no row for the lease: {answers}"))?;
    let skew = row["skew_ms"].as_i64().context("no skew")?;
    ensure!((skew - AHEAD * 1000).abs() < 2000, "{row}");
    for row in rows.iter().filter(|row| row["kind"] == "clock" && row["clock"] != "node/shifted") {
        let (skew, error) =
            (row["skew_ms"].as_i64().context("no skew")?, row["error_ms"].as_i64().context("no bound")?);
        // A machine busy with tests may be late to hear of a renewal.
        ensure!(skew.abs() <= error + 1000, "this clock is right: {row}");
    }
    ensure!(of("apiserver").is_some(), "{answers}");
    if world.cluster.has_kubelets() {
        let spread = rows.iter().find(|row| row["kind"] == "clock_spread").context("no spread")?;
        ensure!(spread["ahead"] == "shifted", "{spread}");
        let kubelets = json(&files.join("probes/kubelet.json"))?;
        let all = kubelets["answers"].as_array().context("no answers")?;
        let is_well = |row: &Value| row["reachable"] == true || row["node"] == DOOMED_NODE;
        ensure!(!all.is_empty() && all.iter().all(is_well), "{kubelets}");
        // Together with the logs of the case the measured clock decides it.
        let seen = world.observe("service-call-failed-clock-skew")?;
        let report = report(&[&seen.bundle, &bundle])?;
        // It may stand by itself or beneath what is wrong with the clocks in general.
        let finding = told(&report["findings"], "service-call-failed-clock-skew");
        let finding = finding.with_context(|| format!("the case was not recognised: {report:#}"))?;
        let mut evidence = finding["evidence"].as_array().context("no evidence")?.iter();
        ensure!(finding["verdict"] == "confirmed", "{finding}");
        let is_clock =
            |row: &Value| row["path"].as_str().is_some_and(|path| path.ends_with("probes/clock.json"));
        ensure!(evidence.any(is_clock), "{finding}");
    }
    let manifest = json(&files.join("manifest.json"))?;
    let clocks = manifest["clocks"].as_array().context("no clocks")?;
    ensure!(clocks.iter().any(|clock| clock["clock"] == "node/shifted"), "{}", manifest["clocks"]);
    Ok(())
}

/// The finding of a case, wherever it stands beneath what explains it.
fn told<'f>(findings: &'f Value, case: &str) -> Option<&'f Value> {
    findings.as_array()?.iter().find_map(|finding| {
        if finding["case"] == case { Some(finding) } else { told(&finding["explains"], case) }
    })
}
