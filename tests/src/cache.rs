//! What the tests need and a checkout does not hold: built and fetched once, kept outside the checkout.
//!
//! The scripts in `tests/cluster` do the work. Their hash is the version of what they made: when one of them changes,
//! its part is made anew.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// Where the scripts are.
pub const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cluster");

const TOOLS: &[&str] = &["kubectl-1.20", "kubectl-1.32", "kubectl-1.35", "helm-3.8", "helm-3.17", "helm-4.1"];
const SERVERS: &[&str] = &["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubemark"];

/// `${XDG_CACHE_HOME:-$HOME/.cache}/casebook`.
#[derive(Debug, Clone)]
pub struct Cache {
    dir: PathBuf,
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
        let assets =
            std::env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty()).map(PathBuf::from);
        Ok(Cache { dir: base.join("casebook"), assets })
    }

    /// Makes sure that every program is there, building and fetching what is not. Says on stderr what it does.
    ///
    /// # Errors
    /// When a build or a download fails; the script's last words are part of the error.
    pub fn prepare(&self) -> Result<()> {
        fs::create_dir_all(&self.dir)
            .with_context(|| format!("cannot make the cache {}", self.dir.display()))?;
        // Two test runs at once must not build into the same place.
        let lock = fs::File::create(self.dir.join("lock")).context("cannot make the cache's lock file")?;
        lock.lock().context("cannot lock the cache")?;
        let wanted: Vec<PathBuf> = TOOLS.iter().map(|name| self.dir.join("tools").join(name)).collect();
        self.make("tools", "fetch-tools.sh", &[], &wanted)?;
        self.make(
            "sshd",
            "fetch-sshd.sh",
            &[],
            &[self.sshd().join("sshd"), self.sshd().join("libfaketime.so.1")],
        )?;
        match &self.assets {
            Some(assets) => {
                for program in ["etcd", "kube-apiserver"] {
                    if !assets.join(program).is_file() {
                        bail!("KUBEBUILDER_ASSETS is {}, but there is no {program} in it", assets.display());
                    }
                }
            }
            None => {
                let wanted: Vec<PathBuf> =
                    SERVERS.iter().map(|name| self.dir.join("cluster/bin").join(name)).collect();
                self.make("cluster", "build-kubernetes.sh", &["hollow-kubelet.patch"], &wanted)?;
            }
        }
        Ok(())
    }

    /// Makes sure that what the page tests drive a browser with is there, and names its folder.
    ///
    /// # Errors
    /// When a download fails.
    pub fn prepare_page(&self) -> Result<PathBuf> {
        fs::create_dir_all(&self.dir)
            .with_context(|| format!("cannot make the cache {}", self.dir.display()))?;
        let lock = fs::File::create(self.dir.join("lock")).context("cannot make the cache's lock file")?;
        lock.lock().context("cannot lock the cache")?;
        let folder = self.dir.join("page");
        self.make("page", "../page/fetch-tools.sh", &[], &[folder.join("ready")])?;
        Ok(folder)
    }

    fn make(&self, part: &str, script: &str, inputs: &[&str], wanted: &[PathBuf]) -> Result<()> {
        let script_path = Path::new(SCRIPTS).join(script);
        let mut hash = Sha256::new();
        for input in std::iter::once(script).chain(inputs.iter().copied()) {
            let path = Path::new(SCRIPTS).join(input);
            hash.update(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
        }
        let version = hash.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        let stamp = self.dir.join(part).join("version");
        let complete = wanted.iter().all(|path| path.is_file());
        if complete && fs::read_to_string(&stamp).is_ok_and(|text| text.trim() == version) {
            return Ok(());
        }
        // Without the old programs the script cannot take them for its own. What a run of this very version has made before
        // it failed is kept, so that the next one goes on from there.
        let begun = self.dir.join(part).join("begun");
        if !fs::read_to_string(&begun).is_ok_and(|text| text.trim() == version) {
            for path in wanted {
                let _ = fs::remove_file(path);
            }
            fs::create_dir_all(self.dir.join(part))
                .and_then(|()| fs::write(&begun, &version))
                .with_context(|| format!("cannot write {}", begun.display()))?;
        }
        let mut child = Command::new("bash")
            .arg(&script_path)
            .arg(&self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", script_path.display()))?;
        let output = child.stdout.take().context("the script's output was asked for")?;
        for line in BufReader::new(output).lines() {
            eprintln!("{part}: {}", line.context("cannot read what the script says")?);
        }
        let status = child.wait()?;
        if !status.success() {
            bail!(
                "{script} ended with {status}; its messages are above\n\
                 hint: it needs Debian 12, root and the package registries; .ci/run installs everything it uses"
            );
        }
        if let Some(missing) = wanted.iter().find(|path| !path.is_file()) {
            bail!("{script} succeeded, but {} is not there", missing.display());
        }
        fs::write(&stamp, version).with_context(|| format!("cannot write {}", stamp.display()))
    }

    /// kubectl or helm of a given age, for example `tool("kubectl-1.32")`.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.dir.join("tools").join(name)
    }

    /// A server: from `KUBEBUILDER_ASSETS`, else what was built; etcd is Debian's own.
    /// `None` when the given assets do not hold it.
    pub fn server(&self, name: &str) -> Option<PathBuf> {
        match &self.assets {
            Some(assets) => Some(assets.join(name)).filter(|path| path.is_file()),
            None if name == "etcd" => Some(PathBuf::from("/usr/bin/etcd")),
            None => Some(self.dir.join("cluster/bin").join(name)),
        }
    }

    /// Folder of sshd and of the libraries it needs.
    pub fn sshd(&self) -> PathBuf {
        self.dir.join("sshd")
    }

    /// Where the servers of one run keep their data. Inside [`crate::isolation`] this is memory, and gone with the run.
    pub fn run_dir(&self) -> PathBuf {
        self.dir.join("run")
    }
}
