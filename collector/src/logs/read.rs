//! One log from the server into the bundle.
//!
//! The whole log is read where that is cheap, so that the bytes between head and tail can be counted. A log that does
//! not end within [`CHEAP`] bytes is not read on: the server is asked for its newest lines instead (it finds those
//! from the end), and how much lies between is then not known. `limitBytes` alone would not do: it cuts the end,
//! where the newest lines are.
//!
//! Two hundred crash-looping pods with ten megabytes of log each would have the server carry two gigabytes for a number
//! in a marker. So all logs of a run share [`COUNTED`] bytes for counting, the worthiest first; of further long logs
//! just the head and then the newest lines are asked for, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shared::bundle::manifest::{LedgerEntry, Outcome, Subject};
use shared::bundle::paths;
use shared::redact::Redactor;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::budget;
use super::head_tail::{self, HeadTail, Kept};
use super::masked::{Masked, text_of};
use super::worth::Wanted;
use crate::cluster::api::Api;
use crate::cluster::error::{ApiError, Fault};
use crate::sink::{Draft, Finished, Sink, entry};
use crate::watch::memory::Run;

/// Bytes of a log that are read to find its end.
const CHEAP: u64 = 16 << 20;
/// The same for a log of something healthy.
const CHEAP_HEALTHY: u64 = 4 << 20;
/// Bytes of all logs of a run together that are read only to be counted.
const COUNTED: u64 = 64 << 20;
/// Longest time for the ends of one log.
const LONGEST: Duration = Duration::from_secs(60);
/// Longest time for a whole log; the run may end earlier.
const LONGEST_WHOLE: Duration = Duration::from_secs(3600);
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
    pub fn without(&self, outcome: Outcome, note: String) -> LedgerEntry {
        let mut missing = entry(&self.path(), format!("GET {}", self.request("")), outcome);
        missing.note = Some(note);
        missing.subject = self.subject();
        missing
    }

    /// The same for one that could not be read.
    fn failed(&self, error: &ApiError) -> LedgerEntry {
        let missing = self.without(outcome_of(error), error.words.clone());
        let failure = missing.outcome.is_loss().then_some(error.failure);
        LedgerEntry { failure, ..missing }
    }
}

/// Reads the logs of one run; holds what they share.
pub struct Reader {
    api: Arc<Api>,
    /// Bytes that may still be read to be counted.
    counting: AtomicU64,
    /// Logs that are read or masked at this time. A log is held in memory until it is masked, so more of them than
    /// there are requests under way would only take memory.
    slots: Semaphore,
}

impl Reader {
    pub fn new(api: Arc<Api>) -> Self {
        let slots = Semaphore::new(api.bounds().concurrency);
        Self { api, counting: AtomicU64::new(COUNTED), slots }
    }

