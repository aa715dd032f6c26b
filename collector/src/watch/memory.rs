//! What was seen while watching: the last state of pods and events, masked, and the last two logs of each container of
//! a new pod.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use shared::bundle::manifest::GONE;
use shared::redact::Redactor;

use crate::logs::head_tail::{HeadTail, Kept};
use crate::logs::pod::Pod;

/// Objects that are remembered at most, of each kind; the oldest give way.
const MOST: usize = 8_000;

/// The last state of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// Masked JSON without line breaks, with the annotation [`GONE`].
    pub line: Vec<u8>,
    pub pod: Option<Pod>,
    /// Grows with each change that was seen.
    turn: u64,
}

/// The log of one run of a container.
#[derive(Debug)]
pub struct Followed {
    pub restarts: u32,
    pub text: HeadTail,
    /// Why it was not followed to its end.
    pub left: Option<String>,
}

/// What was kept of the log of one run of a container.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    pub kept: Kept,
    /// Why its end is not there.
    pub left: Option<String>,
}

/// Container of a pod: (UID, container).
pub type Place = (String, String);

#[derive(Debug, Default)]
pub struct Memory {
    objects: Mutex<BTreeMap<(&'static str, String), Remembered>>,
    logs: Mutex<BTreeMap<Place, Vec<Followed>>>,
    turns: AtomicU64,
}

impl Memory {
    /// Remembers the state of an object of the collection `plural`, as the server sent it. One that cannot be masked
    /// is forgotten.
    pub fn take(&self, plural: &'static str, json: &str, redactor: &Redactor) -> Option<Pod> {
        let pod = (plural == "pods").then(|| Pod::from_json(json).ok()).flatten();
        let mut value: Value = serde_json::from_str(json).ok()?;
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.shift_remove("managedFields");
        }
        let text = |key: &str| value["metadata"][key].as_str().unwrap_or_default().to_owned();
        let (namespace, name, uid) = (text("namespace"), text("name"), text("uid"));
        redactor.json(&mut value).ok()?;
        if let Some(metadata) = value["metadata"].as_object_mut() {
            let annotations =
                metadata.entry("annotations").or_insert_with(|| Value::Object(Default::default()));
            annotations[GONE] = Value::from("last state seen while watching");
        }
        let line = serde_json::to_vec(&value).ok()?;
        let mut objects = lock(&self.objects);
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        objects
            .insert((plural, uid.clone()), Remembered { namespace, name, uid, line, pod: pod.clone(), turn });
        if objects.len() > 2 * MOST {
            let mut turns: Vec<u64> = objects.values().map(|o| o.turn).collect();
            turns.sort_unstable();
            let oldest = turns[turns.len() - MOST];
            objects.retain(|_, object| object.turn >= oldest);
        }
        pod
    }

    /// The objects of a collection in `namespace` (`None`: in all) whose UID is not among `present`, the one that was
    /// seen last before all others.
    pub fn gone(&self, plural: &str, namespace: Option<&str>, present: &HashSet<String>) -> Vec<Remembered> {
        let mut gone: Vec<Remembered> = lock(&self.objects)
            .iter()
            .filter(|((of, uid), object)| {
                *of == plural && !present.contains(uid) && namespace.is_none_or(|ns| ns == object.namespace)
            })
            .map(|(_, object)| object.clone())
            .collect();
        gone.sort_by_key(|object| std::cmp::Reverse(object.turn));
        gone
    }

    /// How many objects of a collection are remembered.
    pub fn count(&self, plural: &str) -> usize {
        lock(&self.objects).keys().filter(|(of, _)| *of == plural).count()
    }

    /// Begins the log of a run; `false` if it is followed already. The run before it stays, those before that do not.
    pub fn begin_log(&self, place: Place, restarts: u32, head: usize, tail: usize) -> bool {
        let mut logs = lock(&self.logs);
        let runs = logs.entry(place).or_default();
        if runs.iter().any(|run| run.restarts == restarts) {
            return false;
        }
        runs.push(Followed { restarts, text: HeadTail::new(head, tail), left: None });
        runs.sort_by_key(|run| run.restarts);
        let old = runs.len().saturating_sub(2);
        runs.drain(..old);
        true
    }

