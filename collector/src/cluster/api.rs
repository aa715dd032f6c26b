//! Requests to the API server: paced, bounded, timed, tried again where that may help.
//!
//! The kube crate makes the connection (TLS, proxies, tokens, exec plugins); its own retries and its decompression
//! are turned off, the first so that every attempt is counted and paced here, the second because compressing costs
//! the server more than the bytes cost a local network.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::client::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout_at};

use super::breaker::Breakers;
use super::error::{ApiError, Fault};
use super::login;
use super::pace::Pace;
use super::retry::RetryPolicy;
use crate::messages::ended_before;
use crate::stop::Stop;

/// `Accept` of a plain object or List.
pub const JSON: &str = "application/json";
/// `Accept` of the server's own Table; servers that make none of this resource send the plain List.
pub const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
/// `Accept` of a List without the objects' content.
pub const METADATA: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

/// An answer larger than this is refused rather than held in memory.
const LARGEST_ANSWER: usize = 256 << 20;
/// As much of an error's body as is read.
const LARGEST_ERROR: usize = 64 << 10;

/// Longer than any run.
pub const FOREVER: Duration = Duration::from_secs(365 * 86400);

/// Bounds on what a run asks of the server.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Requests a second, on average.
    pub qps: f64,
    /// Requests under way at the same time.
    pub concurrency: usize,
    /// Longest wait for the beginning of an answer, and for each next piece of it.
    pub request_timeout: Duration,
}

/// The API server as all tasks of a run share it.
pub struct Api {
    client: kube::Client,
    pace: Pace,
    permits: Arc<Semaphore>,
    policy: RetryPolicy,
    bounds: Bounds,
    stop: Stop,
    requests: AtomicU64,
    /// What is known of the nodes' kubelets.
    pub breakers: Breakers,
}

impl Api {
    pub fn new(client: kube::Client, bounds: Bounds, stop: Stop) -> Self {
        let burst = (bounds.qps * 2.0).ceil().max(1.0) as u32;
        Self {
            client,
            pace: Pace::new(bounds.qps, burst),
            permits: Arc::new(Semaphore::new(bounds.concurrency.max(1))),
            policy: RetryPolicy::default(),
            bounds,
            stop,
            requests: AtomicU64::new(0),
            breakers: Breakers::default(),
        }
    }

    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Requests sent so far, repeated ones included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The whole answer to a GET of `path`, as `read` understands it. An answer that `read` cannot understand
    /// counts as garbled and is asked for again.
    pub async fn fetch<T>(
        &self,
        path: &str,
        accept: &str,
        read: impl Fn(Bytes) -> Result<T, serde_json::Error>,
    ) -> Result<T, ApiError> {
        self.retrying(|| async {
            let deadline = Instant::now() + self.bounds.request_timeout * 3;
            let mut stream = self.ask(Ask::get(path, accept)).await?;
            let body = stream.rest(deadline).await?;
            read(body).map_err(|e| {
                ApiError::new(Fault::Garbled, format!("the answer to GET {path} is not readable: {e}"))
            })
        })
        .await
    }

    /// The answer to a POST of a review object, such as `SelfSubjectRulesReview`; nothing is stored by the server.
    pub async fn review(&self, path: &str, body: &serde_json::Value) -> Result<serde_json::Value, ApiError> {
        let body = Bytes::from(body.to_string());
        self.retrying(|| async {
            let deadline = Instant::now() + self.bounds.request_timeout * 3;
            let mut stream = self.ask(Ask { post: Some(body.clone()), ..Ask::get(path, JSON) }).await?;
            let answer = stream.rest(deadline).await?;
            serde_json::from_slice(&answer).map_err(|e| ApiError::new(Fault::Garbled, e.to_string()))
        })
        .await
    }

    /// The beginning of an answer that is read piece by piece.
    pub async fn open(&self, path: &str, accept: &str) -> Result<Stream, ApiError> {
        self.retrying(|| self.ask(Ask::get(path, accept))).await
    }

    /// An answer that goes on as long as the server has something to say: a watch, or a log that is followed. It
    /// counts neither as a request under way nor as idle while nothing is said. `patience`: for its beginning, which of
    /// a log comes with the first line only.
    pub async fn follow(&self, path: &str, accept: &str, patience: Duration) -> Result<Stream, ApiError> {
        let ask = || Ask { follow: Some(patience), ..Ask::get(path, accept) };
        let mut stream = self.retrying(|| self.ask(ask())).await?;
        stream.idle = FOREVER;
        Ok(stream)
    }

