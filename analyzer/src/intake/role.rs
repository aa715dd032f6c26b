//! What a file is, told by its path in a layout.

use super::kinds::Resource;
use crate::snapshot::TextKind;

/// What a file is for, as far as its path tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Role {
    /// Our manifest with its ledger.
    Manifest,
    /// Objects as JSON or YAML. Names that the path gives stand in for what objects leave out.
    Objects { resource: Option<Resource>, namespace: Option<String>, span: Span },
    /// A container's log.
    Log(LogOf),
    /// Releases with their histories, as `helm/<namespace>.json` has them.
    Helm { namespace: String },
    /// Facts of a host.
    HostFacts { host: String },
    /// Measured answers.
    Probes { name: String },
    /// Version of the API server.
    ServerVersion,
    /// What a tool says it could not collect.
    Errors { about: String },
    /// Text of a known kind.
    Text { kind: TextKind, namespace: Option<String>, pod: Option<String>, node: Option<String> },
    /// Output of a command, whose shape has to be looked at. The path tells what it is about; `pasted` says that a
    /// person saved it, so that it is text of theirs as well.
    Output { resource: Option<Resource>, namespace: Option<String>, command: Option<String>, pasted: bool },
    /// Anything; its content has to be looked at.
    Unknown,
    /// Nothing that is of use.
    Skip,
}

/// How much of a collection a file of objects holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// All objects of the resource in the namespace, or of the cluster.
    All,
    /// One of perhaps several objects.
    One,
}

/// The run of a container that a log is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogOf {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) container: String,
    pub(super) previous: bool,
}

impl Role {
    pub(super) fn text(kind: TextKind) -> Role {
        Role::Text { kind, namespace: None, pod: None, node: None }
    }

    pub(super) fn text_on(kind: TextKind, node: &str) -> Role {
        Role::Text { kind, namespace: None, pod: None, node: Some(node.to_owned()) }
    }
}
