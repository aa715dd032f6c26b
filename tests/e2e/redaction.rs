//! Secrets in every carrier, through the real API server and the real collector: none of them is in the bundle, and
//! everything beside them is.
//!
//! The corpus lies in `tests/canaries`; what stands between ‹ and › is a secret.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tests::cluster::items;

use crate::on_cluster;
use crate::world::{World, text};

const NAMESPACE: &str = "canaries";
/// Passwords that are names or words too stand all over a bundle; whether they go where they are passwords is tried
/// on the masker alone.
const COMMON: &[&str] = &["blueking", "123456", "plainword", "with space", "1d2c3b4a", "foobared1"];

pub fn trials() -> Vec<Trial> {
    vec![on_cluster("redaction::no_canary_reaches_the_bundle", no_canary_reaches_the_bundle)]
}

struct Corpus {
    log: Value,
    text: Value,
    objects: Value,
}

impl Corpus {
    fn read() -> Result<Corpus> {
        let read = |name: &str| -> Result<Value> {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("canaries").join(name);
            let yaml =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            serde_saphyr::from_str(&yaml).with_context(|| path.display().to_string())
        };
        Ok(Corpus { log: read("log.yaml")?, text: read("text.yaml")?, objects: read("objects.yaml")? })
    }

    fn lines(&self, part: &str) -> Vec<&str> {
        let texts = self.text[part].as_object().into_iter().flat_map(|lists| lists.values());
        texts.chain([&self.log[part]]).flat_map(items_of).filter_map(Value::as_str).collect()
    }
}

fn items_of(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn unmarked(text: &str) -> String {
    text.replace(['‹', '›'], "")
}

fn unmarked_value(value: &Value) -> Value {
    serde_json::from_str(&unmarked(&value.to_string())).expect("marks stand inside strings")
}

/// What is secret in a text, cut where a line ends: each piece is a secret.
fn secrets(text: &str, found: &mut Vec<String>) {
    for piece in text.split('‹').skip(1).filter_map(|rest| rest.split('›').next()) {
        let pieces = piece
            .split(['\n', '"', ' '])
            .flat_map(|piece| piece.split("\\n"))
            .map(|piece| piece.trim_matches('\\'));
        let long = |piece: &&str| piece.len() >= 6 && !COMMON.iter().any(|common| piece.contains(common));
        found.extend(
            pieces
                .filter(long)
                .filter(|piece| !piece.contains("-----") && *piece != "PRIVATE")
                .map(str::to_owned),
        );
    }
}

fn no_canary_reaches_the_bundle(world: &World) -> Result<()> {
    let corpus = Corpus::read()?;
    let objects = objects(&corpus)?;
    let file = world.file("canaries.json");
    std::fs::write(&file, json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string())?;
    world.cluster.kubectl(&["create", "namespace", NAMESPACE])?.expect_code(0)?;
    world.cluster.kubectl(&["create", "-f", text(&file)?])?.expect_code(0)?;
    let ready = ["wait", "pods", "--all", "--for=condition=Ready", "--timeout=150s", "-n", NAMESPACE];
    world.cluster.kubectl(&ready)?.expect_code(0)?;
    let pasted = world.file("pasted.txt");
    std::fs::write(&pasted, unmarked(&corpus.lines("secrets").join("\n\n")))?;
    let harmless = world.file("harmless.txt");
    std::fs::write(&harmless, corpus.lines("bystanders").join("\n\n"))?;

    let bundle = world.file("canaries.tar.gz");
    let args = [
        "-n",
        NAMESPACE,
        "--all-logs",
        "--text",
        text(&pasted)?,
        "--text",
        text(&harmless)?,
        "-o",
        text(&bundle)?,
    ];
    let run = world.collect(&args)?;
    ensure!(matches!(run.code, Some(0 | 3)), "`{}` ended with {:?}: {}", run.line, run.code, run.stderr);
    let folder = world.unpack(&bundle)?;

    let mut wanted = Vec::new();
    corpus.lines("secrets").iter().for_each(|line| secrets(line, &mut wanted));
    let marked = serde_json::to_string(&corpus.objects["secrets"])?;
    secrets(&marked, &mut wanted);
    wanted.sort();
    wanted.dedup();
    ensure!(wanted.len() >= 150, "only {} secrets", wanted.len());
    let files = files(&folder)?;
    for carrier in
        ["pods/logs/canaries/", "texts/", "describe/canaries/pod/", "configmaps/", "events/", "helm/canaries"]
    {
        ensure!(
            files.keys().any(|path| path.contains(carrier)),
            "the bundle has no {carrier}: {:?}",
            files.keys()
        );
    }
    let mut leaked = String::new();
    for (path, data) in &files {
        let data = String::from_utf8_lossy(data);
        for secret in wanted.iter().filter(|secret| data.contains(secret.as_str())) {
            writeln!(leaked, "  {path}: {secret}")?;
        }
    }
    ensure!(leaked.is_empty(), "of {} secrets leaked:\n{leaked}", wanted.len());
    bystanders_stand(&corpus, &files)
}

/// Everything that is no secret came through as it was.
fn bystanders_stand(corpus: &Corpus, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let texts = files
        .iter()
        .find(|(path, _)| path.ends_with("texts/harmless.txt"))
        .context("no texts/harmless.txt")?;
    let text = String::from_utf8_lossy(texts.1);
    let mut masked = String::new();
    let mut count = 0;
    for line in corpus.lines("bystanders") {
        count += 1;
        if !text.contains(line) {
            writeln!(masked, "  {line}")?;
        }
    }
    let lists: Vec<Value> = files
        .iter()
        .filter(|(path, _)| path.contains("cluster-resources/") && path.ends_with(".json"))
        .filter_map(|(_, data)| serde_json::from_slice(data).ok())
        .collect();
    let objects: Vec<&Value> = lists.iter().flat_map(items).collect();
    for (carrier, canaries) in corpus.objects["bystanders"].as_object().context("no bystanders")? {
        for canary in items_of(canaries) {
            let stands = match carrier.as_str() {
                "env" => objects.iter().any(|o| contains(&o["spec"]["containers"], canary)),
                "configmap" => {
                    let key = canary["key"].as_str().unwrap_or_default();
                    objects.iter().any(|o| o["data"].get(key) == Some(&canary["value"]))
                }
                "args" => objects.iter().any(|o| contains(&o["spec"]["containers"], canary)),
                _ => continue,
            };
            count += 1;
            if !stands {
                writeln!(masked, "  {carrier}: {canary}")?;
            }
        }
    }
    ensure!(count >= 150, "only {count} bystanders");
    ensure!(masked.is_empty(), "of {count} bystanders masked:\n{masked}");
    Ok(())
}

/// Whether `part` stands somewhere in `whole`.
fn contains(whole: &Value, part: &Value) -> bool {
    whole == part
        || match whole {
            Value::Array(items) => items.iter().any(|item| contains(item, part)),
            Value::Object(members) => members.values().any(|member| contains(member, part)),
            _ => false,
        }
}

fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder_) = open.pop() {
        for entry in std::fs::read_dir(&folder_)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                files
                    .insert(path.strip_prefix(folder)?.to_string_lossy().into_owned(), std::fs::read(&path)?);
            }
        }
    }
    Ok(files)
}

