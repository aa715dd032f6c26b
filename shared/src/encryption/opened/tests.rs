use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::encryption::{NewKey, Recipients, Seal};

/// More than two pieces of the cipher.
const LONG: usize = 150_000;

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 / 7) as u8).collect()
}

fn key() -> (Recipients, Identities) {
    let folder = tempfile::tempdir().unwrap();
    let key = NewKey::generate(jiff::Timestamp::UNIX_EPOCH);
    let path = folder.path().join("key.txt");
    std::fs::write(&path, key.file).unwrap();
    (Recipients::read(&[key.public]).unwrap(), Identities::read(&[path]).unwrap())
}

fn sealed(recipients: &Recipients, text: &[u8]) -> Vec<u8> {
    let mut writer = Seal::new(recipients.clone()).begin(Vec::new()).unwrap();
    writer.write_all(text).unwrap();
    writer.finish().unwrap()
}

fn fault(data: &[u8], identities: &Identities) -> Locked {
    match open(Cursor::new(data), identities, u64::MAX) {
        Ok(_) => panic!("it opens"),
        Err(locked) => locked,
    }
}

#[test]
fn the_recipient_and_the_run_itself_open_a_sealed_file() {
    let (recipients, identities) = key();
    let text = text(LONG);
    let seal = Seal::new(recipients);
    let mut writer = seal.begin(Vec::new()).unwrap();
    writer.write_all(&text).unwrap();
    let data = writer.finish().unwrap();
    assert!(is_sealed(&data));
    assert!(data.len() as u64 <= LONG as u64 + super::super::overhead(LONG as u64) + 1024);
    for mut opened in
        [seal.open(Cursor::new(&data)).unwrap(), open(Cursor::new(&data), &identities, 0).unwrap()]
    {
        let mut back = Vec::new();
        opened.read_to_end(&mut back).unwrap();
        assert!(back == text);
    }
    let (_, stranger) = key();
    assert_eq!(fault(&data, &stranger), Locked::WrongIdentity);
    assert_eq!(fault(&data, &Identities::default()), Locked::NoIdentity);
}

#[test]
fn a_file_that_was_made_into_text_opens_too() {
    let (recipients, identities) = key();
    let mut armor =
        age::armor::ArmoredWriter::wrap_output(Vec::new(), age::armor::Format::AsciiArmor).unwrap();
    armor.write_all(&sealed(&recipients, b"hello")).unwrap();
    let data = armor.finish().unwrap();
    assert!(is_sealed(&data));
    let mut back = String::new();
    open(Cursor::new(&data), &identities, 4096).unwrap().read_to_string(&mut back).unwrap();
    assert_eq!(back, "hello");
}

#[test]
fn what_was_changed_or_cut_is_noticed_and_what_comes_before_is_good() {
    let (recipients, identities) = key();
    let text = text(LONG);
    let whole = sealed(&recipients, &text);
    let body = whole.len() - LONG - 3 * 16;
    for (damage, good) in [(body + 10, 0), (body + (64 << 10) + 20, 64 << 10), (whole.len() - 1, 128 << 10)] {
        let mut data = whole.clone();
        data[damage] ^= 1;
        let mut back = Vec::new();
        let mut opened = open(Cursor::new(&data), &identities, 0).unwrap();
        assert!(opened.read_to_end(&mut back).is_err());
        assert!(back == text[..good], "{damage}: {}", back.len());
        assert_eq!(opened.read(&mut [0; 10]).unwrap(), 0);
    }
    for cut in [body + (64 << 10) + 16, whole.len() - 1] {
        let mut back = Vec::new();
        let error = open(Cursor::new(&whole[..cut]), &identities, 0).unwrap().read_to_end(&mut back);
        assert!(error.is_err() && text.starts_with(&back), "{cut}");
    }
    assert!(matches!(fault(&whole[..60], &identities), Locked::Damaged(_)));
    let endless = [MAGIC, &b"-> X25519 abc\n".repeat(100_000)].concat();
    assert!(matches!(fault(&endless, &identities), Locked::Damaged(_)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// As in a file, wherever one goes and however the text ends.
    #[test]
    fn it_can_be_sought_in_like_a_file(
        len in prop_oneof![Just(0usize), Just(1), Just(64 << 10), Just(128 << 10), Just(LONG)],
        moves in prop::collection::vec((0u8..3, 0i64..200_000, 0u64..70_000), 1..24),
    ) {
        let (recipients, identities) = key();
        let text = text(len);
        let data = sealed(&recipients, &text);
        let mut opened = open(Cursor::new(&data), &identities, 0).unwrap();
        let mut plain = Cursor::new(&text);
        for (whence, offset, count) in moves {
            let to = match whence {
                0 => SeekFrom::Start(offset as u64),
                1 => SeekFrom::Current(offset - 100_000),
                _ => SeekFrom::End(offset - 190_000),
            };
            let (here, there) = (opened.seek(to), plain.seek(to));
            prop_assert_eq!(here.is_ok(), there.is_ok());
            if let (Ok(here), Ok(there)) = (here, there) {
                prop_assert_eq!(here, there);
            }
            let (mut got, mut wanted) = (Vec::new(), Vec::new());
            opened.by_ref().take(count).read_to_end(&mut got).unwrap();
            plain.by_ref().take(count).read_to_end(&mut wanted).unwrap();
            prop_assert!(got == wanted, "{} and {} bytes", got.len(), wanted.len());
            prop_assert_eq!(opened.stream_position().unwrap(), plain.stream_position().unwrap());
        }
    }
}
