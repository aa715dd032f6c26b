//! All that is not well, by its likely common cause.

use super::quote::{code, code_ends, fence, plain};
use super::{QUOTE, SUBJECTS, Writer, words};
use crate::lexicon::model::Reading;
use crate::report::escape::{one_line, shorten};
use crate::report::model::Subject;
use crate::triage::model::{Alike, Group, LogLine};
use shared::lang::Lang;

/// Problems quoted with their log lines in a group.
const PROBLEMS: usize = 4;

impl Writer<'_> {
    pub(super) fn triage(&mut self) {
        let triage = &self.report.triage;
        if triage.groups.is_empty() && triage.texts.is_empty() {
            return;
        }
        self.pieces.lead(format!(
            "## {}",
            self.pick("所有异常，按可能的共同原因", "All that is not well, by likely cause")
        ));
        let (known, unknown): (Vec<&Group>, Vec<&Group>) =
            triage.groups.iter().partition(|group| group.explained);
        for group in unknown {
            self.group(group);
        }
        self.known(&known);
        for text in &triage.texts {
            let lines: Vec<&LogLine> =
                text.lines.iter().filter(|line| !self.report.quotes(&line.path, line.line)).collect();
            if lines.is_empty() {
                continue;
            }
            self.pieces.lead(match self.lang {
                Lang::Zh => format!("{} 中最能说明问题的行：", code(&text.path)),
                Lang::En => format!("Most telling lines of {}:", code(&text.path)),
            });
            self.pieces.push(fence("", &quoted(&lines)));
            self.readings(&lines);
        }
    }

    /// What the lines just quoted mean, each by its number.
    pub(super) fn readings(&mut self, lines: &[&LogLine]) {
        let mut told: Vec<String> = Vec::new();
        for line in lines {
            let Some(reading) = words::reading(&self.report.readings, &line.path, line.line) else {
                continue;
            };
            let number = match self.lang {
                Lang::Zh => format!("第 {} 行：", line.line),
                Lang::En => format!("Line {}: ", line.line),
            };
            told.push(format!("- {number}{}", self.meaning(reading)));
        }
        if !told.is_empty() {
            self.pieces.push(told.join("\n"));
        }
    }

    /// One item of a list: the sentence, what the bundle knows of the names, and the command.
    pub(super) fn meaning(&self, reading: &Reading) -> String {
        let mut item = self.prose(&reading.meaning);
        for named in &reading.names {
            item.push_str(&format!("\n  - {}", plain(&words::named(named, self.lang))));
        }
        if let Some(command) = &reading.command {
            item.push_str(&format!("\n  - {}", code(command)));
        }
        item
    }

    /// What a case already explains comes last and in a line each: it has been said.
    fn known(&mut self, groups: &[&Group]) {
        if groups.is_empty() {
            return;
        }
        self.pieces
            .lead(self.pick("上面的问题已经解释了：", "Explained by what was found above:").to_owned());
        let lines: Vec<String> = groups
            .iter()
            .map(|group| {
                format!("- {}{}{}", self.plain(&group.title), self.pick("，见", ", see "), self.places(group))
            })
            .collect();
        self.pieces.push(lines.join("\n"));
        for group in groups {
            self.waiting(group);
        }
    }

    fn group(&mut self, group: &Group) {
        let title = self.plain(&group.title);
        let severity = words::severity(group.severity, self.lang);
        let cases = match group.cases.as_slice() {
            [] => String::new(),
            _ => format!("{}{}", self.pick("，其中一些见", ", for some of it see "), self.places(group)),
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
        let mut told: Vec<Vec<&str>> = Vec::new();
        let own = group.problems.iter().filter(|problem| problem.waits_for.is_none());
        for problem in own.filter(|problem| !problem.log.is_empty()).take(PROBLEMS) {
            // Replicas mostly say the same; once is enough.
            let texts: Vec<&str> = problem.log.iter().map(|line| line.text.as_str()).collect();
            if told.contains(&texts) {
                continue;
            }
            told.push(texts);
            // The run before and the present one lie in two files.
            for lines in problem.log.chunk_by(|a, b| a.path == b.path) {
                self.pieces.lead(match self.lang {
                    Lang::Zh => format!("{} 的日志：", code(&lines[0].path)),
                    Lang::En => format!("From {}:", code(&lines[0].path)),
                });
                let lines: Vec<&LogLine> = lines.iter().collect();
                self.pieces.push(fence("", &quoted(&lines)));
                self.readings(&lines);
            }
        }
        if let Some(command) = &group.command {
            self.pieces.lead(self.pick("先看：", "Look here first:").to_owned());
            self.pieces.push(fence("bash", command));
        }
        self.waiting(group);
    }

    /// What waits for the cause of a group.
    fn waiting(&mut self, group: &Group) {
        let waiting = group.waiting();
        if waiting.is_empty() {
            return;
        }
        let (zh, en) = words::WAITING;
        self.pieces.lead(self.pick(zh, en).to_owned());
        let mut lines: Vec<String> = waiting
            .iter()
            .take(SUBJECTS)
            .filter_map(|alike| {
                let wait = alike.first().waits_for.as_ref()?;
                let wait = plain(&words::waits_for(wait, alike.problems.len(), self.lang));
                Some(format!("{}{}{wait}", self.alike_named(alike), self.pick("，", ", ")))
            })
            .collect();
        if waiting.len() > SUBJECTS {
            let more: usize = waiting[SUBJECTS..].iter().map(|alike| alike.problems.len()).sum();
            lines.push(match self.lang {
                Lang::Zh => format!("- 另有 {more} 个"),
                Lang::En => format!("- {more} more"),
            });
        }
        self.pieces.push(lines.join("\n"));
    }

    /// Where this report speaks of a group's objects, by the headings there.
    fn places(&self, group: &Group) -> String {
        let places: Vec<String> = self
            .links
            .about(group)
            .into_iter()
            .map(|index| match (self.lang, index + 1) {
                (Lang::Zh, 1) if self.has_answer() => "“诊断结果”".to_owned(),
                (Lang::En, 1) if self.has_answer() => "\"Result\"".to_owned(),
                (Lang::Zh, number) => format!("问题 {number}"),
                (Lang::En, number) => format!("problem {number}"),
            })
            .collect();
        places.join(self.pick("、", ", "))
    }

    fn alike_named(&self, alike: &Alike) -> String {
        let subjects: Vec<&Subject> = alike.problems.iter().map(|problem| &problem.subject).collect();
        format!("- {} {}", self.subjects(&subjects), code(&alike.first().state))
    }

    fn alike(&self, alike: &Alike) -> String {
        let first = alike.first();
        let mut line = self.alike_named(alike);
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

/// Lines of a log with their numbers and counts.
pub(super) fn quoted(lines: &[&LogLine]) -> String {
    lines
        .iter()
        .map(|line| {
            let count = if line.count > 1 { format!(" [x{}]", line.count) } else { String::new() };
            format!("{}:{count} {}", line.line, shorten(&one_line(&line.text), QUOTE))
        })
        .collect::<Vec<_>>()
        .join("\n")
}
