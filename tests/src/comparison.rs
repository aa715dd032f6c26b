//! Our describe text beside that of a real kubectl, line by line.
//!
//! The two cannot look at the cluster in the very same instant: a kubelet renews its lease, an age grows by a
//! second. So each object is rendered for the instants while kubectl ran and the closest counts, and an object that
//! differs is looked at again with fresh lists. What still differs is a difference.

mod lines;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, Result};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::describe::{Form, Index, Kind, Settings, describe};
use shared::objects::{name, namespace};

use lines::Compared;

/// Runs kubectl with these arguments and gives its standard output.
pub type Kubectl<'a> = dyn Fn(&[&str]) -> Result<String> + 'a;

/// Looks at an object so often before its differences count.
const ATTEMPTS: usize = 4;
/// Ages are rendered for instants this far apart while kubectl ran.
const STEP: SignedDuration = SignedDuration::from_millis(250);

/// A kind to be described: its version, name, where it is listed, and what kubectl calls it.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    pub kind: Kind<'static>,
    pub list: &'static str,
    pub resource: &'static str,
}

const fn subject(
    api_version: &'static str,
    kind: &'static str,
    list: &'static str,
    resource: &'static str,
) -> Subject {
    Subject { kind: Kind { api_version, kind }, list, resource }
}

/// The kinds that have a describer of their own.
pub const SUBJECTS: &[Subject] = &[
    subject("v1", "Pod", "/api/v1/pods", "pods"),
    subject("v1", "Node", "/api/v1/nodes", "nodes"),
    subject("v1", "PersistentVolumeClaim", "/api/v1/persistentvolumeclaims", "persistentvolumeclaims"),
    subject("v1", "Service", "/api/v1/services", "services"),
    subject("apps/v1", "Deployment", "/apis/apps/v1/deployments", "deployments.apps"),
    subject("apps/v1", "StatefulSet", "/apis/apps/v1/statefulsets", "statefulsets.apps"),
    subject("apps/v1", "DaemonSet", "/apis/apps/v1/daemonsets", "daemonsets.apps"),
    subject("apps/v1", "ReplicaSet", "/apis/apps/v1/replicasets", "replicasets.apps"),
    subject("batch/v1", "Job", "/apis/batch/v1/jobs", "jobs.batch"),
    subject("batch/v1beta1", "CronJob", "/apis/batch/v1beta1/cronjobs", "cronjobs.batch"),
    subject("batch/v1", "CronJob", "/apis/batch/v1/cronjobs", "cronjobs.batch"),
    subject("v1", "PersistentVolume", "/api/v1/persistentvolumes", "persistentvolumes"),
    subject("storage.k8s.io/v1", "StorageClass", "/apis/storage.k8s.io/v1/storageclasses", "storageclasses"),
    subject(
        "networking.k8s.io/v1",
        "Ingress",
        "/apis/networking.k8s.io/v1/ingresses",
        "ingresses.v1.networking.k8s.io",
    ),
    subject("v1", "Namespace", "/api/v1/namespaces", "namespaces"),
    subject("v1", "ResourceQuota", "/api/v1/resourcequotas", "resourcequotas"),
    subject("v1", "LimitRange", "/api/v1/limitranges", "limitranges"),
    subject("v1", "ConfigMap", "/api/v1/configmaps", "configmaps"),
    subject("v1", "Endpoints", "/api/v1/endpoints", "endpoints"),
];

/// Kinds that descriptions of others refer to.
const RELATED: &[Subject] = &[
    subject("v1", "Event", "/api/v1/events", "events"),
    subject("coordination.k8s.io/v1", "Lease", "/apis/coordination.k8s.io/v1/leases", "leases"),
    subject(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        "/apis/discovery.k8s.io/v1/endpointslices",
        "endpointslices",
    ),
];

/// How the texts of one kind compare.
#[derive(Debug, Default)]
pub struct Score {
    pub objects: usize,
    /// Lines of the longer of the two texts.
    pub lines: usize,
    pub equal: usize,
    /// Lines that differ for a reason that is known and not ours to mend, by that reason.
    pub explained: BTreeMap<&'static str, usize>,
    /// Objects with differences, and these: `-` what kubectl printed, `+` what we did.
    pub differences: Vec<(String, Vec<String>)>,
}

impl Score {
    /// Of a hundred lines, so many are equal.
    pub fn percent(&self) -> f64 {
        percent(self.equal, self.lines)
    }

    /// Of a hundred lines, so many are equal or differ for a known reason.
    pub fn percent_explained(&self) -> f64 {
        percent(self.equal + self.explained.values().sum::<usize>(), self.lines)
    }

