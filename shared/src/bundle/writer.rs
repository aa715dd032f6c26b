//! Writing a bundle: finished items go in one after the other, the manifest last.
//!
//! The bundle takes shape under a temporary name beside its target, readable by its owner alone, and gets its real
//! name only when it is whole and on the disk: whoever sees the file sees a valid bundle. Dropping the writer removes
//! what was there. An item that cannot be written (a full disk) leaves the bundle as it was before, and room for the
//! manifest is kept from the beginning ([`reserve`]), so that it can still be finished, smaller.
//!
//! A bundle can be sealed ([`crate::encryption`]): then no byte of it is ever on the disk but as the cipher gives it.
//! What went into the cipher cannot be taken back, so the room for an item is reserved before it goes in. Where that
//! cannot be done and the disk is full half-way, the bundle is lost and nothing is left.
//!
//! A `.tar.gz` is a run of gzip members as [`crate::archive::member`] describes. Items compress themselves in the
//! tasks that make them; [`BundleWriter::append`] has little left to do. Small items share members.
//!
//! The same items, times and manifest give the same bytes.

mod item;
mod manifest_json;
mod output;
mod reserve;
mod tar_header;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tempfile::{NamedTempFile, TempDir};
use zip::ZipWriter;
use zip::write::{SimpleFileOptions, StreamWriter as Unsought};

use self::item::{Body, LEVEL};
pub use self::item::{Item, ItemWriter};
use self::output::{Output, make_room};
use self::reserve::Reserve;
use self::tar_header::{BLOCK, blocks, padding};
use super::manifest::Manifest;
use super::paths;
use crate::archive::member;
use crate::encryption::{self, Seal, StreamWriter};

/// The container that a bundle is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    TarGz,
    Tar,
    Zip,
    Directory,
}

impl Format {
    /// The format that a file name asks for by its ending; `None` if it has none of the known endings.
    pub fn from_name(name: &str) -> Option<Format> {
        let name = name.to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".tar.gz", ".tgz"]) {
            Some(Format::TarGz)
        } else if ends(&[".tar"]) {
            Some(Format::Tar)
        } else if ends(&[".zip"]) {
            Some(Format::Zip)
        } else {
            None
        }
    }

    /// Ending of a file name in this format, with its dot; empty for a directory.
    pub fn extension(self) -> &'static str {
        match self {
            Format::TarGz => ".tar.gz",
            Format::Tar => ".tar",
            Format::Zip => ".zip",
            Format::Directory => "",
        }
    }
}

/// The container, and whether only its recipients can open it.
#[derive(Debug, Clone)]
pub struct Packing {
    pub format: Format,
    /// A directory cannot be sealed.
    pub seal: Option<Seal>,
}

impl From<Format> for Packing {
    fn from(format: Format) -> Self {
        Self { format, seal: None }
    }
}

impl Packing {
    /// The packing that a file name asks for by its ending; the seal is for the caller to add.
    pub fn from_name(name: &str, seal: Option<Seal>) -> Option<Packing> {
        let name = match &seal {
            Some(_) => name.strip_suffix(encryption::EXTENSION)?,
            None => name,
        };
        Some(Self { format: Format::from_name(name)?, seal })
    }

    /// Ending of a file name, with its dot.
    pub fn extension(&self) -> String {
        let sealed = if self.seal.is_some() { encryption::EXTENSION } else { "" };
        format!("{}{sealed}", self.format.extension())
    }
}

/// Why a bundle could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{path} exists already\nhint: name another output, or remove it first")]
    Exists { path: PathBuf },
    #[error(
        "there is no folder {folder}\nhint: make it first (mkdir -p), or name an output in one that is there"
    )]
    NoFolder { folder: PathBuf },
    #[error("cannot write in {folder}: {source}\nhint: name an output in a folder that you may write to")]
    Unwritable { folder: PathBuf, source: io::Error },
    #[error(
        "no space left for {path}: it needs at least {kib} KiB more\n\
         hint: free some space, or name an output on another disk with -o FILE"
    )]
    DiskFull { path: PathBuf, kib: u64 },
    #[error("cannot write {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("`{path}` cannot be a path in a bundle")]
    BadPath { path: String },
    #[error("the bundle has `{path}` already")]
    Duplicate { path: String },
    #[error(
        "a directory cannot be encrypted\nhint: name a file that ends in .tar.gz.age, .tar.age or .zip.age"
    )]
    OpenFolder,
}

