//! Whose a text is, where its own place does not say it: the log that was fetched below a table of pods, the file that
//! bears a pod's name, the journal of a machine that is no node.
//!
//! This needs the pods and hosts of all inputs, so it is done when they are joined. What fits more than one pod stays
//! nobody's.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::snapshot::{FileId, Known, Object, Snapshot, TextKind, TextSource};

/// Separators in a file's path at which a pod's name may begin or end; a path with more is no name that a person gave.
const MOST_PIECES: usize = 40;

/// Words that stand beside a pod's name in the name of a file that holds its log.
const BESIDE: &[&str] = &[
    "",
    "log",
    "logs",
    "pod",
    "pods",
    "podlogs",
    "kubectl",
    "current",
    "container",
    "containers",
    "out",
    "stdout",
];
const PREVIOUS: &[&str] = &["previous", "prev", "last", "old", "p"];

/// Names the pod and the container of logs, and the node of journals, as far as one alone fits.
pub(super) fn settle(snapshot: &mut Snapshot) {
    let texts = {
        let pods = Pods::of(snapshot);
        let machines = Machines::of(snapshot);
        let mut texts = snapshot.texts.clone();
        let named = by_name_of_file(snapshot, &pods);
        for text in &mut texts {
            match text.kind {
                TextKind::Log => pods.settle(text, &snapshot.files[text.file.0 as usize].text),
                TextKind::Host | TextKind::Journal => machines.settle(text),
                TextKind::Pasted | TextKind::Describe | TextKind::Table | TextKind::Ledger => {}
            }
        }
        let (mut added, mut done) = (Vec::new(), HashSet::new());
        for text in &mut texts {
            let Some(place) = named.get(&text.file) else { continue };
            if text.kind == TextKind::Log && text.pod.is_none() {
                place.put(text);
                done.insert(text.file);
            } else if text.kind == TextKind::Pasted {
                let mut log = TextSource { kind: TextKind::Log, ..text.clone() };
                place.put(&mut log);
                added.push(log);
            }
        }
        texts.extend(added.into_iter().filter(|log| !done.contains(&log.file)));
        texts
    };
    snapshot.texts = texts;
}

/// A run of a container.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    namespace: Option<String>,
    pod: String,
    container: Option<String>,
    previous: bool,
}

impl Place {
    fn put(&self, text: &mut TextSource) {
        text.namespace.clone_from(&self.namespace);
        text.pod = Some(self.pod.clone());
        text.container.clone_from(&self.container);
        text.previous = self.previous;
    }
}

/// The pods by name.
struct Pods<'s>(HashMap<&'s str, Vec<&'s Object>>);

impl<'s> Pods<'s> {
    fn of(snapshot: &'s Snapshot) -> Pods<'s> {
        let mut pods: HashMap<&str, Vec<&Object>> = HashMap::new();
        for pod in snapshot.objects.of("pods") {
            if let Some(name) = pod.name() {
                pods.entry(name).or_default().push(pod);
            }
        }
        Pods(pods)
    }

    /// The one pod of this name, in this namespace where one is told.
    fn only(&self, name: &str, namespace: Option<&str>) -> Option<&'s Object> {
        let fits =
            |pod: &&&Object| namespace.is_none() || pod.namespace().is_none() || pod.namespace() == namespace;
        let mut fitting = self.0.get(name)?.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Some(one),
            _ => None,
        }
    }

    /// The one pod of a workload, such as `deploy/web`.
    fn only_of(&self, workload: &str, namespace: Option<&str>) -> Option<&'s Object> {
        let is_its = |name: &str| {
            name.strip_prefix(workload).and_then(|rest| rest.strip_prefix('-')).is_some_and(|rest| {
                let parts: Vec<&str> = rest.split('-').collect();
                let is_part =
                    |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
                parts.len() <= 2 && parts.iter().all(is_part)
            })
        };
        let fits = |pod: &&&Object| {
            let of_namespace = namespace.is_none() || pod.namespace() == namespace;
            of_namespace && pod.name().is_some_and(|name| name == workload || is_its(name))
        };
        let mut fitting = self.0.values().flatten().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Some(one),
            _ => None,
        }
    }

    /// Completes what a command said of a log.
    fn settle(&self, text: &mut TextSource, file: &str) {
        let Some(named) = text.pod.clone() else { return };
        let namespace = text.namespace.clone();
        let pod = match named.split_once('/') {
            None => self.only(&named, namespace.as_deref()),
            Some(("pod" | "pods" | "po", name)) => self.only(name, namespace.as_deref()),
            // kubectl says which one it took, where there are several.
            Some((_, workload)) => match taken(&file[text.range.clone()]) {
                Some(name) => self.only(name, namespace.as_deref()),
                None => self.only_of(workload, namespace.as_deref()),
            },
        };
        let Some(pod) = pod else { return };
        text.pod = pod.name().map(str::to_owned);
        text.namespace = text.namespace.take().or_else(|| pod.namespace().map(str::to_owned));
        if text.container.is_none() {
            text.container = only_container(pod);
        }
    }
}

