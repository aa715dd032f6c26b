//! Cutting a text into what different commands and programs printed.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::command::Command;
use super::prompt::{self, Prompts};
use super::{columns, describe, lines, plain};
use crate::intake::role::LogOf;
use crate::intake::shapes;

/// What a piece looks like.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// JSON or YAML.
    Documents,
    Table,
    /// One or more objects as `kubectl describe` prints them.
    Describe,
    /// `helm status`, and what `helm install` prints at its end.
    HelmStatus,
    /// A container's log between the marks of `kubectl cluster-info dump`.
    Log(LogOf),
    Plain,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    pub(super) range: Range<usize>,
    pub(super) shape: Shape,
    /// The command whose output it is, if the text shows it.
    pub(super) command: Option<Command>,
}

static DUMP_LOG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^==== (START|END) logs for container (\S+) of pod ([^/\s]+)/(\S+) ====$")
        .expect("the pattern is constant")
});

/// Cuts `text` into pieces. They do not overlap and come in order; prompts and blank lines belong to none.
pub(super) fn segments(text: &str) -> Vec<Segment> {
    let patience = 4 * text.len() + (1 << 20);
    let mut cutter = Cutter {
        text,
        done: Vec::new(),
        open: None,
        command: None,
        prompts: Prompts::default(),
        resume: 0,
        blank: true,
        patience,
    };
    for (at, line) in lines(text) {
        if at >= cutter.resume {
            cutter.line(at, line);
        }
    }
    cutter.close(text.len());
    cutter.done
}

struct Cutter<'t> {
    text: &'t str,
    done: Vec<Segment>,
    /// Start and shape of the piece that is being read.
    open: Option<(usize, Shape)>,
    command: Option<Command>,
    prompts: Prompts,
    /// Where reading goes on after documents that were found whole.
    resume: usize,
    /// The line before was blank, or there was none.
    blank: bool,
    /// How many bytes may still be read ahead to see whether they are JSON, so that no text takes forever.
    patience: usize,
}

impl Cutter<'_> {
    fn line(&mut self, at: usize, raw: &str) {
        let line = plain(raw);
        let line = line.as_ref();
        if let Some((_, Shape::Log(_))) = self.open {
            if DUMP_LOG.captures(line).is_some_and(|mark| &mark[1] == "END") {
                self.close(at);
            }
            return;
        }
        // Between documents of YAML.
        let between = line == "---" && self.open.is_none();
        if line.trim().is_empty() || between {
            // A blank line ends a table; elsewhere it may stand inside.
            if matches!(self.open, Some((_, Shape::Table))) {
                self.close(at);
            }
            self.blank = true;
            return;
        }
        if let Some(typed) = self.prompts.typed(line) {
            self.close(at);
            self.command = (!typed.is_empty()).then(|| Command::parse(typed));
            self.blank = true;
            return;
        }
        if let Some(shape) = self.begins(at, line) {
            self.close(at);
            if shape == Shape::Documents {
                let end = at + documents_length(&self.text[at..]);
                self.done.push(Segment { range: at..end, shape, command: self.command.clone() });
                self.resume = end;
            } else {
                // The log begins after its mark.
                let start = if matches!(shape, Shape::Log(_)) { at + raw.len() } else { at };
                self.open = Some((start, shape));
            }
        } else if self.open.is_none()
            || matches!(self.open, Some((_, Shape::Table))) && !columns::may_be_row(line)
        {
            self.close(at);
            self.open = Some((at, Shape::Plain));
        }
        self.blank = false;
    }

    /// What begins with this line, if something does.
    fn begins(&mut self, at: usize, line: &str) -> Option<Shape> {
        if let Some(mark) = line.starts_with("====").then(|| DUMP_LOG.captures(line)).flatten() {
            let log = LogOf {
                namespace: mark[3].to_owned(),
                pod: mark[4].to_owned(),
                container: mark[2].to_owned(),
                previous: false,
            };
            return (&mark[1] == "START").then_some(Shape::Log(log));
        }
        let inside = self.open.as_ref().map(|(_, shape)| shape.clone());
        // In a post a table may be set in; a description holds lines that only look like one.
        let header = if inside == Some(Shape::Describe) { line } else { line.trim_start() };
        if columns::is_header(header) {
            return Some(Shape::Table);
        }
        if describe::is_first(line) && (self.blank || inside != Some(Shape::Describe)) {
            let ahead = &self.text[at..];
            return describe::follows(ahead).then_some(Shape::Describe);
        }
        if line.starts_with("NAME: ")
            && self.text[at..].lines().take(6).any(|line| line.starts_with("STATUS: "))
        {
            return Some(Shape::HelmStatus);
        }
        let json = line.starts_with('{') || line.starts_with("[{") || matches!(line.trim_end(), "[" | "[]");
        if json && self.patience > 0 {
            let (length, looked_at) = json_length(&self.text[at..]);
            self.patience = self.patience.saturating_sub(looked_at);
            // A log may print one line of JSON after another: such lines are no documents of the cluster's.
            let document = &self.text[at..at + length];
            if has_kind(document) || shapes::has_any(document) {
                return Some(Shape::Documents);
            }
        }
        let yaml = line.starts_with("apiVersion: ")
            || line == "items:"
            || line.starts_with("- apiVersion: ")
            || line.starts_with("- app_version: ");
        (yaml && inside != Some(Shape::Documents)).then_some(Shape::Documents)
    }

    fn close(&mut self, at: usize) {
        if let Some((start, shape)) = self.open.take() {
            self.done.push(Segment { range: start..at, shape, command: self.command.clone() });
        }
    }
}

