//! Whether a sign of trouble is over by the time of the collection.
//!
//! Events and logs tell what happened; a finding tells what holds. So each row of them is held against the present state
//! of the object that it is about: one that is gone or was replaced, ended well, is ready, or came further since than
//! where it failed, leaves its signs behind. [`split`] parts the rows of an evidence by that, for all rules alike. What
//! is not known to be over is present.

mod course;
mod standing;

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::bind::{self, Ground};
use super::cel::Answer;
use super::logtime;
use super::row::Row;
use super::scan::{self, Hit};
use super::state::{Key, World};
use crate::report::model::Subject;
use crate::rules::compile::Evidence;
use crate::snapshot::{Known, Object, Snapshot, TextKind};
use course::Courses;
use standing::{Failing, Standing};

/// What repeats does so within this time: kubelet and controllers write an event anew every few minutes at most.
const REPEATS: SignedDuration = SignedDuration::from_mins(10);
/// Fewer events than this about something that is well are a hiccup.
const FEW: u64 = 3;
/// A log that went on for so long without a line no longer has anything to say of it.
const SILENT: SignedDuration = SignedDuration::from_hours(1);
/// What a program said shortly before it was ready belongs to the start that it has now.
const START: SignedDuration = SignedDuration::from_mins(1);
/// Lines at the end of a log among which the last one with a time is looked for.
const LAST_LINES: usize = 50;

/// Answers for one snapshot.
pub struct Past<'s> {
    world: &'s World<'s>,
    snapshot: &'s Snapshot,
    now: Option<Timestamp>,
    courses: Courses<'s>,
    failing: Failing<'s>,
    /// How each object that some row is about stands; worked out once.
    standings: HashMap<Key<'s>, Standing>,
}

/// An event as far as it matters here.
struct Told<'r> {
    reason: &'r str,
    message: &'r str,
    uid: Option<&'r str>,
    time: Option<Timestamp>,
    count: u64,
}

impl<'s> Past<'s> {
    pub fn new(world: &'s World<'s>) -> Past<'s> {
        let snapshot = world.snapshot();
        let now = scan::collected_at(snapshot);
        let standings = world.objects().map(|(key, object)| (key, standing::of(world, key, object, now)));
        let standings = standings.collect();
        let courses = Courses::new(snapshot, world, now);
        Past { world, snapshot, now, courses, failing: Failing::new(world), standings }
    }

    /// Whether what an event, or the status in an event's words, tells is over.
    pub fn event(&self, row: &Row) -> bool {
        let Some(subject) = &row.subject else { return false };
        let text = |pointer: &str| row.value.pointer(pointer).and_then(Value::as_str);
        let told = Told {
            reason: text("/reason").unwrap_or_default(),
            message: text("/text").unwrap_or_default(),
            uid: text("/involvedObject/uid").filter(|uid| !uid.is_empty()),
            time: row.time,
            count: row.count,
        };
        // That something went well is no trouble that could be over; how long it took may be.
        if text("/type") == Some("Normal") && !course::is_of(told.reason, told.message) {
            return false;
        }
        if self.courses.came_further(subject, told.reason, told.message, told.time) {
            return true;
        }
        let Some(object) = self.world.object(subject) else {
            return self.is_gone(subject) && !self.failing.misses(subject);
        };
        let standing = self.standing(subject);
        if told.uid.is_some_and(|uid| is_another(object, uid)) {
            return !matches!(standing, Standing::Sick);
        }
        match standing {
            Standing::Sick | Standing::Unknown => false,
            Standing::Done => true,
            Standing::Well(_) if subject.kind == "Node" => self.is_older(told.time, standing, SILENT),
            Standing::Well(_) => {
                let is_hiccup =
                    told.count < FEW && (told.time.is_none() || course::is_of(told.reason, told.message));
                is_hiccup || self.is_older(told.time, standing, REPEATS)
            }
        }
    }

    /// Whether a line of a log or journal tells of what is over. What a person chose to paste is present: it is the
    /// question.
    pub fn line(&self, hit: &Hit, subject: Option<&Subject>) -> bool {
        let source = &self.snapshot.texts[hit.text];
        let Some(subject) = subject else { return false };
        if !matches!(source.kind, TextKind::Log | TextKind::Journal | TextKind::Host) {
            return false;
        }
        let Some(pod) = self.world.object(subject) else {
            // A log can be had of what exists alone: such an object went, or came, while the evidence was collected.
            let is_long_ago = || Some(self.now?.duration_since(hit.last_time?) > SILENT);
            let is_over = source.previous || is_long_ago() == Some(true);
            return is_over && self.is_gone(subject) && !self.failing.misses(subject);
        };
        if source.previous
            && let Some(container) = &source.container
        {
            return standing::is_settled(pod, container, self.now) == Some(true);
        }
        match self.standing(subject) {
            Standing::Sick | Standing::Unknown => false,
            Standing::Done => true,
            Standing::Well(since) => {
                let before = |since: Timestamp| {
                    let waited = hit.last_time.map(|time| since.duration_since(time));
                    let start = if subject.kind == "Pod" { START } else { SignedDuration::ZERO };
                    waited.is_some_and(|waited| waited > start) && self.has_zone(hit)
                };
                source.previous || since.is_some_and(before) || self.went_on(hit)
            }
        }
    }

    /// Whether the log that a line stands in went on long after it, by its own clock, and longer than the line had been
    /// silent before.
    fn went_on(&self, hit: &Hit) -> bool {
        let (Some(first), Some(last)) = (hit.time, hit.last_time) else { return false };
        let source = &self.snapshot.texts[hit.text];
        let text = &self.snapshot.files[source.file.0 as usize].text[source.range.clone()];
        let mut lines = text.lines().rev().take(LAST_LINES);
        let Some(end) = lines.find_map(|line| logtime::line_time(line, self.now)) else { return false };
        let every = last.duration_since(first) / i32::try_from(hit.count.max(2) - 1).unwrap_or(i32::MAX);
        end.duration_since(last) > SILENT.max(every * 3)
    }

    fn has_zone(&self, hit: &Hit) -> bool {
        let source = &self.snapshot.texts[hit.text];
        let line = self.snapshot.files[source.file.0 as usize].line(hit.line);
        line.is_some_and(logtime::has_zone)
    }

    fn is_older(&self, time: Option<Timestamp>, standing: Standing, than: SignedDuration) -> bool {
        let (Some(time), Standing::Well(since)) = (time, standing) else { return false };
        let long_ago = self.now.is_some_and(|now| now.duration_since(time) > than);
        // A node is ready again soon after what happened to it; that it happened stays worth telling for a while.
        long_ago || (than == REPEATS && since.is_some_and(|since| time < since))
    }

    fn standing(&self, subject: &Subject) -> Standing {
        self.standings.get(&subject.key()).copied().unwrap_or(Standing::Unknown)
    }

    /// Whether an object is not among its kind, all of which was read.
    fn is_gone(&self, subject: &Subject) -> bool {
        let Some(plural) = standing::plural_of(&subject.kind) else { return false };
        self.snapshot.coverage.list(plural, subject.namespace.as_deref()) == Known::Whole
    }
}

