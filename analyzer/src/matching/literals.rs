//! Literals that every match of a regular expression must contain.
//!
//! One automaton over the literals of all patterns reads a text once; only the lines that it stops at are shown to a
//! regular expression. `regex-syntax` can extract prefixes and suffixes; here any part of the expression will do, so
//! the expression is walked for the part whose literals are longest.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A match contains at least one of these, compared without regard to the case of ASCII letters. Never empty.
pub type Literals = Vec<Vec<u8>>;

/// Shorter literals would stop the scan at nearly every line.
pub const SHORTEST: usize = 4;
/// More alternatives than this are not worth an entry each.
const MOST: usize = 64;

/// The best set of required literals, or `None` if a match may do without any of [`SHORTEST`] bytes.
pub fn required(hir: &Hir) -> Option<Literals> {
    let mut best = walk(hir).required?;
    best.sort();
    best.dedup();
    (shortest(&best) >= SHORTEST).then_some(best)
}

/// What is known of one part of an expression.
struct Part {
    /// If every match of the part is one of a few strings: these (in lower case).
    exact: Option<Literals>,
    required: Option<Literals>,
}

impl Part {
    fn anything() -> Part {
        Part { exact: None, required: None }
    }

    fn exactly(strings: Literals) -> Part {
        let required = strings.iter().all(|s| !s.is_empty()).then(|| strings.clone());
        Part { exact: Some(strings), required }
    }
}

fn walk(hir: &Hir) -> Part {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Part::exactly(vec![Vec::new()]),
        HirKind::Literal(literal) => Part::exactly(vec![literal.0.to_ascii_lowercase()]),
        HirKind::Class(class) => class_strings(class).map_or_else(Part::anything, Part::exactly),
        HirKind::Capture(capture) => walk(&capture.sub),
        HirKind::Repetition(repetition) => {
            let inner = walk(&repetition.sub);
            match (repetition.min, repetition.max) {
                (1, Some(1)) => inner,
                (0, Some(1)) => match inner.exact {
                    // `x?` is one of two strings; neither is required.
                    Some(mut strings) if strings.len() < MOST => {
                        strings.push(Vec::new());
                        Part::exactly(strings)
                    }
                    _ => Part::anything(),
                },
                (0, _) => Part::anything(),
                _ => Part { exact: None, required: inner.required },
            }
        }
        HirKind::Alternation(branches) => alternation(branches),
        HirKind::Concat(parts) => concat(parts),
    }
}

/// A class of few characters, such as `[Ee]` or `[“"]`, as strings.
fn class_strings(class: &Class) -> Option<Literals> {
    const FEW: usize = 6;
    let mut strings = Vec::new();
    match class {
        Class::Unicode(class) => {
            for c in class.iter().flat_map(|range| range.start()..=range.end()).take(FEW + 1) {
                strings.push(c.to_string().into_bytes().to_ascii_lowercase());
            }
        }
        Class::Bytes(class) => {
            for b in class.iter().flat_map(|range| range.start()..=range.end()).take(FEW + 1) {
                strings.push(vec![b.to_ascii_lowercase()]);
            }
        }
    }
    if strings.len() > FEW {
        return None;
    }
    strings.sort();
    strings.dedup();
    Some(strings)
}

fn alternation(branches: &[Hir]) -> Part {
    let mut exact = Some(Literals::new());
    let mut required = Some(Literals::new());
    for branch in branches {
        let part = walk(branch);
        merge(&mut exact, part.exact);
        merge(&mut required, part.required);
    }
    Part { exact, required }
}

fn merge(all: &mut Option<Literals>, more: Option<Literals>) {
    *all = match (all.take(), more) {
        (Some(mut all), Some(more)) if all.len() + more.len() <= MOST => {
            all.extend(more);
            Some(all)
        }
        _ => None,
    };
}

/// Joins neighbours that are exact into longer strings and keeps the best run.
fn concat(parts: &[Hir]) -> Part {
    let mut run: Literals = vec![Vec::new()];
    let mut all_exact = true;
    let mut best: Option<Literals> = None;
    for hir in parts {
        let part = walk(hir);
        match part.exact {
            Some(strings) if run.len() * strings.len() <= MOST => {
                run = run
                    .iter()
                    .flat_map(|head| strings.iter().map(move |tail| [head.as_slice(), tail].concat()))
                    .collect();
            }
            exact => {
                all_exact = false;
                consider(&mut best, std::mem::replace(&mut run, vec![Vec::new()]));
                consider(&mut best, part.required.unwrap_or_default());
                if let Some(strings) = exact {
                    run = strings;
                }
            }
        }
    }
    if all_exact {
        return Part::exactly(run);
    }
    consider(&mut best, run);
    Part { exact: None, required: best }
}

fn consider(best: &mut Option<Literals>, other: Literals) {
    if worth(&other) > best.as_ref().map_or(0, worth) {
        *best = Some(other);
    }
}

fn shortest(literals: &Literals) -> usize {
    literals.iter().map(Vec::len).min().unwrap_or(0)
}

/// Long literals stop the scan seldom; few are better than many.
fn worth(literals: &Literals) -> usize {
    let shortest = shortest(literals);
    if shortest == 0 { 0 } else { (shortest.min(24) * 16).saturating_sub(literals.len()).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> Option<Vec<String>> {
        let hir = regex_syntax::parse(pattern).unwrap();
        required(&hir).map(|all| all.into_iter().map(|b| String::from_utf8_lossy(&b).into_owned()).collect())
    }

    #[test]
    fn the_longest_certain_part_is_taken() {
        assert_eq!(
            of(r"\d+ failed to resolve host \[(?P<host>[^\]]+)\]").unwrap(),
            ["failed to resolve host ["].map(|s| format!(" {s}"))
        );
        assert_eq!(of("(?i)Could Not").unwrap(), ["could not"]);
        assert_eq!(
            of(r"x509: (certificate is valid|unknown authority)").unwrap(),
            ["x509: certificate is valid", "x509: unknown authority"]
        );
        assert_eq!(of(r"\w+(?:line|行) ?\d+: helmfile").unwrap(), [": helmfile"]);
    }

    #[test]
    fn what_may_be_left_out_is_not_required() {
        assert_eq!(of("(?:optional)?.*"), None);
        assert_eq!(of(r"a\d+b"), None, "shorter than four bytes");
        assert_eq!(of("long enough|.*"), None, "one branch needs nothing");
        assert_eq!(of("colou?r of").unwrap(), ["color of", "colour of"]);
        assert_eq!(of("(?:abcdef)*xy"), None);
        assert_eq!(of("(?:abcdef)+xy").unwrap(), ["abcdef"]);
    }

    #[test]
    fn characters_of_three_bytes_count_as_such() {
        assert_eq!(of("未找到").unwrap(), ["未找到"]);
    }
}
