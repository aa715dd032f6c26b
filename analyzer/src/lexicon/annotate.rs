//! Puts readings to the lines that a report shows, and shows those lines of a paste that only the lexicon can read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::format::Precision;
use super::model::{Named, Reading};
use super::names::{Name, names};
use super::read::Read;
use super::resolve::{Addresses, Resolved, Writer};
use super::set::Lexicon;
use crate::matching::state::World;
use crate::matching::template::{Use, render};
use crate::matching::{chain, row};
use crate::report::model::{Finding, Link, Subject, Text};
use crate::snapshot::{FileId, Snapshot, TextKind, TextSource};
use crate::triage::model::{LogLine, TextLines, Triage};

/// Lines of one report that are read.
const MOST_LINES: usize = 400;
/// Lines of pasted texts that nothing else showed.
const MOST_NEW: usize = 8;
/// Bytes of pasted texts that are looked through for such lines.
const LOOKED_THROUGH: usize = 4 << 20;
/// Readings of a line that somebody asks about.
const MOST_READINGS: usize = 3;
/// Names of one line that are told.
const MOST_NAMES: usize = 3;
/// Bytes of a line that are told.
const SHOWN: usize = 400;

/// The readings of the lines that `findings` and `triage` show. Lines of pasted texts that read as an error and were
/// shown nowhere are added to the texts of `triage`.
pub fn annotate(
    lexicon: &Lexicon,
    snapshot: &Snapshot,
    findings: &[Finding],
    triage: &mut Triage,
) -> Vec<Reading> {
    let mut lines = shown_lines(findings, triage);
    add_unread(lexicon, snapshot, &mut lines, triage);
    lines.truncate(MOST_LINES);
    let teller = Teller::new(snapshot, findings);
    let mut told = HashSet::new();
    lines
        .iter()
        .filter(|line| told.insert((line.path.clone(), line.line)))
        .filter_map(|line| {
            let best = lexicon.read(&line.text).into_iter().next()?;
            Some(teller.tell(&best, line))
        })
        .collect()
}

/// What one line says, best reading first; where it stands (`path`, `line`) tells who wrote it.
pub fn read_line(
    lexicon: &Lexicon,
    snapshot: &Snapshot,
    findings: &[Finding],
    (path, line): (&str, u32),
    text: &str,
) -> Vec<Reading> {
    let shown = Shown { path: path.to_owned(), line, text: text.to_owned() };
    let teller = Teller::new(snapshot, findings);
    lexicon.read(text).iter().take(MOST_READINGS).map(|read| teller.tell(read, &shown)).collect()
}

/// A line that the report shows.
struct Shown {
    path: String,
    line: u32,
    text: String,
}

fn shown_lines(findings: &[Finding], triage: &Triage) -> Vec<Shown> {
    let evidence = findings.iter().flat_map(Finding::with_explained).flat_map(|finding| &finding.evidence);
    let quoted = evidence
        .filter(|place| place.pointer.is_none())
        .map(|place| (&place.path, place.line, place.excerpt.as_str()));
    let problems = || triage.groups.iter().flat_map(|group| &group.problems);
    let logs =
        problems().flat_map(|problem| &problem.log).map(|line| (&line.path, line.line, line.text.as_str()));
    let messages =
        problems().filter_map(|problem| Some((&problem.path, problem.line, problem.message.as_deref()?)));
    let texts = triage.texts.iter().flat_map(|text| &text.lines);
    let texts = texts.map(|line| (&line.path, line.line, line.text.as_str()));
    let all = quoted.chain(logs).chain(texts).chain(messages);
    all.map(|(path, line, text)| Shown { path: path.clone(), line, text: text.to_owned() }).collect()
}

/// Lines of pasted texts that read as an error and that nothing shows: "command terminated with exit code 137" sounds
/// harmless to [`crate::triage`], and is all that some people send.
fn add_unread(lexicon: &Lexicon, snapshot: &Snapshot, lines: &mut Vec<Shown>, triage: &mut Triage) {
    let mut seen: HashSet<(String, u32)> = lines.iter().map(|line| (line.path.clone(), line.line)).collect();
    let mut read: HashSet<&str> = lines
        .iter()
        .filter_map(|line| lexicon.read(&line.text).first().map(|best| best.reading.spec.id.as_str()))
        .collect();
    let (mut looked, mut added) = (0, 0);
    for source in snapshot.texts.iter().filter(|source| source.kind == TextKind::Pasted) {
        let file = &snapshot.files[source.file.0 as usize];
        // Objects that were pasted as YAML or JSON are read as what they are.
        if file.path.ends_with(".json") || file.path.ends_with(".yaml") {
            continue;
        }
        looked += source.range.len();
        if looked > LOOKED_THROUGH {
            return;
        }
        let first = file.line_of(source.range.start);
        for (text, line) in file.text[source.range.clone()].lines().zip(first..) {
            if added == MOST_NEW {
                return;
            }
            let Some(best) = lexicon.read(text).into_iter().next() else { continue };
            let spec = &best.reading.spec;
            if spec.precision == Precision::Hint && added + seen.len() > 0
                || !seen.insert((file.path.clone(), line))
                || !read.insert(&spec.id)
            {
                continue;
            }
            added += 1;
            let text = crate::triage::without_timestamp(text.trim());
            let shown = LogLine {
                path: file.path.clone(),
                line,
                text: text[..text.floor_char_boundary(SHOWN)].to_owned(),
                count: 1,
                time: None,
            };
            lines.push(Shown { path: file.path.clone(), line, text: text.to_owned() });
            match triage.texts.iter_mut().find(|known| known.path == file.path) {
                Some(known) => {
                    known.lines.push(shown);
                    known.lines.sort_by_key(|line| line.line);
                }
                None => triage.texts.push(TextLines { path: file.path.clone(), lines: vec![shown] }),
            }
        }
    }
}

