//! `cargo run -p tests --bin lab -- run [ID…]`: real programs fail on a real node, and the answers are looked at.

use std::collections::{BTreeMap, VecDeque};
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::{Context, Result};
use tests::cache::Cache;
use tests::cluster::{real, uses_existing};
use tests::lab::{Lab, Outcome, Scenario, record};
use tests::{isolation, programs};

const USAGE: &str = "usage: lab run [ID…]     make these failures (default: all), say what is answered\n\
                     \u{20}      lab quick        a representative part of them\n\
                     \u{20}      lab record ID…   the same, and write what a user would send as a test of the rule\n\
                     \u{20}      lab check        the scenarios can be read and name rules that there are\n\
                     \u{20}      lab list         the scenarios";
/// A scenario waits for its kubelet most of the time.
const SIDE_BY_SIDE: usize = 8;

fn main() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut all = Scenario::all()?;
    let wanted: Vec<Scenario> = match args.split_first() {
        Some((command, [])) if command == "list" => {
            all.keys().for_each(|id| println!("{id}"));
            return Ok(ExitCode::SUCCESS);
        }
        Some((command, [])) if command == "check" => {
            all.values().try_for_each(record::check)?;
            println!("{} scenarios", all.len());
            return Ok(ExitCode::SUCCESS);
        }
        Some((command, [])) if command == "run" => all.into_values().collect(),
        Some((command, [])) if command == "quick" => all.into_values().filter(|one| one.quick).collect(),
        Some((command, ids)) if ["run", "record"].contains(&command.as_str()) && !ids.is_empty() => ids
            .iter()
            .map(|id| all.remove(id).with_context(|| format!("no scenario {id}; `lab list` lists them")))
            .collect::<Result<_>>()?,
        _ => {
            eprintln!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    };
    if let Some(reason) = real::hindrance().filter(|_| !isolation::inside()) {
        println!("skipped: no real node can run here: {reason}");
        return Ok(ExitCode::SUCCESS);
    }
    anyhow::ensure!(!uses_existing(), "the laboratory starts its own cluster; unset USE_EXISTING_CLUSTER");
    let cache = Cache::locate()?;
    if !isolation::inside() {
        cache.prepare_nodes()?;
        Lab::prepare(&cache, &wanted)?;
        programs::build()?;
    }
    if let Some(code) = isolation::enter(&cache)? {
        return Ok(code);
    }
    eprintln!("starting the cluster");
    let lab = Lab::start(&cache, 1)?;
    let outcomes = run(&lab, &wanted);
    let mut good = true;
    for scenario in &wanted {
        let outcome = &outcomes[&scenario.id];
        good &= tell(scenario, outcome);
        if args[0] == "record"
            && let Ok(outcome) = outcome
        {
            println!("  {}", record::write(&lab, scenario, outcome)?.display());
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Several at once, in the order in which they were asked for.
fn run(lab: &Lab, wanted: &[Scenario]) -> BTreeMap<String, Result<Outcome>> {
    let waiting: Mutex<VecDeque<&Scenario>> = Mutex::new(wanted.iter().collect());
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE.min(wanted.len()) {
            scope.spawn(|| {
                loop {
                    let Some(scenario) = waiting.lock().ok().and_then(|mut waiting| waiting.pop_front())
                    else {
                        return;
                    };
                    let outcome = lab.run(scenario);
                    eprintln!("{}: {}", scenario.id, if outcome.is_ok() { "made" } else { "not made" });
                    if let Ok(mut done) = done.lock() {
                        done.insert(scenario.id.clone(), outcome);
                    }
                }
            });
        }
    });
    done.into_inner().unwrap_or_default()
}

/// One row of the table; whether all is as it should be.
fn tell(scenario: &Scenario, outcome: &Result<Outcome>) -> bool {
    match outcome {
        Ok(outcome) => {
            let answers: Vec<String> =
                outcome.answers.iter().map(|(case, verdict)| format!("{case} ({verdict})")).collect();
            let mark = if outcome.faults.is_empty() { "ok  " } else { "FAIL" };
            println!("{mark} {}: {}", scenario.id, answers.join(", "));
            outcome.faults.iter().for_each(|fault| println!("     {fault}"));
            outcome.faults.is_empty()
        }
        Err(error) => {
            println!("FAIL {}: {error:#}", scenario.id);
            false
        }
    }
}
