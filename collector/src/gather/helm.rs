//! helm's releases with their whole histories. Their records are the only Secrets whose content is asked for; it is
//! decoded in memory, and nothing but name, revision, status, chart, times and description outlives that.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::value::RawValue;
use shared::bundle::failure::Failure;
use shared::bundle::manifest::Outcome;
use shared::bundle::paths;
use shared::helm::{self, Release};

use super::lists::query_value;
use super::text;
use crate::cluster::api::{Api, JSON};
use crate::cluster::error::{ApiError, Fault};
use crate::select::Selection;
use crate::sink::{Draft, Sink, entry};
use shared::redact::Redactor;

/// Where helm keeps its records: (plural, further query).
const STORES: [(&str, &str); 2] =
    [("secrets", "&fieldSelector=type%3Dhelm.sh%2Frelease.v1"), ("configmaps", "")];
/// Records of a page; a record may have a megabyte.
const LIMIT: usize = 20;

/// Records named one by one in a note.
const TOLD: usize = 5;

/// What came of reading the records.
#[derive(Default)]
struct Read {
    releases: Vec<Release>,
    /// Records that could not be read.
    broken: Vec<Broken>,
    /// Listings that failed: (namespace or `None` for all, source, error).
    failed: Vec<(Option<String>, String, ApiError)>,
}

/// A record that could not be read. What its labels say of it stands among the releases.
struct Broken {
    namespace: String,
    name: String,
    reason: String,
}

#[derive(serde::Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: Meta,
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

#[derive(serde::Deserialize, Default)]
struct Meta {
    #[serde(default, rename = "continue")]
    next: String,
}

/// Collects releases of `namespaces`, or of all of them; where all may not be listed, of `fallback`.
pub async fn collect(
    api: &Api,
    sink: &Sink,
    masks: &Redactor,
    selection: &Selection,
    namespaces: Option<&[String]>,
    fallback: &[String],
) {
    let mut read = Read::default();
    for (plural, query) in STORES {
        match namespaces {
            Some(named) => each(api, plural, query, named, &mut read).await,
            None => match records(api, plural, query, None, &mut read).await {
                Err(error) if error.fault == Fault::Forbidden && !fallback.is_empty() => {
                    each(api, plural, query, fallback, &mut read).await;
                    read.failed.push((None, source(plural, None), error));
                }
                Err(error) => read.failed.push((None, source(plural, None), error)),
                Ok(()) => {}
            },
        }
    }
    put(sink, masks, selection, namespaces, read);
}

async fn each(api: &Api, plural: &str, query: &str, namespaces: &[String], read: &mut Read) {
    for namespace in namespaces {
        if let Err(error) = records(api, plural, query, Some(namespace), read).await {
            read.failed.push((Some(namespace.clone()), source(plural, Some(namespace)), error));
        }
    }
}

fn source(plural: &str, namespace: Option<&str>) -> String {
    format!("GET {}?labelSelector=owner=helm", list_path(plural, namespace))
}

fn list_path(plural: &str, namespace: Option<&str>) -> String {
    match namespace {
        Some(ns) => format!("/api/v1/namespaces/{ns}/{plural}"),
        None => format!("/api/v1/{plural}"),
    }
}

async fn records(
    api: &Api,
    plural: &str,
    query: &str,
    namespace: Option<&str>,
    read: &mut Read,
) -> Result<(), ApiError> {
    let mut next = String::new();
    loop {
        let mut path =
            format!("{}?labelSelector=owner%3Dhelm{query}&limit={LIMIT}", list_path(plural, namespace));
        if !next.is_empty() {
            path += &format!("&continue={}", query_value(&next));
        }
        let page = api.fetch(&path, JSON, |body| decode(&body)).await;
        let (releases, broken, token) = match page {
            Err(ApiError { fault: Fault::Gone, resume: Some(token), .. }) if token != next => {
                next = token;
                continue;
            }
            page => page?,
        };
        read.releases.extend(releases);
        read.broken.extend(broken);
        if token.is_empty() {
            return Ok(());
        }
        next = token;
    }
}

/// One record after the other, so that no more than one is ever in memory undecoded beside the page itself.
fn decode(body: &[u8]) -> Result<(Vec<Release>, Vec<Broken>, String), serde_json::Error> {
    let page: Page = serde_json::from_slice(body)?;
    let (mut releases, mut broken) = (Vec::new(), Vec::new());
    for item in page.items {
        let object: Value = serde_json::from_str(item.get())?;
        match helm::decode_object(&object) {
            Ok(release) => releases.push(release),
            Err(error) => {
                let at = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
                releases.extend(helm::from_labels(&object, &error));
                broken.push(Broken {
                    namespace: at("namespace"),
                    name: at("name"),
                    reason: error.to_string(),
                });
            }
        }
    }
    Ok((releases, broken, page.metadata.next))
}

