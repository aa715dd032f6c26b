//! Tries every rule on a snapshot.
//!
//! [`scan`] reads all texts once for all rules; [`row`] turns objects into rows once for all rules; [`past`] tells which
//! of them are over by the time of the collection. Then each rule is tried by itself, in parallel: [`bind`] finds the choices of rows that hold together, [`finding`] says what they
//! mean. In the end [`precedence`] puts the findings of all rules in order, and [`chain`] follows each to its cause. A rule that crashes costs its own findings and
//! leaves a note, nothing more. The same snapshot gives the same bytes every time.

pub mod applies;
pub mod bind;
pub mod cel;
pub mod chain;
pub mod clean;
pub mod coverage;
pub mod finding;
pub mod glob;
pub mod literal_set;
pub mod literals;
pub mod logtime;
pub mod past;
pub mod path;
pub mod pattern;
pub mod plain;
pub mod precedence;
pub mod prepared;
pub mod row;
pub mod scan;
pub mod state;
pub mod status;
pub mod template;

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::prelude::*;
use semver::Version;
use serde_json::{Map, Value, json};

use crate::report::model::{Finding, Severity, Subject, Unresolved, Verdict};
use crate::rules::compile::{Evidence, Rule};
use crate::rules::expr::Truth;
use crate::rules::format::Status;
use crate::rules::source::Source;
use crate::rules::{RuleSet, versions};
use crate::snapshot::{Snapshot, TextKind};
use bind::Ground;
use coverage::Reach;
use past::Past;
use row::{Place, Row, Tables};
use scan::{EventHit, Hit, Scanner};
use state::World;

/// What all rules together found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Best answer first.
    pub findings: Vec<Finding>,
    /// What had been and is over by the time of the collection, in the same order; never of what [`Self::findings`] tell.
    pub earlier: Vec<Finding>,
    /// Cases that can be neither shown nor ruled out, because something was refused or cut off.
    pub unresolved: Vec<Unresolved>,
    /// What went wrong while matching, each a line for the reader.
    pub notes: Vec<String>,
}

/// Tries every rule that is not deprecated and whose versions fit.
pub fn run(set: &RuleSet, snapshot: &Snapshot) -> Findings {
    let there = applies::sections(set, snapshot);
    let is_there = |rule: &Rule| there.get(&rule.section).copied().unwrap_or(Truth::True);
    let rules: Vec<&Rule> = set
        .iter()
        .filter(|rule| rule.file.status != Status::Deprecated && gates_open(rule, snapshot))
        .filter(|rule| is_there(rule) != Truth::False)
        .collect();
    let mut sources: Vec<&Source> =
        rules.iter().flat_map(|rule| &rule.evidence).flat_map(|evidence| &evidence.sources).collect();
    sources.push(&Source::Containers);
    let world = World::new(snapshot);
    let past = Past::new(&world);
    let tables = Tables::build(snapshot, &past, sources);
    let reach = Reach::new(snapshot, &tables);
    let found = search(set, &rules, snapshot, &tables, &past);
    let ground = Ground { reach: &reach, now: scan::collected_at(snapshot) };

    let told: Vec<(bind::Bindings, finding::Outcome, Vec<Finding>)> = rules
        .par_iter()
        .zip(found)
        .map(|(rule, found)| {
            let tried = AssertUnwindSafe(|| {
                let (present, over) = parted(rule, found, &past, &ground);
                let bindings = bind::bind(rule, present, &ground);
                let mut outcome = finding::tell(rule, &bindings, snapshot, &reach, None);
                let mut earlier = over.map_or_else(Vec::new, |over| {
                    let bindings = bind::bind(rule, over, &ground);
                    let told = finding::tell(rule, &bindings, snapshot, &reach, None).findings;
                    told.into_iter().filter_map(|finding| bygone(finding, &outcome.findings)).collect()
                });
                // Nothing shows the product: only words that are its own alone may speak of it.
                if is_there(rule) == Truth::Unknown {
                    outcome.unresolved = None;
                    if !rule.file.distinctive {
                        outcome.findings.clear();
                        earlier.clear();
                    }
                }
                (bindings, outcome, earlier)
            });
            catch_unwind(tried).unwrap_or_else(|_| {
                let notes = vec![format!("{}: this rule crashed and was left out", rule.file.id)];
                (bind::Bindings::default(), finding::Outcome { notes, ..Default::default() }, Vec::new())
            })
        })
        .collect();

    let mut all = Findings::default();
    let mut kept = Vec::new();
    for (bindings, outcome, earlier) in told {
        all.earlier.extend(earlier);
        all.findings.extend(outcome.findings);
        all.unresolved.extend(outcome.unresolved);
        all.notes.extend(outcome.notes);
        kept.push(bindings);
    }
    let division = precedence::division(&all.findings, &rules, snapshot);
    for (rule, bindings) in rules.iter().zip(&kept) {
        if let Some(apart) = division.get(&rule.file.id) {
            let again = finding::tell(rule, bindings, snapshot, &reach, Some(apart));
            all.findings.retain(|finding| finding.case != rule.file.id);
            all.findings.extend(again.findings);
        }
    }
    all.findings = precedence::arrange(all.findings, &rules, snapshot);
    all.earlier = precedence::arrange(all.earlier, &rules, snapshot);
    chain::fill(&mut all.findings, &world);
    all.unresolved.sort_by(|a, b| (&a.section, &a.case).cmp(&(&b.section, &b.case)));
    all.notes.sort();
    all.notes.dedup();
    all
}

