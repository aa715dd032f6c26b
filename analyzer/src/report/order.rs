//! Findings about what only waits stand beneath the finding about what it waits for.
//!
//! Rules know nothing of each other's subjects; who waits for whom is known from the triage. A case about an object that
//! waits is a consequence if it says no more than where the trouble shows, or if its evidence is of something that
//! cannot be reached. A case that shows another fault keeps its place.

use std::collections::HashMap;

use super::model::{Finding, Link, Subject, Verdict};
use crate::triage::is_out_of_reach;
use crate::triage::model::{Problem, Relation, Triage};

/// Steps from what waits to where it ends.
const DEPTH: usize = 8;

/// Puts each consequence beneath its cause; where no case tells the cause, behind what waits for nothing.
pub fn by_need(findings: Vec<Finding>, triage: &Triage) -> Vec<Finding> {
    let world = Waits::of(triage);
    let mut findings = findings;
    for finding in &mut findings {
        finding.waits_for = world.link(finding);
    }
    let parents: Vec<Option<usize>> =
        (0..findings.len()).map(|index| world.cause_of(index, &findings)).collect();
    let mut below: Vec<Vec<Finding>> = findings.iter().map(|_| Vec::new()).collect();
    let mut kept = Vec::new();
    for (index, finding) in findings.into_iter().enumerate() {
        match parents[index] {
            Some(parent) => below[parent].push(finding),
            None => kept.push((index, finding)),
        }
    }
    for (index, finding) in &mut kept {
        finding.explains.append(&mut below[*index]);
    }
    let mut kept: Vec<Finding> = kept.into_iter().map(|(_, finding)| finding).collect();
    kept.sort_by_key(|finding| {
        (finding.past, finding.verdict == Verdict::NeedMore, finding.waits_for.is_some())
    });
    kept
}

struct Waits<'t> {
    problems: HashMap<Subject, &'t Problem>,
    /// What was made by a workload or release, as far as it is not well.
    made: HashMap<Subject, Vec<Subject>>,
    /// Of each object that is not well, the objects of its group that have the cause.
    roots: HashMap<Subject, Vec<Subject>>,
}

impl<'t> Waits<'t> {
    fn of(triage: &'t Triage) -> Self {
        let mut waits = Self { problems: HashMap::new(), made: HashMap::new(), roots: HashMap::new() };
        for group in &triage.groups {
            let own = group.problems.iter().filter(|problem| problem.waits_for.is_none());
            let own: Vec<Subject> = own.map(|problem| problem.subject.bare()).take(50).collect();
            for problem in &group.problems {
                let subject = problem.subject.bare();
                // An object that has a trouble of its own does not just wait.
                let known = waits.problems.entry(subject.clone()).or_insert(problem);
                if problem.waits_for.is_none() {
                    *known = problem;
                }
                waits.roots.entry(subject).or_insert_with(|| own.clone());
            }
            for edge in group.edges.iter().filter(|edge| edge.relation == Relation::Owns) {
                waits.made.entry(edge.from.clone()).or_default().push(edge.to.clone());
            }
        }
        waits
    }

    /// What all subjects of a consequence wait for; that of the first.
    fn link(&self, finding: &Finding) -> Option<Link> {
        if finding.past || finding.subjects.is_empty() || !is_consequence(finding) {
            return None;
        }
        let mut waiting = finding.subjects.iter().map(|subject| self.waiting(&subject.bare()));
        let first = waiting.next()??;
        if !waiting.all(|other| other.is_some()) {
            return None;
        }
        let on = &first.waits_for.as_ref()?.on;
        let state = self.problems.get(on).map_or_else(String::new, |problem| problem.state.clone());
        Some(Link { subject: on.clone(), state })
    }

    /// The problem of an object that waits, or of the first thing that it made, if all of these wait.
    fn waiting(&self, subject: &Subject) -> Option<&'t Problem> {
        let waits = |problem: &&'t Problem| problem.waits_for.is_some();
        if let Some(problem) = self.problems.get(subject) {
            return Some(*problem).filter(waits);
        }
        let made = self.made.get(subject)?;
        let problems: Vec<&Problem> =
            made.iter().filter_map(|made| self.problems.get(made).copied()).collect();
        problems.first().copied().filter(|_| problems.iter().all(waits))
    }

    /// The finding that tells what a finding's subjects wait for, the nearest step first.
    fn cause_of(&self, index: usize, findings: &[Finding]) -> Option<usize> {
        let mut on = findings[index].waits_for.as_ref()?.subject.clone();
        let about = |subject: &Subject| {
            findings.iter().position(|finding| {
                finding.verdict != Verdict::NeedMore
                    && !finding.past
                    && finding.waits_for.is_none()
                    && finding.subjects.iter().any(|other| other.bare() == *subject)
            })
        };
        let mut last = on.clone();
        for _ in 0..DEPTH {
            if let Some(found) = about(&on) {
                return Some(found);
            }
            last = on.clone();
            match self.problems.get(&on).and_then(|problem| problem.waits_for.as_ref()) {
                Some(wait) => on = wait.on.clone(),
                None => break,
            }
        }
        self.roots.get(&last)?.iter().find_map(about)
    }
}

