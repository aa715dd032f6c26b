//! The newest lines that the kubelet and the container runtime wrote to the journal.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::capture::{Capture, End};
use super::facts::Facts;
use super::{Context, run};

const KUBELET_UNITS: &[&str] = &["kubelet", "k3s", "rke2-server"];
const RUNTIME_UNITS: &[&str] = &["docker", "containerd", "crio"];
/// Newest lines of each unit.
const LINES: &str = "1500";

pub mod kubelet {
    use super::*;

    pub const SCRIPT: &str = "run journalctl -u kubelet -n 300 --no-pager -o short-iso --utc\n";

    pub async fn gather(_context: Arc<Context>) -> Capture {
        tails(KUBELET_UNITS).await
    }

    pub fn understand(_capture: &Capture, _facts: &mut Facts) {}
}

pub mod runtime {
    use super::*;

    pub const SCRIPT: &str = "\
run journalctl -u docker -n 200 --no-pager -o short-iso --utc
run journalctl -u containerd -n 200 --no-pager -o short-iso --utc
";

    pub async fn gather(_context: Arc<Context>) -> Capture {
        tails(RUNTIME_UNITS).await
    }

    pub fn understand(_capture: &Capture, _facts: &mut Facts) {}
}

async fn tails(units: &[&str]) -> Capture {
    let ask = |unit| async move {
        let line = ["journalctl", "-u", unit, "-n", LINES, "--no-pager", "-o", "short-iso", "--utc"];
        let mut section = run::command(&line, Duration::from_secs(8)).await;
        // An empty journal says so in a line of its own. Those of other users' units are hidden with a hint.
        if section.text.lines().all(|line| line.starts_with("-- ")) {
            section.text.clear();
        }
        if section.text.contains("not seeing messages from other users") {
            section.end = End::Denied;
            section.text.clear();
        }
        section
    };
    let mut sections = join_all(units.iter().map(|unit| ask(*unit))).await;
    // A unit that does not exist has an empty journal; it is of no interest beside one that has lines.
    if sections.iter().any(|section| !section.text.is_empty()) {
        sections.retain(|section| !section.text.is_empty() || !matches!(section.end, End::Exit(_)));
    }
    Capture { sections }
}
