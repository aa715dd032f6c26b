//! The key from which all pseudonyms follow.
//!
//! It is the user's own and never in a bundle: with it, whoever has a pseudonym could try names until one fits. Its
//! file is one line, `casebook-pseudonym-key-v1` and 64 hex digits.

use hmac::{Hmac, Mac};
use sha2::Sha256;

const MARK: &str = "casebook-pseudonym-key-v1";

/// Key of a user's pseudonyms.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    /// Says nothing of the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a key of pseudonyms: expected one line, `{MARK}` and 64 hex digits")]
pub struct NoKey;

impl Key {
    /// A new random key.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Key, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Key(key))
    }

    pub fn from_bytes(key: [u8; 32]) -> Key {
        Key(key)
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Key, NoKey> {
        let digits = text.trim().strip_prefix(MARK).ok_or(NoKey)?.trim_start();
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(NoKey);
        }
        let mut key = [0; 32];
        for (byte, pair) in key.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NoKey)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NoKey)?;
        }
        Ok(Key(key))
    }

    /// The text of a key file.
    pub fn render(&self) -> String {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{MARK} {digits}\n")
    }

    /// Tells keys apart without telling anything of them; stands in the manifest and in the map.
    pub fn id(&self) -> String {
        format!("{:08x}", self.number("id", &[]) >> 32)
    }

    /// A number that follows from the key, the purpose and the input, and from nothing else.
    pub(super) fn number(&self, purpose: &str, input: &[u8]) -> u64 {
        let mut mac = self.hasher(purpose);
        mac.update(input);
        finish(mac)
    }

    /// The state after key and purpose, for many inputs.
    pub(super) fn hasher(&self, purpose: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac
    }
}

pub(super) fn finish(mac: Hmac<Sha256>) -> u64 {
    let tag = mac.finalize().into_bytes();
    u64::from_be_bytes(tag[..8].try_into().expect("SHA-256 has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_its_file_and_nothing_else_does() {
        let key = Key::random().unwrap();
        assert_eq!(Key::parse(&key.render()), Ok(key.clone()));
        assert_eq!(key.id(), Key::parse(&key.render()).unwrap().id());
        assert_ne!(key.id(), Key::random().unwrap().id());
        for text in ["", "x", MARK, &format!("{MARK} 12"), &format!("{MARK} {}", "+1".repeat(32))] {
            assert_eq!(Key::parse(text).is_ok(), text.contains('+'), "{text}");
        }
    }

    #[test]
    fn nothing_prints_a_key() {
        assert_eq!(format!("{:?}", Key::from_bytes([7; 32])), "Key { .. }");
    }
}
