//! `casebook-collect inspect BUNDLE`: what is inside, before it is given away.

use std::collections::BTreeMap;

use shared::archive::{self, Fault, Limits, Note};
use shared::bundle::manifest::{Manifest, ManifestError, Outcome};
use shared::bundle::paths;
use shared::encryption::{Identities, KeyError, Locked};
use shared::lang::Lang;

use super::collect::refuse;
use crate::cli::InspectArgs;
use crate::exit::Exit;
use crate::messages::{by_reason, for_terminal, loss_line, losses_by_reason, pick};
use crate::say;
use crate::units::show_size;

#[derive(Debug, thiserror::Error)]
enum InspectError {
    #[error(transparent)]
    Read(#[from] archive::ReadError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{path} is {locked}\nhint: {hint}", hint = .locked.hint().get(Lang::En))]
    Locked { path: String, locked: Locked },
    #[error(
        "{0} is no bundle of casebook-collect: it has no manifest.json\nhint: `casebook-analyze {0}` reads bundles of other tools"
    )]
    NoManifest(String),
    #[error("the manifest of {path} cannot be read: {source}")]
    Manifest { path: String, source: ManifestError },
}

/// Prints a summary of a bundle.
pub fn inspect(args: &InspectArgs, locale: Option<Lang>) -> Exit {
    let lang = args.lang.or(locale).unwrap_or(Lang::En);
    args.identities.iter().for_each(|file| say::if_open_to_others(file, lang));
    match read(args) {
        Ok(manifest) => match say::out(&show(&manifest, lang)) {
            Ok(()) => Exit::Complete,
            Err(error) => refuse(&error),
        },
        Err(error) => refuse(&error),
    }
}

fn read(args: &InspectArgs) -> Result<Manifest, InspectError> {
    let path = args.bundle.display().to_string();
    let identities = Identities::read(&args.identities)?;

    let contents = archive::read(&args.bundle, &Limits::default(), &identities)?;
    if let Some(Note { fault: Fault::Locked(locked), .. }) = contents.notes.first() {
        return Err(InspectError::Locked { path, locked: locked.clone() });
    }
    let is_manifest =
        |p: &str| p == paths::MANIFEST || p.split_once('/').is_some_and(|(_, rest)| rest == paths::MANIFEST);
    let entry = contents.entries.into_iter().find(|entry| is_manifest(&entry.path));
    let entry = entry.ok_or_else(|| InspectError::NoManifest(path.clone()))?;
    Manifest::parse(&entry.data).map_err(|source| InspectError::Manifest { path, source })
}

/// One kind of content: everything below one folder.
#[derive(Default)]
struct Group {
    files: u64,
    bytes: u64,
    lost: u64,
    left_out: u64,
}

fn show(manifest: &Manifest, lang: Lang) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    let tool = &manifest.tool;
    let plain = |text: &str| for_terminal(text, 120);
    let (name, version) = (plain(&tool.name), plain(&tool.version));
    line(format!("{name} {version}  {}  ->  {}", manifest.started, manifest.finished));
    if let Some(cluster) = &manifest.cluster {
        let version = cluster.version.as_deref().unwrap_or("-");
        let (name, server, version) = (plain(&cluster.name), plain(&cluster.server), plain(version));
        line(format!("{}: {name} {server} {version}", pick(lang, "集群", "cluster")));
    }
    if let Some(stopped) = &manifest.stopped {
        line(format!("{}: {}", pick(lang, "提前结束", "ended early"), plain(stopped)));
    }
    for (key, value) in &manifest.options {
        line(format!("  {} = {}", plain(key), plain(&value.to_string())));
    }
    line(String::new());
    let mut groups = BTreeMap::<String, Group>::new();
    for entry in &manifest.ledger {
        let group = groups.entry(group_of(&entry.path)).or_default();
        group.files += u64::from(entry.sha256.is_some());
        group.bytes += entry.bytes;
        group.lost += u64::from(entry.outcome.is_loss());
        group.left_out += u64::from(entry.outcome == Outcome::Skipped);
    }
    line(match lang {
        // These characters are two columns wide.
        Lang::Zh => format!("{:>6} {:>10} {:>6} {:>6}", "文件", "大小", "缺失", "未收"),
        Lang::En => format!("{:>8} {:>12} {:>8} {:>8}", "files", "size", "missing", "left out"),
    });
    for (name, group) in &groups {
        let Group { files, bytes, lost, left_out } = group;
        line(format!("{files:>8} {:>12} {lost:>8} {left_out:>8}  {}", show_size(*bytes), plain(name)));
    }
    masked(manifest, lang, &mut line);
    missing(manifest, lang, &mut line);
    left_out(manifest, lang, &mut line);
    out
}

