//! A user who may read little gets that little, and nobody gets secrets.

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use tests::cluster::User;
use tests::programs::program;
use tests::run::run;

use crate::on_cluster;
use crate::world::{World, text};

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("permissions::one_namespace_only", one_namespace_only),
        on_cluster("permissions::rights_of_the_job_are_enough", rights_of_the_job_are_enough),
        on_cluster("permissions::preview_of_one_namespace", preview_of_one_namespace),
        on_cluster("permissions::values_of_secrets_stay_out", values_of_secrets_stay_out),
    ]
}

pub const BINDING: &str = "apiVersion: rbac.authorization.k8s.io/v1\n\
                       kind: RoleBinding\n\
                       metadata: {name: viewers, namespace: paas-healthy}\n\
                       roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\n\
                       subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: viewers}]\n";

fn one_namespace_only(world: &World) -> Result<()> {
    world.cluster.apply(BINDING)?;
    let bundle = world.file("viewer.tar.gz");
    let run =
        world.collect_as(User::Viewer, &["-n", "paas-healthy", "-o", text(&bundle)?])?.expect_code(3)?;
    let folder = world.unpack(&bundle)?;
    let manifest: Value = serde_json::from_slice(&std::fs::read(folder.join("manifest.json"))?)?;
    let ledger = manifest["ledger"].as_array().context("the manifest has a ledger")?;
    let outcome =
        |path: &str| ledger.iter().find(|entry| entry["path"] == path).map(|entry| &entry["outcome"]);
    for path in ["cluster-resources/pods/paas-healthy.json", "cluster-resources/events/paas-healthy.json"] {
        ensure!(outcome(path).is_some_and(|outcome| outcome == "collected"), "{path}: {:?}", outcome(path));
    }
    let nodes = outcome("cluster-resources/nodes.json");
    ensure!(nodes.is_some_and(|outcome| outcome == "forbidden"), "nodes are {nodes:?} for a mere viewer");
    let logs = folder.join("cluster-resources/pods/logs/paas-healthy");
    ensure!(logs.is_dir(), "no logs, which a viewer may read\n{}", run.stderr);
    Ok(())
}

/// The account that `collector/deploy/job.yaml` makes, with its own token.
fn rights_of_the_job_are_enough(world: &World) -> Result<()> {
    let manifest =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../collector/deploy/job.yaml"))?;
    // What is applied is all of it but the Job, whose image is not here.
    let documents: Vec<&str> = manifest.split("\n---\n").filter(|text| !text.contains("kind: Job")).collect();
    world.cluster.apply(&documents.join("\n---\n"))?;
    let made = |account: &Value| account["secrets"][0]["name"].is_string();
    let account =
        world.cluster.wait_for("casebook", "serviceaccount", "casebook-collect", "with a token", made)?;
    let secret = account["secrets"][0]["name"].as_str().context("it has a token")?;
    let template = "go-template={{.data.token | base64decode}}";
    let token = world
        .cluster
        .kubectl(&["get", "secret", "-n", "casebook", secret, "-o", template])?
        .expect_code(0)?;
    let kubeconfig = world.file("job.kubeconfig");
    let admin = std::fs::read_to_string(world.cluster.kubeconfig(User::Admin))?;
    std::fs::write(&kubeconfig, admin.replace("admin-token", token.stdout.trim()))?;

    let bundle = world.file("job.tar.gz");
    let run = run(program("casebook-collect")?
        .args(["--no-host", "-o", text(&bundle)?])
        .env("KUBECONFIG", &kubeconfig))?;
    ensure!(matches!(run.code, Some(0 | 3)), "`{}` ended with {:?}: {}", run.line, run.code, run.stderr);
    let folder = world.unpack(&bundle)?;
    let manifest: Value = serde_json::from_slice(&std::fs::read(folder.join("manifest.json"))?)?;
    let ledger = manifest["ledger"].as_array().context("the manifest has a ledger")?;
    let refused: Vec<&Value> = ledger.iter().filter(|entry| entry["outcome"] == "forbidden").collect();
    ensure!(refused.is_empty(), "the rights do not do: {refused:?}");
    for path in
        ["cluster-resources/pods/paas-healthy.json", "probes/kubelet.json", "cluster-resources/nodes.json"]
    {
        let entry = ledger.iter().find(|entry| entry["path"] == path);
        ensure!(entry.is_some_and(|entry| entry["outcome"] == "collected"), "{path}: {entry:?}");
    }
    ensure!(folder.join("cluster-resources/pods/logs/paas-healthy").is_dir(), "no logs\n{}", run.stderr);
    Ok(())
}

/// The preview of a user of one namespace counts what that one holds, and does not list forty refusals.
fn preview_of_one_namespace(world: &World) -> Result<()> {
    world.cluster.apply(BINDING)?;
    let text = std::fs::read_to_string(world.cluster.kubeconfig(User::Viewer))?;
    let kubeconfig = world.file("previewing.kubeconfig");
    std::fs::write(&kubeconfig, text.replace("user: user}}]", "user: user, namespace: paas-healthy}}]"))?;
    let run =
        run(program("casebook-collect")?.args(["--no-host", "--dry-run"]).env("KUBECONFIG", &kubeconfig))?
            .expect_code(0)?;
    let said = &run.stdout;
    ensure!(
        said.matches("is forbidden").count() == 1 && said.contains("more lists that may not be read"),
        "{said}"
    );
    let pods = said.lines().find(|line| line.ends_with("GET /api/v1/namespaces/paas-healthy/pods"));
    let count =
        pods.and_then(|line| line.split_whitespace().next()).and_then(|word| word.parse::<u32>().ok());
    ensure!(count.is_some_and(|count| count > 0), "pods are not counted: {said}");
    ensure!(said.contains("container logs"), "{said}");
    Ok(())
}

fn values_of_secrets_stay_out(world: &World) -> Result<()> {
    let secret = world.cluster.get("paas-healthy", "secret", "bk-mysql")?;
    let encoded = secret["data"]["root"].as_str().context("the healthy installation has a secret")?;
    let folder = world.unpack(&world.healthy)?;
    let mut files = 0;
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let content = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
            for value in [encoded, "correct-horse-battery-staple"] {
                ensure!(!content.contains(value), "{} holds the value of a secret", path.display());
            }
            files += 1;
        }
    }
    ensure!(files > 50, "only {files} files were searched");
    Ok(())
}