/// The rows of each evidence of one rule.
type Found = Vec<Vec<Arc<Row>>>;

/// What of `found` holds, and where some of it is over, what had held: of an evidence with rows that are over, those
/// alone.
fn parted(rule: &Rule, found: Found, past: &Past<'_>, ground: &Ground<'_>) -> (Found, Option<Found>) {
    let evidence = rule.evidence.iter().zip(found);
    let parts = evidence.map(|(evidence, rows)| past::split(evidence, rows, past, ground));
    let (present, over): (Found, Found) = parts.unzip();
    if over.iter().all(Vec::is_empty) {
        return (present, None);
    }
    let had_held =
        present.iter().zip(over).map(|(present, over)| if over.is_empty() { present.clone() } else { over });
    let had_held = had_held.collect();
    (present, Some(had_held))
}

/// A finding of what is over, without the subjects that have it still; `None` if it was never sure, or is no other than
/// what holds.
fn bygone(mut finding: Finding, present: &[Finding]) -> Option<Finding> {
    let still: HashSet<&Subject> = present.iter().flat_map(|finding| &finding.subjects).collect();
    finding.subjects.retain(|subject| !still.contains(subject));
    let is_sure = finding.verdict != Verdict::NeedMore;
    (is_sure && !finding.subjects.is_empty()).then(|| Finding {
        past: true,
        severity: Severity::Info,
        asks: Vec::new(),
        ..finding
    })
}

/// The rows that the sources and patterns of each evidence of each of `rules`, which are of `set`, yield before joins.
fn search(
    set: &RuleSet,
    rules: &[&Rule],
    snapshot: &Snapshot,
    tables: &Tables,
    past: &Past<'_>,
) -> Vec<Found> {
    let scanner = Scanner::of(set);
    let mut hits = scanner.scan(snapshot).into_iter();
    let events = tables.of(&Source::Events);
    let mut event_hits = scanner.scan_events(events).into_iter();
    let said = status::rows(snapshot, past);
    let mut status_hits = scanner.scan_events(&said).into_iter();
    let nodes = nodes_of_pods(snapshot);
    let mut rows_of = |evidence: &Evidence, is_tried: bool| {
        let mut rows: Vec<Arc<Row>> = Vec::new();
        match &evidence.pattern {
            Some(_) => {
                let hits = hits.next().unwrap_or_default();
                let of_events = newest(event_hits.next().unwrap_or_default(), events);
                let of_status = newest(status_hits.next().unwrap_or_default(), &said);
                if !is_tried {
                    return rows;
                }
                let hits = once_each(hits, !of_events.is_empty(), snapshot);
                rows.extend(
                    hits.into_iter().map(|hit| Arc::new(text_row(evidence, hit, snapshot, past, &nodes))),
                );
                rows.extend(of_events.into_iter().map(|hit| matched_event(evidence, hit, events)));
                let known: HashSet<_> = rows.iter().filter(|row| !row.over).map(|row| pod_of(row)).collect();
                let of_status = of_status.into_iter().map(|hit| matched_event(evidence, hit, &said));
                rows.extend(of_status.filter(|row| !known.contains(&pod_of(row))).collect::<Vec<_>>());
            }
            None if !is_tried => {}
            None => rows.extend(evidence.sources.iter().flat_map(|source| tables.of(source)).cloned()),
        }
        rows
    };
    let tried: HashSet<&str> = rules.iter().map(|rule| rule.file.id.as_str()).collect();
    let all = set.iter().map(|rule| {
        let is_tried = tried.contains(rule.file.id.as_str());
        let rows = rule.evidence.iter().map(|evidence| rows_of(evidence, is_tried)).collect();
        (is_tried, rows)
    });
    all.filter(|(is_tried, _)| *is_tried).map(|(_, rows)| rows).collect()
}

/// The newest events, where there are more than one rule can tell of: each is copied with what its pattern names.
fn newest(mut hits: Vec<EventHit>, events: &[Arc<Row>]) -> Vec<EventHit> {
    if hits.len() > bind::MOST_BINDINGS {
        hits.sort_by_key(|(event, _)| std::cmp::Reverse(events[*event].time));
        hits.truncate(bind::MOST_BINDINGS);
        hits.sort_by_key(|(event, _)| *event);
    }
    hits
}

