//! What a rule tells anybody who meets it in a list of results, without any bundle at hand.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use shared::lang::Lang;

use super::{level, message, plain};
use crate::matching::template::{self, Use};
use crate::report::markdown::quote::{fence, prose};
use crate::report::words::pick;
use crate::rules::Rule;
use crate::rules::format::OutcomeSpec;

/// The rule as SARIF's `reportingDescriptor`.
pub fn descriptor(rule: &Rule, lang: Lang) -> Value {
    let file = &rule.file;
    let title = file.title.get(lang);
    let mut tags: Vec<&str> = rule.section.split('/').collect();
    tags.extend(file.cause_class.map(|class| class.as_str()));
    let mut descriptor = json!({
        "id": file.id,
        "shortDescription": message(title),
        "help": help(rule, lang),
        "defaultConfiguration": {"level": level(file.severity)},
        "properties": {"tags": tags},
    });
    if let Some(link) = file.references.iter().find(|link| link.starts_with("https://")) {
        descriptor["helpUri"] = link.as_str().into();
    }
    descriptor
}

/// Every outcome of the rule: what it means and what to do, with `<name>` where a bundle would give the value.
fn help(rule: &Rule, lang: Lang) -> Value {
    let (mut text, mut markdown) = (Vec::new(), Vec::new());
    for outcome in &rule.file.outcomes {
        tell(outcome, lang, &mut text, &mut markdown);
    }
    if let Some(caution) = &rule.file.caution {
        let words =
            format!("{}{}", pick(lang, "注意：", "Caution: "), without_values(caution.get(lang), Use::Text));
        text.push(plain(&words));
        markdown.push(prose(&words));
    }
    json!({"text": text.join("\n\n"), "markdown": markdown.join("\n\n")})
}

fn tell(outcome: &OutcomeSpec, lang: Lang, text: &mut Vec<String>, markdown: &mut Vec<String>) {
    let conclusion = without_values(outcome.conclusion.get(lang), Use::Text);
    text.push(plain(conclusion.trim()));
    markdown.push(prose(&conclusion));
    for (fix, number) in outcome.fix.iter().zip(1..) {
        let step = format!(
            "{} {number}{}{}{}",
            pick(lang, "步骤", "Step"),
            pick(lang, "：", ": "),
            without_values(fix.text.get(lang), Use::Text).trim(),
            if fix.destructive {
                pick(lang, "（有破坏性，无法撤销）", " (destructive, cannot be undone)")
            } else {
                ""
            },
        );
        let commands: Vec<String> =
            fix.commands.iter().map(|command| without_values(command, Use::Command)).collect();
        text.push(plain(format!("{step}\n{}", commands.join("\n")).trim_end()));
        markdown.push(prose(&step));
        if !commands.is_empty() {
            markdown.push(fence("bash", &commands.join("\n")));
        }
    }
}

/// A template's text where no bundle gives it values.
fn without_values(source: &str, purpose: Use) -> String {
    static NOTHING_KNOWN: LazyLock<Arc<Value>> = LazyLock::new(|| Arc::new(json!({})));
    // One row without a field: what a template would list is then one `<name>`, not a gap in the sentence.
    template::render(source, purpose, |_| Some(vec![&NOTHING_KNOWN])).unwrap_or_else(|_| source.to_owned())
}
