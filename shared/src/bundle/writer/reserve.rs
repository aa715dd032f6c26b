//! Room that is kept on the disk for the end of a bundle.
//!
//! A disk that fills up while items are written would have no room left for the manifest either, and a bundle without
//! one is no bundle. So a file beside it holds the room that the end will take, and is emptied when the end is
//! written. It grows with the ledger, since the manifest does.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Room for the manifest of a bundle that holds next to nothing, and for the end of any container.
pub(super) const LEAST: u64 = 64 << 10;
/// What one entry of the ledger adds to the end: its hash and its numbers hardly compress, and a zip repeats its name.
const PACKED: u64 = 256;
/// The same where the manifest is not compressed.
const PLAIN: u64 = 800;

/// A file of noise that goes away when it is dropped.
#[derive(Debug)]
pub(super) struct Reserve {
    file: NamedTempFile,
    held: u64,
    per_entry: u64,
}

impl Reserve {
    /// Takes the first room, in `folder`.
    pub(super) fn new(folder: &Path, packed: bool) -> io::Result<Self> {
        let file = tempfile::Builder::new().prefix(".casebook-").suffix(".room").tempfile_in(folder)?;
        let mut reserve = Self { file, held: 0, per_entry: if packed { PACKED } else { PLAIN } };
        reserve.grow(LEAST)?;
        Ok(reserve)
    }

    /// Makes sure that there is room for the end of a bundle with so many entries in its ledger, and for `pending`
    /// bytes that are not on the disk yet.
    ///
    /// # Errors
    /// When the disk has no more; what was held before still is.
    pub(super) fn hold(&mut self, entries: usize, pending: usize) -> io::Result<()> {
        let wanted = LEAST + entries as u64 * self.per_entry + pending as u64;
        if wanted <= self.held {
            return Ok(());
        }
        // Twice as much each time: every growth waits for the disk.
        self.grow(wanted.max(self.held * 2)).or_else(|_| self.grow(wanted))
    }

    /// Gives the room back.
    pub(super) fn release(&mut self) -> io::Result<()> {
        self.held = 0;
        self.file.as_file().set_len(0)?;
        self.file.rewind()
    }

    fn grow(&mut self, to: u64) -> io::Result<()> {
        let before = self.held;
        let noise = noise(usize::try_from(to - before).expect("a manifest fits in memory"), before);
        let grown = self.file.write_all(&noise).and_then(|()| self.file.as_file().sync_data());
        if let Err(error) = grown {
            // Back to what was held: the bundle needs the rest as much as this did.
            self.file.as_file().set_len(before)?;
            self.file.seek(SeekFrom::Start(before))?;
            return Err(error);
        }
        self.held = to;
        Ok(())
    }
}

/// Bytes that no file system compresses away.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_grows_with_the_ledger_and_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let mut reserve = Reserve::new(folder.path(), true).unwrap();
        let path = reserve.file.path().to_owned();
        let size = || std::fs::metadata(&path).unwrap().len();
        assert_eq!(size(), LEAST);
        reserve.hold(10, 0).unwrap();
        let some = size();
        assert!(some >= LEAST + 10 * PACKED);
        reserve.hold(100_000, 1).unwrap();
        assert!(size() >= LEAST + 100_000 * PACKED);
        reserve.hold(10, 0).unwrap();
        drop(reserve);
        assert!(!path.exists());
    }

    #[test]
    fn the_noise_does_not_repeat() {
        let noise = noise(1 << 16, 0);
        let packed = crate::archive::member::compress(&noise, flate2::Compression::fast());
        assert!(packed.len() > noise.len() * 9 / 10);
    }
}
