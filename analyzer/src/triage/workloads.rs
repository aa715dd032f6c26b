//! Workloads that lack pods, failed jobs, releases in trouble and services that lead nowhere.
//!
//! A workload whose pods exist and are unwell is not named again: its pods speak for it. What is named here are the
//! pods that should be and are not.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use crate::report::model::Severity;
use crate::snapshot::{Known, Object};

use super::draft::{Draft, full_name, named};
use super::model::{Cause, CauseKind, Relation};
use super::world::{
    World, array_at, condition, event_message, int_at, is_status, pods_by_namespace, selects, str_at,
    subject, time_at,
};

/// Workloads below their wanted number, unless `spoken_for` holds their `kind/namespace/name`.
pub fn problems<'a>(world: &World<'a>, spoken_for: &HashSet<String>) -> Vec<Draft<'a>> {
    let mut problems = Vec::new();
    let pods: BTreeSet<(Option<&str>, &str)> = world
        .snapshot
        .objects
        .of("pods")
        .iter()
        .filter_map(|pod| Some((pod.namespace(), pod.name()?)))
        .collect();
    for (collection, kind, wanted, there) in [
        ("deployments", "Deployment", "/spec/replicas", "/status/availableReplicas"),
        ("statefulsets", "StatefulSet", "/spec/replicas", "/status/readyReplicas"),
        ("daemonsets", "DaemonSet", "/status/desiredNumberScheduled", "/status/numberReady"),
        ("replicasets", "ReplicaSet", "/spec/replicas", "/status/readyReplicas"),
    ] {
        let told = |object: &Object| {
            let both = int_at(&object.value, wanted).is_some() && int_at(&object.value, there).is_some();
            !object.partial || (both && !has_pods_by_name(&pods, object))
        };
        for object in world.snapshot.objects.of(collection).iter().filter(|object| told(object)) {
            problems.extend(short_of_pods(world, object, kind, wanted, there, spoken_for));
        }
    }
    problems.extend(
        world.snapshot.objects.of("jobs").iter().filter_map(|job| failed_job(world, job, spoken_for)),
    );
    problems
}

/// Whether pods are known that its controller named after it. A table does not say whose a pod is.
fn has_pods_by_name(pods: &BTreeSet<(Option<&str>, &str)>, workload: &Object) -> bool {
    let Some(start) = workload.name().map(|name| format!("{name}-")) else { return false };
    let first = pods.range((workload.namespace(), start.as_str())..).next();
    first.is_some_and(|(namespace, name)| *namespace == workload.namespace() && name.starts_with(&start))
}

pub fn spoken_for_key(kind: &str, namespace: &str, name: &str) -> String {
    format!("{kind}/{namespace}/{name}")
}

fn short_of_pods<'a>(
    world: &World<'a>,
    object: &'a Object,
    kind: &str,
    wanted: &str,
    there: &str,
    spoken_for: &HashSet<String>,
) -> Option<Draft<'a>> {
    let value = &*object.value;
    let wanted = int_at(value, wanted).unwrap_or(if kind == "DaemonSet" { 0 } else { 1 });
    let there = int_at(value, there).unwrap_or(0);
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name().unwrap_or_default());
    if there >= wanted {
        return None;
    }
    let refusal = condition(value, "ReplicaFailure").filter(|c| is_status(c, "True"));
    let event = world.last_event(kind, namespace, name, &["FailedCreate"]);
    let words = refusal.and_then(|c| str_at(c, "/message")).or_else(|| event.and_then(event_message));
    let owner = world.top_owner(object);
    let is_heard = match kind {
        // A refusal is told at the ReplicaSet, by condition and event; without one, its Deployment is enough.
        "ReplicaSet" => words.is_none() && owner.is_some(),
        "Deployment" => refusal.is_some() && !world.snapshot.objects.of("replicasets").is_empty(),
        _ => false,
    };
    let has_speaker = spoken_for.contains(&spoken_for_key(kind, namespace, name));
    if is_heard || (words.is_none() && has_speaker) {
        return None;
    }
    let mut draft =
        Draft::new(world.snapshot, object, subject(kind, object), format!("{there}/{wanted} ready"))
            .message(words)
            .since(refusal.and_then(|c| time_at(c, "/lastTransitionTime")));
    if let Some((kind, owner)) = owner {
        draft.cause.name = format!("{namespace}/{owner}");
        let me = draft.problem.subject.clone();
        draft.edge(named(kind, Some(namespace), owner), me, Relation::Owns);
    }
    if let Some(refused) = words.and_then(|words| refused_by(words, namespace)) {
        draft.cause = Cause { kind: CauseKind::Refused, name: refused };
    }
    Some(draft)
}

