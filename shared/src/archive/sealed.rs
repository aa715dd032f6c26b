//! Files sealed with age: they open, with the right key, to a container or a file, and count as that.

use super::container::{self, Kind};
use super::limits::Metered;
use super::{Fault, Reading, Source, path};
use crate::encryption;

/// Reads what the sealed file `name` holds.
pub(super) fn read(reading: &mut Reading, name: &str, source: &mut dyn Source, depth: usize) {
    let most = reading.meter.limits.total_bytes;
    let mut opened = match encryption::open(source, reading.identities, most) {
        Ok(opened) => opened,
        Err(locked) => return reading.note(name, Fault::Locked(locked)),
    };
    let inner = container::without_ending(name).to_owned();
    match container::sniff(&mut opened) {
        Err(error) => reading.fault(name, &error),
        Ok(Kind::Plain) => {
            if depth == 0 {
                // It cannot swell.
                reading.meter.consume(most);
            }
            let stream = Metered::new(opened, reading.meter);
            reading.read_file(path::clean(inner.as_bytes()).path, stream, None, None, depth);
        }
        Ok(Kind::Age) if depth >= reading.meter.limits.nesting => {
            reading.note(name, Fault::TooDeep { limit: reading.meter.limits.nesting });
        }
        // Sealed twice is an archive in an archive; sealed once is no level of its own.
        Ok(Kind::Age) => reading.open(&inner, &mut opened, Kind::Age, depth + 1),
        Ok(kind) => reading.open(&inner, &mut opened, kind, depth),
    }
}
