//! When a resource may not be listed in all namespaces at once: in which it may be, and listing it there.
//!
//! The namespaces to try are those that could be listed, else those that the kubeconfig names and those that the
//! product is known to use. `SelfSubjectRulesReview` says for each what is allowed; where the server's authorizer
//! cannot enumerate its rules, the lists are tried.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Run, list_all, refusal};
use crate::cluster::api::Api;
use crate::cluster::connect::Target;
use crate::cluster::discovery::Resource;
use crate::cluster::error::{ApiError, Fault};
use crate::gather::lists::{ListTask, Scope};

/// Namespaces of a BlueKing installation and of Kubernetes itself.
const WELL_KNOWN: &[&str] = &[
    "blueking",
    "bcs-system",
    "bkmonitor-operator",
    "bkpaas-app-operator-system",
    "ingress-nginx",
    "kube-system",
    "default",
];

/// Namespaces in which refused lists are tried, in order.
pub fn candidates(run: &Run, target: &Target) -> Vec<String> {
    namespaces(run.options.namespaces.as_deref(), run.store.names("namespaces"), target)
}

/// Those that the user named, else those that could be listed, else those that are likely.
pub fn namespaces(named: Option<&[String]>, listed: Vec<String>, target: &Target) -> Vec<String> {
    if let Some(named) = named {
        return named.to_vec();
    }
    if !listed.is_empty() {
        return listed;
    }
    let mut names = vec![target.namespace.clone()];
    let known = target.known_namespaces.iter().cloned();
    for name in known.chain(WELL_KNOWN.iter().map(|n| (*n).to_owned())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Tries the refused lists in each namespace. The refusal for all namespaces stays in the ledger.
pub async fn collect(
    run: &Arc<Run>,
    api: &Arc<Api>,
    refused: Vec<(ListTask, ApiError)>,
    namespaces: &[String],
) {
    if refused.is_empty() {
        return;
    }
    let tasks = allowed(api, refused.iter().map(|(task, _)| task), namespaces).await;
    for (task, error) in &refused {
        run.store.lacks(&task.resource.plural, &error.words);
        run.sink.note(refusal(task, error));
    }
    list_all(run, api, tasks).await;
}

/// Refused lists in the namespaces in which they may be allowed.
pub async fn allowed<'a>(
    api: &Api,
    refused: impl Iterator<Item = &'a ListTask> + Clone,
    namespaces: &[String],
) -> Vec<ListTask> {
    let mut tasks = Vec::new();
    for namespace in namespaces {
        let rules = rules(api, namespace).await;
        let may = |task: &&ListTask| {
            let Resource { group, plural, .. } = &task.resource;
            rules.as_ref().is_none_or(|rules| may_list(rules, group, plural))
        };
        let there = |task: &ListTask| ListTask { scope: Scope::Namespace(namespace.clone()), ..task.clone() };
        tasks.extend(refused.clone().filter(may).map(there));
    }
    tasks
}

/// The rules that hold for the user in a namespace; `None` where they are not all known.
async fn rules(api: &Api, namespace: &str) -> Option<Vec<Value>> {
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    });
    let answer = api.review("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", &body).await;
    match answer {
        Ok(review) if review["status"]["incomplete"] != true => {
            review["status"]["resourceRules"].as_array().cloned()
        }
        Ok(_) => None,
        Err(error) if error.fault == Fault::Stopped => Some(Vec::new()),
        Err(_) => None,
    }
}

fn may_list(rules: &[Value], group: &str, plural: &str) -> bool {
    let names = |rule: &Value, key: &str, wanted: &str| {
        rule[key].as_array().is_some_and(|all| all.iter().any(|n| n == "*" || n == wanted))
    };
    rules.iter().any(|rule| {
        names(rule, "verbs", "list")
            && names(rule, "apiGroups", group)
            && names(rule, "resources", plural)
            && rule["resourceNames"].as_array().is_none_or(Vec::is_empty)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_the_server_means_them() {
        let rules = [
            json!({"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "pods/log"]}),
            json!({"verbs": ["*"], "apiGroups": ["apps"], "resources": ["*"]}),
            json!({"verbs": ["list"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["one"]}),
            json!({"verbs": ["get"], "apiGroups": [""], "resources": ["services"]}),
        ];
        assert!(may_list(&rules, "", "pods"));
        assert!(may_list(&rules, "apps", "deployments"));
        assert!(!may_list(&rules, "", "configmaps"));
        assert!(!may_list(&rules, "", "services"));
        assert!(!may_list(&rules, "batch", "jobs"));
    }
}
