//! Layouts of bundles: which one an input has, and what each path means in it.
//!
//! A layout is told by the paths in it and, for single files, by the content. A file that its layout has no place for
//! is looked at for what it holds, so that nothing is lost because it lies where nobody expected it.

mod by_namespace;
pub(super) mod cluster_dump;
mod host_report;
mod must_gather;
pub(super) mod support_bundle;

use shared::lang::Localized;

use super::kinds;
use super::role::Role;

/// How an input is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Our own bundle.
    Casebook,
    /// A support bundle of troubleshoot.sh.
    Troubleshoot,
    /// `kubectl cluster-info dump --output-directory`.
    ClusterInfoDump,
    /// must-gather, `oc adm inspect`, kubectl-gather.
    MustGather,
    Sos,
    Insights,
    /// `kind export logs`.
    Kind,
    Sonobuoy,
    SupportBundleKit,
    /// Files and folders of no known layout, or one text file.
    Loose,
}

impl Layout {
    /// As the report names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Layout::Casebook => "casebook",
            Layout::Troubleshoot => "troubleshoot",
            Layout::ClusterInfoDump => "cluster-info dump",
            Layout::MustGather => "must-gather",
            Layout::Sos => "sos",
            Layout::Insights => "insights",
            Layout::Kind => "kind export logs",
            Layout::Sonobuoy => "sonobuoy",
            Layout::SupportBundleKit => "support-bundle-kit",
            Layout::Loose => "text",
        }
    }

    /// What a file is, told by its path.
    pub(super) fn role(self, path: &str) -> Role {
        if is_litter(path) {
            return Role::Skip;
        }
        match self {
            Layout::Casebook | Layout::Troubleshoot => support_bundle::role(path),
            Layout::ClusterInfoDump => cluster_dump::role(path),
            Layout::MustGather => must_gather::role(path),
            Layout::Sos => host_report::sos(path),
            Layout::Insights => host_report::insights(path),
            Layout::Kind => host_report::kind(path),
            Layout::Sonobuoy => by_namespace::sonobuoy(path),
            Layout::SupportBundleKit => by_namespace::kit(path),
            Layout::Loose => loose(path),
        }
    }

    /// What bundles of this layout never hold, for the reader of a report.
    pub(super) fn lacks(self) -> Option<Localized> {
        let (zh, en) = match self {
            Layout::Casebook | Layout::Loose => return None,
            Layout::Troubleshoot => (
                "troubleshoot 收集包：没有控制机信息；日志默认只保留最后 10000 行；没有收集清单，缺少的内容不等于不存在。",
                "a troubleshoot bundle: it has no facts of the control machine, logs keep their last 10,000 lines unless \
                 asked otherwise, and without a ledger what is missing may still exist.",
            ),
            Layout::ClusterInfoDump => (
                "cluster-info dump：没有 PVC、StorageClass、Ingress、ConfigMap、helm release 和主机信息，也没有上一次运行的日志。",
                "a cluster-info dump: it has no claims, storage classes, ingresses, config maps, helm releases, facts of \
                 hosts or previous logs.",
            ),
            Layout::MustGather => (
                "must-gather / inspect：没有 helm release 历史和控制机信息。",
                "must-gather or inspect: it has no helm histories and no facts of the control machine.",
            ),
            Layout::Sos => (
                "sos 报告：只有一台主机；没有 helm release，Kubernetes 资源视插件选项而定。",
                "a sos report: it is of one host, has no helm releases, and of Kubernetes what the plugin was asked for.",
            ),
            Layout::Insights => (
                "insights 归档：只有一台主机的信息，没有 Kubernetes 资源。",
                "an insights archive: it is of one host and has no Kubernetes objects.",
            ),
            Layout::Kind => (
                "kind export logs：只有日志，没有 Kubernetes 资源和 helm release。",
                "kind export logs: it has logs only, no Kubernetes objects and no helm releases.",
            ),
            Layout::Sonobuoy => (
                "sonobuoy 结果：日志只有 sonobuoy 自己的；没有 helm release 和控制机信息。",
                "a sonobuoy result: its logs are those of sonobuoy itself; it has no helm releases and no facts of the \
                 control machine.",
            ),
            Layout::SupportBundleKit => (
                "support-bundle-kit 收集包：没有 helm release 历史和控制机信息。",
                "a support-bundle-kit bundle: it has no helm histories and no facts of the control machine.",
            ),
        };
        Some(Localized::new(zh, en))
    }
}

