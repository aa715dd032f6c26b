//! Described objects as partial objects and events: the fields that `kubectl describe` shows, where the API has them.
//!
//! The text does not say of what kind an object is; the keys in it do.

use serde_json::{Map, Value, json};

use super::describe::{self, Described, Node};
use super::partial;
use super::rows::times;
use crate::intake::kinds::{self, Resource};
use crate::intake::moment::{self, Age};
use crate::intake::part::Found;

/// Keys that only one kind's description has; the first line whose keys are all there decides.
const SIGNATURES: &[(&[&str], &str)] = &[
    (&["Containers", "Node"], "pods"),
    (&["Containers", "QoS Class"], "pods"),
    (&["System Info", "Conditions"], "nodes"),
    (&["Roles", "Unschedulable"], "nodes"),
    (&["StrategyType", "Replicas"], "deployments"),
    (&["OldReplicaSets"], "deployments"),
    (&["Update Strategy", "Replicas"], "statefulsets"),
    (&["Volume Claims", "Pod Template"], "statefulsets"),
    (&["Desired Number of Nodes Scheduled"], "daemonsets"),
    (&["Parallelism", "Completions"], "jobs"),
    (&["Schedule", "Concurrency Policy"], "cronjobs"),
    (&["Replicas", "Pods Status"], "replicasets"),
    (&["Rules", "Default backend"], "ingresses"),
    (&["Rules", "Ingress Class"], "ingresses"),
    (&["IsDefaultClass", "Provisioner"], "storageclasses"),
    (&["StorageClass", "Reclaim Policy"], "persistentvolumes"),
    (&["StorageClass", "VolumeMode"], "persistentvolumeclaims"),
    (&["Type", "Session Affinity"], "services"),
    (&["Subsets"], "endpoints"),
    (&["Metrics", "Min replicas"], "horizontalpodautoscalers"),
    (&["Data", "BinaryData"], "configmaps"),
    (&["Resource Quotas"], "namespaces"),
    (&["No resource quota."], "namespaces"),
];

/// All objects of a text and the events shown with them. `base` is added to all offsets; `default` is the kind that
/// the command or the path names.
pub(super) fn objects(text: &str, base: usize, default: Option<&Resource>) -> Vec<Found> {
    let mut found = Vec::new();
    for described in describe::parse(text, base) {
        let fields = &described.fields;
        let Some(name) = fields.value_of("Name").map(str::to_owned) else { continue };
        let has = |keys: &[&str]| keys.iter().all(|key| fields.child(key).is_some());
        let known = SIGNATURES.iter().find(|(keys, _)| has(keys)).map(|(_, plural)| *plural);
        let kind_field = fields.value_of("Kind").filter(|_| fields.child("API Version").is_some());
        let resource = known
            .and_then(kinds::of_name)
            .or_else(|| Some(kinds::of_kind(fields.value_of("API Version").unwrap_or_default(), kind_field?)))
            .or_else(|| default.cloned());
        let Some(resource) = resource else { continue };
        let namespace = fields.value_of("Namespace").map(str::to_owned);
        let mut value = json!({"metadata": meta(fields, &name, namespace.as_deref())});
        if let Some(kind) = resource.kind.or(kind_field) {
            value["kind"] = kind.into();
        }
        fill(&resource.collection, &described, &mut value);
        let kind = resource.kind.unwrap_or_default();
        events(&described, kind, &name, namespace.as_deref(), &mut found);
        // What an event says is on the line of its message.
        let says = fields.child("Message").filter(|_| resource.collection == "events");
        let offset = says.map_or(fields.offset, |line| line.offset);
        found.push(partial(&resource.collection, value, offset));
    }
    found
}

fn meta(fields: &Node, name: &str, namespace: Option<&str>) -> Value {
    let mut meta = Map::new();
    meta.insert("name".into(), name.into());
    if let Some(namespace) = namespace {
        meta.insert("namespace".into(), namespace.into());
    }
    for (key, field, separator) in [("Labels", "labels", "="), ("Annotations", "annotations", ": ")] {
        let pairs = pairs_of(fields.child(key), separator);
        if !pairs.is_empty() {
            meta.insert(field.into(), pairs.into());
        }
    }
    if let Some(time) = fields.value_of("CreationTimestamp").and_then(time) {
        meta.insert("creationTimestamp".into(), time.into());
    }
    if let Some((kind, name)) = fields.value_of("Controlled By").and_then(|owner| owner.split_once('/')) {
        meta.insert("ownerReferences".into(), json!([{"kind": kind, "name": name, "controller": true}]));
    }
    Value::Object(meta)
}

