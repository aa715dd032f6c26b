//! The order of findings, and which of them stand beneath others.
//!
//! A reader wants the cause first. So a finding stands beneath another on the same subjects when the other's rule
//! `explains` it, when it is a `pointer` and the other is not, or when it is a generic Kubernetes case and the other a
//! product's. What counts as the same subject follows the relations of the cluster: a release and its pods, a pod and
//! its claims.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::state::named;
use crate::report::model::{Finding, Severity, Subject, Verdict};
use crate::rules::Rule;
use crate::rules::format::Layer;
use crate::snapshot::Snapshot;

/// Of a case, which subjects are the matter of which other finding.
pub type Division = HashMap<String, HashMap<Subject, usize>>;

/// Cases that were told of several subjects together of which another finding explains some: told so, they stand
/// beneath that finding with all of them, and nobody reads of the others.
pub fn division(findings: &[Finding], rules: &[&Rule], snapshot: &Snapshot) -> Division {
    let rules: HashMap<&str, &Rule> = rules.iter().map(|rule| (rule.file.id.as_str(), *rule)).collect();
    let related = Relations::new(snapshot);
    let mut ranked: Vec<&Finding> = findings.iter().collect();
    ranked.sort_by_cached_key(|finding| rank(finding, &rules));
    let circles: Vec<BTreeSet<Subject>> =
        ranked.iter().map(|finding| related.circle(&finding.subjects)).collect();
    let mut division = Division::new();
    for below in ranked.iter().filter(|finding| finding.subjects.len() > 1) {
        let mut owner: HashMap<Subject, usize> = HashMap::new();
        for (index, above) in ranked.iter().enumerate().filter(|(_, above)| above.case != below.case) {
            if !stands_above(above, below, &rules) {
                continue;
            }
            let (its, others): (Vec<&Subject>, Vec<&Subject>) =
                below.subjects.iter().partition(|subject| circles[index].contains(&subject.bare()));
            if others.is_empty() {
                // It stands there as a whole.
                owner.clear();
                break;
            }
            for subject in its {
                owner.entry(subject.clone()).or_insert(index);
            }
        }
        if !owner.is_empty() {
            division.entry(below.case.clone()).or_default().extend(owner);
        }
    }
    division
}

pub fn arrange(findings: Vec<Finding>, rules: &[&Rule], snapshot: &Snapshot) -> Vec<Finding> {
    let rules: HashMap<&str, &Rule> = rules.iter().map(|rule| (rule.file.id.as_str(), *rule)).collect();
    let related = Relations::new(snapshot);
    let mut findings = findings;
    findings.sort_by_cached_key(|finding| rank(finding, &rules));

    // Who stands beneath whom; each finding has one parent at most, and parents come from the front.
    let circles: Vec<BTreeSet<Subject>> =
        findings.iter().map(|finding| related.circle(&finding.subjects)).collect();
    let mut parent: BTreeMap<usize, usize> = BTreeMap::new();
    for below in 0..findings.len() {
        let better = (0..findings.len()).find(|above| {
            *above != below
                && !descends(&parent, *above, below)
                && stands_above(&findings[*above], &findings[below], &rules)
                && same_matter(&findings[*above], &findings[below], &circles[*above])
        });
        if let Some(above) = better {
            parent.insert(below, above);
        }
    }
    let mut slots: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    // Deepest first, so that a finding takes its own children along.
    let mut order: Vec<usize> = parent.keys().copied().collect();
    order.sort_by_key(|index| std::cmp::Reverse(depth(&parent, *index)));
    for index in order {
        if let Some(child) = slots[index].take()
            && let Some(above) = slots[parent[&index]].as_mut()
        {
            above.explains.push(child);
        }
    }
    let mut arranged: Vec<Finding> = slots.into_iter().flatten().collect();
    sort_below(&mut arranged, &rules);
    arranged
}

fn sort_below(findings: &mut [Finding], rules: &HashMap<&str, &Rule>) {
    for finding in findings {
        finding.explains.sort_by_cached_key(|below| rank(below, rules));
        sort_below(&mut finding.explains, rules);
    }
}

/// The smaller, the further ahead.
type Rank = (bool, Verdict, bool, Layer, Severity, usize, String, Vec<Subject>);

fn rank(finding: &Finding, rules: &HashMap<&str, &Rule>) -> Rank {
    let rule = rules.get(finding.case.as_str());
    (
        finding.past,
        finding.verdict,
        rule.is_some_and(|rule| rule.file.pointer),
        rule.and_then(|rule| rule.file.layer).unwrap_or(Layer::Config),
        finding.severity,
        usize::MAX - finding.subjects.len(),
        finding.case.clone(),
        finding.subjects.clone(),
    )
}

