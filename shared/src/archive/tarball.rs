//! Tar archives, of every dialect that the `tar` crate reads.

use std::io::Read;

use tar::{Archive, EntryType};

use super::{Fault, Reading};

/// Reads all files of the archive `name`; a fault ends it and is noted.
pub(super) fn read(reading: &mut Reading, name: &str, prefix: &str, stream: &mut dyn Read, depth: usize) {
    let mut archive = Archive::new(stream);
    // Archives put behind one another are all read; the zeros at the end of one would end them all.
    archive.set_ignore_zeros(true);
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return reading.fault(name, &error),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return reading.fault(name, &error),
        };
        if let Err(exceeded) = reading.meter.entry() {
            return reading.note(name, Fault::Limit(exceeded));
        }
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            continue;
        }
        let Some(path) = reading.place(prefix, &entry.path_bytes()) else { continue };
        match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let modified = entry.header().mtime().ok().and_then(|seconds| i64::try_from(seconds).ok());
                let stated = entry.size();
                if kind == EntryType::GNUSparse {
                    // Its holes come out of nothing, so they are not metered with the stream.
                    if let Err(exceeded) = reading.meter.produce(stated.min(reading.meter.limits.file_bytes))
                    {
                        return reading.note(path, Fault::Limit(exceeded));
                    }
                }
                if !reading.read_file(path, entry, Some(stated), modified, depth) {
                    return;
                }
            }
            EntryType::Symlink | EntryType::Link => {
                let target = entry.link_name_bytes().unwrap_or_default();
                let target = String::from_utf8_lossy(&target[..target.len().min(200)]).into_owned();
                reading.note(path, Fault::Link { target });
            }
            EntryType::Char | EntryType::Block | EntryType::Fifo => reading.note(path, Fault::Special),
            // Other types carry no file of their own.
            _ => {}
        }
    }
}
