//! Text that people save: what terminals show, one command after another.
//!
//! [`split`] cuts a file into pieces at prompts and at the headers of what programs print. Each piece is read for what
//! it is; the file as a whole stays what its user pasted, so that nothing is lost where a piece is misjudged.

mod columns;
mod command;
mod describe;
mod described;
mod helm;
mod prompt;
mod rows;
mod split;
mod undress;

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

use self::command::Command;
use self::split::Shape;
use super::documents::Item;
use super::file;
use super::kinds::{self, Resource};
use super::layout::cluster_dump;
use super::moment;
use super::part::{Found, Part, Piece};
use super::releases::{RELEASES, REVISIONS};
use crate::snapshot::{Known, TextKind};

/// What the place of a file tells of the objects in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    pub(super) resource: Option<Resource>,
    pub(super) namespace: Option<String>,
    /// The command whose output the file is.
    pub(super) command: Option<String>,
}

/// Reads a file of any text into `part`.
///
/// `as_pasted` keeps the whole file as text of the user's besides its pieces.
pub(super) fn read(part: &mut Part, context: &Context, as_pasted: bool, cut: bool) {
    if let Some(bare) = as_pasted.then(|| undress::undress(&part.text)).flatten() {
        part.text = bare.into();
    }
    let text = std::sync::Arc::clone(&part.text);
    let segments = split::segments(&text);
    // Objects in a file of their own are no text that somebody wrote.
    let made_by_program = !segments.is_empty()
        && segments.iter().all(|segment| matches!(segment.shape, Shape::Documents | Shape::Log(_)));
    if as_pasted && !made_by_program {
        part.pieces.push(file::gaps(Piece::new(TextKind::Pasted, 0..text.len()), &text, cut));
    }
    if as_pasted && is_log(&part.path) && segments.iter().all(|segment| segment.shape == Shape::Plain) {
        part.pieces.push(file::gaps(Piece::new(TextKind::Log, 0..text.len()), &text, cut));
        return;
    }
    let command = context.command.as_deref().map(Command::parse);
    for segment in segments {
        let at_end = segment.range.end == text.len();
        let command = segment.command.as_ref().or(command.as_ref());
        let mut reading = Reading { part, text: &text, context, command };
        reading.segment(&segment.shape, segment.range, cut && at_end);
    }
    if made_by_program && cluster_dump::is_stream(part) {
        cluster_dump::cover_stream(part, cut);
        part.dump = true;
    }
}

fn is_log(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".log") || name.contains(".log.")
}

/// One piece and what is known about it.
struct Reading<'a> {
    part: &'a mut Part,
    text: &'a str,
    context: &'a Context,
    command: Option<&'a Command>,
}

