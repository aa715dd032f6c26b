//! The objects that later steps need: pods for their logs, and whatever `describe` speaks of. They are kept as the
//! masked JSON that went into the bundle and parsed one at a time.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::logs::pod::Pod;

/// (API group, plural) of what is kept.
const KEPT: &[(&str, &str)] = &[
    ("", "pods"),
    ("", "nodes"),
    ("", "namespaces"),
    ("", "events"),
    ("", "services"),
    ("", "endpoints"),
    ("", "persistentvolumeclaims"),
    ("", "persistentvolumes"),
    ("", "resourcequotas"),
    ("", "limitranges"),
    ("", "configmaps"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("coordination.k8s.io", "leases"),
    ("discovery.k8s.io", "endpointslices"),
    ("networking.k8s.io", "ingresses"),
    ("storage.k8s.io", "storageclasses"),
];

/// One object.
#[derive(Debug, Clone)]
pub struct Stored {
    pub namespace: Box<str>,
    pub name: Box<str>,
    /// Masked JSON.
    pub json: Box<[u8]>,
}

#[derive(Debug, Default)]
pub struct Store {
    objects: Mutex<BTreeMap<&'static str, Vec<Stored>>>,
    pods: Mutex<Vec<Pod>>,
}

impl Store {
    /// Keeps the object if a later step needs its kind.
    pub fn add(&self, group: &str, plural: &str, objects: Vec<Stored>) {
        if let Some((_, plural)) = KEPT.iter().find(|(g, p)| *g == group && *p == plural) {
            self.lock().entry(plural).or_default().extend(objects);
        }
    }

    pub fn add_pods(&self, pods: Vec<Pod>) {
        self.pods.lock().expect("no code panics while it holds the lock").extend(pods);
    }

    pub fn keeps(group: &str, plural: &str) -> bool {
        KEPT.contains(&(group, plural))
    }

    /// All pods, in the order in which they were listed.
    pub fn pods(&self) -> Vec<Pod> {
        self.pods.lock().expect("no code panics while it holds the lock").clone()
    }

    /// Takes all objects out.
    pub fn take(&self) -> BTreeMap<&'static str, Vec<Stored>> {
        std::mem::take(&mut *self.lock())
    }

    /// Names of the objects of one kind.
    pub fn names(&self, plural: &str) -> Vec<String> {
        self.lock().get(plural).map_or_else(Vec::new, |all| all.iter().map(|o| o.name.to_string()).collect())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Vec<Stored>>> {
        self.objects.lock().expect("no code panics while it holds the lock")
    }
}
