//! Whether the source of an evidence was read to its end, so that "not found" means "not there".

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;
use shared::bundle::manifest::Outcome;

use super::glob;
use super::row::{Row, Tables};
use crate::report::model::Missing;
use crate::rules::compile::Evidence;
use crate::rules::format::Needs;
use crate::rules::source::Source;
use crate::snapshot::{Known, Object, Snapshot, TextKind};

/// Revisions of a release that helm keeps unless it is told otherwise.
const KEPT_REVISIONS: u64 = 10;

/// What of a source matters for one binding; `None` where nothing narrows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    pub namespace: Option<String>,
    pub pod: Option<String>,
    pub container: Option<String>,
    /// Of facts of hosts: the Kubernetes node that the host is.
    pub node: Option<String>,
    /// Of helm's revisions: the release that they are of.
    pub release: Option<String>,
}

/// Answers for one snapshot.
pub struct Reach<'s> {
    snapshot: &'s Snapshot,
    /// Containers by namespace and pod, from the pods that were read.
    containers: HashMap<(&'s str, &'s str), Vec<&'s Arc<Row>>>,
}

impl<'s> Reach<'s> {
    pub fn new(snapshot: &'s Snapshot, tables: &'s Tables) -> Reach<'s> {
        let mut containers: HashMap<_, Vec<_>> = HashMap::new();
        for row in tables.of(&Source::Containers) {
            let field = |key: &str| row.value.get(key).and_then(Value::as_str).unwrap_or_default();
            containers.entry((field("namespace"), field("pod"))).or_default().push(row);
        }
        Reach { snapshot, containers }
    }

    /// Whether everything that `evidence` would look at within `scope` was read.
    pub fn whole(&self, evidence: &Evidence, scope: &Scope) -> bool {
        evidence.sources.iter().all(|source| match source {
            Source::Text(TextKind::Log) => self.logs(evidence, scope),
            Source::Text(TextKind::Ledger) => !self.snapshot.coverage.ledger.is_empty(),
            Source::Text(kind) => self.texts(*kind, evidence, scope),
            Source::Events => self.list("events", evidence, scope),
            Source::Containers => self.list("pods", evidence, scope),
            Source::Objects(plural) if plural == "hosts" => self.hosts(evidence, scope),
            Source::Objects(plural) => self.list(plural, evidence, scope),
        })
    }

    /// What was refused, cut off or failed of the lists that an evidence reads.
    pub fn losses(&self, evidence: &Evidence) -> Vec<Missing> {
        let mut losses = Vec::new();
        for source in &evidence.sources {
            let plural = match source {
                Source::Events => "events",
                Source::Containers | Source::Text(TextKind::Log) => "pods",
                Source::Objects(plural) => plural,
                Source::Text(_) => continue,
            };
            for ((name, namespace), known) in &self.snapshot.coverage.lists {
                let wanted = namespace.as_deref().is_none_or(|ns| glob::any(&evidence.namespaces, ns));
                let outcome = match known {
                    Known::Nothing(Some(outcome)) if outcome.is_loss() => outcome.as_str(),
                    // A paste holds what its writer chose to show; nothing of it was lost.
                    Known::Partly if self.snapshot.coverage.ledger.is_empty() => continue,
                    Known::Partly => Outcome::Truncated.as_str(),
                    Known::Whole | Known::Nothing(_) => continue,
                };
                if name == plural && wanted {
                    let of = namespace.as_ref().map(|ns| format!(" of {ns}")).unwrap_or_default();
                    losses.push(Missing {
                        evidence: evidence.name.clone(),
                        source: format!("{plural}{of}"),
                        outcome: Some(outcome.to_owned()),
                    });
                }
            }
        }
        losses
    }

    /// Whether the user gave any text.
    pub fn has_texts(&self) -> bool {
        self.snapshot.texts.iter().any(|text| text.kind == TextKind::Pasted)
    }

    fn list(&self, plural: &str, evidence: &Evidence, scope: &Scope) -> bool {
        let coverage = &self.snapshot.coverage;
        let literal = match evidence.namespaces.as_slice() {
            [one] => one.literal(),
            _ => None,
        };
        let namespace = scope.namespace.as_deref().or(literal).or_else(|| literal_match(evidence));
        let known = match (namespace, evidence.namespaces.is_empty()) {
            (Some(namespace), _) => coverage.list(plural, Some(namespace)),
            (None, true) => coverage.list(plural, None),
            // Globs: the namespaces that they may stand for, as far as their names are known.
            (None, false) => match coverage.lists.get(&(plural.to_owned(), None)) {
                Some(known) => *known,
                None => self.of_globs(plural, evidence),
            },
        };
        match known {
            Known::Whole => true,
            Known::Nothing(None) if plural == "helm.revisions" => {
                self.list("helm.releases", evidence, scope) && self.histories(scope)
            }
            Known::Nothing(None) => self.kind_does_not_exist(plural),
            Known::Partly | Known::Nothing(Some(_)) => false,
        }
    }

    /// Whether the history of every release that matters is there as far as helm keeps it: a list of releases shows the
    /// newest revisions alone.
    fn histories(&self, scope: &Scope) -> bool {
        let objects = &self.snapshot.objects;
        let number = |object: &Object| object.value.get("revision").and_then(Value::as_u64);
        objects.of("helm.releases").iter().all(|release| {
            let (namespace, name) = (release.str_at(&["namespace"]), release.str_at(&["name"]));
            let fits = |wanted: &Option<String>, own| wanted.is_none() || wanted.as_deref() == own;
            if !fits(&scope.namespace, namespace) || !fits(&scope.release, name) {
                return true;
            }
            let of_it = |revision: &&Object| {
                revision.str_at(&["namespace"]) == namespace && revision.str_at(&["name"]) == name
            };
            let seen = objects.of("helm.revisions").iter().filter(of_it).filter_map(number);
            let seen = seen.collect::<BTreeSet<u64>>().len() as u64;
            number(release).is_some_and(|newest| seen >= newest.min(KEPT_REVISIONS))
        })
    }

    /// Whether the hosts that matter were looked at: a certain node, the control machine, all nodes; where the evidence
    /// does not say which, any host.
    fn hosts(&self, evidence: &Evidence, scope: &Scope) -> bool {
        let objects = &self.snapshot.objects;
        let hosts = objects.of("hosts");
        let visited = |node: &str| hosts.iter().any(|host| host.str_at(&["node"]) == Some(node));
        if let Some(node) = &scope.node {
            return visited(node);
        }
        let Some((_, roles)) = evidence.matches.iter().find(|(path, _)| path.is(&["role"])) else {
            return !hosts.is_empty();
        };
        let control = || hosts.iter().any(|host| host.str_at(&["role"]) == Some("control"));
        let every_node = || {
            self.snapshot.coverage.list("nodes", None) == Known::Whole
                && objects.of("nodes").iter().filter_map(Object::name).all(visited)
        };
        (!glob::any(roles, "control") || control()) && (!glob::any(roles, "node") || every_node())
    }

    fn of_globs(&self, plural: &str, evidence: &Evidence) -> Known {
        let lists = &self.snapshot.coverage.lists;
        let mut entries = lists
            .iter()
            .filter(|((name, namespace), _)| {
                name == plural && namespace.as_deref().is_some_and(|ns| glob::any(&evidence.namespaces, ns))
            })
            .map(|(_, known)| *known)
            .peekable();
        let namespaces_known = self.snapshot.coverage.list("namespaces", None) == Known::Whole;
        if entries.peek().is_none() {
            let any_such = self
                .snapshot
                .objects
                .of("namespaces")
                .iter()
                .any(|object| object.name().is_some_and(|name| glob::any(&evidence.namespaces, name)));
            return if namespaces_known && !any_such { Known::Whole } else { Known::Nothing(None) };
        }
        if entries.all(|known| known == Known::Whole) { Known::Whole } else { Known::Partly }
    }

    /// A custom kind whose definition is not among the definitions, all of which were read, has no objects.
    fn kind_does_not_exist(&self, plural: &str) -> bool {
        const DEFINITIONS: &str = "customresourcedefinitions";
        plural.contains('.')
            && !plural.starts_with("helm.")
            && self.snapshot.coverage.list(DEFINITIONS, None) == Known::Whole
            && !self.snapshot.objects.of(DEFINITIONS).iter().any(|object| object.name() == Some(plural))
    }

    /// Texts other than logs: some were given, each of them whole, and none of their kind is missing.
    fn texts(&self, kind: TextKind, evidence: &Evidence, scope: &Scope) -> bool {
        let mut pieces = self
            .snapshot
            .texts
            .iter()
            .filter(|text| text.kind == kind)
            .filter(|text| {
                let fits = |wanted: &Option<String>, has: &Option<String>| {
                    wanted.is_none() || has.is_none() || wanted == has
                };
                fits(&scope.namespace, &text.namespace) && fits(&scope.pod, &text.pod)
            })
            .peekable();
        let folder = match kind {
            TextKind::Describe => "describe/",
            TextKind::Table => "tables/",
            TextKind::Host | TextKind::Journal => "hosts/",
            TextKind::Pasted | TextKind::Log | TextKind::Ledger => "texts/",
        };
        let lost = |outcome: Outcome| outcome.is_loss() && outcome != Outcome::Truncated;
        pieces.peek().is_some()
            && pieces
                .all(|text| read_enough(evidence.spec.needs, text.has_head, text.has_tail, text.has_middle))
            && !self
                .snapshot
                .coverage
                .ledger
                .iter()
                .any(|entry| entry.path.starts_with(folder) && lost(entry.outcome))
    }

    fn logs(&self, evidence: &Evidence, scope: &Scope) -> bool {
        let previous = evidence.spec.previous;
        if let (Some(namespace), Some(pod)) = (&scope.namespace, &scope.pod) {
            return self.logs_of_pod(evidence, namespace, pod, scope.container.as_deref());
        }
        if !self.list("pods", evidence, scope) {
            return false;
        }
        self.containers
            .iter()
            .filter(|((namespace, pod), _)| {
                scope.namespace.as_deref().is_none_or(|wanted| wanted == *namespace)
                    && glob::any(&evidence.namespaces, namespace)
                    && glob::any(&evidence.pods, pod)
            })
            .flat_map(|(_, rows)| rows)
            .all(|row| self.log_of_container(row, evidence, previous))
    }

    fn logs_of_pod(&self, evidence: &Evidence, namespace: &str, pod: &str, container: Option<&str>) -> bool {
        let wanted = |name: &str| {
            container.is_none_or(|wanted| wanted == name) && glob::any(&evidence.containers, name)
        };
        if let Some(rows) = self.containers.get(&(namespace, pod)) {
            let name =
                |row: &Row| row.value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            return rows
                .iter()
                .filter(|row| wanted(&name(row)))
                .all(|row| self.log_of_container(row, evidence, evidence.spec.previous));
        }
        // The pod's object is not there: the logs that are, speak for it.
        let mut logs = self
            .snapshot
            .coverage
            .logs
            .iter()
            .filter(|((ns, of, name, before), _)| {
                ns == namespace
                    && of == pod
                    && wanted(name)
                    && evidence.spec.previous.is_none_or(|previous| previous == *before)
            })
            .peekable();
        logs.peek().is_some()
            && logs.all(|((ns, of, name, before), known)| {
                *known == Known::Whole || self.read_in_part(ns, of, name, *before, evidence.spec.needs)
            })
    }

    fn log_of_container(&self, row: &Row, evidence: &Evidence, previous: Option<bool>) -> bool {
        let field = |key: &str| row.value.get(key).and_then(Value::as_str).unwrap_or_default();
        let (namespace, pod, name) = (field("namespace"), field("pod"), field("name"));
        if !glob::any(&evidence.containers, name) {
            return true;
        }
        let restarts = row.value.get("restarts").and_then(Value::as_i64).unwrap_or(0);
        // A container that never started has no log.
        let has_current = match field("state") {
            "" => field("phase") != "Pending",
            state => state != "waiting" || restarts > 0,
        };
        let read = |before: bool| {
            self.snapshot.coverage.log(namespace, pod, name, before) == Known::Whole
                || self.read_in_part(namespace, pod, name, before, evidence.spec.needs)
        };
        (previous == Some(true) || !has_current || read(false))
            && (previous == Some(false) || restarts == 0 || read(true))
    }

    fn read_in_part(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
        needs: Needs,
    ) -> bool {
        if needs == Needs::Whole {
            return false;
        }
        self.snapshot.texts.iter().any(|text| {
            text.kind == TextKind::Log
                && text.previous == previous
                && text.namespace.as_deref() == Some(namespace)
                && text.pod.as_deref() == Some(pod)
                && text.container.as_deref() == Some(container)
                && read_enough(needs, text.has_head, text.has_tail, text.has_middle)
        })
    }
}

fn read_enough(needs: Needs, head: bool, tail: bool, middle: bool) -> bool {
    match needs {
        Needs::Head => head,
        Needs::Tail => tail,
        Needs::Whole => head && tail && middle,
    }
}

/// The namespace that `match` asks for, if it is one.
fn literal_match(evidence: &Evidence) -> Option<&str> {
    let namespace = |(path, _): &&(super::path::Path, Vec<glob::Glob>)| {
        path.is(&["metadata", "namespace"]) || path.is(&["namespace"])
    };
    match evidence.matches.iter().find(namespace)?.1.as_slice() {
        [one] => one.literal(),
        _ => None,
    }
}
