//! Following a collection: the server's watch, taken up again wherever it broke off.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep};

use crate::cluster::api::{Api, JSON, Stream};
use crate::cluster::error::{ApiError, Fault};
use crate::gather::lists::query_value;

/// An event larger than this ends the watch; it is taken up behind it.
const LONGEST: usize = 16 << 20;
/// The server ends a watch after this, and it is taken up where it ended: a connection that died without a word, as
/// behind a firewall that forgot it, is noticed soon.
const LASTS: Duration = Duration::from_secs(60);
/// Time beyond it that the server gets to end it.
const LATE: Duration = Duration::from_secs(15);
/// Wait after a failure.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// Hands every object that appears, changes or goes to `seen`, until dropped. Objects that are there already and stay
/// as they are do not come. `begun` is emptied once nothing that appears is missed any more.
///
/// # Errors
/// When the server refuses; anything else is tried again.
pub async fn follow<T>(
    api: &Api,
    path: &str,
    selector: Option<&str>,
    begun: &mut Option<T>,
    mut seen: impl FnMut(&str),
) -> Result<(), ApiError> {
    let selector = selector.map(|s| format!("&labelSelector={}", query_value(s))).unwrap_or_default();
    let mut version = String::new();
    loop {
        let end = async {
            if version.is_empty() {
                let first = format!("{path}?limit=1{selector}");
                let list: Value = api.fetch(&first, JSON, |body| serde_json::from_slice(&body)).await?;
                version = list["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
            }
            let seconds = LASTS.as_secs();
            let watch = format!(
                "{path}?watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={version}{selector}"
            );
            let stream = api.follow(&watch, JSON, api.bounds().request_timeout).await?;
            let stream = stream.no_longer_silent_than(LASTS + LATE);
            *begun = None;
            events(stream, &mut version, &mut seen).await
        };
        match end.await {
            Ok(()) => {}
            Err(error) if matches!(error.fault, Fault::Forbidden | Fault::Unauthorized | Fault::Stopped) => {
                return Err(error);
            }
            Err(error) if error.fault == Fault::Gone => version.clear(),
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn events(
    mut stream: Stream,
    version: &mut String,
    seen: &mut impl FnMut(&str),
) -> Result<(), ApiError> {
    let never = Instant::now() + Duration::from_secs(365 * 86400);
    let mut pending: Vec<u8> = Vec::new();
    while let Some(chunk) = stream.chunk(never).await? {
        pending.extend_from_slice(&chunk);
        let mut begin = 0;
        while let Some(length) = memchr::memchr(b'\n', &pending[begin..]) {
            take(&pending[begin..begin + length], version, seen)?;
            begin += length + 1;
        }
        pending.drain(..begin);
        if pending.len() > LONGEST {
            return Err(ApiError::new(Fault::Garbled, "an event of the watch has no end"));
        }
    }
    Ok(())
}

fn take(line: &[u8], version: &mut String, seen: &mut impl FnMut(&str)) -> Result<(), ApiError> {
    let garbled = |e: serde_json::Error| {
        ApiError::new(Fault::Garbled, format!("an event of the watch is not readable: {e}"))
    };
    let event: Event = serde_json::from_slice(line).map_err(garbled)?;
    if event.kind == "ERROR" {
        let status: Value = serde_json::from_str(event.object.get()).map_err(garbled)?;
        let code = status["code"].as_u64().unwrap_or(500) as u16;
        return Err(ApiError::from_answer(code, event.object.get().as_bytes(), None));
    }
    #[derive(Deserialize)]
    struct Object {
        metadata: Meta,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Meta {
        resource_version: String,
    }
    let object: Object = serde_json::from_str(event.object.get()).map_err(garbled)?;
    *version = object.metadata.resource_version;
    if event.kind != "BOOKMARK" {
        seen(event.object.get());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_move_the_place_from_which_the_watch_goes_on() {
        let mut version = String::new();
        let mut seen = Vec::new();
        let mut push = |json: &str| seen.push(json.to_owned());
        take(
            br#"{"type":"ADDED","object":{"metadata":{"resourceVersion":"5","name":"a"}}}"#,
            &mut version,
            &mut push,
        )
        .unwrap();
        take(
            br#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"#,
            &mut version,
            &mut push,
        )
        .unwrap();
        assert_eq!(version, "9");
        assert_eq!(seen, [r#"{"metadata":{"resourceVersion":"5","name":"a"}}"#]);
    }

    #[test]
    fn a_watch_that_is_too_old_begins_anew() {
        let line =
            br#"{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version"}}"#;
        let error = take(line, &mut String::new(), &mut |_: &str| {}).unwrap_err();
        assert_eq!((error.fault, error.words.as_str()), (Fault::Gone, "too old resource version"));
    }
}
