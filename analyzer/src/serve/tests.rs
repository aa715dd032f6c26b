//! Requests and their answers, without a connection.

use serde_json::{Value, json};
use shared::bundle::manifest::{LedgerEntry, Outcome};
use shared::lang::Lang;

use super::api::{Request, answer};
use super::cluster::Cluster;
use super::reply::Reply;
use crate::intake;

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

fn pod(namespace: &str, name: &str, labels: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels,
            "creationTimestamp": "2026-11-22T09:00:00Z", "resourceVersion": "41"},
        "spec": {"nodeName": "n1", "containers": [{"name": "web"}]}, "status": {"phase": "Running"}})
}

fn cluster_of(files: &[(&str, String)], ledger: Vec<LedgerEntry>) -> Cluster {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.clone().into_bytes())).collect();
    let mut cluster = Cluster::new(intake::from_files(files, ledger), "test", Lang::En);
    cluster.now = "2026-11-22T10:00:00Z".parse().unwrap();
    cluster.taken = Some(cluster.now);
    cluster.settings.now = cluster.now;
    cluster
}

fn list(kind: &str, items: &[Value]) -> String {
    json!({"kind": format!("{kind}List"), "apiVersion": "v1", "items": items}).to_string()
}

/// Pods of two namespaces and a log; nodes that may not be listed.
fn cluster() -> Cluster {
    let pods = [
        pod("a-b", "x", json!({"app": "db"})),
        pod("a", "web-10", json!({"app": "web"})),
        pod("a", "web-2", json!({"app": "web"})),
    ];
    let in_namespace = |namespace: &str| {
        let own: Vec<Value> =
            pods.iter().filter(|pod| pod["metadata"]["namespace"] == namespace).cloned().collect();
        list("Pod", &own)
    };
    let log = "2026-11-22T09:58:00.000000001Z one\n2026-11-22T09:59:30.000000002Z two\n  of two\n2026-11-22T09:59:59.000000003Z three\n";
    let forbidden = LedgerEntry {
        note: Some("nodes is forbidden: User \"viewer\" cannot list".to_owned()),
        ..LedgerEntry::new("cluster-resources/nodes.json", "GET /api/v1/nodes", Outcome::Forbidden)
    };
    let old =
        LedgerEntry::new("cluster-resources/cronjobs", "GET /apis/batch/v1beta1/cronjobs", Outcome::Empty);
    cluster_of(
        &[
            ("cluster-resources/pods/a.json", in_namespace("a")),
            ("cluster-resources/pods/a-b.json", in_namespace("a-b")),
            ("cluster-resources/pods/logs/a/web-2/web.log", log.to_owned()),
        ],
        vec![forbidden, old],
    )
}

