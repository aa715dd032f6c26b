//! Masking by structure: what a Kubernetes object says about its own fields.

use std::ops::Range;

use serde_json::{Map, Value};

use super::hit::Hit;
use super::names::{BINARY, Class, Kind, SECRET};
use super::token;
use super::value::{self, Setting};
use super::{Counts, RedactError, Redactor};

/// The API server stops at 10,000; real objects stop at twenty.
const MAX_DEPTH: usize = 128;
/// Longest list that may be a command.
const MAX_WORDS: usize = 1000;

/// Members of objects that say what a thing is and how it fares: what stands there is never learned from a text.
const STRUCTURAL: &[&str] = &[
    "kind",
    "apiVersion",
    "reason",
    "phase",
    "type",
    "status",
    "name",
    "namespace",
    "generateName",
    "nodeName",
    "image",
    "imageID",
    "containerID",
    "uid",
    "hostname",
    "serviceAccountName",
    "resourceVersion",
];

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
            if let (Class::Plain, Value::String(text)) = (class, &*value)
                && STRUCTURAL.contains(&key.as_str())
            {
                self.redactor.inner.protect(text);
            }
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
                && value::is_weak_secret(text.as_bytes(), false)
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
            Value::Object(members) => {
                for (key, member) in members.iter_mut() {
                    let scanner = &self.redactor.inner.scanner;
                    if let Value::String(text) = member
                        && scanner.names.is_secret_member(key.as_bytes(), text.as_bytes())
                    {
                        self.whole(text, kind);
                    }
                }
                self.value(value, depth + 1)
            }
            _ => self.value(value, depth + 1),
        }
    }

    /// A list; in lists of arguments an option's value is the element after it, or a part of it.
    fn array(&mut self, items: &mut [Value], depth: usize) -> Result<(), RedactError> {
        let command = self.command(items);
        let mut expected: Option<Kind> = None;
        for (i, item) in items.iter_mut().enumerate() {
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
            expected = self.option_kind(text);
            if let Some((_, part, kind)) = command.iter().find(|(element, ..)| *element == i) {
                let rest = text.split_off(part.end);
                let mut secret = text.split_off(part.start);
                self.whole(&mut secret, *kind);
                *text += &secret;
                *text += &rest;
                continue;
            }
            self.text(text)?;
        }
        Ok(())
    }

    /// The secrets among the words of a command: number of the word, where in it the secret stands, its kind.
    fn command(&self, items: &[Value]) -> Vec<(usize, Range<usize>, Kind)> {
        let words: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        let Some(words) = words.filter(|words| words.len() > 1 && words.len() <= MAX_WORDS) else {
            return Vec::new();
        };
        let mut line = Vec::new();
        let mut starts = Vec::new();
        for word in words {
            starts.push(line.len());
            // What stands inside a word neither ends it nor begins another.
            line.extend(
                word.bytes()
                    .map(|b| if b.is_ascii_whitespace() || b"\"'|;&,]`".contains(&b) { 1 } else { b }),
            );
            line.push(b' ');
        }
        let hits = self.redactor.inner.scanner.command(&line);
        let place = |hit: &Hit| {
            let element = starts.partition_point(|start| *start <= hit.start) - 1;
            let word = starts[element]..starts.get(element + 1).map_or(line.len(), |next| *next) - 1;
            let part = hit.start - word.start..hit.end.min(word.end) - word.start;
            let whole = items[element].as_str().is_some_and(|text| text.get(part.clone()).is_some());
            whole.then_some((element, part, hit.kind))
        };
        hits.iter().filter_map(place).collect()
    }

    /// Of what kind the argument after this one is, if this is an option that takes a secret.
    fn option_kind(&self, argument: &str) -> Option<Kind> {
        let option = argument.starts_with('-') && !argument.contains(['=', ' ']) && argument.len() > 2;
        match self.redactor.inner.scanner.names.classify(argument.as_bytes()) {
            Class::Secret { kind, .. } if option => Some(kind),
            _ => None,
        }
    }

    fn whole(&mut self, text: &mut String, kind: Kind) {
        if token::length_at(text.as_bytes()) == Some(text.len()) || text.trim().is_empty() {
            return;
        }
        let mut out = Vec::new();
        self.redactor.inner.mask_field(text.as_bytes(), kind, self.counts, &mut out);
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
                    self.redactor.inner.learn_field(plain.trim_ascii(), kind);
                }
                self.whole(text, kind);
            }
        }
    }
}

fn is_value_key(key: &str) -> bool {
    matches!(key, "value" | "Value" | "val" | "v" | "defaultValue" | "default")
}
