//! What the bundle shows in words equals what the user's own tools print.

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use tests::cluster::items;

use crate::on_cluster;
use crate::world::World;

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("texts::history_equals_helm", history_equals_helm),
        on_cluster("texts::tables_equal_kubectl", tables_equal_kubectl),
        on_cluster("texts::describe_equals_kubectl_1_20", |world| {
            describe_equals_kubectl(world, "1.20", 0.95)
        }),
        on_cluster("texts::describe_equals_kubectl_1_32", |world| {
            describe_equals_kubectl(world, "1.32", 0.90)
        }),
    ]
}

fn history_equals_helm(world: &World) -> Result<()> {
    let releases = [
        ("helm-another-operation", "paas-pending", "bk-paas"),
        ("helm-another-operation--first", "paas-first", "bk-ci"),
        ("helm-no-deployed-releases", "paas-failed", "bk-paas"),
        ("helm-wait-timeout--missing", "wait-missing", "bk-demo"),
    ];
    for (scenario, namespace, release) in releases {
        let folder = world.unpack(&world.observe(scenario)?.bundle)?;
        let path = folder.join("helm").join(namespace).join(format!("{release}.txt"));
        let ours = std::fs::read_to_string(&path)
            .with_context(|| format!("the bundle has no {}", path.display()))?;
        let helm = world.cluster.helm("3.17", &["history", release, "-n", namespace])?.expect_code(0)?.stdout;
        ensure!(ours == helm, "history of {release} differs\n--- ours\n{ours}--- helm\n{helm}");
    }
    Ok(())
}

fn tables_equal_kubectl(world: &World) -> Result<()> {
    let folder = world.unpack(&world.healthy)?;
    let tables = [
        ("paas-healthy", "pods"),
        ("paas-healthy", "deployments.apps"),
        ("paas-healthy", "statefulsets.apps"),
        ("paas-healthy", "daemonsets.apps"),
        ("paas-healthy", "services"),
        ("paas-healthy", "ingresses.networking.k8s.io"),
        ("paas-healthy", "persistentvolumeclaims"),
        ("paas-healthy", "jobs.batch"),
        ("", "persistentvolumes"),
        ("", "storageclasses.storage.k8s.io"),
    ];
    for (namespace, resource) in tables {
        let plural = resource.split('.').next().unwrap_or(resource);
        let place = folder.join("tables").join(if namespace.is_empty() { "_cluster" } else { namespace });
        let path = [resource, plural]
            .iter()
            .map(|name| place.join(format!("{name}.txt")))
            .find(|path| path.is_file());
        let path = path.with_context(|| format!("the bundle has no table of {namespace}/{resource}"))?;
        let ours = std::fs::read_to_string(&path)?;
        let mut args = vec!["get", resource, "-o", "wide"];
        if !namespace.is_empty() {
            args.extend(["-n", namespace]);
        }
        let kubectl = world.cluster.kubectl_of("1.32", &args)?.expect_code(0)?.stdout;
        let (ours, kubectl) = (without_ages(&ours), without_ages(&kubectl));
        ensure!(ours == kubectl, "table of {resource} differs\n--- ours\n{ours}--- kubectl\n{kubectl}");
    }
    Ok(())
}

/// Ages go on between two looks, and the width of their column with them.
fn without_ages(text: &str) -> String {
    let mut result = String::new();
    for line in text.lines() {
        let words: Vec<&str> =
            line.split_whitespace().map(|word| if is_age(word) { "<age>" } else { word }).collect();
        result.push_str(&words.join(" "));
        result.push('\n');
    }
    result
}

/// `35s`, `4m10s`, `2d3h`, also in brackets as in `(x2 over 35s)`.
fn is_age(word: &str) -> bool {
    let word = word.trim_matches(['(', ')']);
    word.starts_with(|letter: char| letter.is_ascii_digit())
        && word.ends_with(['s', 'm', 'h', 'd', 'y'])
        && word.chars().all(|letter| letter.is_ascii_digit() || "smhdy".contains(letter))
}

/// Compares line by line what is described in the healthy installation, where nothing moves but ages.
fn describe_equals_kubectl(world: &World, version: &str, wanted: f64) -> Result<()> {
    let folder = world.unpack(&world.healthy)?;
    let (mut all, mut equal, mut differing) = (0_u32, 0_u32, String::new());
    for (namespace, kind) in
        [("paas-healthy", "pod"), ("paas-healthy", "persistentvolumeclaim"), ("", "node")]
    {
        let list = world.cluster.get(namespace, kind, "")?;
        ensure!(!items(&list).is_empty(), "there is no {kind} to describe");
        for object in items(&list) {
            let name = object["metadata"]["name"].as_str().context("an object has a name")?;
            let ours = described(&folder, namespace, kind, name)?;
            let mut args = vec!["describe", kind, name];
            if !namespace.is_empty() {
                args.extend(["-n", namespace]);
            }
            let kubectl = world.cluster.kubectl_of(version, &args)?.expect_code(0)?.stdout;
            let (ours, kubectl) = (stable(&ours), stable(&kubectl));
            all += u32::try_from(kubectl.len())?;
            for line in &kubectl {
                if ours.contains(line) {
                    equal += 1;
                } else {
                    differing.push_str(&format!("{kind} {name}: {line}\n"));
                }
            }
        }
    }
    let share = f64::from(equal) / f64::from(all);
    ensure!(
        share >= wanted,
        "{equal} of {all} lines equal those of kubectl {version}; the others:\n{differing}"
    );
    Ok(())
}

fn described(folder: &std::path::Path, namespace: &str, kind: &str, name: &str) -> Result<String> {
    let scope = folder.join("describe").join(if namespace.is_empty() { "_cluster" } else { namespace });
    let mut seen = Vec::new();
    for entry in
        std::fs::read_dir(&scope).with_context(|| format!("the bundle has no {}", scope.display()))?
    {
        let entry = entry?;
        let kind_folder = entry.file_name().to_string_lossy().to_lowercase();
        let path = entry.path().join(format!("{name}.txt"));
        if (kind_folder == kind
            || kind_folder == format!("{kind}s")
            || (kind_folder == "pvcs" && kind.starts_with("persistentvolumec")))
            && path.is_file()
        {
            return Ok(std::fs::read_to_string(path)?);
        }
        seen.push(kind_folder);
    }
    anyhow::bail!("no description of {kind} {name}; there are {seen:?} in {}", scope.display())
}

/// The lines that do not change from one look to the next. A node renews its lease every ten seconds.
fn stable(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.contains("RenewTime") && !line.contains("LastHeartbeatTime"))
        .map(|line| without_ages(line).trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}
