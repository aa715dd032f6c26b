//! Requests and limits: of containers as printed, of pods as the scheduler counts them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::labels::sorted;
use super::page::{Page, line};
use crate::objects::Field;
use crate::quantity::Quantity;

/// Amounts by resource name.
pub(super) type Amounts = BTreeMap<String, Quantity>;

/// A map of resource names to quantities, one line each.
pub(super) fn list(page: &mut Page, level: usize, resources: &Value) {
    for (name, quantity) in sorted(resources) {
        line!(page, level, "{name}:\t{}", quantity.scalar());
    }
}

/// The `limits` and `requests` of a container.
pub(super) fn of_container(page: &mut Page, resources: &Value) {
    for (title, amounts) in [("Limits", &resources["limits"]), ("Requests", &resources["requests"])] {
        if !amounts.entries().is_empty() {
            line!(page, 2, "{title}:");
            list(page, 3, amounts);
        }
    }
}

pub(super) fn amounts(resources: &Value) -> Amounts {
    let parsed = |(name, quantity): (&String, &Value)| Some((name.clone(), quantity.scalar().parse().ok()?));
    resources.entries().iter().filter_map(parsed).collect()
}

pub(super) fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, quantity) in more {
        sum.entry(name.clone()).or_default().add(*quantity);
    }
}

fn raise(sum: &mut Amounts, other: Amounts) {
    for (name, quantity) in other {
        let entry = sum.entry(name).or_insert(quantity);
        if quantity > *entry {
            *entry = quantity;
        }
    }
}

/// What a pod asks for and what it may use, as (requests, limits).
///
/// Containers run together, init containers one after the other before them; an init container that restarts
/// always stays and is counted with all that come later. Amounts set for the whole pod replace the sum.
pub(super) fn of_pod(pod: &Value) -> (Amounts, Amounts) {
    let spec = &pod["spec"];
    let mut requests = needed(spec, "requests");
    let mut limits = needed(spec, "limits");
    requests.extend(amounts(&spec["resources"]["requests"]));
    limits.extend(amounts(&spec["resources"]["limits"]));
    let overhead = amounts(&spec["overhead"]);
    add(&mut requests, &overhead);
    for (name, quantity) in &overhead {
        // Overhead raises a limit but does not make one.
        if let Some(limit) = limits.get_mut(name).filter(|limit| !limit.is_zero()) {
            limit.add(*quantity);
        }
    }
    (requests, limits)
}

fn needed(spec: &Value, which: &str) -> Amounts {
    let mut together = Amounts::new();
    for container in spec["containers"].items() {
        add(&mut together, &amounts(&container["resources"][which]));
    }
    let (mut staying, mut starting) = (Amounts::new(), Amounts::new());
    for container in spec["initContainers"].items() {
        let mut own = amounts(&container["resources"][which]);
        if container["restartPolicy"] == "Always" {
            add(&mut together, &own);
            add(&mut staying, &own);
            own = staying.clone();
        } else {
            add(&mut own, &staying);
        }
        raise(&mut starting, own);
    }
    raise(&mut together, starting);
    together
}

/// The amount that a `resourceFieldRef` stands for, in units of its divisor; empty where kubectl prints nothing.
pub(super) fn field_ref(reference: &Value, container: &Value) -> String {
    let resource = reference["resource"].text();
    let Some((which @ ("limits" | "requests"), name)) = resource.split_once('.') else {
        return String::new();
    };
    let known = matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
    if !known {
        return String::new();
    }
    let parse = |value: &Value| value.scalar().parse::<Quantity>().unwrap_or_default();
    let amount = parse(&container["resources"][which][name]);
    let divisor = parse(&reference["divisor"]);
    let (amount, divisor, unit) = match name {
        "cpu" => (amount.milli_value(), divisor.milli_value(), 1000),
        _ => (amount.value(), divisor.value(), 1),
    };
    let divisor = if divisor == 0 { unit } else { divisor };
    ((amount as f64 / divisor as f64).ceil() as i64).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn init_containers_count_by_their_peak() {
        let container = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
        let mut sidecar = container("50m");
        sidecar["restartPolicy"] = json!("Always");
        let pod = json!({"spec": {
            "containers": [container("100m"), container("200m")],
            "initContainers": [container("280m"), sidecar, container("400m")],
            "overhead": {"cpu": "10m"}}});
        let (requests, limits) = of_pod(&pod);
        assert_eq!(requests["cpu"].to_string(), "460m");
        assert!(limits.is_empty());
    }

    #[test]
    fn references_are_divided_and_rounded_up() {
        let container = json!({"resources": {"limits": {"cpu": "1500m", "memory": "1000Ki"}}});
        let value = |resource: &str, divisor: &str| {
            field_ref(&json!({"resource": resource, "divisor": divisor}), &container)
        };
        assert_eq!(value("limits.cpu", "0"), "2");
        assert_eq!(value("limits.cpu", "1m"), "1500");
        assert_eq!(value("limits.memory", "1Mi"), "1");
        assert_eq!(value("requests.memory", ""), "0");
        assert_eq!(value("limits.example.com/gpu", "1"), "");
    }
}
