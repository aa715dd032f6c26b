//! What can go wrong with one request, in the words of whoever reported it.

use std::time::Duration;

use shared::bundle::failure::Failure;
use shared::bundle::manifest::{LedgerEntry, Outcome};

use crate::transport;

/// Kinds of failure, as far as they make a difference to what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 401: the server does not know who asks.
    Unauthorized,
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 410: a `continue` token has expired.
    Gone,
    /// 429: asked to come back later.
    Busy,
    /// 5xx
    Server,
    /// Any other answer that is not a success.
    Refused,
    /// No answer, or no more of it, within the time allowed.
    TimedOut,
    /// The connection could not be made or broke.
    Network,
    /// An answer that cannot be understood: cut off, or not what the protocol says.
    Garbled,
    /// The run was stopped while this request waited.
    Stopped,
}

/// A request that brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct ApiError {
    pub fault: Fault,
    /// The word of the ledger.
    pub failure: Failure,
    pub status: Option<u16>,
    /// The server's own message where it sent one, else the system's.
    pub words: String,
    /// What `Retry-After` asked for.
    pub retry_after: Option<Duration>,
    /// The token with which a listing can go on where an expired one stopped.
    pub resume: Option<String>,
}

impl ApiError {
    pub fn new(fault: Fault, words: impl Into<String>) -> Self {
        let failure = match fault {
            Fault::Unauthorized => Failure::Unauthorized,
            Fault::Forbidden => Failure::Forbidden,
            Fault::NotFound => Failure::NotFound,
            Fault::Gone => Failure::Expired,
            Fault::Busy => Failure::TooManyRequests,
            Fault::Server => Failure::ServerError,
            Fault::Refused => Failure::BadRequest,
            Fault::TimedOut => Failure::Timeout,
            Fault::Network => Failure::Other,
            Fault::Garbled => Failure::Garbled,
            Fault::Stopped => Failure::Stopped,
        };
        Self { fault, failure, status: None, words: words.into(), retry_after: None, resume: None }
    }

    /// The program that logs in did not.
    pub fn login(words: String) -> Self {
        Self { failure: Failure::Login, ..Self::new(Fault::Unauthorized, words) }
    }

    /// An error of this program.
    pub fn internal(words: String) -> Self {
        Self { failure: Failure::Internal, ..Self::new(Fault::Garbled, words) }
    }

    /// From an answer that is not a success; `body` may be a `Status` object, text, or nothing.
    pub fn from_answer(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let fault = match status {
            401 => Fault::Unauthorized,
            403 => Fault::Forbidden,
            404 => Fault::NotFound,
            410 => Fault::Gone,
            429 => Fault::Busy,
            500.. => Fault::Server,
            _ => Fault::Refused,
        };
        let (words, resume) = words_of(status, body);
        let mut error = Self { status: Some(status), retry_after, resume, ..Self::new(fault, words) };
        if error.is_conversion() {
            error.failure = Failure::ConversionWebhook;
        } else if fault == Fault::Server && error.blames_kubelet() {
            error.failure = Failure::Kubelet;
        } else if status == 503 {
            error.failure = Failure::Unavailable;
        }
        error
    }

