//! The table of all rules, as committed in `rules/CATALOGUE.md`.

use std::collections::BTreeMap;

use super::{Rule, RuleSet};

/// Sections of the catalogue that have no rule, but whose place is kept, with the reason.
const EMPTY_SECTIONS: &[(&str, &str, &str)] = &[(
    "blueking/prepare",
    "部署前的报错：待用户反馈。",
    "Errors before the installation: none reported yet.",
)];

/// Markdown with one table a section: id, title, what decides.
pub fn markdown(set: &RuleSet) -> String {
    let mut sections: BTreeMap<&str, Vec<&Rule>> =
        EMPTY_SECTIONS.iter().map(|(section, _, _)| (*section, Vec::new())).collect();
    for rule in set.iter() {
        sections.entry(&rule.section).or_default().push(rule);
    }
    let mut text = String::from(
        "# Catalogue of rules\n\nWritten by `casebook-analyze rules catalogue`; do not edit. \
         **C** is what confirms a case, **L** what makes it likely.\n",
    );
    for (section, rules) in sections {
        text.push_str(&format!("\n## {section}\n\n"));
        if let Some((_, zh, en)) =
            EMPTY_SECTIONS.iter().find(|(empty, _, _)| *empty == section && rules.is_empty())
        {
            text.push_str(&format!("{zh} {en}\n"));
            continue;
        }
        text.push_str("| id | 案例 | case | what decides it |\n|---|---|---|---|\n");
        for rule in rules {
            let file = &rule.file;
            let mut decides = Vec::new();
            for (mark, expr) in [("C", &file.verdict.confirmed), ("L", &file.verdict.likely)] {
                decides.extend(
                    expr.as_ref().map(|expr| {
                        format!("**{mark}** `{}`", expr.replace("||", "or").replace("&&", "and"))
                    }),
                );
            }
            let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
            text.push_str(&format!(
                "| `{}` | {} | {} | {} |\n",
                file.id,
                cell(&file.title.zh),
                cell(&file.title.en),
                cell(&decides.join("; "))
            ));
        }
    }
    text
}
