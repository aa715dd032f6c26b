//! The lines around each place that the report names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use crate::report::Report;
use crate::report::escape::shorten;
use crate::report::model::Finding;
use crate::snapshot::{Snapshot, SourceFile};

/// Lines before and after a hit.
const AROUND: u32 = 8;
/// Characters of a line.
const LINE: usize = 500;
/// Bytes of context in the page, so that it stays quick to open.
const MOST: usize = 1_500_000;

/// Path → pieces of the file, in its order.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Context(BTreeMap<String, Vec<Piece>>);

/// Lines that follow each other.
#[derive(Debug, Serialize)]
struct Piece {
    /// Number of the first line, counted from 1.
    from: u32,
    lines: Vec<String>,
}

pub fn context(report: &Report, snapshot: &Snapshot) -> Context {
    let files: HashMap<&str, &SourceFile> =
        snapshot.files.iter().map(|file| (file.path.as_str(), file)).collect();
    let mut context = Context::default();
    let mut used = 0;
    // Best answers first: when the room is used up, what is missing belongs to the least of them.
    let mut wanted: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for (path, line) in places(report) {
        let Some(file) = files.get(path) else { continue };
        let lines = wanted.entry(path).or_default();
        let (from, to) =
            (line.saturating_sub(AROUND).max(1), line.saturating_add(AROUND).min(file.line_count()));
        for number in from..=to {
            if used < MOST && lines.insert(number) {
                used += file.line(number).map_or(0, |text| text.len().min(LINE)) + 4;
            }
        }
    }
    for (path, numbers) in wanted {
        let Some(file) = files.get(path) else { continue };
        let pieces: &mut Vec<Piece> = context.0.entry(path.to_owned()).or_default();
        for number in numbers {
            let text = shorten(file.line(number).unwrap_or_default(), LINE).into_owned();
            match pieces.last_mut() {
                Some(piece) if piece.from + piece.lines.len() as u32 == number => piece.lines.push(text),
                _ => pieces.push(Piece { from: number, lines: vec![text] }),
            }
        }
    }
    context.0.retain(|_, pieces| !pieces.is_empty());
    context
}

/// Every place that the report names, the best answer's first.
fn places(report: &Report) -> Vec<(&str, u32)> {
    let mut places = Vec::new();
    for finding in &report.findings {
        of_finding(finding, &mut places);
    }
    let groups = report.triage.groups.iter().flat_map(|group| &group.problems);
    let logs = groups.clone().flat_map(|problem| &problem.log);
    let texts = report.triage.texts.iter().flat_map(|text| &text.lines);
    places.extend(logs.chain(texts).map(|line| (line.path.as_str(), line.line)));
    places
}

fn of_finding<'a>(finding: &'a Finding, places: &mut Vec<(&'a str, u32)>) {
    for evidence in finding.evidence.iter().take(50) {
        let last = evidence.end_line.min(evidence.line.saturating_add(20));
        places.extend((evidence.line..=last).map(|line| (evidence.path.as_str(), line)));
    }
    for inner in &finding.explains {
        of_finding(inner, places);
    }
}
