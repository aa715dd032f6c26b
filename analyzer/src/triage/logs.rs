//! The most telling last lines of a log.
//!
//! Three things make a line worth a reader's time: it sounds bad, few other logs of the bundle hold its like, and it
//! stands near the end, where the program gave up. Lines of one shape count once. The end of each log is looked at line by
//! line; of what stands before it only lines with a loud word, and of these a bounded number, so that an error at the
//! start of a long log is not lost and the cost hardly follows the length.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use rayon::prelude::*;

use crate::snapshot::{Snapshot, TextKind, TextSource};

use super::model::LogLine;
use super::severity::{cut, is_frame, severity, timestamp, without_timestamp};
use super::spoken::spoken;
use super::template::{Shape, shape};

/// How much of a log's end is looked at, in bytes.
const WINDOW: usize = 64 * 1024;
/// How much of a log before that is searched for loud words, in bytes: so much from its beginning and so much up to the
/// end that is looked at.
const SEARCHED: usize = 4 << 20;
/// Loud lines that are taken of each such part, half of them its first ones.
const MOST_LOUD: usize = 400;
/// How many bytes of a line are shown.
const SHOWN: usize = 400;

/// In how many logs each shape occurs.
#[derive(Debug, Default)]
pub struct Rarity {
    logs: usize,
    seen_in: HashMap<Shape, u32>,
}

impl Rarity {
    /// Counts, over all logs of the bundle, the shapes that occur in the logs of `interesting`.
    pub fn measure(snapshot: &Snapshot, interesting: &[&TextSource]) -> Self {
        let wanted: HashSet<Shape> = interesting
            .par_iter()
            .flat_map_iter(|source| Window::of(snapshot, source).lines().map(|(_, line)| bare_shape(line)))
            .collect();
        if wanted.is_empty() {
            return Self::default();
        }
        let logs: Vec<&TextSource> = snapshot.texts.iter().filter(|t| t.kind == TextKind::Log).collect();
        let seen_in = logs
            .par_iter()
            .fold(HashMap::new, |mut counts: HashMap<Shape, u32>, source| {
                let mut here: Vec<Shape> = Window::of(snapshot, source)
                    .lines()
                    .map(|(_, line)| bare_shape(line))
                    .filter(|shape| wanted.contains(shape))
                    .collect();
                here.sort_unstable();
                here.dedup();
                for shape in here {
                    *counts.entry(shape).or_default() += 1;
                }
                counts
            })
            .reduce(HashMap::new, |mut a, b| {
                for (shape, count) in b {
                    *a.entry(shape).or_default() += count;
                }
                a
            });
        Self { logs: logs.len(), seen_in }
    }

    /// 0 (every log has it) to 1 (no other log has it).
    fn of(&self, shape: Shape) -> f64 {
        let others = self.seen_in.get(&shape).map_or(0, |count| count.saturating_sub(1));
        if self.logs < 2 { 1.0 } else { 1.0 - f64::from(others) / (self.logs - 1) as f64 }
    }
}

fn bare_shape(line: &str) -> Shape {
    shape(cut(without_timestamp(line), 1000))
}

/// At most [`WINDOW`] bytes from the end of a text, in whole lines.
pub fn end_of(text: &str) -> &str {
    if text.len() <= WINDOW {
        return text;
    }
    let start = text.floor_char_boundary(text.len() - WINDOW);
    &text[start + memchr::memchr(b'\n', &text.as_bytes()[start..]).map_or(0, |at| at + 1)..]
}

/// Words of lines that are looked at wherever in a log they stand.
static LOUD: LazyLock<AhoCorasick> = LazyLock::new(|| {
    const WORDS: &[&str] = &[
        "error",
        "fatal",
        "panic",
        "exception",
        "traceback",
        "critical",
        "failed",
        "refused",
        "denied",
        "no such host",
        "i/o timeout",
        "out of memory",
        "no space left",
    ];
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(WORDS)
        .expect("a dozen words make a small automaton")
});

