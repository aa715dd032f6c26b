//! From the bytes of a file to text, whatever wrote it, with its lines where they were.
//!
//! UTF-8 is taken as it is. UTF-16, which PowerShell's `>` writes, is told by its mark or by its zero bytes. Anything
//! else is decoded line by line: a line that is not UTF-8 is taken for GB18030 (of which GBK and GB2312 are parts), as
//! Chinese Windows and some programs under it write, so that one odd line in a log does not spoil the others.

use std::sync::Arc;

use encoding_rs::{Encoding, GB18030, UTF_16BE, UTF_16LE};

/// Text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) text: Arc<str>,
    /// Name of the encoding where it is not UTF-8.
    pub(super) encoding: Option<&'static str>,
}

/// Decodes a file; `None` if it is not text.
pub(super) fn decode(bytes: &[u8]) -> Option<Decoded> {
    let decoded = decode_as_is(bytes)?;
    // Some programs end their lines with a return alone, and editors show them as lines.
    let returns = decoded.text.contains('\r') && !decoded.text.contains('\n');
    Some(if returns { Decoded { text: decoded.text.replace('\r', "\n").into(), ..decoded } } else { decoded })
}

fn decode_as_is(bytes: &[u8]) -> Option<Decoded> {
    if let Some((utf16, skip)) = utf16(bytes) {
        let (text, _) = utf16.decode_without_bom_handling(&bytes[skip..]);
        return Some(Decoded { text: text.into(), encoding: Some(utf16.name()) });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if is_binary(bytes) {
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(Decoded { text: text.into(), encoding: None }),
        Err(_) if is_noise(bytes) => None,
        Err(_) => Some(by_line(bytes)),
    }
}

/// The kind of UTF-16 and the length of its mark.
fn utf16(bytes: &[u8]) -> Option<(&'static Encoding, usize)> {
    match bytes {
        [0xff, 0xfe, ..] => return Some((UTF_16LE, 2)),
        [0xfe, 0xff, ..] => return Some((UTF_16BE, 2)),
        _ => {}
    }
    // Without a mark: nearly every other byte of western text is zero, always on the same side. In Chinese text those of
    // spaces, digits and line ends still are.
    let head = &bytes[..bytes.len().min(4096) & !1];
    if head.len() < 8 {
        return None;
    }
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let most = head.len() / 2 * 7 / 10;
    let (encoding, sure) = match (even, odd) {
        (0, 1..) => (UTF_16LE, odd > most),
        (1.., 0) => (UTF_16BE, even > most),
        _ => return None,
    };
    (sure || is_chinese(encoding, head)).then_some((encoding, 0))
}

/// Whether the bytes are text of Chinese and ASCII characters, line ends among them, in this encoding.
fn is_chinese(encoding: &'static Encoding, head: &[u8]) -> bool {
    let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(head) else {
        return false;
    };
    let usual = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}');
    text.contains('\n') && text.chars().all(usual)
}

/// Text may hold a stray zero byte, programs hold many.
fn is_binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(8192)];
    memchr::memchr_iter(0, head).count() > 2 + head.len() / 100
}

/// Packed and encrypted data has hardly a zero byte, but every control character as often as any other byte. Text in
/// whatever encoding has next to none, but for those of layout, colours and progress bars.
fn is_noise(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(8192)];
    let control = head.iter().filter(|byte| matches!(byte, 1..=6 | 14..=26 | 28..=31 | 127)).count();
    control > 2 + head.len() / 40
}

fn by_line(bytes: &[u8]) -> Decoded {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 2);
    let mut foreign = false;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match std::str::from_utf8(line) {
            Ok(line) => text.push_str(line),
            Err(_) => match GB18030.decode_without_bom_handling_and_without_replacement(line) {
                // Private-use characters come of bytes that mean nothing in GB18030.
                Some(line) if !line.contains(|c| ('\u{e000}'..='\u{f8ff}').contains(&c)) => {
                    foreign = true;
                    text.push_str(&line);
                }
                _ => text.push_str(&String::from_utf8_lossy(line)),
            },
        }
    }
    Decoded { text: text.into(), encoding: foreign.then_some("GB18030") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        decode(bytes).unwrap().text.to_string()
    }

    #[test]
    fn every_encoding_gives_the_same_text_and_lines() {
        let expected = "第一行 error\r\n第二行\n";
        let (gbk, _, _) = GB18030.encode(expected);
        let le: Vec<u8> = expected.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = expected.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(text(expected.as_bytes()), expected);
        assert_eq!(text(&[b"\xef\xbb\xbf", expected.as_bytes()].concat()), expected);
        assert_eq!(text(&gbk), expected);
        assert_eq!(text(&[b"\xff\xfe".as_slice(), &le].concat()), expected);
        assert_eq!(text(&[b"\xfe\xff".as_slice(), &be].concat()), expected);
        assert_eq!(text(b"one\rtwo\r"), "one\ntwo\n");
        let mostly: Vec<u8> = format!("{}\r\nNAME READY\r\n", "数据库连接失败，请检查配置文件。".repeat(9))
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(text(&mostly).ends_with("。\r\nNAME READY\r\n"));
        let plain = "NAME READY\nweb-0 1/1\n";
        let le: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(text(&le), plain);
    }

    #[test]
    fn one_odd_line_does_not_spoil_the_others() {
        let mixed =
            [b"\xe4\xbd\xa0\xe5\xa5\xbd\n".as_slice(), b"\xc8\xd5\xd6\xbe\n", b"\xff\x00 end\n"].concat();
        let decoded = decode(&mixed).unwrap();
        assert_eq!(decoded.encoding, Some("GB18030"));
        assert_eq!(decoded.text.lines().collect::<Vec<_>>()[..2], ["你好", "日志"]);
        assert_eq!(decoded.text.lines().count(), 3);
    }

    #[test]
    fn programs_are_not_text() {
        assert_eq!(decode(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"), None);
        let mut state = 7u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .take(300)
        .collect();
        assert_eq!(decode(&noise), None, "packed data");
        assert_eq!(text(b""), "");
        assert_eq!(text(&[b"a log line\n".repeat(20).as_slice(), b"\0"].concat()).lines().count(), 21);
    }
}
