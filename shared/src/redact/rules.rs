//! The rules of redaction as data: what is written in `rules/redaction/*.yaml` and in a user's `--redact FILE`.
//!
//! The built-in files are embedded when the program is built. A user's file has the same schema and is laid over
//! them: it adds names, shapes and literal values, and can only take back what it names in `harmless`.

use serde::Deserialize;

use super::value::MIN_LEARNED;

/// The schema that every rule file must name.
pub const SCHEMA: &str = "casebook.redaction/v1";

const BUILT_IN: &[(&str, &str)] = &[
    ("rules/redaction/names.yaml", include_str!("../../../rules/redaction/names.yaml")),
    ("rules/redaction/shapes.yaml", include_str!("../../../rules/redaction/shapes.yaml")),
];

/// Why a rule file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    #[error("{file}: not a redaction rule file: {message}")]
    Syntax { file: String, message: String },
    #[error("{file}: schema is '{found}', expected '{SCHEMA}'\nhint: begin the file with `schema: {SCHEMA}`")]
    Schema { file: String, found: String },
    #[error("{file}: shape '{id}': {message}")]
    Shape { file: String, id: String, message: String },
    #[error(
        "{file}: values: one of them has fewer than {MIN_LEARNED} bytes, and would be found in too many words"
    )]
    Value { file: String },
    #[error("{file}: '{kind}' is no kind: use lower-case letters and hyphens, 24 at most")]
    Kind { file: String, kind: String },
}

/// One file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RuleFile {
    pub schema: String,
    pub nouns: Vec<NounGroup>,
    pub weak: Vec<String>,
    pub neutral: Vec<String>,
    pub attributes: Vec<String>,
    pub harmless: Vec<String>,
    pub directives: Vec<String>,
    pub setters: Vec<String>,
    pub prose: Vec<String>,
    pub shapes: Vec<Shape>,
    /// Literal values that are masked wherever they stand.
    pub values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NounGroup {
    pub kind: String,
    #[serde(default)]
    pub strong: bool,
    pub words: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shape {
    pub id: String,
    pub kind: String,
    pub literals: Vec<String>,
    pub pattern: String,
    #[serde(default)]
    pub require: Option<Require>,
    #[serde(default)]
    pub masks: Vec<String>,
    #[serde(default)]
    pub keeps: Vec<String>,
}

/// What the group `secret` of a shape must be besides matching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Require {
    Opaque,
    UserPass,
    NotProse,
}

/// All rule files in force, in order.
#[derive(Debug)]
pub(crate) struct RuleSet {
    pub files: Vec<(String, RuleFile)>,
}

impl RuleSet {
    /// The built-in rules and then the user's, each as (file name for messages, text).
    pub fn load(user: &[(String, String)]) -> Result<RuleSet, RuleError> {
        let built_in = BUILT_IN.iter().map(|(name, text)| parse(name, text));
        let mut files = built_in.collect::<Result<Vec<_>, _>>()?;
        files.extend(RuleSet::load_user(user)?.files);
        Ok(RuleSet { files })
    }

    /// The user's rules alone; nobody but a user names values.
    pub fn load_user(user: &[(String, String)]) -> Result<RuleSet, RuleError> {
        let files = user.iter().map(|(name, text)| parse(name, text)).collect::<Result<_, _>>()?;
        Ok(RuleSet { files })
    }

    pub fn each<'a, T>(
        &'a self,
        list: impl Fn(&'a RuleFile) -> &'a [T] + 'a,
    ) -> impl Iterator<Item = &'a T> + 'a
    where
        T: 'a,
    {
        self.files.iter().flat_map(move |(_, file)| list(file))
    }
}

fn parse(name: &str, text: &str) -> Result<(String, RuleFile), RuleError> {
    let file: RuleFile = serde_saphyr::from_str(text)
        .map_err(|error| RuleError::Syntax { file: name.to_owned(), message: error.to_string() })?;
    if file.schema != SCHEMA {
        return Err(RuleError::Schema { file: name.to_owned(), found: file.schema });
    }
    let kinds = file.nouns.iter().map(|n| &n.kind).chain(file.shapes.iter().map(|s| &s.kind));
    for kind in kinds {
        let fits =
            (1..=24).contains(&kind.len()) && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        if !fits {
            return Err(RuleError::Kind { file: name.to_owned(), kind: kind.clone() });
        }
    }
    if file.values.iter().any(|value| value.len() < MIN_LEARNED) {
        return Err(RuleError::Value { file: name.to_owned() });
    }
    Ok((name.to_owned(), file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rules_load() {
        let rules = RuleSet::load(&[]).unwrap();
        assert!(rules.each(|f| &f.shapes).count() > 10);
    }

    #[test]
    fn a_bad_user_file_is_named_with_what_is_wrong() {
        let load = |text: &str| RuleSet::load(&[("my.yaml".into(), text.into())]).unwrap_err().to_string();
        assert!(load("schema: v0").starts_with("my.yaml: schema is 'v0'"));
        assert!(load("schema: casebook.redaction/v1\nnoun: []").starts_with("my.yaml: not a redaction rule"));
        let kind = "schema: casebook.redaction/v1\nnouns: [{kind: My Kind, words: [x]}]";
        assert!(load(kind).contains("'My Kind' is no kind"));
    }
}
