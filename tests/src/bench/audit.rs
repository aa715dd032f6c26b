//! Counting requests, by the API server's own audit log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

/// What the API server is told to write down: every request once, when it is answered, without bodies.
pub const POLICY: &str = "apiVersion: audit.k8s.io/v1\n\
                          kind: Policy\n\
                          omitStages: [RequestReceived]\n\
                          rules: [{level: Metadata}]\n";

/// A place in the audit log.
#[derive(Debug)]
pub struct Mark {
    log: PathBuf,
    offset: u64,
}

impl Mark {
    /// The end of the log, now.
    pub fn now(log: &Path) -> Result<Mark> {
        let offset = std::fs::metadata(log).with_context(|| format!("no audit log {}", log.display()))?.len();
        Ok(Mark { log: log.to_owned(), offset })
    }

    /// Requests since then by programs whose user agent starts so, counted by kind of request.
    pub fn requests(&self, agent: &str) -> Result<BTreeMap<&'static str, usize>> {
        let mut file = File::open(&self.log)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut counts = BTreeMap::new();
        for line in BufReader::new(file).lines() {
            // The last line may be half written.
            let Ok(event) = serde_json::from_str::<Value>(&line?) else { continue };
            if event["userAgent"].as_str().is_some_and(|text| text.starts_with(agent)) {
                *counts.entry(kind(&event)).or_default() += 1;
            }
        }
        Ok(counts)
    }
}

fn kind(event: &Value) -> &'static str {
    let subresource = event["objectRef"]["subresource"].as_str();
    match (event["verb"].as_str(), subresource) {
        (Some("get"), Some("log")) => "logs",
        (Some("list"), _) => "lists",
        (Some("create"), _) => "reviews",
        (Some("get"), _) if event["objectRef"].is_object() => "single objects",
        _ => "other",
    }
}

/// Adds up and shows the counts.
pub fn summary(counts: &BTreeMap<&'static str, usize>) -> String {
    let all: usize = counts.values().sum();
    let parts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    format!("{all} requests ({})", parts.join(", "))
}
