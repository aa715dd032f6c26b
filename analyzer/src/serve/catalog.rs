//! Which kinds of objects a snapshot can be asked for, and under which names.
//!
//! The built-in kinds are always there, so that asking for one that was not collected says so instead of "no such kind".
//! Their versions are those of the objects, else of the requests in the ledger, else today's. Custom kinds are those of
//! the definitions, and those of which there are objects.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use shared::describe::Kind;
use shared::objects::Field;
use shared::printers::{self, Column, Settings, custom::Printer};

use crate::intake;
use crate::snapshot::{Object, Snapshot};

/// (group, version, kind, plural, short names, namespaced, part of `kubectl get all`)
type BuiltIn = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], bool, bool);

const BUILT_IN: &[BuiltIn] = &[
    ("", "v1", "ComponentStatus", "componentstatuses", &["cs"], false, false),
    ("", "v1", "ConfigMap", "configmaps", &["cm"], true, false),
    ("", "v1", "Endpoints", "endpoints", &["ep"], true, false),
    ("", "v1", "Event", "events", &["ev"], true, false),
    ("", "v1", "LimitRange", "limitranges", &["limits"], true, false),
    ("", "v1", "Namespace", "namespaces", &["ns"], false, false),
    ("", "v1", "Node", "nodes", &["no"], false, false),
    ("", "v1", "PersistentVolume", "persistentvolumes", &["pv"], false, false),
    ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", &["pvc"], true, false),
    ("", "v1", "Pod", "pods", &["po"], true, true),
    ("", "v1", "PodTemplate", "podtemplates", &[], true, false),
    ("", "v1", "ReplicationController", "replicationcontrollers", &["rc"], true, true),
    ("", "v1", "ResourceQuota", "resourcequotas", &["quota"], true, false),
    ("", "v1", "Secret", "secrets", &[], true, false),
    ("", "v1", "Service", "services", &["svc"], true, true),
    ("", "v1", "ServiceAccount", "serviceaccounts", &["sa"], true, false),
    (
        "admissionregistration.k8s.io",
        "v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        &[],
        false,
        false,
    ),
    (
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        &[],
        false,
        false,
    ),
    (
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        &["crd", "crds"],
        false,
        false,
    ),
    ("apiregistration.k8s.io", "v1", "APIService", "apiservices", &[], false, false),
    ("apps", "v1", "ControllerRevision", "controllerrevisions", &[], true, false),
    ("apps", "v1", "DaemonSet", "daemonsets", &["ds"], true, true),
    ("apps", "v1", "Deployment", "deployments", &["deploy"], true, true),
    ("apps", "v1", "ReplicaSet", "replicasets", &["rs"], true, true),
    ("apps", "v1", "StatefulSet", "statefulsets", &["sts"], true, true),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", &["hpa"], true, true),
    ("batch", "v1", "CronJob", "cronjobs", &["cj"], true, true),
    ("batch", "v1", "Job", "jobs", &[], true, true),
    (
        "certificates.k8s.io",
        "v1",
        "CertificateSigningRequest",
        "certificatesigningrequests",
        &["csr"],
        false,
        false,
    ),
    ("coordination.k8s.io", "v1", "Lease", "leases", &[], true, false),
    ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", &[], true, false),
    ("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas", &[], false, false),
    (
        "flowcontrol.apiserver.k8s.io",
        "v1",
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations",
        &[],
        false,
        false,
    ),
    ("networking.k8s.io", "v1", "Ingress", "ingresses", &["ing"], true, false),
    ("networking.k8s.io", "v1", "IngressClass", "ingressclasses", &[], false, false),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", &["netpol"], true, false),
    ("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", &[], false, false),
    ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", &["pdb"], true, false),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", &[], false, false),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", &[], false, false),
    ("rbac.authorization.k8s.io", "v1", "Role", "roles", &[], true, false),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", &[], true, false),
    ("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", &["pc"], false, false),
    ("storage.k8s.io", "v1", "CSIDriver", "csidrivers", &[], false, false),
    ("storage.k8s.io", "v1", "CSINode", "csinodes", &[], false, false),
    ("storage.k8s.io", "v1", "StorageClass", "storageclasses", &["sc"], false, false),
    ("storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", &[], false, false),
];