fn put(sink: &Sink, masks: &Redactor, selection: &Selection, namespaces: Option<&[String]>, read: Read) {
    let by_namespace = helm::by_namespace(read.releases);
    for (namespace, releases) in &by_namespace {
        if !selection.wants_helm(namespace) {
            continue;
        }
        let path = paths::helm_releases(namespace);
        // A failure of either store may have hidden releases of this namespace.
        let hidden = read.failed.iter().find(|(of, ..)| of.as_deref().is_none_or(|of| of == namespace));
        let broken = broken_in(namespace, &read.broken);
        let (failure, note) = match (hidden, &broken) {
            (Some((_, _, error)), _) => (Some(error.failure), Some(error.words.clone())),
            (None, Some(words)) => (Some(Failure::Undecodable), Some(words.clone())),
            (None, None) => (None, None),
        };
        let outcome = if note.is_some() { Outcome::Truncated } else { Outcome::Collected };
        let mut draft = Draft::new(&*path, "helm release records (metadata only)");
        let mut value = helm::releases_json(releases);
        match masks.json(&mut value) {
            Ok(counts) => {
                let text = serde_json::to_vec_pretty(&value).expect("JSON values can be written");
                draft.push(&text);
                draft.push(b"\n");
                draft.redacted(&counts);
                let mut finished = draft.finish(outcome, note);
                finished.entry_mut().failure = failure;
                sink.put(finished);
            }
            Err(reason) => {
                let mut failed = entry(&path, "helm release records", Outcome::Failed);
                (failed.note, failed.failure) = (Some(reason.to_string()), Some(Failure::Redaction));
                sink.note(failed);
            }
        }
        for (name, history) in releases {
            if history.iter().all(|release| release.unreadable.is_some()) {
                continue;
            }
            let table = helm::history_table(history);
            let source = format!("helm history -n {namespace} {name}");
            text::put(sink, masks, &paths::helm_history(namespace, name), &source, table.as_bytes());
        }
    }
    // Records of which not even the labels are helm's.
    let nameless = read.broken.iter().map(|broken| broken.namespace.as_str());
    let nameless: BTreeSet<&str> = nameless.filter(|ns| !by_namespace.contains_key(*ns)).collect();
    for namespace in nameless.iter().filter(|ns| selection.wants_helm(ns)) {
        let mut failed = entry(&paths::helm_releases(namespace), "helm release records", Outcome::Failed);
        (failed.note, failed.failure) = (broken_in(namespace, &read.broken), Some(Failure::Undecodable));
        sink.note(failed);
    }
    for namespace in namespaces.unwrap_or_default() {
        let failed = read.failed.iter().any(|(of, ..)| of.as_deref() == Some(namespace));
        if !by_namespace.contains_key(namespace) && !nameless.contains(namespace.as_str()) && !failed {
            sink.note(entry(
                &paths::helm_releases(namespace),
                source("secrets", Some(namespace)),
                Outcome::Empty,
            ));
        }
    }
    if namespaces.is_none() && !read.failed.iter().any(|(of, ..)| of.is_none()) {
        let none = by_namespace.is_empty() && nameless.is_empty();
        let outcome = if none { Outcome::Empty } else { Outcome::Collected };
        sink.note(entry(paths::HELM, source("secrets", None), outcome));
    }
    for (namespace, source, error) in read.failed {
        let path = namespace.as_deref().map_or_else(|| paths::HELM.to_owned(), paths::helm_releases);
        // The file's own entry says it where there is a file.
        if !namespace.is_some_and(|ns| by_namespace.contains_key(&ns)) {
            sink.note(error.entry(&path, source));
        }
    }
}

/// What to say of the records of a namespace that could not be read.
fn broken_in(namespace: &str, all: &[Broken]) -> Option<String> {
    let broken: Vec<&Broken> = all.iter().filter(|broken| broken.namespace == namespace).collect();
    let words = |broken: &&Broken| format!("{}: {}", broken.name, broken.reason);
    let mut told: Vec<String> = broken.iter().take(TOLD).map(words).collect();
    if broken.len() > TOLD {
        told.push(format!("and {} more", broken.len() - TOLD));
    }
    (!told.is_empty()).then(|| {
        format!("records that cannot be decoded, so that only their labels are known: {}", told.join("; "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_cannot_be_read_is_named_and_the_others_are_kept() {
        let body = br#"{"metadata":{"continue":"x"},"items":[{"metadata":{"namespace":"a","name":"sh.helm.release.v1.r.v1"},"data":{"release":"!!"}}]}"#;
        let (releases, broken, next) = decode(body).unwrap();
        assert!(releases.is_empty(), "nothing is known of it");
        let words = broken_in("a", &broken).unwrap();
        assert!(words.contains("sh.helm.release.v1.r.v1: "), "{words}");
        assert_eq!(broken_in("b", &broken), None, "the records of another namespace are not to blame");
        assert_eq!(next, "x");
    }
}