    /// Reads one log; whatever comes of it is in the ledger at the end. Gives the server's words where it refuses this
    /// user logs altogether.
    pub async fn collect(&self, sink: &Sink, masks: &Redactor, log: &Log<'_>, keep: Keep) -> Option<String> {
        let node = log.wanted.node.clone().unwrap_or_default();
        let pass = match self.api.breakers.pass(&node).await {
            Ok(pass) => pass,
            Err(first) => {
                let note = format!(
                    "not asked for, since the kubelet of node {node} gave no answer before: {}",
                    first.words
                );
                sink.note(LedgerEntry { note: Some(note), ..log.failed(&first) });
                return None;
            }
        };
        let _slot = self.slots.acquire().await.expect("the semaphore is never closed");
        match self.read(masks, log, keep).await {
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
                sink.note(log.failed(&error));
                (error.fault == Fault::Forbidden).then_some(error.words)
            }
        }
    }

    async fn read(&self, masks: &Redactor, log: &Log<'_>, keep: Keep) -> Result<Finished, ApiError> {
        let mut made = 0;
        loop {
            made += 1;
            let draft = Draft::new(log.path(), format!("GET {}", log.request(""))).about(log.subject());
            let end = match keep {
                Keep::All => self.whole(masks, log, draft).await,
                Keep::Most(most) => self.ends(masks, log, draft, most).await,
            };
            match end {
                Err(error) if error.fault == Fault::Network && made < ATTEMPTS => {}
                end => return end,
            }
        }
    }

    /// The log as it comes, in the memory of one piece.
    async fn whole(&self, masks: &Redactor, log: &Log<'_>, draft: Draft) -> Result<Finished, ApiError> {
        let deadline = Instant::now() + LONGEST_WHOLE;
        let mut stream = self.api.open(&log.request(""), "*/*").await?;
        let mut text = Masked::new(draft, masks);
        let broken = loop {
            match stream.chunk(deadline).await {
                Ok(Some(chunk)) => text.push(&chunk)?,
                Ok(None) => break None,
                Err(error) if text.is_empty() => return Err(error),
                Err(error) => break Some(error.words),
            }
        };
        text.finish(None, broken)
    }

    /// Head and tail, `most` bytes together; all of it where it is no longer.
    async fn ends(
        &self,
        masks: &Redactor,
        log: &Log<'_>,
        draft: Draft,
        most: u64,
    ) -> Result<Finished, ApiError> {
        let deadline = Instant::now() + LONGEST;
        let (head, tail) = budget::split(most);
        let cheap = if log.wanted.worth.is_vital() { CHEAP } else { CHEAP_HEALTHY };
        let mut counting = self.count(cheap.saturating_sub(most));
        let limit = if counting.bytes > 0 { most + counting.bytes } else { head as u64 };
        let mut kept = HeadTail::new(head, tail);
        let mut broken = None;
        let mut stream = self.api.open(&log.request(&format!("&limitBytes={limit}")), "*/*").await?;
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
        counting.used(kept.total().saturating_sub(most));
        drop(counting);
        let longer = kept.total() >= limit;
        // What broke off has its newest lines elsewhere, too.
        let cut = broken.as_ref().is_some_and(|e| e.fault != Fault::Stopped) && kept.total() > head as u64;
        let lines = (tail / kept.mean_line().max(1)).clamp(100, 100_000);
        let mut kept = kept.finish();
        let mut missing = (kept.missing > 0).then_some(Some(kept.missing));
        if longer || cut {
            match self.newest(log, lines, tail, deadline).await {
                Ok(newer) => {
                    if kept.missing == 0 {
                        kept.head.truncate(head);
                        head_tail::whole_lines_at_the_end(&mut kept.head);
                    }
                    kept.tail = newer;
                    missing = (!kept.join()).then_some(None);
                    broken = None;
                }
                Err(error) => broken = broken.or(Some(error)),
            }
        }
        text_of(draft, masks, kept, missing, broken.map(|e| e.words))
    }

    /// The newest lines, no more than `most` bytes of them.
    async fn newest(
        &self,
        log: &Log<'_>,
        lines: usize,
        most: usize,
        deadline: Instant,
    ) -> Result<Vec<u8>, ApiError> {
        let mut stream = self.api.open(&log.request(&format!("&tailLines={lines}")), "*/*").await?;
        let mut kept = HeadTail::new(0, most);
        while let Some(chunk) = stream.chunk(deadline).await? {
            kept.push(&chunk);
        }
        let Kept { mut head, mut tail, .. } = kept.finish();
        head.append(&mut tail);
        Ok(head)
    }

    /// Takes up to `wanted` bytes of what may be read to be counted.
    fn count(&self, wanted: u64) -> Counting<'_> {
        let take = |left: u64| Some(left - left.min(wanted));
        let before = self.counting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        let before = before.expect("whatever is left, something is");
        Counting { left: &self.counting, bytes: before.min(wanted) }
    }
}

/// Bytes that one log may be read to be counted; what is not used is given back.
struct Counting<'a> {
    left: &'a AtomicU64,
    bytes: u64,
}

