//! The data behind the page.

use serde::Serialize;
use shared::lang::Lang;

use super::board::{Board, board};
use super::context::{Context, context};
use super::cost::{NodeLoad, loads};
use super::timeline::{Timeline, timeline};
use crate::lexicon::model::Reading;
use crate::report::Report;
use crate::report::bundle::Bundle;
use crate::report::ledger::{Ledger, MissingItem};
use crate::report::link::Links;
use crate::report::model::{Finding, Unresolved};
use crate::snapshot::Snapshot;
use crate::triage::model::{Group, LogLine, Triage};

/// Items that are missing from the bundle and listed one by one.
const MISSING: usize = 2_000;
/// Objects of one group or finding that are listed one by one.
const SUBJECTS: usize = 500;

#[derive(Serialize)]
pub struct Page<'a> {
    lang: Lang,
    version: &'static str,
    bundle: &'a Bundle,
    findings: Vec<Finding>,
    earlier: Vec<Finding>,
    unresolved: &'a [Unresolved],
    /// Of each finding: lines of a log that its evidence does not quote.
    finding_logs: Vec<&'a [LogLine]>,
    triage: Triage,
    readings: &'a [Reading],
    /// Of each group: places in the list of those findings that speak of its objects.
    group_findings: Vec<Vec<usize>>,
    ledger: Ledger,
    /// How many missing items there are in all.
    missing: usize,
    context: Context,
    board: Board<'a>,
    nodes: Vec<NodeLoad<'a>>,
    releases: Vec<Release<'a>>,
    timeline: Timeline,
}

/// A helm release with its history, newest revision first.
#[derive(Serialize)]
struct Release<'a> {
    namespace: &'a str,
    name: &'a str,
    revisions: Vec<Revision<'a>>,
}

#[derive(Serialize)]
struct Revision<'a> {
    revision: i64,
    status: &'a str,
    chart: &'a str,
    app_version: &'a str,
    updated: &'a str,
    description: &'a str,
}

impl<'a> Page<'a> {
    pub fn new(report: &'a Report, snapshot: &'a Snapshot, lang: Lang) -> Self {
        let links = Links::of(report);
        Page {
            lang,
            version: env!("CARGO_PKG_VERSION"),
            bundle: &report.bundle,
            findings: report.findings.iter().map(bounded).collect(),
            earlier: report.earlier.iter().take(SUBJECTS).map(bounded).collect(),
            unresolved: &report.unresolved,
            finding_logs: (0..report.findings.len()).map(|index| links.log(index)).collect(),
            group_findings: report.triage.groups.iter().map(|group| links.about(group)).collect(),
            triage: Triage {
                groups: report.triage.groups.iter().map(bounded_group).collect(),
                texts: report.triage.texts.clone(),
            },
            readings: &report.readings,
            ledger: bounded_ledger(&report.ledger),
            missing: report.ledger.missing.len(),
            context: context(report, snapshot),
            board: board(report, snapshot),
            nodes: loads(snapshot),
            releases: releases(snapshot),
            timeline: timeline(report, snapshot),
        }
    }
}

/// A finding whose lists are short enough for a page.
fn bounded(finding: &Finding) -> Finding {
    let mut finding = finding.clone();
    finding.subjects.truncate(SUBJECTS);
    finding.evidence.truncate(SUBJECTS);
    finding.explains = finding.explains.iter().take(50).map(bounded).collect();
    finding
}

fn bounded_group(group: &Group) -> Group {
    let mut group = group.clone();
    group.problems.truncate(SUBJECTS);
    group
}

fn bounded_ledger(ledger: &Ledger) -> Ledger {
    let missing: Vec<MissingItem> = ledger.missing.iter().take(MISSING).cloned().collect();
    Ledger { items: ledger.items, outcomes: ledger.outcomes.clone(), missing, masked: ledger.masked.clone() }
}

fn releases(snapshot: &Snapshot) -> Vec<Release<'_>> {
    let mut releases: Vec<Release> = Vec::new();
    for object in snapshot.objects.of("helm.revisions") {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name().unwrap_or_default());
        let text = |field: &str| object.str_at(&[field]).unwrap_or_default();
        let number = object.value.get("revision");
        let revision = Revision {
            revision: number
                .and_then(|n| n.as_i64().or_else(|| n.as_str()?.parse().ok()))
                .unwrap_or_default(),
            status: text("status"),
            chart: text("chart"),
            app_version: text("app_version"),
            updated: text("updated"),
            description: text("description"),
        };
        match releases.iter_mut().find(|release| release.namespace == namespace && release.name == name) {
            Some(release) => release.revisions.push(revision),
            None => releases.push(Release { namespace, name, revisions: vec![revision] }),
        }
    }
    for release in &mut releases {
        release.revisions.sort_by_key(|revision| std::cmp::Reverse(revision.revision));
    }
    releases.sort_by_key(|release| (release.namespace, release.name));
    releases
}