/// `Found 3 pods, using pod/web-7d9-abc` at the beginning of a log.
fn taken(log: &str) -> Option<&str> {
    let (_, pod) = log.lines().next()?.strip_prefix("Found ")?.split_once(" pods, using pod/")?;
    Some(pod.trim())
}

/// The name of the container of a pod that has one; empty where it has one whose name is not known, as in a table.
fn only_container(pod: &Object) -> Option<String> {
    match &containers(pod)[..] {
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}

/// Names of the containers that stay; of a pod that a table tells of, an empty name for each.
fn containers(pod: &Object) -> Vec<&str> {
    let list = |pointer| pod.value.pointer(pointer).and_then(Value::as_array);
    let all = list("/spec/containers").or_else(|| list("/status/containerStatuses"));
    all.into_iter().flatten().map(|one| one.get("name").and_then(Value::as_str).unwrap_or_default()).collect()
}

/// Files of nothing but text, whose names are those of pods.
fn by_name_of_file(snapshot: &Snapshot, pods: &Pods<'_>) -> HashMap<FileId, Place> {
    if pods.0.is_empty() {
        return HashMap::new();
    }
    // What holds a table or a description is no log, whatever it is called.
    let mut plain: HashMap<FileId, bool> = HashMap::new();
    for text in &snapshot.texts {
        let is_plain = match text.kind {
            TextKind::Pasted => true,
            TextKind::Log => text.pod.is_none(),
            TextKind::Describe | TextKind::Table | TextKind::Host | TextKind::Journal | TextKind::Ledger => {
                false
            }
        };
        *plain.entry(text.file).or_insert(true) &= is_plain;
    }
    let held = snapshot.objects.by_collection.values().flatten().map(|object| object.file);
    for file in held {
        plain.insert(file, false);
    }
    let files = plain.into_iter().filter(|(_, is_plain)| *is_plain);
    files.filter_map(|(file, _)| Some((file, place(&snapshot.files[file.0 as usize].path, pods)?))).collect()
}

/// The pod in a path such as `logs/web-0.txt`, `web-0_previous.log`, `shop_web-0_main.log`, `web-0/main.txt`: its name
/// between separators, and around it nothing but its namespace, its container and words for logs.
fn place(path: &str, pods: &Pods<'_>) -> Option<Place> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = match file.rsplit_once('.') {
        Some((stem, "txt" | "log" | "out")) => stem.trim_end_matches(".log"),
        Some((_, ending)) if ending.chars().any(|c| c.is_ascii_digit()) => file,
        None => file,
        Some(_) => return None,
    };
    let in_file = || search(stem, pods);
    let in_folder = || {
        let (above, folder) = folder.rsplit_once('/').unwrap_or(("", folder));
        let namespace = above.rsplit('/').next().filter(|name| pods.has_namespace(name));
        beside(pods.only(folder, namespace)?, "", stem)
    };
    in_file().or_else(in_folder)
}

impl Pods<'_> {
    fn has_namespace(&self, name: &str) -> bool {
        self.0.values().flatten().any(|pod| pod.namespace() == Some(name))
    }
}

/// The longest name of a pod between separators of a file's name.
fn search(stem: &str, pods: &Pods<'_>) -> Option<Place> {
    let is_separator = |c: char| "-_. ".contains(c);
    let mut starts = vec![0];
    let mut ends = Vec::new();
    for (at, c) in stem.char_indices().filter(|(_, c)| is_separator(*c)) {
        ends.push(at);
        starts.push(at + c.len_utf8());
    }
    ends.push(stem.len());
    if ends.len() > MOST_PIECES {
        return None;
    }
    let spans = starts.iter().flat_map(|from| ends.iter().map(move |to| (*from, *to)));
    let mut spans: Vec<(usize, usize)> =
        spans.filter(|(from, to)| from < to && pods.0.contains_key(&stem[*from..*to])).collect();
    spans.sort_by_key(|(from, to)| (std::cmp::Reverse(to - from), *from));
    spans.into_iter().find_map(|(from, to)| {
        let name = &stem[from..to];
        let (before, after) =
            (stem[..from].trim_end_matches(is_separator), stem[to..].trim_start_matches(is_separator));
        pods.0[name].iter().find_map(|pod| {
            let place = beside(pod, before, after)?;
            pods.only(name, place.namespace.as_deref().filter(|_| names(pod, before)))?;
            Some(place)
        })
    })
}

