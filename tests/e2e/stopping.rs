//! Every way in which a run ends before its end leaves one whole bundle or nothing, and never anything else.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use tests::bench::log_text;
use tests::cluster::User;
use tests::programs::program;
use tests::proxy::{Fault, Proxy, Trouble};
use tests::run::{run, succeed};
use tests::wait;

use crate::on_cluster;
use crate::world::{World, text};

/// More than any of this takes, and far less than the request that hangs.
const LIMIT: Duration = Duration::from_secs(60);
/// How often a program is started again that ended before it could be interrupted.
const TRIES: usize = 10;
/// Bytes that take about a second to be searched for secrets.
const LONG: u64 = 48 << 20;

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("stopping::interrupted", |world| keeps_what_there_is(world, "INT")),
        on_cluster("stopping::terminated", |world| keeps_what_there_is(world, "TERM")),
        on_cluster("stopping::terminal_closed", |world| keeps_what_there_is(world, "HUP")),
        on_cluster("stopping::interrupted_twice", interrupted_twice),
        on_cluster("stopping::killed", killed),
        on_cluster("stopping::interrupted_while_rewriting", interrupted_while_rewriting),
        on_cluster("stopping::full_disk", full_disk),
        on_cluster("stopping::read_only_disk", read_only_disk),
    ]
}

/// A run that waits for an answer which does not come.
struct Waiting {
    child: Child,
    /// Where its bundle is to be.
    folder: PathBuf,
    said: PathBuf,
}

impl Waiting {
    fn start(world: &World, name: &str) -> Result<Waiting> {
        let dir = world.file(&format!("stopping-{name}"));
        let folder = dir.join("out");
        fs::create_dir_all(&folder)?;
        // So that the end of the run takes its time, too.
        let long = long_text(&dir)?;
        let trouble = Trouble {
            path: "/namespaces/paas-healthy/configmaps".to_owned(),
            fault: Fault::Hang,
            times: None,
        };
        let proxy = Proxy::start(&world.cluster, &dir, trouble)?;
        let said = dir.join("said");
        let child = program("casebook-collect")?
            .args(["-n", "paas-healthy", "--no-host", "--request-timeout", "300s", "--text", text(&long)?])
            .args(["-o", text(&folder)?])
            .env("KUBECONFIG", &proxy.kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&said)?)
            .spawn()?;
        let waiting = Waiting { child, folder, said };
        wait::until("the request that hangs", LIMIT, || match proxy.requests() {
            (_, 0) => bail!("it was not asked for"),
            _ => Ok(()),
        })?;
        Ok(waiting)
    }

    fn signal(&self, name: &str) -> Result<()> {
        succeed(Command::new("kill").args([format!("-{name}"), self.child.id().to_string()])).map(drop)
    }

    fn code(&mut self) -> Result<Option<i32>> {
        wait::until("the end of the run", LIMIT, || {
            self.child.try_wait()?.context("it still runs").map(|status| status.code())
        })
    }

    fn said(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.said)?)
    }
}

/// A text that takes its time to be read back.
fn long_text(dir: &Path) -> Result<PathBuf> {
    let path = dir.join("long.txt");
    let mut lines = BufWriter::new(fs::File::create(&path)?);
    log_text::write(&mut lines, LONG, 7)?;
    lines.flush()?;
    Ok(path)
}

fn left(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?)
}

/// The manifest of the only thing in the folder.
fn only_bundle(world: &World, folder: &Path) -> Result<Value> {
    let [bundle] = &left(folder)?[..] else { bail!("{} holds {:?}", folder.display(), left(folder)?) };
    let unpacked = world.unpack(bundle)?;
    let manifest = serde_json::from_slice(&fs::read(unpacked.join("manifest.json"))?)?;
    // Beside the bundle, where it would be taken for something that was left.
    fs::remove_dir_all(unpacked)?;
    Ok(manifest)
}

fn keeps_what_there_is(world: &World, signal: &str) -> Result<()> {
    let mut run = Waiting::start(world, signal)?;
    run.signal(signal)?;
    let code = run.code()?;
    ensure!(code == Some(3), "exit code {code:?} after {signal}: {}", run.said()?);
    let manifest = only_bundle(world, &run.folder)?;
    ensure!(manifest["stopped"] == "interrupted", "stopped is {}", manifest["stopped"]);
    let ledger = manifest["ledger"].as_array().context("the manifest has a ledger")?;
    let outcome =
        |path: &str| ledger.iter().find(|entry| entry["path"] == path).map(|entry| &entry["outcome"]);
    let hung = outcome("cluster-resources/configmaps/paas-healthy.json");
    ensure!(hung.is_some_and(|outcome| outcome == "skipped"), "what hung is {hung:?}");
    let pods = outcome("cluster-resources/pods/paas-healthy.json");
    ensure!(pods.is_some_and(|outcome| outcome == "collected"), "pods are {pods:?}");
    Ok(())
}

