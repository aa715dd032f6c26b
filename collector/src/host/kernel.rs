//! What nodes need of the kernel (modules, parameters), and what it said of late about memory and disks.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::capture::{Capture, End, Section};
use super::facts::{Facts, OomKill};
use super::{Context, run};

const MODULES: &str = "modules";
const SYSCTLS: &str = "sysctl";
const LOG: &str = "journalctl -k -n 20000 -o short-iso --utc --no-pager";
const DMESG: &str = "dmesg --time-format iso";

/// Needed by container runtimes, by kube-proxy in its modes, by the usual overlays.
const WANTED_MODULES: &[&str] = &[
    "br_netfilter",
    "overlay",
    "ip_tables",
    "iptable_nat",
    "nf_conntrack",
    "nf_nat",
    "ip_vs",
    "ip_vs_rr",
    "ip_vs_wrr",
    "ip_vs_sh",
    "vxlan",
    "ipip",
    "veth",
    "ipv6",
    "nf_tables",
];

const WANTED_SYSCTLS: &[&str] = &[
    "fs.file-max",
    "fs.inotify.max_user_instances",
    "fs.inotify.max_user_watches",
    "kernel.pid_max",
    "kernel.threads-max",
    "net.bridge.bridge-nf-call-ip6tables",
    "net.bridge.bridge-nf-call-iptables",
    "net.core.somaxconn",
    "net.ipv4.conf.all.forwarding",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.ip_forward",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_tw_recycle",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.all.forwarding",
    "net.netfilter.nf_conntrack_count",
    "net.netfilter.nf_conntrack_max",
    "user.max_user_namespaces",
    "vm.max_map_count",
    "vm.overcommit_memory",
    "vm.panic_on_oom",
    "vm.swappiness",
];

/// Parts of the kernel's lines that are kept; the rest of its log is of no use to a case.
const TELLING: &[&str] = &[
    "ut of memory",
    "oom-kill",
    "Killed process",
    "Kill process",
    "I/O error",
    "EXT4-fs error",
    "XFS (",
    "Remounting filesystem",
    "blocked for more than",
    "soft lockup",
    "table full",
    "neighbour table overflow",
    "TCP: out of memory",
    "No space left",
    "clocksource",
    "Hardware Error",
];

pub const SCRIPT: &str = "\
begin modules
for m in br_netfilter overlay ip_tables iptable_nat nf_conntrack ip_vs vxlan ipip veth ipv6; do
  if [ -d /sys/module/$m ] || grep -q \"/$m.ko\" /lib/modules/$(uname -r)/modules.builtin 2>/dev/null; then echo \"$m yes\"; else echo \"$m no\"; fi
done
end 0
begin sysctl
for k in fs.inotify.max_user_instances fs.inotify.max_user_watches net.bridge.bridge-nf-call-iptables net.ipv4.ip_forward \
net.ipv6.conf.all.disable_ipv6 net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max vm.max_map_count vm.overcommit_memory; do
  f=/proc/sys/$(echo $k | tr . /); [ -r $f ] && echo \"$k = $(cat $f)\"
done
end 0
begin 'dmesg --time-format iso'
$LIMIT dmesg --time-format iso 2>&1 | grep -e 'ut of memory' -e 'Killed process' -e 'I/O error' -e 'table full' | tail -n 200
end 0
";

pub async fn gather(_context: Arc<Context>) -> Capture {
    let limit = Duration::from_secs(5);
    let read = run::detached(limit, || (modules(), sysctls()));
    let journal =
        run::command(&["journalctl", "-k", "-n", "20000", "-o", "short-iso", "--utc", "--no-pager"], limit);
    let (read, journal) = tokio::join!(read, journal);
    let mut capture = Capture::default();
    match read {
        Some((modules, sysctls)) => {
            capture.push(Section::good(MODULES, modules));
            capture.push(Section::good(SYSCTLS, sysctls));
        }
        None => capture.push(Section::new(MODULES, "", End::TimedOut(limit.as_secs()))),
    }
    let journal = telling(journal);
    // Without a journal, or without the right to read it, the kernel's own buffer may still answer.
    let has_lines = !journal.text.is_empty();
    capture.push(journal);
    if !has_lines {
        capture.push(telling(run::command(&["dmesg", "--time-format", "iso"], limit).await));
    }
    capture
}

