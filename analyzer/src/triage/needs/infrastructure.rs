//! Pods that all others need: those that give pods a network, resolve names, route services, make volumes.
//!
//! What a pod is for shows in what it mounts and in its labels; a table shows nothing but its name.

use serde_json::Value;

use crate::report::model::Subject;
use crate::snapshot::{Object, Snapshot};
use crate::triage::draft::named;
use crate::triage::world::{array_at, str_at};

/// Beginnings of the names of pods that give others a network.
const NETWORK: &[&str] = &[
    "calico-node-",
    "canal-",
    "kube-flannel-",
    "cilium-",
    "weave-net-",
    "antrea-agent-",
    "kube-router-",
    "kindnet-",
    "aws-node-",
    "kube-ovn-cni-",
    "ovnkube-node-",
    "kube-multus-",
    "multus-",
    "terway-",
    "tke-bridge-agent-",
    "rke2-canal-",
    "azure-cns-",
    "galaxy-",
];

/// Beginnings of the names of pods that resolve names.
const RESOLVERS: &[&str] = &["coredns-", "kube-dns-", "rke2-coredns-rke2-coredns-", "dns-default-"];

/// Fewer letters of a driver's name do not tell it from others.
const TELLING: usize = 3;

pub struct Infrastructure<'a> {
    network: Vec<&'a Object>,
    resolvers: Vec<&'a Object>,
    proxies: Vec<&'a Object>,
    pods: &'a [Object],
}

impl<'a> Infrastructure<'a> {
    pub fn of(snapshot: &'a Snapshot) -> Self {
        let pods = snapshot.objects.of("pods");
        let all = |is: fn(&Object) -> bool| pods.iter().filter(|pod| is(pod)).collect();
        Self { network: all(gives_network), resolvers: all(resolves), proxies: all(routes), pods }
    }

    pub fn is_network(&self, subject: &Subject) -> bool {
        self.network
            .iter()
            .any(|pod| pod.name() == Some(&subject.name) && pod.namespace() == subject.namespace.as_deref())
    }

    /// Those that give the pods of a node their network; of any node, where the node is not known.
    pub fn network_on(&self, node: Option<&str>) -> Vec<Subject> {
        on(&self.network, node)
    }

    /// Those that lead a service's address to its pods, on a node.
    pub fn routers_on(&self, node: Option<&str>) -> Vec<Subject> {
        let proxies = on(&self.proxies, node);
        if proxies.is_empty() { on(&self.network, node) } else { proxies }
    }

    pub fn resolvers(&self) -> Vec<Subject> {
        subjects(self.resolvers.iter().copied())
    }

    /// The pods that make and attach volumes for a driver.
    pub fn drivers(&self, driver: &str) -> Vec<Subject> {
        subjects(self.serving(driver))
    }

    pub fn drivers_on(&self, driver: &str, node: Option<&str>) -> Vec<Subject> {
        let all: Vec<&Object> = self.serving(driver).collect();
        on(&all, node)
    }

    /// Who says in arguments or environment that it is the driver; else who is called after it.
    fn serving(&self, driver: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
        let by_word: Vec<&Object> = self.pods.iter().filter(|pod| says(&pod.value, driver)).collect();
        let found = if by_word.is_empty() {
            let name = telling_part(driver);
            self.pods
                .iter()
                .filter(|pod| !name.is_empty() && pod.name().is_some_and(|pod| is_called(pod, &name)))
                .collect()
        } else {
            by_word
        };
        found.into_iter()
    }
}

fn subjects<'a>(pods: impl Iterator<Item = &'a Object>) -> Vec<Subject> {
    pods.filter_map(|pod| Some(named("Pod", pod.namespace(), pod.name()?))).collect()
}

fn on(pods: &[&Object], node: Option<&str>) -> Vec<Subject> {
    let place = |pod: &Object| pod.str_at(&["spec", "nodeName"]).map(str::to_owned);
    let here = pods.iter().copied().filter(|pod| match (node, place(pod)) {
        (Some(node), Some(other)) => node == other,
        _ => true,
    });
    subjects(here)
}

pub fn is_of_host_network(pod: &Value) -> bool {
    pod.pointer("/spec/hostNetwork").and_then(Value::as_bool) == Some(true)
}

fn begins(pod: &Object, names: &[&str]) -> bool {
    pod.name().is_some_and(|name| names.iter().any(|start| name.starts_with(start)))
}

fn mounts(pod: &Value, folder: &str) -> bool {
    array_at(pod, "/spec/volumes").iter().any(|volume| {
        str_at(volume, "/hostPath/path").is_some_and(|path| path.trim_end_matches('/') == folder)
    })
}

/// A plugin writes its configuration where the runtime reads it.
fn gives_network(pod: &Object) -> bool {
    if array_at(&pod.value, "/spec/volumes").is_empty() {
        let is_operator =
            pod.name().is_some_and(|name| name.contains("-operator-") || name.contains("-controllers-"));
        return begins(pod, NETWORK) && !is_operator;
    }
    is_of_host_network(&pod.value) && mounts(&pod.value, "/etc/cni/net.d")
}

fn resolves(pod: &Object) -> bool {
    let label = |key: &str| pod.str_at(&["metadata", "labels", key]);
    label("k8s-app") == Some("kube-dns")
        || label("app.kubernetes.io/name") == Some("coredns")
        || begins(pod, RESOLVERS)
}

fn routes(pod: &Object) -> bool {
    pod.str_at(&["metadata", "labels", "k8s-app"]) == Some("kube-proxy") || begins(pod, &["kube-proxy-"])
}

fn says(pod: &Value, driver: &str) -> bool {
    let has_driver = |text: &str| {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || "./-_".contains(c))).any(|word| word == driver)
    };
    array_at(pod, "/spec/containers").iter().any(|container| {
        let words = ["/args", "/command"]
            .into_iter()
            .flat_map(|list| array_at(container, list))
            .filter_map(Value::as_str);
        let environment =
            array_at(container, "/env").iter().filter_map(|variable| str_at(variable, "/value"));
        words.chain(environment).any(has_driver)
    })
}

/// `ebs` of `ebs.csi.aws.com`, `longhorn` of `driver.longhorn.io`, `local-path` of `rancher.io/local-path`.
fn telling_part(driver: &str) -> String {
    let words = [
        "driver",
        "csi",
        "com",
        "io",
        "org",
        "net",
        "kubernetes",
        "k8s",
        "storage",
        "provisioner",
        "volume",
        "no-provisioner",
    ];
    let part = driver.rsplit_once('/').map_or(driver, |(_, after)| after);
    let mut parts = part.split('.').map(|part| {
        part.trim_start_matches("csi-").trim_end_matches("-csi").trim_end_matches("-provisioner")
    });
    parts.find(|part| part.len() >= TELLING && !words.contains(part)).unwrap_or_default().to_owned()
}

fn is_called(pod: &str, name: &str) -> bool {
    format!("-{pod}-").contains(&format!("-{name}-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_known_by_the_part_of_its_name_that_is_its_own() {
        for (driver, part) in [
            ("ebs.csi.aws.com", "ebs"),
            ("driver.longhorn.io", "longhorn"),
            ("rancher.io/local-path", "local-path"),
            ("rook-ceph.rbd.csi.ceph.com", "rook-ceph"),
            ("kubernetes.io/no-provisioner", ""),
        ] {
            assert_eq!(telling_part(driver), part, "{driver}");
        }
        assert!(is_called("local-path-provisioner-7c6f-x", "local-path"));
        assert!(!is_called("nebs-1", "ebs"));
    }
}
