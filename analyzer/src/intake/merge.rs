//! One object for each thing, however many files and inputs speak of it.
//!
//! Inputs come oldest first. Of two full objects the later counts; a full object counts before a partial one; partial
//! ones complete each other. What a later input's whole List no longer has is gone. Events are kept from all inputs:
//! the API server forgets them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;
use shared::bundle::manifest::GONE;

use super::part::ListKey;
use crate::snapshot::{Known, Object, SourceFile};

/// Collections whose rows have no identity of their own.
const ROWS: &[&str] = &["hosts", "probes", "cluster-info"];

/// Merges the objects of one collection. `whole` are the Lists that each input holds to their end.
pub(super) fn objects(
    collection: &str,
    objects: Vec<Object>,
    files: &[SourceFile],
    whole: &[HashSet<ListKey>],
) -> Vec<Object> {
    if ROWS.contains(&collection) {
        return objects;
    }
    let input = |object: &Object| files[object.file.0 as usize].input;
    let mut kept: Vec<Option<Object>> = Vec::with_capacity(objects.len());
    // The last input that has it, in full or in part.
    let mut seen: Vec<usize> = Vec::with_capacity(objects.len());
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    for object in objects {
        let twins = by_name.entry(key(collection, &object)).or_default();
        let twin = twins.iter().copied().find(|at| {
            let old = kept[*at].as_ref().expect("only the end of this function takes objects out");
            match (old.namespace(), object.namespace()) {
                (Some(old), Some(new)) => old == new,
                // A table without a column for it.
                _ => old.partial || object.partial,
            }
        });
        let Some(at) = twin else {
            twins.push(kept.len());
            seen.push(input(&object));
            kept.push(Some(object));
            continue;
        };
        seen[at] = seen[at].max(input(&object));
        let place = kept[at].as_mut().expect("it was just seen");
        match (place.partial, object.partial) {
            (_, false) => *place = object,
            (false, true) => {}
            (true, true) => *place = together(place, &object),
        }
    }
    if collection != "events" {
        drop_gone(collection, &mut kept, &seen, whole);
    }
    kept.into_iter().flatten().collect()
}

/// What two objects of one namespace must have in common to be the same.
fn key(collection: &str, object: &Object) -> String {
    let text = |path: &[&str]| object.str_at(path).unwrap_or_default().to_owned();
    match collection {
        "events" => match object.str_at(&["metadata", "uid"]) {
            Some(uid) => uid.to_owned(),
            None => [
                text(&["involvedObject", "kind"]),
                text(&["involvedObject", "name"]),
                text(&["reason"]),
                text(&["message"]),
                text(&["metadata", "name"]),
            ]
            .join("\n"),
        },
        "helm.revisions" => {
            format!("{}\n{}", text(&["name"]), object.value.get("revision").unwrap_or(&Value::Null))
        }
        _ => {
            let name = object.name().unwrap_or_default();
            gone(object).map_or_else(|| name.to_owned(), |uid| format!("{name}\n{uid}"))
        }
    }
}

/// The UID of an object that was seen while watching and is gone: another one of its name is not the same.
fn gone(object: &Object) -> Option<&str> {
    object.str_at(&["metadata", "annotations", GONE])?;
    object.str_at(&["metadata", "uid"])
}

/// Takes out what an older input has and a newer one, which read the whole List, has not.
fn drop_gone(collection: &str, kept: &mut [Option<Object>], seen: &[usize], whole: &[HashSet<ListKey>]) {
    for (place, seen) in kept.iter_mut().zip(seen) {
        // What was gone already when its own input was made is told as what was, not as what is.
        let Some(object) = place.as_ref().filter(|object| gone(object).is_none()) else { continue };
        let everywhere = (collection.to_owned(), None);
        let here = (collection.to_owned(), object.namespace().map(str::to_owned));
        let later = whole.iter().skip(seen + 1);
        if later.into_iter().any(|lists| lists.contains(&everywhere) || lists.contains(&here)) {
            *place = None;
        }
    }
}

/// Two partial objects as one, at the place of the one that says more.
fn together(old: &Object, new: &Object) -> Object {
    let place = if leaves(&new.value) >= leaves(&old.value) { new } else { old };
    let mut value = Value::clone(&old.value);
    overlay(&mut value, &new.value);
    Object { value: Arc::new(value), ..place.clone() }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(leaves).sum(),
        Value::Array(items) => items.iter().map(leaves).sum(),
        _ => 1,
    }
}

