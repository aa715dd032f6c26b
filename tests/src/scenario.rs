//! Faults that are made to happen for real.
//!
//! A scenario is named after the case it shows. Its objects are in `tests/scenarios/<id>.yaml`; what YAML cannot do
//! (killing helm half-way, closing a kubelet's port) is code. [`Scenario::make`] returns when the fault can be seen,
//! that is, when a collector that starts now finds what it needs.

mod blueking;
mod kubernetes;
mod releases;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cluster::{Cluster, NodeSpec};

/// One fault.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// The id of the case that it shows; with a suffix after `--` when there are several ways.
    pub id: &'static str,
    /// The namespaces in which it can be seen.
    pub namespaces: &'static [&'static str],
    make: fn(&Cluster) -> Result<()>,
}

impl Scenario {
    /// Makes the fault and waits until it shows.
    ///
    /// # Errors
    /// When it does not come about within some minutes.
    pub fn make(&self, cluster: &Cluster) -> Result<()> {
        (self.make)(cluster).with_context(|| format!("cannot make the scenario {}", self.id))
    }
}

/// Every scenario but `healthy`.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    blueking::SCENARIOS.iter().chain(releases::SCENARIOS).chain(kubernetes::SCENARIOS)
}

/// A scenario by its id.
pub fn find(id: &str) -> Option<&'static Scenario> {
    if id == HEALTHY.id { Some(&HEALTHY) } else { all().find(|scenario| scenario.id == id) }
}

/// An installation without a fault. To be made before all others: those break things that all share.
pub static HEALTHY: Scenario =
    Scenario { id: "healthy", namespaces: &["paas-healthy"], make: kubernetes::healthy };

/// The node whose kubelet a scenario kills. Nothing else is scheduled there.
pub const DOOMED_NODE: &str = "node-10-0-6-34";

/// The nodes that the scenarios expect: three for everybody, one that will lose its kubelet, one whose pods get public
/// addresses.
pub fn nodes() -> Vec<NodeSpec> {
    let mut nodes: Vec<NodeSpec> = (31..=33).map(NodeSpec::numbered).collect();
    nodes.push(NodeSpec::numbered(34).tainted("test/reserved=doomed:NoSchedule"));
    nodes.push(
        NodeSpec::numbered(35)
            .tainted("test/reserved=public:NoSchedule")
            .labelled("test/pod-network=public")
            .with_pods("203.0.113"),
    );
    nodes
}

/// Folder of the scenarios' files.
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios"))
}

fn apply(cluster: &Cluster, id: &str) -> Result<()> {
    let path = folder().join(format!("{id}.yaml"));
    let yaml = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    cluster.apply(&yaml)
}
