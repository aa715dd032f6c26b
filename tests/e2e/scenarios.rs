//! Every fault that can be made is made, collected and recognised.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::on_cluster;
use crate::world::World;

/// What the report must say of a scenario.
struct Expectation {
    /// The case, where it is not the one that the scenario is named after.
    case: Option<&'static str>,
    scenario: &'static str,
    /// Words that some evidence's excerpt must hold.
    excerpt: &'static str,
    /// Start of the path of the file that this evidence names.
    path: &'static str,
    /// Words that the list of subjects must hold.
    subject: &'static str,
    /// Words that some command of the fix must hold; empty where it does not matter.
    command: &'static str,
    /// Words of the conclusion; empty where there is only one.
    says: &'static str,
}

/// A fault that is there, in a bundle that has all of it, leaves no question open.
const VERDICTS: &[&str] = &["confirmed", "likely"];

const EXPECTATIONS: &[Expectation] = &[
    Expectation {
        case: None,
        scenario: "bkrepo-gateway-ipv6",
        excerpt: "Address family not supported by protocol",
        path: "cluster-resources/pods/logs/blueking/bk-repo-bkrepo-gateway-",
        subject: "bk-repo-bkrepo-gateway-",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "helm-another-operation",
        excerpt: "pending-upgrade",
        path: "helm/paas-pending",
        subject: "bk-paas",
        command: "helm rollback -n paas-pending bk-paas 2",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "helm-another-operation--first",
        excerpt: "pending-install",
        path: "helm/paas-first",
        subject: "bk-ci",
        command: "helm uninstall -n paas-first bk-ci",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "helm-no-deployed-releases",
        excerpt: "has no deployed releases",
        path: "texts/",
        subject: "bk-paas",
        command: "helm uninstall -n paas-failed bk-paas",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "helm-wait-timeout--restarts",
        excerpt: "context deadline exceeded",
        path: "helm/wait-restarts",
        subject: "bk-demo",
        command: "",
        says: "restarts",
    },
    Expectation {
        case: None,
        scenario: "helm-wait-timeout--pending",
        excerpt: "context deadline exceeded",
        path: "helm/wait-pending",
        subject: "bk-demo",
        command: "kubectl describe pod -n wait-pending",
        says: "never placed",
    },
    Expectation {
        case: None,
        scenario: "helm-wait-timeout--crashes",
        excerpt: "context deadline exceeded",
        path: "helm/wait-crashes",
        subject: "bk-demo",
        command: "kubectl logs -p -n wait-crashes",
        says: "keeps exiting",
    },
    Expectation {
        case: None,
        scenario: "helm-wait-timeout--pulls",
        excerpt: "context deadline exceeded",
        path: "helm/wait-pulls",
        subject: "bk-demo",
        command: "",
        says: "pulled",
    },
    Expectation {
        case: None,
        scenario: "helm-wait-timeout--missing",
        excerpt: "context deadline exceeded",
        path: "helm/wait-missing",
        subject: "bk-demo",
        command: "",
        says: "does not exist in its registry",
    },
    Expectation {
        case: None,
        scenario: "saas-prehook-image-pull",
        excerpt: "no such host",
        path: "cluster-resources/events/bkapp-bk0us0itsm-prod",
        subject: "bkapp-bk0us0itsm-prod",
        command: "",
        says: "cannot resolve",
    },
    Expectation {
        case: None,
        scenario: "saas-prehook-image-pull",
        excerpt: "x509",
        path: "cluster-resources/events/bkapp-bk0us0sops-stag",
        subject: "bkapp-bk0us0sops-stag",
        command: "",
        says: "default certificate",
    },
    Expectation {
        case: None,
        scenario: "pvc-no-storageclass",
        excerpt: "no storage class is set",
        path: "cluster-resources/events/storage-noclass",
        subject: "data-bk-mongodb-0",
        command: "kubectl get sc",
        says: "",
    },
    Expectation {
        case: Some("pvc-unbound-immediate"),
        scenario: "pvc-no-storageclass",
        excerpt: "unbound immediate PersistentVolumeClaims",
        path: "cluster-resources/events/storage-noclass",
        subject: "storage-noclass",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "pvc-wait-pod-scheduled",
        excerpt: "to be scheduled",
        path: "cluster-resources/events/claim-waits",
        subject: "data-bk-kafka-0",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "pv-not-found-to-bind",
        excerpt: "find available persistent volumes to bind",
        path: "cluster-resources/events/storage-nospace",
        subject: "bk-mysql-mysql-master-0",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "kubelet-10250-unreachable",
        excerpt: "connection refused",
        path: "manifest.json",
        subject: "node-10-0-6-34",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "consul-no-private-ip",
        excerpt: "No private IPv4 address found",
        path: "cluster-resources/pods/logs/blueking/bk-consul-0/",
        subject: "bk-consul-0",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "bkmonitor-ipc-missing",
        excerpt: "dial unix /data/ipc/ipc.state.report",
        path: "cluster-resources/pods/logs/bkmonitor-operator/",
        subject: "bkmonitor-operator-bkmonitorbeat-daemonset-",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "service-call-failed-clock-skew",
        excerpt: "Service call failed",
        path: "cluster-resources/pods/logs/blueking/",
        subject: "bkpaas3-apiserver-migrate-db-",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "es-redis-dns-network",
        excerpt: "failed to resolve host",
        path: "cluster-resources/pods/logs/blueking/bk-elastic-elasticsearch-data-0/",
        subject: "bk-elastic-elasticsearch-data-0",
        command: "kubectl delete pvc -n blueking",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "bkci-init-turbo-timeout",
        excerpt: "bk-ci-init-turbo",
        path: "cluster-resources/",
        subject: "bk-ci-init-turbo",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "login-style-lost",
        excerpt: "login.js",
        path: "cluster-resources/pods/logs/blueking/bk-login-web-",
        subject: "bk-login-web-",
        command: "kubectl rollout restart deployment -n blueking bk-login-web",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "gitlab-webhook-master",
        excerpt: "Webhook",
        path: "cluster-resources/pods/logs/blueking/bk-ci-bk-ci-process-",
        subject: "bk-ci-bk-ci-process-",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "image-not-found",
        excerpt: "not found",
        path: "cluster-resources/events/image-missing",
        subject: "bk-apigateway-0",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "image-never-pull",
        excerpt: "",
        path: "cluster-resources/",
        subject: "bk-tools",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "oom-killed",
        excerpt: "OOMKilled",
        path: "cluster-resources/pods/oom",
        subject: "bk-job-execute-0",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "crash-loop",
        excerpt: "",
        path: "cluster-resources/",
        subject: "bk-iam-0",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "liveness-kills",
        excerpt: "Liveness probe failed",
        path: "cluster-resources/events/liveness",
        subject: "bk-log-web-0",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "readiness-failing",
        excerpt: "Readiness probe failed",
        path: "cluster-resources/events/readiness",
        subject: "bk-log-web-0",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "startup-probe-failing",
        excerpt: "Startup probe failed",
        path: "cluster-resources/events/startup",
        subject: "bk-log-web-0",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "config-missing",
        excerpt: "bk-nodeman-env",
        path: "cluster-resources/",
        subject: "bk-nodeman-0",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "insufficient-resources",
        excerpt: "Insufficient cpu",
        path: "cluster-resources/events/too-big",
        subject: "bk-elastic-data-0",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "too-many-pods",
        excerpt: "Too many pods",
        path: "cluster-resources/events/crowded",
        subject: "bk-gse-task-",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "taint-not-tolerated",
        excerpt: "didn't tolerate",
        path: "cluster-resources/events/tainted",
        subject: "bk-gpu-job",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "affinity-mismatch",
        excerpt: "didn't match Pod's node affinity",
        path: "cluster-resources/events/unlabelled",
        subject: "ingress-nginx-controller",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "node-cordoned",
        excerpt: "unschedulable",
        path: "cluster-resources/",
        subject: "",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "host-port-conflict",
        excerpt: "didn't have free ports",
        path: "cluster-resources/events/host-port",
        subject: "gse-proxy-",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "claim-or-class-missing",
        excerpt: "not found",
        path: "cluster-resources/events/claim-missing",
        subject: "claim-missing",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "quota-exceeded",
        excerpt: "exceeded quota",
        path: "cluster-resources/events/quota",
        subject: "bk-bcs-monitor",
        command: "",
        says: "",
    },
    Expectation {
        case: None,
        scenario: "node-not-ready",
        excerpt: "",
        path: "cluster-resources/nodes.json",
        subject: "node-10-0-6-34",
        command: "",
        says: "",
    },
];

