//! Generated secrets in generated carriers: what goes in as a secret never comes out, whatever the pieces it comes in.

// Helpers of tests are tests to a reader, not to the lint.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use shared::redact::{Redactor, TokenKey};

/// Carriers with a place for a secret, and the characters that may stand there.
const CARRIERS: &[(&str, &str)] = &[
    ("password: {}", PLAIN),
    ("DB_PASSWORD={}", PLAIN),
    ("2026-11-22T07:00:00Z INFO login with password={} ok", PLAIN),
    ("{\"user\":\"bk\",\"password\":\"{}\",\"x\":1}", QUOTED),
    ("{\"log\":\"{\\\"apiKey\\\":\\\"{}\\\"}\\n\"}", QUOTED),
    ("{'passwd': '{}'}", QUOTED),
    ("mysql://root:{}@bk-mysql:3306/db", URL),
    ("redis://:{}@h:6379/0 x", URL),
    ("mongodb://u:{}@a:27017,b:27017/db?x=y", URL),
    ("mysql -uroot -p{} -h x", PLAIN),
    ("redis-server --requirepass {} --port 1", PLAIN),
    ("Authorization: Bearer {}", PLAIN),
    ("<password>{}</password>", PLAIN),
    ("<property name=\"password\" value=\"{}\"/>", PLAIN),
    ("GET /x?bk_token={}&y=1 HTTP/1.1", PLAIN),
    ("[{\"name\":\"DB_PASSWORD\",\"value\":\"{}\"}]", QUOTED),
    ("- name: DB_PASSWORD\n  value: {}\n", PLAIN),
    ("a:\n  secret_key: \"{}\"\n", QUOTED),
    ("Args:\n  --requirepass\n  {}\n", PLAIN),
    ("config: &{Host:db Password:{} Name:bk}", PLAIN),
    ("IDENTIFIED BY '{}'", PLAIN),
    ("dsn=root:{}@tcp(db:3306)/x", URL),
    ("密码：{}", PLAIN),
];

const PLAIN: &str = "[a-z][A-Za-z0-9!#%^*+_~.-]{5,30}[0-9][A-Z]";
const QUOTED: &str = "[a-z][A-Za-z0-9!#$%^&*+=_~.,;:(){}?/ -]{5,30}[0-9][A-Z]";
const URL: &str = "[a-z][A-Za-z0-9!$^*+=_~.-]{5,30}[0-9][A-Z]";

fn redactor() -> Redactor {
    Redactor::with_key(&[], TokenKey::from_bytes([9; 32])).unwrap()
}

fn mask(redactor: &Redactor, text: &[u8], size: usize) -> Vec<u8> {
    let mut masker = redactor.text();
    let mut out = Vec::new();
    for piece in text.chunks(size) {
        masker.push(piece, &mut out).unwrap();
    }
    masker.finish(&mut out).unwrap();
    out
}

/// A carrier and a secret that fits it.
fn canary() -> impl Strategy<Value = (&'static str, String)> {
    (0..CARRIERS.len()).prop_flat_map(|i| (Just(CARRIERS[i].0), CARRIERS[i].1))
}

