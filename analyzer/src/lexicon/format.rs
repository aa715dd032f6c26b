//! A file of the lexicon as it is written: `rules/lexicon/<class>.yaml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::lang::Localized;

use crate::rules::format::{BothLanguages, OneOrMany};

/// Readings of one class of errors.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LexiconFile {
    /// What the readings have in common, such as `errno` or `x509`; equal to the file's name.
    #[schemars(regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub class: String,
    pub readings: Vec<ReadingSpec>,
}

/// How to read one kind of error.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingSpec {
    /// Kebab-case, one in the whole lexicon, never reused.
    #[schemars(regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub id: String,
    /// Regular expressions over one line, any of which may match. Named groups become fields of `hit`.
    pub text: OneOrMany,
    /// A line that this matches as well is another thing.
    #[serde(default)]
    pub unless: Option<String>,
    #[serde(default)]
    pub precision: Precision,
    /// One sentence: what the words mean and whose fault it can be. A template over `hit`.
    #[schemars(with = "BothLanguages")]
    pub meaning: Localized,
    /// Where the fault can lie, likeliest first.
    pub sides: Vec<Side>,
    /// The first command, a template over `hit`.
    #[serde(default)]
    pub command: Option<String>,
    pub tests: ReadingTests,
}

/// How much the words alone say; the more, the earlier a reading is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// What is wrong, to the point.
    Exact,
    /// The kind of error; what lies behind it is to be found.
    #[default]
    Kind,
    /// Only a hint, told where nothing better is known.
    Hint,
}

/// An end at which a fault can lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The program that wrote the line.
    Program,
    /// Its settings, or what was deployed.
    Configuration,
    /// The other end of the connection.
    Server,
    /// What lies between.
    Network,
    /// Name resolution.
    Names,
    /// The node: kernel, disk, memory, runtime.
    Node,
    Storage,
    Registry,
    ControlPlane,
    /// Rights and credentials.
    Rights,
}

/// Lines that show that a reading reads what it should.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingTests {
    /// Lines that it must be the first to read.
    pub reads: Vec<String>,
    /// Lines alike that it must pass over.
    #[serde(default)]
    pub passes: Vec<String>,
}
