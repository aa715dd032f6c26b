//! Text that a terminal, an editor or a form broke into several lines: a pasted message of one line that has become
//! three.
//!
//! The lines are joined without anything between them, and patterns whose literals are found there are tried in a form
//! in which every space may be missing. What they find counts where each line but the last is as full as its neighbours
//! allow, so that two messages that merely follow each other are not read as one; a rule with `wrapped: true` does
//! without that. Only pastes are read this way, so bounding their size costs nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use unicode_width::UnicodeWidthStr;

use super::machine::{Found, groups};
use crate::matching::clean::clean;
use crate::matching::literal_set::{Amount, LiteralSet};
use crate::matching::pattern::{Pattern, WRAPPED_LINES};
use crate::rules::compile::Evidence;

/// Larger texts are not pastes.
const LARGEST: usize = 2 << 20;
/// Nothing is broken at fewer columns.
const NARROWEST: usize = 36;
/// Places that are tried of one pattern in one text.
const MOST_PLACES: usize = 1_000;
/// Literals are looked for without their spaces; shorter ones stand everywhere.
const SHORTEST: usize = 4;

/// The literals of patterns without their spaces.
#[derive(Debug)]
pub struct Squeezed {
    literals: LiteralSet<u32>,
}

impl Squeezed {
    pub fn new(evidence: &[&Evidence], members: &[u32]) -> Squeezed {
        let mut all: Vec<(Vec<u8>, u32)> = Vec::new();
        for member in members {
            let Some(pattern) = &evidence[*member as usize].pattern else { continue };
            let squeezed: Vec<Vec<u8>> = pattern
                .literals()
                .map(|literal| literal.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect())
                .collect();
            if (pattern.lines > 1 && !pattern.wrapped)
                || squeezed.iter().any(|literal| literal.len() < SHORTEST)
            {
                continue;
            }
            all.extend(squeezed.into_iter().map(|literal| (literal, *member)));
        }
        Squeezed {
            literals: LiteralSet::new(all.iter().map(|(literal, owner)| (literal.as_slice(), *owner))),
        }
    }

    /// Calls `take` for each match that a line break goes through.
    pub fn run(&self, evidence: &[&Evidence], text: &str, take: &mut impl FnMut(Found<'_>)) {
        if text.len() > LARGEST {
            return;
        }
        let cleaned = clean(text);
        let joined = Joined::new(&cleaned, text);
        let mut tried: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        self.literals.find(&joined.squeezed, Amount::of(text.len()), |literal| {
            let line = joined.line_at(joined.offsets[literal.start] as usize);
            for member in literal.owners {
                let lines = tried.entry(*member).or_default();
                if lines.last() != Some(&line) && lines.len() < MOST_PLACES {
                    lines.push(line);
                }
            }
        });
        for (member, lines) in tried {
            let Some(pattern) = &evidence[member as usize].pattern else { continue };
            let mut read_to = 0;
            for line in lines {
                // A line that nothing was broken around holds what was found in it already.
                if !pattern.wrapped && !joined.is_broken_around(line) {
                    continue;
                }
                let from = line.saturating_sub(WRAPPED_LINES as usize).max(read_to);
                let to = (line + WRAPPED_LINES as usize).min(joined.starts.len());
                if from < to {
                    joined.search(member, pattern, from..to, take);
                    read_to = to;
                }
            }
        }
    }
}

/// A text without its line breaks.
struct Joined {
    text: String,
    /// Where each line begins in it.
    starts: Vec<usize>,
    /// Whether the break behind each line is one that was put in.
    full: Vec<bool>,
    /// The text without any space, and where each byte of that stands in it.
    squeezed: Vec<u8>,
    offsets: Vec<u32>,
}

impl Joined {
    /// `original` has the same lines as `cleaned`, as wide as they were broken.
    fn new(cleaned: &str, original: &str) -> Joined {
        let lines: Vec<&str> = cleaned.lines().map(str::trim_end).collect();
        let mut text = String::with_capacity(cleaned.len());
        let mut starts = Vec::with_capacity(lines.len());
        for line in &lines {
            starts.push(text.len());
            text.push_str(line.trim_start());
        }
        let (mut squeezed, mut offsets) = (Vec::with_capacity(text.len()), Vec::with_capacity(text.len()));
        for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace()) {
            squeezed.push(byte);
            offsets.push(at as u32);
        }
        Joined { full: broken(&lines, original), text, starts, squeezed, offsets }
    }

    fn line_at(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    fn is_broken_around(&self, line: usize) -> bool {
        self.full[line] || line.checked_sub(1).is_some_and(|before| self.full[before])
    }

    fn search(
        &self,
        member: u32,
        pattern: &Pattern,
        lines: std::ops::Range<usize>,
        take: &mut impl FnMut(Found<'_>),
    ) {
        let Some(regex) = pattern.loose() else { return };
        let start_of = |line: usize| self.starts.get(line).copied().unwrap_or(self.text.len());
        let (from, to) = (start_of(lines.start), start_of(lines.end));
        for captures in regex.captures_iter(&self.text[from..to]) {
            let whole = captures.get(0).expect("group 0 is the match");
            let first = self.line_at(from + whole.start());
            let last = self.line_at((from + whole.end()).saturating_sub(1).max(from + whole.start()));
            // What lies in one line was found there already.
            let spans = first < last && ((last - first) as u32) < WRAPPED_LINES;
            if !spans || !(pattern.wrapped || self.full[first..last].iter().all(|full| *full)) {
                continue;
            }
            let begin = self.starts[first];
            take(Found {
                pattern: member,
                line: first as u32,
                end_line: last as u32,
                lines: &self.text[begin..start_of(last + 1)],
                at: from + whole.start() - begin,
                groups: groups(pattern, &captures),
            });
        }
    }
}

/// Of each line, whether the break behind it was put in: as wide as the lines were, or as they are in plain characters.
fn broken(lines: &[&str], original: &str) -> Vec<bool> {
    let mut widths: Vec<usize> = original.lines().map(|line| line.trim_end().width()).collect();
    widths.resize(lines.len(), 0);
    let plain: Vec<usize> = lines.iter().map(|line| line.width()).collect();
    (0..lines.len()).map(|index| is_full(lines, &widths, index) || is_full(lines, &plain, index)).collect()
}

/// Whether the first word of the next line would not have fitted behind a line.
fn is_full(lines: &[&str], widths: &[usize], index: usize) -> bool {
    let Some(next) = lines.get(index + 1).map(|next| next.trim_start()) else { return false };
    let around = index.saturating_sub(2)..(index + 4).min(lines.len());
    let columns = widths[around].iter().copied().max().unwrap_or(0);
    let word = next.split(' ').next().unwrap_or_default().width();
    columns >= NARROWEST
        && !next.is_empty()
        && widths[index] + 1 + word > columns
        && widths[index] * 3 >= columns
        && !begins(next)
}

/// Whether a line is the first of a message: it has a time, a level, a prompt, a bullet.
fn begins(line: &str) -> bool {
    static FIRST: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^(?:\d{4}[-/]\d\d[-/]\d\d|\d\d:\d\d:\d\d|[IWEF]\d{4} |\[?(?:ERROR|WARN|WARNING|INFO|DEBUG|FATAL)\b|(?:Normal|Warning) {2}|Error:|[$#>*] |\[\w+@|[A-Z][a-z]{2} +\d{1,2} \d\d:)",
        )
        .expect("a valid pattern")
    });
    FIRST.is_match(line)
}
