//! The course of an object: a pod is scheduled, gets its volumes and network, pulls, starts and becomes ready. What came
//! further since is over the failure of an earlier step.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use super::standing;
use crate::matching::state::{Key, World};
use crate::report::model::Subject;
use crate::snapshot::{Object, Snapshot};

/// Steps in order. A claim and a service know the first alone, a controller the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Provisioned,
    PodsCreated,
    Scheduled,
    Attached,
    Mounted,
    /// It has its sandbox with a network, and all of its volumes.
    Sandboxed,
    Pulled,
    Started,
    Ready,
}

/// Where an object had come to, and when; `None`: for good.
struct Milestone<'s> {
    step: Step,
    container: Option<&'s str>,
    /// The volume that was attached or mounted.
    volume: Option<&'s str>,
    time: Option<Timestamp>,
}

/// The milestones of all objects.
pub(super) struct Courses<'s> {
    of: HashMap<Key<'s>, Vec<Milestone<'s>>>,
}

impl<'s> Courses<'s> {
    pub(super) fn new(snapshot: &'s Snapshot, world: &World<'s>, now: Option<Timestamp>) -> Courses<'s> {
        let mut courses = Courses { of: HashMap::new() };
        for event in snapshot.objects.of("events") {
            courses.take_event(event);
        }
        for (key, object) in world.objects() {
            let milestones = match key.0 {
                "Pod" => of_pod(object, now),
                kind => of_others(kind, &object.value),
            };
            if !milestones.is_empty() {
                courses.of.entry(key).or_default().extend(milestones);
            }
        }
        courses
    }

    fn take_event(&mut self, event: &'s Object) {
        let about = ["/involvedObject", "/regarding"].iter().find_map(|at| event.value.pointer(at));
        let Some(about) = about else { return };
        let field = |key: &str| about.get(key).and_then(Value::as_str).unwrap_or_default();
        let Some(step) = event.str_at(&["reason"]).and_then(reached) else { return };
        let Some(time) = crate::triage::event_time(event) else { return };
        let container = field("fieldPath").split_once('{').and_then(|(_, name)| name.strip_suffix('}'));
        let message = event.str_at(&["message"]).or_else(|| event.str_at(&["note"])).unwrap_or_default();
        let namespace = if field("kind") == "Node" { "" } else { field("namespace") };
        self.of.entry((field("kind"), namespace, field("name"))).or_default().push(Milestone {
            step,
            container,
            volume: quoted(message).filter(|_| matches!(step, Step::Attached | Step::Mounted)),
            time: Some(time),
        });
    }

    /// Whether an object came further, at `time` or later, than where an event says that it failed.
    pub(super) fn came_further(
        &self,
        subject: &Subject,
        reason: &str,
        message: &str,
        time: Option<Timestamp>,
    ) -> bool {
        let (Some(milestones), Some(failed)) = (self.of.get(&subject.key()), failed_at(reason, message))
        else {
            return false;
        };
        let container = subject.container.as_deref();
        milestones.iter().any(|milestone| {
            let is_same_container = milestone.container.is_none()
                || failed <= Step::Sandboxed
                || milestone.container == container;
            let is_same_volume = milestone.volume.is_none() || milestone.volume == quoted(message);
            let is_later = match (milestone.time, time) {
                (None, _) => true,
                (Some(reached), Some(failed)) => reached >= failed,
                (Some(_), None) => false,
            };
            milestone.step >= failed && is_same_container && is_same_volume && is_later
        })
    }
}

/// Whether an event of this reason tells of a step that failed.
pub(super) fn is_of(reason: &str, message: &str) -> bool {
    failed_at(reason, message).is_some()
}

/// The step that an event of this reason says was made.
fn reached(reason: &str) -> Option<Step> {
    Some(match reason {
        "ProvisioningSucceeded" | "EnsuredLoadBalancer" | "UpdatedLoadBalancer" => Step::Provisioned,
        "SuccessfulCreate" => Step::PodsCreated,
        "Scheduled" => Step::Scheduled,
        "SuccessfulAttachVolume" => Step::Attached,
        "SuccessfulMountVolume" => Step::Mounted,
        "AddedInterface" | "Pulling" => Step::Sandboxed,
        "Pulled" | "Created" => Step::Pulled,
        "Started" => Step::Started,
        "NodeReady" => Step::Ready,
        _ => return None,
    })
}

