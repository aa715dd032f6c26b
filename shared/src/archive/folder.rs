//! A folder on the disk, read like an archive.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::limits::Metered;
use super::{Fault, Reading};

/// Reads all files below `root`, in the order of their names.
///
/// # Errors
/// If `root` itself cannot be listed.
pub(super) fn read(reading: &mut Reading, root: &Path) -> io::Result<()> {
    let names = list(root)?;
    let mut links = Links { root: root.canonicalize()?, count: 0, first: String::new() };
    walk(reading, root, "", names, &mut links);
    if links.count > 0 {
        let fault = Fault::LinksOut { count: links.count, first: links.first };
        reading.note(root.display().to_string(), fault);
    }
    Ok(())
}

/// Links that lead out of the folder. Others lead to what is read under its own name.
struct Links {
    root: PathBuf,
    count: usize,
    first: String,
}

impl Links {
    fn met(&mut self, link: &Path, shown: &str) {
        if link.canonicalize().is_ok_and(|target| !target.starts_with(&self.root)) {
            if self.count == 0 {
                self.first = shown.to_owned();
            }
            self.count += 1;
        }
    }
}

fn list(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}

/// Returns false when a limit was reached.
fn walk(
    reading: &mut Reading,
    folder: &Path,
    prefix: &str,
    entries: Vec<fs::DirEntry>,
    links: &mut Links,
) -> bool {
    for entry in entries {
        if let Err(exceeded) = reading.meter.entry() {
            reading.note(folder.display().to_string(), Fault::Limit(exceeded));
            return false;
        }
        let Some(path) = reading.place(prefix, entry.file_name().as_encoded_bytes()) else { continue };
        let unreadable = |error: io::Error| Fault::Unreadable { reason: error.to_string() };
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => {
                reading.note(path, unreadable(error));
                continue;
            }
        };
        if kind.is_symlink() {
            let target =
                fs::read_link(entry.path()).map_or_else(|_| String::new(), |t| t.display().to_string());
            links.met(&entry.path(), &path);
            reading.note(path, Fault::Link { target });
        } else if kind.is_dir() {
            match list(&entry.path()) {
                Ok(inner) => {
                    if !walk(reading, &entry.path(), &format!("{path}/"), inner, links) {
                        return false;
                    }
                }
                Err(error) => reading.note(path, unreadable(error)),
            }
        } else if kind.is_file() {
            let file = match File::open(entry.path()) {
                Ok(file) => file,
                Err(error) => {
                    reading.note(path, unreadable(error));
                    continue;
                }
            };
            let meta = file.metadata().ok();
            let modified = meta.as_ref().and_then(|meta| meta.modified().ok());
            let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let modified = modified.and_then(|since| i64::try_from(since.as_secs()).ok());
            reading.meter.consume(meta.map_or(0, |meta| meta.len()));
            let before = reading.notes.len();
            reading.read_file(path, Metered::new(file, reading.meter), None, modified, 0);
            if reading.notes[before..].iter().any(|note| matches!(note.fault, Fault::Limit(_))) {
                return false;
            }
        } else {
            reading.note(path, Fault::Special);
        }
    }
    true
}
