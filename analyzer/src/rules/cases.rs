//! The tests that lie beside a rule: `<id>.test.yaml`.
//!
//! A case describes a bundle by its files and says what the rule must make of it. It runs through the same intake and
//! matching as a real bundle, with all rules, so that precedence is part of what is tested.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::bundle::manifest::{LedgerEntry, Outcome, Subject};

use super::format::OneOrMany;
use super::{RuleError, RuleSet};
use crate::matching;
use crate::report::model::{Finding, Verdict};
use crate::snapshot::{Known, Snapshot};

/// When the evidence of a case was collected, if the case does not say.
pub const COLLECTED: &str = "2026-11-20T04:00:00Z";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    pub cases: Vec<Case>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// Path in the bundle → its text, its JSON, or `{from: path of a fixture}`.
    #[serde(default)]
    pub files: IndexMap<String, Value>,
    /// What was not collected, or not wholly.
    #[serde(default)]
    pub ledger: Vec<LedgerSpec>,
    /// Every list that `files` does not name was read and is empty.
    #[serde(default)]
    pub complete: bool,
    /// Time of collection, for `ago()`; [`COLLECTED`] unless told.
    #[serde(default)]
    pub collected: Option<String>,
    pub expect: Expected,
    /// Where the output that the case holds comes from.
    #[serde(default)]
    pub origin: Origin,
    /// Address of the report, or name of the scenario.
    #[serde(default)]
    pub from: Option<String>,
    /// Subjects of the finding, as `namespace/name` or `name`; all of them.
    #[serde(default)]
    pub subjects: Option<Vec<String>>,
    /// Words that must stand in the commands or texts of the fix.
    #[serde(default)]
    pub fix_contains: Option<OneOrMany>,
    /// Words that must not stand there.
    #[serde(default)]
    pub fix_lacks: Option<OneOrMany>,
    #[serde(default)]
    pub asks_contains: Option<OneOrMany>,
    #[serde(default)]
    pub conclusion_contains: Option<OneOrMany>,
    /// Name of an evidence → `path:line` that must be among its places.
    #[serde(default)]
    pub evidence_at: IndexMap<String, String>,
    /// Cases that must stand beneath this one.
    #[serde(default)]
    pub explains: Vec<String>,
    /// The finding stands beneath this case.
    #[serde(default)]
    pub under: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerSpec {
    pub path: String,
    #[schemars(with = "String")]
    pub outcome: Outcome,
    /// The server's words.
    #[serde(default)]
    pub note: Option<String>,
    #[serde(default)]
    pub source: Option<String>,
    #[serde(default)]
    #[schemars(with = "Option<Value>")]
    pub subject: Subject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    Confirmed,
    Likely,
    NeedMore,
    Silent,
}

/// Where the output in a case comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The real program said it, in a scenario of the tests.
    Lab,
    /// Somebody published it; names and addresses are replaced.
    Report,
    /// Written by hand after documentation or source.
    #[default]
    Made,
}

impl Expected {
    fn of(verdict: Option<Verdict>) -> Expected {
        match verdict {
            Some(Verdict::Confirmed) => Expected::Confirmed,
            Some(Verdict::Likely) => Expected::Likely,
            Some(Verdict::NeedMore) => Expected::NeedMore,
            None => Expected::Silent,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Expected::Confirmed => "confirmed",
            Expected::Likely => "likely",
            Expected::NeedMore => "need_more",
            Expected::Silent => "silent",
        }
    }
}

/// What one case came to.
#[derive(Debug)]
pub struct CaseResult {
    pub rule: String,
    pub case: String,
    pub failures: Vec<Failure>,
    /// Other rules that answered as well, with their verdicts; worth a look, but no failure.
    pub others: Vec<(String, Verdict)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Expected and not found.
    Missing(String),
    /// Found and not expected.
    Noisy(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Missing(what) => write!(f, "missing: {what}"),
            Failure::Noisy(what) => write!(f, "noisy: {what}"),
        }
    }
}

