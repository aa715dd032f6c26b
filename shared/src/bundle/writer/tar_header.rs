//! The blocks that stand before a file in a tar archive.

use jiff::Timestamp;
use tar::{EntryType, Header};

/// Unit of a tar archive in bytes.
pub(super) const BLOCK: usize = 512;

/// Header blocks of a regular file. A path that the plain header cannot hold (long, or not ASCII) also stands in a
/// pax header, which says that it is UTF-8; the older GNU form leaves the encoding to the reader's locale.
pub(super) fn blocks(path: &str, size: u64, modified: Timestamp) -> Vec<u8> {
    let mut out = Vec::with_capacity(BLOCK);
    let plain = path.is_ascii() && path.len() <= NAME;
    if !plain {
        let record = pax_record("path", path);
        push(
            &mut out,
            &short_name(&format!("PaxHeaders/{path}")),
            EntryType::XHeader,
            record.len() as u64,
            modified,
        );
        out.extend_from_slice(record.as_bytes());
        out.resize(out.len() + padding(record.len() as u64), 0);
    }
    push(&mut out, &short_name(path), EntryType::Regular, size, modified);
    out
}

/// How many zero bytes follow a file of `size` bytes.
pub(super) fn padding(size: u64) -> usize {
    let rest = (size % BLOCK as u64) as usize;
    if rest == 0 { 0 } else { BLOCK - rest }
}

/// Length of the name field.
const NAME: usize = 100;

fn push(out: &mut Vec<u8>, name: &[u8], kind: EntryType, size: u64, modified: Timestamp) {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(modified.as_second().max(0) as u64);
    header.set_size(size);
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
}

/// What tools that do not read pax headers show.
fn short_name(path: &str) -> Vec<u8> {
    path.bytes().map(|byte| if byte.is_ascii() { byte } else { b'_' }).take(NAME).collect()
}

/// `<length> key=value\n`, where the length counts itself.
fn pax_record(key: &str, value: &str) -> String {
    let body = format!(" {key}={value}\n");
    let mut length = body.len();
    while length != body.len() + length.to_string().len() {
        length = body.len() + length.to_string().len();
    }
    format!("{length}{body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_record_counts_itself() {
        for size in [1, 80, 87, 88, 89, 90, 980, 981, 982, 983, 984, 5000] {
            let record = pax_record("path", &"a".repeat(size));
            let stated: usize = record.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(stated, record.len());
        }
    }
}
