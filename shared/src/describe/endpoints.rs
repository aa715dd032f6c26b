//! Addresses behind services, from EndpointSlices or from Endpoints.

use serde_json::Value;

use super::page::{Page, line};
use super::probes::host_port;
use super::{Context, events, labels};
use crate::objects::{Field, name, namespace};

/// So many addresses are shown of each port.
const SHOWN: usize = 3;

/// The ready addresses behind `port` (its name; empty for the only one) of a service.
///
/// kubectl 1.32 reads EndpointSlices and 1.20 Endpoints. The two say the same where the server has both; an old
/// server may offer slices only in a version that kubectl 1.32 does not know.
pub(super) fn of_port(namespace: &str, service: &str, port: &str, cx: Context<'_>) -> String {
    let key = (namespace.to_owned(), service.to_owned());
    let mut addresses = Addresses::default();
    match cx.index.slices.get(&key).filter(|_| cx.is_132()) {
        Some(slices) => slices.iter().for_each(|slice| addresses.add_slice(slice, port)),
        None => match cx.index.endpoints.get(&key) {
            Some(subsets) if !subsets.items().is_empty() => {
                subsets.items().iter().for_each(|subset| addresses.add_subset(subset, port));
            }
            _ => return "<none>".to_owned(),
        },
    }
    addresses.print()
}

/// Whether anything is known of the addresses of a service.
pub(super) fn exist(namespace: &str, service: &str, cx: Context<'_>) -> bool {
    let key = (namespace.to_owned(), service.to_owned());
    cx.index.endpoints.contains_key(&key) || cx.index.slices.contains_key(&key)
}

#[derive(Default)]
struct Addresses {
    shown: Vec<String>,
    count: usize,
    /// One more was met after the list was full.
    more: bool,
}

impl Addresses {
    fn add(&mut self, address: &str, port: Option<&Value>) {
        self.more |= self.shown.len() == SHOWN;
        if !self.more {
            self.shown.push(match port {
                Some(port) => host_port(address, &port["port"].int().to_string()),
                None => address.to_owned(),
            });
        }
        self.count += 1;
    }

    fn add_subset(&mut self, subset: &Value, port: &str) {
        let addresses = || subset["addresses"].items().iter().map(|address| address["ip"].text());
        // Headless services may have no ports.
        if subset["ports"].items().is_empty() {
            addresses().for_each(|address| self.add(address, None));
        }
        for found in subset["ports"].items().iter().filter(|found| found["name"].text() == port) {
            addresses().for_each(|address| self.add(address, Some(found)));
        }
    }

    fn add_slice(&mut self, slice: &Value, port: &str) {
        let ready = |endpoint: &&Value| endpoint["conditions"]["ready"].as_bool().unwrap_or(true);
        let addresses = || {
            slice["endpoints"].items().iter().filter(ready).map(|endpoint| endpoint["addresses"][0].text())
        };
        if slice["ports"].items().is_empty() {
            addresses().for_each(|address| self.add(address, None));
        }
        for found in slice["ports"].items().iter().filter(|found| found["name"].text() == port) {
            addresses().for_each(|address| self.add(address, Some(found)));
        }
    }

    fn print(self) -> String {
        let shown = self.shown.join(",");
        if self.more { format!("{shown} + {} more...", self.count - SHOWN) } else { shown }
    }
}

/// The description of an Endpoints object.
pub(super) fn describe(page: &mut Page, endpoints: &Value, cx: Context<'_>) {
    line!(page, 0, "Name:\t{}", name(endpoints));
    line!(page, 0, "Namespace:\t{}", namespace(endpoints));
    labels::labels(page, "Labels", &endpoints["metadata"]["labels"]);
    labels::annotations(page, "Annotations", &endpoints["metadata"]["annotations"]);
    line!(page, 0, "Subsets:");
    for subset in endpoints["subsets"].items() {
        for (title, field) in [("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")] {
            let ips: Vec<&str> = subset[field].items().iter().map(|address| address["ip"].text()).collect();
            line!(page, 1, "{title}:\t{}", super::page::or_none(&ips.join(",")));
        }
        if !subset["ports"].items().is_empty() {
            line!(page, 1, "Ports:");
            line!(page, 2, "Name\tPort\tProtocol");
            line!(page, 2, "----\t----\t--------");
            for port in subset["ports"].items() {
                let name = port["name"].some_text().unwrap_or("<unset>");
                line!(page, 2, "{name}\t{}\t{}", port["port"].int(), port["protocol"].text());
            }
        }
        line!(page, 0, "");
    }
    events::events(page, endpoints, "Endpoints", cx);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn three_addresses_are_shown_and_the_rest_counted() {
        let mut addresses = Addresses::default();
        let ips: Vec<Value> = (1..=5).map(|n| json!({"ip": format!("10.0.0.{n}")})).collect();
        addresses.add_subset(&json!({"addresses": ips, "ports": [{"port": 80}]}), "");
        assert_eq!(addresses.print(), "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...");
    }

    #[test]
    fn endpoints_that_are_not_ready_do_not_count() {
        let mut addresses = Addresses::default();
        let slice = json!({"ports": [{"name": "http", "port": 80}], "endpoints": [
            {"addresses": ["fd00::1"], "conditions": {"ready": true}},
            {"addresses": ["fd00::2"], "conditions": {"ready": false}}, {"addresses": ["fd00::3"]}]});
        addresses.add_slice(&slice, "http");
        assert_eq!(addresses.print(), "[fd00::1]:80,[fd00::3]:80");
    }
}
