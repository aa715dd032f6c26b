//! The collector leaves the machine as it found it, whatever the user's start-up files and tools do: nothing stays, and
//! the next login is as fast as before.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use tests::cluster::User;
use tests::programs::program;
use tests::run::{Run, run};
use tests::wait;

use crate::on_cluster;
use crate::world::{World, text};

/// More than whatever is asked to end takes.
const LIMIT: Duration = Duration::from_secs(120);

/// What a `.bashrc` may do besides its work. `passed` in the home lets the test's own login through.
const STARTUPS: [(&str, &str); 6] = [
    ("slow", "[ -e ~/passed ] || sleep 1000001\n"),
    // As `pyenv rehash` does, which a version manager's set-up calls: whoever finds its lock waits a minute.
    ("locked", "~/rehash\n"),
    ("interactive", "read -r -p 'name? ' name </dev/tty; read -r -p 'sure? ' sure\n"),
    ("failing", "exit 3\n"),
    ("broken", "set -e; no-such-command-here; ${oops:?is not set}\n"),
    (
        "daemons",
        "setsid sleep 1000002 >/dev/null 2>&1 </dev/null &\n(trap '' HUP; sleep 1000003) >/dev/null 2>&1 &\ndisown -a\n",
    ),
];

const REHASH: &str = "#!/bin/bash\n\
    set -o noclobber\n\
    until echo >~/lock; do echo waited >>~/waited; sleep 0.1; done 2>/dev/null\n\
    trap 'rm -f ~/lock' EXIT\n\
    [ -e ~/passed ] || sleep 1000004\n";

pub fn trials() -> Vec<Trial> {
    let startups = STARTUPS.into_iter().map(|(name, startup)| {
        on_cluster(format!("harmless::startup_{name}"), move |world| every_probe(world, name, startup))
    });
    let others = [
        on_cluster("harmless::a_whole_collection", a_whole_collection),
        on_cluster("harmless::a_tool_that_holds_a_lock", a_tool_that_holds_a_lock),
        on_cluster("harmless::what_does_not_listen_is_named", what_does_not_listen_is_named),
        on_cluster("harmless::a_watch_without_answer", a_watch_without_answer),
    ];
    startups.chain(others).collect()
}

/// Somebody's home, whose shell is bash.
struct Home {
    path: PathBuf,
    passwd: PathBuf,
}

impl Home {
    fn make(world: &World, name: &str, startup: &str) -> Result<Home> {
        let path = world.file(&format!("home-{name}"));
        fs::create_dir_all(&path)?;
        fs::write(path.join(".bash_profile"), ". ~/.bashrc\nexport PATH=~/bin:/opt/bk/bin:$PATH\n")?;
        fs::write(path.join(".bashrc"), startup)?;
        executable(&path.join("rehash"), REHASH)?;
        // The user database decides whose home it is, not the environment.
        let own = fs::read_to_string("/etc/passwd")?;
        let others = own.lines().filter(|line| line.split(':').nth(2) != Some("0"));
        let root = format!("root:x:0:0:root:{}:/bin/bash", path.display());
        let passwd = path.join("passwd");
        fs::write(
            &passwd,
            std::iter::once(root.as_str()).chain(others).collect::<Vec<_>>().join("\n") + "\n",
        )?;
        Ok(Home { path, passwd })
    }

    /// The collector as this user.
    fn collect(&self, world: &World, args: &[&str]) -> Result<(Run, Value)> {
        let bundle = self.path.join("bundle.tar.gz");
        let script = "mount --bind \"$0\" /etc/passwd && exec \"$@\"";
        let run = run(Command::new("unshare")
            .args(["--mount", "sh", "-c", script, text(&self.passwd)?])
            .arg(program("casebook-collect")?.get_program())
            .args(args)
            .args(["-o", text(&bundle)?])
            .env("HOME", &self.path)
            .env("NO_COLOR", "1")
            .env("PATH", format!("{}/bin:{}", self.path.display(), std::env::var("PATH")?))
            .env("KUBECONFIG", world.cluster.kubeconfig(User::Admin)))?;
        ensure!(matches!(run.code, Some(0 | 3)), "`{}` ended with {:?}: {}", run.line, run.code, run.stderr);
        let folder = world.unpack(&bundle)?;
        let mut manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json"))?)?;
        Ok((run, manifest["ledger"].take()))
    }

