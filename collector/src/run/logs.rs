//! The logs of a run, best first, within the budget.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use shared::bundle::manifest::{LedgerEntry, Outcome};
use shared::bundle::paths;

use super::Run;
use super::tasks::each;
use crate::cluster::api::Api;
use crate::logs::budget::{self, Situation};
use crate::logs::pod::Pod;
use crate::logs::read::{self, Keep, Log, Reader};
use crate::logs::worth::{self, Impossible, Wanted, Worth};
use crate::messages::{ended_before, pick};
use crate::select::Kind;
use crate::sink::entry;

/// Logs that may wait at the same time, for each request that may be under way: those of a node that does not
/// answer wait for its first, and must not hold up the others.
const WAITING: usize = 8;

/// What the tasks share.
struct Shared {
    reader: Reader,
    /// Logs still to be read: vital ones, all.
    vital: AtomicUsize,
    all: AtomicUsize,
    /// Namespaces whose logs the server refuses, with its words.
    forbidden: Mutex<HashMap<String, String>>,
}

/// Reads the logs of all pods that were listed.
pub async fn collect(run: &Arc<Run>, api: &Arc<Api>) {
    let mut pods = run.store.pods();
    pods.retain(|pod| {
        pod.containers.iter().any(|c| run.options.selection.wants_log(&pod.namespace, &pod.name, &c.name))
    });
    let mut order = worth::order(&pods, Timestamp::now(), run.options.logs.healthy);
    let wants = |log: &Wanted| run.options.selection.wants_log(&log.namespace, &log.pod, &log.container);
    order.wanted.retain(wants);
    for impossible in order.impossible {
        note_impossible(run, impossible);
    }
    for beyond in order.beyond.into_iter().filter(wants) {
        let log = Log { wanted: &beyond, since: None, gone: None };
        let note = format!(
            "looks healthy, and logs of {} healthy containers were read before it (--healthy-logs, --all-logs)",
            run.options.logs.healthy
        );
        run.sink.note(log.without(Outcome::Skipped, note));
    }
    note_absent(run, &pods);
    let total = order.wanted.len();
    run.sink.expect(total);
    let shared = Arc::new(Shared {
        reader: Reader::new(api.clone()),
        vital: AtomicUsize::new(order.wanted.iter().filter(|l| l.worth.is_vital()).count()),
        all: AtomicUsize::new(total),
        forbidden: Mutex::default(),
    });
    let step = pick(run.options.lang, "读取日志", "reading logs");
    let work = |wanted: Wanted| {
        let (run, shared) = (run.clone(), shared.clone());
        async move {
            one(&run, &shared, &wanted).await;
        }
    };
    let mut done = 0;
    each(order.wanted, run.options.bounds.concurrency * WAITING, work, |wanted, end| {
        if let Err(panicked) = end {
            let log = Log { wanted: &wanted, since: None, gone: None };
            run.sink.note(log.without(Outcome::Failed, panicked.to_string()));
        }
        done += 1;
        run.progress.step(step, &format!("{done}/{total} {}/{}", wanted.namespace, wanted.pod));
    })
    .await;
    followed(run);
}

/// Logs of pods that were there while watching and are gone now.
fn followed(run: &Run) {
    let pods = run.store.pods();
    let present: HashSet<String> = pods.iter().map(|pod| pod.uid.clone()).collect();
    // A pod of the same name, such as a StatefulSet's next one, has its own log there.
    let mut taken: HashSet<(String, String)> = pods.into_iter().map(|p| (p.namespace, p.name)).collect();
    // The newest of several of one name goes by that name.
    for pod in run.memory.gone("pods", None, &present).into_iter().filter_map(|gone| gone.pod) {
        let first = taken.insert((pod.namespace.clone(), pod.name.clone()));
        for container in &pod.containers {
            let (newest, before) = run.memory.logs_of(&pod.uid, &container.name);
            for (run_of, previous) in [(newest, false), (before, true)] {
                let wanted = Wanted {
                    namespace: pod.namespace.clone(),
                    pod: pod.name.clone(),
                    node: pod.node.clone(),
                    container: container.name.clone(),
                    previous,
                    worth: Worth::Unhealthy,
                };
                if !run.options.selection.wants_log(&wanted.namespace, &wanted.pod, &wanted.container) {
                    continue;
                }
                let log = Log { wanted: &wanted, since: None, gone: (!first).then_some(pod.uid.as_str()) };
                match run_of {
                    Some(followed) => read::put_followed(&run.sink, &run.masks, &log, followed),
                    None if previous => {}
                    None => run.sink.note(log.without(
                        Outcome::NotFound,
                        "the pod was gone before any of this log could be read".to_owned(),
                    )),
                }
            }
        }
    }
}

async fn one(run: &Run, shared: &Shared, wanted: &Wanted) {
    let log = Log { wanted, since: run.options.logs.since, gone: None };
    let left = if wanted.worth.is_vital() { &shared.vital } else { &shared.all };
    let situation = Situation {
        max_size: run.options.max_size,
        written: run.sink.written(),
        left: left.load(Ordering::Relaxed),
        max_log: run.options.logs.max_log,
        ratio: run.sink.ratio(),
    };
    let allowance =
        if run.options.logs.all { Some(u64::MAX) } else { budget::allowance(wanted.worth, situation) };
    let refused = shared
        .forbidden
        .lock()
        .expect("no code panics while it holds the lock")
        .get(&wanted.namespace)
        .cloned();
    if let Some(words) = refused {
        run.sink.note(log.without(Outcome::Forbidden, words));
    } else if let Some(reason) = run.stop.reason() {
        let note = ended_before("this was asked for", reason);
        run.sink.note(log.without(Outcome::Skipped, note));
    } else if let Some(most) = allowance {
        let keep = if run.options.logs.all { Keep::All } else { Keep::Most(most) };
        if let Some(words) = shared.reader.collect(&run.sink, &run.masks, &log, keep).await {
            shared
                .forbidden
                .lock()
                .expect("no code panics while it holds the lock")
                .insert(wanted.namespace.clone(), words);
        }
    } else {
        let note = "there was no room left in the bundle (--max-size)".to_owned();
        let outcome = if wanted.worth.is_vital() { Outcome::Truncated } else { Outcome::Skipped };
        run.sink.note(log.without(outcome, note));
    }
    shared.all.fetch_sub(1, Ordering::Relaxed);
    if wanted.worth.is_vital() {
        shared.vital.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What was asked for with `--only` and no pod bears. Where pods could not be listed, their own entries say so.
fn note_absent(run: &Run, pods: &[Pod]) {
    let folder = paths::resource_everywhere("", "pods");
    if run.sink.lost(&folder) {
        return;
    }
    for part in run.options.selection.0.iter().filter(|part| part.kind == Kind::Logs && part.name.is_some()) {
        let there = pods
            .iter()
            .any(|pod| pod.containers.iter().any(|c| part.wants_log(&pod.namespace, &pod.name, &c.name)));
        if !there {
            let path = format!("{folder}/{part}");
            run.sink.note(LedgerEntry {
                note: Some("there is no such container".to_owned()),
                ..entry(&path, format!("--only {part}"), Outcome::NotFound)
            });
        }
    }
}

fn note_impossible(run: &Run, impossible: Impossible) {
    let Impossible { namespace, pod, container, reason } = impossible;
    if !run.options.selection.wants_log(&namespace, &pod, &container) {
        return;
    }
    let wanted = Wanted { namespace, pod, container, node: None, previous: false, worth: Worth::Unhealthy };
    run.sink.note(Log { wanted: &wanted, since: None, gone: None }.without(Outcome::NotFound, reason));
}
