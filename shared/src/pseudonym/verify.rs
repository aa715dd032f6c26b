//! The search of a bundle that has been rewritten for what must not be in it any more.
//!
//! It shares no code with the rewriting: names are looked for with an automaton instead of token by token, addresses
//! with a pattern. A real value that is a pseudonym too (the permutations map private networks onto themselves) says
//! nothing where it stands, and is passed over; so what is found is a leak for sure.

use std::collections::HashSet;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::bytes::Regex;

use super::Kind;
use super::bundle::README;
use super::map::Map;
use super::text;
use crate::bundle::items;
use crate::bundle::paths;
use crate::bundle::writer::Packing;

/// Where a real value still stands. The value itself is not said.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    pub path: String,
    /// Counted from 1; 0 for the path itself.
    pub line: u64,
    pub kind: Kind,
}

impl std::fmt::Display for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: a value of kind {} without pseudonym", self.path, self.line, self.kind)
    }
}

/// What must not be found.
pub struct Verifier {
    names: Option<AhoCorasick>,
    kinds: Vec<Kind>,
    addresses: HashSet<IpAddr>,
}

/// Why there is nothing to search with.
#[derive(Debug, thiserror::Error)]
#[error("too many names to look for: {0}")]
pub struct TooMany(#[from] aho_corasick::BuildError);

/// Bytes of a `README.txt` in which what was added to it is looked for.
const LARGEST_README: u64 = 1 << 20;

impl Verifier {
    /// Looks for what the map holds.
    ///
    /// # Errors
    /// When it holds more than can be looked for at once.
    pub fn new(map: &Map) -> Result<Verifier, TooMany> {
        let (mut names, mut kinds) = (Vec::new(), Vec::new());
        for kind in [Kind::Host, Kind::Email, Kind::Mac] {
            for real in map.of(kind).values().filter(|real| !map.of(kind).contains_key(*real)) {
                names.push(real.as_bytes());
                kinds.push(kind);
            }
        }
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::Standard).ascii_case_insensitive(true);
        let automaton = (!names.is_empty()).then(|| builder.build(&names)).transpose()?;
        let ips = map.of(Kind::Ip);
        let addresses =
            ips.values().filter(|real| !ips.contains_key(*real)).filter_map(|real| real.parse().ok());
        Ok(Verifier { names: automaton, kinds, addresses: addresses.collect() })
    }

    /// Reads a bundle and says where it still holds a real value; at most `most` places.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bundle(&self, path: &Path, packing: &Packing, most: usize) -> io::Result<Vec<Leak>> {
        let mut leaks = Vec::new();
        items::visit(path, packing, |item, _, data| {
            if item != paths::README {
                return self.item(item, data, most, &mut leaks);
            }
            // What was added to it in our own words names nobody, though a host may be called like one of them.
            let mut text = Vec::new();
            data.take(LARGEST_README).read_to_end(&mut text)?;
            let others = text.strip_suffix(README.as_bytes()).unwrap_or(&text);
            self.item(item, &mut others.chain(data), most, &mut leaks)
        })?;
        Ok(leaks)
    }

    /// Searches one item and its path.
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
        let mut add = |line: u64, kind: Kind| {
            let leak = Leak { path: path.to_owned(), line, kind };
            if leaks.len() < most && !leaks.contains(&leak) {
                leaks.push(leak);
            }
        };
        self.search(path.as_bytes(), &mut |_, kind| add(0, kind));
        let mut before = 1;
        text::stretches(data, |stretch| {
            let lines = |at: usize| memchr::memchr_iter(b'\n', &stretch[..at]).count() as u64;
            self.search(stretch, &mut |at, kind| add(before + lines(at), kind));
            before += lines(stretch.len());
            Ok(())
        })
    }

    fn search(&self, text: &[u8], found: &mut dyn FnMut(usize, Kind)) {
        static V4: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?:[0-9]{1,3}[.-]){3}[0-9]{1,3}").expect("the pattern is constant")
        });
        static V6: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?i)[0-9a-f]{0,4}:[0-9a-f:]{0,40}:[0-9a-f]{0,4}").expect("the pattern is constant")
        });
        if let Some(names) = &self.names {
            for hit in names.find_overlapping_iter(text) {
                if ends_word(text, hit.start(), hit.end()) {
                    found(hit.start(), self.kinds[hit.pattern().as_usize()]);
                }
            }
        }
        if self.addresses.is_empty() {
            return;
        }
        for hit in V4.find_iter(text).filter(|hit| is_whole_number(text, hit.start(), hit.end())) {
            let dotted = String::from_utf8_lossy(hit.as_bytes()).replace('-', ".");
            if dotted.parse().is_ok_and(|ip: Ipv4Addr| self.addresses.contains(&ip.into())) {
                found(hit.start(), Kind::Ip);
            }
        }
        for hit in V6.find_iter(text) {
            let parsed =
                std::str::from_utf8(hit.as_bytes()).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
            if parsed.is_some_and(|ip| self.addresses.contains(&ip.into())) {
                found(hit.start(), Kind::Ip);
            }
        }
    }
}

/// Whether what stands there is not part of a longer word; the letter of an escape before it is none of it.
fn ends_word(text: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).map(|at| text[at]);
    let escape = start >= 2 && text[start - 2] == b'\\' && before.is_some_and(|b| b"nrt".contains(&b));
    (escape || !before.is_some_and(|b| b.is_ascii_alphanumeric()))
        && !text.get(end).is_some_and(u8::is_ascii_alphanumeric)
}

/// Whether four numbers are not part of a longer row of them, which a version is.
fn is_whole_number(text: &[u8], start: usize, end: usize) -> bool {
    let digit = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
    let joined = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|b| *b == b'.' || *b == b'-');
    let before = (joined(start.checked_sub(1)) && digit(start.checked_sub(2))) || digit(start.checked_sub(1));
    let letter = start.checked_sub(1).is_some_and(|at| text[at].is_ascii_alphabetic())
        && !(start >= 2 && text[start - 2] == b'\\');
    let behind = joined(Some(end)) && digit(Some(end + 1));
    !before && !letter && !behind && !text.get(end).is_some_and(u8::is_ascii_alphanumeric)
}
