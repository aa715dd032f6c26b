//! Pods.

use serde_json::Value;

use super::containers::{self, Containers};
use super::page::{Page, line, or_none};
use super::{Context, events, labels, volumes};
use crate::objects::{Field, controller_of, name, namespace};

pub(super) fn describe(page: &mut Page, pod: &Value, cx: Context<'_>) {
    let (metadata, spec, status) = (&pod["metadata"], &pod["spec"], &pod["status"]);
    line!(page, 0, "Name:\t{}", name(pod));
    line!(page, 0, "Namespace:\t{}", namespace(pod));
    if let Some(priority) = spec["priority"].as_i64() {
        line!(page, 0, "Priority:\t{priority}");
    }
    if let Some(class) = spec["priorityClassName"].some_text() {
        line!(page, 0, "Priority Class Name:\t{class}");
    }
    if cx.is_132() {
        if let Some(class) = spec["runtimeClassName"].some_text() {
            line!(page, 0, "Runtime Class Name:\t{class}");
        }
        if let Some(account) = spec["serviceAccountName"].some_text() {
            line!(page, 0, "Service Account:\t{account}");
        }
    }
    match spec["nodeName"].some_text() {
        Some(node) => line!(page, 0, "Node:\t{node}/{}", status["hostIP"].text()),
        None => line!(page, 0, "Node:\t<none>"),
    }
    if status["startTime"].is_string() {
        line!(page, 0, "Start Time:\t{}", cx.date(&status["startTime"]));
    }
    labels::labels(page, "Labels", &metadata["labels"]);
    labels::annotations(page, "Annotations", &metadata["annotations"]);
    phase(page, pod, cx);
    if cx.is_132() {
        containers::seccomp(page, 0, &spec["securityContext"]["seccompProfile"]);
    }
    line!(page, 0, "IP:\t{}", status["podIP"].text());
    addresses(page, &status["podIPs"]);
    if let Some(owner) = controller_of(pod) {
        line!(page, 0, "Controlled By:\t{}/{}", owner["kind"].text(), owner["name"].text());
    }
    if let Some(node) = status["nominatedNodeName"].some_text() {
        line!(page, 0, "NominatedNodeName:\t{node}");
    }
    every_container(page, pod, cx);
    readiness_gates(page, pod);
    conditions(page, status);
    volumes::volumes(page, "", &spec["volumes"], cx);
    let class = status["qosClass"].some_text().unwrap_or_else(|| quality_of_service(spec));
    line!(page, 0, "QoS Class:\t{class}");
    labels::labels(page, "Node-Selectors", &spec["nodeSelector"]);
    labels::tolerations(page, "", &spec["tolerations"]);
    if cx.is_132() {
        labels::spread_constraints(page, "", &spec["topologySpreadConstraints"]);
    }
    events::pod_events(page, pod, cx);
}

fn phase(page: &mut Page, pod: &Value, cx: Context<'_>) {
    let (metadata, status) = (&pod["metadata"], &pod["status"]);
    // A pod on a lost node is not being terminated by anyone; newer kubectl shows its phase.
    let on_lost_node = cx.is_132() && status["reason"] == "NodeLost";
    if metadata["deletionTimestamp"].is_string() && !on_lost_node {
        line!(page, 0, "Status:\tTerminating (lasts {})", cx.age(&metadata["deletionTimestamp"]));
        line!(page, 0, "Termination Grace Period:\t{}s", metadata["deletionGracePeriodSeconds"].int());
    } else {
        line!(page, 0, "Status:\t{}", status["phase"].text());
    }
    for (title, field) in [("Reason", "reason"), ("Message", "message")] {
        if let Some(text) = status[field].some_text() {
            line!(page, 0, "{title}:\t{text}");
        }
    }
}

fn addresses(page: &mut Page, addresses: &Value) {
    if addresses.items().is_empty() {
        return line!(page, 0, "IPs:\t<none>");
    }
    line!(page, 0, "IPs:");
    for address in addresses.items() {
        line!(page, 1, "IP:\t{}", address["ip"].text());
    }
}

fn every_container(page: &mut Page, pod: &Value, cx: Context<'_>) {
    let of = |title, specs: &str, statuses: &str| Containers {
        title,
        indent: "",
        specs: pod["spec"][specs].items(),
        statuses: pod["status"][statuses].items(),
        pod: Some(pod),
    };
    let init = of("Init Containers", "initContainers", "initContainerStatuses");
    if !init.specs.is_empty() {
        containers::describe(page, &init, cx);
    }
    containers::describe(page, &of("Containers", "containers", "containerStatuses"), cx);
    let ephemeral = of("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses");
    if !ephemeral.specs.is_empty() {
        containers::describe(page, &ephemeral, cx);
    }
}

fn readiness_gates(page: &mut Page, pod: &Value) {
    let gates = pod["spec"]["readinessGates"].items();
    if gates.is_empty() {
        return;
    }
    line!(page, 0, "Readiness Gates:");
    line!(page, 1, "Type\tStatus");
    for gate in gates {
        let conditions = pod["status"]["conditions"].items();
        let condition = conditions.iter().find(|condition| condition["type"] == gate["conditionType"]);
        let status = condition.map_or("<none>", |condition| condition["status"].text());
        line!(page, 1, "{} \t{} ", gate["conditionType"].text(), or_none(status));
    }
}

fn conditions(page: &mut Page, status: &Value) {
    if status["conditions"].items().is_empty() {
        return;
    }
    line!(page, 0, "Conditions:");
    line!(page, 1, "Type\tStatus");
    for condition in status["conditions"].items() {
        line!(page, 1, "{} \t{} ", condition["type"].text(), condition["status"].text());
    }
}

/// The class for servers that do not tell it: guaranteed when every container's limits of CPU and memory are set
/// and equal its requests, best effort when nothing is set at all.
fn quality_of_service(spec: &Value) -> &'static str {
    let containers = || spec["containers"].items().iter().chain(spec["initContainers"].items());
    let amount = |container: &Value, which: &str, name: &str| container["resources"][which][name].scalar();
    let compute = ["cpu", "memory"];
    let unset = containers().all(|container| {
        compute.iter().all(|name| {
            amount(container, "requests", name).is_empty() && amount(container, "limits", name).is_empty()
        })
    });
    let guaranteed = containers().all(|container| {
        compute.iter().all(|name| {
            let (request, limit) = (amount(container, "requests", name), amount(container, "limits", name));
            !limit.is_empty() && (request.is_empty() || request == limit)
        })
    });
    match (unset, guaranteed) {
        (true, _) => "BestEffort",
        (_, true) => "Guaranteed",
        _ => "Burstable",
    }
}
