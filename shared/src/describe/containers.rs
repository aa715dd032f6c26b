//! Containers: of pods with their state, of templates without.

use serde_json::Value;

use super::page::{Page, line, or_none};
use super::{Context, probes, resources};
use crate::objects::Field;

/// A list of containers and what belongs to it.
pub(super) struct Containers<'a> {
    pub(super) title: &'a str,
    /// Stands before the title and indents names by one blank when it is not empty: templates are printed so.
    pub(super) indent: &'a str,
    pub(super) specs: &'a [Value],
    pub(super) statuses: &'a [Value],
    /// The pod, for references to its own fields; a template has none.
    pub(super) pod: Option<&'a Value>,
}

pub(super) fn describe(page: &mut Page, containers: &Containers<'_>, cx: Context<'_>) {
    let none = if containers.specs.is_empty() { " <none>" } else { "" };
    line!(page, 0, "{}{}:{none}", containers.indent, containers.title);
    for container in containers.specs {
        let status = containers.statuses.iter().find(|status| status["name"] == container["name"]);
        let name_indent = if containers.indent.is_empty() { "" } else { " " };
        line!(page, 1, "{name_indent}{}:", container["name"].text());
        identity(page, container, status);
        ports(page, &container["ports"]);
        if cx.is_132() {
            seccomp(page, 2, &container["securityContext"]["seccompProfile"]);
        }
        words(page, "Command", &container["command"]);
        words(page, "Args", &container["args"]);
        if let Some(status) = status {
            state(page, "State", &status["state"], cx);
            if status["lastState"]["terminated"].is_object() {
                state(page, "Last State", &status["lastState"], cx);
            }
            line!(page, 2, "Ready:\t{}", capital(status["ready"].flag()));
            line!(page, 2, "Restart Count:\t{}", status["restartCount"].int());
        }
        resources::of_container(page, &container["resources"]);
        probes::describe(page, container);
        environment_sources(page, &container["envFrom"]);
        environment(page, container, containers.pod);
        mounts(page, container);
    }
}

/// `True`, `False`: how Python and kubectl print a flag.
pub(super) fn capital(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}

/// Type and, for a profile of the node, its path; nothing when there is none.
pub(super) fn seccomp(page: &mut Page, level: usize, profile: &Value) {
    if !profile.is_object() {
        return;
    }
    line!(page, level, "SeccompProfile:\t{}", profile["type"].text());
    if profile["type"] == "Localhost" {
        let path_level = if level == 0 { 0 } else { level + 1 };
        line!(page, path_level, "LocalhostProfile:\t{}", profile["localhostProfile"].text());
    }
}

fn identity(page: &mut Page, container: &Value, status: Option<&Value>) {
    if let Some(status) = status {
        line!(page, 2, "Container ID:\t{}", status["containerID"].text());
    }
    line!(page, 2, "Image:\t{}", container["image"].text());
    if let Some(status) = status {
        line!(page, 2, "Image ID:\t{}", status["imageID"].text());
    }
}

fn ports(page: &mut Page, ports: &Value) {
    for (title, field) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
        let texts: Vec<String> = ports
            .items()
            .iter()
            .map(|port| format!("{}/{}", port[field].int(), port["protocol"].text()))
            .collect();
        let plural = if texts.len() > 1 { "s" } else { "" };
        line!(page, 2, "{title}{plural}:\t{}", or_none(&texts.join(", ")));
    }
}

fn words(page: &mut Page, title: &str, words: &Value) {
    if words.items().is_empty() {
        return;
    }
    line!(page, 2, "{title}:");
    for line in words.items().iter().flat_map(|word| word.text().split('\n')) {
        line!(page, 3, "{line}");
    }
}

fn state(page: &mut Page, title: &str, state: &Value, cx: Context<'_>) {
    if let Value::Object(_) = &state["running"] {
        line!(page, 2, "{title}:\tRunning");
        line!(page, 3, "Started:\t{}", cx.date(&state["running"]["startedAt"]));
    } else if let terminated @ Value::Object(_) = &state["terminated"] {
        line!(page, 2, "{title}:\tTerminated");
        reason(page, terminated);
        if let Some(message) = terminated["message"].some_text() {
            line!(page, 3, "Message:\t{message}");
        }
        line!(page, 3, "Exit Code:\t{}", terminated["exitCode"].int());
        if terminated["signal"].int() > 0 {
            line!(page, 3, "Signal:\t{}", terminated["signal"].int());
        }
        line!(page, 3, "Started:\t{}", cx.date(&terminated["startedAt"]));
        line!(page, 3, "Finished:\t{}", cx.date(&terminated["finishedAt"]));
    } else {
        line!(page, 2, "{title}:\tWaiting");
        reason(page, &state["waiting"]);
    }
}

