//! Lines for a terminal of a certain width.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Breaks `text` into lines of at most `width` columns, at spaces where there are any and between wide characters,
/// which need none.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(10);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for word in pieces(paragraph) {
            let columns = word.trim_end().width();
            if used + columns > width && used > 0 {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            for c in word.chars() {
                let columns = c.width().unwrap_or(0);
                // A word longer than a line is cut, since a terminal would cut it worse.
                if used + columns > width && c != ' ' {
                    lines.push(std::mem::take(&mut line).trim_end().to_owned());
                    used = 0;
                }
                line.push(c);
                used += columns;
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Words with the space after them; a wide character is a word of its own, with the closing mark that follows it.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut previous: Option<char> = None;
    for (at, c) in text.char_indices() {
        let wide = c.width() == Some(2);
        let closes = matches!(c, '，' | '。' | '、' | '；' | '：' | '！' | '？' | '）' | '”' | '》' | '…');
        let breaks = previous.is_some_and(|p| {
            let after_space = p == ' ' && c != ' ';
            let beside_wide =
                (wide || p.width() == Some(2)) && !closes && !matches!(p, '（' | '“' | '《') && c != ' ';
            after_space || beside_wide
        });
        if breaks {
            pieces.push(&text[start..at]);
            start = at;
        }
        previous = Some(c);
    }
    pieces.push(&text[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole() {
        assert_eq!(wrap("one two three four", 10), ["one two", "three four"]);
    }

    #[test]
    fn chinese_breaks_anywhere_but_before_a_closing_mark() {
        let lines = wrap("无法连接数据库，请检查", 14);
        assert_eq!(lines, ["无法连接数据", "库，请检查"]);
        assert!(lines.iter().all(|line| line.width() <= 14));
    }

    #[test]
    fn a_word_longer_than_a_line_is_cut() {
        assert_eq!(wrap("aaaaaaaaaaaaaaa", 10), ["aaaaaaaaaa", "aaaaa"]);
    }
}
