//! From the sign to the cause, object by object: a release to its pods, a pod to its claim or its node, a claim to its
//! class.
//!
//! Each step leads to an object that is itself not well; the chain that leads furthest is kept.

use std::collections::BTreeSet;

use super::state::World;
use crate::report::model::{Finding, Link, Subject};

/// Links of a chain.
const LONGEST: usize = 6;
/// Links above the subject of a finding.
const HIGHEST: usize = 2;
/// Subjects of one finding from which a chain is looked for.
const STARTS: usize = 20;
/// Objects that are looked at below one object.
const WIDEST: usize = 50;

/// Adds the chain, where there is one of at least two links, to each finding and to what it explains.
pub fn fill(findings: &mut [Finding], world: &World<'_>) {
    for finding in findings {
        let chains = finding.subjects.iter().take(STARTS).map(|subject| longest(subject, world));
        // The first of the longest, so that the choice is the same each time.
        let mut best: Vec<Link> = Vec::new();
        for chain in chains {
            if chain.len() > best.len() {
                best = chain;
            }
        }
        if best.len() > 1 {
            finding.chain = best;
        }
        fill(&mut finding.explains, world);
    }
}

/// From an object that is not well down to what it waits for; empty where it is well or unknown.
pub fn below(subject: &Subject, world: &World<'_>) -> Vec<Link> {
    follow(subject, world, &mut BTreeSet::new(), LONGEST)
}

fn longest(subject: &Subject, world: &World<'_>) -> Vec<Link> {
    let start = Subject { container: None, node: None, ..subject.clone() };
    let mut seen = BTreeSet::new();
    let below = follow(&start, world, &mut seen, LONGEST - HIGHEST);
    if below.is_empty() {
        return below;
    }
    let mut chain = climb(&start, world, &mut seen, HIGHEST);
    chain.extend(below);
    chain
}

/// From the sign that people see down to what keeps `subject` company: the release of a pod, the pod of a claim.
fn climb(subject: &Subject, world: &World<'_>, seen: &mut BTreeSet<Subject>, left: usize) -> Vec<Link> {
    let mut best: Vec<Link> = Vec::new();
    for dependent in world.dependents(subject).iter().take(WIDEST) {
        if left == 0 || !seen.insert(dependent.clone()) {
            continue;
        }
        let Some(state) = world.trouble(dependent) else { continue };
        let mut chain = climb(dependent, world, seen, left - 1);
        chain.push(Link { subject: dependent.clone(), state });
        if chain.len() > best.len() {
            best = chain;
        }
    }
    best
}

fn follow(subject: &Subject, world: &World<'_>, seen: &mut BTreeSet<Subject>, left: usize) -> Vec<Link> {
    if left == 0 || !seen.insert(subject.clone()) {
        return Vec::new();
    }
    let Some(state) = world.trouble(subject) else { return Vec::new() };
    let mut best: Vec<Link> = Vec::new();
    for cause in world.causes(subject).iter().take(WIDEST) {
        let below = follow(cause, world, seen, left - 1);
        if below.len() > best.len() {
            best = below;
        }
    }
    let mut chain = vec![Link { subject: subject.clone(), state }];
    chain.append(&mut best);
    chain
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::matching::state::named;
    use crate::report::model::{Evidence, Severity, Text, Verdict};
    use crate::snapshot::{FileId, Known, Object, Snapshot};

    fn snapshot(objects: Vec<(&str, Value)>) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for (plural, value) in objects {
            let value = Arc::new(value);
            snapshot.objects.push(
                plural,
                Object { value, file: FileId(0), line: 1, pointer: "/items/0".into(), partial: false },
            );
        }
        snapshot.coverage.lists.insert(("storageclasses".into(), None), Known::Whole);
        snapshot
    }

    fn finding(subject: Subject) -> Finding {
        Finding {
            case: "a".into(),
            section: "p/s".into(),
            verdict: Verdict::Likely,
            severity: Severity::Error,
            title: Text::same("a"),
            cause_class: None,
            subjects: vec![subject],
            evidence: vec![Evidence {
                name: "seen".into(),
                path: "cluster-resources/events/a.json".into(),
                line: 1,
                end_line: 1,
                pointer: None,
                excerpt: String::new(),
                time: None,
                count: 1,
            }],
            conclusion: Text::default(),
            caution: None,
            fix: Vec::new(),
            asks: Vec::new(),
            references: Vec::new(),
            past: false,
            explains: Vec::new(),
            chain: Vec::new(),
            pointer: false,
            waits_for: None,
        }
    }

    #[test]
    fn a_release_leads_to_the_class_that_is_not_there() {
        let snapshot = snapshot(vec![
            ("helm.releases", json!({"namespace": "a", "name": "db", "status": "pending-install"})),
            (
                "pods",
                json!({"metadata": {"namespace": "a", "name": "db-0", "labels": {"app.kubernetes.io/instance": "db"}},
                "spec": {"containers": [], "volumes": [{"persistentVolumeClaim": {"claimName": "data-db-0"}}]},
                "status": {"phase": "Pending"}}),
            ),
            (
                "persistentvolumeclaims",
                json!({"metadata": {"namespace": "a", "name": "data-db-0"},
                "spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}}),
            ),
            (
                "events",
                json!({"involvedObject": {"kind": "PersistentVolumeClaim", "namespace": "a", "name": "data-db-0"},
                "type": "Warning", "message": "storageclass.storage.k8s.io \"fast\" not found"}),
            ),
        ]);
        let mut findings = vec![finding(named("HelmRelease", Some("a"), "db"))];
        findings.push(finding(named("PersistentVolumeClaim", Some("a"), "data-db-0")));
        fill(&mut findings, &World::new(&snapshot));
        assert_eq!(findings[0].chain, findings[1].chain, "the same way, from whichever end it was found");
        let steps: Vec<(&str, &str)> =
            findings[0].chain.iter().map(|link| (link.subject.kind.as_str(), link.state.as_str())).collect();
        assert_eq!(
            steps,
            [
                ("HelmRelease", "pending-install"),
                ("Pod", "Pending"),
                (
                    "PersistentVolumeClaim",
                    "Pending, storageClassName=fast: storageclass.storage.k8s.io \"fast\" not found"
                ),
                ("StorageClass", "does not exist"),
            ]
        );
    }
}
