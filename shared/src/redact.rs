//! Redaction: secrets leave the data before it reaches the disk.
//!
//! One [`Redactor`] serves a whole run. It is cheap to clone and shared by all tasks. [`Redactor::json`] masks an
//! object by its structure (environment pairs, ConfigMap data, annotations, argument lists, fields by name);
//! [`Redactor::text`] masks any stream of bytes, line by line, with bounded memory. Both end in the same scanner, and
//! what they find they learn: a value that was recognised once is masked wherever it stands in clear afterwards, and
//! [`verify`] finds where it stood before.
//!
//! A secret becomes a [`token`] such as `***password:1a2b3c4d***`, equal for equal values within one bundle; a
//! value in a field of an object and one in a text have different tokens, so that nobody can try guesses by logging them.
//! Names, user names, hosts, databases, digests and prose stay, for they are what a diagnosis needs.
//!
//! Rules are data, see `rules/redaction/`. Everything fails closed: an error here means that the item must not be
//! kept.
//!
//! # Limits
//! A secret that stands beside no telling name, in no telling shape, and nowhere else in the bundle in such a place,
//! is not recognised. Values of fewer than eight characters and plain words are masked where they are recognised and
//! nowhere else (see [`learned`] for the bounds). A value that a terminal broke over two lines is masked on the
//! line where its name stands. In lists of arguments over several lines but those of a few clients, a secret is
//! masked only where objects are masked by their structure.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use learned::Source;
use names::Kind;

mod columns;
mod encoded;
mod fields;
mod hit;
mod json;
pub mod learned;
mod literals;
mod names;
mod pem;
mod printed;
mod rules;
mod scan;
pub mod scrub;
mod shapes;
mod shown;
mod stream;
pub mod token;
mod urls;
mod value;
pub mod verify;

pub use rules::{RuleError, SCHEMA};
pub use stream::TextMasker;
pub use token::TokenKey;

/// How many values were masked, by kind of secret.
pub type Counts = BTreeMap<String, u64>;

/// Why an item must not be kept.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    #[error("binary data: {0}, so secrets in it cannot be recognised")]
    Binary(&'static str),
    #[error("nested deeper than {0} levels")]
    TooDeep(usize),
    #[error("the redactor stopped in the middle of another item")]
    Poisoned,
}

/// Why there is no redactor.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Rules(#[from] RuleError),
    #[error("no randomness for the key of the tokens: {0}")]
    Randomness(getrandom::Error),
}

/// Masks secrets; one for a bundle.
#[derive(Clone)]
pub struct Redactor {
    inner: Arc<Inner>,
}

struct Inner {
    scanner: Arc<scan::Scanner>,
    key: TokenKey,
    learned: RwLock<learned::Learned>,
    /// Kind under which a value was first masked, so that it has one token everywhere.
    kinds: Mutex<std::collections::HashMap<u64, Kind>>,
}

/// Most values whose first kind is remembered; 24 bytes each.
const MAX_KINDS: usize = 1 << 18;

impl std::fmt::Debug for Redactor {
    /// Says nothing of what was learned.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// A redactor with the built-in rules and a new key.
    ///
    /// `user_rules` are texts of further rule files, each with the name that messages give it.
    ///
    /// # Errors
    /// A rule file that does not hold, or a system without randomness.
    pub fn new(user_rules: &[(String, String)]) -> Result<Redactor, BuildError> {
        let key = TokenKey::random().map_err(BuildError::Randomness)?;
        Redactor::with_key(user_rules, key)
    }

    /// The same with a key that is given.
    ///
    /// # Errors
    /// A rule file that does not hold.
    pub fn with_key(user_rules: &[(String, String)], key: TokenKey) -> Result<Redactor, BuildError> {
        /// The built-in rules never change while the program runs.
        static BUILT_IN: OnceLock<Arc<scan::Scanner>> = OnceLock::new();
        let given = rules::RuleSet::load_user(user_rules)?;
        let scanner = match BUILT_IN.get().filter(|_| user_rules.is_empty()) {
            Some(scanner) => scanner.clone(),
            None => {
                let scanner = Arc::new(scan::Scanner::new(&rules::RuleSet::load(user_rules)?)?);
                if user_rules.is_empty() {
                    BUILT_IN.get_or_init(|| scanner.clone());
                }
                scanner
            }
        };
        let passwords =
            [names::PASSWORD, names::URL_PASSWORD].map(|kind| scanner.names.kind_named(kind)).into();
        let redactor = Redactor {
            inner: Arc::new(Inner {
                scanner,
                key,
                learned: RwLock::new(learned::Learned::new(passwords)),
                kinds: Mutex::new(std::collections::HashMap::new()),
            }),
        };
        let kind = redactor.inner.scanner.names.kind_named(names::LEARNED);
        if let Ok(mut learned) = redactor.inner.learned.write() {
            for value in given.each(|file| &file.values) {
                let fingerprint = redactor.inner.key.fingerprint(value.as_bytes());
                learned.learn_given(value.as_bytes(), kind, fingerprint);
            }
        }
        Ok(redactor)
    }