/// The step that an event of this reason says was not made.
fn failed_at(reason: &str, message: &str) -> Option<Step> {
    let of_image = || ["pull", "image", "Image"].iter().any(|word| message.contains(word));
    Some(match reason {
        "ProvisioningFailed"
        | "FailedBinding"
        | "ExternalProvisioning"
        | "WaitForFirstConsumer"
        | "WaitForPodScheduled"
        | "VolumeMismatch"
        | "SyncLoadBalancerFailed"
        | "CreatingLoadBalancerFailed" => Step::Provisioned,
        "FailedCreate" | "ReplicaSetCreateError" => Step::PodsCreated,
        "FailedScheduling" | "NotTriggerScaleUp" => Step::Scheduled,
        "FailedAttachVolume" => Step::Attached,
        "FailedMount" | "FailedMapVolume" => Step::Mounted,
        "FailedCreatePodSandBox" | "FailedCreatePodContainer" | "NetworkNotReady" => Step::Sandboxed,
        "FailedToRetrieveImagePullSecret"
        | "InspectFailed"
        | "ErrImageNeverPull"
        | "ErrImagePull"
        | "ImagePullBackOff" => Step::Pulled,
        "Failed" | "BackOff" if of_image() && !message.contains("restarting") => Step::Pulled,
        "Failed" => Step::Started,
        "BackOff" | "Unhealthy" | "ProbeError" | "FailedPostStartHook" => Step::Ready,
        "NodeNotReady" => Step::Ready,
        _ => return None,
    })
}

fn of_pod<'s>(pod: &'s Object, now: Option<Timestamp>) -> Vec<Milestone<'s>> {
    let mut milestones = Vec::new();
    let mut reach =
        |step, container, time| milestones.push(Milestone { step, container, volume: None, time });
    if pod.str_at(&["spec", "nodeName"]).is_some_and(|node| !node.is_empty()) {
        reach(Step::Scheduled, None, None);
    }
    for status in standing::statuses(&pod.value) {
        let time = |pointer: &str| -> Option<Timestamp> { status.pointer(pointer)?.as_str()?.parse().ok() };
        let Some(name) = status.get("name").and_then(Value::as_str) else { continue };
        let reason = |at: &str| status.pointer(&format!("{at}/reason")).and_then(Value::as_str);
        for run in ["/state/running", "/state/terminated", "/lastState/terminated"] {
            let never_ran = matches!(reason(run), Some("StartError" | "ContainerCannotRun"));
            if let Some(started) = time(&format!("{run}/startedAt")).filter(|_| !never_ran) {
                reach(Step::Started, Some(name), Some(started));
            }
        }
        let is_ready = status.get("ready").and_then(Value::as_bool) == Some(true);
        if is_ready && standing::is_settled(pod, name, now) == Some(true) {
            let since = standing::ready_since(&pod.value).or_else(|| time("/state/running/startedAt"));
            if since.is_some() {
                reach(Step::Ready, Some(name), since);
            }
        }
    }
    milestones
}

fn of_others<'s>(kind: &str, value: &Value) -> Vec<Milestone<'s>> {
    if kind == "Node" {
        let ready = standing::ready_since(value);
        return ready
            .map(|since| Milestone { step: Step::Ready, container: None, volume: None, time: Some(since) })
            .into_iter()
            .collect();
    }
    let number = |pointer: &str| value.pointer(pointer).and_then(Value::as_i64);
    let has_all =
        |made: Option<i64>, wanted: Option<i64>| made.is_some_and(|made| made >= wanted.unwrap_or(1));
    let step = match kind {
        "PersistentVolumeClaim" if value.pointer("/status/phase").is_some_and(|phase| phase == "Bound") => {
            Step::Provisioned
        }
        "ReplicaSet" | "StatefulSet" if has_all(number("/status/replicas"), number("/spec/replicas")) => {
            Step::PodsCreated
        }
        "DaemonSet"
            if number("/status/desiredNumberScheduled")
                .is_some_and(|wanted| has_all(number("/status/currentNumberScheduled"), Some(wanted))) =>
        {
            Step::PodsCreated
        }
        "Job" if number("/status/active").or(number("/status/succeeded")).is_some_and(|pods| pods > 0) => {
            Step::PodsCreated
        }
        _ => return Vec::new(),
    };
    vec![Milestone { step, container: None, volume: None, time: None }]
}

/// The first name in double quotes.
fn quoted(message: &str) -> Option<&str> {
    message.split('"').nth(1)
}
