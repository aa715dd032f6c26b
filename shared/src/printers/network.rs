//! Services, the addresses behind them, and what leads to them.

use serde_json::Value;

use super::workloads::selected;
use super::{Row, or, some};
use crate::describe::labels::joined;
use crate::describe::probes::host_port;
use crate::objects::Field;

/// So many hosts, ports and addresses are shown of one object.
const SHOWN: usize = 3;

fn commas(list: &Value) -> String {
    list.items().iter().map(Value::text).collect::<Vec<_>>().join(",")
}

pub(super) fn service(row: &mut Row, service: &Value) {
    let spec = &service["spec"];
    let address = spec["clusterIPs"][0].some_text().or_else(|| spec["clusterIP"].some_text());
    row.name(service);
    row.text("Type", spec["type"].text());
    row.text("Cluster-IP", address.unwrap_or("<none>"));
    row.text("External-IP", external(service));
    row.text("Port(s)", ports(&spec["ports"]));
    row.age(service);
    row.wide("Selector", joined(&spec["selector"]));
}

fn external(service: &Value) -> String {
    let spec = &service["spec"];
    let own = commas(&spec["externalIPs"]);
    match spec["type"].text() {
        "ClusterIP" | "NodePort" if own.is_empty() => "<none>".to_owned(),
        "ClusterIP" | "NodePort" => own,
        "LoadBalancer" => {
            let balancers = balancers(&service["status"]["loadBalancer"]);
            match (balancers.as_str(), own.as_str()) {
                ("", "") => "<pending>".to_owned(),
                ("", _) => own,
                (_, "") => balancers,
                _ => format!("{balancers},{own}"),
            }
        }
        "ExternalName" => spec["externalName"].text().to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

/// Addresses of load balancers, sorted, each once.
fn balancers(status: &Value) -> String {
    let address = |ingress: &Value| {
        ingress["ip"].some_text().or_else(|| ingress["hostname"].some_text()).map(str::to_owned)
    };
    let mut addresses: Vec<String> = status["ingress"].items().iter().filter_map(address).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.join(",")
}

fn ports(ports: &Value) -> String {
    let text = |port: &Value| {
        let (number, protocol) = (port["port"].int(), port["protocol"].text());
        match port["nodePort"].int() {
            node if node > 0 => format!("{number}:{node}/{protocol}"),
            _ => format!("{number}/{protocol}"),
        }
    };
    let ports: Vec<String> = ports.items().iter().map(text).collect();
    if ports.is_empty() { "<none>".to_owned() } else { ports.join(",") }
}

pub(super) fn endpoints(row: &mut Row, endpoints: &Value) {
    let mut addresses = Vec::new();
    for subset in endpoints["subsets"].items() {
        let ips = || subset["addresses"].items().iter().map(|address| address["ip"].text());
        if subset["ports"].items().is_empty() {
            addresses.extend(ips().map(str::to_owned));
        }
        for port in subset["ports"].items() {
            let port = port["port"].int().to_string();
            addresses.extend(ips().map(|ip| host_port(ip, &port)));
        }
    }
    let text =
        if endpoints["subsets"].items().is_empty() { "<none>".to_owned() } else { some(&addresses, SHOWN) };
    row.name(endpoints);
    row.text("Endpoints", text);
    row.age(endpoints);
}

pub(super) fn endpoint_slice(row: &mut Row, slice: &Value) {
    let port = |port: &Value| match (&port["port"], port["name"].as_str()) {
        (Value::Null, Some(name)) => name.to_owned(),
        (Value::Null, None) => "*".to_owned(),
        (number, _) => number.scalar(),
    };
    let ports: Vec<String> = slice["ports"].items().iter().map(port).collect();
    let addresses = slice["endpoints"].items().iter().flat_map(|endpoint| endpoint["addresses"].items());
    let addresses: Vec<String> = addresses.map(|address| address.text().to_owned()).collect();
    let or_unset = |list: &[String]| match some(list, SHOWN) {
        text if text.is_empty() => "<unset>".to_owned(),
        text => text,
    };
    row.name(slice);
    row.text("AddressType", slice["addressType"].text());
    row.text("Ports", or_unset(&ports));
    row.text("Endpoints", or_unset(&addresses));
    row.age(slice);
}

pub(super) fn ingress(row: &mut Row, ingress: &Value) {
    let spec = &ingress["spec"];
    let rules = spec["rules"].items();
    let hosts: Vec<&str> = rules.iter().filter_map(|rule| rule["host"].some_text()).collect();
    let shown = hosts[..hosts.len().min(SHOWN)].join(",");
    // What is left is counted in rules, with hosts or without.
    let last_shown = rules.iter().filter(|rule| rule["host"].some_text().is_some()).nth(SHOWN - 1);
    let more = last_shown.is_some_and(|last| rules.last().is_some_and(|end| !std::ptr::eq(last, end)));
    let hosts = match (shown.is_empty(), more) {
        (true, _) => "*".to_owned(),
        (false, true) => format!("{shown} + {} more...", rules.len() - SHOWN),
        (false, false) => shown,
    };
    row.name(ingress);
    row.text("Class", or(&spec["ingressClassName"], "<none>"));
    row.text("Hosts", hosts);
    row.text("Address", balancers(&ingress["status"]["loadBalancer"]));
    row.text("Ports", if spec["tls"].items().is_empty() { "80" } else { "80, 443" });
    row.age(ingress);
}

pub(super) fn ingress_class(row: &mut Row, class: &Value) {
    let parameters = &class["spec"]["parameters"];
    let group = parameters["apiGroup"].as_str().map(|group| format!(".{group}")).unwrap_or_default();
    row.name(class);
    row.text("Controller", class["spec"]["controller"].text());
    row.text(
        "Parameters",
        if parameters.is_object() {
            format!("{}{group}/{}", parameters["kind"].text(), parameters["name"].text())
        } else {
            "<none>".to_owned()
        },
    );
    row.age(class);
}

pub(super) fn policy(row: &mut Row, policy: &Value) {
    row.name(policy);
    row.text("Pod-Selector", selected(&policy["spec"]["podSelector"]));
    row.age(policy);
}
