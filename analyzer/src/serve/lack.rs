//! What is not in the snapshot, and why: never an empty list that looks like health.

use shared::bundle::manifest::{LedgerEntry, Outcome};
use shared::bundle::paths;
use shared::lang::{Lang, Localized};

use super::catalog::Resource;
use super::cluster::{Cluster, Kind};
use super::reply::Refusal;
use crate::snapshot::Known;

/// So many namespaces are named one by one.
const NAMED: usize = 5;

impl Cluster {
    /// `a snapshot of test at 2026-11-22 09:55:42Z`
    pub fn described(&self) -> Localized {
        let name = &self.name;
        match self.taken.map(|time| time.strftime("%Y-%m-%d %H:%M:%SZ")) {
            Some(time) => {
                Localized::new(format!("{name} 在 {time} 的快照"), format!("a snapshot of {name} at {time}"))
            }
            None => Localized::new(
                format!("{name} 的快照（采集时间不详）"),
                format!("a snapshot of {name}, taken at a time that is not known"),
            ),
        }
    }

    /// Why nothing can be changed here.
    pub fn refuse_change(&self) -> Refusal {
        let of = self.described();
        Refusal::forbidden(match self.lang {
            Lang::Zh => format!("这是 {}，只读，不能修改、执行或连接", of.zh),
            Lang::En => format!("this is {}; nothing can be changed, run or connected to", of.en),
        })
    }

    /// Whether a list is whole. `Ok` holds what a reader of the list must know.
    pub fn listable(&self, kind: &Kind, namespace: Option<&str>) -> Result<Option<String>, Refusal> {
        let resource = &kind.resource;
        let known = self.snapshot.coverage.list(&resource.collection, namespace);
        let nothing = match known {
            Known::Whole => return Ok(None),
            Known::Partly => false,
            Known::Nothing(_) => {
                !kind.items.iter().any(|item| namespace.is_none_or(|wanted| item.namespace() == wanted))
            }
        };
        let reason = self.reason(resource, namespace, known);
        if nothing {
            let of = self.described();
            let what = self.what(resource, namespace);
            let message = match self.lang {
                Lang::Zh => format!("{what}：{reason}（这是 {}）", of.zh),
                Lang::En => format!("{what}: {reason} (this is {})", of.en),
            };
            let refusal = match known {
                Known::Nothing(Some(Outcome::Forbidden)) => Refusal::forbidden(message),
                _ => Refusal::not_found(message),
            };
            return Err(refusal.about(&resource.group, &resource.plural, ""));
        }
        let what = self.what(resource, namespace);
        Ok(Some(match self.lang {
            Lang::Zh => format!("{what} 不完整：{reason}；没有列出的可能存在"),
            Lang::En => format!("{what}: not all are here: {reason}; others may exist"),
        }))
    }

    /// Why an object is not there.
    pub fn no_such(&self, kind: &Kind, namespace: Option<&str>, name: &str) -> Refusal {
        let resource = &kind.resource;
        let (group, plural) = (&resource.group, &resource.plural);
        let plain = || Refusal::not_found(format!("{} \"{name}\" not found", resource.qualified()));
        let refusal = match self.listable(kind, namespace) {
            Ok(None) => plain(),
            Ok(Some(warning)) => {
                let refusal = plain();
                Refusal { message: format!("{} ({warning})", refusal.message), ..refusal }
            }
            Err(refusal) => refusal,
        };
        refusal.about(group, plural, name)
    }

    fn what(&self, resource: &Resource, namespace: Option<&str>) -> String {
        match (namespace, self.lang) {
            (None, _) => resource.qualified(),
            (Some(namespace), Lang::Zh) => format!("命名空间 {namespace} 的 {}", resource.qualified()),
            (Some(namespace), Lang::En) => format!("{} in namespace {namespace}", resource.qualified()),
        }
    }

    /// The ledger's words on a list.
    fn reason(&self, resource: &Resource, namespace: Option<&str>, known: Known) -> String {
        let (group, plural) = (&resource.group, &resource.plural);
        let everywhere = paths::resource_everywhere(group, plural);
        let own = paths::resource(group, plural, namespace);
        let ledger = &self.snapshot.coverage.ledger;
        let is_about = |entry: &&LedgerEntry| entry.path == own || entry.path == everywhere;
        let told = ledger.iter().filter(is_about).find(|entry| !entry.outcome.is_whole());
        if let Some(entry) = told {
            return self.words(entry.outcome, entry.note.as_deref());
        }
        if namespace.is_none() {
            let missing: Vec<&str> = self
                .snapshot
                .coverage
                .lists
                .iter()
                .filter(|((name, _), known)| *name == resource.collection && **known != Known::Whole)
                .filter_map(|((_, namespace), _)| namespace.as_deref())
                .collect();
            if !missing.is_empty() {
                let named = missing[..missing.len().min(NAMED)].join(", ");
                let more = missing.len().saturating_sub(NAMED);
                return match (self.lang, more) {
                    (Lang::Zh, 0) => format!("没有收集命名空间 {named}"),
                    (Lang::Zh, more) => format!("没有收集命名空间 {named} 等，另有 {more} 个"),
                    (Lang::En, 0) => format!("not collected from namespaces {named}"),
                    (Lang::En, more) => format!("not collected from namespaces {named} and {more} more"),
                };
            }
        }
        match known {
            Known::Nothing(Some(outcome)) => self.words(outcome, None),
            Known::Partly | Known::Whole => self.words(Outcome::Truncated, None),
            Known::Nothing(None) => self.words(Outcome::Skipped, None),
        }
    }

    /// An outcome in words, with the note of whoever met it.
    pub fn words(&self, outcome: Outcome, note: Option<&str>) -> String {
        let (zh, en) = match outcome {
            Outcome::Forbidden => ("收集时没有权限", "forbidden when this was collected"),
            Outcome::NotFound => ("收集时不存在", "not there when this was collected"),
            Outcome::TimedOut => ("收集时超时", "timed out when this was collected"),
            Outcome::Failed | Outcome::Unknown => ("收集失败", "failed when this was collected"),
            Outcome::Truncated | Outcome::Collected | Outcome::Empty => {
                ("只收集了一部分", "only a part was collected")
            }
            Outcome::Skipped => ("没有收集", "not collected"),
        };
        let words = if self.lang == Lang::Zh { zh } else { en };
        match (note, self.lang) {
            (None, _) => words.to_owned(),
            (Some(note), Lang::Zh) => format!("{words}：{note}"),
            (Some(note), Lang::En) => format!("{words}: {note}"),
        }
    }
}
