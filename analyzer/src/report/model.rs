//! The report as data: the contract `casebook.report/v1` that the JSON output prints and every other format renders.
//!
//! A text that a person reads is [`Localized`], and becomes one language when a format is written. Values that came
//! from the bundle are raw here; each format escapes them in its own way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A verdict on one case; the order is from the surest down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The deciding witness is there.
    Confirmed,
    /// The signs are there, the deciding witness is not.
    Likely,
    /// A sign is there and what would decide was not collected.
    NeedMore,
}

/// How bad a finding is for the installation; the order is from the worst down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Critical,
    Error,
    Warning,
    Info,
}

/// A text of the rules in both languages, with the values of this bundle filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Text {
    pub zh: String,
    pub en: String,
}

impl Text {
    pub fn get(&self, lang: shared::lang::Lang) -> &str {
        match lang {
            shared::lang::Lang::Zh => &self.zh,
            shared::lang::Lang::En => &self.en,
        }
    }
}

impl From<shared::lang::Localized> for Text {
    fn from(text: shared::lang::Localized) -> Self {
        Text { zh: text.zh, en: text.en }
    }
}

/// One case that holds, or may hold, with everything a reader needs to act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Id of the rule.
    pub case: String,
    /// Pack and section of the rule, such as `blueking/install-bkce`.
    pub section: String,
    pub verdict: Verdict,
    pub severity: Severity,
    pub title: Text,
    /// Class of the cause, such as `misoperation` or `environment`, where the rule names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause_class: Option<String>,
    pub subjects: Vec<Subject>,
    pub evidence: Vec<Evidence>,
    /// Why this case and what it means.
    pub conclusion: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caution: Option<Text>,
    /// Steps in order; destructive ones last.
    pub fix: Vec<Fix>,
    /// What would settle what is not known.
    pub asks: Vec<Ask>,
    pub references: Vec<String>,
    /// The evidence is older than the present state of its subjects.
    #[serde(default)]
    pub past: bool,
    /// Findings that this one explains; shown under it and never above.
    pub explains: Vec<Finding>,
    /// From the sign to the cause, object by object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Link>,
}

/// One step of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    pub subject: Subject,
    /// What is wrong with it, in the words of the cluster.
    pub state: String,
}

/// What a finding is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

/// A place in the bundle that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Name of the evidence in the rule.
    pub name: String,
    /// Path in the bundle.
    pub path: String,
    /// First and last line, counted from 1.
    pub line: u32,
    pub end_line: u32,
    /// JSON pointer within the file, for objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The line, or the telling fields of the object; at most some hundred characters.
    pub excerpt: String,
    /// RFC 3339, where the line or the object has a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// How many rows of the same shape there are in all.
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    pub text: Text,
    pub commands: Vec<String>,
    /// It deletes something that does not come back by itself.
    pub destructive: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ask {
    pub text: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}
