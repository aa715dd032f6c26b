//! The command that shows more of a problem.

use super::model::Problem;

/// Kinds whose objects have no namespace.
const OF_THE_CLUSTER: &[&str] = &[
    "Node",
    "PersistentVolume",
    "StorageClass",
    "Namespace",
    "APIService",
    "CustomResourceDefinition",
    "VolumeAttachment",
    "ClusterIssuer",
    "ClusterOperator",
    "ClusterVersion",
    "MachineConfigPool",
];

/// What to type first about a problem. `None` where there is nothing to type, or where a name in it is no plain word:
/// what is made for pasting into a shell must not hold what an attacker named a pod.
pub fn first_look(problem: &Problem) -> Option<String> {
    let subject = &problem.subject;
    let name = word(&subject.name)?;
    // What a paste does not tell is left to the reader, as in the commands of rules.
    let namespace = subject.namespace.as_deref().map_or(Some("<namespace>"), word)?;
    let container = subject.container.as_deref().filter(|container| !container.is_empty());
    let mut command = match (subject.kind.as_str(), container) {
        ("Host", _) => return None,
        ("HelmRelease", _) => format!("helm history -n {namespace} {name}"),
        ("Pod", Some(container)) if has_spoken(problem) => {
            format!("kubectl logs -n {namespace} {name} -c {} --tail=100", word(container)?)
        }
        (kind, _) if OF_THE_CLUSTER.contains(&kind) => {
            format!("kubectl describe {} {name}", kind.to_lowercase())
        }
        (kind, _) => format!("kubectl describe {} -n {namespace} {name}", word(kind)?.to_lowercase()),
    };
    if command.starts_with("kubectl logs") && problem.restarts.is_some() {
        // What the run that ended said last is why it ended.
        command.push_str(" --previous");
    }
    Some(command)
}

/// Whether the container has run, so that it has a log: one that waits for its image or its configuration has none.
fn has_spoken(problem: &Problem) -> bool {
    problem.restarts.is_some()
        || !problem.log.is_empty()
        || matches!(problem.state.as_str(), "NotReady" | "Init:Running")
        || problem.state.contains("(exit ")
}

fn word(text: &str) -> Option<&str> {
    let plain =
        !text.starts_with('-') && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    Some(text).filter(|text| plain && !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::{Severity, Subject};

    fn problem(
        kind: &str,
        namespace: Option<&str>,
        name: &str,
        container: Option<&str>,
        state: &str,
    ) -> Problem {
        Problem {
            subject: Subject {
                kind: kind.into(),
                namespace: namespace.map(str::to_owned),
                name: name.into(),
                container: container.map(str::to_owned),
                node: None,
            },
            severity: Severity::Error,
            state: state.into(),
            message: None,
            since: None,
            restarts: None,
            path: String::new(),
            line: 1,
            pointer: None,
            log: Vec::new(),
            waits_for: None,
        }
    }

    #[test]
    fn a_pod_that_ran_shows_its_log_and_one_that_did_not_its_events() {
        let mut pod = problem("Pod", Some("shop"), "web-0", Some("main"), "ErrImagePull");
        assert_eq!(first_look(&pod).as_deref(), Some("kubectl describe pod -n shop web-0"));
        pod.state = "NotReady".into();
        assert_eq!(first_look(&pod).as_deref(), Some("kubectl logs -n shop web-0 -c main --tail=100"));
        pod.restarts = Some(3);
        assert_eq!(
            first_look(&pod).as_deref(),
            Some("kubectl logs -n shop web-0 -c main --tail=100 --previous")
        );
    }

    #[test]
    fn other_kinds_are_described() {
        let node = problem("Node", None, "n1", None, "NotReady");
        assert_eq!(first_look(&node).as_deref(), Some("kubectl describe node n1"));
        let release = problem("HelmRelease", Some("shop"), "web", None, "failed");
        assert_eq!(first_look(&release).as_deref(), Some("helm history -n shop web"));
        assert_eq!(first_look(&problem("Host", None, "db", None, "")), None);
        let pasted = problem("Pod", None, "web-0", Some(""), "Pending");
        assert_eq!(first_look(&pasted).as_deref(), Some("kubectl describe pod -n <namespace> web-0"));
    }

    #[test]
    fn a_name_that_a_shell_would_obey_gets_no_command() {
        assert_eq!(first_look(&problem("Node", None, "n1; reboot", None, "NotReady")), None);
        assert_eq!(first_look(&problem("Node", None, "--all", None, "NotReady")), None);
    }
}
