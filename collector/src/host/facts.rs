//! The facts of one host, as `hosts/<host>/facts.json` holds them and rules read them (`host.…`).
//!
//! A section that is absent was not read; the reason stands in `probes` and in the ledger. Within a section a list
//! is always there and may be empty: "read, and there are none". Single values are absent where the host gave none.
//! Sizes are bytes, durations seconds or milliseconds as the name says, times RFC 3339 in UTC.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use shared::bundle::manifest::Outcome;

/// Version of the document. Fields are only ever added within one version.
pub const SCHEMA: &str = "casebook.host/v1";

/// Everything known of one host.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name of the folder below `hosts/`.
    pub name: String,
    pub role: Role,
    /// Name of the Kubernetes node that this host is, where known.
    pub node: Option<String>,
    /// By the host's own clock.
    pub collected_at: Option<Timestamp>,
    pub user: Option<User>,
    pub os: Option<Os>,
    /// `uname -r`.
    pub kernel: Option<String>,
    /// `uname -m`, such as `x86_64`.
    pub arch: Option<String>,
    pub cpus: Option<u32>,
    pub uptime_seconds: Option<u64>,
    /// What process 1 is: `systemd`, `init`, `sh`, …
    pub init: Option<String>,
    /// The facts were read inside a container: `docker`, `containerd`, `kubepods`, `lxc`, … Absent on a real host.
    pub container: Option<String>,
    /// `enforcing`, `permissive`, `disabled`.
    pub selinux: Option<String>,
    pub path: Option<SearchPath>,
    /// By name. A tool that was looked for and not found has `found: false`.
    pub tools: Option<BTreeMap<String, Tool>>,
    pub hosts_file: Option<Vec<HostsEntry>>,
    pub resolver: Option<Resolver>,
    /// One row a name and a way of asking.
    pub names: Option<Vec<Resolution>>,
    /// One row a connection that was tried.
    pub connections: Option<Vec<Connection>>,
    pub ipv6: Option<Ipv6>,
    pub clock: Option<Clock>,
    pub disks: Option<Vec<Disk>>,
    /// Directories that local volumes are made from, where there are any.
    pub local_volumes: Option<Vec<LocalVolume>>,
    pub memory: Option<Memory>,
    pub swap: Option<Swap>,
    /// `cpu`, `memory`, `io`.
    pub pressure: Option<BTreeMap<String, Pressure>>,
    /// Processes whose name begins with `helm`, `kubelet`, or names a container runtime; never their arguments.
    pub processes: Option<Vec<Process>>,
    pub interfaces: Option<Vec<Interface>>,
    pub routes: Option<Vec<Route>>,
    pub listening: Option<Vec<Listener>>,
    pub firewall: Option<Firewall>,
    /// Whether each module that nodes need is loaded or built in.
    pub modules: Option<BTreeMap<String, bool>>,
    /// Kernel parameters that nodes need, by their dotted name. Read with `host.sysctls["net.ipv4.ip_forward"]`.
    pub sysctls: Option<BTreeMap<String, String>>,
    pub docker: Option<Docker>,
    pub containerd: Option<Containerd>,
    pub kubelet: Option<Kubelet>,
    pub certificates: Option<Vec<Certificate>>,
    /// systemd's `ActiveState` of the units that matter.
    pub units: Option<BTreeMap<String, String>>,
    /// The kernel's out-of-memory kills that are still in its log, oldest first.
    pub oom_kills: Option<Vec<OomKill>>,
    /// What became of each probe.
    pub probes: BTreeMap<String, Outcome>,
}

