//! Tables as kubectl and helm print them: a line of column names in capitals, then rows.
//!
//! kubectl pads columns with spaces, at least two between them; helm separates them with tabs. In a forum post the
//! padding is often lost; then words are all there is to go by.

use super::{lines, plain};

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// As many as there are columns; empty where the row has nothing.
    pub(super) cells: Vec<String>,
    /// Byte of the table's text at which the row begins.
    pub(super) offset: usize,
    /// Each cell is sure to stand under its column.
    pub(super) placed: bool,
}

impl Table {
    /// The cell under the column of this name; `None` if there is no such column or nothing in it.
    pub(super) fn cell<'r>(&self, row: &'r Row, column: &str) -> Option<&'r str> {
        let at = self.columns.iter().position(|name| name == column)?;
        row.cells.get(at).map(String::as_str).filter(|cell| !cell.is_empty() && *cell != "<none>")
    }

    /// Whether the table has the column and the row has nothing in it.
    pub(super) fn is_empty(&self, row: &Row, column: &str) -> bool {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| row.cells.get(at))
            .is_some_and(|cell| cell == "<none>" || cell.is_empty() && row.placed)
    }

    pub(super) fn has(&self, columns: &[&str]) -> bool {
        columns.iter().all(|column| self.columns.iter().any(|name| name == column))
    }

    pub(super) fn is_helm_list(&self) -> bool {
        self.has(&["NAME", "REVISION", "UPDATED", "STATUS", "CHART"])
    }

    pub(super) fn is_helm_history(&self) -> bool {
        self.columns.first().is_some_and(|first| first == "REVISION") && self.has(&["STATUS", "CHART"])
    }
}

/// Names of columns that stand first.
const FIRST: &[&str] =
    &["NAME", "NAMESPACE", "LAST SEEN", "LASTSEEN", "REVISION", "CLUSTER", "CONTAINER", "NODE"];

/// Two words that are one column, for tables whose padding is lost.
const TWO_WORDS: &[&str] = &[
    "LAST SEEN",
    "NOMINATED NODE",
    "READINESS GATES",
    "APP VERSION",
    "CREATED AT",
    "ACCESS MODES",
    "RECLAIM POLICY",
    "NODE SELECTOR",
    "CONTAINER ID",
    "FIRST SEEN",
    "LAST SCHEDULE",
    "MIN AVAILABLE",
    "MAX UNAVAILABLE",
];

/// Columns by which a line of single-spaced capitals is known for a header.
const TELLING: &[&str] = &[
    "READY",
    "STATUS",
    "AGE",
    "TYPE",
    "REASON",
    "CHART",
    "DATA",
    "PROVISIONER",
    "CAPACITY",
    "CLUSTER-IP",
    "ENDPOINTS",
];

/// Whether a line is the header of a table.
pub(super) fn is_header(line: &str) -> bool {
    let Some(first) = line.as_bytes().first() else { return false };
    first.is_ascii_uppercase() && line.len() < 4096 && header(line).is_some()
}

/// How the cells of a table are set apart.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Apart {
    Tabs,
    Padding,
    Words,
}

/// The column names with the character each begins at.
fn header(line: &str) -> Option<(Apart, Vec<(String, usize)>)> {
    let is_name = |name: &str| {
        name.chars().any(|c| c.is_ascii_uppercase())
            && name.chars().all(|c| {
                c.is_ascii_uppercase()
                    || c.is_ascii_digit()
                    || "-_ ()/%".contains(c)
                    || "coresbyt".contains(c)
            })
    };
    let line = line.trim_end();
    let (apart, names) = if line.contains('\t') {
        let mut at = 0;
        let cells = line.split('\t').map(|cell| {
            let start = at;
            at += cell.chars().count() + 1;
            (cell.trim().to_owned(), start)
        });
        (Apart::Tabs, cells.collect())
    } else {
        match padded(line) {
            names if names.len() > 1 => (Apart::Padding, names),
            _ => (Apart::Words, words(line)),
        }
    };
    let plausible = names.len() > 1
        && FIRST.contains(&names[0].0.as_str())
        && names.iter().all(|(name, _)| !name.is_empty() && name.len() <= 40 && is_name(name))
        && (apart != Apart::Words || names.iter().any(|(name, _)| TELLING.contains(&name.as_str())));
    plausible.then_some((apart, names))
}

