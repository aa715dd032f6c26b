//! Who waits for whom among what is not well.
//!
//! What others need goes first: a node before its pods; network, name resolution, storage, webhooks and extension APIs
//! before what uses them; a database and its claim before their clients. What an object needs is told by the object
//! itself, by its log and by the cluster's messages about it. From each need the search goes on through objects that
//! only stand between, such as a Service, to one that is not well: for that the object waits.
//!
//! A need that the evidence names outweighs one that is only configured, and an object with a fault of its own waits for
//! nobody. Where several wait for each other in a circle nobody can say who began, and none of them is told as waiting.

mod faults;
mod infrastructure;
mod mentions;
mod words;

use std::collections::{HashMap, HashSet, VecDeque};

use crate::report::model::Subject;
use crate::snapshot::Object;

use super::draft::{Draft, named};
use super::model::{CauseKind, Edge, Relation, Wait};
use super::world::{World, pods_by_namespace, selects, str_at};

use infrastructure::Infrastructure;
pub use infrastructure::is_of_host_network;
pub use words::{is_network_missing, is_out_of_reach, is_own_host};

/// Objects between one that waits and the one that it waits for.
const DEPTH: usize = 4;
/// Objects that are looked at behind one object.
const DEGREE: usize = 50;

/// Something that an object cannot do without.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Need {
    /// Any one of them that is well is enough.
    of: Vec<Subject>,
    relation: Relation,
    /// The evidence says so; else it is only configured.
    is_told: bool,
}

impl Need {
    fn told(of: Vec<Subject>, relation: Relation) -> Self {
        Self { of, relation, is_told: true }
    }

    fn configured(of: Vec<Subject>, relation: Relation) -> Self {
        Self { of, relation, is_told: false }
    }
}

/// For what a problem waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Place of the other among the problems.
    pub on: usize,
    pub wait: Wait,
    /// From the one that waits to the other.
    pub path: Vec<Edge>,
    is_told: bool,
}

/// Of each problem for which other it waits, if for any; never in a circle.
pub fn waits(world: &World, drafts: &[Draft]) -> Vec<Option<Waiting>> {
    if drafts.len() < 2 {
        return drafts.iter().map(|_| None).collect();
    }
    let needs = Needs::new(world, drafts);
    let mut waits: Vec<Option<Waiting>> = (0..drafts.len()).map(|index| needs.first_unmet(index)).collect();
    cut_circles(&mut waits);
    waits
}

struct Needs<'w, 'a> {
    world: &'w World<'a>,
    drafts: &'w [Draft<'a>],
    /// Problems that keep others waiting, by their objects; the worst of each.
    unwell: HashMap<Subject, usize>,
    pods: std::collections::BTreeMap<&'a str, Vec<&'a Object>>,
    /// Pods by their controllers of every level.
    owned: HashMap<(&'a str, &'a str, &'a str), Vec<&'a Object>>,
    /// Problems by the claims that they mount and by the releases that made them.
    users: HashMap<Subject, Vec<usize>>,
    infrastructure: Infrastructure<'a>,
}

