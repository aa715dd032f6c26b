//! Where a list goes on: the tokens of `continue`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The token after the item of this key.
pub fn after(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{key}"))
}

/// The key that a token stands after; `None` if it is none of ours.
pub fn key(token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    Some(String::from_utf8(bytes).ok()?.strip_prefix("after:")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_key() {
        assert_eq!(key(&after("a/b")).as_deref(), Some("a/b"));
        assert_eq!(key("nonsense!"), None);
        assert_eq!(key("bm9uc2Vuc2U"), None);
    }
}
