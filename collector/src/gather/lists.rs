//! Lists, page by page, into one file a namespace.
//!
//! A listing of all namespaces is one run of pages, whose objects are dealt out to files by namespace. Nothing goes
//! into the bundle before the last page is there, so that a listing can begin anew; until then the files are held
//! compressed. A `continue` token that has expired is replaced by the one that the server offers for going on from
//! the same place, as its own clients do; where it offers none, the listing begins anew.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};
use shared::bundle::failure::Failure;
use shared::bundle::manifest::Outcome;
use shared::bundle::paths;
use shared::tables;

use super::page::{self, Content, Page, PageItem};
use super::store::{Store, Stored};
use super::text;
use crate::cluster::api::{Api, TABLE};
use crate::cluster::discovery::Resource;
use crate::cluster::error::{ApiError, Fault};
use crate::logs::pod::Pod;
use crate::select::Selection;
use crate::sink::{Draft, Finished, Sink, entry};
use crate::watch::memory::Memory;
use shared::redact::{Counts, Redactor};

/// Where to list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// A cluster-scoped resource.
    Cluster,
    /// A namespaced resource in all namespaces.
    Everywhere,
    Namespace(String),
}

/// One List to be collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTask {
    pub resource: Resource,
    pub scope: Scope,
    pub content: Content,
    /// `labelSelector`
    pub selector: Option<String>,
}

impl ListTask {
    pub fn namespace(&self) -> Option<&str> {
        match &self.scope {
            Scope::Namespace(ns) => Some(ns),
            Scope::Cluster | Scope::Everywhere => None,
        }
    }

    /// Where the ledger keeps the listing as a whole.
    pub fn ledger_path(&self) -> String {
        let Resource { group, plural, .. } = &self.resource;
        match &self.scope {
            Scope::Everywhere => paths::resource_everywhere(group, plural),
            _ => paths::resource(group, plural, self.namespace()),
        }
    }

    pub fn source(&self) -> String {
        format!("GET {}", self.resource.path(self.namespace()))
    }

    /// The same in another version of the API.
    fn at(&self, version: &str) -> ListTask {
        let resource = Resource { version: version.to_owned(), ..self.resource.clone() };
        ListTask { resource, ..self.clone() }
    }

    fn request(&self, limit: usize, next: Option<&str>) -> String {
        let object = if self.content == Content::Metadata { "Metadata" } else { "Object" };
        let mut path =
            format!("{}?limit={limit}&includeObject={object}", self.resource.path(self.namespace()));
        if let Some(selector) = &self.selector {
            path += &format!("&labelSelector={}", query_value(selector));
        }
        if let Some(next) = next {
            path += &format!("&continue={}", query_value(next));
        }
        path
    }
}

/// Percent-encodes a value of a query.
pub fn query_value(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => (b as char).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

/// What listing needs of a run.
pub struct Means<'a> {
    pub api: &'a Api,
    pub sink: &'a Sink,
    pub masks: &'a Redactor,
    pub store: &'a Store,
    pub selection: &'a Selection,
    /// What was seen before and may be gone.
    pub memory: &'a Memory,
}

/// Bytes that a page should have; the next page's limit is set to come near it.
const PAGE: usize = 2 << 20;
/// Objects of the first page, when nothing is known of their size.
const FIRST_LIMIT: usize = 200;
/// Core collections that a watch follows.
const WATCHED: [&str; 2] = ["pods", "events"];
/// How often a listing may begin anew.
const RESTARTS: u32 = 2;

/// Lists, and puts files, tables and ledger entries into the bundle.
///
/// # Errors
/// When the server refuses, for whoever can try in another way; nothing is in the ledger then. Every other end is
/// in the ledger and not an error.
pub async fn collect(means: &Means<'_>, task: &ListTask) -> Result<(), ApiError> {
    let (mut listing, mut end) = list(means, task).await;
    let mut listed = task;
    let other;
    // Where objects cannot be converted, the version that they are stored in needs no conversion.
    if let Err(error) = &end
        && error.is_conversion()
    {
        let words = error.words.clone();
        for version in &task.resource.other_versions {
            let (found, found_end) = list(means, &task.at(version)).await;
            if found_end.is_ok() {
                (listing, end, other) = (found, found_end, task.at(version));
                listing.remark = Some(format!("listed as {version}, since {words}"));
                listed = &other;
                break;
            }
        }
    }
    let task = listed;
    if let Err(error) = &end
        && error.fault == Fault::Forbidden
        && listing.files.is_empty()
    {
        return Err(error.clone());
    }
    listing.close(means, task, end.err());
    Ok(())
}

