//! The independent check of a finished bundle: it is read back whole, and searched for what is known to be secret.
//!
//! Nothing of the masker is used here but the list of values that were masked during the run: these are searched
//! with an Aho-Corasick automaton over whole values instead of the masker's index, and a few shapes that cannot be
//! mistaken (private keys, tokens with a signature, passwords in URLs) with expressions of their own. A bundle in
//! which something is found must not be delivered.
//!
//! A known value in a bundle usually stands where it was written before the value was learned; [`super::scrub`]
//! mends that.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::bytes::{Regex, RegexSet};

use super::{RedactError, Redactor};
use crate::bundle::items;
use crate::bundle::writer::Packing;

/// More than any value or shape that is looked for; so much of the text is seen twice at the border of two pieces.
const OVERLAP: usize = 4096;
const PIECE: usize = 1 << 20;

/// Something secret in a finished bundle. Says where it stands, never what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// The item.
    pub path: String,
    /// Line in it, from 1.
    pub line: u64,
    pub what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A value that was masked elsewhere in this run.
    KnownValue,
    /// The name of a shape.
    Shape(&'static str),
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::KnownValue => "a value that was masked elsewhere",
            What::Shape(shape) => shape,
        };
        write!(f, "{}:{}: {what}", self.path, self.line)
    }
}

const SHAPES: &[(&str, &str)] = &[
    (
        "a private key",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\+[nr]|[0-9TZ:.+-]{20,40} )*[A-Za-z0-9+/=]{40,}",
    ),
    ("a JSON web token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    ("an access key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    (
        "a password in a URL",
        r#"\b[a-z][a-z0-9+.-]{1,20}://[A-Za-z0-9_.-]*:[A-Za-z0-9_!^~]{4,64}@[A-Za-z0-9]"#,
    ),
    (
        "a bearer token",
        r#"(?i)authorization["']?\s*[:=]\s*["']?bearer\s+[A-Za-z0-9._~+/-]*[0-9][A-Za-z0-9._~+/-]{15,}"#,
    ),
];

/// What must not be found.
#[derive(Debug)]
pub struct Verifier {
    known: Option<AhoCorasick>,
    shapes: RegexSet,
    /// The same one by one, to say where.
    each: Vec<Regex>,
}

impl Verifier {
    /// Looks for what `redactor` has masked so far.
    ///
    /// # Errors
    /// When a task stopped while it held what was learned.
    pub fn new(redactor: &Redactor) -> Result<Verifier, RedactError> {
        let learned = redactor.inner.learned.read().map_err(|_| RedactError::Poisoned)?;
        let forms: Vec<Vec<u8>> = learned.values().flat_map(|value| spellings(&value.text)).collect();
        let known = (!forms.is_empty()).then(|| {
            let mut builder = AhoCorasick::builder();
            builder.match_kind(MatchKind::LeftmostFirst).build(forms).expect("learned values are bounded")
        });
        let shapes =
            RegexSet::new(SHAPES.iter().map(|(_, pattern)| pattern)).expect("the patterns are constant");
        let each = SHAPES.iter().map(|(_, pattern)| Regex::new(pattern).expect("the patterns are constant"));
        Ok(Verifier { known, shapes, each: each.collect() })
    }

    /// Reads the bundle back and says where it holds a secret; at most `most` places.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bundle(&self, path: &Path, packing: &Packing, most: usize) -> io::Result<Vec<Leak>> {
        let mut leaks = Vec::new();
        items::visit(path, packing, |item, _, data| self.item(item, data, most, &mut leaks))?;
        Ok(leaks)
    }

    /// Reads one item to its end.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn item(
        &self,
        path: &str,
        data: &mut dyn Read,
        most: usize,
        leaks: &mut Vec<Leak>,
    ) -> io::Result<()> {
        let mut text: Vec<u8> = Vec::new();
        let mut lines_before = 0;
        loop {
            let kept = text.len();
            let read = data.take(PIECE as u64).read_to_end(&mut text)?;
            self.piece(path, &text, lines_before, most, leaks);
            if read == 0 || kept + read < PIECE {
                return Ok(());
            }
            let done = text.len().saturating_sub(OVERLAP);
            lines_before += memchr::memchr_iter(b'\n', &text[..done]).count() as u64;
            text.drain(..done);
        }
    }

    fn piece(&self, path: &str, text: &[u8], lines_before: u64, most: usize, leaks: &mut Vec<Leak>) {
        let mut add = |at: usize, what: What| {
            let line = lines_before + memchr::memchr_iter(b'\n', &text[..at]).count() as u64 + 1;
            let leak = Leak { path: path.to_owned(), line, what };
            if leaks.len() < most && !leaks.contains(&leak) {
                leaks.push(leak);
            }
        };
        if let Some(known) = &self.known {
            for found in known.find_iter(text).take(most) {
                add(found.start(), What::KnownValue);
            }
        }
        for shape in self.shapes.matches(text) {
            let (name, _) = SHAPES[shape];
            if let Some(found) = self.each[shape].find_iter(text).find(|found| !is_blank(found.as_bytes())) {
                add(found.start(), What::Shape(name));
            }
        }
    }
}

