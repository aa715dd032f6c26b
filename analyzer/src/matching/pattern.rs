//! One compiled `text` of a rule.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind, Repetition};

use super::clean::plain_pattern;
use super::literals::{self, Literals};

/// Compiled size that one expression may have; a case needs some kilobytes.
const MOST_BYTES: usize = 4 << 20;

/// A terminal breaks one message into at most so many lines.
pub const WRAPPED_LINES: u32 = 12;

#[derive(Debug)]
pub struct Pattern {
    pub regex: Regex,
    /// Every match holds one of these.
    pub literals: Literals,
    /// A match may span so many lines; 1 as a rule.
    pub lines: u32,
    /// The rule looks for the text in broken lines however they are broken, not only where they are full.
    pub wrapped: bool,
    /// The expression for text whose line breaks were taken out; made when it is first needed.
    loose: OnceLock<Option<Regex>>,
    /// Names of the groups that become fields.
    pub groups: Vec<String>,
}

impl Pattern {
    /// The error is a sentence that may have several lines: the regex library points at the place.
    pub fn compile(source: &str, multiline: Option<u32>, wrapped: bool) -> Result<Pattern, String> {
        let lines = multiline.unwrap_or(1);
        let plain = plain_pattern(source);
        let regex = RegexBuilder::new(&plain)
            .multi_line(lines > 1)
            .size_limit(MOST_BYTES)
            .build()
            .map_err(|error| error.to_string())?;
        let literals = literals::required(&parse(&plain, lines)?).ok_or_else(|| {
            format!("no literal of {} bytes is certain to be in a match of `{source}`", literals::SHORTEST)
        })?;
        if regex.is_match("") {
            return Err(format!("`{source}` matches the empty string"));
        }
        let groups = regex.capture_names().flatten().map(str::to_owned).collect();
        Ok(Pattern { regex, literals, lines, wrapped, loose: OnceLock::new(), groups })
    }

    /// The expression for text whose line breaks were taken out: every space may be missing. `None` where that cannot be
    /// made, or the pattern speaks of several lines itself and does not ask for it.
    pub fn loose(&self) -> Option<&Regex> {
        let make = || {
            let hir = parse(self.regex.as_str(), self.lines).ok()?;
            RegexBuilder::new(&loosen(&hir).to_string()).size_limit(MOST_BYTES).build().ok()
        };
        self.loose.get_or_init(|| if self.lines > 1 && !self.wrapped { None } else { make() }).as_ref()
    }
}

fn parse(source: &str, lines: u32) -> Result<Hir, String> {
    let mut parser = regex_syntax::ParserBuilder::new().multi_line(lines > 1).build();
    parser.parse(source).map_err(|error| error.to_string())
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
        assert_eq!(pattern.groups, ["name"]);
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
