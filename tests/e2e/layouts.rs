//! One broken cluster, told in every way in which people tell of theirs, gives the same findings wherever the text
//! holds the facts; what a way cannot tell is unknown and never denied.
//!
//! The faults are real, and so are the programs: `kubectl cluster-info dump`, `get`, `describe`, `logs` and `helm`, as
//! users run them. [`EXPECTED`] is the table of what each way tells.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use tests::run::run;
use tests::wait;

use crate::on_cluster;
use crate::world::{World, report, text};

/// Ways to tell of a cluster, in the order of the columns of [`EXPECTED`].
const WAYS: [Way; 9] = [
    Way { name: "bundle", layout: "casebook", make: our_bundle },
    Way { name: "dump, folder of JSON", layout: "cluster-info dump", make: dump_folder_json },
    Way { name: "dump, folder of YAML", layout: "cluster-info dump", make: dump_folder_yaml },
    Way { name: "dump, stream of JSON", layout: "cluster-info dump", make: dump_stream_json },
    Way { name: "dump, stream of YAML", layout: "cluster-info dump", make: dump_stream_yaml },
    Way { name: "get -o yaml", layout: "text", make: get_yaml },
    Way { name: "get -o json", layout: "text", make: get_json },
    Way { name: "describe", layout: "text", make: described },
    Way { name: "terminal", layout: "text", make: terminal },
];

struct Way {
    name: &'static str,
    /// What the report calls it.
    layout: &'static str,
    make: fn(&World) -> Result<PathBuf>,
}

/// What is found of a case: `C`onfirmed, `L`ikely, need more (`?`), nothing (`.`). A `*` stands where the test cluster
/// itself decides: its containers have their logs from an environment variable, which `describe` shows.
const EXPECTED: &[(&str, &str, &str, [char; 9])] = &[
    // What a container logs is in dumps and in `kubectl logs`. A terminal's table names no containers, so that whose
    // line it is stays open.
    ("bkrepo-gateway-ipv6", "bkrepo-gateway-ipv6", "blueking", ['C', 'C', 'C', 'C', 'C', '.', '.', '*', 'L']),
    // A release is known to helm alone.
    (
        "helm-another-operation",
        "helm-another-operation",
        "paas-pending",
        ['L', '.', '.', '.', '.', '.', '.', '.', 'L'],
    ),
    (
        "helm-wait-timeout--crashes",
        "helm-failed",
        "wait-crashes",
        ['C', '.', '.', '.', '.', '.', '.', '.', 'C'],
    ),
    // What events say is everywhere.
    ("saas-prehook-image-pull", "saas-prehook-image-pull", "bkapp-bk0us0itsm-prod", ['C'; 9]),
    ("insufficient-resources", "insufficient-resources", "too-big", ['C'; 9]),
    ("startup-probe-failing", "startup-probe-failing", "startup", ['C'; 9]),
    ("quota-exceeded", "quota-exceeded", "quota", ['C'; 9]),
    ("image-not-found", "image-not-found", "image-missing", ['C'; 9]),
    // A dump has no claims: the event alone makes it likely.
    (
        "pvc-no-storageclass",
        "pvc-no-storageclass",
        "storage-noclass",
        ['C', 'L', 'L', 'L', 'L', 'C', 'C', 'C', 'C'],
    ),
    // That no volume would fit is certain only where all volumes are known.
    (
        "pv-not-found-to-bind",
        "pv-not-found-to-bind",
        "storage-nospace",
        ['C', 'L', 'L', 'L', 'L', 'L', 'L', 'L', 'L'],
    ),
    // States of pods; a table shows the present state only, not why the run before it ended.
    ("config-missing", "config-missing", "config-missing", ['C'; 9]),
    ("image-never-pull", "image-never-pull", "image-never", ['C'; 9]),
    ("crash-loop", "crash-loop", "crashing", ['C'; 9]),
    ("oom-killed", "oom-killed", "oom", ['C', 'C', 'C', 'C', 'C', 'C', 'C', 'C', '.']),
];

/// What users ask for, one command or file each.
const KINDS: &[&str] = &[
    "nodes",
    "namespaces",
    "pods",
    "events",
    "services",
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
    "jobs",
    "persistentvolumeclaims",
    "persistentvolumes",
    "storageclasses",
    "resourcequotas",
];

pub fn trials() -> Vec<Trial> {
    vec![on_cluster("layouts::every_way_tells_what_it_can", every_way_tells_what_it_can)]
}

