//! A cluster in which nothing is wrong must not be told that something is.

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::on_cluster;
use crate::world::{World, report};

pub fn trials() -> Vec<Trial> {
    vec![on_cluster("healthy::no_finding", no_finding)]
}

fn no_finding(world: &World) -> Result<()> {
    let report = report(&[&world.healthy])?;
    let findings = report["findings"].as_array().context("the report has no findings list")?;
    let loud: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["severity"] != "info" && !tells_of_this_machine(finding))
        .collect();
    ensure!(loud.is_empty(), "findings in a healthy cluster: {}", serde_json::to_string_pretty(&loud)?);
    // The silence means something only if the bundle holds what speaks in a broken cluster.
    let ledger = report["ledger"].to_string();
    ensure!(
        !ledger.is_empty() && report["ledger"] != Value::Null,
        "the report says nothing of what was collected"
    );
    Ok(())
}

/// The nodes share this machine's kernel, and kubelets tell of its log: who was killed on it before is none of the
/// cluster's doing.
fn tells_of_this_machine(finding: &Value) -> bool {
    let mut evidence = finding["evidence"].as_array().into_iter().flatten();
    evidence.all(|one| {
        let text = |key: &str| one[key].as_str().unwrap_or_default();
        text("path").starts_with("hosts/") || text("excerpt").contains("SystemOOM")
    })
}
