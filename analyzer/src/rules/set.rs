//! The rules of one run: those built into the program, and folders that the user adds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::{fs, io};

use rayon::prelude::*;
use thiserror::Error;

use super::pack::Pack;
use super::{Rule, RuleError, built_in};
use crate::matching::scan::Index;

/// The folder below that of the packs that holds the [`crate::lexicon`].
pub const LEXICON: &str = "lexicon";

/// Bytes that one rule file may have.
const LARGEST: u64 = 1 << 20;
/// Files that one folder of rules may hold.
const MOST_FILES: usize = 20_000;

/// Rules by id, each id once.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: BTreeMap<String, Rule>,
    packs: BTreeMap<String, Pack>,
    /// What finds the patterns of all rules in texts; made for the first text that is read.
    index: OnceLock<Arc<Index>>,
}

#[derive(Debug, Error)]
pub enum RuleSetError {
    #[error("cannot read rules from {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is no rule folder: no <pack>/<section>/<id>.yaml was found in it")]
    Empty { path: PathBuf },
    #[error("{}", .0.iter().map(RuleError::to_string).collect::<Vec<_>>().join("\n"))]
    Rules(Vec<RuleError>),
}

/// A rule file as text, with the place it came from.
#[derive(Debug, Clone)]
pub struct RuleText {
    pub path: String,
    /// Folder below the root: `blueking/install-bkce`.
    pub section: String,
    pub yaml: String,
}

impl RuleSet {
    /// The rules in the program and then those of `folders`; a rule of a later folder replaces one of the same id.
    pub fn load(folders: &[PathBuf]) -> Result<RuleSet, RuleSetError> {
        let mut set = RuleSet::built_in()?;
        let (mut texts, mut packs) = (Vec::new(), Vec::new());
        for folder in folders {
            texts.extend(read_folder(folder)?);
            packs.extend(read_packs(folder)?);
        }
        set.rules.append(&mut RuleSet::compile(&texts)?.rules);
        set.with_packs(&packs)
    }

    /// The rules in the program.
    pub fn built_in() -> Result<RuleSet, RuleSetError> {
        let lines: Vec<&str> = built_in::rules().collect();
        let parse = |line: &&str| Rule::built_in(built_in::read(line).map_err(|error| vec![error])?);
        let mut set = RuleSet::default();
        let mut errors = Vec::new();
        for parsed in lines.par_iter().map(parse).collect::<Vec<_>>() {
            match parsed {
                Ok(rule) => {
                    set.rules.insert(rule.file.id.clone(), rule);
                }
                Err(found) => errors.extend(found),
            }
        }
        for pack in built_in::packs().map_err(|error| RuleSetError::Rules(vec![error]))? {
            match Pack::new(&pack.name(), "", pack.file) {
                Ok(pack) => {
                    set.packs.insert(pack.file.name.clone(), pack);
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(set) } else { Err(RuleSetError::Rules(errors)) }
    }

    /// The rules of one folder alone.
    pub fn load_only(folder: &Path) -> Result<RuleSet, RuleSetError> {
        RuleSet::compile(&read_folder(folder)?)?.with_packs(&read_packs(folder)?)
    }

    /// What is said of whole packs; of two files for one pack the later counts.
    pub(crate) fn with_packs(mut self, packs: &[PackText]) -> Result<RuleSet, RuleSetError> {
        let mut errors = Vec::new();
        for text in packs {
            match Pack::parse(&text.path, &text.yaml) {
                Ok(pack) => {
                    self.packs.insert(pack.file.name.clone(), pack);
                }
                Err(error) => errors.push(error),
            }
        }
        for rule in self.rules.values_mut() {
            let (pack, section) = rule.section.split_once('/').unwrap_or((&rule.section, ""));
            rule.of_product = self.packs.get(pack).is_some_and(|pack| pack.applies_to(section).is_some());
        }
        if errors.is_empty() { Ok(self) } else { Err(RuleSetError::Rules(errors)) }
    }

    /// Compiles rule texts. All mistakes of all files are told at once.
    pub fn compile(texts: &[RuleText]) -> Result<RuleSet, RuleSetError> {
        let mut set = RuleSet::default();
        let mut errors = Vec::new();
        for text in texts {
            match Rule::parse(&text.path, &text.section, &text.yaml) {
                Ok(rule) => {
                    set.rules.insert(rule.file.id.clone(), rule);
                }
                Err(found) => errors.extend(found),
            }
        }
        if errors.is_empty() { Ok(set) } else { Err(RuleSetError::Rules(errors)) }
    }

    /// In the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// What finds the patterns of all rules in texts, as `make` makes it when it is first asked for.
    pub(crate) fn index(&self, make: impl FnOnce() -> Index) -> Arc<Index> {
        Arc::clone(self.index.get_or_init(|| Arc::new(make())))
    }

    /// What is said of a pack, if anything is.
    pub fn pack(&self, name: &str) -> Option<&Pack> {
        self.packs.get(name)
    }

    pub fn len(&self) -> usize {
        self.rules.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// A `pack.yaml` as text.
#[derive(Debug, Clone)]
pub struct PackText {
    pub path: String,
    pub yaml: String,
}

/// The `pack.yaml` of each pack below a folder, in the order of their names.
pub fn read_packs(folder: &Path) -> Result<Vec<PackText>, RuleSetError> {
    let failed = |path: &Path, source| RuleSetError::Io { path: path.to_owned(), source };
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| failed(folder, source))? {
        let path = entry.map_err(|source| failed(folder, source))?.path().join("pack.yaml");
        if path.is_file() {
            let yaml = fs::read_to_string(&path).map_err(|source| failed(&path, source))?;
            texts.push(PackText { path: path.display().to_string(), yaml });
        }
    }
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(texts)
}

/// The rule files below a folder, in the order of their paths. `*.test.yaml` are not among them.
pub fn read_folder(folder: &Path) -> Result<Vec<RuleText>, RuleSetError> {
    let failed = |path: &Path, source| RuleSetError::Io { path: path.to_owned(), source };
    let mut paths = Vec::new();
    walk(folder, 0, &mut paths).map_err(|source| failed(folder, source))?;
    paths.sort();
    let mut texts = Vec::new();
    for path in paths {
        let size = fs::metadata(&path).map_err(|source| failed(&path, source))?.len();
        if size > LARGEST {
            return Err(failed(&path, io::Error::other(format!("larger than {LARGEST} bytes"))));
        }
        let yaml = fs::read_to_string(&path).map_err(|source| failed(&path, source))?;
        let section = section_of(path.strip_prefix(folder).unwrap_or(&path));
        texts.push(RuleText { path: path.display().to_string(), section, yaml });
    }
    if texts.is_empty() {
        return Err(RuleSetError::Empty { path: folder.to_owned() });
    }
    Ok(texts)
}

fn section_of(relative: &Path) -> String {
    let parent = relative.parent().unwrap_or(Path::new(""));
    let parts: Vec<String> =
        parent.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    parts.join("/")
}

/// Rules lie in folders of packs and sections; what lies directly in the root (the schema, the catalogue) is no rule.
fn walk(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            if depth < 2 && name != "redaction" && name != LEXICON && !name.starts_with('.') {
                walk(&path, depth + 1, paths)?;
            }
        } else if depth == 2 && name.ends_with(".yaml") && !name.ends_with(".test.yaml") {
            paths.push(path);
        }
        if paths.len() > MOST_FILES {
            return Err(io::Error::other(format!("more than {MOST_FILES} rule files")));
        }
    }
    Ok(())
}
