//! From whatever people have to a [`Snapshot`].
//!
//! Each input is read into memory ([`shared::archive`]), its layout recognised ([`layout`]), each of its files decoded
//! ([`decode`]) and read for what its place or its content says it is ([`mod@file`]), on all cores. [`join`] puts the parts
//! together in the order of the inputs and their paths, so that the result does not depend on which core was faster.

mod belonging;
mod decode;
mod dialect;
mod documents;
mod errors;
mod file;
mod integrity;
mod join;
mod kinds;
mod lacks;
mod layout;
mod ledger;
mod merge;
mod moment;
mod part;
mod releases;
mod role;
mod rotation;
mod shapes;
#[cfg(test)]
mod tests;
mod text;
mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rayon::prelude::*;
use shared::archive::{self, Contents, Entry, Fault, Foreign, Limits};
use shared::bundle::manifest::{LedgerEntry, Manifest};
use shared::encryption::{Identities, Locked};
use shared::lang::{Lang, Localized};

use self::join::Joined;
use self::layout::{Layout, several};
use self::part::Part;
use self::role::Role;
use crate::snapshot::{Input, Snapshot};

/// Why there is nothing to analyse.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("nothing to read\nhint: name a bundle, a folder or a text file")]
    NoInput,
    #[error(transparent)]
    Unreadable(#[from] archive::ReadError),
    #[error(
        "{path} is empty\nhint: the upload may have been cut off; compare its size with the file it was made from"
    )]
    Empty { path: PathBuf },
    #[error("{path} is no bundle and no text: {reason}\nhint: {hint}")]
    NothingInside { path: PathBuf, reason: String, hint: &'static str },
    #[error("{path} is {locked}\nhint: {hint}", hint = .locked.hint().get(Lang::En))]
    Locked { path: PathBuf, locked: Locked },
    #[error("{path}: {reason}")]
    Refused { path: PathBuf, reason: String },
}

/// Reads all inputs into one body of evidence; `identities` open what is sealed.
///
/// # Errors
/// If an input cannot be opened or nothing in it can be read; what is wrong with parts of it is in the notes of its
/// [`Input`].
pub fn load(paths: &[PathBuf], limits: &Limits, identities: &Identities) -> Result<Snapshot, IntakeError> {
    if paths.is_empty() {
        return Err(IntakeError::NoInput);
    }
    let mut reads = Vec::with_capacity(paths.len());
    for path in paths {
        let contents = archive::read(path, limits, identities)?;
        reads.extend(input(path, contents)?);
    }
    // What was collected later counts. Where a time is missing, the order of the arguments does.
    if reads.iter().all(|read| read.input.collected_at.is_some()) {
        reads.sort_by_key(|read| read.input.collected_at);
    }
    // Beside another input a text is not asked for more than it holds.
    if let [read] = &mut reads[..]
        && read.input.layout == Layout::Loose.name()
    {
        read.input.notes.extend(lacks::missing(&read.parts));
    }
    let mut joined = Joined::new(reads.len() > 1);
    for read in reads {
        joined.add(read);
    }
    Ok(joined.finish())
}

/// The name in [`Objects`](crate::snapshot::Objects) of what the API calls `plural` of `group`.
pub fn collection(group: &str, plural: &str) -> String {
    let name = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
    kinds::of_name(&name).map_or(name, |resource| resource.collection.into_owned())
}

/// Reads files given as (path in a bundle, bytes) that count as complete but for what `ledger` says of them and of
/// others that are not there.
pub fn from_files(files: Vec<(String, Vec<u8>)>, ledger: Vec<LedgerEntry>) -> Snapshot {
    let entries =
        files.into_iter().map(|(path, data)| Entry { path, data, modified: None, cut: false }).collect();
    let read = Read { ledger, ..read_entries("files", entries, Layout::Casebook) };
    let mut joined = Joined::new(false);
    joined.add(read);
    joined.finish()
}

/// One input, read.
struct Read {
    input: Input,
    /// Name of the input in paths, when there are several.
    name: String,
    parts: Vec<Part>,
    ledger: Vec<LedgerEntry>,
    /// Text of the manifest, for the places of its ledger entries.
    manifest_text: Option<std::sync::Arc<str>>,
}

