//! First words with the server: is it there, which version, what time does it have, do the namespaces exist.

use serde::de::IgnoredAny;
use serde_json::{Value, json};
use shared::bundle::manifest::{ClockReading, Outcome};
use shared::bundle::paths;
use shared::lang::Lang;

use super::{Run, RunError};
use crate::cluster::api::{Api, JSON};
use crate::cluster::connect::Target;
use crate::cluster::error::{ApiError, Fault};
use crate::gather::lists::query_value;
use crate::options::Options;
use crate::probes::clock;
use crate::sink::Draft;

/// Of objects nothing but their names and labels.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";

/// What the server said of itself.
pub struct Greeting {
    pub version: Option<String>,
    pub clock: Option<ClockReading>,
}

/// Asks for the version, which also shows whether the server can be reached and knows who asks.
pub async fn greet(api: &Api, run: &Run) -> Result<Greeting, ApiError> {
    let mut draft = Draft::new(paths::CLUSTER_VERSION, "GET /version");
    let stream = api.open("/version", JSON).await?;
    let clock = clock::of_server(&stream.headers, stream.round_trip);
    drop(stream);
    let info: Value = api.fetch("/version", JSON, |body| serde_json::from_slice(&body)).await?;
    let version = info["gitVersion"].as_str().map(str::to_owned);
    let text = json!({"info": info, "string": version}).to_string();
    draft.push(text.as_bytes());
    draft.push(b"\n");
    run.sink.put(draft.finish(Outcome::Collected, None));
    Ok(Greeting { version, clock })
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

/// Has the server read the selector, by its own rules. Whoever may not list pods there learns it from the lists.
///
/// # Errors
/// When the server cannot make sense of it: no pod would be collected.
pub async fn selector_is_understood(api: &Api, options: &Options) -> Result<(), RunError> {
    let Some(selector) = &options.selector else { return Ok(()) };
    let place = match options.namespaces.iter().flatten().next() {
        Some(namespace) => format!("/api/v1/namespaces/{namespace}/pods"),
        None => "/api/v1/pods".to_owned(),
    };
    let path = format!("{place}?limit=1&labelSelector={}", query_value(selector));
    match api.fetch(&path, METADATA, |body| serde_json::from_slice::<IgnoredAny>(&body)).await {
        Err(error) if error.status == Some(400) => {
            Err(RunError::Selector { selector: selector.clone(), words: error.words })
        }
        _ => Ok(()),
    }
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
