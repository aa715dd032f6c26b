//! Keeping what a real failure looks like, as a test of the rule that has to know it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Certainty, Lab, Outcome, Scenario};
use crate::cluster::items;

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules");
/// Lines of a log that are kept: its end, where programs say why they go.
const LOG_LINES: &str = "--tail=25";

/// Whether the rule that shall answer is there, and so are those that shall not.
///
/// # Errors
/// With the one that is not.
pub fn check(scenario: &Scenario) -> Result<()> {
    std::iter::once(&scenario.answers).chain(&scenario.silent).try_for_each(|rule| {
        find(Path::new(RULES), &format!("{rule}.yaml")).map(drop).with_context(|| {
            format!("tests/lab/{}.yaml names the rule {rule}, which is not there", scenario.id)
        })
    })
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).find_map(|path| {
        if path.is_dir() {
            find(&path, name)
        } else {
            path.file_name().is_some_and(|own| own == name).then_some(path)
        }
    })
}

/// Adds what a user would paste to the tests of the scenario's rule, or puts it in the place of what an earlier run recorded.
pub fn write(lab: &Lab, scenario: &Scenario, outcome: &Outcome) -> Result<PathBuf> {
    ensure!(
        outcome.faults.is_empty(),
        "{} is not answered as it should be; nothing is recorded",
        scenario.id
    );
    let path = find(Path::new(RULES), &format!("{}.test.yaml", scenario.answers))
        .with_context(|| format!("no tests of {}", scenario.answers))?;
    let name = format!("laboratory {}", scenario.id);
    let kept = without(&fs::read_to_string(&path)?, &name);
    let mut case = format!(
        "  - name: {name}\n    origin: lab\n    from: tests/lab/{}.yaml, Kubernetes 1.20.2, containerd 1.6.20{}\n    files:\n",
        scenario.id,
        versions(lab, scenario)?
    );
    for (file, text) in pastes(lab, scenario, outcome)? {
        case.push_str(&format!("      texts/{file}.txt: |\n"));
        for line in text.lines() {
            let line = mask(line);
            case.push_str(if line.trim().is_empty() { "" } else { "        " });
            case.push_str(line.trim_end());
            case.push('\n');
        }
    }
    let expect = if scenario.least == Certainty::Confirmed { "confirmed" } else { "likely" };
    case.push_str(&format!("    expect: {expect}\n"));
    fs::write(&path, format!("{kept}{case}")).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn versions(lab: &Lab, scenario: &Scenario) -> Result<String> {
    let mut all = String::new();
    for image in scenario.images(&lab.images) {
        for version in image.make(lab.cluster.cache())?.versions {
            all.push_str(", ");
            all.push_str(&version);
        }
    }
    Ok(all)
}

/// The file without the case of that name.
fn without(text: &str, name: &str) -> String {
    let mut kept = String::new();
    let mut skipping = false;
    for line in text.lines() {
        if line.starts_with("  - name:") {
            skipping = line.trim_start_matches("  - name:").trim() == name;
        }
        if !skipping {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// What a user would copy from the terminal: what failed there, each pod's describe, the end of each log.
fn pastes(lab: &Lab, scenario: &Scenario, outcome: &Outcome) -> Result<Vec<(String, String)>> {
    let (cluster, namespace) = (&lab.cluster, scenario.id.as_str());
    let mut pastes = Vec::new();
    if !outcome.said.is_empty() {
        pastes.push(("terminal".to_owned(), outcome.said.clone()));
    }
    let pods = cluster.get(namespace, "pods", "")?;
    for (number, pod) in items(&pods).iter().enumerate().take(2) {
        let name = text(&pod["metadata"]["name"]);
        let described = cluster.kubectl(&["describe", "pod", "-n", namespace, name])?.stdout;
        pastes.push((format!("describe-{number}"), described));
        for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
            let container = text(&container["name"]);
            for previous in ["--previous=true", "--previous=false"] {
                let args = ["logs", "-n", namespace, name, "-c", container, LOG_LINES, previous];
                let run = cluster.kubectl(&args)?;
                if run.code == Some(0) && !run.stdout.trim().is_empty() {
                    let flag = if previous.ends_with("true") { " -p" } else { "" };
                    let line = format!("$ kubectl logs{flag} -n {namespace} {name} -c {container}\n");
                    pastes.push((format!("log-{number}-{container}"), line + &run.stdout));
                    break;
                }
            }
        }
    }
    if items(&pods).is_empty() {
        pastes.push(("events".to_owned(), cluster.kubectl(&["get", "events", "-n", namespace])?.stdout));
    }
    Ok(pastes)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Without the characters that YAML takes for its own in a block, and without what is only of the machine.
fn mask(line: &str) -> String {
    let home = std::env::var("XDG_CACHE_HOME").or_else(|_| std::env::var("HOME")).unwrap_or_default();
    let line = if home.len() > 1 { line.replace(&home, "/var/lib/node") } else { line.to_owned() };
    line.replace('\t', "  ").chars().filter(|character| !character.is_control()).collect()
}
