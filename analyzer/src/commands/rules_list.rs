//! `casebook-analyze rules list`

use clap::Args;

use crate::cli::{Common, Exit, print};
use crate::rules::RuleSet;

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only rules of this pack or pack/section.
    #[arg(value_name = "SECTION")]
    section: Option<String>,
    #[command(flatten)]
    common: Common,
}

pub fn run(args: &ListArgs) -> anyhow::Result<Exit> {
    let lang = args.common.lang();
    let set = RuleSet::load(&args.common.rules)?;
    let wanted = args.section.as_deref().unwrap_or_default().trim_end_matches('/');
    let mut rules: Vec<_> = set
        .iter()
        .filter(|rule| wanted.is_empty() || rule.section == wanted || rule.pack() == wanted)
        .collect();
    if rules.is_empty() {
        anyhow::bail!(
            "there is no rule in `{wanted}`\nhint: `casebook-analyze rules list` shows all sections"
        );
    }
    rules.sort_by(|a, b| (&a.section, &a.file.id).cmp(&(&b.section, &b.file.id)));
    let width = rules.iter().map(|rule| rule.file.id.len()).max().unwrap_or(0);
    let sections = rules.iter().map(|rule| rule.section.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in rules {
        let (id, section) = (&rule.file.id, &rule.section);
        text.push_str(&format!("{id:width$}  {section:sections$}  {}\n", rule.file.title.get(lang)));
    }
    print(&text)?;
    Ok(Exit::Done)
}
