//! One file of a bundle while it is being made: counted, hashed, and kept in compressed parts.

use std::io::{self, Read, Write};

use flate2::Compression;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::archive::member;
use crate::bundle::manifest::{LedgerEntry, Outcome};

/// Level of all compression in a bundle. Higher ones gain a few percent on logs and cost twice the time.
pub(super) const LEVEL: Compression = Compression::new(6);

/// Takes the bytes of one file and becomes an [`Item`].
///
/// Many can be filled at the same time by different tasks. No more than one part of [`member::DATA`] bytes is held
/// uncompressed, so that a log of a gigabyte takes some tens of megabytes.
#[derive(Debug)]
pub struct ItemWriter {
    path: String,
    modified: Timestamp,
    /// The part that is being filled.
    open: Vec<u8>,
    members: Vec<Vec<u8>>,
    bytes: u64,
    hash: Sha256,
}

impl ItemWriter {
    /// An empty file at `path` within the bundle, last changed at `modified`.
    pub fn new(path: impl Into<String>, modified: Timestamp) -> Self {
        let path = path.into();
        Self { path, modified, open: Vec::new(), members: Vec::new(), bytes: 0, hash: Sha256::new() }
    }

    /// How many bytes were taken so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn finish(mut self) -> Item {
        let small = self.members.is_empty() && self.open.len() <= SMALL;
        if !small && !self.open.is_empty() {
            self.close_part();
        }
        let body = if small { Body::Plain(self.open) } else { Body::Members(self.members) };
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Item { path: self.path, modified: self.modified, bytes: self.bytes, sha256, body }
    }

    fn close_part(&mut self) {
        self.members.push(member::compress(&self.open, LEVEL));
        self.open.clear();
    }
}

impl Write for ItemWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(member::DATA - self.open.len()));
            self.open.extend_from_slice(now);
            rest = later;
            if self.open.len() == member::DATA {
                self.close_part();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Files up to this size share members with their neighbours: alone they would compress badly.
const SMALL: usize = 32 << 10;

/// One finished file, ready to be appended to a bundle.
#[derive(Debug, Clone)]
pub struct Item {
    pub(super) path: String,
    pub(super) modified: Timestamp,
    pub(super) bytes: u64,
    sha256: String,
    pub(super) body: Body,
}

#[derive(Debug, Clone)]
pub(super) enum Body {
    Plain(Vec<u8>),
    Members(Vec<Vec<u8>>),
}

impl Item {
    /// A file whose bytes are all there.
    pub fn from_bytes(path: impl Into<String>, modified: Timestamp, bytes: &[u8]) -> Self {
        let mut writer = ItemWriter::new(path, modified);
        writer.write_all(bytes).expect("writing to memory cannot fail");
        writer.finish()
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// Size of the file in bytes, uncompressed.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of the file's bytes, lower-case hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// How much memory the file's parts take, which is about what it will take in the bundle.
    pub fn held_bytes(&self) -> u64 {
        match &self.body {
            Body::Plain(bytes) => bytes.len() as u64,
            Body::Members(members) => members.iter().map(|member| member.len() as u64).sum(),
        }
    }

    /// A ledger entry with path, size and hash of this file; times, redactions and notes are for the caller to add.
    pub fn entry(&self, source: impl Into<String>, outcome: Outcome) -> LedgerEntry {
        let (bytes, sha256) = (self.bytes, Some(self.sha256.clone()));
        LedgerEntry { bytes, sha256, ..LedgerEntry::new(self.path.clone(), source, outcome) }
    }

    /// Writes the file's bytes, uncompressed.
    pub(super) fn copy_to(&self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        match &self.body {
            Body::Plain(bytes) => out.write_all(bytes),
            Body::Members(members) => {
                let mut buffer = vec![0; 64 << 10];
                for member in members {
                    let mut data = flate2::bufread::GzDecoder::new(&member[..]);
                    loop {
                        match data.read(&mut buffer)? {
                            0 => break,
                            count => out.write_all(&buffer[..count])?,
                        }
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_counts_hashes_and_gives_its_bytes_back() {
        let data: Vec<u8> = (0..3_000_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        for size in [0, 1, SMALL, SMALL + 1, member::DATA, member::DATA + 1, data.len()] {
            let mut writer = ItemWriter::new("a", Timestamp::UNIX_EPOCH);
            for chunk in data[..size].chunks(70_000) {
                writer.write_all(chunk).unwrap();
            }
            let item = writer.finish();
            let mut back = Vec::new();
            item.copy_to(&mut back).unwrap();
            assert!(back == data[..size], "{size} bytes");
            assert_eq!(item.bytes(), size as u64);
            let expected: String = Sha256::digest(&back).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(item.sha256(), expected);
        }
    }

    #[test]
    fn a_long_file_is_held_compressed() {
        let mut writer = ItemWriter::new("a", Timestamp::UNIX_EPOCH);
        for _ in 0..200 {
            writer.write_all(&b"2026-01-01 INFO nothing happened\n".repeat(1000)).unwrap();
        }
        let item = writer.finish();
        assert!(item.held_bytes() * 50 < item.bytes());
    }
}
