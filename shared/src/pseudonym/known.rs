//! Names that everybody knows: they tell nothing of who runs a cluster, and a diagnosis needs them.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Labels that stay wherever they stand as a whole label: words of the field, names of services and programs. A
/// machine that is called `master` has no pseudonym; one that is called `master-1` has.
const WORDS: &[&str] = &[
    "access",
    "activemq",
    "admin",
    "agent",
    "alertmanager",
    "all",
    "any",
    "api",
    "apigw",
    "apiserver",
    "app",
    "apps",
    "arm64",
    "auth",
    "auto",
    "backend",
    "backup",
    "bcs",
    "bk",
    "bkapi",
    "bkapps",
    "bkaudit",
    "bkauth",
    "bkbase",
    "bkce",
    "bkci",
    "bkcmdb",
    "bkdata",
    "bkiam",
    "bkjob",
    "bklog",
    "bklogin",
    "bkmonitor",
    "bknodeman",
    "bkpaas",
    "bkrepo",
    "bksops",
    "bkssm",
    "bkuser",
    "blueking",
    "broker",
    "bucket",
    "build",
    "calico",
    "cdn",
    "ceph",
    "charts",
    "ci",
    "client",
    "clickhouse",
    "cloud",
    "cluster",
    "cmdb",
    "codecc",
    "config",
    "console",
    "consul",
    "containerd",
    "control",
    "controller",
    "coredns",
    "cron",
    "dashboard",
    "data",
    "database",
    "db",
    "debug",
    "default",
    "demo",
    "dev",
    "devops",
    "dns",
    "docker",
    "docs",
    "download",
    "elastic",
    "elasticsearch",
    "email",
    "endpoint",
    "error",
    "es",
    "esb",
    "etcd",
    "example",
    "false",
    "file",
    "files",
    "flannel",
    "frontend",
    "ftp",
    "gateway",
    "gitlab",
    "global",
    "grafana",
    "group",
    "gse",
    "guest",
    "harbor",
    "health",
    "helm",
    "home",
    "host",
    "hostname",
    "http",
    "https",
    "hub",
    "iam",
    "image",
    "images",
    "info",
    "infra",
    "ingress",
    "install",
    "int",
    "internal",
    "invalid",
    "istio",
    "jenkins",
    "job",
    "jobapi",
    "jumpserver",
    "k3s",
    "k8s",
    "kafka",
    "kibana",
    "kube",
    "kubelet",
    "kubernetes",
    "lb",
    "ldap",
    "lan",
    "lesscode",
    "linux",
    "local",
    "localdomain",
    "localhost",
    "log",
    "login",
    "logs",
    "loki",
    "mail",
    "main",
    "manager",
    "mariadb",
    "master",
    "maven",
    "memcached",
    "metrics",
    "minikube",
    "minio",
    "mirror",
    "mirrors",
    "mongo",
    "mongodb",
    "monitor",
    "mq",
    "mysql",
    "name",
    "net",
    "network",
    "nexus",
    "nfs",
    "nginx",
    "no",
    "nodata",
    "node",
    "nodeman",
    "none",
    "noreply",
    "npm",
    "ns",
    "ntp",
    "null",
    "oauth",
    "op",
    "ops",
    "org",
    "oss",
    "paas",
    "pod",
    "port",
    "postgres",
    "postgresql",
    "primary",
    "private",
    "prod",
    "production",
    "prometheus",
    "proxy",
    "public",
    "pulsar",
    "pypi",
    "rabbitmq",
    "read",
    "redis",
    "registry",
    "release",
    "remote",
    "replica",
    "repo",
    "root",
    "router",
    "s3",
    "search",
    "secondary",
    "sentinel",
    "server",
    "service",
    "slave",
    "smtp",
    "sops",
    "source",
    "ssh",
    "ssl",
    "ssm",
    "stag",
    "stage",
    "staging",
    "standby",
    "static",
    "status",
    "storage",
    "svc",
    "sys",
    "system",
    "temp",
    "test",
    "tmp",
    "token",
    "traefik",
    "true",
    "ubuntu",
    "unknown",
    "upload",
    "user",
    "vault",
    "vip",
    "vm",
    "web",
    "webhook",
    "worker",
    "www",
    "yes",
    "yum",
    "zk",
    "zookeeper",
    // Names that every /etc/hosts has.
    "broadcasthost",
    "ip6-allnodes",
    "ip6-allrouters",
    "ip6-localhost",
    "ip6-localnet",
    "ip6-loopback",
    "ip6-mcastprefix",
    "localhost4",
    "localhost6",
    // Names that clusters for one machine give themselves.
    "colima",
    "docker-desktop",
    "kind-control-plane",
    "orbstack",
    "control-plane",
];

