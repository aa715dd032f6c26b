//! Faults of helm releases, made by real helm 3.17 in the ways in which users make them.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Scenario, Sign, folder, keep_text};
use crate::cluster::{Cluster, any_container};
use crate::wait;

const HELM: &str = "3.17";
/// Long enough that helm is killed before it gives up.
const LONG: &str = "300s";

pub static SCENARIOS: &[Scenario] = &[
    Scenario::steps("helm-another-operation", &["paas-pending"], killed_upgrade),
    Scenario::steps("helm-another-operation--first", &["paas-first"], killed_install),
    Scenario::steps("helm-no-deployed-releases", &["paas-failed"], no_release_to_start_from),
    Scenario::steps("helm-wait-timeout--restarts", &["wait-restarts"], |cluster| {
        timed_out(cluster, "restarts")?;
        cluster
            .wait_for("wait-restarts", "pods", "", "restarted four times", |pods| {
                any_container(pods, |status| {
                    status["restartCount"] == 4 && status["state"]["running"].is_object()
                })
            })
            .map(drop)
    }),
    Scenario::steps("helm-wait-timeout--pending", &["wait-pending"], |cluster| {
        timed_out(cluster, "pending")?;
        Sign::Unschedulable("wait-pending", "Insufficient memory").wait(cluster)
    }),
    Scenario::steps("helm-wait-timeout--crashes", &["wait-crashes"], |cluster| {
        timed_out(cluster, "crashes")?;
        Sign::Looping("wait-crashes", "bk-demo-").wait(cluster)
    }),
    Scenario::steps("helm-wait-timeout--pulls", &["wait-pulls"], |cluster| {
        timed_out(cluster, "pulls")?;
        Sign::Event("wait-pulls", "Pulling", "Pulling image").wait(cluster)
    }),
    Scenario::steps("helm-wait-timeout--missing", &["wait-missing"], |cluster| {
        timed_out(cluster, "missing")?;
        Sign::Waiting("wait-missing", "ImagePullBackOff").wait(cluster)
    }),
];

fn chart() -> Result<String> {
    folder()
        .join("charts/demo")
        .into_os_string()
        .into_string()
        .ok()
        .context("the path of the checkout is not UTF-8")
}

/// One of the values files, which say what goes wrong in the chart's pod.
fn values_file(name: &str) -> Result<String> {
    let path = folder().join("values").join(format!("{name}.yaml"));
    path.into_os_string().into_string().ok().context("the path of the checkout is not UTF-8")
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

/// `helm install --wait` gives up, because the pod is as the values file of that name says.
fn timed_out(cluster: &Cluster, values: &str) -> Result<()> {
    let (chart, values_file) = (chart()?, values_file(values)?);
    let namespace = format!("wait-{values}");
    let args = ["install", "bk-demo", &chart, "-f", &values_file, "-n", &namespace, "--create-namespace"];
    let run = cluster.helm(HELM, &[&args[..], &["--wait", "--timeout", "5s"]].concat())?.expect_code(1)?;
    if !run.stderr.contains("context deadline exceeded") && !run.stderr.contains("timed out waiting") {
        bail!("helm said something else: {}", run.stderr);
    }
    keep_text(cluster, &format!("helm-wait-timeout--{values}"), &run)
}

/// Revision 1 deployed, 2 deployed, 3 never finished: `helm rollback … 2` helps.
fn killed_upgrade(cluster: &Cluster) -> Result<()> {
    let chart = chart()?;
    let common = ["bk-paas", &chart, "-n", "paas-pending"];
    helm(cluster, &[&["install"], &common[..], &["--create-namespace"]].concat())?;
    helm(cluster, &[&["upgrade"], &common[..], &["--set", "replicas=2"]].concat())?;
    let hangs = values_file("hangs")?;
    let waiting = ["-f", &hangs, "--wait", "--timeout", LONG];
    kill_while(
        cluster,
        "paas-pending",
        "bk-paas",
        "pending-upgrade",
        &[&["upgrade"], &common[..], &waiting[..]].concat(),
    )?;
    let retry = [&["upgrade"], &common[..]].concat();
    refused(cluster, "helm-another-operation", &retry, "another operation")
}

/// The first installation never finished: only `helm uninstall` helps.
fn killed_install(cluster: &Cluster) -> Result<()> {
    let chart = chart()?;
    let args = ["install", "bk-ci", &chart, "-n", "paas-first", "--create-namespace"];
    let hangs = values_file("hangs")?;
    let waiting = ["-f", &hangs, "--wait", "--timeout", LONG];
    kill_while(cluster, "paas-first", "bk-ci", "pending-install", &[&args[..], &waiting[..]].concat())?;
    let retry = ["upgrade", "--install", "bk-ci", &chart, "-n", "paas-first"];
    refused(cluster, "helm-another-operation--first", &retry, "another operation")
}

/// The first installation timed out and was taken away with its history kept: there is no release to start from.
/// (helm 3 itself goes on from a *failed* first revision.)
fn no_release_to_start_from(cluster: &Cluster) -> Result<()> {
    let (chart, hangs) = (chart()?, values_file("hangs")?);
    let install = ["install", "bk-paas", &chart, "-n", "paas-failed", "--create-namespace", "-f", &hangs];
    cluster.helm(HELM, &[&install[..], &["--wait", "--timeout", "3s"]].concat())?.expect_code(1)?;
    helm(cluster, &["uninstall", "bk-paas", "-n", "paas-failed", "--keep-history"])?;
    let retry = ["upgrade", "bk-paas", &chart, "-n", "paas-failed"];
    refused(cluster, "helm-no-deployed-releases", &retry, "has no deployed releases")
}

/// Runs helm, which must refuse with these words, and keeps what the terminal showed.
fn refused(cluster: &Cluster, scenario: &str, args: &[&str], words: &str) -> Result<()> {
    let run = cluster.helm(HELM, args)?.expect_code(1)?;
    if !run.stderr.contains(words) {
        bail!("helm said something else: {}", run.stderr);
    }
    keep_text(cluster, scenario, &run)
}
