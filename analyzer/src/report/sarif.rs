//! The report as SARIF 2.1.0 (OASIS), for code-scanning views and everything else that collects results of tools.
//!
//! A finding is a result of its rule, at the first place that shows it; the other places are related locations.
//! What cannot be decided is a result of kind `open`, for which the standard wants the level `none`. Cases that are
//! not ruled out and parts of the evidence that are missing are notifications of the run: they are about what could
//! be seen, not about the cluster. Paths are relative to the bundle, whose place on a reader's disk nobody knows.

mod help;

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::lang::Lang;

use super::escape::visible;
use super::identity::without_generated_ending;
use super::markdown::quote::{self, prose};
use super::model::{Evidence, Finding, Severity, Subject, Text, Verdict};
use super::words::{self, Dates, pick};
use super::{Report, fold, markdown};
use crate::rules::RuleSet;
use crate::rules::format::Status;
use crate::triage::model::{CauseKind, Group, Problem};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Base of the paths in a bundle.
const BASE: &str = "BUNDLE";
/// Places that are told of one result; a page of thousands helps nobody.
const PLACES: usize = 100;
/// What a path keeps in a URI; a colon would make its first part a scheme.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The whole report; `rules` are those that were tried.
pub fn render(report: &Report, rules: &RuleSet, lang: Lang, dates: &Dates) -> String {
    let mut writer = Writer { report, lang, dates, rules: Vec::new(), places: BTreeMap::new() };
    for rule in rules.iter().filter(|rule| rule.file.status != Status::Deprecated) {
        writer.add_rule(&rule.file.id, help::descriptor(rule, lang));
    }
    let mut results = Vec::new();
    for finding in &report.findings {
        writer.finding(finding, None, &mut results);
    }
    for group in report.triage.groups.iter().filter(|group| !group.explained) {
        let result = writer.group(group);
        results.push(result);
    }
    let notifications = writer.notifications();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "casebook-analyze",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "language": pick(lang, "zh-CN", "en-US"),
                "rules": writer.rules,
            }},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "originalUriBaseIds": {BASE: {"description": message(pick(
                lang,
                "收集包的根目录",
                "The root folder of the bundle"
            ))}},
            "language": pick(lang, "zh-CN", "en-US"),
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).expect("a JSON value is JSON");
    text.push('\n');
    text
}

struct Writer<'a> {
    report: &'a Report,
    lang: Lang,
    dates: &'a Dates,
    rules: Vec<Value>,
    /// Id of a rule → its place in `rules`.
    places: BTreeMap<String, usize>,
}