/// Recognises the layout of a set of paths.
pub(super) fn recognise<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> Layout {
    let has = |wanted: &str| paths.clone().any(|path| path == wanted);
    let below = |folder: &str| paths.clone().any(|path| path.starts_with(folder));
    if below("cluster-resources/") || has("version.yaml") {
        let ours = has("manifest.json") || below("tables/") || below("describe/");
        if ours { Layout::Casebook } else { Layout::Troubleshoot }
    } else if has("manifest.json") && (below("texts/") || below("hosts/") || below("helm/")) {
        Layout::Casebook
    } else if host_report::is_sos(paths.clone()) {
        Layout::Sos
    } else if host_report::is_insights(paths.clone()) {
        Layout::Insights
    } else if by_namespace::is_kit(paths.clone()) {
        Layout::SupportBundleKit
    } else if by_namespace::is_sonobuoy(paths.clone()) {
        Layout::Sonobuoy
    } else if host_report::is_kind(paths.clone()) {
        Layout::Kind
    } else if must_gather::recognise(paths.clone()) {
        Layout::MustGather
    } else if cluster_dump::recognise(paths) {
        Layout::ClusterInfoDump
    } else {
        Layout::Loose
    }
}

/// A file that somebody saved: its name may say what the table in it is of.
fn loose(path: &str) -> Role {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    Role::Output { resource: kinds::of_known_name(stem), namespace: None, command: None, pasted: true }
}

/// Files that systems leave behind: twins that macOS adds to archives, thumbnails, editors' backups.
fn is_litter(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("._") || name == ".DS_Store" || name == "Thumbs.db" || path.starts_with("__MACOSX/")
}

/// Folders that mean something at the root of a layout, and therefore are no mere wrapping.
const ROOTS: &[&str] = &[
    "cluster-resources",
    "cluster-info",
    "helm",
    "hosts",
    "probes",
    "tables",
    "describe",
    "install",
    "texts",
    "namespaces",
    "cluster-scoped-resources",
    "resources",
    "podlogs",
    "yamls",
    "sos_commands",
    "data",
    "insights_commands",
];

/// Length of the folders, with their slashes, that all paths have in front and that are only wrapping.
pub(super) fn wrapping<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> usize {
    let mut length = 0;
    loop {
        let mut rest = paths.clone().map(|path| &path[length..]);
        let Some((folder, _)) = rest.next().and_then(|first| first.split_once('/')) else { return length };
        if ROOTS.contains(&folder) || !rest.all(|path| path.split_once('/').is_some_and(|(f, _)| f == folder))
        {
            return length;
        }
        length += folder.len() + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_folders_are_seen_through_and_meaningful_ones_kept() {
        let wrapped = |paths: &[&'static str]| wrapping(paths.iter().copied());
        assert_eq!(wrapped(&["top/version.yaml", "top/texts/a.txt"]), 4);
        assert_eq!(wrapped(&["a/b/version.yaml", "a/b/texts/a.txt"]), 4);
        assert_eq!(wrapped(&["texts/a.txt", "texts/b.txt"]), 0);
        assert_eq!(wrapped(&["top/texts/a.txt"]), 4);
        assert_eq!(wrapped(&["a.txt"]), 0);
        assert_eq!(wrapped(&["x/a.txt", "y/b.txt"]), 0);
        assert_eq!(wrapped(&[]), 0);
    }
}
