//! Services behind which nothing is ready.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Rows of `probes/service-endpoints.json`: one a service that selects pods and has no ready address.
///
/// A service without Endpoints object counts as one without addresses, so `endpoints` has to be the whole List.
pub fn answers(services: &[Value], endpoints: &[Value]) -> Vec<Value> {
    let key = |object: &Value| {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        (text("namespace"), text("name"))
    };
    let by_name: BTreeMap<(String, String), (usize, usize)> =
        endpoints.iter().map(|object| (key(object), count(object))).collect();
    services
        .iter()
        .filter(|service| {
            service["spec"]["selector"].as_object().is_some_and(|selector| !selector.is_empty())
        })
        .filter_map(|service| {
            let name = key(service);
            let (ready, not_ready) = by_name.get(&name).copied().unwrap_or_default();
            (ready == 0).then(|| {
                json!({
                    "kind": "service_endpoints",
                    "namespace": name.0,
                    "name": name.1,
                    "ready": ready,
                    "not_ready": not_ready,
                    "selector": service["spec"]["selector"],
                })
            })
        })
        .collect()
}

fn count(endpoints: &Value) -> (usize, usize) {
    let subsets = || endpoints["subsets"].as_array().into_iter().flatten();
    let sum = |field: &str| subsets().map(|subset| subset[field].as_array().map_or(0, Vec::len)).sum();
    (sum("addresses"), sum("notReadyAddresses"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_services_that_select_pods_and_have_none_ready_are_told() {
        let service = |name: &str, selector: Value| json!({"metadata": {"namespace": "a", "name": name}, "spec": {"selector": selector}});
        let services = [
            service("up", json!({"app": "up"})),
            service("down", json!({"app": "down"})),
            service("gone", json!({"app": "gone"})),
            service("by-hand", Value::Null),
        ];
        let endpoints = [
            json!({"metadata": {"namespace": "a", "name": "up"}, "subsets": [{"addresses": [{"ip": "10.0.0.1"}]}]}),
            json!({"metadata": {"namespace": "a", "name": "down"}, "subsets": [{"notReadyAddresses": [{"ip": "10.0.0.1"}]}]}),
        ];
        let rows = answers(&services, &endpoints);
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row["name"].as_str().unwrap(), row["not_ready"].as_u64().unwrap()))
            .collect();
        assert_eq!(told, [("down", 1), ("gone", 0)]);
    }
}
