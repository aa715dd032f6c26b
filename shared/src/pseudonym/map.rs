//! The map from pseudonyms back to what they stand for. It stays with the user, grows from run to run, and is never
//! in a bundle.
//!
//! ```json
//! {"schema": "casebook.pseudonyms/v1", "key": "3fa95c01",
//!  "ip": {"10.93.4.17": "10.0.6.31"}, "host": {"kq.zwfrtj.com": "n1.mycorp.com"}, "email": {}, "mac": {}}
//! ```
//! `key` is the id of the key that the pseudonyms follow from. Networks stand among the addresses, with their prefix
//! length behind a slash.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Kind;

pub const SCHEMA: &str = "casebook.pseudonyms/v1";

/// Most values that a map holds. More pseudonyms are still given, but cannot be turned back.
pub const MAX_VALUES: usize = 500_000;

/// Pseudonyms and what they stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    schema: String,
    /// Id of the key.
    pub key: String,
    #[serde(default)]
    ip: BTreeMap<String, String>,
    #[serde(default)]
    host: BTreeMap<String, String>,
    #[serde(default)]
    email: BTreeMap<String, String>,
    #[serde(default)]
    mac: BTreeMap<String, String>,
}

/// Why a text is no map, or does not fit to a key.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    #[error("not a map of pseudonyms: {0}")]
    Json(#[from] serde_json::Error),
    #[error("not a map of pseudonyms that this version reads: its schema is {0:?}, expected {SCHEMA:?}")]
    Schema(String),
    #[error(
        "the map belongs to the key {map} and the key given is {key}\nhint: name the key and the map that belong together"
    )]
    OtherKey { map: String, key: String },
}

impl Map {
    /// An empty map for the key with this id.
    pub fn new(key: &str) -> Map {
        Map {
            schema: SCHEMA.to_owned(),
            key: key.to_owned(),
            ip: BTreeMap::new(),
            host: BTreeMap::new(),
            email: BTreeMap::new(),
            mac: BTreeMap::new(),
        }
    }

    /// Reads a map.
    ///
    /// # Errors
    /// When the text is none.
    pub fn parse(text: &str) -> Result<Map, MapError> {
        let map: Map = serde_json::from_str(text)?;
        if map.schema != SCHEMA {
            return Err(MapError::Schema(map.schema));
        }
        Ok(map)
    }

    /// The text of the map, a value a line.
    pub fn render(&self) -> String {
        serde_json::to_string_pretty(self).expect("maps of strings are JSON") + "\n"
    }

    /// # Errors
    /// When the map was made with another key.
    pub fn check_key(&self, key: &str) -> Result<(), MapError> {
        if self.key == key {
            Ok(())
        } else {
            Err(MapError::OtherKey { map: self.key.clone(), key: key.to_owned() })
        }
    }

    /// Takes in what another map under the same key knows.
    pub fn merge(&mut self, other: &Map) {
        for kind in Kind::ALL {
            let more = other.of(kind).iter().map(|(pseudonym, real)| (pseudonym.clone(), real.clone()));
            self.of_mut(kind).extend(more);
        }
    }

    /// Pseudonyms of one kind, each with what it stands for.
    pub fn of(&self, kind: Kind) -> &BTreeMap<String, String> {
        match kind {
            Kind::Ip => &self.ip,
            Kind::Host => &self.host,
            Kind::Email => &self.email,
            Kind::Mac => &self.mac,
        }
    }

    pub(super) fn of_mut(&mut self, kind: Kind) -> &mut BTreeMap<String, String> {
        match kind {
            Kind::Ip => &mut self.ip,
            Kind::Host => &mut self.host,
            Kind::Email => &mut self.email,
            Kind::Mac => &mut self.mac,
        }
    }

    pub fn len(&self) -> usize {
        Kind::ALL.into_iter().map(|kind| self.of(kind).len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_comes_back_from_its_text() {
        let mut map = Map::new("00c0ffee");
        map.of_mut(Kind::Ip).insert("10.9.9.9".into(), "10.0.0.1".into());
        assert_eq!(Map::parse(&map.render()).unwrap(), map);
        let mut other = Map::new("00c0ffee");
        other.of_mut(Kind::Host).insert("q".into(), "zeus".into());
        other.merge(&map);
        assert_eq!(other.len(), 2);
    }

    #[test]
    fn what_is_no_map_is_said_to_be_none() {
        assert!(Map::parse("{}").is_err());
        let error = Map::parse(r#"{"schema":"casebook.pseudonyms/v9","key":"x"}"#).unwrap_err().to_string();
        assert!(error.contains("v9"), "{error}");
        let error = Map::new("a").check_key("b").unwrap_err().to_string();
        assert!(error.contains("hint: "), "{error}");
    }
}
