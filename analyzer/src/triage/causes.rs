//! Problems put together by their likely common cause.
//!
//! A problem arrives with the cause that the API itself names, or with its workload when the API names none. Three
//! things widen that: a dependency that the log blames, the pods behind that dependency (whose own cause then is the
//! cause), and a node that most of the unexplained problems share.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::report::model::{Subject, Text};

use super::command::first_look;
use super::draft::{Draft, full_name, named};
use super::model::{Cause, CauseKind, Group, Problem, Relation};
use super::severity::{blamed, severity, suspects};
use super::world::{World, selects};

/// A chain of dependencies longer than this is followed no further.
const DEPTH: usize = 4;
/// Edges beyond this make a picture nobody can read.
const MOST_EDGES: usize = 80;

pub fn group(world: &World, mut drafts: Vec<Draft>) -> Vec<Group> {
    for draft in &mut drafts {
        blame(world, draft);
    }
    for _ in 0..DEPTH {
        if !follow(&mut drafts) {
            break;
        }
    }
    share_node(world, &mut drafts);
    share_state(&mut drafts);
    let mut by_cause: BTreeMap<Cause, Vec<Draft>> = BTreeMap::new();
    for draft in drafts {
        by_cause.entry(draft.cause.clone()).or_default().push(draft);
    }
    let mut groups: Vec<Group> =
        by_cause.into_iter().map(|(cause, drafts)| to_group(cause, drafts)).collect();
    groups.sort_by(|a, b| {
        (a.severity, b.problems.len(), &a.cause).cmp(&(b.severity, a.problems.len(), &b.cause))
    });
    groups
}

/// Where nothing better is known, the dependency that the log's telling lines blame is the cause.
fn blame(world: &World, draft: &mut Draft) {
    if draft.cause.kind != CauseKind::Workload || draft.problem.subject.kind != "Pod" {
        return;
    }
    let namespace = draft.problem.subject.namespace.clone().unwrap_or_default();
    let bad: Vec<&str> =
        draft.problem.log.iter().rev().map(|line| line.text.as_str()).filter(|l| severity(l) >= 2).collect();
    let named_by_pattern = bad.iter().flat_map(|line| blamed(line)).find(|host| !is_own(host));
    // A service of this cluster is recognised in any wording.
    let known_service = || {
        let mut words = bad.iter().flat_map(|line| suspects(line));
        words.find(|word| world.resolve(&namespace, word).is_some()).map(str::to_owned)
    };
    let Some(host) = &named_by_pattern.or_else(known_service) else { return };
    let me = named("Pod", Some(&namespace), &draft.problem.subject.name);
    let (target, name) = match world.resolve(&namespace, host) {
        Some((kind, ns, name)) => (named(kind, Some(ns), name), format!("{ns}/{name}")),
        None => (named("Host", None, host), host.clone()),
    };
    if let Some((_, ns, service)) = world.resolve(&namespace, host).filter(|(kind, ..)| *kind == "Service") {
        for pod in behind(world, ns, service) {
            draft.edge(target.clone(), pod, Relation::Selects);
        }
    }
    draft.edge(me, target, Relation::Calls);
    draft.cause = Cause { kind: CauseKind::Dependency, name };
}

/// A container that cannot reach itself blames nobody else.
fn is_own(host: &str) -> bool {
    host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("0.0.0.0")
}

/// Pods behind a service.
fn behind(world: &World, namespace: &str, service: &str) -> Vec<Subject> {
    let selector = world
        .get("Service", namespace, service)
        .and_then(|service| service.value.pointer("/spec/selector"))
        .and_then(serde_json::Value::as_object);
    let Some(selector) = selector else { return Vec::new() };
    world
        .snapshot
        .objects
        .of("pods")
        .iter()
        .filter(|pod| pod.namespace() == Some(namespace))
        .filter(|pod| selects(selector, pod.value.pointer("/metadata/labels")))
        .take(10)
        .map(|pod| named("Pod", pod.namespace(), pod.name().unwrap_or_default()))
        .collect()
}

