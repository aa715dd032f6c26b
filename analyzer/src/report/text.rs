//! The report for a terminal.

mod wrap;

use std::borrow::Cow;

use shared::lang::Lang;
use unicode_width::UnicodeWidthStr;

use super::earlier;
use super::escape::{keep_ends, one_line, shorten, visible};
use super::gaps::gaps;
use super::link::Links;
use super::model::{Finding, Severity, Text, Verdict};
use super::words::{self, Dates, pick};
use super::{Report, fold};
use crate::lexicon::model::Reading;
use crate::triage::model::{Group, LogLine};

use wrap::wrap;

/// How to write it.
#[derive(Debug, Clone)]
pub struct Options {
    pub lang: Lang,
    /// Columns of the terminal.
    pub width: usize,
    /// Whether to colour; the caller knows of `NO_COLOR` and of pipes.
    pub color: bool,
    pub dates: Dates,
    /// Name the cases that cannot be ruled out, not only their number.
    pub all: bool,
}

/// Objects that are named before "and N more".
const NAMED: usize = 10;
/// Characters of an object's state in a chain.
const STATE: usize = 160;

#[derive(Clone, Copy)]
enum Style {
    Bold,
    Dim,
    Red,
    Yellow,
    Green,
    Cyan,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Red => "31",
            Style::Yellow => "33",
            Style::Green => "32",
            Style::Cyan => "36",
        }
    }
}

/// The whole report.
pub fn render(report: &Report, options: &Options) -> String {
    let mut writer = Writer { options, lang: options.lang, readings: &report.readings, out: String::new() };
    let links = Links::of(report);
    writer.findings(report, &links);
    writer.triage(report, &links);
    writer.earlier(report);
    writer.missing(report);
    writer.undecided(report);
    writer.footer(report);
    writer.out
}

/// One finding alone.
pub fn finding(finding: &Finding, options: &Options) -> String {
    let mut writer = Writer { options, lang: options.lang, readings: &[], out: String::new() };
    writer.finding(finding, "", "", &[]);
    writer.out
}

/// One group of problems alone.
pub fn group(group: &Group, options: &Options) -> String {
    let mut writer = Writer { options, lang: options.lang, readings: &[], out: String::new() };
    writer.group(group, "");
    writer.out
}

struct Writer<'a> {
    options: &'a Options,
    lang: Lang,
    readings: &'a [Reading],
    out: String,
}