/// Lays `new` over `old`. Lists are taken whole from the one that says more: their elements cannot be told apart.
fn overlay(old: &mut Value, new: &Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                match old.get_mut(key) {
                    Some(place) => overlay(place, value),
                    None => {
                        old.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            let count = |items: &[Value]| items.iter().map(leaves).sum::<usize>();
            if count(new) >= count(old) {
                old.clone_from(new);
            }
        }
        (old, new) => old.clone_from(new),
    }
}

/// The better of two answers to how much is known.
pub(super) fn better(old: Known, new: Known) -> Known {
    let rank = |known: Known| match known {
        Known::Whole => 3,
        Known::Partly => 2,
        Known::Nothing(Some(_)) => 1,
        Known::Nothing(None) => 0,
    };
    if rank(new) >= rank(old) { new } else { old }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::snapshot::FileId;

    fn object(file: u32, value: Value, partial: bool) -> Object {
        Object { value: Arc::new(value), file: FileId(file), line: 1, pointer: String::new(), partial }
    }

    fn files() -> Vec<SourceFile> {
        (0..2).map(|input| SourceFile::new(format!("{input}"), input, "".into())).collect()
    }

    fn pod(name: &str, namespace: Option<&str>, extra: Value) -> Value {
        let mut value = json!({"metadata": {"name": name}, "x": extra});
        if let Some(namespace) = namespace {
            value["metadata"]["namespace"] = namespace.into();
        }
        value
    }

    #[test]
    fn later_counts_before_earlier_and_full_before_partial() {
        let all = vec![
            object(0, pod("a", Some("n"), json!("old")), false),
            object(0, pod("gone", Some("n"), json!("old")), false),
            object(0, pod("a", Some("m"), json!("other")), false),
            object(1, pod("a", Some("n"), json!("new")), false),
            object(1, pod("a", None, json!("table")), true),
        ];
        let whole = [HashSet::new(), HashSet::from([("pods".to_owned(), Some("n".to_owned()))])];
        let merged = objects("pods", all, &files(), &whole);
        let found: Vec<_> = merged.iter().map(|o| (o.namespace().unwrap(), &o.value["x"])).collect();
        assert_eq!(found, [("n", &json!("new")), ("m", &json!("other"))]);
    }

    #[test]
    fn a_pod_that_is_gone_is_not_the_one_that_has_its_name_now() {
        let mut old = pod("a", Some("n"), json!("gone"));
        old["metadata"]["uid"] = "1".into();
        old["metadata"]["annotations"] = json!({GONE: "seen"});
        let mut now = pod("a", Some("n"), json!("there"));
        now["metadata"]["uid"] = "2".into();
        let all = vec![object(0, now.clone(), false), object(0, old, false), object(1, now, false)];
        let whole = [HashSet::new(), HashSet::from([("pods".to_owned(), None)])];
        let merged = objects("pods", all, &files(), &whole);
        let found: Vec<_> = merged.iter().map(|o| &o.value["x"]).collect();
        assert_eq!(found, [&json!("there"), &json!("gone")]);
    }

    #[test]
    fn partial_objects_complete_each_other() {
        let table = json!({"metadata": {"name": "a"}, "status": {"phase": "Pending", "containerStatuses": [{"ready": false}]}});
        let described = json!({"metadata": {"name": "a", "namespace": "n"}, "status": {"containerStatuses": [{"name": "c", "ready": false}]}});
        for all in [[&described, &table], [&table, &described]] {
            let all =
                all.into_iter().zip(0..).map(|(value, file)| object(file, value.clone(), true)).collect();
            let merged = objects("pods", all, &files(), &[HashSet::new(), HashSet::new()]);
            assert_eq!(merged.len(), 1);
            assert_eq!(merged[0].namespace(), Some("n"));
            assert_eq!(merged[0].value["status"]["phase"], "Pending");
            assert_eq!(merged[0].value["status"]["containerStatuses"][0]["name"], "c");
        }
    }

    #[test]
    fn events_and_revisions_are_told_apart_by_more_than_a_name() {
        let event = |message: &str| json!({"involvedObject": {"kind": "Pod", "name": "a"}, "reason": "r", "message": message, "metadata": {}});
        let all = vec![object(0, event("1"), true), object(1, event("1"), true), object(1, event("2"), true)];
        assert_eq!(objects("events", all, &files(), &[]).len(), 2);
        let revision = |n: i64| json!({"name": "r", "namespace": "n", "revision": n});
        let all =
            vec![object(0, revision(1), false), object(0, revision(2), false), object(1, revision(2), false)];
        assert_eq!(objects("helm.revisions", all, &files(), &[]).len(), 2);
    }
}
