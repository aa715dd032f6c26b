//! Pods that are not well, and why as far as the API says.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::report::model::{Severity, Subject};
use crate::snapshot::{Object, TextSource};

use super::draft::{Draft, named};
use super::model::{Cause, CauseKind, Relation};
use super::world::{World, array_at, condition, event_message, int_at, is_status, str_at, subject, time_at};

/// A start may take this long before it counts as stuck.
const STARTING: SignedDuration = SignedDuration::from_mins(2);
/// A restart this long ago still counts as present trouble.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// One container's status, whichever list of the pod it stands in.
struct Container<'a> {
    value: &'a Value,
    init: bool,
}

impl<'a> Container<'a> {
    fn name(&self) -> &'a str {
        str_at(self.value, "/name").unwrap_or_default()
    }

    fn restarts(&self) -> u64 {
        int_at(self.value, "/restartCount").and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
    }

    fn waiting(&self) -> Option<&'a str> {
        self.value.pointer("/state/waiting")?;
        Some(str_at(self.value, "/state/waiting/reason").unwrap_or("Waiting"))
    }

    /// Why it ended, when it ended badly.
    fn terminated(&self) -> Option<String> {
        ending(self.value.pointer("/state/terminated")?)
    }

    fn last_ending(&self) -> Option<String> {
        ending(self.value.pointer("/lastState/terminated")?)
    }

    fn is_running(&self) -> bool {
        self.value.pointer("/state/running").is_some()
    }

    fn is_ready(&self) -> bool {
        self.value.get("ready").and_then(Value::as_bool) == Some(true)
    }
}

/// `OOMKilled (exit 137)`; `None` for an exit with success.
fn ending(terminated: &Value) -> Option<String> {
    let code = int_at(terminated, "/exitCode").unwrap_or(0);
    let reason = str_at(terminated, "/reason");
    if code == 0 && reason.is_none_or(|reason| reason == "Completed") {
        return None;
    }
    Some(format!("{} (exit {code})", reason.unwrap_or("Error")))
}

fn containers(pod: &Value) -> Vec<Container<'_>> {
    let init =
        array_at(pod, "/status/initContainerStatuses").iter().map(|v| Container { value: v, init: true });
    let main = array_at(pod, "/status/containerStatuses").iter().map(|v| Container { value: v, init: false });
    init.chain(main).collect()
}

/// All pods that are not well.
pub fn problems<'a>(world: &World<'a>) -> Vec<Draft<'a>> {
    world.snapshot.objects.of("pods").iter().filter_map(|pod| problem(world, pod)).collect()
}

fn problem<'a>(world: &World<'a>, pod: &'a Object) -> Option<Draft<'a>> {
    let value = &*pod.value;
    let phase = str_at(value, "/status/phase").unwrap_or("Unknown");
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
        .filter(|log| container.is_none() || log.container.as_deref() == container)
        .collect();
    logs.sort_by_key(|log| {
        let restarted = log.container.as_deref().and_then(|c| restarts.get(c)).is_some_and(|n| *n > 0);
        (log.previous != restarted, log.file)
    });
    logs
}

/// What the pod hangs on, and the cause that the API itself names.
fn relate<'a>(world: &World<'a>, pod: &'a Object, draft: &mut Draft<'a>) {
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
        && world.get("Node", "", node).is_some_and(|node| evicted || super::nodes::is_down(&node.value))
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
    if let Some(missing) = missing_config(&message) {
        draft.cause.kind = CauseKind::Config;
        draft.cause.name = format!("{namespace}/{missing}");
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
        let class = object.and_then(|claim| super::storage::class_of(&claim.value));
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

/// `configmap "x" not found` → `configmap x`.
fn missing_config(message: &str) -> Option<String> {
    let (before, name) = message.split_once("\" not found")?.0.rsplit_once('"')?;
    let kind = before.trim_end().rsplit([' ', ':']).next()?;
    matches!(kind, "configmap" | "secret" | "ConfigMap" | "Secret")
        .then(|| format!("{} {name}", kind.to_ascii_lowercase()))
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
        assert_eq!(missing_config("configmap \"app-env\" not found").as_deref(), Some("configmap app-env"));
        assert_eq!(
            missing_config("MountVolume.SetUp failed for volume \"c\" : secret \"tls\" not found").as_deref(),
            Some("secret tls")
        );
        assert_eq!(missing_config("file \"x\" not found"), None);
    }

    #[test]
    fn an_ending_with_success_is_no_ending() {
        assert_eq!(ending(&serde_json::json!({"exitCode": 0, "reason": "Completed"})), None);
        assert_eq!(
            ending(&serde_json::json!({"exitCode": 137, "reason": "OOMKilled"})).as_deref(),
            Some("OOMKilled (exit 137)")
        );
    }
}
