//! Nodes: real kubelets over a fake container runtime.
//!
//! What a container does is in its environment and the pod's annotations; `behaviour.go` in
//! `tests/cluster/hollow-kubelet.patch` lists the words.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::servers::Server;
use super::{User, users};
use crate::cache::Cache;
use crate::isolation;
use crate::tls::Identity;

/// A node to be started.
#[derive(Debug, Clone)]
pub struct NodeSpec {
    pub name: String,
    /// Its InternalIP, where the kubelet listens on 10250.
    pub address: String,
    /// Labels, `key=value` separated by commas.
    pub labels: String,
    /// Taints, `key=value:Effect` separated by commas.
    pub taints: String,
    /// First three parts of its pods' addresses.
    pub pods: String,
    /// How many pods it takes; `None` for kubemark's 110.
    pub capacity: Option<u32>,
}

impl NodeSpec {
    /// A node of the given number, with address `10.0.6.<number>`, named the way BlueKing's installer names nodes.
    pub fn numbered(number: u8) -> NodeSpec {
        NodeSpec {
            name: format!("node-10-0-6-{number}"),
            address: format!("10.0.6.{number}"),
            labels: "kubernetes.io/os=linux".to_owned(),
            taints: String::new(),
            pods: format!("10.244.{number}"),
            capacity: None,
        }
    }

    /// The same node with taints.
    pub fn tainted(mut self, taints: &str) -> NodeSpec {
        taints.clone_into(&mut self.taints);
        self
    }

    /// The same node with one more label.
    pub fn labelled(mut self, label: &str) -> NodeSpec {
        self.labels = format!("{},{label}", self.labels);
        self
    }

    /// The same node with room for so many pods.
    pub fn taking_pods(mut self, capacity: u32) -> NodeSpec {
        self.capacity = Some(capacity);
        self
    }

    /// The same node with other addresses for its pods.
    pub fn with_pods(mut self, prefix: &str) -> NodeSpec {
        prefix.clone_into(&mut self.pods);
        self
    }
}

/// A running kubelet, killed when it is dropped.
#[derive(Debug)]
pub struct Node {
    name: String,
    _kubelet: Server,
}

impl Node {
    pub fn start(cache: &Cache, dir: &Path, spec: &NodeSpec) -> Result<Node> {
        isolation::add_address(&spec.address)?;
        let home = dir.join("nodes").join(&spec.name);
        fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
        let identity = Identity::make(&home, "kubelet", &spec.address)?;
        let mut command = Command::new(cache.server("kubemark").context("no kubemark")?);
        command
            .args([
                "--morph=kubelet",
                "--kubelet-port=10250",
                "--kubelet-read-only-port=0",
                "--logtostderr",
                "--v=2",
            ])
            .arg(format!("--name={}", spec.name))
            .arg(format!("--kubeconfig={}", users::kubeconfig(dir, User::Admin).display()))
            .env("HOLLOW_BIND", &spec.address)
            .env("HOLLOW_POD_PREFIX", &spec.pods)
            .env("HOLLOW_CERT", &identity.certificate)
            .env("HOLLOW_KEY", &identity.key)
            .env("HOLLOW_LOG_ROOT", &home)
            // kubemark keeps its root folder and its runtime's socket there.
            .env("TMPDIR", &home);
        if let Some(capacity) = spec.capacity {
            command.env("HOLLOW_MAX_PODS", capacity.to_string());
        }
        for (flag, value) in [("--node-labels", &spec.labels), ("--register-with-taints", &spec.taints)] {
            if !value.is_empty() {
                command.arg(format!("{flag}={value}"));
            }
        }
        let kubelet = Server::start(&format!("kubelet-{}", spec.name), dir, &mut command)?;
        Ok(Node { name: spec.name.clone(), _kubelet: kubelet })
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}
