//! Reports of a host: sos with its kubernetes plugin, insights, and what `kind export logs` takes from its nodes.

use std::collections::HashMap;

use crate::intake::part::Part;
use crate::intake::role::{LogOf, Role};
use crate::snapshot::TextKind;

pub(in crate::intake) fn is_sos<'a>(mut paths: impl Iterator<Item = &'a str>) -> bool {
    paths.any(|path| {
        path.split('/').any(|segment| matches!(segment, "sos_commands" | "sos_logs" | "sos_reports"))
    })
}

pub(in crate::intake) fn is_insights<'a>(mut paths: impl Iterator<Item = &'a str>) -> bool {
    paths.any(|path| {
        path == "insights_archive.txt" || path.split('/').any(|segment| segment == "insights_commands")
    })
}

pub(in crate::intake) fn is_kind<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> bool {
    let has = |file: &str| paths.clone().any(|path| path.rsplit('/').next() == Some(file));
    has("kind-version.txt") || has("kubelet.log") && has("journal.log")
}

/// sos: commands with their words joined by `_`, and files under the paths they have on the host.
pub(in crate::intake) fn sos(path: &str) -> Role {
    let all: Vec<&str> = path.split('/').collect();
    // `sos collect` has the report of each host in an archive of its own.
    let own = all.iter().rposition(|segment| segment.starts_with("sosreport-")).map_or(0, |at| at + 1);
    let segments = &all[own.min(all.len() - 1)..];
    if let Some(at) = segments.iter().position(|segment| *segment == "sos_commands") {
        let rest = &segments[at + 1..];
        let file = rest.last().copied().unwrap_or_default();
        if rest.first() == Some(&"kubernetes") && file.starts_with("kubectl_") {
            return kubectl(file, &rest[1..]);
        }
        let journal = file.starts_with("journalctl") || file.starts_with("dmesg");
        return Role::text(if journal { TextKind::Journal } else { TextKind::Host });
    }
    on_host(segments)
}

/// A mangled kubectl command; the folders name the namespace where the command does not.
fn kubectl(file: &str, folders: &[&str]) -> Role {
    let namespace = match folders {
        ["cluster-info", namespace, _, ..] => Some((*namespace).to_owned()),
        _ => None,
    };
    Role::Output { resource: None, namespace, command: Some(file.replace('_', " ")), pasted: false }
}

pub(in crate::intake) fn insights(path: &str) -> Role {
    let segments: Vec<&str> = path.split('/').collect();
    match segments.first() {
        Some(&"insights_archive.txt") => Role::Skip,
        // What a command could not do stands in its description.
        Some(&"meta_data") => Role::Errors { about: path.to_owned() },
        Some(&"data") => on_host(&segments[1..]),
        _ => on_host(&segments),
    }
}

/// Files under the paths they have on a host.
fn on_host(segments: &[&str]) -> Role {
    match segments {
        ["proc" | "sys" | "sos_logs" | "sos_reports" | "sos_strings", ..] => Role::Skip,
        [.., "pods", pod, container, file] if file.contains(".log") => {
            container_log(pod, container).unwrap_or(Role::Unknown)
        }
        ["var", "log", ..] => Role::text(TextKind::Journal),
        ["insights_commands", file] if file.starts_with("journalctl") => Role::text(TextKind::Journal),
        _ => Role::text(TextKind::Host),
    }
}

/// `kind export logs`: a folder a node.
pub(in crate::intake) fn kind(path: &str) -> Role {
    match path.split('/').collect::<Vec<_>>()[..] {
        [.., "pods", pod, container, _] => container_log(pod, container).unwrap_or(Role::Unknown),
        // The same logs under other names.
        [_, "containers", _] => Role::Skip,
        [node, file] if file.ends_with(".log") => Role::text_on(TextKind::Journal, node),
        [node, _] => Role::text_on(TextKind::Host, node),
        _ => Role::text(TextKind::Host),
    }
}

/// Of the runs of a container that the kubelet keeps logs of, all but the newest are previous.
pub(in crate::intake) fn mark_previous(parts: &mut [Part]) {
    fn run(part: &Part) -> Option<(String, u64)> {
        let (folder, file) = part.path.rsplit_once('/')?;
        Some((folder.to_owned(), file.split('.').next()?.parse().ok()?))
    }
    let mut newest: HashMap<String, u64> = HashMap::new();
    for (folder, number) in parts.iter().filter(|part| !part.logs.is_empty()).filter_map(run) {
        let known = newest.entry(folder).or_default();
        *known = number.max(*known);
    }
    for part in parts.iter_mut().filter(|part| !part.logs.is_empty()) {
        if run(part).is_some_and(|(folder, number)| newest.get(&folder).is_some_and(|last| number < *last)) {
            part.pieces.iter_mut().for_each(|piece| piece.previous = true);
            part.logs.iter_mut().for_each(|((_, _, _, previous), _)| *previous = true);
        }
    }
}

/// The kubelet's own folders: `<namespace>_<pod>_<uid>/<container>/<restart>.log`.
fn container_log(folder: &str, container: &str) -> Option<Role> {
    let (namespace, rest) = folder.split_once('_')?;
    let (pod, _) = rest.rsplit_once('_')?;
    Some(Role::Log(LogOf {
        namespace: namespace.to_owned(),
        pod: pod.to_owned(),
        container: container.to_owned(),
        previous: false,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_container_logs_are_placed() {
        let path = "sos_commands/kubernetes/cluster-info/a/kubectl_--kubeconfig_.etc.kubernetes.admin.conf_get_-o_json_--namespace_a_pods";
        let Role::Output { namespace, command, .. } = sos(path) else { panic!() };
        assert_eq!(namespace.as_deref(), Some("a"));
        assert_eq!(
            command.as_deref(),
            Some("kubectl --kubeconfig .etc.kubernetes.admin.conf get -o json --namespace a pods")
        );
        let log =
            LogOf { namespace: "a".into(), pod: "web-0".into(), container: "nginx".into(), previous: false };
        assert_eq!(sos("var/log/pods/a_web-0_uid/nginx/0.log"), Role::Log(log.clone()));
        assert_eq!(kind("kind-worker/pods/a_web-0_uid/nginx/1.log"), Role::Log(log));
        assert_eq!(kind("kind-worker/kubelet.log"), Role::text_on(TextKind::Journal, "kind-worker"));
        assert_eq!(sos("sos_commands/logs/journalctl_--no-pager"), Role::text(TextKind::Journal));
        let collected = "sosreport-n1.tar.xz/sosreport-n1-2026-11-22-abc/var/log/messages";
        assert_eq!(sos(collected), Role::text(TextKind::Journal));
    }
}