/// Lines of `text` with a loud word, each with the byte at which it begins: the first and the last ones of the parts
/// that are searched.
fn loud_lines(text: &str) -> Vec<(usize, &str)> {
    // In whole lines.
    let after_line =
        |at: usize| memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |more| at + more + 1);
    let head_end = if text.len() > SEARCHED { after_line(SEARCHED) } else { text.len() };
    let tail_at = match text.len().saturating_sub(SEARCHED) {
        start if start > head_end => after_line(start),
        _ => head_end,
    };
    let in_part = |part: &'_ str, at: usize| {
        let mut lines: Vec<(usize, usize)> = Vec::new();
        let mut next = 0;
        while let Some(found) = LOUD.find(aho_corasick::Input::new(part).range(next..)) {
            let start = memchr::memrchr(b'\n', &part.as_bytes()[..found.start()]).map_or(0, |at| at + 1);
            let end = memchr::memchr(b'\n', &part.as_bytes()[found.end()..])
                .map_or(part.len(), |at| found.end() + at);
            if lines.len() >= MOST_LOUD {
                lines.remove(MOST_LOUD / 2);
            }
            lines.push((at + start, at + end));
            next = end;
        }
        lines
    };
    let mut lines = in_part(&text[..head_end], 0);
    lines.extend(in_part(&text[tail_at..], tail_at));
    lines.into_iter().map(|(start, end)| (start, text[start..end].trim_end_matches('\r'))).collect()
}

/// The end of a text and where it stands in its file.
struct Window<'a> {
    text: &'a str,
    /// Line number of its first line, counted from 1.
    first_line: u32,
    /// What sounds loud before it.
    before: Vec<(u32, &'a str)>,
}

impl<'a> Window<'a> {
    fn of(snapshot: &'a Snapshot, source: &TextSource) -> Self {
        let file = &snapshot.files[source.file.0 as usize];
        let whole = &file.text[source.range.clone()];
        let text = end_of(whole);
        let start = whole.len() - text.len();
        Self { text, first_line: file.line_of(source.range.start + start), before: Vec::new() }
    }

    /// The same with the loud lines before it.
    fn with_loud(snapshot: &'a Snapshot, source: &TextSource) -> Self {
        let file = &snapshot.files[source.file.0 as usize];
        let window = Self::of(snapshot, source);
        let whole = &file.text[source.range.clone()];
        let lines = loud_lines(&whole[..whole.len() - window.text.len()]).into_iter();
        let before = lines.map(|(at, line)| (file.line_of(source.range.start + at), line)).collect();
        Self { before, ..window }
    }

    fn lines(&self) -> impl Iterator<Item = (u32, &'a str)> + use<'a> {
        (self.first_line..).zip(self.text.lines())
    }
}

struct Candidate<'a> {
    line: u32,
    text: &'a str,
    count: u64,
    score: f64,
}

/// At most `most` lines of one log, in its order, none of them of `elsewhere`; empty when nothing in it sounds bad and
/// it has no last words.
pub fn telling(
    snapshot: &Snapshot,
    source: &TextSource,
    rarity: &Rarity,
    most: usize,
    elsewhere: &[RangeInclusive<u32>],
) -> Vec<LogLine> {
    let file = &snapshot.files[source.file.0 as usize];
    let window = Window::with_loud(snapshot, source);
    let before = window.before.len();
    let total = (before + window.lines().count()).max(1) as f64;
    let mut by_shape: HashMap<Shape, Candidate> = HashMap::new();
    for (index, (line, text)) in window.before.iter().copied().chain(window.lines()).enumerate() {
        if is_frame(text) || elsewhere.iter().any(|lines| lines.contains(&line)) {
            continue;
        }
        let body = spoken(without_timestamp(text).trim());
        let shape = bare_shape(text);
        // What was said long before the end tells by its words alone.
        let nearness = if index < before { 0.0 } else { (index + 1) as f64 / total };
        let severity = f64::from(severity(&body));
        if index < before && severity < 3.0 {
            continue;
        }
        let candidate =
            by_shape.entry(shape).or_insert_with(|| Candidate { line, text, count: 0, score: 0.0 });
        candidate.count += 1;
        candidate.line = line;
        candidate.text = text;
        candidate.score = severity * 2.0 + rarity.of(shape) * 1.5 + nearness * 2.0;
        if severity == 0.0 {
            // Its last words may still be all that a silent death leaves, but any complaint goes first.
            candidate.score -= 4.0;
        }
    }
    let mut ranked: Vec<Candidate> = by_shape.into_values().collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.line.cmp(&a.line)));
    let loud = ranked.iter().filter(|candidate| candidate.score > 2.0).count();
    ranked.truncate(most.min(loud.max(2)));
    ranked.sort_by_key(|candidate| candidate.line);
    ranked
        .into_iter()
        .map(|candidate| LogLine {
            path: file.path.clone(),
            line: candidate.line,
            text: shown(candidate.text),
            count: candidate.count,
            time: timestamp(candidate.text).map(str::to_owned),
        })
        .collect()
}

