//! Text as it was meant: without terminal escapes, with HTML entities decoded, plain spaces and plain quotes.
//!
//! Pasted scroll-back holds colours, pages copied from a browser hold `&lt;`, no-break spaces and curly quotes. A line is
//! cleaned before a pattern is tried on it. Line breaks are never added or removed, so that line numbers keep their meaning.

use std::borrow::Cow;

/// Entities that error messages and pages are seen with.
const ENTITIES: &[(&str, &str)] = &[
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&amp;", "&"),
    ("&quot;", "\""),
    ("&apos;", "'"),
    ("&#39;", "'"),
    ("&#34;", "\""),
    ("&#x27;", "'"),
    ("&nbsp;", " "),
];

/// What pages and word processors set in place of what was typed: no-break, narrow no-break and figure space, and
/// curly quotes.
const TYPESET: [(char, char); 7] =
    [('\u{a0}', ' '), ('\u{202f}', ' '), ('\u{2007}', ' '), ('‘', '\''), ('’', '\''), ('“', '"'), ('”', '"')];

/// The text without escapes and entities, with plain spaces and quotes; borrowed when it is so already.
pub fn clean(text: &str) -> Cow<'_, str> {
    // ASCII is told fast, and most logs are nothing else.
    if text.is_ascii() || !TYPESET.iter().any(|(set, _)| holds(text, *set)) {
        return decode(text);
    }
    let typed = |c: char| TYPESET.iter().find(|(set, _)| *set == c).map_or(c, |(_, plain)| *plain);
    let plain: String = text.chars().map(typed).collect();
    Cow::Owned(decode(&plain).into_owned())
}

fn holds(text: &str, c: char) -> bool {
    memchr::memmem::find(text.as_bytes(), c.encode_utf8(&mut [0; 4]).as_bytes()).is_some()
}

fn decode(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let has_escape = memchr::memchr(0x1b, bytes).is_some();
    let has_entity = memchr::memchr_iter(b'&', bytes).any(|at| entity_at(&text[at..]).is_some());
    if !has_escape && !has_entity {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr2(0x1b, b'&', rest.as_bytes()) {
        cleaned.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('&') {
            match entity_at(rest) {
                Some((entity, decoded)) => {
                    cleaned.push_str(decoded);
                    rest = &rest[entity.len()..];
                }
                None => {
                    cleaned.push('&');
                    rest = &rest[1..];
                }
            }
        } else {
            rest = &rest[escape_len(rest)..];
        }
    }
    cleaned.push_str(rest);
    Cow::Owned(cleaned)
}

fn entity_at(text: &str) -> Option<&'static (&'static str, &'static str)> {
    ENTITIES.iter().find(|(entity, _)| text.starts_with(entity))
}

/// Length of the escape sequence that `text` begins with (ECMA-48: CSI, OSC, or two characters); never past a line
/// break, so that a broken sequence cannot swallow the following lines.
fn escape_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let line = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    match bytes.get(1) {
        Some(b'[') => {
            let end = bytes[2..line.max(2)].iter().position(|b| (0x40..=0x7e).contains(b));
            end.map_or(line, |at| at + 3)
        }
        Some(b']') => {
            let body = &bytes[2..line.max(2)];
            match body.iter().position(|b| *b == 0x07 || *b == 0x1b) {
                Some(at) if body[at] == 0x07 => at + 3,
                Some(at) if body.get(at + 1) == Some(&b'\\') => at + 4,
                Some(at) => at + 2,
                None => line,
            }
        }
        Some(next) if next.is_ascii() && *next != b'\n' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_entities_go() {
        assert_eq!(clean("\x1b[31mError:\x1b[0m no"), "Error: no");
        assert_eq!(clean("\x1b]0;title\x07text"), "text");
        assert_eq!(clean("services&lt;mysql&gt; &amp;&amp; &unknown;"), "services<mysql> && &unknown;");
    }

    #[test]
    fn spaces_of_a_page_are_spaces() {
        assert_eq!(clean("line\u{a0}2:\u{202f}code:\u{2007}&lt;未找到命令"), "line 2: code: <未找到命令");
        assert!(matches!(clean("构建应用 失败"), Cow::Borrowed(_)));
    }

    #[test]
    fn curly_quotes_are_quotes() {
        assert_eq!(clean("node(s) didn’t find “a” ‘b’"), "node(s) didn't find \"a\" 'b'");
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(clean("a && b, a & b"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_broken_escape_ends_with_its_line() {
        assert_eq!(clean("a\x1b[31\nb"), "a\nb");
        assert_eq!(clean("a\x1b]0;title\nb"), "a\nb");
        assert_eq!(clean("a\x1b"), "a");
        assert_eq!(clean("a\x1b中\nb"), "a中\nb");
    }

    proptest::proptest! {
        #[test]
        fn lines_stay_lines(text in "[a\\x1b\\[\\];&lt0-9m\\n\\x07中]{0,60}") {
            proptest::prop_assert_eq!(clean(&text).matches('\n').count(), text.matches('\n').count());
        }
    }
}
