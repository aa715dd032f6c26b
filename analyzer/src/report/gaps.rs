//! What was not collected and what hangs on it: one line for each gap, not one for each case.

use shared::lang::Lang;

use super::Report;
use super::model::Unresolved;
use super::words;

/// One source that was not read, and the cases that it leaves open.
#[derive(Debug)]
pub struct Gap<'r> {
    /// Such as `pods` or `events of web`.
    source: &'r str,
    /// The ledger's word for what became of it.
    outcome: Option<&'r str>,
    pub cases: Vec<&'r Unresolved>,
    /// What gets it; the same for all of the cases, or else the plain command.
    pub command: Option<&'r str>,
}

/// The gaps of a report, the one that most hangs on first. A case counts under the first source that it lacks.
pub fn gaps(report: &Report) -> Vec<Gap<'_>> {
    let mut gaps: Vec<Gap> = Vec::new();
    for case in &report.unresolved {
        let Some(missing) = case.missing.first() else { continue };
        let (source, outcome) = (missing.source.as_str(), missing.outcome.as_deref());
        let command = case.asks.iter().find_map(|ask| ask.command.as_deref());
        match gaps.iter_mut().find(|gap| gap.source == source && gap.outcome == outcome) {
            Some(gap) => {
                gap.cases.push(case);
                // Namespaces that some of them ask for are among all of them.
                if gap.command != command {
                    gap.command = Some("casebook-collect");
                }
            }
            None => gaps.push(Gap { source, outcome, cases: vec![case], command }),
        }
    }
    gaps.sort_by(|a, b| b.cases.len().cmp(&a.cases.len()).then(a.source.cmp(b.source)));
    gaps
}

impl Gap<'_> {
    /// One sentence.
    pub fn told(&self, lang: Lang) -> String {
        let count = self.cases.len();
        let outcome = self.outcome.map(|outcome| words::outcome(outcome, lang));
        match (lang, outcome) {
            (Lang::Zh, Some(outcome)) => {
                format!("{}：{outcome}。{count} 个已知问题因此无法排除。", self.source)
            }
            (Lang::Zh, None) => format!("{}：没有收集。{count} 个已知问题因此无法排除。", self.source),
            (Lang::En, outcome) => {
                let outcome = outcome.unwrap_or("not collected");
                let cases = if count == 1 { "1 known case" } else { &format!("{count} known cases") };
                format!("{}: {outcome}. {cases} cannot be ruled out for that.", self.source)
            }
        }
    }
}
