//! Finds the secrets of one piece of text: cheap literals first, the grammar and the patterns only on lines that hold one.

use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::packed::{self, Searcher};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::fields::{self, Next};
use super::hit::Hit;
use super::names::{Class, Kind, Names, PRIVATE_KEY, SECRET, URL_PASSWORD};
use super::rules::{RuleError, RuleSet};
use super::shapes::{self, CompiledShape};
use super::{encoded, pem, urls};

/// What a literal in a line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// It may be part of a telling name.
    Name,
    /// Try shape number so-and-so on the line.
    Shape(usize),
    Url,
    Pem,
    /// Base64 that may hold a text with secrets.
    Encoded,
}

/// What is open at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum State {
    #[default]
    None,
    /// See [`Next::ValueOf`]; so many lines to wait.
    ValueOf(Kind, bool, u8),
    Whole(Kind),
    Block(Kind, usize),
    /// Inside a private key; so many lines so far.
    Pem(u16),
}

/// The compiled rules.
#[derive(Debug)]
pub(crate) struct Scanner {
    pub names: Names,
    shapes: Vec<CompiledShape>,
    /// Finds lines worth a look. Several, since one holds sixty-four literals at most.
    coarse: Vec<Coarse>,
    /// Finds every literal of such a line.
    fine: AhoCorasick,
    actions: Vec<Vec<Action>>,
    url: Kind,
    pem: Kind,
    encoded: Kind,
}

#[derive(Debug)]
enum Coarse {
    Packed(Searcher),
    /// On machines without vector instructions.
    Plain(AhoCorasick),
}

impl Coarse {
    fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        match self {
            Coarse::Packed(searcher) => {
                searcher.find_in(text, aho_corasick::Span { start: from, end: text.len() }).map(|m| m.start())
            }
            Coarse::Plain(automaton) => {
                automaton.find(aho_corasick::Input::new(text).range(from..)).map(|m| m.start())
            }
        }
    }
}