/// Cells set apart by two or more spaces, with the character each begins at.
fn padded(line: &str) -> Vec<(String, usize)> {
    let mut cells: Vec<(String, usize)> = Vec::new();
    let (mut cell, mut start, mut spaces) = (String::new(), 0, 2);
    for (at, c) in line.chars().enumerate() {
        if c == ' ' {
            spaces += 1;
            continue;
        }
        if spaces >= 2 {
            if !cell.is_empty() {
                cells.push((std::mem::take(&mut cell), start));
            }
            start = at;
        } else if spaces == 1 {
            cell.push(' ');
        }
        spaces = 0;
        cell.push(c);
    }
    if !cell.is_empty() {
        cells.push((cell, start));
    }
    cells
}

fn words(line: &str) -> Vec<(String, usize)> {
    let mut names: Vec<(String, usize)> = Vec::new();
    for word in line.split_whitespace() {
        let two = names
            .last()
            .map(|(last, _)| format!("{last} {word}"))
            .filter(|two| TWO_WORDS.contains(&two.as_str()));
        match two {
            Some(two) => names.last_mut().expect("it was just joined to").0 = two,
            None => names.push((word.to_owned(), names.len())),
        }
    }
    names
}

/// Whether a line below a header can belong to the table.
pub(super) fn may_be_row(line: &str) -> bool {
    const OTHER: &[&str] = &["Error", "error:", "No resources", "Warning:", "stderr:", "stdout:"];
    !OTHER.iter().any(|start| line.starts_with(start))
}

/// Reads a table from its header on.
pub(super) fn read(text: &str) -> Option<Table> {
    let mut lines = lines(text);
    let (_, first) = lines.next()?;
    let (apart, names) = header(&plain(first))?;
    let rows = lines.filter_map(|(offset, line)| {
        let line = plain(line);
        let (cells, placed): (Vec<String>, bool) = match apart {
            Apart::Tabs => (line.split('\t').map(|cell| cell.trim().to_owned()).collect(), true),
            Apart::Padding => cells(&line, &names),
            Apart::Words => (single_spaced(&line, &names), false),
        };
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        (filled > 1).then(|| Row { cells: fit(cells, names.len()), offset, placed })
    });
    let rows = rows.collect();
    Some(Table { columns: names.into_iter().map(|(name, _)| of_today(name)).collect(), rows })
}

/// The name that a column of old programs has today.
fn of_today(name: String) -> String {
    match name.as_str() {
        "LASTSEEN" => "LAST SEEN".to_owned(),
        "FIRSTSEEN" => "FIRST SEEN".to_owned(),
        "ACCESSMODES" => "ACCESS MODES".to_owned(),
        _ => name,
    }
}

fn fit(mut cells: Vec<String>, count: usize) -> Vec<String> {
    if cells.len() > count {
        let rest = cells.split_off(count).join(" ");
        if let Some(last) = cells.last_mut() {
            *last = format!("{last} {rest}").trim_end().to_owned();
        }
    }
    cells.resize(count, String::new());
    cells
}

