//! Compressed streams other than gzip.

use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Memory that an xz stream may ask for, in KiB. `xz -9` asks for 65 MiB.
const XZ_MEMORY: u32 = 130 << 10;

pub(super) fn xz(source: impl Read) -> impl Read {
    lzma_rust2::XzReader::new_mem_limit(BufReader::new(source), true, XZ_MEMORY)
}

pub(super) fn bzip2(source: impl Read) -> impl Read {
    bzip2::bufread::MultiBzDecoder::new(BufReader::new(source))
}

pub(super) fn zstd(source: impl Read) -> impl Read {
    Zstd { source: BufReader::new(source), decoder: FrameDecoder::new(), open: false }
}

/// All frames of a zstd stream one after the other; skippable ones are skipped.
struct Zstd<R> {
    source: BufReader<R>,
    decoder: FrameDecoder,
    /// A frame has been begun.
    open: bool,
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.open && !self.decoder.is_finished() {
                let wanted = BlockDecodingStrategy::UptoBytes(buffer.len().max(1 << 16));
                self.decoder.decode_blocks(&mut self.source, wanted).map_err(io::Error::other)?;
                continue;
            }
            self.open = false;
            if self.source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => self.open = true,
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut self.source.by_ref().take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}
