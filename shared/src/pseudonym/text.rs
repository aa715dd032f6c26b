//! Text in pieces, cut only where no name, address or mail address can lie across.

use std::io::{self, Read};

/// Input is read in such pieces.
const PIECE: usize = 256 << 10;
/// What has no blank for so long is cut at whatever is not part of a name.
const LONG: usize = 1 << 20;

/// Reads to the end and hands on stretches of text that can be looked at one by one.
///
/// # Errors
/// What reading gives, or what `each` does.
pub(super) fn stretches<E: From<io::Error>>(
    data: &mut dyn Read,
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut held: Vec<u8> = Vec::new();
    loop {
        let kept = held.len();
        data.take(PIECE as u64).read_to_end(&mut held)?;
        if held.len() == kept {
            break;
        }
        let cut = memchr::memrchr(b'\n', &held[kept..]).map(|at| kept + at).or_else(|| {
            let long = held.len() > LONG;
            let between = |b: &u8| b.is_ascii_whitespace() || b",;\"'<>()[]{}|".contains(b);
            let last = held.iter().rposition(between).filter(|_| long);
            last.or((held.len() > 4 * LONG).then(|| held.len() - 1))
        });
        if let Some(cut) = cut {
            each(&held[..=cut])?;
            held.drain(..=cut);
        }
    }
    if held.is_empty() { Ok(()) } else { each(&held) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &[u8]) -> Vec<usize> {
        let (mut sizes, mut joined) = (Vec::new(), Vec::new());
        stretches::<io::Error>(&mut &*text, |piece| {
            sizes.push(piece.len());
            joined.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
        assert!(joined == text);
        sizes
    }

    #[test]
    fn lines_stay_whole_and_memory_bounded() {
        let lines = "one line of some text\n".repeat(60_000).into_bytes();
        assert!(pieces(&lines).iter().all(|size| size % 22 == 0 && *size <= PIECE + 22));
        let json = r#"{"a":"b"},"#.repeat(500_000).into_bytes();
        assert!(pieces(&json).iter().all(|size| *size <= LONG + PIECE));
        let blob = vec![b'x'; 9 << 20];
        assert!(pieces(&blob).iter().all(|size| *size <= 4 * LONG + PIECE));
        assert_eq!(pieces(b""), [0; 0]);
        assert_eq!(pieces(b"x"), [1]);
    }
}