/// Who refused to create a pod: the quota, the limit range or the webhook that the message names.
fn refused_by(message: &str, namespace: &str) -> Option<String> {
    let between = |start: &str, end: &str| {
        let rest = message.split_once(start)?.1;
        Some(rest.split_once(end)?.0.to_owned())
    };
    if let Some(quota) = between("exceeded quota: ", ",").or_else(|| between("failed quota: ", ":")) {
        return Some(format!("ResourceQuota {namespace}/{quota}"));
    }
    if let Some(webhook) =
        between("admission webhook \"", "\"").or_else(|| between("failed calling webhook \"", "\""))
    {
        return Some(format!("webhook {webhook}"));
    }
    if let Some(account) = between("error looking up service account ", ":") {
        return Some(format!("ServiceAccount {account}"));
    }
    if message.contains("usage per") {
        return Some(format!("LimitRange {namespace}"));
    }
    message.contains("violates PodSecurity").then(|| format!("PodSecurity {namespace}"))
}

fn failed_job<'a>(world: &World<'a>, job: &'a Object, spoken_for: &HashSet<String>) -> Option<Draft<'a>> {
    let failed = condition(&job.value, "Failed").filter(|c| is_status(c, "True"))?;
    let (namespace, name) = (job.namespace().unwrap_or_default(), job.name().unwrap_or_default());
    if spoken_for.contains(&spoken_for_key("Job", namespace, name)) {
        return None;
    }
    let mut draft = Draft::new(
        world.snapshot,
        job,
        subject("Job", job),
        format!("Failed ({})", str_at(failed, "/reason").unwrap_or("unknown reason")),
    )
    .message(str_at(failed, "/message"))
    .since(time_at(failed, "/lastTransitionTime"));
    if let Some((_, owner)) = world.top_owner(job) {
        draft.cause.name = format!("{namespace}/{owner}");
    }
    Some(draft)
}

/// Helm releases whose newest revision is not in force.
pub fn releases<'a>(world: &World<'a>) -> Vec<Draft<'a>> {
    let mut problems = Vec::new();
    for release in world.snapshot.objects.of("helm.releases") {
        let status = release.str_at(&["status"]).unwrap_or("unknown");
        if matches!(status, "deployed" | "superseded" | "uninstalled") {
            continue;
        }
        let about = named("HelmRelease", release.namespace(), release.name().unwrap_or_default());
        let cause = full_name(&about);
        problems.push(
            Draft::new(world.snapshot, release, about, status)
                .severity(if status == "uninstalling" { Severity::Warning } else { Severity::Error })
                .message(release.str_at(&["description"]))
                .since(time_at(&release.value, "/updated"))
                .cause(CauseKind::Release, cause),
        );
    }
    problems
}

