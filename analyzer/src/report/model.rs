//! The report as data: the contract `casebook.report/v1` that the JSON output prints and every other format renders.
//!
//! A text that a person reads is a [`Text`] in both languages while the report is built, since the HTML page needs
//! both; [`Finding::in_language`] and its like turn it into a plain string, which is what JSON prints. Values that
//! came from the bundle are raw here; each format escapes them in its own way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::lang::Lang;

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
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

impl Text {
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// A text that reads the same in both languages, such as a name or the cluster's own words.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { zh: text.clone(), en: text }
    }
}

impl From<shared::lang::Localized> for Text {
    fn from(text: shared::lang::Localized) -> Self {
        Text { zh: text.zh, en: text.en }
    }
}

/// One case that holds, or may hold, with everything a reader needs to act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub struct Finding<T = Text> {
    /// Id of the rule.
    pub case: String,
    /// Pack and section of the rule, such as `blueking/install-bkce`.
    pub section: String,
    pub verdict: Verdict,
    pub severity: Severity,
    pub title: T,
    /// Class of the cause, such as `misoperation` or `environment`, where the rule names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause_class: Option<String>,
    pub subjects: Vec<Subject>,
    pub evidence: Vec<Evidence>,
    /// Why this case and what it means.
    pub conclusion: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caution: Option<T>,
    /// Steps in order; destructive ones last.
    pub fix: Vec<Fix<T>>,
    /// What would settle what is not known.
    pub asks: Vec<Ask<T>>,
    pub references: Vec<String>,
    /// The evidence is older than the present state of its subjects.
    #[serde(default)]
    pub past: bool,
    /// Findings that this one explains; shown under it and never above.
    pub explains: Vec<Finding<T>>,
    /// From the sign to the cause, object by object.
    #[serde(default)]
    pub chain: Vec<Link>,
    /// The rule says where the trouble shows, not what it comes from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pointer: bool,
    /// What its subjects wait for: it should end when that is mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Link>,
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

impl Subject {
    /// The object alone, without the part of it that is meant and where it is.
    pub fn bare(&self) -> Subject {
        Subject { container: None, node: None, ..self.clone() }
    }

    /// Kind, namespace, which is empty for what has none, and name.
    pub fn key(&self) -> (&str, &str, &str) {
        (&self.kind, self.namespace.as_deref().unwrap_or_default(), &self.name)
    }
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
#[schemars(rename = "Fix")]
pub struct Fix<T = Text> {
    pub text: T,
    pub commands: Vec<String>,
    /// It deletes something that does not come back by itself.
    pub destructive: bool,
    /// What is lost by it, for a destructive step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loses: Option<T>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Ask")]
pub struct Ask<T = Text> {
    pub text: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A case that the evidence neither shows nor rules out: no sign of it was seen, but what would show it was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Unresolved")]
pub struct Unresolved<T = Text> {
    /// Id of the rule.
    pub case: String,
    /// Pack and section of the rule.
    pub section: String,
    pub title: T,
    pub missing: Vec<Missing>,
    /// What would settle it.
    pub asks: Vec<Ask<T>>,
}

/// Something that a rule wanted to read and could not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    /// Name of the evidence in the rule.
    pub evidence: String,
    /// What it would have read, such as `pods`, `logs of blueking/bk-repo-*` or a path of the ledger.
    pub source: String,
    /// The ledger's word for what became of it, such as `forbidden`; absent when it was never asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

impl Finding {
    /// The finding and all that it explains, itself first.
    pub fn with_explained(&self) -> Vec<&Finding> {
        std::iter::once(self).chain(self.explains.iter().flat_map(Finding::with_explained)).collect()
    }

    /// The same finding with its texts in one language.
    pub fn in_language(&self, lang: Lang) -> Finding<String> {
        let text = |text: &Text| text.get(lang).to_owned();
        Finding {
            case: self.case.clone(),
            section: self.section.clone(),
            verdict: self.verdict,
            severity: self.severity,
            title: text(&self.title),
            cause_class: self.cause_class.clone(),
            subjects: self.subjects.clone(),
            evidence: self.evidence.clone(),
            conclusion: text(&self.conclusion),
            caution: self.caution.as_ref().map(text),
            fix: self.fix.iter().map(|fix| fix.in_language(lang)).collect(),
            asks: self.asks.iter().map(|ask| ask.in_language(lang)).collect(),
            references: self.references.clone(),
            past: self.past,
            explains: self.explains.iter().map(|finding| finding.in_language(lang)).collect(),
            chain: self.chain.clone(),
            pointer: self.pointer,
            waits_for: self.waits_for.clone(),
        }
    }
}

impl Fix {
    pub fn in_language(&self, lang: Lang) -> Fix<String> {
        Fix {
            text: self.text.get(lang).to_owned(),
            commands: self.commands.clone(),
            destructive: self.destructive,
            loses: self.loses.as_ref().map(|text| text.get(lang).to_owned()),
        }
    }
}

impl Ask {
    pub fn in_language(&self, lang: Lang) -> Ask<String> {
        Ask { text: self.text.get(lang).to_owned(), command: self.command.clone() }
    }
}

impl Unresolved {
    pub fn in_language(&self, lang: Lang) -> Unresolved<String> {
        Unresolved {
            case: self.case.clone(),
            section: self.section.clone(),
            title: self.title.get(lang).to_owned(),
            missing: self.missing.clone(),
            asks: self.asks.iter().map(|ask| ask.in_language(lang)).collect(),
        }
    }
}
