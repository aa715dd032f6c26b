//! Pseudonyms of the labels of host names: the same length, letters for letters, digits for digits.
//!
//! A run of letters is a number in base 26 and is encrypted as one (a Feistel network, walked until the result is such
//! a number again), so different runs have different pseudonyms of the same length, and no table decides which. Runs
//! of up to three digits stay: `node-1` and `node-2` keep their order. Four runs of digits that can be an IPv4 address
//! (`ip-10-0-6-31`) become the pseudonym of that address.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use hmac::Mac;

use super::address::Addresses;
use super::key::{self, Key};
use super::known;

/// Longest run that is one number: 26^12 is below 2^58.
const CHUNK: usize = 12;
/// Longest run of digits that stays.
const ORDINAL: usize = 3;
const ROUNDS: u8 = 8;

/// Encrypts labels under one key.
#[derive(Clone)]
pub(super) struct Words {
    key: Key,
}

impl Words {
    pub fn new(key: &Key) -> Words {
        Words { key: key.clone() }
    }

    /// The pseudonym of one label, which is in lower case, whatever word it is.
    pub fn own_label(&self, label: &str, addresses: &Addresses) -> String {
        self.once(label, addresses)
    }

    /// The pseudonym of one label, which is in lower case; words of the field stay.
    pub fn label(&self, label: &str, addresses: &Addresses) -> String {
        if known::is_common_word(label) {
            return label.to_owned();
        }
        let mut image = self.once(label, addresses);
        // A pseudonym must not look like a word that stays. Going on from there keeps the mapping one to one.
        while known::is_common_word(&image) {
            image = self.once(&image, addresses);
        }
        image
    }

    fn once(&self, label: &str, addresses: &Addresses) -> String {
        let mut out = String::with_capacity(label.len());
        let mut rest = label;
        if let Some(tail) = rest.strip_prefix("xn--") {
            out.push_str("xn--");
            rest = tail;
        }
        let mut quads = true;
        while let Some(first) = rest.chars().next() {
            let before = out.as_bytes().last();
            if quads
                && !before.is_some_and(u8::is_ascii_alphanumeric)
                && let Some((quad, length)) = dashed(rest)
            {
                let image = match addresses.ip(quad.into()) {
                    Some(IpAddr::V4(image)) => image,
                    _ => quad,
                };
                let [a, b, c, d] = image.octets();
                // Writing to a string cannot fail.
                let _ = write!(out, "{a}-{b}-{c}-{d}");
                rest = &rest[length..];
                // One address a label, so that what is read as one after the other is the same before and after.
                quads = false;
                continue;
            }
            let same = |c: char| match first {
                'a'..='z' => c.is_ascii_lowercase(),
                '0'..='9' => c.is_ascii_digit(),
                _ => false,
            };
            let length = rest.find(|c| !same(c)).unwrap_or(rest.len()).max(first.len_utf8());
            let (run, tail) = rest.split_at(length);
            match first {
                'a'..='z' => self.run(run, b'a', 26, &mut out),
                '0'..='9' if run.len() > ORDINAL => self.run(run, b'0', 10, &mut out),
                _ => out.push_str(run),
            }
            rest = tail;
        }
        out
    }

    /// Appends the image of a run of `base` characters from `zero` on.
    fn run(&self, run: &str, zero: u8, base: u64, out: &mut String) {
        let mut before: &[u8] = &[];
        for chunk in run.as_bytes().chunks(CHUNK) {
            let number = chunk.iter().fold(0, |sum, b| sum * base + u64::from(b - zero));
            let size = base.pow(chunk.len() as u32);
            let mut image = self.walk(number, size, before);
            let start = out.len();
            for _ in chunk {
                out.insert(start, char::from(zero + (image % base) as u8));
                image /= base;
            }
            before = chunk;
        }
    }