fn ask(cluster: &Cluster, path: &str, accept: &str) -> (Reply, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = Request {
        method: "GET".into(),
        path: path.into(),
        query: query.into(),
        accept: accept.into(),
        ..Request::default()
    };
    let reply = answer(cluster, &request);
    let body = serde_json::from_slice(&reply.body).unwrap_or_default();
    (reply, body)
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

#[test]
fn lists_come_in_the_servers_order_and_in_parts() {
    let cluster = cluster();
    let (_, all) = ask(&cluster, "/api/v1/pods", "");
    assert_eq!(names(&all), ["x", "web-10", "web-2"]);
    assert_eq!((&all["kind"], &all["metadata"]["resourceVersion"]), (&json!("PodList"), &json!("41")));
    let (_, first) = ask(&cluster, "/api/v1/pods?limit=2", "");
    assert_eq!((names(&first), &first["metadata"]["remainingItemCount"]), (vec!["x", "web-10"], &json!(1)));
    let token = first["metadata"]["continue"].as_str().unwrap();
    let (_, rest) = ask(&cluster, &format!("/api/v1/pods?limit=2&continue={token}"), "");
    assert_eq!((names(&rest), &rest["metadata"]["continue"]), (vec!["web-2"], &Value::Null));
    let (reply, _) = ask(&cluster, "/api/v1/pods?continue=xyz", "");
    assert_eq!(reply.code, 410);
    let (_, one) = ask(&cluster, "/api/v1/namespaces/a/pods", "");
    assert_eq!(names(&one), ["web-10", "web-2"]);
    let (_, selected) =
        ask(&cluster, "/api/v1/pods?labelSelector=app%20in%20(db)&fieldSelector=spec.nodeName%3Dn1", "");
    assert_eq!(names(&selected), ["x"]);
    for bad in ["labelSelector=(", "fieldSelector=spec.containers%3Dx", "limit=x", "timeoutSeconds=-"] {
        assert_eq!(ask(&cluster, &format!("/api/v1/pods?{bad}"), "").0.code, 400, "{bad}");
    }
}

#[test]
fn tables_have_the_ages_of_the_time_that_stands_still() {
    let (_, table) = ask(&cluster(), "/api/v1/namespaces/a/pods", TABLE);
    assert_eq!(table["columnDefinitions"][4]["name"], "Age");
    assert_eq!(table["rows"][0]["cells"][0], "web-10");
    assert_eq!(table["rows"][0]["cells"][4], "60m");
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let (_, whole) = ask(&cluster(), "/api/v1/namespaces/a/pods/web-2?includeObject=Object", TABLE);
    assert_eq!(whole["rows"][0]["object"]["spec"]["nodeName"], "n1");
    let (reply, _) = ask(&cluster(), "/api/v1/pods", "application/vnd.kubernetes.protobuf");
    assert_eq!(reply.code, 406);
}

#[test]
fn what_was_not_collected_is_refused_in_the_ledgers_words() {
    let cluster = cluster();
    let (reply, status) = ask(&cluster, "/api/v1/nodes", "");
    assert_eq!(reply.code, 403);
    let message = status["message"].as_str().unwrap();
    assert!(
        message.contains("nodes is forbidden: User \"viewer\"") && message.contains("2026-11-22 10:00:00Z"),
        "{message}"
    );
    assert_eq!(ask(&cluster, "/api/v1/nodes/n1", "").0.code, 403);
    // Nobody asked for claims at all.
    let (reply, status) = ask(&cluster, "/api/v1/namespaces/a/persistentvolumeclaims", "");
    assert_eq!((reply.code, &status["reason"]), (404, &json!("NotFound")));
    assert!(status["message"].as_str().unwrap().contains("not collected"), "{status}");
    assert_eq!(ask(&cluster, "/api/v1/namespaces/elsewhere/pods", "").0.code, 404);
    // An empty answer of the server's is an empty list, in the version in which it was asked.
    let (reply, list) = ask(&cluster, "/apis/batch/v1beta1/cronjobs", "");
    assert_eq!((reply.code, names(&list).len()), (200, 0));
    assert_eq!(ask(&cluster, "/apis/batch/v1/cronjobs", "").0.code, 404);
    // Clients that take no notice of a refusal hear of it otherwise.
    let (reply, _) =
        ask(&cluster, "/api/v1/namespaces/a/events?fieldSelector=involvedObject.name%3Dweb-2", "");
    assert!(reply.code == 404 && reply.warnings.len() == 1, "{reply:?}");
    let (reply, status) = ask(&cluster, "/api/v1/namespaces/a/pods/none", "");
    assert_eq!((reply.code, &status["message"]), (404, &json!("pods \"none\" not found")));
}

#[test]
fn a_list_that_is_not_whole_says_so() {
    let ledger = vec![
        LedgerEntry::new(
            "cluster-resources/pods/a.json",
            "GET /api/v1/namespaces/a/pods",
            Outcome::Collected,
        ),
        LedgerEntry::new(
            "cluster-resources/pods/b.json",
            "GET /api/v1/namespaces/b/pods",
            Outcome::Forbidden,
        ),
    ];
    let cluster =
        cluster_of(&[("cluster-resources/pods/a.json", list("Pod", &[pod("a", "web", json!({}))]))], ledger);
    let (reply, all) = ask(&cluster, "/api/v1/pods", "");
    assert_eq!(names(&all), ["web"]);
    assert!(reply.warnings[0].contains("namespaces b"), "{:?}", reply.warnings);
    assert!(ask(&cluster, "/api/v1/namespaces/a/pods", "").0.warnings.is_empty());
    assert_eq!(ask(&cluster, "/api/v1/namespaces/b/pods", "").0.code, 403);
}

#[test]
fn logs_are_cut_as_they_are_asked_for() {
    let cluster = cluster();
    let log = |query: &str| {
        let (reply, _) = ask(&cluster, &format!("/api/v1/namespaces/a/pods/web-2/log?{query}"), "");
        assert_eq!(reply.code, 200, "{query}");
        String::from_utf8(reply.body.to_vec()).unwrap()
    };
    assert_eq!(log(""), "one\ntwo\n  of two\nthree\n");
    assert_eq!(log("container=web&tailLines=1"), "three\n");
    assert_eq!(log("sinceSeconds=60"), "two\n  of two\nthree\n");
    assert_eq!(log("sinceTime=2026-11-22T09:59:59Z"), "three\n");
    assert_eq!(log("limitBytes=5"), "one\nt");
    assert_eq!(log("tailLines=1&timestamps=true"), "2026-11-22T09:59:59.000000003Z three\n");
    for (query, code) in [("container=none", 400), ("previous=true", 404), ("tailLines=x", 400)] {
        let (reply, _) = ask(&cluster, &format!("/api/v1/namespaces/a/pods/web-2/log?{query}"), "");
        assert_eq!(reply.code, code, "{query}");
    }
    assert_eq!(ask(&cluster, "/api/v1/namespaces/a/pods/web-10/log", "").0.code, 404);
}

#[test]
fn a_watch_tells_what_is_there_and_then_nothing() {
    let cluster = cluster();
    let events = |query: &str| -> Vec<Value> {
        let (reply, _) = ask(&cluster, &format!("/api/v1/pods?watch=true&{query}"), "");
        assert!(reply.held.is_some());
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(events("").len(), 3);
    // Whoever has listed them knows them.
    assert_eq!(events("resourceVersion=41").len(), 0);
    let streamed =
        events("sendInitialEvents=true&allowWatchBookmarks=true&resourceVersion=41&labelSelector=app%3Ddb");
    assert_eq!(
        streamed.iter().map(|event| event["type"].as_str().unwrap()).collect::<Vec<_>>(),
        ["ADDED", "BOOKMARK"]
    );
    assert_eq!(streamed[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    let (reply, _) = ask(&cluster, "/api/v1/pods?watch=true&timeoutSeconds=7", "");
    assert_eq!(reply.held.unwrap().as_secs(), 7);
}

#[test]
fn nothing_can_be_changed_and_questions_are_answered() {
    let cluster = cluster();
    let send = |method: &str, path: &str, body: Value| {
        let request = Request {
            method: method.into(),
            path: path.into(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        };
        let reply = answer(&cluster, &request);
        (reply.code, serde_json::from_slice::<Value>(&reply.body).unwrap())
    };
    for (method, path) in [
        ("POST", "/api/v1/namespaces/a/pods"),
        ("PUT", "/api/v1/namespaces/a/pods/web-2"),
        ("PATCH", "/api/v1/namespaces/a/pods/web-2"),
        ("DELETE", "/api/v1/namespaces/a"),
        ("POST", "/api/v1/namespaces/a/pods/web-2/exec"),
        ("GET", "/api/v1/namespaces/a/pods/web-2/exec"),
        ("GET", "/api/v1/namespaces/a/pods/web-2/portforward"),
        ("GET", "/api/v1/nodes/n1/proxy/stats"),
        ("BREW", "/"),
    ] {
        let (code, status) = send(method, path, Value::Null);
        let message = status["message"].as_str().unwrap();
        assert!(
            code == 403 && message.contains("a snapshot of test at 2026-11-22 10:00:00Z"),
            "{method} {path}: {message}"
        );
    }
    let can = |verb: &str, plural: &str| {
        let review =
            json!({"spec": {"resourceAttributes": {"verb": verb, "resource": plural, "namespace": "a"}}});
        let (code, answer) = send("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review);
        assert_eq!(code, 201);
        answer["status"]["allowed"].as_bool().unwrap()
    };
    assert!(can("list", "pods") && !can("delete", "pods") && !can("list", "nodes") && !can("get", "unheard"));
}

#[test]
fn discovery_of_either_form_has_the_same_kinds() {
    let cluster = cluster();
    let (_, plain) = ask(&cluster, "/api/v1", "");
    let plain: Vec<&str> =
        plain["resources"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert!(plain.contains(&"pods") && plain.contains(&"pods/log"));
    for version in ["v2", "v2beta1"] {
        let accept = format!(
            "application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList,application/json"
        );
        let (reply, core) = ask(&cluster, "/api", &accept);
        assert!(reply.content_type.contains(&format!("v={version};")), "{}", reply.content_type);
        let all = core["items"][0]["versions"][0]["resources"].as_array().unwrap();
        assert_eq!(all.len() + 1, plain.len());
        let (_, named) = ask(&cluster, "/apis", &accept);
        let batch =
            named["items"].as_array().unwrap().iter().find(|g| g["metadata"]["name"] == "batch").unwrap();
        let versions: Vec<&Value> =
            batch["versions"].as_array().unwrap().iter().map(|v| &v["version"]).collect();
        assert_eq!(versions, ["v1", "v1beta1"]);
    }
    for path in [
        "/apis/nothing",
        "/apis/apps/v9",
        "/api/v2",
        "/x",
        "/api/v1/pods/web-2",
        "/api/v1/namespaces/a/nodes",
    ] {
        assert_eq!(ask(&cluster, path, "").0.code, 404, "{path}");
    }
}

#[test]
fn custom_kinds_are_those_of_the_definitions_and_of_the_objects() {
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "boats.sea.io"},
        "spec": {"group": "sea.io", "scope": "Namespaced", "names": {"plural": "boats", "kind": "Boat", "shortNames": ["bo"]},
            "versions": [{"name": "v1", "storage": true, "served": true,
                "additionalPrinterColumns": [{"name": "Sails", "type": "integer", "jsonPath": ".spec.sails"}]}]}});
    let boat = json!({"apiVersion": "sea.io/v1", "kind": "Boat", "metadata": {"name": "b", "namespace": "a"}, "spec": {"sails": 3}});
    let fish = json!({"apiVersion": "sea.io/v2", "kind": "Fish", "metadata": {"name": "f"}});
    let cluster = cluster_of(
        &[
            (
                "cluster-resources/custom-resource-definitions.json",
                list("CustomResourceDefinition", &[definition]),
            ),
            ("cluster-resources/custom-resources/boats.sea.io/a.json", list("Boat", &[boat])),
            ("cluster-resources/custom-resources/fishes.sea.io.json", list("Fish", &[fish])),
        ],
        Vec::new(),
    );
    let (_, table) = ask(&cluster, "/apis/sea.io/v1/namespaces/a/boats", TABLE);
    assert_eq!(table["columnDefinitions"][1]["name"], "Sails");
    assert_eq!(table["rows"][0]["cells"], json!(["b", 3]));
    let (_, fishes) = ask(&cluster, "/apis/sea.io/v2/fishes", "");
    assert_eq!(names(&fishes), ["f"]);
}

#[test]
fn what_is_known_in_part_says_where_from() {
    let text = "$ kubectl get pods -n a -o wide\nNAME    READY   STATUS             RESTARTS   AGE   IP       NODE\nweb-0   0/1     CrashLoopBackOff   7          3h    <none>   n1\n";
    let cluster = cluster_of(&[("texts/terminal.txt", text.to_owned())], Vec::new());
    let (reply, table) = ask(&cluster, "/api/v1/namespaces/a/pods", TABLE);
    assert_eq!(table["rows"][0]["cells"][1], "0/1");
    assert_eq!(table["rows"][0]["cells"][2], "CrashLoopBackOff");
    assert_eq!(
        table["rows"][0]["object"]["metadata"]["annotations"]["casebook/read-from"],
        "texts/terminal.txt:3"
    );
    assert_eq!(reply.warnings.len(), 1);
    // A log whose pod nobody tells of has a pod to be found by.
    let cluster = cluster_of(&[("cluster-resources/pods/logs/a/lost/web.log", "x\n".to_owned())], Vec::new());
    let (_, pod) = ask(&cluster, "/api/v1/namespaces/a/pods/lost", "");
    assert_eq!(pod["spec"]["containers"][0]["name"], "web");
    assert_eq!(ask(&cluster, "/api/v1/namespaces/a/pods/lost/log", "").0.body, "x\n");
}

#[test]
fn releases_are_records_that_helm_reads() {
    let releases = r#"[{"releaseName": "web", "chart": "demo", "chartVersion": "1.0", "namespace": "a", "releaseHistory": [
        {"revision": "1", "date": "2026-11-22 09:55:05.6 +0000 UTC", "status": "superseded"},
        {"revision": "2", "date": "2026-11-22 09:56:05.6 +0000 UTC", "status": "failed", "description": "timed out"}]}]"#;
    let cluster = cluster_of(&[("helm/a.json", releases.to_owned())], Vec::new());
    let (_, secrets) = ask(&cluster, "/api/v1/secrets?labelSelector=owner%3Dhelm", "");
    assert_eq!(names(&secrets), ["sh.helm.release.v1.web.v1", "sh.helm.release.v1.web.v2"]);
    let release = shared::helm::decode_object(&secrets["items"][1]).unwrap();
    assert_eq!((release.status.as_str(), release.description.as_str()), ("failed", "timed out"));
}

/// Objects of any shape under any path: an answer, and no panic.
#[test]
fn odd_objects_are_answered() {
    let odd = r#"{"kind": "PodList", "apiVersion": "v1", "items": [
        {"metadata": {"name": "\u001b[31m\u0000\"\\", "namespace": "a\nb"}, "spec": "x", "status": [1]},
        {"metadata": {"name": "p", "namespace": ["x"], "labels": "l", "annotations": 5}, "kind": 7, "apiVersion": {}},
        {"metadata": {"name": "", "namespace": "a"}}, {"metadata": []}, {},
        {"metadata": {"name": "big", "namespace": "a", "creationTimestamp": "9999-12-31T23:59:59Z", "resourceVersion": "99999999999999999999"},
         "status": {"containerStatuses": [{"restartCount": 9223372036854775807}, {"restartCount": 9223372036854775807}],
            "initContainerStatuses": [{"restartCount": -9223372036854775808, "state": 5}]}}]}"#;
    let definition = r#"{"items": [{"spec": {"group": "../..", "names": {"plural": "a/b", "kind": "X"}, "versions": [{"name": "v1"}]}},
        {"spec": {"group": "x.io", "names": {"plural": "xs", "kind": "X", "shortNames": 5}, "versions": "v1", "version": "v1",
            "additionalPrinterColumns": [{"name": 5, "type": "string", "JSONPath": ".metadata[?(@"}, {"jsonPath": ".spec..x"}]}}]}"#;
    let cluster = cluster_of(
        &[
            ("cluster-resources/pods/a.json", odd.to_owned()),
            ("cluster-resources/custom-resource-definitions.json", definition.to_owned()),
            (
                "cluster-resources/custom-resources/xs.x.io.json",
                r#"{"items": [{"apiVersion": "x.io/v1", "kind": "X", "metadata": {"name": "x"}}]}"#
                    .to_owned(),
            ),
            (
                "helm/a.json",
                r#"[{"releaseName": "r", "releaseHistory": [{"revision": {}, "date": "x"}]}]"#.to_owned(),
            ),
        ],
        Vec::new(),
    );
    for kind in &cluster.kinds {
        let root = if kind.resource.group.is_empty() {
            "/api".to_owned()
        } else {
            format!("/apis/{}", kind.resource.group)
        };
        let path = format!("{root}/{}/{}", kind.resource.version, kind.resource.plural);
        for accept in ["", TABLE, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"] {
            let (reply, _) = ask(&cluster, &path, accept);
            assert!(matches!(reply.code, 200 | 404), "{path}: {}", reply.code);
        }
        ask(&cluster, &format!("{path}?watch=1"), TABLE);
    }
    for path in [
        "/api/v1/namespaces/a%0Ab/pods",
        "/%ff",
        "//////",
        "/api/v1/namespaces/a/pods/p/log",
        "/api/v1/namespaces//pods//log",
        "/apis//v1/x",
    ] {
        ask(&cluster, path, TABLE);
    }
    for path in ["/", "/api", "/apis", "/version", "/openapi/v2", "/openapi/v3", "/healthz"] {
        assert_eq!(ask(&cluster, path, "").0.code, 200, "{path}");
    }
}
