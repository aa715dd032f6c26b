//! The facts of this machine, and of the nodes where the user wants them.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use serde_json::Value;
use shared::bundle::failure::Failure;
use shared::bundle::manifest::Outcome;
use shared::bundle::paths;
use tokio::sync::oneshot;

use super::Run;
use crate::gather::text;
use crate::host::script::Printed;
use crate::host::wanted::Seen;
use crate::host::{self, HostItem, HostOptions};
use crate::messages::{ended_before, pick};
use crate::nodes::{self, NoAddress, Node};
use crate::options::NodeOptions;
use crate::select::Kind;
use crate::sink::{Draft, entry};

/// What the cluster gave, once its lists have been read.
pub struct Known {
    seen: Seen,
    nodes: Vec<Result<Node, NoAddress>>,
}

impl Known {
    /// Looks through the objects that the run holds.
    pub fn of(run: &Run) -> Self {
        let mut seen = Seen::default();
        let each = |plural: &str, show: &mut dyn FnMut(&Value)| {
            run.store.each(plural, |json| {
                if let Ok(object) = serde_json::from_slice(json) {
                    show(&object);
                }
            });
        };
        run.store.each("pods", |json| seen.pod(json));
        each("services", &mut |service| seen.service(service));
        each("ingresses", &mut |ingress| seen.ingress(ingress));
        each("persistentvolumes", &mut |volume| seen.volume(volume));
        let mut nodes = Vec::new();
        each("nodes", &mut |node| nodes.extend(nodes::from_objects([node])));
        Self { seen, nodes }
    }
}

/// Reads this machine, and side by side the nodes, and puts each item into the bundle as it comes.
///
/// Waits for what the cluster gives cause to look at; a sender that is dropped means that there is no cluster.
pub async fn collect(run: Arc<Run>, known: oneshot::Receiver<Known>) {
    if !run.options.selection.wants(&Kind::Host) {
        return;
    }
    let known = known.await.ok();
    let mut options = run.options.hosts.probe.clone();
    let mut of_api = Vec::new();
    if let Some(known) = known {
        known.seen.add_to(&mut options);
        of_api = known.nodes;
    }
    let here = async {
        if run.options.host {
            let name = options.name.clone().unwrap_or_else(host::own_name);
            put_all(&run, host::collect(options.clone()), &[name]).await;
        }
    };
    let there = async {
        if let Some(wanted) = &run.options.hosts.nodes {
            collect_nodes(&run, wanted, of_api, &options).await;
        }
    };
    tokio::join!(here, there);
}

/// Those that can be gone to; of the others the ledger says why not.
fn reachable(run: &Run, all: Vec<Result<Node, NoAddress>>) -> Vec<Node> {
    let mut nodes = Vec::new();
    for node in all {
        match node {
            Ok(node) => nodes.push(node),
            Err(odd) => {
                let mut missing = entry(&paths::host_facts(&odd.node), "--nodes ssh", Outcome::Failed);
                (missing.note, missing.failure) = (Some(odd.to_string()), Some(Failure::Name));
                missing.subject.node = Some(odd.node);
                run.sink.note(missing);
            }
        }
    }
    nodes
}

async fn collect_nodes(
    run: &Run,
    wanted: &NodeOptions,
    of_api: Vec<Result<Node, NoAddress>>,
    options: &HostOptions,
) {
    let nodes = match &wanted.list {
        Some(list) => list.clone(),
        None => reachable(run, of_api),
    };
    if nodes.is_empty() {
        let mut missing = entry(&format!("{}/nodes", paths::HOSTS), "--nodes ssh", Outcome::Failed);
        missing.note = Some("the cluster named no nodes\nhint: name them with --node-list FILE".to_owned());
        run.sink.note(missing);
        return;
    }
    let step = pick(run.options.lang, "读取各节点", "reading the nodes");
    run.progress.step(step, &nodes.len().to_string());
    let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
    put_all(run, nodes::collect(nodes, wanted.ssh.clone(), options.clone()), &names).await;
}

/// Puts in what comes until the end of the run. A host's facts come last; where they are missing by then, the ledger
/// says so.
async fn put_all(run: &Run, items: impl Stream<Item = HostItem>, hosts: &[String]) {
    let mut items = pin!(items);
    let mut missing: BTreeSet<String> = hosts.iter().map(|host| paths::host_facts(host)).collect();
    loop {
        tokio::select! {
            item = items.next() => match item {
                Some(item) => {
                    missing.remove(&item.path);
                    put(run, item);
                }
                None => return,
            },
            reason = run.stop.requested() => {
                for path in missing {
                    let mut skipped = entry(&path, "host probes", Outcome::Skipped);
                    skipped.note = Some(ended_before("this host was read to the end", reason));
                    run.sink.note(skipped);
                }
                return;
            }
        }
    }
}

/// Puts in what the shell script printed on some host.
pub fn put_printed(run: &Run, printed: Printed, source: &str) {
    let name = printed.host.clone();
    for mut item in host::items_of_script(&name, printed) {
        item.source = format!("{source}: {}", item.source);
        put(run, item);
    }
}

/// Puts one item into the bundle, masked; one without bytes into the ledger alone.
pub fn put(run: &Run, item: HostItem) {
    put_failed(run, item, None);
}

/// The same for an item that a failure kept from being whole.
pub fn put_failed(run: &Run, item: HostItem, failure: Option<Failure>) {
    let HostItem { path, bytes, outcome, source, note, started, millis } = item;
    if bytes.is_empty() {
        let mut missing = entry(&path, source, outcome);
        (missing.note, missing.started, missing.millis) = (note, Some(started), millis);
        missing.failure = failure;
        run.sink.note(missing);
        return;
    }
    match text::masked(Draft::new(&*path, &*source), &bytes, outcome, note, &run.masks) {
        Ok(mut finished) => {
            let entry = finished.entry_mut();
            (entry.started, entry.millis, entry.failure) = (Some(started), millis, failure);
            run.sink.put(finished);
        }
        Err(reason) => {
            let mut failed = entry(&path, source, Outcome::Failed);
            (failed.note, failed.failure) = (Some(reason.to_string()), Some(Failure::Redaction));
            run.sink.note(failed);
        }
    }
}
