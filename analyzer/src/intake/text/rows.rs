//! Rows of kubectl's tables as partial objects: the fields that the columns show, where the API has them.

use serde_json::{Map, Value, json};

use super::columns::{Row, Table};
use crate::intake::kinds::{self, Resource};
use crate::intake::moment::{self, Age};

/// Columns that only one resource has. The first line whose columns are all there decides.
const SIGNATURES: &[(&[&str], &str)] = &[
    (&["LAST SEEN", "REASON", "OBJECT", "MESSAGE"], "events"),
    // As kubectl printed them before 1.14.
    (&["LAST SEEN", "COUNT", "KIND", "REASON", "MESSAGE"], "events"),
    (&["READY", "STATUS", "RESTARTS"], "pods"),
    (&["STATUS", "ROLES", "VERSION"], "nodes"),
    (&["TYPE", "CLUSTER-IP"], "services"),
    (&["DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE"], "daemonsets"),
    (&["READY", "UP-TO-DATE", "AVAILABLE"], "deployments"),
    (&["DESIRED", "CURRENT", "UP-TO-DATE", "AVAILABLE"], "deployments"),
    (&["DESIRED", "CURRENT", "READY"], "replicasets"),
    (&["READY", "CONTAINERS", "IMAGES"], "statefulsets"),
    (&["SCHEDULE", "SUSPEND"], "cronjobs"),
    (&["COMPLETIONS", "DURATION"], "jobs"),
    (&["RECLAIM POLICY", "CLAIM"], "persistentvolumes"),
    (&["RECLAIMPOLICY", "CLAIM"], "persistentvolumes"),
    (&["STATUS", "VOLUME", "CAPACITY"], "persistentvolumeclaims"),
    (&["PROVISIONER", "AGE"], "storageclasses"),
    (&["PROVISIONER"], "storageclasses"),
    (&["CLASS", "HOSTS"], "ingresses"),
    (&["HOSTS", "ADDRESS", "PORTS"], "ingresses"),
    (&["ENDPOINTS", "AGE"], "endpoints"),
    (&["REFERENCE", "TARGETS"], "horizontalpodautoscalers"),
    (&["DATA", "TYPE"], "secrets"),
    (&["DATA", "AGE"], "configmaps"),
];

/// What the columns alone tell.
pub(super) fn resource_of_header(table: &Table) -> Option<Resource> {
    if table.columns.iter().any(|column| column.starts_with("CPU(") || column == "CPU%") {
        return None;
    }
    let known = SIGNATURES.iter().find(|(columns, _)| table.has(columns)).map(|(_, plural)| *plural);
    let known = known.or_else(|| {
        let names: Vec<&str> = table.columns.iter().map(String::as_str).collect();
        (names == ["NAME", "STATUS", "AGE"]).then_some("namespaces")
    });
    known.and_then(kinds::of_name)
}

/// The object of a row. `default` is what was asked for, `namespace` where.
pub(super) fn object(
    table: &Table,
    row: &Row,
    default: Option<&Resource>,
    namespace: Option<&str>,
) -> Option<(Resource, Value)> {
    let by_header = resource_of_header(table);
    if by_header.as_ref().is_some_and(|resource| resource.collection == "events") {
        return event(table, row, namespace).map(|value| (by_header.expect("it was just seen"), value));
    }
    // `kubectl get all` and several resources at once print `pod/name`; trees draw branches before it.
    let printed = table.cell(row, "NAME")?.trim_start_matches(['├', '└', '│', '─', ' ']);
    let (resource, name) = match printed.split_once('/') {
        Some((kind, name)) => (kinds::of_name(kind)?, name),
        None => (by_header.or_else(|| default.cloned())?, printed),
    };
    let name = name.trim_end_matches(" (default)");
    // Lines that a terminal wrapped, and whatever else stands between rows, have no such name.
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "-._:@".contains(c)) {
        return None;
    }
    let mut meta = Map::new();
    meta.insert("name".into(), name.into());
    let namespace = table.cell(row, "NAMESPACE").or(namespace).filter(|_| resource.namespaced != Some(false));
    if let Some(namespace) = namespace {
        meta.insert("namespace".into(), namespace.into());
    }
    if let Some(labels) = table.cell(row, "LABELS") {
        meta.insert("labels".into(), pairs(labels));
    }
    let mut value = json!({ "metadata": meta });
    if let Some(kind) = resource.kind {
        value["kind"] = kind.into();
    }
    fill(&resource.collection, &Cells { table, row }, &mut value);
    Some((resource, value))
}

