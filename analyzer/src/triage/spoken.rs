//! What a structured log line says, in the order in which a person would.
//!
//! Programs that log JSON put the message anywhere, the journal puts it behind a screen of fields. A reader has a few
//! hundred characters for a line: level, message and error come first, what else there is follows.

use std::borrow::Cow;

use serde_json::{Map, Value};

const LEVEL: &[&str] = &["level", "severity", "lvl", "log.level"];
const MESSAGE: &[&str] = &["msg", "message", "MESSAGE", "log", "event"];
const ERROR: &[&str] = &["error", "err", "exception", "error.message", "cause", "reason"];
/// Times stand beside the line, and who wrote it is known from the file.
const KNOWN: &[&str] = &["ts", "time", "timestamp", "@timestamp", "caller", "logger", "stream"];

/// The line as it is, unless it is a JSON object with a message.
pub fn spoken(line: &str) -> Cow<'_, str> {
    let line = line.trim();
    if !(line.starts_with('{') && line.ends_with('}')) {
        return Cow::Borrowed(line);
    }
    let Ok(fields) = serde_json::from_str::<Map<String, Value>>(line) else { return Cow::Borrowed(line) };
    let first = |names: &[&str]| names.iter().find_map(|name| text(fields.get(*name)?));
    let (message, error) = (first(MESSAGE), first(ERROR));
    if message.is_none() && error.is_none() {
        return Cow::Borrowed(line);
    }
    let level = first(LEVEL).map(|level| format!("[{}]", level.to_uppercase()));
    let said = [message, error].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let rest = fields.iter().filter(|(name, _)| is_rest(name)).filter_map(|(name, value)| {
        let value = text(value)?;
        Some(format!("{name}={value}"))
    });
    Cow::Owned(level.into_iter().chain([said]).chain(rest).collect::<Vec<_>>().join(" "))
}

/// The journal's own fields are capitals and underscores.
fn is_rest(name: &str) -> bool {
    let told = [LEVEL, MESSAGE, ERROR, KNOWN].iter().any(|names| names.contains(&name));
    !told && name.chars().any(|c| c.is_ascii_lowercase()) && !name.starts_with('_')
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(fields) => text(fields.get("message")?),
        Value::Bool(_) | Value::Null | Value::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_message_and_error_come_first() {
        let line = r#"{"ts":"2026-11-22","caller":"a.go:1","key":"shop/web","level":"error","msg":"sync failed","error":"connection refused"}"#;
        assert_eq!(spoken(line), "[ERROR] sync failed: connection refused key=shop/web");
        assert_eq!(spoken(r#"{"error":{"message":"no such host"},"code":7}"#), "no such host code=7");
    }

    #[test]
    fn the_journal_says_its_message() {
        let line =
            r#"{"_CMDLINE":"/usr/bin/kubelet --x","MESSAGE":"E0817 failed to load config","PRIORITY":"3"}"#;
        assert_eq!(spoken(line), "E0817 failed to load config");
    }

    #[test]
    fn what_is_no_message_stays_as_it_is() {
        for line in ["plain words", r#"{"isConnected":false}"#, "{broken", r#"{"msg":}"#] {
            assert_eq!(spoken(line), line);
        }
    }
}
