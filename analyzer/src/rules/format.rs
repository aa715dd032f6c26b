//! The rule file as it is written: `rules/<pack>/<section>/<id>.yaml`.
//!
//! These types are the format; `rules/README.md` explains it to people and `rules/rule.schema.json`, generated from
//! here, to editors. Nothing is checked here beyond its shape: [`super::compile`] gives it meaning.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::lang::Localized;

use crate::report::model::Severity;

/// One case: what shows it, how sure that makes us, what to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// Kebab-case, equal to the file name, never reused. The JSON report calls it `case`.
    #[schemars(regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub id: String,
    #[schemars(with = "BothLanguages")]
    pub title: Localized,
    pub status: Status,
    pub severity: Severity,
    /// Whose doing the cause is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause_class: Option<CauseClass>,
    /// How deep the cause lies. One cause on a lower layer explains many findings above it, so it is shown first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Layer>,
    /// Where the case is written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The version of casebook that first had the rule.
    pub since: String,
    /// Words people search with that stand nowhere else in the rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Product or cluster versions that the case belongs to; an unknown version does not close the gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<Versions>,
    /// Its words are the product's own: it speaks even where nothing else shows that the product is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub distinctive: bool,
    /// What to look for, by name. Later ones may refer to earlier ones.
    pub evidence: IndexMap<String, EvidenceSpec>,
    pub verdict: VerdictSpec,
    /// Silences the rule where it holds: a near neighbour was recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<String>,
    /// The evidence whose row the case is about; with several, the first that has a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<OneOrMany>,
    /// Values, such as `pull.host`, that split findings: what differs in them is not put together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// The first whose `when` holds is told. The last has no `when`.
    pub outcomes: Vec<OutcomeSpec>,
    /// What to make sure of before following any advice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BothLanguages>")]
    pub caution: Option<Localized>,
    /// What would settle an evidence that is unknown, by the evidence's name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub asks: IndexMap<String, AskSpec>,
    /// Rules whose findings on the same subjects are shown beneath this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explains: Vec<String>,
    /// The rule only points at a cause: any other finding on the same subject stands above it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pointer: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
}

/// A text in both languages.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // Only its schema is used: the type itself is `shared::lang::Localized`.
pub(crate) struct BothLanguages {
    zh: String,
    en: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Written from a description; not yet seen in real output.
    Experimental,
    Stable,
    /// Kept so that its id stays taken; not run.
    Deprecated,
}

/// Whose doing the cause is: 操作不当, 配置不当, 部署不当, 环境问题, 产品缺陷.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseClass {
    Misoperation,
    Misconfiguration,
    Misdeployment,
    Environment,
    Defect,
}

impl CauseClass {
    pub fn as_str(self) -> &'static str {
        match self {
            CauseClass::Misoperation => "misoperation",
            CauseClass::Misconfiguration => "misconfiguration",
            CauseClass::Misdeployment => "misdeployment",
            CauseClass::Environment => "environment",
            CauseClass::Defect => "defect",
        }
    }
}

/// From the ground up; the order is the order of roots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    ControlPlane,
    Node,
    Network,
    Storage,
    Image,
    Config,
    Application,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub document: String,
    pub section: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// Such as `>=1.24` or `>=1.20, <1.25`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<String>,
    /// Version of the installed chart, by the chart's name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub chart: IndexMap<String, String>,
}

/// One thing to look for. It yields rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceSpec {
    /// Where to look: `texts`, `logs`, `events`, `pods`, `helm.releases`, … or several of them.
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<OneOrMany>,
    /// Looks at the row that another evidence has, instead of a source: a branch of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Regular expression over one line, or over the message of an event. Named groups become fields of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The expression may span up to this many lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 200))]
    pub multiline: Option<u32>,
    /// Also find the text where a terminal broke it into several lines.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wrapped: bool,
    /// Globs over pod names, for logs and events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<OneOrMany>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<OneOrMany>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containers: Option<OneOrMany>,
    /// Only logs of the previous (`true`) or of the current (`false`) run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<bool>,
    /// Cheap tests before `where`: path of a field → glob, or a list of globs of which one must match.
    #[serde(rename = "match", default, skip_serializing_if = "IndexMap::is_empty")]
    pub matches: IndexMap<String, Scalars>,
    /// Path of a field of this row → `evidence.path` of a row above that it must equal.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub join: IndexMap<String, String>,
    /// Like `join`, but only if the source has such rows at all, whatever `match` and `where` say of them.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub prefer: IndexMap<String, String>,
    /// CEL over this row and the rows above.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub pick: Pick,
    /// Orders the rows by this field, oldest or smallest first, before `pick`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_by: Option<String>,
    /// The evidence holds when there is no row, and the whole of the source was read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub absent: bool,
    /// How much of a log must have been read for `absent`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub needs: Needs,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    #[default]
    All,
    First,
    Last,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    Head,
    Tail,
    #[default]
    Whole,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerdictSpec {
    /// Expression over evidence names with `&& || ! ( )`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likely: Option<String>,
    /// The evidences that are reason enough to ask for what is unknown; all that are not `absent` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<OneOrMany>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeSpec {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Replaces the rule's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BothLanguages>")]
    pub title: Option<Localized>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause_class: Option<CauseClass>,
    /// Why this case, and what it means here.
    #[schemars(with = "BothLanguages")]
    pub conclusion: Localized,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fix: Vec<FixSpec>,
    /// Replaces the rule's caution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BothLanguages>")]
    pub caution: Option<Localized>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixSpec {
    #[schemars(with = "BothLanguages")]
    pub text: Localized,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// It deletes something that does not come back by itself; shown last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub destructive: bool,
    /// What is lost by a destructive step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BothLanguages>")]
    pub loses: Option<Localized>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskSpec {
    #[schemars(with = "BothLanguages")]
    pub text: Localized,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A string or a list of strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// A scalar or a list of scalars, compared as text; strings may be globs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a string, number, true/false or a list of these")]
pub enum Scalars {
    One(Scalar),
    Many(Vec<Scalar>),
}

impl Scalars {
    pub fn as_slice(&self) -> &[Scalar] {
        match self {
            Scalars::One(one) => std::slice::from_ref(one),
            Scalars::Many(many) => many,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    Bool(bool),
    Int(i64),
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scalar::Bool(value) => value.fmt(f),
            Scalar::Int(value) => value.fmt(f),
            Scalar::Text(value) => value.fmt(f),
        }
    }
}

/// The JSON Schema of a rule file, as committed in `rules/rule.schema.json`.
pub fn schema() -> String {
    let schema = schemars::schema_for!(RuleFile);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_schema_is_the_one_of_the_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/rule.schema.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == super::schema(),
            "rules/rule.schema.json is out of date: write the output of `casebook-analyze rules schema` there"
        );
    }
}
