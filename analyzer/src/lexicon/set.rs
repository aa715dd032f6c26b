//! The lexicon of one run: the files built into the program and those of folders that the user adds.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{fs, io};

use regex::Regex;

use super::format::{LexiconFile, ReadingSpec};
use crate::matching::literal_set::LiteralSet;
use crate::matching::pattern::Pattern;
use crate::matching::template;
use crate::rules::RuleError;
use crate::rules::built_in::{self, BuiltInLexicon};
use crate::rules::locate::Step;
use crate::rules::set::{LEXICON, RuleSetError};

/// Bytes that one file may have.
const LARGEST: u64 = 1 << 20;
/// Files that one folder may hold.
const MOST_FILES: usize = 1_000;

/// All readings, ready to read lines.
#[derive(Debug)]
pub struct Lexicon {
    readings: Vec<Reading>,
    /// Of all patterns: reading and place among its patterns.
    pub(super) literals: LiteralSet<(u32, u32)>,
}

/// One compiled reading.
#[derive(Debug)]
pub struct Reading {
    pub spec: ReadingSpec,
    pub class: String,
    pub(super) patterns: Vec<Pattern>,
    /// Made when it is first needed.
    unless: OnceLock<Option<Regex>>,
}

impl Reading {
    pub(super) fn is_another_thing(&self, line: &str) -> bool {
        let make = || self.spec.unless.as_deref().and_then(|source| Regex::new(source).ok());
        self.unless.get_or_init(make).as_ref().is_some_and(|unless| unless.is_match(line))
    }
}

/// A file of the lexicon as text.
#[derive(Debug, Clone)]
pub struct LexiconText {
    pub path: String,
    pub yaml: String,
}

impl Lexicon {
    /// The lexicon in the program, compiled once.
    ///
    /// # Errors
    /// When a file of it has a mistake, which its tests would have found.
    pub fn built_in() -> Result<&'static Lexicon, RuleSetError> {
        static BUILT_IN: OnceLock<Lexicon> = OnceLock::new();
        if let Some(lexicon) = BUILT_IN.get() {
            return Ok(lexicon);
        }
        let lexicon = Lexicon::load(&[])?;
        Ok(BUILT_IN.get_or_init(|| lexicon))
    }

    /// The files in the program and then those of `lexicon/` in `folders`; a later file replaces one of the same class.
    ///
    /// # Errors
    /// When a folder cannot be read or a file has a mistake; all mistakes are told at once.
    pub fn load(folders: &[PathBuf]) -> Result<Lexicon, RuleSetError> {
        let name = |path: &str| Path::new(path).file_name().map(ToOwned::to_owned);
        let mut texts: Vec<LexiconText> = Vec::new();
        for folder in folders {
            for text in read_folder(folder)? {
                texts.retain(|known| name(&known.path) != name(&text.path));
                texts.push(text);
            }
        }
        let built_in = built_in::lexicon().map_err(|error| RuleSetError::Rules(vec![error]))?;
        let kept = built_in
            .into_iter()
            .filter(|file| !texts.iter().any(|text| name(&text.path) == name(&file.path)));
        Lexicon::of(kept.flat_map(known).collect(), &texts)
    }

    /// # Errors
    /// The mistakes of all files.
    pub fn compile(texts: &[LexiconText]) -> Result<Lexicon, RuleSetError> {
        Lexicon::of(Vec::new(), texts)
    }

    fn of(mut readings: Vec<Reading>, texts: &[LexiconText]) -> Result<Lexicon, RuleSetError> {
        let mut errors = Vec::new();
        for text in texts {
            match parse(text) {
                Ok(found) => readings.extend(found),
                Err(found) => errors.extend(found),
            }
        }
        let mut ids: Vec<&str> = readings.iter().map(|reading| reading.spec.id.as_str()).collect();
        ids.sort_unstable();
        for pair in ids.windows(2).filter(|pair| pair[0] == pair[1]) {
            errors.push(RuleError::at_place(
                LEXICON,
                "",
                None,
                format!("two readings are called `{}`", pair[0]),
            ));
        }
        if !errors.is_empty() {
            return Err(RuleSetError::Rules(errors));
        }
        let literals = literals(&readings);
        Ok(Lexicon { readings, literals })
    }

    /// In the order of files and places.
    pub fn iter(&self) -> impl Iterator<Item = &Reading> {
        self.readings.iter()
    }

    pub(super) fn at(&self, index: u32) -> &Reading {
        &self.readings[index as usize]
    }
}