/// Whether what stands before a pod's name is its namespace.
fn names(pod: &Object, before: &str) -> bool {
    pod.namespace().is_some_and(|namespace| before == namespace)
}

/// The run that a file's name tells of, by what stands before and after a pod's name; `None` where that says that it is
/// something else, such as a description.
fn beside(pod: &Object, before: &str, after: &str) -> Option<Place> {
    let (mut container, mut previous) = (only_container(pod), false);
    let known = containers(pod);
    let mut rest = [before, after];
    if names(pod, before) {
        rest[0] = "";
    }
    if let Some(name) = known.iter().filter(|name| !name.is_empty()).find(|name| {
        after
            .strip_prefix(**name)
            .is_some_and(|more| more.is_empty() || more.starts_with(['-', '_', '.', ' ']))
    }) {
        container = Some((*name).to_owned());
        rest[1] = &after[name.len()..];
    }
    let mut words = Vec::new();
    for part in rest {
        for word in part.split(['-', '_', '.', ' ']) {
            let word = word.to_ascii_lowercase();
            if PREVIOUS.contains(&word.as_str()) {
                previous = true;
            } else if !BESIDE.contains(&word.as_str()) && !word.bytes().all(|b| b.is_ascii_digit()) {
                words.push(word);
            }
        }
    }
    // Of a pod from a table nobody knows what its containers are called.
    let is_unnamed = known.iter().all(|name| name.is_empty());
    let not_a_log = ["describe", "desc", "yaml", "json", "events", "event", "get", "status", "top", "spec"];
    if !words.is_empty() {
        let may_be_container =
            is_unnamed && rest[0].is_empty() && !words.iter().any(|word| not_a_log.contains(&word.as_str()));
        if !may_be_container {
            return None;
        }
        container = Some(words.join("-"));
    }
    let namespace = pod.namespace().map(str::to_owned);
    Some(Place { namespace, pod: pod.name()?.to_owned(), container, previous })
}

/// Which hosts are nodes of the cluster.
struct Machines<'s> {
    hosts: HashMap<&'s str, &'s Object>,
    nodes: HashSet<&'s str>,
    all_nodes: bool,
}

