//! Names of a line looked up in the bundle: whose address this is, whether anything answers there, whether the object
//! exists, what is mounted at the path.

use std::collections::HashMap;

use serde_json::Value;

use super::names::Name;
use crate::fields::{array_at, str_at};
use crate::matching::state::named;
use crate::report::model::{Subject, Text};
use crate::snapshot::{Known, Object, Snapshot, TextSource};

/// Where a line was written, as far as that is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Writer<'s> {
    pub namespace: Option<&'s str>,
    pub pod: Option<&'s str>,
    pub container: Option<&'s str>,
    pub node: Option<&'s str>,
}

impl<'s> Writer<'s> {
    pub fn of(source: &'s TextSource) -> Self {
        Self {
            namespace: source.namespace.as_deref(),
            pod: source.pod.as_deref(),
            container: source.container.as_deref(),
            node: source.node.as_deref(),
        }
    }
}

/// What a name turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    pub subject: Subject,
    /// What the bundle says of it, in a few words.
    pub state: Text,
    /// What it stands on, such as the pods behind a service: where a chain goes on.
    pub rests_on: Vec<Subject>,
}

/// Who listens where, in one bundle.
pub struct Addresses<'s> {
    snapshot: &'s Snapshot,
    by_address: HashMap<&'s str, (&'static str, &'s Object)>,
    services: HashMap<(&'s str, &'s str), &'s Object>,
    /// Ready and unready addresses behind each service.
    endpoints: HashMap<(&'s str, &'s str), (usize, usize)>,
}

impl<'s> Addresses<'s> {
    pub fn new(snapshot: &'s Snapshot) -> Self {
        let mut by_address = HashMap::new();
        let mut services = HashMap::new();
        for node in snapshot.objects.of("nodes") {
            for address in array_at(&node.value, "/status/addresses") {
                if let Some(address) = str_at(address, "/address") {
                    by_address.insert(address, ("Node", node));
                }
            }
        }
        for pod in snapshot.objects.of("pods") {
            let of_node = pod.value.pointer("/spec/hostNetwork").and_then(Value::as_bool) == Some(true);
            // The address of a pod that ended belongs to somebody else by now.
            let ended = matches!(str_at(&pod.value, "/status/phase"), Some("Succeeded" | "Failed"));
            if let Some(address) = str_at(&pod.value, "/status/podIP").filter(|_| !of_node && !ended) {
                by_address.insert(address, ("Pod", pod));
            }
        }
        for service in snapshot.objects.of("services") {
            if let (Some(namespace), Some(name)) = (service.namespace(), service.name()) {
                services.insert((namespace, name), service);
            }
            let own = str_at(&service.value, "/spec/clusterIP").into_iter();
            let more = array_at(&service.value, "/spec/clusterIPs").iter().filter_map(Value::as_str);
            let outside = array_at(&service.value, "/status/loadBalancer/ingress");
            let outside = outside.iter().filter_map(|ingress| str_at(ingress, "/ip"));
            for address in own.chain(more).chain(outside).filter(|address| *address != "None") {
                by_address.insert(address, ("Service", service));
            }
        }
        Self { snapshot, by_address, services, endpoints: endpoints(snapshot) }
    }

    /// What a name is, where the bundle knows it.
    pub fn resolve(&self, name: &Name<'_>, writer: Writer<'_>) -> Option<Resolved> {
        match name {
            Name::Endpoint { host, port, .. } => self.endpoint(host, *port, writer),
            Name::Object { kind, namespace, name, .. } => {
                self.object(kind, namespace.or(writer.namespace), name)
            }
            Name::Path(path) => self.mounted(path, writer),
            Name::Unit(unit) => self.unit(unit, writer),
        }
    }

    fn endpoint(&self, host: &str, port: Option<u16>, writer: Writer<'_>) -> Option<Resolved> {
        let (kind, object) = match self.by_address.get(host) {
            Some((kind, object)) => (*kind, *object),
            None => ("Service", self.service(host, writer.namespace)?),
        };
        let subject = named(kind, object.namespace(), object.name()?);
        match kind {
            "Service" => Some(self.behind(subject, object, port)),
            "Pod" => {
                let is_own = writer.pod == object.name() && writer.namespace == object.namespace();
                let state = match (is_own, str_at(&object.value, "/status/phase")) {
                    (true, _) => Text::new("就是写这行日志的 Pod 自己", "the pod that wrote this line"),
                    (false, phase) => Text::same(phase.unwrap_or("?")),
                };
                Some(Resolved { rests_on: vec![subject.clone()], subject, state })
            }
            _ => Some(Resolved {
                rests_on: vec![subject.clone()],
                subject,
                state: Text::new("节点的地址", "an address of the node"),
            }),
        }
    }

