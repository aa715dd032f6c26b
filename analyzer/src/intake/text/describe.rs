//! The form of `kubectl describe`: keys with values, set in by two spaces a level, and small tables.

use super::{lines, plain};

/// A line `Key:  value` with what is set in below it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Node {
    pub(super) key: String,
    /// The value, and lines that continue it below.
    pub(super) values: Vec<String>,
    pub(super) children: Vec<Node>,
    /// Byte of the text at which the line begins.
    pub(super) offset: usize,
}

impl Node {
    pub(super) fn child(&self, key: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.key == key)
    }

    /// The value, if it says something.
    pub(super) fn value(&self) -> Option<&str> {
        self.values
            .first()
            .map(String::as_str)
            .filter(|value| !matches!(*value, "" | "<none>" | "<unset>" | "<nil>"))
    }

    pub(super) fn value_of(&self, key: &str) -> Option<&str> {
        self.child(key)?.value()
    }
}

/// One described object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Described<'t> {
    pub(super) fields: Node,
    /// Lines below each key at the margin, with the byte at which each begins: what is printed as a table.
    pub(super) bodies: Vec<(String, Vec<(usize, &'t str)>)>,
}

impl Described<'_> {
    /// Rows of a table below `key`, by column name; each with the byte at which it begins.
    pub(super) fn table(&self, key: &str) -> Vec<(usize, Vec<(String, String)>)> {
        let body = self.bodies.iter().find(|(name, _)| name == key).map_or(&[][..], |(_, lines)| lines);
        let mut body = body.iter().map(|(offset, line)| (*offset, plain(line).into_owned()));
        let Some((_, header)) = body.next() else { return Vec::new() };
        let columns = cells_of_header(&header);
        let mut rows: Vec<(usize, Vec<(String, String)>)> = Vec::new();
        for (offset, line) in body.filter(|(_, line)| !is_rule(line)) {
            let chars: Vec<char> = line.chars().collect();
            let at = |start: usize| chars.get(start).copied().unwrap_or(' ');
            let in_columns = columns.iter().all(|(_, start)| *start == 0 || at(start - 1) == ' ')
                && columns.first().is_some_and(|(_, start)| at(*start) != ' ');
            if in_columns {
                let ends = columns.iter().skip(1).map(|(_, start)| *start).chain([usize::MAX]);
                let cells = columns.iter().zip(ends).map(|((name, start), end)| {
                    let cell: String = chars.iter().skip(*start).take(end - start).collect();
                    (name.clone(), cell.trim().to_owned())
                });
                rows.push((offset, cells.collect()));
            } else if let Some((_, last)) = rows.last_mut().and_then(|(_, cells)| cells.last_mut()) {
                // A message of several lines.
                last.push(' ');
                last.push_str(line.trim());
            }
        }
        rows
    }
}

fn cells_of_header(line: &str) -> Vec<(String, usize)> {
    let mut cells: Vec<(String, usize)> = Vec::new();
    let mut spaces = 2;
    for (at, c) in line.chars().enumerate() {
        match (c, spaces) {
            (' ', _) => spaces += 1,
            (_, 0) => cells.last_mut().expect("a cell is open").0.push(c),
            (_, 1) => {
                let cell = &mut cells.last_mut().expect("a cell is open").0;
                cell.push(' ');
                cell.push(c);
                spaces = 0;
            }
            _ => {
                cells.push((c.to_string(), at));
                spaces = 0;
            }
        }
    }
    cells
}

/// The line of dashes below a header.
fn is_rule(line: &str) -> bool {
    line.contains("--") && line.chars().all(|c| c == '-' || c == ' ')
}

/// Whether an object's description begins with this line.
pub(super) fn is_first(line: &str) -> bool {
    line.strip_prefix("Name:").is_some_and(|rest| rest.starts_with("  ") && !rest.trim().is_empty())
        || line.strip_prefix("Name: ").is_some_and(|rest| !rest.trim().is_empty())
}

/// Whether the lines after the first are those of a description.
pub(super) fn follows(text: &str) -> bool {
    const KEYS: &[&str] = &[
        "Namespace:",
        "Labels:",
        "Annotations:",
        "Priority:",
        "Roles:",
        "CreationTimestamp:",
        "Selector:",
        "IsDefaultClass:",
        "Provisioner:",
        "StorageClass:",
        "Node:",
        "Image(s):",
        "Start Time:",
        "Pods Status:",
    ];
    text.lines().skip(1).take(12).any(|line| KEYS.iter().any(|key| line.starts_with(key)))
}