/// Services with a selector and no ready address behind them.
pub fn services<'a>(world: &World<'a>) -> Vec<Draft<'a>> {
    let snapshot = world.snapshot;
    let pods = pods_by_namespace(snapshot);
    let backed = backed_services(world);
    let mut problems = Vec::new();
    for service in snapshot.objects.of("services").iter().filter(|service| !service.partial) {
        let value = &*service.value;
        let (namespace, name) = (service.namespace().unwrap_or_default(), service.name().unwrap_or_default());
        let Some(selector) = value.pointer("/spec/selector").and_then(Value::as_object) else { continue };
        let known = |collection: &str| snapshot.coverage.list(collection, Some(namespace)) == Known::Whole;
        if !(known("endpoints") || known("endpointslices"))
            || selector.is_empty()
            || str_at(value, "/spec/type") == Some("ExternalName")
            || backed.get(&(namespace, name)) == Some(&true)
        {
            continue;
        }
        let about = named("Service", Some(namespace), name);
        let behind: Vec<&Object> = pods
            .get(namespace)
            .into_iter()
            .flatten()
            .copied()
            .filter(|pod| selects(selector, pod.value.pointer("/metadata/labels")))
            .collect();
        // A service scaled to nothing on purpose has a workload that wants no pods; it is common and harmless.
        if behind.is_empty() && (!known("pods") || is_scaled_to_zero(world, namespace, selector)) {
            continue;
        }
        let mut draft = Draft::new(snapshot, service, about.clone(), "no ready endpoints")
            .severity(Severity::Warning)
            .message(behind.is_empty().then_some("no pod carries the labels of its selector"));
        for pod in behind.iter().take(10) {
            let pod = named("Pod", pod.namespace(), pod.name().unwrap_or_default());
            draft.edge(about.clone(), pod, Relation::Selects);
        }
        if let Some((_, owner)) = behind.first().and_then(|pod| world.top_owner(pod)) {
            draft.cause.name = format!("{namespace}/{owner}");
        }
        problems.push(draft);
    }
    problems
}

/// Service → whether any of its Endpoints or slices has a ready address.
fn backed_services<'a>(world: &World<'a>) -> BTreeMap<(&'a str, &'a str), bool> {
    let mut backed: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for endpoints in world.snapshot.objects.of("endpoints") {
        let ready = array_at(&endpoints.value, "/subsets")
            .iter()
            .any(|subset| !array_at(subset, "/addresses").is_empty());
        let key = (endpoints.namespace().unwrap_or_default(), endpoints.name().unwrap_or_default());
        *backed.entry(key).or_default() |= ready;
    }
    for slice in world.snapshot.objects.of("endpointslices") {
        let Some(service) = str_at(&slice.value, "/metadata/labels/kubernetes.io~1service-name") else {
            continue;
        };
        let ready = array_at(&slice.value, "/endpoints").iter().any(|endpoint| {
            // An absent `ready` means ready, says the API.
            endpoint.pointer("/conditions/ready").and_then(Value::as_bool).unwrap_or(true)
        });
        *backed.entry((slice.namespace().unwrap_or_default(), service)).or_default() |= ready;
    }
    backed
}

fn is_scaled_to_zero(world: &World, namespace: &str, selector: &serde_json::Map<String, Value>) -> bool {
    ["deployments", "statefulsets", "replicasets", "daemonsets"].iter().any(|collection| {
        world.snapshot.objects.of(collection).iter().any(|workload| {
            workload.namespace() == Some(namespace)
                && selects(selector, workload.value.pointer("/spec/template/metadata/labels"))
                && int_at(&workload.value, "/spec/replicas")
                    .or(int_at(&workload.value, "/status/desiredNumberScheduled"))
                    == Some(0)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_who_refused() {
        let quota =
            "pods \"a\" is forbidden: exceeded quota: compute, requested: cpu=1, used: cpu=2, limited: cpu=2";
        assert_eq!(refused_by(quota, "shop").as_deref(), Some("ResourceQuota shop/compute"));
        let webhook = "admission webhook \"policy.example.com\" denied the request: no";
        assert_eq!(refused_by(webhook, "shop").as_deref(), Some("webhook policy.example.com"));
        assert_eq!(refused_by("timed out", "shop"), None);
    }
}
