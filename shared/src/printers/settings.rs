//! What workloads are given: settings, accounts, quotas, priorities.

use serde_json::Value;

use super::{Column, Row, or};
use crate::describe::labels::sorted;
use crate::objects::Field;

pub(super) fn config_map(row: &mut Row, map: &Value) {
    row.name(map);
    row.count("Data", map["data"].entries().len() + map["binaryData"].entries().len());
    row.age(map);
}

pub(super) fn secret(row: &mut Row, secret: &Value) {
    row.name(secret);
    row.text("Type", secret["type"].text());
    if row.settings.secrets_withheld && secret["data"].is_null() {
        row.text("Data", "<unknown>");
    } else {
        row.count("Data", secret["data"].entries().len());
    }
    row.age(secret);
}

pub(super) fn service_account(row: &mut Row, account: &Value) {
    row.name(account);
    row.count("Secrets", account["secrets"].items().len());
    row.age(account);
}

pub(super) fn quota(row: &mut Row, quota: &Value) {
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (resource, hard) in sorted(&quota["status"]["hard"]) {
        let used = &quota["status"]["used"][resource];
        let used = if used.is_null() { "0".to_owned() } else { used.scalar() };
        let column = if resource.starts_with("limits.") { &mut limits } else { &mut requests };
        column.push(format!("{resource}: {used}/{}", hard.scalar()));
    }
    row.name(quota);
    row.age(quota);
    row.text("Request", requests.join(", "));
    row.text("Limit", limits.join(", "));
}

pub(super) fn priority_class(row: &mut Row, class: &Value) {
    row.name(class);
    row.int("Value", class["value"].int());
    row.flag("Global-Default", class["globalDefault"].flag());
    row.age(class);
    if row.minor() >= 32 {
        row.wide("PreemptionPolicy", or(&class["preemptionPolicy"], "PreemptLowerPriority"));
    }
}

pub(super) fn flow_schema(row: &mut Row, schema: &Value) {
    let spec = &schema["spec"];
    let dangling = schema["status"]["conditions"].items().iter().find(|c| c["type"] == "Dangling");
    row.name(schema);
    row.text("PriorityLevel", spec["priorityLevelConfiguration"]["name"].text());
    row.count("MatchingPrecedence", spec["matchingPrecedence"].int());
    row.text("DistinguisherMethod", or(&spec["distinguisherMethod"]["type"], "<none>"));
    row.age(schema);
    row.text("MissingPL", dangling.map_or("?", |condition| condition["status"].text()));
}

pub(super) fn priority_level(row: &mut Row, level: &Value) {
    let limited = &level["spec"]["limited"];
    let shares = match (&limited["nominalConcurrencyShares"], &limited["assuredConcurrencyShares"]) {
        (Value::Null, old) => old,
        (new, _) => new,
    };
    let queuing = &limited["limitResponse"]["queuing"];
    row.name(level);
    row.text("Type", level["spec"]["type"].text());
    let number = |row: &mut Row, column: &str, value: &Value| {
        let cell = if value.is_null() { "<none>".into() } else { value.clone() };
        row.cell(|| Column::new(column, "string", 0), cell);
    };
    let title = if row.minor() >= 26 { "NominalConcurrencyShares" } else { "AssuredConcurrencyShares" };
    number(row, title, shares);
    number(row, "Queues", &queuing["queues"]);
    number(row, "HandSize", &queuing["handSize"]);
    number(row, "QueueLengthLimit", &queuing["queueLengthLimit"]);
    row.age(level);
}
