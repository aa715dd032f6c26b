//! Gzip members that know their own length, so that a run of them can be inflated on all cores.
//!
//! A gzip file may be a run of members, and every tool inflates such a run as one stream. A member normally does not
//! say how long it is, so a reader cannot find the next one without inflating this one. The members written here
//! carry an extra field (RFC 1952, section 2.3.1.1) with the identifier `CB` and eight bytes of data: the length of the
//! whole member and the length of the data in it, both as little-endian 32-bit numbers. Tools that do not know the
//! field skip it. BGZF does the same with the identifier `BC`, but is bound to 64 KiB a member.

use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc, Decompress, FlushDecompress, Status};

/// How much data goes into one member. Large enough to compress as well as one stream does (its window is 32 KiB),
/// small enough that a small bundle is spread over all cores.
pub const DATA: usize = 1 << 20;

/// Length of a member's header.
pub const HEADER: usize = 24;
/// CRC-32 and length of the data, which end a member.
const TRAILER: usize = 8;
const IDENTIFIER: [u8; 2] = *b"CB";
/// Longest member that a reader believes; the writer's are a sixteenth of it.
const MAX_DATA: u32 = 16 << 20;

/// The lengths that a member's header states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// The whole member with header and trailer.
    pub member: usize,
    /// The data in it.
    pub data: usize,
}

/// What is wrong with a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a compressed part is damaged")]
pub struct Damaged;

/// Compresses `data` into one member. The bytes depend on `data` and `level` alone.
pub fn compress(data: &[u8], level: Compression) -> Vec<u8> {
    let mut member = Vec::with_capacity(HEADER + data.len() / 4 + TRAILER);
    member.extend_from_slice(&[0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255]);
    member.extend_from_slice(&12u16.to_le_bytes());
    member.extend_from_slice(&IDENTIFIER);
    member.extend_from_slice(&8u16.to_le_bytes());
    member.extend_from_slice(&[0; 8]);
    let mut encoder = DeflateEncoder::new(member, level);
    encoder.write_all(data).expect("writing to memory cannot fail");
    let mut member = encoder.finish().expect("writing to memory cannot fail");
    let mut crc = Crc::new();
    crc.update(data);
    member.extend_from_slice(&crc.sum().to_le_bytes());
    member.extend_from_slice(&(data.len() as u32).to_le_bytes());
    let length = (member.len() as u32).to_le_bytes();
    member[16..20].copy_from_slice(&length);
    member[20..24].copy_from_slice(&(data.len() as u32).to_le_bytes());
    // Writers hold the members of a whole file: a gigabyte of log would hold a quarter of it in unused room.
    member.shrink_to_fit();
    member
}

/// Reads the lengths from a member's first [`HEADER`] bytes; `None` if it is not one of ours or states lengths that
/// none of ours has.
pub fn lengths(header: &[u8]) -> Option<Lengths> {
    let fixed = header.get(..HEADER)?;
    if fixed[..4] != [0x1f, 0x8b, 8, 4] || fixed[10..12] != [12, 0] || fixed[12..14] != IDENTIFIER {
        return None;
    }
    let number = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    let (member, data) = (number(16), number(20));
    let shortest = (HEADER + TRAILER) as u32;
    // Deflate grows what it cannot compress by a few bytes per block only.
    let plausible = member > shortest && data <= MAX_DATA && member <= MAX_DATA + MAX_DATA / 1024 + 256;
    plausible.then_some(Lengths { member: member as usize, data: data as usize })
}

/// Inflates one whole member of which [`lengths`] told the lengths.
///
/// # Errors
/// [`Damaged`] if the data is not as long as stated or its checksum differs.
pub fn inflate(member: &[u8], lengths: Lengths) -> Result<Vec<u8>, Damaged> {
    let end = member.len().checked_sub(TRAILER).filter(|end| *end >= HEADER).ok_or(Damaged)?;
    let mut data = vec![0; lengths.data];
    let mut decoder = Decompress::new(false);
    let status = decoder.decompress(&member[HEADER..end], &mut data, FlushDecompress::Finish);
    let whole = matches!(status, Ok(Status::StreamEnd)) && decoder.total_out() == lengths.data as u64;
    let mut crc = Crc::new();
    crc.update(&data);
    if whole && member[end..end + 4] == crc.sum().to_le_bytes() { Ok(data) } else { Err(Damaged) }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_member_is_ordinary_gzip_and_tells_its_lengths() {
        for data in [&b""[..], b"x", &[7; DATA]] {
            let member = compress(data, Compression::new(6));
            let lengths = lengths(&member).unwrap();
            assert_eq!(lengths, Lengths { member: member.len(), data: data.len() });
            assert_eq!(inflate(&member, lengths).unwrap(), data);
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&member[..]).read_to_end(&mut plain).unwrap();
            assert_eq!(plain, data);
        }
    }

    #[test]
    fn a_changed_byte_or_a_wrong_length_is_noticed() {
        let member =
            compress(&b"some text that is long enough to be worth it".repeat(50), Compression::new(6));
        let stated = lengths(&member).unwrap();
        for at in HEADER..member.len() - 4 {
            let mut damaged = member.clone();
            damaged[at] ^= 0x10;
            assert_eq!(inflate(&damaged, stated), Err(Damaged), "byte {at}");
        }
        assert_eq!(inflate(&member, Lengths { data: stated.data + 1, ..stated }), Err(Damaged));
        assert_eq!(inflate(&member, Lengths { data: stated.data - 1, ..stated }), Err(Damaged));
        assert_eq!(inflate(&member[..HEADER], stated), Err(Damaged));
    }

    #[test]
    fn lengths_that_no_writer_states_are_not_believed() {
        let mut member = compress(b"x", Compression::new(6));
        member[20..24].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(lengths(&member), None);
        assert_eq!(lengths(&member[..HEADER - 1]), None);
    }
}
