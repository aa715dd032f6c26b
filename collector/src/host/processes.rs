//! Processes that decide cases, by name, age and state. Their arguments may hold secrets and are never read.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::capture::{Capture, End, Section};
use super::facts::{Facts, Process};
use super::{Context, run};

const LABEL: &str = "ps -eo pid,etimes,stat,comm";

/// Beginnings of the names that are kept.
const NAMES: &[&str] = &[
    "helm",
    "kubelet",
    "kube-",
    "kubectl",
    "dockerd",
    "containerd",
    "crio",
    "etcd",
    "chronyd",
    "ntpd",
    "systemd-timesyn",
    "firewalld",
    "setup_bkce",
    "gse_agent",
];

pub const SCRIPT: &str = "run ps -eo pid,etimes,stat,comm\n";

pub async fn gather(_context: Arc<Context>) -> Capture {
    let read = run::detached(Duration::from_secs(5), list).await;
    let section = match read {
        None => Section::new(LABEL, "", End::TimedOut(5)),
        Some(Err(error)) => Section::new(LABEL, "", End::Failed(error.to_string())),
        Some(Ok(text)) => Section::good(LABEL, text),
    };
    Capture { sections: vec![section] }
}

fn list() -> procfs::ProcResult<String> {
    use procfs::Current as _;
    let up = procfs::Uptime::current()?.uptime;
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let mut text = "    PID ELAPSED STAT COMMAND\n".to_owned();
    // A process that ends while we look is no error.
    for stat in procfs::process::all_processes()?.flatten().filter_map(|process| process.stat().ok()) {
        if is_kept(&stat.comm) {
            let age = (up - stat.starttime as f64 / ticks).max(0.0) as u64;
            let _ = writeln!(text, "{:7} {age:7} {:4} {}", stat.pid, stat.state, stat.comm);
        }
    }
    Ok(text)
}

fn is_kept(name: &str) -> bool {
    NAMES.iter().any(|start| name.starts_with(start))
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    let Some(text) = capture.text(LABEL) else { return };
    facts.processes =
        Some(text.lines().skip(1).filter_map(parse).filter(|process| is_kept(&process.name)).collect());
}

fn parse(line: &str) -> Option<Process> {
    let mut words = line.split_whitespace();
    Some(Process {
        pid: words.next()?.parse().ok()?,
        age_seconds: words.next()?.parse().ok()?,
        state: words.next()?.to_owned(),
        name: words.next()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_running_helm_is_seen_without_its_arguments() {
        let folder = tempfile::tempdir().unwrap();
        let helm = folder.path().join("helm");
        std::fs::copy("/bin/sleep", &helm).unwrap();
        let mut child = std::process::Command::new(&helm).arg("31").spawn().unwrap();
        let capture = gather(Arc::new(Context::default())).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let mut facts = Facts::default();
        understand(&capture, &mut facts);
        let seen = facts.processes.unwrap().into_iter().find(|p| p.pid == child.id()).unwrap();
        assert_eq!(seen.name, "helm");
        assert!(seen.age_seconds < 60);
        assert!(!capture.render().contains(" 31\n"));
    }
}
