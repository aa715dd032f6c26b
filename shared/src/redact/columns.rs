//! Tables with a column of secrets: `PASSWORD` as kubectl, clients of databases and CSV have it, and the values of an
//! SQL `INSERT`.

use std::ops::Range;

use super::hit::Hit;
use super::names::{Kind, Names};
use super::value::{self, Setting};

/// A column of which the lines beneath hold secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    layout: Layout,
    kind: Kind,
    strong: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Cell number so-and-so of so many between such marks.
    Marks(u8, usize, usize),
    /// The cell begins at this byte.
    Aligned(usize),
}

/// What a line is to the table above it.
pub(crate) enum Row {
    /// A line with or without a secret.
    Cell(Option<Hit>),
    /// The table is over.
    End,
}

/// The head of a table is no longer than this, nor are the names of columns before one of them.
const LONGEST_HEAD: usize = 2048;

const SETTING: Setting = Setting { quoted: true, colon: false, strong: true };

/// The column of which `name` is the heading, if `line` is the head of a table.
pub(crate) fn column(line: &[u8], name: &Range<usize>, kind: Kind, strong: bool) -> Option<Column> {
    if line.len() > LONGEST_HEAD {
        return None;
    }
    let line = line.trim_ascii_end();
    let layout = b"|\t,".iter().find_map(|mark| marked(line, name, *mark));
    let layout = layout.or_else(|| (strong && aligned(line, name)).then_some(Layout::Aligned(name.start)))?;
    Some(Column { layout, kind, strong })
}

fn marked(line: &[u8], name: &Range<usize>, mark: u8) -> Option<Layout> {
    let count = memchr::memchr_iter(mark, line).count();
    let number = memchr::memchr_iter(mark, &line[..name.start]).count();
    let cell = line.split(|b| *b == mark).nth(number)?;
    if count == 0 || bare(cell) != &line[name.clone()] {
        return None;
    }
    let word = |b: &u8| b.is_ascii_alphanumeric() || b"_-.".contains(b) || *b >= 0x80;
    let cells = || line.split(|b| *b == mark).map(bare);
    // Names of columns and nothing else; `a, password, or b` is a sentence, and `a,password` may be a list.
    let heads =
        cells().all(|cell| cell.iter().all(word)) && cells().filter(|cell| !cell.is_empty()).count() > 1;
    let tight = mark != b',' || cells().all(|cell| !cell.is_empty()) && !line.contains(&b' ');
    (heads && tight).then_some(Layout::Marks(mark, number, count))
}

/// Whether this is a heading in capitals among others, two spaces apart.
fn aligned(line: &[u8], name: &Range<usize>) -> bool {
    let (head, tail) = (&line[..name.start], &line[name.end..]);
    let capitals = line.iter().all(|b| b.is_ascii_uppercase() || b" -_()".contains(b));
    capitals
        && (head.is_empty() || head.ends_with(b" "))
        && (tail.is_empty() || tail.starts_with(b"  "))
        && head.len() + tail.len() > 2
}

fn bare(cell: &[u8]) -> &[u8] {
    let cell = cell.trim_ascii();
    let unquoted = cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\""));
    unquoted.unwrap_or(cell)
}

impl Column {
    pub fn row(self, line: &[u8], names: &Names) -> Row {
        let line = line.trim_ascii_end();
        let cell = match self.layout {
            _ if line.is_empty() => return Row::End,
            Layout::Marks(..) if line.iter().all(|b| b"+-=| ".contains(b)) => return Row::Cell(None),
            Layout::Marks(mark, number, count) => {
                if memchr::memchr_iter(mark, line).count() != count {
                    return Row::End;
                }
                let mut ends = memchr::memchr_iter(mark, line).chain([line.len()]);
                let start = if number == 0 { 0 } else { ends.nth(number - 1).map_or(0, |n| n + 1) };
                start..ends.next().unwrap_or(line.len())
            }
            Layout::Aligned(at) => {
                let apart = at == 0 || line.get(at - 1) == Some(&b' ');
                let Some(rest) = line.get(at..).filter(|_| apart) else { return Row::End };
                let len = memchr::memmem::find(rest, b"  ").unwrap_or(rest.len());
                at..at + len
            }
        };
        let text = &line[cell.clone()];
        let head = text.iter().take_while(|b| b" \t\"".contains(b)).count();
        let value = bare(text);
        let start = cell.start + head;
        let setting = Setting { strong: self.strong, ..SETTING };
        let secret = head < text.len() && !value::is_no_secret(value, setting, names);
        Row::Cell(secret.then(|| Hit::new(start, start + value.len(), self.kind)))
    }
}

