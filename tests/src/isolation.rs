//! A test run lives in namespaces of its own: network with only `lo`, processes, mounts.
//!
//! Network, because an API server dials whatever address a Node or Service object names, and none of that may leave
//! the machine. Processes, because the first process of a pid namespace takes all others with it: no server survives
//! a test run, whether that passes, panics or is killed. Mounts, so that the servers' data lies in memory and is gone
//! as well.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::cache::Cache;
use crate::control_groups;
use crate::run::{Run, succeed};

const MARK: &str = "CASEBOOK_TESTS_ISOLATED";

/// Addresses of pods. They are all local, so that a probe of a pod gets "connection refused" as on a real node.
pub const POD_NETWORK: &str = "10.244.0.0/16";

/// Whether this program already runs in namespaces of its own.
pub fn inside() -> bool {
    std::env::var_os(MARK).is_some()
}

/// What names this run among all on the machine: the process that made its namespaces.
pub fn run_id() -> Option<String> {
    std::env::var(MARK).ok()
}

/// Leaves this program's own run aside: one that it starts makes namespaces of its own.
pub fn forget(command: &mut Command) -> &mut Command {
    command.env_remove(MARK)
}

/// Runs this program again, with the same arguments, inside fresh namespaces, and returns how that ended.
/// `None` when already inside: the caller goes on.
///
/// # Errors
/// When the namespaces cannot be made, for example in a container without the right to.
pub fn enter(cache: &Cache) -> Result<Option<ExitCode>> {
    if inside() {
        settle(cache)?;
        return Ok(None);
    }
    fs::create_dir_all(cache.run_dir())?;
    let run = std::process::id().to_string();
    // Killing this program kills setpriv's child, and that the rest.
    let mut command = Command::new("setpriv");
    command.args([
        "--pdeathsig",
        "KILL",
        "unshare",
        "--net",
        "--pid",
        "--mount",
        "--mount-proc",
        "--kill-child",
    ]);
    if !is_root()? {
        command.args(["--user", "--map-root-user"]);
    }
    let status = command
        .arg(std::env::current_exe().context("cannot tell where this program lies")?)
        .args(std::env::args_os().skip(1))
        .env(MARK, &run)
        .status()
        .context("cannot run setpriv and unshare (Debian: util-linux)")?;
    control_groups::remove(&run);
    match (status.code(), status.signal()) {
        (Some(code), _) => Ok(Some(ExitCode::from(u8::try_from(code).unwrap_or(1)))),
        (None, signal) => bail!("the isolated run was ended by signal {}", signal.unwrap_or_default()),
    }
}

fn is_root() -> Result<bool> {
    let status = fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let uids =
        status.lines().find_map(|line| line.strip_prefix("Uid:")).context("no Uid in /proc/self/status")?;
    Ok(uids.split_whitespace().nth(1) == Some("0"))
}

fn settle(cache: &Cache) -> Result<()> {
    let run_dir = cache.run_dir();
    succeed(Command::new("mount").args(["-t", "tmpfs", "-o", "mode=0700", "tmpfs"]).arg(&run_dir))?;
    succeed(Command::new("ip").args(["link", "set", "lo", "up"]))?;
    succeed(Command::new("ip").args(["route", "add", "local", POD_NETWORK, "dev", "lo"]))?;
    require()
}

/// Refuses to go on where a packet could leave the machine.
///
/// # Errors
/// When this process sees any network interface but `lo`.
pub fn require() -> Result<()> {
    // Not /sys/class/net: that shows the namespace in which /sys was mounted.
    let table = fs::read_to_string("/proc/self/net/dev").context("cannot read /proc/self/net/dev")?;
    let foreign: Vec<&str> = table
        .lines()
        .filter_map(|line| line.split_once(':').map(|(name, _)| name.trim()))
        .filter(|name| *name != "lo")
        .collect();
    if !foreign.is_empty() {
        bail!(
            "refusing to start servers: this network namespace has {} beside lo\n\
             hint: start through tests::isolation::enter, as `cargo test -p tests` does",
            foreign.join(", ")
        );
    }
    Ok(())
}

/// Gives `lo` one more address: nodes have addresses of their own, as in a real cluster.
pub fn add_address(address: &str) -> Result<Run> {
    succeed(Command::new("ip").args(["address", "replace", &format!("{address}/32"), "dev", "lo"]))
}