impl Reading<'_> {
    fn segment(&mut self, shape: &Shape, range: Range<usize>, cut: bool) {
        let namespace = self.namespace();
        match shape {
            Shape::Documents => {
                let resource = self.resource();
                let read =
                    file::objects_in(self.part, range.clone(), resource.as_ref(), namespace.as_deref(), cut);
                self.helm_documents(read.others, range.start);
            }
            Shape::Table => {
                self.table(range.clone(), cut);
                self.piece(TextKind::Table, range, cut);
            }
            Shape::Describe => {
                let default = self.resource();
                for found in described::objects(&self.text[range.clone()], range.start, default.as_ref()) {
                    self.keep(found);
                }
                self.piece(TextKind::Describe, range, cut);
            }
            Shape::HelmStatus => {
                let rows = helm::status(&self.text[range.clone()]);
                self.release(rows, range.start);
                self.piece(TextKind::Table, range, cut);
            }
            Shape::Log(log) => {
                let log = log.clone();
                self.part.log_piece(&log, range, cut);
            }
            Shape::Plain => self.plain(range, cut),
        }
    }

    fn namespace(&self) -> Option<String> {
        self.command.and_then(|command| command.namespace.clone()).or_else(|| self.context.namespace.clone())
    }

    fn resource(&self) -> Option<Resource> {
        let named = self.command.and_then(|command| command.resources.first());
        named.and_then(|name| kinds::of_name(name)).or_else(|| self.context.resource.clone())
    }

    fn piece(&mut self, kind: TextKind, range: Range<usize>, cut: bool) {
        let piece = Piece::new(kind, range).in_namespace(self.namespace());
        let piece = file::gaps(piece, self.text, cut);
        self.part.pieces.push(piece);
    }

    /// Output of a command that prints neither table nor objects: a log if the command fetches one.
    fn plain(&mut self, range: Range<usize>, cut: bool) {
        let Some(command) = self.command else { return };
        if command.verb == "logs" {
            let mut piece = Piece::new(TextKind::Log, range).in_namespace(self.namespace());
            piece.pod = command.names.first().map(|name| name.trim_start_matches("pod/").to_owned());
            piece.container.clone_from(&command.container);
            piece.previous = command.previous;
            piece.has_head = !command.tailed;
            let piece = file::gaps(piece, self.text, cut);
            self.part.pieces.push(piece);
        } else if command.tool == "date" {
            self.part.taken = self.text[range].lines().find_map(moment::date_line).or(self.part.taken);
        } else if matches!(command.tool.as_str(), "journalctl" | "dmesg") {
            self.piece(TextKind::Journal, range, cut);
        } else if command.verb == "get" && self.text[range].contains("No resources found") {
            self.covered(Known::Whole);
        }
    }

    fn table(&mut self, range: Range<usize>, cut: bool) {
        let Some(table) = columns::read(&self.text[range.clone()]) else { return };
        if table.is_helm_list() {
            let rows = table.rows.iter().map(|row| (helm::list_row(&table, row), range.start + row.offset));
            for (row, offset) in rows {
                let Some(row) = row else { continue };
                self.push(RELEASES, row.row(), offset);
            }
            if self.command.is_some_and(|command| command.lists_everything()) {
                self.cover(RELEASES, None, Known::Whole);
            }
            return;
        }
        if table.is_helm_history() {
            let name = self.command.and_then(|command| command.names.first().cloned()).unwrap_or_default();
            let namespace = self.namespace().unwrap_or_default();
            let rows = helm::history_rows(&table, &name, &namespace);
            self.release(rows, range.start);
            return;
        }
        let default = self.resource();
        let namespace = self.namespace();
        let mut found = None;
        for row in &table.rows {
            let Some((resource, value)) = rows::object(&table, row, default.as_ref(), namespace.as_deref())
            else {
                continue;
            };
            let ages = rows::ages(&table, row, &resource.collection, &value);
            self.keep(Found { ages, ..partial(&resource.collection, value, range.start + row.offset) });
            found = Some(resource);
        }
        let resource = found.or_else(|| rows::resource_of_header(&table)).or(default);
        if let Some(command) =
            self.command.filter(|command| !cut && command.verb == "get" && command.names.is_empty())
        {
            let known = if command.filtered { Known::Partly } else { Known::Whole };
            if let Some(resource) = resource {
                let everywhere = command.all_namespaces || resource.namespaced == Some(false);
                let namespace = if everywhere { None } else { namespace };
                if everywhere || namespace.is_some() {
                    self.cover(&resource.collection, namespace, known);
                }
            }
        }
    }

    /// The resources that the command asked for are known to this degree.
    fn covered(&mut self, known: Known) {
        let Some(command) = self.command.filter(|command| !command.filtered && command.names.is_empty())
        else {
            return;
        };
        let (names, everywhere, namespace) =
            (command.resources.clone(), command.all_namespaces, self.namespace());
        for resource in names.iter().filter_map(|name| kinds::of_name(name)) {
            if everywhere || resource.namespaced == Some(false) {
                self.cover(&resource.collection, None, known);
            } else if namespace.is_some() {
                self.cover(&resource.collection, namespace.clone(), known);
            }
        }
    }

    fn cover(&mut self, collection: &str, namespace: Option<String>, known: Known) {
        self.part.lists.push(((collection.to_owned(), namespace), known));
    }

    /// Takes an object; what it gives as an age counts from the moment that `date` printed above, if it did.
    fn keep(&mut self, mut found: Found) {
        if let Some(taken) = self.part.taken {
            moment::set(&mut found.value, std::mem::take(&mut found.ages), taken);
        }
        self.part.objects.push(found);
    }

    fn push(&mut self, collection: &str, value: Value, offset: usize) {
        self.part.objects.push(partial(collection, value, offset));
    }

    /// What helm prints as JSON or YAML.
    fn helm_documents(&mut self, items: Vec<Item>, start: usize) {
        let mut history = Vec::new();
        for item in items {
            match helm::document(&item.value) {
                Some(helm::Document::Listed(row)) => self.push(RELEASES, row.row(), start + item.offset),
                Some(helm::Document::Of(mut row)) => {
                    if row.name.is_empty() {
                        row.name = self
                            .command
                            .and_then(|command| command.names.first().cloned())
                            .unwrap_or_default();
                        row.namespace = self.namespace().unwrap_or_default();
                    }
                    history.push((row, item.offset));
                }
                None => {}
            }
        }
        self.release(history, start);
        if self.command.is_some_and(|command| command.lists_everything()) {
            self.cover(RELEASES, None, Known::Whole);
        }
    }

    /// Revisions of one release, oldest first; the newest stands for the release.
    fn release(&mut self, rows: Vec<(super::releases::Revision, usize)>, start: usize) {
        let newest = rows.iter().max_by_key(|(row, _)| row.revision).cloned();
        for (row, offset) in rows {
            self.push(REVISIONS, row.row(), start + offset);
        }
        if let Some((row, offset)) = newest {
            self.push(RELEASES, row.row(), start + offset);
        }
    }
}

