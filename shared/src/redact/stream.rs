//! The push-style masker: bytes go in as they come, masked bytes come out, memory stays bounded.
//!
//! Text is dealt with by whole lines. A line longer than [`MAX_LINE`] is cut: what lies well before the cut is done,
//! the rest waits for more, and a stretch before the cut stays as context. A value that is still open at the cut is
//! swallowed until it ends; only its hash is kept.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::hit::{self, Hit};
use super::names::Kind;
use super::scan::{Session, State};
use super::{Counts, RedactError, Redactor, pem, token};

/// Longest line that is looked at as a whole.
const MAX_LINE: usize = 256 * 1024;
/// What lies nearer than this to the end of an unfinished line waits: a name, its separator and the begin of its
/// value must be seen together.
const HOLD: usize = 16 * 1024;
/// What stays before the cut as context.
const CONTEXT: usize = 2 * 1024;
/// Input is taken in such pieces, whatever the caller pushes.
const PIECE: usize = 64 * 1024;
/// So much is looked at to tell binary data from text.
const SNIFF: usize = 8 * 1024;

/// Masks one stream. Made by [`Redactor::text`].
pub struct TextMasker {
    redactor: Redactor,
    buffer: Vec<u8>,
    /// So many bytes at the begin of the buffer are context and have been written.
    written: usize,
    session: Session,
    swallow: Option<Swallow>,
    counts: Counts,
    encoding: Encoding,
    hits: Vec<Hit>,
    learned_only: bool,
}

/// A value too long to be held.
struct Swallow {
    hasher: Hmac<Sha256>,
    kind: Kind,
    /// Backslashes before the closing quote, and the quote; `None` for a value without quotes.
    close: Option<(usize, u8)>,
}

enum Encoding {
    /// Not enough bytes to tell.
    Unknown,
    Bytes,
    /// Windows writes redirected output so; `true` for big-endian. An odd byte waits for its other half.
    Utf16(bool, Option<u8>, Option<u16>),
}

impl TextMasker {
    pub(super) fn new(redactor: Redactor) -> TextMasker {
        TextMasker {
            redactor,
            buffer: Vec::new(),
            written: 0,
            session: Session::default(),
            swallow: None,
            counts: Counts::new(),
            encoding: Encoding::Unknown,
            hits: Vec::new(),
            learned_only: false,
        }
    }

    pub(super) fn learned_only(redactor: Redactor) -> TextMasker {
        TextMasker { learned_only: true, encoding: Encoding::Bytes, ..TextMasker::new(redactor) }
    }

