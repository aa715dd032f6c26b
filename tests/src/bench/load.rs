//! Filling a cluster: nodes, pods with a status, events; objects only, without anything that runs.

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use http::{Method, Request};
use kube::Client;
use serde_json::{Value, json};

/// Requests under way at one time.
const PARALLEL: usize = 32;
const NAMESPACES: usize = 20;
const NODES: usize = 10;
const TIME: &str = "2026-11-22T07:00:00Z";

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub pods: usize,
    pub events: usize,
    /// So many pods are crash-looping, spread evenly over all.
    pub unhealthy: usize,
}

/// Addresses of the nodes.
pub fn node_addresses() -> impl Iterator<Item = String> {
    (1..=NODES).map(|number| format!("10.0.7.{number}"))
}

impl Load {
    fn is_unhealthy(self, number: usize) -> bool {
        self.unhealthy > 0 && number.is_multiple_of((self.pods / self.unhealthy).max(1))
    }

    /// Name of a pod; that of an unhealthy one says so.
    fn pod(self, number: usize) -> String {
        let state = if self.is_unhealthy(number) { "bad" } else { "app" };
        format!("{state}-{}-{number:05}", number % 200)
    }

    /// Makes everything.
    ///
    /// # Errors
    /// When the server refuses an object.
    pub async fn fill(self, client: &Client) -> Result<()> {
        for number in 0..NAMESPACES {
            create(client, "/api/v1/namespaces", &json!({"metadata": {"name": namespace(number)}})).await?;
        }
        for (number, address) in node_addresses().enumerate() {
            let name = node(number);
            create(
                client,
                "/api/v1/nodes",
                &json!({"metadata": {"name": name, "labels": {"kubernetes.io/os": "linux"}}}),
            )
            .await?;
            let status = json!({"status": {
                "addresses": [{"type": "InternalIP", "address": address}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": TIME, "lastTransitionTime": TIME}],
                "capacity": {"cpu": "32", "memory": "128Gi", "pods": "600"},
                "allocatable": {"cpu": "32", "memory": "128Gi", "pods": "600"}
            }});
            patch_status(client, &format!("/api/v1/nodes/{name}"), &status).await?;
        }
        // The service account controller needs a moment before pods are admitted.
        for number in 0..NAMESPACES {
            let path = format!("/api/v1/namespaces/{}/serviceaccounts/default", namespace(number));
            while client.request_text(Request::get(&path).body(Vec::new())?).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
        }
        stream::iter(0..self.pods)
            .map(Ok)
            .try_for_each_concurrent(PARALLEL, |number| self.make_pod(client, number))
            .await?;
        stream::iter(0..self.events)
            .map(Ok)
            .try_for_each_concurrent(PARALLEL, |number| self.make_event(client, number))
            .await
    }

    async fn make_pod(self, client: &Client, number: usize) -> Result<()> {
        let (namespace, name) = (namespace(number % NAMESPACES), self.pod(number));
        let app = format!("app-{}", number % 200);
        let environment: Vec<Value> =
            (0..10).map(|key| json!({"name": format!("KEY_{key}"), "value": "v".repeat(40)})).collect();
        let pods = format!("/api/v1/namespaces/{namespace}/pods");
        let pod = json!({
            "metadata": {"name": name, "labels": {"app": app, "app.kubernetes.io/instance": "load"}},
            "spec": {
                "nodeName": node(number % NODES),
                "automountServiceAccountToken": false,
                "containers": [{
                    "name": "main", "image": "hub.bktencent.com/blueking/app:1", "env": environment,
                    "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}}
                }]
            }
        });
        create(client, &pods, &pod).await?;
        let unhealthy = self.is_unhealthy(number);
        let state = if unhealthy {
            json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}})
        } else {
            json!({"running": {"startedAt": TIME}})
        };
        let status = json!({"status": {
            "phase": "Running", "startTime": TIME, "podIP": format!("10.244.{}.{}", number / 250, number % 250),
            "conditions": [{"type": "Ready", "status": if unhealthy { "False" } else { "True" }, "lastTransitionTime": TIME}],
            "containerStatuses": [{
                "name": "main", "image": "hub.bktencent.com/blueking/app:1", "imageID": "app", "ready": !unhealthy,
                "restartCount": if unhealthy { 9 } else { 0 }, "state": state
            }]
        }});
        patch_status(client, &format!("{pods}/{name}"), &status).await
    }

    async fn make_event(self, client: &Client, number: usize) -> Result<()> {
        let of = number % self.pods.max(1);
        let (namespace, pod) = (namespace(of % NAMESPACES), self.pod(of));
        let event = json!({
            "metadata": {"name": format!("{pod}.{number:x}")},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": pod, "namespace": namespace},
            "reason": "BackOff", "message": format!("Back-off restarting failed container {number}"), "type": "Warning",
            "count": number % 50 + 1, "source": {"component": "kubelet", "host": node(of % NODES)},
            "firstTimestamp": TIME, "lastTimestamp": TIME
        });
        create(client, &format!("/api/v1/namespaces/{namespace}/events"), &event).await
    }
}

fn namespace(number: usize) -> String {
    format!("load-{number}")
}

fn node(number: usize) -> String {
    format!("node-10-0-7-{}", number + 1)
}

async fn create(client: &Client, path: &str, object: &Value) -> Result<()> {
    send(client, Method::POST, path, "application/json", object).await
}

async fn patch_status(client: &Client, path: &str, object: &Value) -> Result<()> {
    send(client, Method::PATCH, &format!("{path}/status"), "application/strategic-merge-patch+json", object)
        .await
}

async fn send(client: &Client, method: Method, path: &str, content: &str, object: &Value) -> Result<()> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Content-Type", content)
        .body(object.to_string().into_bytes())?;
    client.request_text(request).await.with_context(|| format!("cannot write {path}"))?;
    Ok(())
}
