//! A real Kubernetes cluster for tests, and the programs that are tested on it.
//!
//! Nothing here is a mock: etcd, kube-apiserver, controller-manager, scheduler and kubelets are the real programs
//! (under most kubelets the container runtime is fake, so that the YAML of a pod can say how its containers
//! fail; [`cluster::RealNode`] has a real one), and helm and kubectl are what users have. The way in:
//!
//! 1. [`cache::Cache::prepare`] builds or fetches what is missing, once a machine, outside the checkout.
//! 2. [`isolation::enter`] runs the calling program again in namespaces of its own with no network but `lo`. When
//!    that program ends, however it ends, the kernel ends every server it started.
//! 3. [`cluster::Cluster::start`] starts the servers; [`scenario`] makes faults happen on them.
//!
//! `cargo run -p tests --bin cluster -- play` does all of this and opens a shell.

pub mod api;
pub mod bench;
pub mod cache;
pub mod cluster;
pub mod comparison;
pub mod control_groups;
pub mod isolation;
pub mod lab;
pub mod programs;
pub mod proxy;
pub mod run;
pub mod scenario;
pub mod tls;
pub mod wait;
