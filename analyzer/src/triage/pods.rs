//! Pods that are not well, and why as far as the API says.

mod cause;
mod container;

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::report::model::Severity;
use crate::snapshot::{Object, TextSource};

use super::draft::Draft;
use super::world::{World, array_at, condition, event_message, is_status, str_at, subject, time_at};

use cause::relate;
use container::{Container, containers};

/// A start may take this long before it counts as stuck.
const STARTING: SignedDuration = SignedDuration::from_mins(2);
/// A restart this long ago still counts as present trouble.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// All pods that are not well.
pub fn problems<'a>(world: &World<'a>) -> Vec<Draft<'a>> {
    world.snapshot.objects.of("pods").iter().filter_map(|pod| problem(world, pod)).collect()
}

fn problem<'a>(world: &World<'a>, pod: &'a Object) -> Option<Draft<'a>> {
    let value = &*pod.value;
    // A table prints `Terminating` in its place.
    let phase = str_at(value, "/status/phase").unwrap_or_default();
    let all = containers(value);
    let verdict = if phase == "Succeeded" || is_done_job(world, pod) {
        None
    } else if value.pointer("/metadata/deletionTimestamp").is_some() {
        stuck_terminating(world, value)
    } else {
        worst(world, pod, phase, &all)
    }?;
    let mut about = subject("Pod", pod);
    about.container = verdict.container.map(str::to_owned);
    let mut draft = Draft::new(world.snapshot, pod, about, verdict.state)
        .severity(verdict.severity)
        .message(verdict.message.as_deref())
        .since(verdict.since);
    let restarts = all.iter().map(Container::restarts).max().unwrap_or(0);
    draft.problem.restarts = Some(restarts).filter(|count| *count > 0);
    draft.logs = logs(world, pod, &all, verdict.container);
    relate(world, pod, &mut draft);
    Some(draft)
}

struct Verdict<'a> {
    state: String,
    severity: Severity,
    container: Option<&'a str>,
    message: Option<String>,
    since: Option<Timestamp>,
}

/// A failed pod of a job that went on to succeed is history.
fn is_done_job(world: &World, pod: &Object) -> bool {
    let Some((kind, name)) = world.top_owner(pod) else { return false };
    let namespace = pod.namespace().unwrap_or_default();
    let job = world.get(kind, namespace, name).filter(|_| kind == "Job");
    job.and_then(|job| condition(&job.value, "Complete")).is_some_and(|c| is_status(c, "True"))
}

fn stuck_terminating<'a>(world: &World, value: &'a Value) -> Option<Verdict<'a>> {
    // The API sets the deletion time to the moment at which the grace period ends.
    let deadline = time_at(value, "/metadata/deletionTimestamp")?;
    let late = world.now.is_none_or(|now| now.duration_since(deadline) > SignedDuration::from_mins(1));
    late.then(|| Verdict {
        state: "Terminating".to_owned(),
        severity: Severity::Warning,
        container: None,
        message: Some(array_at(value, "/metadata/finalizers"))
            .filter(|finalizers| !finalizers.is_empty())
            .map(|finalizers| format!("finalizers: {}", join(finalizers))),
        since: Some(deadline),
    })
}

