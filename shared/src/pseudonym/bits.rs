//! Permutations of numbers that keep prefixes.
//!
//! As in Crypto-PAn (Xu et al., 2002), each bit is flipped or not by a keyed function of the bits before it. Two
//! numbers that share their first `n` bits share them afterwards, and no longer: addresses of one subnet stay
//! together, in whatever size the subnets come.
//!
//! Unlike there, some blocks have to keep their place (private networks, loopback). A bit is flipped only where both
//! halves that it chooses between are whole: where a block with a place of its own lies in one of them, the bit stays.
//! So the permutation maps every block to itself and remains a permutation; numbers near such a block keep more of
//! their leading bits.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::key::{self, Key};

/// All numbers with the same first bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// The number's leading bits, at their places; zeros below.
    pub first: u128,
    /// How many bits are given.
    pub bits: u32,
    /// Numbers in it stay as they are; otherwise they change places within the block.
    pub fixed: bool,
}

/// A prefix-preserving permutation of the numbers of `width` bits.
#[derive(Clone)]
pub(super) struct Permutation {
    width: u32,
    /// Leading bits that never change.
    kept: u32,
    blocks: Vec<Block>,
    hasher: Hmac<Sha256>,
}

impl Permutation {
    pub fn new(key: &Key, purpose: &str, width: u32, kept: u32, blocks: Vec<Block>) -> Permutation {
        Permutation { width, kept, blocks, hasher: key.hasher(purpose) }
    }

    /// Where the first `bits` bits of `number` go; zeros follow.
    pub fn prefix(&self, number: u128, bits: u32) -> u128 {
        let mut image = 0;
        for at in 0..bits.min(self.width) {
            let place = self.width - 1 - at;
            let before = if at == 0 { 0 } else { number >> (place + 1) << (place + 1) };
            let bit = number >> place & 1;
            image |= (bit ^ u128::from(self.flips(before, at))) << place;
        }
        image
    }

    /// Where a number goes.
    pub fn number(&self, number: u128) -> u128 {
        self.prefix(number, self.width)
    }

    /// Whether a number is one that stays.
    pub fn is_fixed(&self, number: u128) -> bool {
        self.blocks.iter().any(|block| block.fixed && self.head(number, block.bits) == block.first)
    }

    fn head(&self, number: u128, bits: u32) -> u128 {
        let below = self.width - bits;
        if below >= u128::BITS { 0 } else { number >> below << below }
    }

    fn flips(&self, before: u128, at: u32) -> bool {
        if at < self.kept {
            return false;
        }
        for block in &self.blocks {
            let inside = block.bits <= at && self.head(before, block.bits) == block.first;
            let below = block.bits > at && self.head(block.first, at) == before;
            if below || (inside && block.fixed) {
                return false;
            }
        }
        let mut mac = self.hasher.clone();
        mac.update(&at.to_be_bytes());
        mac.update(&before.to_be_bytes());
        key::finish(mac) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn permutation(seed: u8, kept: u32) -> Permutation {
        let blocks = vec![
            Block { first: 0b0001 << 8, bits: 4, fixed: false },
            Block { first: 0b0111_1111 << 4, bits: 8, fixed: true },
            Block { first: 0b1010_1010_1010, bits: 12, fixed: true },
        ];
        Permutation::new(&Key::from_bytes([seed; 32]), "test", 12, kept, blocks)
    }

    #[test]
    fn every_number_has_one_image_and_blocks_keep_their_place() {
        for seed in 0..4 {
            let permutation = permutation(seed, 0);
            let images: BTreeSet<u128> = (0..1 << 12).map(|n| permutation.number(n)).collect();
            assert_eq!(images.len(), 1 << 12);
            for n in 0..1 << 12 {
                let image = permutation.number(n);
                assert_eq!(n >> 8 == 1, image >> 8 == 1, "{n:b} -> {image:b}");
                assert_eq!(permutation.is_fixed(n), n >> 4 == 0x7f || n == 0xaaa);
                if permutation.is_fixed(n) {
                    assert_eq!(n, image);
                }
            }
        }
    }

    #[test]
    fn common_prefixes_stay_exactly_as_long() {
        let permutation = permutation(3, 2);
        let common = |a: u128, b: u128| (a ^ b).leading_zeros();
        for a in (0..1 << 12).step_by(311) {
            for b in (0..1 << 12).step_by(3) {
                assert_eq!(common(a, b), common(permutation.number(a), permutation.number(b)));
            }
            assert_eq!(permutation.number(a) >> 10, a >> 10, "the first two bits are kept");
            assert_eq!(permutation.prefix(a, 5), permutation.number(a) >> 7 << 7);
        }
    }
}