fn interrupted_twice(world: &World) -> Result<()> {
    let mut run = Waiting::start(world, "twice")?;
    // As an impatient user does; the first two count.
    while run.child.try_wait()?.is_none() {
        run.signal("INT")?;
        std::thread::sleep(Duration::from_millis(100));
    }
    let code = run.code()?;
    ensure!(code == Some(2), "exit code {code:?}: {}", run.said()?);
    ensure!(left(&run.folder)?.is_empty(), "{:?} were left", left(&run.folder)?);
    Ok(())
}

/// Even this leaves nothing, though the program itself can do nothing about it.
fn killed(world: &World) -> Result<()> {
    let mut run = Waiting::start(world, "killed")?;
    ensure!(!left(&run.folder)?.is_empty(), "nothing is written while it runs, so this test shows nothing");
    run.signal("KILL")?;
    run.code()?;
    goes_away(&run.folder)
}

fn goes_away(folder: &Path) -> Result<()> {
    wait::until("the unfinished bundle to be gone", LIMIT, || match left(folder)? {
        files if files.is_empty() => Ok(()),
        files => bail!("{files:?} are there"),
    })
}

/// This command has nothing to finish when it is interrupted, and leaves nothing.
fn interrupted_while_rewriting(world: &World) -> Result<()> {
    let dir = world.file("stopping-rewriting");
    let folder = dir.join("out");
    fs::create_dir_all(&folder)?;
    let (bundle, long) = (dir.join("bundle.tar.gz"), long_text(&dir)?);
    let made = run(program("casebook-collect")?.args([
        "host",
        "--only",
        "install",
        "-o",
        text(&bundle)?,
        "--text",
        text(&long)?,
    ]))?;
    ensure!(bundle.is_file(), "`{}` wrote nothing: {}", made.line, made.stderr);
    // Where this test is not given a processor for a while, the program comes to its end by itself: then once more.
    for _ in 0..TRIES {
        let mut child = program("casebook-collect")?
            .args(["pseudonymize", text(&bundle)?, "-o", text(&folder.join("renamed.tar.gz"))?])
            .args(["--pseudonym-key", text(&dir.join("pseudonym.key"))?])
            .spawn()?;
        // Looked for without a pause that grows: writing may take no longer than such a pause.
        while left(&folder)?.is_empty() && child.try_wait()?.is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        succeed(Command::new("kill").args(["-INT", &child.id().to_string()]))?;
        if child.wait()?.code().is_none() {
            return goes_away(&folder);
        }
        for file in left(&folder)? {
            fs::remove_file(file)?;
        }
    }
    bail!("it ended by itself each of {TRIES} times, so this test shows nothing")
}

/// A file system of its own in `name`, for as long as the test lasts.
fn mounted(world: &World, name: &str, options: &str) -> Result<PathBuf> {
    let folder = world.file(name);
    fs::create_dir_all(&folder)?;
    succeed(Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&folder))?;
    Ok(folder)
}

fn full_disk(world: &World) -> Result<()> {
    let folder = mounted(world, "full-disk", "size=100k")?;
    let run = world.collect(&["--no-host", "-o", text(&folder)?])?.expect_code(3)?;
    ensure!(run.stderr.contains("the disk is full") && run.stderr.contains("hint:"), "{}", run.stderr);
    let [bundle] = &left(&folder)?[..] else { bail!("{:?} are left", left(&folder)?) };
    // There is no room for what is in it where it lies.
    let copy = world.file("full-disk-copy").join("bundle.tar.gz");
    fs::create_dir_all(copy.parent().context("it has a folder")?)?;
    fs::copy(bundle, &copy)?;
    let manifest = only_bundle(world, copy.parent().context("it has a folder")?)?;
    ensure!(manifest["stopped"] == "disk_full", "stopped is {}", manifest["stopped"]);
    Ok(())
}

fn read_only_disk(world: &World) -> Result<()> {
    let folder = mounted(world, "read-only-disk", "ro")?;
    for (lang, hint) in [("en", "hint:"), ("zh", "提示：")] {
        let run = run(program("casebook-collect")?
            .args(["--no-host", "--lang", lang, "-o", text(&folder.join("bundle.tar.gz"))?])
            .env("KUBECONFIG", world.cluster.kubeconfig(User::Admin)))?
        .expect_code(2)?;
        ensure!(run.stderr.contains(text(&folder)?) && run.stderr.contains(hint), "{}", run.stderr);
        ensure!(!run.stderr.contains(".part"), "the temporary name tells the user nothing: {}", run.stderr);
    }
    Ok(())
}