fn stands_above(above: &Finding, below: &Finding, rules: &HashMap<&str, &Rule>) -> bool {
    let (Some(upper), Some(lower)) = (rules.get(above.case.as_str()), rules.get(below.case.as_str())) else {
        return false;
    };
    // What is only a question does not push an answer down.
    if above.verdict == Verdict::NeedMore && below.verdict != Verdict::NeedMore {
        return false;
    }
    if upper.file.explains.contains(&lower.file.id) {
        return true;
    }
    if above.verdict == Verdict::NeedMore || lower.file.explains.contains(&upper.file.id) {
        return false;
    }
    let points = lower.file.pointer && !upper.file.pointer;
    let generic = !lower.of_product && upper.of_product && (!upper.file.pointer || lower.file.pointer);
    points || generic
}

/// Whether all subjects of `below` are within the circle of `above`, or both read the same line. What has no subject, a
/// pasted line, belongs to whatever explains it; to explain an object itself, it must be as sure as what is known of that.
fn same_matter(above: &Finding, below: &Finding, circle: &BTreeSet<Subject>) -> bool {
    if below.subjects.is_empty() || (above.subjects.is_empty() && above.verdict <= below.verdict) {
        return true;
    }
    let places = |finding: &Finding| -> BTreeSet<(String, u32, Option<String>)> {
        finding.evidence.iter().map(|at| (at.path.clone(), at.line, at.pointer.clone())).collect()
    };
    if !places(above).is_disjoint(&places(below)) {
        return true;
    }
    below.subjects.iter().all(|subject| circle.contains(&subject.bare()))
}

/// Whether `index` stands beneath `ancestor` already.
fn descends(parent: &BTreeMap<usize, usize>, index: usize, ancestor: usize) -> bool {
    std::iter::successors(Some(index), |at| parent.get(at).copied()).any(|at| at == ancestor)
}

fn depth(parent: &BTreeMap<usize, usize>, index: usize) -> usize {
    std::iter::successors(parent.get(&index).copied(), |at| parent.get(at).copied()).count()
}

/// The object alone, so that two findings on containers of one pod meet.
/// Which objects belong together. A pod belongs to its owners, its release and its claims; what happens to one of those
/// happens to the pod. Two pods of one release do not belong to each other.
struct Relations {
    up: HashMap<Subject, BTreeSet<Subject>>,
    down: HashMap<Subject, BTreeSet<Subject>>,
}

impl Relations {
    fn new(snapshot: &Snapshot) -> Relations {
        let mut relations = Relations { up: HashMap::new(), down: HashMap::new() };
        for pod in snapshot.objects.of("pods") {
            let (Some(namespace), Some(name)) = (pod.namespace(), pod.name()) else { continue };
            let this = named("Pod", Some(namespace), name);
            let label = |key: &str| pod.value.pointer("/metadata/labels")?.get(key)?.as_str();
            if let Some(release) = label("app.kubernetes.io/instance").or_else(|| label("release")) {
                relations.belongs(&this, &named("HelmRelease", Some(namespace), release));
            }
            let volumes = pod.value.pointer("/spec/volumes").and_then(Value::as_array);
            for volume in volumes.into_iter().flatten() {
                if let Some(claim) =
                    volume.pointer("/persistentVolumeClaim/claimName").and_then(Value::as_str)
                {
                    relations.belongs(&this, &named("PersistentVolumeClaim", Some(namespace), claim));
                }
            }
            if let Some(node) = pod.str_at(&["spec", "nodeName"]) {
                // A node's trouble is its pods' trouble, but not the other way round.
                relations.down.entry(named("Node", None, node)).or_default().insert(this);
            }
        }
        for plural in ["pods", "replicasets", "jobs"] {
            let Some(kind) = super::row::kind_of(plural) else { continue };
            for object in snapshot.objects.of(plural) {
                let (Some(namespace), Some(name)) = (object.namespace(), object.name()) else { continue };
                let owners = object.value.pointer("/metadata/ownerReferences").and_then(Value::as_array);
                for owner in owners.into_iter().flatten() {
                    let field = |key: &str| owner.get(key).and_then(Value::as_str);
                    if let (Some(owner_kind), Some(owner)) = (field("kind"), field("name")) {
                        let owner = named(owner_kind, Some(namespace), owner);
                        relations.belongs(&named(kind, Some(namespace), name), &owner);
                    }
                }
            }
        }
        relations
    }

    fn belongs(&mut self, one: &Subject, to: &Subject) {
        self.up.entry(one.clone()).or_default().insert(to.clone());
        self.down.entry(to.clone()).or_default().insert(one.clone());
    }

    /// The subjects, what they belong to, and what belongs to them.
    fn circle(&self, subjects: &[Subject]) -> BTreeSet<Subject> {
        let start: BTreeSet<Subject> = subjects.iter().map(Subject::bare).collect();
        let mut circle = start.clone();
        for direction in [&self.up, &self.down] {
            let mut edge = start.clone();
            while !edge.is_empty() {
                edge = edge
                    .iter()
                    .filter_map(|subject| direction.get(subject))
                    .flatten()
                    .filter(|subject| !circle.contains(*subject))
                    .cloned()
                    .collect();
                circle.extend(edge.iter().cloned());
            }
        }
        circle
    }
}