/// The bundles and texts that one path of the user's holds.
fn input(path: &Path, contents: Contents) -> Result<Vec<Read>, IntakeError> {
    let Contents { entries, notes, .. } = contents;
    if entries.is_empty() {
        return Err(match notes.first() {
            Some(archive::Note { fault: Fault::Locked(locked), .. }) => {
                IntakeError::Locked { path: path.to_owned(), locked: locked.clone() }
            }
            Some(note) => nothing(path, note.fault.to_string(), Some(&note.fault)),
            None => IntakeError::Empty { path: path.to_owned() },
        });
    }
    if entries.iter().all(|entry| entry.data.is_empty()) {
        let lost = notes.iter().find(|note| matches!(note.fault, Fault::Damaged { .. } | Fault::Limit(_)));
        return Err(match lost {
            Some(note) => nothing(path, format!("{}: {}", note.path, note.fault), None),
            None => IntakeError::Empty { path: path.to_owned() },
        });
    }
    let mut entries = entries;
    entries.retain(|entry| !layout::is_litter(&entry.path));
    let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let groups = several::groups(&paths);
    let mut entries: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
    // `.` has no name of its own.
    let named = if path.file_name().is_some() { None } else { path.canonicalize().ok() };
    let own_name = named.as_deref().unwrap_or(path).file_name();
    let own_name = own_name.map_or_else(|| "input".to_owned(), |name| name.to_string_lossy().into_owned());
    let mut reads = Vec::with_capacity(groups.len());
    for group in groups {
        let inside = |outer: &str| match group.folder.trim_end_matches('/') {
            "" => outer.to_owned(),
            folder => format!("{}/{folder}", outer.trim_end_matches('/')),
        };
        let files = group.files.iter().filter_map(|file| entries[*file].take()).map(|mut entry| {
            entry.path.drain(..group.around);
            entry
        });
        let read = read_entries(&inside(&path.to_string_lossy()), files.collect(), group.layout);
        if !read.parts.is_empty() || read.manifest_text.is_some() {
            reads.push(Read { name: inside(&own_name), ..read });
        }
    }
    // Their order in a folder says nothing, unlike that of arguments: one of unknown age counts least.
    reads.sort_by_key(|read| read.input.collected_at);
    let Some(first) = reads.first_mut() else {
        return Err(nothing(path, "it holds no text".to_owned(), notes.first().map(|note| &note.fault)));
    };
    let mut notes = notes.iter().filter_map(told);
    first.input.notes.extend(notes.by_ref().take(NOTES));
    let more = notes.count();
    if more > 0 {
        first.input.notes.push(Localized::new(
            format!("还有 {more} 条这样的说明没有列出。"),
            format!("{more} more such notes are left out."),
        ));
    }
    Ok(reads)
}

/// Notes on an archive that are told one by one: a hostile one earns hundreds of thousands.
const NOTES: usize = 50;

fn nothing(path: &Path, reason: String, fault: Option<&Fault>) -> IntakeError {
    let hint = match fault {
        Some(Fault::Encrypted) => "unpack it with its password and name the folder",
        Some(Fault::Foreign(Foreign::Archive(_))) => {
            "unpack it and name the folder, or pack it again as .zip or .tar.gz"
        }
        Some(Fault::Foreign(_)) => "copy the text itself into a file",
        _ if is_part_of_split(path) => {
            "this looks like one part of a split file; put the parts together first, as in `cat x.001 x.002 > x`"
        }
        _ => "name what casebook-collect wrote, an archive or folder of kubectl output, or a text file",
    };
    IntakeError::NothingInside { path: path.to_owned(), reason, hint }
}

/// As `split`, 7-Zip and zip name the parts: `x.7z.001`, `x.tar.gz.aa`, `x.z01`.
fn is_part_of_split(path: &Path) -> bool {
    let Some(ending) = path.extension().and_then(|ending| ending.to_str()).map(str::as_bytes) else {
        return false;
    };
    match ending {
        [a, b, c] => {
            [a, b, c].iter().all(|byte| byte.is_ascii_digit())
                || *a == b'z' && b.is_ascii_digit() && c.is_ascii_digit()
        }
        [a, b] => matches!(a, b'a'..=b'c') && b.is_ascii_lowercase(),
        _ => false,
    }
}

