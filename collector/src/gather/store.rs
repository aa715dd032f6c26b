//! The objects that later steps need: pods for their logs, and whatever descriptions speak of. They are kept as the
//! masked JSON that went into the bundle and parsed one at a time.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::logs::pod::Pod;

/// (API group, plural, whether it is described by itself); the others are only mentioned in descriptions.
const KEPT: &[(&str, &str, bool)] = &[
    ("", "events", false),
    ("", "pods", true),
    ("", "nodes", true),
    ("", "namespaces", false),
    ("", "services", true),
    ("", "endpoints", false),
    ("", "persistentvolumeclaims", true),
    ("", "persistentvolumes", true),
    ("", "resourcequotas", false),
    ("", "limitranges", false),
    ("apps", "deployments", true),
    ("apps", "replicasets", false),
    ("apps", "statefulsets", true),
    ("apps", "daemonsets", true),
    ("batch", "jobs", true),
    ("batch", "cronjobs", true),
    ("coordination.k8s.io", "leases", false),
    ("discovery.k8s.io", "endpointslices", false),
    ("networking.k8s.io", "ingresses", true),
    ("storage.k8s.io", "storageclasses", true),
];

/// All kept objects of one kind.
#[derive(Debug, Default)]
pub struct Kept {
    /// Whether a description of each is wanted.
    pub described: bool,
    pub objects: Vec<Stored>,
}

/// One object.
#[derive(Debug)]
pub struct Stored {
    /// Empty for cluster-scoped objects.
    pub namespace: Box<str>,
    pub name: Box<str>,
    /// Masked JSON with `apiVersion` and `kind`.
    pub json: Box<[u8]>,
}

#[derive(Debug, Default)]
pub struct Store {
    objects: Mutex<BTreeMap<&'static str, Kept>>,
    pods: Mutex<Vec<Pod>>,
    lacking: Mutex<BTreeMap<String, String>>,
}

impl Store {
    /// Whether some later step needs objects of this kind.
    pub fn keeps(group: &str, plural: &str) -> bool {
        KEPT.iter().any(|(g, p, _)| *g == group && *p == plural)
    }

    /// Keeps the objects if a later step needs their kind.
    pub fn add(&self, group: &str, plural: &str, objects: Vec<Stored>) {
        if let Some((_, plural, described)) = KEPT.iter().find(|(g, p, _)| *g == group && *p == plural) {
            let mut all = lock(&self.objects);
            let kept = all.entry(plural).or_default();
            kept.described = *described;
            kept.objects.extend(objects);
        }
    }

    pub fn add_pods(&self, pods: Vec<Pod>) {
        lock(&self.pods).extend(pods);
    }

    /// All pods, in the order in which they were listed.
    pub fn pods(&self) -> Vec<Pod> {
        lock(&self.pods).clone()
    }

    /// Says that not all objects of a kind could be had, with the server's words.
    pub fn lacks(&self, plural: &str, words: &str) {
        lock(&self.lacking).insert(plural.to_owned(), words.to_owned());
    }

    /// Why objects of this kind are missing, if some are.
    pub fn lacking(&self, plural: &str) -> Option<String> {
        lock(&self.lacking).get(plural).cloned()
    }

    /// Takes all objects out.
    pub fn take(&self) -> BTreeMap<&'static str, Kept> {
        std::mem::take(&mut *lock(&self.objects))
    }

    /// Shows each object of one kind as the masked JSON that went into the bundle.
    pub fn each(&self, plural: &str, mut show: impl FnMut(&[u8])) {
        let all = lock(&self.objects);
        all.get(plural).into_iter().flat_map(|kept| &kept.objects).for_each(|object| show(&object.json));
    }

    /// Names of the objects of one kind.
    pub fn names(&self, plural: &str) -> Vec<String> {
        let all = lock(&self.objects);
        all.get(plural)
            .map_or_else(Vec::new, |kept| kept.objects.iter().map(|o| o.name.to_string()).collect())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no code panics while it holds the lock")
}
