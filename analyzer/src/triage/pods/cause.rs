//! What a pod hangs on, and the cause that the API itself names for its trouble.

use serde_json::Value;

use crate::report::model::Subject;
use crate::snapshot::Object;
use crate::triage::draft::{Draft, named};
use crate::triage::model::{Cause, CauseKind, Relation};
use crate::triage::world::{World, array_at, str_at};

/// What the pod hangs on, and the cause that the API itself names.
pub fn relate<'a>(world: &World<'a>, pod: &'a Object, draft: &mut Draft<'a>) {
    let value = &*pod.value;
    let namespace = pod.namespace().unwrap_or_default();
    let me = named("Pod", pod.namespace(), pod.name().unwrap_or_default());
    if let Some((kind, name)) = world.top_owner(pod) {
        draft.cause.name = format!("{namespace}/{name}");
        draft.edge(named(kind, Some(namespace), name), me.clone(), Relation::Owns);
    }
    if let Some((home, release)) = release_of(world, pod) {
        let owner = draft.edges.first().map_or_else(|| me.clone(), |edge| edge.from.clone());
        draft.edge(named("HelmRelease", Some(home), release), owner, Relation::Owns);
    }
    let message = draft.problem.message.clone().unwrap_or_default();
    let evicted = draft.problem.state == "Evicted";
    if let Some(node) = str_at(value, "/spec/nodeName")
        && world
            .get("Node", "", node)
            .is_some_and(|node| evicted || crate::triage::nodes::keeps_down(&node.value, value))
    {
        draft.edge(me, named("Node", None, node), Relation::RunsOn);
        draft.cause = Cause { kind: CauseKind::Node, name: node.to_owned() };
        return;
    }
    if draft.problem.state.contains("ImagePull") || draft.problem.state.contains("ErrImage") {
        let image = draft.problem.subject.container.as_deref().and_then(|name| image_of(value, name));
        if let Some(image) = image {
            draft.cause.kind = CauseKind::Registry;
            draft.cause.name = registry(image).to_owned();
        }
        return;
    }
    if let Some((kind, name)) = missing_config(&message) {
        draft.cause.kind = CauseKind::Config;
        draft.cause.name = format!("{kind} {namespace}/{name}");
        return;
    }
    if draft.problem.state == "Pending" {
        unscheduled(world, value, namespace, me, &message, draft);
    }
}

fn unscheduled<'a>(
    world: &World<'a>,
    value: &Value,
    namespace: &str,
    me: Subject,
    message: &str,
    draft: &mut Draft<'a>,
) {
    let words = message.to_ascii_lowercase();
    let over_storage = words.contains("persistentvolumeclaim") || words.contains("persistent volume");
    let mut storage = None;
    for claim in array_at(value, "/spec/volumes")
        .iter()
        .filter_map(|volume| str_at(volume, "/persistentVolumeClaim/claimName"))
    {
        let object = world.get("PersistentVolumeClaim", namespace, claim);
        if object.is_some_and(|claim| str_at(&claim.value, "/status/phase") == Some("Bound")) {
            continue;
        }
        draft.edge(me.clone(), named("PersistentVolumeClaim", Some(namespace), claim), Relation::Mounts);
        let class = object.and_then(|claim| crate::triage::storage::class_of(&claim.value));
        storage.get_or_insert_with(|| match class {
            Some(class) => Cause { kind: CauseKind::StorageClass, name: class.to_owned() },
            None => Cause { kind: CauseKind::Claim, name: format!("{namespace}/{claim}") },
        });
    }
    if let Some(storage) = storage.filter(|_| over_storage) {
        draft.cause = storage;
        return;
    }
    if let Some(reason) = scheduling_reason(message) {
        draft.cause.kind = CauseKind::Scheduling;
        draft.cause.name = reason;
    }
}

