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

#[test]
fn labels_in_gbk_are_read_and_the_rest_stays_as_it_was() {
    let redactor = Redactor::with_key(&[], TokenKey::from_bytes([1; 32])).unwrap();
    let gbk = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    for label in ["数据库密码：", "账号 admin 密码 ", "口令：", "令牌="] {
        let (mut masker, mut out) = (redactor.text(), Vec::new());
        masker.push(&gbk(&format!("启动\n{label}Rv4tLm8Wq2Xc7N，完成\n")), &mut out).unwrap();
        masker.finish(&mut out).unwrap();
        assert!(
            out.starts_with(&gbk(&format!("启动\n{label}***"))),
            "{label} {}",
            String::from_utf8_lossy(&out)
        );
        assert!(out.ends_with(&gbk("***，完成\n")), "{label} {}", String::from_utf8_lossy(&out));
    }
}

#[test]
fn a_key_that_a_gap_cuts_goes_on_both_sides() {
    let redactor = Redactor::with_key(&[], TokenKey::from_bytes([1; 32])).unwrap();
    let line = |n: usize| format!("MIIEowIBAAKCAQEAxyzMIIEowIBAAKCAQEAxyzMIIEowIBAAKCAQEAxyzMIIEo{n:02}\n");
    let key: String = (0..20).map(line).collect();
    let lines: Vec<&str> = key.split_inclusive('\n').collect();
    // The begin of the key in the head, and in what is missing.
    for head in [format!("up\n-----BEGIN PRIVATE KEY-----\n{}", lines[..3].concat()), "up\n".to_owned()] {
        let tail = format!("{}qQ==\n-----END PRIVATE KEY-----\nserver started\n", lines[9..].concat());
        let (mut masker, mut out) = (redactor.text(), Vec::new());
        masker.push(head.as_bytes(), &mut out).unwrap();
        masker.push(b"[900 bytes are missing]\n", &mut out).unwrap();
        masker.gap(&mut out).unwrap();
        masker.push(tail.as_bytes(), &mut out).unwrap();
        masker.finish(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("MIIE") && !text.contains("qQ=="), "{text}");
        assert!(text.contains("up\n") && text.ends_with("server started\n"), "{text}");
    }
}

#[test]
fn after_a_gap_other_text_stays() {
    let redactor = Redactor::with_key(&[], TokenKey::from_bytes([1; 32])).unwrap();
    let text = "2026-11-22T07:00:00.123Z ok\n2026-11-22T07:00:00.123Z done\nIvWItkB8xN2qZr7T\n";
    let (mut masker, mut out) = (redactor.text(), Vec::new());
    masker.gap(&mut out).unwrap();
    masker.push(text.as_bytes(), &mut out).unwrap();
    masker.finish(&mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), text);
}
