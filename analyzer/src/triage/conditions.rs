//! Objects of any kind that say of themselves that they are not well: standard conditions, health, phase.
//!
//! Kubernetes' own kinds and custom ones tell their state in the same few shapes. Which types of conditions are bad when
//! true is data; everything whose name says readiness is bad when false. Kinds that have a room of their own here are
//! left to it.

use jiff::SignedDuration;
use serde_json::Value;

use crate::report::model::Severity;
use crate::snapshot::{Known, Object};

use super::draft::{Draft, named};
use super::model::Relation;
use super::world::{World, array_at, is_status, str_at, subject, time_at};

/// Told in full by other rooms, or full of conditions that say nothing bad.
const ELSEWHERE: &[&str] = &[
    "pods",
    "nodes",
    "events",
    "persistentvolumeclaims",
    "persistentvolumes",
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
    "jobs",
    "hosts",
    "probes",
    "helm.releases",
    "helm.revisions",
    "endpoints",
    "endpointslices",
    "replicationcontrollers",
    "certificatesigningrequests",
    "flowschemas",
    "prioritylevelconfigurations",
    "poddisruptionbudgets",
];

/// Types of conditions that are bad when false.
const GOOD: &[&str] = &[
    "Ready",
    "Available",
    "Healthy",
    "Established",
    "NamesAccepted",
    "Synced",
    "Reconciled",
    "Succeeded",
    "Programmed",
    "ScalingActive",
    "AbleToScale",
    "Initialized",
    "Scheduled",
];

/// Types of conditions that are bad when true.
const BAD: &[&str] =
    &["Degraded", "Failed", "Failing", "Stalled", "Error", "ReconcileError", "NonStructuralSchema"];

/// Values of `status.health.status`, `status.health`, `status.robustness` and `status.phase` that say trouble.
const SICK: &[&str] =
    &["degraded", "missing", "faulted", "failed", "error", "unhealthy", "health_err", "lost"];

/// Conditions that just changed are on their way.
const GRACE: SignedDuration = SignedDuration::from_mins(2);

pub fn problems<'a>(world: &World<'a>) -> Vec<Draft<'a>> {
    let mut problems = Vec::new();
    for (collection, objects) in &world.snapshot.objects.by_collection {
        if ELSEWHERE.contains(&collection.as_str()) {
            continue;
        }
        for object in objects.iter().filter(|object| object.name().is_some()) {
            problems.extend(own_words(world, collection, object));
            problems.extend(match collection.as_str() {
                "namespaces" => terminating(world, object),
                "services" => without_address(world, object),
                "ingresses" => leads_nowhere(world, object),
                "volumeattachments" => not_attached(world, object),
                _ => None,
            });
        }
    }
    problems
}

fn draft<'a>(world: &World<'a>, object: &'a Object, state: String) -> Draft<'a> {
    let kind = object.str_at(&["kind"]).unwrap_or("Object").to_owned();
    Draft::new(world.snapshot, object, subject(&kind, object), state)
}

/// The worst that its conditions say, else its health or phase.
fn own_words<'a>(world: &World<'a>, collection: &str, object: &'a Object) -> Option<Draft<'a>> {
    let value = &*object.value;
    let conditions = array_at(value, "/status/conditions");
    let is_bad = |condition: &&Value| {
        let kind = str_at(condition, "/type").unwrap_or_default();
        let bad = (GOOD.contains(&kind) && is_status(condition, "False"))
            || (BAD.contains(&kind) && is_status(condition, "True"));
        let changed = time_at(condition, "/lastTransitionTime");
        let settled = match (world.now, changed) {
            (Some(now), Some(changed)) => now.duration_since(changed) > GRACE,
            _ => true,
        };
        bad && settled && !is_harmless(collection, condition)
    };
    if let Some(condition) = conditions.iter().find(is_bad) {
        let state = format!(
            "{}={}{}",
            str_at(condition, "/type").unwrap_or_default(),
            str_at(condition, "/status").unwrap_or_default(),
            str_at(condition, "/reason").map(|reason| format!(" ({reason})")).unwrap_or_default(),
        );
        let severity = match collection {
            // What depends on it cannot be asked for at all.
            "apiservices" | "apiservices.apiregistration.k8s.io" | "customresourcedefinitions" => {
                Severity::Critical
            }
            _ => Severity::Error,
        };
        return Some(
            draft(world, object, state)
                .severity(severity)
                .message(str_at(condition, "/message"))
                .since(time_at(condition, "/lastTransitionTime")),
        );
    }
    let places = [
        "/status/health/status",
        "/status/health",
        "/status/ceph/health",
        "/status/robustness",
        "/status/phase",
    ];
    let word = places.iter().find_map(|place| {
        let word = str_at(value, place)?;
        SICK.contains(&word.to_ascii_lowercase().as_str()).then_some(word)
    })?;
    let message = ["/status/health/message", "/status/message", "/status/error"];
    let message = message.iter().find_map(|place| str_at(value, place));
    Some(draft(world, object, word.to_owned()).message(message))
}