struct Teller<'s> {
    addresses: Addresses<'s>,
    world: World<'s>,
    files: HashMap<&'s str, FileId>,
    sources: HashMap<FileId, Vec<&'s TextSource>>,
    /// Cases by their subjects.
    cases: HashMap<Subject, Vec<&'s str>>,
}

impl<'s> Teller<'s> {
    fn new(snapshot: &'s Snapshot, findings: &'s [Finding]) -> Self {
        let files =
            snapshot.files.iter().zip(0..).map(|(file, id)| (file.path.as_str(), FileId(id))).collect();
        let mut sources: HashMap<FileId, Vec<&TextSource>> = HashMap::new();
        for source in &snapshot.texts {
            sources.entry(source.file).or_default().push(source);
        }
        let mut cases: HashMap<Subject, Vec<&str>> = HashMap::new();
        for finding in findings {
            for subject in &finding.subjects {
                cases.entry(subject.bare()).or_default().push(&finding.case);
            }
        }
        Self { addresses: Addresses::new(snapshot), world: World::new(snapshot), files, sources, cases }
    }

    /// Who wrote the line: the narrowest text that holds it and says so.
    fn writer(&self, snapshot: &'s Snapshot, line: &Shown) -> Writer<'s> {
        let Some(id) = self.files.get(line.path.as_str()) else { return Writer::default() };
        let file = &snapshot.files[id.0 as usize];
        let holds = |source: &&&TextSource| {
            !source.range.is_empty()
                && (file.line_of(source.range.start)..=file.line_of(source.range.end - 1))
                    .contains(&line.line)
        };
        let sources = self.sources.get(id).into_iter().flatten().filter(holds);
        let told = sources.min_by_key(|source| (source.pod.is_none(), source.range.len()));
        told.map_or_else(Writer::default, |source| Writer::of(source))
    }

    fn tell(&self, read: &Read<'_>, line: &Shown) -> Reading {
        let writer = self.writer(self.world.snapshot(), line);
        let mut fields = read.fields.clone();
        for (key, value) in [
            ("namespace", writer.namespace),
            ("pod", writer.pod),
            ("container", writer.container),
            ("node", writer.node),
        ] {
            if let Some(value) = value {
                fields.entry(key).or_insert_with(|| json!(value));
            }
        }
        let far = self.names(line, writer);
        // The other end, whether or not the bundle knows it.
        let mut ends = names(&line.text).into_iter().filter(|name| matches!(name, Name::Endpoint { .. }));
        if let Some(end) = far
            .first()
            .map(|named| named.name.clone())
            .or_else(|| Some(ends.next_back()?.written().to_owned()))
        {
            fields.entry("name").or_insert_with(|| json!(end));
        }
        let hit = Arc::new(Value::Object(fields));
        let spec = &read.reading.spec;
        let text = |template: &str| {
            render(template, Use::Text, |name| (name == "hit").then(|| vec![&hit]))
                .unwrap_or_else(|_| template.to_owned())
        };
        let command = spec.command.as_ref().and_then(|template| {
            render(template, Use::Command, |name| (name == "hit").then(|| vec![&hit])).ok()
        });
        Reading {
            id: spec.id.clone(),
            class: read.reading.class.clone(),
            path: line.path.clone(),
            line: line.line,
            text: row::shorten(&line.text),
            meaning: Text::new(text(&spec.meaning.zh), text(&spec.meaning.en)),
            sides: spec.sides.clone(),
            command,
            names: far,
        }
    }

    fn names(&self, line: &Shown, writer: Writer<'_>) -> Vec<Named> {
        let found = names(&line.text);
        let mut told: Vec<Named> = Vec::new();
        for name in &found {
            let Some(resolved) = self.addresses.resolve(name, writer) else { continue };
            if told.iter().any(|known| known.subject == resolved.subject) {
                continue;
            }
            told.push(self.named(name, resolved));
        }
        told.truncate(MOST_NAMES);
        told
    }

    fn named(&self, name: &Name<'_>, resolved: Resolved) -> Named {
        let chain: Vec<Link> = resolved
            .rests_on
            .iter()
            .map(|subject| chain::below(subject, &self.world))
            .max_by_key(Vec::len)
            .unwrap_or_default();
        let about = std::iter::once(&resolved.subject).chain(chain.iter().map(|link| &link.subject));
        let mut cases: Vec<String> = Vec::new();
        for case in about.filter_map(|subject| self.cases.get(&subject.bare())).flatten() {
            if !cases.iter().any(|known| known == case) {
                cases.push((*case).to_owned());
            }
        }
        Named {
            name: name.written().to_owned(),
            subject: resolved.subject,
            state: resolved.state,
            chain,
            cases,
        }
    }
}
