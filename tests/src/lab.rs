//! The laboratory: real programs that really fail, on real nodes.
//!
//! A scenario is a file `tests/lab/<id>.yaml`: what is deployed, what is then done, by which events it is known that the
//! failure is there, and which case has to be named. Each has a namespace of its own, named after it.

pub mod record;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cache::Cache;
use crate::cache::image::Image;
use crate::cluster::{Cluster, RealNode, User, items};
use crate::programs::program;
use crate::run::{Run, run, run_with_input};
use crate::wait;

/// Folder of the scenarios.
pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/lab");
/// How long a scenario may take to get where it should; the end of a back-off can be minutes away on a busy machine.
const PATIENCE: Duration = Duration::from_secs(420);

/// What a file of the laboratory says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's name without `.yaml`.
    #[serde(skip)]
    pub id: String,
    /// Objects without their namespace.
    #[serde(default)]
    pub objects: Vec<Value>,
    /// What is done and waited for, in this order.
    pub steps: Vec<Step>,
    /// The rule that has to answer first.
    pub answers: String,
    /// The least certainty of the answer.
    #[serde(default)]
    pub least: Certainty,
    /// Rules that must not answer, neither first nor beneath another.
    #[serde(default)]
    pub silent: Vec<String>,
    /// In the representative part that `lab quick` runs.
    #[serde(default)]
    pub quick: bool,
}

/// How sure an answer is, least first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    NeedMore,
    #[default]
    Likely,
    Confirmed,
}

/// One thing that is done or waited for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// kubectl with these arguments, in the scenario's namespace, however it ends. What it prints is what the user sends along.
    Kubectl(Vec<String>),
    /// More objects are applied; a refusal is what the user sends along.
    Apply(Vec<Value>),
    /// An event of this reason whose message holds the text comes about.
    Event { reason: String, text: String },
    /// The JSON of the namespace's objects of this kind holds all of these texts.
    Shows { kind: String, texts: Vec<String> },
    /// Some container's log, current or previous, holds the text.
    Log { text: String },
}

impl Scenario {
    /// Every scenario, by its id.
    ///
    /// # Errors
    /// With the file that cannot be read.
    pub fn all() -> Result<BTreeMap<String, Scenario>> {
        let mut all = BTreeMap::new();
        for entry in std::fs::read_dir(FOLDER).with_context(|| format!("cannot read {FOLDER}"))? {
            let path = entry?.path();
            let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let mut scenario: Scenario =
                serde_saphyr::from_str(&text).with_context(|| format!("in {}", path.display()))?;
            scenario.id.clone_from(&id);
            all.insert(id, scenario);
        }
        Ok(all)
    }

    /// The images that its pods name and that are made here; others are for pulls that fail.
    fn images(&self, made: &BTreeMap<String, Vec<String>>) -> Vec<Image> {
        let text = format!("{}{:?}", json!(self.objects), self.steps);
        made.iter()
            .filter(|(name, _)| text.contains(name.as_str()))
            .map(|(name, packages)| Image { name: name.clone(), packages: packages.clone() })
            .collect()
    }

