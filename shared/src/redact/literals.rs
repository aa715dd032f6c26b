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

#[derive(Debug)]
pub(crate) struct Literals {
    filter: Box<[u64; 1 << 10]>,
    /// First bytes → the literals that begin so, with their numbers.
    heads: HashMap<u32, Vec<(Box<[u8]>, usize)>, BuildHasherDefault<WindowHasher>>,
}

impl Literals {
    /// The literals are numbered as they come.
    pub fn new<'a>(literals: impl Iterator<Item = &'a [u8]>) -> Literals {
        let mut built = Literals { filter: Box::new([0; 1 << 10]), heads: HashMap::default() };
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

    fn may_begin(&self, window: u32) -> bool {
        let bit = hash(window);
        self.filter[usize::from(bit >> 6)] >> (bit & 63) & 1 == 1
    }

    /// The numbers and lengths of the literals that stand at the begin of `text`.
    #[inline(never)]
    fn at<'a>(&'a self, text: &'a [u8], window: u32) -> impl Iterator<Item = (usize, usize)> + 'a {
        let heads = self.heads.get(&window).into_iter().flatten();
        heads
            .filter(|(literal, _)| text.starts_with(literal))
            .map(|(literal, number)| (*number, literal.len()))
    }

    /// Where in `text` the first literal begins, from `from` on.
    pub fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        let text = text.get(from..)?;
        let at = self.windows(text).find(|(at, window)| self.at(&text[*at..], *window).next().is_some());
        at.map(|(at, _)| from + at)
    }

    /// Adds every literal in `text` to `found`: begin, end and number.
    pub fn find_all(&self, text: &[u8], found: &mut Vec<(usize, usize, usize)>) {
        for (at, window) in self.windows(text) {
            found.extend(self.at(&text[at..], window).map(|(number, len)| (at, at + len, number)));
        }
    }

    /// The places in `text` at which a literal may begin, and what stands there.
    fn windows<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (usize, u32)> + 'a {
        // Four bytes at a time are one load; the last three places are looked at with zeros behind them.
        let whole =
            text.windows(WINDOW + 1).map(|w| u32::from_le_bytes([w[0], w[1], w[2], w[3]]) & 0xff_ffff);
        let last = text.len().saturating_sub(WINDOW)..text.len();
        let padded = last.clone().map(|at| {
            let byte = |i: usize| u32::from(text.get(at + i).copied().unwrap_or(0)) << (8 * i);
            byte(0) | byte(1) | byte(2)
        });
        whole.enumerate().chain(last.zip(padded)).filter(|(_, window)| self.may_begin(*window))
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
        for pad in 0..9 {
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
