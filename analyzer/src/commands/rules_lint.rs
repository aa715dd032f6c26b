//! `casebook-analyze rules lint`

use std::path::PathBuf;

use clap::Args;

use super::rule_folder;
use crate::cli::{Exit, print, say};
use crate::rules::{cases, lint, set};

#[derive(Debug, Args)]
pub struct LintArgs {
    /// Folder of the rules [default: rules]
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
}

pub fn run(args: &LintArgs) -> anyhow::Result<Exit> {
    let folder = rule_folder(&args.rules)?;
    let texts = set::read_folder(&folder)?;
    let mut problems = lint::lint(&texts);
    for text in &texts {
        if let Err(problem) = cases::read(&cases::path_of(&text.path)) {
            problems.push(problem);
        }
    }
    for problem in &problems {
        print(&format!("{problem}\n"))?;
    }
    say(&format!("{} rules, {} problems", texts.len(), problems.len()));
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Found })
}
