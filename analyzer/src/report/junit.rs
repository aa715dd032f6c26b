//! The report as JUnit XML, for the systems that already show test results.
//!
//! Every rule that was tried is a test case in the suite of its section. A case that holds is a failure, one that
//! cannot be decided is skipped and says what would decide it, any other has passed. What is not well and no rule
//! knows makes a suite of its own: a cluster in trouble must not look green because nobody has written its case yet.
//! There is no standard but what Ant's task wrote; the elements used are those that every reader knows.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use shared::lang::Lang;

use super::escape::{one_line, shorten, visible};
use super::model::{Ask, Finding, Severity, Unresolved, Verdict};
use super::words::{self, Dates, pick};
use super::{Report, text};
use crate::rules::RuleSet;
use crate::rules::format::Status;
use crate::triage::model::Group;

/// Columns of the text in a failure; readers show it in a fixed font and do not wrap it.
const WIDTH: usize = 100;
/// Characters of a message, which readers show on one line.
const MESSAGE: usize = 300;
/// Suite of what no rule knows.
const UNEXPLAINED: &str = "unexplained";

/// The whole report; `rules` are those that were tried.
pub fn render(report: &Report, rules: &RuleSet, lang: Lang, dates: &Dates) -> String {
    let writer = Writer {
        lang,
        text: text::Options { lang, width: WIDTH, color: false, dates: dates.clone(), all: false },
    };
    let mut suites: BTreeMap<String, Vec<TestCase>> = BTreeMap::new();
    for finding in report.every_finding() {
        let several = report.every_finding().filter(|other| other.case == finding.case).count() > 1;
        suites.entry(finding.section.clone()).or_default().push(writer.finding(finding, several));
    }
    for case in &report.unresolved {
        suites.entry(case.section.clone()).or_default().push(writer.unresolved(case));
    }
    let told: Vec<&str> = report
        .every_finding()
        .map(|finding| finding.case.as_str())
        .chain(report.unresolved.iter().map(|case| case.case.as_str()))
        .collect();
    for rule in rules.iter().filter(|rule| rule.file.status != Status::Deprecated) {
        if !told.contains(&rule.file.id.as_str()) {
            let case = writer.case(&rule.file.id, &rule.section, TestCaseStatus::success());
            suites.entry(rule.section.clone()).or_default().push(case);
        }
    }
    for group in report.triage.groups.iter().filter(|group| !group.explained) {
        suites.entry(UNEXPLAINED.to_owned()).or_default().push(writer.group(group));
    }
    let mut junit = quick_junit::Report::new("casebook");
    for (name, mut cases) in suites {
        cases.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
        let mut suite = TestSuite::new(name);
        suite.add_test_cases(cases);
        junit.add_test_suite(suite);
    }
    junit.to_string().expect("the XML is written into memory, and its text is UTF-8")
}

struct Writer {
    lang: Lang,
    text: text::Options,
}

impl Writer {
    fn case(&self, name: &str, section: &str, status: TestCaseStatus) -> TestCase {
        let mut case = TestCase::new(one_line(name), status);
        // Readers take the dots for packages and show a tree.
        case.set_classname(section.replace('/', "."));
        case
    }

    /// `several`: the rule has more findings, so that its name alone does not tell them apart.
    fn finding(&self, finding: &Finding, several: bool) -> TestCase {
        let subject = finding.subjects.first().filter(|_| several);
        let name = match subject {
            Some(subject) => format!("{}: {}", finding.case, words::subject(subject, self.lang)),
            None => finding.case.clone(),
        };
        let title = finding.title.get(self.lang);
        let body = text::finding(finding, &self.text);
        let status = match (finding.verdict, finding.severity) {
            (Verdict::NeedMore, _) => skipped(title, &body),
            (_, Severity::Info) => TestCaseStatus::success(),
            (verdict, _) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                let words =
                    [words::verdict(verdict, self.lang), words::severity(finding.severity, self.lang)];
                status.set_type(words.join(pick(self.lang, "，", ", ")));
                status.set_message(message(title));
                status.set_description(visible(&body));
                status
            }
        };
        let mut case = self.case(&name, &finding.section, status);
        if finding.severity == Severity::Info && finding.verdict != Verdict::NeedMore {
            case.set_system_out(visible(&body));
        }
        case
    }

    fn unresolved(&self, case: &Unresolved) -> TestCase {
        let lead = pick(
            self.lang,
            "无法排除：判断所需的内容没有收集到。",
            "Cannot be ruled out: what would show it was not collected.",
        );
        let title = case.title.get(self.lang);
        let asks: Vec<String> = case.asks.iter().map(|ask| self.ask(ask)).collect();
        let body = format!("{title}\n{lead}\n{}", asks.join("\n"));
        self.case(&case.case, &case.section, skipped(lead, body.trim_end()))
    }

    fn ask(&self, ask: &Ask) -> String {
        let words = ask.text.get(self.lang).trim();
        match &ask.command {
            Some(command) => format!("{words}\n  {}", command.replace('\n', "\n  ")),
            None => words.to_owned(),
        }
    }

    fn group(&self, group: &Group) -> TestCase {
        let title = group.title.get(self.lang);
        let status = if group.severity == Severity::Info {
            TestCaseStatus::success()
        } else {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(words::severity(group.severity, self.lang));
            status.set_message(message(title));
            status.set_description(visible(&text::group(group, &self.text)));
            status
        };
        self.case(&group.cause.name, UNEXPLAINED, status)
    }
}

fn skipped(lead: &str, body: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message(lead));
    status.set_description(visible(body));
    status
}

fn message(text: &str) -> String {
    shorten(&one_line(text), MESSAGE).into_owned()
}
