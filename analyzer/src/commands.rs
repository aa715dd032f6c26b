//! The commands, one file each.

pub mod analyze;
pub mod compare;
pub mod keygen;
pub mod mcp;
pub mod rules_catalogue;
pub mod rules_lint;
pub mod rules_list;
pub mod rules_new;
pub mod rules_search;
pub mod rules_show;
pub mod rules_test;
pub mod serve;

use std::path::{Path, PathBuf};

use anyhow::bail;

/// The folder whose rules are worked on: the one given, else `rules` here.
fn rule_folder(given: &[PathBuf]) -> anyhow::Result<PathBuf> {
    match given {
        [] if Path::new("rules").is_dir() => Ok(PathBuf::from("rules")),
        [] => bail!("there is no folder `rules` here\nhint: name the folder of the rules with --rules DIR"),
        [one] => Ok(one.clone()),
        _ => bail!("more than one --rules was given; this command works on one folder"),
    }
}
