//! Deployments, stateful sets and daemon sets.

use serde_json::Value;

use super::index::{Phases, ReplicaSet, template_hash};
use super::page::{Page, line, or_none};
use super::{Context, claims, events, labels, template};
use crate::objects::{Field, name, namespace};

pub(super) fn describe_deployment(page: &mut Page, deployment: &Value, cx: Context<'_>) {
    let (metadata, spec, status) = (&deployment["metadata"], &deployment["spec"], &deployment["status"]);
    line!(page, 0, "Name:\t{}", name(deployment));
    line!(page, 0, "Namespace:\t{}", namespace(deployment));
    line!(page, 0, "CreationTimestamp:\t{}", cx.date(&metadata["creationTimestamp"]));
    labels::labels(page, "Labels", &metadata["labels"]);
    labels::annotations(page, "Annotations", &metadata["annotations"]);
    line!(page, 0, "Selector:\t{}", labels::selector(&spec["selector"]));
    let count = |field: &str| status[field].int();
    line!(
        page,
        0,
        "Replicas:\t{} desired | {} updated | {} total | {} available | {} unavailable",
        spec["replicas"].int(),
        count("updatedReplicas"),
        count("replicas"),
        count("availableReplicas"),
        count("unavailableReplicas")
    );
    line!(page, 0, "StrategyType:\t{}", spec["strategy"]["type"].text());
    line!(page, 0, "MinReadySeconds:\t{}", spec["minReadySeconds"].int());
    if let update @ Value::Object(_) = &spec["strategy"]["rollingUpdate"] {
        let (unavailable, surge) = (update["maxUnavailable"].scalar(), update["maxSurge"].scalar());
        line!(page, 0, "RollingUpdateStrategy:\t{unavailable} max unavailable, {surge} max surge");
    }
    template::describe(page, &spec["template"], cx);
    labels::conditions(page, &status["conditions"]);
    revisions(page, deployment, cx);
    events::events(page, deployment, "Deployment", cx);
}

/// The ReplicaSet that has the deployment's present template, and the older ones.
fn revisions(page: &mut Page, deployment: &Value, cx: Context<'_>) {
    let uid = deployment["metadata"]["uid"].text();
    let mut sets: Vec<&ReplicaSet> = cx.index.replica_sets.get(uid).into_iter().flatten().collect();
    sets.sort_by_key(|set| (&set.created, &set.name));
    let wanted = template_hash(&deployment["spec"]["template"]);
    let new = sets.iter().position(|set| set.template == wanted).map(|at| sets.remove(at));
    // Earlier kubectl leaves out those that have been scaled down.
    sets.retain(|set| cx.is_132() || set.wanted != 0);
    line!(page, 0, "OldReplicaSets:\t{}", or_none(&replica_sets(&sets)));
    line!(page, 0, "NewReplicaSet:\t{}", or_none(&replica_sets(new.as_slice())));
}

fn replica_sets(sets: &[&ReplicaSet]) -> String {
    let text = |set: &&ReplicaSet| format!("{} ({}/{} replicas created)", set.name, set.replicas, set.wanted);
    sets.iter().map(text).collect::<Vec<_>>().join(", ")
}

pub(super) fn describe_stateful_set(page: &mut Page, set: &Value, cx: Context<'_>) {
    let (metadata, spec, status) = (&set["metadata"], &set["spec"], &set["status"]);
    line!(page, 0, "Name:\t{}", name(set));
    line!(page, 0, "Namespace:\t{}", namespace(set));
    line!(page, 0, "CreationTimestamp:\t{}", cx.date(&metadata["creationTimestamp"]));
    line!(page, 0, "Selector:\t{}", labels::selector(&spec["selector"]));
    labels::labels(page, "Labels", &metadata["labels"]);
    labels::annotations(page, "Annotations", &metadata["annotations"]);
    line!(page, 0, "Replicas:\t{} desired | {} total", spec["replicas"].int(), status["replicas"].int());
    line!(page, 0, "Update Strategy:\t{}", spec["updateStrategy"]["type"].text());
    if let Some(partition) = spec["updateStrategy"]["rollingUpdate"]["partition"].as_i64() {
        line!(page, 1, "Partition:\t{partition}");
    }
    pods_status(page, set, cx);
    template::describe(page, &spec["template"], cx);
    claims::templates(page, &spec["volumeClaimTemplates"]);
    events::events(page, set, "StatefulSet", cx);
}

pub(super) fn describe_daemon_set(page: &mut Page, set: &Value, cx: Context<'_>) {
    let (metadata, spec, status) = (&set["metadata"], &set["spec"], &set["status"]);
    line!(page, 0, "Name:\t{}", name(set));
    line!(page, 0, "Selector:\t{}", labels::selector(&spec["selector"]));
    line!(page, 0, "Node-Selector:\t{}", labels::joined(&spec["template"]["spec"]["nodeSelector"]));
    labels::labels(page, "Labels", &metadata["labels"]);
    labels::annotations(page, "Annotations", &metadata["annotations"]);
    for (title, field) in [
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        line!(page, 0, "{title}: {}", status[field].int());
    }
    pods_status(page, set, cx);
    template::describe(page, &spec["template"], cx);
    events::events(page, set, "DaemonSet", cx);
}

/// How many of the pods that `workload` controls are in which phase.
pub(super) fn pods_status(page: &mut Page, workload: &Value, cx: Context<'_>) {
    if let Some(reason) = &cx.index.pods.missing {
        return line!(page, 0, "Pods Status:\t<unknown: {reason}>");
    }
    let uid = workload["metadata"]["uid"].text();
    let Phases { running, waiting, succeeded, failed } = cx.index.pods.phases_of(uid);
    line!(
        page,
        0,
        "Pods Status:\t{running} Running / {waiting} Waiting / {succeeded} Succeeded / {failed} Failed"
    );
}