    /// Takes more of the stream and appends to `out` what of it is done.
    ///
    /// # Errors
    /// When the data is not text. Nothing of the item must be kept then.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), RedactError> {
        for piece in input.chunks(PIECE) {
            self.take(piece)?;
            if !matches!(self.encoding, Encoding::Unknown) {
                self.advance(out)?;
            }
        }
        Ok(())
    }

    /// Says that something is missing here, before the first byte or between two: what comes next may be the rest of a
    /// private key.
    ///
    /// # Errors
    /// As for [`TextMasker::push`].
    pub fn gap(&mut self, out: &mut Vec<u8>) -> Result<(), RedactError> {
        if matches!(self.encoding, Encoding::Unknown) && !self.buffer.is_empty() {
            self.settle_encoding()?;
        }
        self.advance(out)?;
        if self.session.state == State::None {
            self.session.state = State::Pem(pem::PERHAPS);
        }
        Ok(())
    }

    /// Ends the stream: appends the rest to `out` and says what was masked.
    ///
    /// # Errors
    /// As for [`TextMasker::push`].
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Counts, RedactError> {
        if matches!(self.encoding, Encoding::Unknown) {
            self.settle_encoding()?;
        }
        self.advance(out)?;
        let end = self.buffer.len();
        if self.swallow.is_some() {
            self.swallow(out, true);
        }
        if !self.buffer.is_empty() {
            self.region(end.min(self.buffer.len()), None, out)?;
        }
        Ok(self.counts)
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), RedactError> {
        match &mut self.encoding {
            Encoding::Unknown => {
                self.buffer.extend_from_slice(piece);
                if self.buffer.len() >= SNIFF {
                    self.settle_encoding()?;
                }
            }
            Encoding::Bytes => self.buffer.extend_from_slice(piece),
            Encoding::Utf16(big, odd, high) => utf16(piece, *big, odd, high, &mut self.buffer),
        }
        Ok(())
    }

    fn settle_encoding(&mut self) -> Result<(), RedactError> {
        let big = match self.buffer.as_slice() {
            [0xff, 0xfe, ..] => Some(false),
            [0xfe, 0xff, ..] => Some(true),
            _ => None,
        };
        match big {
            Some(big) => {
                let raw = self.buffer.split_off(2);
                self.buffer.clear();
                let (mut odd, mut high) = (None, None);
                utf16(&raw, big, &mut odd, &mut high, &mut self.buffer);
                self.encoding = Encoding::Utf16(big, odd, high);
            }
            None => {
                refuse_binary(&self.buffer)?;
                self.encoding = Encoding::Bytes;
            }
        }
        Ok(())
    }

    fn advance(&mut self, out: &mut Vec<u8>) -> Result<(), RedactError> {
        if self.swallow.is_some() {
            self.swallow(out, false);
            if self.swallow.is_some() {
                return Ok(());
            }
        }
        match memchr::memrchr(b'\n', &self.buffer[self.written..]) {
            Some(last) => self.region(self.written + last + 1, None, out)?,
            None if self.buffer.len() >= MAX_LINE => {
                let end = self.buffer.len();
                self.region(end, Some(end - HOLD), out)?;
            }
            None => {}
        }
        Ok(())
    }

    /// Masks the first `end` bytes of the buffer and writes them; with `safe`, they are the begin of an unfinished
    /// line, and only what begins before `safe` is done.
    fn region(&mut self, end: usize, safe: Option<usize>, out: &mut Vec<u8>) -> Result<(), RedactError> {
        let mut hits = std::mem::take(&mut self.hits);
        hits.clear();
        // A cut line is looked at again, from the state in which it began.
        let state = self.session.state;
        let inner = &*self.redactor.inner;
        if !self.learned_only {
            inner.scanner.scan(&self.buffer[..end], &mut self.session, &mut hits);
        }
        if safe.is_some() {
            self.session.state = state;
        }
        hit::settle(&mut hits);
        // Learned before anything is written, so that the same value goes from the lines above too.
        for hit in hits.iter().filter(|hit| safe.is_none_or(|safe| hit.start < safe && hit.end < end)) {
            let value = hit::unspell(&self.buffer[hit.start..hit.end], hit.spelling);
            inner.learn_found(value.trim_ascii(), hit.kind);
        }
        let mut known = Vec::new();
        let learned = inner.learned.read().map_err(|_| RedactError::Poisoned)?;
        learned.find(&self.buffer[..end], &mut known);
        drop(learned);
        hits.extend(known.iter().map(|(hit, _)| *hit));
        known.sort_by_key(|(hit, _)| hit.start);
        hit::settle(&mut hits);
        let limit = safe.unwrap_or(end);
        hits.retain(|hit| hit.end > self.written && hit.start < limit);

        let mut at = self.written;
        let mut open = None;
        for hit in &hits {
            let start = hit.start.max(at);
            out.extend_from_slice(&self.buffer[at..start]);
            at = hit.end;
            if safe.is_some() && hit.end == end {
                open = Some((start, *hit));
                break;
            }
            let learned_as =
                known.binary_search_by_key(&hit.start, |(hit, _)| hit.start).ok().map(|i| known[i]);
            self.write(hit, learned_as, start, out);
        }
        self.hits = hits;
        match (safe, open) {
            (None, _) => {
                out.extend_from_slice(&self.buffer[at..end]);
                self.buffer.drain(..end);
                self.written = 0;
            }
            (Some(_), Some((start, hit))) => {
                let mut hasher = inner_hasher(&self.redactor);
                hasher.update(&self.buffer[start..end]);
                let close = opening_quote(&self.buffer[..hit.start]);
                self.swallow = Some(Swallow { hasher, kind: hit.kind, close });
                self.buffer.drain(..end);
                self.written = 0;
            }
            (Some(safe), None) => {
                let cut = safe.max(at);
                out.extend_from_slice(&self.buffer[at..cut]);
                let context = cut.min(CONTEXT);
                self.buffer.drain(..cut - context);
                self.written = context;
            }
        }
        Ok(())
    }

    fn write(&mut self, hit: &Hit, learned_as: Option<(Hit, u64)>, start: usize, out: &mut Vec<u8>) {
        let inner = &*self.redactor.inner;
        let quotes = |out: &mut Vec<u8>| {
            if let Some(slashes) = hit.quotes {
                out.extend(std::iter::repeat_n(b'\\', usize::from(slashes)));
                out.push(b'"');
            }
        };
        quotes(out);
        match learned_as {
            Some((learned, fingerprint)) if learned.end == hit.end => {
                inner.write_token(fingerprint, hit.kind, &mut self.counts, out);
            }
            _ => {
                let value = hit::unspell(&self.buffer[start..hit.end], hit.spelling);
                inner.mask(&value, hit.kind, &mut self.counts, out);
            }
        }
        quotes(out);
    }

    /// Drops the buffer up to the end of the value; with `last`, the stream ends here.
    fn swallow(&mut self, out: &mut Vec<u8>, last: bool) {
        let Some(mut swallow) = self.swallow.take() else { return };
        let end = match swallow.close {
            Some((slashes, quote)) => closing_quote(&self.buffer, slashes, quote),
            None => self.buffer.iter().position(|b| b.is_ascii_whitespace() || b"\"'<".contains(b)),
        };
        let end = end.or(last.then_some(self.buffer.len()));
        match end {
            Some(end) => {
                swallow.hasher.update(&self.buffer[..end]);
                let fingerprint = token::finish(swallow.hasher);
                self.redactor.inner.write_token(fingerprint, swallow.kind, &mut self.counts, out);
                self.buffer.drain(..end);
            }
            None => {
                // Backslashes belong to a quote that may follow.
                let keep = self.buffer.iter().rev().take(64).take_while(|b| **b == b'\\').count();
                let done = self.buffer.len() - keep;
                swallow.hasher.update(&self.buffer[..done]);
                self.buffer.drain(..done);
                self.swallow = Some(swallow);
            }
        }
    }
}

