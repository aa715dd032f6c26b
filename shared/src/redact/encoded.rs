//! Secrets that are hidden only by base64: a private key, a docker configuration, a JSON text with a password.
//!
//! Other base64 stays: certificates, CA bundles and pictures are no secrets.

use std::ops::Range;

use super::hit::Hit;
use super::names::Kind;
use super::value;

/// How base64 of `-----BEGIN` and of JSON objects begins.
pub(crate) const HEADS: &[&str] = &["LS0tLS1CRUdJTi", "eyJ", "ewog", "ewoJ"];

/// Only so much of a run is decoded.
const MAX_DECODED: usize = 64 * 1024;

/// The run of base64 at `at`, if `holds_secret` says so of what it decodes to.
pub(crate) fn hit(line: &[u8], at: usize, kind: Kind, holds_secret: impl Fn(&[u8]) -> bool) -> Option<Hit> {
    let alphabet = |b: &u8| b.is_ascii_alphanumeric() || b"+/_-".contains(b);
    if at > 0 && alphabet(&line[at - 1]) {
        return None;
    }
    let mut end = at + line[at..].iter().position(|b| !alphabet(b)).unwrap_or(line.len() - at);
    end += line[end..].iter().take(2).take_while(|b| **b == b'=').count();
    // A JSON web token has a shape of its own.
    if end - at < 16 || line.get(end) == Some(&b'.') {
        return None;
    }
    let whole = &line[at..end];
    let mut head = &whole[..whole.len().min(MAX_DECODED)];
    if head.len() < whole.len() || head.len() % 4 == 1 {
        head = &head[..head.len() / 4 * 4];
    }
    let text = value::decode_base64(head)?;
    let found = match text.starts_with(b"-----BEGIN") {
        true => memchr::memmem::find(&text[..text.len().min(80)], b"PRIVATE KEY").is_some(),
        false => holds_secret(&text),
    };
    found.then(|| Hit::new(at, end, kind))
}

/// The value of the member of `data:` that stands `within` the line, or a line of a block beneath one, if it is base64 of
/// a text, or of bytes and mixed: so a Secret has it, and a ConfigMap hardly ever.
pub(crate) fn member(line: &[u8], within: Range<usize>, kind: Kind) -> Option<Hit> {
    let text = &line[within.clone()];
    let marks = |b: &u8| b" \t\r\"',{}".contains(b);
    let from = text.iter().position(|b| *b == b':').map_or(0, |colon| colon + 1);
    let start = from + text[from..].iter().position(|b| !marks(b))?;
    let end = text.iter().rposition(|b| !marks(b))? + 1;
    let value = text.get(start..end).filter(|value| value.len() >= 8 && value.len() % 4 == 0)?;
    let decoded = value::decode_base64(value)?;
    let printable = std::str::from_utf8(&decoded)
        .is_ok_and(|t| !t.chars().any(|c| c.is_control() && !"\n\r\t".contains(c)));
    // A word of a block that stands alone is base64 only by chance.
    let alone = from == 0 && !value.ends_with(b"=") && !value::looks_random(value);
    let bytes = value.len() >= 24 && value::looks_random(value);
    ((printable && !alone) || bytes).then(|| Hit::new(within.start + start, within.start + end, kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn only_what_holds_a_secret_is_hit() {
        let line = |text: &str| format!("data: {} end", STANDARD.encode(text)).into_bytes();
        let found =
            |text: &str| hit(&line(text), 6, Kind(0), |t| t.windows(3).any(|w| w == b"pw1")).map(|h| h.end);
        assert!(found(r#"{"auths":{"hub":{"password":"pw1"}}}"#).is_some());
        assert!(found(r#"{"image":"nginx","tag":"1.25"}"#).is_none());
        assert!(found("-----BEGIN EC PRIVATE KEY-----\nMHc\n").is_some());
        assert!(found("-----BEGIN CERTIFICATE-----\nMIIB\n").is_none());
    }
}
