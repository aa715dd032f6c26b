//! `casebook-analyze rules new PACK/SECTION/ID`

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::rule_folder;
use crate::cli::{Exit, print};
use crate::rules::RuleSet;

const RULE: &str = include_str!("rules_new/rule.yaml");
const TESTS: &str = include_str!("rules_new/rule.test.yaml");

#[derive(Debug, Args)]
pub struct NewArgs {
    /// Where it belongs and what it is called, such as blueking/install-bkce/helm-another-operation.
    #[arg(value_name = "PACK/SECTION/ID")]
    name: String,
    /// Folder of the rules [default: rules]
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
}

pub fn run(args: &NewArgs) -> anyhow::Result<Exit> {
    let folder = rule_folder(&args.rules)?;
    let parts: Vec<&str> = args.name.split('/').collect();
    let [pack, section, id] = parts.as_slice() else {
        bail!("`{}` is not of the form pack/section/id", args.name);
    };
    let kebab = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    if let Some(wrong) = parts.iter().find(|part| !kebab(part)) {
        bail!("`{wrong}` is not kebab-case: use small letters, digits and `-`");
    }
    if let Ok(set) = RuleSet::load_only(&folder)
        && let Some(taken) = set.get(id)
    {
        bail!("the id `{id}` is taken by {}", taken.path);
    }
    let target = folder.join(pack).join(section);
    fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
    let fill = |text: &str| {
        text.replace("@ID@", id).replace("@SECTION@", section).replace("@VERSION@", env!("CARGO_PKG_VERSION"))
    };
    for (file, text) in [(format!("{id}.yaml"), RULE), (format!("{id}.test.yaml"), TESTS)] {
        let path = target.join(file);
        create(&path, &fill(text))?;
        print(&format!("{}\n", path.display()))?;
    }
    Ok(Exit::Done)
}

/// Never writes over a file that is there.
fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::lint;
    use crate::rules::set::RuleText;

    #[test]
    fn what_is_written_is_a_rule_without_problems() {
        let yaml = RULE.replace("@ID@", "a-case").replace("@SECTION@", "b").replace("@VERSION@", "0.1.0");
        let text = RuleText { path: "rules/p/b/a-case.yaml".into(), section: "p/b".into(), yaml };
        let problems = lint::lint(&[text]);
        assert!(problems.is_empty(), "{}", problems[0]);
    }
}
