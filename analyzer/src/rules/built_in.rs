//! The rules, packs and readings in the program, as `build.rs` left them: a line of JSON for each file, with what is known
//! of its expressions before any is compiled.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::RuleError;
use super::format::RuleFile;
use super::pack::PackFile;
use crate::lexicon::format::LexiconFile;
use crate::matching::prepared::Prepared;

const RULES: &str = include_str!(concat!(env!("OUT_DIR"), "/rules.jsonl"));
const PACKS: &str = include_str!(concat!(env!("OUT_DIR"), "/packs.jsonl"));
const LEXICON: &str = include_str!(concat!(env!("OUT_DIR"), "/lexicon.jsonl"));

/// One file and what is known of it. `P`: of which of its expressions what is known.
#[derive(Debug, Deserialize)]
pub struct BuiltIn<F, P = ()> {
    /// Below `rules/`.
    pub path: String,
    pub prepared: P,
    pub file: F,
}

impl<F, P> BuiltIn<F, P> {
    /// As it is called in reports and errors.
    pub fn name(&self) -> String {
        format!("rules/{}", self.path)
    }

    /// Pack and section of a rule.
    pub fn section(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(section, _)| section)
    }
}

/// A rule and its expressions, by the name of their evidence.
pub type BuiltInRule = BuiltIn<RuleFile, BTreeMap<String, Prepared>>;
/// A file of the lexicon and the expressions of each reading; `None` where one has a mistake.
pub type BuiltInLexicon = BuiltIn<LexiconFile, Vec<Vec<Option<Prepared>>>>;

pub fn rules() -> impl Iterator<Item = &'static str> {
    RULES.lines()
}

pub fn packs() -> Result<Vec<BuiltIn<PackFile>>, RuleError> {
    PACKS.lines().map(read).collect()
}

pub fn lexicon() -> Result<Vec<BuiltInLexicon>, RuleError> {
    LEXICON.lines().map(read).collect()
}

/// Reads one line. The error names the file.
pub fn read<F: DeserializeOwned, P: DeserializeOwned>(line: &str) -> Result<BuiltIn<F, P>, RuleError> {
    serde_json::from_str(line).map_err(|error| {
        let path = line.split('"').nth(3).unwrap_or("a built-in file");
        RuleError::at_place(&format!("rules/{path}"), "", None, error.to_string())
    })
}