/// Takes the objects of a text apart. `base` is added to all offsets.
pub(super) fn parse(text: &str, base: usize) -> Vec<Described<'_>> {
    let mut objects: Vec<Described> = Vec::new();
    let mut stack: Vec<Open> = Vec::new();
    for (at, raw) in lines(text) {
        let line = plain(raw);
        if line.trim().is_empty() {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        if is_first(&line) {
            close(&mut objects, &mut stack, 0);
            objects.push(Described {
                fields: Node { offset: base + at, ..Node::default() },
                bodies: Vec::new(),
            });
        }
        let Some(object) = objects.last_mut() else { continue };
        if indent > 0 {
            if let Some((_, body)) = object.bodies.last_mut() {
                body.push((base + at, raw));
            }
            // A value that goes on in the next line stands below its first line.
            if let Some(open) =
                stack.last_mut().filter(|open| open.value_at.is_some_and(|value_at| indent >= value_at))
            {
                open.node.values.push(line.trim().to_owned());
                continue;
            }
        }
        close(&mut objects, &mut stack, indent);
        // What is nested deeper than anything real is kept flat, so that nothing has to be walked that deep.
        if stack.len() > MAX_DEPTH {
            continue;
        }
        let (key, value, value_at) = key_value(&line);
        if indent == 0 {
            let object = objects.last_mut().expect("it was just there");
            object.bodies.push((key.clone(), Vec::new()));
        }
        let node = Node { key, values: value.into_iter().collect(), children: Vec::new(), offset: base + at };
        stack.push(Open { indent, value_at, node });
    }
    close(&mut objects, &mut stack, 0);
    objects
}

const MAX_DEPTH: usize = 16;

/// A node that lines below may still belong to.
struct Open {
    indent: usize,
    /// Where its value begins in the line.
    value_at: Option<usize>,
    node: Node,
}

/// Closes all nodes that a line set in by `indent` does not belong to.
fn close(objects: &mut [Described], stack: &mut Vec<Open>, indent: usize) {
    while stack.last().is_some_and(|open| open.indent >= indent) {
        let Some(Open { node, .. }) = stack.pop() else { return };
        match (stack.last_mut(), objects.last_mut()) {
            (Some(parent), _) => parent.node.children.push(node),
            (None, Some(object)) => object.fields.children.push(node),
            (None, None) => {}
        }
    }
}

/// Splits `  Key:  value`; the value may be missing. A line without a key is all key.
fn key_value(line: &str) -> (String, Option<String>, Option<usize>) {
    let text = line.trim_start();
    let indent = line.len() - text.len();
    let colon = text
        .char_indices()
        .find(|(at, c)| *c == ':' && text[at + 1..].chars().next().is_none_or(|c| c == ' '));
    let Some((colon, _)) = colon else { return (text.trim_end().to_owned(), None, None) };
    let rest = &text[colon + 1..];
    let value = rest.trim();
    let value_at = (!value.is_empty()).then(|| indent + colon + 1 + (rest.len() - rest.trim_start().len()));
    (text[..colon].to_owned(), (!value.is_empty()).then(|| value.to_owned()), value_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "\
Name:         web-0
Namespace:    a
Labels:       app=web
              tier: odd
Containers:
  nginx:
    Image:    nginx
    State:    Waiting
      Reason: CrashLoopBackOff
    Command:
      sh
      -c
Events:
  Type     Reason   Age                 From     Message
  ----     ------   ----                ----     -------
  Warning  BackOff  2m (x26 over 7m)    kubelet  Back-off restarting
    failed container
  Normal   Pulled   7m                  kubelet  ok


Name:         web-1
Namespace:    a
";

    #[test]
    fn objects_are_taken_apart_by_their_indentation() {
        let objects = parse(POD, 100);
        assert_eq!(objects.len(), 2);
        let fields = &objects[0].fields;
        assert_eq!(fields.value_of("Name"), Some("web-0"));
        assert_eq!(fields.child("Labels").unwrap().values, ["app=web", "tier: odd"]);
        let nginx = fields.child("Containers").unwrap().child("nginx").unwrap();
        assert_eq!(nginx.child("State").unwrap().value_of("Reason"), Some("CrashLoopBackOff"));
        let command: Vec<_> =
            nginx.child("Command").unwrap().children.iter().map(|n| n.key.as_str()).collect();
        assert_eq!(command, ["sh", "-c"]);
        assert_eq!(objects[1].fields.value_of("Name"), Some("web-1"));
        assert_eq!(objects[1].fields.offset, 100 + POD.rfind("Name:").unwrap());
    }

    #[test]
    fn events_are_rows_and_long_messages_stay_together() {
        let objects = parse(POD, 0);
        let events = objects[0].table("Events");
        assert_eq!(events.len(), 2);
        let cell = |row: usize, name: &str| events[row].1.iter().find(|(n, _)| n == name).unwrap().1.clone();
        assert_eq!(cell(0, "Age"), "2m (x26 over 7m)");
        assert_eq!(cell(0, "Message"), "Back-off restarting failed container");
        assert_eq!(cell(1, "Type"), "Normal");
        assert!(POD[events[1].0..].starts_with("  Normal   Pulled"));
    }
}
