//! Paths of our own bundle and of troubleshoot.sh's, whose `cluster-resources/` and `helm/` are one layout.

use shared::bundle::paths;

use crate::intake::kinds::{self, Resource};
use crate::intake::role::{LogOf, Role, Span};
use crate::snapshot::TextKind;

pub(in crate::intake) fn role(path: &str) -> Role {
    let segments: Vec<&str> = path.split('/').collect();
    match segments[..] {
        [paths::MANIFEST] => Role::Manifest,
        [paths::VERSION | paths::README | "analysis.json"] => Role::Skip,
        ["cluster-info", "cluster_version.json"] => Role::ServerVersion,
        [.., file] if is_errors(file) => Role::Errors { about: path.to_owned() },
        ["cluster-resources", "pods", "logs", namespace, pod, file] => log(namespace, pod, file),
        ["cluster-resources", "auth-cani-list" | "image-pull-secrets", ..]
        | ["cluster-resources", "groups.json" | "resources.json" | "license.json"] => Role::Skip,
        ["cluster-resources", "custom-resources", ref rest @ ..] => resource(rest),
        ["cluster-resources", ref rest @ ..] => resource(rest),
        ["tables", namespace, _] => text(TextKind::Table, namespace, None),
        ["describe", namespace, "pod", name] => {
            let name = name.trim_end_matches(".txt");
            text(TextKind::Describe, namespace, Some(paths::of_gone(name).unwrap_or(name)))
        }
        ["describe", namespace, _, _] => text(TextKind::Describe, namespace, None),
        ["helm", namespace] if namespace.ends_with(".json") => {
            Role::Helm { namespace: namespace.trim_end_matches(".json").to_owned() }
        }
        ["helm", namespace, file] if file.ends_with(".json") => {
            Role::Helm { namespace: namespace.to_owned() }
        }
        ["helm", namespace, _] => text(TextKind::Table, namespace, None),
        ["hosts", host, "facts.json"] => Role::HostFacts { host: host.to_owned() },
        ["hosts", host, ref rest @ ..] if rest.iter().any(|part| is_journal(part)) => {
            Role::text_on(TextKind::Journal, host)
        }
        ["hosts", host, ..] => Role::text_on(TextKind::Host, host),
        ["probes", name] => Role::Probes { name: name.trim_end_matches(".json").to_owned() },
        ["install", ..] => Role::text(TextKind::Host),
        ["host-collectors", ref rest @ ..] if rest.contains(&"journald") => Role::text(TextKind::Journal),
        ["host-collectors" | "sysctl", ..] => Role::text(TextKind::Host),
        ["execution-data" | "metadata" | "certificates" | "node-metrics", ..] => Role::Skip,
        // What a logs collector wrote to a folder of its own; today it is a link.
        [folder, pod, file] if folder != "texts" && file.ends_with(".log") => {
            Role::Text { kind: TextKind::Log, namespace: None, pod: Some(pod.to_owned()), node: None }
        }
        _ => Role::Unknown,
    }
}

fn is_errors(file: &str) -> bool {
    file == "errors.json"
        || file.ends_with("-errors.json")
        || file.ends_with("-error.json")
        || file.ends_with("-logs-errors.log")
        || file == "skipped-collectors.json"
}

fn is_journal(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("journal") || name.ends_with(".log")
}

fn log(namespace: &str, pod: &str, file: &str) -> Role {
    let Some(name) = file.strip_suffix(".log") else { return Role::Unknown };
    let (container, previous) = match name.strip_suffix("-previous") {
        Some(container) => (container, true),
        None => (name, false),
    };
    // A pod of the same name came after it: to the one that is there now, all of this was before.
    let (container, previous) = match paths::of_gone(container) {
        Some(container) => (container, true),
        None => (container, previous),
    };
    Role::Log(LogOf {
        namespace: namespace.to_owned(),
        pod: pod.to_owned(),
        container: container.to_owned(),
        previous,
    })
}