/// Parts the rows of an evidence into those that hold and those that are over.
pub fn split(
    evidence: &Evidence,
    rows: Vec<std::sync::Arc<Row>>,
    past: &Past<'_>,
    ground: &Ground<'_>,
) -> (Vec<std::sync::Arc<Row>>, Vec<std::sync::Arc<Row>>) {
    // That something is not there may rest on all that was ever said.
    if evidence.spec.absent {
        return (rows, Vec::new());
    }
    rows.into_iter().partition(|row| !row.over && !rests_on_the_past(evidence, row, past, ground))
}

/// Whether a container or pod answers only for what it was: one whose earlier runs are forgotten would not, and it runs
/// well by now; or one that failed, and its work is done by another.
fn rests_on_the_past(evidence: &Evidence, row: &Row, past: &Past<'_>, ground: &Ground<'_>) -> bool {
    let Some(subject) = row.subject.as_ref().filter(|_| evidence.pattern.is_none()) else { return false };
    if !matches!(subject.kind.as_str(), "Pod" | "Job") || row.value.get("involvedObject").is_some() {
        return false;
    }
    let object = || past.world.object(subject);
    if object().is_some_and(|object| standing::is_replaced(past.world, subject, object)) {
        return true;
    }
    let (Some(container), true) = (&subject.container, evidence.row_name == "container") else {
        return false;
    };
    let has_past =
        row.value.get("last").is_some() || row.value.get("restarts").is_some_and(|count| count != 0);
    let is_settled =
        || object().is_some_and(|pod| standing::is_settled(pod, container, past.now) == Some(true));
    has_past
        && bind::answers(evidence, row, ground) == Answer::Yes
        && is_settled()
        && bind::answers(evidence, &row.of_this_run(), ground) != Answer::Yes
}

/// Whether an object that has the same name is not the one that `uid` was given to.
fn is_another(object: &Object, uid: &str) -> bool {
    let annotation = |key: &str| object.value.pointer("/metadata/annotations")?.get(key)?.as_str();
    // kubelet tells of static pods by the hash of their manifest, and of nodes by name.
    let of_a_file = ["kubernetes.io/config.hash", "kubernetes.io/config.mirror"];
    let is_static = of_a_file.iter().any(|key| annotation(key).is_some());
    let own = object.str_at(&["metadata", "uid"]);
    let is_node = object.value.pointer("/status/nodeInfo").is_some();
    !is_static && !is_node && own.is_some_and(|own| !own.is_empty() && own != uid)
}

#[cfg(test)]
mod tests;
