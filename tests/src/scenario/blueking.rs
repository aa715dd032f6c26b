//! Faults of the product's catalogue that show in pods, claims and nodes.

use anyhow::Result;

use super::{DOOMED_NODE, Scenario, apply};
use crate::cluster::{Cluster, any_container, items};

pub static SCENARIOS: &[Scenario] = &[
    Scenario { id: "bkrepo-gateway-ipv6", namespaces: &["blueking"], make: bkrepo_gateway_ipv6 },
    Scenario {
        id: "saas-prehook-image-pull",
        namespaces: &["bkapp-bk0us0itsm-prod", "bkapp-bk0us0sops-stag"],
        make: saas_prehook_image_pull,
    },
    Scenario { id: "pvc-no-storageclass", namespaces: &["storage-noclass"], make: pvc_no_storageclass },
    Scenario { id: "pv-not-found-to-bind", namespaces: &["storage-nospace"], make: pv_not_found_to_bind },
    Scenario { id: "kubelet-10250-unreachable", namespaces: &["doomed"], make: kubelet_10250_unreachable },
    Scenario { id: "consul-no-private-ip", namespaces: &["blueking"], make: consul_no_private_ip },
    Scenario {
        id: "bkmonitor-ipc-missing",
        namespaces: &["bkmonitor-operator"],
        make: bkmonitor_ipc_missing,
    },
    Scenario {
        id: "service-call-failed-clock-skew",
        namespaces: &["blueking"],
        make: service_call_failed_clock_skew,
    },
    Scenario {
        id: "es-redis-dns-network",
        namespaces: &["blueking", "kube-system"],
        make: es_redis_dns_network,
    },
];

/// Waits until a container of a pod whose name starts so has been restarted at least twice and waits to be again.
fn crash_looping(cluster: &Cluster, namespace: &str, prefix: &str) -> Result<()> {
    cluster
        .wait_for(namespace, "pods", "", &format!("{prefix}… crash-looping"), |list| {
            items(list)
                .iter()
                .filter(|pod| pod["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(prefix)))
                .flat_map(|pod| pod["status"]["containerStatuses"].as_array().into_iter().flatten())
                .any(|status| {
                    status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
                        && status["restartCount"].as_u64().is_some_and(|count| count >= 2)
                })
        })
        .map(drop)
}

fn bkrepo_gateway_ipv6(cluster: &Cluster) -> Result<()> {
    apply(cluster, "bkrepo-gateway-ipv6")?;
    crash_looping(cluster, "blueking", "bk-repo-bkrepo-gateway-")
}

fn saas_prehook_image_pull(cluster: &Cluster) -> Result<()> {
    apply(cluster, "saas-prehook-image-pull")?;
    cluster.wait_for_event("bkapp-bk0us0itsm-prod", "Failed", "no such host")?;
    cluster.wait_for_event("bkapp-bk0us0sops-stag", "Failed", "x509")?;
    for namespace in ["bkapp-bk0us0itsm-prod", "bkapp-bk0us0sops-stag"] {
        cluster.wait_for(namespace, "pods", "", "failing to pull", |pods| {
            any_container(pods, |status| status["state"]["waiting"]["reason"] == "ImagePullBackOff")
        })?;
    }
    Ok(())
}

fn pvc_no_storageclass(cluster: &Cluster) -> Result<()> {
    apply(cluster, "pvc-no-storageclass")?;
    cluster.wait_for_event("storage-noclass", "FailedBinding", "no storage class is set")?;
    cluster.wait_for_event("storage-noclass", "FailedScheduling", "unbound immediate PersistentVolumeClaims")
}

fn pv_not_found_to_bind(cluster: &Cluster) -> Result<()> {
    apply(cluster, "pv-not-found-to-bind")?;
    cluster.wait_for_event("storage-nospace", "FailedScheduling", "find available persistent volumes to bind")
}

fn kubelet_10250_unreachable(cluster: &Cluster) -> Result<()> {
    apply(cluster, "kubelet-10250-unreachable")?;
    cluster.wait_for("doomed", "pods", "", "running", |list| {
        !items(list).is_empty() && items(list).iter().all(|pod| pod["status"]["phase"] == "Running")
    })?;
    cluster.kill_kubelet(DOOMED_NODE)
}

fn consul_no_private_ip(cluster: &Cluster) -> Result<()> {
    apply(cluster, "consul-no-private-ip")?;
    crash_looping(cluster, "blueking", "bk-consul-")
}

fn bkmonitor_ipc_missing(cluster: &Cluster) -> Result<()> {
    apply(cluster, "bkmonitor-ipc-missing")?;
    crash_looping(cluster, "bkmonitor-operator", "bkmonitor-operator-bkmonitorbeat-")
}

fn service_call_failed_clock_skew(cluster: &Cluster) -> Result<()> {
    apply(cluster, "service-call-failed-clock-skew")?;
    crash_looping(cluster, "blueking", "bkpaas3-apiserver-migrate-db-")
}

fn es_redis_dns_network(cluster: &Cluster) -> Result<()> {
    apply(cluster, "es-redis-dns-network")?;
    crash_looping(cluster, "blueking", "bk-elastic-elasticsearch-data-")?;
    crash_looping(cluster, "blueking", "bk-redis-cluster-")
}
