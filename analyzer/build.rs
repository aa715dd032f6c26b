//! Puts the rules of `rules/` into the program, so that one file is all that a support desk needs.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../rules");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut rules = Vec::new();
    collect(&root, &mut rules)?;
    let mut lexicon = Vec::new();
    take_files(&root.join("lexicon"), &mut lexicon)?;
    let packs = folders(&root)?.into_iter().map(|pack| pack.join("pack.yaml")).filter(|file| file.is_file());
    let source = table("FILES", &root, rules)?
        + &table("PACKS", &root, packs.collect())?
        + &table("LEXICON", &root, lexicon)?;
    let target = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?).join("embedded_rules.rs");
    fs::write(target, source)
}

/// A constant with the path below `root` and the text of each file.
fn table(name: &str, root: &Path, mut files: Vec<PathBuf>) -> io::Result<String> {
    files.sort();
    let mut source = format!("pub const {name}: &[(&str, &str)] = &[\n");
    for file in files {
        println!("cargo:rerun-if-changed={}", file.display());
        let relative = file.strip_prefix(root).map_err(io::Error::other)?.display().to_string();
        source.push_str(&format!("    ({relative:?}, include_str!({:?})),\n", file.canonicalize()?));
    }
    source.push_str("];\n");
    Ok(source)
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
