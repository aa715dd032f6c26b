//! Reading a sealed file.
//!
//! Who can seal to the desk's public key can put anything inside, so what comes out is as untrusted as any upload. The
//! cipher authenticates every 64 KiB before they are given out; a file that was cut is good up to the cut.

use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

use age::armor::ArmoredReader;
use age::stream::StreamReader;
use age::{DecryptError, Decryptor};

use super::Identities;
use crate::lang::Localized;

/// First line of every age file.
const MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// First line of one that was made into text.
const ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
/// Longest header that is looked at: about five hundred recipients.
const HEADER: usize = 64 << 10;

/// Why a sealed file stays closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Locked {
    #[error("encrypted with age")]
    NoIdentity,
    #[error("encrypted with age, to none of the keys given")]
    WrongIdentity,
    #[error("encrypted with age and a passphrase")]
    Passphrase,
    #[error("encrypted with age, and damaged or cut off: {0}")]
    Damaged(String),
}

impl Locked {
    /// What the user can do.
    pub fn hint(&self) -> Localized {
        match self {
            Locked::NoIdentity => Localized::new(
                "请用 --identity FILE 给出对应私钥所在的文件",
                "give the file with the secret key that belongs to it: --identity FILE",
            ),
            Locked::WrongIdentity => Localized::new(
                "请向上传者确认加密用的公钥，再用 --identity FILE 给出对应私钥所在的文件",
                "ask which public key it was encrypted to, and give the file with its secret key: --identity FILE",
            ),
            Locked::Passphrase => Localized::new(
                "请先用 age 程序解密，再分析得到的文件",
                "open it with the age program, and give what comes out",
            ),
            Locked::Damaged(_) => Localized::new(
                "上传可能被截断，请与原文件比较大小",
                "the upload may have been cut off; compare its size with the file it was made from",
            ),
        }
    }
}

/// Whether a file that begins so is sealed.
pub fn is_sealed(head: &[u8]) -> bool {
    head.starts_with(MAGIC) || head.starts_with(ARMOR)
}

trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// Opens a sealed file; one that was made into text is held in memory, and may have `most` bytes.
///
/// # Errors
/// When none of the identities opens it, or its header is damaged.
pub fn open<'s>(
    mut file: impl Read + Seek + 's,
    identities: &Identities,
    most: u64,
) -> Result<Opened<'s>, Locked> {
    let damaged = |error: io::Error| Locked::Damaged(error.to_string());
    let mut head = [0; ARMOR.len()];
    let start = file.stream_position().map_err(damaged)?;
    let armored = file.read_exact(&mut head).is_ok() && head == ARMOR;
    file.seek(SeekFrom::Start(start)).map_err(damaged)?;
    let mut source: Box<dyn Source + 's> = Box::new(BufReader::new(file));
    if armored {
        let mut data = Vec::new();
        ArmoredReader::new(source).take(most).read_to_end(&mut data).map_err(damaged)?;
        source = Box::new(Cursor::new(data));
    }
    header_is_bounded(&mut source)?;
    let decryptor = Decryptor::new(source).map_err(|error| locked(&error))?;
    if decryptor.is_scrypt() {
        return Err(Locked::Passphrase);
    }
    if identities.is_empty() {
        return Err(Locked::NoIdentity);
    }
    let stream = decryptor.decrypt(identities.each()).map_err(|error| locked(&error))?;
    Ok(Opened { stream, at: 0, reached: 0, len: None, faulty: false })
}

/// The header ends with a line that begins with `---`. The parser would look for it to the end of the file.
fn header_is_bounded(source: &mut Box<dyn Source + '_>) -> Result<(), Locked> {
    let damaged = |error: io::Error| Locked::Damaged(error.to_string());
    let start = source.stream_position().map_err(damaged)?;
    let mut head = Vec::new();
    source.by_ref().take(HEADER as u64).read_to_end(&mut head).map_err(damaged)?;
    source.seek(SeekFrom::Start(start)).map_err(damaged)?;
    match memchr::memmem::find(&head, b"\n---") {
        Some(_) => Ok(()),
        None => Err(Locked::Damaged("its header has no end".to_owned())),
    }
}

fn locked(error: &DecryptError) -> Locked {
    match error {
        DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed => Locked::WrongIdentity,
        other => Locked::Damaged(other.to_string().replace('\n', " ")),
    }
}

/// The text of a sealed file.
///
/// Positions come from the text itself (a zip says where its files lie), and the cipher's reader wants none past its
/// end; so they are checked here. After a fault nothing more comes.
pub struct Opened<'s> {
    stream: StreamReader<Box<dyn Source + 's>>,
    at: u64,
    /// The furthest that was read; positions up to it are good whatever the end looks like.
    reached: u64,
    len: Option<u64>,
    faulty: bool,
}

impl Opened<'_> {
    /// # Errors
    /// When the last piece is not one, as in a file that was cut.
    fn len(&mut self) -> io::Result<u64> {
        if let Some(len) = self.len {
            return Ok(len);
        }
        let len = self.stream.seek(SeekFrom::End(0)).inspect_err(|_| self.faulty = true)?;
        self.len = Some(len);
        self.stream.seek(SeekFrom::Start(self.at.min(len)))?;
        Ok(len)
    }
}

impl Read for Opened<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.faulty || buffer.is_empty() || self.len.is_some_and(|len| self.at >= len) {
            return Ok(0);
        }
        let count = self.stream.read(buffer).inspect_err(|_| self.faulty = true)?;
        self.at += count as u64;
        self.reached = self.reached.max(self.at);
        Ok(count)
    }
}

impl Seek for Opened<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
            SeekFrom::End(offset) => self.len()?.checked_add_signed(offset),
        };
        let place = place.ok_or_else(|| io::Error::other("a place before the beginning"))?;
        if self.faulty {
            return Err(io::Error::other("the file is damaged before this place"));
        }
        // Past the end there is nothing; only files whose end is known are asked for it.
        if place <= self.reached || place <= self.len()? {
            self.stream.seek(SeekFrom::Start(place)).inspect_err(|_| self.faulty = true)?;
        }
        self.at = place;
        Ok(place)
    }
}

#[cfg(test)]
mod tests;