impl Writer<'_> {
    /// Notes a rule unless it is known, and tells its place.
    fn add_rule(&mut self, id: &str, descriptor: Value) -> usize {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        self.rules.push(descriptor);
        self.places.insert(id.to_owned(), self.rules.len() - 1);
        self.rules.len() - 1
    }

    /// The finding and those that it explains, each a result.
    fn finding(&mut self, finding: &Finding, explained_by: Option<&str>, results: &mut Vec<Value>) {
        let index = self.add_rule(&finding.case, json!({"id": finding.case}));
        let (kind, level) = match finding.verdict {
            Verdict::NeedMore => ("open", "none"),
            _ => ("fail", level(finding.severity)),
        };
        let places = fold(&finding.evidence);
        let mut locations = places.iter().take(PLACES).map(|(evidence, _)| self.evidence(evidence));
        let mut first = locations.next().unwrap_or_else(|| json!({}));
        let objects: Vec<Value> = finding.subjects.iter().take(PLACES).map(|s| self.object(s)).collect();
        if !objects.is_empty() {
            first["logicalLocations"] = objects.into();
        }
        let related: Vec<Value> = locations.zip(1..).map(|(place, id)| with_id(place, id)).collect();
        let title = self.told(&finding.title);
        let conclusion = self.told(&finding.conclusion);
        let markdown = markdown::finding(self.report, finding, self.lang, self.dates);
        let mut result = json!({
            "ruleId": finding.case,
            "ruleIndex": index,
            "kind": kind,
            "level": level,
            "message": {"text": plain(&format!("{title}{}{}", pick(self.lang, "：", ": "), conclusion.trim())), "markdown": markdown},
            "locations": [first],
            "partialFingerprints": {"caseAndObjects/v1": fingerprint(finding)},
            "properties": {
                "verdict": finding.verdict,
                "severity": finding.severity,
                "past": finding.past,
                "commands": finding.fix.iter().flat_map(|fix| &fix.commands).collect::<Vec<_>>(),
            },
        });
        if !related.is_empty() {
            result["relatedLocations"] = related.into();
        }
        if let Some(case) = explained_by {
            result["properties"]["explainedBy"] = case.into();
        }
        results.push(result);
        for inner in &finding.explains {
            self.finding(inner, Some(&finding.case), results);
        }
    }

    /// A text of a rule with its moments in the reader's zone.
    fn told<'t>(&self, text: &'t Text) -> Cow<'t, str> {
        self.dates.within(text.get(self.lang), self.lang)
    }

    fn evidence(&self, evidence: &Evidence) -> Value {
        let last = evidence.end_line.max(evidence.line).max(1);
        let mut place = place(&evidence.path, evidence.line, last, &evidence.excerpt);
        if let Some(time) = &evidence.time {
            place["message"] = message(&self.dates.show(time));
        }
        place
    }

    fn object(&self, subject: &Subject) -> Value {
        json!({
            "name": visible(&subject.name),
            "fullyQualifiedName": visible(&words::subject(subject, self.lang)),
            "kind": "resource",
        })
    }

    /// Problems of one cause that no rule knows.
    fn group(&mut self, group: &Group) -> Value {
        let kind = cause_word(group.cause.kind);
        let id = format!("unexplained/{kind}");
        let about = pick(
            self.lang,
            "没有已知问题能解释的异常",
            "Something is not well and no known case explains it",
        );
        let index = self.add_rule(
            &id,
            json!({
                "id": id,
                "shortDescription": message(about),
                "help": {"text": plain(about), "markdown": quote::plain(about)},
            }),
        );
        let title = group.title.get(self.lang);
        let mut locations = group.problems.iter().take(PLACES).map(|problem| self.problem(problem));
        let first = locations.next().unwrap_or_else(|| json!({}));
        let related: Vec<Value> = locations.zip(1..).map(|(place, id)| with_id(place, id)).collect();
        let mut result = json!({
            "ruleId": id,
            "ruleIndex": index,
            "kind": "fail",
            "level": level(group.severity),
            "message": {"text": plain(title), "markdown": prose(title)},
            "locations": [first],
            "partialFingerprints": {"causeOfTrouble/v1": digest([kind, group.cause.name.as_str()])},
            "properties": {"severity": group.severity, "cause": group.cause},
        });
        if !related.is_empty() {
            result["relatedLocations"] = related.into();
        }
        result
    }

    /// The object itself; its message and most telling line are what a reader looks at first.
    fn problem(&self, problem: &Problem) -> Value {
        let said = problem.message.as_deref().map(|words| format!(": {words}")).unwrap_or_default();
        let mut place = match problem.log.last() {
            Some(line) => place(&line.path, line.line, line.line, &line.text),
            None => place(&problem.path, problem.line, problem.line, &problem.state),
        };
        place["message"] = message(&format!("{}{said}", problem.state));
        place["logicalLocations"] = vec![self.object(&problem.subject)].into();
        place
    }

    fn notifications(&self) -> Vec<Value> {
        let open = self.report.unresolved.iter().map(|case| {
            let asks: Vec<&str> = case.asks.iter().map(|ask| ask.text.get(self.lang).trim()).collect();
            let title = case.title.get(self.lang);
            let text = match self.lang {
                Lang::Zh => format!("无法排除“{title}”：判断所需的内容没有收集到。{}", asks.join("")),
                Lang::En => format!(
                    "\"{title}\" cannot be ruled out: what would show it was not collected. {}",
                    asks.join(" ")
                ),
            };
            let mut notification = json!({"level": "note", "message": message(text.trim_end())});
            if let Some(index) = self.places.get(&case.case) {
                notification["associatedRule"] = json!({"id": case.case, "index": index});
            }
            notification
        });
        let lost = self.report.ledger.losses().into_iter().map(|loss| {
            let word = words::outcome(loss.word(), self.lang);
            let note = loss.note.map(|note| format!(": {note}")).unwrap_or_default();
            let paths = loss.items.iter().take(PLACES);
            json!({
                "level": if loss.outcome == "skipped" { "note" } else { "warning" },
                "message": message(&format!("{word} ({}){note}", loss.items.len())),
                "locations": paths.map(|item| json!({"physicalLocation": {"artifactLocation": artifact(&item.path)}}))
                    .collect::<Vec<_>>(),
            })
        });
        open.chain(lost).collect()
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn cause_word(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::Node => "node",
        CauseKind::Registry => "registry",
        CauseKind::StorageClass => "storage-class",
        CauseKind::Claim => "claim",
        CauseKind::Reboot => "reboot",
        CauseKind::Refused => "refused",
        CauseKind::Config => "config",
        CauseKind::Scheduling => "scheduling",
        CauseKind::Dependency => "dependency",
        CauseKind::Release => "release",
        CauseKind::Workload => "workload",
        CauseKind::State => "state",
    }
}

fn artifact(path: &str) -> Value {
    json!({"uri": utf8_percent_encode(path, ESCAPED).to_string(), "uriBaseId": BASE})
}

fn place(path: &str, line: u32, end_line: u32, excerpt: &str) -> Value {
    json!({"physicalLocation": {
        "artifactLocation": artifact(path),
        // Lines are counted from 1; 0 stands where a layout has no lines.
        "region": {"startLine": line.max(1), "endLine": end_line.max(1), "snippet": {"text": visible(excerpt)}},
    }})
}

fn with_id(mut place: Value, id: u32) -> Value {
    place["id"] = id.into();
    place
}

fn message(text: &str) -> Value {
    json!({"text": plain(text)})
}

/// Text of a message that means nothing but itself: in SARIF's plain messages, brackets make links and braces stand
/// for arguments.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '\\' | '[' | ']' => out.extend(['\\', c]),
            '{' | '}' => out.extend([c, c]),
            c => out.push(c),
        }
    }
    out
}

/// What stays the same from one bundle of a cluster to the next: the case and its objects, without generated endings.
fn fingerprint(finding: &Finding) -> String {
    let mut objects: Vec<String> = finding
        .subjects
        .iter()
        .map(|subject| {
            let namespace = subject.namespace.as_deref().unwrap_or_default();
            format!("{} {namespace}/{}", subject.kind, without_generated_ending(&subject.name))
        })
        .collect();
    objects.sort();
    objects.dedup();
    digest(std::iter::once(finding.case.as_str()).chain(objects.iter().map(String::as_str)))
}

fn digest<'t>(parts: impl IntoIterator<Item = &'t str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