/// Moves problems that hang on other problems to the cause of those. Returns whether anything moved.
fn follow(drafts: &mut [Draft]) -> bool {
    let causes: HashMap<Subject, Cause> = drafts
        .iter()
        .map(|draft| {
            let about = &draft.problem.subject;
            (named(&about.kind, about.namespace.as_deref(), &about.name), draft.cause.clone())
        })
        .collect();
    let mounted_by: HashMap<Subject, Vec<Cause>> = drafts.iter().fold(HashMap::new(), |mut map, draft| {
        for edge in draft.edges.iter().filter(|edge| edge.relation == Relation::Mounts) {
            map.entry(edge.to.clone()).or_default().push(draft.cause.clone());
        }
        map
    });
    let made_by: HashMap<Subject, Vec<Cause>> = drafts.iter().fold(HashMap::new(), |mut map, draft| {
        for edge in draft.edges.iter().filter(|edge| edge.from.kind == "HelmRelease") {
            map.entry(edge.from.clone()).or_default().push(draft.cause.clone());
        }
        map
    });
    let mut moved = false;
    for draft in drafts {
        let me = named(
            &draft.problem.subject.kind,
            draft.problem.subject.namespace.as_deref(),
            &draft.problem.subject.name,
        );
        let next = match draft.cause.kind {
            CauseKind::Dependency => {
                most_common(selected(draft).filter(|pod| **pod != me).filter_map(|p| causes.get(p)))
            }
            CauseKind::Workload if me.kind == "Service" => {
                most_common(selected(draft).filter_map(|pod| causes.get(pod)))
            }
            // A claim that waits for its pod to be scheduled is not what keeps the pod from it.
            CauseKind::StorageClass if me.kind == "PersistentVolumeClaim" && waits_for_pod(draft) => {
                mounted_by.get(&me).and_then(|all| most_common(all.iter()))
            }
            CauseKind::Release if me.kind == "HelmRelease" => {
                made_by.get(&me).and_then(|all| most_common(all.iter()))
            }
            _ => None,
        };
        if let Some(next) = next.filter(|next| *next != draft.cause) {
            draft.cause = next;
            moved = true;
        }
    }
    moved
}

fn waits_for_pod(claim: &Draft) -> bool {
    let message = claim.problem.message.as_deref().unwrap_or_default();
    message.starts_with("waiting for first consumer") || message.starts_with("waiting for pod")
}

fn selected<'d>(draft: &'d Draft) -> impl Iterator<Item = &'d Subject> {
    draft.edges.iter().filter(|edge| edge.relation == Relation::Selects).map(|edge| &edge.to)
}

/// The most common; among equals the first in order, so that every run says the same.
fn most_common<'c>(causes: impl Iterator<Item = &'c Cause>) -> Option<Cause> {
    let mut counts: BTreeMap<&Cause, usize> = BTreeMap::new();
    for cause in causes {
        *counts.entry(cause).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(cause, _)| cause.clone())
}

/// When most problems that nothing explains lie on one node, and its pods are in trouble far more often than those of
/// the other nodes, the node is what they share.
fn share_node(world: &World, drafts: &mut [Draft]) {
    let unexplained: Vec<usize> = drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| draft.cause.kind == CauseKind::Workload && draft.problem.subject.node.is_some())
        .map(|(index, _)| index)
        .collect();
    let mut by_node: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for index in &unexplained {
        let node = drafts[*index].problem.subject.node.clone().unwrap_or_default();
        by_node.entry(node).or_default().push(*index);
    }
    let mut pods: HashMap<&str, usize> = HashMap::new();
    for pod in world.snapshot.objects.of("pods") {
        if let Some(node) = pod.str_at(&["spec", "nodeName"]) {
            *pods.entry(node).or_default() += 1;
        }
    }
    let all: usize = pods.values().sum();
    for (node, members) in by_node {
        let workloads: BTreeSet<&str> = members.iter().map(|i| drafts[*i].cause.name.as_str()).collect();
        let here = pods.get(node.as_str()).copied().unwrap_or_default();
        let (others, unwell_others) = (all.saturating_sub(here), unexplained.len() - members.len());
        // Without pods elsewhere there is nothing to compare with, and sharing the node says nothing.
        let stands_out = others > 0 && members.len() * others >= 2 * unwell_others * here;
        if workloads.len() >= 3 && members.len() * 10 >= unexplained.len() * 7 && stands_out {
            for index in members {
                let about = &drafts[index].problem.subject;
                let me = named(&about.kind, about.namespace.as_deref(), &about.name);
                drafts[index].edge(me, named("Node", None, &node), Relation::RunsOn);
                drafts[index].cause = Cause { kind: CauseKind::Node, name: node.clone() };
            }
        }
    }
}

