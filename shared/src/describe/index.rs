//! What is kept of objects for the description of others.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::Kind;
use super::events::Events;
use super::resources::{self, Amounts};
use crate::objects::{Field, controller_of, name, namespace};

/// Namespace and name.
type Key = (String, String);

/// The relations between objects that descriptions show.
///
/// Show it every object once, in any order, and describe after that; to describe an object it is enough that
/// those of the kinds it needs have been shown: pods need events; nodes need pods, leases and events; claims need
/// pods; services need EndpointSlices or Endpoints; ingresses need these and services; deployments need
/// ReplicaSets; all workloads need pods. Memory is a few hundred bytes an object.
#[derive(Default)]
pub struct Index {
    pub(super) events: Events,
    pub(super) pods: Pods,
    /// Leases of `kube-node-lease` by node name.
    pub(super) leases: HashMap<String, Lease>,
    /// ReplicaSets by the UID of the deployment that controls them.
    pub(super) replica_sets: HashMap<String, Vec<ReplicaSet>>,
    pub(super) endpoints: HashMap<Key, Value>,
    /// EndpointSlices by namespace and the service they belong to.
    pub(super) slices: HashMap<Key, Vec<Value>>,
    /// Ports of services.
    pub(super) services: HashMap<Key, Value>,
    /// ResourceQuotas and LimitRanges by namespace.
    pub(super) quotas: HashMap<String, Vec<Value>>,
    pub(super) limit_ranges: HashMap<String, Vec<Value>>,
}

#[derive(Default)]
pub(super) struct Pods {
    by_node: HashMap<String, Vec<PodOnNode>>,
    by_claim: HashMap<Key, Vec<String>>,
    phases: HashMap<String, Phases>,
    /// Why there are none, when they could not be collected.
    pub(super) missing: Option<String>,
}

/// A pod as its node's description shows it.
pub(super) struct PodOnNode {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) created: Value,
    pub(super) requests: Amounts,
    pub(super) limits: Amounts,
}

/// How many pods of a workload are in each phase.
#[derive(Default, Clone, Copy)]
pub(super) struct Phases {
    pub(super) running: usize,
    pub(super) waiting: usize,
    pub(super) succeeded: usize,
    pub(super) failed: usize,
}

pub(super) struct Lease {
    pub(super) holder: Value,
    pub(super) acquired: Value,
    pub(super) renewed: Value,
}

pub(super) struct ReplicaSet {
    pub(super) name: String,
    pub(super) created: String,
    pub(super) replicas: i64,
    pub(super) wanted: i64,
    /// See [`template_hash`].
    pub(super) template: u64,
}

impl Index {
    pub fn new() -> Index {
        Index::default()
    }

    /// Takes note of `object`. Kinds that no description refers to are passed over.
    pub fn observe(&mut self, kind: Kind<'_>, object: &Value) {
        let key = || (namespace(object).to_owned(), name(object).to_owned());
        match (kind.group(), kind.kind) {
            ("" | "events.k8s.io", "Event") => self.events.observe(object),
            ("", "Pod") => self.pods.observe(object),
            ("", "Endpoints") => {
                self.endpoints.insert(key(), object["subsets"].clone());
            }
            ("", "Service") => {
                self.services.insert(key(), object["spec"]["ports"].clone());
            }
            ("", "ResourceQuota") => push(&mut self.quotas, namespace(object), object),
            ("", "LimitRange") => push(&mut self.limit_ranges, namespace(object), object),
            ("discovery.k8s.io", "EndpointSlice") => {
                let service = object["metadata"]["labels"]["kubernetes.io/service-name"].text().to_owned();
                let slices = self.slices.entry((namespace(object).to_owned(), service)).or_default();
                slices.push(object.clone());
            }
            ("coordination.k8s.io", "Lease") if namespace(object) == "kube-node-lease" => {
                let spec = &object["spec"];
                let lease = Lease {
                    holder: spec["holderIdentity"].clone(),
                    acquired: spec["acquireTime"].clone(),
                    renewed: spec["renewTime"].clone(),
                };
                self.leases.insert(name(object).to_owned(), lease);
            }
            ("apps" | "extensions", "ReplicaSet") => self.observe_replica_set(object),
            _ => {}
        }
    }

