//! Jobs and cron jobs.

use jiff::Timestamp;
use serde_json::Value;

use super::labels::shorten;
use super::page::{Page, line, or_none};
use super::{Context, containers, events, labels, template};
use crate::objects::{Field, controller_of, name, namespace};
use crate::time::human_duration;

/// So many characters of the list of completed indexes are shown.
const MAX_INDEXES: usize = 50;

pub(super) fn describe(page: &mut Page, job: &Value, cx: Context<'_>) {
    let (metadata, spec, status) = (&job["metadata"], &job["spec"], &job["status"]);
    line!(page, 0, "Name:\t{}", name(job));
    line!(page, 0, "Namespace:\t{}", namespace(job));
    line!(page, 0, "Selector:\t{}", labels::selector(&spec["selector"]));
    labels::labels(page, "Labels", &metadata["labels"]);
    labels::annotations(page, "Annotations", &metadata["annotations"]);
    if let Some(owner) = controller_of(job) {
        line!(page, 0, "Controlled By:\t{}/{}", owner["kind"].text(), owner["name"].text());
    }
    if let Some(parallelism) = spec["parallelism"].as_i64() {
        line!(page, 0, "Parallelism:\t{parallelism}");
    }
    line!(page, 0, "Completions:\t{}", or_unset(&spec["completions"]));
    if cx.is_132() {
        for (title, field) in [
            ("Completion Mode", "completionMode"),
            ("Suspend", "suspend"),
            ("Backoff Limit", "backoffLimit"),
            ("TTL Seconds After Finished", "ttlSecondsAfterFinished"),
        ] {
            if !spec[field].is_null() {
                line!(page, 0, "{title}:\t{}", spec[field].scalar());
            }
        }
    }
    times(page, status, cx);
    if let Some(seconds) = spec["activeDeadlineSeconds"].as_i64() {
        line!(page, 0, "Active Deadline Seconds:\t{seconds}s");
    }
    pods_statuses(page, status, cx);
    if cx.is_132() && spec["completionMode"] == "Indexed" {
        let indexes = shorten(status["completedIndexes"].text(), MAX_INDEXES);
        line!(page, 0, "Completed Indexes:\t{}", or_none(&indexes));
    }
    template::describe(page, &spec["template"], cx);
    events::events(page, job, "Job", cx);
}

fn or_unset(number: &Value) -> String {
    if number.is_null() { "<unset>".to_owned() } else { number.scalar() }
}

fn times(page: &mut Page, status: &Value, cx: Context<'_>) {
    let (started, completed) = (&status["startTime"], &status["completionTime"]);
    if started.is_string() {
        line!(page, 0, "Start Time:\t{}", cx.date(started));
    }
    if completed.is_string() {
        line!(page, 0, "Completed At:\t{}", cx.date(completed));
    }
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    if let (Some(started), Some(completed)) = (time(started), time(completed)) {
        line!(page, 0, "Duration:\t{}", human_duration(completed.duration_since(started)));
    }
}

fn pods_statuses(page: &mut Page, status: &Value, cx: Context<'_>) {
    let (active, succeeded, failed) =
        (status["active"].int(), status["succeeded"].int(), status["failed"].int());
    let active = match (cx.is_132(), status["ready"].as_i64()) {
        (false, _) => format!("{active} Running"),
        (true, None) => format!("{active} Active"),
        (true, Some(ready)) => format!("{active} Active ({ready} Ready)"),
    };
    line!(page, 0, "Pods Statuses:\t{active} / {succeeded} Succeeded / {failed} Failed");
}

pub(super) fn describe_cron_job(page: &mut Page, cron: &Value, cx: Context<'_>) {
    let (metadata, spec, status) = (&cron["metadata"], &cron["spec"], &cron["status"]);
    line!(page, 0, "Name:\t{}", name(cron));
    line!(page, 0, "Namespace:\t{}", namespace(cron));
    labels::labels(page, "Labels", &metadata["labels"]);
    labels::annotations(page, "Annotations", &metadata["annotations"]);
    line!(page, 0, "Schedule:\t{}", spec["schedule"].text());
    line!(page, 0, "Concurrency Policy:\t{}", spec["concurrencyPolicy"].text());
    let suspend = spec["suspend"].as_bool().map_or("<unset>", containers::capital);
    line!(page, 0, "Suspend:\t{suspend}");
    let kept = [("Successful", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")];
    for (which, field) in kept {
        line!(page, 0, "{which} Job History Limit:\t{}", or_unset(&spec[field]));
    }
    let deadline = spec["startingDeadlineSeconds"].as_i64();
    let deadline = deadline.map_or("<unset>".to_owned(), |seconds| format!("{seconds}s"));
    line!(page, 0, "Starting Deadline Seconds:\t{deadline}");
    job_template(page, &spec["jobTemplate"]["spec"], cx);
    let last = &status["lastScheduleTime"];
    let last = if last.is_string() { cx.date(last) } else { "<unset>".to_owned() };
    line!(page, 0, "Last Schedule Time:\t{last}");
    let active: Vec<&str> = status["active"].items().iter().map(|job| job["name"].text()).collect();
    line!(page, 0, "Active Jobs:\t{}", or_none(&active.join(", ")));
    events::events(page, cron, "CronJob", cx);
}

fn job_template(page: &mut Page, spec: &Value, cx: Context<'_>) {
    let selector = match &spec["selector"] {
        Value::Null => "<unset>".to_owned(),
        selector => labels::selector(selector),
    };
    line!(page, 0, "Selector:\t{selector}");
    line!(page, 0, "Parallelism:\t{}", or_unset(&spec["parallelism"]));
    line!(page, 0, "Completions:\t{}", or_unset(&spec["completions"]));
    if let Some(seconds) = spec["activeDeadlineSeconds"].as_i64() {
        line!(page, 0, "Active Deadline Seconds:\t{seconds}s");
    }
    template::describe(page, &spec["template"], cx);
}
