//! Objects in a JSON or YAML text, each with the line where it begins.
//!
//! Accepted shapes: a List, a bare array, a single object, `null`, several documents one after the other, a text cut
//! off in the middle of an item. Items are parsed one by one: a broken one does not take the others with it.

use std::sync::Arc;

use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// One object of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) value: Value,
    /// Byte at which it begins.
    pub(super) offset: usize,
    /// JSON pointer within the document.
    pub(super) pointer: String,
    /// The List that it is of, whose kind tells that of items which do not say it themselves.
    pub(super) list: Option<Arc<ListOf>>,
}

/// Head of a List.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ListOf {
    /// Such as `PodList`; `List` says nothing of the items.
    pub(super) kind: Option<String>,
    pub(super) api_version: Option<String>,
}

/// What a text holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Documents {
    pub(super) items: Vec<Item>,
    /// Every List, empty ones too.
    pub(super) lists: Vec<Arc<ListOf>>,
    /// The List was read in pages and its end is missing.
    pub(super) more: bool,
    /// Why not all of the text could be read.
    pub(super) fault: Option<String>,
}

impl Documents {
    /// Notes a List.
    pub(super) fn list(&mut self, kind: Option<String>, api_version: Option<String>) -> Arc<ListOf> {
        let list = Arc::new(ListOf { kind, api_version });
        self.lists.push(Arc::clone(&list));
        list
    }
}

/// Fields of a List; everything else of it is skipped over.
#[derive(Deserialize)]
struct RawList<'a> {
    /// With a capital in dumps of old kubectl.
    #[serde(borrow, default, alias = "Items")]
    items: Option<&'a RawValue>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default, rename = "apiVersion")]
    api_version: Option<String>,
    #[serde(default)]
    metadata: Option<ListMeta>,
}

#[derive(Deserialize)]
struct ListMeta {
    #[serde(default, rename = "continue")]
    more: Option<String>,
}

/// Reads a JSON text, which may hold several documents.
pub(super) fn json(text: &str) -> Documents {
    let mut found = Documents::default();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let mut at = 0;
    loop {
        match stream.next() {
            None => break,
            Some(Ok(raw)) => {
                document(text, raw, &mut found);
                at = stream.byte_offset();
            }
            Some(Err(error)) => {
                found.fault = Some(error.to_string());
                salvage(text, at, &mut found);
                break;
            }
        }
    }
    found
}

fn document(text: &str, raw: &RawValue, found: &mut Documents) {
    let offset = offset_in(text, raw.get());
    match raw.get().as_bytes().first() {
        Some(b'[') => match serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            Ok(items) => parse(text, "", &items, None, found),
            Err(error) => found.fault = Some(error.to_string()),
        },
        Some(b'{') => {
            let list: Option<RawList> = serde_json::from_str(raw.get()).ok();
            let is_list = |list: &RawList| {
                list.items.is_some() || list.kind.as_deref().is_some_and(|kind| kind.ends_with("List"))
            };
            let Some(list) = list.filter(is_list) else {
                return one(raw.get(), offset, String::new(), found);
            };
            let items = list.items.map(|items| serde_json::from_str::<Vec<&RawValue>>(items.get()));
            match items.unwrap_or_else(|| Ok(Vec::new())) {
                Ok(items) => {
                    found.more |=
                        list.metadata.and_then(|meta| meta.more).is_some_and(|more| !more.is_empty());
                    let of = found.list(list.kind, list.api_version);
                    parse(text, "/items", &items, Some(&of), found);
                }
                Err(_) => one(raw.get(), offset, String::new(), found),
            }
        }
        _ => {}
    }
}

/// Parses the items of an array. They are independent, so a long one is shared among the cores.
fn parse(text: &str, prefix: &str, items: &[&RawValue], list: Option<&Arc<ListOf>>, found: &mut Documents) {
    let parsed: Vec<_> =
        items.par_iter().with_min_len(16).map(|raw| serde_json::from_str::<Value>(raw.get())).collect();
    for (index, (raw, value)) in items.iter().zip(parsed).enumerate() {
        match value {
            Ok(value) if value.is_object() => {
                let offset = offset_in(text, raw.get());
                let pointer = format!("{prefix}/{index}");
                found.items.push(Item { value, offset, pointer, list: list.cloned() });
            }
            Ok(_) => {}
            Err(error) => found.fault = Some(error.to_string()),
        }
    }
}

fn one(raw: &str, offset: usize, pointer: String, found: &mut Documents) {
    match serde_json::from_str::<Value>(raw) {
        Ok(value) if value.is_object() => {
            let list = found.lists.last().filter(|_| !pointer.is_empty()).cloned();
            found.items.push(Item { value, offset, pointer, list });
        }
        Ok(_) => {}
        Err(error) => found.fault = Some(error.to_string()),
    }
}

