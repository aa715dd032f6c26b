//! Puts the rules of `rules/` into the program, so that one file is all that a support desk needs, and all that can be
//! known of them beforehand, so that the program starts at once.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use serde_json::{Map, Value, json};

#[allow(dead_code)]
#[path = "src/matching/literals.rs"]
mod literals;
#[path = "src/matching/plain.rs"]
mod plain;
#[path = "src/matching/prepared.rs"]
mod prepared;

use prepared::Prepared;

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../rules");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut rules = Vec::new();
    collect(&root, &mut rules)?;
    write("rules.jsonl", &root, rules, of_rule)?;
    let mut lexicon = Vec::new();
    take_files(&root.join("lexicon"), &mut lexicon)?;
    write("lexicon.jsonl", &root, lexicon, of_lexicon)?;
    let packs = folders(&root)?.into_iter().map(|pack| pack.join("pack.yaml")).filter(|file| file.is_file());
    write("packs.jsonl", &root, packs.collect(), |_| Value::Null)
}

/// Writes a file with a line of JSON for each of `files`: its path below `root`, what `prepared` knows, and what it holds.
fn write(name: &str, root: &Path, mut files: Vec<PathBuf>, prepared: fn(&Value) -> Value) -> io::Result<()> {
    files.sort();
    let mut lines = String::new();
    for file in files {
        println!("cargo:rerun-if-changed={}", file.display());
        let failed = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", file.display()));
        let text = fs::read_to_string(&file).map_err(|error| failed(&error))?;
        let held: Value = serde_saphyr::from_str(&text).map_err(|error| failed(&error))?;
        let path = file.strip_prefix(root).map_err(|error| failed(&error))?.display().to_string();
        let line = json!({"path": path, "prepared": prepared(&held), "file": held});
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    let target = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?).join(name);
    fs::write(target, lines)
}

/// What is known of each `text` of a rule, by the name of its evidence. What has a mistake is left out, and is told when
/// the rule is compiled.
fn of_rule(file: &Value) -> Value {
    let mut all = Map::new();
    for (name, evidence) in file["evidence"].as_object().into_iter().flatten() {
        let lines = evidence["multiline"].as_u64().and_then(|lines| u32::try_from(lines).ok()).unwrap_or(1);
        let known = evidence["text"].as_str().and_then(|text| Prepared::new(text, lines).ok());
        all.extend(known.map(|known| (name.clone(), json!(known))));
    }
    Value::Object(all)
}

/// The same of each `text` of each reading.
fn of_lexicon(file: &Value) -> Value {
    let of_text = |text: &Value| json!(text.as_str().and_then(|text| Prepared::new(text, 1).ok()));
    let of_reading = |reading: &Value| match &reading["text"] {
        Value::Array(texts) => texts.iter().map(of_text).collect(),
        text => vec![of_text(text)],
    };
    file["readings"].as_array().into_iter().flatten().map(of_reading).collect()
}

/// Rules and their tests lie two folders deep: pack, section. Other folders hold other kinds of data.
fn collect(root: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for pack in folders(root)? {
        for section in folders(&pack)? {
            take_files(&section, files)?;
        }
    }
    Ok(())
}

/// The YAML files of one folder but for tests.
fn take_files(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".yaml") && !name.ends_with(".test.yaml") {
            files.push(path);
        }
    }
    Ok(())
}

fn folders(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}
