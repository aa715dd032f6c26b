//! The harness keeps its word: no packet leaves, no process stays.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use tests::run::run;
use tests::wait;

use crate::on_cluster;
use crate::world::World;

/// The program that starts clusters by hand, as this test's package builds it.
const CLUSTER: &str = env!("CARGO_BIN_EXE_cluster");

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("containment::refuses_another_interface", refuses_another_interface),
        on_cluster("containment::no_process_survives_a_kill", no_process_survives_a_kill),
    ]
}

/// Told that it is isolated already, in a network that has more than `lo`.
fn refuses_another_interface(_: &World) -> Result<()> {
    let script = "ip link add other type veth && exec \"$0\" play quota-exceeded";
    let run = run(Command::new("unshare").args(["--net", "--mount", "sh", "-c", script, CLUSTER]))?;
    ensure!(run.code != Some(0), "servers were started beside another network interface");
    ensure!(run.stderr.contains("refusing to start servers"), "it says something else: {}", run.stderr);
    Ok(())
}

/// Starts a second cluster inside this one's namespaces, kills its starter, and looks for what is left.
fn no_process_survives_a_kill(_: &World) -> Result<()> {
    let mut outer = Command::new(CLUSTER)
        .args(["play", "quota-exceeded"])
        // Without this mark it isolates itself, as it does for a user.
        .env_remove("CASEBOOK_TESTS_ISOLATED")
        .env("SHELL", "/bin/cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start a second cluster")?;
    let mut said = BufReader::new(outer.stderr.take().context("stderr was asked for")?).lines();
    let ready = said.by_ref().map_while(Result::ok).any(|line| line.contains("work in this shell"));
    let during = strangers()?;
    outer.kill().context("cannot kill the starter")?;
    outer.wait()?;
    ensure!(ready, "the second cluster did not come up");
    ensure!(during.iter().any(|name| name == "kube-apiserver"), "no server was seen: {during:?}");
    wait::until("the second cluster to be gone", Duration::from_secs(30), || {
        let left = strangers()?;
        if !left.is_empty() {
            bail!("still there: {left:?}");
        }
        Ok(())
    })
}

/// Names of processes in another network than this one's.
fn strangers() -> Result<Vec<String>> {
    let own = fs::read_link("/proc/self/ns/net").context("cannot tell this process's network")?;
    let mut names = Vec::new();
    for entry in fs::read_dir("/proc").context("cannot list processes")? {
        let path = entry?.path();
        // Processes come and go meanwhile; a zombie has no namespace any more.
        let (Ok(network), Ok(name)) = (fs::read_link(path.join("ns/net")), read(&path.join("comm"))) else {
            continue;
        };
        if network != own {
            names.push(name);
        }
    }
    Ok(names)
}

fn read(path: &Path) -> std::io::Result<String> {
    Ok(fs::read_to_string(path)?.trim().to_owned())
}