    /// Brings the failure about. What kubectl printed meanwhile is the result.
    ///
    /// # Errors
    /// When it does not come about.
    fn make(&self, cluster: &Cluster) -> Result<String> {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.id}});
        cluster.apply(&namespace.to_string())?;
        // Pods are refused until their account is there.
        cluster.wait_for(&self.id, "serviceaccount", "default", "there with its token", |account| {
            account["secrets"].is_array()
        })?;
        let applied = self.apply(cluster, &self.objects)?;
        ensure!(applied.code == Some(0), "the objects are refused: {}", applied.stderr);
        let mut said = String::new();
        for step in &self.steps {
            self.take(cluster, step, &mut said).with_context(|| format!("at the step {step:?}"))?;
        }
        Ok(said)
    }

    fn apply(&self, cluster: &Cluster, objects: &[Value]) -> Result<Run> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
        run_with_input(
            &mut cluster.tool("kubectl-1.20", &["apply", "-n", &self.id, "-f", "-"]),
            list.as_bytes(),
        )
    }

    fn take(&self, cluster: &Cluster, step: &Step, said: &mut String) -> Result<()> {
        match step {
            Step::Kubectl(args) => {
                let mut all = vec!["-n", self.id.as_str()];
                all.extend(args.iter().map(String::as_str));
                let run = cluster.kubectl(&all)?;
                said.push_str(&format!("$ kubectl {}\n{}{}", args.join(" "), run.stdout, run.stderr));
                Ok(())
            }
            Step::Apply(objects) => {
                let run = self.apply(cluster, objects)?;
                if run.code != Some(0) {
                    said.push_str(&format!("$ kubectl apply -f app.yaml\n{}{}", run.stdout, run.stderr));
                }
                Ok(())
            }
            Step::Event { reason, text } => wait::until("an event", PATIENCE, || {
                let list = cluster.get(&self.id, "events", "")?;
                let there = items(&list).iter().any(|event| {
                    event["reason"] == reason.as_str()
                        && event["message"].as_str().is_some_and(|message| message.contains(text))
                });
                ensure!(there, "there are only {}", messages(&list));
                Ok(())
            }),
            Step::Shows { kind, texts } => wait::until("an object's state", PATIENCE, || {
                let list = cluster.get(&self.id, kind, "")?.to_string();
                match texts.iter().find(|text| !list.contains(text.as_str())) {
                    Some(missing) => bail!("no `{missing}` in {}", &list[..list.len().min(3000)]),
                    None => Ok(()),
                }
            }),
            Step::Log { text } => wait::until("a line of a log", PATIENCE, || {
                let logs = logs(cluster, &self.id)?;
                ensure!(logs.contains(text), "no `{text}` in {logs}");
                Ok(())
            }),
        }
    }
}

fn messages(events: &Value) -> String {
    items(events).iter().fold(String::new(), |text, event| {
        text + &format!(
            "{}: {}\n",
            event["reason"].as_str().unwrap_or(""),
            event["message"].as_str().unwrap_or("")
        )
    })
}

/// Current and previous logs of every container in a namespace.
fn logs(cluster: &Cluster, namespace: &str) -> Result<String> {
    let mut all = String::new();
    for pod in items(&cluster.get(namespace, "pods", "")?) {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        for list in ["initContainers", "containers"] {
            for container in pod["spec"][list].as_array().into_iter().flatten() {
                let container = container["name"].as_str().unwrap_or_default();
                for previous in ["--previous=false", "--previous=true"] {
                    let run = cluster.kubectl(&[
                        "logs",
                        "-n",
                        namespace,
                        name,
                        "-c",
                        container,
                        "--tail=60",
                        previous,
                    ])?;
                    all.push_str(&run.stdout);
                }
            }
        }
    }
    Ok(all)
}

/// A scenario as it came about and what our programs made of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Cases at the top of the report with their verdicts, in its order.
    pub answers: Vec<(String, String)>,
    /// What is not as the scenario wants it; empty where all is.
    pub faults: Vec<String>,
    /// What kubectl said while the failure was made.
    pub said: String,
    pub bundle: PathBuf,
}

/// A cluster with real nodes on which scenarios run.
pub struct Lab {
    pub cluster: Cluster,
    nodes: Vec<RealNode>,
    images: BTreeMap<String, Vec<String>>,
    imported: std::sync::Mutex<Vec<String>>,
}

impl Lab {
    /// Starts the servers and so many real nodes.
    pub fn start(cache: &Cache, nodes: u8) -> Result<Lab> {
        let path = Path::new(crate::cache::SCRIPTS).join("images.yaml");
        let images = serde_saphyr::from_str(&std::fs::read_to_string(&path)?)
            .with_context(|| format!("in {}", path.display()))?;
        let cluster = Cluster::start(cache, &crate::cluster::Settings::default())?;
        let nodes = (1..=nodes)
            .map(|number| cluster.start_real_node(40 + number, number == 1))
            .collect::<Result<_>>()?;
        Ok(Lab { cluster, nodes, images, imported: std::sync::Mutex::default() })
    }

