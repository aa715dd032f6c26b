//! A problem while it is being looked into.

use crate::report::model::{Severity, Subject};
use crate::snapshot::{Object, Snapshot, TextSource};

use super::model::{Cause, CauseKind, Edge, Problem, Relation};

/// A problem with what is needed to group it.
pub struct Draft<'a> {
    pub problem: Problem,
    pub cause: Cause,
    pub edges: Vec<Edge>,
    /// Logs that may tell why, the nearest to the failure first.
    pub logs: Vec<&'a TextSource>,
    /// Steps to what it waits for in the end; 0 where it waits for nothing.
    pub distance: usize,
}

impl<'a> Draft<'a> {
    pub fn new(snapshot: &Snapshot, object: &Object, subject: Subject, state: impl Into<String>) -> Self {
        let cause = Cause { kind: CauseKind::Workload, name: full_name(&subject) };
        Self {
            problem: Problem {
                subject,
                severity: Severity::Error,
                state: state.into(),
                message: None,
                since: None,
                restarts: None,
                path: snapshot.files[object.file.0 as usize].path.clone(),
                line: object.line,
                pointer: Some(object.pointer.clone()).filter(|pointer| !pointer.is_empty()),
                log: Vec::new(),
                waits_for: None,
            },
            cause,
            edges: Vec::new(),
            logs: Vec::new(),
            distance: 0,
        }
    }

    pub fn severity(mut self, severity: Severity) -> Self {
        self.problem.severity = severity;
        self
    }

    pub fn message(mut self, message: Option<&str>) -> Self {
        self.problem.message = message.map(str::trim).filter(|m| !m.is_empty()).map(short);
        self
    }

    pub fn since(mut self, since: Option<jiff::Timestamp>) -> Self {
        self.problem.since = since.map(|time| time.to_string());
        self
    }

    pub fn cause(mut self, kind: CauseKind, name: impl Into<String>) -> Self {
        self.cause = Cause { kind, name: name.into() };
        self
    }

    pub fn edge(&mut self, from: Subject, to: Subject, relation: Relation) {
        self.edges.push(Edge { from, to, relation });
    }
}

/// `namespace/name`, or the name alone for what has no namespace.
pub fn full_name(subject: &Subject) -> String {
    match &subject.namespace {
        Some(namespace) => format!("{namespace}/{}", subject.name),
        None => subject.name.clone(),
    }
}

pub fn named(kind: &str, namespace: Option<&str>, name: &str) -> Subject {
    Subject {
        kind: kind.to_owned(),
        namespace: namespace.filter(|ns| !ns.is_empty()).map(str::to_owned),
        name: name.to_owned(),
        container: None,
        node: None,
    }
}

/// Messages of the cluster can be long; what matters stands at both ends.
fn short(message: &str) -> String {
    const MOST: usize = 600;
    if message.len() <= MOST {
        return message.to_owned();
    }
    let head = super::severity::cut(message, MOST / 2);
    let tail = &message[message.ceil_char_boundary(message.len() - MOST / 2)..];
    format!("{head} … {tail}")
}
