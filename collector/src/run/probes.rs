//! What is measured through the API server: see [`crate::probes`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::bundle::failure::Failure;
use shared::bundle::manifest::{ClockReading, Outcome};
use shared::bundle::paths;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::tasks::each;
use super::{Run, host};
use crate::cluster::api::{Api, JSON, Stream};
use crate::cluster::error::{ApiError, Fault};
use crate::host::HostItem;
use crate::probes::comparison::COMPARISONS;
use crate::probes::{self, clock, coredns, endpoints, kubelet};
use crate::select::Kind;

/// Nodes whose kubelets are asked; with more, one answer in so many says enough.
const MOST_KUBELETS: usize = 200;
/// Longest line of a watch that is waited for.
const LONGEST_EVENT: usize = 1 << 20;

/// What the answer of a node's kubelet said of its clock.
pub struct Date {
    node: String,
    reading: ClockReading,
}

/// Lists that the probes need and that others take out of the store.
pub struct Lists {
    nodes: Vec<Value>,
    services: Vec<Value>,
    endpoints: Vec<Value>,
}

impl Lists {
    pub fn of(run: &Run) -> Self {
        let objects = |plural| {
            let mut all = Vec::new();
            run.store.each(plural, |json| all.extend(serde_json::from_slice::<Value>(json)));
            all
        };
        let mut nodes = Vec::new();
        run.store.each("nodes", |json| {
            // Names and addresses; the images of a node alone can be fifty kilobytes.
            if let Ok(node) = serde_json::from_slice::<Value>(json) {
                nodes.push(json!({
                    "metadata": {"name": node["metadata"]["name"]},
                    "status": {"addresses": node["status"]["addresses"]},
                }));
            }
        });
        Self { nodes, services: objects("services"), endpoints: objects("endpoints") }
    }
}

/// Whether the user's selection leaves the probes in.
pub fn wanted(run: &Run) -> bool {
    run.options.selection.wants(&Kind::Host)
}

/// Listens to the nodes' clocks while everything else goes on; needs nothing but the server. Ends when all nodes were
/// heard of, after [`clock::WATCH`], or `--clock-wait` after the senders of `dates` are dropped.
///
/// `server`: the reading of the API server's own clock, which joins the others in the file.
pub async fn clocks(
    run: Arc<Run>,
    api: Arc<Api>,
    server: Option<ClockReading>,
    dates: UnboundedReceiver<Date>,
) -> Vec<ClockReading> {
    let path = paths::probe("clock");
    let source = format!("GET {}?watch=true", clock::LEASES);
    let begun = Timestamp::now();
    let mut heard = clock::NodeClocks::default();
    let watched = watch(&api, &mut heard, dates, run.options.clock_wait).await;
    let request = match &watched {
        Ok(request) => *request,
        Err(_) => Duration::ZERO,
    };
    let nodes = heard.readings(request);
    let all: Vec<ClockReading> = server.into_iter().chain(nodes.iter().cloned()).collect();
    let silent: Vec<String> =
        heard.silent().map(|(node, time)| format!("{node} last renewed its lease at {time}")).collect();
    let end = match watched {
        Err(error) => End::failed(error, nodes.is_empty()),
        Ok(_) if silent.is_empty() => End::GOOD,
        Ok(_) => End {
            note: Some(format!("no clock of a node that was not heard of: {}", silent.join("; "))),
            ..End::GOOD
        },
    };
    put(&run, &path, &source, &clock::answers(&all), end, begun);
    nodes
}

