//! Values that are secret by their shape or by the words round them: the `shapes` of the rule files, compiled.

use regex::bytes::{Regex, RegexBuilder};

use super::hit::Hit;
use super::names::{Kind, Names};
use super::rules::{Require, RuleError, RuleSet};
use super::value::{self, Setting};

#[derive(Debug)]
pub(crate) struct CompiledShape {
    pub literals: Vec<String>,
    regex: Regex,
    /// Numbers of the groups that may hold it.
    secrets: Vec<usize>,
    kind: Kind,
    require: Option<Require>,
}

/// All shapes in force, in the order of the files.
///
/// # Errors
/// A pattern that is no regular expression, has no group `secret`, names no literal, or does not do to its own
/// examples what they say.
pub(crate) fn compile(rules: &RuleSet, names: &Names) -> Result<Vec<CompiledShape>, RuleError> {
    let mut compiled = Vec::new();
    for (file, rule_file) in &rules.files {
        for shape in &rule_file.shapes {
            let fail =
                |message: String| RuleError::Shape { file: file.clone(), id: shape.id.clone(), message };
            let regex = expression(&shape.pattern).map_err(|error| fail(error.to_string()))?;
            let is_secret = |name: Option<&str>| name.is_some_and(|name| name.starts_with("secret"));
            let groups = regex.capture_names().enumerate();
            let secrets: Vec<usize> = groups.filter(|(_, name)| is_secret(*name)).map(|(i, _)| i).collect();
            if secrets.is_empty() {
                return Err(fail("the pattern has no group (?P<secret>…)".into()));
            }
            if shape.literals.is_empty() || shape.literals.iter().any(|literal| literal.len() < 3) {
                return Err(fail("give at least one literal, each of three bytes or more".into()));
            }
            let kind = names.kind_named(&shape.kind);
            let shape_ = CompiledShape {
                literals: shape.literals.clone(),
                regex,
                secrets,
                kind,
                require: shape.require,
            };
            for example in &shape.masks {
                check(&shape_, example, names).map_err(fail)?;
            }
            for example in &shape.keeps {
                if !shape_.hits(example.as_bytes(), names).is_empty() {
                    return Err(fail(format!("masks a part of its example to keep: {example}")));
                }
            }
            compiled.push(shape_);
        }
    }
    Ok(compiled)
}

/// What is secret is ASCII but for the words of a language beside it, and tables of Unicode make an expression slow to
/// build and to run: only a pattern that holds other characters gets them.
fn expression(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(!pattern.is_ascii()).build()
}

/// Compares what the shape finds with the part between ‹ and ›.
fn check(shape: &CompiledShape, example: &str, names: &Names) -> Result<(), String> {
    let (Some(open), Some(close)) = (example.find('‹'), example.find('›')) else {
        return Err(format!("its example to mask marks nothing with ‹ and ›: {example}"));
    };
    let plain = example.replace(['‹', '›'], "");
    let wanted = open..close - '‹'.len_utf8();
    if !shape.literals.iter().any(|literal| plain.contains(literal.as_str())) {
        return Err(format!("none of its literals is in its example: {example}"));
    }
    match shape.hits(plain.as_bytes(), names).as_slice() {
        [hit] if (hit.start..hit.end) == wanted => Ok(()),
        hits => {
            let found: Vec<&str> = hits.iter().map(|hit| &plain[hit.start..hit.end]).collect();
            Err(format!("finds {found:?} in its example: {example}"))
        }
    }
}

impl CompiledShape {
    pub fn hits(&self, line: &[u8], names: &Names) -> Vec<Hit> {
        let mut hits = Vec::new();
        for found in self.regex.captures_iter(line) {
            for secret in self.secrets.iter().filter_map(|group| found.get(*group)) {
                let text = secret.as_bytes();
                let fits = match self.require {
                    None | Some(Require::NotProse) => true,
                    Some(Require::Opaque) => value::is_opaque(text),
                    Some(Require::UserPass) => value::is_user_pass(text),
                };
                let prose = self.require == Some(Require::NotProse);
                let setting = Setting { quoted: false, colon: prose, strong: !prose };
                if fits && !value::is_no_secret(text, setting, names) {
                    hits.push(Hit::new(secret.start(), secret.end(), self.kind));
                }
            }
        }
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_shape_does_to_its_examples_what_they_say() {
        let rules = RuleSet::load(&[]).unwrap();
        let names = Names::new(&rules);
        let faults: Vec<String> = rules
            .files
            .iter()
            .flat_map(|(_, file)| &file.shapes)
            .filter_map(|shape| {
                let file =
                    crate::redact::rules::RuleFile { shapes: vec![shape.clone()], ..Default::default() };
                compile(&RuleSet { files: vec![(shape.id.clone(), file)] }, &names).err()
            })
            .map(|error| error.to_string())
            .collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