/// `cluster-resources/pods/logs`, `cluster-resources`, `describe`, …
fn group_of(path: &str) -> String {
    if path.starts_with("cluster-resources/pods/logs") {
        return "cluster-resources/pods/logs".to_owned();
    }
    path.split('/').next().unwrap_or_default().to_owned()
}

/// How many secrets were masked, by kind, and then in which file how many of which kind.
fn masked(manifest: &Manifest, lang: Lang, line: &mut impl FnMut(String)) {
    let mut kinds = BTreeMap::<&str, u64>::new();
    let mut files = BTreeMap::<&str, BTreeMap<&str, u64>>::new();
    for entry in &manifest.ledger {
        for (kind, count) in &entry.redactions {
            *kinds.entry(kind).or_default() += count;
            *files.entry(&entry.path).or_default().entry(kind).or_default() += count;
        }
    }
    line(String::new());
    line(pick(lang, "已脱敏：", "masked:").to_owned());
    if kinds.is_empty() {
        line(format!("  {}", pick(lang, "无", "nothing")));
    }
    for (kind, count) in kinds {
        line(format!("{count:>8}  {}", for_terminal(kind, 120)));
    }
    if files.is_empty() {
        return;
    }
    line(String::new());
    line(pick(lang, "各文件已脱敏：", "masked in each file:").to_owned());
    for (path, kinds) in files {
        let each: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let (path, each) = (for_terminal(path, 240), for_terminal(&each.join(", "), 240));
        line(format!("{:>8}  {path}  ({each})", kinds.values().sum::<u64>()));
    }
}

fn missing(manifest: &Manifest, lang: Lang, line: &mut impl FnMut(String)) {
    let losses = losses_by_reason(manifest);
    line(String::new());
    line(pick(lang, "缺失或不完整：", "missing or cut:").to_owned());
    if losses.is_empty() {
        line(format!("  {}", pick(lang, "无", "nothing")));
    }
    for group in &losses {
        line(format!("  {}", loss_line(lang, group)));
    }
}

/// What was not asked for, on purpose or since the run ended; nothing is said where there is nothing.
fn left_out(manifest: &Manifest, lang: Lang, line: &mut impl FnMut(String)) {
    let groups = by_reason(manifest, |entry| entry.outcome == Outcome::Skipped);
    if groups.is_empty() {
        return;
    }
    line(String::new());
    line(pick(lang, "未收集：", "left out:").to_owned());
    for group in &groups {
        line(format!("  {}", loss_line(lang, group)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(ledger: serde_json::Value) -> Manifest {
        serde_json::from_value(serde_json::json!({
            "format": "casebook.bundle/v1", "tool": {"name": "casebook-collect", "version": "0"},
            "started": "1970-01-01T00:00:00Z", "finished": "1970-01-01T00:00:00Z", "ledger": ledger,
        }))
        .unwrap()
    }

    #[test]
    fn every_file_says_how_many_of_which_kind_were_masked() {
        let entry = |path: &str, redactions: serde_json::Value| serde_json::json!({"path": path, "source": "x", "outcome": "collected", "bytes": 1, "redactions": redactions});
        let manifest = manifest(serde_json::json!([
            entry("texts/b.txt", serde_json::json!({"token": 2, "password": 3})),
            entry("describe/a.txt", serde_json::json!({"password": 1})),
            entry("describe/none.txt", serde_json::json!({})),
        ]));
        let shown = show(&manifest, Lang::En);
        let part = shown.split("masked:\n").nth(1).unwrap().split("missing").next().unwrap();
        assert_eq!(
            part,
            "       4  password\n       2  token\n\nmasked in each file:\n       1  describe/a.txt  (password 1)\n       \
             5  texts/b.txt  (password 3, token 2)\n\n"
        );
        assert!(show(&manifest, Lang::Zh).contains("各文件已脱敏"));
    }
}
