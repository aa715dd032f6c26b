//! The lines around each place that the report names.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use crate::report::Report;
use crate::report::escape::{keep_ends, shorten};
use crate::report::model::Finding;
use crate::snapshot::{Snapshot, SourceFile};

/// Lines before and after a hit.
const AROUND: u32 = 8;
/// Characters of a line.
const LINE: usize = 500;
/// Characters of a line that is pointed at: an object on one line names its reason last.
const HIT: usize = 2_000;
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
    let mut hits: HashSet<(&str, u32)> = HashSet::new();
    for Place { path, line, is_object } in places(report) {
        let Some(file) = files.get(path) else { continue };
        let lines = wanted.entry(path).or_default();
        // What stands beside an object are other objects.
        let around = if is_object { 0 } else { AROUND };
        let (from, to) =
            (line.saturating_sub(around).max(1), line.saturating_add(around).min(file.line_count()));
        let cost = |number: u32, most: usize| file.line(number).map_or(0, |text| text.len().min(most)) + 4;
        for number in from..=to {
            if used < MOST && lines.insert(number) {
                used += cost(number, LINE);
            }
        }
        if used < MOST && lines.contains(&line) && hits.insert((path, line)) {
            used += cost(line, HIT) - cost(line, LINE);
        }
    }
    for (path, numbers) in wanted {
        let Some(file) = files.get(path) else { continue };
        let pieces: &mut Vec<Piece> = context.0.entry(path.to_owned()).or_default();
        for number in numbers {
            let line = file.line(number).unwrap_or_default();
            let is_hit = hits.contains(&(path, number));
            let text = if is_hit { keep_ends(line, HIT) } else { shorten(line, LINE) }.into_owned();
            match pieces.last_mut() {
                Some(piece) if piece.from + piece.lines.len() as u32 == number => piece.lines.push(text),
                _ => pieces.push(Piece { from: number, lines: vec![text] }),
            }
        }
    }
    context.0.retain(|_, pieces| !pieces.is_empty());
    context
}

/// A line that the report names.
struct Place<'a> {
    path: &'a str,
    line: u32,
    is_object: bool,
}

/// Every place that the report names, the best answer's first.
fn places(report: &Report) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    for finding in &report.findings {
        of_finding(finding, &mut places);
    }
    let groups = report.triage.groups.iter().flat_map(|group| &group.problems);
    let logs = groups.clone().flat_map(|problem| &problem.log);
    let texts = report.triage.texts.iter().flat_map(|text| &text.lines);
    places.extend(logs.chain(texts).map(|line| Place {
        path: &line.path,
        line: line.line,
        is_object: false,
    }));
    places
}

fn of_finding<'a>(finding: &'a Finding, places: &mut Vec<Place<'a>>) {
    for evidence in finding.evidence.iter().take(50) {
        let last = evidence.end_line.min(evidence.line.saturating_add(20));
        let is_object = evidence.pointer.is_some();
        places.extend((evidence.line..=last).map(|line| Place { path: &evidence.path, line, is_object }));
    }
    for inner in &finding.explains {
        of_finding(inner, places);
    }
}
