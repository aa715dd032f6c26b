//! From the bytes of a record to a [`Release`].
//!
//! The record is JSON, compressed with gzip, in base64. A ConfigMap holds that text as it is; a Secret's `data` is
//! base64 once more, which is the API's own encoding of bytes. Which of the two it is shows after one decoding, so
//! the caller need not say. Very old records were not compressed.

use std::io::{BufReader, Cursor, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::read::DecoderReader;
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde_json::Value;

/// A record is at most 1 MiB compressed (the API server's limit of an object); charts of text inflate to some ten
/// times that. What goes on beyond this is not a release.
pub const MAX_INFLATED: u64 = 64 << 20;

const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// One revision of one release: what `helm history` and `helm list` know of it.
///
/// `description` is helm's own sentence about how the revision ended. It quotes error texts of the API server, so it
/// goes through redaction as every text does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub namespace: String,
    pub name: String,
    /// Counted from 1.
    pub revision: i64,
    /// `deployed`, `superseded`, `failed`, `uninstalled`, `uninstalling`, `pending-install`, `pending-upgrade`,
    /// `pending-rollback` or `unknown`.
    pub status: String,
    /// `None` where the record has no chart metadata; helm prints `MISSING` then.
    pub chart: Option<Chart>,
    /// RFC 3339 with the offset of the machine where helm ran.
    pub first_deployed: Option<String>,
    /// RFC 3339 with the offset of the machine where helm ran.
    pub last_deployed: Option<String>,
    pub description: String,
    /// Why the record could not be read; the other fields are then what its labels say.
    pub unreadable: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Chart {
    pub name: String,
    pub version: String,
    pub app_version: String,
}

impl Release {
    /// Another helm command is under way, or was killed under way: helm refuses to work on the release.
    pub fn is_pending(&self) -> bool {
        self.status.starts_with("pending-")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("release record is not base64: {0}")]
    Base64(base64::DecodeError),
    #[error("release record cannot be inflated or parsed: {0}")]
    Json(serde_json::Error),
    #[error("release record is larger than {} MiB when inflated", MAX_INFLATED >> 20)]
    TooLarge,
    #[error("object has no `data.release`")]
    NoRelease,
}

/// Decodes the object (a Secret or a ConfigMap as JSON) that holds a release record.
///
/// # Errors
/// See [`decode`]; [`RecordError::NoRelease`] when the object holds no record.
pub fn decode_object(object: &Value) -> Result<Release, RecordError> {
    let text = object["data"]["release"].as_str().ok_or(RecordError::NoRelease)?;
    decode(text.as_bytes())
}

/// What the labels of an object that holds a release record say of it, for a record that [`decode_object`] refused for
/// this `reason`: name, revision, status and when helm last wrote it, but neither chart nor description. `None` where
/// they are not helm's.
pub fn from_labels(object: &Value, reason: &RecordError) -> Option<Release> {
    let label = |key: &str| object["metadata"]["labels"][key].as_str();
    let name = label("name")?.to_owned();
    let time = |key: &str| {
        let seconds = label(key)?.parse().ok()?;
        Some(jiff::Timestamp::from_second(seconds).ok()?.to_string())
    };
    Some(Release {
        namespace: object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned(),
        name,
        revision: label("version")?.parse().ok()?,
        status: label("status")?.to_owned(),
        chart: None,
        first_deployed: None,
        last_deployed: time("modifiedAt").or_else(|| time("createdAt")),
        description: String::new(),
        unreadable: Some(reason.to_string()),
    })
}

/// Decodes `data.release` of a Secret (base64 twice) or of a ConfigMap (base64 once).
///
/// # Errors
/// When the text is no base64, the gzip stream or the JSON in it is broken, or there is more than [`MAX_INFLATED`].
pub fn decode(data: &[u8]) -> Result<Release, RecordError> {
    let once = STANDARD.decode(data.trim_ascii()).map_err(RecordError::Base64)?;
    if is_record(&once) {
        return read_record(Cursor::new(once));
    }
    let twice = DecoderReader::new(Cursor::new(once), &STANDARD);
    read_record(BufReader::new(twice))
}

fn is_record(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP_MAGIC) || bytes.starts_with(b"{")
}

fn read_record(mut bytes: impl std::io::BufRead) -> Result<Release, RecordError> {
    let start = bytes.fill_buf().map_err(|e| RecordError::Json(serde_json::Error::io(e)))?;
    if start.starts_with(&GZIP_MAGIC) { parse(MultiGzDecoder::new(bytes)) } else { parse(bytes) }
}

