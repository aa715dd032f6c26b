//! Faults that any cluster can have, and the healthy installation.

use anyhow::Result;

use super::{Scenario, apply};
use crate::cluster::{Cluster, items};

pub static SCENARIOS: &[Scenario] = &[];

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