fn holds(text: &[u8], secret: &str) -> bool {
    memchr::memmem::find(text, secret.as_bytes()).is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_comes_out((carrier, secret) in canary(), size in 1usize..200, lines in 0usize..4) {
        let noise = "2026-11-22 07:00:00 INFO request 1 ok\n".repeat(lines);
        let text = format!("{noise}{}\n{noise}", carrier.replace("{}", &secret));
        let masked = mask(&redactor(), text.as_bytes(), size);
        prop_assert!(!holds(&masked, &secret), "{}", String::from_utf8_lossy(&masked));
        // Masking again changes nothing, and pieces do not matter.
        prop_assert_eq!(&mask(&redactor(), text.as_bytes(), 1 << 20), &masked);
        prop_assert_eq!(&mask(&redactor(), &masked, 64), &masked);
    }

    #[test]
    fn what_was_learned_goes_wherever_it_stands(secret in "[a-z]{3}[A-Z][a-z0-9!@#]{4,20}[0-9][A-Z]", before in "[ -~]{0,40}", after in "[ -~]{0,40}") {
        let redactor = redactor();
        mask(&redactor, format!("password: \"{secret}\"\n").as_bytes(), 100);
        let masked = mask(&redactor, format!("{before}{secret}{after}\n").as_bytes(), 7);
        prop_assert!(!holds(&masked, &secret), "{}", String::from_utf8_lossy(&masked));
    }

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..3000), size in 1usize..500) {
        let redactor = redactor();
        let mut masker = redactor.text();
        let mut out = Vec::new();
        let taken = bytes.chunks(size).try_for_each(|piece| masker.push(piece, &mut out));
        prop_assert!(taken.and_then(|()| masker.finish(&mut out)).is_ok() || bytes.len() >= 2);
    }
}

/// A line without end: memory stays bounded, the secret goes, everything else stays.
#[test]
fn a_line_of_a_hundred_megabytes() {
    let redactor = redactor();
    let mut masker = redactor.text();
    let (mut out, mut seen, mut tail) = (Vec::new(), 0usize, Vec::new());
    let filler = b"{\"a\":1,\"b\":\"some text\"},".repeat(40_000);
    let mut pushed = 0;
    for i in 0..100 {
        let secret = format!("{{\"password\":\"Long{i}Line!pw\"}},");
        for piece in [filler.as_slice(), secret.as_bytes()] {
            pushed += piece.len();
            masker.push(piece, &mut out).unwrap();
        }
        assert!(out.len() < 4 << 20);
        seen += out.len();
        assert!(!holds(&out, "Line!pw"));
        tail = std::mem::take(&mut out);
    }
    let counts = masker.finish(&mut out).unwrap();
    assert!(!holds(&out, "Line!pw") && !holds(&tail, "Line!pw"));
    assert_eq!(counts["password"], 100);
    seen += out.len();
    assert!(pushed >= 90_000_000 && seen.abs_diff(pushed) < 10_000);
}

/// A value longer than any buffer is swallowed to its end, and what follows stands.
#[test]
fn a_value_of_many_megabytes() {
    let redactor = redactor();
    let text = format!("{{\"password\":\"{}\",\"host\":\"bk-mysql\"}}\n", "Ab3-".repeat(1 << 20));
    let masked = String::from_utf8(mask(&redactor, text.as_bytes(), 100_000)).unwrap();
    assert!(
        masked.len() < 200 && masked.ends_with("\",\"host\":\"bk-mysql\"}\n"),
        "{} {}",
        masked.len(),
        &masked[..200.min(masked.len())]
    );
}

#[test]
fn what_is_no_text_is_refused_and_other_encodings_are_read() {
    let redactor = redactor();
    let push = |bytes: &[u8]| {
        let mut masker = redactor.text();
        let mut out = Vec::new();
        masker.push(bytes, &mut out).and_then(|()| masker.finish(&mut out)).map(|_| out)
    };
    assert!(push(b"\x1f\x8b\x08\x00aaaa").is_err());
    assert!(push(&"p\0a\0s\0s\0w\0o\0r\0d\0=\0x\0".repeat(9).into_bytes()).is_err());
    let wide: Vec<u8> =
        "\u{feff}password: Hunter2wide\r\n密码错误".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let masked = String::from_utf8(push(&wide).unwrap()).unwrap();
    assert!(masked.starts_with("password: ***password:") && masked.ends_with("密码错误"), "{masked}");
    let broken = push(b"a \xff\xfe b\0\0c password=Hunter2nul \xc3\n").unwrap();
    assert!(broken.starts_with(b"a \xff\xfe b\0\0c password=***"), "{broken:?}");
}

