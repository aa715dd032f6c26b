//! In what order logs are read: what is broken first, then what has broken lately, then one log of every workload,
//! then the other replicas. Within a class, workloads take turns, so that thirty replicas with one and the same
//! fault do not push another fault's only log beyond the budget.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::pod::{Container, Pod, Role, State};

/// How long a restart counts as news.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// What a log is worth; the order is from the most to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Worth {
    /// The container or its pod is not as it should be.
    Unhealthy,
    /// It is well now, and was restarted within a day.
    Restarted,
    /// The first healthy pod of its workload.
    Healthy,
    /// A further replica.
    Replica,
}

impl Worth {
    /// Whether the log is kept even where others have to give way.
    pub fn is_vital(self) -> bool {
        self <= Worth::Restarted
    }
}

/// One log to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub namespace: String,
    pub pod: String,
    pub node: Option<String>,
    pub container: String,
    pub previous: bool,
    pub worth: Worth,
}

/// A log that cannot exist, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    pub reason: String,
}

/// Which logs of which pods, best first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    pub wanted: Vec<Wanted>,
    pub impossible: Vec<Impossible>,
    /// Healthy containers beyond `healthy_logs`.
    pub beyond: Vec<Wanted>,
}

/// Orders the logs of `pods`. Of containers that look healthy, at most `healthy_logs` are wanted.
pub fn order(pods: &[Pod], now: Timestamp, healthy_logs: usize) -> Order {
    let mut order = Order::default();
    let mut seen_of_owner: HashMap<(String, String, bool), usize> = HashMap::new();
    // (worth, turn) → position; `turn` is how many pods of the same workload and worth came before.
    let mut keyed: Vec<(Worth, usize, Wanted)> = Vec::new();
    for pod in pods {
        let owner = pod.owner.clone().unwrap_or_else(|| format!("Pod/{}", pod.name));
        let worth_of: Vec<Worth> = pod.containers.iter().map(|c| worth(pod, c, now)).collect();
        let broken = worth_of.iter().any(|w| w.is_vital());
        let turn = {
            let count = seen_of_owner.entry((pod.namespace.clone(), owner, broken)).or_default();
            *count += 1;
            *count - 1
        };
        for (container, worth) in pod.containers.iter().zip(worth_of) {
            if let Some(reason) = no_log(pod, container) {
                order.impossible.push(Impossible {
                    namespace: pod.namespace.clone(),
                    pod: pod.name.clone(),
                    container: container.name.clone(),
                    reason,
                });
                continue;
            }
            let worth = if worth == Worth::Healthy && turn > 0 { Worth::Replica } else { worth };
            let log = |previous| Wanted {
                namespace: pod.namespace.clone(),
                pod: pod.name.clone(),
                node: pod.node.clone(),
                container: container.name.clone(),
                previous,
                worth,
            };
            keyed.push((worth, turn, log(false)));
            // The status may lag behind while something is going wrong.
            if container.has_previous() || (worth.is_vital() && container.restarts > 0) {
                keyed.push((worth, turn, log(true)));
            }
        }
    }
    keyed.sort_by(|(a_worth, a_turn, _), (b_worth, b_turn, _)| (a_worth, a_turn).cmp(&(b_worth, b_turn)));
    let mut healthy = 0;
    for (worth, _, log) in keyed {
        // A previous log goes with its current one.
        healthy += usize::from(!worth.is_vital() && !log.previous);
        if worth.is_vital() || healthy <= healthy_logs {
            order.wanted.push(log);
        } else {
            order.beyond.push(log);
        }
    }
    order
}

fn worth(pod: &Pod, container: &Container, now: Timestamp) -> Worth {
    let finished = pod.phase == "Succeeded";
    let pod_is_ill = matches!(pod.phase.as_str(), "Pending" | "Failed" | "Unknown")
        || (!pod.ready && !finished)
        || (pod.deleting && !finished);
    let ill = match (&container.state, container.role) {
        (State::Terminated(ended), _) if ended.exit_code != 0 => true,
        (State::Terminated(_), Role::Regular) => !finished,
        (State::Waiting(_), _) => true,
        (State::Running, Role::Regular) => !container.ready,
        _ => false,
    };
    // Of an ill pod every container counts: the sidecar's log often says why the others fail.
    if ill || pod_is_ill {
        return Worth::Unhealthy;
    }
    let news =
        container.last.as_ref().and_then(|last| last.at).is_some_and(|at| now.duration_since(at) < LATELY);
    if news { Worth::Restarted } else { Worth::Healthy }
}

