//! Bundles under pseudonyms: nothing real is in them, the verdicts are the same, and a reply can be turned back.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use tests::cluster::User;
use tests::programs::program;
use tests::run::{Run, run};
use tests::scenario;

use crate::on_cluster;
use crate::world::{World, report, text};

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster(
            "pseudonyms::every_fault_is_found_under_pseudonyms_and_turned_back",
            every_fault_is_found_and_turned_back,
        ),
        on_cluster("pseudonyms::nothing_real_is_in_a_bundle", nothing_real_is_in_a_bundle),
        on_cluster("pseudonyms::what_cannot_be_meant_is_refused", what_cannot_be_meant_is_refused),
    ]
}

/// `casebook-collect` of a user who has this key.
fn collector(key: &Path, args: &[&str]) -> Result<Command> {
    let mut command = program("casebook-collect")?;
    command.args(args).arg("--pseudonym-key").arg(key).env("NO_COLOR", "1");
    Ok(command)
}

fn pseudonymize(key: &Path, bundle: &Path, output: &Path) -> Result<Run> {
    run(&mut collector(key, &["pseudonymize", text(bundle)?, "-o", text(output)?])?)
}

fn reveal(key: &Path, told: &Value, file: &Path) -> Result<Value> {
    std::fs::write(file, told.to_string())?;
    let run = run(&mut collector(key, &["reveal", text(file)?])?)?.expect_code(0)?;
    serde_json::from_str(&run.stdout).with_context(|| format!("`{}` printed no JSON", run.line))
}

/// What a reader acts on. Lines may move: a longer name can take a line more.
fn told(finding: &Value) -> Value {
    let mut told = finding.clone();
    for member in ["evidence", "explains", "context"] {
        if let Some(object) = told.as_object_mut() {
            object.remove(member);
        }
    }
    told
}

/// Sorted: of findings that rank alike, names decide which comes first.
fn findings(report: &Value) -> Vec<String> {
    let all = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut told: Vec<String> = all.iter().map(|finding| told(finding).to_string()).collect();
    told.sort();
    told
}

fn verdicts(report: &Value) -> Vec<String> {
    let all = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().map(|finding| format!("{} {}", finding["case"], finding["verdict"])).collect()
}

fn every_fault_is_found_and_turned_back(world: &World) -> Result<()> {
    let key = world.file("faults.pseudonym.key");
    world.observe_all(scenario::all().map(|scenario| scenario.id))?;
    let mut found = 0;
    for scenario in scenario::all() {
        let observed = world.observe(scenario.id)?;
        let renamed = world.file(&format!("{}-renamed.tar.gz", scenario.id));
        pseudonymize(&key, &observed.bundle, &renamed)?.expect_code(0)?;
        let under = report(&[&renamed])?;
        ensure!(
            verdicts(&under) == verdicts(&observed.report),
            "{}: {:?} instead of {:?}",
            scenario.id,
            verdicts(&under),
            verdicts(&observed.report)
        );
        let back = reveal(&key, &under, &world.file(&format!("{}-renamed.json", scenario.id)))?;
        for (back, real) in findings(&back).iter().zip(&findings(&observed.report)) {
            ensure!(back == real, "{}: turned back it says\n{back}\ninstead of\n{real}", scenario.id);
        }
        found += verdicts(&under).len();
    }
    ensure!(found > 20, "only {found} findings were compared");
    Ok(())
}

/// All that a bundle holds, and its name.
fn content(world: &World, bundle: &Path) -> Result<String> {
    let folder = world.unpack(bundle)?;
    let mut content = String::new();
    let mut open: Vec<PathBuf> = vec![folder.clone()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path)? {
            let path = entry?.path();
            content.push_str(&format!("{}\n", path.strip_prefix(&folder)?.display()));
            if path.is_dir() {
                open.push(path);
            } else {
                content.push_str(&String::from_utf8_lossy(&std::fs::read(&path)?));
            }
        }
    }
    Ok(content)
}

/// A resource of a group that lies below one of the user's own domains: its APIService is `v1.odd.acme.com`, and `v1`
/// stands everywhere.
const OWN_GROUP: &str = "apiVersion: apiextensions.k8s.io/v1\n\
    kind: CustomResourceDefinition\n\
    metadata: {name: gears.odd.acme.com}\n\
    spec:\n  \
      group: odd.acme.com\n  \
      scope: Namespaced\n  \
      names: {plural: gears, singular: gear, kind: Gear}\n  \
      versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n\
    ---\n\
    apiVersion: networking.k8s.io/v1\n\
    kind: Ingress\n\
    metadata: {name: own-domain, namespace: default}\n\
    spec: {rules: [{host: www.acme.com}]}\n";