/// A line that is cut because it is too long: wherever the cut falls, no part of a secret comes out.
#[test]
fn a_secret_at_every_offset_of_a_cut() {
    const LINE: usize = 256 << 10;
    let redactor = redactor();
    let secret = "Cut0Offset!pw";
    for (begin, step) in
        [(LINE - (16 << 10) - 40, 1), (LINE - 40, 1), ((64 << 10) - 40, 7), (LINE - (18 << 10), 511)]
    {
        for i in 0..60 {
            let at = begin + i * step;
            let head = "{\"a\":1},".repeat(at / 8);
            let text = format!("{head}{{\"password\":\"{secret}\",\"b\":2}}{}", ",[1]".repeat(80 << 10));
            let masked = mask(&redactor, text.as_bytes(), 100_000);
            assert!(!holds(&masked, "0Offset") && !holds(&masked, "Cut0") && !holds(&masked, "!pw"), "{at}");
            assert!(masked.len().abs_diff(text.len()) < 100, "{at}: {} {}", masked.len(), text.len());
        }
    }
}

/// What is cut off, nested without end or broken is masked as far as it goes.
#[test]
fn broken_documents_are_masked_and_nothing_else_is_lost() {
    let redactor = redactor();
    let masked = |text: &str| String::from_utf8(mask(&redactor, text.as_bytes(), 1000)).unwrap();
    let cut = masked("{\"items\":[{\"host\":\"h\",\"password\":\"CutOff9pw");
    assert!(cut.starts_with("{\"items\":[{\"host\":\"h\",\"password\":\"***password:"), "{cut}");
    let deep = format!("{}\"password\":\"Deep9nested\"{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let deep = masked(&deep.replacen("{\"a\":\"password\"", "{\"password\"", 1));
    assert!(!deep.contains("Deep9nested") && deep.ends_with("}}}}"));
    // A key whose end was cut off, with lines of other writers in between and after it.
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7d93mZqLw0PvN";
    let log = "2026-11-22 INFO com.tencent.bk.job.manage.Main started\n";
    let key = format!("-----BEGIN PRIVATE KEY-----\n{body}\n{log}{body}\n{}", log.repeat(3000));
    let key = masked(&key);
    assert!(!key.contains("MIIEvQ") && key.matches(log).count() == 3001, "{}", &key[..300]);
    let header = masked("-----BEGIN PRIVATE KEY-----\nVersion: 1, password=Behind9header\n");
    assert!(!header.contains("Behind9"), "{header}");
    let lines: String = (0..3000).map(|i| format!("{}{i:04}\n", &body[..60])).collect();
    let endless = masked(&format!("-----BEGIN PRIVATE KEY-----\n{lines}{log}"));
    assert!(!endless.contains("MIIEvQ") && endless.ends_with(log));
}

/// A list of words is a command too: the option, and beside it the secret.
#[test]
fn passwords_among_the_words_of_a_command() {
    for (words, secret) in [
        (r#"["curl","-u","admin:Curl9pw","http://x"]"#, "Curl9pw"),
        (r#"["rabbitmqctl","add_user","bk","Rabbit9pw"]"#, "Rabbit9pw"),
        (r#"["mysql","-uroot","-pMysql 9pw,x"]"#, "Mysql 9pw,x"),
        (r#"["sshpass","-p","Ssh9pw","ssh","-p","36000","host"]"#, "Ssh9pw"),
    ] {
        let mut value: serde_json::Value = serde_json::from_str(words).unwrap();
        redactor().json(&mut value).unwrap();
        let (before, after) = words.split_once(secret).unwrap();
        let masked = value.to_string();
        assert!(masked.starts_with(before) && masked.ends_with(after), "{masked}");
    }
    let mut ports = serde_json::json!(["docker", "run", "-p", "8080:80", "nginx"]);
    redactor().json(&mut ports).unwrap();
    assert_eq!(ports, serde_json::json!(["docker", "run", "-p", "8080:80", "nginx"]));
}
