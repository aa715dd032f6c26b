//! Look-ups over a snapshot that triage needs: who owns whom, what is told about whom, where the logs are.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::Value;

pub use crate::fields::{array_at, condition, int_at, is_status, str_at, time_at};
use crate::report::model::Subject;
use crate::snapshot::{Known, Object, Snapshot, TextKind, TextSource};

/// Kind, namespace (empty for cluster-scoped), name.
pub type Key<'a> = (&'a str, &'a str, &'a str);

/// A snapshot with its indexes.
pub struct World<'a> {
    pub snapshot: &'a Snapshot,
    /// The newest moment that the evidence speaks of; ages are counted back from it. `None` where nothing but an object
    /// itself tells it: then nothing is excused by being young.
    pub now: Option<Timestamp>,
    events: HashMap<Key<'a>, Vec<&'a Object>>,
    objects: HashMap<Key<'a>, &'a Object>,
    logs: HashMap<(&'a str, &'a str), Vec<&'a TextSource>>,
    /// Cluster IP or pod IP → (kind, namespace, name).
    addresses: HashMap<&'a str, Key<'a>>,
}

/// Collections whose objects are found by kind and name, with that kind.
const INDEXED: &[(&str, &str)] = &[
    ("pods", "Pod"),
    ("services", "Service"),
    ("nodes", "Node"),
    ("persistentvolumeclaims", "PersistentVolumeClaim"),
    ("persistentvolumes", "PersistentVolume"),
    ("storageclasses", "StorageClass"),
    ("deployments", "Deployment"),
    ("replicasets", "ReplicaSet"),
    ("statefulsets", "StatefulSet"),
    ("daemonsets", "DaemonSet"),
    ("jobs", "Job"),
    ("cronjobs", "CronJob"),
    ("configmaps", "ConfigMap"),
    ("apiservices", "APIService"),
    ("volumeattachments", "VolumeAttachment"),
];

impl<'a> World<'a> {
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let mut objects = HashMap::new();
        for (collection, kind) in INDEXED {
            for object in snapshot.objects.of(collection) {
                let key = (*kind, object.namespace().unwrap_or_default(), object.name().unwrap_or_default());
                objects.entry(key).or_insert(object);
            }
        }
        let mut events: HashMap<Key, Vec<&Object>> = HashMap::new();
        for event in snapshot.objects.of("events") {
            let about = event.value.get("involvedObject").or_else(|| event.value.get("regarding"));
            let field =
                |name: &str| about.and_then(|a| a.get(name)).and_then(Value::as_str).unwrap_or_default();
            events.entry((field("kind"), field("namespace"), field("name"))).or_default().push(event);
        }
        for list in events.values_mut() {
            list.sort_by_cached_key(|event| event_time(event));
        }
        let mut logs: HashMap<(&str, &str), Vec<&TextSource>> = HashMap::new();
        for source in snapshot.texts.iter().filter(|source| source.kind == TextKind::Log) {
            if let (Some(namespace), Some(pod)) = (&source.namespace, &source.pod) {
                logs.entry((namespace, pod)).or_default().push(source);
            }
        }
        let mut addresses = HashMap::new();
        for (collection, kind, pointer) in
            [("pods", "Pod", "/status/podIP"), ("services", "Service", "/spec/clusterIP")]
        {
            for object in snapshot.objects.of(collection) {
                // Pods of the host network share their node's address, which says nothing about one of them.
                let shared = object.value.pointer("/spec/hostNetwork").and_then(Value::as_bool) == Some(true);
                if let (Some(ip), false) = (object.value.pointer(pointer).and_then(Value::as_str), shared)
                    && ip != "None"
                    && !ip.is_empty()
                {
                    let key =
                        (kind, object.namespace().unwrap_or_default(), object.name().unwrap_or_default());
                    addresses.insert(ip, key);
                }
            }
        }
        let now = snapshot.inputs.iter().filter_map(|input| input.collected_at).max();
        let now = now.filter(|_| !is_its_own_clock(snapshot));
        Self { snapshot, now, events, objects, logs, addresses }
    }

    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&'a Object> {
        self.objects.get(&(kind, namespace, name)).copied()
    }

    /// Events about an object, oldest first.
    pub fn events<'s>(&'s self, kind: &'s str, namespace: &'s str, name: &'s str) -> &'s [&'a Object] {
        self.events.get(&(kind, namespace, name)).map_or(&[], Vec::as_slice)
    }

    /// The newest event about an object with one of these reasons.
    pub fn last_event(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        reasons: &[&str],
    ) -> Option<&'a Object> {
        let mine = self.events(kind, namespace, name).iter().rev().copied();
        mine.into_iter().find(|event| event.str_at(&["reason"]).is_some_and(|r| reasons.contains(&r)))
    }

    /// The logs of a pod, in the order of the bundle.
    pub fn logs<'s>(&'s self, namespace: &'s str, pod: &'s str) -> &'s [&'a TextSource] {
        self.logs.get(&(namespace, pod)).map_or(&[], Vec::as_slice)
    }

    /// The service or pod that a blamed `host[:port]` names, as seen from `namespace`.
    pub fn resolve(&self, namespace: &str, host: &str) -> Option<Key<'a>> {
        let host = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        if let Some(key) = self.addresses.get(host) {
            return Some(*key);
        }
        let mut labels = host.split('.');
        let name = labels.next()?;
        let service = |ns: &str, name: &str| {
            let service = self.get("Service", ns, name)?;
            Some(("Service", service.namespace().unwrap_or_default(), service.name().unwrap_or_default()))
        };
        match labels.next() {
            None => service(namespace, name),
            // `pod.service`, `service.namespace` and longer forms ending in `svc.cluster.local`.
            Some(second) => {
                service(second, name).or_else(|| service(labels.next().unwrap_or(namespace), second))
            }
        }
    }

    /// The controllers of an object from the nearest up: ReplicaSet, Deployment.
    pub fn owners(&self, object: &'a Object) -> Vec<(&'a str, &'a str)> {
        let namespace = object.namespace().unwrap_or_default();
        let mut owners = Vec::new();
        let mut next = controller(&object.value);
        // A cycle of owners is nonsense that only a forged bundle holds; four are more than any real chain has.
        while let Some(owner) = next.filter(|_| owners.len() < 4) {
            owners.push(owner);
            next = self.get(owner.0, namespace, owner.1).and_then(|above| controller(&above.value));
        }
        owners
    }

    /// The topmost controller of an object.
    pub fn top_owner(&self, object: &'a Object) -> Option<(&'a str, &'a str)> {
        self.owners(object).pop()
    }
}

