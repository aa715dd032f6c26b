//! Objects as `kubectl cluster-info dump` printed them before it used the API's own field names: keys with capitals, and
//! the metadata beside `Spec` and `Status` instead of below `metadata`.

use serde_json::{Map, Value};

/// Rewrites an object of the old dialect in today's; leaves every other alone.
pub(super) fn modernise(value: &mut Value) {
    let Some(object) = value.as_object_mut() else { return };
    let old = ["Spec", "Status", "InvolvedObject"].iter().any(|key| object.contains_key(*key));
    if !old || object.contains_key("spec") || object.contains_key("status") {
        return;
    }
    lower(value, 0);
    let Some(object) = value.as_object_mut() else { return };
    if object.contains_key("metadata") {
        return;
    }
    const META: &[&str] = &[
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "labels",
        "annotations",
        "ownerReferences",
    ];
    let mut meta = Map::new();
    for key in META {
        if let Some(field) = object.remove(*key) {
            meta.insert((*key).to_owned(), field);
        }
    }
    object.insert("metadata".to_owned(), Value::Object(meta));
}

/// Maps whose keys are not fields.
const PLAIN_MAPS: &[&str] = &[
    "labels",
    "annotations",
    "data",
    "stringData",
    "binaryData",
    "capacity",
    "allocatable",
    "nodeSelector",
    "limits",
    "requests",
    "matchLabels",
    "selector",
];

fn lower(value: &mut Value, depth: usize) {
    match value {
        // The parser has refused what is nested deeper.
        Value::Object(map) if depth < 128 => {
            let fields = std::mem::take(map);
            for (key, mut field) in fields {
                let key = lower_key(&key);
                if !PLAIN_MAPS.contains(&key.as_str()) {
                    lower(&mut field, depth + 1);
                }
                map.insert(key, field);
            }
        }
        Value::Array(items) if depth < 128 => items.iter_mut().for_each(|item| lower(item, depth + 1)),
        _ => {}
    }
}

/// `PodIP` → `podIP`, `UID` → `uid`, `IPFamily` → `ipFamily`.
fn lower_key(key: &str) -> String {
    let capitals = key.chars().take_while(char::is_ascii_uppercase).count();
    let keep = match capitals {
        0 => return key.to_owned(),
        1 => 1,
        all if all == key.len() => all,
        some => some - 1,
    };
    key[..keep].to_ascii_lowercase() + &key[keep..]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_old_dialect_becomes_the_new() {
        let mut pod = json!({
            "name": "web-0", "namespace": "a", "labels": {"App": "Web"},
            "Spec": {"NodeName": "n1", "Containers": [{"Name": "c", "Image": "i"}], "NodeSelector": {"Disk": "SSD"}},
            "Status": {"Phase": "Running", "PodIP": "10.0.0.1", "ContainerStatuses": [{"Name": "c", "RestartCount": 3, "ContainerID": "x"}]}
        });
        modernise(&mut pod);
        assert_eq!(
            pod,
            json!({
                "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}], "nodeSelector": {"Disk": "SSD"}},
                "status": {"phase": "Running", "podIP": "10.0.0.1", "containerStatuses": [{"name": "c", "restartCount": 3, "containerID": "x"}]},
                "metadata": {"name": "web-0", "namespace": "a", "labels": {"App": "Web"}}
            })
        );
        let mut new = json!({"metadata": {"name": "x"}, "spec": {"Odd": 1}});
        let before = new.clone();
        modernise(&mut new);
        assert_eq!(new, before);
    }
}