fn every_way_tells_what_it_can(world: &World) -> Result<()> {
    let mut scenarios: Vec<&str> = EXPECTED.iter().map(|(scenario, ..)| *scenario).collect();
    scenarios.dedup();
    world.observe_all(scenarios)?;
    wait::until("containers that have exited three times", BETWEEN * 3, || long_pauses(world))?;
    let mut table = String::new();
    let mut wrong = Vec::new();
    let mut found: Vec<BTreeMap<(String, String), char>> = Vec::new();
    for way in &WAYS {
        let path = (way.make)(world).with_context(|| format!("cannot make: {}", way.name))?;
        let report = report(&[&path])?;
        let input = &report["bundle"]["inputs"][0];
        if input["layout"] != way.layout {
            wrong.push(format!("{} is called {}", way.name, input["layout"]));
        }
        // Of a bundle the ledger tells it.
        let says = input["notes"].as_array().is_some_and(|notes| !notes.is_empty());
        if way.layout != "casebook" && !says {
            wrong.push(format!("{} does not say what it lacks", way.name));
        }
        found.push(verdicts(&report));
    }
    for (_, case, namespace, expected) in EXPECTED {
        table.push_str(&format!("{case:<28}"));
        for ((way, found), expected) in WAYS.iter().zip(&found).zip(expected) {
            let verdict = *found.get(&((*case).to_owned(), (*namespace).to_owned())).unwrap_or(&'.');
            table.push_str(&format!(" {verdict}"));
            if *expected != '*' && verdict != *expected {
                wrong.push(format!("{case} in {namespace}, {}: {verdict} instead of {expected}", way.name));
            }
        }
        table.push('\n');
    }
    println!("{table}");
    ensure!(wrong.is_empty(), "{}\n{table}", wrong.join("\n"));
    Ok(())
}

/// The surest verdict of each case about each namespace.
fn verdicts(report: &Value) -> BTreeMap<(String, String), char> {
    fn take(finding: &Value, verdicts: &mut BTreeMap<(String, String), char>) {
        let sign = match finding["verdict"].as_str() {
            Some("confirmed") => 'C',
            Some("likely") => 'L',
            _ => '?',
        };
        for subject in finding["subjects"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let key = (text(&finding["case"]), text(&subject["namespace"]));
            let known = verdicts.entry(key).or_insert(sign);
            if "?LC".find(sign) > "?LC".find(*known) {
                *known = sign;
            }
        }
        finding["explains"].as_array().into_iter().flatten().for_each(|inner| take(inner, verdicts));
    }
    let mut verdicts = BTreeMap::new();
    report["findings"].as_array().into_iter().flatten().for_each(|finding| take(finding, &mut verdicts));
    verdicts
}

fn our_bundle(world: &World) -> Result<PathBuf> {
    let path = world.file("layouts.tar.gz");
    let run = world.collect(&["--no-host", "-o", text(&path)?])?;
    if !matches!(run.code, Some(0 | 3)) {
        bail!("`{}` ended with {:?}: {}", run.line, run.code, run.stderr);
    }
    Ok(path)
}

/// What a program prints, on both streams, as a terminal shows it. Logs that are not there are no failure.
fn printed(command: &mut Command) -> Result<String> {
    let run = run(command)?;
    Ok(run.stdout + &run.stderr)
}

fn dump_folder(world: &World, kubectl: &str, format: &str) -> Result<PathBuf> {
    let path = world.file(&format!("layouts-dump-{format}"));
    let output = format!("--output-directory={}", path.display());
    let args = ["cluster-info", "dump", "-A", "-o", format, &output];
    world.cluster.kubectl_of(kubectl, &args)?.expect_code(0)?;
    Ok(path)
}

fn dump_folder_json(world: &World) -> Result<PathBuf> {
    dump_folder(world, "1.32", "json")
}

fn dump_folder_yaml(world: &World) -> Result<PathBuf> {
    dump_folder(world, "1.32", "yaml")
}

fn dump_stream(world: &World, kubectl: &str, args: &[&str], name: &str) -> Result<PathBuf> {
    let run =
        world.cluster.kubectl_of(kubectl, &[&["cluster-info", "dump"], args].concat())?.expect_code(0)?;
    let path = world.file(name);
    fs::write(&path, run.stdout)?;
    Ok(path)
}