    pub fn push_log(&self, place: &Place, restarts: u32, bytes: &[u8]) {
        if let Some(run) =
            lock(&self.logs).get_mut(place).and_then(|r| r.iter_mut().find(|r| r.restarts == restarts))
        {
            run.text.push(bytes);
        }
    }

    /// Says that the rest of a run is not followed.
    pub fn leave_log(&self, place: &Place, restarts: u32, why: &str) {
        if let Some(run) =
            lock(&self.logs).get_mut(place).and_then(|r| r.iter_mut().find(|r| r.restarts == restarts))
        {
            run.left = Some(why.to_owned());
        }
    }

    /// Bytes of all logs that are held.
    pub fn log_bytes(&self) -> u64 {
        lock(&self.logs).values().flatten().map(|run| run.text.held()).sum()
    }

    /// Forgets a run of which nothing could be read, so that it is tried again.
    pub fn drop_empty_log(&self, place: &Place, restarts: u32) {
        if let Some(runs) = lock(&self.logs).get_mut(place) {
            runs.retain(|run| run.restarts != restarts || run.text.total() > 0);
        }
    }

    /// Takes the logs of a container out: the newest run, and the one before it.
    pub fn logs_of(&self, uid: &str, container: &str) -> (Option<Run>, Option<Run>) {
        let runs = lock(&self.logs).remove(&(uid.to_owned(), container.to_owned())).unwrap_or_default();
        let run = |run: Followed| Run { kept: run.text.finish(), left: run.left };
        let mut runs = runs.into_iter().rev().map(run);
        (runs.next(), runs.next())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no code panics while it holds the lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(&[]).unwrap()
    }

    #[test]
    fn the_last_state_of_what_is_gone_is_there_and_masked() {
        let memory = Memory::default();
        let pod = |phase: &str| {
            format!(
                r#"{{"kind":"Pod","metadata":{{"namespace":"bkapp-x","name":"hook","uid":"1","managedFields":[]}},
                "spec":{{"containers":[{{"name":"c","env":[{{"name":"DB_PASSWORD","value":"hunter2hunter2"}}]}}]}},"status":{{"phase":"{phase}"}}}}"#
            )
        };
        memory.take("pods", &pod("Pending"), &redactor());
        memory.take("pods", &pod("Failed"), &redactor());
        let gone = memory.gone("pods", Some("bkapp-x"), &HashSet::new());
        assert_eq!(gone.len(), 1);
        let line = String::from_utf8(gone[0].line.clone()).unwrap();
        assert!(
            line.contains(r#""phase":"Failed""#)
                && !line.contains("hunter2")
                && !line.contains("managedFields")
        );
        assert!(memory.gone("pods", None, &HashSet::from(["1".to_owned()])).is_empty());
        assert!(memory.gone("pods", Some("other"), &HashSet::new()).is_empty());
        assert!(memory.gone("events", None, &HashSet::new()).is_empty());
    }

    #[test]
    fn the_last_two_runs_of_a_container_are_kept() {
        let memory = Memory::default();
        let place = ("1".to_owned(), "c".to_owned());
        for restarts in 0..4 {
            assert!(memory.begin_log(place.clone(), restarts, 10, 10));
            memory.push_log(&place, restarts, format!("run {restarts}").as_bytes());
        }
        assert!(!memory.begin_log(place.clone(), 3, 10, 10));
        let (newest, before) = memory.logs_of("1", "c");
        let heads = (newest.unwrap().kept.head, before.unwrap().kept.head);
        assert_eq!(heads, (b"run 3".to_vec(), b"run 2".to_vec()));
        assert_eq!(memory.logs_of("1", "c"), (None, None));
    }

    #[test]
    fn a_run_of_which_nothing_came_is_tried_again() {
        let memory = Memory::default();
        let place = ("1".to_owned(), "c".to_owned());
        memory.begin_log(place.clone(), 0, 1, 1);
        memory.drop_empty_log(&place, 0);
        assert!(memory.begin_log(place, 0, 1, 1));
    }
}
