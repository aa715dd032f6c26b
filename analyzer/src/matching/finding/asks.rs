//! What would settle what is not known: the rule's own questions, and where it has none, the way to collect more.

use std::collections::BTreeSet;

use crate::matching::bind::Binding;
use crate::matching::coverage::Reach;
use crate::matching::template::Use;
use crate::report::model::{Ask, Missing, Text, Unresolved, Verdict};
use crate::rules::Rule;
use crate::rules::compile::Evidence;
use crate::rules::expr::Truth;
use crate::rules::source::Source;
use crate::snapshot::TextKind;

/// The questions of a finding. A likely finding asks only what its rule thought worth asking.
pub fn of_group(
    rule: &Rule,
    verdict: Verdict,
    bindings: &[&Binding],
    reach: &Reach<'_>,
    render: &mut dyn FnMut(&str, Use) -> String,
) -> Vec<Ask> {
    if verdict == Verdict::Confirmed {
        return Vec::new();
    }
    let mut asks: Vec<Ask> = Vec::new();
    for index in unknown(rule, bindings) {
        let evidence = &rule.evidence[index];
        let ask = match rule.file.asks.get(&evidence.name) {
            Some(ask) => Ask {
                text: Text { zh: render(&ask.text.zh, Use::Text), en: render(&ask.text.en, Use::Text) },
                command: ask.command.as_ref().map(|command| render(command, Use::Command)),
            },
            None if verdict == Verdict::NeedMore => general(evidence, reach),
            None => continue,
        };
        if !asks.contains(&ask) {
            asks.push(ask);
        }
    }
    asks
}

/// A case of which nothing was seen, because something that should have been read was refused or cut.
///
/// What nobody tried to collect is not worth a line here: a pasted text alone would leave nearly every case open.
pub fn unresolved(rule: &Rule, bindings: &[&Binding], reach: &Reach<'_>) -> Option<Unresolved> {
    let unknown = unknown(rule, bindings);
    let missing: BTreeSet<Missing> =
        unknown.iter().flat_map(|index| reach.losses(&rule.evidence[*index])).collect();
    if missing.is_empty() {
        return None;
    }
    let mut asks: Vec<Ask> = Vec::new();
    for index in
        unknown.into_iter().filter(|index| missing.iter().any(|m| m.evidence == rule.evidence[*index].name))
    {
        let ask = general(&rule.evidence[index], reach);
        if !asks.contains(&ask) {
            asks.push(ask);
        }
    }
    Some(Unresolved {
        case: rule.file.id.clone(),
        section: rule.section.clone(),
        title: rule.file.title.clone().into(),
        missing: missing.into_iter().collect(),
        asks,
    })
}

/// The evidences that are unknown in some binding and that the verdict depends on, directly or through a join; and those
/// for which the rule has a question, since they may decide what is advised.
fn unknown(rule: &Rule, bindings: &[&Binding]) -> Vec<usize> {
    let names = rule.confirmed.iter().chain(&rule.likely).flat_map(|expr| expr.names());
    let asked: BTreeSet<usize> = names.filter_map(|name| rule.index_of(name)).collect();
    let is_unknown = |index: usize| bindings.iter().any(|binding| binding.truth[index] == Truth::Unknown);
    let mut unknown = BTreeSet::new();
    for index in asked.into_iter().filter(|index| is_unknown(*index)) {
        // What cannot be joined yet is settled by what it joins to.
        let roots: Vec<usize> = rule.evidence[index]
            .depends
            .iter()
            .copied()
            .filter(|dependency| is_unknown(*dependency))
            .collect();
        let has_own_ask = rule.file.asks.contains_key(&rule.evidence[index].name);
        if roots.is_empty() || has_own_ask {
            unknown.insert(index);
        } else {
            unknown.extend(roots);
        }
    }
    let asked_for = rule.file.asks.keys().filter_map(|name| rule.index_of(name));
    unknown.extend(asked_for.filter(|index| is_unknown(*index)));
    unknown.into_iter().collect()
}

/// How to get what an evidence reads, when its rule does not say.
fn general(evidence: &Evidence, reach: &Reach<'_>) -> Ask {
    let pasted = evidence.sources.contains(&Source::Text(TextKind::Pasted));
    if pasted && !reach.has_texts() {
        return Ask {
            text: Text::new(
                "请提供报错时的完整文本（终端输出、页面提示或执行日志），不要只发截图",
                "Give the whole text of the error (terminal output, page message or execution log), not a picture of it",
            ),
            command: Some("casebook-collect --text <file>".into()),
        };
    }
    let what: Vec<&str> = evidence.sources.iter().map(Source::name).collect();
    let what = what.join(", ");
    let namespaces: Vec<&str> = evidence.namespaces.iter().filter_map(|glob| glob.literal()).collect();
    let flags: String = namespaces.iter().map(|namespace| format!(" -n {namespace}")).collect();
    Ask {
        text: Text::new(
            format!("未能读取：{what}。请用有权限的账号重新收集"),
            format!("Not read: {what}. Collect again with an account that may read it"),
        ),
        command: Some(format!("casebook-collect{flags}")),
    }
}
