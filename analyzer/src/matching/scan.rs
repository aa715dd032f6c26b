//! All text patterns of all rules in one pass over each text.
//!
//! An automaton over the literals of every pattern reads a text once; where it stops, the patterns that own the
//! literal are tried on that line alone. So the cost of a pass follows the size of the text, and hardly the number of
//! rules. Texts are read in parallel, large ones in chunks.
//!
//! Hits of one pattern in one text with equal groups are one [`Hit`] with a count, so that an error that was logged a
//! million times takes no more room than one that was logged once.

mod machine;
mod wrapped;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;

use super::clean::{clean, shown};
use super::glob;
use super::literal_set::Amount;
use super::logtime::line_time;
use super::row::Row;
use crate::rules::RuleSet;
use crate::rules::compile::Evidence;
use crate::rules::source::Source;
use crate::snapshot::{Snapshot, SourceFile, TextKind, TextSource};
use machine::{Found, Machine};

const PASTED: Source = Source::Text(TextKind::Pasted);

/// Bytes of a text that one task reads.
const CHUNK: usize = 4 << 20;
/// Hits of different groups that are kept of one pattern in one text.
const MOST_SHAPES: usize = 500;
/// Bytes of a line that are kept as the row's `text`.
const LONGEST_TEXT: usize = 4096;

/// One or more lines of one text that a pattern matched with the same groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Index into the snapshot's texts.
    pub text: usize,
    /// First and last line of the first match, counted from 1 within the file.
    pub line: u32,
    pub end_line: u32,
    /// The line itself, cleaned.
    pub excerpt: String,
    /// The line as it stands in the file, where cleaning changed it.
    pub quote: Option<String>,
    /// Value of each named group, in the order of the pattern's groups; `None` where it took no part.
    pub groups: Vec<Option<String>>,
    pub time: Option<Timestamp>,
    pub last_time: Option<Timestamp>,
    pub count: u64,
}

/// The patterns of a set of rules, ready to read texts.
#[derive(Debug)]
pub struct Scanner<'r> {
    evidence: Vec<&'r Evidence>,
    index: Arc<Index>,
}

/// The literals of a set of rules by what they are looked for in; patterns are named by their place in it.
#[derive(Debug)]
pub struct Index {
    by_kind: BTreeMap<TextKind, Machine>,
    events: Machine,
}

/// An event whose message matched: its index among the events, and the groups.
pub type EventHit = (usize, Vec<Option<String>>);