fn pairs_of(node: Option<&Node>, separator: &str) -> Map<String, Value> {
    node.map_or(&[][..], |node| &node.values)
        .iter()
        .filter_map(|pair| pair.split_once(separator))
        .map(|(key, value)| (key.trim().to_owned(), value.trim().into()))
        .collect()
}

fn fill(collection: &str, described: &Described, value: &mut Value) {
    let fields = &described.fields;
    match collection {
        "pods" => pod(described, value),
        "nodes" => node(described, value),
        "deployments" | "replicasets" | "statefulsets" => {
            let replicas = fields.value_of("Replicas").unwrap_or_default();
            for (word, place) in [
                ("desired", ["spec", "replicas"]),
                ("updated", ["status", "updatedReplicas"]),
                ("total", ["status", "replicas"]),
                ("current", ["status", "replicas"]),
                ("available", ["status", "availableReplicas"]),
                ("unavailable", ["status", "unavailableReplicas"]),
            ] {
                put(value, &place, number_before(replicas, word));
            }
            if collection == "statefulsets" {
                put(
                    value,
                    &["status", "readyReplicas"],
                    number_before(fields.value_of("Pods Status").unwrap_or_default(), "Running"),
                );
            }
            conditions(described, value);
        }
        "daemonsets" => {
            put(
                value,
                &["status", "desiredNumberScheduled"],
                number(fields, "Desired Number of Nodes Scheduled"),
            );
            put(
                value,
                &["status", "currentNumberScheduled"],
                number(fields, "Current Number of Nodes Scheduled"),
            );
            put(
                value,
                &["status", "numberAvailable"],
                number(fields, "Number of Nodes Scheduled with Available Pods"),
            );
            put(value, &["status", "numberMisscheduled"], number(fields, "Number of Nodes Misscheduled"));
        }
        "jobs" => {
            put(value, &["spec", "parallelism"], number(fields, "Parallelism"));
            put(value, &["spec", "completions"], number(fields, "Completions"));
            put(value, &["spec", "backoffLimit"], number(fields, "Backoff Limit"));
            put(value, &["status", "startTime"], fields.value_of("Start Time").and_then(time));
            let statuses = fields.value_of("Pods Statuses").unwrap_or_default();
            put(value, &["status", "active"], number_before(statuses, "Active"));
            put(value, &["status", "succeeded"], number_before(statuses, "Succeeded"));
            put(value, &["status", "failed"], number_before(statuses, "Failed"));
        }
        "persistentvolumeclaims" => {
            put(value, &["status", "phase"], fields.value_of("Status"));
            put(value, &["spec", "storageClassName"], value_or_none(fields, "StorageClass"));
            put(value, &["spec", "volumeName"], value_or_none(fields, "Volume"));
            put(value, &["status", "capacity", "storage"], fields.value_of("Capacity"));
        }
        "persistentvolumes" => {
            put(value, &["status", "phase"], fields.value_of("Status"));
            put(value, &["status", "message"], fields.value_of("Message"));
            put(value, &["spec", "storageClassName"], value_or_none(fields, "StorageClass"));
            put(value, &["spec", "persistentVolumeReclaimPolicy"], fields.value_of("Reclaim Policy"));
            put(value, &["spec", "capacity", "storage"], fields.value_of("Capacity"));
            if let Some((namespace, name)) = fields.value_of("Claim").and_then(|claim| claim.split_once('/'))
            {
                value["spec"]["claimRef"] = json!({"namespace": namespace, "name": name});
            }
        }
        "storageclasses" => {
            put(value, &["provisioner"], fields.value_of("Provisioner"));
            put(value, &["reclaimPolicy"], fields.value_of("ReclaimPolicy"));
            put(value, &["volumeBindingMode"], fields.value_of("VolumeBindingMode"));
        }
        "services" => {
            put(value, &["spec", "type"], fields.value_of("Type"));
            put(value, &["spec", "clusterIP"], fields.value_of("IP"));
            let selector = fields.value_of("Selector").map(super::rows::pairs);
            put(value, &["spec", "selector"], selector);
        }
        "ingresses" => put(value, &["spec", "ingressClassName"], fields.value_of("Ingress Class")),
        "namespaces" => put(value, &["status", "phase"], fields.value_of("Status")),
        "endpoints" => endpoints(fields, value),
        "events" => event(fields, value),
        _ => {}
    }
}

/// The value, or an empty text where the description says that there is none.
fn value_or_none<'f>(fields: &'f Node, key: &str) -> Option<&'f str> {
    fields.child(key).map(|child| child.value().unwrap_or_default())
}

