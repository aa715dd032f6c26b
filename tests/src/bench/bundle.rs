//! A bundle of a given size.

use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::json;
use shared::bundle::manifest::{FORMAT, Manifest, Outcome, Tool};
use shared::bundle::paths;
use shared::bundle::writer::{BundleWriter, Format, Item, ItemWriter};

use super::log_text;

/// Size of one log.
const LOG: u64 = 2 << 20;
/// Pods to a namespace.
const PODS: u64 = 50;

/// When the bundle says it was made; fixed, so that one size always gives the same bytes.
const NOW: &str = "2026-11-22T08:00:00Z";

/// Writes a bundle that holds about `bytes` of data before compression: pods and the logs of each.
pub fn write(path: &Path, bytes: u64) -> Result<()> {
    let now: Timestamp = NOW.parse().context("a constant time")?;
    let mut bundle = BundleWriter::create(path, Format::TarGz, "casebook-bench")?;
    let mut ledger = Vec::new();
    let mut add = |bundle: &mut BundleWriter, item: &Item, source: &str| -> Result<()> {
        bundle.append(item)?;
        ledger.push(item.entry(source, Outcome::Collected));
        Ok(())
    };
    let logs = bytes.div_ceil(LOG);
    for namespace in 0..logs.div_ceil(PODS) {
        let name = format!("load-{namespace}");
        let members =
            (namespace * PODS..logs.min((namespace + 1) * PODS)).map(|number| format!("app-{number}"));
        let pods: Vec<String> = members.collect();
        let list = json!({"kind": "PodList", "apiVersion": "v1", "items": pods.iter().map(|pod| running(&name, pod)).collect::<Vec<_>>()});
        let item =
            Item::from_bytes(paths::resource("", "pods", Some(&name)), now, list.to_string().as_bytes());
        add(&mut bundle, &item, "GET /api/v1/pods")?;
        for (seed, pod) in pods.iter().enumerate() {
            let mut item = ItemWriter::new(paths::log(&name, pod, "main", false), now);
            log_text::write(&mut item, LOG.min(bytes), namespace * PODS + seed as u64)?;
            add(&mut bundle, &item.finish(), "GET log")?;
        }
    }
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        tool: Tool { name: "bench".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        started: now,
        finished: now,
        options: Default::default(),
        cluster: None,
        host: None,
        clocks: Vec::new(),
        stopped: None,
        ledger,
    };
    bundle.finish(&manifest)?;
    Ok(())
}

fn running(namespace: &str, name: &str) -> serde_json::Value {
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
