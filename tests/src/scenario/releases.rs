//! Faults of helm releases, made by real helm 3.17 in the ways in which users make them.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Scenario, folder};
use crate::cluster::{Cluster, items};
use crate::wait;

const HELM: &str = "3.17";
/// Long enough that helm is killed before it gives up.
const LONG: &str = "300s";

pub static SCENARIOS: &[Scenario] = &[
    Scenario { id: "helm-another-operation", namespaces: &["paas-pending"], make: killed_upgrade },
    Scenario { id: "helm-another-operation--first", namespaces: &["paas-first"], make: killed_install },
    Scenario { id: "helm-no-deployed-releases", namespaces: &["paas-failed"], make: failed_install },
];

fn chart() -> Result<String> {
    folder()
        .join("charts/demo")
        .into_os_string()
        .into_string()
        .ok()
        .context("the path of the checkout is not UTF-8")
}

fn helm(cluster: &Cluster, args: &[&str]) -> Result<()> {
    cluster.helm(HELM, args)?.expect_code(0).map(drop)
}

/// Starts helm and kills it with SIGKILL once the newest record of the release has the given status.
fn kill_while(cluster: &Cluster, namespace: &str, release: &str, status: &str, args: &[&str]) -> Result<()> {
    let mut child = cluster
        .tool(&format!("helm-{HELM}"), args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start helm")?;
    let selector = format!("owner=helm,name={release},status={status}");
    let seen = wait::until(&format!("helm to be at {status}"), Duration::from_secs(60), || {
        let run = cluster
            .kubectl(&["get", "secrets", "-n", namespace, "-l", &selector, "-o", "name"])?
            .expect_code(0)?;
        if run.stdout.is_empty() {
            bail!("no record with labels {selector}");
        }
        Ok(())
    });
    child.kill().context("cannot kill helm")?;
    child.wait()?;
    seen
}

/// Revision 1 deployed, 2 deployed, 3 never finished: `helm rollback … 2` helps.
fn killed_upgrade(cluster: &Cluster) -> Result<()> {
    let chart = chart()?;
    let common = ["bk-paas", &chart, "-n", "paas-pending"];
    helm(cluster, &[&["install"], &common[..], &["--create-namespace"]].concat())?;
    helm(cluster, &[&["upgrade"], &common[..], &["--set", "replicas=2"]].concat())?;
    let waiting = ["--set", "hang=true", "--wait", "--timeout", LONG];
    kill_while(
        cluster,
        "paas-pending",
        "bk-paas",
        "pending-upgrade",
        &[&["upgrade"], &common[..], &waiting[..]].concat(),
    )
}

/// The first installation never finished: only `helm uninstall` helps.
fn killed_install(cluster: &Cluster) -> Result<()> {
    let chart = chart()?;
    let args = ["install", "bk-ci", &chart, "-n", "paas-first", "--create-namespace"];
    let waiting = ["--set", "hang=true", "--wait", "--timeout", LONG];
    kill_while(cluster, "paas-first", "bk-ci", "pending-install", &[&args[..], &waiting[..]].concat())
}

/// The first installation timed out, the second try finds no release to start from.
fn failed_install(cluster: &Cluster) -> Result<()> {
    let chart = chart()?;
    let install = ["install", "bk-paas", &chart, "-n", "paas-failed", "--create-namespace"];
    let waiting = ["--set", "hang=true", "--wait", "--timeout", "3s"];
    cluster.helm(HELM, &[&install[..], &waiting[..]].concat())?.expect_code(1)?;
    let retry = cluster.helm(HELM, &["upgrade", "bk-paas", &chart, "-n", "paas-failed"])?.expect_code(1)?;
    if !retry.stderr.contains("has no deployed releases") {
        bail!("helm said something else: {}", retry.stderr);
    }
    if items(&cluster.get("paas-failed", "pods", "")?).is_empty() {
        bail!("the failed installation left no pod");
    }
    Ok(())
}
