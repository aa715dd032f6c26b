//! `kubectl cluster-info dump`: with `--output-directory` a folder a namespace, a List a resource, one file of logs a
//! pod; without it the same as one stream.

use std::collections::BTreeSet;

use crate::intake::kinds;
use crate::intake::part::Part;
use crate::intake::role::{Role, Span};
use crate::snapshot::Known;

/// What is dumped of each namespace; of the cluster it is the nodes.
const DUMPED: &[&str] =
    &["events", "replicationcontrollers", "services", "daemonsets", "deployments", "replicasets", "pods"];

pub(in crate::intake) fn recognise<'a>(mut paths: impl Iterator<Item = &'a str> + Clone) -> bool {
    let nodes = paths.clone().any(|path| matches!(path, "nodes.json" | "nodes.yaml"));
    nodes
        && paths.any(|path| matches!(path.split('/').collect::<Vec<_>>()[..], [_, "pods.json" | "pods.yaml"]))
}

pub(in crate::intake) fn role(path: &str) -> Role {
    match path.split('/').collect::<Vec<_>>()[..] {
        [file] => list(file, None),
        [namespace, file] => list(file, Some(namespace)),
        [namespace, _, "logs.txt"] => Role::Output {
            resource: None,
            namespace: Some(namespace.to_owned()),
            command: None,
            pasted: false,
        },
        _ => Role::Unknown,
    }
}

fn list(file: &str, namespace: Option<&str>) -> Role {
    let stem = [".json", ".yaml"].iter().find_map(|ending| file.strip_suffix(ending));
    match stem.and_then(kinds::of_known_name) {
        Some(resource) => Role::Objects {
            resource: Some(resource),
            namespace: namespace.map(str::to_owned),
            span: Span::All,
        },
        None => Role::Unknown,
    }
}

/// Whether the Lists of a text are those of a dump: nobody else asks for replication controllers.
pub(in crate::intake) fn is_stream(part: &Part) -> bool {
    let has = |kind: &str| part.heads.iter().any(|head| head.kind.as_deref() == Some(kind));
    has("ReplicationControllerList") && has("EventList") && has("PodList")
}

/// What a stream covers. An empty List does not say which namespace it is of, but each namespace that has anything
/// is dumped whole.
pub(in crate::intake) fn cover_stream(part: &mut Part, cut: bool) {
    let dumped = part.objects.iter().filter(|found| DUMPED.contains(&found.collection.as_str()));
    let of =
        dumped.filter_map(|found| found.value.pointer("/metadata/namespace")?.as_str().map(str::to_owned));
    let in_order: Vec<String> = of.collect();
    let namespaces: BTreeSet<&String> = in_order.iter().collect();
    let lists = part.heads.iter().filter(|head| head.kind.as_deref() == Some("PodList")).count();
    // Namespaces that have nothing are only in a dump of all of them.
    let all = lists > namespaces.len() && !cut;
    for collection in DUMPED {
        for namespace in &namespaces {
            let known = if cut && Some(*namespace) == in_order.last() { Known::Partly } else { Known::Whole };
            part.lists.push((((*collection).to_owned(), Some((*namespace).clone())), known));
        }
        part.lists.push((((*collection).to_owned(), None), if all { Known::Whole } else { Known::Partly }));
    }
    part.lists.push((("nodes".to_owned(), None), Known::Whole));
}

/// What a folder covers: without `--all-namespaces` only some namespaces were dumped. Every cluster has this one, and
/// hardly anybody asks for it by name.
pub(in crate::intake) fn cover_folder(parts: &mut [Part]) {
    let all = parts.iter().any(|part| part.path.starts_with("kube-node-lease/"));
    let Some(first) = parts.first_mut() else { return };
    for collection in DUMPED {
        let known = if all { Known::Whole } else { Known::Partly };
        first.lists.push((((*collection).to_owned(), None), known));
    }
}

#[cfg(test)]
mod tests {
    use crate::intake::from_files;
    use crate::snapshot::{Known, Snapshot, TextKind};

    fn stream(namespaces: &[(&str, &str)]) -> Snapshot {
        let list = |kind: &str, items: &str| {
            format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"v1\",\"items\":[{items}]}}\n")
        };
        let mut text = list("NodeList", r#"{"metadata":{"name":"n1"}}"#);
        for (namespace, pods) in namespaces {
            for kind in ["EventList", "ReplicationControllerList", "ServiceList"] {
                text.push_str(&list(kind, ""));
            }
            text.push_str(&list("PodList", pods));
            if !pods.is_empty() {
                let mark = format!("logs for container c of pod {namespace}/p ====");
                text.push_str(&format!("==== START {mark}\nError: boom\n==== END {mark}\n"));
            }
        }
        from_files(vec![("texts/dump.txt".to_owned(), text.into_bytes())], Vec::new())
    }

    #[test]
    fn a_stream_is_no_paste_and_says_what_it_covers() {
        let pod = r#"{"metadata":{"name":"p","namespace":"a"},"spec":{"containers":[{"name":"c"}]}}"#;
        let all = stream(&[("a", pod), ("default", "")]);
        assert_eq!(all.objects.of("pods")[0].name(), Some("p"));
        assert_eq!(all.objects.of("nodes")[0].name(), Some("n1"));
        assert!(all.texts.iter().all(|text| text.kind == TextKind::Log), "{:?}", all.texts);
        assert_eq!(all.coverage.list("pods", None), Known::Whole);
        assert_eq!(all.coverage.list("deployments", Some("a")), Known::Whole);
        assert_eq!(all.coverage.list("persistentvolumeclaims", Some("a")), Known::Nothing(None));
        let one = stream(&[("a", pod)]);
        assert_eq!(one.coverage.list("events", Some("a")), Known::Whole);
        assert_eq!(one.coverage.list("events", None), Known::Partly);
        assert_eq!(one.coverage.list("events", Some("b")), Known::Partly);
    }

    #[test]
    fn the_dialect_of_old_dumps_has_its_kinds_in_its_links() {
        let text = r#"{"selfLink":"/api/v1/nodes","Items":[{"name":"n1","selfLink":"/api/v1/nodes/n1",
            "Spec":{"ExternalID":"n1"},"Status":{"NodeInfo":{"KubeletVersion":"v1.8.0"}}}]}
{"selfLink":"/api/v1/namespaces/a/pods","Items":[{"name":"p","namespace":"a","selfLink":"/api/v1/namespaces/a/pods/p",
            "Spec":{"NodeName":"n1","Containers":[{"Name":"c","Image":"i"}]},
            "Status":{"Phase":"Running","PodIP":"10.0.0.1","ContainerStatuses":[{"Name":"c","State":{"Waiting":{"Reason":"CrashLoopBackOff"}}}]}}]}"#;
        let read = from_files(vec![("texts/old.txt".to_owned(), text.as_bytes().to_vec())], Vec::new());
        let (nodes, pods) = (read.objects.of("nodes"), read.objects.of("pods"));
        assert_eq!(nodes[0].str_at(&["status", "nodeInfo", "kubeletVersion"]), Some("v1.8.0"));
        assert_eq!((pods[0].namespace(), pods[0].str_at(&["spec", "nodeName"])), (Some("a"), Some("n1")));
        let reason = pods[0].value.pointer("/status/containerStatuses/0/state/waiting/reason");
        assert_eq!(reason.and_then(|reason| reason.as_str()), Some("CrashLoopBackOff"));
    }
}