/// Whether the beginning of a JSON text names a kind, as everything from a cluster does.
fn has_kind(text: &str) -> bool {
    let mut end = text.len().min(64 << 10);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    ["\"kind\"", "\"items\"", "\"Items\"", "\"releaseName\"", "\"app_version\"", "\"first_deployed\""]
        .iter()
        .any(|key| text[..end].contains(key))
}

/// Length of the JSON document at the beginning of `text`, zero if there is none, and how many bytes had to be read to
/// know. One that is cut off reaches to the end.
fn json_length(text: &str) -> (usize, usize) {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    match stream.next() {
        Some(Ok(_)) => (stream.byte_offset(), stream.byte_offset()),
        Some(Err(error)) if error.is_eof() => (text.len(), text.len()),
        Some(Err(error)) => {
            let before: usize =
                text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            (0, before + error.column())
        }
        None => (0, 0),
    }
}

/// Length of the JSON or YAML document at the beginning of `text`; zero if there is none.
fn documents_length(text: &str) -> usize {
    if text.starts_with(['{', '[']) {
        return json_length(text).0;
    }
    let mut end = 0;
    for (at, raw) in lines(text) {
        let line = plain(raw);
        let inside = line.is_empty()
            || line.starts_with([' ', '-', '#'])
            || line.split_once(':').is_some_and(|(key, rest)| {
                (rest.is_empty() || rest.starts_with(' '))
                    && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            });
        if !inside || at > 0 && prompt::is_prompt(&line) {
            break;
        }
        end = at + raw.len();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(text: &str) -> Vec<(Shape, Option<String>, u64)> {
        segments(text)
            .into_iter()
            .map(|segment| {
                let line = text[..segment.range.start].matches('\n').count() as u64 + 1;
                (
                    segment.shape,
                    segment.command.map(|command| format!("{} {}", command.tool, command.verb)),
                    line,
                )
            })
            .collect()
    }

    #[test]
    fn a_scroll_is_cut_at_its_prompts() {
        let text = "\
[root@bk-control ~]# kubectl get pods -n a
NAME    READY   STATUS    RESTARTS   AGE
web-0   1/1     Running   0          3d

[root@bk-control ~]# helm history bk-paas -n blueking
REVISION\tUPDATED                 \tSTATUS  \tCHART        \tAPP VERSION\tDESCRIPTION
1       \tThu Jan  1 00:00:00 2026\tdeployed\tbk-paas-1.0.0\t1.0.0      \tInstall complete
root@bk-control:/data# kubectl describe pod web-0
Name:         web-0
Namespace:    a
Status:       Running

[root@bk-control ~]# kubectl logs web-0
NAME is not a header
[root@bk-control ~]#
$ kubectl get pod web-0 -o json
{
  \"kind\": \"Pod\"
}
# a comment
";
        let command = |text: &str| Some(text.to_owned());
        assert_eq!(
            shapes(text),
            [
                (Shape::Table, command("kubectl get"), 2),
                (Shape::Table, command("helm history"), 6),
                (Shape::Describe, command("kubectl describe"), 9),
                (Shape::Plain, command("kubectl logs"), 14),
                (Shape::Documents, command("kubectl get"), 17),
                (Shape::Plain, command("kubectl get"), 20),
            ]
        );
    }

    #[test]
    fn documents_and_logs_of_a_dump_follow_each_other() {
        let text = "\
{\"kind\":\"PodList\",\"items\":[]}
==== START logs for container nginx of pod a/web-0 ====
{\"kind\":\"a log line\"}
NAME READY STATUS RESTARTS AGE
==== END logs for container nginx of pod a/web-0 ====
{\"kind\":\"NodeList\",\"items\":[]}
";
        let log =
            LogOf { namespace: "a".into(), pod: "web-0".into(), container: "nginx".into(), previous: false };
        assert_eq!(
            shapes(text),
            [(Shape::Documents, None, 1), (Shape::Log(log), None, 3), (Shape::Documents, None, 6)]
        );
    }

    #[test]
    fn documents_of_yaml_follow_a_log_without_a_rest() {
        let text = "\
==== START logs for container c of pod a/p ====
x
==== END logs for container c of pod a/p ====
---
apiVersion: v1
items: []
kind: EventList
";
        let found = shapes(text);
        assert_eq!(found.iter().map(|(_, _, line)| *line).collect::<Vec<_>>(), [2, 5]);
        assert_eq!(found[1].0, Shape::Documents);
    }

    #[test]
    fn colours_in_yaml_do_not_move_its_end() {
        let text = "apiVersion: v1\nkind: \u{1b}[31mPod\u{1b}[0m 蓝鲸\n$ helm list\n";
        let found = segments(text);
        assert_eq!(&text[found[0].range.clone()], "apiVersion: v1\nkind: \u{1b}[31mPod\u{1b}[0m 蓝鲸\n");
    }

    #[test]
    fn yaml_ends_where_something_else_begins() {
        let text = "$ kubectl get pod x -o yaml\napiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n$ helm list\nError: no\n";
        let found = segments(text);
        assert_eq!(found.len(), 2);
        assert_eq!(&text[found[0].range.clone()], "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n");
    }
}
