//! A reading as the report tells it. Part of the JSON contract: see [`crate::report::model`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::lang::Lang;

use super::format::Side;
use crate::report::model::{Link, Subject, Text};

/// What one line of the evidence means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Reading")]
pub struct Reading<T = Text> {
    /// Id of the reading in the lexicon.
    pub id: String,
    /// Its class, such as `errno` or `x509`.
    pub class: String,
    /// Where the line stands.
    pub path: String,
    pub line: u32,
    /// The line, shortened.
    pub text: String,
    /// One sentence: what the words mean and whose fault it can be.
    pub meaning: T,
    /// Where the fault can lie, likeliest first.
    pub sides: Vec<Side>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What the line names, looked up in the bundle.
    pub names: Vec<Named<T>>,
}

/// Something that a line names and the bundle knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Named")]
pub struct Named<T = Text> {
    /// As the line writes it, such as `10.96.1.1:5432`.
    pub name: String,
    /// What it is.
    pub subject: Subject,
    /// What the bundle says of it, in a few words.
    pub state: T,
    /// From it to what it waits for, object by object, each not well.
    pub chain: Vec<Link>,
    /// Ids of the cases found for it or for what it waits for.
    pub cases: Vec<String>,
}

impl Reading {
    /// The same with its texts in one language.
    pub fn in_language(&self, lang: Lang) -> Reading<String> {
        Reading {
            id: self.id.clone(),
            class: self.class.clone(),
            path: self.path.clone(),
            line: self.line,
            text: self.text.clone(),
            meaning: self.meaning.get(lang).to_owned(),
            sides: self.sides.clone(),
            command: self.command.clone(),
            names: self.names.iter().map(|named| named.in_language(lang)).collect(),
        }
    }
}

impl Named {
    fn in_language(&self, lang: Lang) -> Named<String> {
        Named {
            name: self.name.clone(),
            subject: self.subject.clone(),
            state: self.state.get(lang).to_owned(),
            chain: self.chain.clone(),
            cases: self.cases.clone(),
        }
    }
}