/// Lists the Leases and watches them. Gives how long the List took.
///
/// Nothing here may hold up the end of the run: a server, or a proxy before it, may not even begin the answer to a watch
/// before the first renewal.
async fn watch(
    api: &Api,
    heard: &mut clock::NodeClocks,
    mut dates: UnboundedReceiver<Date>,
    wait: Duration,
) -> Result<Duration, ApiError> {
    let begun = Instant::now();
    let list: Value = api.fetch(clock::LEASES, JSON, |body| serde_json::from_slice(&body)).await?;
    let request = begun.elapsed();
    let version = heard.list(&list, Timestamp::now()).unwrap_or_default();
    let seconds = clock::WATCH.as_secs() + 1;
    let path = format!("{}?watch=true&resourceVersion={version}&timeoutSeconds={seconds}", clock::LEASES);
    let mut deadline = tokio::time::Instant::now() + clock::WATCH;
    let mut opening = std::pin::pin!(api.follow(&path, JSON, clock::WATCH));
    let mut stream = None;
    let mut pending = Vec::new();
    let mut others = true;
    while !heard.all_heard() && tokio::time::Instant::now() < deadline {
        let next = async {
            match &mut stream {
                None => opening.as_mut().await.map(Next::Begun),
                Some(stream) => Stream::chunk(stream, deadline).await.map(Next::Chunk),
            }
        };
        let next = tokio::select! {
            next = next => next,
            () = tokio::time::sleep_until(deadline) => break,
            date = dates.recv(), if others => {
                match date {
                    Some(Date { node, reading }) => heard.date(&node, reading),
                    None if heard.silent().next().is_none() => break,
                    None => {
                        others = false;
                        deadline = deadline.min(tokio::time::Instant::now() + wait);
                    }
                }
                continue;
            }
        };
        let chunk = match next {
            Ok(Next::Begun(begun)) => {
                stream = Some(begun);
                continue;
            }
            Ok(Next::Chunk(Some(chunk))) => chunk,
            Ok(Next::Chunk(None)) => break,
            // That nothing more comes before the time is over is the normal end.
            Err(error) if error.fault == Fault::TimedOut => break,
            Err(error) => return Err(error),
        };
        let received = Timestamp::now();
        pending.extend_from_slice(&chunk);
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            if let Ok(event) = serde_json::from_slice(&line) {
                heard.event(&event, received);
            }
        }
        if pending.len() > LONGEST_EVENT {
            return Err(ApiError::new(Fault::Garbled, "an event of the watch has no end"));
        }
    }
    Ok(request)
}

/// What a watch brings next.
enum Next {
    Begun(Stream),
    Chunk(Option<bytes::Bytes>),
}

/// Everything that takes no waiting. `dates`: for what the kubelets' answers say of their clocks.
pub async fn collect(run: &Arc<Run>, api: &Arc<Api>, lists: Lists, dates: UnboundedSender<Date>) {
    tokio::join!(
        kubelets(run, api, &lists.nodes, dates),
        hosts_of_coredns(run, api, &lists),
        compare(run, api)
    );
    if !lists.services.is_empty() {
        let rows = endpoints::answers(&lists.services, &lists.endpoints);
        let source = "services and endpoints as listed";
        put(run, &paths::probe("service-endpoints"), source, &rows, End::GOOD, Timestamp::now());
    }
}

