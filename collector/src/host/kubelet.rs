//! The kubelet: whether it runs, with which arguments and configuration, until when its certificates hold, and the
//! state of the services it stands on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;

use super::capture::{Capture, End, Section};
use super::facts::{Certificate, Facts, Kubelet};
use super::{Context, keep, run};

const ARGUMENTS: &str = "kubelet arguments";
const CONFIG: &str = "cat /var/lib/kubelet/config.yaml";
const DATES: &str = "openssl x509 -noout -dates -in ";
const UNITS: &str = "systemctl is-active";

const WANTED_UNITS: &[&str] = &[
    "kubelet",
    "docker",
    "containerd",
    "crio",
    "k3s",
    "rke2-server",
    "chronyd",
    "chrony",
    "ntpd",
    "ntp",
    "systemd-timesyncd",
    "firewalld",
    "systemd-resolved",
    "NetworkManager",
    "nscd",
];

const ARGUMENT_KEYS: &[&str] = &[
    "address",
    "allowed-unsafe-sysctls",
    "cert-dir",
    "cgroup-driver",
    "cgroup-root",
    "cluster-dns",
    "cluster-domain",
    "cni-bin-dir",
    "cni-conf-dir",
    "config",
    "container-runtime",
    "container-runtime-endpoint",
    "cpu-manager-policy",
    "enable-controller-attach-detach",
    "eviction-hard",
    "eviction-soft",
    "fail-swap-on",
    "feature-gates",
    "hostname-override",
    "image-gc-high-threshold",
    "image-gc-low-threshold",
    "kube-reserved",
    "kubeconfig",
    "bootstrap-kubeconfig",
    "max-pods",
    "network-plugin",
    "node-ip",
    "node-labels",
    "node-status-update-frequency",
    "pod-cidr",
    "pod-infra-container-image",
    "pod-manifest-path",
    "port",
    "protect-kernel-defaults",
    "read-only-port",
    "register-node",
    "register-with-taints",
    "resolv-conf",
    "root-dir",
    "rotate-certificates",
    "rotate-server-certificates",
    "runtime-cgroups",
    "serialize-image-pulls",
    "system-reserved",
    "tls-cert-file",
    "v",
];

const CONFIG_KEYS: &[&str] = &[
    "address",
    "cgroupDriver",
    "clusterDNS",
    "clusterDomain",
    "containerLogMaxFiles",
    "containerLogMaxSize",
    "containerRuntimeEndpoint",
    "cpuManagerPolicy",
    "evictionHard",
    "evictionSoft",
    "failSwapOn",
    "featureGates",
    "imageGCHighThresholdPercent",
    "imageGCLowThresholdPercent",
    "imageMinimumGCAge",
    "kubeReserved",
    "maxPods",
    "nodeStatusUpdateFrequency",
    "podCIDR",
    "podPidsLimit",
    "port",
    "readOnlyPort",
    "resolvConf",
    "rotateCertificates",
    "serializeImagePulls",
    "serverTLSBootstrap",
    "staticPodPath",
    "systemReserved",
];

/// Folders of certificates as kubeadm lays them out. Files may hold a key beside the certificate, so they are never
/// read here: openssl is asked for the two dates.
const CERTIFICATE_FOLDERS: &[&str] =
    &["/etc/kubernetes/pki", "/etc/kubernetes/pki/etcd", "/etc/kubernetes/ssl", "/var/lib/kubelet/pki"];

