//! What would settle what is not known: the rule's own questions, and where it has none, the way to collect more.

use std::collections::BTreeSet;

use shared::bundle::manifest::Outcome;

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
    let unknown = unknown(rule, bindings);
    let mut asks: Vec<Ask> = Vec::new();
    for ask in unknown.iter().filter_map(|index| rule.file.asks.get(&rule.evidence[*index].name)) {
        let ask = Ask {
            text: Text { zh: render(&ask.text.zh, Use::Text), en: render(&ask.text.en, Use::Text) },
            command: ask.command.as_ref().map(|command| render(command, Use::Command)),
        };
        if !asks.contains(&ask) {
            asks.push(ask);
        }
    }
    // What the rule asks settles the case: a call for everything else beside it would only bury that.
    if asks.is_empty() && verdict == Verdict::NeedMore {
        for ask in unknown.iter().map(|index| general(&rule.evidence[*index], reach)) {
            if !asks.contains(&ask) {
                asks.push(ask);
            }
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
    let mut words: Vec<(&str, &str)> = Vec::new();
    for source in &evidence.sources {
        let name = source.name();
        let known = WORDS.iter().find(|(source, ..)| *source == name);
        let word = known.map_or((name, name), |(_, zh, en)| (*zh, *en));
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let (zh, en): (Vec<&str>, Vec<&str>) = words.into_iter().unzip();
    let (zh, en) = (zh.join("、"), en.join(", "));
    let namespaces: Vec<&str> = evidence.namespaces.iter().filter_map(|glob| glob.literal()).collect();
    let flags: String = namespaces.iter().map(|namespace| format!(" -n {namespace}")).collect();
    // Whether an attempt was refused, failed otherwise, or was not made: another account helps against the first only.
    let losses = reach.losses(evidence);
    let is_refused = losses.iter().any(|loss| loss.outcome.as_deref() == Some(Outcome::Forbidden.as_str()));
    let text = if losses.is_empty() {
        Text::new(
            format!("还缺少：{zh}。请在中控机运行采集器"),
            format!("Still missing: {en}. Please run the collector on the control machine"),
        )
    } else if is_refused {
        Text::new(
            format!("未能读取：{zh}。请用有权限的账号重新收集"),
            format!("Not read: {en}. Collect again with an account that may read it"),
        )
    } else {
        Text::new(
            format!("未能完整读取：{zh}。请重新收集"),
            format!("Not read whole: {en}. Please collect again"),
        )
    };
    Ask { text, command: Some(format!("casebook-collect{flags}")) }
}

/// What a source is called to somebody who does not write rules.
const WORDS: &[(&str, &str, &str)] = &[
    ("texts", "报错时的完整文本", "the whole text of the error"),
    ("logs", "pod 的日志", "the pods' logs"),
    ("describe", "describe 的输出", "what kubectl describe prints"),
    ("tables", "kubectl get 的输出", "what kubectl get prints"),
    ("hosts.text", "主机信息", "facts of the hosts"),
    ("hosts", "主机信息", "facts of the hosts"),
    ("journals", "系统日志", "the hosts' journals"),
    ("ledger", "采集时的报错", "the errors met while collecting"),
    ("probes", "采集器的探测结果", "what the collector measures"),
    ("events", "事件", "events"),
    ("containers", "pod 的状态", "the pods' state"),
    ("pods", "pod 的状态", "the pods' state"),
    ("nodes", "节点的状态", "the nodes' state"),
    ("services", "服务的清单", "the services"),
    ("persistentvolumeclaims", "pvc 的清单", "the claims"),
    ("persistentvolumes", "pv 的清单", "the volumes"),
    ("storageclasses", "存储类的清单", "the storage classes"),
    ("helm.releases", "helm release 的清单", "the helm releases"),
    ("helm.revisions", "helm 的历史版本", "the helm history"),
];
