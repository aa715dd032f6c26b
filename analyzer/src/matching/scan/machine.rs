//! The literals of many patterns, and the lines on which one of them stands.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::wrapped::Squeezed;
use crate::matching::literal_set::{Amount, LiteralSet};
use crate::matching::pattern::Pattern;
use crate::rules::compile::Evidence;

/// Bytes of a line before and after a literal that an expression is shown; whole lines are shorter as a rule.
const WINDOW: usize = 16 << 10;
/// Matches that are taken of one pattern in one line.
const MOST_IN_LINE: usize = 64;
/// Bytes of a group's value.
const LONGEST_GROUP: usize = 512;

/// The patterns that read one kind of text.
#[derive(Debug)]
pub struct Machine {
    members: Vec<u32>,
    literals: LiteralSet<u32>,
    /// Made for the first paste that is read.
    squeezed: OnceLock<Squeezed>,
}

/// A match in a text.
#[derive(Debug)]
pub struct Found<'t> {
    pub pattern: u32,
    /// First and last line of the match, counted from 0 within the text.
    pub line: u32,
    pub end_line: u32,
    /// The line, or the lines, of the match.
    pub lines: &'t str,
    /// Byte in `lines` where the match begins.
    pub at: usize,
    pub groups: Vec<Option<String>>,
}

impl Machine {
    /// `members`: indexes of the patterns.
    pub fn new(evidence: &[&Evidence], members: Vec<u32>) -> Machine {
        let patterns = members.iter().filter_map(|member| {
            let pattern = evidence[*member as usize].pattern.as_ref()?;
            Some(pattern.literals().map(|literal| (literal, *member)))
        });
        let literals = LiteralSet::new(patterns.flatten());
        Machine { members, literals, squeezed: OnceLock::new() }
    }

    /// Calls `take` for each match in `text` that a line break goes through.
    pub fn run_wrapped(&self, evidence: &[&Evidence], text: &str, take: &mut impl FnMut(Found<'_>)) {
        let squeezed = self.squeezed.get_or_init(|| Squeezed::new(evidence, &self.members));
        squeezed.run(evidence, text, take);
    }

    /// Calls `take` for each match in `text`, in the order in which their literals end.
    pub fn run<'t>(
        &self,
        evidence: &[&Evidence],
        text: &'t str,
        amount: Amount,
        mut take: impl FnMut(Found<'t>),
    ) {
        let mut lines = Lines::new(text);
        let mut tried: HashMap<u32, usize> = HashMap::new();
        let mut taken_to: HashMap<u32, usize> = HashMap::new();
        // Where the line begins in which a pattern matched last, and how often it did in it.
        let mut in_line: HashMap<u32, (usize, usize)> = HashMap::new();
        self.literals.find(text.as_bytes(), amount, |literal| {
            for member in literal.owners {
                let Some(pattern) = &evidence[*member as usize].pattern else { continue };
                lines.go_to(literal.start);
                let (start, end) = lines.window(pattern.lines, literal.start, literal.end);
                if tried.insert(*member, start) == Some(start) {
                    continue;
                }
                let (of_line, taken) = in_line.entry(*member).or_insert((lines.start, 0));
                if *of_line != lines.start {
                    (*of_line, *taken) = (lines.start, 0);
                }
                let window = &text[start..end];
                for captures in
                    pattern.regex().captures_iter(window).take(MOST_IN_LINE.saturating_sub(*taken))
                {
                    let whole = captures.get(0).expect("group 0 is the match");
                    let (from, to) = (start + whole.start(), start + whole.end());
                    if from < taken_to.get(member).copied().unwrap_or(0) || to == from {
                        continue;
                    }
                    let breaks = memchr::memchr_iter(b'\n', &text.as_bytes()[from..to]).count() as u32;
                    if breaks >= pattern.lines {
                        continue;
                    }
                    taken_to.insert(*member, to);
                    *taken += 1;
                    let line = lines.number_of(from);
                    let (first, last) = lines.bounds(from, to);
                    take(Found {
                        pattern: *member,
                        line,
                        end_line: line + breaks,
                        lines: &text[first..last],
                        at: from - first,
                        groups: groups(pattern, &captures),
                    });
                }
            }
        });
    }
}

pub fn groups(pattern: &Pattern, captures: &regex::Captures<'_>) -> Vec<Option<String>> {
    let value = |name: &String| {
        let text = captures.name(name)?.as_str();
        let mut end = text.len().min(LONGEST_GROUP);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Some(text[..end].to_owned())
    };
    pattern.groups().iter().map(value).collect()
}

/// The current line of a forward search, and its number.
struct Lines<'t> {
    text: &'t str,
    /// Bounds of the current line, without its line break.
    start: usize,
    end: usize,
    /// Number of the line that begins at `counted`.
    number: u32,
    counted: usize,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Lines<'t> {
        let end = memchr::memchr(b'\n', text.as_bytes()).unwrap_or(text.len());
        Lines { text, start: 0, end, number: 0, counted: 0 }
    }

    fn go_to(&mut self, at: usize) {
        if (self.start..=self.end).contains(&at) {
            return;
        }
        (self.start, self.end) = self.bounds(at, at);
    }

    /// The lines from the one that holds byte `from` to the one that holds byte `to`, without the last line break.
    fn bounds(&self, from: usize, to: usize) -> (usize, usize) {
        let bytes = self.text.as_bytes();
        let current = self.start..=self.end;
        // A line of many megabytes is not read again for each match in it.
        let start = if current.contains(&from) {
            self.start
        } else {
            memchr::memrchr(b'\n', &bytes[..from]).map_or(0, |at| at + 1)
        };
        let end = if current.contains(&to) {
            self.end
        } else {
            memchr::memchr(b'\n', &bytes[to..]).map_or(bytes.len(), |at| to + at)
        };
        (start, end)
    }

    /// What an expression that spans `lines` lines is shown for a literal at `from..to`.
    fn window(&self, lines: u32, from: usize, to: usize) -> (usize, usize) {
        let bytes = self.text.as_bytes();
        let (mut start, mut end) = (self.start, self.end.max(to));
        // Of lines around it no more is looked for than the window has room for.
        for _ in 1..lines {
            if let Some(before) = start.checked_sub(1) {
                let from = before.saturating_sub(2 * WINDOW);
                start = memchr::memrchr(b'\n', &bytes[from..before]).map_or(from, |at| from + at + 1);
            }
            if end < bytes.len() {
                let to = bytes.len().min(end + 1 + 2 * WINDOW);
                end = memchr::memchr(b'\n', &bytes[end + 1..to]).map_or(to, |at| end + 1 + at);
            }
        }
        if end - start > 2 * WINDOW {
            // Steps of a window, so that a line of many megabytes is not shown again for each literal in it.
            start = start.max((from / WINDOW * WINDOW).saturating_sub(WINDOW));
            end = end.min(to + 2 * WINDOW);
            while !self.text.is_char_boundary(start) {
                start -= 1;
            }
            while !self.text.is_char_boundary(end) {
                end -= 1;
            }
        }
        if bytes[start..end].ends_with(b"\r") { (start, end - 1) } else { (start, end) }
    }

    /// Number of the line at byte `at`, counted from 0. Cheap when asked in order.
    fn number_of(&mut self, at: usize) -> u32 {
        let breaks = |range| memchr::memchr_iter(b'\n', &self.text.as_bytes()[range]).count() as u32;
        if at < self.counted {
            self.number -= breaks(at..self.counted);
        } else {
            self.number += breaks(self.counted..at);
        }
        self.counted = at;
        self.number
    }
}
