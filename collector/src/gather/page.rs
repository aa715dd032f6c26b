//! One page of a List, as the server sent it, made ready for the bundle: each object masked and on one line.
//!
//! Pages come as Tables whose rows carry the objects, so that one request serves both the List and the table that
//! `kubectl get -o wide` would print. Servers that make no Table of a resource send the plain List.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::cluster::discovery::Resource;
use crate::logs::pod::Pod;
use shared::redact::{Counts, Redactor};

/// What is kept of each object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The object without `managedFields`.
    Whole,
    /// Only what says that it exists: for Secrets.
    Metadata,
}

/// A page, ready for the bundle.
#[derive(Debug, Default)]
pub struct Page {
    pub resource_version: String,
    /// Token for the next page.
    pub next: Option<String>,
    /// Column definitions, where the server made a Table.
    pub columns: Option<Value>,
    pub items: Vec<PageItem>,
    /// Objects that could not be masked and were dropped, with the reason of the last one.
    pub dropped: usize,
    pub drop_reason: Option<String>,
    /// Size of the answer.
    pub bytes: usize,
}

/// One object.
#[derive(Debug)]
pub struct PageItem {
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// JSON without line breaks.
    pub line: Vec<u8>,
    /// Cells of the Table's row.
    pub cells: Option<Value>,
    pub counts: Counts,
    /// Set for pods, with the names as the server knows them.
    pub pod: Option<Pod>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw<'a> {
    #[serde(default)]
    metadata: RawMeta,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
    column_definitions: Option<Value>,
    #[serde(borrow, default)]
    rows: Option<Vec<RawRow<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawMeta {
    resource_version: String,
    #[serde(rename = "continue")]
    next: String,
}

#[derive(Deserialize)]
struct RawRow<'a> {
    #[serde(default)]
    cells: Value,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// Reads a page.
///
/// # Errors
/// When the answer is neither a Table nor a List; then it has to be asked for again.
pub fn read(
    body: &[u8],
    resource: &Resource,
    content: Content,
    masks: &Redactor,
) -> Result<Page, serde_json::Error> {
    let text = std::str::from_utf8(body).map_err(<serde_json::Error as serde::de::Error>::custom)?;
    let raw: Raw = serde_json::from_str(text)?;
    let mut page = Page {
        resource_version: raw.metadata.resource_version,
        next: (!raw.metadata.next.is_empty()).then_some(raw.metadata.next),
        bytes: body.len(),
        ..Page::default()
    };
    let rows: Vec<(Option<Value>, &RawValue)> = match (raw.rows, raw.items) {
        (Some(rows), _) => {
            page.columns = raw.column_definitions;
            rows.into_iter().map(|row| (Some(row.cells), row.object)).collect()
        }
        (None, Some(items)) => items.into_iter().map(|item| (None, item)).collect(),
        // A Table without rows has `"rows": null` or none at all; so has an empty List of some servers.
        (None, None) if text.contains("\"kind\"") => Vec::new(),
        (None, None) => return Err(serde::de::Error::custom("neither a List nor a Table")),
    };
    page.items.reserve(rows.len());
    for (cells, object) in rows {
        match item(object, cells, resource, content, masks)? {
            Ok(item) => page.items.push(item),
            Err(reason) => {
                page.dropped += 1;
                page.drop_reason = Some(reason);
            }
        }
    }
    Ok(page)
}

/// Objects whose names are made up by the server: nobody's password is equal to one.
const SHORT_LIVED: [&str; 4] = ["pods", "events", "replicasets", "endpointslices"];

fn item(
    object: &RawValue,
    cells: Option<Value>,
    resource: &Resource,
    content: Content,
    masks: &Redactor,
) -> Result<Result<PageItem, String>, serde_json::Error> {
    let pod = resource.is("", "pods").then(|| Pod::from_json(object.get())).transpose()?;
    let mut value: Value = serde_json::from_str(object.get())?;
    let text = |value: &Value, key: &str| value["metadata"][key].as_str().unwrap_or_default().to_owned();
    let (namespace, name, uid) = (text(&value, "namespace"), text(&value, "name"), text(&value, "uid"));
    strip(&mut value, resource, content, cells.as_ref());
    if !SHORT_LIVED.contains(&resource.plural.as_str()) {
        masks.protect(&name);
    }
    let counts = match masks.json(&mut value) {
        Ok(counts) => counts,
        Err(reason) => return Ok(Err(format!("{namespace}/{name}: {reason}"))),
    };
    let line = serde_json::to_vec(&value)?;
    Ok(Ok(PageItem { namespace, name, uid, line, cells, counts, pod }))
}

/// Takes away what is never kept and puts `apiVersion` and `kind` where a List of an old server has none.
fn strip(value: &mut Value, resource: &Resource, content: Content, cells: Option<&Value>) {
    let Some(object) = value.as_object_mut() else { return };
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
        if content == Content::Metadata {
            // `kubectl apply` keeps the whole object in here, values and all.
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.shift_remove("kubectl.kubernetes.io/last-applied-configuration");
            }
        }
    }
    if content == Content::Metadata {
        object.retain(|key, _| key == "metadata");
        // The server's table says of a Secret what the metadata does not: NAME TYPE DATA AGE.
        if let Some(kind) = cells.and_then(|cells| cells[1].as_str()).filter(|_| resource.is("", "secrets")) {
            object.insert("type".to_owned(), Value::from(kind));
        }
    }
    if resource.is("", "configmaps") && is_helm_record(object) {
        object.shift_remove("data");
        object.shift_remove("binaryData");
    }
    let keep = |key: &str, fallback: String| match object.get(key) {
        Some(Value::String(text)) if content == Content::Whole => Cow::Owned(text.clone()),
        _ => Cow::<str>::Owned(fallback),
    };
    let (version, kind) = (keep("apiVersion", resource.api_version()), keep("kind", resource.kind.clone()));
    object.shift_remove("apiVersion");
    object.shift_remove("kind");
    object.shift_insert(0, "apiVersion".to_owned(), Value::from(version));
    object.shift_insert(1, "kind".to_owned(), Value::from(kind));
}