fn join(values: &[Value]) -> String {
    values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

/// The worst thing about a pod that should be running.
fn worst<'a>(world: &World, pod: &'a Object, phase: &str, all: &[Container<'a>]) -> Option<Verdict<'a>> {
    let value = &*pod.value;
    let created = time_at(value, "/metadata/creationTimestamp");
    if phase == "Failed" {
        return Some(failed(value, all, created));
    }
    let blocked = all.iter().find_map(|container| stuck(world, pod, container));
    if blocked.is_some() {
        return blocked;
    }
    if phase == "Pending" {
        return pending(world, pod, created);
    }
    let main: Vec<&Container> = all.iter().filter(|container| !container.init).collect();
    if let Some(ended) = main.iter().find(|c| c.terminated().is_some()) {
        return Some(Verdict {
            state: ended.terminated().unwrap_or_default(),
            severity: Severity::Error,
            container: Some(ended.name()),
            message: str_at(ended.value, "/state/terminated/message").map(str::to_owned),
            since: time_at(ended.value, "/state/terminated/finishedAt"),
        });
    }
    if let Some(unready) = main.iter().find(|c| c.is_running() && !c.is_ready()) {
        let started = time_at(unready.value, "/state/running/startedAt");
        if is_past(world, started, STARTING) {
            return Some(Verdict {
                state: "NotReady".to_owned(),
                severity: Severity::Error,
                container: Some(unready.name()),
                message: told(world, pod, &["Unhealthy", "ProbeError"]),
                since: condition(value, "Ready").and_then(|c| time_at(c, "/lastTransitionTime")).or(started),
            });
        }
    }
    if phase == "Unknown" {
        return Some(Verdict {
            state: "Unknown".to_owned(),
            severity: Severity::Error,
            container: None,
            message: str_at(value, "/status/message").map(str::to_owned),
            since: created,
        });
    }
    restarted(world, &main)
}

fn failed<'a>(value: &'a Value, all: &[Container<'a>], created: Option<Timestamp>) -> Verdict<'a> {
    let ended = all.iter().find(|container| container.terminated().is_some());
    let reason = str_at(value, "/status/reason").map(str::to_owned);
    let evicted = reason.as_deref() == Some("Evicted");
    Verdict {
        state: reason
            .or_else(|| ended.and_then(Container::terminated))
            .unwrap_or_else(|| "Failed".to_owned()),
        severity: if evicted { Severity::Warning } else { Severity::Error },
        container: ended.map(Container::name),
        message: str_at(value, "/status/message")
            .or_else(|| ended.and_then(|c| str_at(c.value, "/state/terminated/message")))
            .map(str::to_owned),
        since: ended.and_then(|c| time_at(c.value, "/state/terminated/finishedAt")).or(created),
    }
}

/// A container that waits for something that does not come, or an init container that does not end.
fn stuck<'a>(world: &World, pod: &Object, container: &Container<'a>) -> Option<Verdict<'a>> {
    let prefix = if container.init { "Init:" } else { "" };
    let since = time_at(container.value, "/lastState/terminated/finishedAt");
    if let Some(reason) = container.waiting() {
        if matches!(reason, "ContainerCreating" | "PodInitializing" | "Waiting") {
            return None;
        }
        let message = match container.last_ending() {
            // `back-off 5m0s restarting failed container` says less than how the container ended.
            Some(ending) if reason == "CrashLoopBackOff" => {
                let words = str_at(container.value, "/lastState/terminated/message");
                Some(words.map_or_else(|| ending.clone(), |words| format!("{ending}: {words}")))
            }
            _ => str_at(container.value, "/state/waiting/message")
                .map(str::to_owned)
                .filter(|words| !words.starts_with("Back-off pulling"))
                .or_else(|| pull_failure(world, pod)),
        };
        return Some(Verdict {
            state: format!("{prefix}{reason}"),
            severity: Severity::Error,
            container: Some(container.name()),
            message,
            since: since.or_else(|| time_at(&pod.value, "/metadata/creationTimestamp")),
        });
    }
    if !container.init {
        return None;
    }
    if let Some(ending) = container.terminated() {
        return Some(Verdict {
            state: format!("Init:{ending}"),
            severity: Severity::Error,
            container: Some(container.name()),
            message: str_at(container.value, "/state/terminated/message").map(str::to_owned),
            since: time_at(container.value, "/state/terminated/finishedAt"),
        });
    }
    let started = time_at(container.value, "/state/running/startedAt");
    let is_sidecar = container.is_ready()
        || container.value.get("started").and_then(Value::as_bool) == Some(true)
            && is_restartable(pod, container);
    (container.is_running() && !is_sidecar && is_past(world, started, STARTING)).then(|| Verdict {
        state: "Init:Running".to_owned(),
        severity: Severity::Warning,
        container: Some(container.name()),
        message: None,
        since: started,
    })
}

/// Init containers that restart always are sidecars, which run as long as the pod.
fn is_restartable(pod: &Object, container: &Container) -> bool {
    array_at(&pod.value, "/spec/initContainers").iter().any(|spec| {
        str_at(spec, "/name") == Some(container.name()) && str_at(spec, "/restartPolicy") == Some("Always")
    })
}

fn pending<'a>(world: &World, pod: &'a Object, created: Option<Timestamp>) -> Option<Verdict<'a>> {
    let value = &*pod.value;
    if let Some(scheduled) = condition(value, "PodScheduled").filter(|c| is_status(c, "False")) {
        return Some(Verdict {
            state: "Pending".to_owned(),
            severity: Severity::Error,
            container: None,
            message: str_at(scheduled, "/message")
                .map(str::to_owned)
                .or_else(|| told(world, pod, &["FailedScheduling"])),
            since: time_at(scheduled, "/lastTransitionTime").or(created),
        });
    }
    let start = time_at(value, "/status/startTime").or(created);
    is_past(world, start, STARTING).then(|| Verdict {
        state: if containers(value).iter().any(|c| c.waiting() == Some("ContainerCreating")) {
            "ContainerCreating".to_owned()
        } else {
            "Pending".to_owned()
        },
        severity: Severity::Error,
        container: None,
        message: told(
            world,
            pod,
            &[
                "FailedMount",
                "FailedAttachVolume",
                "FailedCreatePodSandBox",
                "FailedScheduling",
                "NetworkNotReady",
            ],
        ),
        since: start,
    })
}

