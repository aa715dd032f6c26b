//! Two reports of one cluster: what is resolved, what persists, what is new, and what cannot be told.
//!
//! Compared are findings and problems with the objects they are about, never files or lines. A pod that a workload
//! made anew has another name and is still the same pod to a person, so generated endings are left out of the
//! comparison. What is no longer seen counts as resolved only where the second bundle read the place in which it
//! would be seen. The order is that of the reports, best answer first.

mod list;

use std::collections::HashSet;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::lang::Lang;

use crate::report::Report;
use crate::report::identity::without_generated_ending;
use crate::report::json::schema_of;
use crate::report::model::{Subject, Text, Verdict};
use crate::snapshot::{Known, Snapshot};

pub use list::{markdown, text};

/// Version of the JSON that [`json`] prints.
pub const SCHEMA: &str = "casebook.comparison/v1";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Comparison")]
pub struct Comparison<T = Text> {
    /// Name and version of this contract, `casebook.comparison/v1`.
    pub schema: String,
    pub resolved: Vec<Item<T>>,
    pub persists: Vec<Item<T>>,
    pub new: Vec<Item<T>>,
    /// Seen before; the second bundle cannot tell whether it is still so.
    pub unknown: Vec<Item<T>>,
}

/// A case or a problem, and one object it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Item")]
pub struct Item<T = Text> {
    /// Id of the case; absent for what no case explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    pub title: T,
    /// As it was last seen; absent for a case that is about no object, such as one that a pasted error shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// Id of the case that explained it where it was last seen; it is shown in its stead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explained_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Verdict>,
}

/// What makes two items the same: the case or state, and the object without generated endings.
type Key = (Option<String>, Option<(String, Option<String>, String, Option<String>)>);

/// `seen` is what the second bundle holds.
pub fn compare(before: &Report, after: &Report, seen: &Snapshot) -> Comparison {
    let (old, mut new) = (items(before), items(after));
    let mut comparison = Comparison {
        schema: SCHEMA.to_owned(),
        resolved: Vec::new(),
        persists: Vec::new(),
        new: Vec::new(),
        unknown: Vec::new(),
    };
    for (key, (item, verdict)) in old {
        match new.shift_remove(&key) {
            Some((present, now)) => {
                comparison.persists.push(Item { before: verdict, after: now, ..present });
            }
            None if was_read(&item, after, seen) => {
                comparison.resolved.push(Item { before: verdict, ..item })
            }
            None => comparison.unknown.push(Item { before: verdict, ..item }),
        }
    }
    comparison.new = new.into_values().map(|(item, now)| Item { after: now, ..item }).collect();
    comparison
}

/// Whether the second bundle would show the item if it were still there.
fn was_read(item: &Item, after: &Report, seen: &Snapshot) -> bool {
    let undecided = after.unresolved.iter().any(|case| Some(&case.case) == item.case.as_ref());
    let Some(subject) = &item.subject else { return !undecided };
    let list = match subject.kind.as_str() {
        "Pod" | "Container" => "pods",
        "Node" => "nodes",
        "PersistentVolumeClaim" => "persistentvolumeclaims",
        "PersistentVolume" => "persistentvolumes",
        "HelmRelease" => "helm.releases",
        "Deployment" => "deployments",
        "StatefulSet" => "statefulsets",
        "DaemonSet" => "daemonsets",
        "ReplicaSet" => "replicasets",
        "Job" => "jobs",
        "Service" => "services",
        "Namespace" => "namespaces",
        // Nothing says how much of it was read; the rule's own judgement has to do.
        _ => return !undecided,
    };
    !undecided && seen.coverage.list(list, subject.namespace.as_deref()) == Known::Whole
}

/// Findings first; a problem counts only where no finding speaks of its object.
fn items(report: &Report) -> IndexMap<Key, (Item, Option<Verdict>)> {
    let mut items = IndexMap::new();
    let mut spoken_of = HashSet::new();
    let tops = report.findings.iter().map(|top| (top, None));
    let explained = report
        .findings
        .iter()
        .flat_map(|top| top.with_explained().into_iter().skip(1).map(|inner| (inner, Some(&top.case))));
    for (finding, by) in tops.chain(explained) {
        let subjects = finding.subjects.iter().map(Some);
        for subject in subjects.chain(finding.subjects.is_empty().then_some(None)) {
            spoken_of.extend(subject.map(place));
            let mut item = item(Some(&finding.case), finding.title.clone(), subject);
            item.explained_by = by.cloned();
            items.entry(key(&item, None)).or_insert((item, Some(finding.verdict)));
        }
    }
    for problem in report.triage.groups.iter().flat_map(|group| &group.problems) {
        if !spoken_of.contains(&place(&problem.subject)) {
            let item = item(None, Text::same(problem.state.clone()), Some(&problem.subject));
            items.entry(key(&item, Some(&problem.state))).or_insert((item, None));
        }
    }
    items
}

fn item(case: Option<&String>, title: Text, subject: Option<&Subject>) -> Item {
    Item {
        case: case.cloned(),
        title,
        subject: subject.cloned(),
        explained_by: None,
        before: None,
        after: None,
    }
}

fn place(subject: &Subject) -> (Option<String>, String) {
    (subject.namespace.clone(), without_generated_ending(&subject.name).to_owned())
}

fn key(item: &Item, state: Option<&str>) -> Key {
    let what = item.case.clone().or_else(|| state.map(str::to_owned));
    let about = item.subject.as_ref().map(|subject| {
        let (namespace, name) = place(subject);
        (subject.kind.clone(), namespace, name, subject.container.clone())
    });
    (what, about)
}

impl Comparison {
    /// The same with its texts in one language.
    pub fn in_language(&self, lang: Lang) -> Comparison<String> {
        let items = |items: &[Item]| {
            items
                .iter()
                .map(|item| Item {
                    case: item.case.clone(),
                    title: item.title.get(lang).to_owned(),
                    subject: item.subject.clone(),
                    explained_by: item.explained_by.clone(),
                    before: item.before,
                    after: item.after,
                })
                .collect()
        };
        Comparison {
            schema: self.schema.clone(),
            resolved: items(&self.resolved),
            persists: items(&self.persists),
            new: items(&self.new),
            unknown: items(&self.unknown),
        }
    }
}

/// Pretty-printed JSON with a line break at the end; texts in one language.
pub fn json(comparison: &Comparison, lang: Lang) -> String {
    let mut json = serde_json::to_string_pretty(&comparison.in_language(lang))
        .expect("a comparison holds only strings and lists");
    json.push('\n');
    json
}

/// The JSON Schema of what [`json`] prints.
pub fn schema() -> String {
    schema_of::<Comparison<String>>()
}

#[cfg(test)]
mod tests;
