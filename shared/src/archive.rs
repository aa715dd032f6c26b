//! Reading what people have: compressed files, archives, archives in archives, sealed files, folders. Nothing is ever written.
//!
//! All of it is untrusted. Files are read into memory under [`Limits`]; a path in an archive is only ever a name, so
//! that one which tries to leave its folder is merely cleaned and noted. Links are not followed: what they point to
//! inside the tree is read under its own name. A fault (a cut stream, a lying size, a limit) ends the container it is
//! in, becomes a [`Note`], and what was read before it stays.

mod compressed;
mod container;
mod folder;
mod gzip;
mod limits;
pub mod member;
mod path;
mod sealed;
mod seven_zip;
mod tarball;
#[cfg(test)]
mod tests;
mod zipped;

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

pub use self::container::Foreign;
use self::container::Kind;
pub use self::limits::{Exceeded, Limits};
use self::limits::{Meter, Metered};
use crate::encryption::{Identities, Locked};
use crate::lang::Lang;

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative, with `/`, clean: no empty, `.` or `..` segment. A file of an archive in an archive has the inner
    /// archive's path before it.
    pub path: String,
    pub data: Vec<u8>,
    /// Seconds since 1970, where the container tells.
    pub modified: Option<i64>,
    /// The end is missing: the container ended early, or the file is longer than [`Limits::file_bytes`].
    pub cut: bool,
}

/// Something that was left out, changed or found damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Path of the file or container that it is about.
    pub path: String,
    pub fault: Fault,
}

/// What a [`Note`] says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("a link to `{target}`, which is not followed")]
    Link { target: String },
    #[error("a device, pipe or socket")]
    Special,
    #[error("the path `{original}` leaves its folder; it is read as this one")]
    Unsafe { original: String },
    #[error("a path of {length} bytes, longer than the limit")]
    LongPath { length: usize },
    #[error("there is another file of this path; the later one counts")]
    Duplicate,
    #[error("longer than the limit of {limit} bytes; the rest is not read")]
    LongFile { limit: u64 },
    #[error("ends before the {stated} bytes that it should have")]
    Short { stated: u64 },
    #[error("parts of the archive overlap, as in an archive made to swell; this file is not read")]
    Overlap,
    #[error("an archive inside {limit} others; it is not opened")]
    TooDeep { limit: usize },
    #[error("protected by a password")]
    Encrypted,
    #[error("{0}")]
    Foreign(Foreign),
    #[error("{count} links lead out of the folder, such as `{first}`; they are not followed")]
    LinksOut { count: usize, first: String },
    #[error("{0}; {hint}", hint = .0.hint().get(Lang::En))]
    Locked(Locked),
    #[error("damaged or cut off: {reason}")]
    Damaged { reason: String },
    #[error("{0}")]
    Limit(Exceeded),
    #[error("cannot be read: {reason}")]
    Unreadable { reason: String },
}

/// Everything that was read from one path.
#[derive(Debug, Default)]
pub struct Contents {
    /// Of the outermost container, as a name such as `tar.gz`, `zip`, `directory` or `file`.
    pub container: &'static str,
    /// In the order of the container; of two with the same path, only the later.
    pub entries: Vec<Entry>,
    pub notes: Vec<Note>,
}

/// Why nothing at all could be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot read {path}: {source}\nhint: name a bundle, a folder or a text file that exists and that you may read"
)]
pub struct ReadError {
    pub path: PathBuf,
    pub source: io::Error,
}

/// The path that stands for what comes in on stdin.
pub const STDIN: &str = "-";

/// Reads a file, an archive, a folder or, as [`STDIN`], what another program writes; `identities` open what is sealed
/// in it.
///
/// # Errors
/// If `path` itself cannot be opened. Faults inside are notes.
pub fn read(path: &Path, limits: &Limits, identities: &Identities) -> Result<Contents, ReadError> {
    let unreadable = |source| ReadError { path: path.to_owned(), source };
    let meter = Meter::new(limits);
    let mut reading = Reading::new(&meter, identities);
    if path.as_os_str() == STDIN {
        let container = reading.pipe("stdin", io::stdin().lock()).map_err(unreadable)?;
        return Ok(reading.finish(container));
    }
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    let name = path.file_name().map_or_else(|| "input".into(), |name| name.to_string_lossy());
    let container = if meta.is_dir() {
        folder::read(&mut reading, path).map_err(unreadable)?;
        "directory"
    } else {
        let mut file = File::open(path).map_err(unreadable)?;
        if meta.is_file() {
            reading.outermost(&name, &mut file).map_err(unreadable)?
        } else {
            reading.pipe(&name, file).map_err(unreadable)?
        }
    };
    Ok(reading.finish(container))
}

