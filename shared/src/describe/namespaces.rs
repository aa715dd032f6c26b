//! Namespaces, with their quotas and limits.

use serde_json::Value;

use super::labels::sorted;
use super::page::{Page, line};
use super::{Context, labels};
use crate::objects::{Field, name, namespace};

pub(super) fn describe(page: &mut Page, object: &Value, cx: Context<'_>) {
    line!(page, 0, "Name:\t{}", name(object));
    labels::labels(page, "Labels", &object["metadata"]["labels"]);
    labels::annotations(page, "Annotations", &object["metadata"]["annotations"]);
    line!(page, 0, "Status:\t{}", object["status"]["phase"].text());
    quotas(page, name(object), cx);
    limits(page, name(object), cx);
}

fn quotas(page: &mut Page, namespace: &str, cx: Context<'_>) {
    let quotas = by_name(cx.index.quotas.get(namespace));
    line!(page, 0, "");
    if quotas.is_empty() {
        return line!(page, 0, "No resource quota.");
    }
    let indent = if cx.is_132() { "  " } else { " " };
    line!(page, 0, "Resource Quotas");
    for (at, quota) in quotas.into_iter().enumerate() {
        if at > 0 {
            line!(page, 0, "");
        }
        line!(page, 0, "{indent}Name:\t{}", name(quota));
        scopes(page, indent, quota);
        line!(page, 0, "{indent}Resource\tUsed\tHard");
        line!(page, 0, "{indent}--------\t---\t---");
        used_and_hard(page, indent, quota);
    }
}

fn limits(page: &mut Page, namespace: &str, cx: Context<'_>) {
    let limits = by_name(cx.index.limit_ranges.get(namespace));
    line!(page, 0, "");
    if limits.is_empty() {
        return line!(page, 0, "No LimitRange resource.");
    }
    line!(page, 0, "Resource Limits");
    limit_header(page, " ");
    for range in limits {
        limit_rows(page, " ", range);
    }
}

fn by_name(objects: Option<&Vec<Value>>) -> Vec<&Value> {
    let mut objects: Vec<&Value> = objects.into_iter().flatten().collect();
    objects.sort_by_key(|object| name(object));
    objects
}

pub(super) fn describe_quota(page: &mut Page, quota: &Value) {
    line!(page, 0, "Name:\t{}", name(quota));
    line!(page, 0, "Namespace:\t{}", namespace(quota));
    scopes(page, "", quota);
    line!(page, 0, "Resource\tUsed\tHard");
    line!(page, 0, "--------\t----\t----");
    used_and_hard(page, "", quota);
}

fn scopes(page: &mut Page, indent: &str, quota: &Value) {
    let mut scopes: Vec<&str> = quota["spec"]["scopes"].items().iter().map(Value::text).collect();
    if scopes.is_empty() {
        return;
    }
    scopes.sort_unstable();
    line!(page, 0, "{indent}Scopes:\t{}", scopes.join(", "));
    for scope in scopes {
        let meaning = match scope {
            "Terminating" => {
                "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before \
                 being actively terminated by the system."
            }
            "NotTerminating" => {
                "Matches all pods that do not have an active deadline. These pods usually include long running pods \
                 whose container command is not expected to terminate."
            }
            "BestEffort" => {
                "Matches all pods that do not have resource requirements set. These pods have a best effort quality \
                 of service."
            }
            "NotBestEffort" => {
                "Matches all pods that have at least one resource requirement set. These pods have a burstable or \
                 guaranteed quality of service."
            }
            _ => continue,
        };
        line!(page, 0, "{indent} * {meaning}");
    }
}

fn used_and_hard(page: &mut Page, indent: &str, quota: &Value) {
    let status = &quota["status"];
    for (resource, hard) in sorted(&status["hard"]) {
        let used = status["used"][resource].as_str().unwrap_or("0");
        line!(page, 0, "{indent}{resource}\t{used}\t{}", hard.scalar());
    }
}

pub(super) fn describe_limits(page: &mut Page, range: &Value) {
    line!(page, 0, "Name:\t{}", name(range));
    line!(page, 0, "Namespace:\t{}", namespace(range));
    limit_header(page, "");
    limit_rows(page, "", range);
}

fn limit_header(page: &mut Page, indent: &str) {
    line!(
        page,
        0,
        "{indent}Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio"
    );
    line!(
        page,
        0,
        "{indent}----\t--------\t---\t---\t---------------\t-------------\t-----------------------"
    );
}

fn limit_rows(page: &mut Page, indent: &str, range: &Value) {
    const FIELDS: [&str; 5] = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];
    for limit in range["spec"]["limits"].items() {
        let mut resources: Vec<&String> =
            FIELDS.iter().flat_map(|field| limit[*field].entries().keys()).collect();
        resources.sort_unstable();
        resources.dedup();
        for resource in resources {
            let cells = FIELDS.map(|field| limit[field][resource].as_str().unwrap_or("-"));
            line!(page, 0, "{indent}{}\t{resource}\t{}", limit["type"].text(), cells.join("\t"));
        }
    }
}