/// Addresses of each subset, which is printed as one more level.
fn endpoints(fields: &Node, value: &mut Value) {
    let Some(printed) = fields.child("Subsets") else { return };
    let of = |key: &str| -> Vec<Value> {
        let lines = printed.children.iter().filter(|child| child.key == key).filter_map(Node::value);
        lines.flat_map(|line| line.split(',')).map(|ip| json!({ "ip": ip.trim() })).collect()
    };
    let mut subset = json!({});
    for (key, field) in [("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")] {
        let addresses = of(key);
        if !addresses.is_empty() {
            subset[field] = addresses.into();
        }
    }
    let empty = subset.as_object().is_none_or(Map::is_empty);
    value["subsets"] = if empty { json!([]) } else { json!([subset]) };
}

/// `kubectl describe events`
fn event(fields: &Node, value: &mut Value) {
    for (key, place) in [
        ("Reason", &["reason"][..]),
        ("Message", &["message"]),
        ("Type", &["type"]),
        ("First Timestamp", &["firstTimestamp"]),
        ("Last Timestamp", &["lastTimestamp"]),
        ("Event Time", &["eventTime"]),
    ] {
        put(value, place, fields.value_of(key));
    }
    put(value, &["count"], number(fields, "Count"));
    if let Some(about) = fields.child("Involved Object") {
        for (key, field) in
            [("Kind", "kind"), ("Name", "name"), ("Namespace", "namespace"), ("Field Path", "fieldPath")]
        {
            put(value, &["involvedObject", field], about.value_of(key));
        }
    }
    if let Some(source) = fields.child("Source") {
        put(value, &["source", "component"], source.value_of("Component"));
        put(value, &["source", "host"], source.value_of("Host"));
    }
}

/// Sets a field, if there is something to set.
fn put(value: &mut Value, keys: &[&str], content: Option<impl Into<Value>>) {
    let Some(content) = content else { return };
    let mut place = value;
    for key in keys {
        place = &mut place[*key];
    }
    *place = content.into();
}

fn number(fields: &Node, key: &str) -> Option<i64> {
    fields.value_of(key)?.split_whitespace().next()?.parse().ok()
}

/// 2 for `updated` in `1 desired | 2 updated`.
fn number_before(text: &str, word: &str) -> Option<i64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse().ok())
}

/// `Mon, 27 Jan 2025 07:27:45 +0100` in RFC 3339.
fn time(text: &str) -> Option<String> {
    let time = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(time.timestamp().to_string())
}

fn pod(described: &Described, value: &mut Value) {
    let fields = &described.fields;
    let status = fields.value_of("Status").unwrap_or_default();
    if status.starts_with("Terminating") {
        // The time itself is not shown; that there is one is what matters.
        value["metadata"]["deletionGracePeriodSeconds"] = fields
            .value_of("Termination Grace Period")
            .and_then(|text| text.trim_end_matches('s').parse::<i64>().ok())
            .into();
    } else {
        put(value, &["status", "phase"], (!status.is_empty()).then_some(status));
    }
    put(value, &["status", "reason"], fields.value_of("Reason"));
    put(value, &["status", "message"], fields.value_of("Message"));
    put(value, &["status", "podIP"], fields.value_of("IP"));
    put(value, &["status", "qosClass"], fields.value_of("QoS Class"));
    put(value, &["status", "startTime"], fields.value_of("Start Time").and_then(time));
    put(value, &["spec", "serviceAccountName"], fields.value_of("Service Account"));
    put(value, &["spec", "priorityClassName"], fields.value_of("Priority Class Name"));
    if let Some((node, address)) =
        value_or_none(fields, "Node").map(|node| node.split_once('/').unwrap_or((node, "")))
    {
        put(value, &["spec", "nodeName"], Some(node));
        put(value, &["status", "hostIP"], (!address.is_empty()).then_some(address));
    }
    let selector = pairs_of(fields.child("Node-Selectors"), "=");
    if !selector.is_empty() {
        value["spec"]["nodeSelector"] = selector.into();
    }
    for (section, spec, status) in [
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
    ] {
        let Some(section) = fields.child(section) else { continue };
        let (specs, statuses): (Vec<Value>, Vec<Value>) = section.children.iter().map(container).unzip();
        value["spec"][spec] = specs.into();
        value["status"][status] = statuses.into();
    }
    let volumes: Vec<Value> =
        fields.child("Volumes").map_or(&[][..], |node| &node.children).iter().map(volume).collect();
    if !volumes.is_empty() {
        value["spec"]["volumes"] = volumes.into();
    }
    conditions(described, value);
}