impl<'s> Machines<'s> {
    fn of(snapshot: &'s Snapshot) -> Machines<'s> {
        let hosts = snapshot.objects.of("hosts").iter();
        Machines {
            hosts: hosts.filter_map(|host| Some((host.str_at(&["name"])?, host))).collect(),
            nodes: snapshot.objects.of("nodes").iter().filter_map(Object::name).collect(),
            all_nodes: snapshot.coverage.list("nodes", None) == Known::Whole,
        }
    }

    /// A host's text is of the node that the host is; the control machine's is of none.
    fn settle(&self, text: &mut TextSource) {
        let Some(name) = text.node.as_deref() else { return };
        if self.nodes.contains(name) {
            return;
        }
        let host = self.hosts.get(name);
        if let Some(node) = host.and_then(|host| host.str_at(&["node"])) {
            text.node = Some(node.to_owned());
        } else if self.all_nodes || host.is_some_and(|host| host.str_at(&["role"]) == Some("control")) {
            text.node = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Namespace, pod, container, and whether it is the previous run.
    type Run = (Option<String>, Option<String>, Option<String>, bool);

    const TABLE: &str = "$ kubectl get pods -n shop\nNAME                   READY   STATUS             RESTARTS   AGE\n\
        cart-5f6d8b9c7-x2x4z   0/1     CrashLoopBackOff   7          2d\n\
        db-0                   0/2     Error              3          2d\n";

    fn logs(files: &[(&str, &str)]) -> Vec<Run> {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        let snapshot = crate::intake::from_files(files, Vec::new());
        let logs = snapshot.texts.iter().filter(|text| text.kind == TextKind::Log);
        logs.map(|log| (log.namespace.clone(), log.pod.clone(), log.container.clone(), log.previous))
            .collect()
    }

    fn run(pod: &str, container: Option<&str>, previous: bool) -> Run {
        (Some("shop".into()), Some(pod.into()), container.map(str::to_owned), previous)
    }

    #[test]
    fn a_command_below_a_table_says_whose_log_it_fetches() {
        let cart = "cart-5f6d8b9c7-x2x4z";
        for (command, expected) in [
            ("kubectl logs cart-5f6d8b9c7-x2x4z", run(cart, Some(""), false)),
            ("kubectl -n shop logs pod/cart-5f6d8b9c7-x2x4z -p", run(cart, Some(""), true)),
            ("kubectl logs deploy/cart -n shop", run(cart, Some(""), false)),
            ("oc logs deployment.apps/cart --previous", run(cart, Some(""), true)),
            ("kubectl logs statefulset/db -c main", run("db-0", Some("main"), false)),
            ("kubectl logs db-0", run("db-0", None, false)),
        ] {
            let text = format!("{TABLE}$ {command}\nERROR no such table\n");
            assert_eq!(logs(&[("texts/a.txt", &text)]), [expected], "{command}");
        }
    }

    #[test]
    fn of_several_pods_kubectl_says_which_one_it_took() {
        let table = format!("{TABLE}cart-5f6d8b9c7-aaaaa   0/1     Error   7   2d\n");
        let log = "Found 2 pods, using pod/cart-5f6d8b9c7-aaaaa\nERROR no such table\n";
        let text = format!("{table}$ kubectl logs deploy/cart -n shop\n{log}");
        assert_eq!(logs(&[("texts/a.txt", &text)]), [run("cart-5f6d8b9c7-aaaaa", Some(""), false)]);
        let text = format!("{table}$ kubectl logs deploy/cart -n shop\nERROR no such table\n");
        assert_eq!(logs(&[("texts/a.txt", &text)])[0].1.as_deref(), Some("deploy/cart"));
    }

    #[test]
    fn a_file_named_after_a_pod_is_its_log() {
        let cart = "cart-5f6d8b9c7-x2x4z";
        for (path, expected) in [
            ("texts/logs/cart-5f6d8b9c7-x2x4z.txt", run(cart, Some(""), false)),
            ("texts/cart-5f6d8b9c7-x2x4z.log", run(cart, Some(""), false)),
            ("texts/cart-5f6d8b9c7-x2x4z_previous.txt", run(cart, Some(""), true)),
            ("texts/cart-5f6d8b9c7-x2x4z.previous.log", run(cart, Some(""), true)),
            ("texts/shop_db-0_sidecar.log", run("db-0", Some("sidecar"), false)),
            ("texts/db-0-main-previous.log", run("db-0", Some("main"), true)),
            ("texts/db-0/main.txt", run("db-0", Some("main"), false)),
            ("texts/log-db-0.txt", run("db-0", None, false)),
        ] {
            assert_eq!(
                logs(&[("texts/a.txt", TABLE), (path, "ERROR no such table\n")]),
                [expected],
                "{path}"
            );
        }
    }

    #[test]
    fn what_is_called_otherwise_or_holds_something_else_is_no_log() {
        for (path, text) in [
            ("texts/describe-db-0.txt", "no such pod\n"),
            ("texts/db-0-events.txt", "nothing\n"),
            ("texts/db.txt", "ERROR no such table\n"),
            ("texts/db-01.txt", "ERROR no such table\n"),
            (
                "texts/db-0.txt",
                "$ kubectl get svc\nNAME   TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE\ndb     ClusterIP   10.0.0.1     <none>        80/TCP    2d\n",
            ),
        ] {
            assert_eq!(logs(&[("texts/a.txt", TABLE), (path, text)]), [], "{path}");
        }
    }

    #[test]
    fn a_journal_is_of_the_node_that_its_host_is() {
        let nodes = r#"{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"worker-1"}},{"metadata":{"name":"worker-2"}}]}"#;
        let node = |facts: &str, host: &str| {
            let mut files = vec![
                ("cluster-resources/nodes.json".to_owned(), nodes.as_bytes().to_vec()),
                (format!("hosts/{host}/kernel.txt"), b"x\n".to_vec()),
            ];
            if !facts.is_empty() {
                files.push((format!("hosts/{host}/facts.json"), facts.as_bytes().to_vec()));
            }
            let snapshot = crate::intake::from_files(files, Vec::new());
            let text =
                snapshot.texts.iter().find(|text| matches!(text.kind, TextKind::Host | TextKind::Journal));
            text.unwrap().node.clone()
        };
        assert_eq!(node(r#"{"role":"control"}"#, "vm"), None);
        assert_eq!(node("", "laptop"), None);
        assert_eq!(node(r#"{"role":"node","node":"worker-2"}"#, "ip-10-0-0-2").as_deref(), Some("worker-2"));
        assert_eq!(node("", "worker-1").as_deref(), Some("worker-1"));
    }
}
