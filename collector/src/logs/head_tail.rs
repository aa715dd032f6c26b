//! The first and the newest lines of a stream of any length, in memory of a fixed size.

use std::collections::VecDeque;

/// Takes a stream and keeps its head and its tail.
#[derive(Debug)]
pub struct HeadTail {
    head: Vec<u8>,
    head_limit: usize,
    tail: VecDeque<u8>,
    tail_limit: usize,
    total: u64,
}

/// What is left of a stream. `head` and `tail` consist of whole lines, unless a single line is longer than the limit.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    pub head: Vec<u8>,
    pub tail: Vec<u8>,
    /// Bytes between the two; 0 when all of the stream is there.
    pub missing: u64,
}

impl Kept {
    /// Puts the tail behind the head where the two overlap, as those of a log do that is no longer than both; says
    /// whether they did.
    pub fn join(&mut self) -> bool {
        let first = memchr::memchr(b'\n', &self.tail).map_or(self.tail.len(), |end| end + 1);
        let begins = |at: &usize| *at == 0 || self.head[at - 1] == b'\n';
        let places = memchr::memmem::find_iter(&self.head, &self.tail[..first]).filter(begins);
        let Some(at) = places.filter(|_| first > 0).find(|at| self.tail.starts_with(&self.head[*at..]))
        else {
            return false;
        };
        self.head.truncate(at);
        self.head.append(&mut self.tail);
        true
    }
}

impl HeadTail {
    pub fn new(head_limit: usize, tail_limit: usize) -> Self {
        Self { head: Vec::new(), head_limit, tail: VecDeque::new(), tail_limit, total: 0 }
    }

    pub fn push(&mut self, mut bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = self.head_limit - self.head.len();
        if room > 0 && self.tail.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.head.extend_from_slice(now);
            bytes = later;
        }
        // Only the last `tail_limit` bytes of a large piece can survive.
        bytes = &bytes[bytes.len().saturating_sub(self.tail_limit)..];
        let excess = (self.tail.len() + bytes.len()).saturating_sub(self.tail_limit);
        self.tail.drain(..excess);
        self.tail.extend(bytes);
    }

    /// Bytes taken so far.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that are kept.
    pub fn held(&self) -> u64 {
        (self.head.len() + self.tail.len()) as u64
    }

    /// Line breaks per byte in what is kept, for an estimate of how many lines fill a tail.
    pub fn mean_line(&self) -> usize {
        let lines = memchr::memchr_iter(b'\n', &self.head).count();
        self.head.len() / lines.max(1)
    }

    pub fn finish(self) -> Kept {
        let Self { mut head, tail, total, .. } = self;
        let mut tail = Vec::from(tail);
        if total == (head.len() + tail.len()) as u64 {
            head.append(&mut tail);
            return Kept { head, tail, missing: 0 };
        }
        whole_lines_at_the_end(&mut head);
        whole_lines_at_the_start(&mut tail);
        let missing = total - (head.len() + tail.len()) as u64;
        Kept { head, tail, missing }
    }
}

/// Cuts an unfinished last line off, unless nothing would be left.
pub fn whole_lines_at_the_end(bytes: &mut Vec<u8>) {
    if let Some(at) = memchr::memrchr(b'\n', bytes) {
        bytes.truncate(at + 1);
    }
}

/// Cuts a first line off that may have lost its beginning, unless nothing would be left.
pub fn whole_lines_at_the_start(bytes: &mut Vec<u8>) {
    match memchr::memchr(b'\n', bytes) {
        Some(at) if at + 1 < bytes.len() => {
            bytes.drain(..=at);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(head: usize, tail: usize, pieces: &[&[u8]]) -> Kept {
        let mut kept = HeadTail::new(head, tail);
        pieces.iter().for_each(|piece| kept.push(piece));
        kept.finish()
    }

    #[test]
    fn a_short_stream_is_whole() {
        let kept = keep(4, 6, &[b"ab\nc", b"d\ne"]);
        assert_eq!(kept, Kept { head: b"ab\ncd\ne".to_vec(), tail: vec![], missing: 0 });
        assert_eq!(keep(4, 6, &[]), Kept { head: vec![], tail: vec![], missing: 0 });
    }

    #[test]
    fn a_long_stream_keeps_whole_lines_of_both_ends_and_counts_the_rest() {
        let text: String = (0..1000).map(|n| format!("line {n}\n")).collect();
        for piece in [1, 7, 100, 100_000] {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(piece).collect();
            let kept = keep(50, 80, &pieces);
            let head = String::from_utf8(kept.head).unwrap();
            let tail = String::from_utf8(kept.tail).unwrap();
            assert!(text.starts_with(&head) && head.ends_with('\n') && head.len() > 40, "{head:?}");
            assert!(text.ends_with(&tail) && tail.starts_with("line") && tail.len() > 70, "{tail:?}");
            assert_eq!(head.len() as u64 + tail.len() as u64 + kept.missing, text.len() as u64);
        }
    }

    #[test]
    fn a_line_longer_than_the_limits_is_cut_within() {
        let kept = keep(4, 4, &[&[b'x'; 100]]);
        assert_eq!((kept.head.len(), kept.tail.len(), kept.missing), (4, 4, 92));
    }

    #[test]
    fn ends_that_overlap_are_joined_and_others_are_not() {
        let join = |head: &[u8], tail: &[u8]| {
            let mut kept = Kept { head: head.to_vec(), tail: tail.to_vec(), missing: 0 };
            kept.join().then_some(String::from_utf8(kept.head).unwrap())
        };
        assert_eq!(join(b"1\n2\n3\n", b"3\n4\n").as_deref(), Some("1\n2\n3\n4\n"));
        assert_eq!(join(b"1\n2\n", b"1\n2\n3\n").as_deref(), Some("1\n2\n3\n"));
        // The first 2 is not where the tail begins, and 12 is not 2.
        assert_eq!(join(b"2\n12\n2\n", b"2\n3\n").as_deref(), Some("2\n12\n2\n3\n"));
        assert_eq!(join(b"1\n2\n", b"4\n5\n"), None);
        assert_eq!(join(b"1\n2\n", b"2\n1\n"), Some("1\n2\n1\n".to_owned()));
        assert_eq!(join(b"1\n2\n3\n", b"2\n4\n"), None);
        assert_eq!(join(b"1\n", b""), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost_uncounted(pieces in proptest::collection::vec("[ab\n]{0,40}", 0..20), head in 1usize..60, tail in 1usize..60) {
            let all: String = pieces.concat();
            let kept = keep(head, tail, &pieces.iter().map(|p| p.as_bytes()).collect::<Vec<_>>());
            proptest::prop_assert_eq!(kept.head.len() as u64 + kept.tail.len() as u64 + kept.missing, all.len() as u64);
            proptest::prop_assert!(all.as_bytes().starts_with(&kept.head));
            proptest::prop_assert!(all.as_bytes().ends_with(&kept.tail));
            if all.len() <= head + tail {
                proptest::prop_assert_eq!(kept.missing, 0);
            }
        }
    }
}
