//! Where in a rule file a key stands.
//!
//! The format's types hold plain values. When a value turns out to be wrong (a regular expression, a CEL condition, a
//! name that does not exist), the file is read once more as a tree that knows its places.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A place in a file, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

/// One step from the root of a document to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Step::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Step::Index(index)
    }
}

/// The place of the value at `path`, or of the nearest of its parents that exists.
pub fn locate(yaml: &str, path: &[Step]) -> Option<Place> {
    let mut node: Spanned<Node> = serde_saphyr::from_str(yaml).ok()?;
    for step in path {
        let next = match (node.value, step) {
            (Node::Map(entries), Step::Key(key)) => {
                entries.into_iter().find(|(k, _)| k == key).map(|(_, n)| n)
            }
            (Node::List(items), Step::Index(index)) => items.into_iter().nth(*index),
            _ => None,
        };
        let here = node.referenced;
        match next {
            Some(found) => node = found,
            None => return Some(Place { line: here.line(), column: here.column() }),
        }
    }
    Some(Place { line: node.referenced.line(), column: node.referenced.column() })
}

#[derive(Debug)]
enum Node {
    Scalar,
    List(Vec<Spanned<Node>>),
    Map(Vec<(String, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

/// Every kind of scalar counts as the same: only places matter here.
macro_rules! scalars {
    ($($method:ident: $type:ty),*) => {
        $(fn $method<E>(self, _: $type) -> Result<Node, E> { Ok(Node::Scalar) })*
    };
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "id: a\nevidence:\n  seen:\n    in: [texts, logs]\n    text: 'x'\noutcomes:\n  - when: seen\n";

    #[test]
    fn a_value_is_found_by_its_path() {
        let place = locate(FILE, &["evidence".into(), "seen".into(), "text".into()]);
        assert_eq!(place, Some(Place { line: 5, column: 11 }));
        let place = locate(FILE, &["outcomes".into(), 0.into(), "when".into()]);
        assert_eq!(place, Some(Place { line: 7, column: 11 }));
        let place = locate(FILE, &["evidence".into(), "seen".into(), "in".into(), 1.into()]);
        assert_eq!(place, Some(Place { line: 4, column: 17 }));
    }

    #[test]
    fn a_missing_value_is_placed_at_its_parent() {
        let place = locate(FILE, &["evidence".into(), "seen".into(), "where".into()]);
        assert_eq!(place.map(|place| place.line), Some(4));
    }
}
