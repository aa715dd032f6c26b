//! Text that a terminal broke into several lines: a pasted message of one line that has become three.
//!
//! The lines are joined without anything between them, and patterns whose rule asks for it are tried in a form in
//! which every space may be missing. Only pastes are read this way, so bounding their size costs nothing.

use super::machine::{Found, Machine, groups};
use crate::matching::clean::clean;
use crate::matching::pattern::WRAPPED_LINES;
use crate::rules::compile::Evidence;

/// Larger texts are not pastes.
const LARGEST: usize = 2 << 20;

pub fn run(machine: &Machine, evidence: &[&Evidence], text: &str, take: &mut impl FnMut(Found<'_>)) {
    if machine.wrapped.is_empty() || text.len() > LARGEST {
        return;
    }
    let cleaned = clean(text);
    let mut joined = String::with_capacity(cleaned.len());
    // Where each line begins in the joined text.
    let mut starts = Vec::new();
    for line in cleaned.lines() {
        starts.push(joined.len());
        joined.push_str(line.trim());
    }
    let line_at = |at: usize| starts.partition_point(|start| *start <= at).saturating_sub(1);
    for member in &machine.wrapped {
        let Some(pattern) = &evidence[*member as usize].pattern else { continue };
        let Some(regex) = &pattern.wrapped else { continue };
        for captures in regex.captures_iter(&joined) {
            let whole = captures.get(0).expect("group 0 is the match");
            let first = line_at(whole.start());
            let last = line_at(whole.end().saturating_sub(1).max(whole.start()));
            // What lies in one line was found there already.
            if first == last || (last - first) as u32 >= WRAPPED_LINES {
                continue;
            }
            let begin = starts[first];
            let end = starts.get(last + 1).copied().unwrap_or(joined.len());
            take(Found {
                pattern: *member,
                line: first as u32,
                end_line: last as u32,
                lines: &joined[begin..end],
                at: whole.start() - begin,
                groups: groups(pattern, &captures),
            });
        }
    }
}
