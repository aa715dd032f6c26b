//! Problems put together by their likely common cause.
//!
//! A problem arrives with the cause that the API itself names, or with its workload when the API names none. What waits
//! for another problem stands beneath the cause of that one. Of the rest, four things may be what several have in
//! common: a dependency that the log blames, a restart of their node, a node that most of the unexplained problems
//! share, and one and the same state of which nothing says why.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::report::model::{Subject, Text};

use super::command::first_look;
use super::draft::{Draft, full_name, named};
use super::model::{Cause, CauseKind, Group, Problem, Relation};
use super::needs::{Waiting, is_own_host as is_own, waits};
use super::reboots;
use super::severity::{blamed, severity, suspects};
use super::world::{World, selects};

/// Edges beyond this make a picture nobody can read.
const MOST_EDGES: usize = 80;

pub fn group(world: &World, mut drafts: Vec<Draft>) -> Vec<Group> {
    let waits = waits(world, &drafts);
    let mut roots: Vec<usize> = (0..drafts.len()).filter(|index| waits[*index].is_none()).collect();
    for index in &roots {
        blame(world, &mut drafts[*index]);
    }
    reboots::share(world, &mut drafts, &roots);
    share_node(world, &mut drafts, &roots);
    // Who has others waiting is no longer one of many that are alike.
    let waited_for: HashSet<usize> = waits.iter().flatten().map(|waiting| waiting.on).collect();
    roots.retain(|index| !waited_for.contains(index));
    share_state(&mut drafts, &roots);
    hang(&mut drafts, waits);
    let mut by_cause: BTreeMap<Cause, Vec<Draft>> = BTreeMap::new();
    for draft in drafts {
        by_cause.entry(draft.cause.clone()).or_default().push(draft);
    }
    let mut groups: Vec<Group> =
        by_cause.into_iter().map(|(cause, drafts)| to_group(cause, drafts)).collect();
    groups.sort_by_cached_key(|group| {
        let waiting = group.problems.iter().filter(|problem| problem.waits_for.is_some()).count();
        let others = std::cmp::Reverse((waiting > 0, group.problems.len()));
        (group.severity, others, group.cause.clone())
    });
    groups
}

/// Gives what waits the cause of what it waits for in the end.
fn hang(drafts: &mut [Draft], waits: Vec<Option<Waiting>>) {
    let root = |index: usize| {
        let next = |at: &usize| waits[*at].as_ref().map(|waiting| waiting.on);
        std::iter::successors(Some(index), next).enumerate().last().unwrap_or((0, index))
    };
    let roots: Vec<(usize, usize)> = (0..waits.len()).map(root).collect();
    for (index, waiting) in waits.into_iter().enumerate() {
        let Some(waiting) = waiting else { continue };
        let (distance, root) = roots[index];
        drafts[index].cause = drafts[root].cause.clone();
        drafts[index].distance = distance;
        drafts[index].problem.waits_for = Some(waiting.wait);
        drafts[index].edges.extend(waiting.path);
    }
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

/// When most problems that nothing explains lie on one node, and its pods are in trouble far more often than those of
/// the other nodes, the node is what they share.
fn share_node(world: &World, drafts: &mut [Draft], roots: &[usize]) {
    let unexplained: Vec<usize> = roots
        .iter()
        .copied()
        .filter(|index| drafts[*index].cause.kind == CauseKind::Workload)
        .filter(|index| drafts[*index].problem.subject.node.is_some())
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
fn share_state(drafts: &mut [Draft], roots: &[usize]) {
    let says_nothing = |draft: &Draft| {
        let problem = &draft.problem;
        draft.cause.kind == CauseKind::Workload && problem.message.is_none() && problem.log.is_empty()
    };
    let mut causes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for draft in roots.iter().map(|index| &drafts[*index]).filter(|draft| says_nothing(draft)) {
        causes.entry(draft.problem.state.clone()).or_default().insert(draft.cause.name.clone());
    }
    for index in roots {
        let draft = &mut drafts[*index];
        if !says_nothing(draft) {
            continue;
        }
        if causes.get(&draft.problem.state).is_some_and(|workloads| workloads.len() >= 3) {
            draft.cause = Cause { kind: CauseKind::State, name: draft.problem.state.clone() };
        }
    }
}

fn to_group(cause: Cause, drafts: Vec<Draft>) -> Group {
    let mut drafts = drafts;
    drafts.sort_by_cached_key(|draft| {
        let problem = &draft.problem;
        (draft.distance, problem.severity, problem.subject.clone(), problem.state.clone())
    });
    let mut edges = BTreeSet::new();
    let mut problems: Vec<Problem> = Vec::new();
    for draft in drafts {
        edges.extend(draft.edges);
        problems.push(draft.problem);
    }
    let severity = problems.iter().map(|problem| problem.severity).min();
    let severity = severity.unwrap_or(crate::report::model::Severity::Info);
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
    let on_node = |problem: &Problem| {
        problem
            .waits_for
            .as_ref()
            .is_none_or(|wait| wait.relation == Relation::RunsOn && wait.on.name == *name)
    };
    let is_own = |problem: &Problem| problem.waits_for.is_none();
    let count = match cause.kind {
        CauseKind::Node => problems.iter().filter(|problem| on_node(problem)).count(),
        _ => problems.iter().filter(|problem| is_own(problem)).count(),
    };
    let waiting = problems.len() - count;
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
        CauseKind::Reboot => {
            let (node, at) = name.split_once(' ').unwrap_or((name, ""));
            several(
                format!("节点 {node} 于 {at} 重启，其上的容器一同结束"),
                format!("Node {node} restarted at {at}, and its containers ended with it"),
            )
        }
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
    let (zh, en) = match waiting {
        0 => (zh, en),
        1 => (format!("{zh}；另有 1 个对象在等它"), format!("{en}; 1 more waits for it")),
        _ => (format!("{zh}；另有 {waiting} 个对象在等它"), format!("{en}; {waiting} more wait for it")),
    };
    Text::new(zh, en)
}

/// `namespace/name` of every object of a group, for finding the cases that speak of it.
pub fn names(group: &Group) -> impl Iterator<Item = String> {
    group.problems.iter().map(|problem| full_name(&problem.subject))
}
