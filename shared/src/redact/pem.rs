//! Private keys in PEM form, on one line with `\n` or over many, each line perhaps behind a log prefix.
//!
//! Certificates and public keys are no secrets and stay: their dates and names decide cases.

use super::hit::Hit;
use super::names::Kind;
use super::value;

/// So many lines of other writers to the same log may stand between two lines of a key.
pub(crate) const MAX_BETWEEN: u8 = 50;
/// PEM breaks lines after 64 or 76 characters; a run as long as this is hardly anything else inside a key.
pub(crate) const LINE: usize = 40;
/// Instead of lines between: what comes next may be the rest of a key of which the begin is missing.
pub(crate) const PERHAPS: u8 = u8::MAX;

/// What begins a key: the second in PuTTY's files.
pub(crate) const HEADS: &[&str] = &["-----BEGIN", "Private-Lines:"];

/// The begin marker at `at`: the key that follows it on this line, and whether more lines follow.
pub(crate) fn begin(line: &[u8], at: usize, kind: Kind) -> Option<(Option<Hit>, bool)> {
    if line[at..].starts_with(b"Private") {
        return Some((None, true));
    }
    let label_at = at + b"-----BEGIN".len();
    let label_len = line[label_at..].iter().take(60).position(|b| *b == b'-')?;
    let label = &line[label_at..label_at + label_len];
    memchr::memmem::find(label, b"PRIVATE KEY")?;
    let start =
        label_at + label_len + line[label_at + label_len..].iter().take_while(|b| **b == b'-').count();
    if let Some(len) = memchr::memmem::find(&line[start..], b"-----END") {
        return Some((Some(Hit::new(start, start + len, kind)), false));
    }
    let text = line[start..].trim_ascii_end();
    // A string that closes here ends the key, however much of it was written.
    let close = text.iter().position(|b| *b == b'"');
    let end = start + close.unwrap_or(text.len());
    // A log that keeps each line as a string has but the line's end here.
    if is_blank(&line[start..end]) {
        return Some((None, true));
    }
    Some((Some(Hit::new(start, end, kind)), close.is_none()))
}

/// Whether this is white space, written as it is or as escapes.
fn is_blank(text: &[u8]) -> bool {
    let mut escaped = false;
    text.iter().all(|b| {
        let blank = b.is_ascii_whitespace() || *b == b'\\' || escaped && b"nr".contains(b);
        escaped = *b == b'\\';
        blank
    })
}

/// What a line is after the begin marker.
pub(crate) enum Body {
    Key(Option<Hit>),
    End(Option<Hit>),
    /// No part of a key.
    Other,
}

pub(crate) fn body(line: &[u8], kind: Kind) -> Body {
    let Some(end) = memchr::memmem::find(line, b"-----END") else { return inner(line, kind) };
    match inner(&line[..end], kind) {
        Body::Key(hit) => Body::End(hit),
        _ => Body::End(None),
    }
}

fn inner(line: &[u8], kind: Kind) -> Body {
    const HEADERS: &[&[u8]] = &[b"Proc-Type:", b"DEK-Info:", b"Comment:", b"Version:", b"Hash:"];
    let (from, text) = logged(line);
    let (start, len) = last_word(text);
    if len == 0 || HEADERS.iter().any(|header| memchr::memmem::find(line, header).is_some()) {
        return Body::Key(None);
    }
    let mut head = text[..start].trim_ascii();
    for stream in [b"stdout F".as_slice(), b"stdout P", b"stderr F", b"stderr P"] {
        head = head.strip_suffix(stream).unwrap_or(head);
    }
    let stamp = head.trim_ascii().iter().all(|b| b.is_ascii_digit() || b"TZ:.-+|>\"'#".contains(b));
    // Behind the words of other lines a long word may be the name of something.
    let word = &text[start..start + len];
    let key = len >= LINE || stamp || len >= 16 && (value::looks_random(word) || word.ends_with(b"="));
    if is_base64(word) && key {
        return Body::Key(Some(Hit::new(from + start, from + start + len, kind)));
    }
    match text.split(|b| !is_base64(&[*b])).max_by_key(|run| run.len()) {
        Some(run) if run.len() >= LINE => {
            let start = from + memchr::memmem::find(text, run).unwrap_or_default();
            Body::Key(Some(Hit::new(start, start + run.len(), kind)))
        }
        _ => Body::Other,
    }
}

/// The text of a line of the container runtime's own log, `{"log":"…\n","stream":…}`, and where it begins.
fn logged(line: &[u8]) -> (usize, &[u8]) {
    const HEAD: &[u8] = b"{\"log\":\"";
    match line.strip_prefix(HEAD) {
        Some(rest) => {
            let len = rest.iter().position(|b| *b == b'"').unwrap_or(rest.len());
            (HEAD.len(), &rest[..len])
        }
        None => (0, line),
    }
}

fn is_base64(text: &[u8]) -> bool {
    text.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b))
}

/// Start and length of the last word, without quotes, commas and an escaped line end after it.
fn last_word(line: &[u8]) -> (usize, usize) {
    let mut end = line.iter().rposition(|b| !b" \t\r\"',".contains(b)).map_or(0, |n| n + 1);
    for mark in [b"\\n", b"\\r"] {
        end -= if line[..end].ends_with(mark) { 2 } else { 0 };
    }
    let start = line[..end].iter().rposition(|b| b" \t\"'".contains(b)).map_or(0, |n| n + 1);
    (start, end - start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_on_one_line_is_found_between_its_markers() {
        let line = br#"{"k":"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"}"#;
        let (hit, open) = begin(line, 6, Kind(0)).unwrap();
        assert_eq!(&line[hit.unwrap().start..hit.unwrap().end], br"\nMIIE\n");
        assert!(!open);
        assert!(begin(b"-----BEGIN CERTIFICATE-----", 0, Kind(0)).is_none());
    }

    #[test]
    fn lines_of_a_key_are_told_from_other_lines() {
        let found = |line: &[u8]| match body(line, Kind(0)) {
            Body::Key(hit) => hit.map(|h| String::from_utf8(line[h.start..h.end].to_vec()).unwrap()),
            Body::End(_) => Some("end".into()),
            Body::Other => None,
        };
        assert_eq!(found(b"2026-11-22T07:00:00.123Z MIIEowIBAAKCAQEA"), Some("MIIEowIBAAKCAQEA".into()));
        assert_eq!(found(b"  Ab=="), Some("Ab==".into()));
        assert_eq!(found(br#"{"log":"Ab==\n","stream":"stdout","time":"2026"}"#), Some("Ab==".into()));
        let run = "MIIEowIBAAKCAQEAxyzMIIEowIBAAKCAQEAxyzMIIEow";
        assert_eq!(found(format!("x [{run}] y").as_bytes()), Some(run.into()));
        assert_eq!(found(b"-----END PRIVATE KEY-----"), Some("end".into()));
        assert_eq!(found(b"2026-11-22T07:00:00.123Z stdout F Ab=="), Some("Ab==".into()));
        assert_eq!(found(b"INFO server started"), None);
        assert_eq!(found(b"INFO started TaskExecutorServiceImpl"), None);
    }
}
