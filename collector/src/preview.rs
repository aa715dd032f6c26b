//! `--dry-run`: what would be asked for, how much that is, and how long it would take.
//!
//! The server is asked for one object of each List and how many more there are, and for the table of the pods, which
//! says how many containers there are and how many of them are not well. Nothing is written.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use serde_json::Value;
use shared::lang::Lang;

use crate::cluster::api::{Api, JSON, TABLE};
use crate::cluster::connect;
use crate::cluster::discovery;
use crate::cluster::error::{ApiError, Fault};
use crate::gather::install;
use crate::gather::lists::{ListTask, Scope, query_value};
use crate::messages::{for_terminal, pick};
use crate::options::Options;
use crate::plan;
use crate::run::server::selector_is_understood;
use crate::run::{RunError, fallback};
use crate::stop::{Reason, Stop};
use crate::units::show_size;

/// How large one List is likely to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    pub source: String,
    /// Objects, or why they could not be counted.
    pub objects: Result<u64, ApiError>,
    pub bytes: u64,
}

/// Pods as their table shows them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Containers {
    pub healthy: u64,
    pub unhealthy: u64,
    /// Of the unhealthy ones, those that were restarted and have a previous log.
    pub restarted: u64,
}

/// Bytes of a log that nobody knows anything about yet.
const LIKELY_LOG: u64 = 60 << 10;
/// Nobody waits longer for a preview; what could not be asked by then says so.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a server gives and this program takes in, in bytes a second.
const SPEED: f64 = 15e6;

/// Asks, and prints the answer.
///
/// # Errors
/// When there is no cluster to ask.
pub async fn preview(options: &Options) -> Result<String, RunError> {
    let target = connect::find(&options.choice, options.bounds.request_timeout).await?;
    let stop = Stop::default();
    let api = Api::new(target.client(options.timeout).await?, options.bounds, stop.clone());
    let patience = PATIENCE.min(options.timeout);
    tokio::spawn(async move {
        tokio::time::sleep(patience).await;
        stop.request(Reason::Timeout);
    });
    let discovery = discovery::discover(&api)
        .await
        .map_err(|error| RunError::Unreachable { server: target.server(), words: error.words })?;
    selector_is_understood(&api, options).await?;
    let plan = plan::plan(options, &discovery);
    let mut estimates = estimate_all(&api, &plan.lists).await;
    let refused = plan.lists.iter().zip(&estimates).filter(|(task, estimate)| {
        let error = estimate.objects.as_ref().err();
        task.scope == Scope::Everywhere && error.is_some_and(|error| error.fault == Fault::Forbidden)
    });
    let refused: Vec<&ListTask> = refused.map(|(task, _)| task).collect();
    // As the collection will: where all namespaces at once may not be listed, one by one.
    let mut places = options.namespaces.clone();
    if !refused.is_empty() {
        let named = options.namespaces.as_deref();
        let namespaces = fallback::namespaces(named, names(&api).await, &target);
        let tasks = fallback::allowed(&api, refused.iter().copied(), &namespaces).await;
        estimates.extend(estimate_all(&api, &tasks).await);
        let pods = tasks.iter().filter(|task| task.resource.is("", "pods")).filter_map(ListTask::namespace);
        if refused.iter().any(|task| task.resource.is("", "pods")) {
            places = Some(pods.map(str::to_owned).collect());
        }
    }
    let containers = if plan.logs { containers(&api, options, places).await.ok() } else { None };
    let install = if plan.install { install::find(options.install_dir.as_deref()) } else { None };
    Ok(show(options, &target.server(), &estimates, containers, plan.helm, install.as_deref()))
}

async fn estimate_all(api: &Api, tasks: &[ListTask]) -> Vec<Estimate> {
    let each = tasks.iter().map(|task| estimate(api, task));
    futures::stream::iter(each).buffered(api.bounds().concurrency).collect().await
}

