//! First words with the server: is it there, which version, what time does it have, do the namespaces exist.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::bundle::manifest::{ClockReading, Outcome};
use shared::bundle::paths;
use shared::lang::Lang;

use super::{Run, RunError};
use crate::cluster::api::{Api, JSON};
use crate::cluster::connect::Target;
use crate::cluster::error::{ApiError, Fault};
use crate::options::Options;
use crate::sink::Draft;

/// What the server said of itself.
pub struct Greeting {
    pub version: Option<String>,
    pub clock: Option<ClockReading>,
}

/// Asks for the version, which also shows whether the server can be reached and knows who asks.
pub async fn greet(api: &Api, run: &Run) -> Result<Greeting, ApiError> {
    let mut draft = Draft::new(paths::CLUSTER_VERSION, "GET /version");
    let before = (Timestamp::now(), Instant::now());
    let stream = api.open("/version", JSON).await?;
    let clock = stream
        .headers
        .get(http::header::DATE)
        .and_then(|date| date.to_str().ok())
        .and_then(|date| reading(date, before.0, before.1.elapsed()));
    drop(stream);
    let info: Value = api.fetch("/version", JSON, |body| serde_json::from_slice(&body)).await?;
    let version = info["gitVersion"].as_str().map(str::to_owned);
    let text = json!({"info": info, "string": version}).to_string();
    draft.push(text.as_bytes());
    draft.push(b"\n");
    run.sink.put(draft.finish(Outcome::Collected, None));
    Ok(Greeting { version, clock })
}

/// The server's clock against ours. `Date` is cut to whole seconds, and was written at some time of the round trip.
fn reading(date: &str, asked: Timestamp, round_trip: Duration) -> Option<ClockReading> {
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp() + SignedDuration::from_millis(500);
    let half = SignedDuration::try_from(round_trip / 2).ok()?;
    let skew = theirs.duration_since(asked + half);
    Some(ClockReading {
        clock: "apiserver".to_owned(),
        skew_ms: skew.as_millis() as i64,
        error_ms: 500 + half.as_millis() as i64,
        witness: "Date header".to_owned(),
    })
}

/// Checks the namespaces that the user named; only a clear "there is none" counts.
pub async fn namespaces_exist(api: &Api, options: &Options, target: &Target) -> Result<(), RunError> {
    for name in options.namespaces.iter().flatten() {
        let path = format!("/api/v1/namespaces/{name}");
        let answer = api.fetch(&path, JSON, |body| serde_json::from_slice::<Value>(&body)).await;
        if answer.is_err_and(|error| error.fault == Fault::NotFound) {
            return Err(RunError::NoNamespace { name: name.clone(), server: target.server() });
        }
    }
    Ok(())
}

/// What to tell the user when nothing can be asked of the server.
pub fn unreachable(lang: Lang, server: &str, error: &ApiError) -> String {
    let words = crate::messages::for_terminal(&error.words, 400);
    match (lang, error.fault) {
        (Lang::Zh, Fault::Unauthorized) => format!(
            "API server {server} 不接受当前身份：{words}\n提示：检查 kubeconfig 中的证书或 token 是否过期，可用 `kubectl get nodes` 验证。本机信息与文本仍会写入文件。"
        ),
        (Lang::En, Fault::Unauthorized) => format!(
            "the API server {server} does not know who asks: {words}\nhint: the certificate or token of the kubeconfig may have expired; `kubectl get nodes` shows the same. Facts of this machine and texts are still written."
        ),
        (Lang::Zh, _) => format!(
            "无法访问 API server {server}：{words}\n提示：在本机执行 `kubectl version` 验证；检查 hosts 解析、网络与 6443 端口。本机信息与文本仍会写入文件。"
        ),
        (Lang::En, _) => format!(
            "the API server {server} cannot be asked: {words}\nhint: try `kubectl version` on this machine; look at name resolution, the network and the server's port. Facts of this machine and texts are still written."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_clock_is_read_within_a_second() {
        let asked: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let reading = reading("Sun, 22 Nov 2026 08:05:00 GMT", asked, Duration::from_millis(200)).unwrap();
        assert_eq!(reading.skew_ms, 300_400);
        assert_eq!(reading.error_ms, 600);
    }
}
