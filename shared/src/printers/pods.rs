//! Pods and their templates.

use jiff::Timestamp;
use serde_json::Value;

use super::Row;
use super::workloads::{images, names};
use crate::describe::labels::joined;
use crate::objects::Field;

pub(super) fn pod(row: &mut Row, pod: &Value) {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let state = State::of(pod, row.minor());
    row.name(pod);
    row.text("Ready", format!("{}/{}", state.ready, state.containers));
    row.text("Status", state.reason);
    match state.last_restart {
        _ if row.minor() < 22 => row.int("Restarts", state.restarts),
        Some(time) if state.restarts > 0 => {
            let ago = crate::time::human_duration(row.settings.now.duration_since(time));
            row.text("Restarts", format!("{} ({ago} ago)", state.restarts));
        }
        _ => row.text("Restarts", state.restarts.to_string()),
    }
    row.age(pod);
    let or_none = |text: &str| if text.is_empty() { "<none>".to_owned() } else { text.to_owned() };
    let address = status["podIPs"][0]["ip"].some_text().unwrap_or_else(|| status["podIP"].text());
    row.wide("IP", or_none(address));
    row.wide("Node", or_none(spec["nodeName"].text()));
    row.wide("Nominated Node", or_none(status["nominatedNodeName"].text()));
    row.wide("Readiness Gates", readiness_gates(pod));
}

fn readiness_gates(pod: &Value) -> String {
    let gates = pod["spec"]["readinessGates"].items();
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let met = gates.iter().filter(|gate| condition(pod, gate["conditionType"].text()) == "True").count();
    format!("{met}/{}", gates.len())
}

/// The status of a pod's condition; empty where it has none such.
fn condition<'p>(pod: &'p Value, kind: &str) -> &'p str {
    let conditions = pod["status"]["conditions"].items();
    conditions.iter().find(|condition| condition["type"] == kind).map_or("", |found| found["status"].text())
}

/// What the columns of a pod tell of its containers.
struct State {
    reason: String,
    ready: usize,
    containers: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
    /// The same of init containers that go on running.
    lasting: (i64, Option<Timestamp>),
}

impl State {
    fn of(pod: &Value, minor: u32) -> State {
        let (spec, status) = (&pod["spec"], &pod["status"]);
        let phase = status["phase"].text();
        let mut state = State {
            reason: status["reason"].some_text().unwrap_or(phase).to_owned(),
            ready: 0,
            // A pod that was read from a table has states of its containers and no specification of them.
            containers: spec["containers"].items().len().max(status["containerStatuses"].items().len()),
            restarts: 0,
            last_restart: None,
            lasting: (0, None),
        };
        let gated = |condition: &Value| {
            condition["type"] == "PodScheduled" && condition["reason"] == "SchedulingGated"
        };
        if minor >= 26 && status["conditions"].items().iter().any(gated) {
            "SchedulingGated".clone_into(&mut state.reason);
        }
        let initialized = minor >= 30 && condition(pod, "Initialized") == "True";
        if !state.initializing(pod) || initialized {
            state.running(pod);
        }
        if !pod["metadata"]["deletionTimestamp"].is_null() {
            let ended = minor >= 31 && matches!(phase, "Succeeded" | "Failed");
            if status["reason"] == "NodeLost" {
                "Unknown".clone_into(&mut state.reason);
            } else if !ended {
                "Terminating".clone_into(&mut state.reason);
            }
        }
        state
    }

    fn count_restarts(&mut self, container: &Value) {
        let (count, last) = restarts(container);
        self.restarts = self.restarts.saturating_add(count);
        self.last_restart = self.last_restart.max(last);
    }

    /// Looks at the init containers; says whether one of them is what the pod waits for.
    fn initializing(&mut self, pod: &Value) -> bool {
        let (wanted, statuses) = (&pod["spec"]["initContainers"], &pod["status"]["initContainerStatuses"]);
        // Those that go on running beside the others count as containers.
        let goes_on = |container: &Value| container["restartPolicy"] == "Always";
        let goes_on_by_name = |name: &Value| {
            wanted.items().iter().any(|container| container["name"] == *name && goes_on(container))
        };
        self.containers += wanted.items().iter().filter(|container| goes_on(container)).count();
        for (at, container) in statuses.items().iter().enumerate() {
            self.count_restarts(container);
            if goes_on_by_name(&container["name"]) {
                let (count, last) = restarts(container);
                self.lasting = (self.lasting.0.saturating_add(count), self.lasting.1.max(last));
            }
            let (terminated, waiting) = (&container["state"]["terminated"], &container["state"]["waiting"]);
            if terminated.is_object() && terminated["exitCode"].int() == 0 {
                continue;
            }
            if goes_on_by_name(&container["name"]) && container["started"].flag() {
                self.ready += usize::from(container["ready"].flag());
                continue;
            }
            self.reason = if terminated.is_object() {
                format!("Init:{}", end(terminated))
            } else {
                match waiting["reason"].some_text() {
                    Some(reason) if reason != "PodInitializing" => format!("Init:{reason}"),
                    _ => format!("Init:{at}/{}", wanted.items().len()),
                }
            };
            return true;
        }
        false
    }

    /// Looks at the containers proper.
    fn running(&mut self, pod: &Value) {
        (self.restarts, self.last_restart) = self.lasting;
        let mut has_running = false;
        for container in pod["status"]["containerStatuses"].items().iter().rev() {
            self.count_restarts(container);
            let (terminated, waiting) = (&container["state"]["terminated"], &container["state"]["waiting"]);
            if let Some(reason) = waiting["reason"].some_text() {
                reason.clone_into(&mut self.reason);
            } else if terminated.is_object() {
                self.reason = end(terminated);
            } else if container["ready"].flag() && container["state"]["running"].is_object() {
                has_running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && has_running {
            let ready = condition(pod, "Ready") == "True";
            (if ready { "Running" } else { "NotReady" }).clone_into(&mut self.reason);
        }
    }
}

/// How often a container was restarted, and when the run before the present one ended.
fn restarts(container: &Value) -> (i64, Option<Timestamp>) {
    let ended = container["lastState"]["terminated"]["finishedAt"].text().parse().ok();
    (container["restartCount"].int(), ended)
}

/// How a container ended: its reason, or what stands for one.
fn end(terminated: &Value) -> String {
    match (terminated["reason"].some_text(), terminated["signal"].int()) {
        (Some(reason), _) => reason.to_owned(),
        (None, 0) => format!("ExitCode:{}", terminated["exitCode"].int()),
        (None, signal) => format!("Signal:{signal}"),
    }
}

pub(super) fn template(row: &mut Row, template: &Value) {
    let inner = &template["template"];
    row.name(template);
    row.text("Containers", names(inner));
    row.text("Images", images(inner));
    row.text("Pod Labels", joined(&inner["metadata"]["labels"]));
}