/// A finished bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub path: PathBuf,
    /// Size of the file; of a directory, the sum of its files.
    pub bytes: u64,
}

/// A bundle that is being written.
#[derive(Debug)]
pub struct BundleWriter {
    target: PathBuf,
    top: String,
    paths: BTreeSet<String>,
    sink: Sink,
    sealed: bool,
    reserve: Reserve,
    /// How many entries the ledger will have, as far as it was told.
    entries: usize,
    written: u64,
}

#[derive(Debug)]
enum Sink {
    TarGz {
        output: Output,
        /// Headers and small items that will share a member.
        open: Vec<u8>,
    },
    Tar {
        output: Output,
    },
    Zip {
        file: NamedTempFile,
        zip: Box<ZipWriter<File>>,
    },
    SealedZip {
        file: NamedTempFile,
        /// `None` after an error, when no more can be written.
        zip: Option<Box<ZipWriter<Unsought<StreamWriter<File>>>>>,
    },
    Directory {
        folder: TempDir,
    },
}

impl BundleWriter {
    /// Begins a bundle that will be at `target`, all of it in the folder `top_folder`; a directory's target is that
    /// folder itself.
    ///
    /// # Errors
    /// If `target` exists, or its folder does not or cannot be written to, or a directory is to be sealed.
    pub fn create(target: &Path, packing: impl Into<Packing>, top_folder: &str) -> Result<Self, WriteError> {
        let Packing { format, seal } = packing.into();
        let sealed = seal.is_some();
        if fs::symlink_metadata(target).is_ok() {
            return Err(WriteError::Exists { path: target.to_owned() });
        }
        let folder = folder_of(target);
        let unwritable = |source| cannot_begin(target, source);
        let mut names = tempfile::Builder::new();
        names.prefix(".casebook-").suffix(".part");
        let file = || names.tempfile_in(folder).map_err(unwritable);
        let begun = unwritable;
        let sink = match (format, seal) {
            (Format::TarGz, seal) => Sink::TarGz {
                output: Output::begin(file()?, seal.as_ref()).map_err(begun)?,
                open: Vec::new(),
            },
            (Format::Tar, seal) => {
                Sink::Tar { output: Output::begin(file()?, seal.as_ref()).map_err(begun)? }
            }
            (Format::Zip, None) => {
                let file = file()?;
                let zip = Box::new(ZipWriter::new(file.reopen().map_err(unwritable)?));
                Sink::Zip { file, zip }
            }
            (Format::Zip, Some(seal)) => {
                let file = file()?;
                let sealed = seal.begin(file.reopen().map_err(unwritable)?).map_err(begun)?;
                Sink::SealedZip { file, zip: Some(Box::new(ZipWriter::new_stream(sealed))) }
            }
            (Format::Directory, None) => {
                #[cfg(unix)]
                names.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
                Sink::Directory { folder: names.tempdir_in(folder).map_err(unwritable)? }
            }
            (Format::Directory, Some(_)) => return Err(WriteError::OpenFolder),
        };
        let packed = !matches!(format, Format::Tar | Format::Directory);
        let reserve = Reserve::new(folder, packed).map_err(unwritable)?;
        let top = paths::safe_segment(top_folder);
        Ok(Self {
            target: target.to_owned(),
            top,
            paths: BTreeSet::new(),
            sink,
            sealed,
            reserve,
            entries: 0,
            written: 0,
        })
    }

    /// Where the bundle will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// About how many bytes the bundle takes on the disk so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Says how many entries the ledger will have, so that its room is kept; else the items count.
    pub fn expect_entries(&mut self, entries: usize) {
        self.entries = self.entries.max(entries);
    }

    /// Writes one item.
    ///
    /// # Errors
    /// The bundle then is as it was before and can be gone on with.
    pub fn append(&mut self, item: &Item) -> Result<(), WriteError> {
        if !is_plain(&item.path) {
            return Err(WriteError::BadPath { path: item.path.clone() });
        }
        if self.paths.contains(&item.path) {
            return Err(WriteError::Duplicate { path: item.path.clone() });
        }
        self.hold(item)
            .and_then(|()| self.write(item))
            .map_err(|source| fault(&self.target, source, item.held_bytes()))
    }