    /// Events could not be collected: descriptions say so instead of `<none>`.
    pub fn events_missing(&mut self, reason: impl Into<String>) {
        self.events.missing = Some(reason.into());
    }

    /// Pods could not be collected: descriptions say so instead of `<none>`.
    pub fn pods_missing(&mut self, reason: impl Into<String>) {
        self.pods.missing = Some(reason.into());
    }

    fn observe_replica_set(&mut self, object: &Value) {
        let Some(owner) = controller_of(object) else { return };
        let kept = ReplicaSet {
            name: name(object).to_owned(),
            created: object["metadata"]["creationTimestamp"].text().to_owned(),
            replicas: object["status"]["replicas"].int(),
            wanted: object["spec"]["replicas"].int(),
            template: template_hash(&object["spec"]["template"]),
        };
        self.replica_sets.entry(owner["uid"].text().to_owned()).or_default().push(kept);
    }
}

fn push(map: &mut HashMap<String, Vec<Value>>, key: &str, object: &Value) {
    map.entry(key.to_owned()).or_default().push(object.clone());
}

/// Equal for a deployment's template and that of the ReplicaSet made from it, which has one label more.
pub(super) fn template_hash(template: &Value) -> u64 {
    let mut plain = template.clone();
    if let Some(labels) = plain["metadata"]["labels"].as_object_mut() {
        labels.shift_remove("pod-template-hash");
    }
    let mut hasher = DefaultHasher::new();
    plain.to_string().hash(&mut hasher);
    hasher.finish()
}

impl Pods {
    fn observe(&mut self, pod: &Value) {
        let phase = pod["status"]["phase"].text();
        if let Some(owner) = controller_of(pod) {
            self.phases.entry(owner["uid"].text().to_owned()).or_default().count(phase);
        }
        for volume in pod["spec"]["volumes"].items() {
            let claim = match volume["persistentVolumeClaim"]["claimName"].as_str() {
                Some(claim) => claim.to_owned(),
                // The claim of an ephemeral volume is named after pod and volume.
                None if volume["ephemeral"].is_object() => format!("{}-{}", name(pod), volume["name"].text()),
                None => continue,
            };
            let users = self.by_claim.entry((namespace(pod).to_owned(), claim)).or_default();
            users.push(name(pod).to_owned());
        }
        let node = pod["spec"]["nodeName"].text();
        if !node.is_empty() && phase != "Succeeded" && phase != "Failed" {
            let (requests, limits) = resources::of_pod(pod);
            self.by_node.entry(node.to_owned()).or_default().push(PodOnNode {
                namespace: namespace(pod).to_owned(),
                name: name(pod).to_owned(),
                created: pod["metadata"]["creationTimestamp"].clone(),
                requests,
                limits,
            });
        }
    }

    /// Pods on `node` that have not ended, by namespace and name.
    pub(super) fn on_node(&self, node: &str) -> Vec<&PodOnNode> {
        let mut pods: Vec<&PodOnNode> = self.by_node.get(node).into_iter().flatten().collect();
        // The server's order: by namespace and name, where the end of the namespace sorts as `/`.
        pods.sort_by_cached_key(|pod| format!("{}/{}", pod.namespace, pod.name));
        pods
    }

    /// Names of the pods that mount the claim, sorted.
    pub(super) fn using_claim(&self, namespace: &str, claim: &str) -> Vec<String> {
        let key = (namespace.to_owned(), claim.to_owned());
        let mut names = self.by_claim.get(&key).cloned().unwrap_or_default();
        names.sort_unstable();
        names
    }

    /// Phases of the pods that the object with `uid` controls.
    pub(super) fn phases_of(&self, uid: &str) -> Phases {
        self.phases.get(uid).copied().unwrap_or_default()
    }
}

impl Phases {
    fn count(&mut self, phase: &str) {
        match phase {
            "Running" => self.running += 1,
            "Pending" => self.waiting += 1,
            "Succeeded" => self.succeeded += 1,
            "Failed" => self.failed += 1,
            _ => {}
        }
    }
}
