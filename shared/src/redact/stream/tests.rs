use super::super::TokenKey;
use super::*;

fn redactor() -> Redactor {
    Redactor::with_key(&[], TokenKey::from_bytes([7; 32])).unwrap()
}

/// Masks `text`, pushed in pieces of `size` bytes.
fn mask_in(redactor: &Redactor, text: &[u8], size: usize) -> Vec<u8> {
    let mut masker = redactor.text();
    let mut out = Vec::new();
    for piece in text.chunks(size) {
        masker.push(piece, &mut out).unwrap();
    }
    masker.finish(&mut out).unwrap();
    out
}

fn mask(text: &str) -> String {
    String::from_utf8(mask_in(&redactor(), text.as_bytes(), 1 << 20)).unwrap()
}

#[test]
fn text_without_secrets_comes_out_as_it_went_in() {
    let text = "2026-11-22 INFO request 1 ok\nToken expired for user bob\n\nlast line without end";
    assert_eq!(mask(text), text);
}

#[test]
fn a_value_goes_from_the_lines_above_its_name_too() {
    let masked = mask("trying Zx81-spectrum\npassword: Zx81-spectrum\nadmin: Zx81-spectrum\n");
    assert!(!masked.contains("Zx81") && masked.starts_with("trying ***password:"), "{masked}");
}

#[test]
fn how_the_text_is_cut_into_pieces_changes_nothing() {
    let text = "a=1\npassword: hunter2\nx mysql://u:hunter3pw@h/db\n{\"token\":\"abcdef123\"}\n".repeat(50);
    let whole = mask(&text).into_bytes();
    for size in [1, 2, 3, 7, 64, 1000] {
        assert_eq!(mask_in(&redactor(), text.as_bytes(), size), whole, "{size}");
    }
}
