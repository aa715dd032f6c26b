//! What a bundle says of its hosts: who is a machine, which domains are the user's, and which names with dots are
//! none of it.
//!
//! Only what has a name of its own in the formats is taken (`spec.nodeName`, `status.addresses`, the rules of an
//! ingress, the facts of a host …), and in texts what a prompt or a system log puts before its lines. What can be
//! recognised by its looks is learned by rewriting.

use std::io::{self, Read};
use std::sync::LazyLock;

use regex::bytes::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::Pseudonyms;
use super::text;
use crate::bundle::manifest::Manifest;
use crate::bundle::paths;

/// Largest file of host facts that is read as a whole.
const MAX_FACTS: u64 = 32 << 20;

/// Learns from one item; `data` is read as far as needed. What does not parse tells nothing.
///
/// # Errors
/// When it cannot be read.
pub(super) fn item(path: &str, data: &mut dyn Read, to: &mut Pseudonyms) -> io::Result<()> {
    let json = path.ends_with(".json");
    if path.starts_with("cluster-resources/") && json {
        if let Ok(list) = serde_json::from_reader::<_, List>(data) {
            if let Some((group, _)) = list.api_version.0.split_once('/') {
                to.group(group);
            }
            list.items.iter().for_each(|object| object.tell(path, to));
        }
    } else if path.starts_with(paths::HOSTS) && json {
        let mut text = Vec::new();
        data.take(MAX_FACTS).read_to_end(&mut text)?;
        if let Ok(value) = serde_json::from_slice(&text) {
            facts(&value, to);
        }
    } else if path.starts_with(paths::TEXTS) || path.starts_with(paths::HOSTS) {
        text::stretches(data, |stretch| {
            lines(stretch, to);
            io::Result::Ok(())
        })?;
    }
    Ok(())
}

/// Learns from what the collector knew of itself.
pub(super) fn manifest(manifest: &Manifest, to: &mut Pseudonyms) {
    if let Some(host) = &manifest.host {
        to.machine(host);
    }
    if let Some(cluster) = &manifest.cluster {
        to.machine(host_of(&cluster.server));
    }
    for entry in &manifest.ledger {
        if let Some(node) = &entry.subject.node {
            to.machine(node);
        }
        // The collecting machine's own folder is named after it.
        if let Some(rest) = entry.path.strip_prefix("hosts/") {
            to.machine(rest.split('/').next().unwrap_or_default());
        }
    }
    for clock in &manifest.clocks {
        if let Some(node) = clock.clock.strip_prefix("node/") {
            to.machine(node);
        }
    }
}

/// Learns from prompts and system logs.
pub(super) fn lines(text: &[u8], to: &mut Pseudonyms) {
    static PROMPT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)^(?:\([^)\n]{1,40}\) )?\[?[a-z_][a-z0-9_-]{0,31}@([A-Za-z0-9][A-Za-z0-9.-]{1,62})(?:[ :][^\]\n]{0,80})?[\]#$]")
            .expect("the pattern is constant")
    });
    static JOURNAL: LazyLock<Regex> = LazyLock::new(|| {
        let month = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec";
        Regex::new(&format!(
            r"(?m)^(?:(?:{month}) [ 0-3][0-9] [0-9:.]{{8,15}}|[0-9]{{4}}-[0-9-]{{5}}T[0-9:.]{{8,15}}[+-][0-9:]{{4,5}}) ([A-Za-z0-9][A-Za-z0-9.-]{{1,62}}) [A-Za-z_][A-Za-z0-9_./()-]{{0,40}}(?:\[[0-9]+\])?:"
        ))
        .expect("the pattern is constant")
    });
    for pattern in [&*PROMPT, &*JOURNAL] {
        for found in pattern.captures_iter(text) {
            to.machine(&String::from_utf8_lossy(&found[1]));
        }
    }
}

