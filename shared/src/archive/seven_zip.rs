//! 7z archives.

use std::io::BufReader;

use sevenz_rust2::{ArchiveReader, Error, Password};

use super::limits::Metered;
use super::{Fault, Reading, Source};

/// Reads all files of the archive `name`.
pub(super) fn read(reading: &mut Reading, name: &str, prefix: &str, source: &mut dyn Source, depth: usize) {
    let mut archive = match ArchiveReader::new(BufReader::new(source), Password::empty()) {
        Ok(archive) => archive,
        Err(error) => return reading.note(name, fault(&error)),
    };
    // Threads would each take the memory of a dictionary.
    archive.set_thread_count(1);
    if depth == 0 {
        let packed = archive.archive().pack_sizes().iter().fold(0u64, |sum, size| sum.saturating_add(*size));
        reading.meter.consume(packed);
    }
    let done = archive.for_each_entries(|entry, stream| {
        if let Err(exceeded) = reading.meter.entry() {
            reading.note(name, Fault::Limit(exceeded));
            return Ok(false);
        }
        if entry.is_directory() {
            return Ok(true);
        }
        let Some(path) = reading.place(prefix, entry.name().as_bytes()) else { return Ok(true) };
        let stream = Metered::new(stream, reading.meter);
        Ok(reading.read_file(path, stream, Some(entry.size()), None, depth))
    });
    if let Err(error) = done {
        reading.note(name, fault(&error));
    }
}

fn fault(error: &Error) -> Fault {
    match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => Fault::Encrypted,
        Error::UnsupportedCompressionMethod(method) if method.starts_with("AES") => Fault::Encrypted,
        other => Fault::Damaged { reason: other.to_string() },
    }
}
