//! Faults that are made to happen for real.
//!
//! A scenario is named after the case it shows. Its objects are in `tests/scenarios/<id>.yaml`; what YAML cannot do
//! (killing helm half-way, closing a kubelet's port) is code. [`Scenario::make`] returns when the fault can be seen,
//! that is, when a collector that starts now finds what it needs.

mod blueking;
mod kubernetes;
mod releases;
mod sign;

use std::path::PathBuf;

use anyhow::{Context, Result};

use self::sign::Sign;
use crate::cluster::{Cluster, NodeSpec, Settings};
use crate::run::Run;

/// One fault.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// The id of the case that it shows; with a suffix after `--` when there are several ways.
    pub id: &'static str,
    /// The namespaces in which it can be seen.
    pub namespaces: &'static [&'static str],
    how: How,
}

/// How a fault is made.
#[derive(Debug, Clone, Copy)]
enum How {
    /// Its objects are applied, and it shows by all of these signs.
    Objects(&'static [Sign]),
    /// By code.
    Steps(fn(&Cluster) -> Result<()>),
}

impl Scenario {
    const fn objects(
        id: &'static str,
        namespaces: &'static [&'static str],
        signs: &'static [Sign],
    ) -> Scenario {
        Scenario { id, namespaces, how: How::Objects(signs) }
    }

    const fn steps(
        id: &'static str,
        namespaces: &'static [&'static str],
        steps: fn(&Cluster) -> Result<()>,
    ) -> Scenario {
        Scenario { id, namespaces, how: How::Steps(steps) }
    }

    /// Makes the fault and waits until it shows.
    ///
    /// # Errors
    /// When it does not come about within some minutes.
    pub fn make(&self, cluster: &Cluster) -> Result<()> {
        match self.how {
            How::Objects(signs) => {
                apply(cluster, self.id).and_then(|()| signs.iter().try_for_each(|sign| sign.wait(cluster)))
            }
            How::Steps(steps) => steps(cluster),
        }
        .with_context(|| format!("cannot make the scenario {}", self.id))
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
pub static HEALTHY: Scenario = Scenario::steps("healthy", &["paas-healthy"], kubernetes::healthy);

/// The node whose kubelet a scenario kills. Nothing else is scheduled there.
pub const DOOMED_NODE: &str = "node-10-0-6-34";

/// The cluster that the scenarios expect. Its nodes: three for everybody, and one each that will lose its kubelet, gives its pods
/// public addresses, and takes two pods only.
pub fn cluster() -> Settings {
    let mut nodes: Vec<NodeSpec> = (31..=33).map(NodeSpec::numbered).collect();
    nodes.push(NodeSpec::numbered(34).tainted("test/reserved=doomed:NoSchedule"));
    nodes.push(
        NodeSpec::numbered(35)
            .tainted("test/reserved=public:NoSchedule")
            .labelled("test/pod-network=public")
            .with_pods("203.0.113"),
    );
    nodes.push(
        NodeSpec::numbered(36)
            .tainted("test/reserved=small:NoSchedule")
            .labelled("test/size=small")
            .taking_pods(2),
    );
    Settings { nodes, ..Settings::default() }
}

/// Folder of the scenarios' files.
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios"))
}

/// What the user's terminal showed in this scenario, if a program of the scenario printed something that matters.
pub fn terminal_text(cluster: &Cluster, id: &str) -> Option<PathBuf> {
    Some(text_path(cluster, id)).filter(|path| path.is_file())
}

fn text_path(cluster: &Cluster, id: &str) -> PathBuf {
    cluster.dir().join("texts").join(format!("{id}.txt"))
}

fn keep_text(cluster: &Cluster, id: &str, run: &Run) -> Result<()> {
    let path = text_path(cluster, id);
    std::fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
    std::fs::write(&path, format!("{}{}", run.stdout, run.stderr))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn apply(cluster: &Cluster, id: &str) -> Result<()> {
    let path = folder().join(format!("{id}.yaml"));
    let yaml = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    cluster.apply(&yaml)
}
