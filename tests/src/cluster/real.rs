//! Real nodes: a genuine kubelet over containerd and runc, with containers that really run.
//!
//! Each node has mounts of its own (`/run`, `/var/log`, `/var/lib`), in which containerd and the kubelet live together, a
//! bridge for its pods, and a control group below that of the run. All share the run's network: the address of a node is
//! one of `lo`'s, and its bridge leads to the others' pods. Nothing of it outlives the run: processes and mounts go
//! with its namespaces, interfaces with its network, and [`crate::isolation`] removes the control groups.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::servers::Server;
use super::{User, users};
use crate::cache::Cache;
use crate::cache::image::{Archive, Image};
use crate::run::{Run, run, succeed};
use crate::{control_groups, isolation, wait};

/// The image of the container that holds a pod's namespaces.
pub const SANDBOX: &str = "registry.k8s.io/pause:3.6";

/// A running real node; its processes are killed when it is dropped.
#[derive(Debug)]
pub struct RealNode {
    pub name: String,
    home: PathBuf,
    programs: PathBuf,
    kubelet: Option<Server>,
    _proxy: Option<Server>,
    containerd: Option<Server>,
    /// Holds the mounts.
    mounts: Server,
}

/// Why real nodes cannot be had on this machine; `None` where they can.
pub fn hindrance() -> Option<String> {
    control_groups::hindrance().or_else(|| {
        let types = fs::read_to_string("/proc/filesystems").unwrap_or_default();
        (!types.lines().any(|line| line.trim_start_matches("nodev").trim() == "overlay"))
            .then(|| "the kernel has no overlay file system (/proc/filesystems)".to_owned())
    })
}

impl RealNode {
    /// Starts the node `node-N` with address `10.0.6.N`, whose pods have addresses in `10.245.N.0/24`. The first one
    /// brings the Services' proxy, since all nodes share one network.
    pub fn start(cache: &Cache, dir: &Path, number: u8, first: bool) -> Result<RealNode> {
        let name = format!("node-{number}");
        let address = format!("10.0.6.{number}");
        isolation::add_address(&address)?;
        let home = dir.join("nodes").join(&name);
        fs::create_dir_all(home.join("cni")).with_context(|| format!("cannot make {}", home.display()))?;
        fs::write(home.join("cni/10-bridge.conflist"), network(number))?;
        let groups = control_groups::make(&name)?;
        let mounts = Server::start(&format!("mounts-{name}"), dir, &mut holder(&home))?;
        wait::until(&format!("the mounts of {name}"), Duration::from_secs(60), || {
            fs::metadata(home.join("mounted")).context("they are not there").map(drop)
        })?;
        let programs = cache.node();
        let mut node =
            RealNode { name, home, programs, kubelet: None, _proxy: None, containerd: None, mounts };
        if first {
            // Where the kernel has it: packets between pods of one bridge pass the Services' rules, too.
            let _ = fs::write("/proc/sys/net/bridge/bridge-nf-call-iptables", "1");
            fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("cannot let packets be forwarded")?;
            node._proxy = Some(node.start_proxy(cache, dir)?);
        }
        node.start_runtime(dir)?;
        let sandbox = Image { name: SANDBOX.to_owned(), packages: Vec::new() };
        node.import(&sandbox.make(cache)?)?;
        node.start_kubelet(cache, dir, &address, &groups)?;
        Ok(node)
    }

    /// containerd. Returns when it answers.
    fn start_runtime(&mut self, dir: &Path) -> Result<()> {
        let config = self.home.join("containerd.toml");
        fs::write(&config, runtime(&self.home, &self.programs))?;
        let mut command = self.inside(&self.programs.join("bin/containerd"));
        command.arg("-c").arg(&config);
        self.containerd = Some(Server::start(&format!("containerd-{}", self.name), dir, &mut command)?);
        wait::until(&format!("containerd of {}", self.name), Duration::from_secs(120), || {
            if let Some(dead) = self.containerd.as_ref().and_then(Server::obituary) {
                return Ok(Err(dead));
            }
            self.ctr(&["version"])?.expect_code(0).map(|_| Ok(()))
        })?
        .map_err(anyhow::Error::msg)
    }

    fn start_kubelet(&mut self, cache: &Cache, dir: &Path, address: &str, groups: &str) -> Result<()> {
        let config = self.home.join("kubelet.yaml");
        fs::write(&config, kubelet(address, groups))?;
        let root = self.home.join("kubelet");
        let mut command = self.inside(&cache.node_program("kubelet"));
        command
            .arg(format!("--config={}", config.display()))
            .arg(format!("--kubeconfig={}", users::kubeconfig(dir, User::Admin).display()))
            .arg(format!("--root-dir={}", root.display()))
            .arg(format!("--cert-dir={}", root.join("pki").display()))
            .arg("--container-runtime=remote")
            .arg(format!("--container-runtime-endpoint=unix://{}", self.socket().display()))
            .args([&format!("--hostname-override={}", self.name), &format!("--node-ip={address}"), "--v=2"]);
        self.kubelet = Some(Server::start(&format!("kubelet-{}", self.name), dir, &mut command)?);
        Ok(())
    }

