//! Nodes, with their pods and what these ask for.

use serde_json::Value;

use super::index::PodOnNode;
use super::page::{Page, line, or_none};
use super::resources::{self, Amounts};
use super::{Context, events, labels};
use crate::objects::{Field, name};
use crate::quantity::Quantity;

pub(super) fn describe(page: &mut Page, node: &Value, cx: Context<'_>) {
    let (metadata, spec, status) = (&node["metadata"], &node["spec"], &node["status"]);
    line!(page, 0, "Name:\t{}", name(node));
    line!(page, 0, "Roles:\t{}", or_none(&roles(&metadata["labels"])));
    labels::labels(page, "Labels", &metadata["labels"]);
    labels::annotations(page, "Annotations", &metadata["annotations"]);
    line!(page, 0, "CreationTimestamp:\t{}", cx.date(&metadata["creationTimestamp"]));
    labels::taints(page, &spec["taints"]);
    line!(page, 0, "Unschedulable:\t{}", spec["unschedulable"].flag());
    lease(page, name(node), cx);
    conditions(page, &status["conditions"], cx);
    line!(page, 0, "Addresses:");
    for address in status["addresses"].items() {
        line!(page, 1, "{}:\t{}", address["type"].text(), address["address"].text());
    }
    for (title, resources) in [("Capacity", &status["capacity"]), ("Allocatable", &status["allocatable"])] {
        if !resources.entries().is_empty() {
            line!(page, 0, "{title}:");
            resources::list(page, 1, resources);
        }
    }
    system_info(page, &status["nodeInfo"]);
    if let Some(range) = spec["podCIDR"].some_text() {
        line!(page, 0, "PodCIDR:\t{range}");
    }
    if !spec["podCIDRs"].items().is_empty() {
        let ranges: Vec<&str> = spec["podCIDRs"].items().iter().map(Value::text).collect();
        line!(page, 0, "PodCIDRs:\t{}", ranges.join(","));
    }
    if let Some(id) = spec["providerID"].some_text() {
        line!(page, 0, "ProviderID:\t{id}");
    }
    match &cx.index.pods.missing {
        Some(reason) => line!(page, 0, "Pods:\t<unknown: {reason}>"),
        None => pods(page, node, cx),
    }
    events::node_events(page, node, cx);
}

/// Roles are names of labels (`node-role.kubernetes.io/<role>`) or the value of an older one.
pub(crate) fn roles(labels: &Value) -> String {
    let role = |(key, value): (&String, &Value)| match key.strip_prefix("node-role.kubernetes.io/") {
        Some(role) => Some(role.to_owned()),
        None if key == "kubernetes.io/role" => Some(value.text().to_owned()),
        None => None,
    };
    let mut roles: Vec<String> =
        labels.entries().iter().filter_map(role).filter(|role| !role.is_empty()).collect();
    roles.sort_unstable();
    roles.dedup();
    roles.join(",")
}

fn lease(page: &mut Page, node: &str, cx: Context<'_>) {
    let Some(lease) = cx.index.leases.get(node) else {
        return line!(page, 0, "Lease:\tFailed to get lease: leases.coordination.k8s.io {node:?} not found");
    };
    let date = |time: &Value| if time.is_null() { "<unset>".to_owned() } else { cx.date(time) };
    line!(page, 0, "Lease:");
    line!(page, 1, "HolderIdentity:\t{}", lease.holder.as_str().unwrap_or("<unset>"));
    line!(page, 1, "AcquireTime:\t{}", date(&lease.acquired));
    line!(page, 1, "RenewTime:\t{}", date(&lease.renewed));
}

fn conditions(page: &mut Page, conditions: &Value, cx: Context<'_>) {
    if conditions.items().is_empty() {
        return;
    }
    line!(page, 0, "Conditions:");
    line!(page, 1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
    line!(page, 1, "----\t------\t-----------------\t------------------\t------\t-------");
    for condition in conditions.items() {
        let (kind, status) = (condition["type"].text(), condition["status"].text());
        let (heartbeat, changed) =
            (cx.date(&condition["lastHeartbeatTime"]), cx.date(&condition["lastTransitionTime"]));
        let (reason, message) = (condition["reason"].text(), condition["message"].text());
        line!(page, 1, "{kind} \t{status} \t{heartbeat} \t{changed} \t{reason} \t{message}");
    }
}

fn system_info(page: &mut Page, info: &Value) {
    line!(page, 0, "System Info:");
    for (title, field) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
        ("Kube-Proxy Version", "kubeProxyVersion"),
    ] {
        line!(page, 1, "{title}:\t{}", info[field].text());
    }
}