/// Reads bytes that are already in memory as if they were a file called `name`; sealed files in it stay closed.
///
/// # Errors
/// Only what [`read`] reports; bytes in memory can always be read.
pub fn read_bytes(name: &str, data: &[u8], limits: &Limits) -> Result<Contents, ReadError> {
    let meter = Meter::new(limits);
    let identities = Identities::default();
    let mut reading = Reading::new(&meter, &identities);
    let container = reading
        .outermost(name, &mut Cursor::new(data))
        .map_err(|source| ReadError { path: name.into(), source })?;
    Ok(reading.finish(container))
}

/// A stream that archives are read from; zip needs to jump in it.
trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// What has been read so far.
struct Reading<'m> {
    meter: &'m Meter<'m>,
    identities: &'m Identities,
    entries: Vec<Entry>,
    notes: Vec<Note>,
}

impl<'m> Reading<'m> {
    fn new(meter: &'m Meter<'m>, identities: &'m Identities) -> Self {
        Self { meter, identities, entries: Vec::new(), notes: Vec::new() }
    }

    fn note(&mut self, path: impl Into<String>, fault: Fault) {
        self.notes.push(Note { path: path.into(), fault });
    }

    /// Turns an error in a stream into the note that says what it was.
    fn fault(&mut self, path: &str, error: &io::Error) {
        let fault = match error.get_ref().and_then(|inner| inner.downcast_ref::<Exceeded>()) {
            Some(exceeded) => Fault::Limit(*exceeded),
            None => Fault::Damaged { reason: error.to_string() },
        };
        self.note(path, fault);
    }