fn restarted<'a>(world: &World, main: &[&Container<'a>]) -> Option<Verdict<'a>> {
    let worst = main.iter().filter(|c| c.restarts() > 0).max_by_key(|c| c.restarts())?;
    let last = time_at(worst.value, "/lastState/terminated/finishedAt");
    let recent = match (world.now, last) {
        (Some(now), Some(last)) => now.duration_since(last) < RECENT,
        // Somebody sent this very pod: its restarts are what they may mean.
        (None, Some(_)) => true,
        // Without times, one restart may be years old; many are a pattern.
        _ => worst.restarts() >= 5,
    };
    recent.then(|| Verdict {
        state: "Restarting".to_owned(),
        severity: Severity::Warning,
        container: Some(worst.name()),
        message: worst.last_ending(),
        since: last,
    })
}

/// Whether a moment lies further back than `grace`. Unknown times do not excuse.
fn is_past(world: &World, moment: Option<Timestamp>, grace: SignedDuration) -> bool {
    match (world.now, moment) {
        (Some(now), Some(moment)) => now.duration_since(moment) > grace,
        _ => true,
    }
}

/// The newest event's message among these reasons.
fn told(world: &World, pod: &Object, reasons: &[&str]) -> Option<String> {
    let event = world.last_event(
        "Pod",
        pod.namespace().unwrap_or_default(),
        pod.name().unwrap_or_default(),
        reasons,
    )?;
    event_message(event).map(str::to_owned)
}

/// The runtime's own words on a failed pull; the kubelet's `Back-off pulling image` hides them.
fn pull_failure(world: &World, pod: &Object) -> Option<String> {
    let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name().unwrap_or_default());
    world
        .events("Pod", namespace, name)
        .iter()
        .rev()
        .filter(|event| event.str_at(&["reason"]) == Some("Failed"))
        .filter_map(|event| event_message(event))
        .find(|message| message.starts_with("Failed to pull image"))
        .map(str::to_owned)
}

/// Logs of the container that is in trouble, the run that failed first.
fn logs<'a>(
    world: &World<'a>,
    pod: &Object,
    all: &[Container],
    container: Option<&str>,
) -> Vec<&'a TextSource> {
    let restarts: HashMap<&str, u64> = all.iter().map(|c| (c.name(), c.restarts())).collect();
    let mut logs: Vec<&TextSource> = world
        .logs(pod.namespace().unwrap_or_default(), pod.name().unwrap_or_default())
        .iter()
        .copied()
        .filter(|log| {
            // Of a pod from a table, and of a log from a paste, nobody may know the container.
            let is_any = |name: Option<&str>| name.is_none_or(str::is_empty);
            is_any(container) || is_any(log.container.as_deref()) || log.container.as_deref() == container
        })
        .collect();
    logs.sort_by_key(|log| {
        let restarted = log.container.as_deref().and_then(|c| restarts.get(c)).is_some_and(|n| *n > 0);
        (log.previous != restarted, log.file)
    });
    logs
}
