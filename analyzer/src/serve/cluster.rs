//! A snapshot read as a cluster: its objects by kind in the server's order, its version, and the time it stands at.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use shared::bundle::manifest::GONE;
use shared::lang::Lang;
use shared::objects::Field;
use shared::printers::{NEWEST_MINOR, Settings};

use super::catalog::{self, Resource};
use super::releases;
use crate::snapshot::{Object, Snapshot, TextKind};

/// On objects that were read from a table, a description or a log: where. What they lack may exist.
pub const READ_FROM: &str = "casebook/read-from";

/// A cluster that stands still.
pub struct Cluster {
    pub snapshot: Snapshot,
    /// What it is called in messages.
    pub name: String,
    pub lang: Lang,
    /// When it was collected, by the server's clock.
    pub taken: Option<Timestamp>,
    /// The time that it stands at: then, or now where that is not known.
    pub now: Timestamp,
    /// Answer to `/version`.
    pub version: Value,
    /// Revision of all of it.
    pub resource_version: String,
    pub kinds: Vec<Kind>,
    pub settings: Settings,
}

/// The objects of one kind.
pub struct Kind {
    pub resource: Resource,
    /// Sorted as the server's storage is: by namespace and name with a slash between.
    pub items: Vec<Item>,
}

pub struct Item {
    /// `namespace/name`, or the name.
    pub key: String,
    pub value: Arc<Value>,
}

impl Item {
    pub fn namespace(&self) -> &str {
        self.value["metadata"]["namespace"].text()
    }
}

impl Cluster {
    /// Reads a snapshot as a cluster that is called `name` where it does not say its own name.
    pub fn new(snapshot: Snapshot, name: &str, lang: Lang) -> Cluster {
        let manifests = || snapshot.inputs.iter().filter_map(|input| input.manifest.as_ref());
        let name = manifests()
            .filter_map(|manifest| manifest.cluster.as_ref())
            .map(|cluster| cluster.name.clone())
            .next_back()
            .unwrap_or_else(|| name.to_owned());
        let taken = taken(&snapshot);
        let now = taken.unwrap_or_else(Timestamp::now);
        let version = version(&snapshot);
        let minor = version["minor"].text().trim_end_matches('+').parse().unwrap_or(NEWEST_MINOR);
        let secrets_withheld = manifests().next().is_some();
        let mut kinds: Vec<Kind> = catalog::of(&snapshot)
            .into_iter()
            .map(|resource| Kind { items: items(&snapshot, &resource), resource })
            .collect();
        add(&mut kinds, "secrets", |known| releases::secrets(&snapshot, known));
        add(&mut kinds, "pods", |known| pods_of_logs(&snapshot, known));
        let resource_version = newest(&kinds);
        let settings = Settings { now, minor, secrets_withheld };
        Cluster { snapshot, name, lang, taken, now, version, resource_version, kinds, settings }
    }

    pub fn kind(&self, group: &str, version: &str, plural: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| {
            let resource = &kind.resource;
            resource.group == group && resource.version == version && resource.plural == plural
        })
    }

    /// A kind by group and plural, in whatever version.
    pub fn of_any_version(&self, group: &str, plural: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.resource.group == group && kind.resource.plural == plural)
    }

    pub fn pod(&self, namespace: &str, name: &str) -> Option<&Value> {
        self.kind("", "v1", "pods")?.find(Some(namespace), name).map(|item| &*item.value)
    }
}

impl Kind {
    pub fn find(&self, namespace: Option<&str>, name: &str) -> Option<&Item> {
        let key = key(namespace.unwrap_or_default(), name);
        let at = self.items.binary_search_by(|item| item.key.as_str().cmp(&key)).ok()?;
        self.items.get(at)
    }
}

