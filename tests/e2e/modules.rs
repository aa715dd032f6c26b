//! A test file that nobody lists is a test that never runs.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    vec![Trial::test("modules::every_file_is_listed", || {
        every_file_is_listed().map_err(|error| format!("{error:#}").into())
    })]
}

/// Support for the other modules; offers no tests.
const SUPPORT: &[&str] = &["world"];

fn every_file_is_listed() -> Result<()> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/e2e"));
    let main = std::fs::read_to_string(folder.join("main.rs")).context("cannot read main.rs")?;
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().into_string().ok().context("a file name is not UTF-8")?;
        if let Some(stem) = name.strip_suffix(".rs").filter(|stem| *stem != "main") {
            files.insert(stem.to_owned());
        }
    }
    ensure!(files.len() > 1, "found no test files in {}", folder.display());
    for file in files {
        ensure!(main.contains(&format!("mod {file};")), "e2e/{file}.rs is not a module of main.rs");
        ensure!(
            SUPPORT.contains(&file.as_str()) || main.contains(&format!("{file}::trials()")),
            "main.rs does not run the tests of e2e/{file}.rs"
        );
    }
    Ok(())
}
