//! The comparison for people: a post for a forum, or text for a terminal.

use indexmap::IndexMap;
use shared::lang::Lang;

use super::{Comparison, Item};
use crate::report::escape::one_line;
use crate::report::markdown::quote::{code, plain};
use crate::report::words::{self, pick};

/// Objects that are named before "and N more".
const NAMED: usize = 10;

/// A post for a forum.
pub fn markdown(comparison: &Comparison, lang: Lang) -> String {
    Writer { lang, markdown: true }.render(comparison)
}

/// Text for a terminal.
pub fn text(comparison: &Comparison, lang: Lang) -> String {
    Writer { lang, markdown: false }.render(comparison)
}

struct Writer {
    lang: Lang,
    /// Else plain text.
    markdown: bool,
}

impl Writer {
    fn pick<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        pick(self.lang, zh, en)
    }

    /// Four sections, those without an item left out; what another case explains is not told apart.
    fn render(&self, comparison: &Comparison) -> String {
        let told = |items: &'_ [Item]| -> Vec<Item> {
            items.iter().filter(|item| item.explained_by.is_none()).cloned().collect()
        };
        let persists = told(&comparison.persists);
        let new = told(&comparison.new);
        let unknown = told(&comparison.unknown);
        let resolved = told(&comparison.resolved);
        let counts = (resolved.len(), persists.len(), new.len(), unknown.len());
        let summary = match (self.lang, counts) {
            (Lang::Zh, (0, 0, 0, 0)) => "两次都没有发现异常。".to_owned(),
            (Lang::En, (0, 0, 0, 0)) => "Neither bundle shows anything wrong.".to_owned(),
            (Lang::Zh, (r, p, n, u)) => format!("已解决 {r}，仍存在 {p}，新出现 {n}，无法判断 {u}。"),
            (Lang::En, (r, p, n, u)) => {
                format!("{r} resolved, {p} persist, {n} new, {u} cannot be told.")
            }
        };
        let mut parts = vec![self.heading("##", self.pick("前后对比", "Before and after")), summary];
        for (zh, en, items) in [
            ("仍存在", "Persists", &persists),
            ("新出现", "New", &new),
            (
                "无法判断（第二次没有收集到判断所需的内容）",
                "Cannot be told (the second bundle does not hold what would show it)",
                &unknown,
            ),
            ("已解决", "Resolved", &resolved),
        ] {
            if !items.is_empty() {
                parts.push(self.heading("###", self.pick(zh, en)));
                parts.push(self.list(items));
            }
        }
        let mut text = parts.join("\n\n");
        text.push('\n');
        text
    }

    fn heading(&self, mark: &str, words: &str) -> String {
        if self.markdown { format!("{mark} {words}") } else { words.to_owned() }
    }

    /// An item a case, with its objects: behind it in a post, below it on a terminal, where lines are short.
    fn list(&self, items: &[Item]) -> String {
        let mut by_case: IndexMap<(Option<&str>, &str), Vec<&Item>> = IndexMap::new();
        for item in items {
            by_case.entry((item.case.as_deref(), item.title.get(self.lang))).or_default().push(item);
        }
        let lines: Vec<String> = by_case
            .into_iter()
            .map(|((case, title), items)| {
                let change = change(&items, self.lang);
                let names = self.names(&items);
                if self.markdown {
                    let case = case.map(|case| format!(" {}", code(case))).unwrap_or_default();
                    let colon = if names.is_empty() { "" } else { self.pick("：", ": ") };
                    let names = names.join(self.pick("、", ", "));
                    format!("- {}{case}{change}{colon}{names}", plain(title))
                } else {
                    let case = case.map(|case| format!(" [{}]", one_line(case))).unwrap_or_default();
                    let names: String = names.iter().map(|name| format!("\n    {name}")).collect();
                    format!("- {}{case}{change}{names}", one_line(title))
                }
            })
            .collect();
        lines.join("\n")
    }

    fn names(&self, items: &[&Item]) -> Vec<String> {
        let subjects: Vec<String> =
            items.iter().filter_map(|item| Some(words::subject(item.subject.as_ref()?, self.lang))).collect();
        let show = |name: &String| if self.markdown { code(name) } else { one_line(name) };
        let mut names: Vec<String> = subjects.iter().take(NAMED).map(show).collect();
        if subjects.len() > NAMED {
            names.push(match self.lang {
                Lang::Zh => format!("另有 {} 个", subjects.len() - NAMED),
                Lang::En => format!("{} more", subjects.len() - NAMED),
            });
        }
        names
    }
}

/// How the verdict changed, where it did.
fn change(items: &[&Item], lang: Lang) -> String {
    items
        .iter()
        .find_map(|item| Some((item.before?, item.after?)).filter(|(before, after)| before != after))
        .map(|(before, after)| {
            format!(" ({} → {})", words::verdict(before, lang), words::verdict(after, lang))
        })
        .unwrap_or_default()
}