/// Namespace and name of the helm release that a pod belongs to.
///
/// Helm notes the release at each object that it makes, which is the pod's workload; where that is not at hand, the
/// labels that most charts carry have to do.
fn release_of<'a>(world: &World<'a>, pod: &'a Object) -> Option<(&'a str, &'a str)> {
    let namespace = pod.namespace().unwrap_or_default();
    let owner = world.top_owner(pod).and_then(|(kind, name)| world.get(kind, namespace, name));
    for object in [owner, Some(pod)].into_iter().flatten() {
        let note = |key: &str| object.str_at(&["metadata", "annotations", key]);
        if let Some(release) = note("meta.helm.sh/release-name") {
            return Some((note("meta.helm.sh/release-namespace").unwrap_or(namespace), release));
        }
    }
    let label = |key: &str| pod.str_at(&["metadata", "labels", key]);
    let by_helm = label("app.kubernetes.io/managed-by") == Some("Helm") || label("heritage").is_some();
    label("app.kubernetes.io/instance")
        .or_else(|| label("release"))
        .filter(|_| by_helm)
        .map(|r| (namespace, r))
}

fn image_of<'v>(value: &'v Value, container: &str) -> Option<&'v str> {
    ["/spec/containers", "/spec/initContainers", "/spec/ephemeralContainers"]
        .iter()
        .flat_map(|list| array_at(value, list))
        .find(|spec| str_at(spec, "/name") == Some(container))
        .and_then(|spec| str_at(spec, "/image"))
}

/// The registry host of an image reference; Docker Hub when it names none.
pub fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

/// `configmap "x" not found` → `ConfigMap` and `x`.
fn missing_config(message: &str) -> Option<(&'static str, &str)> {
    let (before, name) = message.split_once("\" not found")?.0.rsplit_once('"')?;
    let kind = match before.trim_end().rsplit([' ', ':']).next()? {
        "configmap" | "ConfigMap" => "ConfigMap",
        "secret" | "Secret" => "Secret",
        _ => return None,
    };
    Some((kind, name))
}

/// The scheduler's main reason: of `0/3 nodes are available: 1 node(s) had taint {x: }, 2 Insufficient cpu.` the
/// one that the most nodes have.
fn scheduling_reason(message: &str) -> Option<String> {
    let (_, reasons) = message.split_once("nodes are available:")?;
    let reasons = reasons.split(" preemption:").next()?.trim().trim_end_matches('.');
    reasons
        .split(", ")
        .filter_map(|reason| {
            let (count, words) = reason.trim().split_once(' ')?;
            Some((count.parse::<u32>().ok()?, words))
        })
        .max_by_key(|(count, _)| *count)
        .map(|(_, words)| words.trim_start_matches("node(s) ").trim_end_matches('.').to_owned())
        .or_else(|| (!reasons.is_empty()).then(|| reasons.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_the_first_part_only_if_it_looks_like_a_host() {
        assert_eq!(registry("registry.example.com:5000/a/b:1"), "registry.example.com:5000");
        assert_eq!(registry("library/nginx"), "docker.io");
        assert_eq!(registry("nginx"), "docker.io");
        assert_eq!(registry("localhost/x"), "localhost");
    }

    #[test]
    fn the_reason_of_most_nodes_is_the_reason() {
        let message = "0/3 nodes are available: 1 node(s) had taint {a: b}, that the pod didn't tolerate, 2 Insufficient cpu.";
        assert_eq!(scheduling_reason(message).as_deref(), Some("Insufficient cpu"));
        assert_eq!(scheduling_reason("no nodes"), None);
    }

    #[test]
    fn a_missing_configuration_is_named() {
        assert_eq!(missing_config("configmap \"app-env\" not found"), Some(("ConfigMap", "app-env")));
        assert_eq!(
            missing_config("MountVolume.SetUp failed for volume \"c\" : secret \"tls\" not found"),
            Some(("Secret", "tls"))
        );
        assert_eq!(missing_config("file \"x\" not found"), None);
    }
}
