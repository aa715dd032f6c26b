//! The items of a finished bundle one after the other, without holding any of them: for passes over a whole bundle.
//!
//! For bundles that this program has just written. Bundles from elsewhere are read by [`crate::archive`], which
//! trusts nothing.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;

use super::writer::{Format, Packing};
use crate::encryption::Opened;

/// Calls `visit` with the path of each item below the top folder, its time, and its bytes.
///
/// # Errors
/// What reading gives, or what `visit` does.
pub fn visit<E: From<io::Error>>(
    bundle: &Path,
    packing: &Packing,
    mut visit: impl FnMut(&str, Timestamp, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    if packing.format == Format::Directory {
        return directory(bundle, &mut visit);
    }
    let file = File::open(bundle)?;
    match &packing.seal {
        None => archive(BufReader::new(file), packing.format, &mut visit),
        Some(seal) => {
            let opened: Opened = seal.open(file).map_err(io::Error::other)?;
            archive(BufReader::new(opened), packing.format, &mut visit)
        }
    }
}

fn archive<E: From<io::Error>>(
    source: BufReader<impl Read + Seek>,
    format: Format,
    visit: &mut impl FnMut(&str, Timestamp, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    match format {
        Format::TarGz => tar(MultiGzDecoder::new(source), visit),
        Format::Zip => zip(source, visit),
        Format::Tar | Format::Directory => tar(source, visit),
    }
}

/// Below the top folder.
fn inside(path: &str) -> &str {
    path.split_once('/').map_or(path, |(_, rest)| rest)
}

fn tar<E: From<io::Error>>(
    source: impl Read,
    visit: &mut impl FnMut(&str, Timestamp, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = tar::Archive::new(source);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path()?.to_string_lossy().into_owned();
        let modified = i64::try_from(entry.header().mtime()?).unwrap_or_default();
        visit(inside(&path), Timestamp::from_second(modified).unwrap_or_default(), &mut entry)?;
    }
    Ok(())
}

fn zip<E: From<io::Error>>(
    source: impl Read + Seek,
    visit: &mut impl FnMut(&str, Timestamp, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = zip::ZipArchive::new(source).map_err(io::Error::from)?;
    for i in 0..archive.len() {
        let mut file = archive.by_index(i).map_err(io::Error::from)?;
        if file.is_file() {
            let path = file.name().map_err(io::Error::from)?.into_owned();
            // Items of a zip are dated to two seconds by the writer; the manifest has the exact times.
            visit(inside(&path), Timestamp::UNIX_EPOCH, &mut file)?;
        }
    }
    Ok(())
}

fn directory<E: From<io::Error>>(
    top: &Path,
    visit: &mut impl FnMut(&str, Timestamp, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let mut open: Vec<PathBuf> = vec![top.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                open.push(path);
                continue;
            }
            let modified = entry.metadata()?.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
            let name = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().into_owned();
            visit(&name, modified.unwrap_or_default(), &mut File::open(&path)?)?;
        }
    }
    Ok(())
}
