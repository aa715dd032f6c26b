//! The collector before an API server in trouble: it comes home, in bounded time, with a valid bundle, and its ledger
//! tells what could not be had.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use tests::programs::program;
use tests::proxy::{Fault, Proxy, Trouble};
use tests::run::{Run, run};

use crate::on_cluster;
use crate::world::{World, text};

/// The list that gets into trouble, and its place in the bundle.
const PATH: &str = "/api/v1/namespaces/paas-healthy/configmaps";
const ITEM: &str = "cluster-resources/configmaps/paas-healthy.json";
/// A whole run may not take longer, whatever the server does. Far more than it needs, far less than "hangs".
const LIMIT: Duration = Duration::from_secs(120);

pub fn trials() -> Vec<Trial> {
    let faults = [
        ("hang", Fault::Hang, None, "timed_out"),
        ("reset", Fault::Reset, None, "failed"),
        ("reset_once", Fault::Reset, Some(1), "collected"),
        ("too_many_requests_twice", Fault::Status(429), Some(2), "collected"),
        ("too_many_requests_always", Fault::Status(429), None, "failed"),
        ("internal_error", Fault::Status(500), None, "failed"),
        ("internal_error_once", Fault::Status(500), Some(1), "collected"),
        ("slow_drip", Fault::Drip, None, "timed_out"),
        ("half_a_body", Fault::Half, None, "failed"),
        ("garbage", Fault::Garbage, None, "failed"),
        ("a_new_certificate", Fault::Rotate, Some(1), "collected"),
    ];
    let ends = [
        ("a_strange_certificate", Fault::Impostor, "certificate"),
        ("the_server_dies_half_way", Fault::Die, "refused"),
    ];
    let faults = faults.into_iter().map(|(name, fault, times, outcome)| {
        on_cluster(format!("faults::{name}"), move |world| {
            comes_home(world, name, Trouble { path: PATH.to_owned(), fault, times }, outcome)
        })
    });
    let ends = ends.into_iter().map(|(name, fault, words)| {
        on_cluster(format!("faults::{name}"), move |world| {
            keeps_what_it_has(world, name, Trouble { path: PATH.to_owned(), fault, times: Some(1) }, words)
        })
    });
    faults.chain(ends).collect()
}

/// A run before a proxy in trouble.
struct Collected {
    run: Run,
    ledger: Vec<Value>,
    folder: PathBuf,
}

fn collect(world: &World, name: &str, trouble: Trouble) -> Result<Collected> {
    let dir = world.file(&format!("fault-{name}"));
    let proxy = Proxy::start(&world.cluster, &dir, trouble)?;
    let bundle = dir.join("bundle.tar.gz");
    let started = Instant::now();
    let run = run(program("casebook-collect")?
        .args(["-n", "paas-healthy", "--request-timeout", "3s", "-o", text(&bundle)?])
        .env("KUBECONFIG", &proxy.kubeconfig))?;
    ensure!(started.elapsed() < LIMIT, "the run took {} s", started.elapsed().as_secs());
    let (all, troubled) = proxy.requests();
    ensure!(troubled > 0, "none of the {all} requests asked for {PATH}");

    let folder = world.unpack(&bundle)?;
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(folder.join("manifest.json"))?)?;
    let Value::Array(ledger) = manifest["ledger"].take() else { bail!("the manifest has no ledger") };
    Ok(Collected { run, ledger, folder })
}

/// Everything after the trouble fails, for the reason that is given; what came before is there.
fn keeps_what_it_has(world: &World, name: &str, trouble: Trouble, words: &str) -> Result<()> {
    let Collected { run, ledger, folder } = collect(world, name, trouble)?;
    ensure!(run.code == Some(3), "exit code {:?} instead of 3: {}", run.code, run.stderr);
    let item = ledger.iter().find(|entry| entry["path"] == ITEM);
    ensure!(item.is_some_and(|entry| entry["outcome"] == "collected"), "{ITEM} was lost: {item:?}");
    ensure!(folder.join(ITEM).is_file(), "the ledger has {ITEM}, the bundle has not");
    let lost = |entry: &&Value| ["failed", "timed_out"].iter().any(|outcome| entry["outcome"] == *outcome);
    let told = |entry: &Value| entry["note"].as_str().is_some_and(|note| note.contains(words));
    let lost: Vec<&Value> = ledger.iter().filter(lost).collect();
    ensure!(lost.iter().any(|entry| told(entry)), "nothing says {words:?}: {lost:?}");
    Ok(())
}

fn comes_home(world: &World, name: &str, trouble: Trouble, outcome: &str) -> Result<()> {
    let Collected { run, ledger, folder } = collect(world, name, trouble)?;
    let entry =
        ledger.iter().find(|entry| entry["path"] == ITEM).with_context(|| format!("no entry of {ITEM}"))?;
    ensure!(entry["outcome"] == outcome, "the outcome is {entry}, not {outcome}\n{}", run.stderr);
    // The neighbours are unharmed.
    let pods = ledger.iter().find(|entry| entry["path"] == "cluster-resources/pods/paas-healthy.json");
    ensure!(pods.is_some_and(|entry| entry["outcome"] == "collected"), "pods were not collected: {pods:?}");
    if outcome == "collected" {
        ensure!(folder.join(ITEM).is_file(), "the ledger has {ITEM}, the bundle has not");
    } else {
        ensure!(run.code == Some(3), "exit code {:?} instead of 3 with a part missing", run.code);
        ensure!(entry["note"].as_str().is_some_and(|note| !note.is_empty()), "no reason is given: {entry}");
    }
    Ok(())
}
