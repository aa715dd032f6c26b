//! Services and jobs that a pod is configured to use: their names in arguments, environment, probes and the ConfigMaps
//! that it reads.

use serde_json::Value;

use crate::report::model::Subject;
use crate::snapshot::Object;
use crate::triage::draft::named;
use crate::triage::world::{World, array_at, str_at};

/// Bytes of configuration that are read for one pod.
const READ: usize = 64 * 1024;
/// Objects that one pod is taken to use at most.
const MOST: usize = 30;

/// What a pod is configured to use, what its container in trouble names first.
pub fn services(world: &World, pod: &Object, container: Option<&str>) -> Vec<Subject> {
    let value = &*pod.value;
    let namespace = pod.namespace().unwrap_or_default();
    let mut containers: Vec<&Value> =
        ["/spec/initContainers", "/spec/containers"].iter().flat_map(|list| array_at(value, list)).collect();
    containers.sort_by_key(|one| str_at(one, "/name") != container);
    let mut reader = Reader { world, namespace, left: READ, found: Vec::new() };
    for container in &containers {
        reader.strings(container.get("command"));
        reader.strings(container.get("args"));
        for variable in array_at(container, "/env") {
            reader.text(str_at(variable, "/value").unwrap_or_default());
            let key = |field: &str| str_at(variable, &format!("/valueFrom/configMapKeyRef/{field}"));
            if let (Some(name), Some(key)) = (key("name"), key("key")) {
                reader.config(name, Some(key));
            }
        }
        for probe in ["/startupProbe", "/readinessProbe", "/livenessProbe"] {
            reader.text(
                container
                    .pointer(&format!("{probe}/httpGet/host"))
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
            );
            reader.strings(container.pointer(&format!("{probe}/exec/command")));
        }
        for source in array_at(container, "/envFrom") {
            reader.config(str_at(source, "/configMapRef/name").unwrap_or_default(), None);
        }
    }
    for volume in array_at(value, "/spec/volumes") {
        reader.config(str_at(volume, "/configMap/name").unwrap_or_default(), None);
        for source in array_at(volume, "/projected/sources") {
            reader.config(str_at(source, "/configMap/name").unwrap_or_default(), None);
        }
    }
    reader.found
}

struct Reader<'w, 'a> {
    world: &'w World<'a>,
    namespace: &'w str,
    left: usize,
    found: Vec<Subject>,
}

impl Reader<'_, '_> {
    fn strings(&mut self, list: Option<&Value>) {
        for text in list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            self.text(text);
        }
    }

    fn config(&mut self, name: &str, key: Option<&str>) {
        // The authority's certificate is in every pod and names nothing.
        if name.is_empty() || name == "kube-root-ca.crt" {
            return;
        }
        let Some(config) = self.world.get("ConfigMap", self.namespace, name) else { return };
        let data = config.value.get("data").and_then(Value::as_object);
        for (_, text) in data.into_iter().flatten().filter(|(name, _)| key.is_none_or(|key| key == *name)) {
            self.text(text.as_str().unwrap_or_default());
        }
    }

    fn text(&mut self, text: &str) {
        let text = crate::triage::severity::cut(text, self.left);
        self.left -= text.len();
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || "-._:".contains(c))) {
            let word = word.trim_matches([':', '.', '-']);
            if word.len() < 2 || self.found.len() >= MOST {
                continue;
            }
            let found = match self.world.resolve(self.namespace, word) {
                Some((kind, namespace, name)) => named(kind, Some(namespace), name),
                None if self.world.get("Job", self.namespace, word).is_some() => {
                    named("Job", Some(self.namespace), word)
                }
                None => continue,
            };
            if !self.found.contains(&found) {
                self.found.push(found);
            }
        }
    }
}
