//! Fitting a report into a post: pieces are left out from the bottom up.

/// A report in the making, piece by piece; a piece is a paragraph, a fence, a list or a table.
#[derive(Debug, Default)]
pub struct Pieces(Vec<Piece>);

#[derive(Debug)]
struct Piece {
    text: String,
    /// A heading or lead-in, worth nothing without a piece after it.
    leads: bool,
}

impl Pieces {
    /// A heading, or a line that leads to the next piece.
    pub fn lead(&mut self, text: impl Into<String>) {
        self.0.push(Piece { text: text.into(), leads: true });
    }

    pub fn push(&mut self, text: impl Into<String>) {
        self.0.push(Piece { text: text.into(), leads: false });
    }

    /// All pieces in at most `max_chars` characters. If some have to go, `notice` says so at the end, which is
    /// given the number of characters of the whole.
    pub fn fit(mut self, max_chars: usize, notice: impl Fn(usize) -> String) -> String {
        let lengths: Vec<usize> = self.0.iter().map(|piece| piece.text.chars().count() + 2).collect();
        let whole: usize = lengths.iter().sum();
        if whole > max_chars {
            let notice = notice(whole);
            let room = max_chars.saturating_sub(notice.chars().count() + 1);
            let mut used = 0;
            let mut kept = lengths.iter().take_while(|length| {
                used += *length;
                used <= room
            });
            let mut kept = kept.by_ref().count();
            while kept > 0 && self.0[kept - 1].leads {
                kept -= 1;
            }
            self.0.truncate(kept);
            self.0.push(Piece { text: notice, leads: false });
        }
        let mut text = self.0.into_iter().map(|piece| piece.text).collect::<Vec<_>>().join("\n\n");
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces() -> Pieces {
        let mut pieces = Pieces::default();
        pieces.lead("# one");
        pieces.push("first");
        pieces.lead("# two");
        pieces.push("second");
        pieces
    }

    #[test]
    fn what_fits_is_whole() {
        assert_eq!(pieces().fit(100, |_| unreachable!()), "# one\n\nfirst\n\n# two\n\nsecond\n");
    }

    #[test]
    fn what_does_not_fit_goes_from_the_bottom_with_its_heading() {
        let text = pieces().fit(28, |whole| format!("cut of {whole}"));
        assert_eq!(text, "# one\n\nfirst\n\ncut of 29\n");
        assert!(text.chars().count() <= 28);
    }
}