/// Kinds that old servers had and new ones have not: served where there are objects or requests of them.
const FORMER: &[BuiltIn] =
    &[("policy", "v1beta1", "PodSecurityPolicy", "podsecuritypolicies", &["psp"], false, false)];

/// Kinds beyond this are left out: definitions come from strangers.
const MAX_KINDS: usize = 5000;

/// One kind of object.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Empty for the core group.
    pub group: String,
    pub version: String,
    pub kind: String,
    pub plural: String,
    pub singular: String,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    pub namespaced: bool,
    /// Its collection in the snapshot's objects.
    pub collection: String,
    columns: Columns,
}

#[derive(Debug, Clone)]
enum Columns {
    BuiltIn,
    Custom(Printer),
}

impl Resource {
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `pods`, `deployments.apps`: what the server's messages call it.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    pub fn columns(&self, settings: Settings) -> Vec<Column> {
        match &self.columns {
            Columns::BuiltIn => {
                printers::columns(Kind { api_version: &self.api_version(), kind: &self.kind }, settings)
            }
            Columns::Custom(printer) => printer.columns(),
        }
    }

    pub fn cells(&self, object: &Value, settings: Settings) -> Vec<Value> {
        match &self.columns {
            Columns::BuiltIn => {
                printers::cells(Kind { api_version: &self.api_version(), kind: &self.kind }, object, settings)
            }
            Columns::Custom(printer) => printer.cells(object, settings),
        }
    }
}

/// Every kind of the snapshot, by group and plural.
pub fn of(snapshot: &Snapshot) -> Vec<Resource> {
    let asked = asked(snapshot);
    let mut found: BTreeMap<(String, String), Resource> = BTreeMap::new();
    let mut seen: Vec<String> = Vec::new();
    for (at, built_in) in BUILT_IN.iter().chain(FORMER).enumerate() {
        let (group, version, kind, plural, short, namespaced, all) = *built_in;
        let collection = intake::collection(group, plural);
        let told = version_of(snapshot.objects.of(&collection), kind).or_else(|| {
            asked.get(&(group.to_owned(), plural.to_owned())).map(|v| (group.to_owned(), v.clone()))
        });
        if at >= BUILT_IN.len() && told.is_none() {
            continue;
        }
        let (group, version) = told.unwrap_or_else(|| (group.to_owned(), version.to_owned()));
        seen.push(collection.clone());
        let resource = Resource {
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            singular: kind.to_lowercase(),
            short_names: short.iter().map(|name| (*name).to_owned()).collect(),
            categories: if all { vec!["all".to_owned()] } else { Vec::new() },
            namespaced,
            collection,
            columns: Columns::BuiltIn,
            group,
            version,
        };
        found.insert((resource.group.clone(), resource.plural.clone()), resource);
    }
    for definition in snapshot.objects.of("customresourcedefinitions") {
        let resource = defined(snapshot, &definition.value, &asked);
        found.extend(resource.map(|resource| ((resource.group.clone(), resource.plural.clone()), resource)));
        if found.len() >= MAX_KINDS {
            break;
        }
    }
    for (collection, objects) in &snapshot.objects.by_collection {
        let resource = undefined(collection, objects).filter(|_| !seen.contains(collection));
        if let Some(resource) = resource.filter(|_| found.len() < MAX_KINDS) {
            found.entry((resource.group.clone(), resource.plural.clone())).or_insert(resource);
        }
    }
    for ((group, plural), version) in asked {
        let collection = intake::collection(&group, &plural);
        if seen.contains(&collection) || found.len() >= MAX_KINDS || !is_name(&group, &plural, &version) {
            continue;
        }
        // Its kind was nowhere told: only its name is good for anything.
        let singular = plural.strip_suffix('s').unwrap_or(&plural).to_owned();
        found.entry((group.clone(), plural.clone())).or_insert_with(|| Resource {
            kind: singular[..1].to_uppercase() + &singular[1..],
            short_names: Vec::new(),
            categories: Vec::new(),
            namespaced: true,
            columns: Columns::Custom(Printer::plain()),
            group,
            version,
            plural,
            singular,
            collection,
        });
    }
    found.into_values().collect()
}

