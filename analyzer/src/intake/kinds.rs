//! Names of kinds: what the API's plural is for a kind, a short name, a file name, a table's prefix.

use std::borrow::Cow;

/// (API group, kind, plural, namespaced, other names that kubectl and bundle layouts use).
type Known = (&'static str, &'static str, &'static str, bool, &'static [&'static str]);

const KINDS: &[Known] = &[
    ("", "Pod", "pods", true, &["po"]),
    ("", "Node", "nodes", false, &["no"]),
    ("", "Namespace", "namespaces", false, &["ns"]),
    ("", "Service", "services", true, &["svc"]),
    ("", "Event", "events", true, &["ev"]),
    ("", "Endpoints", "endpoints", true, &["ep"]),
    ("", "ConfigMap", "configmaps", true, &["cm"]),
    ("", "Secret", "secrets", true, &[]),
    ("", "ServiceAccount", "serviceaccounts", true, &["sa"]),
    ("", "LimitRange", "limitranges", true, &["limits"]),
    ("", "ResourceQuota", "resourcequotas", true, &["quota", "resource-quota"]),
    ("", "PersistentVolumeClaim", "persistentvolumeclaims", true, &["pvc", "pvcs"]),
    ("", "PersistentVolume", "persistentvolumes", false, &["pv", "pvs"]),
    ("", "ReplicationController", "replicationcontrollers", true, &["rc", "replication-controllers"]),
    ("", "ComponentStatus", "componentstatuses", false, &["cs"]),
    ("apps", "Deployment", "deployments", true, &["deploy"]),
    ("apps", "StatefulSet", "statefulsets", true, &["sts"]),
    ("apps", "DaemonSet", "daemonsets", true, &["ds"]),
    ("apps", "ReplicaSet", "replicasets", true, &["rs"]),
    ("apps", "ControllerRevision", "controllerrevisions", true, &[]),
    ("batch", "Job", "jobs", true, &[]),
    ("batch", "CronJob", "cronjobs", true, &["cj"]),
    ("networking.k8s.io", "Ingress", "ingresses", true, &["ing"]),
    ("networking.k8s.io", "IngressClass", "ingressclasses", false, &["ingress-classes"]),
    ("networking.k8s.io", "NetworkPolicy", "networkpolicies", true, &["netpol", "network-policy"]),
    ("policy", "PodDisruptionBudget", "poddisruptionbudgets", true, &["pdb", "pod-disruption-budgets"]),
    ("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true, &["hpa"]),
    ("storage.k8s.io", "StorageClass", "storageclasses", false, &["sc", "storage-classes"]),
    ("storage.k8s.io", "VolumeAttachment", "volumeattachments", false, &[]),
    ("storage.k8s.io", "CSIDriver", "csidrivers", false, &[]),
    ("storage.k8s.io", "CSINode", "csinodes", false, &[]),
    ("coordination.k8s.io", "Lease", "leases", true, &[]),
    ("discovery.k8s.io", "EndpointSlice", "endpointslices", true, &[]),
    ("scheduling.k8s.io", "PriorityClass", "priorityclasses", false, &["pc"]),
    ("rbac.authorization.k8s.io", "Role", "roles", true, &[]),
    ("rbac.authorization.k8s.io", "RoleBinding", "rolebindings", true, &[]),
    ("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", false, &[]),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", false, &[]),
    ("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests", false, &["csr"]),
    ("apiregistration.k8s.io", "APIService", "apiservices", false, &[]),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        false,
        &["crd", "crds", "custom-resource-definitions"],
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        false,
        &["validating-webhook-configurations"],
    ),
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        false,
        &["mutating-webhook-configurations"],
    ),
];

/// Groups that kinds were in before they moved; an old cluster still has them there.
const FORMER_GROUPS: &[&str] = &["extensions", "events.k8s.io", "apps", "networking.k8s.io", "policy"];

/// A kind as the snapshot's collections name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resource {
    /// Name in [`Objects`](crate::snapshot::Objects): the plural, with its group for custom resources.
    pub(super) collection: Cow<'static, str>,
    /// Kind, where it is known.
    pub(super) kind: Option<&'static str>,
    pub(super) api_version: Option<&'static str>,
    pub(super) namespaced: Option<bool>,
}

impl Resource {
    fn known(known: &Known) -> Self {
        let api_version = match known.0 {
            "" | "events.k8s.io" => Some("v1"),
            "apps" => Some("apps/v1"),
            "batch" => Some("batch/v1"),
            _ => None,
        };
        Self {
            collection: Cow::Borrowed(known.2),
            kind: Some(known.1),
            api_version,
            namespaced: Some(known.3),
        }
    }
}

