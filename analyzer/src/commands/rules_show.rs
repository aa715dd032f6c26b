//! `casebook-analyze rules show ID`

use std::fmt::Write;

use anyhow::bail;
use clap::Args;
use shared::lang::Lang;

use crate::cli::{Common, Exit, print};
use crate::rules::error::nearest;
use crate::rules::{Rule, RuleSet};

#[derive(Debug, Args)]
pub struct ShowArgs {
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    common: Common,
}

pub fn run(args: &ShowArgs) -> anyhow::Result<Exit> {
    let set = RuleSet::load(&args.common.rules)?;
    let Some(rule) = set.get(&args.id) else {
        let hint = match nearest(&args.id, set.iter().map(|rule| rule.file.id.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`casebook-analyze rules search` finds rules by words of an error".to_owned(),
        };
        bail!("there is no rule `{}`\nhint: {hint}", args.id);
    };
    print(&shown(rule, args.common.lang()))?;
    Ok(Exit::Done)
}

fn shown(rule: &Rule, lang: Lang) -> String {
    let file = &rule.file;
    let word = |zh: &'static str, en: &'static str| if lang == Lang::Zh { zh } else { en };
    let mut text = format!("{}\n{}\n\n{} · {}\n", file.id, file.title.get(lang), rule.section, rule.path);
    if let Some(source) = &file.source {
        text.push_str(&format!("{} {}#{}\n", word("出处：", "source:"), source.document, source.section));
    }
    let mut line = |text_line: String| {
        text.push_str(&text_line);
        text.push('\n');
    };
    line(format!("\n{}", word("看什么：", "Looks for:")));
    for evidence in &rule.evidence {
        let spec = &evidence.spec;
        let mut what = match &spec.of {
            Some(of) => format!("of {of}"),
            None => evidence.sources.iter().map(|source| source.name()).collect::<Vec<_>>().join(", "),
        };
        for (key, value) in [("text", &spec.text), ("where", &spec.condition)] {
            if let Some(value) = value {
                let _ = write!(what, "\n      {key}: {}", value.trim());
            }
        }
        if spec.absent {
            what.push_str("\n      absent");
        }
        line(format!("  {}: {what}", evidence.name));
    }
    line(format!("\n{}", word("判定：", "Verdict:")));
    for (name, expr) in
        [("confirmed", &file.verdict.confirmed), ("likely", &file.verdict.likely), ("unless", &file.unless)]
    {
        if let Some(expr) = expr {
            line(format!("  {name}: {expr}"));
        }
    }
    for outcome in &file.outcomes {
        let when = outcome.when.as_deref().map(|when| format!(" ({when})")).unwrap_or_default();
        line(format!("\n{}{when}", word("结论：", "Conclusion:")));
        line(format!("  {}", outcome.conclusion.get(lang).trim().replace('\n', "\n  ")));
        for fix in &outcome.fix {
            let mark = if fix.destructive { word("［有损］", "[destructive] ") } else { "" };
            line(format!("  - {mark}{}", fix.text.get(lang)));
            for command in &fix.commands {
                line(format!("      {}", command.trim_end().replace('\n', "\n      ")));
            }
        }
    }
    if let Some(caution) = &file.caution {
        line(format!("\n{} {}", word("注意：", "Caution:"), caution.get(lang)));
    }
    for reference in &file.references {
        line(format!("{} {reference}", word("参考：", "See:")));
    }
    text
}