    fn add(&mut self, object: &Object, text: &Compared) {
        self.objects += 1;
        self.lines += text.lines;
        self.equal += text.equal;
        for reason in &text.reasons {
            *self.explained.entry(reason).or_default() += 1;
        }
        if !text.differences.is_empty() {
            self.differences.push((object.label(), text.differences.clone()));
        }
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 100.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// Scores as a table, with the differences of each kind after it.
pub fn report(scores: &BTreeMap<&'static str, Score>) -> String {
    let mut text = String::from("kind                   objects  lines  equal        %  explained\n");
    for (kind, score) in scores {
        let Score { objects, lines, equal, explained, .. } = score;
        let percent = score.percent();
        let reasons: Vec<String> =
            explained.iter().map(|(reason, lines)| format!("{lines} ({reason})")).collect();
        let reasons = reasons.join(", ");
        let _ = writeln!(text, "{kind:<24}{objects:>6} {lines:>6} {equal:>6} {percent:>8.2}  {reasons}");
    }
    for (kind, score) in scores {
        for (object, lines) in &score.differences {
            let _ = writeln!(text, "\n{kind} {object}\n{}", lines.join("\n"));
        }
    }
    text
}

/// Describes every object in `namespaces` (and every cluster-scoped one) of the kinds wanted, by kubectl and by us.
///
/// # Errors
/// When kubectl cannot be run or the lists cannot be read.
pub fn compare(
    kubectl: &Kubectl<'_>,
    form: Form,
    namespaces: &[&str],
    wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<&'static str, Score>> {
    let mut best: BTreeMap<Object, Compared> = BTreeMap::new();
    for _ in 0..ATTEMPTS {
        let world = World::fetch(kubectl)?;
        let mut unsettled = false;
        for object in world.objects(namespaces).filter(|object| wanted(object.subject.kind.kind)) {
            if best.get(&object).is_some_and(|known| known.differences.is_empty()) {
                continue;
            }
            // An object may vanish meanwhile; then there is nothing to compare.
            let Ok(compared) = world.compare(&object, kubectl, form) else { continue };
            unsettled |= !compared.differences.is_empty();
            match best.get_mut(&object) {
                Some(known) if known.differences.len() <= compared.differences.len() => {}
                _ => drop(best.insert(object, compared)),
            }
        }
        // What was deleted meanwhile was never looked at twice in the same state.
        let present: BTreeSet<Object> = world.objects(namespaces).collect();
        best.retain(|object, compared| compared.differences.is_empty() || present.contains(object));
        if !unsettled {
            break;
        }
    }
    let mut scores: BTreeMap<&'static str, Score> = BTreeMap::new();
    for (object, compared) in &best {
        scores.entry(object.subject.kind.kind).or_default().add(object, compared);
    }
    Ok(scores)
}

/// Everything that was listed in one round.
struct World {
    lists: Vec<(Subject, Vec<Value>)>,
    index: Index,
}

/// An object among others, whatever became of it between two lists.
#[derive(Debug, Clone)]
struct Object {
    subject: Subject,
    namespace: String,
    name: String,
}

impl Object {
    fn key(&self) -> (&str, &str, &str) {
        (self.subject.list, &self.namespace, &self.name)
    }

    fn label(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Object {}

impl PartialOrd for Object {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Object {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl World {
    fn fetch(kubectl: &Kubectl<'_>) -> Result<World> {
        let mut index = Index::new();
        let mut lists = Vec::new();
        for subject in SUBJECTS.iter().chain(RELATED) {
            // Not every server has every version.
            let Ok(text) = kubectl(&["get", "--raw", subject.list]) else { continue };
            let mut list: Value =
                serde_json::from_str(&text).with_context(|| format!("{} is no JSON", subject.list))?;
            let Value::Array(items) = list["items"].take() else { continue };
            items.iter().for_each(|item| index.observe(subject.kind, item));
            lists.push((*subject, items));
        }
        Ok(World { lists, index })
    }

    /// Whether the server has EndpointSlices of the version that kubectl 1.32 asks for.
    fn has_slices(&self) -> bool {
        self.lists.iter().any(|(subject, _)| subject.kind.kind == "EndpointSlice")
    }

    fn objects<'a>(&'a self, namespaces: &'a [&str]) -> impl Iterator<Item = Object> + 'a {
        let subjects =
            self.lists.iter().filter(|(subject, _)| SUBJECTS.iter().any(|s| s.list == subject.list));
        subjects
            .flat_map(|(subject, items)| {
                items.iter().map(|item| Object {
                    subject: *subject,
                    namespace: namespace(item).to_owned(),
                    name: name(item).to_owned(),
                })
            })
            .filter(|object| object.namespace.is_empty() || namespaces.contains(&object.namespace.as_str()))
    }

    fn compare(&self, object: &Object, kubectl: &Kubectl<'_>, form: Form) -> Result<Compared> {
        let items = self.lists.iter().find(|(subject, _)| subject.list == object.subject.list);
        let value = items
            .and_then(|(_, items)| {
                items.iter().find(|item| namespace(item) == object.namespace && name(item) == object.name)
            })
            .context("the object comes from these lists")?;
        let started = Timestamp::now();
        let mut args = vec!["describe", object.subject.resource, &object.name];
        if !object.namespace.is_empty() {
            args.extend(["-n", &object.namespace]);
        }
        let theirs = kubectl(&args)?;
        let ended = Timestamp::now();
        let zone = TimeZone::system();
        let mut instant = started;
        let mut best: Option<Compared> = None;
        while instant <= ended + STEP {
            let settings = Settings { now: instant, zone: zone.clone(), form };
            let ours = describe(object.subject.kind, value, &self.index, &settings);
            let mut compared = Compared::of(&theirs, &ours);
            compared.explain(form == Form::Kubectl132 && !self.has_slices());
            if best.as_ref().is_none_or(|best| compared.equal > best.equal) {
                best = Some(compared);
            }
            instant += STEP;
        }
        best.context("the first instant is before the end")
    }
}