/// Objects of which none can tell how late it is: their own newest time is the last that happened to them.
const FEW: usize = 4;

/// Whether a few whole objects are all that there is, so that the newest time in them was taken for now. A table or a
/// description gives ages, which need no clock.
fn is_its_own_clock(snapshot: &Snapshot) -> bool {
    let mut objects = snapshot.objects.by_collection.values().flatten();
    let is_few = objects.clone().count() <= FEW && objects.clone().count() > 0;
    let has_manifest = snapshot.inputs.iter().any(|input| input.manifest.is_some());
    let has_list = snapshot.coverage.lists.values().any(|known| *known == Known::Whole);
    is_few && !has_manifest && !has_list && objects.all(|object| !object.partial)
}

/// Kind and name of the controlling owner.
fn controller(value: &Value) -> Option<(&str, &str)> {
    let owners = value.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
        .or_else(|| owners.first())?;
    Some((owner.get("kind")?.as_str()?, owner.get("name")?.as_str()?))
}

/// When an event last happened: all API versions and the ways they keep the time.
pub fn event_time(event: &Object) -> Option<Timestamp> {
    [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/deprecatedLastTimestamp",
        "/eventTime",
        "/firstTimestamp",
        "/metadata/creationTimestamp",
    ]
    .iter()
    .find_map(|pointer| time_at(&event.value, pointer))
}

/// An event's own words, in either API version.
pub fn event_message(event: &Object) -> Option<&str> {
    event.str_at(&["message"]).or_else(|| event.str_at(&["note"])).filter(|text| !text.is_empty())
}

/// An object as a subject.
pub fn subject(kind: &str, object: &Object) -> Subject {
    Subject {
        kind: kind.to_owned(),
        namespace: object.namespace().map(str::to_owned),
        name: object.name().unwrap_or_default().to_owned(),
        container: None,
        node: str_at(&object.value, "/spec/nodeName").map(str::to_owned),
    }
}

/// Whether every label of a selector is on the object.
pub fn selects(selector: &serde_json::Map<String, Value>, labels: Option<&Value>) -> bool {
    !selector.is_empty() && selector.iter().all(|(key, value)| labels.and_then(|l| l.get(key)) == Some(value))
}

/// Pods by namespace.
pub fn pods_by_namespace(snapshot: &Snapshot) -> BTreeMap<&str, Vec<&Object>> {
    let mut pods: BTreeMap<&str, Vec<&Object>> = BTreeMap::new();
    for pod in snapshot.objects.of("pods") {
        pods.entry(pod.namespace().unwrap_or_default()).or_default().push(pod);
    }
    pods
}