    /// The service that a host name names, as seen from a namespace: `name`, `name.namespace`, `name.namespace.svc…`,
    /// and `pod.name.namespace…` of a StatefulSet.
    fn service(&self, host: &str, namespace: Option<&str>) -> Option<&'s Object> {
        let host = host.trim_end_matches('.');
        let labels: Vec<&str> = host.split('.').collect();
        let service = |namespace: &str, name: &str| self.services.get(&(namespace, name)).copied();
        match labels.as_slice() {
            [name] => service(namespace?, name),
            [name, space] => service(space, name).or_else(|| service(namespace?, space)),
            [first, second, third, ..] => {
                if *third == "svc" {
                    service(second, first)
                } else {
                    service(third, second)
                }
            }
            [] => None,
        }
    }

    /// What stands behind a service, and whether it serves the port at all.
    fn behind(&self, subject: Subject, service: &'s Object, port: Option<u16>) -> Resolved {
        let ports: Vec<u64> = array_at(&service.value, "/spec/ports")
            .iter()
            .filter_map(|port| port.get("port")?.as_u64())
            .collect();
        let pods = self.selected(service);
        let rests_on: Vec<Subject> =
            pods.iter().filter_map(|pod| Some(named("Pod", pod.namespace(), pod.name()?))).collect();
        let key = (service.namespace().unwrap_or_default(), service.name().unwrap_or_default());
        let state = match (port, self.endpoints.get(&key)) {
            (Some(port), _) if !ports.is_empty() && !ports.contains(&u64::from(port)) => {
                let served = ports.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
                Text::new(
                    format!("没有端口 {port}，它的端口是 {served}"),
                    format!("has no port {port}; it serves {served}"),
                )
            }
            _ if str_at(&service.value, "/spec/type") == Some("ExternalName") => {
                let target = str_at(&service.value, "/spec/externalName").unwrap_or("?");
                Text::new(
                    format!("指向集群外的 {target}"),
                    format!("stands for {target} outside the cluster"),
                )
            }
            (_, Some((0, 0))) | (_, None)
                if self.knows_pods(service) && has_selector(service) && pods.is_empty() =>
            {
                Text::new("它的选择器没有选中任何 Pod", "its selector matches no pod")
            }
            (_, Some((0, unready))) => Text::new(
                format!("没有就绪的端点（{unready} 个未就绪）"),
                format!("has no ready endpoint ({unready} not ready)"),
            ),
            (_, Some((ready, 0))) => {
                Text::new(format!("有 {ready} 个就绪的端点"), format!("has {ready} ready endpoints"))
            }
            (_, Some((ready, unready))) => Text::new(
                format!("{ready} 个端点就绪，{unready} 个未就绪"),
                format!("has {ready} ready endpoints, {unready} not ready"),
            ),
            (_, None) => Text::new("端点没有收集到", "its endpoints were not collected"),
        };
        Resolved { subject, state, rests_on }
    }

    fn knows_pods(&self, service: &Object) -> bool {
        self.snapshot.coverage.list("pods", service.namespace()) == Known::Whole
    }

    fn selected(&self, service: &Object) -> Vec<&'s Object> {
        let Some(selector) = service.value.pointer("/spec/selector").and_then(Value::as_object) else {
            return Vec::new();
        };
        let pods = self.snapshot.objects.of("pods").iter();
        pods.filter(|pod| pod.namespace() == service.namespace())
            .filter(|pod| {
                let labels = pod.value.pointer("/metadata/labels");
                !selector.is_empty()
                    && selector.iter().all(|(key, value)| labels.and_then(|l| l.get(key)) == Some(value))
            })
            .collect()
    }

    /// Whether an object exists, here or under the same name elsewhere. Silent where its list was not read.
    fn object(&self, kind: &'static str, namespace: Option<&str>, name: &str) -> Option<Resolved> {
        let plural = match kind {
            "StorageClass" | "IngressClass" | "PriorityClass" => format!("{}es", kind.to_ascii_lowercase()),
            _ => format!("{}s", kind.to_ascii_lowercase()),
        };
        let is_global =
            matches!(kind, "StorageClass" | "IngressClass" | "PriorityClass" | "Node" | "PersistentVolume");
        let namespace = namespace.filter(|_| !is_global);
        let all = self.snapshot.objects.of(&plural);
        let of_name: Vec<&Object> = all.iter().filter(|object| object.name() == Some(name)).collect();
        let subject = named(kind, namespace, name);
        if of_name.iter().any(|object| is_global || object.namespace() == namespace) {
            let rests_on = vec![subject.clone()];
            return Some(Resolved { subject, state: Text::new("存在", "exists"), rests_on });
        }
        if !is_global && namespace.is_none()
            || self.snapshot.coverage.list(&plural, namespace) != Known::Whole
        {
            return None;
        }
        let elsewhere: Vec<&str> = of_name.iter().filter_map(|object| object.namespace()).take(3).collect();
        let state = if elsewhere.is_empty() {
            Text::new("不存在", "does not exist")
        } else {
            let names = elsewhere.join(", ");
            Text::new(
                format!("这个命名空间里没有；同名的在 {names}"),
                format!("does not exist in this namespace; there is one in {names}"),
            )
        };
        Some(Resolved { subject, state, rests_on: Vec::new() })
    }

    /// What the container that wrote the line has mounted at a path.
    fn mounted(&self, path: &str, writer: Writer<'_>) -> Option<Resolved> {
        let pods = self.snapshot.objects.of("pods");
        let pod = pods.iter().find(|pod| pod.name() == writer.pod && pod.namespace() == writer.namespace)?;
        let containers = array_at(&pod.value, "/spec/containers");
        let containers = containers.iter().chain(array_at(&pod.value, "/spec/initContainers"));
        let container = containers
            .into_iter()
            .find(|container| writer.container.is_none_or(|name| str_at(container, "/name") == Some(name)))?;
        let mounts = array_at(container, "/volumeMounts").iter();
        let is_below = |mount: &str| {
            path.strip_prefix(mount).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mount = mounts
            .filter(|mount| str_at(mount, "/mountPath").is_some_and(|at| is_below(at.trim_end_matches('/'))))
            .max_by_key(|mount| str_at(mount, "/mountPath").map_or(0, str::len))?;
        let volume_name = str_at(mount, "/name")?;
        let volume = array_at(&pod.value, "/spec/volumes")
            .iter()
            .find(|volume| str_at(volume, "/name") == Some(volume_name))?;
        let read_only = mount.get("readOnly").and_then(Value::as_bool) == Some(true);
        let sources = [
            ("PersistentVolumeClaim", "/persistentVolumeClaim/claimName"),
            ("ConfigMap", "/configMap/name"),
            ("Secret", "/secret/secretName"),
        ];
        let at = str_at(mount, "/mountPath").unwrap_or_default();
        let found = sources.iter().find_map(|(kind, pointer)| Some((*kind, str_at(volume, pointer)?)));
        let (zh, en) = match (found, read_only) {
            (Some(("ConfigMap" | "Secret", _)), _) | (_, true) => ("，只读", ", read-only"),
            _ => ("", ""),
        };
        let state = Text::new(format!("挂载在 {at}{zh}"), format!("mounted at {at}{en}"));
        match found {
            Some((kind, name)) => {
                let subject = named(kind, writer.namespace, name);
                Some(Resolved { rests_on: vec![subject.clone()], subject, state })
            }
            None => {
                let kind = volume.as_object()?.keys().find(|key| *key != "name")?;
                let subject = Subject {
                    node: None,
                    ..named("Volume", writer.namespace, &format!("{kind} {volume_name}"))
                };
                Some(Resolved { subject, state, rests_on: Vec::new() })
            }
        }
    }

    /// What the facts of the line's host, or else of the only host, say of a systemd unit.
    fn unit(&self, unit: &str, writer: Writer<'_>) -> Option<Resolved> {
        let hosts = self.snapshot.objects.of("hosts");
        let own = hosts.iter().find(|host| {
            let node = str_at(&host.value, "/node").or_else(|| str_at(&host.value, "/name"));
            node.is_some() && node == writer.node
        });
        let host = own.or_else(|| hosts.first().filter(|_| hosts.len() == 1))?;
        let state = host.value.get("units")?.get(unit)?.as_str()?;
        let on = str_at(&host.value, "/name").unwrap_or_default();
        let subject = named("Unit", None, &format!("{unit} ({on})"));
        Some(Resolved { subject, state: Text::same(state), rests_on: Vec::new() })
    }
}