/// `<stem>.json`, `<stem>/<namespace>.json`, and the bare `<stem>` by which a ledger names a listing of all namespaces.
fn resource(rest: &[&str]) -> Role {
    let (stem, namespace) = match *rest {
        [stem] => (stem, None),
        [stem, namespace] => (stem, Some(without_format(namespace).to_owned())),
        _ => return Role::Unknown,
    };
    match resource_of_stem(without_format(stem)) {
        Some(resource) => Role::Objects { resource: Some(resource), namespace, span: Span::All },
        None => Role::Unknown,
    }
}

fn resource_of_stem(stem: &str) -> Option<Resource> {
    kinds::of_name(paths::plural_of_stem(stem))
}

fn without_format(name: &str) -> &str {
    [".json", ".yaml", ".yml"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

fn text(kind: TextKind, namespace: &str, pod: Option<&str>) -> Role {
    let namespace = (namespace != paths::CLUSTER_SCOPE).then(|| namespace.to_owned());
    Role::Text { kind, namespace, pod: pod.map(str::to_owned), node: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(path: &str) -> (String, Option<String>) {
        match role(path) {
            Role::Objects { resource: Some(resource), namespace, span: Span::All } => {
                (resource.collection.into_owned(), namespace)
            }
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn every_path_that_the_bundle_writes_is_read_as_what_it_is() {
        let named = |collection: &str, ns: Option<&str>| (collection.to_owned(), ns.map(str::to_owned));
        for (group, plural) in [
            ("", "pods"),
            ("", "persistentvolumeclaims"),
            ("apps", "deployments"),
            ("networking.k8s.io", "ingresses"),
            ("policy", "poddisruptionbudgets"),
        ] {
            assert_eq!(list(&paths::resource(group, plural, Some("a"))), named(plural, Some("a")));
            assert_eq!(list(&paths::resource_everywhere(group, plural)), named(plural, None));
        }
        assert_eq!(list(&paths::resource("", "nodes", None)), named("nodes", None));
        assert_eq!(
            list(&paths::resource("storage.k8s.io", "storageclasses", None)),
            named("storageclasses", None)
        );
        assert_eq!(
            list(&paths::resource("bk.tencent.com", "bklogconfigs", Some("a"))),
            named("bklogconfigs.bk.tencent.com", Some("a"))
        );
        let of = |previous| LogOf { namespace: "a".into(), pod: "b".into(), container: "c".into(), previous };
        assert_eq!(role(&paths::log("a", "b", "c", false)), Role::Log(of(false)));
        assert_eq!(role(&paths::log("a", "b", "c", true)), Role::Log(of(true)));
        let gone = paths::gone("c", "0f6c1c9e-8a53-4c2e-9d52-5b6d0f7b8a11");
        assert_eq!(role(&paths::log("a", "b", &gone, false)), Role::Log(of(true)));
        assert_eq!(role(&paths::log("a", "b", &gone, true)), Role::Log(of(true)));
        assert_eq!(role(&paths::helm_releases("a")), Role::Helm { namespace: "a".into() });
        assert_eq!(role(&paths::host_facts("h")), Role::HostFacts { host: "h".into() });
        assert_eq!(role(&paths::probe("dns")), Role::Probes { name: "dns".into() });
        assert_eq!(role(&paths::table(None, "nodes")), Role::text(TextKind::Table));
        assert_eq!(
            role(&paths::table(Some("a"), "pods")),
            Role::Text { kind: TextKind::Table, namespace: Some("a".into()), pod: None, node: None }
        );
        assert_eq!(role(&paths::text("scroll")), Role::Unknown);
        assert_eq!(
            role(&paths::describe(Some("a"), "pod", "p-0")),
            Role::Text {
                kind: TextKind::Describe,
                namespace: Some("a".into()),
                pod: Some("p-0".into()),
                node: None
            }
        );
    }
}