    /// Makes the images that these scenarios need, before there is no network.
    pub fn prepare<'s>(cache: &Cache, scenarios: impl IntoIterator<Item = &'s Scenario>) -> Result<()> {
        let path = Path::new(crate::cache::SCRIPTS).join("images.yaml");
        let images: BTreeMap<String, Vec<String>> = serde_saphyr::from_str(&std::fs::read_to_string(&path)?)
            .with_context(|| format!("in {}", path.display()))?;
        Image { name: crate::cluster::real::SANDBOX.to_owned(), packages: Vec::new() }.make(cache)?;
        for scenario in scenarios {
            for image in scenario.images(&images) {
                image.make(cache)?;
            }
        }
        Ok(())
    }

    fn import(&self, scenario: &Scenario) -> Result<()> {
        for image in scenario.images(&self.images) {
            let mut imported = self.imported.lock().expect("nothing panics while it imports");
            if !imported.contains(&image.name) {
                let archive = image.make(self.cluster.cache())?;
                self.nodes.iter().try_for_each(|node| node.import(&archive))?;
                imported.push(image.name);
            }
        }
        Ok(())
    }

    /// Makes the failure, collects it as a user would, and looks at the answer.
    ///
    /// # Errors
    /// When the failure does not come about or a program of ours does not run.
    pub fn run(&self, scenario: &Scenario) -> Result<Outcome> {
        self.import(scenario)?;
        let said = scenario.make(&self.cluster)?;
        let dir = self.cluster.dir().join("lab");
        std::fs::create_dir_all(&dir)?;
        let bundle = dir.join(format!("{}.tar.gz", scenario.id));
        let mut command = Command::new("unshare");
        command
            .args(["--pid", "--fork", "--mount-proc"])
            .arg(program("casebook-collect")?.get_program())
            .args(["-n", &scenario.id, "-o"])
            .arg(&bundle)
            .env("NO_COLOR", "1")
            .env("KUBECONFIG", self.cluster.kubeconfig(User::Admin));
        if !said.is_empty() {
            let text = dir.join(format!("{}.txt", scenario.id));
            std::fs::write(&text, &said)?;
            command.arg("--text").arg(text);
        }
        let collected = run(&mut command)?;
        ensure!(
            matches!(collected.code, Some(0 | 3)),
            "`{}` ended with {:?}: {}",
            collected.line,
            collected.code,
            collected.stderr
        );
        let analyzed = run(program("casebook-analyze")?
            .args(["--format", "json", "--lang", "en", "--rules"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules"))
            .arg(&bundle))?
        .expect_code(0)?;
        let report: Value = serde_json::from_str(&analyzed.stdout).context("the report is no JSON")?;
        let (answers, faults) = judge(scenario, &report);
        Ok(Outcome { answers, faults, said, bundle })
    }
}

/// What a report answers, and what of it is not as the scenario wants.
fn judge(scenario: &Scenario, report: &Value) -> (Vec<(String, String)>, Vec<String>) {
    let mut faults = Vec::new();
    // What only the machine's own log tells, such as a process that was killed in another scenario, is not of this one.
    let findings: Vec<&Value> = report["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|finding| !of_the_machine(finding))
        .collect();
    let answers: Vec<(String, String)> = findings
        .iter()
        .map(|finding| {
            let word = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
            (word("case"), word("verdict"))
        })
        .collect();
    match answers.first() {
        Some((case, verdict)) if *case == scenario.answers => {
            if certainty(verdict) < Some(scenario.least) {
                faults.push(format!("{case} is only {verdict}"));
            }
        }
        Some((case, _)) => faults.push(format!("{case} answers instead of {}", scenario.answers)),
        None => faults.push(format!("nobody answers instead of {}", scenario.answers)),
    }
    let text = json!(findings).to_string();
    for rule in &scenario.silent {
        if text.contains(&format!("\"case\":\"{rule}\"")) {
            faults.push(format!("{rule} is not silent"));
        }
    }
    (answers, faults)
}

/// Whether every evidence of a finding was read on the machine on which the nodes run.
fn of_the_machine(finding: &Value) -> bool {
    let evidence = finding["evidence"].as_array().map_or(&[][..], Vec::as_slice);
    !evidence.is_empty()
        && evidence.iter().all(|one| one["path"].as_str().is_some_and(|path| path.starts_with("hosts/")))
}

fn certainty(verdict: &str) -> Option<Certainty> {
    serde_json::from_value(Value::String(verdict.to_owned())).ok()
}
