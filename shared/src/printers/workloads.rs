//! Workloads: what makes pods and keeps them.

use serde_json::Value;

use super::{Row, or};
use crate::describe::labels::{joined, selector};
use crate::objects::{Field, controller_of};
use crate::time::human_duration;

/// Names of a pod template's containers.
pub(super) fn names(template: &Value) -> String {
    of_containers(template, "name")
}

pub(super) fn images(template: &Value) -> String {
    of_containers(template, "image")
}

fn of_containers(template: &Value, field: &str) -> String {
    let texts: Vec<&str> = template["spec"]["containers"].items().iter().map(|c| c[field].text()).collect();
    texts.join(",")
}

/// A `LabelSelector`, or `<none>`.
pub(super) fn selected(labels: &Value) -> String {
    let text = selector(labels);
    if text.is_empty() { "<none>".to_owned() } else { text }
}

fn template_columns(row: &mut Row, template: &Value) {
    row.wide("Containers", names(template));
    row.wide("Images", images(template));
}

pub(super) fn deployment(row: &mut Row, deployment: &Value) {
    let (spec, status) = (&deployment["spec"], &deployment["status"]);
    row.name(deployment);
    row.text("Ready", format!("{}/{}", status["readyReplicas"].int(), spec["replicas"].int()));
    row.count("Up-to-date", status["updatedReplicas"].int());
    row.count("Available", status["availableReplicas"].int());
    row.age(deployment);
    template_columns(row, &spec["template"]);
    row.wide("Selector", selector(&spec["selector"]));
}

fn replicas(row: &mut Row, set: &Value) {
    row.name(set);
    row.int("Desired", set["spec"]["replicas"].int());
    row.int("Current", set["status"]["replicas"].int());
    row.int("Ready", set["status"]["readyReplicas"].int());
    row.age(set);
    template_columns(row, &set["spec"]["template"]);
}

pub(super) fn replica_set(row: &mut Row, set: &Value) {
    replicas(row, set);
    row.wide("Selector", selected(&set["spec"]["selector"]));
}

pub(super) fn replication_controller(row: &mut Row, controller: &Value) {
    replicas(row, controller);
    row.wide("Selector", joined(&controller["spec"]["selector"]));
}

pub(super) fn daemon_set(row: &mut Row, set: &Value) {
    let (template, status) = (&set["spec"]["template"], &set["status"]);
    row.name(set);
    row.int("Desired", status["desiredNumberScheduled"].int());
    row.int("Current", status["currentNumberScheduled"].int());
    row.int("Ready", status["numberReady"].int());
    row.int("Up-to-date", status["updatedNumberScheduled"].int());
    row.int("Available", status["numberAvailable"].int());
    row.text("Node Selector", joined(&template["spec"]["nodeSelector"]));
    row.age(set);
    template_columns(row, template);
    row.wide("Selector", selected(&set["spec"]["selector"]));
}

pub(super) fn stateful_set(row: &mut Row, set: &Value) {
    row.name(set);
    row.text("Ready", format!("{}/{}", set["status"]["readyReplicas"].int(), set["spec"]["replicas"].int()));
    row.age(set);
    template_columns(row, &set["spec"]["template"]);
}

pub(super) fn controller_revision(row: &mut Row, revision: &Value) {
    let owner = controller_of(revision).map(|owner| {
        let group = owner["apiVersion"].text().split_once('/').map(|(group, _)| format!(".{group}"));
        let kind = format!("{}{}", owner["kind"].text(), group.unwrap_or_default()).to_lowercase();
        format!("{kind}/{}", owner["name"].text())
    });
    row.name(revision);
    row.text("Controller", owner.unwrap_or_else(|| "<none>".to_owned()));
    row.count("Revision", revision["revision"].int());
    row.age(revision);
}

pub(super) fn job(row: &mut Row, job: &Value) {
    let (spec, status) = (&job["spec"], &job["status"]);
    let succeeded = status["succeeded"].int();
    let completions = match (spec["completions"].as_i64(), spec["parallelism"].int()) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, parallel) if parallel > 1 => format!("{succeeded}/1 of {parallel}"),
        (None, _) => format!("{succeeded}/1"),
    };
    row.name(job);
    if row.minor() >= 30 {
        row.text("Status", job_status(job));
    }
    row.text("Completions", completions);
    let duration = duration(row, status);
    row.text("Duration", duration);
    row.age(job);
    template_columns(row, &spec["template"]);
    row.wide("Selector", selected(&spec["selector"]));
}

fn duration(row: &Row, status: &Value) -> String {
    let time = |field: &str| status[field].text().parse::<jiff::Timestamp>().ok();
    match (time("startTime"), time("completionTime")) {
        (None, _) => String::new(),
        (Some(start), end) => human_duration(end.unwrap_or(row.settings.now).duration_since(start)),
    }
}

fn job_status(job: &Value) -> &'static str {
    let is = |kind: &str| {
        let conditions = job["status"]["conditions"].items();
        conditions.iter().any(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    if is("Complete") {
        "Complete"
    } else if is("Failed") {
        "Failed"
    } else if !job["metadata"]["deletionTimestamp"].is_null() {
        "Terminating"
    } else if is("Suspended") {
        "Suspended"
    } else if is("FailureTarget") {
        "FailureTarget"
    } else if is("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

pub(super) fn cron_job(row: &mut Row, cron: &Value) {
    let (spec, status) = (&cron["spec"], &cron["status"]);
    row.name(cron);
    row.text("Schedule", spec["schedule"].text());
    if row.minor() >= 30 {
        row.text("Timezone", or(&spec["timeZone"], "<none>"));
    }
    let suspend = match spec["suspend"].as_bool() {
        None => "<unset>",
        Some(true) => "True",
        Some(false) => "False",
    };
    row.cell(|| super::Column::new("Suspend", "boolean", 0), suspend.into());
    row.int("Active", i64::try_from(status["active"].items().len()).unwrap_or(i64::MAX));
    let last = match &status["lastScheduleTime"] {
        Value::Null => "<none>".to_owned(),
        time => row.since(time),
    };
    row.text("Last Schedule", last);
    row.age(cron);
    template_columns(row, &spec["jobTemplate"]["spec"]["template"]);
    row.wide("Selector", selected(&spec["jobTemplate"]["spec"]["selector"]));
}

pub(super) fn disruption_budget(row: &mut Row, budget: &Value) {
    row.name(budget);
    row.text("Min Available", or(&budget["spec"]["minAvailable"], "N/A"));
    row.text("Max Unavailable", or(&budget["spec"]["maxUnavailable"], "N/A"));
    row.int("Allowed Disruptions", budget["status"]["disruptionsAllowed"].int());
    row.age(budget);
}