fn parse(json: impl Read) -> Result<Release, RecordError> {
    // One byte more than allowed, so that an exact fit and an overrun can be told apart.
    let mut limited = json.take(MAX_INFLATED + 1);
    let record = serde_json::from_reader::<_, Record>(BufReader::new(&mut limited));
    if limited.limit() == 0 {
        return Err(RecordError::TooLarge);
    }
    Ok(record.map_err(RecordError::Json)?.into())
}

/// The fields we want; `config`, `manifest`, `hooks`, and the chart's templates and values have no place to go to.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Record {
    name: String,
    namespace: String,
    version: i64,
    info: Info,
    chart: Option<RecordChart>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Info {
    first_deployed: String,
    last_deployed: String,
    status: String,
    description: String,
}

#[derive(Deserialize)]
struct RecordChart {
    #[serde(default)]
    metadata: Option<Chart>,
}

impl From<Record> for Release {
    fn from(record: Record) -> Self {
        let time = |text: String| (!text.is_empty()).then_some(text);
        Release {
            namespace: record.namespace,
            name: record.name,
            revision: record.version,
            status: record.info.status,
            chart: record.chart.and_then(|chart| chart.metadata),
            first_deployed: time(record.info.first_deployed),
            last_deployed: time(record.info.last_deployed),
            description: record.info.description,
            unreadable: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;

    const JSON: &str = r#"{"name":"bk-ok","info":{"first_deployed":"2026-11-22T16:51:17.06+08:00",
        "last_deployed":"2026-11-22T16:51:18.5+08:00","deleted":"","description":"Upgrade complete",
        "status":"deployed","notes":"n"},
        "chart":{"metadata":{"name":"bk-demo","version":"0.1.0","appVersion":"1.0"},"templates":[],
        "values":{"password":"hunter2"}},"config":{"password":"hunter2"},"manifest":"kind: Secret","version":3,
        "namespace":"blueking"}"#;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn secret_and_configmap_forms_give_the_same_release() {
        let configmap = STANDARD.encode(gzip(JSON.as_bytes()));
        let secret = STANDARD.encode(&configmap);
        let release = decode(configmap.as_bytes()).unwrap();
        assert_eq!(decode(secret.as_bytes()).unwrap(), release);
        assert_eq!(decode(STANDARD.encode(JSON).as_bytes()).unwrap(), release);
        assert_eq!((release.name.as_str(), release.revision), ("bk-ok", 3));
        assert_eq!(release.status, "deployed");
        assert_eq!(release.first_deployed.as_deref(), Some("2026-11-22T16:51:17.06+08:00"));
        assert_eq!(release.chart.as_ref().unwrap().app_version, "1.0");
        assert!(!format!("{release:?}").contains("hunter2"));
    }

    #[test]
    fn broken_records_are_errors_with_a_cause() {
        assert!(matches!(decode(b"not base64!"), Err(RecordError::Base64(_))));
        let mut cut = gzip(JSON.as_bytes());
        cut.truncate(cut.len() / 2);
        let cut = STANDARD.encode(STANDARD.encode(cut));
        assert!(matches!(decode(cut.as_bytes()), Err(RecordError::Json(_))));
        assert!(matches!(decode_object(&serde_json::json!({"data": {}})), Err(RecordError::NoRelease)));
    }

    #[test]
    fn the_labels_of_a_broken_record_tell_what_is_known() {
        let labels = serde_json::json!({"name": "bk-paas", "owner": "helm", "status": "pending-upgrade", "version": "3",
            "modifiedAt": "1790000000"});
        let object = serde_json::json!({"metadata": {"namespace": "blueking", "labels": labels}, "data": {"release": "!"}});
        let reason = decode_object(&object).unwrap_err();
        let release = from_labels(&object, &reason).unwrap();
        assert_eq!((release.name.as_str(), release.revision), ("bk-paas", 3));
        assert!(release.is_pending() && release.unreadable.unwrap().contains("base64"));
        assert_eq!(release.last_deployed.as_deref(), Some("2026-09-21T14:13:20Z"));
        assert_eq!(from_labels(&serde_json::json!({"metadata": {"labels": {"name": "x"}}}), &reason), None);
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = gzip(&vec![b' '; MAX_INFLATED as usize + 10]);
        let text = STANDARD.encode(bomb);
        assert!(matches!(decode(text.as_bytes()), Err(RecordError::TooLarge)));
    }
}
