//! Zip archives.

use std::collections::HashSet;
use std::io::BufReader;

use zip::ZipArchive;
use zip::result::ZipError;

use super::limits::Metered;
use super::{Fault, Reading, Source};

/// Reads all files of the archive `name`; a damaged file is noted and the others are read.
pub(super) fn read(reading: &mut Reading, name: &str, prefix: &str, source: &mut dyn Source, depth: usize) {
    let mut archive = match ZipArchive::new(BufReader::new(source)) {
        Ok(archive) => archive,
        Err(error) => return reading.note(name, Fault::Damaged { reason: error.to_string() }),
    };
    let overlapping = overlapping(&mut archive);
    for index in 0..archive.len() {
        if let Err(exceeded) = reading.meter.entry() {
            return reading.note(name, Fault::Limit(exceeded));
        }
        let Ok(original) = archive.by_index_data(index).map(|file| file.name_raw().to_vec()) else {
            continue;
        };
        let file = match archive.by_index(index) {
            Ok(file) => file,
            Err(error) => {
                let fault = match error {
                    ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Fault::Encrypted,
                    other => Fault::Damaged { reason: other.to_string() },
                };
                if let Some(path) = reading.place(prefix, &original) {
                    reading.note(path, fault);
                }
                continue;
            }
        };
        if file.is_dir() {
            continue;
        }
        let Some(path) = reading.place(prefix, &original) else { continue };
        if overlapping.contains(&index) {
            reading.note(path, Fault::Overlap);
            continue;
        }
        if file.is_symlink() {
            reading.note(path, Fault::Link { target: String::new() });
            continue;
        }
        if file.unix_mode().is_some_and(is_special) {
            reading.note(path, Fault::Special);
            continue;
        }
        if depth == 0 {
            reading.meter.consume(file.compressed_size());
        }
        let stated = file.size();
        let before = reading.notes.len();
        reading.read_file(path, Metered::new(file, reading.meter), Some(stated), None, depth);
        if reading.notes[before..].iter().any(|note| matches!(note.fault, Fault::Limit(_))) {
            return;
        }
    }
}

/// Files whose bytes are also another's: the trick by which a few kilobytes become terabytes. The first that lies at
/// a place keeps it.
fn overlapping<R: std::io::Read + std::io::Seek>(archive: &mut ZipArchive<R>) -> HashSet<usize> {
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
