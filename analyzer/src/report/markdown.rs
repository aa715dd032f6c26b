//! The report for a forum post: the answer first, everything else after it, in the order of its worth.
//!
//! It uses what forum engines have in common: headings, paragraphs, flat lists, fences outside of lists, one plain
//! table. No HTML, no nesting, nothing that needs a certain engine.

mod finding;
mod fit;
mod overview;
pub(crate) mod quote;
mod triage;

use shared::lang::Lang;

use super::Report;
use super::gaps::gaps;
use super::link::Links;
use super::model::{Finding, Severity, Text};
use super::words::{self, Dates, pick};

use fit::Pieces;
use quote::{fence, plain, prose};

/// Length of a post that most forums take, in characters.
pub const POST: usize = 30_000;

/// How to write it.
#[derive(Debug, Clone)]
pub struct Options {
    pub lang: Lang,
    /// Characters at most; [`POST`] unless told.
    pub max_chars: usize,
    pub dates: Dates,
    /// Name the cases that cannot be ruled out, not only their number.
    pub all: bool,
}

/// How much of a finding is written.
#[derive(Clone, Copy)]
struct Detail {
    /// Quoted lines of evidence.
    evidence: usize,
    /// Commands of a step.
    commands: usize,
}

/// Of the answer.
const WHOLE: Detail = Detail { evidence: 6, commands: 20 };
/// Of what else was found, so that there is room for all of it.
const BRIEF: Detail = Detail { evidence: 3, commands: 5 };

/// Subjects that are named before "and N more".
const SUBJECTS: usize = 8;
/// Characters of a quoted line.
const QUOTE: usize = 300;
/// Characters of an object's state in a chain.
const STATE: usize = 160;

/// The whole report.
pub fn render(report: &Report, options: &Options) -> String {
    let mut writer = Writer::new(report, options.lang, &options.dates);
    writer.all = options.all;
    writer.answer();
    writer.other_findings();
    writer.triage();
    writer.earlier();
    writer.missing();
    writer.undecided();
    writer.cluster();
    let lang = options.lang;
    writer.pieces.fit(options.max_chars, |whole| match lang {
        Lang::Zh => format!(
            "*（全文 {whole} 字符，为不超过 {} 字符已从末尾截短；完整内容请生成 HTML 或 JSON 报告。）*",
            options.max_chars
        ),
        Lang::En => format!(
            "*(Shortened from the bottom: the whole report has {whole} characters, the limit is {}. The HTML and JSON reports hold all of it.)*",
            options.max_chars
        ),
    })
}

/// One finding alone, without a heading and whole.
pub fn finding(report: &Report, finding: &Finding, lang: Lang, dates: &Dates) -> String {
    let mut writer = Writer::new(report, lang, dates);
    writer.finding(finding, WHOLE, report.log_of(finding));
    writer.pieces.fit(usize::MAX, |_| String::new())
}

struct Writer<'a> {
    report: &'a Report,
    links: Links<'a>,
    lang: Lang,
    dates: &'a Dates,
    all: bool,
    pieces: Pieces,
}

impl<'a> Writer<'a> {
    fn new(report: &'a Report, lang: Lang, dates: &'a Dates) -> Self {
        Writer { report, links: Links::of(report), lang, dates, all: false, pieces: Pieces::default() }
    }
}

