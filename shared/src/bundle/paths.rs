//! Every path inside a bundle, in one place for the writer and the reader.
//!
//! `version.yaml`, `cluster-info/`, `cluster-resources/**` and `helm/<namespace>.json` sit where support bundles of
//! troubleshoot.sh have them, so that tools for those open ours. All other folders are our own. Paths are relative
//! to the bundle's single top folder, with `/`, and hold no `.` or `..`.

/// Marker of the troubleshoot layout.
pub const VERSION: &str = "version.yaml";
/// The manifest; written last, so that a bundle without it was cut off.
pub const MANIFEST: &str = "manifest.json";
pub const README: &str = "README.txt";
pub const CLUSTER_VERSION: &str = "cluster-info/cluster_version.json";
/// Folder of helm's releases; also what the ledger calls reading them in all namespaces in one go.
pub const HELM: &str = "helm";
/// Folder of what the user pasted or named with `--text`.
pub const TEXTS: &str = "texts";
/// Folder of host facts, one folder a host.
pub const HOSTS: &str = "hosts";
/// Folder of measured answers (clock skew, name resolution, reachability).
pub const PROBES: &str = "probes";
/// Folder of the product's installation directory.
pub const INSTALL: &str = "install";
/// The folder that stands for "no namespace" in `tables/` and `describe/`.
pub const CLUSTER_SCOPE: &str = "_cluster";

