//! The present state of objects: what is wrong with one in the words of the cluster.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use super::row::{kind_of, shorten};
use crate::report::model::Subject;
use crate::snapshot::{Known, Object, Snapshot};

/// Collections whose objects have a state that is understood here.
const COLLECTIONS: &[&str] = &[
    "pods",
    "nodes",
    "services",
    "persistentvolumeclaims",
    "persistentvolumes",
    "storageclasses",
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
    "jobs",
    "cronjobs",
    "horizontalpodautoscalers",
    "helm.releases",
];

/// As [`Subject::key`].
pub type Key<'s> = (&'s str, &'s str, &'s str);

/// Objects of a snapshot by kind and name, with the events about them.
pub struct World<'s> {
    snapshot: &'s Snapshot,
    objects: HashMap<Key<'s>, &'s Object>,
    /// The latest warning about each object.
    warnings: HashMap<Key<'s>, (Option<Timestamp>, &'s str)>,
    /// Pods by what owns them: a controller, or the release named in their labels.
    owned: HashMap<Key<'s>, Vec<&'s Object>>,
    /// Pods by the claims that they mount and the node that they run on.
    users: HashMap<Key<'s>, Vec<&'s Object>>,
}

impl<'s> World<'s> {
    pub fn new(snapshot: &'s Snapshot) -> World<'s> {
        let mut world = World {
            snapshot,
            objects: HashMap::new(),
            warnings: HashMap::new(),
            owned: HashMap::new(),
            users: HashMap::new(),
        };
        for plural in COLLECTIONS {
            let Some(kind) = kind_of(plural) else { continue };
            for object in snapshot.objects.of(plural) {
                let Some(name) = object.name() else { continue };
                let namespace = object.namespace().unwrap_or_default();
                world.objects.insert((kind, namespace, name), object);
                let owners = object.value.pointer("/metadata/ownerReferences").and_then(Value::as_array);
                for owner in owners.into_iter().flatten() {
                    if let (Some(kind), Some(name)) = (text(owner, "/kind"), text(owner, "/name")) {
                        world.owned.entry((kind, namespace, name)).or_default().push(object);
                    }
                }
                let label = |key: &str| object.value.pointer("/metadata/labels")?.get(key)?.as_str();
                if kind == "Pod" {
                    world.take_users(object, namespace);
                }
                if kind == "Pod"
                    && let Some(release) = label("app.kubernetes.io/instance").or_else(|| label("release"))
                {
                    world.owned.entry(("HelmRelease", namespace, release)).or_default().push(object);
                }
            }
        }
        for event in snapshot.objects.of("events") {
            world.take_warning(event);
        }
        world
    }

    pub fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    fn take_users(&mut self, pod: &'s Object, namespace: &'s str) {
        let volumes = pod.value.pointer("/spec/volumes").and_then(Value::as_array);
        for volume in volumes.into_iter().flatten() {
            if let Some(claim) = text(volume, "/persistentVolumeClaim/claimName") {
                self.users.entry(("PersistentVolumeClaim", namespace, claim)).or_default().push(pod);
            }
        }
        if let Some(node) = pod.str_at(&["spec", "nodeName"]) {
            self.users.entry(("Node", "", node)).or_default().push(pod);
        }
    }

    fn take_warning(&mut self, event: &'s Object) {
        let about = |key: &str| {
            let pointers = [format!("/involvedObject/{key}"), format!("/regarding/{key}")];
            pointers.iter().find_map(|pointer| event.value.pointer(pointer)?.as_str())
        };
        let message = text(&event.value, "/message").or_else(|| text(&event.value, "/note"));
        let (Some(kind), Some(name), Some(message)) = (about("kind"), about("name"), message) else { return };
        // What keeps a claim waiting is told in events that are no warnings.
        if text(&event.value, "/type") != Some("Warning") && kind != "PersistentVolumeClaim" {
            return;
        }
        let namespace = if kind == "Node" { "" } else { about("namespace").unwrap_or_default() };
        let time = ["/lastTimestamp", "/series/lastObservedTime", "/deprecatedLastTimestamp", "/eventTime"]
            .iter()
            .find_map(|pointer| text(&event.value, pointer)?.parse().ok());
        let known = self.warnings.entry((kind, namespace, name)).or_insert((time, message));
        if time > known.0 {
            *known = (time, message);
        }
    }

    /// Every object with its kind, namespace and name.
    pub fn objects(&self) -> impl Iterator<Item = (Key<'s>, &'s Object)> {
        self.objects.iter().map(|(key, object)| (*key, *object))
    }

    pub fn object(&self, subject: &Subject) -> Option<&'s Object> {
        self.objects.get(&subject.key()).copied()
    }

