//! The shape of a log line: the line without its numbers, times, addresses and ids.
//!
//! Two lines of one shape come from one statement in the program that wrote them, so that a thousand retries are one
//! line with a count, and a shape that only the failing container writes tells more than one that everybody writes.
//! A word is taken as a value when it holds a digit or is long and hexadecimal; no dictionary is needed and a line
//! is read once.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher};

/// Identity of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape(pub u64);

/// The shape of one line, without its line break.
pub fn shape(line: &str) -> Shape {
    // A fixed key: the same line has the same shape in every run.
    let mut hasher = BuildHasherDefault::<DefaultHasher>::default().build_hasher();
    let mut last_was_value = false;
    for token in tokens(line) {
        // The middle groups of a UUID may hold no digit.
        let continues = last_was_value && token.len() >= 4 && token.iter().all(u8::is_ascii_hexdigit);
        if continues || is_value(token) {
            // `12:30:01` and `2024-01-02` are one value, however many parts they have.
            if !last_was_value {
                hasher.write(b"\0");
            }
            last_was_value = true;
        } else {
            let joins_values = last_was_value && token.len() == 1 && b"-:./_+,".contains(&token[0]);
            if !joins_values {
                hasher.write(token);
                hasher.write(b"\x01");
                last_was_value = false;
            }
        }
    }
    Shape(hasher.finish())
}

/// Runs of letters and digits, and each other byte alone; spaces are left out.
fn tokens(line: &str) -> impl Iterator<Item = &[u8]> {
    let bytes = line.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        let start = at;
        let first = *bytes.get(at)?;
        at += 1;
        if is_word(first) {
            while at < bytes.len() && is_word(bytes[at]) {
                at += 1;
            }
        }
        Some(&bytes[start..at])
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn is_value(token: &[u8]) -> bool {
    token.iter().any(u8::is_ascii_digit) || (token.len() >= 8 && token.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_times_and_addresses_do_not_change_the_shape() {
        let a =
            shape("2024-01-02T03:04:05.123Z ERROR dial tcp 10.0.0.12:6379: connection refused (attempt 3)");
        let b =
            shape("2024-11-22T23:59:59.9Z ERROR dial tcp 10.0.12.1:6379: connection refused (attempt 1044)");
        assert_eq!(a, b);
    }

    #[test]
    fn ids_do_not_change_the_shape() {
        assert_eq!(
            shape("request deadbeef-0000-4f4f-aaaa-fefefefefefe failed"),
            shape("request 0d1f2a3b-1234-4f4f-bbbb-0123456789ab failed")
        );
    }

    #[test]
    fn words_change_the_shape() {
        assert_ne!(shape("connection refused"), shape("connection reset"));
        assert_ne!(shape("连接 被拒绝"), shape("连接 超时"));
    }
}
