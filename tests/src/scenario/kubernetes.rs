//! Faults that any cluster can have, and the healthy installation.

use anyhow::Result;

use super::{DOOMED_NODE, Scenario, Sign, apply};
use crate::cluster::{Cluster, items};

pub static SCENARIOS: &[Scenario] = &[
    Scenario::objects(
        "image-not-found",
        &["image-missing"],
        &[
            Sign::Event("image-missing", "Failed", "not found"),
            Sign::Waiting("image-missing", "ImagePullBackOff"),
        ],
    ),
    Scenario::objects(
        "image-never-pull",
        &["image-never"],
        &[Sign::Waiting("image-never", "ErrImageNeverPull")],
    ),
    Scenario::objects(
        "oom-killed",
        &["oom"],
        &[Sign::Ended("oom", "OOMKilled"), Sign::Looping("oom", "bk-job-")],
    ),
    Scenario::objects("crash-loop", &["crashing"], &[Sign::Looping("crashing", "bk-iam-")]),
    Scenario::objects(
        "liveness-kills",
        &["liveness"],
        &[
            Sign::Event("liveness", "Unhealthy", "Liveness probe failed"),
            Sign::Looping("liveness", "bk-log-web-"),
        ],
    ),
    Scenario::objects(
        "readiness-failing",
        &["readiness"],
        &[Sign::Event("readiness", "Unhealthy", "Readiness probe failed")],
    ),
    Scenario::objects(
        "startup-probe-failing",
        &["startup"],
        &[
            Sign::Event("startup", "Unhealthy", "Startup probe failed"),
            Sign::Looping("startup", "bk-log-web-"),
        ],
    ),
    Scenario::objects(
        "config-missing",
        &["config-missing"],
        &[Sign::Waiting("config-missing", "CreateContainerConfigError")],
    ),
    Scenario::objects(
        "insufficient-resources",
        &["too-big"],
        &[Sign::Unschedulable("too-big", "Insufficient cpu")],
    ),
    Scenario::objects("too-many-pods", &["crowded"], &[Sign::Unschedulable("crowded", "Too many pods")]),
    Scenario::objects(
        "taint-not-tolerated",
        &["tainted"],
        &[Sign::Unschedulable("tainted", "that the pod didn't tolerate")],
    ),
    Scenario::objects(
        "affinity-mismatch",
        &["unlabelled"],
        &[Sign::Unschedulable("unlabelled", "didn't match Pod's node affinity")],
    ),
    Scenario::steps("node-cordoned", &["cordoned"], node_cordoned),
    Scenario::objects(
        "host-port-conflict",
        &["host-port"],
        &[Sign::Unschedulable("host-port", "didn't have free ports")],
    ),
    Scenario::objects(
        "claim-or-class-missing",
        &["claim-missing"],
        &[
            Sign::Event(
                "claim-missing",
                "FailedScheduling",
                "persistentvolumeclaim \"data-bk-etcd-0\" not found",
            ),
            Sign::Event("claim-missing", "ProvisioningFailed", "\"fast-ssd\" not found"),
        ],
    ),
    Scenario::objects(
        "quota-exceeded",
        &["quota"],
        &[Sign::Event("quota", "FailedCreate", "exceeded quota")],
    ),
    Scenario::steps("node-not-ready", &["doomed"], node_not_ready),
];

/// Applies the healthy installation and waits until everything in it is up or done.
pub fn healthy(cluster: &Cluster) -> Result<()> {
    apply(cluster, "healthy")?;
    cluster.wait_for("paas-healthy", "pods", "", "all up", |list| {
        items(list).len() >= 7
            && items(list).iter().all(|pod| {
                pod["status"]["phase"] == "Succeeded"
                    || pod["status"]["containerStatuses"]
                        .as_array()
                        .is_some_and(|statuses| statuses.iter().all(|status| status["ready"] == true))
            })
    })?;
    cluster.wait_for("paas-healthy", "job", "bk-user-migrate", "complete", |job| {
        job["status"]["succeeded"] == 1
    })?;
    Ok(())
}

/// A node that only this scenario uses, so that nobody else misses it.
fn node_cordoned(cluster: &Cluster) -> Result<()> {
    let node = super::NodeSpec::numbered(37)
        .labelled("test/cordoned=true")
        .tainted("test/reserved=cordoned:PreferNoSchedule");
    cluster.add_node(&node)?;
    cluster.wait_for("", "node", &node.name, "registered", |_| true)?;
    cluster.kubectl(&["cordon", &node.name])?.expect_code(0)?;
    apply(cluster, "node-cordoned")?;
    Sign::Unschedulable("cordoned", "were unschedulable").wait(cluster)
}

/// Some 40 s after its kubelet's last word, the node is taken for lost.
fn node_not_ready(cluster: &Cluster) -> Result<()> {
    super::blueking::kubelet_10250_unreachable(cluster)?;
    Sign::Lost(DOOMED_NODE).wait(cluster)
}