impl Counting<'_> {
    fn used(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        self.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// Puts a log into the bundle that was followed while its pod lived.
pub fn put_followed(sink: &Sink, masks: &Redactor, log: &Log<'_>, followed: Run) {
    let Run { kept, left } = followed;
    let draft = Draft::new(log.path(), format!("GET {}", log.request("&follow=true"))).about(log.subject());
    let missing = (kept.missing > 0).then_some(Some(kept.missing));
    match text_of(draft, masks, kept, missing, left) {
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use shared::bundle::truncation;

    use super::*;
    use crate::logs::worth::Worth;
    use crate::testing::{Answer, Place, server};

    fn text(lines: std::ops::Range<usize>) -> String {
        lines.map(|n| format!("2026-11-22T08:00:00.{n:09}Z line {n}\n")).collect()
    }

    fn number(path: &str, name: &str) -> Option<usize> {
        path.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    }

    /// Reads a log of so many lines, of which `most` bytes are to be kept, from a server that cuts as a kubelet does.
    /// Gives what is in the bundle, its ledger entry, and what was asked for.
    async fn collected(lines: usize, most: u64, counted: u64) -> (String, LedgerEntry, Vec<String>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let api = server({
            let asked = asked.clone();
            move |_, path| {
                asked.lock().unwrap().push(path.split("timestamps=true").nth(1).unwrap().to_owned());
                let newest = number(path, "tailLines").unwrap_or(lines);
                let mut text = text(lines.saturating_sub(newest)..lines);
                text.truncate(number(path, "limitBytes").unwrap_or(usize::MAX));
                Answer::Whole(200, "", text)
            }
        });
        let mut reader = Reader::new(Arc::new(api.await));
        reader.counting = AtomicU64::new(counted);
        let place = Place::new();
        let masks = Redactor::new(&[]).unwrap();
        let wanted = Wanted {
            namespace: "a".into(),
            pod: "p".into(),
            node: Some("n".into()),
            container: "c".into(),
            previous: false,
            worth: Worth::Unhealthy,
        };
        let log = Log { wanted: &wanted, since: None, gone: None };
        assert_eq!(reader.collect(&place.sink, &masks, &log, Keep::Most(most)).await, None);
        let entry = place.finish().ledger.remove(0);
        (place.read(&entry.path), entry, std::mem::take(&mut *asked.lock().unwrap()))
    }

    #[tokio::test]
    async fn while_there_is_room_for_it_the_gap_is_counted() {
        let (kept, entry, asked) = collected(20_000, 100_000, 1 << 30).await;
        assert_eq!(asked, ["&limitBytes=16777216"]);
        assert_eq!(entry.outcome, Outcome::Truncated);
        let marker = truncation::marker(entry.missing_bytes);
        assert_eq!(kept.len() - marker.len() + entry.missing_bytes.unwrap() as usize, text(0..20_000).len());
        assert!(kept.ends_with(&text(19_000..20_000)));
    }

    #[tokio::test]
    async fn without_that_room_only_the_ends_are_asked_for() {
        let (kept, entry, asked) = collected(20_000, 100_000, 0).await;
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked[0] == "&limitBytes=25000" && asked[1].starts_with("&tailLines="), "{asked:?}");
        assert_eq!((entry.outcome, entry.missing_bytes), (Outcome::Truncated, None));
        let (head, tail) = kept.split_once(&truncation::marker(None)).unwrap();
        assert!(head.len() > 24_000 && text(0..1000).starts_with(head), "{}", head.len());
        assert!(tail.len() > 70_000 && text(0..20_000).ends_with(tail), "{}", tail.len());
    }

    #[tokio::test]
    async fn a_log_that_is_no_longer_than_its_two_ends_is_whole() {
        for (lines, requests) in [(10, 1), (1000, 2), (1700, 2)] {
            let (kept, entry, asked) = collected(lines, 100_000, 0).await;
            assert_eq!(kept, text(0..lines));
            assert_eq!((entry.outcome, asked.len()), (Outcome::Collected, requests), "{lines} lines");
        }
    }

    #[tokio::test]
    async fn what_was_not_read_is_left_for_others_to_count() {
        let reader = Reader::new(Arc::new(server(|_, _| Answer::Silence).await));
        let mut first = reader.count(COUNTED - 10);
        assert_eq!((first.bytes, reader.count(100).bytes), (COUNTED - 10, 10));
        first.used(5);
        drop(first);
        assert_eq!(reader.counting.into_inner(), COUNTED - 5);
    }
}
