//! `labelSelector` and `fieldSelector`.

use serde_json::Value;
use shared::objects::Field;

use super::catalog::Resource;
use super::reply::Refusal;

/// Terms beyond this are no question of a person's.
const MAX_TERMS: usize = 1000;

/// Terms that must all hold.
#[derive(Debug, Default, PartialEq)]
pub struct Selectors {
    labels: Vec<Label>,
    fields: Vec<FieldTerm>,
}

#[derive(Debug, PartialEq)]
struct Label {
    key: String,
    is: Is,
}

#[derive(Debug, PartialEq)]
enum Is {
    There,
    NotThere,
    In(Vec<String>),
    /// Also where there is no such label.
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

#[derive(Debug, PartialEq)]
struct FieldTerm {
    path: String,
    equal: bool,
    value: String,
}

impl Selectors {
    /// # Errors
    /// When one cannot be read, or names a field that the server could not select by.
    pub fn parse(labels: &str, fields: &str, resource: &Resource) -> Result<Selectors, Refusal> {
        let labels = parse_labels(labels)
            .ok_or_else(|| Refusal::bad_request(format!("unable to parse requirement: {labels:?}")))?;
        let fields = parse_fields(fields)
            .ok_or_else(|| Refusal::bad_request(format!("invalid field selector: {fields:?}")))?;
        if let Some(term) = fields.iter().find(|term| !is_selectable(resource, &term.path)) {
            return Err(Refusal::bad_request(format!("field label not supported: {}", term.path)));
        }
        Ok(Selectors { labels, fields })
    }

    pub fn are_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether what is asked for are the events about one object.
    pub fn are_about_an_object(&self) -> bool {
        self.fields.iter().any(|term| term.path.starts_with("involvedObject."))
    }