    /// A masker for one stream of bytes: a log, a text, JSON that need not be parsed.
    pub fn text(&self) -> TextMasker {
        TextMasker::new(self.clone())
    }

    /// A masker that masks what was learned and looks for nothing else: for what has been masked once.
    pub(crate) fn learned_only(&self) -> TextMasker {
        TextMasker::learned_only(self.clone())
    }

    /// Masks one string; `None` if there was nothing to mask.
    ///
    /// # Errors
    /// See [`RedactError`].
    pub fn string(&self, text: &str, counts: &mut Counts) -> Result<Option<String>, RedactError> {
        stream::mask_string(self, text, counts)
    }

    /// Masks the strings of a JSON value by what the structure says of them.
    ///
    /// # Errors
    /// Nesting too deep to be walked.
    pub fn json(&self, value: &mut serde_json::Value) -> Result<Counts, RedactError> {
        let mut counts = Counts::new();
        json::mask(self, value, &mut counts)?;
        Ok(counts)
    }

    /// Says that `name` is a name (of a node, a namespace, a release) and must survive, even if it is somebody's
    /// password too.
    pub fn protect(&self, name: &str) {
        if let Ok(mut learned) = self.inner.learned.write() {
            learned.protect(name.as_bytes());
        }
    }

    /// How many values were learned, and how many more came after the limits were reached.
    pub fn learned(&self) -> (usize, u64) {
        self.inner.learned.read().map_or((0, 0), |learned| (learned.values().count(), learned.dropped))
    }
}

impl Inner {
    fn learn(&self, value: &[u8], kind: Kind, fingerprint: u64, source: Source) {
        if !learned::may_be_learned(value, source) {
            return;
        }
        let known = self.learned.read().is_ok_and(|learned| learned.knows(fingerprint));
        if !known && let Ok(mut learned) = self.learned.write() {
            learned.learn(value, kind, fingerprint, source);
        }
    }

    /// Learns a value that will be masked where it was found in a text.
    fn learn_found(&self, value: &[u8], kind: Kind) {
        if learned::may_be_learned(value, Source::Text) {
            self.learn(value, kind, self.key.fingerprint(value), Source::Text);
        }
    }

    /// Learns a value that the structure of an object tells to be secret.
    fn learn_field(&self, value: &[u8], kind: Kind) {
        self.learn(value, kind, self.key.fingerprint(value), Source::Field);
    }

    /// Keeps the names in a structural field of an object from being masked as somebody's password.
    fn protect(&self, field: &str) {
        let telling: Vec<&[u8]> = learned::name_parts(field.as_bytes())
            .filter(|part| learned::may_be_learned(part, Source::Text))
            .collect();
        if telling.is_empty() {
            return;
        }
        let known =
            self.learned.read().is_ok_and(|learned| telling.iter().all(|part| learned.protects(part)));
        if !known && let Ok(mut learned) = self.learned.write() {
            telling.into_iter().for_each(|part| learned.protect(part));
        }
    }

    /// Writes the token of a value in a field of an object, counts it and learns the value.
    fn mask_field(&self, value: &[u8], kind: Kind, counts: &mut Counts, out: &mut Vec<u8>) {
        let value = value.trim_ascii();
        let kind = self.write_token(self.key.field_fingerprint(value), kind, counts, out);
        self.learn_field(value, kind);
    }

    /// Writes the token of `value`, counts it and learns the value.
    fn mask(&self, value: &[u8], kind: Kind, counts: &mut Counts, out: &mut Vec<u8>) {
        let value = value.trim_ascii();
        let fingerprint = self.key.fingerprint(value);
        let kind = self.write_token(fingerprint, kind, counts, out);
        self.learn(value, kind, fingerprint, Source::Text);
    }

    /// Writes the token of the value with this fingerprint; returns the kind that the token shows.
    fn write_token(&self, fingerprint: u64, kind: Kind, counts: &mut Counts, out: &mut Vec<u8>) -> Kind {
        let kind = match self.kinds.lock() {
            Ok(mut kinds) if kinds.len() < MAX_KINDS => *kinds.entry(fingerprint).or_insert(kind),
            Ok(kinds) => kinds.get(&fingerprint).copied().unwrap_or(kind),
            Err(_) => kind,
        };
        let name = self.scanner.names.kind_str(kind);
        match counts.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                counts.insert(name.to_owned(), 1);
            }
        }
        token::write(name, fingerprint, out);
        kind
    }
}
