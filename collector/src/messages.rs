//! What a run says to the person at the terminal, in both languages.

use std::collections::BTreeMap;
use std::path::Path;

use shared::bundle::manifest::{LedgerEntry, Manifest, Outcome};
use shared::bundle::writer::Written;
use shared::lang::Lang;
use shared::pseudonym::Kind;

use crate::options::{MAX_SIZE_OPTION as MAX_SIZE, RECIPIENTS};
use crate::stop::Reason;
use crate::units::show_size;

/// Chooses one of two texts.
pub fn pick<'a>(lang: Lang, zh: &'a str, en: &'a str) -> &'a str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// Losses named one by one; more of them are only counted.
const NAMED: usize = 8;

/// The end of a run that wrote a bundle. `map`: where its pseudonyms are told.
pub fn finished(lang: Lang, written: &Written, manifest: &Manifest, map: Option<&Path>) -> String {
    let size = show_size(written.bytes);
    let path = written.path.display();
    let collected = manifest.ledger.iter().filter(|e| e.outcome == Outcome::Collected && e.bytes > 0).count();
    let replaced = |kind: &str| Kind::ALL.iter().any(|known| known.counted_as() == kind);
    let count = |pseudonyms: bool| -> u64 {
        let all = manifest.ledger.iter().flat_map(|e| &e.redactions);
        all.filter(|(kind, _)| replaced(kind) == pseudonyms).map(|(_, count)| count).sum()
    };
    let masked = count(false);
    let mut text = match lang {
        Lang::Zh => format!("已写入 {path}（{size}，{collected} 个文件，已脱敏 {masked} 处）"),
        Lang::En => format!("wrote {path} ({size}, {collected} files, {masked} values masked)"),
    };
    let sealed = manifest.options.contains_key(RECIPIENTS);
    if sealed {
        text += pick(
            lang,
            "\n已加密：只有公钥的主人能打开",
            "\nencrypted: only the owners of the keys can open it",
        );
    }
    if let Some(map) = map {
        let (count, map) = (count(true), map.display());
        text += &match lang {
            Lang::Zh => format!(
                "\n已替换为化名 {count} 处；对照表只在本机：{map}\n收到答复后用 casebook-collect reveal 还原"
            ),
            Lang::En => format!(
                "\n{count} names and addresses have pseudonyms; what they stand for is on this machine alone: {map}\n\
                 turn a reply back with casebook-collect reveal"
            ),
        };
    }
    if let Some(stopped) = &manifest.stopped {
        let why = match stopped.as_str() {
            "interrupted" => pick(lang, "被中断", "interrupted"),
            "timeout" => pick(lang, "到达 --timeout", "--timeout was reached"),
            "disk_full" => pick(lang, "磁盘已满", "the disk is full"),
            other => other,
        };
        text += &match lang {
            Lang::Zh => format!("\n收集提前结束：{why}"),
            Lang::En => format!("\nthe collection ended early: {why}"),
        };
        let unasked = manifest.ledger.iter().filter(|e| e.outcome == Outcome::Skipped && unasked(e)).count();
        if unasked > 0 {
            text += &match lang {
                Lang::Zh => format!("，{unasked} 项未及收集"),
                Lang::En => format!("; {unasked} items were not asked for any more"),
            };
        }
        text += match stopped.as_str() {
            "timeout" => pick(
                lang,
                "\n提示：用 --timeout 30m 延长时间，或用 -n、--only 缩小范围",
                "\nhint: give it more time (--timeout 30m), or ask for less (-n, --only)",
            ),
            "disk_full" => pick(
                lang,
                "\n提示：换一个有空间的位置重新收集，例如 -o /data/casebook.tar.gz",
                "\nhint: collect again into a place with more room, such as -o /data/casebook.tar.gz",
            ),
            _ => "",
        };
    }
    let most = manifest.options.get(MAX_SIZE).and_then(serde_json::Value::as_u64);
    if let Some(most) = most.filter(|most| written.bytes > *most) {
        let most = show_size(most);
        text += &match lang {
            Lang::Zh => format!(
                "\n大于 --max-size {most}：日志已让出空间，其余内容仍需 {size}\n提示：用 -n 或 --only 缩小范围"
            ),
            Lang::En => format!(
                "\nlarger than --max-size {most}: logs gave way, and what else there is takes {size}\nhint: ask for \
                 less (-n, --only)"
            ),
        };
    }
    text += &missing(lang, manifest);
    if !sealed {
        text += &match lang {
            Lang::Zh => format!("\n上传前可先查看：casebook-collect inspect {path}"),
            Lang::En => format!("\nlook into it before you upload it: casebook-collect inspect {path}"),
        };
    }
    text
}