fn is_consequence(finding: &Finding) -> bool {
    finding.pointer || finding.evidence.iter().any(|place| is_out_of_reach(&place.excerpt))
}

/// The object alone, whatever container of it is meant.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::Severity;
    use crate::report::tests::{finding, sample};
    use crate::triage::model::{Edge, Wait};

    fn subject(kind: &str, name: &str) -> Subject {
        Subject { kind: kind.into(), namespace: Some("shop".into()), name: name.into(), ..Subject::default() }
    }

    /// `web-1` waits for `web-0`, which waits for nothing; a workload `web` made the first.
    fn triage() -> Triage {
        let mut triage = sample().triage;
        let group = &mut triage.groups[0];
        let wait = Wait { on: subject("Pod", "web-0"), relation: Relation::Calls, through: None };
        group.problems[1].waits_for = Some(wait);
        let [from, to] = [subject("Deployment", "web"), subject("Pod", "web-1")];
        group.edges.push(Edge { from, to, relation: Relation::Owns });
        triage
    }

    fn told(case: &str, about: Subject, verdict: Verdict, says: &str) -> Finding {
        let mut finding = finding(case, verdict, Severity::Error);
        finding.subjects = vec![about];
        finding.evidence.truncate(1);
        finding.evidence[0].excerpt = says.into();
        finding
    }

    fn pointer(case: &str, about: Subject) -> Finding {
        Finding { pointer: true, ..told(case, about, Verdict::Confirmed, "state=waiting") }
    }

    fn names(findings: &[Finding]) -> Vec<String> {
        findings
            .iter()
            .map(|finding| {
                let below: Vec<&str> = finding.explains.iter().map(|below| below.case.as_str()).collect();
                format!("{}[{}]", finding.case, below.join(" "))
            })
            .collect()
    }

    #[test]
    fn a_consequence_stands_beneath_its_cause() {
        let cause = told("cause", subject("Pod", "web-0"), Verdict::Likely, "no licence");
        let findings = vec![
            pointer("restarts", subject("Pod", "web-1")),
            pointer("stalled", subject("Deployment", "web")),
            told(
                "refused",
                subject("Pod", "web-1"),
                Verdict::Confirmed,
                "dial tcp 10.1.1.1:80: connection refused",
            ),
            cause,
        ];
        let ordered = by_need(findings, &triage());
        assert_eq!(names(&ordered), ["cause[restarts stalled refused]"]);
        let link = ordered[0].explains[0].waits_for.as_ref().unwrap();
        assert_eq!(link.subject.name, "web-0");
    }

    #[test]
    fn a_fault_of_its_own_keeps_its_place() {
        let findings = vec![
            told("memory", subject("Pod", "web-1"), Verdict::Confirmed, "reason=OOMKilled"),
            told("cause", subject("Pod", "web-0"), Verdict::Likely, "no licence"),
        ];
        let ordered = by_need(findings, &triage());
        assert_eq!(names(&ordered), ["memory[]", "cause[]"]);
        assert!(ordered[0].waits_for.is_none());
    }

    #[test]
    fn what_is_only_a_question_explains_nothing_and_an_unknown_cause_is_named() {
        let findings = vec![
            pointer("restarts", subject("Pod", "web-1")),
            told("other", subject("Pod", "mail-0"), Verdict::Likely, "no licence"),
            told("asks", subject("Pod", "web-0"), Verdict::NeedMore, "no licence"),
        ];
        let ordered = by_need(findings, &triage());
        assert_eq!(
            names(&ordered),
            ["other[]", "restarts[]", "asks[]"],
            "what waits goes behind what does not"
        );
        assert_eq!(ordered[1].waits_for.as_ref().unwrap().subject.name, "web-0");
    }

    #[test]
    fn of_several_subjects_all_must_wait() {
        let mut both = pointer("restarts", subject("Pod", "web-1"));
        both.subjects.push(subject("Pod", "web-0"));
        let findings = vec![both, told("cause", subject("Pod", "web-0"), Verdict::Likely, "no licence")];
        assert_eq!(names(&by_need(findings, &triage())), ["restarts[]", "cause[]"]);
    }
}