fn reason(page: &mut Page, state: &Value) {
    if let Some(reason) = state["reason"].some_text() {
        line!(page, 3, "Reason:\t{reason}");
    }
}

fn environment_sources(page: &mut Page, sources: &Value) {
    if sources.items().is_empty() {
        return;
    }
    line!(page, 2, "Environment Variables from:");
    for source in sources.items() {
        let (from, reference) = match (&source["configMapRef"], &source["secretRef"]) {
            (reference @ Value::Object(_), _) => ("ConfigMap", reference),
            (_, reference @ Value::Object(_)) => ("Secret", reference),
            (_, nothing) => ("", nothing),
        };
        let (name, optional) = (reference["name"].text(), reference["optional"].flag());
        match source["prefix"].some_text() {
            Some(prefix) => line!(page, 3, "{name}\t{from} with prefix '{prefix}'\tOptional: {optional}"),
            None => line!(page, 3, "{name}\t{from}\tOptional: {optional}"),
        }
    }
}

fn environment(page: &mut Page, container: &Value, pod: Option<&Value>) {
    let variables = container["env"].items();
    line!(page, 2, "Environment:{}", if variables.is_empty() { "\t<none>" } else { "" });
    for variable in variables {
        let (name, from) = (variable["name"].text(), &variable["valueFrom"]);
        if let field @ Value::Object(_) = &from["fieldRef"] {
            let (version, path) = (field["apiVersion"].text(), field["fieldPath"].text());
            line!(page, 3, "{name}:\t{} ({version}:{path})", own_field(path, pod));
        } else if let reference @ Value::Object(_) = &from["resourceFieldRef"] {
            let resource = reference["resource"].text();
            let value = match (resources::field_ref(reference, container).as_str(), resource) {
                ("0", "limits.cpu" | "limits.memory") => "node allocatable".to_owned(),
                (value, _) => value.to_owned(),
            };
            line!(page, 3, "{name}:\t{value} ({resource})");
        } else if let reference @ Value::Object(_) = &from["secretKeyRef"] {
            let (key, secret) = (reference["key"].text(), reference["name"].text());
            let optional = reference["optional"].flag();
            line!(page, 3, "{name}:\t<set to the key '{key}' in secret '{secret}'>\tOptional: {optional}");
        } else if let reference @ Value::Object(_) = &from["configMapKeyRef"] {
            let (key, map) = (reference["key"].text(), reference["name"].text());
            let optional = reference["optional"].flag();
            line!(page, 3, "{name}:\t<set to the key '{key}' of config map '{map}'>\tOptional: {optional}");
        } else if !from.is_object() {
            let mut lines = variable["value"].text().split('\n');
            line!(page, 3, "{name}:\t{}", lines.next().unwrap_or_default());
            for line in lines {
                line!(page, 3, "\t{line}");
            }
        }
    }
}

/// kubectl resolves only these two fields of the pod itself and prints nothing for the others.
fn own_field<'a>(path: &str, pod: Option<&'a Value>) -> &'a str {
    match (pod, path) {
        (Some(pod), "metadata.name") => crate::objects::name(pod),
        (Some(pod), "metadata.namespace") => crate::objects::namespace(pod),
        _ => "",
    }
}

fn mounts(page: &mut Page, container: &Value) {
    let mut mounts: Vec<&Value> = container["volumeMounts"].items().iter().collect();
    mounts.sort_by_key(|mount| mount["mountPath"].text());
    line!(page, 2, "Mounts:{}", if mounts.is_empty() { "\t<none>" } else { "" });
    for mount in &mounts {
        let mode = if mount["readOnly"].flag() { "ro" } else { "rw" };
        let path = mount["subPath"].some_text().map_or(String::new(), |path| format!(",path={path:?}"));
        line!(page, 3, "{} from {} ({mode}{path})", mount["mountPath"].text(), mount["name"].text());
    }
    let mut devices: Vec<&Value> = container["volumeDevices"].items().iter().collect();
    devices.sort_by_key(|device| device["devicePath"].text());
    if !devices.is_empty() {
        line!(page, 2, "Devices:{}", if mounts.is_empty() { "\t<none>" } else { "" });
        for device in devices {
            line!(page, 3, "{} from {}", device["devicePath"].text(), device["name"].text());
        }
    }
}
