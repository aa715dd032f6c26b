//! Answers that are measured rather than listed: clocks, the kubelets' ports, what coredns is told.
//!
//! Each file below `probes/` is a list of answers; rules read its rows as `probe`.

pub mod clock;
pub mod comparison;
pub mod coredns;
pub mod endpoints;
pub mod kubelet;

use serde_json::{Value, json};

/// Version of the files below `probes/`.
pub const SCHEMA: &str = "casebook.probes/v1";

/// Rows of one probe as its file holds them, one a line so that a row can be pointed at.
pub fn file(answers: &[Value]) -> Vec<u8> {
    let mut text = format!("{{\"schema\": {}, \"answers\": [", json!(SCHEMA));
    for (at, answer) in answers.iter().enumerate() {
        text.push_str(if at == 0 { "\n" } else { ",\n" });
        text.push_str(&answer.to_string());
    }
    text.push_str("\n]}\n");
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_json_with_a_row_a_line() {
        for rows in [vec![], vec![json!({"kind": "a"}), json!({"kind": "b"})]] {
            let bytes = file(&rows);
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(value["schema"], SCHEMA);
            assert_eq!(value["answers"], json!(rows));
        }
        assert_eq!(file(&[json!(1), json!(2)]).iter().filter(|b| **b == b'\n').count(), 4);
    }
}