/// Of some namespaces: kubectl of that age asks five times a second.
fn dump_stream_json(world: &World) -> Result<PathBuf> {
    let namespaces: Vec<&str> = EXPECTED.iter().map(|(_, _, namespace, _)| *namespace).collect();
    dump_stream(world, "1.20", &["--namespaces", &namespaces.join(",")], "layouts-dump.txt")
}

fn dump_stream_yaml(world: &World) -> Result<PathBuf> {
    dump_stream(world, "1.32", &["-A", "-o", "yaml"], "layouts-dump-yaml.txt")
}

/// A folder with a file a kind.
fn files(world: &World, kubectl: &str, verb: &str, more: &[&str], ending: &str) -> Result<PathBuf> {
    let folder = world.file(&format!("layouts-{ending}"));
    fs::create_dir_all(&folder)?;
    for kind in KINDS {
        let run = world.cluster.kubectl_of(kubectl, &[&[verb, kind, "-A"], more].concat())?.expect_code(0)?;
        fs::write(folder.join(format!("{kind}.{ending}")), run.stdout)?;
    }
    Ok(folder)
}

fn get_yaml(world: &World) -> Result<PathBuf> {
    files(world, "1.20", "get", &["-o", "yaml"], "yaml")
}

fn get_json(world: &World) -> Result<PathBuf> {
    files(world, "1.32", "get", &["-o", "json"], "json")
}

fn described(world: &World) -> Result<PathBuf> {
    files(world, "1.32", "describe", &[], "txt")
}

/// Kubelets wait longer each time; this is longer than a run.
const BETWEEN: Duration = Duration::from_secs(60);

/// After a few runs the pauses between them are so long that hardly any look falls into a run.
fn long_pauses(world: &World) -> Result<()> {
    for namespace in ["crashing", "oom"] {
        let pods = world.cluster.get(namespace, "pods", "")?;
        let restarts = |pod: &Value| pod["status"]["containerStatuses"][0]["restartCount"].as_u64();
        let often =
            tests::cluster::items(&pods).iter().all(|pod| restarts(pod).is_some_and(|count| count >= 3));
        ensure!(often, "those in {namespace} have not");
    }
    Ok(())
}

/// A table of pods that was printed while those that keep exiting wait for their next run. For a moment before that it
/// shows how the last run ended instead, and tells other things.
fn at_rest(table: String) -> Result<String> {
    let waits = |namespace: &str| {
        let mut rows = table.lines().filter(|line| line.split_whitespace().next() == Some(namespace));
        rows.all(|line| line.contains("CrashLoopBackOff"))
    };
    ensure!(["crashing", "oom"].into_iter().all(waits), "they run or have just ended:\n{table}");
    Ok(table)
}

/// One long scroll: the time, tables, logs of what is not well, helm.
fn terminal(world: &World) -> Result<PathBuf> {
    let cluster = &world.cluster;
    let mut scroll = String::new();
    let mut show = |typed: &str, output: String| {
        scroll.push_str(&format!("[root@bk-control ~]# {typed}\n{output}"));
    };
    show("date", printed(&mut Command::new("date"))?);
    for kind in KINDS {
        let args = ["get", kind, "-A", "-o", "wide"];
        let print = || printed(&mut cluster.tool("kubectl-1.32", &args));
        let output = if kind == &"pods" {
            wait::until("pods between their runs", BETWEEN, || at_rest(print()?))?
        } else {
            print()?
        };
        show(&format!("kubectl {}", args.join(" ")), output);
    }
    for (_, _, namespace, _) in EXPECTED {
        let pods = cluster.get(namespace, "pods", "")?;
        for pod in tests::cluster::items(&pods) {
            let name = pod["metadata"]["name"].as_str().context("a pod has a name")?;
            for more in [&[][..], &["-p"]] {
                let args = [&["logs", "-n", namespace, name], more].concat();
                let output = printed(&mut cluster.tool("kubectl-1.20", &args))?;
                show(&format!("kubectl {}", args.join(" ")), output);
            }
        }
    }
    show("helm list -aA", printed(&mut cluster.tool("helm-3.17", &["list", "-aA"]))?);
    for (release, namespace) in [("bk-paas", "paas-pending"), ("bk-demo", "wait-crashes")] {
        let args = ["history", release, "-n", namespace];
        show(&format!("helm {}", args.join(" ")), printed(&mut cluster.tool("helm-3.17", &args))?);
    }
    let path = world.file("layouts-terminal.txt");
    fs::write(&path, scroll)?;
    Ok(path)
}