/// Names of the namespaces, where they may be listed.
async fn names(api: &Api) -> Vec<String> {
    let read = |body: Bytes| serde_json::from_slice::<Value>(&body);
    let Ok(list) = api.fetch("/api/v1/namespaces", JSON, read).await else { return Vec::new() };
    let items = list["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["metadata"]["name"].as_str()).map(str::to_owned).collect()
}

async fn estimate(api: &Api, task: &ListTask) -> Estimate {
    let mut path = format!("{}?limit=1&includeObject=Object", task.resource.path(task.namespace()));
    if task.content == crate::gather::page::Content::Metadata {
        path = path.replace("=Object", "=Metadata");
    }
    let answer = api.fetch(&path, TABLE, |body| count(&body)).await;
    match answer {
        Ok((objects, bytes)) => {
            Estimate { source: task.source(), objects: Ok(objects), bytes: objects * bytes }
        }
        Err(error) => Estimate { source: task.source(), objects: Err(error), bytes: 0 },
    }
}

/// How many objects there are, and the size of the first.
fn count(body: &Bytes) -> Result<(u64, u64), serde_json::Error> {
    let list: Value = serde_json::from_slice(body)?;
    let rows = ["rows", "items"].iter().find_map(|key| list[*key].as_array());
    let first = rows.and_then(|rows| rows.first());
    let size = first.map_or(0, |first| {
        let mut object = first.get("object").unwrap_or(first).clone();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.shift_remove("managedFields");
        }
        object.to_string().len() as u64
    });
    let more = list["metadata"]["remainingItemCount"].as_u64().unwrap_or(0);
    Ok((rows.map_or(0, Vec::len) as u64 + more, size))
}

async fn containers(
    api: &Api,
    options: &Options,
    places: Option<Vec<String>>,
) -> Result<Containers, ApiError> {
    let places: Vec<String> = match places {
        Some(named) => named.iter().map(|ns| format!("/api/v1/namespaces/{ns}/pods")).collect(),
        None => vec!["/api/v1/pods".to_owned()],
    };
    let mut sum = Containers::default();
    for place in places {
        let mut next = String::new();
        loop {
            let mut path = format!("{place}?limit=1000&includeObject=None");
            if let Some(selector) = &options.selector {
                path += &format!("&labelSelector={}", query_value(selector));
            }
            if !next.is_empty() {
                path += &format!("&continue={}", query_value(&next));
            }
            let table: Value = api.fetch(&path, TABLE, |body| serde_json::from_slice(&body)).await?;
            table["rows"].as_array().into_iter().flatten().for_each(|row| sum.add(&row["cells"]));
            next = table["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
            if next.is_empty() {
                break;
            }
        }
    }
    Ok(sum)
}

impl Containers {
    /// NAME READY STATUS RESTARTS …; READY is `1/2`, RESTARTS a number that newer servers follow with a time.
    fn add(&mut self, cells: &Value) {
        let ready = cells[1].as_str().and_then(|ready| ready.split_once('/'));
        let Some((ready, all)) =
            ready.and_then(|(r, a)| Some((r.parse::<u64>().ok()?, a.parse::<u64>().ok()?)))
        else {
            return;
        };
        let status = cells[2].as_str().unwrap_or_default();
        if (status == "Running" && ready == all) || status == "Completed" {
            self.healthy += all;
            return;
        }
        self.unhealthy += all;
        let restarts = match &cells[3] {
            Value::String(text) => text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0),
            number => number.as_u64().unwrap_or(0),
        };
        if restarts > 0 {
            self.restarted += all;
        }
    }
}

fn failed(estimate: &Estimate, error: &ApiError) -> String {
    format!("{:>9} {:>10}  {}: {}\n", "-", "-", estimate.source, for_terminal(&error.words, 160))
}

