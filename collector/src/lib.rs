//! `casebook-collect`: gathers what support needs from a cluster and its control machine into one bundle.
//!
//! The way of a run: the command line as typed ([`cli`]) becomes what is meant ([`options`]); with what the server
//! can list ([`cluster`]) that becomes a [`plan`]; [`run`] carries the plan out with the means of [`gather`],
//! [`logs`] and [`host`], through the redactor into the bundle ([`sink`]).

pub mod cli;
pub mod cluster;
pub mod commands;
pub mod exit;
pub mod gather;
pub mod host;
pub mod keyring;
pub mod logs;
pub mod messages;
pub mod nodes;
pub mod options;
pub mod plan;
pub mod preview;
pub mod probes;
pub mod progress;
pub mod run;
pub mod say;
pub mod select;
pub mod signals;
pub mod sink;
pub mod stop;
#[cfg(test)]
mod testing;
pub mod transport;
pub mod units;
pub mod watch;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

/// How far this program's work stands behind that of others on the machine.
const NICE: i32 = 5;

/// The control machine often is a node, or runs the API server itself: masking and packing must not take the processor
/// from those in trouble. The main thread stays as it is, so that a watched command, which it starts, does too.
fn step_back() {
    // Where it is not allowed, it is not needed to work.
    let _ = rustix::process::nice(NICE);
}

/// The whole program.
pub fn main() -> Exit {
    let cli = Cli::parse();
    let locale = shared::lang::Lang::from_locale(|name| std::env::var(name).ok());
    // More threads would not be faster, and each costs the memory of an allocator's arena.
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .on_thread_start(step_back)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return commands::collect::refuse(&error),
    };
    let exit = runtime.block_on(async {
        match cli.command {
            None => commands::collect::collect(cli.collect, true, locale).await,
            Some(Command::Host(args)) => commands::host::host(args, locale).await,
            Some(Command::Inspect(args)) => commands::inspect::inspect(&args, locale),
            Some(Command::Pseudonymize(args)) => commands::pseudonymize::pseudonymize(&args, locale),
            Some(Command::Redact(args)) => commands::redact::redact(&args),
            Some(Command::Reveal(args)) => commands::reveal::reveal(&args),
            Some(Command::Watch(args)) => commands::watch::watch(args, locale).await,
        }
    });
    // Blocking work that nobody waits for any more must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    exit
}
