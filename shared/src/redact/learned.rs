//! Values that were recognised as secret at one place, to be masked at every other.
//!
//! The index samples text every few bytes: a learned value has at least eight bytes, so among the four-byte windows
//! that lie every five bytes, one lies within the value's first eight. A bit per window of all values answers most
//! samples; only then are the values compared. So the cost hardly grows with their number, and a value can be added
//! without rebuilding anything.
//!
//! Who may teach: a field of an object that its structure tells to be secret teaches any value that is no word of a
//! language or of the control plane; a text, which anybody may have written, only what is mixed as no name, reason or
//! sentence is ([`value::is_telling`]). Names in structural fields of objects are immune ([`Learned::protect`]).
//!
//! Limits: values of 8 to 512 bytes, and 4,096 values and 1 MiB of each [`Rank`], so that a log full of tokens leaves room
//! for passwords and for what objects teach. What comes after that is masked where it is recognised and not learned;
//! it is counted. Besides the value itself its percent-encoded, JSON-escaped and base64 forms are known.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::hit::Hit;
use super::names::Kind;
use super::value;

/// Most values of one rank that are learned.
pub const MAX_VALUES: usize = 4096;
/// Most bytes of learned values of one rank, their other spellings not counted.
pub const MAX_BYTES: usize = 1 << 20;
/// Most names that are kept from being learned.
const MAX_PROTECTED: usize = 200_000;

const WINDOW: usize = 4;
/// Between samples. A window at one of so many offsets lies within the first `MIN_LEARNED` bytes.
const STRIDE: usize = value::MIN_LEARNED - WINDOW + 1;
/// Bits of the smallest and of the largest filter, as powers of two: the small one stays in the fastest cache, the large
/// one is sparse for as many values as are learned at most.
const FILTER_BITS: (u32, u32) = (15, 22);
/// Bits of the filter for each window in it.
const SPARSE: usize = 32;

#[derive(Debug, Clone)]
struct Form {
    text: Box<[u8]>,
    value: u32,
    /// Base64: whatever base64 follows belongs to it.
    runs_on: bool,
}

/// Where a value was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A person named it, in a rule file.
    Given,
    /// A field of an object.
    Field,
    /// Text, which anybody may have written.
    Text,
}

/// Values of one rank have a room of their own in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    Given,
    Field,
    /// Of a text, beside a name that stands for a password.
    Password,
    Other,
}

const RANKS: usize = 4;

/// One learned value.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub text: Box<[u8]>,
    pub kind: Kind,
    pub fingerprint: u64,
    source: Source,
    /// False once it turned out to be the name of something.
    active: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Learned {
    values: Vec<Value>,
    known: HashSet<u64>,
    /// Values and bytes of each rank.
    taken: [(usize, usize); RANKS],
    passwords: HashSet<Kind>,
    forms: Vec<Form>,
    filter: Vec<u64>,
    filter_bits: u32,
    windows: HashMap<u32, Vec<(u32, u8)>, BuildHasherDefault<WindowHasher>>,
    protected: HashSet<Box<[u8]>>,
    /// Values that came after the limits were reached.
    pub dropped: u64,
}

impl Learned {
    /// An empty table; `passwords` are the kinds that go before others of a text.
    pub fn new(passwords: HashSet<Kind>) -> Learned {
        Learned { passwords, ..Learned::default() }
    }

    /// A name that must survive even if some password is equal to it; what a text taught of it is forgotten.
    pub fn protect(&mut self, name: &[u8]) {
        if self.protected.len() < MAX_PROTECTED
            && (value::MIN_LEARNED..=value::MAX_LEARNED).contains(&name.len())
            && self.protected.insert(name.into())
        {
            let same = |value: &&mut Value| value.source == Source::Text && *value.text == *name;
            self.values.iter_mut().filter(same).for_each(|value| value.active = false);
        }
    }

    pub fn protects(&self, name: &[u8]) -> bool {
        self.protected.contains(name)
    }