/// A container as (spec, status).
fn container(node: &Node) -> (Value, Value) {
    let mut spec = json!({"name": node.key});
    put(&mut spec, &["image"], node.value_of("Image"));
    for (section, field) in [("Limits", "limits"), ("Requests", "requests")] {
        let amounts: Map<String, Value> = node
            .child(section)
            .map_or(&[][..], |section| &section.children)
            .iter()
            .filter_map(|amount| Some((amount.key.clone(), amount.value()?.into())))
            .collect();
        if !amounts.is_empty() {
            spec["resources"][field] = amounts.into();
        }
    }
    let mut status = json!({"name": node.key});
    put(&mut status, &["image"], node.value_of("Image"));
    put(&mut status, &["imageID"], node.value_of("Image ID"));
    put(&mut status, &["ready"], node.value_of("Ready").map(|ready| ready == "True"));
    put(&mut status, &["restartCount"], number(node, "Restart Count"));
    put(&mut status, &["state"], node.child("State").and_then(state));
    put(&mut status, &["lastState"], node.child("Last State").and_then(state));
    (spec, status)
}

fn state(node: &Node) -> Option<Value> {
    let mut inner = json!({});
    put(&mut inner, &["reason"], node.value_of("Reason"));
    put(&mut inner, &["message"], node.value_of("Message"));
    put(&mut inner, &["exitCode"], number(node, "Exit Code"));
    put(&mut inner, &["signal"], number(node, "Signal"));
    put(&mut inner, &["startedAt"], node.value_of("Started").and_then(time));
    put(&mut inner, &["finishedAt"], node.value_of("Finished").and_then(time));
    match node.value()? {
        "Waiting" => Some(json!({ "waiting": inner })),
        "Running" => Some(json!({ "running": inner })),
        "Terminated" => Some(json!({ "terminated": inner })),
        _ => None,
    }
}

fn volume(node: &Node) -> Value {
    let mut volume = json!({"name": node.key});
    let kind = node.value_of("Type").unwrap_or_default().split(' ').next().unwrap_or_default();
    match kind {
        "PersistentVolumeClaim" => {
            put(&mut volume, &["persistentVolumeClaim", "claimName"], node.value_of("ClaimName"))
        }
        "ConfigMap" => put(&mut volume, &["configMap", "name"], node.value_of("Name")),
        "Secret" => put(&mut volume, &["secret", "secretName"], node.value_of("SecretName")),
        "HostPath" => put(&mut volume, &["hostPath", "path"], node.value_of("Path")),
        "NFS" => put(&mut volume, &["nfs", "server"], node.value_of("Server")),
        _ => {}
    }
    volume
}

fn node(described: &Described, value: &mut Value) {
    let fields = &described.fields;
    put(
        value,
        &["spec", "unschedulable"],
        fields.value_of("Unschedulable").filter(|text| *text == "true").map(|_| true),
    );
    put(value, &["spec", "podCIDR"], fields.value_of("PodCIDR"));
    let taints: Vec<Value> = fields
        .child("Taints")
        .map_or(&[][..], |node| &node.values)
        .iter()
        .filter_map(|taint| {
            let (pair, effect) = taint.rsplit_once(':')?;
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some(json!({"key": key, "value": value, "effect": effect}))
        })
        .collect();
    if !taints.is_empty() {
        value["spec"]["taints"] = taints.into();
    }
    if let Some(info) = fields.child("System Info") {
        for (key, field) in [
            ("Kernel Version", "kernelVersion"),
            ("OS Image", "osImage"),
            ("Container Runtime Version", "containerRuntimeVersion"),
            ("Kubelet Version", "kubeletVersion"),
            ("Architecture", "architecture"),
        ] {
            put(value, &["status", "nodeInfo", field], info.value_of(key));
        }
    }
    for (key, field) in [("Capacity", "capacity"), ("Allocatable", "allocatable")] {
        for amount in fields.child(key).map_or(&[][..], |node| &node.children) {
            put(value, &["status", field, &amount.key], amount.value());
        }
    }
    let addresses: Vec<Value> = fields
        .child("Addresses")
        .map_or(&[][..], |node| &node.children)
        .iter()
        .filter_map(|address| Some(json!({"type": address.key, "address": address.value()?})))
        .collect();
    if !addresses.is_empty() {
        value["status"]["addresses"] = addresses.into();
    }
    conditions(described, value);
}