/// What the row gives as an age.
pub(super) fn ages(table: &Table, row: &Row, collection: &str, value: &Value) -> Vec<Age> {
    let cells = Cells { table, row };
    let age = |field, column: &str| Age::of(field, cells.text(column)?);
    let mut ages = Vec::new();
    if collection == "events" {
        let (last, first) = cells.text("LAST SEEN").map_or((None, None), moment::repeated);
        ages.extend(last.map(|before| Age { field: "lastTimestamp", before }));
        ages.extend(age("firstTimestamp", "FIRST SEEN"));
        if ages.len() < 2 {
            ages.extend(first.map(|before| Age { field: "firstTimestamp", before }));
        }
        return ages;
    }
    ages.extend(age("metadata/creationTimestamp", "AGE"));
    let (_, restarted) = cells.text("RESTARTS").map_or((None, None), moment::repeated);
    if let Some(before) = restarted.filter(|_| collection == "pods") {
        // The table does not say which container it was: the one that its state is told of.
        let initial = value.pointer("/status/initContainerStatuses/0/restartCount").is_some();
        let field = if initial {
            "status/initContainerStatuses/0/lastState/terminated/finishedAt"
        } else {
            "status/containerStatuses/0/lastState/terminated/finishedAt"
        };
        ages.push(Age { field, before });
    }
    ages
}

/// Cells of one row by column.
struct Cells<'a> {
    table: &'a Table,
    row: &'a Row,
}

impl<'a> Cells<'a> {
    fn text(&self, column: &str) -> Option<&'a str> {
        self.table.cell(self.row, column)
    }

    /// The same, and an empty text where the table says that there is nothing.
    fn text_or_none(&self, column: &str) -> Option<&'a str> {
        self.text(column).or_else(|| self.table.is_empty(self.row, column).then_some(""))
    }

    fn number(&self, column: &str) -> Option<i64> {
        self.text(column)?.split_whitespace().next()?.parse().ok()
    }

    /// `1/2`
    fn ratio(&self, column: &str) -> Option<(i64, i64)> {
        let (ready, all) = self.text(column)?.split_once('/')?;
        Some((ready.parse().ok()?, all.parse().ok()?))
    }
}

