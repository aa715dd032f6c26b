//! Bundles of a given size.

use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::bundle::manifest::{FORMAT, LedgerEntry, Manifest, Outcome, Tool};
use shared::bundle::paths;
use shared::bundle::writer::{BundleWriter, Format, Item, ItemWriter};

use super::log_text;

/// Size of one log.
const LOG: u64 = 2 << 20;
/// Pods to a namespace.
const PODS: u64 = 50;

/// When the bundle says it was made; fixed, so that one size always gives the same bytes.
pub const NOW: &str = "2026-11-22T08:00:00Z";

/// A bundle in the making.
pub struct Filling {
    bundle: BundleWriter,
    pub ledger: Vec<LedgerEntry>,
    now: Timestamp,
}

impl Filling {
    /// # Errors
    /// When the file cannot be written.
    pub fn start(path: &Path) -> Result<Filling> {
        let now = NOW.parse().context("a constant time")?;
        let bundle = BundleWriter::create(path, Format::TarGz, "casebook-bench")?;
        Ok(Filling { bundle, ledger: Vec::new(), now })
    }

    fn add(&mut self, item: &Item, source: &str) -> Result<()> {
        self.bundle.append(item)?;
        self.ledger.push(item.entry(source, Outcome::Collected));
        Ok(())
    }

    /// # Errors
    /// When the file cannot be written, as of all that follow.
    pub fn json(&mut self, path: String, value: &Value) -> Result<()> {
        let item = Item::from_bytes(path, self.now, value.to_string().as_bytes());
        self.add(&item, "GET list")
    }

    /// The list of a namespace's objects, or of the cluster's.
    pub fn list(
        &mut self,
        group: &str,
        plural: &str,
        kind: &str,
        namespace: Option<&str>,
        items: &[Value],
    ) -> Result<()> {
        let list = json!({"kind": format!("{kind}List"), "apiVersion": "v1", "items": items});
        self.json(paths::resource(group, plural, namespace), &list)
    }

    /// The log of a pod's only container, of about so many bytes.
    pub fn log(&mut self, namespace: &str, pod: &str, previous: bool, bytes: u64, seed: u64) -> Result<()> {
        let mut item = ItemWriter::new(paths::log(namespace, pod, "main", previous), self.now);
        log_text::write(&mut item, bytes, seed)?;
        self.add(&item.finish(), "GET log")
    }

    pub fn finish(self) -> Result<()> {
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            tool: Tool { name: "bench".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            started: self.now,
            finished: self.now,
            options: Default::default(),
            cluster: None,
            host: None,
            clocks: Vec::new(),
            stopped: None,
            ledger: self.ledger,
        };
        self.bundle.finish(&manifest)?;
        Ok(())
    }
}

/// Writes a bundle that holds about `bytes` of data before compression: pods and the logs of each.
pub fn write(path: &Path, bytes: u64) -> Result<()> {
    let mut filling = Filling::start(path)?;
    let logs = bytes.div_ceil(LOG);
    for namespace in 0..logs.div_ceil(PODS) {
        let name = format!("load-{namespace}");
        let members =
            (namespace * PODS..logs.min((namespace + 1) * PODS)).map(|number| format!("app-{number}"));
        let pods: Vec<String> = members.collect();
        let objects: Vec<Value> = pods.iter().map(|pod| running(&name, pod)).collect();
        filling.list("", "pods", "Pod", Some(&name), &objects)?;
        for (seed, pod) in pods.iter().enumerate() {
            filling.log(&name, pod, false, LOG.min(bytes), namespace * PODS + seed as u64)?;
        }
    }
    filling.finish()
}

/// A pod that runs and is well.
pub fn running(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": NOW},
        "spec": {"nodeName": "node-10-0-6-31", "containers": [{"name": "main", "image": "app:1"}]},
        "status": {"phase": "Running", "podIP": "10.244.1.2", "containerStatuses": [
            {"name": "main", "ready": true, "restartCount": 0, "image": "app:1", "imageID": "app:1", "state": {"running": {"startedAt": NOW}}}
        ]}
    })
}
