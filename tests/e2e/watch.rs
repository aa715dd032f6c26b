//! What lives for seconds is in the bundle all the same.

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use shared::bundle::paths;
use tests::cluster::items;

use crate::on_cluster;
use crate::world::{World, report, text};

const NAMESPACE: &str = "bkapp-bk0us0vanishing-prod";

pub fn trials() -> Vec<Trial> {
    vec![on_cluster("watch::catches_a_pod_that_lives_three_seconds", catches_a_pod_that_lives_three_seconds)]
}

/// As an installer does it: a hook's pod appears, fails, and is deleted with its namespace's other traces.
fn catches_a_pod_that_lives_three_seconds(world: &World) -> Result<()> {
    world.cluster.apply(&format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}\n"))?;
    // Pods are admitted once the namespace has its service account.
    world.cluster.wait_for(NAMESPACE, "serviceaccount", "default", "there", |_| true)?;
    let manifest = world.file("vanishing.yaml");
    std::fs::write(
        &manifest,
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: pre-release-hook, namespace: {NAMESPACE}}}\n\
             spec:\n  restartPolicy: Never\n  containers:\n    - name: hook\n      image: hub.bktencent.com/blueking/hook:1\n\
             \x20     env: [{{name: FAKE_LOG, value: \"migrating\\nOperationalError: no such table auth_user\"}}]\n"
        ),
    )?;
    let kubectl = world.cluster.cache().tool("kubectl-1.20");
    let kubectl = text(&kubectl)?;
    // The three seconds begin when the pod runs; before and after, the watch gets a moment to see.
    let script = format!(
        "sleep 2; {kubectl} apply -f {}; {kubectl} wait -n {NAMESPACE} --for=condition=Ready pod/pre-release-hook --timeout=120s; \
         sleep 3; {kubectl} delete pod -n {NAMESPACE} pre-release-hook --force --grace-period=0; \
         {kubectl} delete events -n {NAMESPACE} --all; echo Pre-Release-Hook failed; exit 7",
        manifest.display()
    );
    let bundle = world.file("watched.tar.gz");
    let run = world.collect(&["watch", "-n", NAMESPACE, "-o", text(&bundle)?, "--", "sh", "-c", &script])?;
    ensure!(matches!(run.code, Some(0 | 3)), "`{}` ended with {:?}: {}", run.line, run.code, run.stderr);
    let pods = world.cluster.get(NAMESPACE, "pods", "")?;
    ensure!(items(&pods).is_empty(), "the pod was to be gone before the collection: {pods}");

    let folder = world.unpack(&bundle)?;
    let read = |path: String| {
        std::fs::read_to_string(folder.join(&path))
            .with_context(|| format!("the bundle has no {path}\n{}", run.stderr))
    };
    let list: Value = serde_json::from_str(&read(paths::resource("", "pods", Some(NAMESPACE)))?)?;
    ensure!(
        items(&list).iter().any(|pod| pod["metadata"]["name"] == "pre-release-hook"),
        "the pod is not in {list}"
    );
    let log = read(paths::log(NAMESPACE, "pre-release-hook", "hook", false))?;
    ensure!(log.contains("no such table auth_user"), "its log is {log}");
    let events = read(paths::resource("", "events", Some(NAMESPACE)))?;
    ensure!(events.contains("Started container hook"), "its events are not there: {events}");

    let texts = folder.join(paths::TEXTS);
    let mut said = String::new();
    for entry in std::fs::read_dir(&texts).context("the bundle has no texts")? {
        said.push_str(&std::fs::read_to_string(entry?.path())?);
    }
    ensure!(said.contains("Pre-Release-Hook failed"), "what the command printed is not in the texts: {said}");
    ensure!(said.contains("exit status: 7"), "its exit code is not in the texts: {said}");
    // And it all is evidence.
    report(&[&bundle]).map(drop)
}
