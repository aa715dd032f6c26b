//! The texts that claim to be kubectl's and helm's, beside those of real kubectl and helm.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use shared::describe::Form;
use shared::{helm as records, tables};
use tests::api::Proxy;
use tests::cluster::{Cluster, items};
use tests::comparison::{compare, report};
use tests::run::{Run, run};
use tests::{scenario, wait};

use crate::on_cluster;
use crate::world::World;

const NAMESPACE: &str = "describe";
const OBJECTS: &str = include_str!("../fixtures/describe-objects.yaml");
const CRON_JOB: &str = include_str!("../fixtures/describe-cronjob-v1beta1.yaml");
const STATES: &str = include_str!("../fixtures/describe-states.json");

/// These lines must be equal, of a hundred, once known reasons are taken out.
const WANTED: f64 = 99.0;

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("describe::reads_as_kubectl_describe", describe_as_kubectl),
        on_cluster("describe::tables_read_as_kubectl_get_wide", tables_as_kubectl),
        on_cluster("describe::history_reads_as_helm_history", history_as_helm),
    ]
}

/// Every kind that has a describer, in ordinary and in odd states, beside kubectl 1.20 and 1.32.
fn describe_as_kubectl(world: &World) -> Result<()> {
    let cluster = &world.cluster;
    make(cluster)?;
    for (version, form) in [("1.20", Form::Kubectl120), ("1.32", Form::Kubectl132)] {
        let kubectl = |args: &[&str]| Ok(cluster.kubectl_of(version, args)?.expect_code(0)?.stdout);
        let scores = compare(&kubectl, form, &[NAMESPACE, "kube-system"], |_| true)?;
        let text = report(&scores);
        eprintln!("kubectl {version}\n{text}");
        for kind in ["Pod", "Node", "PersistentVolumeClaim", "Service", "Deployment", "StatefulSet", "Job"] {
            let score = scores.get(kind).with_context(|| format!("no {kind} was compared"))?;
            ensure!(score.percent_explained() >= WANTED, "{kind} differs from kubectl {version}\n{text}");
        }
        for (kind, score) in &scores {
            ensure!(score.percent_explained() >= 95.0, "{kind} differs from kubectl {version}\n{text}");
        }
    }
    Ok(())
}

/// Makes the objects, then their odd states, and waits until the controllers have done what they will do.
pub fn make(cluster: &Cluster) -> Result<()> {
    let nodes = cluster.get("", "nodes", "")?;
    let node = items(&nodes)[0]["metadata"]["name"].as_str().context("a node has a name")?;
    cluster.apply(&OBJECTS.replace("10.0.6.31", node))?;
    // Gone from newer servers.
    let _ = cluster.apply(CRON_JOB);
    cluster
        .wait_for(NAMESPACE, "jobs", "fails", "failed", |job| job["status"]["failed"].as_i64() >= Some(2))?;
    let kubectl = |args: &[&str]| cluster.kubectl_of("1.32", args)?.expect_code(0).map(drop);
    kubectl(&["label", "node", node, "node-role.kubernetes.io/describe=", "--overwrite"])?;
    kubectl(&["taint", "node", node, "describe=yes:PreferNoSchedule", "--overwrite"])?;
    kubectl(&["set", "image", "deployment/web", "web=web:2", "-n", NAMESPACE])?;
    for state in items(&serde_json::from_str(STATES)?) {
        let patch = state["patch"].to_string();
        let (kind, name) = (text(&state["kind"])?, text(&state["name"])?);
        kubectl(&[
            "patch",
            kind,
            name,
            "-n",
            NAMESPACE,
            "--subresource=status",
            "--type=merge",
            "-p",
            &patch,
        ])?;
    }
    kubectl(&["delete", "pod", "inits", "-n", NAMESPACE, "--wait=false"])?;
    kubectl(&["delete", "pvc", "bound-claim", "-n", NAMESPACE, "--wait=false"])?;
    event_series(cluster)?;
    // The comparison copes with what still moves; it is only quicker when little does.
    cluster
        .wait_for(NAMESPACE, "deployments", "web", "rolled out", |web| {
            web["status"]["updatedReplicas"] == 3 && web["status"]["replicas"] == 3
        })
        .map(drop)
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("{value} is no text"))
}

/// An event as the newer API makes them, with a message of several lines.
fn event_series(cluster: &Cluster) -> Result<()> {
    let web = cluster.get(NAMESPACE, "deployment", "web")?;
    let uid = text(&web["metadata"]["uid"])?;
    cluster.apply(&format!(
        "apiVersion: v1\n\
         kind: Event\n\
         metadata: {{name: web.series, namespace: {NAMESPACE}}}\n\
         involvedObject: {{apiVersion: apps/v1, kind: Deployment, name: web, namespace: {NAMESPACE}, uid: {uid}}}\n\
         type: Warning\n\
         reason: Series\n\
         message: \"several lines\\n  of text\\t with a tab \"\n\
         action: act\n\
         eventTime: \"2026-11-01T08:00:00.123456Z\"\n\
         series: {{count: 7, lastObservedTime: \"2026-11-01T08:30:00.000000Z\"}}\n\
         reportingComponent: example.com/reporter\n\
         reportingInstance: one\n"
    ))
}

