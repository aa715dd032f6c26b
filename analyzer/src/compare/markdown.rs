//! The comparison for a forum post; plain enough to be read on a terminal too.

use std::collections::BTreeMap;

use shared::lang::Lang;

use super::{Comparison, Item};
use crate::report::markdown::quote::{code, plain};
use crate::report::words::{self, pick};

/// Objects that are named before "and N more".
const NAMED: usize = 10;

/// Four sections, those without an item left out.
pub fn render(comparison: &Comparison, lang: Lang) -> String {
    let summary = match lang {
        Lang::Zh => format!(
            "已解决 {}，仍存在 {}，新出现 {}，无法判断 {}。",
            comparison.resolved.len(),
            comparison.persists.len(),
            comparison.new.len(),
            comparison.unknown.len()
        ),
        Lang::En => format!(
            "{} resolved, {} persist, {} new, {} cannot be told.",
            comparison.resolved.len(),
            comparison.persists.len(),
            comparison.new.len(),
            comparison.unknown.len()
        ),
    };
    let mut parts = vec![format!("## {}", pick(lang, "前后对比", "Before and after")), summary];
    for (zh, en, items) in [
        ("仍存在", "Persists", &comparison.persists),
        ("新出现", "New", &comparison.new),
        (
            "无法判断（第二次没有收集到判断所需的内容）",
            "Cannot be told (the second bundle does not hold what would show it)",
            &comparison.unknown,
        ),
        ("已解决", "Resolved", &comparison.resolved),
    ] {
        if !items.is_empty() {
            parts.push(format!("### {}", pick(lang, zh, en)));
            parts.push(list(items, lang));
        }
    }
    let mut text = parts.join("\n\n");
    text.push('\n');
    text
}

/// One line a case, with its objects.
fn list(items: &[Item], lang: Lang) -> String {
    let mut by_case: BTreeMap<(bool, &str, &str), Vec<&Item>> = BTreeMap::new();
    for item in items {
        let case = item.case.as_deref().unwrap_or_default();
        by_case.entry((item.case.is_none(), case, item.title.get(lang))).or_default().push(item);
    }
    let lines: Vec<String> = by_case
        .into_iter()
        .map(|((_, case, title), items)| {
            let mut names: Vec<String> =
                items.iter().take(NAMED).map(|item| code(&words::subject(&item.subject, lang))).collect();
            if items.len() > NAMED {
                names.push(match lang {
                    Lang::Zh => format!("另有 {} 个", items.len() - NAMED),
                    Lang::En => format!("{} more", items.len() - NAMED),
                });
            }
            let case = if case.is_empty() { String::new() } else { format!(" {}", code(case)) };
            let change = items
                .iter()
                .find_map(|item| Some((item.before?, item.after?)).filter(|(before, after)| before != after))
                .map(|(before, after)| {
                    format!(" ({} → {})", words::verdict(before, lang), words::verdict(after, lang))
                })
                .unwrap_or_default();
            let colon = pick(lang, "：", ": ");
            format!("- {}{case}{change}{colon}{}", plain(title), names.join(pick(lang, "、", ", ")))
        })
        .collect();
    lines.join("\n")
}
