//! Names that everybody knows: they tell nothing of who runs a cluster, and a diagnosis needs them.

use std::collections::HashSet;
use std::sync::LazyLock;

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

static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("known/words.txt")));
static DOMAINS: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("known/domains.txt")));

/// The lines that are no comments.
fn entries(list: &'static str) -> HashSet<&'static str> {
    list.lines().filter(|line| !line.starts_with('#')).collect()
}

pub(super) fn is_common_word(label: &str) -> bool {
    WORDS.contains(label)
}

/// A name, and what is left of it when labels are taken from its front one by one.
pub(super) fn and_parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent))
}

/// Whether a name in lower case is one that stays.
pub(super) fn is_kept_domain(name: &str) -> bool {
    and_parents(name).any(|domain| DOMAINS.contains(domain)) || is_cluster_internal(name)
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
