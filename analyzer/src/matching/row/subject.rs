//! What a row is about: the object that a finding names.

use serde_json::Value;

use crate::report::model::Subject;
use crate::snapshot::Object;

/// Kinds by their plural, where an object of a List may come without its kind.
const KINDS: &[(&str, &str)] = &[
    ("pods", "Pod"),
    ("nodes", "Node"),
    ("services", "Service"),
    ("endpoints", "Endpoints"),
    ("configmaps", "ConfigMap"),
    ("deployments", "Deployment"),
    ("statefulsets", "StatefulSet"),
    ("daemonsets", "DaemonSet"),
    ("replicasets", "ReplicaSet"),
    ("jobs", "Job"),
    ("cronjobs", "CronJob"),
    ("namespaces", "Namespace"),
    ("ingresses", "Ingress"),
    ("persistentvolumeclaims", "PersistentVolumeClaim"),
    ("persistentvolumes", "PersistentVolume"),
    ("storageclasses", "StorageClass"),
    ("horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    ("helm.releases", "HelmRelease"),
    ("helm.revisions", "HelmRelease"),
    ("hosts", "Host"),
];

/// The kind of the objects of a collection, if it is a well-known one.
pub fn kind_of(plural: &str) -> Option<&'static str> {
    KINDS.iter().find(|(name, _)| *name == plural).map(|(_, kind)| *kind)
}

pub(super) fn of_object(plural: &str, object: &Object) -> Option<Subject> {
    if plural == "probes" {
        return None;
    }
    let kind = kind_of(plural).or_else(|| object.str_at(&["kind"])).unwrap_or(plural);
    let name = object.name().or_else(|| object.str_at(&["hostname"]))?;
    Some(Subject {
        kind: kind.to_owned(),
        namespace: object.namespace().map(str::to_owned),
        name: name.to_owned(),
        container: None,
        node: object.str_at(&["spec", "nodeName"]).filter(|_| kind == "Pod").map(str::to_owned),
    })
}

pub(super) fn of_event<'o>(object: &'o Object, about: &impl Fn(&str) -> Option<&'o str>) -> Option<Subject> {
    let kind = about("kind")?;
    let namespace = about("namespace").filter(|ns| !ns.is_empty());
    Some(Subject {
        kind: kind.to_owned(),
        // A node's events lie in a namespace, the node does not.
        namespace: namespace.or(object.namespace()).filter(|_| kind != "Node").map(str::to_owned),
        name: about("name")?.to_owned(),
        container: about("fieldPath").and_then(container_of_field).map(str::to_owned),
        node: None,
    })
}

/// `spec.containers{nginx}` → `nginx`.
pub(super) fn container_of_field(field: &str) -> Option<&str> {
    let (_, name) = field.split_once('{')?;
    name.strip_suffix('}')
}

/// What a line is about, by the fields of its row: a pod, else a release, else a node.
pub fn text_subject(fields: &Value) -> Option<Subject> {
    let field =
        |key: &str| fields.get(key).and_then(Value::as_str).filter(|s| !s.is_empty()).map(str::to_owned);
    let (kind, name) = [("Pod", "pod"), ("HelmRelease", "release"), ("Node", "node")]
        .into_iter()
        .find_map(|(kind, key)| Some((kind, field(key)?)))?;
    let of_pod = kind == "Pod";
    Some(Subject {
        kind: kind.to_owned(),
        namespace: if kind == "Node" { None } else { field("namespace") },
        name,
        container: if of_pod { field("container") } else { None },
        node: if of_pod { field("node") } else { None },
    })
}
