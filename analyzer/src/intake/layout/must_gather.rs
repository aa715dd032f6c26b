//! must-gather and `oc adm inspect`, and kubectl-gather, which lays its files out alike.
//!
//! Everything lies below `namespaces/` and `cluster-scoped-resources/` (`cluster/` in kubectl-gather), which may stand
//! in a folder of the image or of the cluster.

use crate::intake::kinds::{self, Resource};
use crate::intake::role::{LogOf, Role, Span};
use crate::snapshot::TextKind;

pub(in crate::intake) fn recognise<'a>(mut paths: impl Iterator<Item = &'a str>) -> bool {
    paths.any(|path| {
        let mut segments = path.split('/');
        segments.any(|segment| matches!(segment, "cluster-scoped-resources" | "namespaces"))
            && segments.next().is_some()
            && (path.ends_with(".yaml") || path.ends_with(".json") || path.ends_with(".log"))
    })
}

/// Folders that the tree begins with.
const ROOTS: &[&str] = &["namespaces", "cluster-scoped-resources", "cluster"];

pub(in crate::intake) fn role(path: &str) -> Role {
    let segments: Vec<&str> = path.split('/').collect();
    let Some(root) = segments.iter().position(|segment| ROOTS.contains(segment)) else {
        return outside(&segments);
    };
    match segments[root + 1..] {
        [namespace, file] if stem(file) == namespace => one(kinds::of_name("namespaces"), None),
        [_, "pods", _, ..] | [_, "pods", _] if segments[root] == "namespaces" => {
            pod(segments[root + 1], &segments[root + 3..])
        }
        [namespace, ref rest @ ..] if segments[root] == "namespaces" => resource(rest, Some(namespace)),
        ref rest => resource(rest, None),
    }
}

/// `<group>/<resource>.yaml`, `<group>/<resource>/<name>.yaml`, `<resource>/<name>.yaml`
fn resource(rest: &[&str], namespace: Option<&str>) -> Role {
    match *rest {
        [group, file] if is_document(file) => match named(stem(file), group) {
            Some(resource) if group == "core" || group.contains('.') || resource.kind.is_some() => {
                Role::Objects {
                    resource: Some(resource),
                    namespace: namespace.map(str::to_owned),
                    span: Span::All,
                }
            }
            _ => one(kinds::of_name(group), namespace),
        },
        [group, resource, file] if is_document(file) => one(named(resource, group), namespace),
        _ => Role::Unknown,
    }
}

/// Resource and group as the path has them; `core` stands for none.
fn named(resource: &str, group: &str) -> Option<Resource> {
    kinds::of_known_name(resource).or_else(|| kinds::of_name(&format!("{resource}.{group}")))
}

fn one(resource: Option<Resource>, namespace: Option<&str>) -> Role {
    Role::Objects { resource, namespace: namespace.map(str::to_owned), span: Span::One }
}

/// `<pod>.yaml`, `<pod>/<pod>.yaml`, `<pod>/<container>/<container>/logs/current.log`, `<pod>/<container>/current.log`
fn pod(namespace: &str, rest: &[&str]) -> Role {
    let log = |pod: &str, container: &str, file: &str| {
        Role::Log(LogOf {
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            container: container.to_owned(),
            previous: file.starts_with("previous"),
        })
    };
    match *rest {
        [file] | [_, file] if is_document(file) => one(kinds::of_name("pods"), Some(namespace)),
        [pod, container, _, "logs", file] => log(pod, container, file),
        // Rotated files are older than the current one and of the same run.
        [pod, container, _, "logs", "rotated", file] => log(pod, container, file),
        [pod, container, file] if file.ends_with(".log") => log(pod, container, file),
        [pod, ..] => Role::Text {
            kind: TextKind::Host,
            namespace: Some(namespace.to_owned()),
            pod: Some(pod.to_owned()),
            node: None,
        },
        [] => Role::Unknown,
    }
}

fn outside(segments: &[&str]) -> Role {
    match segments {
        [.., "host_service_logs", _, _] | ["audit_logs", ..] => Role::text(TextKind::Journal),
        [.., "nodes", node, file] if file.contains("journal") || file.ends_with(".log") => {
            Role::text_on(TextKind::Journal, node)
        }
        [.., "nodes", node, _] => Role::text_on(TextKind::Host, node),
        [
            ..,
            "version" | "timestamp" | "event-filter.html" | "gather.logs" | "must-gather.logs" | "gather.log",
        ] => Role::Skip,
        _ => Role::Unknown,
    }
}

fn is_document(file: &str) -> bool {
    file.ends_with(".yaml") || file.ends_with(".json")
}

fn stem(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_path_is_placed() {
        let objects = |path: &str| match role(path) {
            Role::Objects { resource: Some(resource), namespace, span } => {
                (resource.collection.into_owned(), namespace, span == Span::All)
            }
            other => panic!("{path}: {other:?}"),
        };
        let a = Some("a".to_owned());
        assert_eq!(objects("quay-io-x/namespaces/a/core/pods.yaml"), ("pods".into(), a.clone(), true));
        assert_eq!(objects("namespaces/a/apps/deployments.yaml"), ("deployments".into(), a.clone(), true));
        assert_eq!(
            objects("namespaces/a/apps/deployments/web.yaml"),
            ("deployments".into(), a.clone(), false)
        );
        assert_eq!(objects("namespaces/a/a.yaml"), ("namespaces".into(), None, false));
        assert_eq!(objects("namespaces/a/pods/p/p.yaml"), ("pods".into(), a.clone(), false));
        assert_eq!(objects("c1/namespaces/a/pods/p.yaml"), ("pods".into(), a.clone(), false));
        assert_eq!(objects("c1/namespaces/a/configmaps/x.yaml"), ("configmaps".into(), a.clone(), false));
        assert_eq!(objects("cluster-scoped-resources/core/nodes/n1.yaml"), ("nodes".into(), None, false));
        assert_eq!(
            objects("cluster-scoped-resources/config.openshift.io/proxies.yaml"),
            ("proxies.config.openshift.io".into(), None, true)
        );
        assert_eq!(objects("c1/cluster/nodes/n1.yaml"), ("nodes".into(), None, false));
        let log = |path: &str| match role(path) {
            Role::Log(log) => (log.pod, log.container, log.previous),
            other => panic!("{path}: {other:?}"),
        };
        let c = |previous| ("p".to_owned(), "c".to_owned(), previous);
        assert_eq!(log("x/namespaces/a/pods/p/c/c/logs/current.log"), c(false));
        assert_eq!(log("x/namespaces/a/pods/p/c/c/logs/previous.insecure.log"), c(true));
        assert_eq!(log("x/namespaces/a/pods/p/c/c/logs/rotated/0.log.20260101-000000"), c(false));
        assert_eq!(log("c1/namespaces/a/pods/p/c/previous.log"), c(true));
    }
}
