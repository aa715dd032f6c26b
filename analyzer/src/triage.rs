//! What is not well, without any rule.
//!
//! Even when no known case matches, a support engineer wants the list that an experienced colleague would make in an
//! hour: everything that is not ready, restarting, pending, failed, unbound or refused, put together by what the
//! items have in common, each with the few lines of its log that tell why. All of it is a pure function of the
//! [`Snapshot`].

pub mod model;

mod causes;
mod command;
mod conditions;
mod draft;
mod logs;
mod needs;
mod nodes;
mod pods;
mod reboots;
mod severity;
mod spoken;
mod storage;
mod template;
mod workloads;
mod world;

use std::collections::{HashMap, HashSet};
use std::ops::{Range, RangeInclusive};

use rayon::prelude::*;

use crate::report::model::Finding;
use crate::snapshot::{FileId, Snapshot, TextKind, TextSource};

pub use causes::names;
use draft::Draft;
pub use draft::full_name;
use logs::{Rarity, telling};
use model::{CauseKind, LogLine, Problem, TextLines, Triage};
pub use needs::is_out_of_reach;
pub use severity::without_timestamp;
pub use template::{Shape, shape};
use world::World;
pub use world::{event_message, event_time};

/// Telling lines for each object.
const LINES: usize = 6;
/// Replicas of one workload in one state tell the same; this many of them are read.
const REPLICAS_READ: usize = 3;
/// Texts without an object that are quoted at most.
const MOST_TEXTS: usize = 20;

/// Lists what is not well and groups it.
pub fn triage(snapshot: &Snapshot) -> Triage {
    let world = World::new(snapshot);
    let mut drafts = pods::problems(&world);
    let spoken_for = spoken_for(&world, &drafts);
    drafts.extend(workloads::problems(&world, &spoken_for));
    drafts.extend(storage::problems(&world));
    drafts.extend(nodes::problems(&world));
    drafts.extend(conditions::problems(&world));
    drafts.extend(workloads::releases(&world));
    drafts.extend(workloads::services(&world));
    let quoted = read_logs(snapshot, &mut drafts);
    Triage { groups: causes::group(&world, drafts), texts: texts(snapshot, &quoted) }
}

/// The lines of a log that sound bad, with their times; lines without a time are passed over.
///
/// Only the end of a long log is read.
pub fn complaints(log: &str) -> impl Iterator<Item = (jiff::Timestamp, &str)> {
    logs::end_of(log).lines().filter(|line| complains(line)).filter_map(|line| {
        let at = severity::timestamp(line)?.parse().ok()?;
        Some((at, severity::without_timestamp(line)))
    })
}

/// Whether a line of a log sounds bad.
pub fn complains(line: &str) -> bool {
    severity::severity(line) >= 3
}

/// Notes at each group which of the cases found speak of one of its objects, and whether that explains all of it.
pub fn link_cases(triage: &mut Triage, findings: &[Finding]) {
    let mut by_name: HashMap<String, Vec<&str>> = HashMap::new();
    for finding in findings {
        for subject in &finding.subjects {
            by_name.entry(full_name(subject)).or_default().push(&finding.case);
        }
    }
    for group in &mut triage.groups {
        let mut cases: Vec<String> = causes::names(group)
            .filter_map(|name| by_name.get(&name))
            .flatten()
            .map(|case| (*case).to_owned())
            .collect();
        cases.sort();
        cases.dedup();
        group.cases = cases;
        // One cause means that what explains one object explains all. A node or a state in common may be chance: there,
        // only what speaks of the node itself, or of every object, explains the group.
        let mut own = group.problems.iter().filter(|problem| problem.waits_for.is_none());
        let is_known = |problem: &Problem| by_name.contains_key(&full_name(&problem.subject));
        let explains_all = match group.cause.kind {
            CauseKind::Node | CauseKind::State => {
                by_name.contains_key(&group.cause.name) || own.all(is_known)
            }
            // A case of what waits does not say why it has to.
            _ => own.any(is_known),
        };
        group.explained = !group.cases.is_empty() && explains_all;
    }
}

