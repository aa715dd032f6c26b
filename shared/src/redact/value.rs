//! What a value looks like: whether it can be a secret at all, whether it looks random, whether it may be learned.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::names::Names;
use super::token;

/// How a value stood in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    /// In quotes.
    pub quoted: bool,
    /// After `: ` in running text, where a sentence may follow.
    pub colon: bool,
    /// Of a name that stands for a password; short and plain values count too.
    pub strong: bool,
}

/// Whether the value is none: empty, a reference, a placeholder, a word of a sentence, a mask.
pub(crate) fn is_no_secret(value: &[u8], setting: Setting, names: &Names) -> bool {
    let value = value.trim_ascii();
    if value.is_empty() || token::length_at(value).is_some() || is_placeholder(value) {
        return true;
    }
    let Ok(text) = std::str::from_utf8(value) else { return false };
    if is_reference(text) || is_plain_literal(text, setting.strong) || is_path(text) {
        return true;
    }
    if !setting.strong
        && (text.starts_with("http://")
            || text.starts_with("https://")
            || is_dotted(text)
            || is_account_token(text))
    {
        return true;
    }
    if !setting.quoted && is_code(text) {
        return true;
    }
    is_sentence(text, setting, names)
}

/// What people and programs write where a secret was: `******`, `xxxxx`, `<hidden>`, `[REDACTED]`.
fn is_placeholder(value: &[u8]) -> bool {
    let first = value[0];
    if value.iter().all(|&b| b == first)
        && (b"*xX.-_#?".contains(&first) || value.len() == 1 && first != b'a')
    {
        return true;
    }
    // `***HIDDEN***`, `******1234`
    if value.starts_with(b"***") && value.iter().filter(|b| **b == b'*').count() * 2 >= value.len() {
        return true;
    }
    if value.starts_with(b"***") && value.ends_with(b"***") {
        return true;
    }
    let lower = value.to_ascii_lowercase();
    const WORDS: &[&[u8]] =
        &[b"redacted", b"hidden", b"masked", b"filtered", b"sensitive", b"protected", b"omitted", b"secret"];
    let inner = lower.trim_ascii();
    match (inner.first(), inner.last()) {
        (Some(b'<'), Some(b'>')) => !is_mixed(&value[1..value.len() - 1]) || inner.contains(&b' '),
        (Some(b'['), Some(b']')) | (Some(b'('), Some(b')')) => {
            WORDS.iter().any(|word| memchr::memmem::find(inner, word).is_some())
        }
        // `<set to the key 'password' in secret 'bk-mysql'>  Optional: false`
        (Some(b'<'), _) => {
            inner.starts_with(b"<set to ") || inner.starts_with(b"<nil>") || inner.starts_with(b"<none>")
        }
        _ => [b"redacted".as_slice(), b"hidden", b"masked", b"filtered", b"omitted"].contains(&inner),
    }
}

/// Where the default of `${DB_PASSWORD:-x}` or `${DB_PASSWORD:x}` stands.
pub(crate) fn default_in(value: &[u8]) -> Option<std::ops::Range<usize>> {
    let rest = value.strip_prefix(b"${")?.strip_suffix(b"}").or(value.strip_prefix(b"${"))?;
    let name = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b)).count();
    let name = rest[..name].strip_suffix(b"-").map_or(name, <[u8]>::len);
    let mark = match rest.get(name..)? {
        [b':', b'-' | b'=', ..] => 2,
        [b':' | b'-', ..] => 1,
        _ => return None,
    };
    let start = 2 + name + mark;
    (start < 2 + rest.len()).then_some(start..2 + rest.len())
}

/// Spaces before the text of a line.
pub(crate) fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|b| **b == b' ').count()
}

