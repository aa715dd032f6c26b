//! One log from the server into the bundle.
//!
//! The whole log is read where that is cheap, so that the bytes between head and tail can be counted. A log that does
//! not end within [`CHEAP`] bytes is not read on: the server is asked for its newest lines instead (it finds those
//! from the end), and how much lies between is then not known. `limitBytes` alone would not do: it cuts the end,
//! where the newest lines are.

use std::time::Duration;

use shared::bundle::manifest::{Outcome, Subject};
use shared::bundle::{paths, truncation};
use tokio::time::Instant;

use super::budget;
use super::head_tail::{HeadTail, Kept};
use super::worth::Wanted;
use crate::cluster::api::{Api, Stream};
use crate::cluster::error::{ApiError, Fault};
use crate::sink::{Draft, Finished, Sink, entry};
use shared::redact::{RedactError, Redactor, TextMasker};

/// Bytes of a log that are read to find its end.
const CHEAP: u64 = 16 << 20;
/// The same for a log of something healthy.
const CHEAP_HEALTHY: u64 = 4 << 20;
/// Longest time for one log.
const LONGEST: Duration = Duration::from_secs(60);
/// A log whose answer broke off is asked for again so many times in all.
const ATTEMPTS: u32 = 2;

/// How much of a log is kept.
#[derive(Debug, Clone, Copy)]
pub enum Keep {
    /// All of it, however long.
    All,
    /// Head and tail, so many bytes together.
    Most(u64),
}

/// A log with its path, request and subject.
pub struct Log<'a> {
    pub wanted: &'a Wanted,
    /// `sinceSeconds`
    pub since: Option<Duration>,
    /// UID of a pod whose place in the bundle is taken by another one of its name.
    pub gone: Option<&'a str>,
}

impl Log<'_> {
    fn path(&self) -> String {
        let Wanted { namespace, pod, container, previous, .. } = self.wanted;
        match self.gone {
            Some(uid) => paths::log(namespace, pod, &paths::gone(container, uid), *previous),
            None => paths::log(namespace, pod, container, *previous),
        }
    }

    fn request(&self, extra: &str) -> String {
        let Wanted { namespace, pod, container, previous, .. } = self.wanted;
        let mut path =
            format!("/api/v1/namespaces/{namespace}/pods/{pod}/log?container={container}&timestamps=true");
        if *previous {
            path += "&previous=true";
        }
        if let Some(since) = self.since {
            path += &format!("&sinceSeconds={}", since.as_secs().max(1));
        }
        path + extra
    }

    fn subject(&self) -> Subject {
        let Wanted { namespace, pod, container, node, .. } = self.wanted;
        Subject {
            kind: Some("Pod".to_owned()),
            namespace: Some(namespace.clone()),
            name: Some(pod.clone()),
            container: Some(container.clone()),
            node: node.clone(),
        }
    }

    /// A ledger entry for a log that left no file.
    pub fn without(&self, outcome: Outcome, note: String) -> shared::bundle::manifest::LedgerEntry {
        let mut missing = entry(&self.path(), format!("GET {}", self.request("")), outcome);
        missing.note = Some(note);
        missing.subject = self.subject();
        missing
    }
}

/// Reads one log; whatever comes of it is in the ledger at the end. Gives the server's words where it refuses this
/// user logs altogether.
pub async fn collect(api: &Api, sink: &Sink, masks: &Redactor, log: &Log<'_>, keep: Keep) -> Option<String> {
    let node = log.wanted.node.clone().unwrap_or_default();
    let pass = match api.breakers.pass(&node).await {
        Ok(pass) => pass,
        Err(first) => {
            let note = format!(
                "not asked for, since the kubelet of node {node} gave no answer before: {}",
                first.words
            );
            sink.note(log.without(first.outcome(), note));
            return None;
        }
    };
    match read(api, masks, log, keep).await {
        Ok(finished) => {
            pass.answered();
            sink.put(finished);
            None
        }
        Err(error) => {
            if error.blames_kubelet() {
                pass.failed(&error);
            } else if error.fault != Fault::Stopped {
                pass.answered();
            }
            sink.note(log.without(outcome_of(&error), error.words.clone()));
            (error.fault == Fault::Forbidden).then_some(error.words)
        }
    }
}

/// Puts a log into the bundle that was followed while its pod lived.
pub fn put_followed(sink: &Sink, masks: &Redactor, log: &Log<'_>, kept: Kept) {
    let draft = Draft::new(log.path(), format!("GET {}", log.request("&follow=true"))).about(log.subject());
    let missing = (kept.missing > 0).then_some(Some(kept.missing));
    match text_of(draft, masks, kept, missing, None) {
        Ok(finished) => sink.put(finished),
        Err(error) => sink.note(log.without(Outcome::Failed, error.words)),
    }
}

/// A container that has not run, or not before, has no log; that is an answer and not a failure.
fn outcome_of(error: &ApiError) -> Outcome {
    const NONE: &[&str] = &["is waiting to start", "previous terminated container", "not found"];
    if error.fault == Fault::Refused && NONE.iter().any(|words| error.words.contains(words)) {
        return Outcome::NotFound;
    }
    error.outcome()
}

async fn read(api: &Api, masks: &Redactor, log: &Log<'_>, keep: Keep) -> Result<Finished, ApiError> {
    let mut made = 0;
    loop {
        made += 1;
        match attempt(api, masks, log, keep).await {
            Err(error) if error.fault == Fault::Network && made < ATTEMPTS => {}
            end => return end,
        }
    }
}

