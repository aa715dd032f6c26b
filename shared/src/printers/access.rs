//! Who may do what, and who is asked.

use jiff::SignedDuration;
use serde_json::Value;

use super::Row;
use crate::objects::Field;
use crate::time::human_duration;

pub(super) fn binding(row: &mut Row, binding: &Value) {
    let subjects = |kind: &str| {
        let of_kind = binding["subjects"].items().iter().filter(|subject| subject["kind"] == kind);
        let names = of_kind.map(|subject| match kind {
            "ServiceAccount" => format!("{}/{}", subject["namespace"].text(), subject["name"].text()),
            _ => subject["name"].text().to_owned(),
        });
        names.collect::<Vec<_>>().join(", ")
    };
    let role = &binding["roleRef"];
    row.name(binding);
    row.text("Role", format!("{}/{}", role["kind"].text(), role["name"].text()));
    row.age(binding);
    row.wide("Users", subjects("User"));
    row.wide("Groups", subjects("Group"));
    row.wide("ServiceAccounts", subjects("ServiceAccount"));
}

pub(super) fn signing_request(row: &mut Row, request: &Value) {
    let (spec, status) = (&request["spec"], &request["status"]);
    let has = |kind: &str| status["conditions"].items().iter().any(|condition| condition["type"] == kind);
    let mut state = Vec::new();
    if has("Denied") {
        state.push("Denied");
    } else if has("Approved") {
        state.push("Approved");
    } else {
        state.push("Pending");
    }
    if has("Failed") {
        state.push("Failed");
    }
    if status["certificate"].some_text().is_some() {
        state.push("Issued");
    }
    row.name(request);
    row.age(request);
    row.text("SignerName", spec["signerName"].some_text().unwrap_or("<none>"));
    row.text("Requestor", spec["username"].text());
    if row.minor() >= 22 {
        let wanted = spec["expirationSeconds"].as_i64().map(SignedDuration::from_secs);
        row.text("RequestedDuration", wanted.map_or_else(|| "<none>".to_owned(), human_duration));
    }
    row.text("Condition", state.join(","));
}

pub(super) fn webhooks(row: &mut Row, configuration: &Value) {
    row.name(configuration);
    row.int("Webhooks", i64::try_from(configuration["webhooks"].items().len()).unwrap_or(i64::MAX));
    row.age(configuration);
}

pub(super) fn security_policy(row: &mut Row, policy: &Value) {
    let spec = &policy["spec"];
    let commas = |field: &str| spec[field].items().iter().map(Value::text).collect::<Vec<_>>().join(",");
    row.name(policy);
    row.text("Priv", spec["privileged"].flag().to_string());
    row.text("Caps", commas("allowedCapabilities"));
    for (column, field) in [
        ("Selinux", "seLinux"),
        ("RunAsUser", "runAsUser"),
        ("FsGroup", "fsGroup"),
        ("SupGroup", "supplementalGroups"),
    ] {
        row.text(column, spec[field]["rule"].text());
    }
    row.text("ReadOnlyRootFs", spec["readOnlyRootFilesystem"].flag().to_string());
    row.text("Volumes", commas("volumes"));
}

pub(super) fn api_service(row: &mut Row, service: &Value) {
    let behind = &service["spec"]["service"];
    let available = service["status"]["conditions"].items().iter().find(|c| c["type"] == "Available");
    let available = match available {
        None => "Unknown".to_owned(),
        Some(condition) if condition["status"] == "True" => "True".to_owned(),
        Some(condition) => format!("{} ({})", condition["status"].text(), condition["reason"].text()),
    };
    row.name(service);
    row.text(
        "Service",
        if behind.is_object() {
            format!("{}/{}", behind["namespace"].text(), behind["name"].text())
        } else {
            "Local".to_owned()
        },
    );
    row.text("Available", available);
    row.age(service);
}
