//! Facts of one host: the control machine, or a node that this program was sent to.
//!
//! A probe reads commands and files ([`capture`]), and a pure function draws facts from what was read. The texts go
//! into the bundle as `hosts/<host>/<probe>.txt`, the facts of all probes together as `hosts/<host>/facts.json`
//! ([`facts`]), whose `probes` says what became of each. A probe that cannot read something says so and never stops
//! the others: missing tools, missing rights and time-outs are outcomes. Nothing on the host is changed, no file that
//! holds secrets is read, and of processes only name, age and state are taken, and `PATH` of what a login shell
//! started. What can be read is read before anything is run, and what is run is never killed outright ([`group`]).
//!
//! Rules read the facts through CEL as `host`; `rules/README.md` lists the fields.

pub mod capture;
pub mod facts;
pub mod script;
pub mod stream;
pub mod wanted;

mod clock;
mod connections;
mod disks;
mod dns;
mod group;
mod ipv6;
mod journal;
mod keep;
mod kernel;
mod kubelet;
mod login;
mod login_shells;
mod names;
mod network;
mod processes;
mod run;
mod runtime;
mod system;
#[cfg(test)]
mod testing;
mod tools;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, Stream, StreamExt as _};
use jiff::Timestamp;
use shared::bundle::manifest::Outcome;
use shared::bundle::paths;

use capture::Capture;
use facts::{Facts, Role};

/// Names whose resolution has decided cases: the public image registry and the chart registry of the product.
pub const DEFAULT_NAMES: &[&str] = &["registry-1.docker.io", "hub.bktencent.com"];

/// What to look at besides the machine itself.
#[derive(Debug, Clone, Default)]
pub struct HostOptions {
    /// Folder below `hosts/`; the machine's own name where it is `None`.
    pub name: Option<String>,
    pub role: Role,
    /// Name of the Kubernetes node that the host is.
    pub node: Option<String>,
    /// Resolved as programs on the host do it.
    pub names: Vec<String>,
    /// Addresses of the cluster's DNS service, asked for each of `cluster_names`.
    pub cluster_dns: Vec<IpAddr>,
    /// Complete names, such as `kubernetes.default.svc.cluster.local`.
    pub cluster_names: Vec<String>,
    /// Connected to, with TLS where asked for.
    pub endpoints: Vec<Endpoint>,
    /// More folders whose directories become local volumes.
    pub volume_folders: Vec<PathBuf>,
}

/// Something to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Host name or address.
    pub name: String,
    pub port: u16,
    pub tls: bool,
}

/// One file for the bundle, before redaction, and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct HostItem {
    /// Path inside the bundle.
    pub path: String,
    /// Empty where nothing could be read.
    pub bytes: Vec<u8>,
    pub outcome: Outcome,
    /// What was done, for the ledger.
    pub source: String,
    pub note: Option<String>,
    pub started: Timestamp,
    pub millis: u64,
}

/// What all probes share.
#[derive(Debug, Default)]
struct Context {
    options: HostOptions,
    login: tokio::sync::OnceCell<Capture>,
}

impl fmt::Display for Endpoint {
    /// `name:port/tls`, with an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tls = if self.tls { "/tls" } else { "" };
        if self.name.contains(':') {
            write!(f, "[{}]:{}{tls}", self.name, self.port)
        } else {
            write!(f, "{}:{}{tls}", self.name, self.port)
        }
    }
}

/// A text that names nothing to connect to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is nothing to connect to\nhint: HOST:PORT, with /tls behind it where TLS is spoken, such as registry.example:443/tls"
)]
pub struct NoEndpoint(String);

impl FromStr for Endpoint {
    type Err = NoEndpoint;

    fn from_str(text: &str) -> Result<Self, NoEndpoint> {
        let refused = || NoEndpoint(text.to_owned());
        let (rest, tls) = text.strip_suffix("/tls").map_or((text, false), |rest| (rest, true));
        let (name, port) = rest.rsplit_once(':').ok_or_else(refused)?;
        let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        if name.is_empty() {
            return Err(refused());
        }
        Ok(Endpoint { name: name.to_owned(), port: port.parse().map_err(|_| refused())?, tls })
    }
}