/// `${X}`, `$(X)`, `$X`, `{{ .Values.x }}`, `%(x)s`, `%s`, `@x@`: where the secret comes from, not the secret.
fn is_reference(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('$') {
        // The closing brace may have been taken for the end of something else.
        let name = |b: u8| b.is_ascii_alphanumeric() || b"_.:-)}/'\"".contains(&b);
        let braced = rest.len() > 1 && rest.starts_with(['{', '(']) && rest.bytes().skip(1).all(name);
        // `$(yq .appSecret app_secret.yaml)`
        let command = rest.starts_with('(') && rest.contains(' ');
        // A variable of lower-case letters and digits is hardly one: `$ecret9`.
        let upper = rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        let variable = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && (upper || rest.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_'));
        return braced || command || variable;
    }
    if text.starts_with("{{") || text.starts_with("{%") {
        return true;
    }
    matches!(text, "%s" | "%v" | "%q" | "%d" | "{}" | "[]" | "{" | "[" | "?")
        || text.starts_with("%(") && text.ends_with(")s")
        || text.len() > 2
            && text.starts_with('{')
            && text.ends_with('}')
            && text[1..text.len() - 1].bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
            && !is_mixed(&text.as_bytes()[1..text.len() - 1])
}

fn is_plain_literal(text: &str, strong: bool) -> bool {
    let lower = text.to_ascii_lowercase();
    let literal = matches!(
        lower.as_str(),
        "null"
            | "nil"
            | "none"
            | "undefined"
            | "true"
            | "false"
            | "(null)"
            | "<nil>"
            | "yes"
            | "no"
            | "''"
            | "\"\""
            | "|"
            | ">"
            | "|-"
            | ">-"
            | "|+"
            | "~"
            | "string"
            | "bytes"
            | "opaque"
            | "kubernetes.io/dockerconfigjson"
            | "kubernetes.io/tls"
            | "kubernetes.io/service-account-token"
            | "object"
            | "array"
            | "required"
            | "optional"
            | "[]byte"
            | "str"
    );
    // `secretKey: password` names the key of a Secret, `signature: v4` a version.
    let word = !strong
        && matches!(
            lower.as_str(),
            "password"
                | "passwd"
                | "secret"
                | "token"
                | "key"
                | "username"
                | "include"
                | "same-origin"
                | "omit"
                | "default"
                | "community"
                | "secure"
        );
    let version =
        !strong && lower.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    // `token: 984 bytes`
    let size = lower.strip_suffix(" bytes").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    if literal || word || version || size {
        return true;
    }
    // A number of a few digits is a count, a port or a time; of a password it may be all there is.
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number =
        digits && text.len() < 6 || text.parse::<f64>().is_ok() && text.contains('.') || is_duration(text);
    number && !(strong && digits && text.len() >= 4)
}

fn is_duration(text: &str) -> bool {
    text.len() <= 12
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(['s', 'm', 'h', 'd'])
        && text.bytes().all(|b| b.is_ascii_digit() || b"hmsdun.".contains(&b))
}

/// `/run/secrets/kubernetes.io/token`, `file:///etc/x`, `./conf/key.pem`.
fn is_path(text: &str) -> bool {
    let rest = text.strip_prefix("file://").unwrap_or(text);
    let rest = rest
        .strip_prefix("~")
        .or_else(|| rest.strip_prefix('.'))
        .or_else(|| rest.strip_prefix(".."))
        .unwrap_or(rest);
    let Some(rest) = rest.strip_prefix('/') else { return false };
    let segments: Vec<&str> = rest.split('/').collect();
    let plain = |segment: &&str| {
        segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && !looks_random(segment.as_bytes())
    };
    !rest.is_empty() && segments.iter().all(plain) && (segments.len() >= 2 || rest.contains('.'))
}

/// `kubernetes.io`, `state.apply`: words in a row are a name.
fn is_dotted(text: &str) -> bool {
    let word = |word: &str| word.len() >= 2 && word.bytes().all(|b| b.is_ascii_lowercase());
    text.contains('.') && text.split('.').all(word)
}

/// `bk-paas-token-5k2xq`: so the control plane names the Secret of a service account.
fn is_account_token(text: &str) -> bool {
    text.rsplit_once("-token-").is_some_and(|(account, random)| {
        random.len() == 5
            && random.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b))
            && is_object_name(account)
    })
}

/// `getpass()`, `settings.SECRET_KEY`, `os.environ["X"]`: code in a traceback.
fn is_code(text: &str) -> bool {
    const ROOTS: &[&str] = &[
        "self", "os", "settings", "config", "conf", "request", "req", "this", "cls", "args", "options",
        "opts", "env", "values", "kwargs", "params", "data", "app", "context", "ctx",
    ];
    let end = text
        .bytes()
        .position(|b| !(b.is_ascii_alphanumeric() || b == b'_' || b == b'.'))
        .unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    let identifier = head.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let root = head.split('.').next().unwrap_or_default();
    identifier
        && (rest.starts_with("()")
            || rest == "("
            || rest.starts_with("(") && rest.ends_with([')', ','])
            || rest.starts_with('[')
            || rest.is_empty())
        && (rest.starts_with('(')
            || head.contains('.') && ROOTS.contains(&root)
            || rest.starts_with('[') && ROOTS.contains(&root))
}

