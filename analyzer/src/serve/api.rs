//! From a request to its answer.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::json;

use super::cluster::{Cluster, Kind};
use super::discovery;
use super::lists::{self, Query};
use super::logs::{self, LogQuery};
use super::reply::{Refusal, Reply};
use super::reviews;
use super::views::View;

/// What is asked, as far as the answer depends on it.
#[derive(Debug, Default)]
pub struct Request {
    pub method: String,
    /// As it stands in the request line.
    pub path: String,
    pub query: String,
    pub accept: String,
    /// It wants the connection for something else: exec, attach, port-forward.
    pub upgrade: bool,
    pub body: Vec<u8>,
}

const DISCOVERY_V2: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const DISCOVERY_V2_BETA: &str = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
const OPENAPI_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// Answers a request.
pub fn answer(cluster: &Cluster, request: &Request) -> Reply {
    route(cluster, request).unwrap_or_else(Reply::from)
}

fn route(cluster: &Cluster, request: &Request) -> Result<Reply, Refusal> {
    let decoded = percent_decode_str(request.path.trim_matches('/')).decode_utf8();
    let path = decoded.map_err(|_| Refusal::bad_request("the path is no UTF-8"))?;
    let segments: Vec<&str> = path.split('/').collect();
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return review(cluster, request, &segments).ok_or_else(|| cluster.refuse_change());
    }
    let aggregated = |core| {
        let aggregated = |version, kind| {
            let body = discovery::aggregated(cluster, core, version).to_string();
            Reply::new(200, kind, body.into())
        };
        let clause = request.accept.split(',').find(|clause| clause.contains("as=APIGroupDiscoveryList"))?;
        if clause.contains("v=v2beta1") {
            Some(aggregated("v2beta1", DISCOVERY_V2_BETA))
        } else {
            clause.contains("v=v2").then(|| aggregated("v2", DISCOVERY_V2))
        }
    };
    let nothing = || Refusal::not_found("the server could not find the requested resource");
    match segments[..] {
        [""] => Ok(Reply::json(&discovery::root(cluster))),
        ["version"] => Ok(Reply::json(&cluster.version)),
        ["healthz" | "livez" | "readyz", ..] => Ok(Reply::text("ok")),
        ["openapi", "v2"] if request.accept.contains("protobuf") => {
            Ok(Reply::new(200, OPENAPI_PROTOBUF, Default::default()))
        }
        ["openapi", "v2"] => Ok(Reply::json(&json!({"swagger": "2.0", "paths": {}, "definitions": {},
            "info": {"title": "Kubernetes", "version": cluster.version["gitVersion"]}}))),
        ["openapi", "v3"] => Ok(Reply::json(&json!({"paths": {}}))),
        ["api"] => Ok(aggregated(true).unwrap_or_else(|| Reply::json(&discovery::core_versions()))),
        ["apis"] => Ok(aggregated(false).unwrap_or_else(|| Reply::json(&discovery::group_list(cluster)))),
        ["api", version] => {
            discovery::resources(cluster, "", version).map(|list| Reply::json(&list)).ok_or_else(nothing)
        }
        ["apis", group] => {
            discovery::group(cluster, group).map(|group| Reply::json(&group)).ok_or_else(nothing)
        }
        ["apis", group, version] => {
            discovery::resources(cluster, group, version).map(|list| Reply::json(&list)).ok_or_else(nothing)
        }
        ["api", version, ref rest @ ..] => objects(cluster, request, ("", version), rest),
        ["apis", group, version, ref rest @ ..] => objects(cluster, request, (group, version), rest),
        _ => Err(nothing()),
    }
}

