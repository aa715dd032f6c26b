//! What had been and is over, in a line each: worth knowing, nothing to mend.

use shared::lang::Lang;

use super::model::Finding;
use super::words::{self, Dates, pick};
use super::{Report, escape::one_line};

/// Findings that are told.
const TOLD: usize = 8;
/// Subjects of one that are named.
const NAMED: usize = 2;

pub const HEADING: (&str, &str) = ("曾经出现、现已恢复的问题", "Earlier, over by now");

/// A line for each, and one for those that there is no room for; `plain` makes a text safe for the format.
pub fn lines(report: &Report, lang: Lang, dates: &Dates, plain: impl Fn(&str) -> String) -> Vec<String> {
    let line = |finding: &Finding| {
        let named = finding.subjects.iter().take(NAMED).map(|subject| words::subject(subject, lang));
        let mut about = named.collect::<Vec<_>>().join(pick(lang, "、", ", "));
        let more = finding.subjects.len().saturating_sub(NAMED);
        if more > 0 {
            about.push_str(&match lang {
                Lang::Zh => format!(" 等共 {} 个", finding.subjects.len()),
                Lang::En => format!(" and {more} more"),
            });
        }
        let last = finding.evidence.iter().filter_map(|evidence| evidence.time.as_deref()).max();
        let last =
            last.map(|time| format!("{}{}", pick(lang, "，最后一次 ", ", last seen "), dates.show(time)));
        let title = one_line(&dates.within(finding.title.get(lang), lang));
        format!("{}{}{}{}", plain(&title), pick(lang, "：", ": "), plain(&about), last.unwrap_or_default())
    };
    let mut lines: Vec<String> = report.earlier.iter().take(TOLD).map(line).collect();
    let left = report.earlier.len().saturating_sub(TOLD);
    if left > 0 {
        lines.push(match lang {
            Lang::Zh => format!("另有 {left} 项"),
            Lang::En => format!("{left} more"),
        });
    }
    lines
}
