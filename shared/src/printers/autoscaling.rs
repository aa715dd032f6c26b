//! Horizontal pod autoscalers, of `v1` and of `v2`.

use serde_json::{Value, json};

use super::{Row, or};
use crate::objects::Field;

/// So many metrics are shown.
const SHOWN: usize = 2;
/// Where the server keeps what `autoscaling/v1` has no field for.
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";

pub(super) fn autoscaler(row: &mut Row, scaler: &Value) {
    let (spec, status) = (&scaler["spec"], &scaler["status"]);
    let target = &spec["scaleTargetRef"];
    row.name(scaler);
    row.text("Reference", format!("{}/{}", target["kind"].text(), target["name"].text()));
    row.text("Targets", targets(scaler, row.minor() >= 31));
    row.text("MinPods", or(&spec["minReplicas"], "<unset>"));
    row.count("MaxPods", spec["maxReplicas"].int());
    row.count("Replicas", status["currentReplicas"].int());
    row.age(scaler);
}

fn targets(scaler: &Value, named: bool) -> String {
    let (wanted, current) = metrics(scaler);
    if wanted.is_empty() {
        return "<none>".to_owned();
    }
    let texts: Vec<String> = wanted
        .iter()
        .take(SHOWN)
        .enumerate()
        .map(|(at, metric)| target(metric, current.get(at), named))
        .collect();
    match wanted.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{} + {more} more...", texts.join(", ")),
        _ => texts.join(", "),
    }
}

/// The wanted and the present metrics in the form of `v2`.
fn metrics(scaler: &Value) -> (Vec<Value>, Vec<Value>) {
    let (spec, status) = (&scaler["spec"], &scaler["status"]);
    if spec["metrics"].is_array() {
        return (spec["metrics"].items().to_vec(), status["currentMetrics"].items().to_vec());
    }
    let kept = |key: &str| {
        let text = scaler["metadata"]["annotations"][key].text();
        let metrics: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
        metrics.into_iter().map(modern).collect::<Vec<_>>()
    };
    let (mut wanted, mut current) = (kept(METRICS), kept(CURRENT_METRICS));
    let cpu = |field: &str, percent: &Value| json!({"type": "Resource", "resource": {"name": "cpu", field: {"averageUtilization": percent}}});
    if let percent @ Value::Number(_) = &spec["targetCPUUtilizationPercentage"] {
        wanted.insert(0, cpu("target", percent));
        if let percent @ Value::Number(_) = &status["currentCPUUtilizationPercentage"] {
            current.insert(0, cpu("current", percent));
        }
    }
    (wanted, current)
}

/// A metric of `v2beta1`, which the annotations hold, in the form of `v2`.
fn modern(metric: Value) -> Value {
    let kind = metric["type"].text().to_owned();
    let field =
        kind.chars().take(1).flat_map(char::to_lowercase).chain(kind.chars().skip(1)).collect::<String>();
    let old = &metric[&field];
    let amounts = |names: [&str; 3]| {
        let [utilization, average, value] = names;
        json!({"averageUtilization": old[utilization], "averageValue": old[average], "value": old[value]})
    };
    let average = if kind == "Object" { "averageValue" } else { "targetAverageValue" };
    let current_average = if kind == "Object" { "averageValue" } else { "currentAverageValue" };
    json!({"type": kind, field: {
        "name": old["name"],
        "target": amounts(["targetAverageUtilization", average, "targetValue"]),
        "current": amounts(["currentAverageUtilization", current_average, "currentValue"]),
    }})
}

fn target(metric: &Value, current: Option<&Value>, named: bool) -> String {
    let field = match metric["type"].text() {
        "External" => "external",
        "Pods" => "pods",
        "Object" => "object",
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        _ => return "<unknown type>".to_owned(),
    };
    let wanted = &metric[field]["target"];
    let now = current.map_or(&Value::Null, |current| &current[field]["current"]);
    let shown = |value: &Value, unit: &str| match value {
        Value::Null => "<unknown>".to_owned(),
        value => format!("{}{unit}", value.scalar()),
    };
    let pair = |key: &str, unit: &str| format!("{}/{}{unit}", shown(&now[key], unit), wanted[key].scalar());
    let text = match field {
        "external" | "object" if !wanted["averageValue"].is_null() => pair("averageValue", "") + " (avg)",
        "external" | "object" => pair("value", ""),
        _ if !wanted["averageValue"].is_null() => pair("averageValue", ""),
        _ if wanted["averageUtilization"].is_null() => "<unknown>/<auto>".to_owned(),
        _ => pair("averageUtilization", "%"),
    };
    match field {
        "resource" | "containerResource" if named => format!("{}: {text}", metric[field]["name"].text()),
        _ => text,
    }
}