impl Scanner {
    pub fn new(rules: &RuleSet) -> Result<Scanner, RuleError> {
        let names = Names::new(rules);
        let shapes = shapes::compile(rules, &names)?;
        let mut literals: HashMap<String, Vec<Action>> = HashMap::new();
        let mut add = |literal: &str, action| literals.entry(literal.to_owned()).or_default().push(action);
        names.hints().iter().for_each(|hint| add(hint, Action::Name));
        add("://", Action::Url);
        add("-----BEGIN", Action::Pem);
        encoded::HEADS.iter().for_each(|head| add(head, Action::Encoded));
        for (i, shape) in shapes.iter().enumerate() {
            shape.literals.iter().for_each(|literal| add(literal, Action::Shape(i)));
        }
        let mut literals: Vec<_> = literals.into_iter().collect();
        literals.sort_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)));
        let (words, actions): (Vec<String>, Vec<Vec<Action>>) = literals.into_iter().unzip();
        let fine = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&words)
            .expect("a few hundred short literals make a small automaton");
        let coarse = coarse(&words);
        let kind = |name| names.kind_named(name);
        let (url, pem, encoded) = (kind(URL_PASSWORD), kind(PRIVATE_KEY), kind(SECRET));
        Ok(Scanner { names, shapes, coarse, fine, actions, url, pem, encoded })
    }

    /// Adds the secrets in `text`, a run of whole lines (the last may lack its end), to `hits`.
    pub fn scan(&self, text: &[u8], state: &mut State, hits: &mut Vec<Hit>) {
        let mut upcoming: Vec<Option<usize>> =
            self.coarse.iter().map(|coarse| coarse.find(text, 0)).collect();
        let mut at = 0;
        while at < text.len() {
            if *state == State::None {
                for (coarse, next) in self.coarse.iter().zip(&mut upcoming) {
                    if next.is_some_and(|found| found < at) {
                        *next = coarse.find(text, at);
                    }
                }
                let Some(found) = upcoming.iter().flatten().min() else { return };
                at = memchr::memrchr(b'\n', &text[at..*found]).map_or(at, |n| at + n + 1);
            }
            let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |n| at + n);
            let from = hits.len();
            self.line(&text[at..end], state, hits, 0);
            for hit in &mut hits[from..] {
                hit.start += at;
                hit.end += at;
            }
            at = end + 1;
        }
    }

    /// Whether `text` holds a secret; `depth` counts texts inside texts.
    pub fn holds_secret(&self, text: &[u8], depth: u8) -> bool {
        let mut state = State::None;
        let mut hits = Vec::new();
        text.split(|b| *b == b'\n').any(|line| {
            self.line(line, &mut state, &mut hits, depth);
            !hits.is_empty()
        })
    }

    fn line(&self, line: &[u8], state: &mut State, hits: &mut Vec<Hit>, depth: u8) {
        if self.continues(line, state, hits) {
            return;
        }
        let mut found: Vec<(Range<usize>, usize)> =
            self.fine.find_overlapping_iter(line).map(|m| (m.range(), m.pattern().as_usize())).collect();
        found.sort_by_key(|(range, _)| range.start);
        let mut tried = 0u64;
        let mut named_to = 0;
        for (range, literal) in found {
            for action in &self.actions[literal] {
                match *action {
                    Action::Name if range.start >= named_to => {
                        named_to = self.name(line, range.start, state, hits).max(range.start + 1);
                    }
                    Action::Name => {}
                    Action::Shape(i) => {
                        let bit = 1u64.checked_shl(i as u32).unwrap_or(0);
                        if tried & bit == 0 {
                            tried |= bit;
                            hits.extend(self.shapes[i].hits(line, &self.names));
                        }
                    }
                    Action::Url => hits.extend(urls::password(line, range.start, self.url)),
                    Action::Pem => {
                        if let Some((hit, open)) = pem::begin(line, range.start, self.pem) {
                            hits.extend(hit);
                            if open {
                                *state = State::Pem(0);
                            }
                        }
                    }
                    Action::Encoded if depth < 2 => {
                        hits.extend(encoded::hit(line, range.start, self.encoded, |text| {
                            self.holds_secret(text, depth + 1)
                        }));
                    }
                    Action::Encoded => {}
                }
            }
        }
    }

    /// Reads the name that holds the byte at `at`; returns where the next name may begin.
    fn name(&self, line: &[u8], at: usize, state: &mut State, hits: &mut Vec<Hit>) -> usize {
        let name = fields::name_around(line, at);
        let class = self.names.classify(&line[name.clone()]);
        if class == Class::Plain {
            return name.end;
        }
        let found = fields::read(line, name, class, &self.names);
        match found.next {
            Next::Any => {}
            Next::ValueOf(kind, strong) => *state = State::ValueOf(kind, strong, 4),
            Next::Whole(kind) => *state = State::Whole(kind),
            Next::Block(kind, indent) => *state = State::Block(kind, indent),
        }
        hits.extend(found.hits);
        found.resume
    }

    /// Deals with what the lines before left open; true if the line is done with.
    fn continues(&self, line: &[u8], state: &mut State, hits: &mut Vec<Hit>) -> bool {
        match *state {
            State::None => false,
            State::ValueOf(kind, strong, left) => {
                *state = if left > 1 { State::ValueOf(kind, strong, left - 1) } else { State::None };
                let text = line.trim_ascii_start();
                let begin = line.len() - text.len();
                let text = text.strip_prefix(b"- ").unwrap_or(text);
                let bare = text.trim_ascii_start();
                let bare = bare.strip_prefix(b"\"").or_else(|| bare.strip_prefix(b"\\\"")).unwrap_or(bare);
                let lower: Vec<u8> = bare.iter().take(6).map(u8::to_ascii_lowercase).collect();
                if lower.starts_with(b"valuef") || text.starts_with(b"}") || bare.starts_with(b"name") {
                    *state = State::None;
                    return false;
                }
                if !lower.starts_with(b"value") {
                    return false;
                }
                *state = State::None;
                let Some(colon) = line[begin..].iter().position(|b| *b == b':').map(|n| begin + n) else {
                    return false;
                };
                let found = fields::read_value_at(line, colon + 1, kind, strong, &self.names);
                if let Next::Block(kind, indent) = found.next {
                    *state = State::Block(kind, indent);
                }
                let some = !found.hits.is_empty();
                hits.extend(found.hits);
                some
            }
            State::Whole(kind) => {
                *state = State::None;
                let marks = |b: &u8| b" \t\r-\"'`,".contains(b);
                let Some(start) = line.iter().position(|b| !marks(b)) else { return false };
                let end = line.iter().rposition(|b| !b" \t\r\"'`,".contains(b)).map_or(line.len(), |n| n + 1);
                // Another option, not a value.
                if line[..start].ends_with(b"--") || end <= start {
                    return false;
                }
                hits.push(Hit::new(start, end, kind));
                true
            }
            State::Block(kind, indent) => {
                let text = line.trim_ascii();
                if text.is_empty() {
                    return true;
                }
                let own = line.iter().take_while(|b| **b == b' ').count();
                if own <= indent {
                    *state = State::None;
                    return false;
                }
                let end = line.trim_ascii_end().len();
                hits.push(Hit::new(own, end, kind));
                true
            }
            State::Pem(lines) => match pem::body(line, self.pem) {
                pem::Body::Key(hit) if lines < pem::MAX_LINES => {
                    hits.extend(hit);
                    *state = State::Pem(lines + 1);
                    true
                }
                pem::Body::End(hit) => {
                    hits.extend(hit);
                    *state = State::None;
                    true
                }
                _ => {
                    *state = State::None;
                    false
                }
            },
        }
    }
}

/// Vector searchers over all literals, the longer ones apart from the short ones: a searcher looks only at as many
/// bytes as its shortest literal has.
fn coarse(words: &[String]) -> Vec<Coarse> {
    // Literals that hold another one need no place of their own.
    let kept: Vec<&String> = words
        .iter()
        .filter(|word| !words.iter().any(|other| other.len() < word.len() && word.contains(other.as_str())))
        .collect();
    let (short, long): (Vec<&String>, Vec<&String>) = kept.into_iter().partition(|word| word.len() < 4);
    let group = |words: &[&String]| {
        let searcher = packed::Config::new().builder().extend(words.iter().map(|w| w.as_bytes())).build();
        searcher.map(Coarse::Packed).unwrap_or_else(|| {
            Coarse::Plain(
                AhoCorasick::new(words).expect("a few hundred short literals make a small automaton"),
            )
        })
    };
    short.chunks(60).chain(long.chunks(60)).map(group).collect()
}
