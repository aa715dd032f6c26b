//! Masking by structure: what a Kubernetes object says about its own fields.

use serde_json::{Map, Value};

use super::names::{BINARY, Class, Kind, SECRET};
use super::token;
use super::value::{self, Setting};
use super::{Counts, RedactError, Redactor};

/// The API server stops at 10,000; real objects stop at twenty.
const MAX_DEPTH: usize = 128;

pub(super) fn mask(redactor: &Redactor, value: &mut Value, counts: &mut Counts) -> Result<(), RedactError> {
    Walk { redactor, counts }.value(value, 0)
}

struct Walk<'a> {
    redactor: &'a Redactor,
    counts: &'a mut Counts,
}

impl Walk<'_> {
    fn value(&mut self, value: &mut Value, depth: usize) -> Result<(), RedactError> {
        if depth > MAX_DEPTH {
            return Err(RedactError::TooDeep(MAX_DEPTH));
        }
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => self.array(items, depth),
            Value::Object(object) => self.object(object, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn text(&mut self, text: &mut String) -> Result<(), RedactError> {
        if let Some(masked) = self.redactor.string(text, self.counts)? {
            *text = masked;
        }
        Ok(())
    }

    fn object(&mut self, object: &mut Map<String, Value>, depth: usize) -> Result<(), RedactError> {
        if object.get("kind").and_then(Value::as_str) == Some("Secret") {
            for key in ["data", "stringData"] {
                self.all_strings(object.get_mut(key), SECRET);
            }
        }
        self.all_strings(object.get_mut("binaryData"), BINARY);
        let pair = self.class_of_pair(object);
        for (key, value) in object.iter_mut() {
            let class = match pair {
                Some(class) if is_value_key(key) => class,
                _ => self.redactor.inner.scanner.names.classify(key.as_bytes()),
            };
            self.member(class, value, depth)?;
        }
        Ok(())
    }

    /// `{"name": "DB_PASSWORD", "value": …}`: what the name says of the value.
    fn class_of_pair(&self, object: &Map<String, Value>) -> Option<Class> {
        const NAMES: &[&str] = &["name", "key", "Name", "Key", "id", "field", "variable"];
        let name = NAMES.iter().find_map(|key| object.get(*key)?.as_str())?;
        object
            .keys()
            .any(|key| is_value_key(key))
            .then(|| self.redactor.inner.scanner.names.classify(name.as_bytes()))
    }

    fn member(&mut self, class: Class, value: &mut Value, depth: usize) -> Result<(), RedactError> {
        let Class::Secret { kind, strong } = class else {
            if let (Class::Weak(kind), Value::String(text)) = (class, &mut *value)
                && value::looks_random(text.as_bytes())
            {
                self.whole(text, kind);
                return Ok(());
            }
            return self.value(value, depth + 1);
        };
        match value {
            Value::String(text) => {
                let setting = Setting { quoted: true, colon: true, strong };
                // Texts of many lines under a telling name are files, `credentials.json`, and hold more than secrets.
                if value::is_no_secret(text.as_bytes(), setting, &self.redactor.inner.scanner.names) {
                    self.text(text)
                } else {
                    self.whole(text, kind);
                    Ok(())
                }
            }
            Value::Number(number) if strong || number.to_string().len() >= 6 => {
                let mut text = number.to_string();
                self.whole(&mut text, kind);
                *value = Value::String(text);
                Ok(())
            }
            Value::Array(items) => {
                for item in items.iter_mut() {
                    match item {
                        Value::String(_) => self.member(class, item, depth + 1)?,
                        _ => self.value(item, depth + 1)?,
                    }
                }
                Ok(())
            }
            _ => self.value(value, depth + 1),
        }
    }

    /// A list; in lists of arguments an option's value is the element after it.
    fn array(&mut self, items: &mut [Value], depth: usize) -> Result<(), RedactError> {
        let mut expected: Option<Kind> = None;
        let mut command = String::new();
        for item in items.iter_mut() {
            let Value::String(text) = item else {
                expected = None;
                self.value(item, depth + 1)?;
                continue;
            };
            if let Some(kind) = expected.take()
                && !text.starts_with("--")
            {
                let setting = Setting { quoted: true, colon: false, strong: true };
                if !value::is_no_secret(text.as_bytes(), setting, &self.redactor.inner.scanner.names) {
                    self.whole(text, kind);
                }
                continue;
            }
            expected = self.option_kind(text, &command);
            if let Some((kind, at)) = glued_option(text, &command, self.redactor) {
                let mut secret = text.split_off(at);
                self.whole(&mut secret, kind);
                text.push_str(&secret);
                continue;
            }
            if command.is_empty() && !text.starts_with('-') {
                command = text.rsplit('/').next().unwrap_or_default().to_owned();
            }
            self.text(text)?;
        }
        Ok(())
    }

    /// Of what kind the argument after this one is, if this is an option that takes a secret.
    fn option_kind(&self, argument: &str, command: &str) -> Option<Kind> {
        let names = &self.redactor.inner.scanner.names;
        let short = match command {
            "redis-cli" | "redis-benchmark" => argument == "-a",
            "sshpass" | "mongo" | "mongosh" | "mongodump" | "mongorestore" | "docker" | "helm"
            | "nerdctl" => argument == "-p",
            _ => false,
        };
        if short {
            return Some(names.kind_named(SECRET));
        }
        let option = argument.starts_with('-') && !argument.contains(['=', ' ']) && argument.len() > 2;
        match names.classify(argument.as_bytes()) {
            Class::Secret { kind, .. } if option => Some(kind),
            _ => None,
        }
    }

    fn whole(&mut self, text: &mut String, kind: Kind) {
        if token::length_at(text.as_bytes()) == Some(text.len()) || text.trim().is_empty() {
            return;
        }
        let mut out = Vec::new();
        self.redactor.inner.mask(text.as_bytes(), kind, self.counts, &mut out);
        *text = String::from_utf8(out).expect("a token is ASCII");
    }

    /// Masks every string in `value`.
    fn all_strings(&mut self, value: Option<&mut Value>, kind: &str) {
        let kind = self.redactor.inner.scanner.names.kind_named(kind);
        let Some(Value::Object(members)) = value else { return };
        for member in members.values_mut() {
            if let Value::String(text) = member {
                // Learned in clear, since in clear it may stand elsewhere.
                if let Some(plain) = value::decode_base64(text.as_bytes()).filter(|plain| plain.is_ascii()) {
                    let fingerprint = self.redactor.inner.key.fingerprint(plain.trim_ascii());
                    self.redactor.inner.learn(plain.trim_ascii(), kind, fingerprint);
                }
                self.whole(text, kind);
            }
        }
    }
}

fn is_value_key(key: &str) -> bool {
    matches!(key, "value" | "Value" | "val" | "v" | "defaultValue" | "default")
}

/// `-pPASSWORD` in the arguments of a client of MySQL: the kind and where the secret begins.
fn glued_option(argument: &str, command: &str, redactor: &Redactor) -> Option<(Kind, usize)> {
    const CLIENTS: &[&str] = &["mysql", "mariadb", "mydumper", "myloader", "xtrabackup"];
    let client = CLIENTS.iter().any(|client| command.starts_with(client)) && !command.ends_with('d');
    let secret = argument.strip_prefix("-p")?;
    (client && !secret.is_empty() && !secret.starts_with(['$', '-']))
        .then(|| (redactor.inner.scanner.names.kind_named(SECRET), 2))
}
