//! Which kinds there are, in the forms in which clients ask: each group version for itself, and all of them at once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::catalog::Resource;
use super::cluster::Cluster;

const READING: [&str; 3] = ["get", "list", "watch"];

/// Kinds that are made to be asked and are nowhere kept: (group, version, kind, plural).
const ASKED: [(&str, &str, &str, &str); 3] = [
    ("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews"),
    ("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews"),
];

/// `/api`
pub fn core_versions() -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
}

/// Versions of each named group.
fn groups(cluster: &Cluster) -> BTreeMap<&str, Vec<&str>> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let of_kinds = cluster.kinds.iter().map(|kind| (&*kind.resource.group, &*kind.resource.version));
    for (group, version) in of_kinds.chain(ASKED.iter().map(|(group, version, ..)| (*group, *version))) {
        let versions = groups.entry(group).or_default();
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    for versions in groups.values_mut() {
        // `v2` before `v1` before `v1beta1`.
        versions.sort_by_key(|version| std::cmp::Reverse(rank(version)));
    }
    groups
}

/// Stable versions count before others, later ones before earlier.
fn rank(version: &str) -> (bool, u32) {
    let rest = version.strip_prefix('v').unwrap_or(version);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (digits.len() == rest.len(), digits.parse().unwrap_or(0))
}

/// `/apis`
pub fn group_list(cluster: &Cluster) -> Value {
    let groups = groups(cluster);
    let named = groups.iter().filter(|(group, _)| !group.is_empty());
    json!({"kind": "APIGroupList", "apiVersion": "v1",
        "groups": named.map(|(group, versions)| one_group(group, versions)).collect::<Vec<_>>()})
}

fn one_group(group: &str, versions: &[&str]) -> Value {
    let version = |version: &&str| json!({"groupVersion": format!("{group}/{version}"), "version": version});
    json!({"name": group, "versions": versions.iter().map(version).collect::<Vec<_>>(),
        "preferredVersion": versions.first().map(version)})
}

/// `/apis/GROUP`
pub fn group(cluster: &Cluster, group: &str) -> Option<Value> {
    let groups = groups(cluster);
    let versions = groups.get(group).filter(|_| !group.is_empty())?;
    let mut answer = one_group(group, versions);
    answer["kind"] = "APIGroup".into();
    answer["apiVersion"] = "v1".into();
    Some(answer)
}

/// `/api/v1`, `/apis/GROUP/VERSION`
pub fn resources(cluster: &Cluster, group: &str, version: &str) -> Option<Value> {
    let of_version = |resource: &&Resource| resource.group == group && resource.version == version;
    let mut list: Vec<Value> =
        cluster.kinds.iter().map(|kind| &kind.resource).filter(of_version).map(resource).collect();
    if group.is_empty() {
        list.push(json!({"name": "pods/log", "singularName": "", "namespaced": true, "kind": "Pod", "verbs": ["get"]}));
    }
    for (of, at, kind, plural) in ASKED {
        if (of, at) == (group, version) {
            list.push(
                json!({"name": plural, "singularName": kind.to_lowercase(), "namespaced": false, "kind": kind,
                "verbs": ["create"]}),
            );
        }
    }
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    (!list.is_empty() && (!group.is_empty() || version == "v1")).then(|| {
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": list})
    })
}

fn resource(resource: &Resource) -> Value {
    let mut value = json!({"name": resource.plural, "singularName": resource.singular,
        "namespaced": resource.namespaced, "kind": resource.kind, "verbs": READING});
    for (key, names) in [("shortNames", &resource.short_names), ("categories", &resource.categories)] {
        if !names.is_empty() {
            value[key] = json!(names);
        }
    }
    value
}

/// All kinds at once: `/api` and `/apis` for clients that accept an APIGroupDiscoveryList of this version.
pub fn aggregated(cluster: &Cluster, core: bool, version: &str) -> Value {
    let groups = groups(cluster);
    let wanted = groups.iter().filter(|(group, _)| group.is_empty() == core);
    let items: Vec<Value> = wanted
        .map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .iter()
                .map(|version| {
                    json!({"version": version, "freshness": "Current",
                    "resources": discovered(cluster, group, version)})
                })
                .collect();
            let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"), "metadata": {},
        "items": items})
}

fn discovered(cluster: &Cluster, group: &str, version: &str) -> Vec<Value> {
    let of_version = |resource: &&Resource| resource.group == group && resource.version == version;
    let own = cluster.kinds.iter().map(|kind| &kind.resource).filter(of_version).map(|resource| {
        let kind = |kind: &str| json!({"group": group, "version": version, "kind": kind});
        let mut value = json!({"resource": resource.plural, "singularResource": resource.singular,
            "responseKind": kind(&resource.kind), "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
            "verbs": READING});
        for (key, names) in [("shortNames", &resource.short_names), ("categories", &resource.categories)] {
            if !names.is_empty() {
                value[key] = json!(names);
            }
        }
        if group.is_empty() && resource.plural == "pods" {
            value["subresources"] = json!([{"subresource": "log", "responseKind": kind("Pod"), "verbs": ["get"]}]);
        }
        value
    });
    let asked = ASKED.iter().filter(|(of, at, ..)| (*of, *at) == (group, version)).map(|(_, _, kind, plural)| {
        json!({"resource": plural, "singularResource": kind.to_lowercase(), "scope": "Cluster", "verbs": ["create"],
            "responseKind": {"group": group, "version": version, "kind": kind}})
    });
    own.chain(asked).collect()
}

/// The paths that there are.
pub fn root(cluster: &Cluster) -> Value {
    let mut paths = vec!["/api".to_owned(), "/api/v1".to_owned(), "/apis".to_owned()];
    for (group, versions) in groups(cluster).into_iter().filter(|(group, _)| !group.is_empty()) {
        paths.push(format!("/apis/{group}"));
        paths.extend(versions.iter().map(|version| format!("/apis/{group}/{version}")));
    }
    paths.extend(
        ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"].map(str::to_owned),
    );
    json!({"paths": paths})
}
