//! Against a server on the loopback address.

use super::*;
use crate::testing::{Answer, Place, json, server};
use shared::bundle::manifest::LedgerEntry;

fn task(scope: Scope) -> ListTask {
    let resource = Resource {
        group: "apps".into(),
        version: "v1".into(),
        plural: "deployments".into(),
        kind: "Deployment".into(),
        namespaced: true,
        other_versions: Vec::new(),
    };
    ListTask { resource, scope, content: Content::Whole, selector: Some("app in (a,b)".into()) }
}

#[test]
fn requests_are_encoded() {
    let path = task(Scope::Namespace("x".into())).request(5, Some("a+/="));
    assert_eq!(
        path,
        "/apis/apps/v1/namespaces/x/deployments?limit=5&includeObject=Object&labelSelector=app%20in%20%28a%2Cb%29&continue=a%2B%2F%3D"
    );
    assert_eq!(task(Scope::Everywhere).ledger_path(), "cluster-resources/deployments");
}

#[test]
fn pages_grow_and_shrink_with_the_objects() {
    let page = |count, bytes| Page {
        items: (0..count)
            .map(|_| PageItem {
                namespace: String::new(),
                name: String::new(),
                uid: String::new(),
                line: Vec::new(),
                cells: None,
                counts: Counts::new(),
                pod: None,
            })
            .collect(),
        bytes,
        ..Page::default()
    };
    assert_eq!(next_limit(200, &page(200, 200_000)), 2000);
    assert_eq!(next_limit(200, &page(200, 200 << 20)), 20);
    assert_eq!(next_limit(200, &page(0, 100)), 200);
}

const GONE: &str = r#"{"kind":"Status","code":410,"message":"The provided continue parameter is too old","metadata":{"continue":"fresh"}}"#;
const GONE_FOR_GOOD: &str = r#"{"kind":"Status","code":410,"message":"too old"}"#;

fn page_of(names: &[(&str, &str)], next: &str) -> Answer {
    let rows: Vec<Value> = names
        .iter()
        .map(|(ns, name)| json!({"cells": [name], "object": {"metadata": {"namespace": ns, "name": name}}}))
        .collect();
    let columns = json!([{"name": "Name", "type": "string"}]);
    json(
        json!({"kind": "Table", "metadata": {"resourceVersion": "5", "continue": next}, "columnDefinitions": columns, "rows": rows}),
    )
}

/// Lists deployments everywhere; gives the bundle and its ledger, and the requests made.
async fn listed(
    answer: impl Fn(usize, &str) -> Answer + Send + Sync + 'static,
) -> (Place, Vec<LedgerEntry>, u64) {
    let api = server(answer).await;
    let place = Place::new();
    let masks = Redactor::new(&[]).unwrap();
    let means = Means {
        api: &api,
        sink: &place.sink,
        masks: &masks,
        store: &Store::default(),
        selection: &Selection::default(),
        memory: &Memory::default(),
    };
    collect(&means, &task(Scope::Everywhere)).await.unwrap();
    let ledger = place.finish().ledger;
    (place, ledger, api.requests())
}

fn outcome<'a>(ledger: &'a [LedgerEntry], path: &str) -> (&'static str, Option<&'a str>) {
    let entry = ledger.iter().find(|entry| entry.path == path).unwrap();
    (entry.outcome.as_str(), entry.note.as_deref())
}

#[tokio::test]
async fn one_listing_is_dealt_out_to_namespaces_with_an_object_a_line() {
    let (place, ledger, requests) = listed(|n, _| match n {
        0 => page_of(&[("a", "one"), ("a", "two")], "more"),
        _ => page_of(&[("b", "three")], ""),
    })
    .await;
    let list = place.read("cluster-resources/deployments/a.json");
    assert_eq!(list.lines().count(), 4);
    assert!(list.lines().nth(2).unwrap().contains(r#""name":"two""#));
    let parsed: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(
        (&parsed["kind"], &parsed["items"][1]["kind"]),
        (&json!("DeploymentList"), &json!("Deployment"))
    );
    assert_eq!(place.read("tables/b/deployments.txt"), "NAME\nthree\n");
    assert_eq!(outcome(&ledger, "cluster-resources/deployments"), ("collected", None));
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn an_expired_token_is_replaced_and_the_listing_goes_on() {
    let (place, ledger, requests) = listed(|n, path| match n {
        0 => page_of(&[("a", "one")], "stale"),
        1 => Answer::Whole(410, "", GONE.into()),
        _ => {
            assert!(path.contains("continue=fresh"), "{path}");
            page_of(&[("a", "two")], "")
        }
    })
    .await;
    let list: Value = serde_json::from_str(&place.read("cluster-resources/deployments/a.json")).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(outcome(&ledger, "cluster-resources/deployments/a.json"), ("collected", None));
    assert_eq!(requests, 3);
}

#[tokio::test]
async fn a_listing_without_a_way_on_begins_anew_and_holds_nothing_twice() {
    let (place, _, _) = listed(|n, _| match n {
        0 | 2 => page_of(&[("a", "one")], "stale"),
        1 => Answer::Whole(410, "", GONE_FOR_GOOD.into()),
        _ => page_of(&[("a", "two")], ""),
    })
    .await;
    let list: Value = serde_json::from_str(&place.read("cluster-resources/deployments/a.json")).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_came_before_a_failure_is_kept_and_called_cut_off() {
    let (place, ledger, _) = listed(|n, _| match n {
        0 => page_of(&[("a", "one")], "more"),
        _ => Answer::Whole(500, "", r#"{"message":"etcdserver: leader changed"}"#.into()),
    })
    .await;
    assert!(place.read("cluster-resources/deployments/a.json").contains("one"));
    let cut = ("truncated", Some("etcdserver: leader changed"));
    assert_eq!(outcome(&ledger, "cluster-resources/deployments/a.json"), cut);
    assert_eq!(outcome(&ledger, "cluster-resources/deployments"), cut);
}

#[tokio::test]
async fn what_was_seen_before_and_is_gone_joins_the_list() {
    let api = server(|_, _| {
        json(r#"{"kind":"PodList","items":[{"metadata":{"namespace":"a","name":"there","uid":"1"}}]}"#)
    })
    .await;
    let (place, masks, memory) = (Place::new(), Redactor::new(&[]).unwrap(), Memory::default());
    for (name, uid) in [("there", "1"), ("gone", "2")] {
        memory.take(
            "pods",
            &format!(r#"{{"metadata":{{"namespace":"a","name":"{name}","uid":"{uid}"}}}}"#),
            &masks,
        );
    }
    let pods = Resource {
        group: String::new(),
        version: "v1".into(),
        plural: "pods".into(),
        kind: "Pod".into(),
        namespaced: true,
        other_versions: Vec::new(),
    };
    let task = ListTask { resource: pods, scope: Scope::Everywhere, content: Content::Whole, selector: None };
    let (store, selection) = (Store::default(), Selection::default());
    let means = Means {
        api: &api,
        sink: &place.sink,
        masks: &masks,
        store: &store,
        selection: &selection,
        memory: &memory,
    };
    collect(&means, &task).await.unwrap();
    place.finish();
    let list: Value = serde_json::from_str(&place.read("cluster-resources/pods/a.json")).unwrap();
    let names: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|pod| &pod["metadata"]["name"]).collect();
    assert_eq!(names, ["there", "gone"]);
}