impl Writer<'_> {
    fn pick<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        pick(self.lang, zh, en)
    }

    /// A text of a rule with its moments in the reader's zone.
    fn told<'t>(&self, text: &'t Text) -> Cow<'t, str> {
        self.options.dates.within(text.get(self.lang), self.lang)
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.options.color { format!("\x1b[{}m{text}\x1b[0m", style.code()) } else { text.to_owned() }
    }

    /// Wrapped text, every line indented.
    fn lines(&mut self, indent: usize, style: Option<Style>, text: &str) {
        self.item(indent, "", style, text);
    }

    /// Wrapped text behind a mark, its further lines standing below its first.
    fn item(&mut self, indent: usize, mark: &str, style: Option<Style>, text: &str) {
        let below = indent + mark.width();
        let mut lead = format!("{}{mark}", " ".repeat(indent));
        for line in wrap(&visible(text), self.options.width.saturating_sub(below)) {
            let painted = style.map_or_else(|| line.clone(), |style| self.paint(style, &line));
            self.out.push_str(if line.is_empty() { lead.trim_end() } else { &lead });
            self.out.push_str(&painted);
            self.out.push('\n');
            lead = " ".repeat(below);
        }
    }

    /// A line that is to be copied: never wrapped.
    fn verbatim(&mut self, indent: usize, style: Style, text: &str) {
        for line in visible(text).lines() {
            let line = self.paint(style, line);
            self.out.push_str(&" ".repeat(indent));
            self.out.push_str(&line);
            self.out.push('\n');
        }
    }

    fn section(&mut self, zh: &str, en: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        let title = self.pick(zh, en).to_owned();
        self.lines(0, Some(Style::Bold), &title);
    }

    fn findings(&mut self, report: &Report, links: &Links) {
        if report.looks_well() {
            self.section(
                "没有发现异常，也没有匹配到已知问题。",
                "Nothing looks wrong, and no known case matches.",
            );
        } else if report.says_nothing() && report.bundle.texts > 0 {
            self.section(
                "没有匹配到已知问题，文本里也没有能判断的报错。",
                "No known case matches, and the text holds no error that can be judged.",
            );
            let (zh, en) = words::WHAT_TO_SEND;
            let text = self.pick(zh, en).to_owned();
            self.lines(2, None, &text);
        } else if report.findings.is_empty() {
            self.section("没有匹配到已知问题。", "No known case matches.");
        }
        for (index, finding) in report.findings.iter().enumerate() {
            if !self.out.is_empty() {
                self.out.push('\n');
            }
            let number = match report.findings.len() {
                1 => String::new(),
                _ => format!("{} {} ", self.pick("问题", "Problem"), index + 1),
            };
            let beside = report
                .told_apart_by(finding)
                .map(|subject| format!(" — {}", one_line(&words::subject(subject, self.lang))))
                .unwrap_or_default();
            self.finding(finding, &number, &beside, links.log(index));
        }
    }

    /// What was not collected, and how many cases hang on it; the cases themselves on demand.
    fn undecided(&mut self, report: &Report) {
        let gaps = gaps(report);
        if gaps.is_empty() {
            return;
        }
        self.section("无法排除的问题", "What cannot be ruled out");
        for gap in gaps {
            self.lines(2, None, &one_line(&gap.told(self.lang)));
            if self.options.all {
                for case in &gap.cases {
                    let title = one_line(&self.told(&case.title));
                    self.item(4, "- ", None, &format!("{title} ({})", case.case));
                }
            }
            if let Some(command) = gap.command {
                self.verbatim(5, Style::Cyan, command);
            }
        }
    }

    /// A finding with its number and what stands beside its title, and log lines that its evidence does not quote.
    fn finding(&mut self, finding: &Finding, number: &str, beside: &str, log: &[LogLine]) {
        let style = match (finding.verdict, finding.severity) {
            (Verdict::NeedMore, _) | (_, Severity::Warning) => Style::Yellow,
            (_, Severity::Info) => Style::Green,
            _ => Style::Red,
        };
        let title = one_line(&self.told(&finding.title));
        let head = format!("{number}[{}] {title}{beside}", words::verdict(finding.verdict, self.lang));
        self.lines(0, Some(style), &head);
        if let Some(link) = &finding.waits_for {
            self.lines(2, Some(Style::Bold), &one_line(&words::consequence(link, self.lang)));
        }
        let conclusion = self.told(&finding.conclusion);
        self.lines(2, None, conclusion.trim());
        let names: Vec<String> =
            finding.subjects.iter().take(NAMED).map(|subject| words::subject(subject, self.lang)).collect();
        if !names.is_empty() {
            let mut text =
                format!("{}{}", self.pick("对象：", "Concerns: "), names.join(self.pick("、", ", ")));
            text.push_str(&self.more(finding.subjects.len()));
            self.lines(2, None, &text);
        }
        if !log.is_empty() {
            let label = self.pick("日志中最能说明问题的行：", "Log lines that tell most:").to_owned();
            self.lines(2, None, &label);
            self.log(&log.iter().collect::<Vec<_>>());
        }
        for (index, fix) in finding.fix.iter().enumerate() {
            let mut text = self.told(&fix.text).trim().to_owned();
            if fix.destructive {
                text.push_str(self.pick("（有破坏性，无法撤销）", " (destructive, cannot be undone)"));
            }
            let style = fix.destructive.then_some(Style::Red);
            self.item(2, &format!("{}. ", index + 1), style, &text);
            if let Some(loses) = &fix.loses {
                let text = format!("{}{}", self.pick("会丢失：", "You lose: "), self.told(loses).trim());
                self.lines(5, Some(Style::Red), &text);
            }
            for command in &fix.commands {
                self.verbatim(5, Style::Cyan, command);
            }
        }
        if let Some(caution) = &finding.caution {
            let text = format!("{}{}", self.pick("注意：", "Caution: "), self.told(caution).trim());
            self.lines(2, Some(Style::Yellow), &text);
        }
        for ask in &finding.asks {
            let text = self.told(&ask.text).trim().to_owned();
            self.item(2, "?  ", None, &text);
            if let Some(command) = &ask.command {
                self.verbatim(5, Style::Cyan, command);
            }
        }
        if !finding.evidence.is_empty() {
            let label = self.pick("依据：", "Evidence:").to_owned();
            self.lines(2, None, &label);
        }
        for (evidence, places) in fold(&finding.evidence).into_iter().take(NAMED) {
            let time = evidence.time.as_deref().map(|t| format!("  {}", self.options.dates.show(t)));
            let count = match (places, evidence.count, self.lang) {
                (1, 0 | 1, _) => String::new(),
                (1, count, _) => format!("  x{count}"),
                (_, _, Lang::Zh) => format!("  同样的共 {places} 处"),
                (_, _, Lang::En) => format!("  the same in {places} places"),
            };
            let path = one_line(&evidence.path);
            let place = format!("{path}:{}{}{count}", evidence.line, time.unwrap_or_default());
            self.lines(4, Some(Style::Dim), &place);
            let excerpt = one_line(&evidence.telling(&self.options.dates, self.lang));
            self.lines(6, None, &keep_ends(&excerpt, 400));
            // The case says what the line means; what stands behind the names in it may be news.
            if words::reading(self.readings, &evidence.path, evidence.line)
                .is_some_and(|r| !r.names.is_empty())
            {
                self.reading(6, &evidence.path, evidence.line);
            }
        }
        for (index, link) in finding.chain.iter().enumerate() {
            let label =
                if index == 0 { self.pick("从现象到原因：", "From sign to cause: ") } else { "→ " };
            let subject = words::subject(&link.subject, self.lang);
            let state = keep_ends(&link.state, STATE);
            let text = one_line(&format!("{subject}{}{state}", self.pick("：", ": ")));
            if index == 0 {
                self.lines(2, Some(Style::Dim), &format!("{label}{text}"));
            } else {
                self.item(4, "→ ", Some(Style::Dim), &text);
            }
        }
        for inner in &finding.explains {
            let about = inner.subjects.first().filter(|_| inner.waits_for.is_some());
            let about = about.map_or_else(String::new, |subject| {
                let names = words::subject(subject, self.lang);
                format!(" — {}{}", one_line(&names), self.more_than_one(inner.subjects.len()))
            });
            let text = format!(
                "{}{}{about}",
                self.pick("由此引起：", "Also explains: "),
                one_line(&self.told(&inner.title))
            );
            self.lines(2, Some(Style::Dim), &text);
        }
        let id = format!("{}{}", self.pick("编号：", "Case: "), one_line(&finding.case));
        self.lines(2, Some(Style::Dim), &id);
    }

    /// `and 22 more`, or nothing when all are named.
    fn more(&self, count: usize) -> String {
        match (count > NAMED, self.lang) {
            (false, _) => String::new(),
            (true, Lang::Zh) => format!(" 等共 {count} 个"),
            (true, Lang::En) => format!(" and {} more", count - NAMED),
        }
    }

    /// ` and 2 more` behind the first of several.
    fn more_than_one(&self, count: usize) -> String {
        match (count, self.lang) {
            (0 | 1, _) => String::new(),
            (_, Lang::Zh) => format!(" 等共 {count} 个"),
            (_, Lang::En) => format!(" and {} more", count - 1),
        }
    }

    fn triage(&mut self, report: &Report, links: &Links) {
        let triage = &report.triage;
        if triage.groups.is_empty() && triage.texts.is_empty() {
            return;
        }
        self.section("所有异常，按可能的共同原因", "All that is not well, by likely cause");
        for group in triage.groups.iter().filter(|group| !group.explained) {
            let places = self.places(report, &links.about(group));
            self.group(group, &places);
        }
        // What a case explains has been said.
        for group in triage.groups.iter().filter(|group| group.explained) {
            let title = one_line(&self.told(&group.title));
            let places = self.places(report, &links.about(group));
            let text = format!("{title}{}{places}", self.pick("，见", ", see "));
            self.item(0, "* ", Some(Style::Dim), &text);
            self.waiting(group);
        }
        for text in &triage.texts {
            let lines: Vec<&LogLine> =
                text.lines.iter().filter(|line| !report.quotes(&line.path, line.line)).collect();
            self.log(&lines);
        }
    }

    /// Where this report speaks of a group's objects, by the places of those findings.
    fn places(&self, report: &Report, about: &[usize]) -> String {
        if report.findings.len() == 1 && !about.is_empty() {
            return self.pick("上文", "above").to_owned();
        }
        let places: Vec<String> =
            about.iter().map(|index| format!("{} {}", self.pick("问题", "problem"), index + 1)).collect();
        places.join(self.pick("、", ", "))
    }

    /// A group, and where some of it is spoken of.
    fn group(&mut self, group: &Group, places: &str) {
        let style = match group.severity {
            Severity::Critical | Severity::Error => Style::Red,
            Severity::Warning => Style::Yellow,
            Severity::Info => Style::Green,
        };
        let mut title = one_line(&self.told(&group.title));
        if !places.is_empty() {
            title.push_str(&format!("{}{places}", self.pick("，其中一些见", ", for some of it see ")));
        }
        self.item(0, "* ", Some(style), &title);
        let mut told: Option<Vec<&str>> = None;
        let alike = group.alike();
        for alike in alike.iter().take(NAMED) {
            let problem = alike.first();
            let restarts = match (alike.most_restarts(), self.lang) {
                (None, _) => String::new(),
                (Some(n), Lang::Zh) => format!("，重启 {n} 次"),
                (Some(n), Lang::En) => format!(", {n} restarts"),
            };
            let names: Vec<String> =
                alike.problems.iter().take(NAMED).map(|p| words::subject(&p.subject, self.lang)).collect();
            let names = format!("{}{}", names.join(self.pick("、", ", ")), self.more(alike.problems.len()));
            let text = format!("{names}  {}{restarts}", problem.state);
            self.lines(2, None, &text);
            if let Some(message) = &problem.message {
                let message = one_line(message);
                self.lines(4, Some(Style::Dim), &message);
            }
            let texts: Vec<&str> = problem.log.iter().map(|line| line.text.as_str()).collect();
            if !texts.is_empty() && told.as_ref() != Some(&texts) {
                self.log(&problem.log.iter().collect::<Vec<_>>());
                told = Some(texts);
            }
        }
        let more = self.more(alike.len());
        if !more.is_empty() {
            self.lines(2, Some(Style::Dim), more.trim());
        }
        if let Some(command) = &group.command {
            let label = self.pick("先看：", "Look here first:").to_owned();
            self.lines(2, None, &label);
            self.verbatim(5, Style::Cyan, command);
        }
        self.waiting(group);
    }

    /// What waits for the cause of a group; what it says of itself is left to the other formats.
    fn waiting(&mut self, group: &Group) {
        let waiting = group.waiting();
        if waiting.is_empty() {
            return;
        }
        let (zh, en) = words::WAITING;
        let lead = self.pick(zh, en).to_owned();
        self.lines(2, None, &lead);
        for alike in waiting.iter().take(NAMED) {
            let problem = alike.first();
            let Some(wait) = &problem.waits_for else { continue };
            let names: Vec<String> =
                alike.problems.iter().take(NAMED).map(|p| words::subject(&p.subject, self.lang)).collect();
            let names = format!("{}{}", names.join(self.pick("、", ", ")), self.more(alike.problems.len()));
            let wait = words::waits_for(wait, alike.problems.len(), self.lang);
            let text = format!("{names}  {}{}{wait}", problem.state, self.pick("，", ", "));
            self.item(2, "- ", None, &one_line(&text));
        }
        let more = self.more(waiting.len());
        if !more.is_empty() {
            self.lines(4, Some(Style::Dim), more.trim());
        }
    }

    /// Telling lines below the file that each run of them is from.
    fn log(&mut self, lines: &[&LogLine]) {
        for lines in lines.chunk_by(|a, b| a.path == b.path) {
            let path = one_line(&lines[0].path);
            self.lines(4, Some(Style::Dim), &path);
            for line in lines {
                let count = if line.count > 1 { format!(" x{}", line.count) } else { String::new() };
                let mark = format!("{:>6}{count}  ", line.line);
                let text = one_line(&line.text);
                self.item(4, &mark, None, &shorten(&text, 400));
                self.reading(6, &line.path, line.line);
            }
        }
    }

    /// What the line at a place means, beneath it.
    fn reading(&mut self, indent: usize, path: &str, line: u32) {
        let readings = self.readings;
        let Some(reading) = words::reading(readings, path, line) else { return };
        let meaning = one_line(reading.meaning.get(self.lang));
        self.item(indent, "= ", Some(Style::Bold), &meaning);
        for named in &reading.names {
            self.item(indent, "· ", None, &words::named(named, self.lang));
        }
        if let Some(command) = &reading.command {
            self.verbatim(indent + 2, Style::Cyan, command);
        }
    }

    fn earlier(&mut self, report: &Report) {
        if report.earlier.is_empty() {
            return;
        }
        self.section(earlier::HEADING.0, earlier::HEADING.1);
        for line in earlier::lines(report, self.lang, &self.options.dates, str::to_owned) {
            self.item(2, "- ", Some(Style::Dim), &line);
        }
    }

    fn missing(&mut self, report: &Report) {
        let losses = report.ledger.losses();
        if losses.is_empty() {
            return;
        }
        self.section("没有收集到的内容", "What was not collected");
        for loss in losses.iter().take(NAMED) {
            let first = loss.items.first().map(|item| item.path.as_str()).unwrap_or_default();
            let note = loss.note.map(|note| format!(" — {note}")).unwrap_or_default();
            let word = words::outcome(loss.word(), self.lang);
            let text = one_line(&format!("{word} x{}: {first}{note}", loss.items.len()));
            self.lines(2, None, &text);
        }
    }

    fn footer(&mut self, report: &Report) {
        let bundle = &report.bundle;
        let mut words: Vec<String> = Vec::new();
        if let Some(cluster) = &bundle.cluster {
            words.extend([&cluster.name, &cluster.version].into_iter().flatten().map(|word| one_line(word)));
        }
        for (zh, en, counts) in [
            ("节点", "nodes", &bundle.nodes),
            ("Pod", "pods", &bundle.pods),
            ("Helm release", "releases", &bundle.releases),
        ] {
            if !counts.is_empty() {
                let states: Vec<String> =
                    counts.iter().map(|(state, n)| format!("{n} {}", one_line(state))).collect();
                words.push(format!("{}: {}", self.pick(zh, en), states.join(", ")));
            }
        }
        if let Some(time) = &bundle.collected_at {
            words.push(self.options.dates.show(time));
        }
        words.push(super::words::bytes(bundle.text_bytes));
        let text = words.join(self.pick("；", "; "));
        self.out.push('\n');
        self.lines(0, Some(Style::Dim), &text);
    }
}
