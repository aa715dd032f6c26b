//! What is said of a whole pack of rules: `rules/<pack>/pack.yaml`.

use aho_corasick::AhoCorasick;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::lang::Localized;

use super::error::RuleError;
use super::format::{BothLanguages, OneOrMany};
use crate::matching::glob::Glob;

/// A pack as it is written.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackFile {
    /// Equal to the folder's name.
    #[schemars(regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub name: String,
    #[schemars(with = "BothLanguages")]
    pub title: Localized,
    /// Who looks after it.
    pub owner: String,
    /// Of the product that it is about, such as `7.0 - 7.2`.
    #[serde(default)]
    pub versions: Option<String>,
    /// What shows that the product is there; without it the pack applies everywhere.
    #[serde(default)]
    pub applies: Option<AppliesSpec>,
    /// The same for sections of the pack, instead of the pack's own.
    #[serde(default)]
    pub sections: IndexMap<String, AppliesSpec>,
}

/// Signs of a product, any of which shows it. All but `words` are globs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppliesSpec {
    /// Names of helm charts.
    #[serde(default)]
    pub charts: Option<OneOrMany>,
    #[serde(default)]
    pub namespaces: Option<OneOrMany>,
    /// Images of containers, as the pod names them.
    #[serde(default)]
    pub images: Option<OneOrMany>,
    /// Labels of pods: key → globs over the value.
    #[serde(default)]
    pub labels: IndexMap<String, OneOrMany>,
    /// Names of custom resource definitions.
    #[serde(default)]
    pub crds: Option<OneOrMany>,
    /// Words of pasted texts, whatever their case.
    #[serde(default)]
    pub words: Option<OneOrMany>,
}

/// Signs of a product, ready to be looked for.
#[derive(Debug)]
pub struct Applies {
    pub charts: Vec<Glob>,
    pub namespaces: Vec<Glob>,
    pub images: Vec<Glob>,
    pub labels: Vec<(String, Vec<Glob>)>,
    pub crds: Vec<Glob>,
    pub words: Option<AhoCorasick>,
}

/// A pack, ready for use.
#[derive(Debug)]
pub struct Pack {
    pub file: PackFile,
    pub applies: Option<Applies>,
    pub sections: Vec<(String, Applies)>,
}

impl Pack {
    /// # Errors
    /// The mistake in the file.
    pub fn parse(path: &str, yaml: &str) -> Result<Pack, RuleError> {
        let file: PackFile =
            serde_saphyr::from_str(yaml).map_err(|error| RuleError::from_yaml(path, yaml, &error))?;
        Pack::new(path, yaml, file)
    }

    /// # Errors
    /// The mistake in the file, whose text is `yaml`.
    pub fn new(path: &str, yaml: &str, file: PackFile) -> Result<Pack, RuleError> {
        let folder = path.rsplit('/').nth(1).unwrap_or_default();
        if file.name != folder {
            let message = format!("the pack in the folder `{folder}` calls itself `{}`", file.name);
            return Err(RuleError::at(path, yaml, &["name".into()], message));
        }
        let compile = |spec: &AppliesSpec| {
            Applies::compile(spec).map_err(|message| RuleError::at(path, yaml, &["applies".into()], message))
        };
        let applies = file.applies.as_ref().map(compile).transpose()?;
        let sections = file.sections.iter().map(|(name, spec)| Ok((name.clone(), compile(spec)?)));
        let sections = sections.collect::<Result<_, RuleError>>()?;
        Ok(Pack { file, applies, sections })
    }

    /// What shows the product of one of its sections; `None` where it applies everywhere.
    pub fn applies_to(&self, section: &str) -> Option<&Applies> {
        let of_section = self.sections.iter().find(|(name, _)| name == section);
        of_section.map(|(_, applies)| applies).or(self.applies.as_ref())
    }
}

impl Applies {
    fn compile(spec: &AppliesSpec) -> Result<Applies, String> {
        let globs = |globs: &Option<OneOrMany>| -> Vec<Glob> {
            globs.iter().flat_map(|globs| globs.as_slice()).map(|glob| Glob::new(glob)).collect()
        };
        let words: Vec<&String> = spec.words.iter().flat_map(|words| words.as_slice()).collect();
        if let Some(short) = words.iter().find(|word| word.len() < 3) {
            return Err(format!("the word `{short}` is too short to be a product's own"));
        }
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(&words);
        let words = if words.is_empty() { None } else { Some(automaton.map_err(|error| error.to_string())?) };
        let labels = spec.labels.iter();
        Ok(Applies {
            charts: globs(&spec.charts),
            namespaces: globs(&spec.namespaces),
            images: globs(&spec.images),
            labels: labels.map(|(key, values)| (key.clone(), globs(&Some(values.clone())))).collect(),
            crds: globs(&spec.crds),
            words,
        })
    }
}
