//! How an object stands at the time of collection: well and since when, done, or sick.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::fields::{condition, is_status, time_at};
use crate::matching::row::kind_of;
use crate::matching::state::{World, named, text};
use crate::report::model::Subject;
use crate::snapshot::Object;

/// A run as long as this shows that the container can run, if its run before was short.
const STEADY: SignedDuration = SignedDuration::from_mins(10);
/// A run as long as this does, unless the container restarts all the time.
const LONG: SignedDuration = SignedDuration::from_hours(1);
/// Restarts that are a habit.
const HABIT: i64 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Since then, where it says so.
    Well(Option<Timestamp>),
    /// Nothing more will become of it, and nothing has to.
    Done,
    Sick,
    Unknown,
}

/// Collections that are looked into for an object of a kind.
const PLURALS: &[&str] = &[
    "pods",
    "nodes",
    "services",
    "persistentvolumeclaims",
    "persistentvolumes",
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
    "jobs",
    "cronjobs",
    "horizontalpodautoscalers",
];

pub(super) fn plural_of(kind: &str) -> Option<&'static str> {
    PLURALS.iter().find(|plural| kind_of(plural) == Some(kind)).copied()
}

pub(super) fn of(
    world: &World<'_>,
    (kind, namespace, name): (&str, &str, &str),
    object: &Object,
    now: Option<Timestamp>,
) -> Standing {
    let subject = named(kind, Some(namespace).filter(|ns| !ns.is_empty()), name);
    if is_replaced(world, &subject, object) {
        return Standing::Done;
    }
    if world.trouble(&subject).is_some() {
        return Standing::Sick;
    }
    match kind {
        "Pod" => of_pod(object, now),
        "Node" => match condition(&object.value, "Ready") {
            Some(ready) => Standing::Well(time_at(ready, "/lastTransitionTime")),
            None => Standing::Unknown,
        },
        "Job" => Standing::Done,
        "Deployment"
        | "StatefulSet"
        | "ReplicaSet"
        | "DaemonSet"
        | "PersistentVolumeClaim"
        | "PersistentVolume" => Standing::Well(None),
        "HorizontalPodAutoscaler" => match condition(&object.value, "ScalingActive") {
            Some(active) if is_status(active, "True") => {
                Standing::Well(time_at(active, "/lastTransitionTime"))
            }
            _ => Standing::Unknown,
        },
        "HelmRelease" => Standing::Well(time_at(&object.value, "/updated")),
        _ => Standing::Unknown,
    }
}

fn of_pod(pod: &Object, now: Option<Timestamp>) -> Standing {
    let value = &pod.value;
    match value.pointer("/status/phase").and_then(Value::as_str) {
        Some("Succeeded") => return Standing::Done,
        Some("Running") => {}
        _ => return Standing::Unknown,
    }
    if value.pointer("/metadata/deletionTimestamp").is_some() {
        return Standing::Sick;
    }
    let names =
        statuses(value).filter(|status| is_regular(value, status)).filter_map(|status| text(status, "/name"));
    if names.into_iter().any(|name| is_settled(pod, name, now) != Some(true)) {
        return Standing::Sick;
    }
    match condition(value, "Ready") {
        Some(ready) if is_status(ready, "True") => Standing::Well(time_at(ready, "/lastTransitionTime")),
        Some(_) => Standing::Sick,
        // A table tells no conditions.
        None => Standing::Well(None),
    }
}

fn is_regular(pod: &Value, status: &Value) -> bool {
    let all = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    all.is_some_and(|all| all.iter().any(|one| std::ptr::eq(one, status)))
}

/// Statuses of the containers of a pod, init containers first.
pub(super) fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
    lists.into_iter().filter_map(|list| pod.pointer(list)?.as_array()).flatten()
}

pub(super) fn ready_since(pod: &Value) -> Option<Timestamp> {
    let ready = condition(pod, "Ready").filter(|ready| is_status(ready, "True"))?;
    time_at(ready, "/lastTransitionTime")
}

