//! Which names tell of a secret: `DB_PASSWORD`, `apiKey`, `spring.datasource.password`, and which only speak of one:
//! `secretName`, `TOKEN_TTL`, `LOG_USER_AGENT`.

use std::collections::{HashMap, HashSet};

use super::rules::RuleSet;
use super::value;

/// Index into [`Names::kinds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Kind(pub u16);

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nothing.
    Plain,
    /// It is a secret, if it is a value at all; `strong` for passwords, of which even short and plain ones count.
    Secret { kind: Kind, strong: bool },
    /// It is a secret if it looks random.
    Weak(Kind),
}

/// The names of all rule files.
#[derive(Debug)]
pub(crate) struct Names {
    kinds: Vec<String>,
    /// Words of a noun joined without separator → (kind, strong, words in it).
    nouns: HashMap<String, (Kind, bool, usize)>,
    /// Nouns that may be the end of a glued word: `mysqlpassword`.
    glued: Vec<(String, Kind, bool)>,
    /// Pieces of text that stand in telling names, see [`Names::hints`].
    hints: Vec<String>,
    weak: HashSet<String>,
    neutral: HashSet<String>,
    attributes: HashSet<String>,
    harmless: HashSet<String>,
    directives: HashSet<String>,
    setters: HashSet<String>,
    prose: HashSet<String>,
}

/// Longest noun and longest harmless name, in words.
const MAX_WORDS: usize = 4;
/// Names longer than this are no names.
pub(crate) const MAX_NAME: usize = 128;

impl Names {
    pub fn new(rules: &RuleSet) -> Names {
        let set = |list: Vec<&String>| list.into_iter().map(|w| joined(w)).collect::<HashSet<_>>();
        let mut names = Names {
            kinds: Vec::new(),
            nouns: HashMap::new(),
            glued: Vec::new(),
            hints: hints(rules),
            weak: set(rules.each(|f| &f.weak).collect()),
            neutral: set(rules.each(|f| &f.neutral).collect()),
            attributes: set(rules.each(|f| &f.attributes).collect()),
            harmless: set(rules.each(|f| &f.harmless).collect()),
            directives: set(rules.each(|f| &f.directives).collect()),
            setters: rules.each(|f| &f.setters).cloned().collect(),
            prose: rules.each(|f| &f.prose).cloned().collect(),
        };
        for group in rules.each(|f| &f.nouns) {
            let kind = names.kind(&group.kind);
            for words in &group.words {
                let noun = joined(words);
                // Short nouns hide in other words: `pass` in `bypass`, `otp` in `laptop`.
                if noun.len() >= 5 || group.strong && noun.len() >= 3 && noun.is_ascii() {
                    names.glued.push((noun.clone(), kind, group.strong));
                }
                names.nouns.insert(noun, (kind, group.strong, words.split(' ').count()));
            }
        }
        for shape in rules.each(|f| &f.shapes) {
            names.kind(&shape.kind);
        }
        for kind in [LEARNED, BINARY, URL_PASSWORD, PRIVATE_KEY, PASSWORD, SECRET, KEY, COOKIE] {
            names.kind(kind);
        }
        names
    }

    /// The kind of this name, made if it is new.
    fn kind(&mut self, name: &str) -> Kind {
        let at = self.kinds.iter().position(|k| k == name).unwrap_or_else(|| {
            self.kinds.push(name.to_owned());
            self.kinds.len() - 1
        });
        Kind(u16::try_from(at).expect("rule files hold far fewer kinds than 65,536"))
    }

    pub fn kind_named(&self, name: &str) -> Kind {
        let at = self.kinds.iter().position(|k| k == name).expect("kinds of all rules are registered");
        Kind(at as u16)
    }

    pub fn kind_str(&self, kind: Kind) -> &str {
        &self.kinds[usize::from(kind.0)]
    }