/// Domains that stay with all names below them: projects, their registries and API groups, and what products ship
/// as their default. The domain of a user is never here.
const DOMAINS: &[&str] = &[
    // Kubernetes and what runs in and around it.
    "k8s.io",
    "kubernetes.io",
    "cncf.io",
    "x-k8s.io",
    "gcr.io",
    "docker.io",
    "docker.com",
    "docker-cn.com",
    "quay.io",
    "ghcr.io",
    "helm.sh",
    "istio.io",
    "coreos.com",
    "projectcalico.org",
    "tigera.io",
    "cilium.io",
    "flannel.io",
    "openkruise.io",
    "kruise.io",
    "cert-manager.io",
    "jetstack.io",
    "prometheus.io",
    "grafana.com",
    "cattle.io",
    "rancher.io",
    "rancher.com",
    "k3s.io",
    "longhorn.io",
    "rook.io",
    "ceph.com",
    "ceph.io",
    "openebs.io",
    "min.io",
    "strimzi.io",
    "elastic.co",
    "knative.dev",
    "tekton.dev",
    "fluxcd.io",
    "argoproj.io",
    "velero.io",
    "kyverno.io",
    "openshift.io",
    "operatorframework.io",
    "crossplane.io",
    "linkerd.io",
    "traefik.io",
    "containo.us",
    "konghq.com",
    "hashicorp.com",
    "nvidia.com",
    "amd.com",
    "intel.com",
    "volcano.sh",
    "karmada.io",
    "kubeovn.io",
    "kubesphere.io",
    "appscode.com",
    "bitnami.com",
    "cloudnativepg.io",
    "percona.com",
    "zalan.do",
    "keda.sh",
    "dapr.io",
    "metallb.io",
    "spotahome.com",
    "opstreelabs.in",
    "altinity.com",
    "nats.io",
    "etcd.io",
    "containerd.io",
    "runc.io",
    "cri-o.io",
    "podman.io",
    "nginx.org",
    "nginx.com",
    "opencontainers.org",
    "troubleshoot.sh",
    "replicated.com",
    "gatekeeper.sh",
    "kubevirt.io",
    "kubeflow.org",
    "csi.alibabacloud.com",
    "node.alibabacloud.com",
    "kubernetes.default",
    // Languages, systems and programs whose names stand in logs.
    "golang.org",
    "go.dev",
    "gopkg.in",
    "go.uber.org",
    "uber.org",
    "python.org",
    "pypi.org",
    "pythonhosted.org",
    "npmjs.org",
    "npmjs.com",
    "nodejs.org",
    "apache.org",
    "maven.org",
    "sonatype.org",
    "spring.io",
    "springframework.org",
    "springsource.org",
    "hibernate.org",
    "slf4j.org",
    "logback.qos.ch",
    "qos.ch",
    "w3.org",
    "xmlsoap.org",
    "xml.org",
    "json-schema.org",
    "oracle.com",
    "sun.com",
    "java.com",
    "openjdk.org",
    "jetbrains.com",
    "mysql.com",
    "mariadb.org",
    "mariadb.com",
    "redis.io",
    "redis.com",
    "mongodb.org",
    "mongodb.com",
    "rabbitmq.com",
    "postgresql.org",
    "erlang.org",
    "consul.io",
    "vaultproject.io",
    "openresty.org",
    "lua.org",
    "php.net",
    "gnu.org",
    "kernel.org",
    "man7.org",
    "freedesktop.org",
    "systemd.io",
    "ietf.org",
    "iana.org",
    "openssl.org",
    "letsencrypt.org",
    "ubuntu.com",
    "debian.org",
    "centos.org",
    "redhat.com",
    "fedoraproject.org",
    "rockylinux.org",
    "almalinux.org",
    "openeuler.org",
    "opensuse.org",
    "suse.com",
    "alpinelinux.org",
    "elrepo.org",
    "epel.io",
    "ntp.org",
    "github.com",
    "githubusercontent.com",
    "githubassets.com",
    "gitlab.com",
    "gitee.com",
    "bitbucket.org",
    "stackoverflow.com",
    "wikipedia.org",
    "mozilla.org",
    "chromium.org",
    "google.com",
    "googleapis.com",
    "goo.gl",
    "googlesource.com",
    "microsoft.com",
    "sentry.io",
    "jaegertracing.io",
    "opentelemetry.io",
    "swagger.io",
    "djangoproject.com",
    "flask.pocoo.org",
    "pocoo.org",
    "celeryproject.org",
    "readthedocs.io",
    "readthedocs.org",
    "docutils.org",
    "babeljs.io",
    "reactjs.org",
    "vuejs.org",
    "webpack.js.org",
    "yarnpkg.com",
    "apple.com",
    "mysql.default",
    // Mirrors and public services.
    "aliyun.com",
    "ccs.tencentyun.com",
    "daocloud.io",
    "163.com",
    "qq.com",
    "weixin.qq.com",
    "dingtalk.com",
    "feishu.cn",
    "huaweicloud.com",
    "tuna.tsinghua.edu.cn",
    "ustc.edu.cn",
    "nju.edu.cn",
    "sjtu.edu.cn",
    "npmmirror.com",
    "taobao.org",
    "baidu.com",
    "gmail.com",
    "outlook.com",
    "hotmail.com",
    "126.com",
    "foxmail.com",
    "sina.com",
    "icloud.com",
    // BlueKing: its API groups, its registry, and the domains that its charts have where nobody set one.
    "bktencent.com",
    "bk.tencent.com",
    "tencent.com",
    "bking.com",
    "repo.bk.com",
    "bkrepo.com",
    "bkmonitor.com",
    "bcs.local",
    "blueking.com",
    "bk.qq.com",
    // Names by which controllers answer where nobody told them another.
    "ingress.local",
    "cluster.local",
    "lease.local",
    "localhost.localdomain",
];