fn literals(readings: &[Reading]) -> LiteralSet<(u32, u32)> {
    let patterns = readings.iter().zip(0..).flat_map(|(reading, place)| {
        let patterns = reading.patterns.iter().zip(0..);
        patterns
            .flat_map(move |(pattern, nth)| pattern.literals().map(move |literal| (literal, (place, nth))))
    });
    LiteralSet::new(patterns)
}

/// The readings of a file in the program.
fn known(file: BuiltInLexicon) -> Vec<Reading> {
    let class = file.file.class;
    let patterns = file.prepared.into_iter().map(|all| {
        all.into_iter().flatten().map(|known| Pattern::prepared(known, None, false)).collect::<Vec<_>>()
    });
    let readings = file.file.readings.into_iter().zip(patterns);
    readings
        .map(|(spec, patterns)| Reading { spec, class: class.clone(), patterns, unless: OnceLock::new() })
        .collect()
}

fn parse(text: &LexiconText) -> Result<Vec<Reading>, Vec<RuleError>> {
    let file: LexiconFile = serde_saphyr::from_str(&text.yaml)
        .map_err(|error| vec![RuleError::from_yaml(&text.path, &text.yaml, &error)])?;
    let mut errors = Vec::new();
    let mut mistake = |steps: &[Step], message: String| {
        errors.push(RuleError::at(&text.path, &text.yaml, steps, message));
    };
    if Path::new(&text.path).file_stem().is_none_or(|stem| stem.to_string_lossy() != file.class) {
        mistake(&["class".into()], format!("the file of class `{0}` is called {0}.yaml", file.class));
    }
    let mut readings = Vec::new();
    for (index, spec) in file.readings.into_iter().enumerate() {
        let at = |field: &str| -> [Step; 3] { ["readings".into(), index.into(), field.into()] };
        let mut patterns = Vec::new();
        for source in spec.text.as_slice() {
            match Pattern::compile(source, None, false) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => mistake(&at("text"), error),
            }
        }
        if let Some(Err(error)) = spec.unless.as_deref().map(Regex::new) {
            mistake(&at("unless"), error.to_string());
        }
        let sentences = [("meaning", Some(&spec.meaning.zh)), ("meaning", Some(&spec.meaning.en))];
        for (field, template) in sentences.into_iter().chain([("command", spec.command.as_ref())]) {
            match template.map(|template| template::check(template)) {
                Some(Err(error)) => mistake(&at(field), error),
                Some(Ok(names)) if names.iter().any(|name| name != "hit") => {
                    mistake(&at(field), "only the fields of `hit` are known here".to_owned());
                }
                _ => {}
            }
        }
        if spec.sides.is_empty() {
            mistake(&at("id"), "`sides` says at least one end at which the fault can lie".to_owned());
        }
        if spec.tests.reads.is_empty() {
            mistake(&at("id"), "no line under `tests.reads` shows that it reads anything".to_owned());
        }
        readings.push(Reading { spec, class: file.class.clone(), patterns, unless: OnceLock::new() });
    }
    if errors.is_empty() { Ok(readings) } else { Err(errors) }
}

/// The files of `lexicon/` below a folder of rules, in the order of their names; none where there is no such folder.
///
/// # Errors
/// When the folder or a file in it cannot be read, or is larger than a lexicon is.
pub fn read_folder(folder: &Path) -> Result<Vec<LexiconText>, RuleSetError> {
    let folder = folder.join(LEXICON);
    let failed = |path: &Path, source| RuleSetError::Io { path: path.to_owned(), source };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|source| failed(&folder, source))? {
        let path = entry.map_err(|source| failed(&folder, source))?.path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            paths.push(path);
        }
        if paths.len() > MOST_FILES {
            return Err(failed(&folder, io::Error::other(format!("more than {MOST_FILES} files"))));
        }
    }
    paths.sort();
    let mut texts = Vec::new();
    for path in paths {
        let size = fs::metadata(&path).map_err(|source| failed(&path, source))?.len();
        if size > LARGEST {
            return Err(failed(&path, io::Error::other(format!("larger than {LARGEST} bytes"))));
        }
        let yaml = fs::read_to_string(&path).map_err(|source| failed(&path, source))?;
        texts.push(LexiconText { path: path.display().to_string(), yaml });
    }
    Ok(texts)
}