    pub fn knows(&self, fingerprint: u64) -> bool {
        self.known.contains(&fingerprint)
    }

    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.values.iter().filter(|value| value.active)
    }

    /// Learns the value if it may be; says whether it is new.
    pub fn learn(&mut self, text: &[u8], kind: Kind, fingerprint: u64, source: Source) -> bool {
        if !may_be_learned(text, source) || self.protected.contains(text) {
            return false;
        }
        self.keep(text, kind, fingerprint, source)
    }

    /// The same for a value that a person has named, whatever it looks like; it must have as many bytes as any.
    pub fn learn_given(&mut self, text: &[u8], kind: Kind, fingerprint: u64) -> bool {
        self.keep(text, kind, fingerprint, Source::Given)
    }

    fn keep(&mut self, text: &[u8], kind: Kind, fingerprint: u64, source: Source) -> bool {
        if self.knows(fingerprint) || text.len() < value::MIN_LEARNED {
            return false;
        }
        let rank = match source {
            Source::Given => Rank::Given,
            Source::Field => Rank::Field,
            Source::Text if self.passwords.contains(&kind) => Rank::Password,
            Source::Text => Rank::Other,
        };
        let (values, bytes) = &mut self.taken[rank as usize];
        if *values >= MAX_VALUES || *bytes + text.len() > MAX_BYTES {
            self.dropped += 1;
            return false;
        }
        *values += 1;
        *bytes += text.len();
        let id = self.values.len() as u32;
        self.known.insert(fingerprint);
        self.values.push(Value { text: text.into(), kind, fingerprint, source, active: true });
        for (form, runs_on) in forms(text) {
            self.index(Form { text: form.into(), value: id, runs_on });
        }
        true
    }

    fn index(&mut self, form: Form) {
        let id = self.forms.len() as u32;
        for offset in 0..STRIDE {
            let window = window_at(&form.text, offset);
            self.windows.entry(window).or_default().push((id, offset as u8));
        }
        self.forms.push(form);
        let full = self.windows.len() * SPARSE > 1 << self.filter_bits;
        if self.filter.is_empty() || full && self.filter_bits < FILTER_BITS.1 {
            self.filter_bits = if self.filter.is_empty() { FILTER_BITS.0 } else { self.filter_bits + 1 };
            self.filter = vec![0; 1 << (self.filter_bits - 6)];
            let windows: Vec<u32> = self.windows.keys().copied().collect();
            windows.into_iter().for_each(|window| self.mark(window));
        } else {
            let text = &self.forms[id as usize].text;
            let windows: [u32; STRIDE] = std::array::from_fn(|offset| window_at(text, offset));
            windows.into_iter().for_each(|window| self.mark(window));
        }
    }

    fn mark(&mut self, window: u32) {
        let bit = hash(window, self.filter_bits);
        self.filter[bit >> 6] |= 1 << (bit & 63);
    }

    /// Adds every occurrence of a learned value in `text` to `hits`.
    pub fn find(&self, text: &[u8], hits: &mut Vec<(Hit, u64)>) {
        if self.filter.is_empty() || text.len() < value::MIN_LEARNED {
            return;
        }
        let (filter, bits) = (self.filter.as_slice(), self.filter_bits);
        let samples = text.chunks_exact(STRIDE);
        // Fewer bytes than samples lie apart, yet perhaps a window.
        let rest = samples.remainder().first_chunk::<WINDOW>().map(|window| (text.len() / STRIDE, *window));
        let whole = samples.enumerate().filter_map(|(i, sample)| Some((i, *sample.first_chunk::<WINDOW>()?)));
        for (i, window) in whole.chain(rest) {
            let window = u32::from_le_bytes(window);
            let bit = hash(window, bits);
            if filter[bit >> 6] >> (bit & 63) & 1 == 1 {
                self.compare_all(text, i * STRIDE, window, hits);
            }
        }
    }

    #[cold]
    fn compare_all(&self, text: &[u8], at: usize, window: u32, hits: &mut Vec<(Hit, u64)>) {
        for (form, offset) in self.windows.get(&window).into_iter().flatten() {
            hits.extend(self.compare(text, at, *form, usize::from(*offset)));
        }
    }

    fn compare(&self, text: &[u8], at: usize, form: u32, offset: usize) -> Option<(Hit, u64)> {
        let form = &self.forms[form as usize];
        let start = at.checked_sub(offset)?;
        if !text[start..].starts_with(&form.text) {
            return None;
        }
        let mut end = start + form.text.len();
        if form.runs_on {
            let run = |b: &&u8| b.is_ascii_alphanumeric() || b"+/=".contains(b);
            end += text[end..].iter().take(value::MAX_LEARNED).take_while(run).count();
        }
        let value = &self.values[form.value as usize];
        value.active.then_some((Hit::new(start, end, value.kind), value.fingerprint))
    }
}

/// Whether a value of this source may be masked wherever it stands.
pub(crate) fn may_be_learned(text: &[u8], source: Source) -> bool {
    value::is_learnable(text) && (source != Source::Text || value::is_telling(text))
}

/// The names that a structural field holds: all of it, its pieces, and what a pod's name begins with.
pub(crate) fn name_parts(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    let marks = |b: &u8| b"-/:@._".contains(b);
    let heads = field.iter().enumerate().filter(|(_, b)| **b == b'-').map(|(at, _)| &field[..at]);
    std::iter::once(field).chain(field.split(marks)).chain(field.split(|b| b"/@:".contains(b))).chain(heads)
}

fn window_at(text: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(text[at..at + WINDOW].try_into().expect("a window has four bytes"))
}

fn hash(window: u32, bits: u32) -> usize {
    (window.wrapping_mul(0x9e37_79b1) >> (32 - bits)) as usize
}

/// Windows are looked up for many samples; a multiplication spreads them well enough. Text that is made to collide
/// makes the search slow and nothing else.
#[derive(Debug, Default)]
pub(crate) struct WindowHasher(u64);

