//! Nodes, namespaces, and what the control plane notes of them.

use serde_json::Value;

use super::Row;
use crate::describe::node::roles;
use crate::objects::Field;

pub(super) fn node(row: &mut Row, node: &Value) {
    let (status, info) = (&node["status"], &node["status"]["nodeInfo"]);
    let ready = status["conditions"].items().iter().find(|condition| condition["type"] == "Ready");
    let mut state = match ready.map(|ready| ready["status"].text()) {
        Some("True") => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if node["spec"]["unschedulable"].flag() {
        state.push_str(",SchedulingDisabled");
    }
    row.name(node);
    row.text("Status", state);
    let roles = roles(&node["metadata"]["labels"]);
    row.text("Roles", if roles.is_empty() { "<none>".to_owned() } else { roles });
    row.age(node);
    row.text("Version", info["kubeletVersion"].text());
    row.wide("Internal-IP", address(status, "InternalIP"));
    row.wide("External-IP", address(status, "ExternalIP"));
    let or_unknown = |field: &str| info[field].some_text().unwrap_or("<unknown>").to_owned();
    row.wide("OS-Image", or_unknown("osImage"));
    row.wide("Kernel-Version", or_unknown("kernelVersion"));
    row.wide("Container-Runtime", or_unknown("containerRuntimeVersion"));
}

fn address<'n>(status: &'n Value, kind: &str) -> &'n str {
    let found = status["addresses"].items().iter().find(|address| address["type"] == kind);
    found.map_or("<none>", |address| address["address"].text())
}

pub(super) fn namespace(row: &mut Row, namespace: &Value) {
    row.name(namespace);
    row.text("Status", namespace["status"]["phase"].text());
    row.age(namespace);
}

pub(super) fn component_status(row: &mut Row, component: &Value) {
    let healthy = component["conditions"].items().iter().find(|condition| condition["type"] == "Healthy");
    let healthy = healthy.unwrap_or(&Value::Null);
    row.name(component);
    row.text(
        "Status",
        match healthy["status"].text() {
            "True" => "Healthy",
            "False" => "Unhealthy",
            _ => "Unknown",
        },
    );
    row.text("Message", healthy["message"].text());
    row.text("Error", healthy["error"].text());
}

pub(super) fn lease(row: &mut Row, lease: &Value) {
    row.name(lease);
    row.text("Holder", lease["spec"]["holderIdentity"].text());
    row.age(lease);
}

pub(super) fn runtime_class(row: &mut Row, class: &Value) {
    // The alpha version kept it in a spec.
    let handler = class["handler"].some_text().unwrap_or_else(|| class["spec"]["runtimeHandler"].text());
    row.name(class);
    row.text("Handler", handler);
    row.age(class);
}