    pub fn select(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels.iter().all(|label| label.holds(labels))
            && self.fields.iter().all(|term| (at(object, &term.path) == term.value) == term.equal)
    }
}

impl Label {
    fn holds(&self, labels: &Value) -> bool {
        let value = labels.get(&self.key).and_then(Value::as_str);
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.is {
            Is::There => value.is_some(),
            Is::NotThere => value.is_none(),
            Is::In(wanted) => value.is_some_and(|value| wanted.iter().any(|wanted| wanted == value)),
            Is::NotIn(others) => !value.is_some_and(|value| others.iter().any(|other| other == value)),
            Is::Greater(bound) => number().is_some_and(|number| number > *bound),
            Is::Less(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// A field as the server selects by it: what is not there reads as its default.
fn at(object: &Value, path: &str) -> String {
    let path = match path {
        "source" if object["source"]["component"].is_null() => "reportingComponent",
        "source" => "source.component",
        "status.successful" => "status.succeeded",
        path => path,
    };
    let found = |path: &str| path.split('.').fold(object, |value, key| &value[key]).scalar();
    let text = match path.strip_prefix("involvedObject.") {
        // Events of events.k8s.io.
        Some(field) if object["involvedObject"].is_null() => found(&format!("regarding.{field}")),
        _ => found(path),
    };
    match path {
        "spec.unschedulable" | "spec.hostNetwork" if text.is_empty() => "false".to_owned(),
        "status.replicas" | "status.succeeded" if text.is_empty() => "0".to_owned(),
        _ => text,
    }
}

/// The fields that the API server knows to select by. A term that it does not know is an error there, and would look
/// like an empty cluster here.
fn is_selectable(resource: &Resource, path: &str) -> bool {
    let own: &[&str] = match resource.plural.as_str() {
        "pods" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "events" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "nodes" => &["spec.unschedulable"],
        "secrets" => &["type"],
        "namespaces" => &["status.phase"],
        "replicasets" | "replicationcontrollers" => &["status.replicas"],
        "jobs" => &["status.successful"],
        "certificatesigningrequests" => &["spec.signerName"],
        "services" => &["spec.clusterIP", "spec.type"],
        _ => &[],
    };
    ["metadata.name", "metadata.namespace"].contains(&path) || own.contains(&path)
}

/// `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>5`
fn parse_labels(text: &str) -> Option<Vec<Label>> {
    let terms = split(text)?;
    terms.into_iter().map(|term| parse_label(term.trim())).collect()
}

/// At commas outside of brackets.
fn split(text: &str) -> Option<Vec<&str>> {
    let (mut terms, mut start, mut inside) = (Vec::new(), 0, false);
    if text.trim().is_empty() {
        return Some(terms);
    }
    for (at, c) in text.char_indices() {
        match c {
            '(' => inside = true,
            ')' => inside = false,
            ',' if !inside => {
                terms.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    (!inside && terms.len() <= MAX_TERMS).then_some(terms)
}

fn parse_label(term: &str) -> Option<Label> {
    let label = |key: &str, is| {
        let key = key.trim();
        let sane = !key.is_empty() && !key.contains(|c: char| c.is_whitespace() || "=!<>()".contains(c));
        sane.then(|| Label { key: key.to_owned(), is })
    };
    if let Some((key, list)) = term.split_once('(') {
        let values = list.strip_suffix(')')?.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = key.split_whitespace();
        return match (words.next()?, words.next()?, words.next()) {
            (key, "in", None) => label(key, Is::In(values)),
            (key, "notin", None) => label(key, Is::NotIn(values)),
            _ => None,
        };
    }
    if let Some((key, value)) = term.split_once("!=") {
        return label(key, Is::NotIn(vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return label(key, Is::In(vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = term.split_once('>') {
        return label(key, Is::Greater(value.trim().parse().ok()?));
    }
    if let Some((key, value)) = term.split_once('<') {
        return label(key, Is::Less(value.trim().parse().ok()?));
    }
    match term.strip_prefix('!') {
        Some(key) => label(key, Is::NotThere),
        None => label(term, Is::There),
    }
}

/// `a.b=c,d!=e`; a backslash takes a comma or an equals sign for itself.
fn parse_fields(text: &str) -> Option<Vec<FieldTerm>> {
    let mut terms = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let last = terms.last_mut()?;
        match c {
            '\\' => last.extend(['\\', chars.next()?]),
            ',' => terms.push(String::new()),
            c => last.push(c),
        }
    }
    terms.retain(|term| !term.trim().is_empty());
    if terms.len() > MAX_TERMS {
        return None;
    }
    terms.iter().map(|term| parse_field(term)).collect()
}

fn parse_field(term: &str) -> Option<FieldTerm> {
    let (path, equal, value) = match term.split_once("!=") {
        Some((path, value)) => (path, false, value),
        None => {
            term.split_once("==").or_else(|| term.split_once('=')).map(|(path, value)| (path, true, value))?
        }
    };
    let value = value.replace("\\,", ",").replace("\\=", "=").replace("\\\\", "\\");
    Some(FieldTerm { path: path.trim().to_owned(), equal, value })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selects(labels: &str, object: &Value) -> bool {
        let labels = parse_labels(labels).unwrap();
        Selectors { labels, fields: Vec::new() }.select(object)
    }

    #[test]
    fn labels_are_selected_as_kubectl_writes_it() {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front", "n": "7"}}});
        for yes in [
            "",
            "app",
            "app=web",
            "app==web",
            "app!=db",
            "none!=x",
            "!none",
            "app in (web,db)",
            "app in ( web )",
            "app notin (db, x)",
            "none notin (a)",
            "n>6",
            "n<8",
            "app=web,tier=front",
            " app = web , tier ",
        ] {
            assert!(selects(yes, &object), "{yes}");
        }
        for no in ["none", "!app", "app=db", "app!=web", "app in (db)", "n>7", "app>1", "app=web,tier=back"] {
            assert!(!selects(no, &object), "{no}");
        }
        for bad in ["app in web", "app in (web", "=x", "a b", "n>x", ",", "app xin (a)", &"a,".repeat(2000)] {
            assert_eq!(parse_labels(bad), None, "{bad}");
        }
    }

    #[test]
    fn fields_are_read_with_their_defaults() {
        let node = json!({"metadata": {"name": "a,b"}, "spec": {}});
        let selects = |fields: &str| {
            Selectors { labels: Vec::new(), fields: parse_fields(fields).unwrap() }.select(&node)
        };
        assert!(selects("spec.unschedulable=false") && !selects("spec.unschedulable!=false"));
        assert!(selects(r"metadata.name=a\,b") && selects("metadata.name!=x,") && selects(""));
        assert_eq!(parse_fields("metadata.name"), None);
        let event = json!({"regarding": {"name": "web"}, "reportingComponent": "kubelet"});
        let terms = parse_fields("involvedObject.name=web,source=kubelet").unwrap();
        assert!(Selectors { labels: Vec::new(), fields: terms }.select(&event));
    }
}
