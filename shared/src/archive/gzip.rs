//! Gzip streams: our own members on all cores, any other gzip in one go.

use std::collections::VecDeque;
use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;
use rayon::prelude::*;

use super::member::{self, Lengths};

/// Inflates a gzip stream of any make.
pub(super) fn reader<R: Read>(source: R) -> Members<R> {
    Members { state: State::Members(source), ready: VecDeque::new(), at: 0, fault: None }
}

/// How many members are inflated at a time: enough to keep the cores busy, few enough to stay small in memory.
fn batch() -> usize {
    4 * rayon::current_num_threads()
}

/// A run of members, inflated ahead of the reader. A member that does not state its lengths, and all that comes after
/// it, is inflated as an ordinary stream.
pub(super) struct Members<R> {
    state: State<R>,
    ready: VecDeque<Vec<u8>>,
    /// How much of the first ready part was given out.
    at: usize,
    /// What stopped the members after those that are ready.
    fault: Option<io::Error>,
}

enum State<R> {
    Members(R),
    Stream(Box<MultiGzDecoder<io::Chain<Cursor<Vec<u8>>, R>>>),
    Done,
}

impl<R: Read> Members<R> {
    /// Reads and inflates the next members.
    fn fill(&mut self) {
        let State::Members(mut source) = std::mem::replace(&mut self.state, State::Done) else { return };
        let mut packed: Vec<(Lengths, Vec<u8>)> = Vec::new();
        let mut next = None;
        while packed.len() < batch() {
            let mut bytes = Vec::new();
            let header = source.by_ref().take(member::HEADER as u64).read_to_end(&mut bytes);
            if let Err(error) = header {
                self.fault = Some(error);
                break;
            }
            let Some(lengths) = member::lengths(&bytes) else {
                next = Some(bytes);
                break;
            };
            let rest = (lengths.member - member::HEADER) as u64;
            if let Err(error) = source.by_ref().take(rest).read_to_end(&mut bytes) {
                self.fault = Some(error);
                break;
            }
            if bytes.len() < lengths.member {
                // Cut off in the middle: what there is of it can still be read as a stream.
                next = Some(bytes);
                break;
            }
            packed.push((lengths, bytes));
        }
        let inflated: Vec<_> =
            packed.into_par_iter().map(|(lengths, bytes)| member::inflate(&bytes, lengths)).collect();
        for data in inflated {
            match data {
                Ok(data) => self.ready.push_back(data),
                Err(damaged) => {
                    self.fault = Some(io::Error::new(io::ErrorKind::InvalidData, damaged));
                    return;
                }
            }
        }
        if self.fault.is_some() {
            return;
        }
        self.state = match next {
            None => State::Members(source),
            Some(bytes) if bytes.is_empty() => State::Done,
            Some(bytes) => State::Stream(Box::new(MultiGzDecoder::new(Cursor::new(bytes).chain(source)))),
        };
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(data) = self.ready.front() {
                let count = (&data[self.at..]).read(buffer)?;
                self.at += count;
                if self.at == data.len() {
                    self.ready.pop_front();
                    self.at = 0;
                }
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
                continue;
            }
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            match &mut self.state {
                State::Members(_) => self.fill(),
                State::Stream(stream) => return stream.read(buffer),
                State::Done => return Ok(0),
            }
        }
    }
}
