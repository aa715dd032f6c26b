//! One compiled `text` of a rule.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind, Repetition};

use super::plain::plain_pattern;
use super::prepared::{Prepared, parse};

/// Compiled size that one expression may have; a case needs some kilobytes.
const MOST_BYTES: usize = 4 << 20;

/// A terminal breaks one message into at most so many lines.
pub const WRAPPED_LINES: u32 = 12;

#[derive(Debug)]
pub struct Pattern {
    prepared: Prepared,
    /// Made when a literal of it was seen first.
    regex: OnceLock<Regex>,
    /// A match may span so many lines; 1 as a rule.
    pub lines: u32,
    /// The rule looks for the text in broken lines however they are broken, not only where they are full.
    pub wrapped: bool,
    /// The expression for text whose line breaks were taken out; made when it is first needed.
    loose: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// The error is a sentence that may have several lines: the regex library points at the place.
    pub fn compile(source: &str, multiline: Option<u32>, wrapped: bool) -> Result<Pattern, String> {
        let lines = multiline.unwrap_or(1);
        // The library's own words come first, as they name the place best.
        let regex = build(&plain_pattern(source), lines)?;
        let pattern = Pattern::prepared(Prepared::new(source, lines)?, multiline, wrapped);
        let _ = pattern.regex.set(regex);
        Ok(pattern)
    }

    /// Of an expression that is known to compile.
    pub fn prepared(prepared: Prepared, multiline: Option<u32>, wrapped: bool) -> Pattern {
        let (regex, loose) = (OnceLock::new(), OnceLock::new());
        Pattern { prepared, regex, lines: multiline.unwrap_or(1), wrapped, loose }
    }

    pub fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| {
            let nothing = || Regex::new(r"[^\s\S]").expect("a valid expression");
            build(&self.prepared.source, self.lines).unwrap_or_else(|_| nothing())
        })
    }

    /// Every match holds one of these, in lower case.
    pub fn literals(&self) -> impl Iterator<Item = &[u8]> {
        self.prepared.literals.iter().map(String::as_bytes)
    }

    /// Names of the groups that become fields.
    pub fn groups(&self) -> &[String] {
        &self.prepared.groups
    }

    /// The expression for text whose line breaks were taken out: every space may be missing. `None` where that cannot be
    /// made, or the pattern speaks of several lines itself and does not ask for it.
    pub fn loose(&self) -> Option<&Regex> {
        let make = || {
            let hir = parse(&self.prepared.source, self.lines).ok()?;
            RegexBuilder::new(&loosen(&hir).to_string()).size_limit(MOST_BYTES).build().ok()
        };
        self.loose.get_or_init(|| if self.lines > 1 && !self.wrapped { None } else { make() }).as_ref()
    }
}

fn build(source: &str, lines: u32) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(source);
    builder.multi_line(lines > 1).size_limit(MOST_BYTES).build().map_err(|error| error.to_string())
}

/// The expression with every space optional: when lines are joined, the space at a break is gone.
fn loosen(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Literal(literal) if literal.0.contains(&b' ') => {
            let mut parts = Vec::new();
            for (index, piece) in literal.0.split(|byte| *byte == b' ').enumerate() {
                if index > 0 {
                    parts.push(optional(Hir::literal(*b" "), None));
                }
                parts.push(Hir::literal(piece));
            }
            Hir::concat(parts)
        }
        HirKind::Repetition(repetition) if is_space(&repetition.sub) => {
            optional((*repetition.sub).clone(), repetition.max)
        }
        HirKind::Repetition(repetition) => {
            Hir::repetition(Repetition { sub: Box::new(loosen(&repetition.sub)), ..repetition.clone() })
        }
        HirKind::Class(_) if is_space(hir) => optional(hir.clone(), Some(1)),
        HirKind::Capture(capture) => {
            let mut capture = capture.clone();
            capture.sub = Box::new(loosen(&capture.sub));
            Hir::capture(capture)
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(loosen).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(loosen).collect()),
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => hir.clone(),
    }
}

fn optional(sub: Hir, max: Option<u32>) -> Hir {
    Hir::repetition(Repetition { min: 0, max, greedy: true, sub: Box::new(sub) })
}

/// A class of white space alone, such as `\s`.
fn is_space(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => {
            !class.ranges().is_empty()
                && class.iter().all(|range| (range.start()..=range.end()).all(char::is_whitespace))
        }
        HirKind::Literal(literal) => &*literal.0 == b" ",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_pattern_forgives_lost_spaces() {
        let pattern = Pattern::compile(r"has no deployed releases: (?P<name>\S+)", None, true).unwrap();
        let found = pattern.loose().unwrap().captures("hasno deployedreleases:bk-paas").unwrap();
        assert_eq!(&found["name"], "bk-paas");
        assert_eq!(pattern.groups(), ["name"]);
    }

    #[test]
    fn patterns_without_hold_are_refused() {
        let error = |source| Pattern::compile(source, None, false).unwrap_err();
        assert!(error(r"\d+").contains("no literal of 4 bytes"));
        assert!(error("(").contains("unclosed group"));
        assert!(
            error(r"x{999}{999}{999}long").contains("size limit")
                || error(r"x{999}{999}{999}long").contains("exceeds")
        );
    }
}