/// The canaries as objects that the API server takes.
fn objects(corpus: &Corpus) -> Result<Vec<Value>> {
    let meta = |name: String| json!({"name": name, "namespace": NAMESPACE});
    let pod = |name: String, container: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta(name), "spec": {"containers": [container]}});
    let image = "hub.bktencent.com/blueking/canary:1";
    let mut objects = Vec::new();
    for part in ["secrets", "bystanders"] {
        let log: Vec<&str> = items_of(&corpus.log[part]).filter_map(Value::as_str).collect();
        let log = unmarked(&log.join("\n")) + "\n";
        objects.push(pod(
            format!("log-{part}"),
            json!({"name": "c", "image": image, "env": [{"name": "FAKE_LOG", "value": log}]}),
        ));
        let carriers = &corpus.objects[part];
        let env: Vec<Value> = items_of(&carriers["env"]).map(unmarked_value).filter(is_variable).collect();
        objects.push(pod(format!("env-{part}"), json!({"name": "c", "image": image, "env": env})));
        for (i, args) in items_of(&carriers["args"]).enumerate() {
            let container = json!({"name": "c", "image": image, "command": unmarked_value(args)});
            objects.push(pod(format!("args-{part}-{i}"), container));
        }
        for (i, entry) in items_of(&carriers["configmap"]).enumerate() {
            let entry = unmarked_value(entry);
            let key = entry["key"].as_str().context("a canary without a key")?;
            objects.push(json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(format!("file-{part}-{i}")),
                "data": {key: entry["value"]},
            }));
        }
        for (i, line) in items_of(&corpus.log[part]).filter_map(Value::as_str).enumerate() {
            objects.push(json!({
                "apiVersion": "v1", "kind": "Event", "metadata": meta(format!("event-{part}-{i}")),
                "involvedObject": {"kind": "Pod", "namespace": NAMESPACE, "name": format!("log-{part}")},
                "type": "Warning", "reason": "Failed", "message": unmarked(line).trim_end(),
                "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
            }));
        }
        for (i, line) in items_of(&corpus.text[part]["helm"]).filter_map(Value::as_str).enumerate() {
            objects.push(release(&format!("{part}-{i}"), &unmarked(line))?);
        }
    }
    Ok(objects)
}

/// Names that the API server takes for environment variables.
fn is_variable(pair: &Value) -> bool {
    pair["name"]
        .as_str()
        .is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)))
}

/// A release record as helm keeps it, with a description of this text.
fn release(name: &str, description: &str) -> Result<Value> {
    let record = json!({
        "name": name, "version": 1, "namespace": NAMESPACE,
        "info": {"status": "failed", "description": description, "first_deployed": "2026-01-01T00:00:00Z",
                 "last_deployed": "2026-01-01T00:00:00Z"},
        "chart": {"metadata": {"name": "canary", "version": "1.0.0"}},
        "config": {"password": "values-are-never-kept-9"},
    });
    let mut child = Command::new("sh")
        .args(["-c", "gzip -c | base64 -w0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run gzip and base64")?;
    child.stdin.take().context("stdin was asked for")?.write_all(record.to_string().as_bytes())?;
    let encoded = child.wait_with_output()?.stdout;
    Ok(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": format!("sh.helm.release.v1.{name}.v1"), "namespace": NAMESPACE,
                     "labels": {"owner": "helm", "name": name, "status": "failed", "version": "1"}},
        "stringData": {"release": String::from_utf8(encoded)?},
    }))
}
