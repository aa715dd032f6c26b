//! How the parts of a report speak of one another, for formats that show them apart.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Report;
use super::model::{Finding, Subject};
use crate::triage;
use crate::triage::model::{Group, LogLine};

/// What each finding and each group has to do with the other.
pub struct Links<'r> {
    /// Of each finding; a log is told once, with the first finding that leaves it to be read.
    logs: Vec<&'r [LogLine]>,
    /// `namespace/name` of an object → places in the list of those findings that are about it.
    by_name: HashMap<String, Vec<usize>>,
}

impl<'r> Links<'r> {
    pub fn of(report: &'r Report) -> Self {
        let logs = Logs::of(report);
        let mut told: HashSet<(&str, u32)> = HashSet::new();
        let mut links = Self { logs: Vec::new(), by_name: HashMap::new() };
        for (index, finding) in report.findings.iter().enumerate() {
            let lines = logs.left_to_read(finding);
            let is_new = lines.first().is_some_and(|line| told.insert((&line.path, line.line)));
            links.logs.push(if is_new { lines } else { &[] });
            for subject in &finding.subjects {
                let about = links.by_name.entry(triage::full_name(subject)).or_default();
                if about.last() != Some(&index) {
                    about.push(index);
                }
            }
        }
        links
    }

    /// The telling lines of a log that a finding leaves to be read.
    pub fn log(&self, finding: usize) -> &'r [LogLine] {
        self.logs.get(finding).copied().unwrap_or_default()
    }

    /// Places in the list of those findings that speak of an object of a group.
    pub fn about(&self, group: &Group) -> Vec<usize> {
        let places: BTreeSet<usize> =
            triage::names(group).filter_map(|name| self.by_name.get(&name)).flatten().copied().collect();
        places.into_iter().collect()
    }
}

/// The telling lines of the logs of those pods that are not well, by namespace and name.
struct Logs<'r>(HashMap<(Option<&'r str>, &'r str), &'r [LogLine]>);

impl<'r> Logs<'r> {
    fn of(report: &'r Report) -> Self {
        let problems = report.triage.groups.iter().flat_map(|group| &group.problems);
        let of_pods = problems.filter(|problem| problem.subject.kind == "Pod" && !problem.log.is_empty());
        Self(of_pods.map(|problem| (pod(&problem.subject), problem.log.as_slice())).collect())
    }

    /// That of the first pod which a finding is about or which its chain ends at, unless its evidence quotes all that is
    /// bad in it, there or in the log of another run.
    fn left_to_read(&self, finding: &Finding) -> &'r [LogLine] {
        let last = finding.chain.last().map(|link| &link.subject);
        let subjects = finding.subjects.iter().chain(last).filter(|subject| subject.kind == "Pod");
        let Some(lines) = subjects.filter_map(|subject| self.0.get(&pod(subject))).next() else { return &[] };
        let evidence = finding.with_explained().into_iter().flat_map(|finding| &finding.evidence);
        let quoted: HashSet<triage::Shape> = evidence
            .filter(|place| place.pointer.is_none())
            .map(|place| triage::shape(triage::without_timestamp(&place.excerpt)))
            .collect();
        let is_quoted = |line: &LogLine| quoted.contains(&triage::shape(&line.text));
        let left = lines.iter().any(|line| triage::complains(&line.text) && !is_quoted(line));
        // The last words of a program that died without a complaint.
        let silent = !lines.iter().any(|line| triage::complains(&line.text) || is_quoted(line));
        if left || silent { lines } else { &[] }
    }
}

fn pod(subject: &Subject) -> (Option<&str>, &str) {
    (subject.namespace.as_deref(), subject.name.as_str())
}

impl Report {
    /// Nothing was found, and something was read in which it could have been found.
    pub fn looks_well(&self) -> bool {
        self.says_nothing() && self.bundle.objects.values().any(|count| *count > 0)
    }

    /// Whether nothing was found, nothing is known to be wrong, and no line could be read. Of texts alone that is no good
    /// news: what is wrong may stand in words that nobody here knows, or not in them at all.
    pub fn says_nothing(&self) -> bool {
        let triage = &self.triage;
        self.findings.is_empty()
            && triage.groups.is_empty()
            && triage.texts.is_empty()
            && self.readings.is_empty()
    }

    /// The telling lines of a log that a finding, told by itself, leaves to be read.
    pub fn log_of(&self, finding: &Finding) -> &[LogLine] {
        Logs::of(self).left_to_read(finding)
    }

    /// The object to name beside a title that another finding has too.
    pub fn told_apart_by<'f>(&self, finding: &'f Finding) -> Option<&'f Subject> {
        let namesakes = self.findings.iter().filter(|other| other.title == finding.title).count();
        finding.subjects.first().filter(|_| namesakes > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::Link;
    use crate::report::tests::sample;

    #[test]
    fn a_log_is_told_where_the_evidence_does_not_quote_it() {
        let mut report = sample();
        let log = |report: &Report| report.log_of(&report.findings[1]).first().map(|line| line.line);
        assert_eq!(log(&report), Some(1044));
        // The log of another run says the same.
        report.findings[1].evidence[0].excerpt =
            "2024-05-01T12:00:00Z ERROR dial tcp: lookup db.example.com: no such host".into();
        assert_eq!(log(&report), None);
    }

    #[test]
    fn a_chain_leads_to_the_log_of_the_pod_at_its_end() {
        let mut report = sample();
        assert_eq!(report.log_of(&report.findings[0]).len(), 2, "web-0 is the end of its chain");
        let node = Subject { kind: "Node".into(), name: "n1".into(), ..Subject::default() };
        report.findings[0].chain.push(Link { subject: node, state: "NotReady".into() });
        assert!(report.log_of(&report.findings[0]).is_empty());
    }

    #[test]
    fn a_log_is_told_once() {
        let report = sample();
        let links = Links::of(&report);
        assert_eq!((links.log(0).len(), links.log(1).len()), (2, 0));
    }

    #[test]
    fn a_group_knows_the_findings_about_its_objects() {
        let mut report = sample();
        let about = |report: &Report| Links::of(report).about(&report.triage.groups[0]);
        assert_eq!(about(&report), [1], "the second is about web-0 and web-1");
        report.findings[1].subjects.clear();
        assert!(about(&report).is_empty());
    }
}