impl<'r> Scanner<'r> {
    /// For the patterns of all rules of a set, in the order of its rules; the automata are made once for a set.
    pub fn of(rules: &'r RuleSet) -> Scanner<'r> {
        let evidence = rules.iter().flat_map(|rule| &rule.evidence).filter(|one| one.pattern.is_some());
        let evidence: Vec<&Evidence> = evidence.collect();
        let index = rules.index(|| Index::new(&evidence));
        Scanner { evidence, index }
    }

    /// Takes the evidences that have a pattern; results are in the same order.
    pub fn new(evidence: Vec<&'r Evidence>) -> Scanner<'r> {
        let index = Arc::new(Index::new(&evidence));
        Scanner { evidence, index }
    }
}

impl Index {
    fn new(evidence: &[&Evidence]) -> Index {
        let mut kinds: BTreeMap<TextKind, Vec<u32>> = BTreeMap::new();
        let mut of_events = Vec::new();
        for (index, one) in evidence.iter().enumerate() {
            let index = index as u32;
            for source in &one.sources {
                match source {
                    Source::Text(kind) => kinds.entry(*kind).or_default().push(index),
                    Source::Events => of_events.push(index),
                    Source::Containers | Source::Objects(_) => {}
                }
            }
            // A paste may be anything's log, event or journal: nobody says what it is of.
            if one.sources.iter().any(Source::has_text) && !one.sources.contains(&PASTED) {
                kinds.entry(TextKind::Pasted).or_default().push(index);
            }
        }
        let machine = |(kind, members)| (kind, Machine::new(evidence, members));
        Index { by_kind: kinds.into_iter().map(machine).collect(), events: Machine::new(evidence, of_events) }
    }
}

impl Scanner<'_> {
    /// The hits of each pattern, ordered by text and line.
    pub fn scan(&self, snapshot: &Snapshot) -> Vec<Vec<Hit>> {
        let collected = collected_at(snapshot);
        let units: Vec<(usize, Range<usize>)> = snapshot
            .texts
            .iter()
            .enumerate()
            .filter(|(_, text)| self.index.by_kind.contains_key(&text.kind))
            .flat_map(|(index, text)| {
                let whole = &snapshot.files[text.file.0 as usize].text;
                chunks(whole, text.range.clone()).into_iter().map(move |range| (index, range))
            })
            .collect();
        let mut sizes: HashMap<TextKind, usize> = HashMap::new();
        for (text, range) in &units {
            *sizes.entry(snapshot.texts[*text].kind).or_default() += range.len();
        }
        let found: Vec<HashMap<Key, Hit>> = units
            .par_iter()
            .map(|(text, range)| {
                let amount = Amount::of(sizes[&snapshot.texts[*text].kind]);
                self.scan_chunk(snapshot, *text, range, amount, collected)
            })
            .collect();

        let mut merged: BTreeMap<Key, Hit> = BTreeMap::new();
        let mut shapes: HashMap<(u32, usize), usize> = HashMap::new();
        for chunk in found {
            // Keys of one chunk in a fixed order, so that the limit cuts the same ones each time.
            let mut chunk: Vec<(Key, Hit)> = chunk.into_iter().collect();
            chunk.sort_by(|a, b| (a.1.line, &a.0).cmp(&(b.1.line, &b.0)));
            for (key, hit) in chunk {
                if let Some(first) = merged.get_mut(&key) {
                    absorb(first, hit);
                    continue;
                }
                let kept = shapes.entry((key.pattern, key.text)).or_default();
                if *kept < MOST_SHAPES {
                    *kept += 1;
                    merged.insert(key, hit);
                }
            }
        }
        let mut hits: Vec<Vec<Hit>> = vec![Vec::new(); self.evidence.len()];
        for (key, hit) in merged {
            hits[key.pattern as usize].push(hit);
        }
        for list in &mut hits {
            list.sort_by(|a, b| (a.text, a.line, &a.groups).cmp(&(b.text, b.line, &b.groups)));
        }
        hits
    }

    /// The events whose message each pattern matches, in the order of the events.
    pub fn scan_events(&self, events: &[Arc<Row>]) -> Vec<Vec<EventHit>> {
        // As long as a message is as a rule.
        let amount = Amount::of(events.len() * 200);
        let found: Vec<Vec<(u32, Vec<Option<String>>)>> = events
            .par_iter()
            .map(|event| {
                let field =
                    |key: &str| event.value.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
                let message = clean(field("text")).replace('\n', " ");
                let mut found: Vec<(u32, Vec<Option<String>>)> = Vec::new();
                self.index.events.run(&self.evidence, &message, amount, |hit| {
                    let evidence = self.evidence[hit.pattern as usize];
                    let fits = glob::any(&evidence.namespaces, field("namespace"))
                        && glob::any(&evidence.pods, field("pod"))
                        && glob::any(&evidence.containers, field("container"));
                    if fits && !found.iter().any(|(pattern, _)| *pattern == hit.pattern) {
                        found.push((hit.pattern, hit.groups));
                    }
                });
                found
            })
            .collect();
        let mut hits = vec![Vec::new(); self.evidence.len()];
        for (event, found) in found.into_iter().enumerate() {
            for (pattern, groups) in found {
                hits[pattern as usize].push((event, groups));
            }
        }
        hits
    }

    fn scan_chunk(
        &self,
        snapshot: &Snapshot,
        text: usize,
        range: &Range<usize>,
        amount: Amount,
        collected: Option<Timestamp>,
    ) -> HashMap<Key, Hit> {
        let source = &snapshot.texts[text];
        let file = &snapshot.files[source.file.0 as usize];
        let machine = &self.index.by_kind[&source.kind];
        let mut hits: HashMap<Key, Hit> = HashMap::new();
        let mut first_line = None;
        let mut fits: HashMap<u32, bool> = HashMap::new();
        let mut take = |found: Found<'_>| {
            if !*fits
                .entry(found.pattern)
                .or_insert_with(|| reads(self.evidence[found.pattern as usize], source))
            {
                return;
            }
            let start = *first_line.get_or_insert_with(|| file.line_of(range.start));
            let time = line_time(found.lines, collected);
            let hit = Hit {
                text,
                line: start + found.line,
                end_line: start + found.end_line,
                excerpt: bounded(found.lines, found.at),
                quote: None,
                groups: found.groups,
                time,
                last_time: time,
                count: 1,
            };
            let key = Key { pattern: found.pattern, text, groups: hit.groups.clone() };
            if let Some(first) = hits.get_mut(&key) {
                absorb(first, hit);
            } else if hits.len() < MOST_SHAPES * 64 {
                hits.insert(key, hit);
            }
        };
        let cleaned = clean(&file.text[range.clone()]);
        let is_changed = matches!(cleaned, Cow::Owned(_));
        machine.run(&self.evidence, &cleaned, amount, &mut take);
        if range.start == source.range.start && source.kind == TextKind::Pasted {
            machine.run_wrapped(&self.evidence, &file.text[source.range.clone()], &mut take);
        }
        for hit in hits.values_mut().filter(|hit| is_changed || hit.end_line > hit.line) {
            hit.quote = quote(file, hit.line..=hit.end_line);
        }
        hits
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    pattern: u32,
    text: usize,
    groups: Vec<Option<String>>,
}

/// Adds a later hit to an earlier one of the same shape.
fn absorb(first: &mut Hit, other: Hit) {
    first.count += other.count;
    first.time = [first.time, other.time].into_iter().flatten().min();
    first.last_time = [first.last_time, other.last_time].into_iter().flatten().max();
    if other.line < first.line {
        (first.line, first.end_line, first.excerpt, first.quote) =
            (other.line, other.end_line, other.excerpt, other.quote);
    }
}

/// Whether an evidence wants to look into this text. Globs narrow what is known to be of a pod; a text of which that is
/// not known is read all the same.
fn reads(evidence: &Evidence, source: &TextSource) -> bool {
    let fits = |globs: &[glob::Glob], value: &Option<String>| match value {
        Some(value) if !value.is_empty() => glob::any(globs, value),
        _ => true,
    };
    evidence.spec.previous.is_none_or(|previous| source.kind != TextKind::Log || previous == source.previous)
        && fits(&evidence.namespaces, &source.namespace)
        && fits(&evidence.pods, &source.pod)
        && fits(&evidence.containers, &source.container)
}

/// When the evidence was collected: the latest of the inputs.
pub fn collected_at(snapshot: &Snapshot) -> Option<Timestamp> {
    snapshot.inputs.iter().filter_map(|input| input.collected_at).max()
}

/// Lines as they stand in the file; `None` where they are too long to be quoted whole.
fn quote(file: &SourceFile, lines: RangeInclusive<u32>) -> Option<String> {
    let mut quote = String::new();
    for line in lines {
        if !quote.is_empty() {
            quote.push('\n');
        }
        quote.push_str(&shown(file.line(line)?));
        if quote.len() > LONGEST_TEXT {
            return None;
        }
    }
    Some(quote.trim_end().to_owned())
}

/// Ranges of about [`CHUNK`] bytes that end with lines.
fn chunks(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut ranges = Vec::new();
    let mut start = range.start;
    while range.end - start > CHUNK + CHUNK / 2 {
        let Some(at) = memchr::memchr(b'\n', &bytes[start + CHUNK..range.end]) else { break };
        let end = start + CHUNK + at + 1;
        ranges.push(start..end);
        start = end;
    }
    if start < range.end {
        ranges.push(start..range.end);
    }
    ranges
}

/// The line, or the part of a very long one that holds the match at byte `at`.
fn bounded(line: &str, at: usize) -> String {
    if line.len() <= LONGEST_TEXT {
        return line.trim_end().to_owned();
    }
    let mut start = at.saturating_sub(LONGEST_TEXT / 4);
    while !line.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (start + LONGEST_TEXT).min(line.len());
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line[start..end].trim_end().to_owned()
}

#[cfg(test)]
mod tests;