    pub fn is_directive(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|n| self.directives.contains(&n.to_ascii_lowercase()))
    }

    /// Whether a name, a space and its value follow this word.
    pub fn is_setter(&self, word: &[u8]) -> bool {
        std::str::from_utf8(word).is_ok_and(|word| self.setters.contains(&word.to_ascii_lowercase()))
    }

    /// Whether a text that begins with this word is a sentence.
    pub fn is_prose(&self, word: &str) -> bool {
        self.prose.contains(word)
    }

    /// What `name` says of its value.
    pub fn classify(&self, name: &[u8]) -> Class {
        if name.is_empty() || name.len() > MAX_NAME {
            return Class::Plain;
        }
        let Ok(name) = std::str::from_utf8(name) else { return Class::Plain };
        let words = split(name);
        // `checksum/secret`: so Helm charts make pods restart.
        if name.contains('/') && words.first().is_some_and(|word| word == "checksum") {
            return Class::Plain;
        }
        let starts = words.len().saturating_sub(MAX_WORDS)..words.len();
        if starts.clone().any(|i| self.harmless.contains(&words[i..].concat())) {
            return Class::Plain;
        }
        // The noun nearest the end decides: in `password_token_ttl` that is `token`.
        for end in (1..=words.len()).rev() {
            if let Some((kind, strong)) = self.noun_ending(&words[..end]) {
                return self.judge(kind, strong, &words[end..]);
            }
            if end == words.len() && self.weak.contains(&words[end - 1]) {
                return Class::Weak(self.kind_named(KEY));
            }
            if self.attributes.contains(&words[end - 1]) {
                return Class::Plain;
            }
        }
        Class::Plain
    }

    fn noun_ending(&self, words: &[String]) -> Option<(Kind, bool)> {
        for count in (1..=MAX_WORDS.min(words.len())).rev() {
            let tail = words[words.len() - count..].concat();
            if let Some((kind, strong, _)) = self.nouns.get(&tail) {
                return Some((*kind, *strong));
            }
        }
        let last = words.last()?;
        let fits = |noun: &str| last.len() > noun.len() && last.ends_with(noun);
        self.glued.iter().find(|(noun, ..)| fits(noun)).map(|(_, kind, strong)| (*kind, *strong))
    }

    fn judge(&self, kind: Kind, strong: bool, after: &[String]) -> Class {
        if after.iter().any(|word| self.attributes.contains(word)) {
            Class::Plain
        } else if strong || after.iter().all(|word| self.neutral.contains(word)) {
            Class::Secret { kind, strong }
        } else {
            Class::Weak(kind)
        }
    }

    /// Whether this member of what has a telling name is a secret, though `key` itself tells of none.
    pub fn is_secret_member(&self, key: &[u8], value: &[u8]) -> bool {
        if !value::is_key_material(value) {
            return false;
        }
        let Ok(key) = std::str::from_utf8(key) else { return true };
        let about = |word: &String| self.attributes.contains(word) || word == "digest" || word == "hash";
        !split(key).last().is_some_and(about)
    }

    /// Whether the value of this name is the name of a Secret: `passwordSecret: bk-mysql`, `secret="blueking/bk-tls"`. What
    /// an application calls its own secret (`client_secret`, `APP_SECRET`) is none.
    pub fn names_a_secret(&self, name: &[u8], value: &[u8]) -> bool {
        const OWN: &[&str] =
            &["client", "app", "shared", "jwt", "api", "auth", "oauth", "user", "access", "session"];
        let (Ok(name), Ok(value)) = (std::str::from_utf8(name), std::str::from_utf8(value)) else {
            return false;
        };
        let words = split(name);
        let telling =
            words.last().is_some_and(|word| matches!(word.as_str(), "secret" | "credential" | "credentials"));
        let own = words.len() > 1 && OWN.contains(&words[words.len() - 2].as_str());
        let shouted = !name.bytes().any(|b| b.is_ascii_lowercase());
        let qualified =
            value.contains(['-', '/']) || words.len() > 1 && value.bytes().all(|b| b.is_ascii_lowercase());
        telling && !own && !shouted && qualified && value::is_object_name(value)
    }

    /// Pieces of text of which one stands in every name that [`Names::classify`] may call secret.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

/// See [`Names::hints`].
///
/// They are matched with case, for speed, so each comes as lower and upper case; leaving off the first letter makes
/// one piece serve `token` and `Token`.
fn hints(rules: &RuleSet) -> Vec<String> {
    let nouns = rules.each(|f| &f.nouns).flat_map(|group| &group.words);
    let mut nouns: Vec<&String> = nouns.chain(rules.each(|f| &f.weak)).collect();
    nouns.sort_by_key(|noun| (noun.len(), noun.as_str()));
    let mut hints: Vec<String> = Vec::new();
    for noun in nouns {
        let words: Vec<&str> = noun.split(' ').collect();
        // The words may be written with or without a separator: only one of them is sure to stand there as it is.
        let word = match words.as_slice() {
            // This last word is everywhere, the one before it is rarer.
            [.., before, "id" | "ticket" | "string"] if before.len() >= 3 => before,
            [.., "data"] => {
                let spelled = ["", "_", "-"].map(|separator| words.join(separator));
                let camel = words[0].to_owned() + &words[1..].iter().map(|w| capital(w)).collect::<String>();
                hints.push(spelled[1].to_ascii_uppercase());
                hints.extend(spelled);
                hints.push(camel);
                continue;
            }
            [.., last] => last,
            [] => continue,
        };
        let cases = [(*word).to_owned(), word.to_ascii_uppercase(), capital(word)];
        if cases.iter().all(|case| hints.iter().any(|hint| case.contains(hint.as_str()))) {
            continue;
        }
        if word.is_ascii() && word.len() >= 5 {
            hints.push(word[1..].to_owned());
            hints.push(word[1..].to_ascii_uppercase());
        } else {
            hints.extend(cases);
        }
    }
    hints.sort();
    hints.dedup();
    hints
}