impl<'w, 'a> Needs<'w, 'a> {
    fn new(world: &'w World<'a>, drafts: &'w [Draft<'a>]) -> Self {
        let mut unwell = HashMap::new();
        for (index, draft) in
            drafts.iter().enumerate().filter(|(_, draft)| faults::keeps_others_waiting(draft))
        {
            let place = unwell.entry(draft.problem.subject.bare()).or_insert(index);
            if draft.problem.severity < drafts[*place].problem.severity {
                *place = index;
            }
        }
        let mut users: HashMap<Subject, Vec<usize>> = HashMap::new();
        for (index, draft) in drafts.iter().enumerate() {
            for edge in &draft.edges {
                match edge.relation {
                    Relation::Mounts => users.entry(edge.to.clone()).or_default().push(index),
                    Relation::Owns if edge.from.kind == "HelmRelease" => {
                        users.entry(edge.from.clone()).or_default().push(index)
                    }
                    _ => {}
                }
            }
        }
        let pods = pods_by_namespace(world.snapshot);
        let mut owned: HashMap<(&str, &str, &str), Vec<&Object>> = HashMap::new();
        for (namespace, pods) in &pods {
            for pod in pods {
                for (kind, name) in world.owners(pod) {
                    owned.entry((kind, namespace, name)).or_default().push(pod);
                }
            }
        }
        Self { world, drafts, unwell, pods, owned, users, infrastructure: Infrastructure::of(world.snapshot) }
    }

    /// The first of what a problem's object needs that is not well.
    fn first_unmet(&self, index: usize) -> Option<Waiting> {
        let needs = self.of(index);
        let mut found: Vec<Waiting> = Vec::new();
        for need in &needs {
            if let Some(waiting) = self.unmet(index, need) {
                if self.drafts[index].problem.subject.kind != "HelmRelease" {
                    return Some(waiting);
                }
                found.push(waiting);
            }
        }
        // A release waits for all of its parts; that part goes first which waits for nothing itself.
        let is_root = |waiting: &&Waiting| self.first_unmet(waiting.on).is_none();
        found.iter().find(is_root).or(found.first()).cloned()
    }

    /// Behind a service stands what has the trouble; the service itself is told only where nothing else is known.
    fn unmet(&self, index: usize, need: &Need) -> Option<Waiting> {
        self.search(index, need, |kind| kind != "Service").or_else(|| self.search(index, need, |_| true))
    }

    fn search(&self, index: usize, need: &Need, is_end: fn(&str) -> bool) -> Option<Waiting> {
        let me = self.drafts[index].problem.subject.bare();
        let mine = self.owner(&me);
        let mut seen: HashSet<Subject> = HashSet::from([me.clone()]);
        let mut queue: VecDeque<(Vec<Subject>, Vec<Edge>)> = VecDeque::new();
        queue.push_back((need.of.clone(), Vec::new()));
        while let Some((candidates, path)) = queue.pop_front() {
            let others: Vec<&Subject> = candidates
                .iter()
                .filter(|one| **one != me && (mine.is_none() || self.owner(one) != mine))
                .collect();
            let from = path.last().map_or_else(|| me.clone(), |edge: &Edge| edge.to.clone());
            let relation = if path.is_empty() { need.relation } else { Relation::Selects };
            let edge = |to: &Subject| {
                let mut longer = path.clone();
                longer.push(Edge { from: from.clone(), to: to.clone(), relation });
                longer
            };
            let are_pods = others.iter().all(|one| one.kind == "Pod");
            let unwell: Vec<usize> = others
                .iter()
                .filter(|one| is_end(&one.kind))
                .filter_map(|one| self.unwell.get(*one).copied())
                .collect();
            // One pod that is well does for all.
            if let Some(on) = unwell.first().filter(|_| unwell.len() == others.len() || !are_pods) {
                let subject = self.drafts[*on].problem.subject.bare();
                let path = edge(&subject);
                let through = path.first().filter(|_| path.len() > 1).map(|edge| edge.to.clone());
                let wait = Wait { on: subject, relation: need.relation, through };
                return Some(Waiting { on: *on, wait, path, is_told: need.is_told });
            }
            if path.len() + 1 < DEPTH {
                for between in others.into_iter().take(DEGREE) {
                    if seen.insert(between.clone()) {
                        let behind = self.behind(between);
                        if !behind.is_empty() {
                            queue.push_back((behind, edge(between)));
                        }
                    }
                }
            }
        }
        None
    }

    /// The controller of a pod: pods of one workload wait for each other only as one does for itself.
    fn owner(&self, subject: &Subject) -> Option<(&'a str, &'a str, &'a str)> {
        let pod = self.world.get("Pod", subject.namespace.as_deref().unwrap_or_default(), &subject.name)?;
        let (kind, name) = self.world.top_owner(pod).filter(|_| subject.kind == "Pod")?;
        Some((kind, pod.namespace().unwrap_or_default(), name))
    }

    /// What does the work of an object that only stands between.
    fn behind(&self, subject: &Subject) -> Vec<Subject> {
        let namespace = subject.namespace.as_deref().unwrap_or_default();
        let object = || self.world.get(&subject.kind, namespace, &subject.name);
        match subject.kind.as_str() {
            "Service" => object().map_or_else(Vec::new, |service| self.behind_service(service)),
            "StorageClass" => object()
                .and_then(|class| str_at(&class.value, "/provisioner"))
                .map_or_else(Vec::new, |name| self.infrastructure.drivers(name)),
            "APIService" => {
                object().and_then(|api| service_at(&api.value, "/spec/service")).into_iter().collect()
            }
            kind => {
                let owned = self.owned.get(&(kind, namespace, subject.name.as_str())).into_iter().flatten();
                owned.filter_map(|pod| Some(named("Pod", pod.namespace(), pod.name()?))).collect()
            }
        }
    }

    /// The pods of a service; where it has none, the workloads that should make them.
    fn behind_service(&self, service: &Object) -> Vec<Subject> {
        let namespace = service.namespace().unwrap_or_default();
        let Some(selector) = service.value.pointer("/spec/selector").and_then(serde_json::Value::as_object)
        else {
            return Vec::new();
        };
        let pods = self.pods.get(namespace).into_iter().flatten();
        let pods: Vec<Subject> = pods
            .filter(|pod| str_at(&pod.value, "/status/phase") != Some("Succeeded"))
            .filter(|pod| selects(selector, pod.value.pointer("/metadata/labels")))
            .filter_map(|pod| Some(named("Pod", pod.namespace(), pod.name()?)))
            .collect();
        if !pods.is_empty() {
            return pods;
        }
        let mut workloads = Vec::new();
        for (collection, kind) in [
            ("replicasets", "ReplicaSet"),
            ("statefulsets", "StatefulSet"),
            ("deployments", "Deployment"),
            ("daemonsets", "DaemonSet"),
        ] {
            let mine = self
                .world
                .snapshot
                .objects
                .of(collection)
                .iter()
                .filter(|workload| workload.namespace() == service.namespace());
            let mine = mine.filter(|workload| {
                selects(selector, workload.value.pointer("/spec/template/metadata/labels"))
            });
            workloads.extend(
                mine.filter_map(|workload| Some(named(kind, workload.namespace(), workload.name()?)))
                    .take(DEGREE),
            );
        }
        workloads
    }

    /// What the object of a problem needs, the surest first.
    fn of(&self, index: usize) -> Vec<Need> {
        let draft = &self.drafts[index];
        let subject = &draft.problem.subject;
        let namespace = subject.namespace.as_deref().unwrap_or_default();
        let object = self.world.get(&subject.kind, namespace, &subject.name);
        let message = draft.problem.message.as_deref().unwrap_or_default();
        match (subject.kind.as_str(), draft.cause.kind) {
            ("Pod", CauseKind::Node) => {
                vec![Need::told(vec![named("Node", None, &draft.cause.name)], Relation::RunsOn)]
            }
            ("Pod", CauseKind::StorageClass | CauseKind::Claim) => {
                let mounts = draft.edges.iter().filter(|edge| edge.relation == Relation::Mounts);
                mounts.map(|edge| Need::told(vec![edge.to.clone()], Relation::Mounts)).collect()
            }
            ("Pod", CauseKind::Workload | CauseKind::Dependency) => self.of_pod(draft, object),
            ("PersistentVolumeClaim", _) if is_for_its_pod(message) => {
                self.used_by(subject, Relation::Mounts)
            }
            ("PersistentVolumeClaim", CauseKind::StorageClass) => {
                vec![Need::told(
                    vec![named("StorageClass", None, &draft.cause.name)],
                    Relation::ProvisionedBy,
                )]
            }
            ("VolumeAttachment", _) => {
                let driver = object.and_then(|object| str_at(&object.value, "/spec/attacher"));
                driver
                    .map(|driver| Need::told(self.infrastructure.drivers(driver), Relation::ProvisionedBy))
                    .into_iter()
                    .collect()
            }
            ("Node", _) if words::is_network_missing(message) => {
                vec![Need::told(self.infrastructure.network_on(Some(&subject.name)), Relation::NetworkedBy)]
            }
            ("Service", _) => object
                .map(|service| Need::told(self.behind_service(service), Relation::Selects))
                .into_iter()
                .collect(),
            ("APIService", _) => object
                .and_then(|api| service_at(&api.value, "/spec/service"))
                .map(|service| Need::told(vec![service], Relation::ServedBy))
                .into_iter()
                .collect(),
            ("HelmRelease", _) if message.is_empty() || words::is_out_of_patience(message) => {
                self.used_by(subject, Relation::Owns)
            }
            ("HelmRelease" | "Node" | "PersistentVolume", _) => Vec::new(),
            _ => self.told_by(message, namespace),
        }
    }

    /// The pods of a claim and the parts of a release that are not well.
    fn used_by(&self, subject: &Subject, relation: Relation) -> Vec<Need> {
        let users = self.users.get(&subject.bare()).into_iter().flatten().take(DEGREE);
        users.map(|user| Need::told(vec![self.drafts[*user].problem.subject.bare()], relation)).collect()
    }

    fn of_pod(&self, draft: &Draft, pod: Option<&'a Object>) -> Vec<Need> {
        if faults::is_its_own(draft) {
            return Vec::new();
        }
        let problem = &draft.problem;
        let namespace = problem.subject.namespace.as_deref().unwrap_or_default();
        let node = problem.subject.node.as_deref();
        let message = problem.message.as_deref().unwrap_or_default();
        let is_of_host = pod.is_some_and(|pod| infrastructure::is_of_host_network(&pod.value));
        if matches!(problem.state.as_str(), "ContainerCreating" | "Pending") {
            // Whoever is not on a node yet, or says what else it lacks, does not wait for the network.
            let network = match (is_of_host, problem.state.as_str(), words::is_network_missing(message)) {
                (false, _, true) => {
                    Some(Need::told(self.infrastructure.network_on(node), Relation::NetworkedBy))
                }
                (false, "ContainerCreating", _) if message.is_empty() => {
                    Some(Need::configured(self.infrastructure.network_on(node), Relation::NetworkedBy))
                }
                _ => None,
            };
            let driver = words::driver_of(message).map(|driver| {
                Need::told(self.infrastructure.drivers_on(driver, node), Relation::ProvisionedBy)
            });
            return network.into_iter().chain(driver).collect();
        }
        let bad: Vec<&str> = faults::complaints(problem);
        let mut needs: Vec<Need> = Vec::new();
        for line in bad.iter().rev().copied().chain([message]) {
            needs.extend(self.told_by(line, namespace));
            // The address of a service leads nowhere where nobody keeps the node's routes.
            if !is_of_host || !self.infrastructure.is_network(&problem.subject) {
                needs.extend(self.routed(line, namespace, node));
            }
        }
        if let Some(pod) = pod.filter(|_| faults::may_wait(problem)) {
            let mentioned = mentions::services(self.world, pod, problem.subject.container.as_deref());
            needs.extend(mentioned.into_iter().map(|to| Need::configured(vec![to], Relation::Calls)));
        }
        needs
    }

    /// What a line says that it could not use.
    fn told_by(&self, line: &str, namespace: &str) -> Vec<Need> {
        let mut needs = Vec::new();
        if words::is_unresolved(line) {
            needs.push(Need::told(self.infrastructure.resolvers(), Relation::ResolvesWith));
        }
        if let Some(service) = words::webhook_of(line) {
            needs.push(Need::told(vec![named("Service", Some(service.1), service.0)], Relation::AdmittedBy));
        }
        let apis = self.world.snapshot.objects.of("apiservices").iter().filter_map(|api| api.name());
        needs.extend(
            apis.filter(|api| words::names_api(line, api))
                .map(|api| Need::told(vec![named("APIService", None, api)], Relation::ServedBy)),
        );
        let hosts = words::hosts(line).into_iter().filter_map(|host| self.world.resolve(namespace, &host));
        needs.extend(
            hosts.map(|(kind, ns, name)| Need::told(vec![named(kind, Some(ns), name)], Relation::Calls)),
        );
        needs
    }

    fn routed(&self, line: &str, namespace: &str, node: Option<&str>) -> Option<Need> {
        let is_service =
            |host: &String| self.world.resolve(namespace, host).is_some_and(|(kind, ..)| kind == "Service");
        let is_lost = words::is_timeout(line) && words::hosts(line).iter().any(is_service);
        is_lost.then(|| Need::told(self.infrastructure.routers_on(node), Relation::NetworkedBy))
    }
}

