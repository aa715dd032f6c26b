//! `casebook-analyze rules search TEXT`

use clap::Args;
use shared::lang::Lang;

use crate::cli::{Common, Exit, print, say};
use crate::rules::{RuleSet, search};

/// Rules that are shown.
const MOST: usize = 15;

#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Words of the error, or the whole line.
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
    #[command(flatten)]
    common: Common,
}

pub fn run(args: &SearchArgs) -> anyhow::Result<Exit> {
    let lang = args.common.lang();
    let set = RuleSet::load(&args.common.rules)?;
    let found = search::search(set.iter(), &args.text.join(" "));
    if found.is_empty() {
        say(match lang {
            Lang::Zh => "没有匹配的案例。换更短的关键词再试，例如报错里不变的几个单词。",
            Lang::En => "no rule matches; try fewer words, such as those of the error that never change",
        });
        return Ok(Exit::Done);
    }
    let shown: Vec<_> = found.iter().take(MOST).collect();
    let width = shown.iter().map(|found| found.rule.file.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for found in shown {
        text.push_str(&format!("{:width$}  {}\n", found.rule.file.id, found.rule.file.title.get(lang)));
    }
    print(&text)?;
    Ok(Exit::Done)
}
