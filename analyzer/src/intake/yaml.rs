//! Objects in a YAML text.
//!
//! The items of a List are cut apart by their lines before they are parsed: each gets its own line, a long List is
//! shared among the cores, and what one item does to the parser (aliases, depth) stays with that item.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::documents::{Documents, Item, ListOf};

/// Reads all documents of a YAML text.
pub(super) fn read(text: &str) -> Documents {
    let mut found = Documents::default();
    for document in documents(text) {
        match items(&text[document.clone()]) {
            Some(list) => read_list(text, document.start, list, &mut found),
            None => read_one(&text[document.clone()], document.start, &mut found),
        }
    }
    found
}

/// The text between the lines `---`.
fn documents(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut start) = (Vec::new(), 0);
    for (at, line) in lines(text) {
        if line.starts_with("---") || line.trim_end() == "..." {
            found.push(start..at);
            start = at + line.len();
        }
    }
    found.push(start..text.len());
    found.retain(|range| !text[range.clone()].trim().is_empty());
    found
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

/// A List, cut apart.
struct List {
    /// `kind`, `apiVersion` and `metadata`, without the items.
    rest: String,
    items: Vec<Range<usize>>,
}

/// Cuts a List, or a bare sequence of objects, into its items; `None` if the document is neither.
fn items(text: &str) -> Option<List> {
    let bare = lines(text).find(|(_, line)| is_content(line)).is_some_and(|(_, line)| line.starts_with("- "));
    let mut list = List { rest: String::new(), items: Vec::new() };
    let (mut inside, mut indent) = (bare, None);
    for (at, line) in lines(text) {
        let content = is_content(line);
        let depth = line.len() - line.trim_start_matches(' ').len();
        if inside && content && indent.is_none() && line.trim_start().starts_with("- ") {
            indent = Some(depth);
        }
        let ends = content && !bare && depth == 0 && !line.starts_with('-');
        if inside && !ends {
            if content && Some(depth) == indent && line[depth..].starts_with("- ") {
                list.items.push(at..at);
            }
            if let Some(item) = list.items.last_mut() {
                item.end = at + line.len();
            }
            continue;
        }
        inside = line.trim_end() == "items:";
        if !inside {
            list.rest.push_str(line);
        }
    }
    (!list.items.is_empty() || bare).then_some(list)
}

fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

fn read_list(text: &str, base: usize, list: List, found: &mut Documents) {
    let head: Value = serde_saphyr::from_str(&list.rest).unwrap_or_default();
    let of = list_of(&head, found);
    found.more |=
        head.pointer("/metadata/continue").and_then(Value::as_str).is_some_and(|more| !more.is_empty());
    let parsed: Vec<(usize, Result<Vec<Value>, String>)> = list
        .items
        .into_par_iter()
        .map(|range| {
            let range = base + range.start..base + range.end;
            let values = serde_saphyr::from_str::<Vec<Value>>(&text[range.clone()]);
            (range.start, values.map_err(|error| first_line(&error.to_string())))
        })
        .collect();
    for (index, (start, values)) in parsed.into_iter().enumerate() {
        match values {
            Ok(values) => {
                let objects = values.into_iter().filter(Value::is_object);
                found.items.extend(objects.map(|value| Item {
                    value,
                    offset: start,
                    pointer: format!("/items/{index}"),
                    list: Some(Arc::clone(&of)),
                }));
            }
            Err(error) => found.fault = Some(error),
        }
    }
}

fn read_one(text: &str, start: usize, found: &mut Documents) {
    match serde_saphyr::from_str::<Value>(text) {
        // A List on few lines, as empty ones are.
        Ok(Value::Object(mut object))
            if object.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List")) =>
        {
            let items = object.remove("items");
            let of = list_of(&Value::Object(object), found);
            let items = items.and_then(|items| items.as_array().cloned()).unwrap_or_default();
            for (index, value) in items.into_iter().enumerate().filter(|(_, value)| value.is_object()) {
                let pointer = format!("/items/{index}");
                found.items.push(Item { value, offset: start, pointer, list: Some(Arc::clone(&of)) });
            }
        }
        Ok(value) if value.is_object() => {
            let offset = start + lines(text).find(|(_, line)| is_content(line)).map_or(0, |(at, _)| at);
            found.items.push(Item { value, offset, pointer: String::new(), list: None });
        }
        Ok(_) => {}
        Err(error) => found.fault = Some(first_line(&error.to_string())),
    }
}

fn list_of(head: &Value, found: &mut Documents) -> Arc<ListOf> {
    let field = |key: &str| head.get(key).and_then(Value::as_str).map(str::to_owned);
    found.list(field("kind"), field("apiVersion"))
}

/// Errors of the parser come with a drawing of the place.
fn first_line(error: &str) -> String {
    error.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &Documents) -> Vec<(&str, usize)> {
        found
            .items
            .iter()
            .map(|item| (item.value["metadata"]["name"].as_str().unwrap(), item.offset))
            .collect()
    }

    #[test]
    fn lists_documents_and_single_objects_are_read_with_their_places() {
        let list = "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n- kind: Pod\n  metadata:\n    name: b\nkind: List\nmetadata:\n  resourceVersion: \"\"\n";
        let found = read(list);
        assert_eq!(names(&found), [("a", 22), ("b", 75)]);
        assert_eq!(found.lists[0].kind.as_deref(), Some("List"));
        let indented = "kind: PodList\nitems:\n  - metadata:\n      name: a\n  - metadata:\n      name: b\n";
        assert_eq!(names(&read(indented)), [("a", 21), ("b", 49)]);
        let several = "---\nkind: Pod\nmetadata: {name: a}\n---\n# x\nkind: Pod\nmetadata: {name: b}\n";
        assert_eq!(names(&read(several)), [("a", 4), ("b", 42)]);
        assert_eq!(read("").items, []);
        let empty = read("kind: PodList\nitems: []\n");
        assert_eq!((empty.items.len(), empty.lists.len()), (0, 1));
        let stream =
            "apiVersion: v1\nitems:\n- metadata: {name: a}\nkind: NodeList\n---\nitems: []\nkind: PodList\n";
        assert_eq!(read(stream).items[0].list.as_ref().unwrap().kind.as_deref(), Some("NodeList"));
    }

    #[test]
    fn aliases_and_depth_spoil_only_their_own_item() {
        let bomb = format!(
            "kind: List\nitems:\n- metadata: {{name: a}}\n- x: &a [{}]\n  b: &b [{}]\n  c: [{}]\n- metadata: {{name: z}}\n",
            ["1"; 1000].join(","),
            ["*a"; 1000].join(","),
            ["*b"; 1000].join(",")
        );
        let found = read(&bomb);
        assert_eq!(names(&found).iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["a", "z"]);
        assert!(found.fault.is_some());
        let deep = format!(
            "kind: List\nitems:\n- metadata: {{name: a}}\n- x: {}{}\n",
            "[".repeat(50_000),
            "]".repeat(50_000)
        );
        assert_eq!(names(&read(&deep)), [("a", 18)]);
    }
}