fn fill(collection: &str, cells: &Cells, value: &mut Value) {
    match collection {
        "pods" => pod(cells, value),
        "nodes" => node(cells, value),
        "namespaces" => set(value, "/status/phase", cells.text("STATUS")),
        "deployments" | "statefulsets" => {
            if let Some((ready, wanted)) = cells.ratio("READY") {
                set(value, "/status/readyReplicas", Some(ready));
                set(value, "/spec/replicas", Some(wanted));
            }
            set(value, "/spec/replicas", cells.number("DESIRED"));
            set(value, "/status/replicas", cells.number("CURRENT"));
            set(value, "/status/updatedReplicas", cells.number("UP-TO-DATE"));
            set(value, "/status/availableReplicas", cells.number("AVAILABLE"));
        }
        "replicasets" => {
            if let Some((ready, wanted)) = cells.ratio("READY") {
                set(value, "/status/readyReplicas", Some(ready));
                set(value, "/spec/replicas", Some(wanted));
            } else {
                set(value, "/status/readyReplicas", cells.number("READY"));
            }
            set(value, "/spec/replicas", cells.number("DESIRED"));
            set(value, "/status/replicas", cells.number("CURRENT"));
        }
        "daemonsets" => {
            set(value, "/status/desiredNumberScheduled", cells.number("DESIRED"));
            set(value, "/status/currentNumberScheduled", cells.number("CURRENT"));
            set(value, "/status/numberReady", cells.number("READY"));
            set(value, "/status/updatedNumberScheduled", cells.number("UP-TO-DATE"));
            set(value, "/status/numberAvailable", cells.number("AVAILABLE"));
        }
        "jobs" => {
            if let Some((done, wanted)) = cells.ratio("COMPLETIONS") {
                set(value, "/status/succeeded", Some(done));
                set(value, "/spec/completions", Some(wanted));
            }
            if let Some(state @ ("Complete" | "Failed")) = cells.text("STATUS") {
                value["status"]["conditions"] = json!([{"type": state, "status": "True"}]);
            }
        }
        "cronjobs" => {
            set(value, "/spec/schedule", cells.text("SCHEDULE"));
            set(value, "/spec/suspend", cells.text("SUSPEND").map(|text| text.eq_ignore_ascii_case("true")));
        }
        "services" => {
            set(value, "/spec/type", cells.text("TYPE"));
            set(value, "/spec/clusterIP", cells.text("CLUSTER-IP"));
            if let Some(selector) = cells.text("SELECTOR") {
                set(value, "/spec/selector", Some(pairs(selector)));
            }
        }
        "endpoints" => endpoints(cells, value),
        "persistentvolumeclaims" => {
            set(value, "/status/phase", cells.text("STATUS"));
            set(value, "/spec/volumeName", cells.text_or_none("VOLUME"));
            set(value, "/spec/storageClassName", cells.text_or_none("STORAGECLASS"));
            set(value, "/status/capacity/storage", cells.text("CAPACITY"));
        }
        "persistentvolumes" => {
            set(value, "/status/phase", cells.text("STATUS"));
            set(value, "/status/reason", cells.text("REASON"));
            set(value, "/spec/capacity/storage", cells.text("CAPACITY"));
            set(value, "/spec/storageClassName", cells.text_or_none("STORAGECLASS"));
            set(value, "/spec/persistentVolumeReclaimPolicy", cells.text("RECLAIM POLICY"));
            if let Some((namespace, name)) = cells.text("CLAIM").and_then(|claim| claim.split_once('/')) {
                value["spec"]["claimRef"] = json!({"namespace": namespace, "name": name});
            }
        }
        "storageclasses" => {
            set(value, "/provisioner", cells.text("PROVISIONER"));
            set(value, "/reclaimPolicy", cells.text("RECLAIMPOLICY"));
            set(value, "/volumeBindingMode", cells.text("VOLUMEBINDINGMODE"));
            if cells.text("NAME").is_some_and(|name| name.ends_with(" (default)")) {
                value["metadata"]["annotations"] =
                    json!({"storageclass.kubernetes.io/is-default-class": "true"});
            }
        }
        // In a tree an event's state is its reason and message.
        "events" => {
            if let Some((reason, message)) = cells.text("STATUS").and_then(|status| status.split_once(": ")) {
                set(value, "/reason", Some(reason));
                set(value, "/message", Some(message));
            }
        }
        "ingresses" => {
            set(value, "/spec/ingressClassName", cells.text("CLASS"));
            if let Some(hosts) = cells.text("HOSTS").filter(|hosts| *hosts != "*") {
                let rules: Vec<Value> = hosts.split(',').map(|host| json!({ "host": host })).collect();
                value["spec"]["rules"] = rules.into();
            }
            if let Some(address) = cells.text("ADDRESS") {
                let all: Vec<Value> = address.split(',').map(|ip| json!({ "ip": ip })).collect();
                value["status"]["loadBalancer"]["ingress"] = all.into();
            }
        }
        _ => {}
    }
}