    /// From a failure below HTTP, with the chain of causes, since the outermost says little.
    pub fn from_transport(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut words = Vec::<String>::new();
        let mut fault = Fault::Network;
        let first = error;
        let mut next = Some(error);
        while let Some(cause) = next {
            if cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|e| e.kind() == std::io::ErrorKind::TimedOut)
            {
                fault = Fault::TimedOut;
            }
            let text = cause.to_string();
            // Many errors repeat their cause in their own text.
            match words.last_mut() {
                Some(last) if last.contains(&text) => {}
                _ => words.push(text),
            }
            next = cause.source();
        }
        let failure = transport::failure_of(first);
        Self { failure, ..Self::new(fault, words.join(": ")) }
    }

    /// What became of whatever was asked for. Whoever is not known may be allowed everything: 401 is a failure, and
    /// only 403 says "forbidden".
    pub fn outcome(&self) -> Outcome {
        match self.fault {
            Fault::Forbidden => Outcome::Forbidden,
            Fault::NotFound => Outcome::NotFound,
            Fault::TimedOut => Outcome::TimedOut,
            Fault::Stopped => Outcome::Skipped,
            _ => Outcome::Failed,
        }
    }

    /// The ledger entry of something that this failure kept out.
    pub fn entry(&self, path: &str, source: impl Into<String>) -> LedgerEntry {
        let (note, failure) = (Some(self.words.clone()), Some(self.failure));
        LedgerEntry { note, failure, ..LedgerEntry::new(path, source, self.outcome()) }
    }

    /// Whether the server could not have objects converted from the version in which they are stored.
    pub fn is_conversion(&self) -> bool {
        self.words.contains("conversion webhook for ")
    }

    /// Whether the failure tells of the node's kubelet rather than of the one container that was asked for.
    ///
    /// The API server reaches a kubelet on behalf of its client, and reports a kubelet that it cannot reach as an
    /// error 500 or 502 with the dialler's message.
    pub fn blames_kubelet(&self) -> bool {
        const DIALLING: &[&str] = &[
            "dial tcp",
            "error dialing backend",
            "i/o timeout",
            "TLS handshake",
            "no route to host",
            "connection refused",
            "connection reset",
            "x509:",
            "remote error: tls",
            "context deadline exceeded",
            "request canceled",
            "no preferred addresses found",
        ];
        match self.fault {
            Fault::TimedOut => true,
            Fault::Server => {
                self.status == Some(504) || DIALLING.iter().any(|sign| self.words.contains(sign))
            }
            _ => false,
        }
    }
}

/// The message of a `Status`, else the text itself up to a bound, else the status alone; and the token of a 410.
fn words_of(status: u16, body: &[u8]) -> (String, Option<String>) {
    const LONGEST: usize = 2000;
    #[derive(serde::Deserialize)]
    struct Status {
        message: Option<String>,
        #[serde(default)]
        metadata: Meta,
    }
    #[derive(serde::Deserialize, Default)]
    struct Meta {
        #[serde(rename = "continue")]
        resume: Option<String>,
    }
    if let Ok(Status { message: Some(message), metadata }) = serde_json::from_slice(body) {
        return (message, metadata.resume.filter(|token| !token.is_empty()));
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        let reason = http::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason());
        return (format!("HTTP {status} {}", reason.unwrap_or_default()).trim_end().to_owned(), None);
    }
    let cut = text.floor_char_boundary(LONGEST);
    (format!("HTTP {status}: {}", &text[..cut]), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_words_survive() {
        let words = r#"Get "https://10.0.6.33:10250/containerLogs/a/b/c": dial tcp 10.0.6.33:10250: connect: no route to host"#;
        let body = serde_json::json!({"kind": "Status", "message": words, "code": 500}).to_string();
        let error = ApiError::from_answer(500, body.as_bytes(), None);
        assert_eq!(error.words, words);
        assert_eq!(error.fault, Fault::Server);
        assert!(error.blames_kubelet());
    }

    #[test]
    fn an_expired_listing_says_how_to_go_on() {
        let body = br#"{"kind":"Status","message":"The provided continue parameter is too old","metadata":{"continue":"abc"}}"#;
        let error = ApiError::from_answer(410, body, None);
        assert_eq!((error.fault, error.resume.as_deref()), (Fault::Gone, Some("abc")));
    }

    #[test]
    fn an_answer_of_a_proxy_is_cut_and_named() {
        let page = "<html>网关".repeat(1000);
        let error = ApiError::from_answer(502, page.as_bytes(), None);
        assert!(error.words.starts_with("HTTP 502: <html>"));
        assert!(error.words.len() < 2100);
        assert_eq!(ApiError::from_answer(503, b"", None).words, "HTTP 503 Service Unavailable");
    }

    #[test]
    fn a_container_that_waits_does_not_blame_its_node() {
        let body = br#"{"message":"container \"api\" in pod \"x\" is waiting to start: ImagePullBackOff"}"#;
        assert!(!ApiError::from_answer(400, body, None).blames_kubelet());
        assert!(
            !ApiError::from_answer(500, br#"{"message":"etcdserver: request timed out"}"#, None)
                .blames_kubelet()
        );
    }

    #[test]
    fn causes_are_told_once() {
        let inner = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        let outer = std::io::Error::other(inner);
        let error = ApiError::from_transport(&outer);
        assert_eq!(error.words, "connection refused");
        assert_eq!(error.fault, Fault::Network);
    }
}
