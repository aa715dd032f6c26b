//! Services.

use serde_json::Value;

use super::page::{Page, line, or_none};
use super::{Context, endpoints, events, labels};
use crate::objects::{Field, name, namespace};

pub(super) fn describe(page: &mut Page, service: &Value, cx: Context<'_>) {
    let (metadata, spec) = (&service["metadata"], &service["spec"]);
    line!(page, 0, "Name:\t{}", name(service));
    line!(page, 0, "Namespace:\t{}", namespace(service));
    labels::labels(page, "Labels", &metadata["labels"]);
    labels::annotations(page, "Annotations", &metadata["annotations"]);
    line!(page, 0, "Selector:\t{}", labels::joined(&spec["selector"]));
    line!(page, 0, "Type:\t{}", spec["type"].text());
    if let Some(policy) = spec["ipFamilyPolicy"].as_str() {
        line!(page, 0, "IP Family Policy:\t{policy}");
    }
    line!(page, 0, "IP Families:\t{}", or_none(&commas(&spec["ipFamilies"])));
    line!(page, 0, "IP:\t{}", spec["clusterIP"].text());
    line!(page, 0, "IPs:\t{}", or_none(&commas(&spec["clusterIPs"])));
    if !spec["externalIPs"].items().is_empty() {
        line!(page, 0, "External IPs:\t{}", commas(&spec["externalIPs"]));
    }
    if let Some(address) = spec["loadBalancerIP"].some_text() {
        let title = if cx.is_132() { "Desired LoadBalancer IP" } else { "IP" };
        line!(page, 0, "{title}:\t{address}");
    }
    if let Some(name) = spec["externalName"].some_text() {
        line!(page, 0, "External Name:\t{name}");
    }
    let ingress = &service["status"]["loadBalancer"]["ingress"];
    if !ingress.items().is_empty() {
        line!(page, 0, "LoadBalancer Ingress:\t{}", load_balancers(ingress, cx));
    }
    for port in spec["ports"].items() {
        self::port(page, service, port, cx);
    }
    policies(page, spec, cx);
    events::events(page, service, "Service", cx);
}

fn commas(list: &Value) -> String {
    list.items().iter().map(Value::text).collect::<Vec<_>>().join(",")
}

fn load_balancers(ingress: &Value, cx: Context<'_>) -> String {
    let text = |ingress: &Value| {
        let address = ingress["ip"].some_text().unwrap_or_else(|| ingress["hostname"].text());
        match ingress["ipMode"].as_str().filter(|_| cx.is_132()) {
            Some(mode) => format!("{address} ({mode})"),
            None => address.to_owned(),
        }
    };
    ingress.items().iter().map(text).collect::<Vec<_>>().join(", ")
}

fn port(page: &mut Page, service: &Value, port: &Value, cx: Context<'_>) {
    let protocol = port["protocol"].text();
    let title = port["name"].some_text().unwrap_or("<unset>");
    line!(page, 0, "Port:\t{title}\t{}/{protocol}", port["port"].int());
    line!(page, 0, "TargetPort:\t{}/{protocol}", port["targetPort"].scalar());
    if port["nodePort"].int() != 0 {
        line!(page, 0, "NodePort:\t{title}\t{}/{protocol}", port["nodePort"].int());
    }
    let behind = endpoints::of_port(namespace(service), name(service), port["name"].text(), cx);
    line!(page, 0, "Endpoints:\t{behind}");
}

fn policies(page: &mut Page, spec: &Value, cx: Context<'_>) {
    line!(page, 0, "Session Affinity:\t{}", spec["sessionAffinity"].text());
    let mut policy = |title: &str, field: &str| {
        if let Some(policy) = spec[field].some_text() {
            line!(page, 0, "{title}:\t{policy}");
        }
    };
    policy("External Traffic Policy", "externalTrafficPolicy");
    if cx.is_132() {
        policy("Internal Traffic Policy", "internalTrafficPolicy");
        policy("Traffic Distribution", "trafficDistribution");
    }
    if spec["healthCheckNodePort"].int() != 0 {
        line!(page, 0, "HealthCheck NodePort:\t{}", spec["healthCheckNodePort"].int());
    }
    if !spec["loadBalancerSourceRanges"].items().is_empty() {
        line!(page, 0, "LoadBalancer Source Ranges:\t{}", commas(&spec["loadBalancerSourceRanges"]));
    }
}
