//! One finding: why, what to do, what to make sure of, what shows it.

use std::borrow::Borrow;

use shared::lang::Lang;

use super::quote::{code, code_ends, fence, plain};
use super::triage::quoted;
use super::{Detail, QUOTE, STATE, SUBJECTS, Writer, safe_id, words};
use crate::report::escape::keep_ends;
use crate::report::fold;
use crate::report::model::{Ask, Evidence, Finding, Fix, Subject, Verdict};
use crate::triage::model::LogLine;

impl Writer<'_> {
    /// Everything about one finding, without its heading; `log` is what its evidence leaves to be read.
    pub(super) fn finding(&mut self, finding: &Finding, detail: Detail, log: &[LogLine]) {
        if let Some(link) = &finding.waits_for {
            self.pieces.push(format!("**{}**", plain(&words::consequence(link, self.lang))));
        }
        let conclusion = self.prose(&finding.conclusion);
        if !conclusion.is_empty() {
            self.pieces.push(conclusion);
        }
        if !finding.subjects.is_empty() {
            self.pieces.push(format!(
                "{}{}",
                self.label("对象", "Concerns"),
                self.subjects(&finding.subjects)
            ));
        }
        self.log(log, detail);
        self.steps(&finding.fix, detail);
        if let Some(caution) = &finding.caution {
            self.pieces.push(format!("{}{}", self.label("注意", "Caution"), self.prose(caution)));
        }
        self.asks(finding.verdict, &finding.asks);
        self.evidence(&finding.evidence, detail);
        if !finding.chain.is_empty() {
            let links: Vec<String> = finding
                .chain
                .iter()
                .map(|link| {
                    let subject = code(&words::subject(&link.subject, self.lang));
                    format!("{subject}{}{}", self.pick("：", ": "), plain(&keep_ends(&link.state, STATE)))
                })
                .collect();
            self.pieces.push(format!(
                "{}{}",
                self.label("从现象到原因", "From sign to cause"),
                links.join(" → ")
            ));
        }
        if !finding.explains.is_empty() {
            self.pieces.lead(self.pick("由此引起：", "It also explains:").to_owned());
            let lines: Vec<String> = finding.explains.iter().map(|finding| self.explained(finding)).collect();
            self.pieces.push(lines.join("\n"));
        }
        let severity = words::severity(finding.severity, self.lang);
        self.pieces.push(match self.lang {
            Lang::Zh => format!("**编号**：`{}`，严重程度：{severity}", safe_id(&finding.case)),
            Lang::En => format!("**Case**: `{}`, severity: {severity}", safe_id(&finding.case)),
        });
        if !finding.references.is_empty() {
            let links: Vec<String> = finding.references.iter().map(|link| reference(link)).collect();
            self.pieces.push(format!("{}{}", self.label("参考", "See also"), links.join(", ")));
        }
    }

    /// What the steps would have the reader look for, where it is at hand.
    fn log(&mut self, lines: &[LogLine], detail: Detail) {
        let lines: Vec<&LogLine> = lines.iter().take(detail.evidence).collect();
        for lines in lines.chunk_by(|a, b| a.path == b.path) {
            let path = code(&lines[0].path);
            self.pieces.lead(match self.lang {
                Lang::Zh => format!("日志中最能说明问题的行（{path}）："),
                Lang::En => format!("Log lines that tell most ({path}):"),
            });
            self.pieces.push(fence("", &quoted(lines)));
            self.readings(lines);
        }
    }

    /// A bold word and a colon. The colon stands outside: a closing `**` between a full-width mark and a letter is
    /// no closing mark in CommonMark.
    fn label(&self, zh: &str, en: &str) -> String {
        format!("**{}**{}", self.pick(zh, en), self.pick("：", ": "))
    }

    fn explained(&self, finding: &Finding) -> String {
        let place = finding.evidence.first().map(|e| format!(" — {}", place(e))).unwrap_or_default();
        let waits = finding.waits_for.as_ref().map_or_else(String::new, |link| {
            let subjects = self.subjects(&finding.subjects);
            format!(
                "{}{subjects}{}{}",
                self.pick("：", ": "),
                self.pick("。", ". "),
                plain(&words::consequence(link, self.lang))
            )
        });
        format!("- {} `{}`{place}{waits}", self.plain(&finding.title), safe_id(&finding.case))
    }

    pub(super) fn subjects<S: Borrow<Subject>>(&self, subjects: &[S]) -> String {
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
            let mut words = self.prose(&fix.text);
            if fix.destructive {
                words.push_str(&format!(
                    " **{}**",
                    self.pick("（有破坏性，无法撤销）", "(destructive, cannot be undone)")
                ));
            }
            if let Some(loses) = &fix.loses {
                words.push_str(&format!(" {}{}", self.pick("会丢失：", "You lose: "), self.prose(loses)));
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
            let words = self.prose(&ask.text);
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
                let excerpt = code_ends(&first.telling(self.dates, self.lang), QUOTE);
                let names = self.names(first);
                format!("- {}{time}{times}{}{excerpt}{names}", place(first), self.pick("：", ": "))
            })
            .collect();
        if folded.len() > detail.evidence {
            let more: usize = folded[detail.evidence..].iter().map(|(_, places)| places).sum();
            lines.push(match (self.lang, more) {
                (Lang::Zh, _) => format!("- 另有 {more} 处"),
                (Lang::En, 1) => "- 1 more place".to_owned(),
                (Lang::En, _) => format!("- {more} more places"),
            });
        }
        self.pieces.push(lines.join("\n"));
    }

    /// What the bundle knows of the names in a quoted line; what the line means is told by the case.
    fn names(&self, evidence: &Evidence) -> String {
        let reading = words::reading(&self.report.readings, &evidence.path, evidence.line);
        let names = reading.map_or(&[][..], |reading| &reading.names);
        names.iter().map(|named| format!("\n  - {}", plain(&words::named(named, self.lang)))).collect()
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
}

fn place(evidence: &Evidence) -> String {
    code(&format!("{}:{}", evidence.path, evidence.line))
}

/// A link of a rule; anything but a plain web address is shown as text.
fn reference(link: &str) -> String {
    let harmless = link.starts_with("https://")
        && !link.contains(|c: char| c.is_whitespace() || "<>()[]\"\\`|".contains(c));
    if harmless { format!("<{link}>") } else { plain(link) }
}
