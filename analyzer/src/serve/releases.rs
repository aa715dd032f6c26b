//! Helm's records, made again from what is known of the releases, so that `helm list`, `history` and `status` work.
//!
//! A record is a Secret that holds the release as JSON, packed with gzip, in base64, and once more in base64 as all
//! Secrets' data. Bundles hold neither values nor manifests: those of these records are empty.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::objects::Field;

use crate::snapshot::Snapshot;

const TYPE: &str = "helm.sh/release.v1";

/// Fills the records among `secrets` and adds those that are missing.
pub fn secrets(snapshot: &Snapshot, secrets: &mut BTreeMap<String, Arc<Value>>) {
    for row in snapshot.objects.of("helm.revisions").iter().chain(snapshot.objects.of("helm.releases")) {
        let row = &*row.value;
        let (Some(name), Some(namespace)) = (row["name"].some_text(), row["namespace"].some_text()) else {
            continue;
        };
        // A table of releases does not always say which revision it is about.
        let revision = row["revision"].as_i64().unwrap_or(1);
        let secret = format!("sh.helm.release.v1.{name}.v{revision}");
        let key = format!("{namespace}/{secret}");
        let known = secrets.get(&key);
        if known.is_some_and(|known| !known["data"]["release"].is_null()) {
            continue;
        }
        let Some(record) = packed(&record(row, revision)) else { continue };
        let mut value = match known {
            Some(known) if known["metadata"].is_object() => Value::clone(known),
            _ => {
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret, "namespace": namespace,
                "creationTimestamp": time(row["updated"].text())}})
            }
        };
        value["type"] = TYPE.into();
        value["data"] = json!({"release": record});
        if value["metadata"]["labels"].is_null() {
            value["metadata"]["labels"] = json!({"name": name, "owner": "helm", "status": row["status"].text(),
                "version": revision.to_string()});
        }
        secrets.insert(key, Arc::new(value));
    }
}

fn record(row: &Value, revision: i64) -> Value {
    let updated = time(row["updated"].text());
    json!({
        "name": row["name"], "namespace": row["namespace"], "version": revision, "manifest": "", "config": {},
        "info": {"first_deployed": updated, "last_deployed": updated, "deleted": "",
            "description": row["description"].text(), "status": row["status"].some_text().unwrap_or("unknown")},
        "chart": {"metadata": {"apiVersion": "v2", "name": row["chart_name"].text(),
            "version": row["chart_version"].text(), "appVersion": row["app_version"].text()},
            "templates": [], "values": {}, "schema": null, "lock": null, "files": null},
    })
}

fn packed(record: &Value) -> Option<String> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(record.to_string().as_bytes()).ok()?;
    Some(STANDARD.encode(STANDARD.encode(gzip.finish().ok()?)))
}

/// A time in whichever of helm's forms as RFC 3339; empty, which helm reads as none, where it is none.
fn time(text: &str) -> String {
    if text.parse::<Timestamp>().is_ok() {
        return text.to_owned();
    }
    // 2026-11-22 09:55:05.648356159 +0000 UTC
    let mut words = text.split(' ');
    let (Some(date), Some(clock), Some(zone)) = (words.next(), words.next(), words.next()) else {
        return String::new();
    };
    let iso = format!("{date}T{clock}{zone}");
    jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", &iso)
        .and_then(|broken| broken.to_timestamp())
        .map_or_else(|_| String::new(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_as_what_it_was_made_from() {
        let row = json!({"name": "web", "namespace": "a", "revision": 3, "status": "pending-upgrade",
            "chart_name": "demo", "chart_version": "1.2.3", "app_version": "9", "updated": "2026-11-22 09:55:06.5 +0800 CST",
            "description": "Preparing upgrade"});
        let object = json!({"data": {"release": packed(&record(&row, 3)).unwrap()}});
        let release = shared::helm::decode_object(&object).unwrap();
        assert_eq!((release.name.as_str(), release.revision), ("web", 3));
        assert!(release.is_pending());
        assert_eq!(release.chart.unwrap().version, "1.2.3");
        assert_eq!(release.last_deployed.as_deref(), Some("2026-11-22T01:55:06.5Z"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "yesterday", "2026-11-22", "a b c"] {
            assert_eq!(time(text), "", "{text}");
        }
    }
}
