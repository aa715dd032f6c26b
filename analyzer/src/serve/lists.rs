//! Get, list and watch.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::cluster::{Cluster, Item, Kind};
use super::reply::{Refusal, Reply};
use super::selectors::Selectors;
use super::tokens;
use super::views::{Partial, Table, View, is_partial};

/// What a client may say about a list.
#[derive(Debug, Default)]
pub struct Query {
    pub labels: String,
    pub fields: String,
    pub limit: usize,
    pub token: String,
    pub watch: bool,
    pub bookmarks: bool,
    pub initial_events: bool,
    pub resource_version: String,
    pub timeout: Option<u64>,
}

/// A watch without a time-out ends after this, as the server's do after half an hour to an hour.
const LONGEST_WATCH: u64 = 3600;

#[derive(Serialize)]
struct List<'a, T: Serialize> {
    kind: String,
    #[serde(rename = "apiVersion")]
    api_version: String,
    metadata: Value,
    items: Vec<&'a T>,
}

/// One object.
pub fn get(
    cluster: &Cluster,
    kind: &Kind,
    namespace: Option<&str>,
    name: &str,
    view: View,
) -> Result<Reply, Refusal> {
    let item = kind.find(namespace, name).ok_or_else(|| cluster.no_such(kind, namespace, name))?;
    Ok(match view {
        View::Whole => Reply::json(&*item.value),
        View::Metadata => Reply::json(&Partial::of(item)),
        View::Table(version, include) => {
            Reply::json(&Table::new(cluster, &kind.resource, (version, include), &[item]))
        }
    })
}

/// All objects of a kind, or those that are selected, or a part of these.
pub fn list(
    cluster: &Cluster,
    kind: &Kind,
    namespace: Option<&str>,
    query: &Query,
    view: View,
) -> Result<Reply, Refusal> {
    let selectors = Selectors::parse(&query.labels, &query.fields, &kind.resource)?;
    let told = cluster.listable(kind, namespace).map_err(|refusal| {
        // kubectl describe takes a refusal for an answer and would print that there are none.
        let aloud = kind.resource.plural == "events" && selectors.are_about_an_object();
        Refusal { aloud, ..refusal }
    })?;
    let all = in_namespace(kind, namespace);
    if query.watch {
        return Ok(watch(cluster, kind, all, &selectors, query, view));
    }
    let rest = if query.token.is_empty() {
        all
    } else {
        let expired = || {
            Refusal::new(410, "Expired", "the continue token is none of this snapshot's; start the list anew")
        };
        let after = tokens::key(&query.token).ok_or_else(expired)?;
        &all[all.partition_point(|item| item.key <= after)..]
    };
    let mut selected = rest.iter().filter(|item| selectors.select(&item.value));
    let limit = if query.limit == 0 { usize::MAX } else { query.limit };
    let items: Vec<&Item> = selected.by_ref().take(limit).collect();
    let mut metadata = json!({"resourceVersion": cluster.resource_version});
    if let (Some(last), Some(_)) = (items.last(), selected.next()) {
        metadata["continue"] = tokens::after(&last.key).into();
        if selectors.are_empty() {
            let end = all.partition_point(|item| item.key <= last.key);
            metadata["remainingItemCount"] = (all.len() - end).into();
        }
    }
    let first = query.token.is_empty();
    let partial = first && told.is_none() && items.iter().any(|item| is_partial(item));
    let reply = reply(cluster, kind, &items, metadata, view);
    Ok(reply.warn(told.filter(|_| first)).warn(partial.then(|| partly(cluster))))
}

fn partly(cluster: &Cluster) -> String {
    let words = shared::lang::Localized::new(
        "部分对象读自表格、describe 或日志，只有其中写出的字段",
        "some objects were read from tables, descriptions or logs and have no more fields than these show",
    );
    words.get(cluster.lang).to_owned()
}

/// Those of one namespace stand together.
fn in_namespace<'k>(kind: &'k Kind, namespace: Option<&str>) -> &'k [Item] {
    let Some(namespace) = namespace else { return &kind.items };
    let prefix = format!("{namespace}/");
    let start = kind.items.partition_point(|item| item.key < prefix);
    let length = kind.items[start..].partition_point(|item| item.key.starts_with(&prefix));
    &kind.items[start..start + length]
}

fn reply(cluster: &Cluster, kind: &Kind, items: &[&Item], metadata: Value, view: View) -> Reply {
    let resource = &kind.resource;
    match view {
        View::Table(version, include) => {
            let mut table = Table::new(cluster, resource, (version, include), items);
            table.metadata = metadata;
            Reply::json(&table)
        }
        View::Metadata => {
            let partials: Vec<Partial> = items.iter().map(|item| Partial::of(item)).collect();
            Reply::json(&List {
                kind: "PartialObjectMetadataList".into(),
                api_version: "meta.k8s.io/v1".into(),
                metadata,
                items: partials.iter().collect(),
            })
        }
        View::Whole => Reply::json(&List {
            kind: format!("{}List", resource.kind),
            api_version: resource.api_version(),
            metadata,
            items: items.iter().map(|item| &*item.value).collect(),
        }),
    }
}

#[derive(Serialize)]
struct Event<T: Serialize> {
    r#type: &'static str,
    object: T,
}

/// The objects that are there as ADDED for whoever has not listed them, a bookmark where it is asked for, and then
/// nothing: nothing happens here any more.
fn watch(
    cluster: &Cluster,
    kind: &Kind,
    all: &[Item],
    selectors: &Selectors,
    query: &Query,
    view: View,
) -> Reply {
    let mut body = Vec::new();
    let mut send = |event: &dyn erased::Line| {
        event.write(&mut body);
        body.push(b'\n');
    };
    let anew = matches!(query.resource_version.as_str(), "" | "0") || query.initial_events;
    for item in all.iter().filter(|item| anew && selectors.select(&item.value)) {
        match view {
            View::Whole => send(&Event { r#type: "ADDED", object: &*item.value }),
            View::Metadata => send(&Event { r#type: "ADDED", object: Partial::of(item) }),
            View::Table(version, include) => send(&Event {
                r#type: "ADDED",
                object: Table::new(cluster, &kind.resource, (version, include), &[item]),
            }),
        }
    }
    if query.bookmarks && query.initial_events {
        let metadata = json!({"resourceVersion": cluster.resource_version, "creationTimestamp": null,
            "annotations": {"k8s.io/initial-events-end": "true"}});
        let object = match view {
            View::Table(version, include) => {
                let mut table =
                    serde_json::to_value(Table::new(cluster, &kind.resource, (version, include), &[]))
                        .unwrap_or_default();
                table["rows"] = json!([{"cells": [], "object": {"kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1", "metadata": metadata}}]);
                table
            }
            _ => {
                json!({"kind": kind.resource.kind, "apiVersion": kind.resource.api_version(), "metadata": metadata})
            }
        };
        send(&Event { r#type: "BOOKMARK", object });
    }
    let seconds = query.timeout.unwrap_or(LONGEST_WATCH).min(LONGEST_WATCH);
    let mut reply = Reply::new(200, super::reply::JSON, body.into());
    reply.held = Some(Duration::from_secs(seconds));
    reply
}

/// Events of different objects through one door.
mod erased {
    use serde::Serialize;

    pub trait Line {
        fn write(&self, into: &mut Vec<u8>);
    }

    impl<T: Serialize> Line for super::Event<T> {
        fn write(&self, into: &mut Vec<u8>) {
            // Into memory, and with keys that are texts: it does not fail.
            let _ = serde_json::to_writer(into, self);
        }
    }
}
