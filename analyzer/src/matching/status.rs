//! What the status of a pod says, in the words of the events that tell of the same: events are gone after an hour, and
//! people send the object alone.
//!
//! The kubelet writes one error to both places, with other words before it. Each message becomes a row as an event
//! would make one, so that a rule need not know both.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::past::Past;
use super::row::{Place, Row, named, shorten};
use crate::fields::str_at;
use crate::snapshot::{Object, Snapshot};

/// One row for each message that an event would tell.
pub fn rows(snapshot: &Snapshot, past: &Past<'_>) -> Vec<Arc<Row>> {
    let mut rows: Vec<Row> = snapshot.objects.of("pods").iter().flat_map(of_pod).collect();
    rows.iter_mut().for_each(|row| row.over = past.event(row));
    rows.into_iter().map(Arc::new).collect()
}

/// A message as an event would have it.
struct Told {
    reason: String,
    text: String,
    container: Option<String>,
    time: Option<String>,
}

fn of_pod(pod: &Object) -> Vec<Row> {
    let status = |pointer: &str| pod.value.pointer(pointer).and_then(Value::as_array);
    let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let containers = lists.iter().filter_map(|list| status(list)).flatten();
    let mut told: Vec<Told> = containers.flat_map(of_container).collect();
    told.extend(status("/status/conditions").into_iter().flatten().filter_map(of_condition));
    told.extend(of_phase(&pod.value));
    told.into_iter().filter_map(|told| row(pod, told)).collect()
}

/// Whether the reason of a state is told by an event, and with which words before the message.
fn of_container(status: &Value) -> Vec<Told> {
    let name = str_at(status, "/name").unwrap_or_default();
    let image = str_at(status, "/image").unwrap_or_default();
    let mut told = Vec::new();
    for state in ["/state/waiting", "/state/terminated", "/lastState/terminated"] {
        let (Some(reason), Some(message)) =
            (str_at(status, &format!("{state}/reason")), str_at(status, &format!("{state}/message")))
        else {
            continue;
        };
        let text = match reason {
            "ErrImagePull"
            | "ImagePullBackOff"
            | "InvalidImageName"
            | "ErrImageNeverPull"
            | "ImageInspectError"
            | "RegistryUnavailable"
            | "SignatureValidationFailed" => {
                if message.starts_with("Back-off pulling image") || message.contains("Failed to ") {
                    message.to_owned()
                } else {
                    format!("Failed to pull image \"{image}\": {message}")
                }
            }
            "CreateContainerConfigError"
            | "CreateContainerError"
            | "RunContainerError"
            | "PostStartHookError" => {
                format!("Error: {message}")
            }
            "StartError" | "ContainerCannotRun" => {
                format!("Error: failed to start container \"{name}\": {message}")
            }
            // The program's own last words (`terminationMessagePath`), and what says nothing new.
            _ => continue,
        };
        told.push(Told {
            reason: "Failed".to_owned(),
            text,
            container: Some(name.to_owned()),
            time: str_at(status, &format!("{state}/finishedAt")).map(str::to_owned),
        });
    }
    told
}

fn of_condition(condition: &Value) -> Option<Told> {
    let is_bad = str_at(condition, "/status") == Some("False");
    let reason = match (str_at(condition, "/type")?, str_at(condition, "/reason")) {
        ("PodScheduled", Some("Unschedulable")) if is_bad => "FailedScheduling",
        ("DisruptionTarget", Some(reason)) if !is_bad => reason,
        _ => return None,
    };
    Some(Told {
        reason: reason.to_owned(),
        text: str_at(condition, "/message")?.to_owned(),
        container: None,
        time: str_at(condition, "/lastTransitionTime").map(str::to_owned),
    })
}

/// A pod that the kubelet refused or evicted.
fn of_phase(pod: &Value) -> Option<Told> {
    let reason = str_at(pod, "/status/reason").filter(|_| str_at(pod, "/status/phase") == Some("Failed"))?;
    let text = str_at(pod, "/status/message")?.to_owned();
    Some(Told { reason: reason.to_owned(), text, container: None, time: None })
}

fn row(pod: &Object, told: Told) -> Option<Row> {
    let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name()?);
    let mut fields = Map::new();
    let about = json!({"kind": "Pod", "namespace": namespace, "name": name});
    fields.insert("involvedObject".into(), about);
    fields.insert("type".into(), json!("Warning"));
    fields.insert("reason".into(), json!(told.reason));
    fields.insert("text".into(), json!(told.text));
    fields.insert("message".into(), json!(told.text));
    fields.insert("count".into(), json!(1));
    let node = pod.str_at(&["spec", "nodeName"]);
    let known = [
        ("namespace", Some(namespace)),
        ("pod", Some(name)),
        ("container", told.container.as_deref()),
        ("node", node),
        ("time", told.time.as_deref()),
        ("last_time", told.time.as_deref()),
    ];
    for (key, value) in known {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            fields.insert(key.into(), json!(value));
        }
    }
    let excerpt = match &told.container {
        Some(container) => shorten(&format!("status of {namespace}/{name} [{container}] {}", told.text)),
        None => shorten(&format!("status of {namespace}/{name} {}", told.text)),
    };
    let pointer = (!pod.pointer.is_empty()).then(|| format!("{}/status", pod.pointer));
    let place = Place { file: pod.file, line: pod.line, end_line: pod.line, pointer, excerpt };
    let mut row = Row::new(Arc::new(Value::Object(fields)), place);
    row.subject = Some(crate::report::model::Subject {
        container: told.container,
        node: node.map(str::to_owned),
        ..named("Pod", pod.namespace(), name)
    });
    row.time = told.time.and_then(|time| time.parse().ok());
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::FileId;

    fn told(status: Value) -> Vec<(String, String)> {
        let value = json!({"metadata": {"namespace": "a", "name": "web-0"}, "spec": {"nodeName": "n1"}, "status": status});
        let pod = Object {
            value: Arc::new(value),
            file: FileId(0),
            line: 1,
            pointer: "/items/0".into(),
            partial: false,
        };
        let field = |row: &Row, key: &str| row.value[key].as_str().unwrap_or_default().to_owned();
        of_pod(&pod).iter().map(|row| (field(row, "reason"), field(row, "text"))).collect()
    }

    #[test]
    fn a_status_says_what_its_event_would() {
        let pull = json!({"containerStatuses": [{"name": "web", "image": "hub.example/web:1",
            "state": {"waiting": {"reason": "ErrImagePull", "message": "rpc error: lookup hub.example: no such host"}}}]});
        assert_eq!(
            told(pull),
            [(
                "Failed".into(),
                "Failed to pull image \"hub.example/web:1\": rpc error: lookup hub.example: no such host"
                    .into()
            )]
        );
        let config = json!({"containerStatuses": [{"name": "web",
            "state": {"waiting": {"reason": "CreateContainerConfigError", "message": "secret \"db\" not found"}}}]});
        assert_eq!(told(config), [("Failed".into(), "Error: secret \"db\" not found".into())]);
        let scheduling = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/3 nodes are available: 3 Insufficient cpu."}]});
        assert_eq!(
            told(scheduling),
            [("FailedScheduling".into(), "0/3 nodes are available: 3 Insufficient cpu.".into())]
        );
    }

    #[test]
    fn a_program_s_own_last_words_are_no_event() {
        let words = json!({"containerStatuses": [{"name": "web", "lastState": {"terminated": {"reason": "Error",
            "message": "Failed to pull image: I am a log"}}}]});
        assert_eq!(told(words), []);
    }
}