/// Resource names that differ from the API's plural in the troubleshoot layout.
///
/// (API group, plural, folder or file stem.) Anything that is neither here nor in [`SAME_NAME`] is written
/// under `custom-resources/<plural>.<group>`.
const RENAMED: &[(&str, &str, &str)] = &[
    ("", "persistentvolumeclaims", "pvcs"),
    ("", "persistentvolumes", "pvs"),
    ("", "resourcequotas", "resource-quota"),
    ("apiextensions.k8s.io", "customresourcedefinitions", "custom-resource-definitions"),
    ("networking.k8s.io", "ingresses", "ingress"),
    ("networking.k8s.io", "ingressclasses", "ingress-classes"),
    ("networking.k8s.io", "networkpolicies", "network-policy"),
    ("policy", "poddisruptionbudgets", "pod-disruption-budgets"),
    ("storage.k8s.io", "storageclasses", "storage-classes"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations", "validating-webhook-configurations"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "mutating-webhook-configurations"),
];

const SAME_NAME: &[(&str, &str)] = &[
    ("", "namespaces"),
    ("", "nodes"),
    ("", "pods"),
    ("", "services"),
    ("", "events"),
    ("", "endpoints"),
    ("", "configmaps"),
    ("", "secrets"),
    ("", "limitranges"),
    ("", "serviceaccounts"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("apps", "replicasets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("coordination.k8s.io", "leases"),
    ("discovery.k8s.io", "endpointslices"),
    ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("scheduling.k8s.io", "priorityclasses"),
    ("storage.k8s.io", "volumeattachments"),
    ("certificates.k8s.io", "certificatesigningrequests"),
];

/// Where the List of one resource lies; `namespace` is `None` for cluster-scoped resources.
pub fn resource(group: &str, plural: &str, namespace: Option<&str>) -> String {
    let stem = resource_stem(group, plural);
    match namespace {
        Some(ns) => format!("cluster-resources/{stem}/{ns}.json"),
        None => format!("cluster-resources/{stem}.json"),
    }
}

/// What the ledger calls a namespaced resource that was listed across all namespaces in one go: the folder of its
/// Lists, without a slash at the end. Its entry's outcome speaks for every namespace, those without a List too.
pub fn resource_everywhere(group: &str, plural: &str) -> String {
    format!("cluster-resources/{}", resource_stem(group, plural))
}

fn resource_stem(group: &str, plural: &str) -> String {
    if let Some((_, _, stem)) = RENAMED.iter().find(|(g, p, _)| *g == group && *p == plural) {
        return (*stem).to_owned();
    }
    if SAME_NAME.contains(&(group, plural)) {
        return plural.to_owned();
    }
    if group.is_empty() {
        format!("custom-resources/{plural}")
    } else {
        format!("custom-resources/{plural}.{group}")
    }
}

/// The API's plural for a folder or file stem of `cluster-resources/`, the inverse of [`resource`].
pub fn plural_of_stem(stem: &str) -> &str {
    RENAMED.iter().find(|(_, _, s)| *s == stem).map_or(stem, |(_, plural, _)| plural)
}

pub fn log(namespace: &str, pod: &str, container: &str, previous: bool) -> String {
    let suffix = if previous { "-previous" } else { "" };
    format!("cluster-resources/pods/logs/{namespace}/{pod}/{container}{suffix}.log")
}

/// The name under which something of a pod lies whose place is taken by a pod of the same name that came after it, such
/// as a StatefulSet's: `name` is that of a container in [`log`], or that of the pod in [`describe`].
pub fn gone(name: &str, uid: &str) -> String {
    let uid: String = uid.chars().filter(char::is_ascii_hexdigit).take(GONE_UID).collect();
    format!("{name}{GONE}{uid:0>GONE_UID$}")
}

const GONE: &str = "-gone-";
/// Characters of a UID that tell pods of one name apart.
const GONE_UID: usize = 8;

/// The inverse of [`gone`]: the name, where it is one of something gone.
pub fn of_gone(name: &str) -> Option<&str> {
    let (before, uid) = name.split_at_checked(name.len().checked_sub(GONE_UID)?)?;
    let hex = uid.bytes().all(|b| b.is_ascii_hexdigit());
    before.strip_suffix(GONE).filter(|name| hex && !name.is_empty())
}

/// What the API server's Table of a resource looks like, as `kubectl get -o wide` prints it.
pub fn table(namespace: Option<&str>, plural: &str) -> String {
    format!("tables/{}/{plural}.txt", namespace.unwrap_or(CLUSTER_SCOPE))
}

/// `kind` in lower case.
pub fn describe(namespace: Option<&str>, kind: &str, name: &str) -> String {
    format!("describe/{}/{kind}/{}.txt", namespace.unwrap_or(CLUSTER_SCOPE), safe_segment(name))
}

pub fn helm_releases(namespace: &str) -> String {
    format!("{HELM}/{namespace}.json")
}

pub fn helm_history(namespace: &str, release: &str) -> String {
    format!("{HELM}/{namespace}/{}.txt", safe_segment(release))
}

pub fn host_facts(host: &str) -> String {
    format!("{HOSTS}/{}/facts.json", safe_segment(host))
}

pub fn host_probe(host: &str, probe: &str) -> String {
    format!("{HOSTS}/{}/{}.txt", safe_segment(host), safe_segment(probe))
}

pub fn probe(name: &str) -> String {
    format!("{PROBES}/{}.json", safe_segment(name))
}

pub fn text(name: &str) -> String {
    format!("{TEXTS}/{}.txt", safe_segment(name))
}

/// A name from outside as one path segment: RBAC names hold `:`, host names may hold anything.
///
/// Keeps letters of every script, digits and `-_.@+=`; everything else becomes `_`. Never empty, never `.` or `..`.
pub fn safe_segment(name: &str) -> String {
    let cleaned: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() || "-_.@+=".contains(c) { c } else { '_' })
        .take(200)
        .collect();
    if cleaned.chars().all(|c| c == '.') { format!("_{cleaned}") } else { cleaned }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_resources_sit_where_the_troubleshoot_layout_has_them() {
        assert_eq!(resource("", "pods", Some("blueking")), "cluster-resources/pods/blueking.json");
        assert_eq!(resource("", "persistentvolumeclaims", Some("a")), "cluster-resources/pvcs/a.json");
        assert_eq!(
            resource("storage.k8s.io", "storageclasses", None),
            "cluster-resources/storage-classes.json"
        );
        assert_eq!(
            resource("bk.tencent.com", "bklogconfigs", Some("a")),
            "cluster-resources/custom-resources/bklogconfigs.bk.tencent.com/a.json"
        );
    }

    #[test]
    fn the_ledger_names_a_listing_of_all_namespaces_by_its_folder() {
        assert_eq!(resource_everywhere("", "persistentvolumeclaims"), "cluster-resources/pvcs");
        assert_eq!(
            resource_everywhere("bk.tencent.com", "bklogconfigs"),
            "cluster-resources/custom-resources/bklogconfigs.bk.tencent.com"
        );
    }

    #[test]
    fn stems_lead_back_to_the_plural() {
        for (_, plural, stem) in RENAMED {
            assert_eq!(plural_of_stem(stem), *plural);
        }
        assert_eq!(plural_of_stem("pods"), "pods");
    }

    #[test]
    fn what_is_gone_keeps_its_name() {
        let name = gone("web", "0f6c1c9e-8a53-4c2e-9d52-5b6d0f7b8a11");
        assert_eq!(name, "web-gone-0f6c1c9e");
        assert_eq!(of_gone(&name), Some("web"));
        assert_eq!(of_gone(&gone("web", "1")), Some("web"));
        for other in
            ["web", "web-gone-", "-gone-0f6c1c9e", "web-gone-0f6c1c9", "web-gone-readings", "终端终端终端"]
        {
            assert_eq!(of_gone(other), None, "{other}");
        }
    }

    #[test]
    fn a_segment_cannot_leave_its_folder() {
        assert_eq!(safe_segment("../etc/passwd"), ".._etc_passwd");
        assert_eq!(safe_segment(".."), "_..");
        assert_eq!(safe_segment(""), "_");
        assert_eq!(safe_segment("system:node"), "system_node");
        assert_eq!(safe_segment("终端 1"), "终端_1");
    }
}