impl Context {
    /// What the login shell gave; asked once, whoever needs it first.
    async fn login(&self) -> Capture {
        self.login.get_or_init(login::read).await.clone()
    }

    /// The directories of the login shell's `PATH`.
    async fn login_path(&self) -> Option<Vec<PathBuf>> {
        let mut facts = Facts::default();
        login::understand(&self.login().await, &mut facts);
        Some(facts.path?.login?.into_iter().map(PathBuf::from).collect())
    }
}

/// One subject that is read, and what is understood of it.
struct Probe {
    /// Name of the text file, and key in `probes` of the facts.
    name: &'static str,
    /// The whole probe is given up after this; each source in it has a shorter limit of its own.
    limit: Duration,
    gather: fn(Arc<Context>) -> BoxFuture<'static, Capture>,
    understand: fn(&Capture, &mut Facts),
    /// The same in POSIX shell, for machines on which this program cannot run.
    script: &'static str,
}

macro_rules! probe {
    ($name:literal, $subject:path, $seconds:literal) => {{
        use $subject as subject;
        Probe {
            name: $name,
            limit: Duration::from_secs($seconds),
            gather: |context| Box::pin(subject::gather(context)),
            understand: subject::understand,
            script: subject::SCRIPT,
        }
    }};
}

/// In the order in which their facts are drawn: `login` knows the user better than `system`.
const PROBES: &[Probe] = &[
    probe!("login", login, 20),
    probe!("system", system, 20),
    probe!("tools", tools, 30),
    probe!("names", names, 30),
    probe!("connections", connections, 40),
    probe!("ipv6", ipv6, 10),
    probe!("clock", clock, 15),
    probe!("disks", disks, 20),
    probe!("processes", processes, 10),
    probe!("network", network, 15),
    probe!("kernel", kernel, 20),
    probe!("runtime", runtime, 30),
    probe!("kubelet", kubelet, 30),
    probe!("journal-kubelet", journal::kubelet, 20),
    probe!("journal-runtime", journal::runtime, 20),
];

/// Runs all probes side by side. Items come as they are ready; `facts.json` is the last.
pub fn collect(options: HostOptions) -> impl Stream<Item = HostItem> + Send {
    let name = options.name.clone().unwrap_or_else(own_name);
    let context = Arc::new(Context { options, login: tokio::sync::OnceCell::new() });
    let begun = (Timestamp::now(), Instant::now());
    let running: FuturesUnordered<_> = PROBES
        .iter()
        .enumerate()
        .map(|(at, probe)| {
            let context = context.clone();
            async move {
                let begun = (Timestamp::now(), Instant::now());
                let capture = tokio::time::timeout(probe.limit, (probe.gather)(context)).await;
                (at, begun, capture.ok())
            }
        })
        .collect();
    let done: Vec<(usize, Option<Capture>)> = Vec::new();
    futures::stream::unfold((running, Some(done)), move |(mut running, done)| {
        let (context, name) = (context.clone(), name.clone());
        async move {
            let mut done = done?;
            match running.next().await {
                Some((at, begun, capture)) => {
                    let item = probe_item(&name, &PROBES[at], capture.as_ref(), begun);
                    done.push((at, capture));
                    Some((item, (running, Some(done))))
                }
                None => {
                    let facts = facts_of(&name, &context.options, done);
                    Some((facts_item(&name, &facts, begun), (running, None)))
                }
            }
        }
    })
}

fn probe_item(
    host: &str,
    probe: &Probe,
    capture: Option<&Capture>,
    (started, begun): (Timestamp, Instant),
) -> HostItem {
    let (outcome, note) = match capture {
        Some(capture) => capture.outcome(),
        None => (Outcome::TimedOut, Some(format!("given up after {} s", probe.limit.as_secs()))),
    };
    HostItem {
        path: paths::host_probe(host, probe.name),
        bytes: capture.map(|c| c.render().into_bytes()).unwrap_or_default(),
        outcome,
        source: format!("host probe {}", probe.name),
        note,
        started,
        millis: begun.elapsed().as_millis() as u64,
    }
}

