//! What stands in the place of a secret: `***kind:1a2b3c4d***`.
//!
//! The eight hex digits are the head of HMAC-SHA256 over the value, under a random key that lives only as long as one
//! run. So two places that held the same value show the same token, within one bundle; and nobody can try guesses
//! against a token, since the key is written nowhere. Thirty-two bits keep chance equality below one in a hundred
//! among ten thousand different secrets. The token has only `*`, `:`, `-`, letters and digits: it can stand in JSON,
//! YAML, URLs and shell words, and `grep -F '***'` finds every one.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Key of the tokens of one bundle.
#[derive(Clone)]
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// A new random key.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<TokenKey, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(TokenKey(key))
    }

    pub fn from_bytes(key: [u8; 32]) -> TokenKey {
        TokenKey(key)
    }

    /// 64 bits that stand for `value` under this key.
    pub(crate) fn fingerprint(&self, value: &[u8]) -> u64 {
        let mut mac = self.hasher();
        mac.update(value);
        finish(mac)
    }

    /// The same for a value that stood in a field of an object. What somebody writes into a log never gets the token of
    /// such a value, so that equal tokens do not confirm a guess.
    pub(crate) fn field_fingerprint(&self, value: &[u8]) -> u64 {
        let mut mac = self.hasher();
        mac.update(b"field\0");
        mac.update(value);
        finish(mac)
    }

    /// A hasher for values that come in pieces.
    pub(crate) fn hasher(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length")
    }
}

/// The fingerprint of what went into the hasher.
pub(crate) fn finish(mac: Hmac<Sha256>) -> u64 {
    let tag = mac.finalize().into_bytes();
    u64::from_be_bytes(tag[..8].try_into().expect("SHA-256 has 32 bytes"))
}

/// Appends the token.
pub(super) fn write(kind: &str, fingerprint: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"***");
    out.extend_from_slice(kind.as_bytes());
    out.push(b':');
    for shift in (32..64).step_by(4).rev() {
        out.push(b"0123456789abcdef"[(fingerprint >> shift & 15) as usize]);
    }
    out.extend_from_slice(b"***");
}

/// Length of the token at the start of `text`, if one stands there.
pub fn length_at(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(b"***")?;
    let kind = rest.iter().take(25).position(|&b| b == b':')?;
    let (kind, rest) = (&rest[..kind], &rest[kind + 1..]);
    let fits = !kind.is_empty()
        && kind.iter().all(|b| b.is_ascii_lowercase() || *b == b'-')
        && rest.len() >= 11
        && rest[..8].iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
        && &rest[8..11] == b"***";
    fits.then_some(3 + kind.len() + 1 + 11)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_recognised_as_one() {
        let mut out = Vec::new();
        write("url-password", 0x1a2b_3c4d_0000_0000, &mut out);
        assert_eq!(out, b"***url-password:1a2b3c4d***");
        assert_eq!(length_at(&out), Some(out.len()));
        assert_eq!(length_at(b"***HIDDEN***"), None);
        assert_eq!(length_at(b"***a:1a2b3c4***"), None);
    }

    #[test]
    fn equal_values_have_equal_fingerprints_under_one_key_only() {
        let (one, other) = (TokenKey::from_bytes([1; 32]), TokenKey::from_bytes([2; 32]));
        assert_eq!(one.fingerprint(b"x"), one.fingerprint(b"x"));
        assert_ne!(one.fingerprint(b"x"), one.fingerprint(b"y"));
        assert_ne!(one.fingerprint(b"x"), other.fingerprint(b"x"));
    }
}
