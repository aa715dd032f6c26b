//! `kubectl auth can-i`: reading yes, everything else no.
//!
//! Newer kubectl asks in protobuf, whatever it is told to send. Of that, the few fields that matter are read here; the
//! answer is JSON, which it takes as well.

use serde_json::{Value, json};
use shared::lang::Lang;
use shared::objects::Field;

use super::cluster::Cluster;

const READING: [&str; 3] = ["get", "list", "watch"];

/// What stands before protobuf in a body.
const PROTOBUF: &[u8] = b"k8s\0";

/// A review as JSON, whichever way it was sent. One that cannot be read asks for nothing.
pub fn read(body: &[u8]) -> Value {
    let Some(envelope) = body.strip_prefix(PROTOBUF) else {
        return serde_json::from_slice(body).unwrap_or_default();
    };
    // The numbers are those of runtime.Unknown and of the reviews of authorization.k8s.io/v1.
    let spec = field(envelope, 2).and_then(|object| field(object, 2)).unwrap_or_default();
    let texts = |message: &[u8], names: &[&str]| {
        let text = |number| field(message, number).and_then(|text| std::str::from_utf8(text).ok());
        (1..).zip(names).map(|(number, name)| ((*name).to_owned(), json!(text(number)))).collect::<Value>()
    };
    match (field(spec, 1), field(spec, 2)) {
        (Some(resource), _) => {
            let names = ["namespace", "verb", "group", "version", "resource", "subresource", "name"];
            // Of a SelfSubjectRulesReview the same field is the namespace.
            json!({"spec": {"resourceAttributes": texts(resource, &names),
                "namespace": std::str::from_utf8(resource).unwrap_or_default()}})
        }
        (None, Some(other)) => json!({"spec": {"nonResourceAttributes": texts(other, &["path", "verb"])}}),
        (None, None) => Value::Null,
    }
}

/// The bytes of a field that has a length; `None` where it is not there or the message is broken.
fn field(mut message: &[u8], number: u64) -> Option<&[u8]> {
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        let length = match tag & 7 {
            0 => {
                varint(&mut message)?;
                0
            }
            1 => 8,
            2 => usize::try_from(varint(&mut message)?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (value, rest) = message.split_at_checked(length)?;
        if tag >> 3 == number && tag & 7 == 2 {
            return Some(value);
        }
        message = rest;
    }
    None
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Answer to a SelfSubjectAccessReview.
pub fn access(cluster: &Cluster, mut review: Value) -> Value {
    let spec = &review["spec"];
    let (allowed, reason) = if spec["nonResourceAttributes"].is_object() {
        (spec["nonResourceAttributes"]["verb"] == "get", None)
    } else {
        resource(cluster, &spec["resourceAttributes"])
    };
    let reason = match (allowed, reason) {
        (true, _) => String::new(),
        (false, Some(reason)) => reason,
        (false, None) => cluster.refuse_change().message,
    };
    if !review.is_object() {
        review = json!({});
    }
    review["kind"] = "SelfSubjectAccessReview".into();
    review["apiVersion"] = "authorization.k8s.io/v1".into();
    review["status"] = json!({"allowed": allowed, "reason": reason});
    review
}

fn resource(cluster: &Cluster, asked: &Value) -> (bool, Option<String>) {
    let subresource = asked["subresource"].text();
    if !READING.contains(&asked["verb"].text()) {
        return (false, None);
    }
    match (asked["group"].text(), asked["resource"].text()) {
        (_, "*") => (true, None),
        ("", "pods") if subresource == "log" => (asked["verb"] == "get", None),
        (group, plural) => match cluster.of_any_version(group, plural) {
            Some(_) if !subresource.is_empty() => (false, None),
            Some(kind) => {
                let namespace = asked["namespace"].some_text().filter(|_| kind.resource.namespaced);
                let lack = cluster.listable(kind, namespace).err();
                (lack.is_none(), lack.map(|lack| lack.message))
            }
            None => (
                false,
                Some(match cluster.lang {
                    Lang::Zh => format!("快照中没有 {plural}"),
                    Lang::En => format!("there are no {plural} in this snapshot"),
                }),
            ),
        },
    }
}

/// Answer to a SelfSubjectRulesReview.
pub fn rules(namespace: &Value) -> Value {
    json!({"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
        "spec": {"namespace": namespace},
        "status": {"incomplete": false, "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}],
            "resourceRules": [{"verbs": READING, "apiGroups": ["*"], "resources": ["*"]}]}})
}

/// Answer to a SelfSubjectReview (`kubectl auth whoami`).
pub fn whoami() -> Value {
    json!({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {},
        "status": {"userInfo": {"username": "casebook:reader", "groups": ["system:authenticated"]}}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(fields: &[(u8, &[u8])]) -> Vec<u8> {
        let field = |(number, value): &(u8, &[u8])| [&[number << 3 | 2, value.len() as u8], *value].concat();
        fields.iter().flat_map(field).collect()
    }

    #[test]
    fn protobuf_is_read_as_json_is() {
        let attributes = message(&[(1, b"default"), (2, b"list"), (5, b"pods"), (6, b"log")]);
        let review = message(&[(1, b""), (2, &message(&[(1, &attributes)]))]);
        let body = [PROTOBUF, &message(&[(1, b"type"), (2, &review)])].concat();
        let read = read(&body);
        let asked = &read["spec"]["resourceAttributes"];
        assert_eq!(
            (&asked["verb"], &asked["resource"], &asked["subresource"]),
            (&json!("list"), &json!("pods"), &json!("log"))
        );
        assert_eq!(asked["group"], Value::Null);
        assert_eq!(super::read(br#"{"spec":{"a":1}}"#)["spec"]["a"], 1);
    }

    #[test]
    fn broken_messages_ask_for_nothing() {
        for end in [&[][..], &[0x12], &[0x12, 0xff], &[0x12, 5, 1], &[0xff; 20], &[0x13, 1, 1]] {
            let read = read(&[PROTOBUF, end].concat());
            assert_eq!(read, Value::Null, "{end:?}");
        }
        assert_eq!(read(b"{"), Value::Null);
    }
}
