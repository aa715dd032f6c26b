//! A running cluster and what a test does with it.

mod nodes;
pub mod real;
mod servers;
mod users;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

pub use self::nodes::{Node, NodeSpec};
pub use self::real::RealNode;
use self::servers::Server;
pub use self::users::User;
use crate::cache::Cache;
use crate::run::{Run, run, run_with_input};
use crate::{isolation, wait};

/// Address of the API server. Fixed: every run has a network of its own.
pub const API_SERVER: &str = "127.0.0.1:6443";

/// What is not the same in every cluster.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The nodes to start; they are Ready when [`Cluster::start`] returns.
    pub nodes: Vec<NodeSpec>,
    /// Which controllers run, as kube-controller-manager's `--controllers` takes it.
    pub controllers: String,
    /// Whether the API server writes down every request, in [`Cluster::audit_log`].
    pub audit: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { nodes: Vec::new(), controllers: "*".to_owned(), audit: false }
    }
}

/// etcd, kube-apiserver and, where they can be had, controller-manager, scheduler and kubelets.
#[derive(Debug)]
pub struct Cluster {
    cache: Cache,
    dir: PathBuf,
    /// In the order in which they were started; ended in reverse when this is dropped.
    servers: Vec<Server>,
    nodes: Mutex<Vec<Node>>,
    /// Two `kubectl apply` of one new object at once do not get on.
    applying: Mutex<()>,
    /// A ready cluster's kubeconfig; then nothing was started here.
    existing: Option<PathBuf>,
}

impl Cluster {
    /// Starts a cluster whose nodes are Ready, or takes the one that `KUBECONFIG` names when
    /// `USE_EXISTING_CLUSTER=true` (the convention of controller-runtime's envtest; `KUBECONFIG` alone is not enough,
    /// because on many machines it names a cluster that matters).
    ///
    /// # Errors
    /// When called outside an isolated run, or when a server does not come up: the end of its log is in the error.
    pub fn start(cache: &Cache, settings: &Settings) -> Result<Cluster> {
        let dir = cache.run_dir().join("cluster");
        if uses_existing() {
            let path = std::env::var_os("KUBECONFIG")
                .context("USE_EXISTING_CLUSTER is set, but KUBECONFIG is not")?;
            let cluster = Cluster {
                cache: cache.clone(),
                dir,
                servers: Vec::new(),
                nodes: Mutex::default(),
                applying: Mutex::default(),
                existing: Some(PathBuf::from(path)),
            };
            cluster.ready(Duration::from_secs(10))?;
            return Ok(cluster);
        }
        isolation::require()?;
        std::fs::create_dir_all(dir.join("logs"))?;
        users::write(&dir)?;
        let mut cluster = Cluster {
            cache: cache.clone(),
            dir,
            servers: Vec::new(),
            nodes: Mutex::default(),
            applying: Mutex::default(),
            existing: None,
        };
        servers::start_storage_and_api(cache, &cluster.dir, settings, &mut cluster.servers)?;
        cluster.ready(Duration::from_secs(120))?;
        servers::start_controllers(cache, &cluster.dir, settings, &mut cluster.servers)?;
        if cluster.has_kubelets() {
            for spec in &settings.nodes {
                cluster.add_node(spec)?;
            }
            for spec in &settings.nodes {
                cluster.wait_for("", "node", &spec.name, "Ready", |node| {
                    condition(node, "Ready") == Some("True")
                })?;
            }
        }
        Ok(cluster)
    }

    /// Whether nodes can be had here: not with a foreign `KUBEBUILDER_ASSETS` or a ready cluster.
    pub fn has_kubelets(&self) -> bool {
        self.existing.is_none()
            && self.cache.server("kubemark").is_some()
            && self.cache.server("kube-scheduler").is_some()
            && self.cache.server("kube-controller-manager").is_some()
    }

    fn ready(&self, limit: Duration) -> Result<()> {
        wait::until("the API server", limit, || {
            if let Some(dead) = self.servers.iter().find_map(Server::obituary) {
                // No use in waiting on; the caller sees why.
                return Ok(Err(dead));
            }
            self.kubectl(&["get", "--raw", "/readyz"])?.expect_code(0).map(|_| Ok(()))
        })?
        .map_err(anyhow::Error::msg)
    }

    /// Starts one more kubelet, which registers its node.
    pub fn add_node(&self, spec: &NodeSpec) -> Result<()> {
        let node = Node::start(&self.cache, &self.dir, spec)?;
        self.nodes.lock().expect("no test panics while it holds the nodes").push(node);
        Ok(())
    }

    /// Starts a real node beside the servers and waits until it is Ready. `first` brings the Services' proxy.
    pub fn start_real_node(&self, number: u8, first: bool) -> Result<RealNode> {
        let node = RealNode::start(&self.cache, &self.dir, number, first)?;
        wait::until(&format!("{} to be Ready", node.name), Duration::from_secs(240), || {
            if let Some(dead) = node.obituary() {
                return Ok(Err(dead));
            }
            let object = self.get("", "node", &node.name)?;
            if condition(&object, "Ready") != Some("True") || object["spec"]["taints"].is_array() {
                bail!("it is {}", object["status"]["conditions"]);
            }
            Ok(Ok(()))
        })?
        .map_err(anyhow::Error::msg)?;
        Ok(node)
    }

