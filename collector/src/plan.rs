//! What to ask for: a function of the options and of what the server can list, and of nothing else.

use crate::cluster::discovery::{Discovery, Resource};
use crate::gather::lists::{ListTask, Scope};
use crate::gather::page::Content;
use crate::options::Options;
use crate::select::Kind;

/// The parts of one run. Lists are in the order of their worth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub lists: Vec<ListTask>,
    pub logs: bool,
    pub describe: bool,
    pub helm: bool,
    pub host: bool,
    pub install: bool,
}

/// Never asked for: large, without use to a reader, or reviews of the asking user.
const LEFT_OUT: &[(&str, &str)] =
    &[("apps", "controllerrevisions"), ("", "podtemplates"), ("", "componentstatuses")];

/// Lists that everything else rests on, best first.
const FIRST: &[(&str, &str)] = &[
    ("", "pods"),
    ("", "nodes"),
    ("", "events"),
    ("", "namespaces"),
    ("", "persistentvolumeclaims"),
    ("", "persistentvolumes"),
    ("", "services"),
    ("", "endpoints"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("batch", "jobs"),
];

/// What `describe` draws on.
const DESCRIBED: &[(&str, &str)] = &[
    ("", "pods"),
    ("", "nodes"),
    ("", "events"),
    ("", "services"),
    ("", "endpoints"),
    ("", "persistentvolumeclaims"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("discovery.k8s.io", "endpointslices"),
    ("coordination.k8s.io", "leases"),
];

/// Makes the plan.
pub fn plan(options: &Options, discovery: &Discovery) -> Plan {
    let selection = &options.selection;
    let wants = |kind: &Kind| selection.wants(kind);
    let mut plan = Plan {
        lists: Vec::new(),
        logs: wants(&Kind::Logs),
        describe: wants(&Kind::Describe),
        helm: wants(&Kind::Helm),
        host: wants(&Kind::Host) && options.host,
        install: wants(&Kind::Install) && options.host,
    };
    let mut resources: Vec<&Resource> = discovery
        .resources
        .iter()
        .filter(|r| !LEFT_OUT.iter().any(|(g, p)| r.is(g, p)))
        .filter(|r| {
            selection.wants_resource(&r.group, &r.plural)
                || (plan.logs && (r.is("", "pods") || r.is("", "nodes")))
                || (plan.describe && DESCRIBED.iter().any(|(g, p)| r.is(g, p)))
        })
        .collect();
    resources.sort_by_key(|r| rank(r));
    for resource in resources {
        if !resource.namespaced {
            plan.lists.push(task(options, resource, Scope::Cluster));
            continue;
        }
        match namespaces(options, resource) {
            Some(named) => {
                plan.lists.extend(named.into_iter().map(|ns| task(options, resource, Scope::Namespace(ns))));
            }
            None => plan.lists.push(task(options, resource, Scope::Everywhere)),
        }
    }
    plan
}

/// The well-known first, then what Kubernetes itself defines, then everything that was added to it.
fn rank(resource: &Resource) -> (usize, bool) {
    let first = FIRST.iter().position(|(g, p)| resource.is(g, p)).unwrap_or(FIRST.len());
    let foreign = resource.group.contains('.') && !resource.group.ends_with(".k8s.io");
    (first, foreign)
}

/// Namespaces that can be named in advance, by the user or by all the parts that want this resource.
fn namespaces(options: &Options, resource: &Resource) -> Option<Vec<String>> {
    options.namespaces.clone().or_else(|| options.selection.namespaces_of(&resource.group, &resource.plural))
}

/// The task of listing one resource in one place.
pub fn task(options: &Options, resource: &Resource, scope: Scope) -> ListTask {
    let secret = resource.is("", "secrets");
    ListTask {
        resource: resource.clone(),
        scope,
        content: if secret { Content::Metadata } else { Content::Whole },
        selector: options.selector.clone().filter(|_| resource.is("", "pods")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn discovery() -> Discovery {
        let resource = |group: &str, plural: &str, namespaced| Resource {
            group: group.into(),
            version: "v1".into(),
            plural: plural.into(),
            kind: plural.into(),
            namespaced,
            other_versions: Vec::new(),
        };
        Discovery {
            resources: vec![
                resource("", "configmaps", true),
                resource("", "nodes", false),
                resource("", "pods", true),
                resource("", "secrets", true),
                resource("apps", "controllerrevisions", true),
                resource("bk.tencent.com", "bklogconfigs", true),
                resource("storage.k8s.io", "storageclasses", false),
            ],
            failures: Vec::new(),
        }
    }

    fn planned(args: &[&str]) -> (Plan, Vec<String>) {
        let cli = Cli::parse_from([&["casebook-collect"], args].concat());
        let plan = plan(&Options::new(cli.collect, None).unwrap(), &discovery());
        let lists = plan.lists.iter().map(ListTask::source).collect();
        (plan, lists)
    }

    #[test]
    fn everything_is_listed_once_for_all_namespaces_the_best_first() {
        let (plan, lists) = planned(&[]);
        assert_eq!(
            lists,
            [
                "GET /api/v1/pods",
                "GET /api/v1/nodes",
                "GET /api/v1/configmaps",
                "GET /api/v1/secrets",
                "GET /apis/storage.k8s.io/v1/storageclasses",
                "GET /apis/bk.tencent.com/v1/bklogconfigs",
            ]
        );
        assert!(plan.logs && plan.helm && plan.host && plan.describe);
    }

    #[test]
    fn secrets_are_never_asked_for_whole() {
        let (plan, _) = planned(&["-n", "a"]);
        for task in plan.lists {
            let secret = task.resource.is("", "secrets");
            assert_eq!(task.content == Content::Metadata, secret, "{}", task.source());
        }
    }

    #[test]
    fn named_namespaces_are_listed_one_by_one_and_cluster_things_stay() {
        let (_, lists) = planned(&["-n", "a,b"]);
        assert!(lists.contains(&"GET /api/v1/namespaces/a/pods".to_owned()));
        assert!(lists.contains(&"GET /api/v1/namespaces/b/pods".to_owned()));
        assert!(lists.contains(&"GET /api/v1/nodes".to_owned()));
    }

    #[test]
    fn a_selector_narrows_pods_alone() {
        let (plan, _) = planned(&["-l", "app=x"]);
        for task in plan.lists {
            assert_eq!(task.selector.is_some(), task.resource.is("", "pods"));
        }
    }

    #[test]
    fn only_brings_what_it_names_and_what_that_rests_on() {
        let (plan, lists) =
            planned(&["--only", "logs/blueking/x", "--only", "configmaps/kube-system/coredns"]);
        assert_eq!(
            lists,
            [
                "GET /api/v1/namespaces/blueking/pods",
                "GET /api/v1/nodes",
                "GET /api/v1/namespaces/kube-system/configmaps"
            ]
        );
        assert!(plan.logs && !plan.helm && !plan.host && !plan.describe);
        assert_eq!(planned(&["--only", "host"]).1, Vec::<String>::new());
    }
}
