//! Zip archives.

use std::collections::HashSet;
use std::io::{BufReader, Read, Seek};

use zip::ZipArchive;
use zip::read::{ZipFile, read_zipfile_from_stream};
use zip::result::ZipError;

use super::limits::Metered;
use super::{Fault, Reading, Source};

/// Reads all files of the archive `name`; a damaged file is noted and the others are read.
pub(super) fn read(reading: &mut Reading, name: &str, prefix: &str, source: &mut dyn Source, depth: usize) {
    let mut archive = match ZipArchive::new(BufReader::new(&mut *source)) {
        Ok(archive) => archive,
        Err(error) => {
            reading.note(name, fault(error));
            return salvage(reading, name, prefix, source, depth);
        }
    };
    let overlapping = overlapping(&mut archive);
    let names: Vec<Vec<u8>> = archive.file_names_raw().map(<[u8]>::to_vec).collect();
    for (index, original) in names.iter().enumerate() {
        if let Err(exceeded) = reading.meter.entry() {
            return reading.note(name, Fault::Limit(exceeded));
        }
        let file = match archive.by_index(index) {
            Ok(file) => file,
            Err(error) => {
                if let Some(path) = reading.place(prefix, original) {
                    reading.note(path, fault(error));
                }
                continue;
            }
        };
        if !take(reading, prefix, file, overlapping.contains(&index), depth) {
            return;
        }
    }
}

/// Reads the files of an archive whose directory, which stands at its end, is missing or damaged, as in an upload that
/// was cut off: before each file its name and lengths stand once more.
fn salvage(reading: &mut Reading, name: &str, prefix: &str, source: &mut dyn Source, depth: usize) {
    if source.rewind().is_err() {
        return;
    }
    let mut source = BufReader::new(source);
    while let Ok(Some(file)) = read_zipfile_from_stream(&mut source) {
        if let Err(exceeded) = reading.meter.entry() {
            return reading.note(name, Fault::Limit(exceeded));
        }
        if !take(reading, prefix, file, false, depth) {
            return;
        }
    }
}

/// Reads one file; returns false when a limit was reached.
fn take<R: Read>(
    reading: &mut Reading,
    prefix: &str,
    file: ZipFile<'_, R>,
    overlaps: bool,
    depth: usize,
) -> bool {
    if file.is_dir() {
        return true;
    }
    let Some(path) = reading.place(prefix, file.name_raw()) else { return true };
    let left_out = if overlaps {
        Some(Fault::Overlap)
    } else if file.is_symlink() {
        Some(Fault::Link { target: String::new() })
    } else {
        file.unix_mode().is_some_and(is_special).then_some(Fault::Special)
    };
    if let Some(fault) = left_out {
        reading.note(path, fault);
        return true;
    }
    if depth == 0 {
        reading.meter.consume(file.compressed_size());
    }
    let stated = file.size();
    let before = reading.notes.len();
    reading.read_file(path, Metered::new(file, reading.meter), Some(stated), None, depth);
    !reading.notes[before..].iter().any(|note| matches!(note.fault, Fault::Limit(_)))
}

fn fault(error: ZipError) -> Fault {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Fault::Encrypted,
        other => Fault::Damaged { reason: other.to_string() },
    }
}

/// Files whose bytes are also another's: the trick by which a few kilobytes become terabytes. The first that lies at
/// a place keeps it.
fn overlapping<R: Read + Seek>(archive: &mut ZipArchive<R>) -> HashSet<usize> {
    let mut ranges: Vec<(u64, u64, usize)> = (0..archive.len())
        .filter_map(|index| {
            let file = archive.by_index_raw(index).ok()?;
            let end = file.data_start()?.saturating_add(file.compressed_size());
            Some((file.header_start(), end, index))
        })
        .collect();
    ranges.sort_unstable();
    let mut reached = 0;
    let mut overlapping = HashSet::new();
    for (start, end, index) in ranges {
        if start < reached {
            overlapping.insert(index);
        } else {
            reached = end;
        }
    }
    overlapping
}

/// Pipes, sockets and devices, by the file type bits of a Unix mode.
fn is_special(mode: u32) -> bool {
    matches!(mode & 0o170_000, 0o010_000 | 0o020_000 | 0o060_000 | 0o140_000)
}