/// Prose about a secret: `expired`, `authentication failed for user "x"`.
fn is_sentence(text: &str, setting: Setting, names: &Names) -> bool {
    let mut words =
        text.split([' ', '\t', ',', '.', ';', '!', '"', '\'', ')', '>', '<']).filter(|w| !w.is_empty());
    let Some(first) = words.next() else { return true };
    // `密码：不能为空`; a password of Chinese characters alone cannot be typed.
    if !setting.quoted && text.chars().all(|c| c > '\u{2e7f}') {
        return true;
    }
    let lower = first.to_ascii_lowercase();
    let is_word = first.bytes().all(|b| b.is_ascii_alphabetic() || b == b'\'');
    if !is_word {
        return false;
    }
    let rest: Vec<String> = words.take(12).map(str::to_ascii_lowercase).collect();
    if rest.is_empty() {
        return names.is_prose(&lower);
    }
    if !setting.colon && !setting.quoted {
        return false;
    }
    let prose = rest.iter().filter(|word| names.is_prose(word)).count();
    let words_only = rest.iter().all(|word| word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'\''));
    // In quotes or as a whole line a pass phrase may stand: `with space`.
    match names.is_prose(&lower) {
        true => prose >= 1 || setting.colon && !setting.quoted || words_only && rest.len() >= 2,
        false => prose >= 3 || prose == 2 && !setting.quoted,
    }
}

/// Whether the characters are mixed as no word, name or number mixes them.
///
/// Hexadecimal of a fixed hash length, UUIDs, names with hyphens and dotted names do not count: image digests,
/// uids, commit ids and pod names must survive.
pub(crate) fn looks_random(value: &[u8]) -> bool {
    let len = value.len();
    if !(12..=4096).contains(&len)
        || value.iter().any(|b| !b.is_ascii_graphic() || b"\"'`<>{}()[]|\\,;".contains(b))
    {
        return false;
    }
    let count = |test: fn(&u8) -> bool| value.iter().filter(|b| test(b)).count();
    let (upper, lower, digits) =
        (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase), count(u8::is_ascii_digit));
    let marks = len - upper - lower - digits;
    if is_hex(value) || is_uuid(value) || value.starts_with(b"sha256:") {
        return false;
    }
    // How often digits, capitals and small letters change places, marks left out: within words hardly ever.
    let class = |b: &u8| u8::from(b.is_ascii_digit()) + 2 * u8::from(b.is_ascii_uppercase());
    let solid: Vec<u8> = value.iter().filter(|b| b.is_ascii_alphanumeric()).map(class).collect();
    let changes = solid.windows(2).filter(|w| w[0] != w[1]).count();
    if upper == 0 || lower == 0 {
        // One case only: `default-token-x7k2p` and `bk-paas-6c8f6c9d5b-aaaaa` must survive.
        return marks == 0 && digits >= 4 && len >= 20 && changes * 4 >= len
            || marks > 0 && is_base64ish_one_case(value);
    }
    digits >= 2 && changes * 4 >= solid.len() || changes * 3 >= solid.len() && len >= 20
}

/// Whether beneath a telling name this is a secret although its own name does not say so: an application's UUID, a long
/// hexadecimal number, random characters.
pub(crate) fn is_key_material(value: &[u8]) -> bool {
    is_uuid(value) || is_hex(value) && value.len() >= 20 || looks_random(value)
}

/// Whether a word that stands where a password may stand looks like one: letters and digits, six at least.
pub(crate) fn is_said(word: &[u8]) -> bool {
    let letters = word.iter().any(u8::is_ascii_alphabetic);
    word.len() >= 6 && letters && word.iter().any(u8::is_ascii_digit) && !is_machine_name(word)
}

/// Whether beneath a name that leaves doubt this is a secret: it looks random, or is as long as a key in hexadecimal.
pub(crate) fn is_weak_secret(value: &[u8], noun: bool) -> bool {
    looks_random(value) || is_hex(value) && value.len() >= 32 || noun && is_uuid(value)
}

/// Whether this is no word, beside words that already say that a secret follows.
pub(crate) fn is_opaque(value: &[u8]) -> bool {
    value.iter().filter(|b| b.is_ascii_digit()).count() >= 2 || looks_random(value)
}

fn is_base64ish_one_case(value: &[u8]) -> bool {
    value.ends_with(b"=") && value.len() >= 16
}

fn is_hex(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_hexdigit)
        && (value.iter().all(|b| !b.is_ascii_uppercase()) || value.iter().all(|b| !b.is_ascii_lowercase()))
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value
            .iter()
            .enumerate()
            .all(|(i, b)| if [8, 13, 18, 23].contains(&i) { *b == b'-' } else { b.is_ascii_hexdigit() })
}

