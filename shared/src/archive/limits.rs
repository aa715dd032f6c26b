//! How much may come out of an input, and the meter that watches over it.

use std::cell::Cell;
use std::io::{self, Read};

use super::Source;

/// Bounds for one input. They are far above what a real bundle needs and far below what hurts a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together, unpacked. 4 GiB.
    pub total_bytes: u64,
    /// Bytes of one file; of a longer one the beginning is kept. 1 GiB.
    pub file_bytes: u64,
    /// Number of files, folders and links, those in inner archives too. 500,000.
    pub entries: u64,
    /// Bytes of a path. 4,096.
    pub path_bytes: usize,
    /// How many archives an archive may lie in. 4.
    pub nesting: usize,
    /// How many times larger the unpacked bytes may be than the packed ones. 200; logs compress 10 to 50 times.
    pub ratio: u64,
    /// Unpacked bytes up to which the ratio does not matter. 64 MiB.
    pub ratio_from: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total_bytes: 4 << 30,
            file_bytes: 1 << 30,
            entries: 500_000,
            path_bytes: 4096,
            nesting: 4,
            ratio: 200,
            ratio_from: 64 << 20,
        }
    }
}

/// The limit that an input went past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    #[error("unpacks to more than the limit of {0} bytes; the rest is not read")]
    Total(u64),
    #[error(
        "unpacks to more than {0} times its size, as an archive made to swell does; the rest is not read"
    )]
    Ratio(u64),
    #[error("holds more than the limit of {0} files; the rest is not read")]
    Entries(u64),
}

impl From<Exceeded> for io::Error {
    fn from(exceeded: Exceeded) -> Self {
        io::Error::other(exceeded)
    }
}

/// Counts what goes in and what comes out. One for an input with all its inner archives.
pub(super) struct Meter<'l> {
    pub(super) limits: &'l Limits,
    consumed: Cell<u64>,
    produced: Cell<u64>,
    entries: Cell<u64>,
}

impl<'l> Meter<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self { limits, consumed: Cell::new(0), produced: Cell::new(0), entries: Cell::new(0) }
    }

    /// So many packed bytes were read.
    pub(super) fn consume(&self, bytes: u64) {
        self.consumed.set(self.consumed.get().saturating_add(bytes));
    }

    /// So many unpacked bytes came out.
    pub(super) fn produce(&self, bytes: u64) -> Result<(), Exceeded> {
        let produced = self.produced.get().saturating_add(bytes);
        self.produced.set(produced);
        if produced > self.limits.total_bytes {
            Err(Exceeded::Total(self.limits.total_bytes))
        } else if produced > self.limits.ratio_from
            && produced > self.consumed.get().saturating_mul(self.limits.ratio)
        {
            Err(Exceeded::Ratio(self.limits.ratio))
        } else {
            Ok(())
        }
    }

    /// One more file, folder or link was met.
    pub(super) fn entry(&self) -> Result<(), Exceeded> {
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() > self.limits.entries {
            Err(Exceeded::Entries(self.limits.entries))
        } else {
            Ok(())
        }
    }
}

/// Unpacked bytes on their way, metered.
pub(super) struct Metered<'m, R> {
    inner: R,
    meter: &'m Meter<'m>,
}

impl<'m, R> Metered<'m, R> {
    pub(super) fn new(inner: R, meter: &'m Meter<'m>) -> Self {
        Self { inner, meter }
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.meter.produce(count as u64)?;
        Ok(count)
    }
}

/// Packed bytes on their way, counted if they are the outermost container's.
pub(super) struct Counted<'s, 'm> {
    inner: &'s mut dyn Source,
    meter: Option<&'m Meter<'m>>,
}

impl<'s, 'm> Counted<'s, 'm> {
    pub(super) fn new(inner: &'s mut dyn Source, meter: Option<&'m Meter<'m>>) -> Self {
        Self { inner, meter }
    }
}

impl Read for Counted<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(meter) = self.meter {
            meter.consume(count as u64);
        }
        Ok(count)
    }
}
