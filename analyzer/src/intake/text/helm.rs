//! What `helm list`, `helm history` and `helm status` print.

use serde_json::Value;

use super::columns::{Row, Table};
use super::{lines, plain};
use crate::intake::releases::Revision;

/// A release from a row of `helm list`.
pub(super) fn list_row(table: &Table, row: &Row) -> Option<Revision> {
    let cell = |column: &str| table.cell(row, column).unwrap_or_default().to_owned();
    let name = cell("NAME");
    (!name.is_empty()).then(|| Revision {
        name,
        namespace: cell("NAMESPACE"),
        revision: cell("REVISION").parse().ok(),
        status: cell("STATUS"),
        chart: cell("CHART"),
        app_version: cell("APP VERSION"),
        updated: cell("UPDATED"),
        ..Revision::default()
    })
}

/// The revisions of `helm history`, which names neither the release nor its namespace: the command does.
///
/// Each comes with the byte of the table's text at which its row begins.
pub(super) fn history_rows(table: &Table, name: &str, namespace: &str) -> Vec<(Revision, usize)> {
    let rows = table.rows.iter().filter_map(|row| {
        let cell = |column: &str| table.cell(row, column).unwrap_or_default().to_owned();
        let revision = Revision {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            revision: Some(cell("REVISION").parse().ok()?),
            status: cell("STATUS"),
            chart: cell("CHART"),
            app_version: cell("APP VERSION"),
            updated: cell("UPDATED"),
            description: cell("DESCRIPTION"),
            ..Revision::default()
        };
        Some((revision, row.offset))
    });
    rows.collect()
}

/// The release that `helm status` describes.
pub(super) fn status(text: &str) -> Vec<(Revision, usize)> {
    let mut release = Revision::default();
    for (_, line) in lines(text) {
        let line = plain(line);
        if line == "NOTES:" {
            break;
        }
        let Some((key, value)) = line.split_once(": ") else { continue };
        let value = value.trim().to_owned();
        match key {
            "NAME" => release.name = value,
            "NAMESPACE" => release.namespace = value,
            "STATUS" => release.status = value,
            "REVISION" => release.revision = value.parse().ok(),
            "LAST DEPLOYED" => release.updated = value,
            "DESCRIPTION" => release.description = value,
            _ => {}
        }
    }
    if release.name.is_empty() || release.status.is_empty() { Vec::new() } else { vec![(release, 0)] }
}

/// What a document printed with `-o json` or `-o yaml` is.
pub(super) enum Document {
    /// One of the releases that `helm list` prints.
    Listed(Revision),
    /// A revision, of `helm history` without its name, of `helm status` with it.
    Of(Revision),
}

/// Reads a document of helm's; `None` for any other.
pub(super) fn document(value: &Value) -> Option<Document> {
    let text = |value: &Value, key: &str| match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let number = |key: &str| match value.get(key) {
        Some(Value::String(text)) => text.parse().ok(),
        Some(number) => number.as_i64(),
        None => None,
    };
    if let Some(info) = value.get("info").filter(|info| info.get("status").is_some()) {
        let chart = value.pointer("/chart/metadata").unwrap_or(&Value::Null);
        return Some(Document::Of(Revision {
            name: text(value, "name"),
            namespace: text(value, "namespace"),
            revision: number("version"),
            status: text(info, "status"),
            updated: text(info, "last_deployed"),
            description: text(info, "description"),
            chart_name: text(chart, "name"),
            chart_version: text(chart, "version"),
            app_version: text(chart, "appVersion"),
            ..Revision::default()
        }));
    }
    let has = |keys: &[&str]| keys.iter().all(|key| value.get(key).is_some());
    if !has(&["revision", "updated", "status", "chart"]) {
        return None;
    }
    let revision = Revision {
        name: text(value, "name"),
        namespace: text(value, "namespace"),
        revision: number("revision"),
        status: text(value, "status"),
        chart: text(value, "chart"),
        app_version: text(value, "app_version"),
        updated: text(value, "updated"),
        description: text(value, "description"),
        ..Revision::default()
    };
    Some(if revision.name.is_empty() { Document::Of(revision) } else { Document::Listed(revision) })
}

#[cfg(test)]
mod tests {
    use super::super::columns;
    use super::*;

    #[test]
    fn history_and_status_become_revisions() {
        let text = "REVISION\tUPDATED                 \tSTATUS         \tCHART             \tAPP VERSION\tDESCRIPTION\n\
            27      \tFri Sep 30 14:37:41 2022\tdeployed       \tcarto-1.42.10-beta\t2022.9.28  \tUpgrade complete\n\
            28      \tFri Sep 30 15:07:06 2022\tpending-upgrade\tcarto-1.42.10-beta\t2022.9.28  \tPreparing upgrade\n";
        let rows = history_rows(&columns::read(text).unwrap(), "carto", "a");
        let row = rows[1].0.clone().row();
        assert_eq!((&row["revision"], &row["status"]), (&28.into(), &"pending-upgrade".into()));
        assert_eq!((&row["chart_name"], &row["chart_version"]), (&"carto".into(), &"1.42.10-beta".into()));
        let found = status(
            "NAME: bk-paas\nLAST DEPLOYED: Thu Jan  1 00:00:00 2026\nNAMESPACE: blueking\nSTATUS: failed\nREVISION: 3\nNOTES:\nSTATUS: x\n",
        );
        assert_eq!((found[0].0.status.as_str(), found[0].0.revision), ("failed", Some(3)));
    }
}