/// `redis://:xxxxx@host`: programs write so what they mask themselves.
fn is_blank(found: &[u8]) -> bool {
    let password = found.rsplit(|b| *b == b':').next().unwrap_or_default();
    let password = password.split(|b| *b == b'@').next().unwrap_or_default();
    found.contains(&b'@') && password.iter().all(|b| b"xX".contains(b))
}

/// The value as it is, as JSON holds it, and in base64.
fn spellings(value: &[u8]) -> Vec<Vec<u8>> {
    let mut spellings = vec![value.to_vec()];
    if let Ok(text) = std::str::from_utf8(value) {
        let json = serde_json::Value::from(text).to_string().into_bytes();
        let inner = json[1..json.len() - 1].to_vec();
        if inner != value {
            spellings.push(inner);
        }
    }
    let base64 = STANDARD.encode(&value[..value.len() - value.len() % 3]).into_bytes();
    if base64.len() >= 12 {
        spellings.push(base64);
    }
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Counts, TokenKey};

    fn leaks(redactor: &Redactor, text: &[u8]) -> Vec<String> {
        let mut leaks = Vec::new();
        Verifier::new(redactor).unwrap().item("a.log", &mut &*text, 10, &mut leaks).unwrap();
        leaks.iter().map(ToString::to_string).collect()
    }

    fn redactor() -> Redactor {
        let redactor = Redactor::with_key(&[], TokenKey::from_bytes([5; 32])).unwrap();
        redactor.string("password=Hunter2!pw\ntoken: Zx81-spectrum", &mut Counts::new()).unwrap();
        redactor
    }

    #[test]
    fn known_values_are_found_in_every_spelling() {
        let found = leaks(&redactor(), b"one\nxHunter2!pwx\n{\"a\":\"Zx81-spectrum\"}\n");
        assert_eq!(
            found,
            ["a.log:2: a value that was masked elsewhere", "a.log:3: a value that was masked elsewhere"]
        );
        assert_eq!(leaks(&redactor(), format!("x {}", STANDARD.encode("Hunter2!pw\n")).as_bytes()).len(), 1);
    }

    #[test]
    fn shapes_are_found_and_their_masks_are_not() {
        for text in [
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAxyzMIIEowIBAAKCAQEAxyzMIIEow\n",
            r"k: -----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEAxyzMIIEowIBAAKCAQEAxyzMIIEow\n",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
            "mysql://root:blueking@bk-mysql/db",
        ] {
            assert_eq!(leaks(&redactor(), text.as_bytes()).len(), 1, "{text}");
            let masked = redactor().string(text, &mut Counts::new()).unwrap().unwrap();
            assert_eq!(leaks(&redactor(), masked.as_bytes()), [""; 0], "{masked}");
        }
    }

    #[test]
    fn what_programs_mask_themselves_is_no_leak() {
        assert_eq!(leaks(&redactor(), b"redis://:xxxxx@bk-redis:6379\nmysql://u:***@h\n"), [""; 0]);
        assert_eq!(leaks(&redactor(), b"redis://:xxxxx@a\nredis://:foobared@b\n").len(), 1);
    }

    #[test]
    fn a_value_across_the_border_of_two_pieces_is_found() {
        for shift in 0..12 {
            let mut text = vec![b'x'; PIECE - shift];
            text.extend_from_slice(b"Hunter2!pw");
            text.extend(vec![b'y'; PIECE]);
            assert_eq!(leaks(&redactor(), &text), ["a.log:1: a value that was masked elsewhere"], "{shift}");
        }
    }
}