/// Workloads of which nothing is known but one and the same state: thirty groups of one tell a reader less than one of
/// thirty.
fn share_state(drafts: &mut [Draft]) {
    let says_nothing = |draft: &Draft| {
        let problem = &draft.problem;
        draft.cause.kind == CauseKind::Workload && problem.message.is_none() && problem.log.is_empty()
    };
    let mut causes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for draft in drafts.iter().filter(|draft| says_nothing(draft)) {
        causes.entry(draft.problem.state.clone()).or_default().insert(draft.cause.name.clone());
    }
    for draft in drafts.iter_mut().filter(|draft| says_nothing(draft)) {
        if causes.get(&draft.problem.state).is_some_and(|workloads| workloads.len() >= 3) {
            draft.cause = Cause { kind: CauseKind::State, name: draft.problem.state.clone() };
        }
    }
}

fn to_group(cause: Cause, drafts: Vec<Draft>) -> Group {
    let mut edges = BTreeSet::new();
    let mut problems: Vec<Problem> = Vec::new();
    for draft in drafts {
        edges.extend(draft.edges);
        problems.push(draft.problem);
    }
    problems.sort_by(|a, b| (a.severity, &a.subject, &a.state).cmp(&(b.severity, &b.subject, &b.state)));
    let severity = problems.first().map_or(crate::report::model::Severity::Info, |problem| problem.severity);
    let title = title(&cause, &problems);
    Group {
        cause,
        title,
        severity,
        command: problems.iter().find_map(first_look),
        problems,
        edges: edges.into_iter().take(MOST_EDGES).collect(),
        cases: Vec::new(),
        explained: false,
    }
}

fn title(cause: &Cause, problems: &[Problem]) -> Text {
    let name = &cause.name;
    let count = problems.len();
    let state = problems.first().map(|problem| problem.state.as_str()).unwrap_or_default();
    // One object is named below; only several need a count.
    let several = |zh: String, en: String| match count {
        1 => (zh, en),
        _ => (format!("{zh}（{count} 个对象）"), format!("{en} ({count} objects)")),
    };
    let (zh, en) = match cause.kind {
        CauseKind::Node => match (problems.iter().find(|problem| problem.subject.kind == "Node"), count) {
            (None, 1) => (format!("节点 {name} 上有对象异常"), format!("1 object in trouble on node {name}")),
            (None, _) => (
                format!("节点 {name} 上有 {count} 个对象异常"),
                format!("{count} objects in trouble on node {name}"),
            ),
            (Some(node), 1) => {
                (format!("节点 {name}：{}", node.state), format!("Node {name}: {}", node.state))
            }
            (Some(node), _) => {
                let on_it = if count == 2 { "1 object" } else { &format!("{} objects", count - 1) };
                (
                    format!("节点 {name}：{}，其上 {} 个对象异常", node.state, count - 1),
                    format!("Node {name}: {}, and {on_it} in trouble on it", node.state),
                )
            }
        },
        CauseKind::Registry => {
            several(format!("无法从镜像仓库 {name} 拉取镜像"), format!("Images cannot be pulled from {name}"))
        }
        CauseKind::StorageClass => several(
            format!("存储类 {name} 的 PVC 未绑定"),
            format!("Claims of storage class {name} are not bound"),
        ),
        CauseKind::Claim => several(format!("PVC {name} 未绑定"), format!("Claim {name} is not bound")),
        CauseKind::Refused => {
            several(format!("{name} 拒绝创建 Pod"), format!("{name} refuses to create pods"))
        }
        CauseKind::Config => several(format!("缺少 {name}"), format!("{name} does not exist")),
        CauseKind::Scheduling => several(format!("没有节点可调度：{name}"), format!("No node fits: {name}")),
        CauseKind::Dependency => {
            several(format!("日志显示无法访问 {name}"), format!("Logs say that {name} cannot be reached"))
        }
        CauseKind::Release => {
            (format!("Helm release {name} 状态为 {state}"), format!("Helm release {name} is {state}"))
        }
        CauseKind::State => (
            format!("{name}：{count} 个对象，收集到的内容没有说明原因"),
            format!("{name}: {count} objects, and nothing collected says why"),
        ),
        CauseKind::Workload => several(format!("{name}：{state}"), format!("{name}: {state}")),
    };
    Text::new(zh, en)
}

/// `namespace/name` of every object of a group, for finding the cases that speak of it.
pub fn names(group: &Group) -> impl Iterator<Item = String> {
    group.problems.iter().map(|problem| full_name(&problem.subject))
}