fn partial(collection: &str, value: Value, offset: usize) -> Found {
    Found {
        collection: collection.to_owned(),
        value,
        offset,
        pointer: String::new(),
        partial: true,
        ages: Vec::new(),
    }
}

/// A line as it looks on a terminal: without escape sequences, and with what was typed or printed over.
fn plain(line: &str) -> Cow<'_, str> {
    let line = line.trim_end_matches(['\n', '\r']);
    let line = if line.contains('\u{1b}') { Cow::Owned(without_escapes(line)) } else { Cow::Borrowed(line) };
    if !line.contains(['\r', '\u{8}']) {
        return line;
    }
    let mut out = String::with_capacity(line.len());
    // After a return to the margin the line is written anew.
    for c in line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default().chars() {
        if c == '\u{8}' {
            out.pop();
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn without_escapes(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(sequence) = rest.strip_prefix('[') {
            // Control sequence: parameters, then one byte from @ to ~.
            let end = sequence.find(|c: char| ('@'..='~').contains(&c));
            rest = end.map_or("", |end| &sequence[end + 1..]);
        } else if let Some(sequence) = rest.strip_prefix(']') {
            // Title of the window, up to a bell or another escape.
            let end = sequence.find(['\u{7}', '\u{1b}']);
            rest = end.map_or("", |end| sequence[end..].strip_prefix('\u{7}').unwrap_or(&sequence[end..]));
        } else {
            let mut chars = rest.chars();
            chars.next();
            rest = chars.as_str();
        }
    }
    out.push_str(rest);
    out
}

/// Lines of a text with the byte at which each begins.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_do_not_hide_a_line() {
        assert_eq!(plain("\u{1b}[1;31mError\u{1b}[0m: x\r\n"), "Error: x");
        assert_eq!(plain("\u{1b}]0;title\u{7}[root@a ~]# ls"), "[root@a ~]# ls");
        assert_eq!(plain("\u{1b}[?2004l\rNAME   READY\r\n"), "NAME   READY");
        assert_eq!(plain("10%\r55%\r100%\r\n"), "100%");
        assert_eq!(plain("kubetc\u{8} \u{8}\u{8} \u{8}ctl get po"), "kubectl get po");
        assert_eq!(plain("plain"), "plain");
        assert_eq!(plain("\u{1b}["), "");
        assert_eq!(plain("\u{1b}"), "");
    }
}