/// helm can keep its records in ConfigMaps; these hold the values of the release.
fn is_helm_record(object: &serde_json::Map<String, Value>) -> bool {
    let labels = object.get("metadata").map(|metadata| &metadata["labels"]);
    labels.is_some_and(|labels| labels["owner"] == "helm" || labels["OWNER"] == "TILLER")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks() -> Redactor {
        Redactor::new(&[]).unwrap()
    }

    fn resource(plural: &str, kind: &str) -> Resource {
        Resource {
            group: String::new(),
            version: "v1".into(),
            plural: plural.into(),
            kind: kind.into(),
            namespaced: true,
            other_versions: Vec::new(),
        }
    }

    fn lines(body: &str, resource: &Resource, content: Content) -> (Page, Vec<String>) {
        let page = read(body.as_bytes(), resource, content, &masks()).unwrap();
        let lines = page.items.iter().map(|i| String::from_utf8(i.line.clone()).unwrap()).collect();
        (page, lines)
    }

    #[test]
    fn a_table_and_a_list_give_the_same_lines() {
        let table = r#"{"kind":"Table","metadata":{"resourceVersion":"7","continue":"abc"},"columnDefinitions":[{"name":"Name"}],
            "rows":[{"cells":["x"],"object":{"kind":"Service","apiVersion":"v1","metadata":{"name":"x","namespace":"a","managedFields":[1]}}}]}"#;
        let list = r#"{"kind":"ServiceList","metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"x","namespace":"a"}}]}"#;
        let services = resource("services", "Service");
        let (page, from_table) = lines(table, &services, Content::Whole);
        let (_, from_list) = lines(list, &services, Content::Whole);
        assert_eq!(
            from_table,
            [r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"x","namespace":"a"}}"#]
        );
        assert_eq!(from_list, from_table);
        assert_eq!(page.next.as_deref(), Some("abc"));
    }

    #[test]
    fn of_a_secret_nothing_but_its_existence_is_kept() {
        let table = r#"{"kind":"Table","rows":[{"cells":["s","Opaque",1,"2d"],"object":{"kind":"PartialObjectMetadata",
            "metadata":{"name":"s","namespace":"a","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"p\":\"aHVudGVyMg==\"}}"}},
            "data":{"p":"aHVudGVyMg=="}}}]}"#;
        let (_, lines) = lines(table, &resource("secrets", "Secret"), Content::Metadata);
        assert!(!lines[0].contains("aHVudGVyMg"), "{}", lines[0]);
        assert!(lines[0].ends_with(r#""type":"Opaque"}"#), "{}", lines[0]);
        assert!(lines[0].starts_with(r#"{"apiVersion":"v1","kind":"Secret""#));
    }

    #[test]
    fn helm_records_in_configmaps_lose_their_data() {
        let list = r#"{"kind":"ConfigMapList","items":[{"metadata":{"name":"a","labels":{"owner":"helm"}},"data":{"release":"secret"}},
            {"metadata":{"name":"b"},"data":{"k":"v"}}]}"#;
        let (_, lines) = lines(list, &resource("configmaps", "ConfigMap"), Content::Whole);
        assert!(!lines[0].contains("secret"));
        assert!(lines[1].contains(r#""k":"v""#));
    }

    #[test]
    fn an_empty_list_is_no_error_and_garbage_is() {
        let pods = resource("pods", "Pod");
        assert!(lines(r#"{"kind":"PodList","items":null}"#, &pods, Content::Whole).1.is_empty());
        assert!(lines(r#"{"kind":"Table","rows":[]}"#, &pods, Content::Whole).1.is_empty());
        for garbage in ["{}", "[]", "<html>", r#"{"kind":"PodList","items":[{"metadata":{"#] {
            assert!(read(garbage.as_bytes(), &pods, Content::Whole, &masks()).is_err(), "{garbage}");
        }
    }
}