pub(crate) const LEARNED: &str = "learned";
pub(crate) const BINARY: &str = "binary";
pub(crate) const URL_PASSWORD: &str = "url-password";
pub(crate) const PRIVATE_KEY: &str = "private-key";
pub(crate) const PASSWORD: &str = "password";
pub(crate) const COOKIE: &str = "cookie";
pub(crate) const SECRET: &str = "secret";
pub(crate) const KEY: &str = "key";

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

fn joined(words: &str) -> String {
    words.split(' ').collect::<String>().to_lowercase()
}

/// Cuts a name into lower-case words.
fn split(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|b| chars[b]);
        let after = chars.get(i + 1);
        let hump = c.is_ascii_uppercase()
            && (before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                || before.is_some_and(|b| b.is_ascii_uppercase())
                    && after.is_some_and(|a| a.is_ascii_lowercase()));
        if (hump || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    for word in &mut words {
        // `password2`, `token01`; but `sha256`, `b64` and `md5` are words.
        let bare = word.trim_end_matches(|c: char| c.is_ascii_digit());
        if bare.len() >= 4 && bare.len() < word.len() {
            word.truncate(bare.len());
        }
    }
    words.retain(|word| !word.bytes().all(|b| b.is_ascii_digit()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new(&RuleSet::load(&[]).unwrap())
    }

    #[test]
    fn names_are_cut_at_separators_and_humps() {
        assert_eq!(split("BKAPP_SECRET_KEY"), ["bkapp", "secret", "key"]);
        assert_eq!(split("JWTTokenValue2"), ["jwt", "token", "value"]);
        assert_eq!(split("spring.datasource-password01"), ["spring", "datasource", "password"]);
        assert_eq!(split("accessKeyID"), ["access", "key", "id"]);
    }

    #[test]
    fn names_of_secrets_are_told_from_names_about_them() {
        let names = names();
        for name in [
            "password",
            "DB_PASSWORD",
            "mysqlPassword",
            "rootpassword",
            "PGPASSWORD",
            "MYSQL_PWD",
            "apiKey",
            "APIKEY",
            "BK_APP_SECRET",
            "bk_token",
            "client-secret",
            "accessKeySecret",
            "SECRET_KEY_BASE",
            "redis.auth.password",
            "requirepass",
            "PASSWORD_MYSQL",
            "access_token",
            "DB_PASS",
            "jwtToken",
            "ca_key",
            "_authToken",
            "spring.redis.password",
            "X-Auth-Token",
            "tls.key",
            ".dockerconfigjson",
            "password2",
            "密码",
            "登录密码",
            "sasl.password",
            "private_key_pem",
            "secretAccessKey",
            "encryptionKey",
            "adminPasswd",
        ] {
            assert!(matches!(names.classify(name.as_bytes()), Class::Secret { .. }), "{name}");
        }
        for name in [
            "LOG_USER_AGENT",
            "DATABASE_POOL_SIZE",
            "secretName",
            "secretKeyRef",
            "TOKEN_TTL",
            "password_file",
            "tokenExpirationSeconds",
            "automountServiceAccountToken",
            "imagePullSecrets",
            "bkCiApiTokenExpiredMillisecond",
            "passed",
            "bypass",
            "compass",
            "tokenizer",
            "secretariat",
            "existingSecret",
            "keyword",
            "monkey",
            "csi.storage.k8s.io/provisioner-secret-name",
            "token_endpoint",
            "password_policy",
            "max_tokens",
            "public_key",
            "location",
            "author",
            "authority",
            "design",
            "secret-manager-controller",
            "key_count",
            "hockey",
            "tokenreviews",
        ] {
            assert_eq!(names.classify(name.as_bytes()), Class::Plain, "{name}");
        }
    }

    #[test]
    fn a_hint_stands_in_every_telling_name() {
        let names = names();
        let hints = names.hints();
        for name in [
            "DB_PASSWORD",
            "dbPassword",
            "x_pwd",
            "BK_APP_SECRET",
            "apiKey",
            "API_KEY",
            "bkToken",
            "登录密码",
            "caData",
            "CA_DATA",
            "secretId",
        ] {
            assert!(hints.iter().any(|hint| name.contains(hint.as_str())), "{name}: {hints:?}");
        }
        assert!(hints.len() < 120, "{}: {hints:?}", hints.len());
    }
}
