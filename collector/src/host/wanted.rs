//! What a cluster gives cause to look at from a host: its registries, its domain names, its own DNS, the folders of its
//! local volumes. A function of the objects alone.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::{Endpoint, HostOptions};

/// What was seen in the cluster's objects. They are shown one at a time: all pods of a large cluster would not fit.
#[derive(Debug, Default)]
pub struct Seen {
    registries: BTreeSet<String>,
    domains: BTreeSet<String>,
    dns: Vec<IpAddr>,
    /// (namespace, name)
    services: Vec<(String, String)>,
    /// Namespaces that hold a pod which should serve and does not.
    troubled: BTreeSet<String>,
    folders: BTreeSet<PathBuf>,
}

const MOST_REGISTRIES: usize = 20;
const MOST_DOMAINS: usize = 20;
const MOST_SERVICES: usize = 150;
/// Where an image without a host in its name comes from.
const DEFAULT_REGISTRY: &str = "registry-1.docker.io";

impl Seen {
    /// A Pod as JSON; only what is needed of it is parsed.
    pub fn pod(&mut self, json: &[u8]) {
        let Ok(pod) = serde_json::from_slice::<Pod>(json) else { return };
        if pod.is_unready() {
            self.troubled.insert(pod.metadata.namespace);
        }
        let containers = pod.spec.containers.iter().chain(&pod.spec.init_containers);
        self.registries.extend(containers.map(|container| registry(&container.image)));
    }

    pub fn service(&mut self, service: &Value) {
        let text = |field: &str| service["metadata"][field].as_str().unwrap_or_default().to_owned();
        let namespace = text("namespace");
        if namespace == "kube-system" && service["metadata"]["labels"]["k8s-app"] == "kube-dns" {
            self.dns.extend(service["spec"]["clusterIP"].as_str().and_then(|ip| ip.parse::<IpAddr>().ok()));
        }
        self.services.push((namespace, text("name")));
    }

    pub fn ingress(&mut self, ingress: &Value) {
        let rules = ingress["spec"]["rules"].as_array().into_iter().flatten();
        let hosts = rules.filter_map(|rule| rule["host"].as_str());
        self.domains
            .extend(hosts.filter(|host| !host.is_empty() && !host.starts_with('*')).map(str::to_owned));
    }

    pub fn volume(&mut self, volume: &Value) {
        let folder = volume["spec"]["local"]["path"].as_str().and_then(|path| Path::new(path).parent());
        self.folders.extend(folder.filter(|folder| *folder != Path::new("/")).map(Path::to_owned));
    }

    /// Adds what was seen to what the user asked for.
    pub fn add_to(self, options: &mut HostOptions) {
        for name in self.registries.into_iter().take(MOST_REGISTRIES) {
            let (host, port) = match name.rsplit_once(':') {
                Some((host, port)) => (host.to_owned(), port.parse().unwrap_or(443)),
                None => (name, 443),
            };
            push(&mut options.endpoints, Endpoint { name: host.clone(), port, tls: true });
            push(&mut options.names, host);
        }
        for domain in self.domains.into_iter().take(MOST_DOMAINS) {
            push(&mut options.endpoints, Endpoint { name: domain.clone(), port: 80, tls: false });
            push(&mut options.names, domain);
        }
        self.dns.into_iter().for_each(|address| push(&mut options.cluster_dns, address));
        push(&mut options.cluster_names, "kubernetes.default.svc.cluster.local".to_owned());
        let of_troubled = self.services.iter().filter(|(namespace, _)| self.troubled.contains(namespace));
        for (namespace, name) in of_troubled.take(MOST_SERVICES) {
            push(&mut options.cluster_names, format!("{name}.{namespace}.svc.cluster.local"));
        }
        self.folders.into_iter().for_each(|folder| push(&mut options.volume_folders, folder));
    }
}

/// As much of a Pod as is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pod {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    namespace: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    containers: Vec<Container>,
    init_containers: Vec<Container>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    image: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    phase: String,
    conditions: Vec<Condition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
}

impl Pod {
    fn is_unready(&self) -> bool {
        let ready = self.status.conditions.iter().any(|c| c.r#type == "Ready" && c.status == "True");
        self.status.phase != "Succeeded" && !ready
    }
}

fn push<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// The first part of an image's name is a host if it has a dot or a port, as the runtimes decide it.
fn registry(image: &str) -> String {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => match host {
            "docker.io" | "index.docker.io" => DEFAULT_REGISTRY.to_owned(),
            host => host.to_owned(),
        },
        _ => DEFAULT_REGISTRY.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn registries_domains_and_services_in_trouble_are_looked_at() {
        let pod = |namespace: &str, image: &str, ready: &str| {
            json!({"metadata": {"namespace": namespace}, "spec": {"containers": [{"image": image}]},
                   "status": {"conditions": [{"type": "Ready", "status": ready}]}})
        };
        let service = |namespace: &str, name: &str, labels: Value| json!({"metadata": {"namespace": namespace, "name": name, "labels": labels}, "spec": {"clusterIP": "10.96.0.10"}});
        let see = |options: &mut HostOptions| {
            let mut seen = Seen::default();
            seen.pod(&serde_json::to_vec(&pod("blueking", "docker.bk.example:5000/a/b:1", "False")).unwrap());
            seen.pod(&serde_json::to_vec(&pod("quiet", "bitnami/redis:6", "True")).unwrap());
            seen.service(&service("kube-system", "kube-dns", json!({"k8s-app": "kube-dns"})));
            seen.service(&service("blueking", "bk-elastic", json!({})));
            seen.service(&service("quiet", "web", json!({})));
            seen.ingress(
                &json!({"spec": {"rules": [{"host": "paas.bk.example"}, {"host": "*.bk.example"}]}}),
            );
            seen.volume(&json!({"spec": {"local": {"path": "/mnt/blueking/vol01"}}}));
            seen.add_to(options);
        };
        let mut options = HostOptions::default();
        see(&mut options);
        let endpoints: Vec<String> = options.endpoints.iter().map(ToString::to_string).collect();
        assert_eq!(
            endpoints,
            ["docker.bk.example:5000/tls", "registry-1.docker.io:443/tls", "paas.bk.example:80"]
        );
        assert_eq!(options.names, ["docker.bk.example", "registry-1.docker.io", "paas.bk.example"]);
        assert_eq!(options.cluster_dns, [IpAddr::from([10, 96, 0, 10])]);
        assert_eq!(
            options.cluster_names,
            ["kubernetes.default.svc.cluster.local", "bk-elastic.blueking.svc.cluster.local"]
        );
        assert_eq!(options.volume_folders, [PathBuf::from("/mnt/blueking")]);
        let before = options.clone();
        see(&mut options);
        assert_eq!(options.names, before.names, "nothing is looked at twice");
    }
}