/// Of what one line says in several ways, the way that knows most of it: the event that it was read as, then the piece
/// that is known to be a log or a table, and the paste as a whole only where nothing else is known.
fn once_each(hits: Vec<Hit>, as_events: bool, snapshot: &Snapshot) -> Vec<Hit> {
    let place = |hit: &Hit| (snapshot.texts[hit.text].file, hit.line);
    let pasted = |hit: &Hit| snapshot.texts[hit.text].kind == TextKind::Pasted;
    let known: HashSet<_> = hits.iter().filter(|hit| !pasted(hit)).map(place).collect();
    let mut kept = hits;
    kept.retain(|hit| {
        let is_event = as_events && snapshot.event_lines.contains(&place(hit));
        let told_twice = pasted(hit) && known.contains(&place(hit));
        !is_event && !told_twice
    });
    kept
}

/// Namespace and name of the pod that a row is about.
fn pod_of(row: &Row) -> (String, String) {
    let field = |key: &str| row.value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    (field("namespace"), field("pod"))
}

fn matched_event(evidence: &Evidence, (event, groups): EventHit, events: &[Arc<Row>]) -> Arc<Row> {
    let fields = group_fields(evidence, &groups);
    if fields.is_empty() { Arc::clone(&events[event]) } else { Arc::new(events[event].with_fields(fields)) }
}

fn group_fields(evidence: &Evidence, groups: &[Option<String>]) -> Vec<(String, Value)> {
    let names = evidence.pattern.iter().flat_map(|pattern| pattern.groups());
    names.zip(groups).filter_map(|(name, value)| Some((name.clone(), json!(value.as_ref()?)))).collect()
}

/// A line as a row: what is known of its file, then the named groups, which may say it better.
fn text_row(
    evidence: &Evidence,
    hit: Hit,
    snapshot: &Snapshot,
    past: &Past<'_>,
    nodes: &HashMap<(&str, &str), &str>,
) -> Row {
    let source = &snapshot.texts[hit.text];
    let path = &snapshot.files[source.file.0 as usize].path;
    let mut fields = Map::new();
    fields.insert("path".into(), json!(path));
    fields.insert("line".into(), json!(hit.line));
    fields.insert("text".into(), json!(hit.excerpt));
    let known = [
        ("namespace", &source.namespace),
        ("pod", &source.pod),
        ("container", &source.container),
        ("node", &source.node),
    ];
    for (key, value) in known {
        if let Some(value) = value {
            fields.insert(key.into(), json!(value));
        }
    }
    if source.kind == TextKind::Log {
        fields.insert("previous".into(), json!(source.previous));
    }
    for (key, time) in [("time", hit.time), ("last_time", hit.last_time)] {
        if let Some(time) = time {
            fields.insert(key.into(), json!(time.to_string()));
        }
    }
    fields.insert("count".into(), json!(hit.count));
    fields.extend(group_fields(evidence, &hit.groups));
    if !fields.contains_key("node") {
        let field = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
        if let Some(node) = nodes.get(&(field("namespace"), field("pod"))) {
            fields.insert("node".into(), json!(node));
        }
    }
    let value = Value::Object(fields);
    let subject = row::text_subject(&value);
    let over = past.line(&hit, subject.as_ref());
    let place = Place {
        file: source.file,
        line: hit.line,
        end_line: hit.end_line,
        pointer: None,
        excerpt: hit.quote.unwrap_or(hit.excerpt),
    };
    let mut row = Row::new(Arc::new(value), place);
    row.subject = subject;
    row.time = hit.last_time;
    row.count = hit.count;
    row.over = over;
    row
}

fn nodes_of_pods(snapshot: &Snapshot) -> HashMap<(&str, &str), &str> {
    let pods = snapshot.objects.of("pods").iter();
    pods.filter_map(|pod| Some(((pod.namespace()?, pod.name()?), pod.str_at(&["spec", "nodeName"])?)))
        .collect()
}

/// Whether the versions that a rule belongs to are those of this bundle, as far as they are known.
fn gates_open(rule: &Rule, snapshot: &Snapshot) -> bool {
    let cluster_fits = match (&rule.gates.kubernetes, cluster_version(snapshot)) {
        (Some(gate), Some(version)) => versions::passes(gate, &version),
        _ => true,
    };
    cluster_fits
        && rule.gates.charts.iter().all(|(chart, gate)| {
            let mut installed = snapshot
                .objects
                .of("helm.releases")
                .iter()
                .filter(|release| release.str_at(&["chart_name"]) == Some(chart))
                .filter_map(|release| release.str_at(&["chart_version"]).and_then(versions::parse))
                .peekable();
            installed.peek().is_none() || installed.any(|version| versions::passes(gate, &version))
        })
}

fn cluster_version(snapshot: &Snapshot) -> Option<Version> {
    let of_manifest = snapshot
        .inputs
        .iter()
        .find_map(|input| versions::parse(input.manifest.as_ref()?.cluster.as_ref()?.version.as_deref()?));
    let of_nodes = || {
        let nodes = snapshot.objects.of("nodes").iter();
        nodes
            .filter_map(|node| versions::parse(node.str_at(&["status", "nodeInfo", "kubeletVersion"])?))
            .max()
    };
    of_manifest.or_else(of_nodes)
}

#[cfg(test)]
mod tests;