    fn start_proxy(&self, cache: &Cache, dir: &Path) -> Result<Server> {
        let mut command = self.inside(&cache.node_program("kube-proxy"));
        command
            .arg(format!("--kubeconfig={}", users::kubeconfig(dir, User::Admin).display()))
            .arg(format!("--hostname-override={}", self.name))
            .args(["--proxy-mode=iptables", "--cluster-cidr=10.245.0.0/16"])
            // The sizes of the kernel's tables belong to the machine.
            .args(["--conntrack-max-per-core=0", "--conntrack-min=0"])
            .args(["--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0"])
            .args(["--healthz-bind-address=127.0.0.1:10256", "--metrics-bind-address=127.0.0.1:10249"]);
        Server::start("kube-proxy", dir, &mut command)
    }

    /// Makes an image known to the node.
    pub fn import(&self, archive: &Archive) -> Result<()> {
        let path = archive.path.to_str().context("the cache's path is not UTF-8")?;
        self.ctr(&["-n", "k8s.io", "images", "import", path])?.expect_code(0)?;
        Ok(())
    }

    /// How the kubelet, containerd or the mounts ended, if any has.
    pub fn obituary(&self) -> Option<String> {
        [self.kubelet.as_ref(), self.containerd.as_ref(), Some(&self.mounts)]
            .into_iter()
            .flatten()
            .find_map(Server::obituary)
    }

    fn ctr(&self, args: &[&str]) -> Result<Run> {
        run(self.inside(&self.programs.join("bin/ctr")).arg("-a").arg(self.socket()).args(args))
    }

    fn socket(&self) -> PathBuf {
        self.home.join("containerd.sock")
    }

    /// A program among the node's mounts, with the node's programs on its path.
    fn inside(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        let library = self.programs.join("lib");
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .arg(format!("--target={}", self.mounts.id()))
            .arg("--mount")
            .arg(program)
            .env("PATH", format!("{}:/usr/sbin:/sbin:{path}", self.programs.join("bin").display()))
            .env("LD_LIBRARY_PATH", &library)
            .env("XTABLES_LIBDIR", library.join("xtables"));
        command
    }
}

impl Drop for RealNode {
    fn drop(&mut self) {
        // The kubelet first, which would take a dead runtime for a fault.
        self.kubelet = None;
        self.containerd = None;
    }
}

/// What a kubelet, containerd and the plugins write lies in memory, whatever path it has.
fn holder(home: &Path) -> Command {
    let script = "set -e\n\
                  mount --make-rshared /\n\
                  mount -t tmpfs tmpfs /run && mkdir -p /run/lock /run/containerd\n\
                  mount -t tmpfs tmpfs /var/log\n\
                  mkdir -p \"$1/lib.upper\" \"$1/lib.work\"\n\
                  mount -t overlay -o \"lowerdir=/var/lib,upperdir=$1/lib.upper,workdir=$1/lib.work\" overlay /var/lib\n\
                  : >\"$1/mounted\"\n\
                  exec sleep infinity";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "bash", "-c", script, "bash"]).arg(home);
    command
}

/// The pods' network, as CNI plugins read it.
fn network(number: u8) -> String {
    serde_json::json!({
        "cniVersion": "0.3.1",
        "name": "pods",
        "plugins": [{
            "type": "bridge",
            "bridge": format!("cbr{number}"),
            "isGateway": true,
            "ipMasq": false,
            "hairpinMode": true,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": format!("10.245.{number}.0/24")}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }],
    })
    .to_string()
}

/// containerd's configuration.
fn runtime(home: &Path, programs: &Path) -> String {
    let (home, programs) = (home.display(), programs.display());
    // A run may lack the right to lower a process's oom score.
    format!(
        r#"version = 2
root = "{home}/containerd.root"
state = "{home}/containerd.state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "{home}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{SANDBOX}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{programs}/cni"
    conf_dir = "{home}/cni"
"#
    )
}

/// The kubelet's configuration. It takes whom the API server takes.
fn kubelet(address: &str, groups: &str) -> String {
    format!(
        "apiVersion: kubelet.config.k8s.io/v1beta1\n\
         kind: KubeletConfiguration\n\
         address: {address}\n\
         healthzPort: 0\n\
         cgroupDriver: cgroupfs\n\
         cgroupRoot: {groups}\n\
         enforceNodeAllocatable: []\n\
         failSwapOn: false\n\
         authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}\n\
         authorization: {{mode: AlwaysAllow}}\n\
         evictionHard: {{memory.available: 50Mi}}\n\
         imageGCHighThresholdPercent: 100\n\
         resolvConf: \"\"\n\
         clusterDomain: cluster.local\n\
         clusterDNS: [10.96.0.10]\n"
    )
}

/// Whether a program of the kernel's tables runs here, which the Services' proxy needs.
pub fn has_tables(cache: &Cache) -> bool {
    let programs = cache.node();
    succeed(
        Command::new(programs.join("bin/iptables"))
            .args(["-t", "nat", "-S"])
            .env("LD_LIBRARY_PATH", programs.join("lib"))
            .env("XTABLES_LIBDIR", programs.join("lib/xtables")),
    )
    .is_ok()
}
