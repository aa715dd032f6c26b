//! Private keys in PEM form, on one line with `\n` or over many, each line perhaps behind a log prefix.
//!
//! Certificates and public keys are no secrets and stay: their dates and names decide cases.

use super::hit::Hit;
use super::names::Kind;

/// A private key of sixteen thousand bits has two hundred lines; after this many it is something else.
pub(crate) const MAX_LINES: u16 = 1000;

/// The begin marker at `at`: the key that follows it on this line, and whether more lines follow.
pub(crate) fn begin(line: &[u8], at: usize, kind: Kind) -> Option<(Option<Hit>, bool)> {
    let label_at = at + b"-----BEGIN".len();
    let label_len = line[label_at..].iter().take(60).position(|b| *b == b'-')?;
    let label = &line[label_at..label_at + label_len];
    memchr::memmem::find(label, b"PRIVATE KEY")?;
    let start =
        label_at + label_len + line[label_at + label_len..].iter().take_while(|b| **b == b'-').count();
    match memchr::memmem::find(&line[start..], b"-----END") {
        Some(len) => Some((Some(Hit::new(start, start + len, kind)), false)),
        None => {
            let text = line[start..].trim_ascii_end();
            // A string that closes here ends the key, however much of it was written.
            let close = text.iter().position(|b| *b == b'"');
            let end = start + close.unwrap_or(text.len());
            let hit = (!line[start..end].trim_ascii().is_empty()).then(|| Hit::new(start, end, kind));
            Some((hit, close.is_none()))
        }
    }
}

/// What a line is after the begin marker.
pub(crate) enum Body {
    Key(Option<Hit>),
    End(Option<Hit>),
    /// No part of a key.
    Other,
}

pub(crate) fn body(line: &[u8], kind: Kind) -> Body {
    if let Some(end) = memchr::memmem::find(line, b"-----END") {
        let (start, len) = last_word(&line[..end]);
        let key = len >= 16 && is_base64(&line[start..start + len]);
        return Body::End(key.then(|| Hit::new(start, start + len, kind)));
    }
    let (start, len) = last_word(line);
    if len == 0 {
        return Body::Key(None);
    }
    let head = &line[..start];
    const HEADERS: &[&[u8]] = &[b"Proc-Type:", b"DEK-Info:", b"Comment:", b"Version:", b"Hash:"];
    if HEADERS.iter().any(|header| memchr::memmem::find(line, header).is_some()) {
        return Body::Key(None);
    }
    let base64 = is_base64(&line[start..start + len]);
    let stamp = head.trim_ascii().iter().all(|b| b.is_ascii_digit() || b"TZ:.-+|>\"'#".contains(b));
    if base64 && (len >= 16 || stamp) {
        Body::Key(Some(Hit::new(start, start + len, kind)))
    } else {
        Body::Other
    }
}

fn is_base64(text: &[u8]) -> bool {
    text.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b))
}

/// Start and length of the last word, without quotes, commas and an escaped line end after it.
fn last_word(line: &[u8]) -> (usize, usize) {
    let mut end = line.iter().rposition(|b| !b" \t\r\"',".contains(b)).map_or(0, |n| n + 1);
    if line[..end].ends_with(b"\\n") {
        end -= 2;
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
        assert_eq!(found(b"-----END PRIVATE KEY-----"), Some("end".into()));
        assert_eq!(found(b"INFO server started"), None);
    }
}
