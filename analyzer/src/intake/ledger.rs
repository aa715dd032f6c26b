//! The manifest of our own bundles: what its ledger says of each item, and the ledger's errors as text to search.

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::bundle::manifest::{FORMAT, LedgerEntry, Manifest, ManifestError};
use shared::bundle::paths;
use shared::lang::Localized;

use super::layout::support_bundle;
use super::part::{self, ListKey, LogKey, Part, Piece};
use super::releases::{RELEASES, REVISIONS};
use super::role::Role;
use crate::snapshot::{Known, TextKind};

/// Reads `manifest.json`. What is wrong with it is a note for the reader.
pub(super) fn manifest(text: &str) -> Result<Manifest, Localized> {
    Manifest::parse(text.as_bytes()).map_err(|error| match error {
        ManifestError::Json(error) => Localized::new(
            format!("{} 无法读取（{error}）：不知道哪些内容没有收集到。", paths::MANIFEST),
            format!("{} cannot be read ({error}): what was not collected is unknown.", paths::MANIFEST),
        ),
        ManifestError::Format(format) => Localized::new(
            format!("收集包的格式 {format} 比本程序新或不同（{FORMAT}）：请升级 casebook-analyze。"),
            format!(
                "the bundle has format {format}, this program reads {FORMAT}: use a newer casebook-analyze."
            ),
        ),
    })
}

/// The errors of a ledger as a text, each on the line that its entry has in the manifest.
///
/// The manifest itself would not do: in JSON the server's words are escaped. `text` is the manifest if there is one;
/// without it the entries stand on lines of their own, in order.
pub(super) fn errors(ledger: &[LedgerEntry], text: Option<&str>) -> Part {
    let lines = text.and_then(lines_of_entries).filter(|lines| lines.len() == ledger.len());
    let mut part = Part { path: paths::MANIFEST.to_owned(), ..Part::default() };
    let (mut out, mut line) = (String::new(), 1);
    for (index, entry) in ledger.iter().enumerate() {
        let Some(note) =
            entry.note.as_deref().filter(|_| entry.outcome.is_loss() || !entry.outcome.is_whole())
        else {
            continue;
        };
        let place = lines.as_ref().map_or(index + 1, |lines| lines[index]);
        if place > line {
            out.extend(std::iter::repeat_n('\n', place - line));
            line = place;
        } else if !out.is_empty() && !out.ends_with('\n') {
            out.push('\t');
        }
        let start = out.len();
        let words = format!("{}: {note}", entry.source);
        out.extend(words.chars().map(|c| if c == '\n' { ' ' } else { c }));
        let mut piece = Piece::new(TextKind::Ledger, start..out.len());
        piece.namespace = entry.subject.namespace.clone();
        piece.container = entry.subject.container.clone();
        piece.node = entry.subject.node.clone();
        if entry.subject.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("pod")) {
            piece.pod = entry.subject.name.clone();
        }
        if let Role::Log(log) = support_bundle::role(&entry.path) {
            piece.namespace = Some(log.namespace);
            piece.pod = Some(log.pod);
            piece.container = Some(log.container);
            piece.previous = log.previous;
        }
        part.pieces.push(piece);
    }
    part.text = out.into();
    part
}

/// The line, counted from 1, on which each entry of the ledger begins.
fn lines_of_entries(text: &str) -> Option<Vec<usize>> {
    #[derive(Deserialize)]
    struct Ledger<'a> {
        #[serde(borrow)]
        ledger: Vec<&'a RawValue>,
    }
    let entries = serde_json::from_str::<Ledger>(text).ok()?.ledger;
    let (mut at, mut line) = (0, 1);
    Some(
        entries
            .into_iter()
            .map(|raw| {
                let offset = raw.get().as_ptr() as usize - text.as_ptr() as usize;
                line += memchr::memchr_iter(b'\n', &text.as_bytes()[at..offset]).count();
                at = offset;
                line
            })
            .collect(),
    )
}

/// What an entry says about lists or a log.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Lists(Vec<(ListKey, Known)>),
    Log(LogKey, Known),
    Nothing,
}

pub(super) fn said(entry: &LedgerEntry) -> Said {
    let known = part::known(entry.outcome);
    let list = |collection: &str, namespace: Option<&str>| {
        ((collection.to_owned(), namespace.map(str::to_owned)), known)
    };
    if entry.path == "helm" {
        return Said::Lists(vec![list(RELEASES, None), list(REVISIONS, None)]);
    }
    match support_bundle::role(&entry.path) {
        Role::Objects { resource: Some(resource), namespace, .. } => {
            Said::Lists(vec![list(&resource.collection, namespace.as_deref())])
        }
        Role::Helm { namespace } => {
            Said::Lists(vec![list(RELEASES, Some(&namespace)), list(REVISIONS, Some(&namespace))])
        }
        Role::HostFacts { host } => Said::Lists(vec![list("hosts", Some(&host))]),
        Role::Probes { name } => Said::Lists(vec![list("probes", Some(&name))]),
        Role::Log(log) => Said::Log((log.namespace, log.pod, log.container, log.previous), known),
        _ => Said::Nothing,
    }
}
