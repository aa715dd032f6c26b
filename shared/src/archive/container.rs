//! What kind of container a stream is, told by its first bytes and never by its name.

use std::fmt;
use std::io::{self, Read, SeekFrom};

use super::Source;
use crate::encryption;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Tar,
    Zip,
    SevenZip,
    Gzip,
    Xz,
    Zstd,
    Bzip2,
    Age,
    Foreign(Foreign),
}

/// What is told by its first bytes and not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// An archive or compressed file, by the name of its format.
    Archive(&'static str),
    Picture,
    Pdf,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Foreign::Archive(format) => write!(f, "packed as {format}, which this program does not unpack"),
            Foreign::Picture => f.write_str("a picture, in which this program sees no text"),
            Foreign::Pdf => f.write_str("a PDF, in which this program sees no text"),
        }
    }
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Plain => "file",
            Kind::Tar => "tar",
            Kind::Zip => "zip",
            Kind::SevenZip => "7z",
            Kind::Gzip => "gzip",
            Kind::Xz => "xz",
            Kind::Zstd => "zstd",
            Kind::Bzip2 => "bzip2",
            Kind::Age => "age",
            Kind::Foreign(_) => "foreign",
        }
    }
}

/// How many bytes are looked at: one tar header.
pub(super) const HEAD: usize = 512;

/// Looks at the beginning of `source` and goes back to it.
pub(super) fn sniff(source: &mut dyn Source) -> io::Result<Kind> {
    let start = source.stream_position()?;
    let mut head = Vec::with_capacity(HEAD);
    source.take(HEAD as u64).read_to_end(&mut head)?;
    source.seek(SeekFrom::Start(start))?;
    Ok(of_head(&head))
}

fn of_head(head: &[u8]) -> Kind {
    const MAGIC: &[(&[u8], Kind)] = &[
        (&[0x1f, 0x8b, 8], Kind::Gzip),
        (b"PK\x03\x04", Kind::Zip),
        // An empty zip, and one that was meant for several disks.
        (b"PK\x05\x06", Kind::Zip),
        (b"PK\x07\x08", Kind::Zip),
        (b"7z\xbc\xaf\x27\x1c", Kind::SevenZip),
        (b"\xfd7zXZ\0", Kind::Xz),
        (b"\x28\xb5\x2f\xfd", Kind::Zstd),
        (b"Rar!\x1a\x07", Kind::Foreign(Foreign::Archive("RAR"))),
        (b"\x04\x22\x4d\x18", Kind::Foreign(Foreign::Archive("LZ4"))),
        (b"\x1f\x9d", Kind::Foreign(Foreign::Archive("compress (.Z)"))),
        (b"\x5d\0\0", Kind::Foreign(Foreign::Archive("LZMA"))),
        (b"LZIP\x01", Kind::Foreign(Foreign::Archive("lzip"))),
        (b"MSCF\0\0\0\0", Kind::Foreign(Foreign::Archive("CAB"))),
        (b"\x89PNG\r\n", Kind::Foreign(Foreign::Picture)),
        (b"\xff\xd8\xff", Kind::Foreign(Foreign::Picture)),
        (b"GIF89a", Kind::Foreign(Foreign::Picture)),
        (b"%PDF-", Kind::Foreign(Foreign::Pdf)),
    ];
    match MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, kind)) => *kind,
        None if encryption::is_sealed(head) => Kind::Age,
        None if is_bzip2(head) => Kind::Bzip2,
        None if is_tar(head) => Kind::Tar,
        None => Kind::Plain,
    }
}

/// `BZh`, the level, and the mark of a block or of the end: three letters alone could begin a text.
fn is_bzip2(head: &[u8]) -> bool {
    matches!(
        head,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, ..]
    )
}

/// Whether the block is a tar header: its checksum says so, in archives from before the `ustar` mark too.
pub(super) fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..HEAD) else { return false };
    let field = &block[148..156];
    let digits: String =
        field.iter().map(|b| *b as char).skip_while(|c| *c == ' ').take_while(|c| c.is_digit(8)).collect();
    let Ok(stated) = u32::from_str_radix(&digits, 8) else { return false };
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    stated == sum && block[0] != 0
}

/// The name of a compressed file without the ending that says so.
pub(super) fn without_ending(name: &str) -> &str {
    const ENDINGS: &[&str] = &[".gz", ".GZ", ".z", ".Z", ".xz", ".zst", ".bz2", ".age"];
    ENDINGS
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(name)
}

/// Office documents and program archives are zips too, but nobody looks for logs in them.
pub(super) fn is_document(path: &str) -> bool {
    const ENDINGS: &[&str] = &[".jar", ".war", ".docx", ".xlsx", ".pptx", ".whl", ".apk", ".odt", ".ods"];
    let path = path.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| path.ends_with(ending))
}
