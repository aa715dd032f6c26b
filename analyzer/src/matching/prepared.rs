//! What is known of a regular expression before it is compiled: the literals that each match holds, and its groups.
//!
//! It is found when the program is built (`build.rs` takes this file in), since a run meets few of the thousand
//! expressions of all rules: those whose literals it sees.

use regex_syntax::hir::{Hir, HirKind};
use serde::{Deserialize, Serialize};

use super::literals;
use super::plain::plain_pattern;

/// An expression that can be looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// The expression over cleaned text.
    pub source: String,
    /// Every match holds one of these, in lower case.
    pub literals: Vec<String>,
    /// Names of the groups that become fields.
    pub groups: Vec<String>,
}

impl Prepared {
    /// `lines`: how many lines a match may span. The error is a sentence that may have several lines: the regex library
    /// points at the place.
    pub fn new(source: &str, lines: u32) -> Result<Prepared, String> {
        let plain = plain_pattern(source).into_owned();
        let hir = parse(&plain, lines)?;
        let found = literals::required(&hir).ok_or_else(|| {
            format!("no literal of {} bytes is certain to be in a match of `{source}`", literals::SHORTEST)
        })?;
        let text = |literal: Vec<u8>| String::from_utf8(literal).map_err(|error| error.to_string());
        let mut groups = Vec::new();
        collect(&hir, &mut groups);
        Ok(Prepared {
            source: plain,
            literals: found.into_iter().map(text).collect::<Result<_, _>>()?,
            groups,
        })
    }
}

pub fn parse(source: &str, lines: u32) -> Result<Hir, String> {
    let mut parser = regex_syntax::ParserBuilder::new().multi_line(lines > 1).build();
    parser.parse(source).map_err(|error| error.to_string())
}

/// Names of groups, in the order in which they open.
fn collect(hir: &Hir, names: &mut Vec<String>) {
    match hir.kind() {
        HirKind::Capture(capture) => {
            names.extend(capture.name.as_deref().map(str::to_owned));
            collect(&capture.sub, names);
        }
        HirKind::Repetition(repetition) => collect(&repetition.sub, names),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect(part, names));
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}