/// What is below a group version.
fn objects(
    cluster: &Cluster,
    request: &Request,
    (group, version): (&str, &str),
    rest: &[&str],
) -> Result<Reply, Refusal> {
    let kind = |plural: &str| {
        cluster
            .kind(group, version, plural)
            .ok_or_else(|| Refusal::not_found("the server could not find the requested resource"))
    };
    let parameters = parameters(&request.query);
    let view = || View::of(&request.accept, parameters.get("includeObject").map_or("", String::as_str));
    let list = |kind: &Kind, namespace: Option<&str>| {
        lists::list(cluster, kind, namespace, &query(&parameters)?, view()?)
    };
    let in_namespace = |kind: &Kind| {
        let refusal = || Refusal::not_found(format!("{} are not in namespaces", kind.resource.plural));
        kind.resource.namespaced.then_some(()).ok_or_else(refusal)
    };
    match *rest {
        [plural] => list(kind(plural)?, None),
        ["namespaces", name] => lists::get(cluster, kind("namespaces")?, None, name, view()?),
        ["namespaces", namespace, plural] => {
            let kind = kind(plural)?;
            in_namespace(kind)?;
            list(kind, Some(namespace))
        }
        ["namespaces", namespace, plural, name] => {
            let kind = kind(plural)?;
            in_namespace(kind)?;
            lists::get(cluster, kind, Some(namespace), name, view()?)
        }
        ["namespaces", namespace, "pods", pod, "log"] if group.is_empty() => {
            logs::log(cluster, namespace, pod, &log_query(&parameters)?)
        }
        ["namespaces", _, _, _, _, ..] if request.upgrade => Err(cluster.refuse_change()),
        ["namespaces", _, "pods", _, "exec" | "attach" | "portforward" | "proxy", ..]
        | ["namespaces", _, "services", _, "proxy", ..]
        | ["nodes", _, "proxy", ..] => Err(cluster.refuse_change()),
        [plural, name] => {
            let kind = kind(plural)?;
            if kind.resource.namespaced {
                return Err(Refusal::not_found(format!("{plural} are in namespaces")));
            }
            lists::get(cluster, kind, None, name, view()?)
        }
        _ => Err(Refusal::not_found("the server could not find the requested resource")),
    }
}

/// The questions that are asked by POST.
fn review(cluster: &Cluster, request: &Request, segments: &[&str]) -> Option<Reply> {
    if request.method != "POST" {
        return None;
    }
    let body = reviews::read(&request.body);
    let answer = match segments {
        ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"] => reviews::access(cluster, body),
        ["apis", "authorization.k8s.io", "v1", "selfsubjectrulesreviews"] => {
            reviews::rules(&body["spec"]["namespace"])
        }
        ["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"] => reviews::whoami(),
        _ => return None,
    };
    let mut reply = Reply::json(&answer);
    reply.code = 201;
    Some(reply)
}

/// The parameters of a query; of one that is given twice, the last.
fn parameters(query: &str) -> HashMap<String, String> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| (decode(k), decode(v)))
        .collect()
}

/// A parameter of a type that can be read from text.
///
/// # Errors
/// When it is of another.
fn parsed<T: std::str::FromStr>(
    parameters: &HashMap<String, String>,
    key: &str,
) -> Result<Option<T>, Refusal> {
    match parameters.get(key).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|_| Refusal::bad_request(format!("{key} is {text:?}, which cannot be read"))),
    }
}

/// A flag; the server takes `true`, `1` and its name alone for yes.
fn flag(parameters: &HashMap<String, String>, key: &str) -> bool {
    parameters.get(key).is_some_and(|text| !matches!(text.as_str(), "false" | "0"))
}

fn query(parameters: &HashMap<String, String>) -> Result<Query, Refusal> {
    let text = |key: &str| parameters.get(key).cloned().unwrap_or_default();
    Ok(Query {
        labels: text("labelSelector"),
        fields: text("fieldSelector"),
        limit: parsed(parameters, "limit")?.unwrap_or_default(),
        token: text("continue"),
        watch: flag(parameters, "watch"),
        bookmarks: flag(parameters, "allowWatchBookmarks"),
        initial_events: flag(parameters, "sendInitialEvents"),
        resource_version: text("resourceVersion"),
        timeout: parsed(parameters, "timeoutSeconds")?,
    })
}

fn log_query(parameters: &HashMap<String, String>) -> Result<LogQuery, Refusal> {
    Ok(LogQuery {
        container: parameters.get("container").filter(|name| !name.is_empty()).cloned(),
        previous: flag(parameters, "previous"),
        timestamps: flag(parameters, "timestamps"),
        tail: parsed(parameters, "tailLines")?,
        since: parsed(parameters, "sinceSeconds")?,
        since_time: parsed(parameters, "sinceTime")?,
        limit: parsed(parameters, "limitBytes")?,
    })
}