/// All pages, from the first one again where the server has forgotten the place.
async fn list(means: &Means<'_>, task: &ListTask) -> (Listing, Result<(), ApiError>) {
    let mut restarts = 0;
    loop {
        let mut listing = Listing::default();
        match pages(means, task, &mut listing).await {
            Err(error) if error.fault == Fault::Gone && restarts < RESTARTS => restarts += 1,
            end => return (listing, end),
        }
    }
}

async fn pages(means: &Means<'_>, task: &ListTask, listing: &mut Listing) -> Result<(), ApiError> {
    let mut limit = FIRST_LIMIT;
    let mut next: Option<String> = None;
    loop {
        let request = task.request(limit, next.as_deref());
        let read = |body: bytes::Bytes| page::read(&body, &task.resource, task.content, means.masks);
        let page = match means.api.fetch(&request, TABLE, read).await {
            Ok(page) => page,
            Err(error) if error.fault == Fault::Gone && error.resume.is_some() && next != error.resume => {
                next = error.resume;
                continue;
            }
            Err(error) => return Err(error),
        };
        limit = next_limit(limit, &page);
        next = page.next.clone();
        listing.take(means, task, page);
        if next.is_none() {
            return Ok(());
        }
    }
}

fn next_limit(limit: usize, page: &Page) -> usize {
    match page.items.len() {
        0 => limit,
        count => (PAGE / (page.bytes / count).max(1)).clamp(20, 2000),
    }
}

/// The files of one listing while its pages come in.
#[derive(Default)]
struct Listing {
    files: BTreeMap<String, File>,
    columns: Option<Value>,
    resource_version: String,
    pods: Vec<Pod>,
    stored: Vec<Stored>,
    dropped: usize,
    drop_reason: Option<String>,
    /// How it was had, where that was not the usual way.
    remark: Option<String>,
    /// UIDs of the objects, for collections that are watched.
    present: HashSet<String>,
}

/// One namespace's List while it is written.
struct File {
    draft: Draft,
    count: usize,
    rows: Vec<Value>,
    counts: Counts,
}

impl Listing {
    fn take(&mut self, means: &Means<'_>, task: &ListTask, page: Page) {
        let Resource { group, plural, .. } = &task.resource;
        if self.resource_version.is_empty() {
            self.resource_version = page.resource_version;
        }
        if self.columns.is_none() {
            self.columns = page.columns;
        }
        self.dropped += page.dropped;
        self.drop_reason = page.drop_reason.or(self.drop_reason.take());
        let keep = Store::keeps(group, plural);
        for item in page.items {
            let namespace = task.resource.namespaced.then_some(item.namespace.as_str());
            if !means.selection.wants_object(group, plural, namespace, &item.name) && item.pod.is_none() {
                continue;
            }
            let version = &self.resource_version;
            let file = self
                .files
                .entry(item.namespace.clone())
                .or_insert_with(|| File::new(task, namespace, version));
            file.add(&item.line, item.cells.as_ref(), &item.counts);
            if WATCHED.contains(&plural.as_str()) {
                self.present.insert(item.uid.clone());
            }
            let PageItem { namespace, name, line, pod, .. } = item;
            if keep {
                let (namespace, name) = (namespace.into(), name.into());
                self.stored.push(Stored { namespace, name, json: line.into() });
            }
            self.pods.extend(pod);
        }
    }

    /// Adds what was seen while watching and is not there any more.
    fn remember(&mut self, means: &Means<'_>, task: &ListTask) {
        let Resource { group, plural, .. } = &task.resource;
        if !group.is_empty() || !WATCHED.contains(&plural.as_str()) {
            return;
        }
        for gone in means.memory.gone(plural, task.namespace(), &self.present) {
            let version = &self.resource_version;
            let file = self
                .files
                .entry(gone.namespace.clone())
                .or_insert_with(|| File::new(task, Some(&gone.namespace), version));
            file.add(&gone.line, None, &Counts::new());
            let (namespace, name) = (gone.namespace.into(), gone.name.into());
            self.stored.push(Stored { namespace, name, json: gone.line.into() });
        }
    }

