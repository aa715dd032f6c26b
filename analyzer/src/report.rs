//! The report: its model, and a writer for each format.
//!
//! [`Report::build`] gathers what the formats show; each format is a function from that to text, so that the same
//! input gives the same bytes. The HTML page alone looks into the [`Snapshot`] again, for the lines around a hit,
//! the pod board and the timeline.

pub mod bundle;
mod earlier;
mod gaps;
pub mod html;
pub mod identity;
pub mod json;
pub mod junit;
pub mod ledger;
pub mod markdown;
pub mod model;
pub mod sarif;
pub mod text;

pub(crate) mod escape;
mod link;
mod order;
pub(crate) mod words;

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::lang::Lang;

use crate::lexicon::model::Reading;
use crate::lexicon::{self, Lexicon};
use crate::matching::Findings;
use crate::snapshot::Snapshot;
use crate::triage;
use crate::triage::model::Triage;

use bundle::Bundle;
use ledger::Ledger;
use model::{Evidence, Finding, Text, Unresolved};

pub use words::Dates;

/// Version of the JSON contract. Fields may be added; what is there keeps its name and meaning.
pub const SCHEMA: &str = "casebook.report/v1";

/// Everything that the analysis has to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Report")]
pub struct Report<T = Text> {
    /// Name and version of this contract, `casebook.report/v1`.
    pub schema: String,
    pub bundle: Bundle<T>,
    /// Best answer first.
    pub findings: Vec<Finding<T>>,
    /// What had been and is over by the time of the collection.
    #[serde(default = "none::<Finding<T>>")]
    pub earlier: Vec<Finding<T>>,
    /// Cases that can be neither shown nor ruled out.
    pub unresolved: Vec<Unresolved<T>>,
    pub triage: Triage<T>,
    /// What lines that are quoted above mean, case or no case; in the order in which they are quoted.
    #[serde(default = "none::<Reading<T>>")]
    pub readings: Vec<Reading<T>>,
    pub ledger: Ledger,
}

/// Of a report that was written before there were any.
fn none<I>() -> Vec<I> {
    Vec::new()
}

impl Report {
    /// What was found in the order in which it is to be shown, as far as rules know it.
    pub fn build(snapshot: &Snapshot, found: Findings) -> Self {
        let Findings { findings, earlier, unresolved, .. } = found;
        let mut triage = triage::triage(snapshot);
        let findings = order::by_need(findings, &triage);
        triage::link_cases(&mut triage, &findings);
        Report {
            schema: SCHEMA.to_owned(),
            bundle: Bundle::of(snapshot),
            findings,
            earlier,
            unresolved,
            triage,
            readings: Vec::new(),
            ledger: Ledger::of(&snapshot.coverage.ledger),
        }
    }

    /// With the readings of the lines that it quotes, and of lines of pasted texts that only the lexicon can read.
    pub fn read_with(mut self, lexicon: &Lexicon, snapshot: &Snapshot) -> Self {
        self.readings = lexicon::annotate(lexicon, snapshot, &self.findings, &mut self.triage);
        self
    }

    /// What the line at a place means, where the lexicon knows it.
    pub fn reading(&self, path: &str, line: u32) -> Option<&Reading> {
        self.readings.iter().find(|reading| reading.line == line && reading.path == path)
    }

    /// Every finding, and after each those that it explains.
    pub fn every_finding(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().flat_map(Finding::with_explained)
    }

    /// Whether a finding quotes this line as its evidence.
    fn quotes(&self, path: &str, line: u32) -> bool {
        let mut evidence = self.every_finding().flat_map(|finding| &finding.evidence);
        evidence.any(|place| place.path == path && (place.line..=place.end_line).contains(&line))
    }

    /// The same with its texts in one language.
    pub fn in_language(&self, lang: Lang) -> Report<String> {
        Report {
            schema: self.schema.clone(),
            bundle: self.bundle.in_language(lang),
            findings: self.findings.iter().map(|finding| finding.in_language(lang)).collect(),
            earlier: self.earlier.iter().map(|finding| finding.in_language(lang)).collect(),
            unresolved: self.unresolved.iter().map(|case| case.in_language(lang)).collect(),
            triage: self.triage.in_language(lang),
            readings: self.readings.iter().map(|reading| reading.in_language(lang)).collect(),
            ledger: self.ledger.clone(),
        }
    }
}

impl Evidence {
    /// The excerpt for a reader, who is told its time apart: a log line without its timestamp, and the moments among
    /// the fields of an object in the reader's zone.
    fn telling(&self, dates: &Dates, lang: Lang) -> String {
        match self.pointer {
            Some(_) => dates.within(&self.excerpt, lang).into_owned(),
            None => triage::without_timestamp(&self.excerpt).to_owned(),
        }
    }
}

/// Evidence that reads the same but for its numbers and names: the first, and how many places show it.
///
/// Rows of one shape are counted together within a file by the engine; the same line in the logs of thirty replicas
/// is still thirty rows.
fn fold(evidence: &[Evidence]) -> Vec<(&Evidence, usize)> {
    let mut folded: Vec<(&Evidence, usize)> = Vec::new();
    let mut places: HashMap<(&str, triage::Shape), usize> = HashMap::new();
    for item in evidence {
        let shape = triage::shape(triage::without_timestamp(&item.excerpt));
        let place = *places.entry((&item.name, shape)).or_insert(folded.len());
        match folded.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => folded.push((item, 1)),
        }
    }
    folded
}

#[cfg(test)]
pub(crate) mod tests;
