//! Whoever writes into a collected log writes passwords of his own choice: no word that a diagnosis rests on goes from
//! the bundle because somebody logged it as a password.

// Helpers of tests are tests to a reader, not to the lint.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use shared::redact::{Counts, Redactor, TokenKey};

fn redactor() -> Redactor {
    Redactor::with_key(&[], TokenKey::from_bytes([3; 32])).unwrap()
}

fn teach(redactor: &Redactor, text: &str) {
    redactor.string(text, &mut Counts::new()).unwrap();
}

/// Every string in the rules of all packs.
fn words_of_rules() -> Vec<String> {
    let mut words = Vec::new();
    let mut open: Vec<PathBuf> = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules")];
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.ends_with("redaction") {
                open.push(path);
            } else if path
                .to_str()
                .is_some_and(|path| path.ends_with(".yaml") && !path.ends_with(".test.yaml"))
            {
                let text = std::fs::read_to_string(&path).unwrap();
                if let Ok(rules) = serde_saphyr::from_str::<Value>(&text) {
                    strings(&rules, &mut words);
                }
            }
        }
    }
    words
}

fn strings(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::String(text) => words.extend(text.lines().map(str::to_owned)),
        Value::Array(items) => items.iter().for_each(|item| strings(item, words)),
        Value::Object(members) => members.values().for_each(|member| strings(member, words)),
        _ => {}
    }
}

#[test]
fn no_word_of_a_rule_goes_because_somebody_logged_it_as_a_password() {
    let (clean, poisoned) = (redactor(), redactor());
    let words = words_of_rules();
    assert!(words.len() > 1000, "only {} strings in the rules", words.len());
    for word in &words {
        teach(&poisoned, &format!("GET /?password={word}&x=1"));
        teach(&poisoned, &format!("{}", serde_json::json!({ "password": word })));
        teach(&poisoned, &format!("password: {word}"));
    }
    let seen = |redactor: &Redactor, word: &str| redactor.string(word, &mut Counts::new()).unwrap();
    let blinded: Vec<&String> =
        words.iter().filter(|word| seen(&poisoned, word).is_some() && seen(&clean, word).is_none()).collect();
    assert!(blinded.is_empty(), "masked after somebody logged them: {blinded:#?}");
}

#[test]
fn reasons_and_names_stay_and_a_password_goes() {
    let redactor = redactor();
    let words = [
        "CrashLoopBackOff",
        "OOMKilled",
        "ImagePullBackOff",
        "bk-paas-6c8f6c9d5b-aaaaa",
        "node-10-0-6-11",
        "another operation (install/upgrade/rollback) is in progress",
    ];
    for word in words {
        teach(&redactor, &format!("GET /?password={word}&password=OOMKilled"));
        teach(&redactor, &format!("{}", serde_json::json!({ "password": word })));
    }
    for word in words {
        assert_eq!(redactor.string(word, &mut Counts::new()).unwrap(), None, "{word}");
    }
    teach(&redactor, "password=Zx81-spectrum");
    assert!(redactor.string("said Zx81-spectrum", &mut Counts::new()).unwrap().is_some());
}

#[test]
fn a_name_in_an_object_outlives_the_log_that_called_it_a_password() {
    let redactor = redactor();
    teach(&redactor, "password=3f786850e387550fdab8 password=Abc9-Xyz7pq");
    let mut pod = serde_json::json!({
        "kind": "Pod", "metadata": {"name": "bk-3f786850e387550fdab8"}, "status": {"reason": "Abc9-Xyz7pq"},
    });
    let before = pod.clone();
    redactor.json(&mut pod).unwrap();
    assert_eq!(pod, before);
}

#[test]
fn a_guess_in_a_log_gets_no_token_of_an_object() {
    let redactor = redactor();
    let mut secret = serde_json::json!({"kind": "Secret", "stringData": {"k": "Zx81-spectrum"}});
    redactor.json(&mut secret).unwrap();
    let token = secret["stringData"]["k"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let logged = redactor.string("password=Zx81-spectrum", &mut Counts::new()).unwrap().unwrap();
    assert!(!logged.contains("Zx81") && !logged.contains(&token), "{logged} {token}");
}