fn conditions(described: &Described, value: &mut Value) {
    let conditions: Vec<Value> = described
        .table("Conditions")
        .into_iter()
        .map(|(_, cells)| {
            let mut condition = json!({});
            for (column, cell) in cells.into_iter().filter(|(_, cell)| !cell.is_empty()) {
                let (key, cell) = match column.as_str() {
                    "Type" => ("type", Some(cell)),
                    "Status" => ("status", Some(cell)),
                    "Reason" => ("reason", Some(cell)),
                    "Message" => ("message", Some(cell)),
                    "LastHeartbeatTime" => ("lastHeartbeatTime", time(&cell)),
                    "LastTransitionTime" => ("lastTransitionTime", time(&cell)),
                    _ => continue,
                };
                put(&mut condition, &[key], cell);
            }
            condition
        })
        .collect();
    if !conditions.is_empty() {
        value["status"]["conditions"] = conditions.into();
    }
}

fn events(described: &Described, kind: &str, name: &str, namespace: Option<&str>, found: &mut Vec<Found>) {
    for (offset, cells) in described.table("Events") {
        let cell =
            |name: &str| cells.iter().find(|(column, _)| column == name).map(|(_, cell)| cell.as_str());
        let (Some(reason), Some(message)) = (cell("Reason"), cell("Message")) else { continue };
        let mut event = json!({
            "kind": "Event",
            "type": cell("Type").unwrap_or_default(),
            "reason": reason,
            "message": message,
            "involvedObject": {"kind": kind, "name": name},
            "metadata": {},
        });
        put(&mut event, &["involvedObject", "namespace"], namespace);
        put(&mut event, &["metadata", "namespace"], namespace);
        let source = cell("From").unwrap_or_default();
        put(
            &mut event,
            &["source", "component"],
            source.split(',').next().filter(|source| !source.is_empty()),
        );
        let count = cell("Age").and_then(times).or_else(|| cell("Count")?.parse().ok());
        put(&mut event, &["count"], Some(count.unwrap_or(1)));
        let (last, first) = cell("Age").map_or((None, None), moment::repeated);
        let ages = [("lastTimestamp", last), ("firstTimestamp", first)];
        let ages = ages.into_iter().filter_map(|(field, before)| Some(Age { field, before: before? }));
        found.push(Found { ages: ages.collect(), ..partial("events", event, offset) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_keeps_its_states_volumes_and_events() {
        let text = "\
Name:             web-0
Namespace:        a
Service Account:  default
Node:             node-1/172.18.0.3
Start Time:       Mon, 27 Jan 2025 07:27:45 +0100
Labels:           app=web
Annotations:      <none>
Status:           Pending
IP:               10.244.0.47
Controlled By:    StatefulSet/web
Containers:
  nginx:
    Image:          nginx:1
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Finished:     Mon, 27 Jan 2025 07:33:35 +0100
    Ready:          False
    Restart Count:  6
    Limits:
      memory:  64Mi
Conditions:
  Type           Status
  PodScheduled   True
Volumes:
  data:
    Type:       PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)
    ClaimName:  data-web-0
QoS Class:      Burstable
Events:
  Type     Reason   Age                   From     Message
  ----     ------   ----                  ----     -------
  Warning  BackOff  2m38s (x26 over 7m)   kubelet  Back-off restarting failed container
";
        let found = objects(text, 0, None);
        assert_eq!(found.iter().map(|f| f.collection.as_str()).collect::<Vec<_>>(), ["events", "pods"]);
        let event = &found[0].value;
        assert_eq!((&event["count"], &event["involvedObject"]["kind"]), (&json!(26), &json!("Pod")));
        let pod = &found[1].value;
        let status = &pod["status"]["containerStatuses"][0];
        assert_eq!(status["state"]["waiting"]["reason"], "CrashLoopBackOff");
        assert_eq!(status["lastState"]["terminated"]["exitCode"], 137);
        assert_eq!(status["lastState"]["terminated"]["finishedAt"], "2025-01-27T06:33:35Z");
        assert_eq!((&status["ready"], &status["restartCount"]), (&json!(false), &json!(6)));
        assert_eq!(pod["spec"]["containers"][0]["resources"]["limits"]["memory"], "64Mi");
        assert_eq!(pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"], "data-web-0");
        assert_eq!(pod["status"]["conditions"][0], json!({"type": "PodScheduled", "status": "True"}));
        assert_eq!(pod["spec"]["nodeName"], "node-1");
        assert_eq!(pod["metadata"]["ownerReferences"][0]["kind"], "StatefulSet");
    }
}
