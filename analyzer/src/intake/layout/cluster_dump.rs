//! `kubectl cluster-info dump --output-directory`: a folder a namespace, a List a resource, one file of logs a pod.

use crate::intake::kinds;
use crate::intake::role::{Role, Span};

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