async fn attempt(api: &Api, masks: &Redactor, log: &Log<'_>, keep: Keep) -> Result<Finished, ApiError> {
    let deadline = Instant::now() + LONGEST;
    let draft = Draft::new(log.path(), format!("GET {}", log.request(""))).about(log.subject());
    match keep {
        Keep::All => {
            let stream = api.open(&log.request(""), "*/*").await?;
            all(stream, draft, masks, deadline).await
        }
        Keep::Most(most) => {
            let cheap = if log.wanted.worth.is_vital() { CHEAP } else { CHEAP_HEALTHY }.max(most);
            let stream = api.open(&log.request(&format!("&limitBytes={cheap}")), "*/*").await?;
            ends(api, stream, draft, masks, log, most, cheap, deadline).await
        }
    }
}

/// The log as it comes, in the memory of one piece.
async fn all(
    mut stream: Stream,
    draft: Draft,
    masks: &Redactor,
    deadline: Instant,
) -> Result<Finished, ApiError> {
    let mut text = Masked::new(draft, masks);
    let broken = loop {
        match stream.chunk(deadline).await {
            Ok(Some(chunk)) => text.push(&chunk)?,
            Ok(None) => break None,
            Err(error) if text.draft.is_empty() => return Err(error),
            Err(error) => break Some(error.words),
        }
    };
    text.finish(None, broken)
}

#[expect(clippy::too_many_arguments, reason = "the parts of one reading, used nowhere else")]
async fn ends(
    api: &Api,
    mut stream: Stream,
    draft: Draft,
    masks: &Redactor,
    log: &Log<'_>,
    most: u64,
    cheap: u64,
    deadline: Instant,
) -> Result<Finished, ApiError> {
    let (head, tail) = budget::split(most);
    let mut kept = HeadTail::new(head, tail);
    let mut broken = None;
    loop {
        match stream.chunk(deadline).await {
            Ok(Some(chunk)) => kept.push(&chunk),
            Ok(None) => break,
            Err(error) if kept.total() == 0 => return Err(error),
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    drop(stream);
    let longer = kept.total() >= cheap;
    let lines = (tail / kept.mean_line().max(1)).clamp(100, 100_000);
    let mut kept = kept.finish();
    let mut missing = (kept.missing > 0).then_some(Some(kept.missing));
    // What broke off has its newest lines elsewhere, too.
    if (longer || broken.as_ref().is_some_and(|e| e.fault != Fault::Stopped))
        && kept.head.len() + kept.tail.len() > head
    {
        match newest(api, log, lines, tail, deadline).await {
            Ok(newer) => {
                if kept.missing == 0 {
                    kept.head.truncate(head);
                    super::head_tail::whole_lines_at_the_end(&mut kept.head);
                }
                kept.tail = newer;
                missing = Some(None);
                broken = None;
            }
            Err(error) => broken = broken.or(Some(error)),
        }
    }
    text_of(draft, masks, kept, missing, broken.map(|e| e.words))
}

/// Head, marker and tail through the masks. `missing`: there is a gap, of so many bytes where that is known.
fn text_of(
    draft: Draft,
    masks: &Redactor,
    kept: Kept,
    missing: Option<Option<u64>>,
    broken: Option<String>,
) -> Result<Finished, ApiError> {
    let Kept { head, tail, .. } = kept;
    let mut text = Masked::new(draft, masks);
    text.push(&head)?;
    if let Some(missing) = missing {
        if !head.ends_with(b"\n") {
            text.push(b"\n")?;
        }
        text.gap(missing)?;
        text.push(&tail)?;
    }
    text.finish(missing, broken)
}

/// The newest lines, no more than `most` bytes of them.
async fn newest(
    api: &Api,
    log: &Log<'_>,
    lines: usize,
    most: usize,
    deadline: Instant,
) -> Result<Vec<u8>, ApiError> {
    let mut stream = api.open(&log.request(&format!("&tailLines={lines}")), "*/*").await?;
    let mut kept = HeadTail::new(0, most);
    while let Some(chunk) = stream.chunk(deadline).await? {
        kept.push(&chunk);
    }
    let Kept { mut head, mut tail, .. } = kept.finish();
    head.append(&mut tail);
    Ok(head)
}

/// A text on its way through the masks.
struct Masked {
    draft: Draft,
    mask: TextMasker,
    out: Vec<u8>,
}

impl Masked {
    fn new(draft: Draft, masks: &Redactor) -> Self {
        Self { draft, mask: masks.text(), out: Vec::new() }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        self.mask.push(bytes, &mut self.out).map_err(unmasked)?;
        self.draft.push(&self.out);
        self.out.clear();
        Ok(())
    }

    fn gap(&mut self, missing: Option<u64>) -> Result<(), ApiError> {
        self.push(truncation::marker(missing).as_bytes())
    }

    fn finish(mut self, missing: Option<Option<u64>>, broken: Option<String>) -> Result<Finished, ApiError> {
        let counts = self.mask.finish(&mut self.out).map_err(unmasked)?;
        self.draft.push(&self.out);
        self.draft.redacted(&counts);
        let outcome = match (&missing, &broken) {
            (None, None) if self.draft.is_empty() => Outcome::Empty,
            (None, None) => Outcome::Collected,
            _ => Outcome::Truncated,
        };
        let mut finished = self.draft.finish(outcome, broken);
        finished.entry_mut().missing_bytes = missing.flatten();
        Ok(finished)
    }
}

fn unmasked(reason: RedactError) -> ApiError {
    ApiError::new(Fault::Refused, format!("left out because it could not be masked: {reason}"))
}
