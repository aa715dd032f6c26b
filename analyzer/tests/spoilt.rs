//! Texts as they arrive: wrapped by a terminal, retyped by an input method or by OCR, with characters in them that nobody
//! sees. Every case of the catalogue that rests on one pasted text alone is spoilt in each way and must still be answered,
//! with its quotes taken from the text as it was sent.

// Helpers of tests are tests to a reader, not to the lint.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use analyzer::intake;
use analyzer::matching;
use analyzer::report::model::{Finding, Verdict};
use analyzer::rules::RuleSet;
use analyzer::rules::cases::{self, Expected};
use rayon::prelude::*;
use unicode_width::UnicodeWidthChar;

type Way = (&'static str, fn(&str) -> String);

const WAYS: &[Way] = &[
    ("wrapped at 80 columns", |text| wrapped(text, 80)),
    ("wrapped at 100 columns", |text| wrapped(text, 100)),
    ("full-width colons", |text| text.replace(": ", "：")),
    ("full-width brackets", |text| {
        text.replace('(', "（").replace(')', "）").replace('[', "［").replace(']', "］")
    }),
    ("full-width commas and dots", |text| text.replace(", ", "，")),
    ("ideographic spaces", |text| text.replace(' ', "\u{3000}")),
    ("zero-width spaces in words", |text| inside_words(text, '\u{200b}')),
    ("byte order marks in words", |text| inside_words(text, '\u{feff}')),
    ("soft hyphens in words", |text| inside_words(text, '\u{ad}')),
    ("word joiners in words", |text| inside_words(text, '\u{2060}')),
    ("no-break spaces", |text| text.replace(' ', "\u{a0}")),
    ("carriage returns", |text| text.replace('\n', "\r\n")),
    ("in JSON", |text| text.replace('"', "\\\"")),
];

/// As a terminal copies it: cut hard, without the space that a line ended in.
fn wrapped(text: &str, columns: usize) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let (mut piece, mut width) = (String::new(), 0);
        for c in line.chars() {
            let of_c = c.width().unwrap_or(0);
            if width + of_c > columns {
                lines.push(std::mem::take(&mut piece).trim_end().to_owned());
                width = 0;
            }
            piece.push(c);
            width += of_c;
        }
        lines.push(piece);
    }
    lines.join("\n")
}

/// In the middle of each word of six letters and more.
fn inside_words(text: &str, unseen: char) -> String {
    let spoil = |word: &str| {
        let letters = word.chars().filter(char::is_ascii_alphabetic).count();
        if letters < 6 {
            return word.to_owned();
        }
        let middle = word.char_indices().nth(word.chars().count() / 2).map_or(0, |(at, _)| at);
        format!("{}{unseen}{}", &word[..middle], &word[middle..])
    };
    text.split_inclusive(char::is_whitespace).map(spoil).collect()
}

/// A case that rests on one pasted text: rule, name, text, verdict.
fn pasted(rules: &RuleSet) -> Vec<(String, String, String, Verdict)> {
    let mut found = Vec::new();
    for rule in rules.iter().filter(|rule| rule.pack() == "blueking") {
        let Ok(Some(file)) = cases::read(&cases::path_of(&rule.path)) else { continue };
        for case in file.cases {
            let verdict = match case.expect {
                Expected::Confirmed => Verdict::Confirmed,
                Expected::Likely => Verdict::Likely,
                Expected::NeedMore | Expected::Silent => continue,
            };
            let text = case.files.values().next().and_then(|text| text.as_str());
            let is_alone = case.files.len() == 1 && case.ledger.is_empty() && !case.complete;
            let is_text = case.files.keys().all(|path| path.starts_with("texts/"));
            // What was spoilt already, and what is long enough to be a table, is not spoilt twice.
            if let Some(text) =
                text.filter(|text| is_alone && is_text && text.is_ascii() && text.lines().count() == 1)
            {
                found.push((rule.file.id.clone(), case.name.clone(), text.to_owned(), verdict));
            }
        }
    }
    found
}

fn answer(rules: &RuleSet, id: &str, text: &str) -> Option<Finding> {
    let snapshot = intake::from_files(vec![("texts/a.txt".to_owned(), text.as_bytes().to_vec())], Vec::new());
    let found = matching::run(rules, &snapshot);
    let mut all = found.findings.iter().flat_map(Finding::with_explained);
    all.find(|finding| finding.case == id).cloned()
}

#[test]
fn spoilt_texts_are_answered_as_whole_ones() {
    let rules = RuleSet::load_only(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules")).unwrap();
    let cases = pasted(&rules);
    assert!(cases.len() > 20, "only {} texts", cases.len());
    let faults: Vec<String> = cases
        .par_iter()
        .flat_map_iter(|(id, name, text, verdict)| {
            let rules = &rules;
            WAYS.iter().enumerate().filter_map(move |(nth, (way, spoil))| {
                // Pairs of ways in turn, so that each pair is tried on some texts. Nobody's terminal has two widths.
                let (also, again) = WAYS[(nth + id.len() + 1) % WAYS.len()];
                let is_twice = way.starts_with("wrapped") && also.starts_with("wrapped");
                let pair = (!is_twice).then(|| (format!("{way}, {also}"), again(&spoil(text))));
                let tried = std::iter::once((way.to_string(), spoil(text))).chain(pair);
                tried.into_iter().find_map(|(way, spoilt)| {
                    let Some(finding) = answer(rules, id, &spoilt) else {
                        return Some(format!("{id}: {name}: {way}: silent on `{spoilt}`"));
                    };
                    if finding.verdict > *verdict {
                        return Some(format!("{id}: {name}: {way}: {:?}", finding.verdict));
                    }
                    // Quotes are those of the text that was sent, and stand where it has them.
                    let lines: Vec<&str> = spoilt.lines().collect();
                    let wrong = finding.evidence.iter().find(|place| {
                        let (first, last) = (place.line as usize, place.end_line as usize);
                        first == 0 || last > lines.len() || first > last
                    });
                    wrong.map(|place| format!("{id}: {name}: {way}: line {} of {}", place.line, lines.len()))
                })
            })
        })
        .collect();
    assert!(
        faults.is_empty(),
        "{} of {} faults:\n{}",
        faults.len(),
        cases.len() * WAYS.len(),
        faults.join("\n")
    );
}

/// Messages that merely follow each other are not one.
#[test]
fn lines_that_are_not_wrapped_are_not_joined() {
    let rules = RuleSet::load_only(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules")).unwrap();
    for text in [
        // The end of one and the beginning of another, at no particular width.
        "Failed to pull image \"hub.example/a:1\": rpc error: code = Unknown desc = timeout\nthe file was not found\n",
        "10:00:00 Error: UPGRADE FAILED: another operation\n10:00:01 (install/upgrade/rollback) is in progress elsewhere\n",
    ] {
        let not_found = answer(&rules, "image-not-found", text);
        assert!(not_found.is_none(), "{text}");
    }
}