    /// Keeps room for the end with this item in it.
    fn hold(&mut self, item: &Item) -> io::Result<()> {
        let entries = self.entries.max(self.paths.len() + 1);
        let held_back = if self.sealed { output::HELD_BACK } else { 0 };
        let Sink::TarGz { output, open } = &mut self.sink else {
            return self.reserve.hold(entries, held_back);
        };
        let coming = if matches!(item.body, Body::Plain(_)) { 4 * BLOCK + item.bytes as usize } else { 0 };
        self.reserve.hold(entries, open.len() + coming + held_back).or_else(|_| {
            // On the disk they take less.
            self.written += flush(output, open)?;
            self.reserve.hold(entries, coming + held_back)
        })
    }

    fn write(&mut self, item: &Item) -> io::Result<()> {
        let place = format!("{}/{}", self.top, item.path);
        let written = match &mut self.sink {
            Sink::TarGz { output, open } => append_members(output, open, &place, item),
            Sink::Tar { output } => {
                let (head, pad) = (blocks(&place, item.bytes, item.modified), padding(item.bytes));
                output.append((head.len() + pad) as u64 + item.bytes, |out| {
                    out.write_all(&head)?;
                    item.copy_to(out)?;
                    out.write_all(&[0; BLOCK][..pad])
                })
            }
            Sink::Zip { zip, .. } => append_to_zip(zip, &place, item),
            Sink::SealedZip { file, zip } => append_to_sealed_zip(file.as_file(), zip, &place, item),
            Sink::Directory { folder } => append_file(&folder.path().join(&item.path), item),
        };
        self.written += written?;
        self.paths.insert(item.path.clone());
        Ok(())
    }

    /// Writes the manifest, closes the bundle and gives it its name.
    ///
    /// # Errors
    /// Nothing is left then, neither at the target nor under the temporary name.
    pub fn finish(mut self, manifest: &Manifest) -> Result<Written, WriteError> {
        let json = manifest_json::render(manifest);
        let last = Item::from_bytes(paths::MANIFEST, manifest.finished, &json);
        let target = self.target.clone();
        let needs = last.held_bytes();
        let fault = |source| fault(&target, source, needs);
        self.reserve.release().map_err(fault)?;
        self.write(&last).map_err(fault)?;
        let bytes = match self.sink {
            Sink::TarGz { mut output, mut open } => {
                open.extend_from_slice(&[0; 2 * BLOCK]);
                let last = member::compress(&open, LEVEL);
                output.append(last.len() as u64, |out| out.write_all(&last)).map_err(fault)?;
                publish(output.finish().map_err(fault)?, &target).map_err(fault)?
            }
            Sink::Tar { mut output } => {
                output.append(2 * BLOCK as u64, |out| out.write_all(&[0; 2 * BLOCK])).map_err(fault)?;
                publish(output.finish().map_err(fault)?, &target).map_err(fault)?
            }
            Sink::Zip { file, zip } => {
                zip.finish().map_err(|error| fault(error.into()))?;
                publish(file, &target).map_err(fault)?
            }
            Sink::SealedZip { file, zip } => {
                let zip = zip.ok_or_else(|| fault(output::broken()))?;
                let sealed = zip.finish().map_err(|error| fault(error.into()))?.into_inner();
                output::end(&sealed.finish().map_err(fault)?).map_err(fault)?;
                publish(file, &target).map_err(fault)?
            }
            Sink::Directory { folder } => {
                fs::rename(folder.path(), &target).map_err(fault)?;
                // The folder has another name now; there is nothing left to remove under the old one.
                let _ = folder.keep();
                sync_folder(&target);
                self.written
            }
        };
        Ok(Written { path: target, bytes })
    }
}

/// `needs`: bytes that were to be written when it happened.
fn fault(path: &Path, source: io::Error, needs: u64) -> WriteError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            WriteError::DiskFull { path, kib: needs.div_ceil(1 << 10).max(1) }
        }
        io::ErrorKind::AlreadyExists => WriteError::Exists { path },
        _ => WriteError::Io { path, source },
    }
}

/// Why nothing can be written beside `target`.
pub fn cannot_begin(target: &Path, source: io::Error) -> WriteError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => fault(target, source, reserve::LEAST),
        io::ErrorKind::NotFound => WriteError::NoFolder { folder: folder_of(target).to_owned() },
        // Whatever made the temporary file adds its name, which tells the user nothing.
        kind => WriteError::Unwritable { folder: folder_of(target).to_owned(), source: kind.into() },
    }
}

fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Relative, with `/`, without empty, `.` and `..` segments and without control characters.
fn is_plain(path: &str) -> bool {
    path.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
        && !path.contains(['\\', ':'])
        && !path.contains(char::is_control)
}

