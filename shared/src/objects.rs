//! Reading Kubernetes objects as JSON.
//!
//! Objects come from servers of many versions and from archives that others made, so that nothing may be taken for
//! granted: a field that is missing or of another type reads as empty. Unknown fields survive because nothing is
//! ever turned into a type that would not know them.

use serde_json::{Map, Value};

static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);

/// Lenient access to a JSON value; `value["a"]["b"]` never fails either.
pub trait Field {
    /// The text; empty when there is none.
    fn text(&self) -> &str;
    /// The text, unless it is missing or empty.
    fn some_text(&self) -> Option<&str>;
    /// The integer; 0 when there is none.
    fn int(&self) -> i64;
    fn flag(&self) -> bool;
    /// The elements; none when it is no array.
    fn items(&self) -> &[Value];
    /// The entries; none when it is no object.
    fn entries(&self) -> &Map<String, Value>;
    /// Text, number or flag as one prints it; `IntOrString` fields are read by this.
    fn scalar(&self) -> String;
}

impl Field for Value {
    fn text(&self) -> &str {
        self.as_str().unwrap_or_default()
    }

    fn some_text(&self) -> Option<&str> {
        self.as_str().filter(|text| !text.is_empty())
    }

    fn int(&self) -> i64 {
        self.as_i64().unwrap_or_default()
    }

    fn flag(&self) -> bool {
        self.as_bool().unwrap_or_default()
    }

    fn items(&self) -> &[Value] {
        self.as_array().map_or(&[], Vec::as_slice)
    }

    fn entries(&self) -> &Map<String, Value> {
        self.as_object().unwrap_or(&EMPTY)
    }

    fn scalar(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// The reference to the controller that owns `object`, if there is one.
pub fn controller_of(object: &Value) -> Option<&Value> {
    object["metadata"]["ownerReferences"].items().iter().find(|owner| owner["controller"].flag())
}

/// `metadata.namespace`; empty for cluster-scoped objects.
pub fn namespace(object: &Value) -> &str {
    object["metadata"]["namespace"].text()
}

pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn missing_and_mistyped_fields_read_as_empty() {
        let object =
            json!({"metadata": {"name": 5, "ownerReferences": {"controller": true}}, "port": "http"});
        assert_eq!((name(&object), namespace(&object)), ("", ""));
        assert!(controller_of(&object).is_none());
        assert_eq!(object["spec"]["replicas"].int(), 0);
        assert_eq!((object["port"].scalar(), object["none"].scalar()), ("http".into(), String::new()));
    }

    #[test]
    fn only_the_controlling_owner_counts() {
        let object = json!({"metadata": {"ownerReferences": [
            {"kind": "Node", "uid": "1"}, {"kind": "ReplicaSet", "uid": "2", "controller": true}]}});
        assert_eq!(controller_of(&object).unwrap()["uid"], "2");
    }
}