/// Why there is no log to ask for, if so.
fn no_log(pod: &Pod, container: &Container) -> Option<String> {
    if pod.node.is_none() {
        return Some("the pod has not been scheduled to a node".to_owned());
    }
    if container.has_run() {
        return None;
    }
    Some(match &container.state {
        State::Waiting(Some(reason)) => format!("the container has not run yet: {reason}"),
        _ => "the container has not run yet".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::pod::Ended;

    fn container(name: &str, state: State, restarts: u32) -> Container {
        let ready = state == State::Running;
        Container { name: name.into(), role: Role::Regular, ready, restarts, state, last: None }
    }

    fn pod(name: &str, owner: &str, ready: bool, containers: Vec<Container>) -> Pod {
        Pod {
            namespace: "a".into(),
            name: name.into(),
            uid: name.into(),
            node: Some("n".into()),
            phase: "Running".into(),
            reason: None,
            ready,
            deleting: false,
            owner: Some(owner.into()),
            containers,
        }
    }

    fn now() -> Timestamp {
        "2026-11-22T08:00:00Z".parse().unwrap()
    }

    fn names(logs: &[Wanted]) -> Vec<String> {
        logs.iter().map(|l| format!("{}{}", l.pod, if l.previous { " -p" } else { "" })).collect()
    }

    #[test]
    fn what_is_broken_comes_first_with_its_previous_log() {
        let crash = State::Waiting(Some("CrashLoopBackOff".into()));
        let pods = [
            pod("well", "rs1", true, vec![container("c", State::Running, 0)]),
            pod("ill", "rs2", false, vec![container("c", crash, 4)]),
        ];
        assert_eq!(names(&order(&pods, now(), 10).wanted), ["ill", "ill -p", "well"]);
    }

    #[test]
    fn workloads_take_turns() {
        let well = |name: &str, owner: &str| pod(name, owner, true, vec![container("c", State::Running, 0)]);
        let pods = [well("a1", "a"), well("a2", "a"), well("a3", "a"), well("b1", "b")];
        let order = order(&pods, now(), 2);
        assert_eq!(names(&order.wanted), ["a1", "b1"]);
        assert_eq!(names(&order.beyond), ["a2", "a3"]);
        assert_eq!(order.beyond[0].worth, Worth::Replica);
    }

    #[test]
    fn a_restart_is_news_for_a_day() {
        let mut c = container("c", State::Running, 3);
        let ended = |at: &str| Some(Ended { exit_code: 1, reason: None, at: Some(at.parse().unwrap()) });
        c.last = ended("2026-11-22T01:00:00Z");
        assert_eq!(worth(&pod("p", "o", true, vec![]), &c, now()), Worth::Restarted);
        c.last = ended("2026-11-20T01:00:00Z");
        assert_eq!(worth(&pod("p", "o", true, vec![]), &c, now()), Worth::Healthy);
    }

    #[test]
    fn a_finished_job_is_well_and_a_failed_one_is_not() {
        let ended = |exit_code| State::Terminated(Ended { exit_code, reason: None, at: None });
        let mut done = pod("p", "o", false, vec![]);
        done.phase = "Succeeded".into();
        assert_eq!(worth(&done, &container("c", ended(0), 0), now()), Worth::Healthy);
        done.phase = "Failed".into();
        assert_eq!(worth(&done, &container("c", ended(1), 0), now()), Worth::Unhealthy);
    }

    #[test]
    fn nothing_is_asked_of_what_never_ran() {
        let waiting = State::Waiting(Some("ImagePullBackOff".into()));
        let mut unscheduled = pod("u", "o", false, vec![container("c", State::Waiting(None), 0)]);
        unscheduled.node = None;
        let pods = [pod("p", "o", false, vec![container("c", waiting, 0)]), unscheduled];
        let order = order(&pods, now(), 9);
        assert_eq!(order.wanted, []);
        assert_eq!(order.impossible[0].reason, "the container has not run yet: ImagePullBackOff");
        assert_eq!(order.impossible[1].reason, "the pod has not been scheduled to a node");
    }
}