    /// Puts everything into the bundle. With an error, what came before it is kept and called cut off.
    fn close(mut self, means: &Means<'_>, task: &ListTask, error: Option<ApiError>) {
        let Resource { group, plural, .. } = &task.resource;
        self.remember(means, task);
        let dropped = self.drop_reason.take().map(|reason| {
            format!(
                "{} objects were left out because they could not be masked; the last: {reason}",
                self.dropped
            )
        });
        let found = !self.files.is_empty();
        let (outcome, note) = match (&error, dropped) {
            (Some(error), _) if found => (Outcome::Truncated, Some(error.words.clone())),
            (Some(error), _) => (error.outcome(), Some(error.words.clone())),
            (None, Some(note)) => (Outcome::Truncated, Some(note)),
            (None, None) if found => (Outcome::Collected, self.remark.take()),
            (None, None) => (Outcome::Empty, self.remark.take()),
        };
        let failure = match &error {
            Some(error) => Some(error.failure),
            None => (outcome == Outcome::Truncated).then_some(Failure::Redaction),
        };
        if !found && error.is_none() && task.scope != Scope::Everywhere {
            let namespace = task.namespace();
            let file = File::new(task, namespace, &self.resource_version);
            self.files.insert(namespace.unwrap_or_default().to_owned(), file);
        }
        if task.scope == Scope::Everywhere || (!found && error.is_some()) {
            let mut whole = entry(&task.ledger_path(), task.source(), outcome);
            (whole.note, whole.failure) = (note.clone(), failure);
            means.sink.note(whole);
        }
        for (namespace, mut file) in self.files {
            let table = self.columns.as_ref().map(|columns| file.table(columns));
            let mut finished = file.finish(outcome, note.clone());
            finished.entry_mut().failure = failure;
            means.sink.put(finished);
            if let Some(table) = table.filter(|table| !table.is_empty()) {
                let namespace = task.resource.namespaced.then_some(namespace.as_str());
                let source = format!("{} (Table)", task.source());
                let name = table_name(&task.resource);
                text::put(
                    means.sink,
                    means.masks,
                    &paths::table(namespace, &name),
                    &source,
                    table.as_bytes(),
                );
            }
        }
        means.store.add(group, plural, self.stored);
        means.store.add_pods(self.pods);
    }
}

/// Two groups may have the same plural; the core's and the well-known ones go by it alone.
fn table_name(resource: &Resource) -> String {
    let path = paths::resource_everywhere(&resource.group, &resource.plural);
    if path.contains("/custom-resources/") && !resource.group.is_empty() {
        format!("{}.{}", resource.plural, resource.group)
    } else {
        resource.plural.clone()
    }
}

impl File {
    fn new(task: &ListTask, namespace: Option<&str>, resource_version: &str) -> Self {
        let Resource { group, plural, kind, .. } = &task.resource;
        let mut draft = Draft::new(paths::resource(group, plural, namespace), task.source());
        let head = json!({
            "kind": format!("{kind}List"),
            "apiVersion": task.resource.api_version(),
            "metadata": {"resourceVersion": resource_version},
        });
        let head = head.to_string();
        draft.push(head.trim_end_matches('}').as_bytes());
        // The inner object's brace was taken off with the outer one's.
        draft.push(b"},\"items\":[\n");
        Self { draft, count: 0, rows: Vec::new(), counts: Counts::new() }
    }

    fn add(&mut self, line: &[u8], cells: Option<&Value>, counts: &Counts) {
        if self.count > 0 {
            self.draft.push(b",\n");
        }
        self.draft.push(line);
        self.count += 1;
        for (kind, count) in counts {
            *self.counts.entry(kind.clone()).or_default() += count;
        }
        if let Some(cells) = cells {
            self.rows.push(json!({ "cells": cells }));
        }
    }

    fn table(&mut self, columns: &Value) -> String {
        let rows = std::mem::take(&mut self.rows);
        tables::wide(&json!({"columnDefinitions": columns, "rows": rows}), false)
    }

    fn finish(mut self, outcome: Outcome, note: Option<String>) -> Finished {
        self.draft.push(if self.count > 0 { b"\n]}\n" } else { b"]}\n" });
        self.draft.redacted(&self.counts);
        self.draft.finish(outcome, note)
    }
}

#[cfg(test)]
mod tests;
