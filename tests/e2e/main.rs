//! End to end: real cluster, real helm and kubectl, and the two programs as users run them.
//!
//! One binary for all tests, so that they share one cluster. A module per subject; each offers `trials()`.
//! Run some of them by name: `cargo test -p tests --test e2e -- helm`.

mod archives;
mod bad_input;
mod containment;
mod describe;
mod encryption;
mod faults;
mod harmless;
mod healthy;
mod layouts;
mod ledger;
mod modules;
mod nodes;
mod permissions;
mod pseudonyms;
mod redaction;
mod reports;
mod scenarios;
mod serve;
mod stopping;
mod texts;
mod watch;
mod world;

use std::process::ExitCode;

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};
use tests::cache::Cache;
use tests::{cluster, isolation, programs};

use crate::world::World;

/// Most tests wait for the cluster most of the time.
const THREADS: usize = 6;

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        let cache = Cache::locate()?;
        if !isolation::inside() {
            cache.prepare()?;
            programs::build()?;
        }
        if !cluster::uses_existing()
            && let Some(code) = isolation::enter(&cache)?
        {
            return Ok(code);
        }
    }
    if arguments.test_threads.is_none() {
        arguments.test_threads = Some(THREADS);
    }
    let trials = [
        modules::trials(),
        nodes::trials(),
        healthy::trials(),
        archives::trials(),
        encryption::trials(),
        texts::trials(),
        bad_input::trials(),
        reports::trials(),
        redaction::trials(),
        faults::trials(),
        stopping::trials(),
        harmless::trials(),
        ledger::trials(),
        describe::trials(),
        permissions::trials(),
        pseudonyms::trials(),
        containment::trials(),
        watch::trials(),
        scenarios::trials(),
        layouts::trials(),
        serve::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

/// A test on the shared cluster.
fn on_cluster(name: impl Into<String>, test: impl FnOnce(&World) -> Result<()> + Send + 'static) -> Trial {
    Trial::test(name, move || {
        let world = World::shared()?;
        test(world).map_err(|error| format!("{error:#}").into())
    })
}
