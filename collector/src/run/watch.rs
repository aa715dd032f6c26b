//! The watch before the collection.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use shared::bundle::manifest::Outcome;
use shared::bundle::paths;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Run, RunError, fallback};
use crate::cluster::api::{Api, JSON};
use crate::cluster::connect::Target;
use crate::cluster::error::ApiError;
use crate::gather::text;
use crate::messages::{for_terminal, pick};
use crate::sink::{Draft, entry};
use crate::watch::command::{self, Ended};
use crate::watch::logs::Followers;
use crate::watch::objects;

/// The last events and log lines of what the command did come a little after its end.
const AFTERMATH: Duration = Duration::from_secs(3);
/// Time that the watches get to begin before the command does.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time between two lines about what was seen.
const SPEAK: Duration = Duration::from_secs(1);

/// Watches until `words`, run as a command, ends, or without one until the user says so.
///
/// # Errors
/// When the command cannot be started, or signals cannot be handled.
pub async fn watch(
    run: &Arc<Run>,
    target: &Target,
    api: &Arc<Api>,
    words: &[String],
) -> Result<(), RunError> {
    let mut signals = Signals::new().map_err(RunError::Signals)?;
    let followers = Followers::new(api.clone(), run.memory.clone(), run.options.logs.max_log);
    let followers = Arc::new(Mutex::new(followers));
    let mut watches = JoinSet::new();
    // Each watch holds a sender until it has begun or cannot begin.
    let (begun, mut all_begun) = mpsc::channel::<()>(1);
    for plural in ["pods", "events"] {
        let watch = Watch { run: run.clone(), api: api.clone(), followers: followers.clone(), plural };
        let candidates = fallback::candidates(run, target);
        let mut begun = Some(begun.clone());
        watches.spawn(async move {
            match &watch.run.options.namespaces {
                Some(named) => watch.each(named, begun).await,
                None => {
                    if watch.one(None, &mut begun).await.is_err() {
                        let listed = watch.namespaces().await;
                        watch.each(if listed.is_empty() { &candidates } else { &listed }, begun).await;
                    }
                }
            }
        });
    }
    drop(begun);
    // What the command does in its first moment is to be seen, too. A server in trouble is no reason not to start it.
    let _ = timeout(PATIENCE, all_begun.recv()).await;
    let ended = until_the_end(run, words, &mut signals).await;
    run.progress.show();
    run.progress
        .step(pick(run.options.lang, "等待余下的事件与日志", "waiting for the last events and logs"), "");
    let rest = async {
        tokio::time::sleep(AFTERMATH).await;
        watches.shutdown().await;
        // The watches held the other ends.
        if let Some(followers) = Arc::into_inner(followers) {
            followers.into_inner().expect("no code panics while it holds the lock").finish(AFTERMATH).await;
        }
    };
    tokio::select! {
        () = rest => {}
        // Who asks twice does not want to wait.
        () = signals.any() => {}
    }
    if let Some(ended) = ended? {
        put(run, &ended);
    }
    Ok(())
}

/// One collection that is watched.
struct Watch {
    run: Arc<Run>,
    api: Arc<Api>,
    followers: Arc<Mutex<Followers>>,
    plural: &'static str,
}

type Begun = Option<mpsc::Sender<()>>;

impl Watch {
    /// Watches several namespaces.
    async fn each(&self, namespaces: &[String], begun: Begun) {
        let watches: Vec<_> = namespaces
            .iter()
            .map(|ns| {
                let mut begun = begun.clone();
                async move { self.one(Some(ns), &mut begun).await }
            })
            .collect();
        drop(begun);
        let ends = futures::future::join_all(watches).await;
        if let Some(error) = ends.into_iter().find_map(Result::err) {
            self.run.progress.say(&format!("watch {}: {}", self.plural, for_terminal(&error.words, 400)));
        }
    }

    /// Watches in one namespace or in all of them. A refusal is in the ledger.
    async fn one(&self, namespace: Option<&String>, begun: &mut Begun) -> Result<(), ApiError> {
        let Self { run, plural, .. } = self;
        let plural: &'static str = plural;
        let path = match namespace {
            Some(ns) => format!("/api/v1/namespaces/{ns}/{plural}"),
            None => format!("/api/v1/{plural}"),
        };
        let selector = run.options.selector.as_deref().filter(|_| plural == "pods");
        let end = objects::follow(&self.api, &path, selector, begun, |json| {
            if let Some(pod) = run.memory.take(plural, json, &run.masks) {
                self.followers.lock().expect("no code panics while it holds the lock").see(&pod);
            }
        });
        let end = end.await;
        if let Err(error) = &end {
            let place =
                namespace.map_or_else(|| format!("watch/{plural}"), |ns| format!("watch/{plural}/{ns}"));
            run.sink.note(error.entry(&place, format!("GET {path}?watch=true")));
        }
        end
    }

    /// The namespaces that there are, where they may be listed.
    async fn namespaces(&self) -> Vec<String> {
        let read = |body: bytes::Bytes| serde_json::from_slice::<Value>(&body);
        let Ok(list) = self.api.fetch("/api/v1/namespaces", JSON, read).await else { return Vec::new() };
        let items = list["items"].as_array().into_iter().flatten();
        items.filter_map(|item| item["metadata"]["name"].as_str()).map(str::to_owned).collect()
    }
}

async fn until_the_end(
    run: &Run,
    words: &[String],
    signals: &mut Signals,
) -> Result<Option<Ended>, RunError> {
    if words.is_empty() {
        let step = pick(run.options.lang, "观察中，按 Ctrl-C 结束", "watching, Ctrl-C ends it");
        loop {
            let seen = format!("{} pods, {} events", run.memory.count("pods"), run.memory.count("events"));
            run.progress.step(step, &seen);
            tokio::select! {
                () = tokio::time::sleep(SPEAK) => {}
                () = signals.any() => return Ok(None),
            }
        }
    }
    run.progress.hide();
    Ok(Some(command::run(words, signals.any()).await?))
}

struct Signals([Signal; 3]);

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn any(&mut self) {
        let [interrupt, terminate, hang_up] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}

/// What the command printed becomes a text like those that users paste.
fn put(run: &Run, ended: &Ended) {
    let name = ended.line.split(' ').next().and_then(|word| word.rsplit('/').next()).unwrap_or("command");
    let path = paths::text(&format!("watched-{}", name.trim_end_matches(".sh")));
    let mut counts = Default::default();
    // Passwords are given as arguments, too.
    let shown = match run.masks.string(&ended.line, &mut counts) {
        Ok(masked) => masked.unwrap_or_else(|| ended.line.clone()),
        Err(_) => name.to_owned(),
    };
    let note = Some(format!("`{shown}` {}", ended.end()));
    let source = format!("terminal of `{shown}`");
    let outcome = if ended.printed.missing > 0 { Outcome::Truncated } else { Outcome::Collected };
    match text::masked(Draft::new(&*path, &*source), &ended.text(), outcome, note, &run.masks) {
        Ok(mut finished) => {
            finished.entry_mut().missing_bytes = (ended.printed.missing > 0).then_some(ended.printed.missing);
            run.sink.put(finished);
        }
        Err(error) => {
            let mut failed = entry(&path, source, Outcome::Failed);
            failed.note = Some(error.to_string());
            run.sink.note(failed);
        }
    }
}
