//! Answers: a body with its type and code, and the API's own form of a refusal.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// What is sent back.
#[derive(Debug)]
pub struct Reply {
    pub code: u16,
    pub content_type: &'static str,
    pub body: Bytes,
    /// Texts that kubectl prints as `Warning:`.
    pub warnings: Vec<String>,
    /// A watch stays open for so long after its body.
    pub held: Option<Duration>,
}

pub const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

impl Reply {
    pub fn json(value: &impl Serialize) -> Reply {
        match serde_json::to_vec(value) {
            Ok(body) => Reply::new(200, JSON, body.into()),
            // Nothing that is served has keys that are no texts; if it had, that is the server's fault.
            Err(error) => Refusal::new(500, "InternalError", error.to_string()).into(),
        }
    }

    pub fn text(body: impl Into<Bytes>) -> Reply {
        Reply::new(200, TEXT, body.into())
    }

    pub fn new(code: u16, content_type: &'static str, body: Bytes) -> Reply {
        Reply { code, content_type, body, warnings: Vec::new(), held: None }
    }

    pub fn warn(mut self, warnings: impl IntoIterator<Item = String>) -> Reply {
        self.warnings.extend(warnings);
        self
    }
}

/// A refusal; kubectl prints `Error from server (REASON): MESSAGE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    pub details: Value,
    /// Said as a warning too, for clients that pass over refusals.
    pub aloud: bool,
}

impl Refusal {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, reason, message: message.into(), details: Value::Null, aloud: false }
    }

    pub fn bad_request(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "BadRequest", message)
    }

    pub fn forbidden(message: impl Into<String>) -> Refusal {
        Refusal::new(403, "Forbidden", message)
    }

    pub fn not_found(message: impl Into<String>) -> Refusal {
        Refusal::new(404, "NotFound", message)
    }

    /// Names what is refused, by which clients tell a missing object from a missing kind.
    pub fn about(mut self, group: &str, plural: &str, name: &str) -> Refusal {
        self.details = json!({"name": name, "group": group, "kind": plural});
        self
    }

    fn status(&self) -> Value {
        let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code});
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Reply {
        let reply = Reply::new(refusal.code, JSON, refusal.status().to_string().into());
        if refusal.aloud { reply.warn([refusal.message]) } else { reply }
    }
}
