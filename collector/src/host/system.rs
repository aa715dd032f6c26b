//! What the machine is: distribution, kernel, processor, memory, swap, pressure, what runs as process 1.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use procfs::{FromBufRead as _, Meminfo};

use super::capture::{Capture, Section};
use super::facts::{Facts, Memory, Os, Pressure, Swap, User};
use super::{Context, run};

const FILES: &[&str] = &[
    "/etc/os-release",
    "/proc/uptime",
    "/proc/1/comm",
    "/proc/1/cgroup",
    "/proc/self/cgroup",
    "/run/systemd/container",
    "/sys/fs/selinux/enforce",
    "/proc/meminfo",
    "/proc/swaps",
    "/proc/pressure/cpu",
    "/proc/pressure/memory",
    "/proc/pressure/io",
];

/// For the machines on which only a shell can run.
pub const SCRIPT: &str = "\
run uname -r
run uname -m
run nproc
run id
for f in /etc/os-release /proc/uptime /proc/1/comm /proc/1/cgroup /run/systemd/container /sys/fs/selinux/enforce \
/proc/meminfo /proc/swaps /proc/pressure/cpu /proc/pressure/memory /proc/pressure/io; do show \"$f\"; done
[ -e /.dockerenv ] && run ls -d /.dockerenv
";

pub async fn gather(_context: Arc<Context>) -> Capture {
    let limit = Duration::from_secs(3);
    let mut capture = Capture::default();
    let system = rustix::system::uname();
    capture.push(Section::good("uname -r", system.release().to_string_lossy()));
    capture.push(Section::good("uname -m", system.machine().to_string_lossy()));
    if let Ok(count) = std::thread::available_parallelism() {
        capture.push(Section::good("nproc", count.to_string()));
    }
    capture.push(run::command(&["id"], limit).await);
    for path in FILES {
        capture.push(run::file(*path, limit).await);
    }
    if std::path::Path::new("/.dockerenv").exists() {
        capture.push(Section::good("ls -d /.dockerenv", "/.dockerenv\n"));
    }
    capture
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    let line = |label: &str| capture.text(label).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
    facts.kernel = line("uname -r");
    facts.arch = line("uname -m");
    facts.cpus = line("nproc").and_then(|n| n.parse().ok());
    facts.init = line("cat /proc/1/comm");
    facts.os = capture.text("cat /etc/os-release").map(os_release);
    facts.uptime_seconds = line("cat /proc/uptime").and_then(|t| t.split('.').next()?.parse().ok());
    facts.selinux = match line("cat /sys/fs/selinux/enforce").as_deref() {
        Some("1") => Some("enforcing".to_owned()),
        Some("0") => Some("permissive".to_owned()),
        // The folder is there exactly when the kernel runs with SELinux.
        _ if capture.section("cat /sys/fs/selinux/enforce").is_some_and(is_absent) => {
            Some("disabled".to_owned())
        }
        _ => None,
    };
    facts.container = container(capture);
    if facts.user.is_none() {
        facts.user = capture.text("id").and_then(user_of_id);
    }
    if let Some(text) = capture.text("cat /proc/meminfo")
        && let Ok(memory) = Meminfo::from_buf_read(Cursor::new(text))
    {
        facts.swap = Some(Swap { total: memory.swap_total, used: memory.swap_total - memory.swap_free });
        let available = memory.mem_available.unwrap_or(memory.mem_free + memory.cached);
        facts.memory = Some(Memory { total: memory.mem_total, available });
    }
    let pressure: BTreeMap<String, Pressure> = capture
        .with_prefix("cat /proc/pressure/")
        .filter_map(|(kind, text)| Some((kind.to_owned(), pressure(text)?)))
        .collect();
    facts.pressure = (!pressure.is_empty()).then_some(pressure);
}

fn is_absent(section: &Section) -> bool {
    section.end == super::capture::End::NotFound
}

fn os_release(text: &str) -> Os {
    let value = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .map_or_else(String::new, |v| v.trim().trim_matches(['"', '\'']).to_owned())
    };
    Os { id: value("ID"), version: value("VERSION_ID"), pretty: value("PRETTY_NAME") }
}

/// `uid=0(root) gid=0(root) …`
fn user_of_id(text: &str) -> Option<User> {
    let (uid, rest) = text.trim().strip_prefix("uid=")?.split_once('(')?;
    let name = rest.split(')').next()?.to_owned();
    Some(User { name, uid: uid.parse().ok()?, ..User::default() })
}

/// The name of what holds us, if something does.
fn container(capture: &Capture) -> Option<String> {
    if let Some(name) = capture.text("cat /run/systemd/container") {
        return Some(name.trim().to_owned());
    }
    let groups = capture.text("cat /proc/1/cgroup").unwrap_or_default();
    let by_group = ["kubepods", "docker", "containerd", "crio", "libpod", "lxc"]
        .into_iter()
        .find(|name| groups.contains(name));
    match by_group {
        Some(name) => Some(name.to_owned()),
        None if capture.text("ls -d /.dockerenv").is_some() => Some("docker".to_owned()),
        None => None,
    }
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and the same for `full`.
fn pressure(text: &str) -> Option<Pressure> {
    let value = |kind: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(kind))?;
        line.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('=')?.parse().ok())
    };
    Some(Pressure {
        some_avg10: value("some", "avg10")?,
        some_avg60: value("some", "avg60")?,
        full_avg10: value("full", "avg10"),
        full_avg60: value("full", "avg60"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_from_the_text_alone() {
        let mut capture = Capture::default();
        capture.push(Section::good(
            "cat /etc/os-release",
            "NAME=\"CentOS Linux\"\nID=\"centos\"\nVERSION_ID=\"7\"\n",
        ));
        capture
            .push(Section::good("cat /proc/pressure/io", "some avg10=1.50 avg60=0.25 avg300=0.00 total=7\n"));
        capture.push(Section::good("cat /proc/1/cgroup", "11:cpu:/kubepods/burstable/pod1\n"));
        capture.push(Section::good("id", "uid=1000(alice) gid=1000(alice)\n"));
        let mut facts = Facts::default();
        understand(&capture, &mut facts);
        assert_eq!(facts.os.map(|os| (os.id, os.version)), Some(("centos".into(), "7".into())));
        assert_eq!(facts.pressure.unwrap()["io"].some_avg10, 1.5);
        assert_eq!(facts.container.as_deref(), Some("kubepods"));
        assert_eq!(facts.user.unwrap().uid, 1000);
        assert_eq!(facts.selinux, None, "not asked is not the same as disabled");
    }

    #[tokio::test]
    async fn this_machine_can_be_read() {
        let mut facts = Facts::default();
        understand(&gather(Arc::new(Context::default())).await, &mut facts);
        assert_eq!(
            facts.kernel.as_deref(),
            std::fs::read_to_string("/proc/sys/kernel/osrelease").ok().as_deref().map(str::trim)
        );
        let memory = facts.memory.unwrap();
        assert!(memory.available > 0 && memory.available <= memory.total);
    }
}
