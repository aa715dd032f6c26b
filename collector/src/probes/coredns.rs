//! Names that coredns is told by hand, against the addresses that exist now.
//!
//! The product writes its domain names into the `hosts` block of coredns, with the cluster address of the ingress
//! service. When that service is made anew it gets another address, and the names lead nowhere.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Rows of `probes/coredns-hosts.json`: one a name.
///
/// An entry is stale when its address is neither one of a service nor one of a node.
pub fn answers(configmaps: &[Value], services: &[Value], nodes: &[Value]) -> Vec<Value> {
    let is_coredns = |map: &&Value| {
        map.pointer("/metadata/namespace").is_some_and(|ns| ns == "kube-system")
            && map.pointer("/data/Corefile").is_some()
    };
    let mut present: BTreeMap<String, &'static str> = BTreeMap::new();
    let mut ingress = Vec::new();
    for service in services {
        let addresses = addresses_of_service(service);
        if is_ingress(service) {
            ingress.extend(addresses.iter().cloned());
        }
        present.extend(addresses.into_iter().map(|address| (address, "service")));
    }
    present.extend(nodes.iter().flat_map(addresses_of_node).map(|address| (address, "node")));
    ingress.sort();
    ingress.dedup();

    let mut rows = Vec::new();
    for map in configmaps.iter().filter(is_coredns) {
        let data = map.pointer("/data").and_then(Value::as_object);
        for (key, text) in data.into_iter().flatten().filter_map(|(key, value)| Some((key, value.as_str()?)))
        {
            for (address, name) in entries(key, text) {
                rows.push(json!({
                    "kind": "coredns_hosts",
                    "name": name,
                    "address": address,
                    "current": ingress,
                    "belongs_to": present.get(&address),
                    "stale": !present.contains_key(&address),
                    "configmap": map["metadata"]["name"],
                }));
            }
        }
    }
    rows
}

/// Names with their addresses: the `hosts { … }` blocks of a Corefile, or all of a file that such a block names.
fn entries(key: &str, text: &str) -> Vec<(String, String)> {
    let mut inside = key != "Corefile";
    let mut found = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match words[..] {
            ["hosts", .., "{"] => inside = true,
            ["}"] => inside = false,
            [address, ref names @ ..] if inside && address.parse::<std::net::IpAddr>().is_ok() => {
                found.extend(names.iter().map(|name| (address.to_owned(), (*name).to_owned())));
            }
            _ => {}
        }
    }
    found
}

fn is_ingress(service: &Value) -> bool {
    let labels = &service["metadata"]["labels"];
    ["app.kubernetes.io/name", "app.kubernetes.io/instance", "app"]
        .iter()
        .any(|key| labels[key].as_str().is_some_and(|value| value.contains("ingress-nginx")))
}

fn addresses_of_service(service: &Value) -> Vec<String> {
    let spec = &service["spec"];
    let lists = [&spec["clusterIPs"], &spec["externalIPs"]].into_iter().filter_map(Value::as_array).flatten();
    let of_balancer = service["status"]["loadBalancer"]["ingress"].as_array().into_iter().flatten();
    let mut all: Vec<String> = lists
        .chain([&spec["clusterIP"]])
        .chain(of_balancer.map(|entry| &entry["ip"]))
        .filter_map(Value::as_str)
        .filter(|address| !address.is_empty() && *address != "None")
        .map(str::to_owned)
        .collect();
    all.sort();
    all.dedup();
    all
}

fn addresses_of_node(node: &Value) -> Vec<String> {
    let all = node["status"]["addresses"].as_array().into_iter().flatten();
    all.filter(|address| address["type"] != "Hostname")
        .filter_map(|address| address["address"].as_str())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_nothing_has_any_more_is_stale() {
        let corefile = ".:53 {\n    hosts {\n        10.96.1.1 bkrepo.example cmdb.example\n        10.96.9.9 jobapi.example\n\
                        \x20       fallthrough\n    }\n    forward . 10.0.1.1\n}\n";
        let maps = [
            json!({"metadata": {"namespace": "kube-system", "name": "coredns"}, "data": {"Corefile": corefile}}),
        ];
        let services = [json!({"metadata": {"labels": {"app.kubernetes.io/instance": "ingress-nginx"}},
                               "spec": {"clusterIP": "10.96.1.1"}})];
        let rows = answers(&maps, &services, &[]);
        let stale: Vec<_> =
            rows.iter().map(|row| (row["name"].as_str().unwrap(), row["stale"] == true)).collect();
        assert_eq!(stale, [("bkrepo.example", false), ("cmdb.example", false), ("jobapi.example", true)]);
        assert_eq!(rows[2]["current"], json!(["10.96.1.1"]));
        assert!(
            answers(&[json!({"metadata": {"namespace": "a"}, "data": {"Corefile": corefile}})], &[], &[])
                .is_empty()
        );
    }

    #[test]
    fn a_node_that_runs_the_ingress_itself_is_no_stale_address() {
        let maps = [json!({"metadata": {"namespace": "kube-system", "name": "coredns"},
                           "data": {"Corefile": "hosts /etc/coredns/NodeHosts {\n}\n", "NodeHosts": "10.0.0.5 a.example\n"}})];
        let nodes = [json!({"status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.5"}]}})];
        let rows = answers(&maps, &[], &nodes);
        assert_eq!(
            (rows.len(), &rows[0]["stale"], &rows[0]["belongs_to"]),
            (1, &json!(false), &json!("node"))
        );
    }
}