/// Workloads that have an unwell pod, which then speaks for them.
fn spoken_for(world: &World, drafts: &[Draft]) -> HashSet<String> {
    let mut keys = HashSet::new();
    for draft in drafts {
        let namespace = draft.problem.subject.namespace.as_deref().unwrap_or_default();
        let Some(pod) = world.get("Pod", namespace, &draft.problem.subject.name) else { continue };
        for (kind, name) in world.owners(pod) {
            keys.insert(workloads::spoken_for_key(kind, namespace, name));
        }
    }
    keys
}

/// Gives each problem the telling lines of its logs; the pieces of text that have been told of that way.
fn read_logs(snapshot: &Snapshot, drafts: &mut [Draft]) -> Vec<(FileId, Range<usize>)> {
    let mut read: HashMap<(String, String), usize> = HashMap::new();
    for draft in drafts.iter_mut() {
        let alike = read.entry((draft.cause.name.clone(), draft.problem.state.clone())).or_default();
        *alike += 1;
        // The run that failed and the present one; init containers of a long chain are not all of interest.
        draft.logs.truncate(if *alike > REPLICAS_READ { 0 } else { 2 });
    }
    let interesting: Vec<&TextSource> = drafts.iter().flat_map(|draft| draft.logs.iter().copied()).collect();
    let rarity = Rarity::measure(snapshot, &interesting);
    drafts.par_iter_mut().for_each(|draft| {
        let mut lines: Vec<LogLine> = Vec::new();
        let mut told = HashSet::new();
        for source in &draft.logs {
            // The present run mostly repeats what the run before it said.
            let more = telling(snapshot, source, &rarity, LINES - lines.len(), &[]);
            lines.extend(more.into_iter().filter(|line| told.insert(template::shape(&line.text))));
        }
        draft.problem.log = lines;
    });
    let told = drafts.iter().filter(|draft| !draft.problem.log.is_empty()).flat_map(|draft| &draft.logs);
    told.map(|source| (source.file, source.range.clone())).collect()
}

/// Texts that nobody owns: what the user pasted, journals, and logs of pods that the evidence does not list.
///
/// `quoted` are pieces of them that problems speak of.
fn texts(snapshot: &Snapshot, quoted: &[(FileId, Range<usize>)]) -> Vec<TextLines> {
    let no_pods = snapshot.objects.of("pods").is_empty();
    let sources: Vec<&TextSource> = snapshot
        .texts
        .iter()
        .filter(|source| match source.kind {
            TextKind::Pasted | TextKind::Journal => true,
            TextKind::Log => no_pods,
            TextKind::Describe | TextKind::Table | TextKind::Host | TextKind::Ledger => false,
        })
        .collect();
    let rarity = Rarity::measure(snapshot, &sources);
    // What was read as a table or a description is among the problems; its words are no log.
    let read: Vec<(FileId, Range<usize>)> = snapshot
        .texts
        .iter()
        .filter(|source| matches!(source.kind, TextKind::Describe | TextKind::Table))
        .map(|source| (source.file, source.range.clone()))
        .chain(quoted.iter().cloned())
        .collect();
    let mut texts: Vec<(u8, TextLines)> = sources
        .par_iter()
        .filter_map(|source| {
            let file = &snapshot.files[source.file.0 as usize];
            // Every object dump names failures and errors among its fields.
            let least = if file.path.ends_with(".json") || file.path.ends_with(".yaml") { 4 } else { 3 };
            let elsewhere: Vec<RangeInclusive<u32>> = read
                .iter()
                .filter(|(of, range)| *of == source.file && !range.is_empty())
                .map(|(_, range)| file.line_of(range.start)..=file.line_of(range.end - 1))
                .collect();
            let mut lines = telling(snapshot, source, &rarity, LINES, &elsewhere);
            lines.retain(|line| severity::severity(&line.text) >= least);
            let worst = lines.iter().map(|line| severity::severity(&line.text)).max()?;
            Some((worst, TextLines { path: file.path.clone(), lines }))
        })
        .collect();
    texts.sort_by(|a, b| (b.0, &a.1.path).cmp(&(a.0, &b.1.path)));
    // The same log is often saved twice, under two names.
    let mut told = HashSet::new();
    for (_, text) in &mut texts {
        text.lines.retain(|line| told.insert(template::shape(&line.text)));
    }
    texts.retain(|(_, text)| !text.lines.is_empty());
    texts.truncate(MOST_TEXTS);
    texts.into_iter().map(|(_, lines)| lines).collect()
}

#[cfg(test)]
mod tests;
