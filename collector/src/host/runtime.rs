//! Container runtimes: which mirrors and registries they are set to use. That decides image cases, and no API tells it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::capture::{Capture, End};
use super::facts::{Containerd, Docker, Facts, RegistryHosts};
use super::{Context, keep, run};

const DAEMON_JSON: &str = "cat /etc/docker/daemon.json";
const CONFIG_TOML: &str = "cat /etc/containerd/config.toml";
const CERTS_D: &str = "/etc/containerd/certs.d";
const INFO: &str = "docker info";

/// Of all that `docker info` can tell, what holds no proxy passwords.
const INFO_FORMAT: &str = r#"{"version":{{json .ServerVersion}},"root":{{json .DockerRootDir}},"cgroup":{{json .CgroupDriver}},"driver":{{json .Driver}},"registry":{{json .RegistryConfig}}}"#;

const DAEMON_KEYS: &[&str] = &[
    "registry-mirrors",
    "insecure-registries",
    "data-root",
    "graph",
    "exec-opts",
    "log-driver",
    "storage-driver",
    "live-restore",
    "bip",
    "mtu",
    "dns",
    "iptables",
    "ip-forward",
    "ip-masq",
    "ipv6",
    "userland-proxy",
    "default-address-pools",
    "hosts",
    "max-concurrent-downloads",
    "selinux-enabled",
    "debug",
    "cgroup-parent",
    "default-ulimits",
    "features",
    "experimental",
];

const CONTAINERD_KEYS: &[&str] = &[
    "version",
    "root",
    "state",
    "imports",
    "disabled_plugins",
    "config_path",
    "endpoint",
    "SystemdCgroup",
    "systemd_cgroup",
    "sandbox_image",
    "sandbox",
    "insecure_skip_verify",
    "ca_file",
    "snapshotter",
    "default_runtime_name",
    "runtime_type",
    "bin_dir",
    "conf_dir",
    "address",
    "level",
    "max_concurrent_downloads",
];

const HOSTS_KEYS: &[&str] = &["server", "capabilities", "skip_verify", "ca", "override_path"];

pub const SCRIPT: &str = "\
begin 'docker info'
if command -v docker >/dev/null 2>&1; then
  $LIMIT docker info --format '{\"version\":{{json .ServerVersion}},\"root\":{{json .DockerRootDir}},\"cgroup\":{{json .CgroupDriver}},\"driver\":{{json .Driver}},\"registry\":{{json .RegistryConfig}}}' 2>&1; end $?
