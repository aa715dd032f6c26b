//! The page that describers write on: indented lines whose tabs are set at the end.

use std::fmt::{Arguments, Write as _};

use crate::tables::tabwriter::{Tabwriter, escape};

/// kubectl's settings for `describe`.
const COLUMNS: Tabwriter = Tabwriter { min_width: 0, padding: 2 };

/// Text under construction. A tab ends a cell; levels are two blanks deep.
#[derive(Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    /// A whole line at `level`. Use the [`line!`] macro.
    pub(super) fn line(&mut self, level: usize, line: Arguments<'_>) {
        self.text.extend(std::iter::repeat_n("  ", level));
        self.text.write_fmt(line).expect("writing to a String does not fail");
        self.text.push('\n');
    }

    pub(super) fn finish(&mut self) -> String {
        COLUMNS.align(&escape(&self.text))
    }

    /// The lines of `title` with one entry each, the first beside the title; `<none>` when there are none.
    ///
    /// `indent` stands before the title and before each further entry.
    pub(super) fn entries(&mut self, level: usize, indent: &str, title: &str, entries: &[String]) {
        let Some((first, rest)) = entries.split_first() else {
            return self.line(level, format_args!("{indent}{title}:\t<none>"));
        };
        self.line(level, format_args!("{indent}{title}:\t{first}"));
        for entry in rest {
            self.line(level, format_args!("{indent}\t{entry}"));
        }
    }
}

/// `line!(page, level, "format", …)`: one line.
macro_rules! line {
    ($page:expr, $level:expr, $($format:tt)*) => { $page.line($level, format_args!($($format)*)) };
}

pub(super) use line;

/// The text, or `<none>`.
pub(super) fn or_none(text: &str) -> &str {
    if text.is_empty() { "<none>" } else { text }
}