/// Sets the field at a pointer of at most three plain keys, if there is something to set.
fn set(value: &mut Value, pointer: &str, content: Option<impl Into<Value>>) {
    let Some(content) = content else { return };
    let mut place = value;
    for key in pointer.split('/').skip(1) {
        place = &mut place[key];
    }
    *place = content.into();
}

/// `a=1,b=2`
pub(super) fn pairs(text: &str) -> Value {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), Value::from(value.trim())))
        .collect::<Map<_, _>>()
        .into()
}

/// What the STATUS column says, taken apart into phase and reason as kubectl had put them together.
fn pod(cells: &Cells, value: &mut Value) {
    set(value, "/spec/nodeName", cells.text_or_none("NODE"));
    set(value, "/status/podIP", cells.text("IP"));
    let printed = cells.text("STATUS").unwrap_or_default();
    let (initial, reason) = match printed.strip_prefix("Init:") {
        Some(reason) => (true, reason),
        None => (false, printed),
    };
    let phase = match reason {
        "Running" | "NotReady" => Some("Running"),
        "Completed" | "Succeeded" if !initial => Some("Succeeded"),
        "Evicted" | "Failed" => Some("Failed"),
        "Unknown" => Some("Unknown"),
        "Pending"
        | "ContainerCreating"
        | "PodInitializing"
        | "ErrImagePull"
        | "ImagePullBackOff"
        | "CreateContainerConfigError"
        | "InvalidImageName"
        | "SchedulingGated" => Some("Pending"),
        _ if initial => Some("Pending"),
        _ => None,
    };
    set(value, "/status/phase", phase);
    if reason == "Evicted" {
        set(value, "/status/reason", Some("Evicted"));
    }
    let waiting = [
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "InvalidImageName",
        "ContainerCreating",
        "PodInitializing",
        "ErrImageNeverPull",
    ];
    let ended = ["Error", "OOMKilled", "Completed", "ContainerCannotRun", "DeadlineExceeded", "StartError"];
    // So it is printed when no container waits for a reason or has ended.
    let running = printed == "Running";
    let state = if running {
        Some(json!({"running": {}}))
    } else if waiting.contains(&reason) {
        Some(json!({"waiting": {"reason": reason}}))
    } else if ended.contains(&reason) {
        Some(json!({"terminated": {"reason": reason}}))
    } else {
        None
    };
    let Some((ready, all)) = cells.ratio("READY") else { return };
    let restarts = cells.number("RESTARTS");
    // Which container it is, the table does not say: the first that is not ready stands for it.
    let statuses: Vec<Value> = (0..all.clamp(0, 64))
        .map(|at| {
            let mut status = json!({"ready": at >= all - ready});
            if at == 0 && !initial {
                set(&mut status, "/restartCount", restarts);
            }
            if (at == 0 || running) && !initial {
                set(&mut status, "/state", state.clone());
            }
            status
        })
        .collect();
    if initial {
        let mut status = json!({"ready": false});
        set(&mut status, "/restartCount", restarts);
        set(&mut status, "/state", state);
        value["status"]["initContainerStatuses"] = json!([status]);
    }
    value["status"]["containerStatuses"] = statuses.into();
}

fn node(cells: &Cells, value: &mut Value) {
    let states: Vec<&str> = cells.text("STATUS").unwrap_or_default().split(',').collect();
    let ready = if states.contains(&"Ready") {
        Some("True")
    } else {
        states.contains(&"NotReady").then_some("False")
    };
    if let Some(status) = ready {
        value["status"]["conditions"] = json!([{"type": "Ready", "status": status}]);
    }
    if states.contains(&"SchedulingDisabled") {
        set(value, "/spec/unschedulable", Some(true));
    }
    set(value, "/status/nodeInfo/kubeletVersion", cells.text("VERSION"));
    set(value, "/status/nodeInfo/osImage", cells.text("OS-IMAGE"));
    set(value, "/status/nodeInfo/kernelVersion", cells.text("KERNEL-VERSION"));
    set(value, "/status/nodeInfo/containerRuntimeVersion", cells.text("CONTAINER-RUNTIME"));
    if let Some(address) = cells.text("INTERNAL-IP") {
        value["status"]["addresses"] = json!([{"type": "InternalIP", "address": address}]);
    }
    for role in cells.text("ROLES").unwrap_or_default().split(',').filter(|role| !role.is_empty()) {
        value["metadata"]["labels"][format!("node-role.kubernetes.io/{role}")] = "".into();
    }
}

