//! Faults of the product's catalogue that show in pods, claims and nodes.

use anyhow::Result;

use super::{DOOMED_NODE, Scenario, Sign, apply};
use crate::cluster::Cluster;

pub static SCENARIOS: &[Scenario] = &[
    Scenario::objects(
        "bkrepo-gateway-ipv6",
        &["blueking"],
        &[Sign::Looping("blueking", "bk-repo-bkrepo-gateway-")],
    ),
    Scenario::objects(
        "saas-prehook-image-pull",
        &["bkapp-bk0us0itsm-prod", "bkapp-bk0us0sops-stag"],
        &[
            Sign::Event("bkapp-bk0us0itsm-prod", "Failed", "no such host"),
            Sign::Event("bkapp-bk0us0sops-stag", "Failed", "x509"),
            Sign::Waiting("bkapp-bk0us0itsm-prod", "ImagePullBackOff"),
            Sign::Waiting("bkapp-bk0us0sops-stag", "ImagePullBackOff"),
        ],
    ),
    Scenario::objects(
        "pvc-no-storageclass",
        &["storage-noclass"],
        &[
            Sign::Event("storage-noclass", "FailedBinding", "no storage class is set"),
            Sign::Unschedulable("storage-noclass", "unbound immediate PersistentVolumeClaims"),
        ],
    ),
    Scenario::objects(
        "pv-not-found-to-bind",
        &["storage-nospace"],
        &[Sign::Unschedulable("storage-nospace", "find available persistent volumes to bind")],
    ),
    Scenario::objects(
        "pvc-wait-pod-scheduled",
        &["claim-waits"],
        &[
            Sign::Event("claim-waits", "WaitForPodScheduled", "to be scheduled"),
            Sign::Unschedulable("claim-waits", "Insufficient cpu"),
        ],
    ),
    Scenario::steps("kubelet-10250-unreachable", &["doomed"], kubelet_10250_unreachable),
    Scenario::objects("consul-no-private-ip", &["blueking"], &[Sign::Looping("blueking", "bk-consul-")]),
    Scenario::objects(
        "bkmonitor-ipc-missing",
        &["bkmonitor-operator"],
        &[Sign::Looping("bkmonitor-operator", "bkmonitor-operator-bkmonitorbeat-")],
    ),
    Scenario::objects(
        "service-call-failed-clock-skew",
        &["blueking"],
        &[Sign::Looping("blueking", "bkpaas3-apiserver-migrate-db-")],
    ),
    Scenario::objects(
        "es-redis-dns-network",
        &["blueking", "kube-system"],
        &[
            Sign::Looping("blueking", "bk-elastic-elasticsearch-data-"),
            Sign::Looping("blueking", "bk-redis-cluster-"),
            Sign::Running("kube-system"),
        ],
    ),
    Scenario::objects(
        "bkci-init-turbo-timeout",
        &["blueking"],
        &[Sign::Looping("blueking", "bk-ci-init-turbo-")],
    ),
    Scenario::objects("login-style-lost", &["blueking"], &[Sign::Started("blueking", "web")]),
    Scenario::objects("gitlab-webhook-master", &["blueking"], &[Sign::Started("blueking", "process")]),
];

/// The pod runs, then its node's kubelet is gone: the node is still Ready for some 40 s, and its port is closed.
pub fn kubelet_10250_unreachable(cluster: &Cluster) -> Result<()> {
    apply(cluster, "kubelet-10250-unreachable")?;
    Sign::Running("doomed").wait(cluster)?;
    cluster.kill_kubelet(DOOMED_NODE)
}
