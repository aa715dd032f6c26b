//! A secret that was found in a piece of text, and how hits that overlap become one.

use std::borrow::Cow;

use super::names::Kind;

/// How the value is written where it stands; equal secrets written differently get equal tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    Plain,
    /// With `%40` for `@`.
    Percent,
    /// Inside so many levels of JSON or shell quotes.
    Escaped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
    pub spelling: Spelling,
    /// An unquoted JSON value becomes a quoted token; so many backslashes before each quote.
    pub quotes: Option<u8>,
}

impl Hit {
    pub fn new(start: usize, end: usize, kind: Kind) -> Hit {
        Hit { start, end, kind, spelling: Spelling::Plain, quotes: None }
    }

    pub fn spelled(self, spelling: Spelling) -> Hit {
        Hit { spelling, ..self }
    }
}

/// Sorts hits and joins those that overlap; the longer one's kind wins.
pub(crate) fn settle(hits: &mut Vec<Hit>) {
    hits.retain(|hit| hit.start < hit.end);
    hits.sort_by_key(|hit| (hit.start, usize::MAX - hit.end));
    hits.dedup_by(|next, kept| {
        if next.start >= kept.end {
            return false;
        }
        if next.end > kept.end {
            if next.end - next.start > kept.end - kept.start {
                kept.kind = next.kind;
            }
            kept.end = next.end;
        }
        true
    });
}

/// The value without the escapes of the place where it stood.
pub(crate) fn unspell(value: &[u8], spelling: Spelling) -> Cow<'_, [u8]> {
    match spelling {
        Spelling::Plain => Cow::Borrowed(value),
        Spelling::Percent => percent_decode(value),
        Spelling::Escaped => unescape(value),
    }
}

fn percent_decode(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'%') {
        return Cow::Borrowed(value);
    }
    let hex = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    let mut out = Vec::with_capacity(value.len());
    let mut i = 0;
    while i < value.len() {
        let pair = (value[i] == b'%')
            .then(|| Some(hex(*value.get(i + 1)?)? << 4 | hex(*value.get(i + 2)?)?))
            .flatten();
        out.push(pair.unwrap_or(value[i]));
        i += if pair.is_some() { 3 } else { 1 };
    }
    Cow::Owned(out)
}

/// Takes JSON escapes off, as many levels as there are.
fn unescape(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'\\') {
        return Cow::Borrowed(value);
    }
    let mut value = value.to_vec();
    // Each level doubles the backslashes, so four levels are more than any log holds.
    for _ in 0..4 {
        if !value.contains(&b'\\') {
            break;
        }
        let text = [b"\"", value.as_slice(), b"\""].concat();
        match serde_json::from_slice::<String>(&text) {
            Ok(plain) if plain.as_bytes() != value => value = plain.into_bytes(),
            _ => break,
        }
    }
    Cow::Owned(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_hits_become_one() {
        let mut hits = vec![
            Hit::new(10, 20, Kind(1)),
            Hit::new(5, 8, Kind(2)),
            Hit::new(12, 30, Kind(3)),
            Hit::new(30, 31, Kind(4)),
        ];
        settle(&mut hits);
        let ranges: Vec<_> = hits.iter().map(|h| (h.start, h.end, h.kind.0)).collect();
        assert_eq!(ranges, [(5, 8, 2), (10, 30, 3), (30, 31, 4)]);
    }

    #[test]
    fn spellings_lead_back_to_the_value() {
        assert_eq!(*unspell(b"p%40ss%", Spelling::Percent), *b"p@ss%");
        assert_eq!(*unspell(br#"a\\\"b\\u0026c"#, Spelling::Escaped), *br#"a"b&c"#);
        assert_eq!(*unspell(br"a\qb", Spelling::Escaped), *br"a\qb");
    }
}