    fn warning(&self, subject: &Subject) -> Option<&'s str> {
        self.warnings.get(&subject.key()).map(|(_, text)| *text)
    }

    /// What is wrong with an object, in one line; `None` if nothing is, or nothing is known.
    pub fn trouble(&self, subject: &Subject) -> Option<String> {
        let told = match (subject.kind.as_str(), self.object(subject)) {
            ("StorageClass", None) => return self.missing_class(subject),
            (_, None) => return None,
            ("Pod", Some(pod)) => pod_trouble(&pod.value)?,
            ("Node", Some(node)) => node_trouble(&node.value)?,
            ("PersistentVolumeClaim", Some(claim)) => {
                let phase = text(&claim.value, "/status/phase").filter(|phase| *phase != "Bound")?;
                match text(&claim.value, "/spec/storageClassName") {
                    Some(class) if !class.is_empty() => format!("{phase}, storageClassName={class}"),
                    _ => format!("{phase}, no storageClassName"),
                }
            }
            ("PersistentVolume", Some(volume)) => {
                let phase = text(&volume.value, "/status/phase")?;
                (!matches!(phase, "Bound" | "Available")).then(|| phase.to_owned())?
            }
            ("HelmRelease", Some(release)) => {
                let status = text(&release.value, "/status")?;
                (status != "deployed").then(|| status.to_owned())?
            }
            ("Job", Some(job)) => job_trouble(&job.value)?,
            ("Deployment" | "StatefulSet" | "ReplicaSet" | "DaemonSet", Some(workload)) => {
                let number = |pointers: [&str; 2]| {
                    pointers.iter().find_map(|pointer| workload.value.pointer(pointer)?.as_i64())
                };
                let wanted = number(["/spec/replicas", "/status/desiredNumberScheduled"]).unwrap_or(1);
                let ready = number(["/status/readyReplicas", "/status/numberReady"]).unwrap_or(0);
                (ready < wanted).then(|| format!("{ready}/{wanted} ready"))?
            }
            _ => return None,
        };
        let told = match self.warning(subject) {
            Some(warning) => format!("{told}: {warning}"),
            None => told,
        };
        Some(shorten(&told))
    }

    fn missing_class(&self, class: &Subject) -> Option<String> {
        let all_known = self.snapshot.coverage.list("storageclasses", None) == Known::Whole;
        (all_known && !class.name.is_empty()).then(|| "does not exist".to_owned())
    }

    /// The objects that an object waits for or is made of, in the order in which they are looked at.
    pub fn causes(&self, subject: &Subject) -> Vec<Subject> {
        let namespace = subject.namespace.as_deref();
        let key = (subject.kind.as_str(), namespace.unwrap_or_default(), subject.name.as_str());
        let mut causes: Vec<Subject> = Vec::new();
        match (subject.kind.as_str(), self.object(subject)) {
            ("Pod", Some(pod)) => {
                let volumes = pod.value.pointer("/spec/volumes").and_then(Value::as_array);
                for volume in volumes.into_iter().flatten() {
                    let claim = text(volume, "/persistentVolumeClaim/claimName");
                    causes.extend(claim.map(|claim| named("PersistentVolumeClaim", namespace, claim)));
                }
                causes.extend(text(&pod.value, "/spec/nodeName").map(|node| named("Node", None, node)));
            }
            ("PersistentVolumeClaim", Some(claim)) => {
                let volume = text(&claim.value, "/spec/volumeName").filter(|name| !name.is_empty());
                causes.extend(volume.map(|volume| named("PersistentVolume", None, volume)));
                let class = text(&claim.value, "/spec/storageClassName").filter(|name| !name.is_empty());
                causes.extend(class.map(|class| named("StorageClass", None, class)));
            }
            _ => {}
        }
        for owned in self.owned.get(&key).into_iter().flatten() {
            let kind = if owned.value.pointer("/spec/containers").is_some() { "Pod" } else { "ReplicaSet" };
            causes.extend(owned.name().map(|name| named(kind, namespace, name)));
        }
        causes
    }

    /// The objects that an object keeps waiting: the pods of a claim or node, the release or workload of a pod.
    pub fn dependents(&self, subject: &Subject) -> Vec<Subject> {
        let namespace = subject.namespace.as_deref();
        let key = (subject.kind.as_str(), namespace.unwrap_or_default(), subject.name.as_str());
        let users = self.users.get(&key).into_iter().flatten();
        let mut dependents: Vec<Subject> =
            users.filter_map(|pod| Some(named("Pod", pod.namespace(), pod.name()?))).collect();
        if let ("Pod" | "ReplicaSet", Some(object)) = (subject.kind.as_str(), self.object(subject)) {
            let label = |key: &str| object.value.pointer("/metadata/labels")?.get(key)?.as_str();
            let release = label("app.kubernetes.io/instance").or_else(|| label("release"));
            dependents.extend(release.map(|release| named("HelmRelease", namespace, release)));
            let owners = object.value.pointer("/metadata/ownerReferences").and_then(Value::as_array);
            for owner in owners.into_iter().flatten() {
                if let (Some(kind), Some(name)) = (text(owner, "/kind"), text(owner, "/name")) {
                    dependents.push(named(kind, namespace, name));
                }
            }
        }
        dependents
    }
}