fn shown(line: &str) -> String {
    let body = spoken(without_timestamp(line).trim_end());
    let short = cut(&body, SHOWN);
    if short.len() < body.len() { format!("{short}…") } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{FileId, SourceFile};

    fn snapshot(logs: &[&str]) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for (index, text) in logs.iter().enumerate() {
            snapshot.files.push(SourceFile::new(format!("log{index}"), 0, (*text).into()));
            snapshot.texts.push(TextSource {
                file: FileId(index as u32),
                range: 0..text.len(),
                kind: TextKind::Log,
                namespace: None,
                pod: None,
                container: None,
                previous: false,
                node: None,
                has_head: true,
                has_tail: true,
                has_middle: true,
            });
        }
        snapshot
    }

    fn telling_of_first(logs: &[&str], most: usize) -> Vec<(u32, String, u64)> {
        let snapshot = snapshot(logs);
        let first = &snapshot.texts[0];
        let rarity = Rarity::measure(&snapshot, &[first]);
        telling(&snapshot, first, &rarity, most, &[]).into_iter().map(|l| (l.line, l.text, l.count)).collect()
    }

    #[test]
    fn repeated_lines_are_folded_and_keep_the_place_of_the_last() {
        let log = "starting\nERROR attempt 1 failed: connection refused\nERROR attempt 2 failed: connection refused\nbye\n";
        let lines = telling_of_first(&[log], 1);
        assert_eq!(lines, [(3, "ERROR attempt 2 failed: connection refused".to_owned(), 2)]);
    }

    #[test]
    fn what_every_log_says_gives_way_to_what_only_this_one_says() {
        let common = "ERROR metrics endpoint refused\n";
        let own = "ERROR schema version 12 is too old\n";
        let mine = format!("{own}{common}");
        let lines = telling_of_first(&[&mine, common, common, common], 1);
        assert_eq!(lines[0].1, own.trim_end());
    }

    #[test]
    fn a_silent_death_leaves_its_last_words() {
        let lines = telling_of_first(&["one fish\ntwo birds\nloading table users\nopening socket\n"], 5);
        assert_eq!(lines.last().map(|l| l.1.as_str()), Some("opening socket"));
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn stack_frames_are_passed_over_for_the_exception() {
        let log = "java.lang.IllegalStateException: no tables\n\tat com.x.A.run(A.java:1)\n\tat com.x.B.run(B.java:2)\n";
        assert_eq!(telling_of_first(&[log], 3)[0].1, "java.lang.IllegalStateException: no tables");
    }

    #[test]
    fn an_error_long_before_the_end_is_not_lost() {
        let filler = "INFO served a request without trouble\n".repeat(30_000);
        for error in
            ["ERROR cannot open the ledger", "java.lang.IllegalStateException: no key", "panic: nil map"]
        {
            for log in [format!("{error}\n{filler}"), format!("{filler}{error}\n{filler}")] {
                let lines = telling_of_first(&[&log], 2);
                let line = log.lines().position(|line| line == error).unwrap_or_default() as u32 + 1;
                assert!(lines.contains(&(line, error.to_owned(), 1)), "{lines:?}");
            }
        }
        // What only holds such a word complains of nothing.
        let quiet = format!("INFO errors so far: 0 errors\n{filler}");
        assert!(telling_of_first(&[&quiet], 6).iter().all(|(line, ..)| *line > 1));
    }

    #[test]
    fn of_many_loud_lines_the_first_and_the_last_are_looked_at() {
        let text: String = (0..5_000).map(|n| format!("error {n}\n")).collect();
        let lines = loud_lines(&text);
        assert_eq!(lines.len(), MOST_LOUD);
        assert_eq!((lines[0], lines[MOST_LOUD - 1].1), ((0, "error 0"), "error 4999"));
    }

    #[test]
    fn line_numbers_hold_past_the_window() {
        let filler = "INFO all is well here today\n".repeat(10_000);
        let log = format!("{filler}ERROR the end\n");
        assert_eq!(telling_of_first(&[&log], 1)[0].0, 10_001);
    }
}