/// Why we look at this host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The machine that the collection was started on.
    #[default]
    Control,
    /// A node of the cluster, reached over ssh or read there by hand.
    Node,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    pub name: String,
    pub uid: u32,
    /// The login shell.
    pub shell: String,
    /// Who ran sudo to become this user.
    pub sudo_user: Option<String>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Os {
    /// `ID` of os-release: `centos`, `debian`, …
    pub id: String,
    pub version: String,
    pub pretty: String,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchPath {
    /// `PATH` after the user's login shell has run its profile; absent where the shell failed.
    pub login: Option<Vec<String>>,
    /// `PATH` of the collector's own process.
    pub own: Vec<String>,
    /// `PATH` of the login shell of who ran sudo.
    pub sudo_user: Option<Vec<String>>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tool {
    /// Some file of this name exists in the search path or in a usual place.
    pub found: bool,
    /// Every place, in the order of the search.
    pub paths: Vec<String>,
    /// The login shell finds it.
    pub in_login_path: Option<bool>,
    /// The first of `paths` may be executed.
    pub executable: bool,
    /// Architecture that the ELF file was built for, as `uname -m` names it; absent for scripts.
    pub elf_arch: Option<String>,
    /// Built for this machine; absent for scripts.
    pub arch_matches: Option<bool>,
    /// Without a leading `v`.
    pub version: Option<String>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostsEntry {
    pub address: String,
    pub names: Vec<String>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resolver {
    pub nameservers: Vec<String>,
    pub search: Vec<String>,
    pub options: Vec<String>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resolution {
    pub name: String,
    /// `host`: as programs on this host resolve it (hosts file included). `cluster_dns`: asked of the cluster's
    /// DNS address.
    pub via: String,
    /// The server that was asked, for `cluster_dns`.
    pub server: Option<String>,
    pub addresses: Vec<IpAddr>,
    /// Absent when it resolved: `nxdomain`, `servfail`, `refused`, `timeout`, `unreachable`, `no_address`, `other`.
    pub error: Option<String>,
    /// The error in the words of whoever reported it.
    pub message: Option<String>,
    pub millis: u64,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Connection {
    /// Host name or address that was asked for.
    pub name: String,
    pub port: u16,
    pub tls: bool,
    pub address: Option<IpAddr>,
    /// Absent when it connected: `name` (did not resolve), `timeout`, `refused`, `no_route`, `reset`,
    /// `tls_name_mismatch`, `tls_expired`, `tls_not_yet_valid`, `tls_unknown_ca`, `tls_not_spoken`, `tls_other`,
    /// `other`.
    pub error: Option<String>,
    pub message: Option<String>,
    pub millis: u64,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ipv6 {
    /// `/proc/net/if_inet6` exists: the kernel has the protocol.
    pub module: bool,
    /// `ipv6.disable=1` on the kernel's command line.
    pub cmdline_disabled: bool,
    /// `net.ipv6.conf.all.disable_ipv6`; sockets open all the same.
    pub sysctl_disabled: Option<bool>,
    /// A socket of the family really opened. Absent where it was not tried.
    pub socket_opens: Option<bool>,
    /// Number of the error that kept it from opening; 97 is `EAFNOSUPPORT`.
    pub errno: Option<i32>,
    /// Addresses on interfaces other than `lo`.
    pub addresses: u32,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Clock {
    /// What keeps the time: `chrony`, `ntpd`, `systemd-timesyncd`; `none` when none of them answers.
    pub source: String,
    pub synchronised: Option<bool>,
    /// The command that said so.
    pub tool: Option<String>,
    /// The host's clock minus its time source, as that tool gives it.
    pub offset_ms: Option<f64>,
    /// This host's clock minus the collecting machine's, measured over the connection; nodes only.
    pub skew_ms: Option<i64>,
    /// The true skew lies within `skew_ms` ± this.
    pub skew_error_ms: Option<i64>,
    pub timezone: Option<String>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Disk {
    pub mount: String,
    pub device: String,
    pub fs: String,
    pub bytes_total: u64,
    /// What an ordinary user can still write.
    pub bytes_free: u64,
    /// As `df` counts it, rounded up.
    pub used_percent: u8,
    /// 0 where the file system has no fixed number.
    pub inodes_total: u64,
    pub inodes_free: u64,
    pub inodes_used_percent: u8,
    pub read_only: bool,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LocalVolume {
    pub path: String,
    pub is_mount_point: bool,
    pub bytes_total: Option<u64>,
    pub bytes_free: Option<u64>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    pub total: u64,
    pub available: u64,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Swap {
    pub total: u64,
    pub used: u64,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pressure {
    /// Percent of the last 10 and 60 seconds in which some task waited.
    pub some_avg10: f64,
    pub some_avg60: f64,
    /// Percent in which all tasks waited; absent for `cpu` on older kernels.
    pub full_avg10: Option<f64>,
    pub full_avg60: Option<f64>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    pub name: String,
    pub pid: u32,
    pub age_seconds: u64,
    /// `R`, `S`, `D`, `Z`, … as ps prints it.
    pub state: String,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interface {
    pub name: String,
    pub up: bool,
    pub mtu: Option<u32>,
    /// With prefix length, such as `10.0.0.1/24`.
    pub addresses: Vec<String>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Route {
    /// `default` or a prefix.
    pub to: String,
    pub via: Option<String>,
    pub interface: Option<String>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Listener {
    pub port: u16,
    pub address: String,
    /// `tcp` or `udp`.
    pub protocol: String,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Firewall {
    /// firewalld runs.
    pub firewalld: Option<bool>,
    /// Rules of the `INPUT` chain that drop or reject, as `iptables-save` writes them.
    pub input_denials: Vec<String>,
    /// `ACCEPT` or `DROP`.
    pub input_policy: Option<String>,
    pub forward_policy: Option<String>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Docker {
    pub version: Option<String>,
    /// The daemon answered `docker info`.
    pub running: bool,
    /// From the running daemon, else from daemon.json.
    pub mirrors: Vec<String>,
    pub insecure_registries: Vec<String>,
    pub root_dir: Option<String>,
    pub cgroup_driver: Option<String>,
    /// daemon.json exists and is no JSON: the daemon will not start.
    pub config_invalid: bool,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Containerd {
    pub version: Option<String>,
    /// `config_path` of the registry section.
    pub config_path: Option<String>,
    /// One row a folder of `config_path` (`certs.d`).
    pub registries: Vec<RegistryHosts>,
    pub systemd_cgroup: Option<bool>,
    pub sandbox_image: Option<String>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistryHosts {
    /// Name of the folder: the registry's host name.
    pub registry: String,
    pub server: Option<String>,
    /// Mirrors in their order.
    pub hosts: Vec<String>,
    pub skip_verify: bool,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kubelet {
    pub running: bool,
    /// Arguments that carry no secret, by name without dashes.
    pub args: BTreeMap<String, String>,
    pub cluster_dns: Option<Vec<String>>,
    pub cgroup_driver: Option<String>,
    pub fail_swap_on: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    pub path: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// By this host's clock.
    pub expired: bool,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OomKill {
    pub time: Option<Timestamp>,
    pub process: String,
    pub pid: Option<u32>,
    /// Killed by the limit of its own control group, not because the host had no memory.
    pub cgroup: bool,
}