else end missing; fi
begin 'cat /etc/containerd/config.toml'
if [ -r /etc/containerd/config.toml ]; then grep -E '^ *(config_path|endpoint|SystemdCgroup|sandbox_image) *=' /etc/containerd/config.toml; end 0; else end missing; fi
for d in /etc/containerd/certs.d/*/; do
  f=${d}hosts.toml
  if [ -r \"$f\" ]; then begin \"cat $f\"; grep -E '^ *(\\[host\\.\"[^\"]*\"\\] *$|server|capabilities|skip_verify)' \"$f\"; end 0; fi
done
";

pub async fn gather(_context: Arc<Context>) -> Capture {
    let limit = Duration::from_secs(3);
    let mut capture = Capture::default();
    let mut info = run::command(&["docker", "info", "--format", INFO_FORMAT], Duration::from_secs(10)).await;
    info.label = INFO.to_owned();
    capture.push(info);

    let mut daemon = run::file("/etc/docker/daemon.json", limit).await;
    if daemon.end == End::Exit(0) {
        match keep::json(&daemon.text, DAEMON_KEYS) {
            Some(kept) => daemon.text = kept,
            None => {
                daemon.text.clear();
                daemon.end = End::Failed("not a JSON object".to_owned());
            }
        }
    }
    capture.push(daemon);

    let mut config = run::file("/etc/containerd/config.toml", limit).await;
    config.text = keep::toml(&config.text, CONTAINERD_KEYS);
    let folder = config_path(&config.text).unwrap_or_else(|| CERTS_D.to_owned());
    capture.push(config);
    let files = run::detached(limit, move || hosts_files(&folder)).await.unwrap_or_default();
    for path in files {
        let mut hosts = run::file(path, limit).await;
        hosts.text = keep::toml(&hosts.text, HOSTS_KEYS);
        capture.push(hosts);
    }
    capture
}

/// `config_path` may name several folders, as `PATH` does.
fn hosts_files(config_path: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = config_path
        .split(':')
        .filter_map(|folder| Path::new(folder).read_dir().ok())
        .flat_map(|entries| entries.flatten().take(200))
        .map(|entry| entry.path().join("hosts.toml"))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    facts.docker = docker(capture);
    facts.containerd = containerd(capture);
    let version = |name: &str| facts.tools.as_ref()?.get(name)?.version.clone();
    let (of_docker, of_containerd) = (version("docker"), version("containerd"));
    if let Some(docker) = &mut facts.docker
        && docker.version.is_none()
    {
        docker.version = of_docker;
    }
    if let Some(containerd) = &mut facts.containerd {
        containerd.version = of_containerd;
    }
}

fn docker(capture: &Capture) -> Option<Docker> {
    let info: Option<Value> = capture.text(INFO).and_then(|text| serde_json::from_str(text.trim()).ok());
    let file = capture.section(DAEMON_JSON);
    let config: Option<Value> = capture.text(DAEMON_JSON).and_then(|text| serde_json::from_str(text).ok());
    let asked = capture.section(INFO).is_some_and(|section| section.end != End::NotFound);
    if !asked && file.is_none_or(|file| file.end == End::NotFound) {
        return None;
    }
    let strings = |value: Option<&Value>| -> Vec<String> {
        let values = value.and_then(Value::as_array).into_iter().flatten();
        values.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let mut docker = Docker {
        running: info.is_some(),
        config_invalid: file.is_some_and(|file| matches!(file.end, End::Failed(_))),
        ..Docker::default()
    };
    if let Some(info) = &info {
        docker.version = text(info.get("version"));
        docker.root_dir = text(info.get("root"));
        docker.cgroup_driver = text(info.get("cgroup"));
        let registry = info.get("registry");
        docker.mirrors = strings(registry.and_then(|r| r.get("Mirrors")));
        docker.insecure_registries = strings(registry.and_then(|r| r.get("InsecureRegistryCIDRs")));
        let by_name = registry.and_then(|r| r.get("IndexConfigs")).and_then(Value::as_object);
        let insecure =
            by_name.into_iter().flatten().filter(|(_, one)| one.get("Secure") == Some(&Value::Bool(false)));
        docker.insecure_registries.extend(insecure.map(|(name, _)| name.clone()));
    } else if let Some(config) = &config {
        docker.mirrors = strings(config.get("registry-mirrors"));
        docker.insecure_registries = strings(config.get("insecure-registries"));
        docker.root_dir = text(config.get("data-root").or_else(|| config.get("graph")));
    }
    Some(docker)
}

fn containerd(capture: &Capture) -> Option<Containerd> {
    let config = capture.text(CONFIG_TOML);
    let registries: Vec<RegistryHosts> = capture
        .with_prefix("cat ")
        .filter_map(|(path, text)| Some((path.strip_suffix("/hosts.toml")?.rsplit('/').next()?, text)))
        .map(|(registry, text)| registry_hosts(registry, text))
        .collect();
    if config.is_none() && registries.is_empty() {
        return None;
    }
    let config = config.unwrap_or_default();
    Some(Containerd {
        version: None,
        config_path: config_path(config),
        registries,
        systemd_cgroup: toml_values(config, "SystemdCgroup").next().map(|value| value == "true"),
        sandbox_image: toml_values(config, "sandbox_image").next().map(str::to_owned),
    })
}

fn config_path(config: &str) -> Option<String> {
    toml_values(config, "config_path").find(|path| !path.is_empty()).map(str::to_owned)
}

/// The values of one key in every section, without quotation marks.
fn toml_values<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == key).then(|| value.trim().trim_matches(['"', '\'']))
    })
}

/// `server = "https://…"`, then `[host."https://mirror"]` sections in the order in which they are tried.
fn registry_hosts(registry: &str, text: &str) -> RegistryHosts {
    let hosts = text.lines().filter_map(|line| {
        line.trim()
            .strip_prefix("[host.")?
            .strip_suffix(']')
            .map(|name| name.trim_matches(['"', '\'']).to_owned())
    });
    RegistryHosts {
        registry: registry.to_owned(),
        server: toml_values(text, "server").next().map(str::to_owned),
        hosts: hosts.collect(),
        skip_verify: toml_values(text, "skip_verify").any(|value| value == "true"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::capture::Section;
    use super::*;

    #[test]
    fn the_running_daemon_counts_before_its_file() {
        let info = r#"{"version":"20.10.5","root":"/data/docker","cgroup":"systemd","driver":"overlay2","registry":
            {"Mirrors":["https://a.example/"],"InsecureRegistryCIDRs":["127.0.0.0/8"],
             "IndexConfigs":{"docker.io":{"Secure":true},"docker.bk.example":{"Secure":false}}}}"#;
        let file = r#"{"registry-mirrors":["https://b.example"]}"#;
        let mut capture =
            Capture { sections: vec![Section::good(INFO, info), Section::good(DAEMON_JSON, file)] };
        let running = docker(&capture).unwrap();
        assert!(running.running);
        assert_eq!(running.mirrors, ["https://a.example/"]);
        assert_eq!(running.insecure_registries, ["127.0.0.0/8", "docker.bk.example"]);

        capture.sections[0] = Section::new(INFO, "Cannot connect to the Docker daemon\n", End::Exit(1));
        let stopped = docker(&capture).unwrap();
        assert!(!stopped.running);
        assert_eq!(stopped.mirrors, ["https://b.example"]);
    }

    #[test]
    fn no_docker_is_no_row() {
        let none = [Section::new(INFO, "", End::NotFound), Section::new(DAEMON_JSON, "", End::NotFound)];
        assert_eq!(docker(&Capture { sections: none.to_vec() }), None);
    }

    #[test]
    fn registries_of_containerd_come_from_their_folders() {
        let capture = Capture {
            sections: vec![
                Section::good(
                    CONFIG_TOML,
                    "  config_path = \"/etc/containerd/certs.d\"\n  SystemdCgroup = true\n",
                ),
                Section::good(
                    "cat /etc/containerd/certs.d/docker.bk.example/hosts.toml",
                    "server = \"http://docker.bk.example\"\n[host.\"http://docker.bk.example\"]\n  skip_verify = true\n",
                ),
            ],
        };
        let containerd = containerd(&capture).unwrap();
        assert_eq!(containerd.registries[0].hosts, ["http://docker.bk.example"]);
        assert_eq!(containerd.systemd_cgroup, Some(true));
        assert!(containerd.registries[0].skip_verify);
        assert_eq!(containerd.registries[0].registry, "docker.bk.example");
    }
}
