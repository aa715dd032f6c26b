//! Texts of which each line wears something: a quotation mark, an indentation, a time, the border of a pane.
//!
//! It is taken off before the text is read. Lines stay lines, so that their numbers are those of the user's file.

use std::sync::LazyLock;

use regex::Regex;

use super::columns;
use super::{lines, plain, prompt};

/// Lines that have to agree before the others are looked at.
const FEWEST: usize = 2;
/// Lines among which a terminal shows itself.
const HEAD: usize = 1000;

/// Layers that are taken off one after the other, as of a quotation of a quotation.
const LAYERS: usize = 4;

/// The text without what all its lines wear; `None` if they wear nothing.
pub(super) fn undress(text: &str) -> Option<String> {
    let mut bare = layer(text)?;
    for _ in 1..LAYERS {
        let Some(next) = layer(&bare) else { break };
        bare = next;
    }
    Some(bare)
}

fn layer(text: &str) -> Option<String> {
    let worn = |strip: fn(&str) -> Option<&str>| {
        let mut seen = 0;
        for (_, line) in lines(text).filter(|(_, line)| !line.trim().is_empty()) {
            strip(line)?;
            seen += 1;
        }
        (seen >= FEWEST).then(|| take_off(text, strip))
    };
    worn(quoted).or_else(|| worn(paned)).or_else(|| indented(text)).or_else(|| {
        // A log has times before its lines too: they come off where a terminal shows below them.
        let terminal = lines(text).take(HEAD).filter_map(|(_, line)| timed(line)).any(|line| {
            let line = plain(line);
            columns::is_header(&line) || prompt::is_prompt(&line)
        });
        if terminal { worn(timed) } else { None }
    })
}

fn take_off(text: &str, strip: impl Fn(&str) -> Option<&str>) -> String {
    let mut out = String::with_capacity(text.len());
    for (_, line) in lines(text) {
        let end = line.trim_end_matches(['\n', '\r']).len();
        out.push_str(strip(line).unwrap_or(&line[..end]).trim_end_matches(['\n', '\r']));
        out.push_str(&line[end..]);
    }
    out
}

/// `> `, as in mails.
fn quoted(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('>')?;
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// The border at the left of a terminal's pane, and the one at its right.
fn paned(line: &str) -> Option<&str> {
    let line = line.trim_end().strip_prefix(['│', '┃'])?;
    Some(line.strip_suffix(['│', '┃']).unwrap_or(line).trim_end())
}

fn timed(line: &str) -> Option<&str> {
    static TIME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:\[\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]|\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)(?: |$)")
            .expect("the pattern is constant")
    });
    let line = line.trim_end_matches(['\n', '\r']);
    TIME.find(line).map(|time| &line[time.end()..])
}

fn indented(text: &str) -> Option<String> {
    let depth = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let filled = || lines(text).filter(|(_, line)| !line.trim().is_empty());
    let common = filled()
        .try_fold(usize::MAX, |common, (_, line)| Some(common.min(depth(line))).filter(|d| *d > 0))?;
    (filled().take(FEWEST).count() == FEWEST).then(|| take_off(text, |line| line.get(common..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "NAME    READY   STATUS    RESTARTS   AGE\n\nweb-0   1/1     Running   0          3d\n";

    fn each(before: &str, after: &str) -> String {
        TABLE.lines().map(|line| format!("{before}{line}{after}\r\n")).collect()
    }

    #[test]
    fn what_all_lines_wear_comes_off_and_lines_stay_lines() {
        let crlf = TABLE.replace('\n', "\r\n");
        for worn in [
            each("> ", ""),
            each("> > ", ""),
            each("    ", ""),
            each("\t", ""),
            each("│", "   │"),
            each("[2026-11-30 10:15:32.123] ", ""),
            each("2026-11-30 10:15:32 ", ""),
        ] {
            assert_eq!(undress(&worn).as_deref(), Some(crlf.as_str()), "{worn}");
        }
    }

    #[test]
    fn other_texts_are_left_alone() {
        assert_eq!(undress(TABLE), None);
        assert_eq!(undress(""), None);
        assert_eq!(undress("> one line\n"), None);
        assert_eq!(undress("> quoted\nnot quoted\n"), None);
        let log = "2026-11-30 10:15:32 starting\n2026-11-30 10:15:33 NAME is not a header\n";
        assert_eq!(undress(log), None);
    }
}