pub const SCRIPT: &str = "\
begin 'kubelet arguments'
for p in /proc/[0-9]*; do
  if [ \"$(cat $p/comm 2>/dev/null)\" = kubelet ]; then
    tr '\\000' '\\n' <$p/cmdline | grep -E '^--(config|cgroup-driver|cluster-dns|container-runtime|container-runtime-endpoint|node-ip|hostname-override|pod-cidr|max-pods|fail-swap-on|root-dir|resolv-conf|pod-infra-container-image)=' | sed 's/^--//'
    echo running=true
  fi
done
end 0
begin 'cat /var/lib/kubelet/config.yaml'
if [ -r /var/lib/kubelet/config.yaml ]; then grep -E -A3 '^(cgroupDriver|clusterDNS|clusterDomain|failSwapOn|maxPods|resolvConf):' /var/lib/kubelet/config.yaml | grep -E '^(cgroupDriver|clusterDNS|clusterDomain|failSwapOn|maxPods|resolvConf):|^ *- [0-9a-f.:]+$'; end 0; else end missing; fi
for c in /etc/kubernetes/pki/*.crt /var/lib/kubelet/pki/kubelet.crt /var/lib/kubelet/pki/kubelet-client-current.pem; do
  [ -r \"$c\" ] && run openssl x509 -noout -dates -in \"$c\"
done
begin 'systemctl is-active'
if command -v systemctl >/dev/null 2>&1; then
  for u in kubelet docker containerd chronyd ntpd systemd-timesyncd firewalld; do echo \"$u $($LIMIT systemctl is-active $u 2>/dev/null)\"; done; end 0
else end missing; fi
";

pub async fn gather(_context: Arc<Context>) -> Capture {
    let limit = Duration::from_secs(4);
    let mut capture = Capture::default();
    capture.push(match run::detached(limit, arguments).await {
        Some(text) => Section::good(ARGUMENTS, text),
        None => Section::new(ARGUMENTS, "", End::TimedOut(limit.as_secs())),
    });
    let mut config = run::file("/var/lib/kubelet/config.yaml", limit).await;
    config.text = keep::yaml(&config.text, CONFIG_KEYS);
    capture.push(config);
    let files = run::detached(limit, certificate_files).await.unwrap_or_default();
    let dates = files.iter().filter_map(|path| path.to_str()).map(|path| async move {
        run::command(&["openssl", "x509", "-noout", "-dates", "-in", path], limit).await
    });
    capture.sections.extend(join_all(dates).await);
    capture.push(units(limit).await);
    capture
}

/// The allowed arguments of the process named kubelet, `running=true` if there is one.
fn arguments() -> String {
    let processes = procfs::process::all_processes().into_iter().flatten().flatten();
    let mut kubelets = processes.filter(|process| process.stat().is_ok_and(|stat| stat.comm == "kubelet"));
    let Some(kubelet) = kubelets.next() else { return String::new() };
    let line = kubelet.cmdline().map(|words| words.join("\0")).unwrap_or_default();
    format!("running=true\n{}", keep::arguments(&line, ARGUMENT_KEYS))
}

fn certificate_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = CERTIFICATE_FOLDERS
        .iter()
        .filter_map(|folder| std::path::Path::new(folder).read_dir().ok())
        .flat_map(|entries| entries.flatten().take(100))
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.ends_with(".crt") || name.ends_with("-current.pem")
        })
        .take(40)
        .collect();
    files.sort();
    files
}

/// systemctl prints one state a line in the order of the units, and nothing else.
async fn units(limit: Duration) -> Section {
    let mut line = vec!["systemctl", "is-active"];
    line.extend(WANTED_UNITS);
    let answer = run::command(&line, limit).await;
    let states: Vec<&str> = answer.text.lines().collect();
    // Where systemd does not run it prints one sentence instead.
    let end = match answer.end {
        End::Exit(_) if states.len() == WANTED_UNITS.len() => End::Exit(0),
        End::Exit(_) => return Section::new(UNITS, "", End::Failed(answer.text.trim().to_owned())),
        end => end,
    };
    let text =
        WANTED_UNITS.iter().zip(states).map(|(unit, state)| format!("{unit} {state}\n")).collect::<String>();
    Section::new(UNITS, text, end)
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    let config = capture.text(CONFIG).unwrap_or_default();
    if let Some(text) = capture.text(ARGUMENTS) {
        let mut args: BTreeMap<String, String> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let running = args.remove("running").is_some();
        let value = |key: &str, argument: &str| {
            let of_file = config.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            let of_file = of_file.map(|value| value.trim().trim_matches('"').to_owned());
            args.get(argument).cloned().or(of_file).filter(|value| !value.is_empty())
        };
        facts.kubelet = Some(Kubelet {
            running,
            cluster_dns: cluster_dns(config, args.get("cluster-dns")),
            cgroup_driver: value("cgroupDriver", "cgroup-driver"),
            fail_swap_on: value("failSwapOn", "fail-swap-on").map(|value| value == "true"),
            args: args.clone(),
        });
    }
    let now = Timestamp::now();
    let certificates = capture.with_prefix(DATES).filter_map(|(path, text)| certificate(path, text, now));
    let certificates: Vec<Certificate> = certificates.collect();
    facts.certificates = (!certificates.is_empty()).then_some(certificates);
    facts.units = capture.text(UNITS).map(|text| {
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        pairs.map(|(unit, state)| (unit.to_owned(), state.to_owned())).collect()
    });
}

/// `--cluster-dns=a,b`, else the list below `clusterDNS:`.
fn cluster_dns(config: &str, argument: Option<&String>) -> Option<Vec<String>> {
    if let Some(list) = argument {
        return Some(list.split(',').map(str::to_owned).collect());
    }
    let below = config.lines().skip_while(|line| !line.starts_with("clusterDNS:")).skip(1);
    let list: Vec<String> = below
        .map_while(|line| line.trim_start().strip_prefix("- "))
        .map(|item| item.trim().to_owned())
        .collect();
    (!list.is_empty()).then_some(list)
}

/// `notBefore=Oct 28 18:02:16 2026 GMT`, `notAfter=…`
fn certificate(path: &str, text: &str, now: Timestamp) -> Option<Certificate> {
    let date = |key: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        let value = value.trim().strip_suffix(" GMT")?;
        let time = jiff::civil::DateTime::strptime("%b %e %H:%M:%S %Y", value).ok()?;
        Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    let (not_before, not_after) = (date("notBefore")?, date("notAfter")?);
    Some(Certificate { path: path.to_owned(), not_before, not_after, expired: not_after < now })
}

#[cfg(test)]
mod tests {
    use super::super::testing::self_signed;
    use super::*;

    #[test]
    fn arguments_stand_above_the_file() {
        let capture = Capture {
            sections: vec![
                Section::good(ARGUMENTS, "running=true\ncgroup-driver=cgroupfs\nmax-pods=64\n"),
                Section::good(
                    CONFIG,
                    "cgroupDriver: systemd\nclusterDNS:\n- 10.96.0.10\nfailSwapOn: false\nmaxPods: 110\n",
                ),
                Section::good(UNITS, "kubelet active\nfirewalld inactive\n"),
            ],
        };
        let mut facts = Facts::default();
        understand(&capture, &mut facts);
        let kubelet = facts.kubelet.unwrap();
        assert!(kubelet.running);
        assert_eq!(kubelet.cgroup_driver.as_deref(), Some("cgroupfs"));
        assert_eq!(
            (kubelet.cluster_dns, kubelet.fail_swap_on),
            (Some(vec!["10.96.0.10".to_owned()]), Some(false))
        );
        assert_eq!(kubelet.args["max-pods"], "64");
        assert_eq!(facts.units.unwrap()["firewalld"], "inactive");
    }

    #[test]
    fn dates_of_openssl_are_times() {
        let text = "notBefore=Jan  2 03:04:05 2024 GMT\nnotAfter=Jan  1 03:04:05 2025 GMT\n";
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let found = certificate("/a.crt", text, now).unwrap();
        assert_eq!(found.not_before, "2024-01-02T03:04:05Z".parse().unwrap());
        assert!(found.expired);
    }

    #[tokio::test]
    async fn a_certificate_beside_its_key_gives_its_dates_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (key, cert) = self_signed(folder.path(), "node").await;
        let both = std::fs::read_to_string(&cert).unwrap() + &std::fs::read_to_string(&key).unwrap();
        std::fs::write(&cert, both).unwrap();
        let line = ["openssl", "x509", "-noout", "-dates", "-in", cert.to_str().unwrap()];
        let section = run::command(&line, Duration::from_secs(10)).await;
        assert!(!section.text.contains("PRIVATE KEY"));
        let found = certificate("c.pem", &section.text, Timestamp::now()).unwrap();
        assert!(!found.expired && found.not_before < found.not_after);
    }
}
