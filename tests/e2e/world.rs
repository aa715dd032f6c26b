//! What all tests share: one cluster, the built programs, and the bundles collected so far.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tests::cache::Cache;
use tests::cluster::{Cluster, User};
use tests::programs::program;
use tests::run::{Run, run, succeed};
use tests::scenario::{self, Scenario};

pub struct World {
    pub cluster: Cluster,
    /// Folder for what tests write.
    pub dir: PathBuf,
    /// The bundle of the cluster before anything was broken in it.
    pub healthy: PathBuf,
    observed: Mutex<HashMap<&'static str, Arc<Once>>>,
    unpacking: Mutex<()>,
}

/// Filled by the first test that asks.
type Once = OnceLock<Result<Observed, String>>;

/// A scenario as it was collected and analyzed.
#[derive(Debug, Clone)]
pub struct Observed {
    pub bundle: PathBuf,
    pub report: Value,
}

impl World {
    /// The shared world; the first caller waits until it stands.
    pub fn shared() -> Result<&'static World> {
        static WORLD: OnceLock<Result<World, String>> = OnceLock::new();
        let world = WORLD.get_or_init(|| World::create().map_err(|error| format!("{error:#}")));
        world.as_ref().map_err(|error| anyhow::anyhow!("there is no cluster to test on: {error}"))
    }

    fn create() -> Result<World> {
        let cache = Cache::locate()?;
        let dir = cache.run_dir().join("tests");
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let cluster = Cluster::start(&cache, &scenario::cluster())?;
        let healthy = dir.join("healthy.tar.gz");
        if cluster.has_kubelets() {
            scenario::HEALTHY.make(&cluster)?;
            collect(&cluster, &["-o", text(&healthy)?])?.expect_code(0)?;
        }
        Ok(World { cluster, dir, healthy, observed: Mutex::default(), unpacking: Mutex::default() })
    }

    /// Makes a scenario, collects its namespaces and analyzes the bundle; once for all tests that ask.
    pub fn observe(&self, id: &str) -> Result<Observed> {
        let scenario = scenario::find(id).with_context(|| format!("no scenario {id}"))?;
        let cell = {
            let mut observed = self.observed.lock().expect("nothing panics while it holds this lock");
            Arc::clone(observed.entry(scenario.id).or_default())
        };
        cell.get_or_init(|| self.observe_now(scenario).map_err(|error| format!("{error:#}")))
            .clone()
            .map_err(anyhow::Error::msg)
    }

    /// Makes scenarios side by side: each waits for its kubelets most of the time.
    pub fn observe_all<'s>(&self, ids: impl IntoIterator<Item = &'s str>) -> Result<()> {
        std::thread::scope(|scope| {
            let made: Vec<_> =
                ids.into_iter().map(|id| scope.spawn(move || self.observe(id).map(drop))).collect();
            made.into_iter()
                .try_for_each(|one| one.join().map_err(|_| anyhow::anyhow!("a scenario panicked")).flatten())
        })
    }

    fn observe_now(&self, scenario: &Scenario) -> Result<Observed> {
        scenario.make(&self.cluster)?;
        let bundle = self.dir.join(format!("{}.tar.gz", scenario.id));
        let mut args = vec!["-o", text(&bundle)?];
        for namespace in scenario.namespaces {
            args.extend(["-n", namespace]);
        }
        let terminal = scenario::terminal_text(&self.cluster, scenario.id);
        if let Some(path) = &terminal {
            args.extend(["--text", text(path)?]);
        }
        // In a process namespace of its own: the helm of another test that is at work now is not this user's.
        let run = run(Command::new("unshare")
            .args(["--pid", "--fork", "--mount-proc"])
            .arg(program("casebook-collect")?.get_program())
            .args(&args)
            .env("NO_COLOR", "1")
            .env("KUBECONFIG", self.cluster.kubeconfig(User::Admin)))?;
        if !matches!(run.code, Some(0 | 3)) {
            bail!("`{}` ended with {:?}: {}", run.line, run.code, run.stderr);
        }
        let report = report(&[&bundle])?;
        Ok(Observed { bundle, report })
    }

    /// `casebook-collect` as the administrator. Whatever the exit code.
    pub fn collect(&self, args: &[&str]) -> Result<Run> {
        collect(&self.cluster, args)
    }

    /// `casebook-collect` as another user.
    pub fn collect_as(&self, user: User, args: &[&str]) -> Result<Run> {
        run(program("casebook-collect")?.args(args).env("KUBECONFIG", self.cluster.kubeconfig(user)))
    }

    /// The bundle's single top folder, unpacked; once for all tests that ask.
    pub fn unpack(&self, bundle: &Path) -> Result<PathBuf> {
        let _one_at_a_time = self.unpacking.lock().expect("nothing panics while it unpacks");
        let folder = bundle.with_extension("unpacked");
        if !folder.is_dir() {
            std::fs::create_dir(&folder)?;
            succeed(Command::new("tar").args([
                "-xzf",
                text(bundle)?,
                "--strip-components=1",
                "-C",
                text(&folder)?,
            ]))?;
        }
        Ok(folder)
    }

    /// A path for a file that this test writes.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

fn collect(cluster: &Cluster, args: &[&str]) -> Result<Run> {
    run(program("casebook-collect")?.args(args).env("KUBECONFIG", cluster.kubeconfig(User::Admin)))
}

/// `casebook-analyze`, whatever the exit code.
pub fn analyze(args: &[&str]) -> Result<Run> {
    run(program("casebook-analyze")?.args(args))
}

/// The JSON report over these bundles or texts.
pub fn report(inputs: &[&Path]) -> Result<Value> {
    let mut args = vec!["--format", "json", "--lang", "en"];
    for input in inputs {
        args.push(text(input)?);
    }
    let run = analyze(&args)?.expect_code(0)?;
    serde_json::from_str(&run.stdout).with_context(|| format!("`{}` printed no JSON", run.line))
}

pub fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}
