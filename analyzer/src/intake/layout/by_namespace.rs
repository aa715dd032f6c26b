//! Layouts with a folder a namespace and a List a resource: sonobuoy and support-bundle-kit.

use crate::intake::kinds::{self, Resource};
use crate::intake::role::{LogOf, Role, Span};
use crate::snapshot::TextKind;

pub(in crate::intake) fn is_sonobuoy<'a>(mut paths: impl Iterator<Item = &'a str>) -> bool {
    paths.any(|path| {
        ["resources/ns/", "resources/non-ns/", "resources/cluster/"].iter().any(|at| path.starts_with(at))
    })
}

pub(in crate::intake) fn is_kit<'a>(mut paths: impl Iterator<Item = &'a str>) -> bool {
    paths.any(|path| path.starts_with("yamls/namespaced/") || path.starts_with("yamls/cluster/"))
}

/// sonobuoy: `resources/ns/<namespace>/<group>_<version>_<plural>.json`, in old releases `<Plural>.json`.
pub(in crate::intake) fn sonobuoy(path: &str) -> Role {
    match path.split('/').collect::<Vec<_>>()[..] {
        ["resources", "ns", namespace, file] => list(sonobuoy_name(file), Some(namespace)),
        ["resources", "cluster" | "non-ns", file] => list(sonobuoy_name(file), None),
        ["podlogs", namespace, pod, "logs", file] => {
            log(namespace, pod, file.trim_end_matches(".txt"), false)
        }
        ["hosts", node, _] => Role::text_on(TextKind::Host, node),
        ["serverversion.json"] => Role::ServerVersion,
        ["plugins", "systemd_logs" | "systemd-logs", "results", node, ..] => {
            Role::text_on(TextKind::Journal, node)
        }
        ["plugins", ..] => Role::text(TextKind::Host),
        _ => Role::Skip,
    }
}

fn sonobuoy_name(file: &str) -> Option<Resource> {
    let stem = file.strip_suffix(".json")?;
    match stem.split('_').collect::<Vec<_>>()[..] {
        ["core", _, plural] => kinds::of_name(plural),
        [group, _, plural] => {
            kinds::of_known_name(plural).or_else(|| kinds::of_name(&format!("{plural}.{group}")))
        }
        _ => kinds::of_known_name(stem),
    }
}

/// support-bundle-kit: `yamls/namespaced/<namespace>/<group and version>/<plural>.yaml`, logs, and a zip a node.
pub(in crate::intake) fn kit(path: &str) -> Role {
    match path.split('/').collect::<Vec<_>>()[..] {
        ["yamls", "namespaced", namespace, .., file] => list(kit_name(path, file), Some(namespace)),
        ["yamls", "cluster", .., file] => list(kit_name(path, file), None),
        ["logs", namespace, pod, file] => {
            // `.log.1` is what was rotated away or the run before.
            let (container, rest) = file.split_once(".log").unwrap_or((file, ""));
            log(namespace, pod, container, !rest.is_empty())
        }
        ["nodes", node, .., "logs", _] => Role::text_on(TextKind::Journal, node.trim_end_matches(".zip")),
        ["nodes", node, ..] => Role::text_on(TextKind::Host, node.trim_end_matches(".zip")),
        ["metadata.yaml"] => Role::Skip,
        _ => Role::Unknown,
    }
}

fn kit_name(path: &str, file: &str) -> Option<Resource> {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let group = path.split('/').find(|segment| segment.contains('.') && *segment != file);
    kinds::of_known_name(stem).or_else(|| kinds::of_name(&format!("{stem}.{}", group?)))
}

fn list(resource: Option<Resource>, namespace: Option<&str>) -> Role {
    Role::Objects { resource, namespace: namespace.map(str::to_owned), span: Span::All }
}

fn log(namespace: &str, pod: &str, container: &str, previous: bool) -> Role {
    Role::Log(LogOf {
        namespace: namespace.to_owned(),
        pod: pod.to_owned(),
        container: container.to_owned(),
        previous,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_of_old_and_new_names_are_placed() {
        let collection = |role: Role| match role {
            Role::Objects { resource: Some(resource), namespace, .. } => {
                (resource.collection.into_owned(), namespace)
            }
            other => panic!("{other:?}"),
        };
        let a = Some("a".to_owned());
        assert_eq!(collection(sonobuoy("resources/ns/a/Pods.json")), ("pods".into(), a.clone()));
        assert_eq!(
            collection(sonobuoy("resources/ns/a/apps_v1_deployments.json")),
            ("deployments".into(), a.clone())
        );
        assert_eq!(collection(sonobuoy("resources/cluster/core_v1_nodes.json")), ("nodes".into(), None));
        assert_eq!(collection(sonobuoy("resources/non-ns/Nodes.json")), ("nodes".into(), None));
        assert_eq!(
            collection(kit("yamls/namespaced/a/apps/v1/deployments.yaml")),
            ("deployments".into(), a.clone())
        );
        assert_eq!(collection(kit("yamls/namespaced/a/v1/pods.yaml")), ("pods".into(), a));
        assert_eq!(
            collection(kit("yamls/cluster/longhorn.io/v1beta2/volumes.yaml")),
            ("volumes.longhorn.io".into(), None)
        );
        let Role::Log(previous) = kit("logs/a/web-0/nginx.log.1") else { panic!() };
        assert_eq!((previous.container.as_str(), previous.previous), ("nginx", true));
    }
}