/// Domains under which providers give names to their customers: they stay, what is left of them does not.
const PROVIDERS: &[&str] = &[
    "aliyuncs.com",
    "amazonaws.com",
    "azurecr.io",
    "github.io",
    "myqcloud.com",
    "tencentcloudcr.com",
    "tencentyun.com",
    "windows.net",
];

/// Ends of host names that are taken for one wherever they stand.
const SURE: &[&str] = &[
    "com", "cn", "org", "edu", "gov", "mil", "hk", "tw", "jp", "kr", "sg", "us", "uk", "de", "fr", "ru",
    "au", "ca", "eu", "br", "mo", "top", "xyz", "vip", "ltd", "corp", "intra", "intranet", "asia", "biz",
];
/// The same for names of three labels and more; with two they are more often something of a program
/// (`java.net`, `values.local`).
const SURE_IF_LONG: &[&str] = &[
    "net",
    "local",
    "internal",
    "lan",
    "home",
    "localdomain",
    "private",
    "tech",
    "cloud",
    "online",
    "site",
    "dev",
    "io",
    "company",
];
/// Further ends that make a name a host only where nothing but a host can stand (in a URL).
const IN_URLS: &[&str] = &[
    "app", "info", "me", "work", "shop", "store", "group", "link", "ai", "sh", "test", "example", "name",
    "pro",
];
/// Labels below a country's that belong to its suffix.
const SECOND: &[&str] = &["com", "net", "org", "gov", "edu", "co", "ac", "or", "ne", "mil"];
/// Starts of package names of programming languages, which read like hosts backwards.
const PACKAGES: &[&str] = &[
    "com", "org", "net", "io", "cn", "edu", "java", "javax", "jakarta", "sun", "jdk", "kotlin", "scala",
    "android", "system", "self", "this",
];

