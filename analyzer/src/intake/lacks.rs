//! What an input cannot tell, in a sentence for the reader of a report: absence from it proves nothing.

use shared::lang::Localized;

use super::layout::Layout;
use super::part::Part;
use super::releases::RELEASES;
use crate::snapshot::TextKind;

/// What bundles of this layout never hold, for the reader of a report.
pub(super) fn lacks(layout: Layout) -> Option<Localized> {
    let (zh, en) = match layout {
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

/// What diagnosis nearly always needs, with its names.
const WANTED: &[(&str, &str, &str)] = &[
    ("pods", "Pod", "pods"),
    ("events", "事件", "events"),
    ("nodes", "节点", "nodes"),
    ("persistentvolumeclaims", "PVC", "claims"),
    (RELEASES, "helm release", "helm releases"),
];

/// What is missing of output that somebody saved by hand; `None` if it is no output of kubectl or helm at all.
pub(super) fn missing(parts: &[Part]) -> Option<Localized> {
    let has = |collection: &str| {
        parts.iter().any(|part| {
            part.objects.iter().any(|found| found.collection == collection)
                || part.lists.iter().any(|((name, _), _)| name == collection)
        })
    };
    if parts.iter().all(|part| part.objects.is_empty() && part.lists.is_empty()) {
        return None;
    }
    let wanted = WANTED.iter().filter(|(collection, ..)| !has(collection));
    let (mut zh, mut en): (Vec<_>, Vec<_>) = wanted.map(|(_, zh, en)| (*zh, *en)).unzip();
    let pods = parts.iter().flat_map(|part| &part.objects).filter(|found| found.collection == "pods");
    let pods: Vec<&str> = pods.filter_map(|pod| pod.value.pointer("/metadata/name")?.as_str()).collect();
    let is_log = |part: &Part| {
        let is_named = !part.pieces.iter().any(|piece| piece.kind == TextKind::Describe)
            && pods.iter().any(|pod| !pod.is_empty() && part.path.contains(pod));
        is_named || part.pieces.iter().any(|piece| piece.kind == TextKind::Log)
    };
    if !parts.iter().any(is_log) {
        zh.push("日志");
        en.push("logs");
    }
    Some(if zh.is_empty() {
        Localized::new(
            "保存下来的命令输出：只有打印出来的内容；没有的内容不等于不存在。",
            "saved output of commands: it has what they printed and no more; what is missing may still exist.",
        )
    } else {
        Localized::new(
            format!("保存下来的命令输出：没有{}；没有的内容不等于不存在。", zh.join("、")),
            format!(
                "saved output of commands: it has no {}; what is missing may still exist.",
                en.join(", ")
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::intake::{file, role::Role};

    #[test]
    fn saved_output_says_what_is_not_in_it() {
        let at = |path: &str, text: &str| file::read(path.into(), Arc::from(text), Role::Unknown, false);
        let part = |text: &str| at("a.txt", text);
        let pods = part(
            "$ kubectl get pods -A\nNAMESPACE  NAME  READY  STATUS  RESTARTS  AGE\na  web-0  1/1  Running  0  1d\n",
        );
        let with_log = missing(&[pods.clone(), at("logs/web-0.txt", "no\n")]).unwrap();
        assert!(!with_log.en.contains("logs"), "{}", with_log.en);
        let said = missing(&[pods]).unwrap();
        assert!(said.en.contains("no events, nodes, claims, helm releases, logs;"), "{}", said.en);
        assert_eq!(missing(&[part("Error: UPGRADE FAILED\n")]), None);
        let all = part(
            "$ kubectl get po,no,pvc,ev -A\nNo resources found\n$ helm list -aA\nNAME\tNAMESPACE\tREVISION\tUPDATED\tSTATUS\tCHART\tAPP VERSION\n$ kubectl logs web-0\nx\n",
        );
        assert!(missing(&[all]).unwrap().en.contains("what they printed and no more"));
    }
}
