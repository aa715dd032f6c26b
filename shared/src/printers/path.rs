//! The paths of printer columns: `.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status`.
//!
//! The subset of kubectl's JSONPath that definitions use. A path with anything else is none, and its cells are empty, as
//! they are where a path leads nowhere.

use serde_json::Value;

use crate::objects::Field as _;

/// Longest path; definitions come from strangers.
const MAX_LENGTH: usize = 1024;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    /// Negative ones count from the end.
    Index(i64),
    All,
    /// Elements whose field (or, for `!=`, whose field is not) has this text.
    Where {
        path: Path,
        equal: bool,
        text: String,
    },
}

impl Path {
    pub(super) fn parse(text: &str) -> Option<Path> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let text = text.trim();
        let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        parse(text.strip_prefix('$').unwrap_or(text))
    }

    /// The first value that the path leads to.
    pub(super) fn first<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        walk(&self.0, value)
    }
}

fn parse(text: &str) -> Option<Path> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let end = closing(after)?;
            steps.push(bracket(&after[..end])?);
            rest = &after[end + 1..];
        } else {
            let after = rest.strip_prefix('.')?;
            let (field, end) = field(after);
            match field.as_str() {
                "*" => steps.push(Step::All),
                // `..` searches everywhere, which no column needs.
                "" if !after.is_empty() && !after.starts_with('[') => return None,
                "" => {}
                _ => steps.push(Step::Field(field)),
            }
            rest = &after[end..];
        }
    }
    Some(Path(steps))
}

/// A name up to the next step; a dot in it stands behind a backslash.
fn field(text: &str) -> (String, usize) {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.extend(chars.next().map(|(_, c)| c)),
            '.' | '[' => return (name, at),
            c => name.push(c),
        }
    }
    (name, text.len())
}

/// Where the bracket that was opened before `text` ends.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn bracket(inside: &str) -> Option<Step> {
    if inside == "*" {
        return Some(Step::All);
    }
    if let Some(name) = quoted(inside) {
        return Some(Step::Field(name.to_owned()));
    }
    if let Some(filter) = inside.strip_prefix("?(").and_then(|text| text.strip_suffix(')')) {
        let (left, equal, right) = match filter.split_once("==") {
            Some((left, right)) => (left, true, right),
            None => filter.split_once("!=").map(|(left, right)| (left, false, right))?,
        };
        let right = right.trim();
        let text = quoted(right).unwrap_or(right).to_owned();
        let path = parse(left.trim().strip_prefix('@')?)?;
        return Some(Step::Where { path, equal, text });
    }
    inside.parse().ok().map(Step::Index)
}

fn quoted(text: &str) -> Option<&str> {
    ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
}

fn walk<'v>(steps: &[Step], value: &'v Value) -> Option<&'v Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match step {
        Step::Field(name) => walk(rest, value.get(name)?),
        Step::Index(index) => {
            let items = value.as_array()?;
            let at = usize::try_from(*index)
                .ok()
                .or_else(|| items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?))?;
            walk(rest, items.get(at)?)
        }
        Step::All => match value {
            Value::Array(items) => items.iter().find_map(|item| walk(rest, item)),
            Value::Object(map) => map.values().find_map(|item| walk(rest, item)),
            _ => None,
        },
        Step::Where { path, equal, text } => value.as_array()?.iter().find_map(|item| {
            let found = path.first(item)?;
            ((found.scalar() == *text) == *equal).then(|| walk(rest, item)).flatten()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_of_definitions_lead_where_the_server_goes() {
        let object = json!({"spec": {"n": 3, "list": ["a", "b"], "a.b": {"c d": true}},
            "status": {"conditions": [{"type": "Synced", "status": "True"}, {"type": "Ready", "status": "False"}]}});
        for (path, wanted) in [
            (".spec.n", Some(json!(3))),
            ("{.spec.n}", Some(json!(3))),
            ("$.spec.list[1]", Some(json!("b"))),
            (".spec.list[-1]", Some(json!("b"))),
            (".spec.list[-3]", None),
            (".spec.list[*]", Some(json!("a"))),
            (r".spec.a\.b['c d']", Some(json!(true))),
            (r#".status.conditions[?(@.type=="Ready")].status"#, Some(json!("False"))),
            (".status.conditions[?(@.type=='Ready')].status", Some(json!("False"))),
            (".status.conditions[?(@.type!='Synced')].status", Some(json!("False"))),
            (".status.conditions[?(@.type=='None')].status", None),
            (".spec.none.deeper", None),
            (".spec.n.deeper", None),
        ] {
            assert_eq!(Path::parse(path).and_then(|path| path.first(&object).cloned()), wanted, "{path}");
        }
        for bad in ["spec", ".a[", ".a[x]", ".a..b", ".a[?(@.b)]", &".a".repeat(1000)] {
            assert_eq!(Path::parse(bad), None, "{bad}");
        }
    }
}