fn endpoints(cells: &Cells, value: &mut Value) {
    let listed = cells.text("ENDPOINTS").unwrap_or_default();
    let addresses: Vec<Value> = listed
        .split(',')
        .filter_map(|address| address.split_whitespace().next())
        .filter_map(|address| address.rsplit_once(':'))
        .map(|(ip, _)| json!({ "ip": ip }))
        .collect();
    value["subsets"] = if addresses.is_empty() { json!([]) } else { json!([{"addresses": addresses}]) };
}

fn event(table: &Table, row: &Row, namespace: Option<&str>) -> Option<Value> {
    let cells = Cells { table, row };
    let (kind, name) = match cells.text("OBJECT") {
        Some(object) => object.split_once('/')?,
        // An event is named after its object.
        None => (cells.text("KIND")?, cells.text("NAME")?.rsplit_once('.')?.0),
    };
    let kind = kinds::of_name(kind).and_then(|resource| resource.kind).unwrap_or(kind);
    let mut value = json!({
        "kind": "Event",
        "reason": cells.text("REASON").unwrap_or_default(),
        "message": cells.text("MESSAGE").unwrap_or_default(),
        "type": cells.text("TYPE").unwrap_or_default(),
        "involvedObject": {"kind": kind, "name": name},
        "metadata": {},
    });
    if let Some(namespace) = cells.text("NAMESPACE").or(namespace) {
        value["metadata"]["namespace"] = namespace.into();
        value["involvedObject"]["namespace"] = namespace.into();
    }
    set(&mut value, "/metadata/name", cells.text("NAME"));
    set(
        &mut value,
        "/source/component",
        cells.text("SOURCE").map(|source| source.split(',').next().unwrap_or(source)),
    );
    set(&mut value, "/count", cells.text("LAST SEEN").and_then(times).or_else(|| cells.number("COUNT")));
    Some(value)
}