fn nothing_real_is_in_a_bundle(world: &World) -> Result<()> {
    world.cluster.apply(OWN_GROUP)?;
    world
        .cluster
        .kubectl(&["wait", "--for=condition=Established", "crd/gears.odd.acme.com"])?
        .expect_code(0)?;
    let key = world.file("fresh.pseudonym.key");
    let collect = |name: &str| -> Result<(PathBuf, Run)> {
        let bundle = world.file(name);
        let args = ["-o", text(&bundle)?, "--pseudonymize", "ip,host"];
        let run = run(collector(&key, &args)?.env("KUBECONFIG", world.cluster.kubeconfig(User::Admin)))?;
        ensure!(matches!(run.code, Some(0 | 3)), "`{}` ended with {:?}: {}", run.line, run.code, run.stderr);
        Ok((bundle, run))
    };
    let (first, said) = collect("renamed-1.tar.gz")?;
    ensure!(
        said.stderr.contains("have pseudonyms") && said.stderr.contains("reveal"),
        "it says {}",
        said.stderr
    );
    let nodes = world.cluster.kubectl(&["get", "nodes", "-o", "json"])?.stdout;
    let nodes: Value = serde_json::from_str(&nodes)?;
    let nodes = nodes["items"].as_array().context("a list of nodes")?;
    ensure!(!nodes.is_empty(), "there are no nodes");
    let map = std::fs::read_to_string(world.file("fresh.pseudonym.key.map.json"))?;
    let content_of_first = content(world, &first)?;
    for node in nodes {
        let name = node["metadata"]["name"].as_str().context("a node has a name")?;
        ensure!(!content_of_first.contains(name), "{name} is in the bundle");
        ensure!(map.contains(name), "{name} is not in the map");
        for address in node["status"]["addresses"].as_array().into_iter().flatten() {
            let address = address["address"].as_str().context("an address")?;
            // Private networks are mapped onto themselves, so that one may be the pseudonym of another.
            let image = map.contains(&format!("\"{address}\":"));
            let real = format!("\"{address}\"");
            ensure!(image || !content_of_first.contains(&real), "{address} is in the bundle");
        }
    }
    ensure!(map.contains("v1.odd.acme.com"), "no APIService is below the domain, so this test shows nothing");
    // The next bundle under the same key.
    let before: Value = serde_json::from_str(&map)?;
    collect("renamed-2.tar.gz")?;
    let after: Value =
        serde_json::from_str(&std::fs::read_to_string(world.file("fresh.pseudonym.key.map.json"))?)?;
    for kind in ["ip", "host"] {
        for (image, real) in before[kind].as_object().context("a map")? {
            ensure!(after[kind][image] == *real, "{real} had the pseudonym {image}");
        }
    }
    Ok(())
}

fn what_cannot_be_meant_is_refused(world: &World) -> Result<()> {
    let key = world.file("refusals.pseudonym.key");
    let bundle = &world.healthy;
    let renamed = world.file("refusals.tar.gz");
    let refused = |run: Run, said: &str| -> Result<()> {
        let run = run.expect_code(2)?;
        let right = run.stderr.contains(said) && run.stderr.contains("hint: ");
        ensure!(right, "`{}` says {}", run.line, run.stderr);
        Ok(())
    };
    refused(run(&mut collector(&key, &["reveal", text(bundle)?])?)?, "there is no map of pseudonyms")?;
    pseudonymize(&key, bundle, &renamed)?.expect_code(0)?;
    refused(run(&mut collector(&key, &["reveal", text(bundle)?])?)?, "is an archive")?;
    let again = world.file("refusals-again.tar.gz");
    refused(pseudonymize(&key, &renamed, &again)?, "has pseudonyms already")?;
    refused(pseudonymize(&key, bundle, &renamed)?, "exists already")?;
    refused(run(&mut collector(&key, &["--pseudonymize", "ip,hosts"])?)?, "\"hosts\"")?;
    // A map that another key made.
    let other = world.file("other.pseudonym.key");
    std::fs::copy(world.file("refusals.pseudonym.key.map.json"), world.file("other.pseudonym.key.map.json"))?;
    refused(pseudonymize(&other, bundle, &again)?, "belongs to the key")?;
    ensure!(!again.exists(), "a bundle was written");
    Ok(())
}