impl Hasher for WindowHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.write_u32(u32::from(*b)));
    }

    fn write_u32(&mut self, window: u32) {
        self.0 = (self.0 ^ u64::from(window)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

/// The ways in which the value may be written, and whether the form is the head of a run of base64.
fn forms(text: &[u8]) -> Vec<(Vec<u8>, bool)> {
    let mut forms = vec![(text.to_vec(), false)];
    let mut add = |form: Vec<u8>, runs_on| {
        if form.len() >= value::MIN_LEARNED && !forms.iter().any(|(known, _)| *known == form) {
            forms.push((form, runs_on));
        }
    };
    add(percent_encode(text), false);
    if let Ok(text) = std::str::from_utf8(text)
        && let Ok(json) = serde_json::to_string(text)
    {
        let json = &json[1..json.len() - 1];
        add(json.as_bytes().to_vec(), false);
        // Go writes these three as escapes.
        add(json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e").into_bytes(), false);
        add(json.replace('\\', "\\\\").replace("\\\\\"", "\\\\\\\"").into_bytes(), false);
    }
    // Whole groups only, so that it is the same with a line end behind the value.
    add(STANDARD.encode(&text[..text.len() / 3 * 3]).into_bytes(), true);
    forms
}

fn percent_encode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for b in text {
        if b.is_ascii_alphanumeric() || b"-_.~".contains(b) {
            out.push(*b);
        } else {
            out.extend(format!("%{b:02X}").bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(values: &[&str]) -> Learned {
        let mut learned = Learned::default();
        for (i, value) in values.iter().enumerate() {
            assert!(learned.learn(value.as_bytes(), Kind(0), i as u64, Source::Field), "{value}");
        }
        learned
    }

    fn found(learned: &Learned, text: &str) -> Vec<String> {
        let mut hits = Vec::new();
        learned.find(text.as_bytes(), &mut hits);
        hits.iter().map(|(hit, _)| text[hit.start..hit.end].to_owned()).collect()
    }

    #[test]
    fn values_are_found_at_every_offset() {
        let learned = learned(&["hunter2pw", "Blueking@2022"]);
        for pad in 0..20 {
            let text = format!("{}hunter2pw{}Blueking@2022", "x".repeat(pad), "y".repeat(pad));
            assert_eq!(found(&learned, &text), ["hunter2pw", "Blueking@2022"], "{pad}");
        }
        assert!(found(&learned, "hunter2p").is_empty());
    }

    #[test]
    fn other_spellings_of_a_value_are_found() {
        let learned = learned(&["p@ss\"w0rd&"]);
        assert_eq!(found(&learned, "x=p%40ss%22w0rd%26;"), ["p%40ss%22w0rd%26"]);
        assert_eq!(found(&learned, r#"{"x":"p@ss\"w0rd\u0026"}"#), [r#"p@ss\"w0rd\u0026"#]);
        let base64 = STANDARD.encode("p@ss\"w0rd&\n");
        assert_eq!(found(&learned, &format!("x: {base64} y")), [base64]);
    }

    #[test]
    fn protected_names_and_common_words_are_not_learned() {
        let mut learned = Learned::default();
        learned.protect(b"Node-A1.example");
        assert!(!learned.learn(b"Node-A1.example", Kind(0), 1, Source::Field));
        assert!(!learned.learn(b"blueking", Kind(0), 2, Source::Field));
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let mut learned = Learned::default();
        for i in 0..MAX_VALUES as u64 + 10 {
            learned.learn(format!("Secret!{i}#").as_bytes(), Kind(0), i, Source::Text);
        }
        assert_eq!((learned.values().count(), learned.dropped), (MAX_VALUES, 10));
    }

    #[test]
    fn a_flood_of_tokens_leaves_room_for_passwords_and_for_objects() {
        let mut learned = Learned::new([Kind(1)].into());
        for i in 0..MAX_VALUES as u64 + 10 {
            learned.learn(format!("Tok3n!{i}#").as_bytes(), Kind(0), i, Source::Text);
        }
        assert!(learned.learn(b"Passw0rd!x", Kind(1), 1 << 20, Source::Text));
        assert!(learned.learn(b"Zx81-spectrum", Kind(0), 1 << 21, Source::Field));
        assert_eq!(found(&learned, "Passw0rd!x Zx81-spectrum"), ["Passw0rd!x", "Zx81-spectrum"]);
    }

    #[test]
    fn what_turns_out_to_be_a_name_is_forgotten() {
        let mut learned = Learned::default();
        assert!(learned.learn(b"3f786850e387550fdab8", Kind(0), 1, Source::Text));
        learned.protect(b"3f786850e387550fdab8");
        assert!(found(&learned, "image@sha256:3f786850e387550fdab8").is_empty());
        assert_eq!(learned.values().count(), 0);
    }
}