/// Writes what is open as a member.
fn flush(output: &mut Output, open: &mut Vec<u8>) -> io::Result<u64> {
    if open.is_empty() {
        return Ok(0);
    }
    let member = member::compress(open, LEVEL);
    let written = output.append(member.len() as u64, |out| out.write_all(&member))?;
    open.clear();
    Ok(written)
}

fn append_members(output: &mut Output, open: &mut Vec<u8>, place: &str, item: &Item) -> io::Result<u64> {
    let header = blocks(place, item.bytes, item.modified);
    let pad = padding(item.bytes);
    match &item.body {
        Body::Plain(bytes) => {
            let full = open.len() + header.len() + bytes.len() + pad > member::DATA;
            let written = if full { flush(output, open)? } else { 0 };
            open.extend_from_slice(&header);
            open.extend_from_slice(bytes);
            open.resize(open.len() + pad, 0);
            Ok(written)
        }
        Body::Members(members) => {
            let before = open.len();
            open.extend_from_slice(&header);
            let first = member::compress(open, LEVEL);
            let written = output.append(first.len() as u64 + item.held_bytes(), |out| {
                out.write_all(&first)?;
                members.iter().try_for_each(|member| out.write_all(member))
            });
            match written {
                Ok(written) => {
                    open.clear();
                    open.resize(pad, 0);
                    Ok(written)
                }
                Err(error) => {
                    open.truncate(before);
                    Err(error)
                }
            }
        }
    }
}

fn append_to_zip(zip: &mut ZipWriter<File>, place: &str, item: &Item) -> io::Result<u64> {
    let start = zip.get_ref().map_or(Ok(0), |mut file| file.stream_position())?;
    let done = zip.start_file(place, zip_options(item)).map_err(io::Error::from);
    let done = done.and_then(|()| item.copy_to(zip));
    if let Err(error) = done {
        zip.abort_file()?;
        return Err(error);
    }
    let end = zip.get_ref().map_or(Ok(start), |mut file| file.stream_position())?;
    Ok(end.saturating_sub(start))
}

fn append_to_sealed_zip(
    file: &File,
    zip: &mut Option<Box<ZipWriter<Unsought<StreamWriter<File>>>>>,
    place: &str,
    item: &Item,
) -> io::Result<u64> {
    let mut open = zip.take().ok_or_else(output::broken)?;
    // Its own compression comes near to the item's; names and numbers stand twice, in front of the file and in the
    // directory at the end.
    let packed = item.held_bytes() + item.held_bytes() / 8 + 2 * place.len() as u64 + 1024;
    match make_room(file, packed) {
        Ok(()) => {
            open.start_file(place, zip_options(item)).map_err(io::Error::from)?;
            item.copy_to(&mut open)?;
            *zip = Some(open);
            Ok(packed)
        }
        Err(error) => {
            *zip = Some(open);
            Err(error)
        }
    }
}

fn zip_options(item: &Item) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .unix_permissions(0o600)
        .large_file(item.bytes > u64::from(u32::MAX / 2))
        .last_modified_time(zip_time(item.modified))
}

/// The zip format knows local times from 1980 to 2107 only, to two seconds; UTC is written.
fn zip_time(time: Timestamp) -> zip::DateTime {
    let time = time.to_zoned(TimeZone::UTC);
    let small = |value: i8| u8::try_from(value).unwrap_or_default();
    zip::DateTime::from_date_and_time(
        u16::try_from(time.year()).unwrap_or_default(),
        small(time.month()),
        small(time.day()),
        small(time.hour()),
        small(time.minute()),
        small(time.second()),
    )
    .unwrap_or_default()
}

fn append_file(path: &Path, item: &Item) -> io::Result<u64> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let done = item.copy_to(&mut file).and_then(|()| file.sync_data());
    if let Err(error) = done {
        // What matters is the first error; a rest that cannot be removed goes with the folder.
        let _ = fs::remove_file(path);
        return Err(error);
    }
    Ok(item.bytes)
}

/// Makes sure that the file is on the disk, and gives it its name.
fn publish(file: NamedTempFile, target: &Path) -> io::Result<u64> {
    file.as_file().sync_all()?;
    let file = file.persist_noclobber(target)?;
    let bytes = file.metadata()?.len();
    sync_folder(target);
    Ok(bytes)
}

/// Puts the new name itself on the disk. Some file systems cannot; the bundle is there all the same.
fn sync_folder(target: &Path) {
    if let Ok(folder) = File::open(folder_of(target)) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
pub(crate) mod tests;
