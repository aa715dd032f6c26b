//! The processes of the control plane.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context, Result};

use super::{API_SERVER, Settings, User, users};
use crate::bench::audit;
use crate::cache::Cache;
use crate::run::succeed;

const ETCD: &str = "http://127.0.0.1:2379";
const ETCD_PEER: &str = "http://127.0.0.1:2380";

/// A running server, ended when it is dropped.
#[derive(Debug)]
pub struct Server {
    name: String,
    log: PathBuf,
    child: Mutex<Child>,
}

impl Server {
    /// Starts a program with its output in `<dir>/logs/<name>.log`.
    pub fn start(name: &str, dir: &Path, command: &mut Command) -> Result<Server> {
        let log = dir.join("logs").join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let child =
            command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn().with_context(
                || format!("cannot start {name} ({})", command.get_program().to_string_lossy()),
            )?;
        Ok(Server { name: name.to_owned(), log, child: Mutex::new(child) })
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.lock().map_or(0, |child| child.id())
    }

    /// How it ended and its last words, if it has ended.
    pub fn obituary(&self) -> Option<String> {
        let status = self.child.lock().ok()?.try_wait().ok()??;
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(15)..].join("\n");
        Some(format!("{} ended with {status}; the end of {}:\n{last}", self.name, self.log.display()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            // Killed, not asked: a kubelet that may clean up would delete its node's pods.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Major and minor version of the API server, for flags that came and went.
fn minor_version(program: &Path) -> Result<u32> {
    let run = succeed(Command::new(program).arg("--version"))?;
    run.stdout
        .trim()
        .strip_prefix("Kubernetes v1.")
        .and_then(|rest| rest.split('.').next())
        .and_then(|minor| minor.parse().ok())
        .with_context(|| format!("`{}` printed no Kubernetes version: {}", run.line, run.stdout))
}

pub fn start_storage_and_api(
    cache: &Cache,
    dir: &Path,
    settings: &Settings,
    servers: &mut Vec<Server>,
) -> Result<()> {
    let key = dir.join("service-account.key");
    succeed(Command::new("openssl").args(["genrsa", "-out"]).arg(&key).arg("2048"))?;

    let etcd = cache.server("etcd").context("no etcd")?;
    let mut command = Command::new(etcd);
    command
        .arg("--data-dir")
        .arg(dir.join("etcd"))
        .args(["--listen-client-urls", ETCD, "--advertise-client-urls", ETCD])
        .args(["--listen-peer-urls", ETCD_PEER, "--initial-advertise-peer-urls", ETCD_PEER])
        .args(["--initial-cluster", &format!("default={ETCD_PEER}")])
        .args(["--quota-backend-bytes", "4294967296"]);
    servers.push(Server::start("etcd", dir, &mut command)?);

    let program = cache.server("kube-apiserver").context("no kube-apiserver")?;
    let (address, port) = API_SERVER.split_once(':').context("the API server's address has a port")?;
    let mut command = Command::new(&program);
    command
        .args([
            format!("--etcd-servers={ETCD}"),
            format!("--bind-address={address}"),
            format!("--secure-port={port}"),
        ])
        .args(["--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"])
        .arg(format!("--cert-dir={}", users::certificates(dir).display()))
        .arg(format!("--token-auth-file={}", users::tokens(dir).display()))
        .args(["--authorization-mode=RBAC", "--anonymous-auth=false"])
        .arg("--service-cluster-ip-range=10.96.0.0/16")
        .arg(format!("--service-account-key-file={}", key.display()))
        .arg(format!("--service-account-signing-key-file={}", key.display()))
        .arg("--service-account-issuer=https://kubernetes.default.svc")
        // The default prefers the node's host name, which the machine's resolver might find somewhere.
        .arg("--kubelet-preferred-address-types=InternalIP")
        .args(["--allow-privileged=true", "--event-ttl=24h"])
        .args(["--max-requests-inflight=2000", "--max-mutating-requests-inflight=1000"]);
    if minor_version(&program)? < 24 {
        command.arg("--insecure-port=0");
    }
    if settings.audit {
        let policy = dir.join("audit-policy.yaml");
        fs::write(&policy, audit::POLICY).context("cannot write the audit policy")?;
        command
            .arg(format!("--audit-policy-file={}", policy.display()))
            .arg(format!("--audit-log-path={}", dir.join("logs/audit.log").display()));
    }
    servers.push(Server::start("kube-apiserver", dir, &mut command)?);
    Ok(())
}

/// Starts controller-manager and scheduler, where they are to be had.
pub fn start_controllers(
    cache: &Cache,
    dir: &Path,
    settings: &Settings,
    servers: &mut Vec<Server>,
) -> Result<()> {
    if let Some(program) = cache.server("kube-controller-manager") {
        let mut command = Command::new(&program);
        command
            .arg(format!("--kubeconfig={}", users::kubeconfig(dir, User::ControllerManager).display()))
            // Each controller as its own service account: the role of the controller manager itself allows little.
            .arg("--use-service-account-credentials=true")
            .arg(format!("--service-account-private-key-file={}", dir.join("service-account.key").display()))
            .arg(format!("--root-ca-file={}", users::certificates(dir).join("apiserver.crt").display()))
            .args(["--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port=0"])
            .arg(format!("--controllers={}", settings.controllers));
        if minor_version(&program)? < 24 {
            command.arg("--port=0");
        }
        servers.push(Server::start("kube-controller-manager", dir, &mut command)?);
    }
    if let Some(program) = cache.server("kube-scheduler") {
        let mut command = Command::new(&program);
        command.arg(format!("--kubeconfig={}", users::kubeconfig(dir, User::Scheduler).display())).args([
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            "--secure-port=0",
        ]);
        if minor_version(&program)? < 24 {
            command.arg("--port=0");
        }
        servers.push(Server::start("kube-scheduler", dir, &mut command)?);
    }
    Ok(())
}
