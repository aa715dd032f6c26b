//! In which form objects are asked for: whole, as a table, or their metadata alone.

use serde::Serialize;
use serde_json::{Value, json};

use super::catalog::Resource;
use super::cluster::{Cluster, Item, READ_FROM};
use super::reply::Refusal;

/// A form of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Whole,
    Metadata,
    /// In this version of `meta.k8s.io`.
    Table(&'static str, Include),
}

/// What a row of a table holds of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Include {
    None,
    Metadata,
    Object,
}

impl View {
    /// The first form in an `Accept` header that can be had.
    ///
    /// # Errors
    /// When the client takes neither JSON nor anything.
    pub fn of(accept: &str, include: &str) -> Result<View, Refusal> {
        let include = match include {
            "None" => Include::None,
            "Object" => Include::Object,
            _ => Include::Metadata,
        };
        if accept.trim().is_empty() {
            return Ok(View::Whole);
        }
        for clause in accept.split(',') {
            let mut parts = clause.split(';').map(str::trim);
            if !matches!(
                parts.next(),
                Some("application/json" | "*/*" | "application/*" | "application/yaml")
            ) {
                continue;
            }
            let (mut form, mut version) = ("", "v1");
            for part in parts {
                match part.split_once('=') {
                    Some(("as", value)) => form = value,
                    Some(("v", "v1beta1")) => version = "v1beta1",
                    _ => {}
                }
            }
            match form {
                "" => return Ok(View::Whole),
                "Table" => return Ok(View::Table(version, include)),
                "PartialObjectMetadata" | "PartialObjectMetadataList" => return Ok(View::Metadata),
                _ => {}
            }
        }
        Err(Refusal::new(406, "NotAcceptable", "only JSON is served; accept application/json"))
    }
}

/// Metadata alone, as an object of its own.
#[derive(Serialize)]
pub struct Partial<'a> {
    kind: &'static str,
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    metadata: &'a Value,
}

impl<'a> Partial<'a> {
    pub fn of(item: &'a Item) -> Partial<'a> {
        Partial {
            kind: "PartialObjectMetadata",
            api_version: "meta.k8s.io/v1",
            metadata: &item.value["metadata"],
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum RowObject<'a> {
    Partial(Partial<'a>),
    Whole(&'a Value),
}

#[derive(Serialize)]
struct Row<'a> {
    cells: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<RowObject<'a>>,
}

/// Objects as a table.
#[derive(Serialize)]
pub struct Table<'a> {
    kind: &'static str,
    #[serde(rename = "apiVersion")]
    api_version: String,
    pub metadata: Value,
    #[serde(rename = "columnDefinitions")]
    columns: Vec<Value>,
    rows: Vec<Row<'a>>,
}

impl<'a> Table<'a> {
    pub fn new(
        cluster: &Cluster,
        resource: &Resource,
        (version, include): (&'static str, Include),
        items: &[&'a Item],
    ) -> Table<'a> {
        let row = |item: &&'a Item| Row {
            cells: resource.cells(&item.value, cluster.settings),
            object: match include {
                Include::None => None,
                Include::Metadata => Some(RowObject::Partial(Partial::of(item))),
                Include::Object => Some(RowObject::Whole(&item.value)),
            },
        };
        Table {
            kind: "Table",
            api_version: format!("meta.k8s.io/{version}"),
            metadata: json!({"resourceVersion": cluster.resource_version}),
            columns: resource.columns(cluster.settings).iter().map(|column| column.definition()).collect(),
            rows: items.iter().map(row).collect(),
        }
    }
}

/// Whether an object is known in part only.
pub fn is_partial(item: &Item) -> bool {
    item.value["metadata"]["annotations"].get(READ_FROM).is_some()
}
