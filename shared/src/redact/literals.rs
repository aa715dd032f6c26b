//! Finds a few hundred short literals in one pass over a text.
//!
//! Every three bytes of the text are looked up in a table of 65,536 bits that holds the first three bytes of every
//! literal; hardly any text but a literal's passes. That is one multiplication and one load for each byte, however
//! many literals there are, where a vector searcher takes sixty of them at a time and a run over the text for each.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::learned::WindowHasher;

/// A window is so many bytes.
const WINDOW: usize = 3;
/// Windows in eight bytes.
const SIX: usize = 6;

/// First bytes → the literals that begin so, with their numbers.
type Heads = HashMap<u32, Vec<(Box<[u8]>, usize)>, BuildHasherDefault<WindowHasher>>;

#[derive(Debug)]
pub(crate) struct Literals {
    filter: Box<[u64; 1 << 10]>,
    heads: Heads,
}

impl Literals {
    /// The literals are numbered as they come.
    pub fn new<'a>(literals: impl Iterator<Item = &'a [u8]>) -> Literals {
        let mut built = Literals { filter: Box::new([0; 1 << 10]), heads: Heads::default() };
        for (number, literal) in literals.enumerate() {
            built.add(literal, number);
        }
        built
    }

    fn add(&mut self, literal: &[u8], number: usize) {
        // What is shorter than a window begins windows with anything behind it.
        let missing = WINDOW.saturating_sub(literal.len());
        for tail in 0..1u32 << (8 * missing) {
            let head = literal.iter().take(WINDOW).copied().chain(tail.to_le_bytes()).take(WINDOW);
            let window = head.enumerate().map(|(i, b)| u32::from(b) << (8 * i)).sum();
            let bit = hash(window);
            self.filter[usize::from(bit >> 6)] |= 1 << (bit & 63);
            self.heads.entry(window).or_default().push((literal.into(), number));
        }
    }

    /// The numbers and lengths of the literals that stand at the begin of `text`.
    fn at<'a>(&'a self, text: &'a [u8], window: u32) -> impl Iterator<Item = (usize, usize)> + 'a {
        let heads = self.heads.get(&window).into_iter().flatten();
        heads
            .filter(|(literal, _)| text.starts_with(literal))
            .map(|(literal, number)| (*number, literal.len()))
    }

    /// Where in `text` the first literal begins, from `from` on.
    pub fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        let mut found = None;
        self.each(text, from, |at, window| {
            let stands = self.at(&text[at..], window).next().is_some();
            found = stands.then_some(at);
            stands
        });
        found
    }

    /// Adds every literal in `text` to `found`: begin, end and number.
    pub fn find_all(&self, text: &[u8], found: &mut Vec<(usize, usize, usize)>) {
        self.each(text, 0, |at, window| {
            found.extend(self.at(&text[at..], window).map(|(number, len)| (at, at + len, number)));
            false
        });
    }

    /// Hands every place in `text` at which a literal may begin, and the window there, to `stop` until that says so.
    fn each(&self, text: &[u8], from: usize, mut stop: impl FnMut(usize, u32) -> bool) {
        let mut at = from;
        // Eight bytes are one load and hold six windows.
        while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            if self.in_six(u64::from_le_bytes(*bytes), at, &mut stop) {
                return;
            }
            at += SIX;
        }
        let mut rest = [0; 16];
        let tail = text.get(at..).unwrap_or_default();
        rest[..tail.len()].copy_from_slice(tail);
        let end = text.len();
        let mut stop = |at: usize, window| at < end && stop(at, window);
        for (i, at) in (at..end).step_by(SIX).enumerate() {
            let bytes = rest[i * SIX..]
                .first_chunk::<8>()
                .expect("at most seven bytes are left, and begin at 0 or 6");
            if self.in_six(u64::from_le_bytes(*bytes), at, &mut stop) {
                return;
            }
        }
    }

    #[inline(always)]
    fn in_six(&self, bytes: u64, at: usize, stop: &mut impl FnMut(usize, u32) -> bool) -> bool {
        let window = |i: usize| (bytes >> (8 * i)) as u32 & 0xff_ffff;
        let mut places = 0_u32;
        for i in 0..SIX {
            let bit = hash(window(i));
            places |= u32::from(self.filter[usize::from(bit >> 6)] >> (bit & 63) & 1 == 1) << i;
        }
        while places != 0 {
            let i = places.trailing_zeros() as usize;
            if stop(at + i, window(i)) {
                return true;
            }
            places &= places - 1;
        }
        false
    }
}

fn hash(window: u32) -> u16 {
    (window.wrapping_mul(0x9e37_79b1) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_literal_is_found_wherever_it_stands() {
        let words = ["key", "oken", "secretkey", "ab", "://", "密码"];
        let literals = Literals::new(words.iter().map(|word| word.as_bytes()));
        for pad in 0..20 {
            for word in words {
                let text = format!("{}{word}", ".".repeat(pad));
                assert_eq!(literals.find(text.as_bytes(), 0), Some(pad), "{text}");
                assert_eq!(literals.find(text.as_bytes(), pad + 1).is_some(), word == "secretkey", "{text}");
            }
        }
        let mut found = Vec::new();
        literals.find_all(b"secretkey ab", &mut found);
        assert_eq!(found, [(0, 9, 2), (6, 9, 0), (10, 12, 3)]);
        assert_eq!(literals.find(b"ke to a :/", 0), None);
    }
}