impl Writer<'_> {
    fn pick<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        pick(self.lang, zh, en)
    }

    /// A text of a rule with its code marked.
    fn prose(&self, text: &Text) -> String {
        prose(&self.dates.within(text.get(self.lang), self.lang))
    }

    /// A text of a rule without any markup, as a heading or a title.
    fn plain(&self, text: &Text) -> String {
        plain(&self.dates.within(text.get(self.lang), self.lang))
    }

    /// A finding may be no more than a remark while things are in trouble that no case explains; then it is no answer.
    fn is_answer(&self, index: usize, finding: &Finding) -> bool {
        index == 0 && (finding.severity != Severity::Info || self.report.triage.groups.is_empty())
    }

    fn has_answer(&self) -> bool {
        self.report.findings.first().is_some_and(|finding| self.is_answer(0, finding))
    }

    /// The first finding whole, or that there is none.
    fn answer(&mut self) {
        match self.report.findings.first() {
            Some(finding) if self.is_answer(0, finding) => {
                let heading = self.heading(finding, self.pick("诊断结果", "Result"));
                self.pieces.lead(format!("## {heading}"));
                if self.report.findings.len() > 1 {
                    self.pieces.lead(match (self.lang, self.report.findings.len()) {
                        (Lang::Zh, n) => format!("共发现 {n} 个问题，先看这一个，其余见“其他发现”。"),
                        (Lang::En, n) => format!(
                            "{n} problems were found. Look at this one first; the others are under \"Also found\"."
                        ),
                    });
                }
                self.finding(finding, WHOLE, self.links.log(0));
            }
            _ => {
                let heading = match self.report.looks_well() {
                    true => self.pick("诊断结果：没有发现异常", "Result: nothing looks wrong"),
                    false => self.pick("诊断结果：没有匹配到已知问题", "Result: no known case matches"),
                };
                self.pieces.lead(format!("## {heading}"));
                self.pieces.push(self.nothing_known());
            }
        }
    }

    /// How sure it is and then what it is: titles end in brackets of their own.
    fn heading(&self, finding: &Finding, lead: &str) -> String {
        let mut title = self.plain(&finding.title);
        if let Some(subject) = self.report.told_apart_by(finding) {
            title.push_str(&format!(" — {}", plain(&words::subject(subject, self.lang))));
        }
        let verdict = words::verdict(finding.verdict, self.lang);
        match self.lang {
            Lang::Zh => format!("{lead}（{verdict}）：{title}"),
            Lang::En => format!("{lead} ({verdict}): {title}"),
        }
    }

    fn nothing_known(&self) -> String {
        let triage = &self.report.triage;
        let (zh, en) = if self.report.looks_well() {
            (
                "在已收集的内容里没有发现异常，也没有匹配到已知问题。",
                "Nothing in what was collected looks wrong, and no known case matches.",
            )
        } else if self.report.says_nothing() && self.report.bundle.texts > 0 {
            words::WHAT_TO_SEND
        } else if triage.groups.is_empty() && triage.texts.is_empty() {
            ("输入里没有可以分析的内容。", "The input holds nothing that can be analysed.")
        } else {
            (
                "下面列出发现的异常和最能说明问题的日志，按可能的共同原因归类。",
                "What is not well is listed below by its likely common cause, with the log lines that tell most.",
            )
        };
        self.pick(zh, en).to_owned()
    }

    fn other_findings(&mut self) {
        let findings = &self.report.findings;
        let others: Vec<(usize, &Finding)> =
            (1..).zip(findings).filter(|(number, finding)| !self.is_answer(number - 1, finding)).collect();
        if others.is_empty() {
            return;
        }
        self.pieces.lead(format!("## {}", self.pick("其他发现", "Also found")));
        for (number, finding) in others {
            let lead = format!("{} {number}", self.pick("问题", "Problem"));
            self.pieces.lead(format!("### {}", self.heading(finding, &lead)));
            self.finding(finding, BRIEF, self.links.log(number - 1));
        }
    }

    /// What was not collected, and how many cases hang on it; the cases themselves on demand.
    fn undecided(&mut self) {
        let gaps = gaps(self.report);
        if gaps.is_empty() {
            return;
        }
        self.pieces.lead(format!("## {}", self.pick("无法排除的问题", "What cannot be ruled out")));
        for gap in gaps {
            let mut told = plain(&gap.told(self.lang));
            if self.all {
                for case in &gap.cases {
                    told.push_str(&format!("\n- {} `{}`", self.plain(&case.title), safe_id(&case.case)));
                }
            }
            match gap.command {
                Some(command) => {
                    self.pieces.lead(told);
                    self.pieces.push(fence("bash", command));
                }
                None => self.pieces.push(told),
            }
        }
    }
}

/// A rule id, which is kebab-case unless somebody's own rules say otherwise.
fn safe_id(id: &str) -> String {
    id.chars().filter(|c| c.is_alphanumeric() || "-_./".contains(*c)).collect()
}
