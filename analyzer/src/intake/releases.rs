//! Helm releases and their revisions, as rows for the rules.
//!
//! A row has `namespace name revision status chart chart_name chart_version app_version updated description`; what a
//! source does not tell is absent. `revision` is a number, `status` is in lower case as Helm 3 prints it.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::part::Found;

pub(super) const RELEASES: &str = "helm.releases";
pub(super) const REVISIONS: &str = "helm.revisions";

/// What a source tells of one revision of a release. Empty texts are unknown.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Revision {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) revision: Option<i64>,
    pub(super) status: String,
    /// `name-version`, as tables have it.
    pub(super) chart: String,
    pub(super) chart_name: String,
    pub(super) chart_version: String,
    pub(super) app_version: String,
    pub(super) updated: String,
    pub(super) description: String,
}

impl Revision {
    /// The row for the rules.
    pub(super) fn row(mut self) -> Value {
        if self.chart.is_empty() && !self.chart_name.is_empty() {
            self.chart = format!("{}-{}", self.chart_name, self.chart_version);
        } else if self.chart_name.is_empty() {
            let (name, version) = split_chart(&self.chart);
            (self.chart_name, self.chart_version) = (name.to_owned(), version.to_owned());
        }
        let mut row = Map::new();
        for (key, value) in [
            ("namespace", self.namespace),
            ("name", self.name),
            ("status", self.status.to_ascii_lowercase().replace('_', "-")),
            ("chart", self.chart),
            ("chart_name", self.chart_name),
            ("chart_version", self.chart_version),
            ("app_version", self.app_version),
            ("updated", self.updated),
            ("description", self.description),
        ] {
            if !value.is_empty() {
                row.insert(key.to_owned(), Value::String(value));
            }
        }
        if let Some(revision) = self.revision {
            row.insert("revision".to_owned(), revision.into());
        }
        Value::Object(row)
    }
}

/// Chart name and version of `name-version`. Both may hold dashes: the version begins at the first dash before a digit
/// after which only a version can come.
pub(super) fn split_chart(chart: &str) -> (&str, &str) {
    let version_like = |rest: &str| {
        let rest = rest.strip_prefix('v').unwrap_or(rest);
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        digits > 0 && matches!(rest.as_bytes().get(digits), Some(b'.'))
    };
    chart
        .match_indices('-')
        .find(|(at, _)| version_like(&chart[at + 1..]))
        .map_or((chart, ""), |(at, _)| (&chart[..at], &chart[at + 1..]))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRelease<'a> {
    release_name: String,
    #[serde(default)]
    chart: Option<String>,
    #[serde(default)]
    chart_version: Option<String>,
    #[serde(default)]
    app_version: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(borrow, default)]
    release_history: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRevision {
    /// A text in most bundles, a number in some.
    revision: Value,
    #[serde(default)]
    date: Option<String>,
    #[serde(default)]
    updated: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    chart: Option<String>,
    #[serde(default)]
    chart_version: Option<String>,
    #[serde(default)]
    app_version: Option<String>,
}

/// Reads the releases of `helm/<namespace>.json`.
///
/// # Errors
/// What does not parse, in the parser's words.
pub(super) fn from_json(text: &str, namespace: &str) -> Result<Vec<Found>, String> {
    let releases: Option<Vec<&RawValue>> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let offset = |raw: &RawValue| raw.get().as_ptr() as usize - text.as_ptr() as usize;
    let mut found = Vec::new();
    for (index, raw) in releases.unwrap_or_default().into_iter().enumerate() {
        let release: RawRelease = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
        let mut newest: Option<(i64, Found)> = None;
        for (place, raw) in release.release_history.iter().flatten().enumerate() {
            let revision: RawRevision = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
            let number = revision
                .revision
                .as_i64()
                .or_else(|| revision.revision.as_str().and_then(|text| text.parse().ok()));
            let or = |own: Option<String>, release: &Option<String>| {
                own.or_else(|| release.clone()).unwrap_or_default()
            };
            let row = Revision {
                namespace: release.namespace.clone().unwrap_or_else(|| namespace.to_owned()),
                name: release.release_name.clone(),
                revision: number,
                status: revision.status.unwrap_or_default(),
                chart: String::new(),
                chart_name: or(revision.chart, &release.chart),
                chart_version: or(revision.chart_version, &release.chart_version),
                app_version: or(revision.app_version, &release.app_version),
                updated: revision.updated.or(revision.date).unwrap_or_default(),
                description: revision.description.unwrap_or_default(),
            };
            let row = Found {
                collection: REVISIONS.to_owned(),
                value: row.row(),
                offset: offset(raw),
                pointer: format!("/{index}/releaseHistory/{place}"),
                partial: false,
                ages: Vec::new(),
            };
            let number = number.unwrap_or(i64::MIN);
            if newest.as_ref().is_none_or(|(newest, _)| number >= *newest) {
                newest = Some((number, Found { collection: RELEASES.to_owned(), ..row.clone() }));
            }
            found.push(row);
        }
        found.extend(newest.map(|(_, row)| row));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_are_split_where_the_version_begins() {
        for (chart, expected) in [
            ("carto-1.42.5-beta", ("carto", "1.42.5-beta")),
            ("bk-repo-v1.2.0", ("bk-repo", "v1.2.0")),
            ("k8s-3-tier-0.1.0", ("k8s-3-tier", "0.1.0")),
            ("helm-2437-1.0.0", ("helm-2437", "1.0.0")),
            ("plain", ("plain", "")),
        ] {
            assert_eq!(split_chart(chart), expected);
        }
    }

    #[test]
    fn the_newest_revision_stands_for_the_release() {
        let text = r#"[{"releaseName":"bk-paas","chart":"bk-paas","chartVersion":"1.2.3","appVersion":"1","namespace":"blueking",
 "releaseHistory":[
  {"revision":"1","date":"2026-01-01","status":"deployed","isPending":false},
  {"revision":2,"date":"2026-01-02","status":"pending-upgrade","description":"Preparing upgrade"}]}]"#;
        let found = from_json(text, "blueking").unwrap();
        let rows: Vec<_> =
            found.iter().map(|f| (f.collection.as_str(), &f.value["revision"], &f.value["status"])).collect();
        assert_eq!(
            rows,
            [
                (REVISIONS, &Value::from(1), &Value::from("deployed")),
                (REVISIONS, &Value::from(2), &Value::from("pending-upgrade")),
                (RELEASES, &Value::from(2), &Value::from("pending-upgrade")),
            ]
        );
        assert_eq!(found[2].value["chart"], "bk-paas-1.2.3");
        assert_eq!(&text[found[2].offset..found[2].offset + 14], r#"{"revision":2,"#);
    }
}
