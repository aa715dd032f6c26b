//! Elastic tabstops, as Go's `text/tabwriter` aligns them.
//!
//! A tab ends a cell. Cells that stand below one another in consecutive lines form a column, which is as wide as its
//! widest cell; a line that has no such cell ends the column. What follows the last tab of a line belongs to no
//! column and is never padded. Widths count characters, not bytes and not screen cells, as there.

/// Alignment may add so many blanks, beside as many as the text has bytes.
///
/// A column repeats the width of its widest cell in every line: a file with tabs, thousands of lines and one endless
/// cell would become gigabytes.
const MAX_BLANKS: usize = 16 << 20;

/// How columns are set.
#[derive(Debug, Clone, Copy)]
pub struct Tabwriter {
    /// No column is narrower, its padding included.
    pub min_width: usize,
    /// Blanks between a column's widest cell and the next column.
    pub padding: usize,
}

impl Tabwriter {
    /// Replaces the tabs of `text` by blanks; by the padding alone where aligning would blow the text up.
    pub fn align(self, text: &str) -> String {
        let complete = text.ends_with('\n');
        let body = if complete { &text[..text.len() - 1] } else { text };
        let lines: Vec<Vec<&str>> =
            body.split(['\n', '\u{c}']).map(|line| line.split(['\t', '\u{b}']).collect()).collect();
        let mut widths = self.widths(&lines);
        if widths.iter().flatten().sum::<usize>() > MAX_BLANKS + text.len() {
            widths = lines.iter().map(|cells| self.own_widths(cells)).collect();
        }

        let mut aligned = String::with_capacity(text.len() * 2);
        for (at, (cells, widths)) in lines.iter().zip(&widths).enumerate() {
            if at > 0 {
                aligned.push('\n');
            }
            for (at, cell) in cells.iter().enumerate() {
                aligned.push_str(cell);
                if let Some(width) = widths.get(at) {
                    let padding = width.saturating_sub(cell.chars().count());
                    aligned.extend(std::iter::repeat_n(' ', padding));
                }
            }
        }
        if complete {
            aligned.push('\n');
        }
        aligned
    }

    /// Each tab-terminated cell as wide as it needs to be.
    fn own_widths(self, cells: &[&str]) -> Vec<usize> {
        cells[..cells.len() - 1].iter().map(|cell| cell.chars().count() + self.padding).collect()
    }

    /// The width of each tab-terminated cell of each line.
    fn widths(self, lines: &[Vec<&str>]) -> Vec<Vec<usize>> {
        let mut widths: Vec<Vec<usize>> = lines.iter().map(|cells| vec![0; cells.len() - 1]).collect();
        let columns = widths.iter().map(Vec::len).max().unwrap_or(0);
        for column in 0..columns {
            let mut start = 0;
            while start < lines.len() {
                let length = widths[start..].iter().take_while(|cells| cells.len() > column).count();
                let end = start + length;
                let widest =
                    lines[start..end].iter().map(|cells| cells[column].chars().count() + self.padding);
                let width = widest.max().unwrap_or(0).max(self.min_width);
                for cells in &mut widths[start..end] {
                    cells[column] = width;
                }
                start = end + 1;
            }
        }
        widths
    }
}

/// kubectl's guard against terminal control: escape and carriage return become visible text.
pub fn escape(text: &str) -> String {
    text.replace('\u{1b}', "^[").replace('\r', "\\r")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIBE: Tabwriter = Tabwriter { min_width: 0, padding: 2 };

    #[test]
    fn a_line_without_the_cell_ends_the_column() {
        let text = "Name:\tx\nLabels:\tlonger\nConditions:\n  Type\tStatus\n  Ready\tTrue\n";
        assert_eq!(
            DESCRIBE.align(text),
            "Name:    x\nLabels:  longer\nConditions:\n  Type   Status\n  Ready  True\n"
        );
    }

    #[test]
    fn an_empty_column_is_as_wide_as_its_padding() {
        assert_eq!(DESCRIBE.align("a\t\tb\nc\t\td"), "a    b\nc    d");
        assert_eq!(DESCRIBE.align("\tx\n"), "  x\n");
        assert_eq!(DESCRIBE.align(""), "");
    }

    #[test]
    fn an_inner_column_may_be_shorter_than_the_outer_one() {
        let text = "long-name\tx\n a\tb\tc\nd\te\n";
        assert_eq!(DESCRIBE.align(text), "long-name  x\n a         b  c\nd          e\n");
    }

    #[test]
    fn an_endless_cell_does_not_blow_the_text_up() {
        let endless = "x".repeat(100_000);
        let text = format!("{endless}\ty\n{}", "a\tb\n".repeat(10_000));
        let aligned = DESCRIBE.align(&text);
        assert!(aligned.len() < 2 * text.len(), "{}", aligned.len());
        assert!(aligned.ends_with("a  b\n"));
    }

    #[test]
    fn characters_count_not_bytes() {
        assert_eq!(DESCRIBE.align("名\tx\nab\ty\n"), "名   x\nab  y\n");
    }
}