/// Notes of the archive that the reader of a report should see.
fn told(note: &archive::Note) -> Option<Localized> {
    // Twins and links are everyday life in bundles, and nothing is lost by them.
    if matches!(note.fault, Fault::Link { .. } | Fault::Duplicate) {
        return None;
    }
    if let Fault::Locked(locked) = &note.fault {
        let told = |lang| format!("{}: {locked}; {}", note.path, locked.hint().get(lang));
        return Some(Localized::new(told(Lang::Zh), told(Lang::En)));
    }
    let text = format!("{}: {}", note.path, note.fault);
    Some(Localized::new(text.clone(), text))
}

fn read_entries(name: &str, entries: Vec<Entry>, layout: Layout) -> Read {
    let modified = entries.iter().filter_map(|entry| entry.modified).max();
    let modified = modified.and_then(|at| Timestamp::from_second(at).ok());
    let sums = if layout == Layout::Casebook { integrity::sums(&entries) } else { BTreeMap::new() };
    let decoded: Vec<Option<Decoded>> =
        entries.into_par_iter().map(|entry| read_entry(entry, layout)).collect();
    let mut input = Input {
        path: name.to_owned(),
        layout: String::new(),
        manifest: None,
        collected_at: None,
        notes: Vec::new(),
    };
    let (mut parts, mut ledger, mut manifest_text) = (Vec::new(), Vec::new(), None);
    for decoded in decoded.into_iter().flatten() {
        match decoded {
            Decoded::Part(part) => parts.push(*part),
            Decoded::Manifest { text, read: Ok(manifest) } => {
                input.collected_at = Some(manifest.started);
                ledger.clone_from(&manifest.ledger);
                input.notes.extend(integrity::notes(&manifest, &sums));
                input.manifest = Some(*manifest);
                manifest_text = Some(text);
            }
            Decoded::Manifest { read: Err(note), .. } => input.notes.push(note),
        }
    }
    if layout == Layout::Casebook && input.manifest.is_none() && input.notes.is_empty() && name != "files" {
        input.notes.push(Localized::new(
            "没有 manifest.json：收集包不完整或被修改过，不知道哪些内容没有收集到。",
            "there is no manifest.json: the bundle was cut off or changed, and what was not collected is unknown.",
        ));
    }
    let is_dump = |part: &Part| part.dump || part.objects.is_empty();
    let layout = match layout {
        Layout::Loose if parts.iter().any(|part| part.dump) && parts.iter().all(is_dump) => {
            Layout::ClusterInfoDump
        }
        Layout::ClusterInfoDump => {
            layout::cluster_dump::cover_folder(&mut parts);
            layout
        }
        Layout::Sos | Layout::Insights | Layout::Kind => {
            layout::host_report::mark_previous(&mut parts);
            layout
        }
        other => other,
    };
    input.layout = layout.name().to_owned();
    moment::resolve(&mut parts, input.collected_at, modified);
    if input.collected_at.is_none() {
        input.collected_at = moment::of_input(&parts, layout, modified);
    }
    input.notes.extend(lacks::lacks(layout));
    input.notes.extend(parts.iter_mut().flat_map(|part| std::mem::take(&mut part.notes)));
    Read { input, name: name.to_owned(), parts, ledger, manifest_text }
}

enum Decoded {
    Part(Box<Part>),
    Manifest { text: std::sync::Arc<str>, read: Result<Box<Manifest>, Localized> },
}

/// Reads one file; `None` if it is of no use.
fn read_entry(entry: Entry, layout: Layout) -> Option<Decoded> {
    let role = layout.role(&entry.path);
    if role == Role::Skip {
        return None;
    }
    let decoded = decode::decode(&entry.data)?;
    drop(entry.data);
    if role == Role::Manifest {
        let read = ledger::manifest(&decoded.text).map(Box::new);
        return Some(Decoded::Manifest { text: decoded.text, read });
    }
    Some(Decoded::Part(Box::new(file::read(entry.path, decoded.text, role, entry.cut))))
}
