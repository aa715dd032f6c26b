//! A line as its reader sees it: without colours and what has no width, with escaped quotes, full-width letters and GBK
//! resolved. A label that a terminal shows is a label, however its bytes are written.

use encoding_rs::GB18030;

use super::hit::Hit;

/// Pieces of text of which one stands in every line that shows something else than it holds, but for GBK.
pub(crate) const SIGNS: &[&str] = &[
    "\x1b[", "\\u001b[", "\\x1b[", "\\033[", "^[[", "\x08\x08", "\u{200b}", "\u{200c}", "\u{feff}", "ｏｒ",
    "ＯＲ", "ｏｋ", "ＯＫ", "ｃｒ", "ＣＲ", "ｋｅ", "ＫＥ", "\\x22", "\\u0022", "&quot;", "&#34;", "%22",
    "%253", "%252",
];

/// What colours begin with, as the byte and as texts of JSON, C and a pager have it.
const ESCAPES: &[&[u8]] = &[b"\x1b[", b"\\u001b[", b"\\u001B[", b"\\x1b[", b"\\x1B[", b"\\033[", b"^[["];

/// How marks of a setting are written where they would mean something else.
const MARKS: &[(&[u8], &[u8])] = &[
    (b"\\x22", b"\""),
    (b"\\u0022", b"\""),
    (b"&quot;", b"\""),
    (b"&#34;", b"\""),
    (b"%22", b"\""),
    (b"%3A", b":"),
    (b"%3a", b":"),
    (b"%2522", b"\""),
    (b"%253A", b":"),
    (b"%253D", b"="),
];

/// The text that a reader sees, and where in the line each byte of it comes from.
pub(crate) struct Shown {
    pub text: Vec<u8>,
    /// Begin and end of what each byte of `text` stands for.
    from: Vec<(usize, usize)>,
}

impl Shown {
    /// The same hit in the line itself.
    pub fn place(&self, hit: &Hit) -> Hit {
        let start = self.from.get(hit.start).map_or(0, |(start, _)| *start);
        let end = hit.end.checked_sub(1).and_then(|last| self.from.get(last)).map_or(start, |(_, end)| *end);
        Hit { start, end, ..*hit }
    }

    fn put(&mut self, bytes: &[u8], at: usize, len: usize) {
        self.text.extend_from_slice(bytes);
        self.from.extend(std::iter::repeat_n((at, at + len), bytes.len()));
    }
}

/// GBK of a word that is written in Chinese.
pub(crate) fn in_gbk(word: &str) -> Vec<u8> {
    GB18030.encode(word).0.into_owned()
}

/// What the reader of `line` sees, if it is anything but the line.
pub(crate) fn shown(line: &[u8]) -> Option<Shown> {
    let wide = line.iter().any(|b| *b >= 0x80);
    let gbk = wide && std::str::from_utf8(line).is_err();
    let first = (0..line.len()).find(|at| piece(&line[*at..], gbk).is_some())?;
    let mut shown = Shown { text: Vec::with_capacity(line.len()), from: Vec::with_capacity(line.len()) };
    let mut at = 0;
    while at < line.len() {
        match (at >= first).then(|| piece(&line[at..], gbk)).flatten() {
            Some((len, Piece::Nothing)) => at += len,
            Some((len, Piece::Mark(mark))) => {
                shown.put(mark, at, len);
                at += len;
            }
            Some((len, Piece::Letter(letter))) => {
                shown.put(letter.encode_utf8(&mut [0; 4]).as_bytes(), at, len);
                at += len;
            }
            None => {
                shown.put(&line[at..=at], at, 1);
                at += 1;
            }
        }
    }
    Some(shown)
}

enum Piece {
    Nothing,
    Mark(&'static [u8]),
    Letter(char),
}

/// What the begin of `rest` shows, if it is not what it holds, and how many bytes that is.
fn piece(rest: &[u8], gbk: bool) -> Option<(usize, Piece)> {
    match rest[0] {
        0x08 => Some((1, Piece::Nothing)),
        0x1b | b'\\' | b'^' | b'&' | b'%' => {
            let escape = ESCAPES.iter().find(|escape| rest.starts_with(escape));
            if let Some(len) = escape.map(|escape| escape.len()) {
                let codes =
                    rest[len..].iter().take(24).take_while(|b| b.is_ascii_digit() || b";:?".contains(b));
                let end = len + codes.count();
                return rest.get(end).filter(|b| b.is_ascii_alphabetic()).map(|_| (end + 1, Piece::Nothing));
            }
            let mark = MARKS.iter().find(|(written, _)| rest.starts_with(written));
            mark.map(|(written, mark)| (written.len(), Piece::Mark(mark)))
        }
        0x80.. if gbk => gbk_letter(rest),
        0xe2 | 0xef => {
            let letter = std::str::from_utf8(rest.get(..3)?).ok()?.chars().next()?;
            match letter {
                '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => Some((3, Piece::Nothing)),
                // `！` to `～` lie as `!` to `~` do.
                '\u{ff01}'..='\u{ff5e}' if letter.is_alphanumeric() => {
                    char::from_u32(u32::from(letter) - 0xfee0).map(|plain| (3, Piece::Letter(plain)))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn gbk_letter(rest: &[u8]) -> Option<(usize, Piece)> {
    [2, 4].into_iter().find_map(|len| {
        let (text, broken) = GB18030.decode_without_bom_handling(rest.get(..len)?);
        let mut letters = text.chars();
        let letter = letters.next().filter(|_| !broken && letters.next().is_none())?;
        Some((len, Piece::Letter(letter)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::names::Kind;

    fn text(line: &[u8]) -> Option<String> {
        shown(line).map(|shown| String::from_utf8(shown.text).unwrap())
    }

    #[test]
    fn a_line_is_read_as_a_terminal_shows_it() {
        for (line, seen) in [
            ("\x1b[01;31m\x1b[Kpassword\x1b[m\x1b[K: x1", "password: x1"),
            (r"\u001b[36mtoken\u001b[0m=x", "token=x"),
            ("pass\u{200b}word", "password"),
            ("ｐａｓｓｗｏｒｄ：x", "password：x"),
            (r"{\x22token\x22:\x22x\x22}", "{\"token\":\"x\"}"),
            ("{&quot;token&quot;:1}", "{\"token\":1}"),
            ("password%253Dx", "password=x"),
        ] {
            assert_eq!(text(line.as_bytes()).as_deref(), Some(seen), "{line}");
        }
        assert_eq!(text(&in_gbk("数据库密码：x1")).as_deref(), Some("数据库密码：x1"));
        for line in ["plain 100% \\n & more", "数据库密码：x1", "a^b \\u0041"] {
            assert_eq!(text(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_hit_is_placed_where_the_bytes_are() {
        let line = b"\x1b[36mpassword\x1b[0m=x1\x1b[0m!";
        let shown = shown(line).unwrap();
        let hit = shown.place(&Hit::new(9, 11, Kind(0)));
        assert_eq!(&line[hit.start..hit.end], b"x1");
    }
}