pub fn named(kind: &str, namespace: Option<&str>, name: &str) -> Subject {
    Subject {
        kind: kind.into(),
        namespace: namespace.map(str::to_owned),
        name: name.into(),
        ..Subject::default()
    }
}

pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str()
}

fn pod_trouble(pod: &Value) -> Option<String> {
    let phase = text(pod, "/status/phase").unwrap_or("Unknown");
    if phase == "Succeeded" {
        return None;
    }
    if let Some(reason) = text(pod, "/status/reason").filter(|_| phase == "Failed") {
        return Some(format!("{phase} ({reason})"));
    }
    for list in ["/status/initContainerStatuses", "/status/containerStatuses"] {
        for container in pod.pointer(list).and_then(Value::as_array).into_iter().flatten() {
            let name = text(container, "/name").unwrap_or_default();
            let restarts = container.pointer("/restartCount").and_then(Value::as_i64).unwrap_or(0);
            if let Some(reason) =
                text(container, "/state/waiting/reason").filter(|reason| *reason != "PodInitializing")
            {
                let exit = container.pointer("/lastState/terminated/exitCode").and_then(Value::as_i64);
                let exit = exit.map(|code| format!(", exit code {code}")).unwrap_or_default();
                return Some(format!("{name}: {reason} (restarts {restarts}{exit})"));
            }
            let ready = container.pointer("/ready").and_then(Value::as_bool).unwrap_or(true);
            if !ready && container.pointer("/state/running").is_some() {
                return Some(format!("{name}: running, not ready (restarts {restarts})"));
            }
        }
    }
    (phase == "Pending" || phase == "Failed" || phase == "Unknown").then(|| phase.to_owned())
}

fn node_trouble(node: &Value) -> Option<String> {
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    for condition in conditions.into_iter().flatten() {
        let field = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
        let (kind, status) = (field("type"), field("status"));
        let bad = if kind == "Ready" { status != "True" } else { status == "True" };
        if bad {
            return Some(format!("{kind}={status} ({}: {})", field("reason"), field("message")));
        }
    }
    node.pointer("/spec/unschedulable").and_then(Value::as_bool).filter(|cordoned| *cordoned)?;
    Some("unschedulable".to_owned())
}

fn job_trouble(job: &Value) -> Option<String> {
    let number = |pointer: &str| job.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    let wanted = job.pointer("/spec/completions").and_then(Value::as_i64).unwrap_or(1);
    let succeeded = number("/status/succeeded");
    (succeeded < wanted)
        .then(|| format!("{succeeded}/{wanted} completed, {} failed", number("/status/failed")))
}