/// Whether these can stand in a path: names come from strangers.
fn is_name(group: &str, plural: &str, version: &str) -> bool {
    let sane = |text: &str| {
        text.len() <= 253
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
    };
    sane(group) && sane(plural) && sane(version) && !plural.is_empty() && !version.is_empty()
}

/// Group and version of most of these objects, as far as they are of `kind`.
fn version_of(objects: &[Object], kind: &str) -> Option<(String, String)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for object in objects.iter().filter(|object| object.str_at(&["kind"]) == Some(kind)) {
        if let Some(version) = object.str_at(&["apiVersion"]) {
            *counts.entry(version).or_default() += 1;
        }
    }
    let (most, _) = counts.into_iter().max_by_key(|(version, count)| (*count, *version))?;
    let (group, version) = split(most);
    is_name(group, "x", version).then(|| (group.to_owned(), version.to_owned()))
}

fn split(api_version: &str) -> (&str, &str) {
    api_version.rsplit_once('/').unwrap_or(("", api_version))
}

/// Versions of what the collector asked for, by group and plural.
fn asked(snapshot: &Snapshot) -> BTreeMap<(String, String), String> {
    let mut asked = BTreeMap::new();
    for entry in &snapshot.coverage.ledger {
        let Some(path) = entry.source.strip_prefix("GET /") else { continue };
        if !entry.path.starts_with("cluster-resources/") {
            continue;
        }
        let path = path.split(['?', ' ']).next().unwrap_or_default();
        let segments: Vec<&str> = path.split('/').collect();
        let (group, version, rest) = match segments[..] {
            ["api", version, ref rest @ ..] => ("", version, rest),
            ["apis", group, version, ref rest @ ..] => (group, version, rest),
            _ => continue,
        };
        if let ["namespaces", _, plural] | [plural] = *rest {
            asked.insert((group.to_owned(), plural.to_owned()), version.to_owned());
        }
    }
    asked
}

/// What a CustomResourceDefinition defines.
fn defined(
    snapshot: &Snapshot,
    definition: &Value,
    asked: &BTreeMap<(String, String), String>,
) -> Option<Resource> {
    let (spec, names) = (&definition["spec"], &definition["spec"]["names"]);
    let (group, plural, kind) = (spec["group"].text(), names["plural"].text(), names["kind"].some_text()?);
    let collection = intake::collection(group, plural);
    let preferred = || {
        let versions = spec["versions"].items();
        let stored = versions.iter().find(|version| version["storage"].flag()).or_else(|| versions.first());
        stored.map_or(&spec["version"], |version| &version["name"]).text().to_owned()
    };
    let version = version_of(snapshot.objects.of(&collection), kind)
        .filter(|(of_objects, _)| of_objects == group)
        .map(|(_, version)| version)
        .or_else(|| asked.get(&(group.to_owned(), plural.to_owned())).cloned())
        .unwrap_or_else(preferred);
    let texts = |list: &Value| list.items().iter().map(|name| name.text().to_owned()).collect();
    is_name(group, plural, &version).then(|| Resource {
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        singular: names["singular"].some_text().unwrap_or(&kind.to_lowercase()).to_owned(),
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        namespaced: spec["scope"] != "Cluster",
        columns: Columns::Custom(Printer::new(definition, &version)),
        group: group.to_owned(),
        collection,
        version,
    })
}

/// Objects of which no definition is there.
fn undefined(collection: &str, objects: &[Object]) -> Option<Resource> {
    let object =
        objects.iter().find(|object| object.str_at(&["kind"]).is_some_and(|kind| !kind.is_empty()))?;
    let (kind, api_version) = (object.str_at(&["kind"])?, object.str_at(&["apiVersion"])?);
    let (group, version) = split(api_version);
    let plural = collection.strip_suffix(group).unwrap_or(collection).trim_end_matches('.');
    is_name(group, plural, version).then(|| Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        singular: kind.to_lowercase(),
        short_names: Vec::new(),
        categories: Vec::new(),
        namespaced: objects.iter().any(|object| object.namespace().is_some()),
        collection: collection.to_owned(),
        columns: Columns::Custom(Printer::plain()),
    })
}