/// Path of a rule's tests.
pub fn path_of(rule_path: &str) -> PathBuf {
    PathBuf::from(rule_path.strip_suffix(".yaml").unwrap_or(rule_path).to_owned() + ".test.yaml")
}

/// Reads the tests of a rule; `None` if there is no such file.
pub fn read(path: &Path) -> Result<Option<CaseFile>, RuleError> {
    let shown = path.display().to_string();
    let yaml = match fs::read_to_string(path) {
        Ok(yaml) => yaml,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RuleError::at_place(&shown, "", None, format!("cannot read: {error}"))),
    };
    serde_saphyr::from_str(&yaml).map(Some).map_err(|error| RuleError::from_yaml(&shown, &yaml, &error))
}

/// Runs one case of `rule` with all rules of `set`. Fixtures are found beside `test_path`.
pub fn run(set: &RuleSet, rule: &str, case: &Case, test_path: &Path) -> Result<CaseResult, String> {
    let snapshot = snapshot(set, case, test_path)?;
    let found = matching::run(set, &snapshot);
    let mut flat = Vec::new();
    flatten(&found.findings, None, &mut flat);
    let mut own: Vec<(&Finding, Option<&str>)> =
        flat.iter().filter(|(f, _)| f.case == rule).copied().collect();
    own.sort_by_key(|(finding, _)| finding.verdict);
    let mut failures = Vec::new();
    let best = own.first().copied();
    let verdict = Expected::of(best.map(|(finding, _)| finding.verdict));
    if verdict != case.expect {
        let got = format!("expected {}, got {}", case.expect.as_str(), verdict.as_str());
        failures.push(match (case.expect, verdict) {
            (Expected::Silent, _) => Failure::Noisy(got),
            _ => Failure::Missing(got),
        });
    } else if let Some((finding, parent)) = best {
        check(case, finding, parent, &mut failures);
    }
    for note in found.notes {
        failures.push(Failure::Noisy(note));
    }
    let others: BTreeSet<(String, Verdict)> =
        flat.iter().filter(|(f, _)| f.case != rule).map(|(f, _)| (f.case.clone(), f.verdict)).collect();
    Ok(CaseResult {
        rule: rule.to_owned(),
        case: case.name.clone(),
        failures,
        others: others.into_iter().collect(),
    })
}

fn flatten<'f>(
    findings: &'f [Finding],
    parent: Option<&'f str>,
    flat: &mut Vec<(&'f Finding, Option<&'f str>)>,
) {
    for finding in findings {
        flat.push((finding, parent));
        flatten(&finding.explains, Some(&finding.case), flat);
    }
}

fn check(case: &Case, finding: &Finding, parent: Option<&str>, failures: &mut Vec<Failure>) {
    let mut missing = |what: String| failures.push(Failure::Missing(what));
    if let Some(expected) = &case.subjects {
        let shown: BTreeSet<String> = finding
            .subjects
            .iter()
            .map(|subject| match &subject.namespace {
                Some(namespace) => format!("{namespace}/{}", subject.name),
                None => subject.name.clone(),
            })
            .collect();
        if shown != expected.iter().cloned().collect() {
            missing(format!(
                "subjects {}, got {}",
                expected.join(", "),
                shown.into_iter().collect::<Vec<_>>().join(", ")
            ));
        }
    }
    let fix: Vec<&str> = finding
        .fix
        .iter()
        .flat_map(|fix| fix.commands.iter().chain([&fix.text.zh, &fix.text.en]))
        .map(String::as_str)
        .collect();
    let asks: Vec<&str> = finding
        .asks
        .iter()
        .flat_map(|ask| ask.command.iter().chain([&ask.text.zh, &ask.text.en]))
        .map(String::as_str)
        .collect();
    let conclusion = [finding.conclusion.zh.as_str(), finding.conclusion.en.as_str()];
    for (name, wanted, texts) in [
        ("fix", &case.fix_contains, fix.as_slice()),
        ("asks", &case.asks_contains, asks.as_slice()),
        ("conclusion", &case.conclusion_contains, conclusion.as_slice()),
    ] {
        for words in wanted.iter().flat_map(|wanted| wanted.as_slice()) {
            if !texts.iter().any(|text| text.contains(words.as_str())) {
                missing(format!("`{words}` in the {name}, which says: {}", texts.join(" | ")));
            }
        }
    }
    for (name, place) in &case.evidence_at {
        let places: Vec<String> = finding
            .evidence
            .iter()
            .filter(|evidence| evidence.name == *name)
            .map(|evidence| format!("{}:{}", evidence.path, evidence.line))
            .collect();
        if !places.contains(place) {
            missing(format!("evidence {name} at {place}, got {}", places.join(", ")));
        }
    }
    for below in &case.explains {
        if !finding.explains.iter().any(|finding| finding.case == *below) {
            missing(format!("{below} beneath it"));
        }
    }
    if let Some(above) = &case.under
        && parent != Some(above)
    {
        missing(format!(
            "to stand beneath {above}, stands {}",
            parent.map_or("alone".into(), |p| format!("beneath {p}"))
        ));
    }
    for words in case.fix_lacks.iter().flat_map(|words| words.as_slice()) {
        if fix.iter().any(|text| text.contains(words.as_str())) {
            failures.push(Failure::Noisy(format!("`{words}` in the fix")));
        }
    }
}

