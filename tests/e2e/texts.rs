//! What a bundle shows in words equals what the user's own tools print.

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use shared::bundle::paths;
use tests::cluster::items;

use crate::on_cluster;
use crate::world::World;

/// Where the healthy installation is.
const NAMESPACE: &str = "paas-healthy";

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("texts::history_equals_helm", history_equals_helm),
        on_cluster("texts::tables_equal_kubectl", tables_equal_kubectl),
        on_cluster("texts::descriptions_equal_kubectl", descriptions_equal_kubectl),
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
        let path = folder.join(paths::helm_history(namespace, release));
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
        (Some(NAMESPACE), "pods"),
        (Some(NAMESPACE), "deployments"),
        (Some(NAMESPACE), "statefulsets"),
        (Some(NAMESPACE), "daemonsets"),
        (Some(NAMESPACE), "services"),
        (Some(NAMESPACE), "ingresses"),
        (Some(NAMESPACE), "persistentvolumeclaims"),
        (Some(NAMESPACE), "jobs"),
        (None, "persistentvolumes"),
        (None, "storageclasses"),
    ];
    for (namespace, resource) in tables {
        let path = folder.join(paths::table(namespace, resource));
        let ours = std::fs::read_to_string(&path)
            .with_context(|| format!("the bundle has no {}", path.display()))?;
        // By its full name: kubectl's own preference among the groups of ingresses is another than the server's.
        let full = if resource == "ingresses" { "ingresses.v1.networking.k8s.io" } else { resource };
        let args: Vec<&str> = ["get", full, "-o", "wide"]
            .into_iter()
            .chain(namespace.into_iter().flat_map(|name| ["-n", name]))
            .collect();
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

/// Nearly every line: an event that is repeated between the two looks counts one more.
fn descriptions_equal_kubectl(world: &World) -> Result<()> {
    let folder = world.unpack(&world.healthy)?;
    let (mut all, mut equal, mut differing) = (0_u32, 0_u32, String::new());
    for (namespace, kind) in
        [(Some(NAMESPACE), "pod"), (Some(NAMESPACE), "persistentvolumeclaim"), (None, "node")]
    {
        let list = world.cluster.get(namespace.unwrap_or_default(), kind, "")?;
        ensure!(!items(&list).is_empty(), "there is no {kind} to describe");
        for object in items(&list) {
            let name = object["metadata"]["name"].as_str().context("an object has a name")?;
            let path = folder.join(paths::describe(namespace, kind, name));
            let ours = std::fs::read_to_string(&path)
                .with_context(|| format!("the bundle has no {}", path.display()))?;
            let args: Vec<&str> = ["describe", kind, name]
                .into_iter()
                .chain(namespace.into_iter().flat_map(|name| ["-n", name]))
                .collect();
            let kubectl = world.cluster.kubectl_of("1.20", &args)?.expect_code(0)?.stdout;
            let ours = stable(&ours);
            for line in stable(&kubectl) {
                all += 1;
                if ours.contains(&line) {
                    equal += 1;
                } else {
                    differing.push_str(&format!("{kind} {name}: {line}\n"));
                }
            }
        }
    }
    ensure!(
        equal * 100 >= all * 95,
        "{equal} of {all} lines equal those of kubectl; the others:\n{differing}"
    );
    Ok(())
}

/// The lines that do not change from one look to the next. A node renews its lease every ten seconds.
fn stable(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.contains("RenewTime"))
        .map(|line| without_ages(line).trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}