/// Draws the facts from what was read, in the order of [`PROBES`].
fn facts_of(name: &str, options: &HostOptions, mut done: Vec<(usize, Option<Capture>)>) -> Facts {
    done.sort_by_key(|(at, _)| *at);
    let mut facts = Facts {
        schema: facts::SCHEMA.to_owned(),
        name: name.to_owned(),
        role: options.role,
        node: options.node.clone(),
        collected_at: Some(Timestamp::now()),
        ..Facts::default()
    };
    for (at, capture) in done {
        let probe = &PROBES[at];
        let outcome = capture.as_ref().map_or(Outcome::TimedOut, |capture| capture.outcome().0);
        facts.probes.insert(probe.name.to_owned(), outcome);
        if let Some(capture) = capture {
            (probe.understand)(&capture, &mut facts);
        }
    }
    tools::relate(&mut facts);
    facts
}

fn facts_item(host: &str, facts: &Facts, (started, begun): (Timestamp, Instant)) -> HostItem {
    let mut bytes = serde_json::to_vec_pretty(facts).expect("facts are plain data with string keys");
    bytes.push(b'\n');
    HostItem {
        path: paths::host_facts(host),
        bytes,
        outcome: Outcome::Collected,
        source: "host facts".to_owned(),
        note: None,
        started,
        millis: begun.elapsed().as_millis() as u64,
    }
}

/// The items of a host that the shell script has read.
pub fn items_of_script(name: &str, printed: script::Printed) -> Vec<HostItem> {
    let begun = (Timestamp::now(), Instant::now());
    let position = |probe: &str| PROBES.iter().position(|known| known.name == probe);
    let done: Vec<(usize, Option<Capture>)> = printed
        .probes
        .into_iter()
        .filter(|(_, capture)| !capture.sections.is_empty())
        .filter_map(|(probe, capture)| Some((position(&probe)?, Some(capture))))
        .collect();
    let mut items: Vec<HostItem> =
        done.iter().map(|(at, capture)| probe_item(name, &PROBES[*at], capture.as_ref(), begun)).collect();
    let mut facts = facts_of(name, &HostOptions { role: Role::Node, ..HostOptions::default() }, done);
    facts.collected_at = printed.time;
    let mut item = facts_item(name, &facts, begun);
    if !printed.whole {
        item.outcome = Outcome::Truncated;
        item.note = Some("what the script printed ends before its last line".to_owned());
    }
    items.push(item);
    items
}

/// What the machine calls itself.
pub fn own_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_probe_is_an_item_and_the_facts_come_last() {
        let options = HostOptions { name: Some("control-1".into()), ..HostOptions::default() };
        let items: Vec<HostItem> = collect(options).collect().await;
        assert_eq!(items.len(), PROBES.len() + 1);
        let last = items.last().unwrap();
        assert_eq!(last.path, "hosts/control-1/facts.json");
        let facts: Facts = serde_json::from_slice(&last.bytes).unwrap();
        assert_eq!(facts.schema, facts::SCHEMA);
        for probe in PROBES {
            let item =
                items.iter().find(|item| item.path == paths::host_probe("control-1", probe.name)).unwrap();
            assert_eq!(facts.probes[probe.name], item.outcome);
            assert!(!item.bytes.is_empty(), "{} says what it tried", probe.name);
        }
    }

    #[test]
    fn an_endpoint_is_read_as_it_is_written() {
        for text in ["registry.example:443/tls", "10.0.0.1:6443", "[fd00::1]:80"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        for text in ["registry.example", ":80", "a:b", "a:99999"] {
            assert!(text.parse::<Endpoint>().unwrap_err().to_string().contains("hint: "), "{text}");
        }
    }

    #[test]
    fn what_was_not_read_is_absent_and_not_false() {
        let at = |name| PROBES.iter().position(|probe| probe.name == name).unwrap();
        let done = vec![(at("ipv6"), None), (at("clock"), Some(Capture::default()))];
        let facts = facts_of("a", &HostOptions::default(), done);
        let json = serde_json::to_value(&facts).unwrap();
        assert_eq!(json.get("ipv6"), None);
        assert_eq!(json["probes"], serde_json::json!({"ipv6": "timed_out", "clock": "not_found"}));
    }
}
