//! How it is seen that a fault has come about.

use anyhow::Result;
use serde_json::Value;

use crate::cluster::{Cluster, any_container, condition, items};

/// Something that can be seen in the cluster.
#[derive(Debug, Clone, Copy)]
pub enum Sign {
    /// An event of that reason whose message holds the text: namespace, reason, text.
    Event(&'static str, &'static str, &'static str),
    /// The scheduler found no node, with the text in its words: namespace, text. The event comes first, the pod's
    /// condition a moment later.
    Unschedulable(&'static str, &'static str),
    /// A container was started, says the pod's status, which follows the kubelet's event: namespace, container.
    Started(&'static str, &'static str),
    /// A container waits for that reason: namespace, reason.
    Waiting(&'static str, &'static str),
    /// A pod whose name starts so was restarted at least twice and waits to be again: namespace, start.
    Looping(&'static str, &'static str),
    /// Some container's previous life ended for that reason: namespace, reason.
    Ended(&'static str, &'static str),
    /// Every pod runs, and there is one: namespace.
    Running(&'static str),
    /// The node's condition Ready is Unknown: name.
    Lost(&'static str),
}

impl Sign {
    /// Waits for it.
    pub fn wait(self, cluster: &Cluster) -> Result<()> {
        let pods = |namespace: &str, what: &str, wanted: &dyn Fn(&Value) -> bool| {
            cluster.wait_for(namespace, "pods", "", what, wanted).map(drop)
        };
        match self {
            Sign::Event(namespace, reason, text) => cluster.wait_for_event(namespace, reason, text),
            Sign::Unschedulable(namespace, text) => {
                cluster.wait_for_event(namespace, "FailedScheduling", text)?;
                pods(namespace, "unschedulable", &|list| {
                    items(list).iter().any(|pod| condition(pod, "PodScheduled") == Some("False"))
                })
            }
            Sign::Started(namespace, container) => {
                pods(namespace, &format!("{container} started"), &|list| {
                    any_container(list, |status| {
                        status["name"] == container
                            && ["running", "terminated"].iter().any(|state| {
                                !status["state"][state].is_null() || !status["lastState"][state].is_null()
                            })
                    })
                })
            }
            Sign::Waiting(namespace, reason) => pods(namespace, reason, &|list| {
                any_container(list, |status| status["state"]["waiting"]["reason"] == reason)
            }),
            Sign::Looping(namespace, start) => {
                pods(namespace, &format!("{start}… crash-looping"), &|list| looping(list, start))
            }
            Sign::Ended(namespace, reason) => pods(namespace, reason, &|list| {
                any_container(list, |status| status["lastState"]["terminated"]["reason"] == reason)
            }),
            Sign::Running(namespace) => pods(namespace, "running", &|list| {
                !items(list).is_empty() && items(list).iter().all(|pod| pod["status"]["phase"] == "Running")
            }),
            Sign::Lost(name) => cluster
                .wait_for("", "node", name, "lost", |node| condition(node, "Ready") == Some("Unknown"))
                .map(drop),
        }
    }
}

fn looping(list: &Value, start: &str) -> bool {
    items(list)
        .iter()
        .filter(|pod| pod["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(start)))
        .flat_map(|pod| pod["status"]["containerStatuses"].as_array().into_iter().flatten())
        .any(|status| {
            status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
                && status["restartCount"].as_u64().is_some_and(|count| count >= 2)
        })
}
