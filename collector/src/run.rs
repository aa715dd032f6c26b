//! One run, from options to a bundle.
//!
//! Lists come first, since everything else rests on them; then logs, descriptions and helm's releases side by side.
//! The machine's own facts are read all the while. Whatever fails is an entry of the ledger; only what makes a
//! bundle impossible is an error here.

pub mod deliver;
mod describe;
mod error;
pub mod fallback;
mod frame;
mod host;
mod logs;
mod probes;
pub mod server;
mod tasks;
mod warden;
mod watch;
mod workplace;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use shared::bundle::manifest::{ClockReading, Cluster, FORMAT, LedgerEntry, Manifest, Outcome, Tool};
use shared::bundle::paths;
use shared::bundle::writer::Written;
use shared::lang::Lang;

use crate::cluster::api::Api;
use crate::cluster::connect::{self, Target};
use crate::cluster::discovery::{self, Discovery};
use crate::cluster::error::{ApiError, Fault};
use crate::exit::Exit;
use crate::gather::lists::{self, ListTask, Means, Scope};
use crate::gather::store::Store;
use crate::gather::text;
use crate::gather::{helm, install};
use crate::host::script;
use crate::messages::{self, pick};
use crate::options::Options;
use crate::plan;
use crate::progress::Progress;
use crate::say;
use crate::select::{Kind, Part};
use crate::signals::Abandon;
use crate::sink::{Sink, entry};
use crate::stop::{Reason, Stop};
use crate::watch::memory::Memory;
use deliver::{Renaming, Stage};
pub use error::RunError;
use shared::redact::Redactor;
use tasks::{Panicked, each};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle};

/// A run while it goes on.
pub struct Run {
    pub options: Options,
    pub sink: Sink,
    pub masks: Redactor,
    pub store: Store,
    /// What was seen while watching; empty in other runs.
    pub memory: Arc<Memory>,
    pub progress: Progress,
    pub stop: Stop,
}

/// Begins the source of a part that the user named and the server does not know.
const ONLY: &str = "--only ";

/// Time that the reading of this machine gets when the run is to end.
const GRACE: std::time::Duration = std::time::Duration::from_secs(5);

/// What is known of the cluster at the end.
#[derive(Default)]
struct Reached {
    cluster: Option<Cluster>,
    clocks: Vec<ClockReading>,
    requests: u64,
}

/// A run that ended with a bundle.
pub struct Done {
    pub written: Written,
    pub manifest: Manifest,
    /// Where the user finds what pseudonyms stand for.
    pub map: Option<PathBuf>,
}

impl Done {
    pub fn exit(&self) -> Exit {
        // What was asked for by name and is not there is missing too.
        let missing = |e: &LedgerEntry| e.outcome.is_loss() || e.source.starts_with(ONLY);
        let lost = self.manifest.stopped.is_some() || self.manifest.ledger.iter().any(missing);
        if lost { Exit::Partial } else { Exit::Complete }
    }
}

