//! `manifest.json`: what was asked for, what came of each item, and by which clocks.
//!
//! The ledger is what lets a reader tell "the log has no such line" from "we have no log". Every item that the
//! collector attempted, or decided not to attempt, has exactly one entry.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::failure::Failure;

/// Version of the bundle format. Readers accept a greater minor; a greater major is refused with a clear error.
pub const FORMAT: &str = "casebook.bundle/v1";
/// What stands before the version.
const FORMAT_NAME: &str = "casebook.bundle/v";
/// The major version that is read here.
const MAJOR: u32 = 1;

/// Annotation of objects that were seen while watching and did not exist any more when the lists were read.
pub const GONE: &str = "casebook/gone";

/// Note of an item that the disk had no room for.
pub const NO_SPACE: &str = "there was no space left on the disk that the bundle was written to";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    pub tool: Tool,
    /// When the collection began and ended, by the clock of the machine that collected.
    pub started: Timestamp,
    pub finished: Timestamp,
    /// Options that changed what was collected, as the user gave them; never values of secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, serde_json::Value>,
    /// `None` when no cluster could be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Cluster>,
    /// The machine that collected, the name of its folder under `hosts/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Differences between clocks, where they could be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockReading>,
    /// Set when the collection was stopped before its end: `interrupted`, `timeout`, `size`, `disk_full`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    pub ledger: Vec<LedgerEntry>,
}

/// Why the text of a manifest is not one that can be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error(
        "it is of format {0:?}, and this version reads {FORMAT:?}\nhint: use the version that made it, or a later one"
    )]
    Format(String),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

impl Manifest {
    /// Reads a manifest of this major version, whichever its minor. Words and fields that a later minor has added are
    /// passed over.
    ///
    /// # Errors
    /// When it is of another major version, or none at all.
    pub fn parse(text: &[u8]) -> Result<Manifest, ManifestError> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
        }
        // First of all, since nothing else of another major version has to be as it is here.
        let Head { format } = serde_json::from_slice(text)?;
        let major =
            format.strip_prefix(FORMAT_NAME).and_then(|version| version.split('.').next()?.parse().ok());
        if major != Some(MAJOR) {
            return Err(ManifestError::Format(format));
        }
        Ok(serde_json::from_slice(text)?)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Name of the cluster in the kubeconfig.
    pub name: String,
    pub server: String,
    /// `gitVersion` of the API server, such as `v1.20.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// How far another clock is ahead of the collecting machine's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClockReading {
    /// `apiserver`, or `node/<name>`.
    pub clock: String,
    /// Positive: that clock is ahead of the collecting machine's clock.
    pub skew_ms: i64,
    /// The true value lies within `skew_ms` ± this.
    pub error_ms: i64,
    /// What it was read from, such as `Date header` or `Lease renewTime`.
    pub witness: String,
}

/// What became of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All of it is in the bundle.
    Collected,
    /// The source was read to its end and holds nothing.
    Empty,
    /// The server or the system refused.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// It did not answer in time.
    TimedOut,
    /// Head and tail are in the bundle, the middle is not; or a list stops early.
    Truncated,
    /// Anything else went wrong; `note` holds the error in the words of whoever reported it.
    Failed,
    /// Not attempted, for the reason in `note`.
    Skipped,
    /// A word that this version does not know; nothing can be concluded from it.
    #[serde(other)]
    Unknown,
}

impl Outcome {
    /// Whether the source was read to its end, so that absence in the bundle is absence at the source.
    pub fn is_whole(self) -> bool {
        matches!(self, Outcome::Collected | Outcome::Empty | Outcome::NotFound)
    }

    /// Whether the user should hear of it: a part that was wanted is missing.
    pub fn is_loss(self) -> bool {
        matches!(
            self,
            Outcome::Forbidden | Outcome::TimedOut | Outcome::Truncated | Outcome::Failed | Outcome::Unknown
        )
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Collected => "collected",
            Outcome::Empty => "empty",
            Outcome::Forbidden => "forbidden",
            Outcome::NotFound => "not_found",
            Outcome::TimedOut => "timed_out",
            Outcome::Truncated => "truncated",
            Outcome::Failed => "failed",
            Outcome::Skipped => "skipped",
            Outcome::Unknown => "unknown",
        }
    }
}

/// What came of one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Where it lies in the bundle, or where it would lie had it been collected.
    pub path: String,
    /// Where it came from, in a form a person can repeat: a request path such as
    /// `GET /api/v1/namespaces/blueking/pods`, a file, or a command.
    pub source: String,
    pub outcome: Outcome,
    /// Bytes in the bundle, after redaction.
    #[serde(default)]
    pub bytes: u64,
    /// Bytes that were left out of the middle, for `truncated`, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_bytes: Option<u64>,
    /// SHA-256 of the bytes in the bundle, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    #[serde(default)]
    pub millis: u64,
    /// How many values were masked, by kind of secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub redactions: BTreeMap<String, u64>,
    /// The server's or the system's own words where the outcome needs some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The same as one of a closed list of words, where it is a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What the item is about, where a path alone does not say it.
    #[serde(default, skip_serializing_if = "Subject::is_empty")]
    pub subject: Subject,
}

impl LedgerEntry {
    /// An entry for something that left no file.
    pub fn new(path: impl Into<String>, source: impl Into<String>, outcome: Outcome) -> Self {
        Self {
            path: path.into(),
            source: source.into(),
            outcome,
            bytes: 0,
            missing_bytes: None,
            sha256: None,
            started: None,
            millis: 0,
            redactions: BTreeMap::new(),
            note: None,
            failure: None,
            subject: Subject::default(),
        }
    }
}

/// The thing that a ledger entry, a row or a finding is about. Empty fields do not apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

impl Subject {
    pub fn is_empty(&self) -> bool {
        *self == Subject::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_manifest_from_the_future_is_read_as_far_as_it_can_be() {
        let entry = json!({"path": "a", "source": "b", "outcome": "teleported", "failure": "quantum", "mood": "good"});
        let text = |format: &str| {
            json!({"format": format, "tool": {"name": "casebook-collect", "version": "9"}, "weather": {"sun": true},
                "started": "1970-01-01T00:00:00Z", "finished": "1970-01-01T00:00:00Z", "ledger": [entry]})
            .to_string()
        };
        for format in [FORMAT, "casebook.bundle/v1.7"] {
            let manifest = Manifest::parse(text(format).as_bytes()).unwrap();
            let [entry] = &manifest.ledger[..] else { panic!("{manifest:?}") };
            assert_eq!((entry.outcome, entry.failure), (Outcome::Unknown, Some(Failure::Unknown)));
            assert!(!entry.outcome.is_whole() && entry.outcome.is_loss());
        }
        for format in ["casebook.bundle/v9", "casebook.bundle/v10.1", "casebook.bundle/v", "other/v1", ""] {
            let error = Manifest::parse(text(format).as_bytes()).unwrap_err();
            assert!(matches!(error, ManifestError::Format(_)), "{error}");
        }
        // Nothing else of it needs to be as it is here.
        let error = Manifest::parse(br#"{"format": "casebook.bundle/v2", "ledger": {}}"#).unwrap_err();
        assert!(error.to_string().contains("v2") && error.to_string().contains("hint: "), "{error}");
    }
}
