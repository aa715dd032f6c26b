//! The API server's own tables, printed as `kubectl get -o wide` prints them.
//!
//! Asked with `Accept: application/json;as=Table;v=v1;g=meta.k8s.io`, the server answers a list with a
//! `meta.k8s.io/v1 Table`: column definitions and rows of ready-made cells (ages, restarts, statuses), for custom
//! resources too. What is left to kubectl is the choice of columns and their alignment.

pub mod tabwriter;

use serde_json::Value;

use tabwriter::Tabwriter;

/// kubectl's settings for `get`: columns at least six wide, three blanks apart.
const COLUMNS: Tabwriter = Tabwriter { min_width: 6, padding: 3 };

/// Prints a Table with all its columns, those of lower priority too (`-o wide`).
///
/// `with_namespace` puts the NAMESPACE column in front, as `-A` does for namespaced resources; the namespace is that
/// of the row's `object`. A table without rows prints nothing, not even a header, and neither does a value that is
/// no Table.
pub fn wide(table: &Value, with_namespace: bool) -> String {
    let columns = list(&table["columnDefinitions"]);
    let rows = list(&table["rows"]);
    if rows.is_empty() || columns.is_empty() {
        return String::new();
    }
    let mut text = String::new();
    let namespace = with_namespace.then(|| "NAMESPACE".to_owned());
    let header = columns.iter().map(|column| column["name"].as_str().unwrap_or_default().to_uppercase());
    push_row(&mut text, namespace.into_iter().chain(header));
    for row in rows {
        let namespace = with_namespace.then(|| cell(&row["object"]["metadata"]["namespace"]));
        // A broken aggregated server may send more cells than columns.
        let cells = list(&row["cells"]).iter().take(columns.len()).map(cell);
        push_row(&mut text, namespace.into_iter().chain(cells));
    }
    COLUMNS.align(&text)
}

/// Joins the rows of a further page of the same list to `table`.
///
/// Column widths depend on all rows, so a list that came in pages is printed once, at the end.
pub fn append(table: &mut Value, mut page: Value) {
    let (Some(rows), Some(more)) = (table["rows"].as_array_mut(), page["rows"].as_array_mut()) else {
        return;
    };
    rows.append(more);
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn push_row(text: &mut String, cells: impl Iterator<Item = String>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push('\t');
        }
        text.push_str(&cell);
    }
    text.push('\n');
}

/// A cell ends at its first line break, which is marked with `...`.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => match text.find(['\n', '\r', '\u{c}']) {
            Some(end) => tabwriter::escape(&text[..end]) + "...",
            None => tabwriter::escape(text),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table() -> Value {
        json!({
            "kind": "Table",
            "columnDefinitions": [
                {"name": "Name", "priority": 0}, {"name": "Ready", "priority": 0},
                {"name": "Restarts", "priority": 0}, {"name": "Node", "priority": 1}],
            "rows": [
                {"cells": ["web-0", "1/1", 0, "node-1"], "object": {"metadata": {"namespace": "blueking"}}},
                {"cells": ["a-longer-name", "0/1", "5 (3m ago)", "one\ntwo"],
                 "object": {"metadata": {"namespace": "default"}}},
                {"cells": ["short", null, 7]}]})
    }

    #[test]
    fn columns_are_three_apart_and_the_last_is_not_padded() {
        assert_eq!(
            wide(&table(), false),
            "NAME            READY   RESTARTS     NODE\n\
             web-0           1/1     0            node-1\n\
             a-longer-name   0/1     5 (3m ago)   one...\n\
             short                   7\n"
        );
    }

    #[test]
    fn all_namespaces_put_the_namespace_in_front() {
        let text = wide(&table(), true);
        assert!(text.starts_with("NAMESPACE   NAME            READY"), "{text}");
        assert!(text.contains("\nblueking    web-0 "), "{text}");
    }

    #[test]
    fn pages_are_aligned_together_and_nothing_prints_nothing() {
        let mut first = table();
        append(&mut first, json!({"rows": [{"cells": ["a-very-much-longer-name", "1/1", 0, "n"]}]}));
        assert!(wide(&first, false).starts_with("NAME                      READY"));
        assert_eq!(wide(&json!({"columnDefinitions": [{"name": "Name"}], "rows": []}), false), "");
        assert_eq!(wide(&json!([1, 2]), true), "");
    }
}
