use serde_json::json;
use shared::bundle::manifest::{LedgerEntry, Outcome};
use shared::bundle::paths;

use super::*;
use crate::intake;
use crate::report::model::Verdict;
use crate::rules::set::{PackText, RuleText};

fn rule(section: &str, id: &str, body: &str) -> RuleText {
    let yaml = format!(
        "id: {id}\ntitle: {{zh: a, en: a}}\nstatus: stable\nseverity: error\nsince: 0.1.0\n{body}\n\
         outcomes: [{{conclusion: {{zh: a, en: a}}}}]\n"
    );
    RuleText { path: format!("rules/{section}/{id}.yaml"), section: section.into(), yaml }
}

fn rules(texts: &[RuleText]) -> RuleSet {
    RuleSet::compile(texts).unwrap_or_else(|error| panic!("{error}"))
}

fn pods(count: usize) -> (String, Vec<u8>) {
    let pods: Vec<Value> = (0..count)
        .map(|n| {
            json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"namespace": "a", "name": format!("web-{n}")},
                "spec": {"nodeName": "n1", "containers": [{"name": "web"}]},
                "status": {"phase": "Pending", "containerStatuses": [{"name": "web", "ready": false, "restartCount": 0,
                    "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}})
        })
        .collect();
    let list = json!({"kind": "List", "apiVersion": "v1", "items": pods});
    ("cluster-resources/pods/a.json".into(), list.to_string().into_bytes())
}

fn events(count: usize) -> (String, Vec<u8>) {
    let events: Vec<Value> = (0..count)
        .map(|n| {
            json!({"kind": "Event", "apiVersion": "v1", "metadata": {"namespace": "a", "name": format!("e{n}")},
                "involvedObject": {"kind": "Pod", "namespace": "a", "name": format!("web-{n}")},
                "type": "Warning", "reason": "Failed", "message": "Failed to pull image: no such host"})
        })
        .collect();
    let list = json!({"kind": "List", "apiVersion": "v1", "items": events});
    ("cluster-resources/events/a.json".into(), list.to_string().into_bytes())
}

fn text(text: &str) -> (String, Vec<u8>) {
    ("texts/paste.txt".into(), text.as_bytes().to_vec())
}

fn lost(path: &str, outcome: Outcome) -> LedgerEntry {
    let entry = json!({"path": path, "source": path, "outcome": outcome});
    serde_json::from_value(entry).expect("an entry needs no more")
}

const PULL: &str = "evidence:\n  pull: {in: events, text: 'Failed to pull image: (?P<why>.*)'}\n  \
    waiting: {in: containers, join: {namespace: pull.namespace, pod: pull.pod}, match: {reason: ImagePullBackOff}}\n\
    verdict: {confirmed: pull && waiting, likely: waiting}\nsubject: waiting";

#[test]
fn thirty_pods_with_one_trouble_are_one_finding() {
    let snapshot = intake::from_files(vec![pods(30), events(30)], Vec::new());
    let found = run(&rules(&[rule("p/s", "pull", PULL)]), &snapshot);
    assert_eq!(found.findings.len(), 1);
    assert_eq!(found.findings[0].subjects.len(), 30);
    assert_eq!(found.findings[0].verdict, Verdict::Confirmed);
    let events: u64 = found.findings[0].evidence.iter().filter(|e| e.name == "pull").map(|e| e.count).sum();
    assert_eq!(events, 30, "those that are not written out are counted");
}

#[test]
fn what_was_not_collected_is_asked_for_and_what_is_not_there_is_not() {
    let set = rules(&[rule("p/s", "pull", PULL)]);
    let lost =
        intake::from_files(vec![events(1)], vec![lost("cluster-resources/pods/a.json", Outcome::Forbidden)]);
    let found = run(&set, &lost);
    assert_eq!(found.findings[0].verdict, Verdict::NeedMore);
    let ask = &found.findings[0].asks[0];
    assert!(ask.text.en.starts_with("Not read: the pods' state"), "{ask:?}");

    let empty = (
        "cluster-resources/pods/a.json".to_owned(),
        br#"{"kind":"List","apiVersion":"v1","items":[]}"#.to_vec(),
    );
    let whole = intake::from_files(vec![events(1), empty], Vec::new());
    assert!(run(&set, &whole).findings.is_empty());
}

#[test]
fn nothing_seen_where_something_was_refused_is_unresolved() {
    let set = rules(&[rule(
        "p/s",
        "crash",
        "evidence:\n  seen: {in: containers, match: {reason: CrashLoopBackOff}}\nverdict: {likely: seen}",
    )]);
    let refused = intake::from_files(
        vec![text("hello")],
        vec![lost("cluster-resources/pods/a.json", Outcome::Forbidden)],
    );
    let found = run(&set, &refused);
    assert!(found.findings.is_empty());
    assert_eq!(found.unresolved[0].case, "crash");
    assert_eq!(found.unresolved[0].missing[0].outcome.as_deref(), Some("forbidden"));

    let only_text = intake::from_files(vec![text("hello")], Vec::new());
    assert!(run(&set, &only_text).unresolved.is_empty(), "nobody tried to collect pods");
}

#[test]
fn the_cause_stands_above_what_it_explains() {
    let waiting =
        "evidence:\n  seen: {in: containers, match: {reason: ImagePullBackOff}}\nverdict: {likely: seen}";
    let set = rules(&[
        rule("kubernetes/images", "a-generic", waiting),
        rule("product/s", "b-product", &format!("{waiting}\nexplains: [d-explained]")),
        rule("product/s", "c-pointer", &format!("{waiting}\npointer: true")),
        rule("product/s", "d-explained", waiting),
    ]);
    let yaml = "name: product\ntitle: {zh: a, en: a}\nowner: a\napplies: {namespaces: ['*']}\n".to_owned();
    let set = set.with_packs(&[PackText { path: "rules/product/pack.yaml".into(), yaml }]).unwrap();
    let found = run(&set, &intake::from_files(vec![pods(2)], Vec::new()));
    let top: Vec<&str> = found.findings.iter().map(|finding| finding.case.as_str()).collect();
    assert_eq!(top, ["b-product"]);
    let mut below = Vec::new();
    let mut queue: Vec<&Finding> = found.findings[0].explains.iter().collect();
    while let Some(finding) = queue.pop() {
        below.push(finding.case.as_str());
        queue.extend(&finding.explains);
    }
    below.sort_unstable();
    assert_eq!(below, ["a-generic", "c-pointer", "d-explained"]);
}

#[test]
fn unrelated_subjects_stay_apart() {
    let of = |name: &str| {
        format!("evidence:\n  seen: {{in: containers, match: {{pod: {name}}}}}\nverdict: {{likely: seen}}")
    };
    let set = rules(&[
        rule("product/s", "a", &format!("{}\nexplains: [b]", of("web-0"))),
        rule("product/s", "b", &of("web-1")),
    ]);
    let found = run(&set, &intake::from_files(vec![pods(2)], Vec::new()));
    assert_eq!(found.findings.len(), 2);
}

#[test]
fn what_a_case_explains_of_another_leaves_the_rest_in_sight() {
    let waiting = "pointer: true\nevidence: {waiting: {in: containers, match: {reason: ImagePullBackOff}}}\n\
         verdict: {confirmed: waiting}\nsubject: waiting";
    let snapshot = intake::from_files(vec![pods(3), events(1)], Vec::new());
    let cause = PULL.replace("likely: waiting", "likely: pull");
    let found = run(&rules(&[rule("p/s", "cause", &cause), rule("p/s", "waiting", waiting)]), &snapshot);
    let names = |finding: &Finding| -> Vec<String> {
        finding.subjects.iter().map(|subject| subject.name.clone()).collect()
    };
    let told: Vec<(&str, Vec<String>)> =
        found.findings.iter().map(|finding| (finding.case.as_str(), names(finding))).collect();
    assert_eq!(
        told,
        [("cause", vec!["web-0".to_owned()]), ("waiting", vec!["web-1".to_owned(), "web-2".to_owned()])]
    );
    assert_eq!(names(&found.findings[0].explains[0]), ["web-0"]);
}

#[test]
fn too_many_combinations_are_cut_and_said() {
    let every_pair = "evidence:\n  one: {in: pods}\n  other: {in: pods, where: 'pod.metadata.name != one.metadata.name'}\n\
        verdict: {likely: one && other}\nsubject: [one, other]";
    let found =
        run(&rules(&[rule("p/s", "pairs", every_pair)]), &intake::from_files(vec![pods(200)], Vec::new()));
    assert_eq!(found.notes, ["pairs: more combinations than are looked at; some are left out"]);
}

#[test]
fn an_answer_of_a_row_decides_between_branches() {
    let yaml = "evidence:\n  dial: {in: texts, text: 'dial tcp: (?P<reason>.*)'}\n  \
        refused: {of: dial, where: 'hit.reason == \"connection refused\"'}\nverdict: {likely: dial && !refused}";
    let set = rules(&[rule("p/s", "dial", yaml)]);
    let of = |line: &str| run(&set, &intake::from_files(vec![text(line)], Vec::new())).findings.len();
    assert_eq!(of("dial tcp: no route to host"), 1);
    assert_eq!(of("dial tcp: connection refused"), 0);
}

#[test]
fn a_host_that_nobody_visited_is_unknown_not_absent() {
    let narrowed = |narrow: &str| {
        let yaml = format!(
            "evidence:\n  seen: {{in: pods}}\n  off: {{in: hosts, {narrow}, where: '!host.ipv6.socket_opens'}}\n\
            verdict: {{likely: seen && !off}}"
        );
        rules(&[rule("p/s", "off", &yaml)])
    };
    let host = |name: &str, role: &str, node: Option<&str>| {
        let facts = json!({"schema": "casebook.host/v1", "name": name, "role": role, "node": node, "ipv6": {"socket_opens": true}});
        (paths::host_facts(name), facts.to_string().into_bytes())
    };
    let nodes = json!({"kind": "NodeList", "apiVersion": "v1", "items": [{"metadata": {"name": "n1"}}, {"metadata": {"name": "n2"}}]});
    let nodes = ("cluster-resources/nodes.json".to_owned(), nodes.to_string().into_bytes());
    let found = |set: &RuleSet, hosts: Vec<(String, Vec<u8>)>| {
        let files = [pods(1), nodes.clone()].into_iter().chain(hosts).collect();
        let findings = run(set, &intake::from_files(files, Vec::new())).findings;
        findings.iter().any(|finding| finding.verdict == Verdict::Likely)
    };
    let (control, n1, n2) =
        (host("ctl", "control", None), host("n1", "node", Some("n1")), host("n2", "node", Some("n2")));

    let any_node = narrowed("match: {role: node}");
    assert!(!found(&any_node, vec![control.clone()]));
    assert!(!found(&any_node, vec![control.clone(), n1.clone()]));
    assert!(found(&any_node, vec![n1.clone(), n2.clone()]));

    let its_node = narrowed("join: {node: seen.spec.nodeName}");
    assert!(!found(&its_node, vec![control.clone(), n2]));
    assert!(found(&its_node, vec![n1.clone()]));

    let the_control_machine = narrowed("match: {role: control}");
    assert!(!found(&the_control_machine, vec![n1]));
    assert!(found(&the_control_machine, vec![control]));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let bundle = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/bundles/broken.tar.gz");
    let set = RuleSet::built_in().unwrap_or_else(|error| panic!("{error}"));
    let once = || {
        let snapshot = intake::load(std::slice::from_ref(&bundle), &Default::default(), &Default::default())
            .expect("the bundle can be read");
        let found = run(&set, &snapshot);
        assert!(!found.findings.is_empty());
        serde_json::to_string(&(found.findings, found.unresolved, found.notes))
            .expect("findings are plain data")
    };
    assert_eq!(once(), once());
}

#[test]
fn a_rules_own_question_is_not_buried_among_general_ones() {
    let evidence = "evidence:\n  seen: {in: texts, text: 'another operation'}\n  \
        waiting: {in: containers, match: {reason: ImagePullBackOff}}\n  host: {in: hosts, match: {role: control}}\n\
        verdict: {confirmed: seen && waiting && host, witness: [seen]}";
    let of = |asks: &str| {
        let set = rules(&[rule("p/s", "one", &format!("{evidence}{asks}"))]);
        let found = run(&set, &intake::from_files(vec![text("another operation\n")], Vec::new()));
        found.findings[0].asks.iter().map(|ask| ask.text.en.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("\nasks: {waiting: {text: {zh: 问, en: which pod}}}"), ["which pod"]);
    // Nobody tried to read them, so another account would not help.
    assert_eq!(
        of(""),
        [
            "Still missing: the pods' state. Please run the collector on the control machine",
            "Still missing: facts of the hosts. Please run the collector on the control machine",
        ]
    );
}

#[test]
fn logs_are_joined_by_container_and_run_without_being_told() {
    let body = "evidence:\n  log: {in: logs, text: 'no such host'}\n  \
        failing: {in: containers, join: {pod: log.pod}, where: '!container.ready'}\n\
        verdict: {confirmed: log && failing}\nsubject: failing";
    let set = rules(&[rule("a/b", "joined", body)]);
    let status = |name: &str, ready: bool| json!({"name": name, "ready": ready, "restartCount": 2, "state": {"running": {}}});
    let pod = |namespace: &str, app_ready: bool| {
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"namespace": namespace, "name": "web-0"},
            "spec": {"containers": [{"name": "app"}, {"name": "logger"}]},
            "status": {"phase": "Running", "containerStatuses": [status("app", app_ready), status("logger", true)]}})
    };
    let run_with = |log: &str, app_ready: bool| {
        let list =
            |pod: Value| json!({"kind": "List", "apiVersion": "v1", "items": [pod]}).to_string().into_bytes();
        let files = vec![
            ("cluster-resources/pods/a.json".to_owned(), list(pod("a", app_ready))),
            ("cluster-resources/pods/b.json".to_owned(), list(pod("b", false))),
            (log.to_owned(), b"lookup db: no such host\n".to_vec()),
        ];
        run(&set, &intake::from_files(files, Vec::new())).findings.len()
    };
    assert_eq!(run_with("cluster-resources/pods/logs/a/web-0/app.log", false), 1);
    assert_eq!(run_with("cluster-resources/pods/logs/a/web-0/app-previous.log", false), 1);
    // The healthy neighbour's line, and that of a pod of the same name elsewhere, say nothing of it.
    assert_eq!(run_with("cluster-resources/pods/logs/a/web-0/logger.log", false), 0);
    assert_eq!(run_with("cluster-resources/pods/logs/a/web-0/app.log", true), 0);
}

#[test]
fn an_event_about_a_pod_as_a_whole_goes_with_each_of_its_containers() {
    let set = rules(&[rule("a/b", "joined", &PULL.replace("namespace: pull.namespace, ", ""))]);
    let found = run(&set, &intake::from_files(vec![pods(1), events(1)], Vec::new()));
    assert_eq!(found.findings[0].verdict, Verdict::Confirmed);
}