fn key(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// When the newest input was collected, by the API server's clock where that is known to differ.
fn taken(snapshot: &Snapshot) -> Option<Timestamp> {
    let of_input = |input: &crate::snapshot::Input| {
        let Some(manifest) = &input.manifest else { return input.collected_at };
        let server = manifest.clocks.iter().find(|reading| reading.clock == "apiserver");
        let skew = server.map_or(0, |reading| reading.skew_ms);
        manifest.finished.checked_add(SignedDuration::from_millis(skew)).ok()
    };
    snapshot.inputs.iter().filter_map(of_input).max()
}

/// The answer to `/version`: the server's own, or what the nodes' versions let one guess.
fn version(snapshot: &Snapshot) -> Value {
    let told = snapshot.objects.of("cluster-info").iter().rev().find_map(|object| {
        let value = &object.value;
        [&value["info"], &value["serverVersion"], value]
            .into_iter()
            .find(|found| found["gitVersion"].is_string())
            .cloned()
    });
    if let Some(told) = told {
        return told;
    }
    let manifests = snapshot.inputs.iter().filter_map(|input| input.manifest.as_ref()?.cluster.as_ref());
    let of_manifest = manifests.filter_map(|cluster| cluster.version.clone()).next_back();
    let of_node = |node: &Object| node.str_at(&["status", "nodeInfo", "kubeletVersion"]).map(str::to_owned);
    let text = of_manifest.or_else(|| snapshot.objects.of("nodes").iter().filter_map(of_node).max());
    let text = text.unwrap_or_else(|| format!("v1.{NEWEST_MINOR}.0-unknown"));
    let mut numbers = text.trim_start_matches('v').split('.');
    let mut number = || numbers.next().unwrap_or_default().to_owned();
    json!({"major": number(), "minor": number(), "gitVersion": text, "platform": ""})
}

/// The objects of one kind in the server's order, each name once.
fn items(snapshot: &Snapshot, resource: &Resource) -> Vec<Item> {
    let objects = snapshot.objects.of(&resource.collection);
    // What was gone when the lists were read is not there.
    let there = objects.iter().filter(|object| object.str_at(&["metadata", "annotations", GONE]).is_none());
    let mut items: Vec<(bool, Item)> = there
        .filter_map(|object| {
            let namespace = if resource.namespaced { object.namespace().unwrap_or_default() } else { "" };
            let key = key(namespace, object.str_at(&["metadata", "name"]).filter(|name| !name.is_empty())?);
            Some((object.partial, Item { key, value: whole(snapshot, object, resource) }))
        })
        .collect();
    items.sort_by(|(partial, a), (other, b)| a.key.cmp(&b.key).then(partial.cmp(other)));
    items.dedup_by(|(_, later), (_, first)| later.key == first.key);
    items.into_iter().map(|(_, item)| item).collect()
}

/// The object as a server would hand it out, with its version and kind; of one that is known in part, where from.
fn whole(snapshot: &Snapshot, object: &Object, resource: &Resource) -> Arc<Value> {
    let is_text = |key: &str| object.value.get(key).is_some_and(Value::is_string);
    if is_text("apiVersion") && is_text("kind") && !object.partial {
        return Arc::clone(&object.value);
    }
    let Some(fields) = object.value.as_object() else { return Arc::clone(&object.value) };
    let mut value = Map::new();
    value.insert("apiVersion".into(), resource.api_version().into());
    value.insert("kind".into(), resource.kind.clone().into());
    value.extend(
        fields
            .iter()
            .filter(|(key, _)| *key != "apiVersion" && *key != "kind")
            .map(|(k, v)| (k.clone(), v.clone())),
    );
    if object.partial
        && let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut)
    {
        let place = format!("{}:{}", snapshot.files[object.file.0 as usize].path, object.line);
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(READ_FROM.into(), place.into());
        }
    }
    Arc::new(Value::Object(value))
}

/// Adds what `made` makes, given the objects that are there, to a kind of the core group.
fn add(kinds: &mut [Kind], plural: &str, made: impl FnOnce(&mut BTreeMap<String, Arc<Value>>)) {
    let is = |kind: &&mut Kind| kind.resource.group.is_empty() && kind.resource.plural == plural;
    let Some(kind) = kinds.iter_mut().find(is) else { return };
    let mut known: BTreeMap<String, Arc<Value>> =
        kind.items.drain(..).map(|item| (item.key, item.value)).collect();
    made(&mut known);
    kind.items = known.into_iter().map(|(key, value)| Item { key, value }).collect();
}

/// A pod for each log whose pod is nowhere else told of, so that `kubectl logs` finds it.
fn pods_of_logs(snapshot: &Snapshot, pods: &mut BTreeMap<String, Arc<Value>>) {
    let mut containers: BTreeMap<String, (Value, HashSet<&str>)> = BTreeMap::new();
    for text in snapshot.texts.iter().filter(|text| text.kind == TextKind::Log) {
        let (Some(namespace), Some(pod), Some(container)) = (&text.namespace, &text.pod, &text.container)
        else {
            continue;
        };
        let key = key(namespace, pod);
        if pods.contains_key(&key) || pod.is_empty() {
            continue;
        }
        let file = &snapshot.files[text.file.0 as usize].path;
        let (value, names) = containers.entry(key).or_insert_with(|| {
            let value = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod, "namespace": namespace,
                "annotations": {READ_FROM: file}}, "spec": {"containers": []}, "status": {}});
            (value, HashSet::new())
        });
        if names.insert(container)
            && let Some(list) = value["spec"]["containers"].as_array_mut()
        {
            list.push(json!({"name": container}));
        }
    }
    pods.extend(containers.into_iter().map(|(key, (value, _))| (key, Arc::new(value))));
}

/// The newest revision of any object.
fn newest(kinds: &[Kind]) -> String {
    let of_item = |item: &Item| item.value["metadata"]["resourceVersion"].text().parse::<u64>().ok();
    let newest = kinds.iter().flat_map(|kind| &kind.items).filter_map(of_item).max();
    newest.unwrap_or(1).to_string()
}
