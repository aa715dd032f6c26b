//! Ingresses, of `networking.k8s.io/v1` and of the older versions whose backends are written differently.

use serde_json::{Value, json};

use super::page::{Page, line};
use super::{Context, endpoints, events, labels};
use crate::objects::{Field, name, namespace};

pub(super) fn describe(page: &mut Page, ingress: &Value, cx: Context<'_>) {
    let (metadata, spec) = (&ingress["metadata"], &ingress["spec"]);
    line!(page, 0, "Name:\t{}", name(ingress));
    if cx.is_132() {
        labels::labels(page, "Labels", &metadata["labels"]);
    }
    line!(page, 0, "Namespace:\t{}", namespace(ingress));
    line!(page, 0, "Address:\t{}", addresses(&ingress["status"]["loadBalancer"]["ingress"]));
    if cx.is_132() {
        line!(page, 0, "Ingress Class:\t{}", spec["ingressClassName"].as_str().unwrap_or("<none>"));
    }
    let default = default_backend(ingress, cx);
    line!(page, 0, "Default backend:\t{default}");
    if !spec["tls"].items().is_empty() {
        line!(page, 0, "TLS:");
        for tls in spec["tls"].items() {
            let hosts: Vec<&str> = tls["hosts"].items().iter().map(Value::text).collect();
            let hosts = hosts.join(",");
            match tls["secretName"].some_text() {
                Some(secret) => line!(page, 1, "{secret} terminates {hosts}"),
                None => line!(page, 1, "SNI routes {hosts}"),
            }
        }
    }
    rules(page, ingress, &default, cx);
    labels::annotations(page, "Annotations", &metadata["annotations"]);
    events::events(page, ingress, "Ingress", cx);
}

fn addresses(ingress: &Value) -> String {
    let address = |one: &Value| one["ip"].some_text().or(one["hostname"].some_text()).map(str::to_owned);
    let mut addresses: Vec<String> = ingress.items().iter().filter_map(address).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.join(",")
}

fn default_backend(ingress: &Value, cx: Context<'_>) -> String {
    let spec = &ingress["spec"];
    match [&spec["defaultBackend"], &spec["backend"]].into_iter().find(|backend| backend.is_object()) {
        Some(own) => backend(namespace(ingress), own, cx),
        None if cx.is_132() => "<default>".to_owned(),
        // Earlier kubectl names the service that the controllers of its time fell back to.
        None => {
            let service = json!({"service": {"name": "default-http-backend", "port": {"number": 80}}});
            backend("kube-system", &service, cx)
        }
    }
}

fn rules(page: &mut Page, ingress: &Value, default: &str, cx: Context<'_>) {
    line!(page, 0, "Rules:");
    line!(page, 1, "Host\tPath\tBackends");
    line!(page, 1, "----\t----\t--------");
    let mut any = false;
    for rule in ingress["spec"]["rules"].items().iter().filter(|rule| rule["http"].is_object()) {
        any = true;
        line!(page, 1, "{}\t", rule["host"].some_text().unwrap_or("*"));
        for path in rule["http"]["paths"].items() {
            let behind = backend(namespace(ingress), &path["backend"], cx);
            line!(page, 2, "\t{} \t{behind}", path["path"].text());
        }
    }
    if !any {
        line!(page, 1, "*\t*\t{default}");
    }
}

/// `service:port (addresses)`
fn backend(namespace: &str, backend: &Value, cx: Context<'_>) -> String {
    if let resource @ Value::Object(_) = &backend["resource"] {
        let (group, kind) = (resource["apiGroup"].scalar(), resource["kind"].text());
        return format!("APIGroup: {group}, Kind: {kind}, Name: {}", resource["name"].text());
    }
    // `service: {name, port: {name | number}}` now, `serviceName` and `servicePort` before.
    let (service, port) = match &backend["service"] {
        service @ Value::Object(_) => {
            let port = &service["port"];
            (service["name"].text(), if port["number"].is_null() { &port["name"] } else { &port["number"] })
        }
        _ => (backend["serviceName"].text(), &backend["servicePort"]),
    };
    let behind = addresses_behind(namespace, service, port, cx);
    format!("{service}:{} ({behind})", port.scalar())
}

fn addresses_behind(namespace: &str, service: &str, port: &Value, cx: Context<'_>) -> String {
    if !cx.is_132() && !endpoints::exist(namespace, service, cx) {
        return format!("<error: endpoints {service:?} not found>");
    }
    let Some(ports) = cx.index.services.get(&(namespace.to_owned(), service.to_owned())) else {
        return format!("<error: services {service:?} not found>");
    };
    let matches = |candidate: &&Value| match port {
        Value::Number(_) => candidate["port"] == *port,
        _ => port.some_text().is_some() && candidate["name"] == *port,
    };
    let port_name = ports.items().iter().find(matches).map_or("", |found| found["name"].text());
    endpoints::of_port(namespace, service, port_name, cx)
}
