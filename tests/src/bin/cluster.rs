//! `cargo run -p tests --bin cluster -- play [SCENARIO…]`: a shell with a broken cluster.
//!
//! The shell lives in namespaces of its own with no network but `lo`; when it ends, everything is gone.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use tests::cache::Cache;
use tests::cluster::{Cluster, User};
use tests::{isolation, scenario};

const USAGE: &str = "usage: cluster play [SCENARIO…]   start a cluster, make these faults (default: all), open a shell\n\
                     \u{20}      cluster list               list the scenarios\n\
                     \u{20}      cluster prepare            build and fetch what the tests need, and end";

fn main() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((command, ids)) if command == "play" => play(ids),
        Some((command, [])) if command == "list" => {
            println!("{}", scenario::HEALTHY.id);
            scenario::all().for_each(|scenario| println!("{}", scenario.id));
            Ok(ExitCode::SUCCESS)
        }
        Some((command, [])) if command == "prepare" => {
            Cache::locate()?.prepare()?;
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}

fn play(ids: &[String]) -> Result<ExitCode> {
    let wanted: Vec<_> = if ids.is_empty() {
        scenario::all().collect()
    } else {
        ids.iter()
            .map(|id| {
                scenario::find(id).with_context(|| format!("no scenario {id}; `cluster list` lists them"))
            })
            .collect::<Result<_>>()?
    };
    let cache = Cache::locate()?;
    cache.prepare()?;
    if let Some(code) = isolation::enter(&cache)? {
        return Ok(code);
    }
    eprintln!("starting the cluster");
    let cluster = Cluster::start(&cache, &scenario::cluster())?;
    // All at once: they spend their time in the kubelets' back-offs.
    std::thread::scope(|scope| {
        for scenario in &wanted {
            let cluster = &cluster;
            scope.spawn(move || match scenario.make(cluster) {
                Ok(()) => eprintln!("made {}", scenario.id),
                Err(error) => eprintln!("{error:#}"),
            });
        }
    });
    let bin = cluster.dir().join("bin");
    std::fs::create_dir_all(&bin)?;
    for (name, tool) in [("kubectl", "kubectl-1.20"), ("helm", "helm-3.17")] {
        std::os::unix::fs::symlink(cache.tool(tool), bin.join(name))?;
    }
    let programs = std::env::current_exe()?;
    let programs = programs.parent().context("a program lies in a folder")?;
    eprintln!(
        "kubectl, helm, casebook-collect and casebook-analyze (if built) work in this shell; exit ends the cluster"
    );
    let path = std::env::var("PATH").unwrap_or_default();
    let status = Command::new(std::env::var("SHELL").unwrap_or_else(|_| "bash".to_owned()))
        .env("KUBECONFIG", cluster.kubeconfig(User::Admin))
        .env("PATH", format!("{}:{}:{path}", bin.display(), programs.display()))
        .status()
        .context("cannot start a shell")?;
    match status.code() {
        Some(code) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        None => bail!("the shell was killed"),
    }
}
