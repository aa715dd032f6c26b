//! The report for a forum post: the answer first, everything else after it, in the order of its worth.
//!
//! It uses what forum engines have in common: headings, paragraphs, flat lists, fences outside of lists, one plain
//! table. No HTML, no nesting, nothing that needs a certain engine.

mod fit;
mod overview;
pub(crate) mod quote;

use std::borrow::Borrow;

use shared::lang::Lang;

use super::model::{Ask, Evidence, Finding, Fix, Severity, Subject, Verdict};
use super::words::{self, Dates, pick};
use super::{Report, fold};
use crate::triage;
use crate::triage::model::{Alike, Group, LogLine};

use fit::Pieces;
use quote::{code, code_ends, fence, plain, prose};

/// Length of a post that most forums take, in characters.
pub const POST: usize = 30_000;

/// How to write it.
#[derive(Debug, Clone)]
pub struct Options {
    pub lang: Lang,
    /// Characters at most; [`POST`] unless told.
    pub max_chars: usize,
    pub dates: Dates,
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
/// Problems quoted with their log lines in a group.
const PROBLEMS: usize = 4;

/// The whole report.
pub fn render(report: &Report, options: &Options) -> String {
    let mut writer = Writer { report, lang: options.lang, dates: &options.dates, pieces: Pieces::default() };
    writer.answer();
    writer.other_findings();
    // When no case is found, what is seen tells more than what could not be.
    if report.findings.is_empty() {
        writer.triage();
        writer.undecided();
    } else {
        writer.undecided();
        writer.triage();
    }
    writer.missing();
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

struct Writer<'a> {
    report: &'a Report,
    lang: Lang,
    dates: &'a Dates,
    pieces: Pieces,
}

impl Writer<'_> {
    fn pick<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        pick(self.lang, zh, en)
    }

    /// The first finding whole, or that there is none.
    fn answer(&mut self) {
        match self.report.findings.first() {
            Some(finding) if finding.severity != Severity::Info || self.report.triage.groups.is_empty() => {
                self.pieces.lead(self.headline(finding));
                self.finding(finding, WHOLE);
            }
            _ => {
                self.pieces.lead(format!(
                    "## {}",
                    self.pick("诊断结果：没有匹配到已知问题", "Result: no known case matches")
                ));
                self.pieces.push(self.nothing_known());
            }
        }
    }

    fn headline(&self, finding: &Finding) -> String {
        let title = plain(finding.title.get(self.lang));
        let verdict = words::verdict(finding.verdict, self.lang);
        match self.lang {
            Lang::Zh => format!("## 诊断结果：{title}（{verdict}）"),
            Lang::En => format!("## Result: {title} ({verdict})"),
        }
    }

    fn nothing_known(&self) -> String {
        let groups = self.report.triage.groups.len();
        if groups == 0 && self.report.triage.texts.is_empty() {
            let read = self.report.bundle.objects.values().sum::<u64>() + self.report.bundle.texts;
            return match (self.lang, read) {
                (Lang::Zh, 0) => "输入里没有可以分析的内容。".to_owned(),
                (Lang::En, 0) => "The input holds nothing that can be analysed.".to_owned(),
                (Lang::Zh, _) => "在已收集的内容里没有发现异常。".to_owned(),
                (Lang::En, _) => "Nothing in what was collected looks wrong.".to_owned(),
            };
        }
        self.pick(
            "下面列出发现的异常和最能说明问题的日志，按可能的共同原因归类。",
            "What is not well is listed below by its likely common cause, with the log lines that tell most.",
        )
        .to_owned()
    }

    /// Everything about one finding, without its heading.
    fn finding(&mut self, finding: &Finding, detail: Detail) {
        let conclusion = prose(finding.conclusion.get(self.lang));
        if !conclusion.is_empty() {
            self.pieces.push(conclusion);
        }
        if finding.past {
            self.pieces.push(self.pick(
                "*（这些证据早于对象的当前状态，问题可能已经过去。）*",
                "*(The evidence is older than the present state; this may be over.)*",
            ));
        }
        if !finding.subjects.is_empty() {
            self.pieces.push(format!(
                "{}{}",
                self.label("对象", "Concerns"),
                self.subjects(&finding.subjects)
            ));
        }
        self.steps(&finding.fix, detail);
        if let Some(caution) = &finding.caution {
            self.pieces.push(format!("{}{}", self.label("注意", "Caution"), prose(caution.get(self.lang))));
        }
        self.asks(finding.verdict, &finding.asks);
        self.evidence(&finding.evidence, detail);
        if !finding.chain.is_empty() {
            let links: Vec<String> = finding
                .chain
                .iter()
                .map(|link| {
                    format!("{}: {}", code(&words::subject(&link.subject, self.lang)), plain(&link.state))
                })
                .collect();
            self.pieces.push(format!("{}{}", self.label("因果链", "Chain"), links.join(" → ")));
        }
        if !finding.explains.is_empty() {
            self.pieces.lead(self.pick("由此引起：", "It explains:").to_owned());
            let lines: Vec<String> = finding.explains.iter().map(|finding| self.explained(finding)).collect();
            self.pieces.push(lines.join("\n"));
        }
        self.pieces.push(format!("{}`{}`", self.label("编号", "Case"), safe_id(&finding.case)));
        if !finding.references.is_empty() {
            let links: Vec<String> = finding.references.iter().map(|link| reference(link)).collect();
            self.pieces.push(format!("{}{}", self.label("参考", "See also"), links.join(", ")));
        }
    }

    /// A bold word and a colon. The colon stands outside: a closing `**` between a full-width mark and a letter is
    /// no closing mark in CommonMark.
    fn label(&self, zh: &str, en: &str) -> String {
        format!("**{}**{}", self.pick(zh, en), self.pick("：", ": "))
    }

    fn explained(&self, finding: &Finding) -> String {
        let place = finding.evidence.first().map(|e| format!(" — {}", place(e))).unwrap_or_default();
        format!("- {} `{}`{place}", plain(finding.title.get(self.lang)), safe_id(&finding.case))
    }

    fn subjects<S: Borrow<Subject>>(&self, subjects: &[S]) -> String {
        let named: Vec<String> = subjects
            .iter()
            .take(SUBJECTS)
            .map(|subject| code(&words::subject(subject.borrow(), self.lang)))
            .collect();
        let more = match (subjects.len() > SUBJECTS, self.lang) {
            (false, _) => String::new(),
            (true, Lang::Zh) => format!(" 等共 {} 个", subjects.len()),
            (true, Lang::En) => format!(" and {} more", subjects.len() - SUBJECTS),
        };
        named.join(self.pick("、", ", ")) + &more
    }

    /// Each step's words and its commands in a fence; a fence inside a list breaks in too many engines.
    fn steps(&mut self, fixes: &[Fix], detail: Detail) {
        if fixes.is_empty() {
            return;
        }
        self.pieces.lead(format!("**{}**", self.pick("处理步骤", "What to do")));
        for (index, fix) in fixes.iter().enumerate() {
            let mut words = prose(fix.text.get(self.lang));
            if fix.destructive {
                words.push_str(&format!(
                    " **{}**",
                    self.pick("（有破坏性，无法撤销）", "(destructive, cannot be undone)")
                ));
            }
            if let Some(loses) = &fix.loses {
                words.push_str(&format!(
                    " {}{}",
                    self.pick("会丢失：", "Lost by it: "),
                    prose(loses.get(self.lang))
                ));
            }
            let number = format!("{} {}", self.pick("步骤", "Step"), index + 1);
            let sep = self.pick("：", ": ");
            if fix.commands.is_empty() {
                self.pieces.push(format!("{number}{sep}{words}"));
            } else {
                self.pieces.lead(format!("{number}{sep}{words}"));
                self.pieces.push(fence("bash", &self.commands(&fix.commands, detail)));
            }
        }
    }

    fn asks(&mut self, verdict: Verdict, asks: &[Ask]) {
        if asks.is_empty() {
            return;
        }
        let lead = match verdict {
            Verdict::NeedMore => self.pick("还需要知道", "Still to be known"),
            _ => self.pick("要完全确认，还可以查看", "To be fully sure"),
        };
        self.pieces.lead(format!("**{lead}**"));
        for ask in asks {
            let words = prose(ask.text.get(self.lang));
            match &ask.command {
                Some(command) => {
                    self.pieces.lead(words);
                    self.pieces.push(fence("bash", command));
                }
                None => self.pieces.push(words),
            }
        }
    }

    /// Commands for pasting; those that there is no room for are counted in a comment.
    fn commands(&self, commands: &[String], detail: Detail) -> String {
        let mut lines: Vec<String> = commands.iter().take(detail.commands).cloned().collect();
        if commands.len() > detail.commands {
            let more = commands.len() - detail.commands;
            lines.push(match self.lang {
                Lang::Zh => format!("# 对其余 {more} 个对象同样执行"),
                Lang::En => format!("# the same for {more} more"),
            });
        }
        lines.join("\n")
    }

    fn evidence(&mut self, evidence: &[Evidence], detail: Detail) {
        if evidence.is_empty() {
            return;
        }
        self.pieces.lead(format!("**{}**", self.pick("依据", "Evidence")));
        let folded = fold(evidence);
        let mut lines: Vec<String> = folded
            .iter()
            .take(detail.evidence)
            .map(|(first, places)| {
                let time = first
                    .time
                    .as_deref()
                    .map(|t| format!(" {}", plain(&self.dates.show(t))))
                    .unwrap_or_default();
                let times = self.times(first.count, *places);
                let excerpt = code_ends(triage::without_timestamp(&first.excerpt), QUOTE);
                format!("- {}{time}{times}: {excerpt}", place(first))
            })
            .collect();
        if folded.len() > detail.evidence {
            let more: usize = folded[detail.evidence..].iter().map(|(_, places)| places).sum();
            lines.push(match self.lang {
                Lang::Zh => format!("- 另有 {more} 处"),
                Lang::En => format!("- {more} more places"),
            });
        }
        self.pieces.push(lines.join("\n"));
    }

    /// How often a line stands there, and in how many places its like does.
    fn times(&self, count: u64, places: usize) -> String {
        let words = match (self.lang, count, places) {
            (_, 0 | 1, 1) => return String::new(),
            (Lang::Zh, _, 1) => format!("{count} 次"),
            (Lang::En, _, 1) => format!("{count} times"),
            (Lang::Zh, ..) => format!("同样的共 {places} 处"),
            (Lang::En, ..) => format!("the same in {places} places"),
        };
        match self.lang {
            Lang::Zh => format!("（{words}）"),
            Lang::En => format!(" ({words})"),
        }
    }

    fn other_findings(&mut self) {
        let is_answer = |index: usize, finding: &Finding| {
            index == 0 && (finding.severity != Severity::Info || self.report.triage.groups.is_empty())
        };
        let others: Vec<&Finding> = self
            .report
            .findings
            .iter()
            .enumerate()
            .filter(|(index, finding)| !is_answer(*index, finding))
            .map(|(_, finding)| finding)
            .collect();
        if others.is_empty() {
            return;
        }
        self.pieces.lead(format!("## {}", self.pick("其他发现", "Also found")));
        for finding in others {
            let title = plain(finding.title.get(self.lang));
            let verdict = words::verdict(finding.verdict, self.lang);
            let severity = words::severity(finding.severity, self.lang);
            self.pieces.lead(match self.lang {
                Lang::Zh => format!("### {title}（{verdict}，{severity}）"),
                Lang::En => format!("### {title} ({verdict}, {severity})"),
            });
            self.finding(finding, BRIEF);
        }
    }

    /// Cases that cannot be ruled out, by what would settle them: one command often settles many.
    fn undecided(&mut self) {
        if self.report.unresolved.is_empty() {
            return;
        }
        let mut by_ask: Vec<(Option<&Ask>, Vec<String>)> = Vec::new();
        for case in &self.report.unresolved {
            let ask = case.asks.first();
            let title = plain(case.title.get(self.lang));
            match by_ask.iter_mut().find(|(other, _)| same_ask(*other, ask)) {
                Some((_, titles)) => titles.push(title),
                None => by_ask.push((ask, vec![title])),
            }
        }
        self.pieces.lead(format!("## {}", self.pick("无法排除的问题", "What cannot be ruled out")));
        self.pieces.lead(
            self.pick(
                "以下已知问题没有看到迹象，但判断所需的内容没有收集到。",
                "No sign of these known cases was seen, but what would show them was not collected.",
            )
            .to_owned(),
        );
        for (ask, titles) in by_ask {
            let mut shown =
                titles.iter().take(SUBJECTS).cloned().collect::<Vec<_>>().join(self.pick("；", "; "));
            if titles.len() > SUBJECTS {
                shown.push_str(&match self.lang {
                    Lang::Zh => format!("；等共 {} 个", titles.len()),
                    Lang::En => format!("; and {} more", titles.len() - SUBJECTS),
                });
            }
            let text = ask.map(|ask| prose(ask.text.get(self.lang))).filter(|text| !text.is_empty());
            let line = match text {
                Some(text) => format!("{shown} — {text}"),
                None => shown,
            };
            match ask.and_then(|ask| ask.command.as_ref()) {
                Some(command) => {
                    self.pieces.lead(line);
                    self.pieces.push(fence("bash", command));
                }
                None => self.pieces.push(line),
            }
        }
    }

    fn triage(&mut self) {
        let triage = &self.report.triage;
        if triage.groups.is_empty() && triage.texts.is_empty() {
            return;
        }
        self.pieces.lead(format!(
            "## {}",
            self.pick("所有异常，按可能的共同原因", "All that is not well, by likely cause")
        ));
        // What a case already explains comes last: it has been said.
        let (known, unknown): (Vec<&Group>, Vec<&Group>) =
            triage.groups.iter().partition(|group| !group.cases.is_empty());
        for group in unknown.into_iter().chain(known) {
            self.group(group);
        }
        for text in &triage.texts {
            self.pieces.lead(match self.lang {
                Lang::Zh => format!("{} 中最能说明问题的行：", code(&text.path)),
                Lang::En => format!("Most telling lines of {}:", code(&text.path)),
            });
            self.pieces.push(fence("", &quoted(&text.lines)));
        }
    }

    fn group(&mut self, group: &Group) {
        let title = plain(group.title.get(self.lang));
        let severity = words::severity(group.severity, self.lang);
        let cases = match group.cases.as_slice() {
            [] => String::new(),
            cases => {
                let ids: Vec<String> = cases.iter().map(|case| format!("`{}`", safe_id(case))).collect();
                format!("{}{}", self.pick("，见 ", ", see "), ids.join(", "))
            }
        };
        self.pieces.lead(match self.lang {
            Lang::Zh => format!("**{title}**（{severity}{cases}）"),
            Lang::En => format!("**{title}** ({severity}{cases})"),
        });
        let alike = group.alike();
        let mut lines: Vec<String> = alike.iter().take(SUBJECTS).map(|alike| self.alike(alike)).collect();
        if alike.len() > SUBJECTS {
            let more: usize = alike[SUBJECTS..].iter().map(|alike| alike.problems.len()).sum();
            lines.push(match self.lang {
                Lang::Zh => format!("- 另有 {more} 个"),
                Lang::En => format!("- {more} more"),
            });
        }
        self.pieces.push(lines.join("\n"));
        if !group.cases.is_empty() {
            return;
        }
        let mut told: Vec<Vec<&str>> = Vec::new();
        for problem in group.problems.iter().filter(|problem| !problem.log.is_empty()).take(PROBLEMS) {
            // Replicas mostly say the same; once is enough.
            let texts: Vec<&str> = problem.log.iter().map(|line| line.text.as_str()).collect();
            if told.contains(&texts) {
                continue;
            }
            told.push(texts);
            let paths: Vec<&str> = problem.log.iter().map(|line| line.path.as_str()).collect();
            self.pieces.lead(match self.lang {
                Lang::Zh => format!("{} 的日志：", code(paths[0])),
                Lang::En => format!("From {}:", code(paths[0])),
            });
            self.pieces.push(fence("", &quoted(&problem.log)));
        }
    }

    fn alike(&self, alike: &Alike) -> String {
        let first = alike.first();
        let subjects: Vec<&Subject> = alike.problems.iter().map(|problem| &problem.subject).collect();
        let mut line = format!("- {} {}", self.subjects(&subjects), code(&first.state));
        if let Some(restarts) = alike.most_restarts() {
            line.push_str(&match self.lang {
                Lang::Zh => format!("，重启 {restarts} 次"),
                Lang::En => format!(", {restarts} restarts"),
            });
        }
        if let Some(since) = alike.since() {
            line.push_str(&match self.lang {
                Lang::Zh => format!("，自 {}", plain(&self.dates.show(since))),
                Lang::En => format!(", since {}", plain(&self.dates.show(since))),
            });
        }
        if let Some(message) = &first.message {
            line.push_str(&format!("{}{}", self.pick("：", ": "), code_ends(message, QUOTE)));
        }
        line
    }
}

fn same_ask(a: Option<&Ask>, b: Option<&Ask>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.command == b.command && (a.command.is_some() || a.text == b.text),
        (None, None) => true,
        _ => false,
    }
}

fn place(evidence: &Evidence) -> String {
    code(&format!("{}:{}", evidence.path, evidence.line))
}

/// Lines of a log with their numbers and counts.
fn quoted(lines: &[LogLine]) -> String {
    lines
        .iter()
        .map(|line| {
            let count = if line.count > 1 { format!(" [x{}]", line.count) } else { String::new() };
            format!(
                "{}:{count} {}",
                line.line,
                super::escape::shorten(&super::escape::one_line(&line.text), QUOTE)
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// A link of a rule; anything but a plain web address is shown as text.
fn reference(link: &str) -> String {
    let harmless = link.starts_with("https://")
        && !link.contains(|c: char| c.is_whitespace() || "<>()[]\"\\`|".contains(c));
    if harmless { format!("<{link}>") } else { plain(link) }
}

/// A rule id, which is kebab-case unless somebody's own rules say otherwise.
fn safe_id(id: &str) -> String {
    id.chars().filter(|c| c.is_alphanumeric() || "-_./".contains(*c)).collect()
}