    /// Command lines of the processes that were started with this home.
    fn processes(&self) -> Result<Vec<String>> {
        let mark = format!("HOME={}", self.path.display());
        let mut lines = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let path = entry?.path();
            // Processes come and go meanwhile.
            let read = |name: &str| fs::read(path.join(name)).unwrap_or_default();
            if read("environ").split(|b| *b == 0).any(|variable| variable == mark.as_bytes()) {
                let line = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
                if !line.is_empty() {
                    lines.push(line);
                }
            }
        }
        Ok(lines)
    }

    fn nothing_stays(&self) -> Result<()> {
        wait::until("all that the probes started to be gone", LIMIT, || match self.processes()? {
            left if left.is_empty() => Ok(()),
            left => bail!("{left:?} still run"),
        })?;
        ensure!(!self.path.join("lock").exists(), "a lock was left");
        Ok(())
    }

    /// Logs in once more, as the user would, and sees whether somebody's lock is in the way.
    fn logs_in(&self) -> Result<()> {
        fs::write(self.path.join("passed"), "")?;
        // Whoever runs this test must not be asked anything.
        run(Command::new("setsid").args(["--wait", "/bin/bash", "-lc", "true"]).env("HOME", &self.path))?;
        ensure!(!self.path.join("waited").exists(), "the next login had to wait for a lock");
        Ok(())
    }
}

fn executable(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}

fn entry<'a>(ledger: &'a Value, ending: &str) -> Result<&'a Value> {
    let all = ledger.as_array().context("the manifest has a ledger")?;
    let fits = |entry: &&Value| entry["path"].as_str().is_some_and(|path| path.ends_with(ending));
    all.iter().find(fits).with_context(|| format!("no ledger entry ends in {ending}"))
}

fn every_probe(world: &World, name: &str, startup: &str) -> Result<()> {
    let home = Home::make(world, name, startup)?;
    let (_, ledger) = home.collect(world, &["host"])?;
    home.nothing_stays()?;
    let login = entry(&ledger, "/login.txt")?;
    let answers = ["interactive", "daemons"].contains(&name);
    let whole = login["outcome"] == "collected" && login["note"].is_null();
    ensure!(answers == whole, "{name}: {login}");
    home.logs_in()
}

fn a_whole_collection(world: &World) -> Result<()> {
    let home = Home::make(world, "collection", STARTUPS[1].1)?;
    let (_, ledger) = home.collect(world, &["-n", "paas-healthy"])?;
    let pods = entry(&ledger, "cluster-resources/pods/paas-healthy.json")?;
    ensure!(pods["outcome"] == "collected", "{pods}");
    home.nothing_stays()?;
    home.logs_in()
}

/// Tools may be wrappers of somebody's version manager.
fn a_tool_that_holds_a_lock(world: &World) -> Result<()> {
    let home = Home::make(world, "tool", "")?;
    fs::create_dir_all(home.path.join("bin"))?;
    executable(&home.path.join("bin/helm"), REHASH)?;
    let (_, ledger) = home.collect(world, &["host"])?;
    let tools = entry(&ledger, "/tools.txt")?;
    ensure!(
        tools["note"].as_str().is_some_and(|note| note.contains("helm version --short: no answer")),
        "{tools}"
    );
    home.nothing_stays()?;
    home.logs_in()
}

/// It is not killed, since it may hold a lock; but the user hears of it.
fn what_does_not_listen_is_named(world: &World) -> Result<()> {
    let home = Home::make(world, "deaf", "[ -e ~/passed ] || { trap '' TERM; sleep 1000005; }\n")?;
    let (_, ledger) = home.collect(world, &["host"])?;
    let login = entry(&ledger, "/login.txt")?;
    let note = login["note"].as_str().context("there is something to say")?;
    ensure!(note.contains("was left alone, as process "), "{note}");
    ensure!(home.processes()?.iter().any(|line| line.contains("1000005")), "it was killed");
    let process = note.rsplit(' ').next().context("a note has words")?.trim_end_matches(';');
    run(Command::new("kill").args(["-KILL", "--", &format!("-{process}")]))?.expect_code(0)?;
    home.nothing_stays()
}

/// A proxy may keep back even the beginning of a watch, and the bundle does not wait for it.
fn a_watch_without_answer(world: &World) -> Result<()> {
    use tests::proxy::{Fault, Proxy, Trouble};
    let dir = world.file("silent-watch");
    let trouble = Trouble { path: "leases?watch=true".to_owned(), fault: Fault::Hang, times: None };
    let proxy = Proxy::start(&world.cluster, &dir, trouble)?;
    let bundle = dir.join("bundle.tar.gz");
    let args = ["--only", "host,namespaces", "--no-host", "--clock-wait", "0s", "--request-timeout", "1h"];
    let collected = run(program("casebook-collect")?
        .args(args)
        .args(["-o", text(&bundle)?])
        .env("KUBECONFIG", &proxy.kubeconfig))?;
    ensure!(matches!(collected.code, Some(0 | 3)), "{}", collected.stderr);
    ensure!(proxy.requests().1 > 0, "nobody asked for the watch, so this test shows nothing");
    Ok(())
}