/// A claim that waits for its pod to be scheduled is not what keeps the pod from it.
fn is_for_its_pod(message: &str) -> bool {
    message.starts_with("waiting for first consumer") || message.starts_with("waiting for pod")
}

fn service_at(value: &serde_json::Value, pointer: &str) -> Option<Subject> {
    let service = value.pointer(pointer)?;
    Some(named("Service", str_at(service, "/namespace"), str_at(service, "/name")?))
}

/// The object alone, whatever container of it is meant.
/// Takes circles apart: what is only configured gives way to what is told; where all is told, nobody waits.
fn cut_circles(waits: &mut [Option<Waiting>]) {
    loop {
        let Some(circle) = circle(waits) else { return };
        let is_told = |index: &usize| waits[*index].as_ref().is_some_and(|waiting| waiting.is_told);
        let weak: Vec<usize> = circle.iter().copied().filter(|index| !is_told(index)).collect();
        for index in if weak.is_empty() { circle } else { weak } {
            waits[index] = None;
        }
    }
}

/// Members of a circle, if there is one.
fn circle(waits: &[Option<Waiting>]) -> Option<Vec<usize>> {
    // 0: not seen; else the walk on which it was seen first.
    let mut seen = vec![0_usize; waits.len()];
    for start in 0..waits.len() {
        let mut at = start;
        while seen[at] == 0 {
            seen[at] = start + 1;
            match &waits[at] {
                Some(waiting) => at = waiting.on,
                None => break,
            }
        }
        if seen[at] == start + 1 && waits[at].is_some() {
            let next = |at: &usize| waits[*at].as_ref().map(|waiting| waiting.on);
            let rest = std::iter::successors(next(&at), next).take_while(|other| *other != at);
            return Some(std::iter::once(at).chain(rest).collect());
        }
    }
    None
}

#[cfg(test)]
mod tests;