    /// A permutation of the numbers below `size`; which one depends on the key, `size` and `tweak`.
    fn walk(&self, number: u64, size: u64, tweak: &[u8]) -> u64 {
        let half = (u64::BITS - (size - 1).leading_zeros()).div_ceil(2).max(1);
        let mut hasher = self.key.hasher("word");
        hasher.update(&size.to_be_bytes());
        hasher.update(tweak);
        let mask = (1 << half) - 1;
        let mut number = number;
        loop {
            let (mut left, mut right) = (number >> half, number & mask);
            for round in 0..ROUNDS {
                let mut mac = hasher.clone();
                mac.update(&[round]);
                mac.update(&right.to_be_bytes());
                (left, right) = (right, left ^ (key::finish(mac) & mask));
            }
            number = left << half | right;
            if number < size {
                return number;
            }
        }
    }
}

/// The IPv4 address written with dashes at the start of `text`, and its length.
pub(super) fn dashed(text: &str) -> Option<(Ipv4Addr, usize)> {
    let (mut octets, mut at) = ([0; 4], 0);
    for (i, octet) in octets.iter_mut().enumerate() {
        let digits = text.as_bytes()[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let run = &text[at..at + digits];
        if !(1..=3).contains(&digits) || (digits > 1 && run.starts_with('0')) {
            return None;
        }
        *octet = run.parse().ok()?;
        at += digits;
        match text.as_bytes().get(at) {
            Some(b'-') if i < 3 => at += 1,
            next if i == 3 && !next.is_some_and(u8::is_ascii_alphanumeric) => {}
            _ => return None,
        }
    }
    Some((octets.into(), at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn label(seed: u8, text: &str) -> String {
        let key = Key::from_bytes([seed; 32]);
        Words::new(&key).label(text, &Addresses::new(&key))
    }

    #[test]
    fn all_short_words_have_different_pseudonyms() {
        let key = Key::from_bytes([3; 32]);
        let (words, addresses) = (Words::new(&key), Addresses::new(&key));
        let letters = || 'a'..='z';
        let all: Vec<String> = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}"))).collect();
        let images: BTreeSet<String> = all.iter().map(|word| words.label(word, &addresses)).collect();
        assert_eq!(images.len(), all.len());
        // A permutation leaves about one of them where it was by chance.
        let same =
            all.iter().filter(|word| words.label(word, &addresses) == **word && !known::is_common_word(word));
        assert!(same.count() < 8);
    }

    proptest! {
        #[test]
        fn the_shape_stays(seed: u8, text in "[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?") {
            prop_assume!(!known::is_common_word(&text));
            prop_assume!((0..text.len()).all(|at| dashed(&text[at..]).is_none()));
            let image = label(seed, &text);
            prop_assert_eq!(image.len(), text.len());
            for (a, b) in text.chars().zip(image.chars()) {
                prop_assert_eq!(a.is_ascii_lowercase(), b.is_ascii_lowercase());
                prop_assert_eq!(a.is_ascii_digit(), b.is_ascii_digit());
            }
        }

        #[test]
        fn different_labels_have_different_pseudonyms(seed: u8, a in "[a-z]{3,15}-[0-9]{1,5}", b in "[a-z]{3,15}-[0-9]{1,5}") {
            prop_assert_eq!(a == b, label(seed, &a) == label(seed, &b));
        }
    }

    #[test]
    fn ordinals_stay_and_words_of_the_field_too() {
        let one = label(1, "zeus-1");
        assert_eq!(one.strip_suffix("-1"), label(1, "zeus-2").strip_suffix("-2"));
        assert_ne!(one, "zeus-1");
        assert_eq!(label(1, "bkrepo"), "bkrepo");
        assert_ne!(label(1, "vm20231105"), "vm20231105");
        assert!(label(1, "xn--fiqs8s").starts_with("xn--"));
    }

    #[test]
    fn an_address_in_a_label_is_that_address() {
        let key = Key::from_bytes([6; 32]);
        let image = Addresses::new(&key).ip("10.0.6.31".parse().unwrap()).unwrap();
        let dashed = image.to_string().replace('.', "-");
        let label = Words::new(&key).label("node-10-0-6-31", &Addresses::new(&key));
        assert_eq!(label.split_once('-').unwrap().1, dashed);
        for text in ["1-2-3-400", "2026-11-22-09", "1-2-3", "1-2-3-4a", "01-2-3-4"] {
            assert_eq!(super::dashed(text), None, "{text}");
        }
    }
}