/// Pods that have not ended, and the sums of what they ask for and may use.
fn pods(page: &mut Page, node: &Value, cx: Context<'_>) {
    let status = &node["status"];
    let mut available = resources::amounts(&status["allocatable"]);
    if available.is_empty() {
        available = resources::amounts(&status["capacity"]);
    }
    let pods = cx.index.pods.on_node(name(node));
    line!(page, 0, "Non-terminated Pods:\t({} in total)", pods.len());
    let age = if cx.is_132() { "Age" } else { "AGE" };
    line!(page, 1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\t{age}");
    line!(page, 1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    for pod in pods {
        let PodOnNode { namespace, name, created, .. } = pod;
        let share = |amounts: &Amounts, resource: &str| share(amounts, resource, &available, Division::Plain);
        let cells = [
            share(&pod.requests, "cpu"),
            share(&pod.limits, "cpu"),
            share(&pod.requests, "memory"),
            share(&pod.limits, "memory"),
        ];
        line!(page, 1, "{namespace}\t{name}\t\t{}\t{}", cells.join("\t"), cx.age(created));
        resources::add(&mut requests, &pod.requests);
        resources::add(&mut limits, &pod.limits);
    }

    line!(page, 0, "Allocated resources:");
    line!(page, 1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
    line!(page, 1, "Resource\tRequests\tLimits");
    line!(page, 1, "--------\t--------\t------");
    let (mut huge_pages, mut others) = (Vec::new(), Vec::new());
    for resource in available.keys() {
        match resource.as_str() {
            "cpu" | "memory" | "ephemeral-storage" | "pods" => {}
            name if name.starts_with("hugepages-") => huge_pages.push(name),
            name => others.push(name),
        }
    }
    for resource in ["cpu", "memory", "ephemeral-storage"].into_iter().chain(huge_pages) {
        let share = |amounts: &Amounts| share(amounts, resource, &available, Division::ZeroSafe);
        line!(page, 1, "{resource}\t{}\t{}", share(&requests), share(&limits));
    }
    for resource in others {
        let amount = |amounts: &Amounts| amounts.get(resource).copied().unwrap_or_default();
        line!(page, 1, "{resource}\t{}\t{}", amount(&requests), amount(&limits));
    }
}

/// What kubectl does when the node offers nothing of a resource.
#[derive(Clone, Copy, PartialEq)]
enum Division {
    /// It divides nevertheless: the share of a single pod.
    Plain,
    /// The share is zero: the sums.
    ZeroSafe,
}

/// `250m (12%)`
fn share(amounts: &Amounts, resource: &str, available: &Amounts, division: Division) -> String {
    let amount = amounts.get(resource).copied().unwrap_or_default();
    let whole = available.get(resource).copied().unwrap_or_default();
    let number = |quantity: Quantity| match resource {
        "cpu" => quantity.milli_value() as f64,
        _ => quantity.value() as f64,
    };
    let percent = if division == Division::ZeroSafe && number(whole) == 0.0 {
        0
    } else {
        go_int64(number(amount) / number(whole) * 100.0)
    };
    format!("{amount} ({percent}%)")
}

/// Go's conversion on amd64: what does not fit becomes the smallest number.
fn go_int64(number: f64) -> i64 {
    if number.is_finite() && number.abs() < 9.2e18 { number as i64 } else { i64::MIN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn roles_come_from_both_kinds_of_label() {
        let labels = json!({"node-role.kubernetes.io/master": "", "kubernetes.io/role": "node",
            "node-role.kubernetes.io/": "", "kubernetes.io/hostname": "x"});
        assert_eq!(roles(&labels), "master,node");
        assert_eq!(roles(&Value::Null), "");
    }

    #[test]
    fn shares_are_truncated_percentages() {
        let of = |text: &str| resources::amounts(&json!({"cpu": text, "memory": "1Gi"}));
        assert_eq!(share(&of("333m"), "cpu", &of("2"), Division::Plain), "333m (16%)");
        assert_eq!(share(&of("1"), "memory", &Amounts::new(), Division::ZeroSafe), "1Gi (0%)");
        assert_eq!(share(&of("0"), "cpu", &Amounts::new(), Division::Plain), format!("0 ({}%)", i64::MIN));
    }
}