pub fn trials() -> Vec<Trial> {
    let mut names = BTreeSet::new();
    EXPECTATIONS
        .iter()
        .map(|expected| {
            let mut name = format!("scenarios::{}", expected.scenario);
            if let Some(case) = expected.case {
                name = format!("{name}::{case}");
            }
            while !names.insert(name.clone()) {
                name.push_str("::other");
            }
            on_cluster(name, |world| decided(world, expected))
        })
        .chain([on_cluster("scenarios::every_one_is_expected", every_one_is_expected)])
        .collect()
}

/// A scenario that nobody looks at shows nothing.
fn every_one_is_expected(_: &World) -> Result<()> {
    for scenario in tests::scenario::all() {
        let expected = EXPECTATIONS.iter().any(|expected| expected.scenario == scenario.id);
        ensure!(expected, "nothing is expected of the scenario {}", scenario.id);
    }
    Ok(())
}

fn decided(world: &World, expected: &Expectation) -> Result<()> {
    let report = world.observe(expected.scenario)?.report;
    let named = expected.scenario.split("--").next().context("a scenario is named after its case")?;
    let case = expected.case.unwrap_or(named);
    let findings = report["findings"].as_array().context("the report has no findings list")?;
    let mut all = Vec::new();
    findings.iter().for_each(|finding| with_explained(finding, &mut all));
    let of_case: Vec<&Value> = all.iter().copied().filter(|finding| finding["case"] == case).collect();
    ensure!(
        !of_case.is_empty(),
        "no finding of {case}; the report has {:?}, unresolved {}",
        all.iter().map(|finding| &finding["case"]).collect::<Vec<_>>(),
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

/// A finding and those that it explains: a pointer is shown below what it points to.
fn with_explained<'a>(finding: &'a Value, all: &mut Vec<&'a Value>) {
    all.push(finding);
    for explained in finding["explains"].as_array().into_iter().flatten() {
        with_explained(explained, all);
    }
}

/// What is wrong with a finding, if anything is.
fn shortcoming(finding: &Value, expected: &Expectation) -> Option<String> {
    let verdict = finding["verdict"].as_str().unwrap_or_default();
    if !VERDICTS.contains(&verdict) {
        return Some(format!("verdict {verdict} instead of {VERDICTS:?}"));
    }
    if !finding["conclusion"].as_str().is_some_and(|text| text.contains(expected.says)) {
        return Some(format!("the conclusion does not say `{}`", expected.says));
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