/// What an object with this `apiVersion` and `kind` belongs to.
pub(super) fn of_kind(api_version: &str, kind: &str) -> Resource {
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let known = KINDS.iter().find(|known| known.1 == kind);
    if let Some(known) = known.filter(|known| known.0 == group || FORMER_GROUPS.contains(&group)) {
        return Resource::known(known);
    }
    let plural = plural(&kind.to_ascii_lowercase());
    let collection = if group.is_empty() { plural } else { format!("{plural}.{group}") };
    Resource { collection: collection.into(), kind: None, api_version: None, namespaced: None }
}

/// What a name means that stands in a path, a command or before a slash in a table: a plural, a kind in any case, a
/// short name, any of them with `.group`.
pub(super) fn of_name(name: &str) -> Option<Resource> {
    let lower = name.to_ascii_lowercase();
    let find = |name: &str| {
        KINDS
            .iter()
            .find(|known| known.2 == name || known.1.eq_ignore_ascii_case(name) || known.4.contains(&name))
    };
    if let Some(known) = find(&lower) {
        return Some(Resource::known(known));
    }
    let (plural, rest) = lower.split_once('.')?;
    // `deployments.apps`, and with a version, `deployments.v1.apps`.
    let group = match rest.split_once('.') {
        Some((version, group)) if is_version(version) => group,
        _ => rest,
    };
    if let Some(known) = find(plural).filter(|known| known.0 == group || FORMER_GROUPS.contains(&group)) {
        return Some(Resource::known(known));
    }
    let sane =
        !plural.is_empty() && lower.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    sane.then(|| Resource {
        collection: format!("{plural}.{group}").into(),
        kind: None,
        api_version: None,
        namespaced: None,
    })
}

/// What an object is of whose API path this is: `/api/v1/nodes/a`, `/apis/apps/v1/namespaces/a/deployments/b`.
pub(super) fn of_self_link(link: &str) -> Option<Resource> {
    let segments: Vec<&str> = link.trim_start_matches('/').split('/').collect();
    let (group, rest) = match segments[..] {
        ["api", _, ref rest @ ..] => ("", rest),
        ["apis", group, _, ref rest @ ..] => (group, rest),
        _ => return None,
    };
    let plural = match rest {
        ["namespaces", _, plural, ..] => plural,
        [plural, ..] => plural,
        [] => return None,
    };
    if group.is_empty() { of_known_name(plural) } else { of_name(&format!("{plural}.{group}")) }
}

/// Only the names of kinds that are built in, for places where any word could stand.
pub(super) fn of_known_name(name: &str) -> Option<Resource> {
    of_name(name).filter(|resource| resource.kind.is_some())
}

fn is_version(text: &str) -> bool {
    text.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// English plural, as the API's names are formed.
fn plural(word: &str) -> String {
    if let Some(stem) = word.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u'])) {
        format!("{stem}ies")
    } else if word.ends_with(['s', 'x']) || word.ends_with("ch") || word.ends_with("sh") {
        format!("{word}es")
    } else {
        format!("{word}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_their_many_names_lead_to_one_collection() {
        for name in ["pvc", "pvcs", "PersistentVolumeClaim", "persistentvolumeclaims"] {
            assert_eq!(of_name(name).unwrap().collection, "persistentvolumeclaims", "{name}");
        }
        assert_eq!(of_name("deployments.apps").unwrap().collection, "deployments");
        assert_eq!(of_name("deployment.v1.apps").unwrap().collection, "deployments");
        assert_eq!(of_name("ingress").unwrap().collection, "ingresses");
        assert_eq!(of_name("bklogconfigs.bk.tencent.com").unwrap().collection, "bklogconfigs.bk.tencent.com");
        assert_eq!(of_name("whatever"), None);
        let linked = |link: &str| of_self_link(link).map(|resource| resource.collection);
        assert_eq!(linked("/api/v1/nodes/a").unwrap(), "nodes");
        assert_eq!(linked("/api/v1/namespaces/a").unwrap(), "namespaces");
        assert_eq!(linked("/api/v1/namespaces/a/pods/b").unwrap(), "pods");
        assert_eq!(linked("/apis/extensions/v1beta1/namespaces/a/deployments/b").unwrap(), "deployments");
        assert_eq!(linked("x"), None);
        assert_eq!(of_kind("apps/v1", "Deployment").collection, "deployments");
        assert_eq!(of_kind("extensions/v1beta1", "Ingress").collection, "ingresses");
        assert_eq!(of_kind("events.k8s.io/v1", "Event").collection, "events");
        assert_eq!(
            of_kind("bk.tencent.com/v1alpha1", "BkLogConfig").collection,
            "bklogconfigs.bk.tencent.com"
        );
        assert_eq!(of_kind("serving.knative.dev/v1", "Service").collection, "services.serving.knative.dev");
    }
}