/// Tables as the server makes them, printed by us and by kubectl.
fn tables_as_kubectl(world: &World) -> Result<()> {
    let cluster = &world.cluster;
    let proxy = Proxy::start(cluster.tool("kubectl-1.32", &[]))?;
    for (resource, path, namespaced) in [
        ("pods", "/api/v1/namespaces/paas-healthy/pods", false),
        ("services", "/api/v1/services", true),
        ("deployments.apps", "/apis/apps/v1/namespaces/paas-healthy/deployments", false),
        ("replicasets.apps", "/apis/apps/v1/namespaces/paas-healthy/replicasets", false),
        ("configmaps", "/api/v1/configmaps", true),
        ("events", "/api/v1/namespaces/paas-healthy/events", false),
        ("nodes", "/api/v1/nodes", false),
        ("storageclasses", "/apis/storage.k8s.io/v1/storageclasses", false),
        ("clusterroles", "/apis/rbac.authorization.k8s.io/v1/clusterroles", false),
    ] {
        // Ages grow while one looks, and on a busy machine they never fall into one second: they count as one.
        wait::until(&format!("{resource} to print alike"), Duration::from_secs(60), || {
            let body = proxy.get(path, "application/json;as=Table;v=v1;g=meta.k8s.io")?;
            let ours = tables::wide(&serde_json::from_slice(&body)?, namespaced);
            let mut args = vec!["get", resource, "-o", "wide"];
            if namespaced {
                args.push("-A");
            } else if path.contains("/namespaces/") {
                // What moves is looked at where nothing moves: other tests make faults meanwhile.
                args.extend(["-n", "paas-healthy"]);
            }
            let theirs = cluster.kubectl_of("1.32", &args)?.expect_code(0)?.stdout;
            ensure!(ours.lines().count() > 1 || theirs.is_empty(), "the table of {resource} is empty");
            ensure!(
                ours == theirs || ageless(&ours) == ageless(&theirs),
                "kubectl get {resource} prints\n{theirs}we print\n{ours}"
            );
            Ok(())
        })?;
    }
    Ok(())
}

/// The cells of a table, with one word for every age, such as `3m31s` or `(2d ago)`.
fn ageless(table: &str) -> Vec<Vec<&str>> {
    let is_age = |word: &str| {
        let word = word.trim_start_matches('(');
        word.starts_with(|c: char| c.is_ascii_digit())
            && word.ends_with(['s', 'm', 'h', 'd', 'y'])
            && word.chars().all(|c| c.is_ascii_digit() || "smhdy".contains(c))
    };
    table
        .lines()
        .map(|line| line.split_whitespace().map(|word| if is_age(word) { "age" } else { word }).collect())
        .collect()
}

/// Records of deployed, superseded, failed, killed and uninstalled revisions, in Secrets and in ConfigMaps.
fn history_as_helm(world: &World) -> Result<()> {
    let cluster = &world.cluster;
    for (driver, kind) in [("secret", "secrets"), ("configmap", "configmaps")] {
        let namespace = format!("helm-{kind}");
        make_releases(cluster, driver, kind, &namespace)?;
        let list = cluster.kubectl(&["get", kind, "-n", &namespace, "-l", "owner=helm", "-o", "json"])?;
        let list: Value = serde_json::from_str(&list.expect_code(0)?.stdout)?;
        let records = items(&list).iter().map(records::decode_object).collect::<Result<Vec<_>, _>>()?;
        let mut releases = records::by_namespace(records);
        let releases = releases.remove(&namespace).context("the records name their namespace")?;
        ensure!(releases.len() == 3, "{} releases instead of 3", releases.len());
        for (release, history) in releases {
            let theirs =
                helm(cluster, driver, &["history", &release, "-n", &namespace])?.expect_code(0)?.stdout;
            let ours = records::history_table(&history);
            ensure!(ours == theirs, "helm prints\n{theirs}we print\n{ours}");
        }
    }
    Ok(())
}

fn helm(cluster: &Cluster, driver: &str, args: &[&str]) -> Result<Run> {
    run(cluster.tool("helm-3.17", args).env("HELM_DRIVER", driver))
}

fn make_releases(cluster: &Cluster, driver: &str, kind: &str, namespace: &str) -> Result<()> {
    let folder = scenario::folder();
    let (chart, hangs) = (folder.join("charts/demo"), folder.join("values/hangs.yaml"));
    let chart = chart.to_str().context("the path of the checkout is UTF-8")?;
    let hangs = hangs.to_str().context("the path of the checkout is UTF-8")?;
    let common = ["-n", namespace, "--create-namespace", "--install"];
    let upgrade = |release: &str, more: &[&str]| {
        helm(cluster, driver, &[&["upgrade", release, chart], &common[..], more].concat())
    };
    upgrade("goes", &[])?.expect_code(0)?;
    upgrade("goes", &["--set", "replicas=2"])?.expect_code(0)?;
    upgrade("fails", &[])?.expect_code(0)?;
    // The reason of this failure has several lines.
    upgrade("fails", &["--set", "hook=true", "--timeout", "3s"])?.expect_code(1)?;
    upgrade("fails", &["-f", hangs, "--wait", "--timeout", "3s"])?.expect_code(1)?;
    helm(cluster, driver, &["uninstall", "fails", "-n", namespace, "--keep-history"])?.expect_code(0)?;
    let args =
        [&["upgrade", "stuck", chart], &common[..], &["-f", hangs, "--wait", "--timeout", "300s"]].concat();
    let mut killed = cluster.tool("helm-3.17", &args);
    let mut killed = killed.env("HELM_DRIVER", driver).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let seen = cluster.wait_for(namespace, kind, "", "pending", |list| {
        items(list).iter().any(|record| record["metadata"]["labels"]["status"] == "pending-install")
    });
    killed.kill()?;
    killed.wait()?;
    seen.map(drop)
}
