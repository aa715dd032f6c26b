//! Many literals, looked for at once in as little or as much text as there is.
//!
//! An automaton over all literals reads a byte in the same time whatever their number, but making it takes as long as
//! reading some megabytes. So a little text is sieved first: a literal of which the text lacks the first four bytes
//! cannot be in it, and an automaton over the few others is made in no time. All ways find the same.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// How much there is to read altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    Little,
    Much,
}

impl Amount {
    /// Where an automaton that reads twice as fast, and is larger and slower to make, has paid for itself.
    const MUCH: usize = 24 << 20;

    pub fn of(bytes: usize) -> Amount {
        if bytes < Amount::MUCH { Amount::Little } else { Amount::Much }
    }
}

/// Literals and whose they are, compared without regard to the case of ASCII letters.
#[derive(Debug)]
pub struct LiteralSet<O> {
    /// In lower case and in order.
    literals: Vec<(Box<[u8]>, O)>,
    /// What sieving has cost so far, in bytes read.
    sieved: AtomicUsize,
    compact: OnceLock<Option<Automaton<O>>>,
    fast: OnceLock<Option<Automaton<O>>>,
}

/// A literal in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence<'a, O> {
    pub start: usize,
    pub end: usize,
    pub owners: &'a [O],
}

#[derive(Debug)]
struct Automaton<O> {
    literals: AhoCorasick,
    owners: Vec<Vec<O>>,
}

impl<O: Copy + Ord> LiteralSet<O> {
    /// Bytes that are sieved before an automaton over all literals is made.
    const SIEVED: usize = 2 << 20;
    /// Bytes that could be read in the time in which all literals are looked up in a sieve.
    const PASS: usize = 16 << 10;

    /// Of literals in lower case.
    pub fn new<'l>(literals: impl IntoIterator<Item = (&'l [u8], O)>) -> LiteralSet<O> {
        let mut literals: Vec<(Box<[u8]>, O)> =
            literals.into_iter().map(|(literal, owner)| (literal.into(), owner)).collect();
        literals.sort_unstable();
        literals.dedup();
        let (compact, fast) = (OnceLock::new(), OnceLock::new());
        LiteralSet { literals, sieved: AtomicUsize::new(0), compact, fast }
    }

    /// Calls `take` for each literal in `text`, in the order in which they end. `amount`: of all texts that will be read.
    pub fn find<'s>(&'s self, text: &[u8], amount: Amount, mut take: impl FnMut(Occurrence<'_, O>)) {
        let of_all = |made: &'s OnceLock<Option<Automaton<O>>>, kind| {
            made.get_or_init(|| Automaton::new(self.literals.iter(), kind))
        };
        let automaton = if amount == Amount::Much || self.fast.get().is_some() {
            of_all(&self.fast, AhoCorasickKind::DFA)
        } else if self.sieved.fetch_add(text.len() + Self::PASS, Ordering::Relaxed) < Self::SIEVED
            && text.len() < Self::SIEVED
        {
            let sieve = Sieve::new(text);
            let left = self.literals.iter().filter(|(literal, _)| sieve.may_hold(literal));
            &Automaton::new(left, AhoCorasickKind::ContiguousNFA)
        } else {
            of_all(&self.compact, AhoCorasickKind::ContiguousNFA)
        };
        let Some(automaton) = automaton else { return };
        for found in automaton.literals.find_overlapping_iter(text) {
            let owners = &automaton.owners[found.pattern().as_usize()];
            take(Occurrence { start: found.start(), end: found.end(), owners });
        }
    }
}

impl<O: Copy> Automaton<O> {
    /// Of literals in order; `None` where there are none.
    fn new<'l>(all: impl Iterator<Item = &'l (Box<[u8]>, O)>, kind: AhoCorasickKind) -> Option<Automaton<O>>
    where
        O: 'l,
    {
        let (mut literals, mut owners): (Vec<&[u8]>, Vec<Vec<O>>) = (Vec::new(), Vec::new());
        for (literal, owner) in all {
            match owners.last_mut() {
                Some(same) if literals.last() == Some(&&**literal) => same.push(*owner),
                _ => {
                    literals.push(literal);
                    owners.push(vec![*owner]);
                }
            }
        }
        if literals.is_empty() {
            return None;
        }
        let build = |kind| {
            let mut builder = AhoCorasick::builder();
            builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard).kind(kind).build(&literals)
        };
        let literals = build(Some(kind)).or_else(|_| build(None)).ok()?;
        Some(Automaton { literals, owners })
    }
}

/// Which runs of four bytes a text may hold.
struct Sieve(Vec<u64>);

impl Sieve {
    const BITS: u32 = 20;

    fn new(text: &[u8]) -> Sieve {
        let mut sieve = Sieve(vec![0; 1 << (Self::BITS - 6)]);
        for four in text.windows(4) {
            let (word, bit) = Self::place(four);
            sieve.0[word] |= bit;
        }
        sieve
    }

    /// False only where the text does not hold it.
    fn may_hold(&self, literal: &[u8]) -> bool {
        literal.get(..4).is_none_or(|four| {
            let (word, bit) = Self::place(four);
            self.0[word] & bit != 0
        })
    }

    fn place(four: &[u8]) -> (usize, u64) {
        let bytes = [four[0], four[1], four[2], four[3]].map(|byte| byte.to_ascii_lowercase());
        let hash = u32::from_le_bytes(bytes).wrapping_mul(0x9e37_79b1) >> (32 - Self::BITS);
        ((hash >> 6) as usize, 1 << (hash & 63))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(set: &LiteralSet<u32>, text: &str, amount: Amount) -> Vec<(usize, usize, Vec<u32>)> {
        let mut all = Vec::new();
        set.find(text.as_bytes(), amount, |found| all.push((found.start, found.end, found.owners.to_vec())));
        all
    }

    proptest::proptest! {
        #[test]
        fn little_and_much_text_are_read_alike(
            literals in proptest::collection::vec("[ab é]{1,7}", 0..30),
            text in "[abAB é]{0,60}",
        ) {
            let set = || LiteralSet::new(literals.iter().map(String::as_bytes).zip(0..));
            let (sieved, whole) = (set(), set());
            whole.sieved.store(usize::MAX / 2, Ordering::Relaxed);
            let little = found(&sieved, &text, Amount::Little);
            proptest::prop_assert_eq!(&little, &found(&whole, &text, Amount::Little));
            proptest::prop_assert!(sieved.compact.get().is_none() && whole.compact.get().is_some());
            proptest::prop_assert_eq!(&little, &found(&sieved, &text, Amount::Much));
        }
    }

    #[test]
    fn whoever_shares_a_literal_is_told_once_for_it() {
        let set = LiteralSet::new([(b"timed out".as_slice(), 2), (b"refused", 1), (b"timed out", 1)]);
        let all = found(&set, "Timed out, then REFUSED", Amount::Little);
        assert_eq!(all, [(0, 9, vec![1, 2]), (16, 23, vec![1])]);
    }

    #[test]
    fn many_little_texts_get_an_automaton_that_lasts() {
        let set = LiteralSet::new([(b"refused".as_slice(), 1)]);
        for _ in 0..1000 {
            assert_eq!(found(&set, "refused", Amount::Little).len(), 1);
        }
        assert!(set.compact.get().is_some() && set.fast.get().is_none());
    }
}
