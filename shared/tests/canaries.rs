//! The canary corpus of `tests/canaries`, through the masker: what is marked with ‹ and › goes, all else stays.

// Helpers of tests are tests to a reader, not to the lint.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_json::{Value, json};
use shared::redact::{Redactor, TokenKey, token};

fn redactor() -> Redactor {
    Redactor::with_key(&[], TokenKey::from_bytes([3; 32])).unwrap()
}

fn corpus(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/canaries").join(file);
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn mask_text(text: &str) -> String {
    let mut masker = redactor().text();
    let mut out = Vec::new();
    masker.push(text.as_bytes(), &mut out).unwrap();
    masker.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn unmarked(text: &str) -> String {
    text.replace(['‹', '›'], "")
}

/// Takes tokens out of `masked`, and marked parts out of `text`, and compares the rest.
fn judge(text: &str, masked: &str, faults: &mut Vec<String>) {
    let (mut kept, mut secrets) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('‹') {
        let (secret, after) = after.split_once('›').unwrap();
        kept += before;
        kept.push('\u{1}');
        secrets.push(secret);
        rest = after;
    }
    kept += rest;
    let mut plain = String::new();
    let mut left = masked;
    while !left.is_empty() {
        if let Some(len) = token::length_at(left.as_bytes()) {
            plain.push('\u{1}');
            left = &left[len..];
        } else {
            let c = left.chars().next().unwrap();
            plain.push(c);
            left = &left[c.len_utf8()..];
        }
    }
    // Every line of a private key has a token of its own; two in a row are one.
    if kept != plain && kept != plain.replace("\"\u{1}\"", "\u{1}") {
        faults.push(format!("  wanted {}\n  got    {}", kept.replace('\u{1}', "‹›"), masked));
    }
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
}

#[test]
fn text() {
    let mut faults = Vec::new();
    let log = corpus("log.yaml");
    let mut texts = [strings(&log["secrets"]), strings(&log["bystanders"])].concat();
    let text = corpus("text.yaml");
    for part in ["secrets", "bystanders"] {
        for list in text[part].as_object().unwrap().values() {
            texts.extend(strings(list));
        }
    }
    let count = texts.len();
    for text in texts {
        judge(text, &mask_text(&unmarked(text)), &mut faults);
    }
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
}

/// An object such as the API server gives it, with the canary in it.
fn object(carrier: &str, canary: &Value) -> Value {
    match carrier {
        "env" => json!({"kind": "Pod", "spec": {"containers": [{"name": "c", "env": [canary]}]}}),
        "configmap" => {
            json!({"kind": "ConfigMap", "data": {canary["key"].as_str().unwrap(): canary["value"]}})
        }
        "args" => json!({"kind": "Pod", "spec": {"containers": [{"name": "c", "args": canary}]}}),
        _ => json!({"kind": "Thing", "spec": canary}),
    }
}

#[test]
fn objects() {
    let mut faults = Vec::new();
    let corpus = corpus("objects.yaml");
    for part in ["secrets", "bystanders"] {
        for (carrier, canaries) in corpus[part].as_object().unwrap() {
            for canary in canaries.as_array().unwrap() {
                let object = object(carrier, canary);
                let text = object.to_string();
                let mut masked: Value = serde_json::from_str(&unmarked(&text)).unwrap();
                redactor().json(&mut masked).unwrap();
                judge(&text, &masked.to_string(), &mut faults);
                // The same as text that nobody parsed.
                judge(&text, &mask_text(&unmarked(&text)), &mut faults);
                let pretty = serde_json::to_string_pretty(&object).unwrap();
                judge(&pretty, &mask_text(&unmarked(&pretty)), &mut faults);
            }
        }
    }
    assert!(faults.is_empty(), "{}:\n{}", faults.len(), faults.join("\n"));
}

/// The file that rules/README.md shows does what it says.
#[test]
fn rules_of_a_user() {
    let readme = include_str!("../../rules/README.md");
    let example = readme.split("# Rules of redaction").nth(1).unwrap();
    let yaml = example.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let redactor = Redactor::new(&[("my.yaml".into(), yaml.into())]).unwrap();
    let mask = |text: &str| redactor.string(text, &mut Default::default()).unwrap();
    assert!(mask("floppyCode: 1234abc").unwrap().starts_with("floppyCode: ***password:"));
    assert!(mask("sent ACME-0123456789ABCDEF").unwrap().starts_with("sent ***key:"));
    assert!(mask("say correct horse battery now").unwrap().starts_with("say ***learned:"));
    assert_eq!(mask("app_token: some-name"), None);
    assert!(
        Redactor::new(&[])
            .unwrap()
            .string("app_token: some-name", &mut Default::default())
            .unwrap()
            .is_some()
    );
}