/// Whether this is base64 of `user:password`.
pub(crate) fn is_user_pass(value: &[u8]) -> bool {
    decode_base64(value).is_some_and(|text| {
        let printable = text.iter().all(|b| (32..127).contains(b) || *b >= 128);
        printable && text.iter().position(|b| *b == b':').is_some_and(|at| at + 1 < text.len())
    })
}

/// Decodes standard or URL-safe base64, padded or not.
pub(crate) fn decode_base64(value: &[u8]) -> Option<Vec<u8>> {
    let value = value.trim_ascii();
    let end = value.iter().rposition(|b| *b != b'=').map_or(0, |at| at + 1);
    let bare = &value[..end];
    STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok()
}

/// Shortest value that is learned, in bytes.
pub(crate) const MIN_LEARNED: usize = 8;
/// Longest value that is learned, in bytes.
pub(crate) const MAX_LEARNED: usize = 512;

/// Whether masking every other occurrence of this value would mask secrets only.
///
/// `blueking`, `changeme`, `20221031` or `bk-mysql` may be passwords, and are also names, words and dates that stand
/// all over a bundle. They are masked where they are known to be a password, and nowhere else.
pub(crate) fn is_learnable(value: &[u8]) -> bool {
    let len = value.len();
    if !(MIN_LEARNED..=MAX_LEARNED).contains(&len) || value.iter().any(|b| *b < b' ' || *b == 127) {
        return false;
    }
    let mut seen = [false; 256];
    value.iter().for_each(|b| seen[usize::from(*b)] = true);
    if seen.iter().filter(|s| **s).count() < 5 {
        return false;
    }
    let count = |test: fn(&u8) -> bool| value.iter().filter(|b| test(b)).count();
    let (upper, lower, digits) =
        (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase), count(u8::is_ascii_digit));
    let letters = upper + lower;
    let name_marks = count(|b| b"-_./: ".contains(b));
    let marks = len - letters - digits - name_marks;
    if letters == 0 {
        // Digits, dates, addresses.
        return marks >= 2 && digits > 0 || digits >= 16 && name_marks == 0;
    }
    // Reasons and kinds of the control plane: `CrashLoopBackOff`, `FailedScheduling`.
    if digits == 0 && marks == 0 && name_marks == 0 && upper > 1 && lower > 2 * upper {
        return false;
    }
    let capitalised = upper <= 1 && value[0].is_ascii_uppercase() || lower == 0;
    if digits == 0 && marks == 0 && (upper == 0 || capitalised) {
        // Words and names: `should-be-secret`.
        return len >= 16 && name_marks == 0;
    }
    if upper == 0 && marks == 0 && name_marks > 0 && is_machine_name(value) {
        return false;
    }
    true
}

/// Whether a text, which anybody may have written, may teach this value: no name of a pod or a host, no reason, no word
/// of a message is mixed so. Who logs `password=CrashLoopBackOff` takes nothing from the rest of a bundle.
pub(crate) fn is_telling(value: &[u8]) -> bool {
    if is_uuid(value) || is_hex(value) && value.len() >= 20 {
        return true;
    }
    if value.iter().any(|b| !b.is_ascii_graphic() || b"()[]{}<>\"'`,;|\\".contains(b)) {
        return false;
    }
    // Addresses and codes are mixed only by their marks: `error:1416F086:SSL`, `k3s/RKE2`.
    if value.iter().any(|b| b":/".contains(b)) {
        let address = memchr::memmem::find(value, b"://").is_some();
        return !address && value.split(|b| b":/".contains(b)).any(|p| p.len() >= MIN_LEARNED && is_mixed(p));
    }
    is_mixed(value)
}

/// Whether capitals, small letters and digits change places, or the characters look random.
fn is_mixed(value: &[u8]) -> bool {
    let count = |test: fn(&u8) -> bool| value.iter().filter(|b| test(b)).count();
    let (upper, lower, digits) =
        (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase), count(u8::is_ascii_digit));
    if upper == 0 || lower == 0 || digits == 0 {
        return digits > 0 && looks_random(value);
    }
    let class = |b: &u8| u8::from(b.is_ascii_digit()) + 2 * u8::from(b.is_ascii_uppercase());
    let solid: Vec<u8> = value.iter().filter(|b| b.is_ascii_alphanumeric()).map(class).collect();
    let changes = solid.windows(2).filter(|w| w[0] != w[1]).count();
    changes >= 2 && (!value.iter().any(|b| b"-_.".contains(b)) || digits >= 2)
}