    async fn retrying<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let mut made = 0;
        loop {
            made += 1;
            let error = match attempt().await {
                Ok(value) => {
                    self.pace.recover();
                    return Ok(value);
                }
                Err(error) => error,
            };
            match error.fault {
                Fault::Busy | Fault::TimedOut => self.pace.slow_down(),
                Fault::Server if !error.blames_kubelet() => self.pace.slow_down(),
                _ => {}
            }
            let Some(wait) = self.policy.wait(made, &error, fastrand::f64()) else { return Err(error) };
            tokio::select! {
                _ = sleep(wait) => {}
                _ = self.stop.requested() => return Err(error),
            }
        }
    }

    /// One attempt, up to the answer's head.
    async fn ask(&self, ask: Ask<'_>) -> Result<Stream, ApiError> {
        tokio::select! {
            biased;
            reason = self.stop.requested() => Err(stopped(reason)),
            answer = self.ask_unless_stopped(ask) => answer,
        }
    }

    async fn ask_unless_stopped(&self, ask: Ask<'_>) -> Result<Stream, ApiError> {
        let permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        let permit = Some(permit).filter(|_| ask.follow.is_none());
        let patience = ask.follow.unwrap_or(self.bounds.request_timeout);
        sleep(self.pace.take(Instant::now())).await;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request = ask.request()?;
        let (asked, begun) = (Timestamp::now(), Instant::now());
        let deadline = begun + patience;
        let answer = match timeout_at(deadline, self.client.send(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(from_kube(error)),
            Err(_) => return Err(silent("no answer", patience)),
        };
        let (head, body) = answer.into_parts();
        let mut stream = Stream {
            body,
            headers: head.headers,
            status: head.status,
            round_trip: RoundTrip { asked, took: begun.elapsed() },
            idle: self.bounds.request_timeout,
            stop: self.stop.clone(),
            _permit: permit,
        };
        if head.status.is_success() {
            return Ok(stream);
        }
        let retry_after = retry_after(&stream.headers);
        let words = stream.some(LARGEST_ERROR, deadline).await;
        Err(ApiError::from_answer(head.status.as_u16(), &words, retry_after))
    }
}

struct Ask<'a> {
    path: &'a str,
    accept: &'a str,
    post: Option<Bytes>,
    /// Set for an answer that is followed: how long to wait for its beginning.
    follow: Option<Duration>,
}

impl<'a> Ask<'a> {
    fn get(path: &'a str, accept: &'a str) -> Self {
        Self { path, accept, post: None, follow: None }
    }

    fn request(self) -> Result<Request<Body>, ApiError> {
        let builder = Request::builder().uri(self.path).header(header::ACCEPT, self.accept);
        let request = match self.post {
            None => builder.body(Body::empty()),
            Some(body) => builder.method("POST").header(header::CONTENT_TYPE, JSON).body(Body::from(body)),
        };
        request.map_err(|e| ApiError::new(Fault::Refused, format!("cannot ask for {}: {e}", self.path)))
    }
}

/// When a request went out, and how long the head of its answer took; without the wait for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    pub asked: Timestamp,
    pub took: Duration,
}

/// An answer that is being read. It counts as a request under way until it is dropped.
pub struct Stream {
    body: Body,
    pub headers: HeaderMap,
    pub status: StatusCode,
    pub round_trip: RoundTrip,
    idle: Duration,
    stop: Stop,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Stream {
    /// The next piece, `None` at the end; waits no longer than the request time-out and not past `deadline`.
    pub async fn chunk(&mut self, deadline: Instant) -> Result<Option<Bytes>, ApiError> {
        loop {
            let until = deadline.min(Instant::now() + self.idle);
            let frame = tokio::select! {
                biased;
                reason = self.stop.requested() => return Err(stopped(reason)),
                frame = timeout_at(until, self.body.frame()) => frame,
            };
            match frame {
                Err(_) => return Err(silent("no more of the answer", self.idle)),
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => {
                    let mut error = from_kube(error);
                    error.words = format!("the answer broke off: {}", error.words);
                    return Err(error);
                }
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// Bounds the wait for the next piece of an answer that is followed.
    pub fn no_longer_silent_than(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    async fn rest(&mut self, deadline: Instant) -> Result<Bytes, ApiError> {
        let mut all = BytesMut::new();
        while let Some(chunk) = self.chunk(deadline).await? {
            if all.len() + chunk.len() > LARGEST_ANSWER {
                let words = format!("the answer is larger than {} MiB", LARGEST_ANSWER >> 20);
                return Err(ApiError::new(Fault::Refused, words));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// What can be had of an error's body; what breaks off is left at that.
    async fn some(&mut self, most: usize, deadline: Instant) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < most {
            match self.chunk(deadline).await {
                Ok(Some(chunk)) => all.extend_from_slice(&chunk[..chunk.len().min(most - all.len())]),
                Ok(None) | Err(_) => break,
            }
        }
        all
    }
}

fn silent(what: &str, after: Duration) -> ApiError {
    ApiError::new(Fault::TimedOut, format!("{what} within {} s", after.as_secs_f64()))
}

fn stopped(reason: crate::stop::Reason) -> ApiError {
    ApiError::new(Fault::Stopped, ended_before("this was asked for", reason))
}

fn from_kube(error: kube::Error) -> ApiError {
    match &error {
        kube::Error::Auth(inner) => ApiError::login(login::words(inner, None)),
        kube::Error::HyperError(inner) => ApiError::from_transport(inner),
        kube::Error::Service(inner) => ApiError::from_transport(&**inner),
        other => ApiError::from_transport(other),
    }
}

/// `Retry-After` in seconds; the form with a date is not used by API servers.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