/// The bundle that a case describes.
fn snapshot(set: &RuleSet, case: &Case, test_path: &Path) -> Result<Snapshot, String> {
    let mut files = Vec::new();
    for (path, content) in &case.files {
        files.push((path.clone(), bytes_of(path, content, test_path)?));
    }
    let ledger = case.ledger.iter().map(|spec| LedgerEntry {
        source: spec.source.clone().unwrap_or_else(|| spec.path.clone()),
        note: spec.note.clone(),
        subject: spec.subject.clone(),
        ..entry(&spec.path, spec.outcome)
    });
    let mut snapshot = crate::intake::from_files(files, ledger.collect());
    let collected = case.collected.as_deref().unwrap_or(COLLECTED);
    let collected = collected.parse().map_err(|error| format!("collected: `{collected}`: {error}"))?;
    for input in &mut snapshot.inputs {
        input.collected_at.get_or_insert(collected);
    }
    if case.complete {
        let named = set.iter().flat_map(|rule| &rule.evidence).flat_map(|evidence| &evidence.sources);
        let always = ["pods", "namespaces", "customresourcedefinitions"];
        for plural in named.map(|source| source.name()).chain(always) {
            snapshot.coverage.lists.entry((plural.to_owned(), None)).or_insert(Known::Whole);
        }
        if snapshot.coverage.ledger.is_empty() {
            snapshot.coverage.ledger.push(entry("manifest.json", Outcome::Collected));
        }
    }
    Ok(snapshot)
}

fn entry(path: &str, outcome: Outcome) -> LedgerEntry {
    LedgerEntry::new(path, "test", outcome)
}

fn bytes_of(path: &str, content: &Value, test_path: &Path) -> Result<Vec<u8>, String> {
    if let Some(text) = content.as_str() {
        return Ok(text.as_bytes().to_vec());
    }
    if let Some(map) = content.as_object()
        && map.len() == 1
        && let Some(from) = map.get("from").and_then(Value::as_str)
    {
        let fixture = test_path.parent().unwrap_or(Path::new("")).join(from);
        return fs::read(&fixture)
            .map_err(|error| format!("cannot read the fixture {}: {error}", fixture.display()));
    }
    if !path.ends_with(".json") {
        return Err(format!("{path}: only a path that ends with .json may have a value that is no text"));
    }
    let wrapped = match content {
        Value::Array(items) if path.starts_with("cluster-resources/") => {
            json!({"apiVersion": "v1", "kind": "List", "items": items})
        }
        other => other.clone(),
    };
    serde_json::to_vec_pretty(&wrapped).map_err(|error| format!("{path}: {error}"))
}