/// `INSERT INTO user (name, password) VALUES ('bk', 'x'), …`: the values of the column `name`.
pub(crate) fn inserted(line: &[u8], name: &Range<usize>, kind: Kind, names: &Names) -> Vec<Hit> {
    let mut hits = Vec::new();
    let floor = name.start.saturating_sub(LONGEST_HEAD);
    let Some(open) = memchr::memrchr(b'(', &line[floor..name.start]).map(|n| floor + n) else { return hits };
    let ceiling = line.len().min(name.end + LONGEST_HEAD);
    let Some(close) = memchr::memchr(b')', &line[name.end..ceiling]).map(|n| name.end + n) else {
        return hits;
    };
    let number = memchr::memchr_iter(b',', &line[open..name.start]).count();
    let mut at = close + 1;
    at += spaces(&line[at..]);
    if !line[at..].get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"values")) {
        return hits;
    }
    at += 6;
    while let Some(row) = line.get(at..) {
        let skipped = row.iter().take_while(|b| b" ,".contains(b)).count();
        if row.get(skipped) != Some(&b'(') {
            break;
        }
        at += skipped + 1;
        let mut column = 0;
        loop {
            at += spaces(&line[at..]);
            let (text, end) = literal(line, at);
            if column == number && !value::is_no_secret(&line[text.clone()], SETTING, names) {
                hits.push(Hit::new(text.start, text.end, kind));
            }
            at = end + spaces(&line[end..]);
            column += 1;
            match line.get(at) {
                Some(b',') => at += 1,
                Some(b')') => {
                    at += 1;
                    break;
                }
                _ => return hits,
            }
        }
    }
    hits
}

fn spaces(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// The SQL literal at `at` without its quotes, and where it ends.
fn literal(line: &[u8], at: usize) -> (Range<usize>, usize) {
    let Some(quote) = line.get(at).filter(|b| b"'\"".contains(b)) else {
        let len = line[at..].iter().position(|b| b",)".contains(b)).unwrap_or(line.len() - at);
        let text = line[at..at + len].trim_ascii_end().len();
        return (at..at + text, at + len);
    };
    let mut end = at + 1;
    while end < line.len() {
        match line[end] {
            b'\\' => end += 2,
            // Twice is a quote within.
            b if b == *quote && line.get(end + 1) == Some(quote) => end += 2,
            b if b == *quote => return (at + 1..end, end + 1),
            _ => end += 1,
        }
    }
    (at + 1..line.len(), line.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::rules::RuleSet;

    fn names() -> Names {
        Names::new(&RuleSet::load(&[]).unwrap())
    }

    fn head(line: &str, name: &str) -> Option<Column> {
        let at = line.find(name).unwrap();
        column(line.as_bytes(), &(at..at + name.len()), Kind(0), true)
    }

    #[test]
    fn cells_beneath_a_heading_are_secrets() {
        for (line, name, row, secret) in [
            ("NAME   PASSWORD  AGE", "PASSWORD", "db     abc1      5d", Some("abc1")),
            ("NAME   PASSWORD  AGE", "PASSWORD", "db     <none>    5d", None),
            ("| user | password |", "password", "| root | abc 1    |", Some("abc 1")),
            ("user,password,host", "password", "root,abc1,h", Some("abc1")),
            ("user\tpassword", "password", "root\tabc1", Some("abc1")),
        ] {
            let column = head(line, name).unwrap_or_else(|| panic!("{line}"));
            let Row::Cell(hit) = column.row(row.as_bytes(), &names()) else { panic!("{row}") };
            assert_eq!(hit.map(|hit| &row[hit.start..hit.end]), secret, "{row}");
        }
        assert!(matches!(head("a,password", "password").unwrap().row(b"other text", &names()), Row::End));
        for line in ["user, password or token", "password policy", "a | the password is"] {
            assert_eq!(head(line, "password"), None, "{line}");
        }
    }

    #[test]
    fn inserted_values_are_told_by_their_column() {
        let line = "INSERT INTO u (`name`, `password`) VALUES ('a,b', 'it''s 1'), ('c', 'x2')";
        let at = line.find("password").unwrap();
        let hits = inserted(line.as_bytes(), &(at..at + 8), Kind(0), &names());
        let found: Vec<&str> = hits.iter().map(|hit| &line[hit.start..hit.end]).collect();
        assert_eq!(found, ["it''s 1", "x2"]);
    }
}