async fn kubelets(run: &Arc<Run>, api: &Arc<Api>, nodes: &[Value], dates: UnboundedSender<Date>) {
    let names: Vec<String> =
        nodes.iter().filter_map(|node| node["metadata"]["name"].as_str()).map(str::to_owned).collect();
    if names.is_empty() {
        return;
    }
    let begun = Timestamp::now();
    let left = names.len().saturating_sub(MOST_KUBELETS);
    let asked: Vec<String> = names.into_iter().take(MOST_KUBELETS).collect();
    let work = |node: String| {
        let (api, dates) = (api.clone(), dates.clone());
        async move {
            api.open(&kubelet::path(&node), "*/*").await.map(|answer| {
                if let Some(reading) = clock::of_kubelet(&node, &answer.headers, answer.round_trip) {
                    // Nobody may be listening any more.
                    let _ = dates.send(Date { node: node.clone(), reading });
                }
            })
        }
    };
    let mut rows = Vec::new();
    let mut refused = None;
    each(asked, run.options.bounds.concurrency, work, |node, answer| {
        match answer {
            Err(panicked) => refused = Some(panicked.into()),
            Ok(Ok(())) => rows.push(kubelet::answer(&node, None)),
            Ok(Err(error)) => match error.fault {
                Fault::Forbidden | Fault::Unauthorized | Fault::Stopped | Fault::NotFound => {
                    refused = Some(error)
                }
                // What the kubelet itself answers shows that it is there, whatever it says of its health.
                _ if error.status.is_some_and(|status| status < 500) => {
                    rows.push(kubelet::answer(&node, None))
                }
                _ => rows.push(kubelet::answer(&node, Some(&error.words))),
            },
        }
    })
    .await;
    rows.sort_by_key(|row| row["node"].as_str().unwrap_or_default().to_owned());
    let end = match refused {
        Some(error) => End::failed(error, rows.is_empty()),
        None if left > 0 => End {
            outcome: Outcome::Truncated,
            note: Some(format!("{left} more nodes were not asked")),
            failure: None,
        },
        None => End::GOOD,
    };
    put(run, &paths::probe("kubelet"), "GET /api/v1/nodes/*/proxy/healthz", &rows, end, begun);
}

async fn hosts_of_coredns(run: &Arc<Run>, api: &Arc<Api>, lists: &Lists) {
    let path = "/api/v1/namespaces/kube-system/configmaps/coredns";
    let begun = Timestamp::now();
    let answer = api.fetch(path, JSON, |body| serde_json::from_slice::<Value>(&body)).await;
    let (rows, end) = match answer {
        Ok(map) => (coredns::answers(&[map], &lists.services, &lists.nodes), End::GOOD),
        Err(error) => (Vec::new(), End::failed(error, true)),
    };
    put(run, &paths::probe("coredns-hosts"), &format!("GET {path}"), &rows, end, begun);
}

/// Only where the user asked for it: it reads two Secrets, and keeps nothing of them.
async fn compare(run: &Arc<Run>, api: &Arc<Api>) {
    let Some(folder) = &run.options.hosts.compare_in else { return };
    let begun = Timestamp::now();
    let mut rows = Vec::new();
    for comparison in COMPARISONS {
        let file = tokio::fs::read_to_string(folder.join(comparison.file)).await;
        let file = file.map_err(|error| format!("{}: {error}", comparison.file));
        let live = api.fetch(&comparison.path(), JSON, |body| serde_json::from_slice::<Value>(&body)).await;
        let live = live.map(|answer| comparison.live_values(&answer)).map_err(|error| error.words);
        rows.push(comparison.answer(file.as_deref().map_err(Clone::clone), live));
    }
    let source = "secrets of the cluster against files of the installation";
    put(run, &paths::probe("comparisons"), source, &rows, End::GOOD, begun);
}

/// How a probe ended.
struct End {
    outcome: Outcome,
    note: Option<String>,
    failure: Option<Failure>,
}

impl End {
    const GOOD: End = End { outcome: Outcome::Collected, note: None, failure: None };

    /// With this error, and with nothing or with some rows.
    fn failed(error: ApiError, nothing: bool) -> End {
        let outcome = if nothing { error.outcome() } else { Outcome::Truncated };
        End { outcome, failure: outcome.is_loss().then_some(error.failure), note: Some(error.words) }
    }
}

/// A file that could not be filled is a ledger entry alone: an empty one would say that there is nothing to tell.
fn put(run: &Run, path: &str, source: &str, rows: &[Value], end: End, started: Timestamp) {
    let nothing = rows.is_empty() && end.outcome != Outcome::Collected;
    let item = HostItem {
        path: path.to_owned(),
        bytes: if nothing { Vec::new() } else { probes::file(rows) },
        outcome: end.outcome,
        source: source.to_owned(),
        note: end.note,
        started,
        millis: Timestamp::now().duration_since(started).as_millis().max(0) as u64,
    };
    host::put_failed(run, item, end.failure);
}
