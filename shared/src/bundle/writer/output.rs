//! The file that a bundle takes shape in: as it is, or through the cipher.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use tempfile::NamedTempFile;

use crate::encryption::{self, Seal, StreamWriter};

/// A file that is appended to. An append that fails leaves no trace, so that one can go on.
pub(super) struct Output {
    file: NamedTempFile,
    way: Way,
}

enum Way {
    Plain,
    Sealed(Box<StreamWriter<File>>),
    /// The cipher was stopped half-way: what came out of it cannot be taken back, nor gone on with.
    Broken,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sealed = !matches!(self.way, Way::Plain);
        f.debug_struct("Output").field("file", &self.file).field("sealed", &sealed).finish()
    }
}

impl Output {
    /// # Errors
    /// When the header of a sealed file cannot be written.
    pub fn begin(file: NamedTempFile, seal: Option<&Seal>) -> io::Result<Self> {
        let way = match seal {
            None => Way::Plain,
            Some(seal) => Way::Sealed(Box::new(seal.begin(file.reopen()?)?)),
        };
        Ok(Self { file, way })
    }

    /// Runs `write`, which writes `most` bytes or fewer; says how many it wrote.
    ///
    /// # Errors
    /// What `write` gives; the file then is as it was before.
    pub fn append(
        &mut self,
        most: u64,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<u64> {
        match std::mem::replace(&mut self.way, Way::Broken) {
            Way::Plain => {
                self.way = Way::Plain;
                append_or_cut(self.file.as_file_mut(), write)
            }
            Way::Sealed(mut stream) => {
                let room = make_room(self.file.as_file(), most);
                if room.is_ok() {
                    write(&mut *stream)?;
                }
                self.way = Way::Sealed(stream);
                room.map(|()| most)
            }
            Way::Broken => Err(broken()),
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When the last piece of a sealed file cannot be written, or an earlier one could not.
    pub fn finish(self) -> io::Result<NamedTempFile> {
        match self.way {
            Way::Plain => {}
            Way::Sealed(stream) => end(&stream.finish()?)?,
            Way::Broken => return Err(broken()),
        }
        Ok(self.file)
    }
}

pub(super) fn broken() -> io::Error {
    io::Error::other("the encryption was stopped half-way by an earlier error")
}

/// Gives back the room that was made and not used.
pub(super) fn end(file: &File) -> io::Result<()> {
    file.set_len(file.metadata()?.len())
}

/// What the cipher holds back until the next piece of 64 KiB or the end, and as much again for its own bytes.
pub(super) const HELD_BACK: usize = 128 << 10;

/// Makes sure that so many bytes, sealed, find room behind the end of the file.
///
/// # Errors
/// A full disk. A file system that cannot reserve says so while it is written to.
pub(super) fn make_room(file: &File, bytes: u64) -> io::Result<()> {
    let room = bytes + encryption::overhead(bytes) + (64 << 10);
    match fallocate(file, FallocateFlags::KEEP_SIZE, file.metadata()?.len(), room) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Runs `write` at the end of `file`; if it fails, the file gets its old length back.
fn append_or_cut(file: &mut File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<u64> {
    let start = file.stream_position()?;
    let done = write(file);
    match done {
        Ok(()) => Ok(file.stream_position()? - start),
        Err(error) => {
            file.set_len(start)?;
            file.seek(SeekFrom::Start(start))?;
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encryption::{NewKey, Recipients};

    fn half(out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&[b'h'; 200_000])?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    #[test]
    fn a_full_disk_leaves_a_file_that_can_be_gone_on_with() {
        // A disk that is really full needs a mount; here the writing fails half-way with the error it would give.
        let mut output = Output::begin(NamedTempFile::new().unwrap(), None).unwrap();
        output.append(6, |out| out.write_all(b"before")).unwrap();
        assert_eq!(output.append(0, half).unwrap_err().kind(), io::ErrorKind::StorageFull);
        output.append(6, |out| out.write_all(b" after")).unwrap();
        let file = output.finish().unwrap();
        assert_eq!(std::fs::read(file.path()).unwrap(), b"before after");
    }

    #[test]
    fn a_cipher_that_was_stopped_half_way_is_not_gone_on_with() {
        let key = NewKey::generate(jiff::Timestamp::UNIX_EPOCH);
        let seal = Seal::new(Recipients::read(&[key.public]).unwrap());
        let mut output = Output::begin(NamedTempFile::new().unwrap(), Some(&seal)).unwrap();
        output.append(6, |out| out.write_all(b"before")).unwrap();
        output.append(0, half).unwrap_err();
        output.append(6, |out| out.write_all(b" after")).unwrap_err();
        output.finish().unwrap_err();
    }

    #[test]
    fn room_that_was_made_and_not_used_is_given_back() {
        use std::os::unix::fs::MetadataExt;
        let file = NamedTempFile::new().unwrap();
        let before = file.as_file().metadata().unwrap().blocks();
        make_room(file.as_file(), 10 << 20).unwrap();
        assert_eq!(file.as_file().metadata().unwrap().len(), 0);
        end(file.as_file()).unwrap();
        assert_eq!(file.as_file().metadata().unwrap().blocks(), before);
    }
}