static WORD_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.iter().copied().collect());
static DOMAIN_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| DOMAINS.iter().copied().collect());

pub(super) fn is_common_word(label: &str) -> bool {
    WORD_SET.contains(label)
}

/// A name, and what is left of it when labels are taken from its front one by one.
pub(super) fn and_parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent))
}

/// Whether a name in lower case is one that stays.
pub(super) fn is_kept_domain(name: &str) -> bool {
    and_parents(name).any(|domain| DOMAIN_SET.contains(domain)) || is_cluster_internal(name)
}

/// Names of services and pods, which the cluster's own DNS makes of names in the cluster.
pub(super) fn is_cluster_internal(name: &str) -> bool {
    name.ends_with(".svc")
        || name.contains(".svc.")
        || name.starts_with("svc.")
        || name.ends_with("in-addr.arpa")
        || name.ends_with("ip6.arpa")
}

/// How many labels of a host name are its suffix, which stays: none where the last one is no known ending.
pub(super) fn suffix_labels(labels: &[&str]) -> usize {
    let [.., second, last] = labels else { return 0 };
    if !is_ending(last) {
        return 0;
    }
    let of_provider = PROVIDERS.contains(&format!("{second}.{last}").as_str());
    let of_country = labels.len() > 2 && last.len() == 2 && SECOND.contains(second);
    if of_provider || of_country { 2 } else { 1 }
}

fn is_ending(label: &str) -> bool {
    [SURE, SURE_IF_LONG, IN_URLS].iter().any(|endings| endings.contains(&label)) || is_country(label)
}

fn is_country(label: &str) -> bool {
    label.len() == 2 && label.bytes().all(|b| b.is_ascii_lowercase())
}

/// Whether labels are a host name by their looks; `certain` where only a host can stand.
pub(super) fn looks_like_host(labels: &[&str], certain: bool) -> bool {
    let [first, .., last] = labels else { return false };
    if certain {
        return is_ending(last);
    }
    !PACKAGES.contains(first) && (SURE.contains(last) || (labels.len() > 2 && SURE_IF_LONG.contains(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_and_what_does_not() {
        for kept in ["registry.k8s.io", "bkrepo.bkce7.bktencent.com", "github.com", "kubernetes.default.svc"]
        {
            assert!(is_kept_domain(kept), "{kept}");
        }
        for own in ["mycorp.com", "notk8s.io", "github.com.mycorp.cn", "svc-1.mycorp.com"] {
            assert!(!is_kept_domain(own), "{own}");
        }
    }

    #[test]
    fn hosts_are_told_from_files_and_packages() {
        let looks = |name: &str, certain| looks_like_host(&name.split('.').collect::<Vec<_>>(), certain);
        for host in ["mycorp.com", "a.b.mycorp.com.cn", "n1.dc1.internal", "gitlab.start.io"] {
            assert!(looks(host, false), "{host}");
        }
        for other in
            ["app.py", "values.yaml", "kubelet.service", "com.mycorp.net", "java.net", "setup.sh", "fs.io"]
        {
            assert!(!looks(other, false), "{other}");
        }
        assert!(looks("start.sh", true));
        assert!(!looks("bk-mysql.blueking", true));
    }

    #[test]
    fn suffixes_have_one_or_two_labels() {
        let labels = |name: &str| suffix_labels(&name.split('.').collect::<Vec<_>>());
        assert_eq!(labels("a.mycorp.com"), 1);
        assert_eq!(labels("a.mycorp.com.cn"), 2);
        assert_eq!(labels("com.cn"), 1);
        assert_eq!(labels("n1.dc.mycorp"), 0);
    }
}
