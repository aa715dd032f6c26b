//! Text as Markdown that means nothing but itself.
//!
//! Forum engines differ: some know only Gruber's first set of backslash escapes, some know CommonMark's. What both
//! know is used, and entities for `<`, `>` and `&`, since a backslash before these is an escape in only one of them.

use crate::report::escape::{keep_ends, one_line, visible};

/// Plain words, with no markup in them.
pub fn plain(text: &str) -> String {
    escape(&one_line(text), true)
}

fn escape(text: &str, starts_line: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    for (at, c) in text.char_indices() {
        let first = starts_line && at == 0;
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '~' => out.push_str("&#126;"),
            '|' => out.push_str("&#124;"),
            '@' => out.push_str("&#64;"),
            // An engine that links bare addresses must not link those of a log.
            ':' if text[at..].starts_with("://") => out.push_str("&#58;"),
            // At the beginning of a line these make headings and lists.
            '=' if first => out.push_str("&#61;"),
            '#' | '-' | '+' if first => out.extend(['\\', c]),
            '.' | ')' if starts_line && at > 0 && at == digits && ends_word(&text[at + 1..]) => {
                out.extend(['\\', c]);
            }
            '\\' | '`' | '*' | '_' | '[' | ']' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

/// Whether a list's number would end here: `1. item`, but not `10.0.6.34`.
fn ends_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(char::is_whitespace)
}

/// A text of a rule: words in which pairs of backticks mark code, as rule authors write them.
///
/// Values of the bundle are already in it, so nothing else of Markdown is honoured.
pub fn prose(text: &str) -> String {
    let line = one_line(text);
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape(&line, true);
    }
    let marked = parts.iter().enumerate().map(|(index, part)| match index % 2 {
        1 if part.trim().is_empty() => escape(part, false),
        1 => code(part),
        _ => escape(part, index == 0),
    });
    marked.collect()
}

/// An inline code span on one line, whatever is in it.
pub fn code(text: &str) -> String {
    span(&one_line(text))
}

/// As [`code`], of at most `chars` characters, with both ends of the text kept.
pub fn code_ends(text: &str, chars: usize) -> String {
    span(&keep_ends(&one_line(text), chars))
}

/// As [`code`], for a table's cell, where a bare `|` would end the cell.
pub fn cell_code(text: &str) -> String {
    code(&text.replace('|', "¦"))
}

fn span(text: &str) -> String {
    if text.is_empty() {
        return "–".to_owned();
    }
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A fenced block; `info` names its language.
pub fn fence(info: &str, text: &str) -> String {
    let text = visible(text);
    let fence = "`".repeat((longest_run(&text) + 1).max(3));
    format!("{fence}{info}\n{}\n{fence}", text.trim_end_matches('\n'))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_have_no_markup() {
        assert_eq!(plain("<script>*a*_b_[c](d)"), "&lt;script&gt;\\*a\\*\\_b\\_\\[c\\](d)");
        assert_eq!(plain("# title\n- item"), "\\# title - item");
        assert_eq!(plain("1. item"), "1\\. item");
        assert_eq!(plain("a 1. b"), "a 1. b");
        assert_eq!(plain("10.0.6.34 refuses"), "10.0.6.34 refuses");
    }

    #[test]
    fn a_fence_is_longer_than_any_inside() {
        assert_eq!(fence("", "a\n```\nb"), "````\na\n```\nb\n````");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a`"), "`` `a` ``");
        assert_eq!(code(""), "–");
    }

    #[test]
    fn prose_keeps_code_in_pairs_of_backticks_only() {
        assert_eq!(prose("run `a_b` *now*"), "run `a_b` \\*now\\*");
        assert_eq!(prose("a `b` c `d` e"), "a `b` c `d` e");
        assert_eq!(prose("a stray ` here"), "a stray \\` here");
        assert_eq!(prose("`x`- y"), "`x`- y");
    }
}