    /// The container that the user named. Its own bytes are what the ratio of unpacked to packed is measured against.
    fn outermost(&mut self, name: &str, source: &mut dyn Source) -> io::Result<&'static str> {
        let kind = container::sniff(source)?;
        if kind == Kind::Plain {
            let name = path::clean(name.as_bytes()).path;
            self.meter.consume(self.meter.limits.total_bytes);
            self.read_file(name, Metered::new(source, self.meter), None, None, 0);
        } else {
            self.open(name, source, kind, 0);
        }
        Ok(kind.name())
    }

    /// A pipe cannot be sought in: all of it is read first.
    fn pipe(&mut self, name: &str, stream: impl Read) -> io::Result<&'static str> {
        let limit = self.meter.limits.total_bytes;
        let mut data = Vec::new();
        stream.take(limit.saturating_add(1)).read_to_end(&mut data)?;
        if data.len() as u64 > limit {
            data.truncate(limit as usize);
            self.note(name, Fault::Limit(Exceeded::Total(limit)));
        }
        self.outermost(name, &mut Cursor::new(data))
    }

    /// Opens a container; its files get `prefix` before their paths when it is not the outermost.
    fn open(&mut self, name: &str, source: &mut dyn Source, kind: Kind, depth: usize) {
        let prefix = if depth == 0 { String::new() } else { format!("{name}/") };
        match kind {
            Kind::Plain => {}
            Kind::Tar => {
                let mut stream = Metered::new(self.packed(source, depth), self.meter);
                tarball::read(self, name, &prefix, &mut stream, depth);
            }
            Kind::Zip => zipped::read(self, name, &prefix, source, depth),
            Kind::SevenZip => seven_zip::read(self, name, &prefix, source, depth),
            Kind::Gzip => {
                let packed = self.packed(source, depth);
                self.unpacked(name, &prefix, gzip::reader(packed), depth);
            }
            Kind::Xz => {
                let packed = self.packed(source, depth);
                self.unpacked(name, &prefix, compressed::xz(packed), depth);
            }
            Kind::Zstd => {
                let packed = self.packed(source, depth);
                self.unpacked(name, &prefix, compressed::zstd(packed), depth);
            }
            Kind::Bzip2 => {
                let packed = self.packed(source, depth);
                self.unpacked(name, &prefix, compressed::bzip2(packed), depth);
            }
            Kind::Age => sealed::read(self, name, source, depth),
            Kind::Foreign(what) => self.note(name, Fault::Foreign(what)),
        }
    }

    /// A stream of packed bytes; only the outermost container's are really there on the disk.
    fn packed<'s>(&self, source: &'s mut dyn Source, depth: usize) -> limits::Counted<'s, 'm> {
        limits::Counted::new(source, (depth == 0).then_some(self.meter))
    }

    /// What a compressed stream turns out to hold: an archive, or one file.
    fn unpacked(&mut self, name: &str, prefix: &str, stream: impl Read, depth: usize) {
        let mut stream = Metered::new(stream, self.meter);
        let mut head = Vec::new();
        if let Err(error) = stream.by_ref().take(container::HEAD as u64).read_to_end(&mut head) {
            self.fault(name, &error);
            if head.is_empty() {
                return;
            }
        }
        let tar = container::is_tar(&head);
        let mut whole = Cursor::new(head).chain(stream);
        if tar {
            tarball::read(self, name, prefix, &mut whole, depth);
        } else {
            let inner = container::without_ending(name).to_owned();
            self.read_file(path::clean(inner.as_bytes()).path, whole, None, None, depth);
        }
    }

    /// Reads one file of a container. `stated` is the size that the container claims. Returns false when the
    /// container cannot be read on.
    fn read_file(
        &mut self,
        path: String,
        stream: impl Read,
        stated: Option<u64>,
        modified: Option<i64>,
        depth: usize,
    ) -> bool {
        let limit = self.meter.limits.file_bytes;
        let mut data = Vec::with_capacity(stated.unwrap_or(0).min(limit).min(1 << 20) as usize);
        let done = stream.take(limit.saturating_add(1)).read_to_end(&mut data);
        let mut cut = false;
        if data.len() as u64 > limit {
            data.truncate(limit as usize);
            cut = true;
            self.note(path.clone(), Fault::LongFile { limit });
        }
        let mut healthy = true;
        if let Err(error) = done {
            self.fault(&path, &error);
            (cut, healthy) = (true, false);
        } else if let Some(stated) = stated.filter(|stated| !cut && (data.len() as u64) < *stated) {
            self.note(path.clone(), Fault::Short { stated });
            cut = true;
        }
        self.add(Entry { path, data, modified, cut }, depth);
        healthy
    }

    /// Takes a file, or opens it if it is an archive itself.
    fn add(&mut self, entry: Entry, depth: usize) {
        let mut source = Cursor::new(&entry.data[..]);
        let kind = match container::sniff(&mut source) {
            Ok(kind) if !container::is_document(&entry.path) => kind,
            _ => Kind::Plain,
        };
        if kind == Kind::Plain {
            self.entries.push(entry);
        } else if depth >= self.meter.limits.nesting {
            self.note(entry.path, Fault::TooDeep { limit: self.meter.limits.nesting });
        } else {
            self.open(&entry.path, &mut source, kind, depth + 1);
        }
    }

    /// The path under which a file of a container is kept; `None` if it has none that can be used.
    fn place(&mut self, prefix: &str, original: &[u8]) -> Option<String> {
        let limit = self.meter.limits.path_bytes;
        if prefix.len() + original.len() > limit {
            let start = String::from_utf8_lossy(&original[..original.len().min(60)]).into_owned();
            self.note(format!("{prefix}{start}…"), Fault::LongPath { length: original.len() });
            return None;
        }
        let clean = path::clean(original);
        if clean.path.is_empty() {
            return None;
        }
        let place = format!("{prefix}{}", clean.path);
        if let Some(original) = clean.unsafe_original {
            self.note(place.clone(), Fault::Unsafe { original });
        }
        Some(place)
    }

    /// Drops all but the last of files with the same path.
    fn finish(mut self, container: &'static str) -> Contents {
        let mut seen = std::collections::HashSet::new();
        let mut duplicates = Vec::new();
        let mut later: Vec<Entry> = Vec::with_capacity(self.entries.len());
        for entry in self.entries.into_iter().rev() {
            if seen.insert(entry.path.clone()) {
                later.push(entry);
            } else {
                duplicates.push(Note { path: entry.path, fault: Fault::Duplicate });
            }
        }
        later.reverse();
        duplicates.reverse();
        self.notes.append(&mut duplicates);
        Contents { container, entries: later, notes: self.notes }
    }
}