/// What sounds bad and is not.
fn is_harmless(collection: &str, condition: &Value) -> bool {
    let reason = str_at(condition, "/reason").unwrap_or_default();
    match collection {
        // Scaled to nothing on purpose.
        _ if reason == "ScalingDisabled" => true,
        _ => matches!(reason, "Progressing" | "Suspended" | "Paused" | "ProgressingWithRetry"),
    }
}

/// A namespace that cannot go: its conditions name what is left and who should remove it.
fn terminating<'a>(world: &World<'a>, namespace: &'a Object) -> Option<Draft<'a>> {
    let value = &*namespace.value;
    let since = time_at(value, "/metadata/deletionTimestamp");
    str_at(value, "/status/phase").filter(|phase| *phase == "Terminating")?;
    if let (Some(now), Some(since)) = (world.now, since)
        && now.duration_since(since) < SignedDuration::from_mins(5)
    {
        return None;
    }
    let told = array_at(value, "/status/conditions").iter().filter(|condition| is_status(condition, "True"));
    let message: Vec<&str> = told.filter_map(|condition| str_at(condition, "/message")).collect();
    let message = Some(message.join("; ")).filter(|message| !message.is_empty());
    Some(
        draft(world, namespace, "Terminating".to_owned())
            .severity(Severity::Warning)
            .message(message.as_deref())
            .since(since),
    )
}

/// A load balancer that nobody gave an address.
fn without_address<'a>(world: &World<'a>, service: &'a Object) -> Option<Draft<'a>> {
    let value = &*service.value;
    str_at(value, "/spec/type").filter(|kind| *kind == "LoadBalancer")?;
    // A manifest has no status to speak of.
    value.pointer("/metadata/uid").or_else(|| value.pointer("/spec/clusterIP"))?;
    let has_address = !array_at(value, "/status/loadBalancer/ingress").is_empty()
        || !array_at(value, "/spec/externalIPs").is_empty();
    let created = time_at(value, "/metadata/creationTimestamp");
    let is_new = matches!((world.now, created), (Some(now), Some(at)) if now.duration_since(at) < SignedDuration::from_mins(5));
    if has_address || is_new || service.partial {
        return None;
    }
    let (namespace, name) = (service.namespace().unwrap_or_default(), service.name().unwrap_or_default());
    let event = world.last_event("Service", namespace, name, &["SyncLoadBalancerFailed", "AllocationFailed"]);
    Some(
        draft(world, service, "LoadBalancer without an address".to_owned())
            .severity(Severity::Warning)
            .message(event.and_then(super::world::event_message))
            .since(created),
    )
}

/// An Ingress whose Service or TLS Secret does not exist, where the lists of these were read whole.
fn leads_nowhere<'a>(world: &World<'a>, ingress: &'a Object) -> Option<Draft<'a>> {
    let value = &*ingress.value;
    let namespace = ingress.namespace()?;
    let known = |list: &str| world.snapshot.coverage.list(list, Some(namespace)) == Known::Whole;
    let paths = array_at(value, "/spec/rules").iter().flat_map(|rule| array_at(rule, "/http/paths"));
    let backends = paths.filter_map(|path| path.get("backend"));
    let backends =
        backends.chain(value.pointer("/spec/defaultBackend")).chain(value.pointer("/spec/backend"));
    let services = backends
        .filter_map(|backend| str_at(backend, "/service/name").or_else(|| str_at(backend, "/serviceName")));
    let mut services = services.filter(|_| known("services"));
    if let Some(missing) = services.find(|name| world.get("Service", namespace, name).is_none()) {
        let mut draft = draft(world, ingress, format!("Service {missing} does not exist"));
        draft.edge(
            draft.problem.subject.clone(),
            named("Service", Some(namespace), missing),
            Relation::Calls,
        );
        return Some(draft);
    }
    let secrets = world.snapshot.objects.of("secrets");
    let tls = array_at(value, "/spec/tls").iter().filter_map(|tls| str_at(tls, "/secretName"));
    let exists = |name: &str| {
        secrets.iter().any(|secret| secret.namespace() == Some(namespace) && secret.name() == Some(name))
    };
    let mut tls = tls.filter(|_| known("secrets"));
    let missing = tls.find(|name| !exists(name))?;
    Some(draft(world, ingress, format!("Secret {missing} does not exist")))
}

fn not_attached<'a>(world: &World<'a>, attachment: &'a Object) -> Option<Draft<'a>> {
    let value = &*attachment.value;
    let error =
        ["/status/attachError", "/status/detachError"].into_iter().find_map(|at| value.pointer(at))?;
    Some(
        draft(world, attachment, "AttachError".to_owned())
            .message(str_at(error, "/message"))
            .since(time_at(error, "/time")),
    )
}
