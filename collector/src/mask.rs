//! The way through the redactor: text piece by piece, objects as JSON.
use std::collections::BTreeMap;

use serde_json::Value;

/// Counts of masked values by kind of secret.
pub type Counts = BTreeMap<String, u64>;

#[derive(Debug, Default)]
pub struct Masks;

impl Masks {
    pub fn json(&self, _value: &mut Value, _counts: &mut Counts) -> Result<(), String> {
        Ok(())
    }

    pub fn text(&self) -> TextMask {
        TextMask
    }
}

#[derive(Debug)]
pub struct TextMask;

impl TextMask {
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(bytes);
        Ok(())
    }

    pub fn finish(self, _out: &mut Vec<u8>) -> Result<Counts, String> {
        Ok(Counts::new())
    }
}