fn modules() -> String {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let builtin =
        std::fs::read_to_string(format!("/lib/modules/{release}/modules.builtin")).unwrap_or_default();
    WANTED_MODULES.iter().fold(String::new(), |mut text, name| {
        let there = Path::new("/sys/module").join(name).exists() || builtin.contains(&format!("/{name}.ko"));
        let _ = writeln!(text, "{name} {}", if there { "yes" } else { "no" });
        text
    })
}

fn sysctls() -> String {
    WANTED_SYSCTLS.iter().fold(String::new(), |mut text, name| {
        if let Ok(value) = std::fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))) {
            let _ = writeln!(text, "{name} = {}", value.trim());
        }
        text
    })
}

fn telling(mut section: Section) -> Section {
    if matches!(section.end, End::Exit(0) | End::Cut(_)) {
        let lines: Vec<&str> =
            section.text.lines().filter(|line| TELLING.iter().any(|part| line.contains(part))).collect();
        let newest = &lines[lines.len().saturating_sub(500)..];
        section.text = newest.iter().fold(String::new(), |text, line| text + line + "\n");
    }
    section
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    facts.modules = capture.text(MODULES).map(|text| {
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, is)| (name.to_owned(), is == "yes"))
            .collect()
    });
    facts.sysctls = capture.text(SYSCTLS).map(|text| {
        let pairs = text.lines().filter_map(|line| line.split_once(" = "));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>()
    });
    let log = capture.text(LOG).filter(|text| !text.is_empty()).or_else(|| capture.text(DMESG));
    facts.oom_kills = log.map(oom_kills);
}

/// `Out of memory: Killed process 71 (java) total-vm:…` since kernel 5.0; before, `… Kill process 71 (java) score …`
/// on one line and `Killed process 71 (java) …` on the next.
fn oom_kills(log: &str) -> Vec<OomKill> {
    let mut kills = Vec::new();
    let mut announced_for_cgroup = false;
    for line in log.lines() {
        let cgroup = line.contains("Memory cgroup out of memory");
        if line.contains("Kill process") {
            announced_for_cgroup = cgroup;
            continue;
        }
        let Some((_, rest)) = line.split_once("Killed process ") else { continue };
        let Some((pid, rest)) = rest.split_once([' ', ',']) else { continue };
        let process = rest.split_once('(').and_then(|(_, rest)| rest.split(')').next()).unwrap_or_default();
        kills.push(OomKill {
            time: time(line),
            process: process.to_owned(),
            pid: pid.parse().ok(),
            cgroup: cgroup || announced_for_cgroup,
        });
        announced_for_cgroup = false;
    }
    kills
}

/// `2026-11-22T09:00:00+0000` (journalctl) or `2026-11-22T09:00:00,123456+00:00` (dmesg).
fn time(line: &str) -> Option<Timestamp> {
    let word = line.split(' ').next()?.replace(',', ".");
    word.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", &word).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kill_is_counted_once_in_the_words_of_old_and_new_kernels() {
        let log = "\
2026-11-22T09:00:00+0000 n kernel: Memory cgroup out of memory: Kill process 71 (java) score 1 or sacrifice child
2026-11-22T09:00:00+0000 n kernel: Killed process 71 (java) total-vm:1kB
2026-11-22T09:00:05,123456+00:00 Out of memory: Killed process 80 (mysqld) total-vm:9kB
";
        let kills = oom_kills(log);
        assert_eq!(kills.len(), 2);
        assert_eq!((kills[0].process.as_str(), kills[0].pid, kills[0].cgroup), ("java", Some(71), true));
        assert_eq!(kills[0].time, "2026-11-22T09:00:00Z".parse().ok());
        assert_eq!((kills[1].process.as_str(), kills[1].cgroup), ("mysqld", false));
        assert!(kills[1].time.is_some());
    }

    #[tokio::test]
    async fn parameters_are_those_of_the_kernel() {
        let mut facts = Facts::default();
        understand(&gather(Arc::new(Context::default())).await, &mut facts);
        let value = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
        assert_eq!(facts.sysctls.unwrap()["vm.max_map_count"], value.trim());
        assert_eq!(facts.modules.unwrap().len(), WANTED_MODULES.len());
    }
}
