//! Every fault that can be made is made, collected and recognised.

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::on_cluster;
use crate::world::World;

/// What the report must say of a scenario.
struct Expectation {
    scenario: &'static str,
    /// Verdicts that are right; the evidence decides between confirmed and likely in some cases.
    verdicts: &'static [&'static str],
    /// Words that some evidence's excerpt must hold.
    excerpt: &'static str,
    /// Start of the path of the file that the evidence names.
    path: &'static str,
    /// Words that some command of the fix must hold; empty when the fix is no command.
    command: &'static str,
    /// Words that the list of subjects must hold.
    subject: &'static str,
}

const SURE: &[&str] = &["confirmed", "likely"];

const EXPECTATIONS: &[Expectation] = &[
    Expectation {
        scenario: "bkrepo-gateway-ipv6",
        verdicts: SURE,
        excerpt: "Address family not supported by protocol",
        path: "cluster-resources/pods/logs/blueking/bk-repo-bkrepo-gateway-",
        command: "",
        subject: "bk-repo-bkrepo-gateway-",
    },
    Expectation {
        scenario: "helm-another-operation",
        verdicts: SURE,
        excerpt: "pending-upgrade",
        path: "helm/paas-pending",
        command: "helm rollback -n paas-pending bk-paas 2",
        subject: "bk-paas",
    },
    Expectation {
        scenario: "helm-another-operation--first",
        verdicts: SURE,
        excerpt: "pending-install",
        path: "helm/paas-first",
        command: "helm uninstall -n paas-first bk-ci",
        subject: "bk-ci",
    },
    Expectation {
        scenario: "helm-no-deployed-releases",
        verdicts: SURE,
        excerpt: "failed",
        path: "helm/paas-failed",
        command: "helm uninstall -n paas-failed bk-paas",
        subject: "bk-paas",
    },
    Expectation {
        scenario: "saas-prehook-image-pull",
        verdicts: SURE,
        excerpt: "no such host",
        path: "cluster-resources/events/bkapp-bk0us0itsm-prod",
        command: "",
        subject: "bkapp-bk0us0itsm-prod",
    },
    Expectation {
        scenario: "pvc-no-storageclass",
        verdicts: SURE,
        excerpt: "no storage class is set",
        path: "cluster-resources/events/storage-noclass",
        command: "helmfile -f 00-localpv.yaml.gotmpl sync",
        subject: "data-bk-mongodb-0",
    },
    Expectation {
        scenario: "pv-not-found-to-bind",
        verdicts: SURE,
        excerpt: "find available persistent volumes to bind",
        path: "cluster-resources/events/storage-nospace",
        command: "",
        subject: "bk-mysql-mysql-master-0",
    },
    Expectation {
        scenario: "kubelet-10250-unreachable",
        verdicts: SURE,
        excerpt: "connection refused",
        path: "manifest.json",
        command: "",
        subject: "node-10-0-6-34",
    },
    Expectation {
        scenario: "consul-no-private-ip",
        verdicts: SURE,
        excerpt: "No private IPv4 address found",
        path: "cluster-resources/pods/logs/blueking/bk-consul-0/",
        command: "",
        subject: "bk-consul-0",
    },
    Expectation {
        scenario: "bkmonitor-ipc-missing",
        verdicts: SURE,
        excerpt: "dial unix /data/ipc/ipc.state.report",
        path: "cluster-resources/pods/logs/bkmonitor-operator/",
        command: "",
        subject: "bkmonitor-operator-bkmonitorbeat-daemonset-",
    },
    Expectation {
        scenario: "service-call-failed-clock-skew",
        verdicts: SURE,
        excerpt: "Service call failed",
        path: "cluster-resources/pods/logs/blueking/",
        command: "",
        subject: "bkpaas3-apiserver-migrate-db-",
    },
    Expectation {
        scenario: "es-redis-dns-network",
        verdicts: SURE,
        excerpt: "UnknownHostException",
        path: "cluster-resources/pods/logs/blueking/bk-elastic-elasticsearch-data-0/",
        command: "",
        subject: "bk-elastic-elasticsearch-data-0",
    },
];

pub fn trials() -> Vec<Trial> {
    EXPECTATIONS
        .iter()
        .map(|expectation| {
            on_cluster(format!("scenarios::{}", expectation.scenario), |world| decided(world, expectation))
        })
        .collect()
}

fn decided(world: &World, expected: &Expectation) -> Result<()> {
    let report = world.observe(expected.scenario)?.report;
    let case = expected.scenario.split("--").next().context("a scenario is named after its case")?;
    let findings = report["findings"].as_array().context("the report has no findings list")?;
    let of_case: Vec<&Value> = findings.iter().filter(|finding| finding["case"] == case).collect();
    ensure!(
        !of_case.is_empty(),
        "no finding of {case}; the report has {:?}, unresolved {}",
        findings.iter().map(|finding| &finding["case"]).collect::<Vec<_>>(),
        report["unresolved"]
    );
    let complaints: Vec<String> = of_case
        .iter()
        .filter_map(|finding| shortcoming(finding, expected).map(|text| format!("{text}: {finding}")))
        .collect();
    ensure!(
        complaints.len() < of_case.len(),
        "no finding of {case} is as it should be:\n{}",
        complaints.join("\n")
    );
    Ok(())
}

/// What is wrong with a finding, if anything is.
fn shortcoming(finding: &Value, expected: &Expectation) -> Option<String> {
    let verdict = finding["verdict"].as_str().unwrap_or_default();
    if !expected.verdicts.contains(&verdict) {
        return Some(format!("verdict {verdict} instead of {:?}", expected.verdicts));
    }
    if !finding["subjects"].to_string().contains(expected.subject) {
        return Some(format!("no subject {}", expected.subject));
    }
    let evidence = finding["evidence"].as_array().map_or(&[][..], Vec::as_slice);
    let shown = evidence.iter().any(|item| {
        item["path"].as_str().is_some_and(|path| path.starts_with(expected.path))
            && item["excerpt"].as_str().is_some_and(|excerpt| excerpt.contains(expected.excerpt))
            && item["line"].as_u64().is_some_and(|line| line > 0)
    });
    if !shown {
        return Some(format!("no evidence from {}… with `{}` and a line", expected.path, expected.excerpt));
    }
    let commands = finding["fix"]
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(|fix| fix["commands"].to_string());
    if !expected.command.is_empty() && !commands.into_iter().any(|text| text.contains(expected.command)) {
        return Some(format!("no fix with `{}`", expected.command));
    }
    None
}