fn facts(value: &Value, to: &mut Pseudonyms) {
    for key in ["name", "node"] {
        value[key].as_str().into_iter().for_each(|name| to.machine(name));
    }
    for entry in list(&value["hosts_file"]) {
        for name in list(&entry["names"]).iter().filter_map(Value::as_str) {
            learn_listed(name, to);
        }
    }
    for domain in list(&value["resolver"]["search"]).iter().filter_map(Value::as_str) {
        learn_listed(domain, to);
    }
    for key in ["names", "connections"] {
        for name in list(&value[key]).iter().filter_map(|entry| entry["name"].as_str()) {
            learn_listed(name, to);
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A name out of a list in which services stand beside machines: a bare word is rather a service.
fn learn_listed(name: &str, to: &mut Pseudonyms) {
    if name.contains('.') || name.bytes().any(|b| b.is_ascii_digit()) {
        to.machine(name);
    }
}

/// The host of `https://host:6443`.
pub(super) fn host_of(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    authority.split(['/', ':']).next().unwrap_or_default()
}

/// Only what tells of hosts; the rest is skipped while it is read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct List {
    #[serde(rename = "apiVersion")]
    api_version: Lenient<String>,
    items: Vec<Object>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Object {
    api_version: Lenient<String>,
    metadata: Lenient<Metadata>,
    spec: Lenient<Spec>,
    status: Lenient<Status>,
    /// Of an event.
    source: Lenient<Source>,
    reporting_component: Lenient<String>,
    reporting_instance: Lenient<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: Lenient<String>,
    namespace: Lenient<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    node_name: Lenient<String>,
    external_name: Lenient<String>,
    rules: Lenient<Vec<Lenient<Rule>>>,
    tls: Lenient<Vec<Lenient<Tls>>>,
    group: Lenient<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rule {
    host: Lenient<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tls {
    hosts: Lenient<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    addresses: Lenient<Vec<Lenient<Address>>>,
    load_balancer: Lenient<LoadBalancer>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LoadBalancer {
    ingress: Lenient<Vec<Lenient<Address>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Address {
    address: Lenient<String>,
    hostname: Lenient<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    host: Lenient<String>,
}

/// A part of an object that may have another shape in other kinds; then it tells nothing.
#[derive(Default)]
struct Lenient<T>(T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<T> {
            Fits(T),
            Other(serde::de::IgnoredAny),
        }
        Ok(match Either::<T>::deserialize(deserializer)? {
            Either::Fits(value) => Lenient(value),
            Either::Other(_) => Lenient(T::default()),
        })
    }
}

impl Object {
    fn tell(&self, path: &str, to: &mut Pseudonyms) {
        let named = |folder: &str| path == format!("cluster-resources/{folder}.json");
        let name = &self.metadata.0.name.0;
        if named("nodes") {
            to.machine(name);
        }
        if named("namespaces") {
            to.namespace(name);
        }
        if !self.metadata.0.namespace.0.is_empty() {
            to.namespace(&self.metadata.0.namespace.0);
        }
        if let Some((group, _)) = self.api_version.0.split_once('/') {
            to.group(group);
        }
        if !self.spec.0.group.0.is_empty() {
            to.group(&self.spec.0.group.0);
        }
        to.machine(&self.spec.0.node_name.0);
        to.machine(&self.source.0.host.0);
        if path.starts_with("cluster-resources/events/") {
            // Some components call themselves after the machine: `default-scheduler-zeus-1`.
            let instance = &self.reporting_instance.0;
            let behind = instance.strip_prefix(&self.reporting_component.0);
            to.machine(behind.and_then(|rest| rest.strip_prefix('-')).unwrap_or(instance));
        }
        learn_listed(&self.spec.0.external_name.0, to);
        let tls = self.spec.0.tls.0.iter().flat_map(|tls| &tls.0.hosts.0);
        let rules = self.spec.0.rules.0.iter().map(|rule| &rule.0.host.0);
        for host in rules.chain(tls) {
            learn_listed(host.trim_start_matches("*."), to);
        }
        let balanced = &self.status.0.load_balancer.0.ingress.0;
        for address in self.status.0.addresses.0.iter().chain(balanced) {
            to.machine(&address.0.address.0);
            to.machine(&address.0.hostname.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pseudonym::{Key, Kind, kinds};

    #[test]
    fn a_component_is_not_taken_for_the_machine_it_is_named_after() {
        let mut words = Pseudonyms::new(&Key::from_bytes([3; 32]), kinds(["host"]).unwrap(), None);
        let events = r#"{"apiVersion":"v1","items":[
            {"reportingComponent":"default-scheduler","reportingInstance":"default-scheduler-zeus-1"},
            {"reportingComponent":"kubelet","reportingInstance":"hera-2"}]}"#;
        item("cluster-resources/events/a.json", &mut events.as_bytes(), &mut words).unwrap();
        let map = words.map();
        let real: Vec<&str> = map.of(Kind::Host).values().map(String::as_str).collect();
        assert_eq!(real.len(), 2, "{real:?}");
        assert!(real.contains(&"zeus-1") && real.contains(&"hera-2"), "{real:?}");
        assert!(words.string("default-scheduler-zeus-1").starts_with("default-scheduler-"));
    }
}