/// What could not be had, and what the user can do about it.
fn missing(lang: Lang, manifest: &Manifest) -> String {
    let losses: Vec<_> = manifest.ledger.iter().filter(|e| e.outcome.is_loss()).collect();
    if losses.is_empty() {
        return String::new();
    }
    let mut text = match lang {
        Lang::Zh => format!("\n有 {} 项未能（完整）收集，详见包内 manifest.json：", losses.len()),
        Lang::En => format!("\n{} items are missing or cut, see manifest.json inside:", losses.len()),
    };
    let kinds = losses_by_reason(manifest);
    for group in kinds.iter().take(NAMED) {
        text += &format!("\n  {}", loss_line(lang, group));
    }
    if kinds.len() > NAMED {
        text += pick(lang, "\n  ……", "\n  …");
    }
    let refused = losses.iter().filter(|entry| entry.outcome == Outcome::Forbidden).count();
    if refused > 0 {
        text += &match lang {
            Lang::Zh => format!(
                "\n提示：其中 {refused} 项没有权限读取。请换用有权读取整个集群的 kubeconfig（--kubeconfig、--context），或用 -n 只收集有权读取的命名空间"
            ),
            Lang::En => format!(
                "\nhint: {refused} of them may not be read by this user: collect with a kubeconfig that may read the \
                 whole cluster (--kubeconfig, --context), or name the namespaces that you may read (-n)"
            ),
        };
    }
    text
}

/// Whether an item was left out because the run ended.
fn unasked(entry: &LedgerEntry) -> bool {
    entry.note.as_deref().is_some_and(|note| note.contains(ENDED))
}

/// What the ledger says of what was not asked for any more.
const ENDED: &str = "the run ended before";

/// The note of something that the end of the run left out.
pub fn ended_before(what: &str, reason: Reason) -> String {
    format!("{ENDED} {what} ({})", reason.as_str())
}

/// Entries that ended alike for the same reason.
pub struct Losses<'a> {
    pub outcome: Outcome,
    /// The reason in the words of the first.
    pub words: String,
    pub entries: Vec<&'a LedgerEntry>,
}

/// What is missing or cut, the most frequent reason first. Reasons that differ in a name only count as the same.
pub fn losses_by_reason(manifest: &Manifest) -> Vec<Losses<'_>> {
    by_reason(manifest, |entry| entry.outcome.is_loss())
}

/// The same for any entries.
pub fn by_reason(manifest: &Manifest, which: impl Fn(&LedgerEntry) -> bool) -> Vec<Losses<'_>> {
    let mut groups = BTreeMap::<(Outcome, String), Losses<'_>>::new();
    for entry in manifest.ledger.iter().filter(|entry| which(entry)) {
        let words = entry.note.clone().unwrap_or_default();
        let stem = match (entry.outcome, words.find(" is forbidden: ")) {
            (Outcome::Forbidden, Some(_)) => String::new(),
            _ => words.split("not asked for, since ").last().unwrap_or_default().to_owned(),
        };
        let new = || Losses { outcome: entry.outcome, words, entries: Vec::new() };
        groups.entry((entry.outcome, stem)).or_insert_with(new).entries.push(entry);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.entries.len()));
    groups
}

/// One line about them.
pub fn loss_line(lang: Lang, losses: &Losses<'_>) -> String {
    let outcome = match (lang, losses.outcome) {
        (Lang::Zh, Outcome::Forbidden) => "无权限",
        (Lang::Zh, Outcome::TimedOut) => "超时",
        (Lang::Zh, Outcome::Truncated) => "不完整",
        (Lang::Zh, Outcome::Failed) => "失败",
        (Lang::Zh, Outcome::Skipped) => "未收集",
        (Lang::En, Outcome::Skipped) => "left out",
        (_, outcome) => outcome.as_str(),
    };
    let mut text = format!("{outcome} {}", for_terminal(&losses.entries[0].path, 160));
    let more = losses.entries.len() - 1;
    if more > 0 {
        text += &match lang {
            Lang::Zh => format!("（另有 {more} 项）"),
            Lang::En => format!(" (and {more} more)"),
        };
    }
    if !losses.words.is_empty() {
        text += &format!(": {}", for_terminal(&losses.words, 200));
    }
    text
}

/// A text from elsewhere on one line, without anything that a terminal would obey.
pub fn for_terminal(text: &str, most: usize) -> String {
    let mut shown: String =
        text.chars().take(most).map(|c| if c.is_control() || is_hidden(c) { ' ' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// Characters that turn the direction of what follows them, break a line, or cannot be seen at all.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_for_one_reason_is_said_once() {
        let entry = |path: &str, outcome, note: &str| LedgerEntry {
            note: Some(note.to_owned()),
            ..crate::sink::entry(path, "", outcome)
        };
        let all = [
            entry("a", Outcome::Forbidden, "pods is forbidden: User \"x\" cannot list resource \"pods\""),
            entry("b", Outcome::Failed, "dial tcp 10.0.0.1:10250: i/o timeout"),
            entry("c", Outcome::Forbidden, "nodes is forbidden: User \"x\" cannot list resource \"nodes\""),
            entry(
                "d",
                Outcome::Forbidden,
                "jobs.batch is forbidden: User \"x\" cannot list resource \"jobs\"",
            ),
        ];
        let manifest = Manifest { ledger: all.to_vec(), ..crate::testing::manifest() };
        let lines: Vec<_> = losses_by_reason(&manifest).iter().map(|g| loss_line(Lang::En, g)).collect();
        assert!(lines[0].starts_with("forbidden a (and 2 more): pods is forbidden"), "{lines:?}");
        assert_eq!(lines[1], "failed b: dial tcp 10.0.0.1:10250: i/o timeout");
    }

    #[test]
    fn nothing_reaches_the_terminal_that_it_would_obey() {
        assert_eq!(for_terminal("a\x1b[2Jb\nc\u{202e}d\u{200b}e\u{9b}1m\u{7}", 80), "a [2Jb c d e 1m ");
        assert_eq!(for_terminal("一二三", 2), "一二…");
    }
}
