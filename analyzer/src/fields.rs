//! Fields of objects by JSON pointer.

use jiff::Timestamp;
use serde_json::Value;

pub fn time_at(value: &Value, pointer: &str) -> Option<Timestamp> {
    value.pointer(pointer)?.as_str()?.parse().ok()
}

/// A text that is not empty.
pub fn str_at<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

pub fn int_at(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer)?.as_i64()
}

pub fn array_at<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The condition of a type, as the object.
pub fn condition<'v>(value: &'v Value, kind: &str) -> Option<&'v Value> {
    array_at(value, "/status/conditions").iter().find(|c| c.get("type").and_then(Value::as_str) == Some(kind))
}

pub fn is_status(condition: &Value, status: &str) -> bool {
    condition.get("status").and_then(Value::as_str) == Some(status)
}
