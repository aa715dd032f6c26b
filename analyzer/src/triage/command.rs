//! The command that shows more of a problem.

use super::model::Problem;

/// What to type first about a problem. `None` where there is nothing to type, or where a name in it is no plain word:
/// what is made for pasting into a shell must not hold what an attacker named a pod.
pub fn first_look(problem: &Problem) -> Option<String> {
    let subject = &problem.subject;
    let mut command =
        match (subject.kind.as_str(), subject.namespace.as_deref(), subject.container.as_deref()) {
            ("Host", ..) => return None,
            ("HelmRelease", Some(namespace), _) => {
                format!("helm history -n {} {}", word(namespace)?, word(&subject.name)?)
            }
            ("Pod", Some(namespace), Some(container)) if has_spoken(problem) => format!(
                "kubectl logs -n {} {} -c {} --tail=100",
                word(namespace)?,
                word(&subject.name)?,
                word(container)?
            ),
            (kind, Some(namespace), _) => {
                format!(
                    "kubectl describe {} -n {} {}",
                    word(kind)?.to_lowercase(),
                    word(namespace)?,
                    word(&subject.name)?
                )
            }
            (kind, None, _) => {
                format!("kubectl describe {} {}", word(kind)?.to_lowercase(), word(&subject.name)?)
            }
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
    }

    #[test]
    fn a_name_that_a_shell_would_obey_gets_no_command() {
        assert_eq!(first_look(&problem("Node", None, "n1; reboot", None, "NotReady")), None);
        assert_eq!(first_look(&problem("Node", None, "--all", None, "NotReady")), None);
    }
}
