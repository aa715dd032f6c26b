//! Text from a bundle, made harmless before a person sees it.
//!
//! Logs hold whatever an attacker could make a program log: escape sequences that rewrite a terminal, marks that turn
//! the order of letters round, characters that are not seen. They are shown by their numbers instead.

use std::borrow::Cow;

/// The text with control, direction and invisible characters written out, such as `\u{202e}`; tabs become spaces,
/// line breaks stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c != '\n' && is_unseen(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => shown.push('\n'),
            '\t' => shown.push_str("    "),
            c if is_unseen(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// As [`visible`], on one line.
pub fn one_line(text: &str) -> String {
    visible(text).split('\n').map(str::trim_end).collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn is_unseen(c: char) -> bool {
    c.is_control()
        // The last two of every plane are no characters; XML refuses them in any form.
        || c as u32 & 0xfffe == 0xfffe
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// At most `chars` characters, with an ellipsis where something is missing.
pub fn shorten(text: &str, chars: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let end = text.char_indices().nth(chars.saturating_sub(1)).map_or(0, |(at, _)| at);
            Cow::Owned(format!("{}…", text[..end].trim_end()))
        }
    }
}

/// At most `chars` characters with both ends kept: the cluster's messages name the object first and the reason last.
pub fn keep_ends(text: &str, chars: usize) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= chars {
        return Cow::Borrowed(text);
    }
    let head = chars * 2 / 5;
    let tail = chars.saturating_sub(head + 3);
    let at = |index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    Cow::Owned(format!("{} … {}", text[..at(head)].trim_end(), text[at(count - tail)..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_change_a_terminal_is_written_out() {
        assert_eq!(visible("a\x1b[31mb"), "a\\u{1b}[31mb");
        assert_eq!(visible("user\u{202e}gpj.exe"), "user\\u{202e}gpj.exe");
        assert_eq!(visible("a\tb\nc"), "a    b\nc");
        assert_eq!(visible("a\u{ffff}"), "a\\u{ffff}");
        assert_eq!(one_line("a\r\nb\n"), "a\\u{d} b");
    }

    #[test]
    fn shortening_counts_characters() {
        assert_eq!(shorten("无法连接数据库", 4), "无法连…");
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(keep_ends("pod web: image not found", 20), "pod web: … not found");
    }
}
