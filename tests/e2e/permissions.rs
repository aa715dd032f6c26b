//! A user who may read little gets that little, and nobody gets secrets.

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use tests::cluster::User;

use crate::on_cluster;
use crate::world::{World, text};

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("permissions::one_namespace_only", one_namespace_only),
        on_cluster("permissions::values_of_secrets_stay_out", values_of_secrets_stay_out),
    ]
}

const BINDING: &str = "apiVersion: rbac.authorization.k8s.io/v1\n\
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