fn show(
    options: &Options,
    server: &str,
    estimates: &[Estimate],
    containers: Option<Containers>,
    helm: bool,
    install: Option<&std::path::Path>,
) -> String {
    let lang = options.lang;
    let mut out = format!("{}: {server}\n", pick(lang, "集群", "cluster"));
    let (mut requests, mut bytes) = (estimates.len() as u64, 0);
    out += &format!("{:>9} {:>10}\n", pick(lang, "对象数", "objects"), pick(lang, "约", "about"));
    let mut refused = Vec::new();
    for estimate in estimates {
        match &estimate.objects {
            Ok(objects) => {
                bytes += estimate.bytes;
                requests += estimate.bytes >> 21;
                out += &format!("{objects:>9} {:>10}  {}\n", show_size(estimate.bytes), estimate.source);
            }
            Err(error) if error.fault == Fault::Forbidden => refused.push((estimate, error)),
            Err(error) => out += &failed(estimate, error),
        }
    }
    if let Some((estimate, error)) = refused.first() {
        out += &failed(estimate, error);
        let more = refused.len() - 1;
        out += &match lang {
            _ if more == 0 => String::new(),
            Lang::Zh => format!("{:>20}  另有 {more} 种资源没有权限读取\n", ""),
            Lang::En => format!("{:>20}  and {more} more lists that may not be read\n", ""),
        };
    }
    if let Some(containers) = containers {
        let healthy = containers.healthy.min(options.logs.healthy as u64);
        let logs = containers.unhealthy + containers.restarted + healthy;
        let size = logs * LIKELY_LOG;
        requests += logs;
        bytes += size;
        out += &match lang {
            Lang::Zh => format!(
                "{logs:>9} {:>10}  容器日志（异常容器 {}，其上次运行 {}，正常容器 {healthy}/{}）\n",
                show_size(size),
                containers.unhealthy,
                containers.restarted,
                containers.healthy
            ),
            Lang::En => format!(
                "{logs:>9} {:>10}  container logs (unhealthy {}, their previous runs {}, healthy {healthy} of {})\n",
                show_size(size),
                containers.unhealthy,
                containers.restarted,
                containers.healthy
            ),
        };
    }
    if helm {
        out += pick(
            lang,
            "          helm release 记录（仅元数据）\n",
            "          helm release records (metadata only)\n",
        );
    }
    if options.host {
        out += pick(
            lang,
            "          本机信息（不含环境变量的值与进程参数）\n",
            "          facts of this machine (no values of its environment, no arguments of processes)\n",
        );
    }
    if let Some(path) = install {
        out +=
            &format!("          {}: {}\n", pick(lang, "安装目录", "installation directory"), path.display());
    }
    for text in &options.texts {
        out += &format!("          {}: {}\n", pick(lang, "文本", "text"), text.display());
    }
    let seconds = (requests as f64 / options.bounds.qps).max(bytes as f64 / SPEED).ceil() + 2.0;
    let most = if options.max_size == u64::MAX { bytes / 6 } else { options.max_size.min(bytes / 6) };
    out += &match lang {
        Lang::Zh => format!(
            "约 {requests} 个请求，{seconds} 秒；压缩前约 {}，文件约 {}\n\
             不会读取：Secret 的内容（helm 记录在内存中解码，仅保留元数据）。\n\
             会被替换为标记：名称像密码、密钥、令牌的字段与环境变量的值，URL 中的密码，私钥，JWT，以及任何文件中再次出现的同一个值。\n\
             以上仅为预览，未写入任何内容。\n",
            show_size(bytes),
            show_size(most)
        ),
        Lang::En => format!(
            "about {requests} requests, {seconds} s; about {} before compression, a file of about {}\n\
             never read: the content of Secrets (helm's records are decoded in memory, of which only metadata is kept).\n\
             replaced by marks: values of fields and variables named like passwords, keys or tokens, passwords in URLs,\n\
             private keys, JSON web tokens, and the same values wherever else they stand.\n\
             This was a preview; nothing was written.\n",
            show_size(bytes),
            show_size(most)
        ),
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_count_is_what_is_there_and_what_remains() {
        let body = Bytes::from(
            json!({"kind": "Table", "metadata": {"remainingItemCount": 41}, "rows": [{}]}).to_string(),
        );
        assert_eq!(count(&body).unwrap().0, 42);
        let empty = Bytes::from_static(br#"{"kind":"PodList","metadata":{},"items":[]}"#);
        assert_eq!(count(&empty).unwrap().0, 0);
    }

    #[test]
    fn containers_are_counted_from_the_table() {
        let mut sum = Containers::default();
        for cells in [
            json!(["a", "2/2", "Running", 0]),
            json!(["b", "0/1", "CrashLoopBackOff", "5 (3m ago)"]),
            json!(["c", "0/1", "Completed", 0]),
            json!(["d", "1/2", "Running", 0]),
            json!(["broken"]),
        ] {
            sum.add(&cells);
        }
        assert_eq!(sum, Containers { healthy: 3, unhealthy: 3, restarted: 1 });
    }
}