fn inner_hasher(redactor: &Redactor) -> Hmac<Sha256> {
    redactor.inner.key.hasher()
}

/// The quote that stands directly before the value, with its backslashes.
fn opening_quote(head: &[u8]) -> Option<(usize, u8)> {
    let (quote, head) = head.split_last()?;
    b"\"'`".contains(quote).then(|| (head.iter().rev().take_while(|b| **b == b'\\').count(), *quote))
}

/// Where a value in such quotes ends: before the closing quote or the end of the line.
fn closing_quote(text: &[u8], slashes: usize, quote: u8) -> Option<usize> {
    memchr::memchr2_iter(quote, b'\n', text).find_map(|at| {
        let run = text[..at].iter().rev().take_while(|b| **b == b'\\').count();
        let closes = text[at] == b'\n' || run < slashes || (run - slashes).is_multiple_of(2 * (slashes + 1));
        closes.then(|| at - run.min(slashes))
    })
}

/// Masks one string with a state of its own.
pub(super) fn mask_string(
    redactor: &Redactor,
    text: &str,
    counts: &mut Counts,
) -> Result<Option<String>, RedactError> {
    let inner = &*redactor.inner;
    let (mut session, mut hits, mut known) = (Session::default(), Vec::new(), Vec::new());
    inner.scanner.scan(text.as_bytes(), &mut session, &mut hits);
    inner.learned.read().map_err(|_| RedactError::Poisoned)?.find(text.as_bytes(), &mut known);
    if hits.is_empty() && known.is_empty() {
        return Ok(None);
    }
    let mut masker = redactor.text();
    let mut out = Vec::with_capacity(text.len() + 64);
    masker.encoding = Encoding::Bytes;
    masker.buffer.extend_from_slice(text.as_bytes());
    let end = masker.buffer.len();
    masker.region(end, None, &mut out)?;
    for (kind, count) in masker.counts {
        *counts.entry(kind).or_default() += count;
    }
    // Hits end at ASCII or at the text's own characters, except inside one that was cut; then a mark stands there.
    Ok(Some(String::from_utf8_lossy(&out).into_owned()))
}

/// Marks of formats that are no text, and control characters as only such formats have them.
fn refuse_binary(head: &[u8]) -> Result<(), RedactError> {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"\x1f\x8b", "gzip"),
        (b"\x7fELF", "an ELF program"),
        (b"PK\x03\x04", "zip"),
        (b"\xfd7zXZ", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"BZh9", "bzip2"),
        (b"\x89PNG", "a picture"),
    ];
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(RedactError::Binary(what));
    }
    // A gap of NULs, as a file has after a crash, is no sign of a binary; NULs among letters are.
    let isolated = head.windows(2).filter(|w| w[0] == 0 && w[1] != 0).count();
    let control = head.iter().filter(|b| **b < b' ' && !b"\t\n\r\x1b\x08\x0c\0".contains(b)).count();
    if head.len() >= 16 && (isolated * 8 > head.len() || control * 8 > head.len()) {
        return Err(RedactError::Binary("many control characters"));
    }
    Ok(())
}

/// Appends UTF-16 as UTF-8; halves of pairs that miss the other become U+FFFD.
fn utf16(piece: &[u8], big: bool, odd: &mut Option<u8>, high: &mut Option<u16>, out: &mut Vec<u8>) {
    let mut put = |c: char| out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    for &byte in piece {
        let Some(first) = odd.take() else {
            *odd = Some(byte);
            continue;
        };
        let unit = if big { u16::from_be_bytes([first, byte]) } else { u16::from_le_bytes([first, byte]) };
        match (high.take(), unit) {
            (Some(lead), 0xdc00..=0xdfff) => {
                let code = 0x10000 + ((u32::from(lead) - 0xd800) << 10) + (u32::from(unit) - 0xdc00);
                put(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            (lead, 0xd800..=0xdbff) => {
                if lead.is_some() {
                    put(char::REPLACEMENT_CHARACTER);
                }
                *high = Some(unit);
            }
            (lead, unit) => {
                if lead.is_some() {
                    put(char::REPLACEMENT_CHARACTER);
                }
                put(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
    }
}

#[cfg(test)]
mod tests;
