//! What the server can list, and at which version.
//!
//! The rule is the server's own ("preferred resources"): each resource at its group's preferred version, or at the
//! first other version that has it: `batch` of 1.20 prefers `v1` but knows CronJobs in `v1beta1` only. A resource
//! that is served under two groups is taken once, from the group that it moved to.

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use serde::Deserialize;

use super::api::{Api, JSON};
use super::error::ApiError;

/// One kind of object that can be listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// Empty for the core group.
    pub group: String,
    pub version: String,
    /// Plural, as in paths: `pods`.
    pub plural: String,
    pub kind: String,
    pub namespaced: bool,
    /// Further versions of the group that have it, in the group's order.
    pub other_versions: Vec<String>,
}

impl Resource {
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Path of the List, in one namespace or everywhere.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace {
            Some(ns) => format!("{root}/namespaces/{ns}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    pub fn is(&self, group: &str, plural: &str) -> bool {
        self.group == group && self.plural == plural
    }
}

/// What discovery found.
#[derive(Debug, Clone, Default)]
pub struct Discovery {
    /// Sorted by group and plural.
    pub resources: Vec<Resource>,
    /// Group versions that could not be read (an aggregated API server that is down, say), with the path asked.
    pub failures: Vec<(String, ApiError)>,
}

impl Discovery {
    pub fn find(&self, group: &str, plural: &str) -> Option<&Resource> {
        self.resources.iter().find(|r| r.is(group, plural))
    }
}

/// A group and its versions, the preferred one first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct CoreVersions {
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct GroupList {
    #[serde(default)]
    groups: Vec<RawGroup>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawGroup {
    name: String,
    #[serde(default)]
    versions: Vec<RawVersion>,
    preferred_version: Option<RawVersion>,
}

#[derive(Deserialize)]
struct RawVersion {
    version: String,
}

#[derive(Deserialize)]
struct ResourceList {
    #[serde(default)]
    resources: Vec<RawResource>,
}

#[derive(Deserialize)]
struct RawResource {
    name: String,
    kind: String,
    #[serde(default)]
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}

/// Asks the server; a group that does not answer is a failure among the others.
///
/// # Errors
/// When not even the list of core versions can be had.
pub async fn discover(api: &Api) -> Result<Discovery, ApiError> {
    let (core, named) = futures::join!(
        api.fetch("/api", JSON, parse::<CoreVersions>),
        api.fetch("/apis", JSON, parse::<GroupList>)
    );
    let mut failures = Vec::new();
    let mut groups = vec![Group { name: String::new(), versions: core?.versions }];
    match named {
        Ok(list) => groups.extend(list.groups.into_iter().map(ordered)),
        Err(error) => failures.push(("/apis".to_owned(), error)),
    }
    let asks: Vec<(usize, usize, String)> = groups
        .iter()
        .enumerate()
        .flat_map(|(g, group)| {
            group.versions.iter().enumerate().map(move |(v, version)| (g, v, path_of(&group.name, version)))
        })
        .collect();
    let mut answers: Vec<_> = stream::iter(asks)
        .map(|(g, v, path)| async move {
            let answer = api.fetch(&path, JSON, parse::<ResourceList>).await;
            (g, v, path, answer)
        })
        .buffer_unordered(api.bounds().concurrency.max(1))
        .collect()
        .await;
    answers.sort_by_key(|(g, v, ..)| (*g, *v));
    let mut found = Vec::new();
    for (g, v, path, answer) in answers {
        match answer {
            Ok(list) => found.push((groups[g].name.clone(), groups[g].versions[v].clone(), list)),
            Err(error) => failures.push((path, error)),
        }
    }
    Ok(Discovery { resources: preferred(found), failures })
}

fn parse<T: serde::de::DeserializeOwned>(body: Bytes) -> Result<T, serde_json::Error> {
    serde_json::from_slice(&body)
}

fn path_of(group: &str, version: &str) -> String {
    if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") }
}

fn ordered(raw: RawGroup) -> Group {
    let mut versions: Vec<String> = raw.versions.into_iter().map(|v| v.version).collect();
    if let Some(preferred) = raw.preferred_version {
        versions.retain(|v| *v != preferred.version);
        versions.insert(0, preferred.version);
    }
    Group { name: raw.name, versions }
}

/// Resources that moved to another group: (old group, plural, new group).
const MOVED: &[(&str, &str, &str)] = &[
    ("extensions", "deployments", "apps"),
    ("extensions", "daemonsets", "apps"),
    ("extensions", "replicasets", "apps"),
    ("extensions", "ingresses", "networking.k8s.io"),
    ("extensions", "networkpolicies", "networking.k8s.io"),
    ("extensions", "podsecuritypolicies", "policy"),
    ("events.k8s.io", "events", ""),
];

/// Each resource once. `found` is ordered by group, preferred version first.
fn preferred(found: Vec<(String, String, ResourceList)>) -> Vec<Resource> {
    let mut resources = Vec::<Resource>::new();
    for (group, version, list) in found {
        for raw in list.resources {
            let listable = raw.verbs.iter().any(|v| v == "list") && !raw.name.contains('/');
            if !listable {
                continue;
            }
            if let Some(known) = resources.iter_mut().find(|r| r.is(&group, &raw.name)) {
                known.other_versions.push(version.clone());
            } else {
                resources.push(Resource {
                    group: group.clone(),
                    version: version.clone(),
                    plural: raw.name,
                    kind: raw.kind,
                    namespaced: raw.namespaced,
                    other_versions: Vec::new(),
                });
            }
        }
    }
    let moved: Vec<bool> = resources
        .iter()
        .map(|r| {
            MOVED.iter().any(|(old, plural, new)| {
                r.is(old, plural) && resources.iter().any(|other| other.is(new, plural))
            })
        })
        .collect();
    let mut moved = moved.into_iter();
    resources.retain(|_| !moved.next().expect("one flag a resource"));
    resources.sort();
    resources
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[(&str, &[&str])]) -> ResourceList {
        ResourceList {
            resources: names
                .iter()
                .map(|(name, verbs)| RawResource {
                    name: (*name).to_owned(),
                    kind: "Kind".into(),
                    namespaced: true,
                    verbs: verbs.iter().map(|v| (*v).to_owned()).collect(),
                })
                .collect(),
        }
    }

    fn versions(resources: &[Resource]) -> Vec<String> {
        resources.iter().map(|r| format!("{} {}", r.api_version(), r.plural)).collect()
    }

    #[test]
    fn a_resource_that_the_preferred_version_lacks_comes_from_another() {
        let get_list: &[&str] = &["get", "list"];
        let found = vec![
            ("batch".to_owned(), "v1".to_owned(), list(&[("jobs", get_list), ("jobs/status", &["get"])])),
            ("batch".to_owned(), "v1beta1".to_owned(), list(&[("cronjobs", get_list), ("jobs", get_list)])),
        ];
        assert_eq!(versions(&preferred(found)), ["batch/v1 jobs", "batch/v1beta1 cronjobs"]);
    }

    #[test]
    fn what_moved_is_taken_from_its_new_group_only_if_that_serves_it() {
        let verbs: &[&str] = &["list"];
        let found = vec![
            (String::new(), "v1".to_owned(), list(&[("events", verbs), ("bindings", &["create"])])),
            ("events.k8s.io".to_owned(), "v1".to_owned(), list(&[("events", verbs)])),
            ("extensions".to_owned(), "v1beta1".to_owned(), list(&[("ingresses", verbs)])),
        ];
        assert_eq!(versions(&preferred(found)), ["v1 events", "extensions/v1beta1 ingresses"]);
    }

    #[test]
    fn the_preferred_version_goes_first() {
        let raw: RawGroup = serde_json::from_str(
            r#"{"name":"autoscaling","versions":[{"version":"v2beta1"},{"version":"v1"}],"preferredVersion":{"version":"v1"}}"#,
        )
        .unwrap();
        assert_eq!(ordered(raw).versions, ["v1", "v2beta1"]);
    }
}
