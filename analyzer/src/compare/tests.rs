use super::*;
use crate::report::tests::sample;
use crate::triage::model::Problem;

fn pod(name: &str) -> Subject {
    Subject {
        kind: "Pod".into(),
        namespace: Some("shop".into()),
        name: name.into(),
        container: None,
        node: None,
    }
}

/// A report whose first finding is about these pods, and nothing else.
fn report(pods: &[&str]) -> Report {
    let mut report = sample();
    report.findings.truncate(1);
    report.findings[0].explains.clear();
    report.findings[0].subjects = pods.iter().map(|name| pod(name)).collect();
    report.findings.retain(|finding| !finding.subjects.is_empty());
    report.triage.groups.clear();
    report.unresolved.clear();
    report
}

fn all_read() -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.coverage.lists.insert(("pods".into(), None), Known::Whole);
    snapshot
}

fn names(items: &[Item]) -> Vec<&str> {
    items.iter().filter_map(|item| Some(item.subject.as_ref()?.name.as_str())).collect()
}

#[test]
fn findings_are_told_apart_by_object() {
    let comparison = compare(&report(&["a", "b"]), &report(&["b", "c"]), &all_read());
    assert_eq!(names(&comparison.resolved), ["a"]);
    assert_eq!(names(&comparison.persists), ["b"]);
    assert_eq!(names(&comparison.new), ["c"]);
}

#[test]
fn a_pod_made_anew_is_the_same_pod() {
    let comparison =
        compare(&report(&["web-6c56d8c5f9-9c9tg"]), &report(&["web-7d67445b47-44pbj"]), &all_read());
    assert_eq!(names(&comparison.persists), ["web-7d67445b47-44pbj"]);
    assert!(comparison.resolved.is_empty() && comparison.new.is_empty());
}

#[test]
fn what_was_not_collected_again_is_not_resolved() {
    let comparison = compare(&report(&["a"]), &report(&[]), &Snapshot::default());
    assert_eq!(names(&comparison.unknown), ["a"]);
    assert!(comparison.resolved.is_empty());
}

#[test]
fn a_problem_counts_where_no_finding_speaks_of_it() {
    let with_problem = |name: &str| {
        let mut report = report(&["a"]);
        let mut group = sample().triage.groups.remove(0);
        group.problems = vec![Problem { subject: pod(name), ..group.problems[0].clone() }];
        report.triage.groups.push(group);
        report
    };
    let comparison = compare(&with_problem("a"), &with_problem("z"), &all_read());
    assert_eq!(names(&comparison.persists), ["a"]);
    assert_eq!(names(&comparison.new), ["z"]);
    assert_eq!(comparison.new[0].case, None);
}

#[test]
fn the_post_counts_and_names() {
    let comparison = compare(&report(&["a", "b"]), &report(&["b"]), &all_read());
    let post = markdown(&comparison, Lang::En);
    assert!(post.contains("1 resolved, 1 persist, 0 new, 0 cannot be told."), "{post}");
    assert!(post.contains(
        "### Resolved\n\n- Helm release stuck in a pending state `helm-another-operation`: `Pod shop/a`"
    ));
}

#[test]
fn a_case_about_no_object_is_compared_too() {
    let pasted = || {
        let mut report = report(&["a"]);
        report.findings[0].subjects.clear();
        report
    };
    let nothing = compare(&report(&[]), &report(&[]), &all_read());
    assert!(markdown(&nothing, Lang::En).contains("Neither bundle"));
    let comparison = compare(&pasted(), &report(&[]), &Snapshot::default());
    assert_eq!((comparison.resolved.len(), &comparison.resolved[0].subject), (1, &None));
    assert_eq!(compare(&pasted(), &pasted(), &Snapshot::default()).persists.len(), 1);
    let post = markdown(&comparison, Lang::En);
    assert!(post.ends_with("- Helm release stuck in a pending state `helm-another-operation`\n"), "{post}");
}

#[test]
fn what_a_case_explains_is_not_told_beside_it() {
    let explaining = || {
        let mut report = report(&["a"]);
        let mut inner = sample().findings.remove(0).explains.remove(0);
        inner.subjects = vec![pod("a")];
        report.findings[0].explains.push(inner);
        report
    };
    let mut alone = explaining();
    alone.findings = std::mem::take(&mut alone.findings[0].explains);
    let comparison = compare(&explaining(), &alone, &all_read());
    assert_eq!(names(&comparison.persists), ["a"], "that it was explained before does not make it new");
    assert_eq!(comparison.persists[0].explained_by, None);
    let comparison = compare(&report(&[]), &explaining(), &all_read());
    assert_eq!(comparison.new.len(), 2);
    assert_eq!(comparison.new[1].explained_by.as_deref(), Some("helm-another-operation"));
    assert!(text(&comparison, Lang::En).contains("0 resolved, 0 persist, 1 new"));
}

#[test]
fn a_terminal_sees_no_markup() {
    let mut before = report(&["a"]);
    before.findings[0].title = Text::same("[x] <y> \u{1b}[31m");
    let shown = text(&compare(&before, &report(&[]), &all_read()), Lang::En);
    assert!(
        shown.ends_with("Resolved\n\n- [x] <y> \\u{1b}[31m [helm-another-operation]\n    Pod shop/a\n"),
        "{shown}"
    );
}

#[test]
fn the_committed_schema_is_that_of_the_code() {
    crate::report::json::tests::is_committed("compare/comparison.schema.json", &schema());
}

#[test]
fn the_json_top_level_is_the_contract() {
    let comparison = compare(&report(&["a", "b"]), &report(&["b"]), &all_read());
    let value: serde_json::Value = serde_json::from_str(&json(&comparison, Lang::Zh)).unwrap();
    let names: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert_eq!(names, ["schema", "resolved", "persists", "new", "unknown"]);
    assert_eq!(value["schema"], "casebook.comparison/v1");
    assert_eq!(value["resolved"][0]["title"], "Helm release 停留在 pending 状态");
    assert_eq!(value["persists"][0]["before"], "confirmed");
}