/// Where `part`, which is a slice of `text`, begins in it.
fn offset_in(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

/// Takes the whole items of a List or array that is cut off.
fn salvage(text: &str, from: usize, found: &mut Documents) {
    let rest = &text[from..];
    let start = match rest.trim_start().as_bytes().first() {
        Some(b'[') => {
            found.list(None, None);
            from + rest.find('[').expect("it was just seen")
        }
        Some(b'{') => {
            let head = &rest[..rest.len().min(1 << 20)];
            let Some(array) = items_array(head) else { return };
            found.list(string_field(&head[..array], "kind"), string_field(&head[..array], "apiVersion"));
            from + array
        }
        _ => return,
    };
    let mut at = start + 1;
    let prefix = if text[from..start].contains('{') { "/items" } else { "" };
    for index in 0.. {
        at += text[at..].len() - text[at..].trim_start_matches([' ', '\t', '\r', '\n', ',']).len();
        let mut item = serde_json::Deserializer::from_str(&text[at..]).into_iter::<&RawValue>();
        let Some(Ok(raw)) = item.next() else { return };
        let length = item.byte_offset();
        if raw.get().starts_with('{') {
            one(raw.get(), at, format!("{prefix}/{index}"), found);
        }
        at += length;
    }
}

/// Where the array of `"items"` opens.
fn items_array(text: &str) -> Option<usize> {
    let key = text.find("\"items\"")?;
    let after = &text[key + 7..];
    let colon = after.find(|c: char| !c.is_whitespace())?;
    let rest = after[colon..].strip_prefix(':')?;
    let open = rest.find(|c: char| !c.is_whitespace())?;
    rest[open..].starts_with('[').then_some(key + 7 + colon + 1 + open)
}

fn string_field(text: &str, key: &str) -> Option<String> {
    let at = text.find(&format!("\"{key}\""))? + key.len() + 2;
    let value = text[at..].trim_start().strip_prefix(':')?.trim_start();
    serde_json::Deserializer::from_str(value).into_iter::<String>().next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &Documents) -> Vec<(&str, usize, &str)> {
        found
            .items
            .iter()
            .map(|item| (item.value["n"].as_str().unwrap(), item.offset, item.pointer.as_str()))
            .collect()
    }

    #[test]
    fn lists_arrays_objects_null_and_streams_are_read() {
        let list = json(r#"{"kind":"PodList","items":[{"n":"a"}, {"n":"b"}],"metadata":{"continue":""}}"#);
        assert_eq!(names(&list), [("a", 27, "/items/0"), ("b", 38, "/items/1")]);
        assert_eq!((list.lists[0].kind.as_deref(), list.more), (Some("PodList"), false));
        assert!(json(r#"{"items":[],"metadata":{"continue":"abc"}}"#).more);
        assert_eq!(names(&json(r#"[{"n":"a"},null,{"n":"b"}]"#)), [("a", 1, "/0"), ("b", 16, "/2")]);
        assert_eq!(names(&json("\n {\"n\":\"a\"}\n{\"n\":\"b\"}")), [("a", 2, ""), ("b", 12, "")]);
        assert_eq!(json("null"), Documents::default());
        assert_eq!(json(r#"{"kind":"PodList","items":null}"#).items, []);
        assert_eq!(json(""), Documents::default());
    }

    #[test]
    fn a_cut_list_gives_its_whole_items() {
        let text = r#"{"kind": "PodList", "apiVersion": "v1", "items": [{"n":"a"},{"n":"b"},{"n":"c"#;
        let cut = json(text);
        assert_eq!(names(&cut), [("a", 50, "/items/0"), ("b", 60, "/items/1")]);
        assert_eq!(cut.items[1].list.as_ref().unwrap().kind.as_deref(), Some("PodList"));
        assert!(cut.fault.is_some());
        assert_eq!(names(&json(r#"[{"n":"a"},{"#)), [("a", 1, "/0")]);
        assert_eq!(json(r#"{"kind":"#).items, []);
    }

    #[test]
    fn deep_nesting_is_a_fault_and_not_an_overflow() {
        let deep = format!("[{{\"n\":\"a\"}},{}{}]", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(names(&json(&deep)), [("a", 1, "/0")]);
        let deep = format!("[{{\"n\":\"a\"}},{{\"x\":{}{}}}]", "[".repeat(100_000), "]".repeat(100_000));
        let found = json(&deep);
        assert_eq!(names(&found), [("a", 1, "/0")]);
        assert!(found.fault.is_some());
    }
}