    /// Kills a kubelet, if it still runs: its port 10250 is closed at once, and after about 43 s its node is NotReady.
    pub fn kill_kubelet(&self, name: &str) -> Result<()> {
        self.nodes
            .lock()
            .expect("no test panics while it holds the nodes")
            .retain(|node| node.name() != name);
        Ok(())
    }

    /// Folder of the servers' data and logs.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the API server writes down its requests, if it was told to.
    pub fn audit_log(&self) -> PathBuf {
        self.dir.join("logs/audit.log")
    }

    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// A kubeconfig for one of the users. A ready cluster has only its own.
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        match &self.existing {
            Some(path) => path.clone(),
            None => users::kubeconfig(&self.dir, user),
        }
    }

    /// What the API server's certificate is checked against.
    pub fn authority(&self) -> PathBuf {
        users::certificates(&self.dir).join("apiserver.crt")
    }

    /// Writes a kubeconfig of the administrator for another way to the API server.
    pub fn write_kubeconfig(&self, path: &Path, authority: &Path, address: &str) -> Result<()> {
        std::fs::write(path, users::text(authority, address, User::Admin))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// kubectl of the cluster's own age, as the administrator. Whatever the exit code.
    pub fn kubectl(&self, args: &[&str]) -> Result<Run> {
        self.kubectl_of("1.20", args)
    }

    /// kubectl of a given age (1.20, 1.32, 1.35).
    pub fn kubectl_of(&self, version: &str, args: &[&str]) -> Result<Run> {
        run(&mut self.tool(&format!("kubectl-{version}"), args))
    }

    /// helm of a given age (3.8, 3.17, 4.1).
    pub fn helm(&self, version: &str, args: &[&str]) -> Result<Run> {
        run(&mut self.tool(&format!("helm-{version}"), args))
    }

    /// A command of one of the cached tools, set up for this cluster's administrator.
    pub fn tool(&self, name: &str, args: &[&str]) -> Command {
        let mut command = Command::new(self.cache.tool(name));
        command
            .args(args)
            .env("KUBECONFIG", self.kubeconfig(User::Admin))
            // helm and kubectl keep caches below the home folder.
            .env("HOME", &self.dir)
            .env_remove("XDG_CACHE_HOME");
        command
    }

    /// `kubectl apply` of YAML text.
    ///
    /// # Errors
    /// With the server's words when it refuses any of it.
    pub fn apply(&self, yaml: &str) -> Result<()> {
        let _one_at_a_time = self.applying.lock().expect("nothing panics while it applies");
        let mut command = self.tool("kubectl-1.20", &["apply", "-f", "-"]);
        run_with_input(&mut command, yaml.as_bytes())?.expect_code(0)?;
        Ok(())
    }

    /// One object, or with an empty name the List of a kind. An empty namespace stands for none.
    pub fn get(&self, namespace: &str, kind: &str, name: &str) -> Result<Value> {
        let mut args = vec!["get", kind, "-o", "json"];
        if !name.is_empty() {
            args.push(name);
        }
        if !namespace.is_empty() {
            args.extend(["-n", namespace]);
        }
        let run = self.kubectl(&args)?.expect_code(0)?;
        serde_json::from_str(&run.stdout).with_context(|| format!("`{}` printed no JSON", run.line))
    }

    /// Waits until an object (or a kind's List, when `name` is empty) is as `wanted` says, and returns it.
    pub fn wait_for(
        &self,
        namespace: &str,
        kind: &str,
        name: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        wait::until(&format!("{kind} {namespace}/{name} to be: {what}"), Duration::from_secs(240), || {
            let object = self.get(namespace, kind, name)?;
            if !wanted(&object) {
                bail!("it is {}", object.get("status").unwrap_or(&object));
            }
            Ok(object)
        })
    }

    /// Waits for an event of that reason whose message holds `text`.
    pub fn wait_for_event(&self, namespace: &str, reason: &str, text: &str) -> Result<()> {
        self.wait_for(namespace, "events", "", &format!("one {reason} with `{text}`"), |list| {
            items(list).iter().any(|event| {
                event["reason"] == reason
                    && event["message"].as_str().is_some_and(|message| message.contains(text))
            })
        })
        .map(drop)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Ok(nodes) = self.nodes.get_mut() {
            nodes.clear();
        }
        while let Some(server) = self.servers.pop() {
            drop(server);
        }
    }
}

/// Whether the tests shall run on the cluster that `KUBECONFIG` names.
pub fn uses_existing() -> bool {
    std::env::var("USE_EXISTING_CLUSTER").is_ok_and(|value| value == "true")
}

/// The items of a List.
pub fn items(list: &Value) -> &[Value] {
    list["items"].as_array().map_or(&[], Vec::as_slice)
}

/// The status of one of an object's conditions.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a str> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)?["status"]
        .as_str()
}

/// The first container status for which `wanted` holds, among all containers of a List of pods.
pub fn any_container(pods: &Value, wanted: impl Fn(&Value) -> bool) -> bool {
    items(pods).iter().any(|pod| {
        ["containerStatuses", "initContainerStatuses"]
            .iter()
            .filter_map(|field| pod["status"][field].as_array())
            .flatten()
            .any(&wanted)
    })
}