/// Ready and unready addresses by service, from either kind of object.
fn endpoints(snapshot: &Snapshot) -> HashMap<(&str, &str), (usize, usize)> {
    let mut counts: HashMap<(&str, &str), (usize, usize)> = HashMap::new();
    for object in snapshot.objects.of("endpoints") {
        let (Some(namespace), Some(name)) = (object.namespace(), object.name()) else { continue };
        let count = counts.entry((namespace, name)).or_default();
        for subset in array_at(&object.value, "/subsets") {
            count.0 += array_at(subset, "/addresses").len();
            count.1 += array_at(subset, "/notReadyAddresses").len();
        }
    }
    let of_services: Vec<(&str, &str)> = counts.keys().copied().collect();
    for object in snapshot.objects.of("endpointslices.discovery.k8s.io") {
        let label =
            object.value.pointer("/metadata/labels").and_then(|l| l.get("kubernetes.io/service-name"));
        let (Some(namespace), Some(name)) = (object.namespace(), label.and_then(Value::as_str)) else {
            continue;
        };
        if of_services.contains(&(namespace, name)) {
            continue;
        }
        let count = counts.entry((namespace, name)).or_default();
        for endpoint in array_at(&object.value, "/endpoints") {
            let addresses = array_at(endpoint, "/addresses").len();
            match endpoint.pointer("/conditions/ready").and_then(Value::as_bool) {
                Some(false) => count.1 += addresses,
                _ => count.0 += addresses,
            }
        }
    }
    counts
}

fn has_selector(service: &Object) -> bool {
    service.value.pointer("/spec/selector").and_then(Value::as_object).is_some_and(|map| !map.is_empty())
}