/// Whether this can be the name of an object, perhaps after its namespace: words, short numbers and the hash that a
/// controller appends.
pub(crate) fn is_object_name(value: &str) -> bool {
    let hash = |piece: &str| {
        (5..=10).contains(&piece.len()) && piece.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b))
    };
    let word = |piece: &str| {
        let digits = piece.bytes().filter(u8::is_ascii_digit).count();
        piece.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && (digits == 0
                || digits == piece.len() && digits <= 5
                || piece.len() - digits <= 2
                || hash(piece))
    };
    value.len() <= 128
        && value.matches('/').count() <= 1
        && value.split(['/', '-', '.']).all(|piece| !piece.is_empty() && word(piece))
}

/// Host, address, version, path and image names: `node-10-0-6-11`, `v1.20.2`, `bk-mysql-mysql-master-0`.
fn is_machine_name(value: &[u8]) -> bool {
    let pieces: Vec<&[u8]> = value.split(|b| b"-_./: ".contains(b)).collect();
    let plain = |piece: &&[u8]| {
        let digits = piece.iter().filter(|b| b.is_ascii_digit()).count();
        digits == 0 || digits == piece.len() || piece.len() - digits <= 2
    };
    pieces.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::rules::RuleSet;

    const TEXT: Setting = Setting { quoted: false, colon: true, strong: true };

    #[test]
    fn references_placeholders_and_sentences_are_no_secrets() {
        let names = Names::new(&RuleSet::load(&[]).unwrap());
        for value in [
            "",
            "null",
            "***password:1a2b3c4d***",
            "******",
            "xxxxx",
            "<redacted>",
            "[FILTERED]",
            "$(DB_PASSWORD)",
            "${PW}",
            "$PW",
            "{{ .Values.password }}",
            "%s",
            "/run/secrets/token",
            "expired",
            "authentication failed for user \"x\"",
            "<set to the key 'password' in secret 'bk-mysql'>  Optional: false",
            "getpass()",
            "settings.SECRET_KEY",
            "not found",
            "***HIDDEN***",
            "the one you were given is wrong",
            "{password}",
        ] {
            assert!(is_no_secret(value.as_bytes(), TEXT, &names), "{value}");
        }
        for value in [
            "hunter2",
            "blueking",
            "123456",
            "correct horse battery staple",
            "p@ss",
            "$ecret9",
            "admin",
            "changeme",
            "Passw0rd",
            "/9j4AAQSkZJRgABAQ+AAD=",
            "密码1",
            "{x;y}",
            "*a*b*",
            "(abc)",
        ] {
            assert!(!is_no_secret(value.as_bytes(), TEXT, &names), "{value}");
        }
    }

    #[test]
    fn digests_ids_and_names_do_not_look_random() {
        for value in [
            "d41d8cd98f00b204e9800998ecf8427e",
            "3f786850e387550fdab836ed7e6dc881de23001b",
            "550e8400-e29b-41d4-a716-446655440000",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "default-token-x7k2p",
            "bk-paas-6c8f6c9d5b-aaaaa",
            "apiAccessTokenService",
            "UNAUTHENTICATED_ERROR",
            "authentication",
            "2026-11-22T07:00:00Z",
            "com.tencent.bk.job.Main",
        ] {
            assert!(!looks_random(value.as_bytes()), "{value}");
        }
        for value in [
            "IvWItkB8xN2qZr7T",
            "dXNlcjpwYXNzd29yZDE=",
            "aB3dE5fG7hJ9kL1m",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AbCdEf123456789012",
        ] {
            assert!(looks_random(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn common_words_and_names_are_not_learned() {
        for value in [
            "blueking",
            "changeme",
            "20221031",
            "bk-mysql-mysql-master-0",
            "10.0.6.11:3306",
            "short1",
            "v1.20.2-rc.1",
            "aaaaaaaa1",
            "password",
            "Password",
            "node-10-0-6-11",
        ] {
            assert!(!is_learnable(value.as_bytes()), "{value}");
        }
        for value in [
            "hunter2-should-be-redacted",
            "s3cr3t-must-not-leak",
            "Blueking@2022",
            "xK9mP2qL",
            "correcthorsebatterystaple",
            "p@ssw0rd",
            "3f786850e387550fdab8",
        ] {
            assert!(is_learnable(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn user_and_password_are_seen_through_base64() {
        assert!(is_user_pass(b"YWRtaW46SGFyYm9yMTIz"));
        assert!(!is_user_pass(b"authentication"));
    }
}