/// How often, in `2m38s (x26 over 7m37s)`.
pub(super) fn times(age: &str) -> Option<i64> {
    let (_, rest) = age.split_once("(x")?;
    rest.split([' ', ')']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::columns;
    use super::*;

    fn objects(text: &str, default: Option<&str>, namespace: Option<&str>) -> Vec<(String, Value)> {
        let table = columns::read(text).unwrap();
        let default = default.and_then(kinds::of_name);
        let all = table.rows.iter().filter_map(|row| object(&table, row, default.as_ref(), namespace));
        all.map(|(resource, value)| (resource.collection.into_owned(), value)).collect()
    }

    #[test]
    fn pods_get_phase_reason_and_restarts() {
        let text = "\
NAMESPACE   NAME    READY   STATUS                  RESTARTS       AGE   IP         NODE
a           web-0   0/1     CrashLoopBackOff        5 (3m ago)     2d    10.0.0.1   node-1
a           web-1   1/2     Running                 0              2d    <none>     node-1
a           web-2   0/1     Init:ImagePullBackOff   0              2d    <none>     <none>
";
        let pods = objects(text, None, None);
        let status = &pods[0].1["status"]["containerStatuses"][0];
        assert_eq!(pods[0].1["metadata"], json!({"name": "web-0", "namespace": "a"}));
        assert_eq!(status["state"]["waiting"]["reason"], "CrashLoopBackOff");
        assert_eq!((&status["restartCount"], &status["ready"]), (&json!(5), &json!(false)));
        assert_eq!(pods[0].1["spec"]["nodeName"], "node-1");
        let ready = |at: usize| pods[1].1["status"]["containerStatuses"][at]["ready"].clone();
        assert_eq!((ready(0), ready(1)), (json!(false), json!(true)));
        assert!(pods[1].1["status"]["containerStatuses"][0]["state"]["running"].is_object());
        assert_eq!(pods[2].1["status"]["phase"], "Pending");
        assert_eq!(
            pods[2].1["status"]["initContainerStatuses"][0]["state"]["waiting"]["reason"],
            "ImagePullBackOff"
        );
        assert_eq!(pods[2].1["spec"]["nodeName"], "");
    }

    #[test]
    fn the_command_tells_what_the_columns_cannot() {
        let text = "NAME   READY   AGE\nweb    1/2     2d\n";
        assert_eq!(objects(text, None, None), []);
        let sets = objects(text, Some("sts"), Some("a"));
        assert_eq!((sets[0].0.as_str(), &sets[0].1["spec"]["replicas"]), ("statefulsets", &json!(2)));
        assert_eq!(sets[0].1["metadata"]["namespace"], "a");
        let wide = "NAME   READY   AGE   CONTAINERS   IMAGES\nweb    1/2     2d    c            i:1\n";
        assert_eq!(objects(wide, None, None)[0].0, "statefulsets");
    }

    #[test]
    fn events_name_their_object_and_count() {
        let text = "\
LAST SEEN                TYPE      REASON    OBJECT      MESSAGE
2m38s (x26 over 7m37s)   Warning   BackOff   pod/web-0   Back-off restarting failed container
";
        let events = objects(text, None, Some("a"));
        assert_eq!(events[0].0, "events");
        let event = &events[0].1;
        assert_eq!((&event["count"], &event["reason"]), (&json!(26), &json!("BackOff")));
        assert_eq!(event["involvedObject"], json!({"kind": "Pod", "name": "web-0", "namespace": "a"}));
        assert_eq!(event["message"], "Back-off restarting failed container");
    }

    #[test]
    fn events_of_old_programs_are_named_after_their_objects() {
        let text = "\
LASTSEEN   FIRSTSEEN   COUNT   NAME                     KIND   SUBOBJECT   TYPE      REASON    SOURCE         MESSAGE
2m         3m          7       web-0.15a4f7a7c6f2f7a1   Pod                Warning   BackOff   kubelet, n1    Back-off restarting failed container
";
        let event = &objects(text, None, Some("a"))[0].1;
        assert_eq!(event["involvedObject"], json!({"kind": "Pod", "name": "web-0", "namespace": "a"}));
        assert_eq!((&event["count"], &event["source"]["component"]), (&json!(7), &json!("kubelet")));
        assert_eq!(event["message"], "Back-off restarting failed container");
    }

    #[test]
    fn storage_and_nodes_are_read() {
        let claims = objects(
            "NAME   STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE\nredis  Pending                                      standard-v2    6m\n",
            None,
            Some("a"),
        );
        assert_eq!(
            (&claims[0].1["status"]["phase"], &claims[0].1["spec"]["storageClassName"]),
            (&json!("Pending"), &json!("standard-v2"))
        );
        assert_eq!(claims[0].1["spec"]["volumeName"], "");
        let nodes = objects(
            "NAME     STATUS                        ROLES    AGE   VERSION\nnode-1   NotReady,SchedulingDisabled   master   1d    v1.20.2\n",
            None,
            None,
        );
        assert_eq!(nodes[0].1["status"]["conditions"][0]["status"], "False");
        assert_eq!(nodes[0].1["spec"]["unschedulable"], true);
        let classes = objects(
            "NAME                   PROVISIONER   RECLAIMPOLICY\nlocal-path (default)   rancher.io    Delete\n",
            None,
            None,
        );
        assert_eq!(classes[0].1["metadata"]["name"], "local-path");
    }
}
