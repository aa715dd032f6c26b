//! The line that stands in a text where bytes were left out.
//!
//! A log that is too long keeps its head and its tail. Between them stands one line of its own that says how much is
//! missing, so that a reader with any tool sees the gap, and a machine knows that absence proves nothing there.

use std::ops::Range;

const BEGIN: &str = "[casebook: ";
const END: &str = " left out here]";
const UNKNOWN: &str = "an unknown number of bytes";

/// A gap in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Bytes of the marker line within the text, with its line break.
    pub range: Range<usize>,
    /// How many bytes are missing, where that was known.
    pub missing: Option<u64>,
}

/// The marker line for a gap of `missing` bytes, with its line break.
///
/// It must begin on a line of its own: end the head with a line break first.
pub fn marker(missing: Option<u64>) -> String {
    match missing {
        Some(bytes) => format!("{BEGIN}{bytes} bytes{END}\n"),
        None => format!("{BEGIN}{UNKNOWN}{END}\n"),
    }
}

/// Every gap that marker lines in `text` tell of, in order.
pub fn gaps(text: &str) -> Vec<Gap> {
    memchr::memmem::find_iter(text.as_bytes(), BEGIN.as_bytes())
        .filter_map(|start| {
            if start > 0 && text.as_bytes()[start - 1] != b'\n' {
                return None;
            }
            let rest = &text[start + BEGIN.len()..];
            let line = rest.split('\n').next().unwrap_or_default();
            let amount = line.trim_end_matches('\r').strip_suffix(END)?;
            let missing = match amount {
                UNKNOWN => None,
                known => Some(known.strip_suffix(" bytes")?.parse().ok()?),
            };
            let end = (start + BEGIN.len() + line.len() + 1).min(text.len());
            Some(Gap { range: start..end, missing })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_found_again_with_their_amount() {
        for missing in [Some(0), Some(123_456_789_012), None] {
            let text = format!("head\n{}tail\n", marker(missing));
            let found = gaps(&text);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].missing, missing);
            assert_eq!(&text[..found[0].range.start], "head\n");
            assert_eq!(&text[found[0].range.end..], "tail\n");
        }
    }

    #[test]
    fn only_a_line_of_its_own_is_a_marker() {
        assert_eq!(gaps("INFO [casebook: 5 bytes left out here]\n"), []);
        assert_eq!(gaps("[casebook: five bytes left out here]\n"), []);
        assert_eq!(gaps("[casebook: 5 bytes left out here] and more\n"), []);
        assert_eq!(gaps("[casebook: 5 bytes left out here]").len(), 1);
        assert_eq!(gaps("a\r\n[casebook: 5 bytes left out here]\r\nb").len(), 1);
    }
}