/// Collects from the cluster, or with `cluster` false from this machine alone.
///
/// # Errors
/// When no bundle can be made; nothing is left on the disk then.
pub async fn collect(options: Options, cluster: bool) -> Result<Done, RunError> {
    let started = Timestamp::now();
    let texts = text::read_given(&options.texts)?;
    // Before anything is asked for: what cannot be turned back is not to be collected.
    if let Some((_, keyring)) = &options.pseudonyms {
        say::if_open_to_others(keyring.key_path(), options.lang);
    }
    let renaming = match &options.pseudonyms {
        Some((kinds, keyring)) => Some(Renaming {
            words: keyring.begin(kinds.clone())?,
            keyring: keyring.clone(),
            file_too: !options.output.is_named(),
        }),
        None => None,
    };
    let connect_timeout = options.bounds.request_timeout.min(std::time::Duration::from_secs(15));
    let target = if cluster { Some(connect::find(&options.choice, connect_timeout).await?) } else { None };
    let stop = Stop::default();
    let api = match &target {
        Some(target) => {
            Some(Arc::new(Api::new(target.client(options.timeout).await?, options.bounds, stop.clone())))
        }
        None => None,
    };
    let name = target.as_ref().map_or_else(crate::host::own_name, |t| t.name.clone());
    let stem = format!("casebook-{}-{}", paths::safe_segment(&name), started.strftime("%Y%m%dT%H%M%SZ"));
    let (path, packing) = options.output.resolve(&stem);
    let top = if path.extension().is_some() { stem } else { file_stem(&path) };
    let stage = Stage::new(&path, packing, &top)?;
    let unfinished = stage.folder().to_owned();
    let sink = Sink::new(stage.writer()?, stop.clone());
    let progress = Progress::new(options.quiet);
    let masks = options.masks.clone();
    let run = Arc::new(Run {
        options,
        sink,
        masks,
        store: Store::default(),
        memory: Arc::default(),
        progress,
        stop,
    });
    let watched = match (&run.options.watch, target.as_ref().zip(api.as_ref())) {
        (Some(command), Some((target, api))) => watch::watch(&run, target, api, command).await,
        _ => Ok(()),
    };
    if let Err(error) = watched {
        run.sink.abandon();
        return Err(error);
    }
    let mut abandon = listen(&run)?;
    let timer = tokio::spawn(end_after(run.stop.clone(), run.options.timeout));
    let reached = tokio::select! {
        reached = gather(&run, target.as_ref().zip(api), texts) => reached,
        () = abandon.requested() => Err(RunError::Abandoned),
    };
    timer.abort();
    run.progress.end();
    let reached = match reached {
        Ok(reached) => reached,
        Err(error) => {
            run.sink.abandon();
            return Err(error);
        }
    };
    // Reading a large bundle back takes its time, and the user may change their mind.
    let mut finishing = tokio::task::spawn_blocking(move || finish(&run, stage, renaming, started, reached));
    let done = tokio::select! {
        done = &mut finishing => done,
        () = abandon.requested() => {
            // Without its folder it cannot get its name any more; where it has just got it, it is there.
            let _ = std::fs::remove_dir_all(&unfinished);
            finishing.await.map(|done| done.map_err(|_| RunError::Abandoned))
        }
    };
    done.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

fn file_stem(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn listen(run: &Arc<Run>) -> Result<Abandon, RunError> {
    let told = run.clone();
    crate::signals::listen(&run.stop, move || {
        let lang = told.options.lang;
        told.progress.say(pick(
            lang,
            "正在结束：已收集的内容将写入文件；再按一次 Ctrl-C 则放弃全部",
            "ending: what was collected will be written; once more discards it",
        ));
    })
    .map_err(RunError::Signals)
}

async fn end_after(stop: Stop, timeout: std::time::Duration) {
    tokio::time::sleep(timeout).await;
    stop.request(Reason::Timeout);
}

async fn gather(
    run: &Arc<Run>,
    cluster: Option<(&Target, Arc<Api>)>,
    texts: Vec<text::Given>,
) -> Result<Reached, RunError> {
    // First, so that they are there however the run ends.
    frame::put(&run.sink);
    for given in texts {
        // What the shell script printed on some node is facts of that node.
        match script::read(&String::from_utf8_lossy(&given.text)) {
            Some(printed) => host::put_printed(run, printed, &given.source),
            None => given.put(&run.sink, &run.masks),
        }
    }
    let (tell, known) = oneshot::channel();
    let local = tokio::spawn(host::collect(run.clone(), known));
    let installed = tokio::task::spawn_blocking({
        let run = run.clone();
        move || {
            if run.options.host && run.options.selection.wants(&Kind::Install) {
                install::collect(&run.sink, &run.masks, run.options.install_dir.as_deref());
            }
        }
    });
    let reached = match cluster {
        Some((target, api)) => from_cluster(run, target, api, tell).await?,
        None => {
            drop(tell);
            Reached::default()
        }
    };
    let step = pick(run.options.lang, "等待本机信息", "waiting for the facts of this machine");
    run.progress.step(step, "");
    end_of(run, local, paths::HOSTS, "host probes").await;
    end_of(run, installed, paths::INSTALL, "installation directory").await;
    Ok(reached)
}

/// Waits for what reads this machine. A file system that hangs hangs it too: at the end of the run it gets a moment
/// more, and is left alone then.
async fn end_of(run: &Run, task: JoinHandle<()>, path: &str, source: &str) {
    let late = async {
        let reason = run.stop.requested().await;
        tokio::time::sleep(GRACE).await;
        reason
    };
    tokio::select! {
        end = task => ended(run, end, path, source),
        reason = late => {
            let words = messages::ended_before("this was read to the end", reason);
            run.sink.note(ApiError::new(Fault::Stopped, words).entry(path, source));
        }
    }
}

async fn from_cluster(
    run: &Arc<Run>,
    target: &Target,
    api: Arc<Api>,
    tell: oneshot::Sender<host::Known>,
) -> Result<Reached, RunError> {
    let lang = run.options.lang;
    run.progress.step(pick(lang, "连接集群", "reaching the cluster"), &target.server());
    let mut reached = Reached {
        cluster: Some(Cluster { name: target.name.clone(), server: target.server(), version: None }),
        ..Reached::default()
    };
    let first = server::greet(&api, run).await;
    let discovery = match first {
        Ok(greeting) => {
            reached.clocks.extend(greeting.clock);
            if let Some(cluster) = &mut reached.cluster {
                cluster.version = greeting.version;
            }
            server::namespaces_exist(&api, &run.options, target).await?;
            server::selector_is_understood(&api, &run.options).await?;
            discovery::discover(&api).await
        }
        Err(error) => Err(error),
    };
    match discovery {
        Ok(discovery) => {
            note_failures(run, &discovery);
            note_unknown(run, &discovery)?;
            let (dates, read) = mpsc::unbounded_channel();
            let clocks = probes::wanted(run).then(|| {
                let server = reached.clocks.first().cloned();
                tokio::spawn(probes::clocks(run.clone(), api.clone(), server, read))
            });
            carry_out(run, target, &api, &discovery, tell, dates).await;
            if let Some(clocks) = clocks {
                let step = pick(
                    lang,
                    "等待各节点的时钟（kubelet 每 10 秒续约一次，--clock-wait）",
                    "waiting for the nodes' clocks, which kubelets tell every 10 s (--clock-wait)",
                );
                run.progress.step(step, "");
                reached.clocks.extend(clocks.await.unwrap_or_default());
            }
        }
        Err(error) => {
            // Of a run that is ended the server is not to blame.
            if error.fault != Fault::Stopped {
                run.progress.say(&server::unreachable(lang, &target.server(), &error));
            }
            let mut failed = error.entry(paths::CLUSTER_VERSION, format!("GET {}/version", target.server()));
            if failed.outcome == Outcome::NotFound {
                failed.outcome = Outcome::Failed;
            }
            run.sink.note(failed);
        }
    }
    reached.requests = api.requests();
    Ok(reached)
}

fn note_failures(run: &Run, discovery: &Discovery) {
    for (path, error) in &discovery.failures {
        run.sink.note(error.entry(&format!("cluster-info/discovery{path}"), format!("GET {path}")));
    }
}

/// What was asked for with `--only` and the server does not know.
///
/// # Errors
/// When nothing else was asked for: a bundle with nothing in it would look like an answer.
fn note_unknown(run: &Run, discovery: &Discovery) -> Result<(), RunError> {
    let selection = &run.options.selection;
    // Where some groups did not answer, it may be one of theirs.
    let whole = discovery.failures.is_empty();
    let unknown: Vec<&Part> = selection.unknown(&discovery.resources).collect();
    if whole && !unknown.is_empty() && unknown.len() == selection.0.len() {
        return Err(RunError::NoResource { part: unknown[0].to_string() });
    }
    for part in unknown {
        let note = "the server lists no resource of this name".to_owned();
        run.progress.say(&format!("--only {part}: {note}"));
        let outcome = if whole { Outcome::NotFound } else { Outcome::Failed };
        let path = format!("cluster-resources/{part}");
        run.sink.note(LedgerEntry { note: Some(note), ..entry(&path, format!("{ONLY}{part}"), outcome) });
    }
    Ok(())
}

async fn carry_out(
    run: &Arc<Run>,
    target: &Target,
    api: &Arc<Api>,
    discovery: &Discovery,
    tell: oneshot::Sender<host::Known>,
    dates: mpsc::UnboundedSender<probes::Date>,
) {
    let plan = plan::plan(&run.options, discovery);
    let refused = list_all(run, api, plan.lists.clone()).await;
    let namespaces = fallback::candidates(run, target);
    fallback::collect(run, api, refused, &namespaces).await;
    note_no_pods(run);
    // Nobody waits for it where facts of hosts are not wanted.
    drop(tell.send(tokio::task::block_in_place(|| host::Known::of(run))));
    let measured = {
        let (run, api, lists) = (run.clone(), api.clone(), probes::Lists::of(run));
        let dates = dates.clone();
        tokio::spawn(async move {
            if probes::wanted(&run) {
                probes::collect(&run, &api, lists, dates).await;
            }
        })
    };
    let releases = {
        let (run, api, wanted) = (run.clone(), api.clone(), plan.helm);
        tokio::spawn(async move {
            if wanted {
                let named = run.options.namespaces.as_deref();
                helm::collect(&api, &run.sink, &run.masks, &run.options.selection, named, &namespaces).await;
            }
        })
    };
    let described = {
        let run = run.clone();
        tokio::spawn(async move { describe::collect(&run).await })
    };
    if plan.logs {
        logs::collect(run, api).await;
    }
    ended(run, described.await, describe::FOLDER, "descriptions");
    ended(run, measured.await, paths::PROBES, "probes");
    ended(run, releases.await, paths::HELM, "helm release records");
}

/// Says in the ledger that a part of the run panicked, if it did.
fn ended(run: &Run, end: Result<(), JoinError>, path: &str, source: &str) {
    if let Err(error) = end {
        let words = match error.try_into_panic() {
            Ok(payload) => Panicked::new(&*payload).to_string(),
            Err(error) => error.to_string(),
        };
        run.sink.note(ApiError::internal(words).entry(path, source));
    }
}

/// A selector that no pod has looks like a cluster without trouble.
fn note_no_pods(run: &Run) {
    let Some(selector) = &run.options.selector else { return };
    let pods = "cluster-resources/pods";
    if run.store.pods().is_empty() && !run.sink.lost(pods) {
        let lang = run.options.lang;
        run.progress.say(&match lang {
            Lang::Zh => format!("没有 pod 符合 -l {selector}，因此也没有任何日志"),
            Lang::En => format!("no pod has the labels of -l {selector}, so there are no logs either"),
        });
        let note = Some("no pod has these labels".to_owned());
        run.sink.note(LedgerEntry { note, ..entry(pods, format!("-l {selector}"), Outcome::Empty) });
    }
}

/// Carries out lists; gives back those that were refused in all namespaces at once.
async fn list_all(run: &Arc<Run>, api: &Arc<Api>, lists: Vec<ListTask>) -> Vec<(ListTask, ApiError)> {
    let total = lists.len();
    let step = pick(run.options.lang, "读取资源", "listing");
    let mut done = 0;
    let mut refused = Vec::new();
    let work = {
        let (run, api) = (run.clone(), api.clone());
        move |task: ListTask| {
            let (run, api) = (run.clone(), api.clone());
            async move {
                let means = Means {
                    api: &api,
                    sink: &run.sink,
                    masks: &run.masks,
                    store: &run.store,
                    selection: &run.options.selection,
                    memory: &run.memory,
                };
                lists::collect(&means, &task).await
            }
        }
    };
    each(lists, run.options.bounds.concurrency, work, |task, end| {
        done += 1;
        run.progress.step(step, &format!("{done}/{total} {}", task.resource.plural));
        match end.map_err(ApiError::from).flatten() {
            Ok(()) => {}
            Err(error) if task.scope == Scope::Everywhere && error.fault == Fault::Forbidden => {
                refused.push((task, error));
            }
            Err(error) => run.sink.note(refusal(&task, &error)),
        }
    })
    .await;
    refused
}

/// The ledger entry of a list that the server refused.
fn refusal(task: &ListTask, error: &ApiError) -> LedgerEntry {
    error.entry(&task.ledger_path(), task.source())
}

fn finish(
    run: &Run,
    stage: Stage,
    renaming: Option<Renaming>,
    started: Timestamp,
    reached: Reached,
) -> Result<Done, RunError> {
    let mut options = run.options.for_manifest();
    if reached.requests > 0 {
        options.insert("requests".to_owned(), reached.requests.into());
    }
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        tool: Tool { name: "casebook-collect".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        started,
        finished: Timestamp::now(),
        options,
        cluster: reached.cluster,
        host: run.options.host.then(crate::host::own_name),
        clocks: reached.clocks,
        stopped: run.stop.reason().map(|reason| reason.as_str().to_owned()),
        ledger: Vec::new(),
    };
    let (written, manifest) = run.sink.finish(manifest, &run.masks).map_err(|error| stage.name(error))?;
    let map = renaming.as_ref().map(|renaming| renaming.keyring.map_path());
    let (written, manifest) = stage.deliver(&run.masks, written, manifest, renaming)?;
    Ok(Done { written, manifest, map })
}

/// What a run says at its end.
pub fn summary(run: &Done, lang: shared::lang::Lang) -> String {
    messages::finished(lang, &run.written, &run.manifest, run.map.as_deref())
}