/// Whether a container runs well for so long that its earlier runs no longer matter; `None` where its state is not known.
pub(super) fn is_settled(pod: &Object, container: &str, now: Option<Timestamp>) -> Option<bool> {
    let status = statuses(&pod.value).find(|status| text(status, "/name") == Some(container))?;
    let ended = status.pointer("/state/terminated");
    if let Some(code) = ended.and_then(|ended| ended.get("exitCode")) {
        // An init container that did its work.
        return Some(code == 0);
    }
    status.pointer("/state/running")?;
    if status.get("ready").and_then(Value::as_bool) == Some(false) {
        return Some(false);
    }
    let restarts = status.get("restartCount").and_then(Value::as_i64).unwrap_or(0);
    if restarts == 0 {
        return Some(true);
    }
    let started = time_at(status, "/state/running/startedAt")
        .or_else(|| time_at(status, "/lastState/terminated/finishedAt"));
    let (Some(started), Some(now)) = (started, now) else { return Some(false) };
    let run = now.duration_since(started);
    let before = time_at(status, "/lastState/terminated/startedAt")
        .zip(time_at(status, "/lastState/terminated/finishedAt"));
    let outlasts = before.is_some_and(|(from, to)| run > to.duration_since(from) * 10);
    let age = time_at(&pod.value, "/metadata/creationTimestamp").map(|created| now.duration_since(created));
    let between = age.map(|age| age / i32::try_from(restarts).unwrap_or(i32::MAX));
    let is_habit = restarts >= HABIT && between.is_none_or(|between| run < between * 3);
    Some((run > STEADY && outlasts) || (run > LONG && !is_habit))
}

/// Whether the work of a pod or job that failed was done by another: its job ended well, its controller has all that it
/// wants, its schedule succeeded later.
pub(super) fn is_replaced(world: &World<'_>, subject: &Subject, object: &Object) -> bool {
    let value = &object.value;
    let owners = || {
        let list = value.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let owner =
            |owner: &Value| Some(named(text(owner, "/kind")?, object.namespace(), text(owner, "/name")?));
        list.into_iter().flatten().filter_map(owner).collect::<Vec<_>>()
    };
    match subject.kind.as_str() {
        "Pod" if text(value, "/status/phase") == Some("Failed") => owners().iter().any(|owner| {
            matches!(owner.kind.as_str(), "Job" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
                && world.object(owner).is_some()
                && world.trouble(owner).is_none()
        }),
        "Job" => {
            let failed = condition(value, "Failed").filter(|failed| is_status(failed, "True"));
            let Some(failed) = failed.and_then(|failed| time_at(failed, "/lastTransitionTime")) else {
                return false;
            };
            owners().iter().filter(|owner| owner.kind == "CronJob").any(|owner| {
                let schedule = world.object(owner);
                schedule
                    .and_then(|schedule| time_at(&schedule.value, "/status/lastSuccessfulTime"))
                    .is_some_and(|succeeded| succeeded > failed)
            })
        }
        _ => false,
    }
}

/// What still fails of that for which pods are made.
pub(super) struct Failing<'s> {
    /// Names of controllers, by namespace.
    controllers: HashMap<&'s str, Vec<&'s str>>,
    /// Namespaces with a release that failed or hangs.
    releases: HashSet<&'s str>,
}

impl<'s> Failing<'s> {
    pub(super) fn new(world: &World<'s>) -> Failing<'s> {
        let mut failing = Failing { controllers: HashMap::new(), releases: HashSet::new() };
        for ((kind, namespace, name), object) in world.objects() {
            match kind {
                "HelmRelease" => {
                    let status = text(&object.value, "/status").unwrap_or_default();
                    if status == "failed" || status.starts_with("pending-") {
                        failing.releases.insert(namespace);
                    }
                }
                "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job"
                    if world.trouble(&named(kind, Some(namespace), name)).is_some() =>
                {
                    failing.controllers.entry(namespace).or_default().push(name);
                }
                _ => {}
            }
        }
        failing
    }

    /// Whether what an object that is gone was made for still fails: a controller whose name it bears, or a release of
    /// its namespace, whose hooks are deleted when they fail.
    pub(super) fn misses(&self, subject: &Subject) -> bool {
        let namespace = subject.key().1;
        let bears = |name: &&str| subject.name.strip_prefix(*name).is_some_and(|rest| rest.starts_with('-'));
        matches!(subject.kind.as_str(), "Pod" | "Job" | "ReplicaSet")
            && (self.releases.contains(namespace)
                || self.controllers.get(namespace).is_some_and(|names| names.iter().any(bears)))
    }
}
