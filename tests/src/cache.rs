//! What the tests need and a checkout does not hold: built and fetched once, kept outside the checkout.
//!
//! The scripts in `tests/cluster` do the work, each for one [`Part`].

pub mod image;
mod part;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use self::part::Part;
use crate::run::succeed;

/// Where the scripts are.
pub const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cluster");

/// `${XDG_CACHE_HOME:-$HOME/.cache}/casebook`.
#[derive(Debug, Clone)]
pub struct Cache {
    dir: PathBuf,
    tools: Part,
    sshd: Part,
    cluster: Part,
    page: Part,
    /// containerd, runc and what else a real node runs beside its kubelet.
    node: Part,
    /// The genuine kubelet and kube-proxy.
    kubelet: Part,
    /// Folder of etcd and kube-apiserver named by `KUBEBUILDER_ASSETS`, which replaces the built servers.
    assets: Option<PathBuf>,
}

impl Cache {
    /// The cache of this user. Nothing is made yet.
    pub fn locate() -> Result<Cache> {
        let base = match std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
            Some(dir) => PathBuf::from(dir),
            None => {
                PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?)
                    .join(".cache")
            }
        };
        let dir = base.join("casebook");
        let tools = ["kubectl-1.20", "kubectl-1.32", "kubectl-1.35", "helm-3.8", "helm-3.17", "helm-4.1"];
        let servers = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubemark"];
        let servers = servers.map(|name| format!("bin/{name}"));
        Ok(Cache {
            tools: Part::locate(&dir, "tools", "fetch-tools.sh", &[], &tools)?,
            sshd: Part::locate(&dir, "sshd", "fetch-sshd.sh", &[], &["sshd", "libfaketime.so.1"])?,
            cluster: Part::locate(
                &dir,
                "cluster",
                "build-kubernetes.sh",
                &["hollow-kubelet.patch"],
                &servers.each_ref().map(String::as_str),
            )?,
            page: Part::locate(&dir, "page", "../page/fetch-tools.sh", &[], &["node_modules"])?,
            node: Part::locate(
                &dir,
                "node",
                "fetch-node.sh",
                &[],
                &["bin/containerd", "bin/runc", "bin/busybox", "cni/bridge"],
            )?,
            kubelet: Part::locate(
                &dir,
                "kubelet",
                "build-kubelet.sh",
                &[],
                &["bin/kubelet", "bin/kube-proxy"],
            )?,
            dir,
            assets: std::env::var_os("KUBEBUILDER_ASSETS")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from),
        })
    }

    /// Makes sure that every program is there, building and fetching what is not. Says on stderr what it does.
    ///
    /// # Errors
    /// When a build or a download fails; the script's last words are part of the error.
    pub fn prepare(&self) -> Result<()> {
        let mut parts = vec![&self.tools, &self.sshd];
        match &self.assets {
            Some(assets) => {
                for program in ["etcd", "kube-apiserver"] {
                    if !assets.join(program).is_file() {
                        bail!("KUBEBUILDER_ASSETS is {}, but there is no {program} in it", assets.display());
                    }
                }
            }
            None => parts.push(&self.cluster),
        }
        self.make(&parts)
    }

    /// Makes sure that what the page tests drive a browser with is there, and names its folder.
    ///
    /// # Errors
    /// When a download fails.
    pub fn prepare_page(&self) -> Result<PathBuf> {
        self.make(&[&self.page])?;
        Ok(self.page.folder.clone())
    }

    /// Makes sure that what real nodes need is there as well.
    ///
    /// # Errors
    /// When a build or a download fails.
    pub fn prepare_nodes(&self) -> Result<()> {
        self.prepare()?;
        self.make(&[&self.node, &self.kubelet])
    }

    /// Folder of a real node's programs: `bin`, `cni`, `lib`.
    pub fn node(&self) -> PathBuf {
        self.node.folder.clone()
    }

    /// kubelet or kube-proxy.
    pub fn node_program(&self, name: &str) -> PathBuf {
        self.kubelet.folder.join("bin").join(name)
    }

    /// Where images lie, one folder each.
    pub fn images(&self) -> PathBuf {
        self.dir.join("images")
    }

    /// Makes what is not there, side by side: some parts wait for the network while another needs the processors.
    fn make(&self, parts: &[&Part]) -> Result<()> {
        fs::create_dir_all(&self.dir)
            .with_context(|| format!("cannot make the cache {}", self.dir.display()))?;
        // Two test runs at once must not build into the same place.
        let lock = fs::File::create(self.dir.join("lock")).context("cannot make the cache's lock file")?;
        lock.lock().context("cannot lock the cache")?;
        let missing: Vec<&&Part> = parts.iter().filter(|part| !part.is_made()).collect();
        if !missing.is_empty() {
            // Before all, since only one at a time may install packages.
            succeed(Command::new("bash").arg(format!("{SCRIPTS}/install-packages.sh")))?;
        }
        std::thread::scope(|scope| {
            let made: Vec<_> = missing.into_iter().map(|part| scope.spawn(|| part.make())).collect();
            // One that fails does not keep the others from being finished.
            let ended: Vec<Result<()>> = made
                .into_iter()
                .map(|one| one.join().unwrap_or_else(|_| bail!("the thread that made it panicked")))
                .collect();
            ended.into_iter().collect()
        })
    }

    /// kubectl or helm of a given age, for example `tool("kubectl-1.32")`.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.tools.folder.join(name)
    }

    /// A server: from `KUBEBUILDER_ASSETS`, else what was built; etcd is Debian's own.
    /// `None` when the given assets do not hold it.
    pub fn server(&self, name: &str) -> Option<PathBuf> {
        match &self.assets {
            Some(assets) => Some(assets.join(name)).filter(|path| path.is_file()),
            None if name == "etcd" => Some(PathBuf::from("/usr/bin/etcd")),
            None => Some(self.cluster.folder.join("bin").join(name)),
        }
    }

    /// Folder of sshd and of the libraries it needs.
    pub fn sshd(&self) -> PathBuf {
        self.sshd.folder.clone()
    }

    /// Where the servers of one run keep their data. Inside [`crate::isolation`] this is memory, and gone with the run.
    pub fn run_dir(&self) -> PathBuf {
        self.dir.join("run")
    }
}
