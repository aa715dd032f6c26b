//! What is not well, as data. Part of the JSON contract: see [`crate::report::model`].

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::lang::Lang;

use super::template::shape;
use crate::report::model::{Severity, Subject, Text};

/// Everything that is not well, whether or not a rule knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Triage")]
pub struct Triage<T = Text> {
    /// Problems by their likely common cause, worst first.
    pub groups: Vec<Group<T>>,
    /// The most telling lines of texts that belong to no object, such as a pasted terminal scroll.
    pub texts: Vec<TextLines>,
}

/// Problems that likely have one cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Group")]
pub struct Group<T = Text> {
    pub cause: Cause,
    /// One sentence: what they have in common.
    pub title: T,
    pub severity: Severity,
    /// What has the cause first, worst first; then what waits for it.
    pub problems: Vec<Problem>,
    /// How the objects hang together, from what the user sees to where it stops.
    pub edges: Vec<Edge>,
    /// Ids of the cases found for one of these objects.
    pub cases: Vec<String>,
    /// Whether these cases explain the whole group, and not just an object or two that happen to be in it.
    pub explained: bool,
    /// What to type first to see more of the worst of them; absent where a name is not fit for a shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// What the problems of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    pub kind: CauseKind,
    /// Name of the node, registry host, class, `namespace/name` of an object, or the scheduler's reason.
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// A node that is in trouble, or that the problems share.
    Node,
    /// The registry that images cannot be pulled from.
    Registry,
    /// The storage class of claims that stay unbound.
    StorageClass,
    /// A claim that does not exist or has no class.
    Claim,
    /// A node that restarted; its name and, after a space, when.
    Reboot,
    /// A quota, limit or admission that refuses to create pods.
    Refused,
    /// A ConfigMap or Secret that is not there.
    Config,
    /// No node fits, for this reason.
    Scheduling,
    /// A service or address that the logs say cannot be used.
    Dependency,
    /// A helm release that is not deployed.
    Release,
    /// One workload, with nothing wider in sight.
    Workload,
    /// Several workloads in one state, of which nothing says why.
    State,
}

/// One object that is not well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    pub subject: Subject,
    pub severity: Severity,
    /// In the cluster's own words, such as `CrashLoopBackOff`, `Pending` or `NotReady`.
    pub state: String,
    /// What the cluster says about it: a condition's, an event's or a container's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// RFC 3339: since when it is so, or when it last happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Restarts of the container, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restarts: Option<u64>,
    /// Where the object stands in the bundle.
    pub path: String,
    pub line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The most telling lines of its log, in the order of the log.
    pub log: Vec<LogLine>,
    /// What it waits for: an object that is not well either. It should end when that is mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Wait>,
}

/// Why a problem is but a consequence.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Wait {
    /// The object whose trouble keeps the other waiting.
    pub on: Subject,
    /// How the one that waits is related to it.
    pub relation: Relation,
    /// What stands between the two, such as the Service that a client calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Subject>,
}

/// A line, or several of the same shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    pub path: String,
    /// Of the last such line, counted from 1.
    pub line: u32,
    pub text: String,
    /// How many lines of this shape the part that was looked at holds.
    pub count: u64,
    /// RFC 3339, where the line has a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextLines {
    pub path: String,
    pub lines: Vec<LogLine>,
}

/// `from` depends on `to`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    pub from: Subject,
    pub to: Subject,
    pub relation: Relation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// A release or workload and what it made.
    Owns,
    /// A service and the pods behind it.
    Selects,
    /// A pod and what its log says it calls.
    Calls,
    /// A pod and its claim.
    Mounts,
    /// A claim and its storage class or volume.
    ProvisionedBy,
    /// A pod and its node.
    RunsOn,
    /// A pod or node and what gives it its network.
    NetworkedBy,
    /// Who looks up a name and what should resolve it.
    ResolvesWith,
    /// Who wants an object made and the webhook that is asked first.
    AdmittedBy,
    /// An extension API and what answers for it.
    ServedBy,
}

impl Triage {
    /// The same with its texts in one language.
    pub fn in_language(&self, lang: Lang) -> Triage<String> {
        Triage {
            groups: self.groups.iter().map(|group| group.in_language(lang)).collect(),
            texts: self.texts.clone(),
        }
    }
}

/// Problems that read the same but for the name of the object.
#[derive(Debug)]
pub struct Alike<'a> {
    /// Never empty.
    pub problems: Vec<&'a Problem>,
}

impl<'a> Alike<'a> {
    /// The one that stands for all.
    pub fn first(&self) -> &'a Problem {
        self.problems[0]
    }

    pub fn most_restarts(&self) -> Option<u64> {
        self.problems.iter().filter_map(|problem| problem.restarts).max()
    }

    /// RFC 3339: when the first of them began.
    pub fn since(&self) -> Option<&'a str> {
        self.problems.iter().filter_map(|problem| problem.since.as_deref()).min()
    }
}

impl<T> Group<T> {
    /// What is wrong itself, those put together that differ only in the name of the object; worst first.
    pub fn alike(&self) -> Vec<Alike<'_>> {
        self.put_together(|problem| problem.waits_for.is_none())
    }

    /// What only waits, in the same way: those together that wait for the same.
    pub fn waiting(&self) -> Vec<Alike<'_>> {
        self.put_together(|problem| problem.waits_for.is_some())
    }

    fn put_together(&self, is_wanted: impl Fn(&Problem) -> bool) -> Vec<Alike<'_>> {
        let mut all: Vec<Alike> = Vec::new();
        let mut places = HashMap::new();
        for problem in self.problems.iter().filter(|problem| is_wanted(problem)) {
            // What a consequence says of itself is what one may expect of it.
            let message = problem.message.as_deref().filter(|_| problem.waits_for.is_none());
            let key = (&problem.subject.kind, &problem.state, message.map(shape), &problem.waits_for);
            let place = *places.entry(key).or_insert_with(|| {
                all.push(Alike { problems: Vec::new() });
                all.len() - 1
            });
            all[place].problems.push(problem);
        }
        all
    }
}

impl Group {
    pub fn in_language(&self, lang: Lang) -> Group<String> {
        Group {
            cause: self.cause.clone(),
            title: self.title.get(lang).to_owned(),
            severity: self.severity,
            problems: self.problems.clone(),
            edges: self.edges.clone(),
            cases: self.cases.clone(),
            explained: self.explained,
            command: self.command.clone(),
        }
    }
}