/// The cells of a padded row, and whether each is sure to be under its column. Where the columns line up they decide, so that empty cells are seen; a row that was
/// edited (a masked name, say) has its cells only in their order.
fn cells(line: &str, names: &[(String, usize)]) -> (Vec<String>, bool) {
    let chars: Vec<char> = line.chars().collect();
    let lined_up = names.iter().all(|(_, start)| {
        *start == 0 || *start > chars.len() || chars.get(start - 1).is_none_or(|c| *c == ' ')
    });
    let in_order: Vec<String> = padded(line).into_iter().map(|(cell, _)| cell).collect();
    if !lined_up || in_order.len() == names.len() {
        let all = in_order.len() == names.len();
        return (in_order, all);
    }
    let ends = names.iter().skip(1).map(|(_, start)| *start).chain([chars.len()]);
    let cells = names
        .iter()
        .zip(ends)
        .map(|((_, start), end)| {
            let (start, end) = ((*start).min(chars.len()), end.min(chars.len()));
            chars[start..end.max(start)].iter().collect::<String>().trim().to_owned()
        })
        .collect();
    (cells, true)
}

/// A row without padding: words, where what stands in parentheses belongs to the word before, as in `5 (3m ago)`.
fn single_spaced(line: &str, names: &[(String, usize)]) -> Vec<String> {
    let mut cells: Vec<String> = Vec::new();
    let mut depth = 0i32;
    for word in line.split_whitespace() {
        let opens = word.matches('(').count() as i32 - word.matches(')').count() as i32;
        if let Some(last) = cells.last_mut().filter(|_| depth > 0 || word.starts_with('(')) {
            last.push(' ');
            last.push_str(word);
        } else {
            cells.push(word.to_owned());
        }
        depth = (depth + opens).max(0);
    }
    // The message of an event is the last column and has words of its own.
    fit(cells, names.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        read(text).unwrap().rows.into_iter().map(|row| row.cells).collect()
    }

    #[test]
    fn padded_tables_keep_their_empty_cells() {
        let text = "\
NAME              CLASS    HOSTS             ADDRESS   PORTS   AGE
my-http-ingress   <none>   app.example.com             80      5m8s
other             nginx    *                 10.0.0.1   80     5m
";
        assert_eq!(rows(text)[0], ["my-http-ingress", "<none>", "app.example.com", "", "80", "5m8s"]);
        assert_eq!(rows(text)[1], ["other", "nginx", "*", "10.0.0.1", "80", "5m"]);
    }

    #[test]
    fn rows_that_do_not_line_up_are_read_in_order() {
        let text = "NAME                           READY   STATUS    RESTARTS   AGE\npod/short   1/1     Running   0          7m27s\n";
        assert_eq!(rows(text)[0], ["pod/short", "1/1", "Running", "0", "7m27s"]);
    }

    #[test]
    fn tables_that_lost_their_padding_are_read() {
        let text = "NAMESPACE NAME READY STATUS RESTARTS AGE\nblueking bk-repo-0 0/1 CrashLoopBackOff 5 (3m ago) 2d\n";
        assert_eq!(rows(text)[0], ["blueking", "bk-repo-0", "0/1", "CrashLoopBackOff", "5 (3m ago)", "2d"]);
    }

    #[test]
    fn helm_separates_with_tabs() {
        let text = "NAME   \tNAMESPACE\tREVISION\tUPDATED\tSTATUS  \tCHART        \tAPP VERSION\nrobusta\tdefault  \t135     \t2025\tdeployed\trobusta-0.0.1\t\n";
        let table = read(text).unwrap();
        assert!(table.is_helm_list());
        assert_eq!(table.cell(&table.rows[0], "REVISION"), Some("135"));
        assert_eq!(table.cell(&table.rows[0], "APP VERSION"), None);
    }

    #[test]
    fn ordinary_lines_are_no_headers() {
        for line in [
            "NAME",
            "NAME is not a header",
            "ERROR  SOMETHING  BAD",
            "NAME: x",
            "Name:  x",
            "NAMESPACE not found",
            "",
        ] {
            assert!(!is_header(line), "{line}");
        }
        for line in [
            "NAME   CPU(cores)   MEMORY(bytes)",
            "LAST SEEN   TYPE     REASON   OBJECT   MESSAGE",
            "NAME READY STATUS RESTARTS AGE",
        ] {
            assert!(is_header(line), "{line}");
        }
    }
}
