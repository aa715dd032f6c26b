//! The ledger says what is missing, of what, and why; and what cannot be meant is refused before anything is collected.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tests::cluster::User;
use tests::programs::program;
use tests::proxy::{Fault, Proxy, Trouble};
use tests::run::{Run, run};
use tests::tls::Identity;

use crate::on_cluster;
use crate::world::{World, text};

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("ledger::helm_records_that_cannot_be_decoded", helm_records),
        on_cluster("ledger::conversion_webhook_is_broken", conversion_webhook),
        on_cluster("ledger::every_failure_has_its_word", every_failure_has_its_word),
        on_cluster("ledger::what_the_limit_left_out_is_shown", what_the_limit_left_out),
        on_cluster("ledger::unknown_parts", unknown_parts),
        on_cluster("ledger::selectors", selectors),
        on_cluster("ledger::larger_than_asked_for", larger_than_asked_for),
        on_cluster("ledger::all_namespaces_wins", all_namespaces_wins),
    ]
}

/// What a run left.
struct Collected {
    run: Run,
    folder: PathBuf,
    manifest: Value,
}

impl Collected {
    fn with(world: &World, name: &str, kubeconfig: &std::path::Path, args: &[&str]) -> Result<Collected> {
        let bundle = world.file(&format!("ledger-{name}.tar.gz"));
        let run = run(program("casebook-collect")?
            .args(args)
            .args(["--no-host", "-o", text(&bundle)?])
            .env("NO_COLOR", "1")
            .env("KUBECONFIG", kubeconfig))?;
        ensure!(bundle.is_file(), "`{}` ended with {:?}: {}", run.line, run.code, run.stderr);
        let folder = world.unpack(&bundle)?;
        let manifest = serde_json::from_slice(&fs::read(folder.join("manifest.json"))?)?;
        Ok(Collected { run, folder, manifest })
    }

    fn of(world: &World, name: &str, args: &[&str]) -> Result<Collected> {
        Collected::with(world, name, &world.cluster.kubeconfig(User::Admin), args)
    }

    fn entry(&self, path: &str) -> Result<&Value> {
        let ledger = self.manifest["ledger"].as_array().context("the manifest has a ledger")?;
        ledger.iter().find(|entry| entry["path"] == path).with_context(|| format!("no ledger entry {path}"))
    }
}

fn helm_records(world: &World) -> Result<()> {
    let record = |namespace: &str, labels: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\ntype: helm.sh/release.v1\nmetadata:\n  name: sh.helm.release.v1.bk-odd.v4\n  \
             namespace: {namespace}\n  labels: {{owner: helm{labels}}}\nstringData: {{release: 'bm8gcmVjb3Jk'}}\n"
        )
    };
    let labels = ", name: bk-odd, status: pending-upgrade, version: '4', modifiedAt: '1790000000'";
    for (namespace, labels) in [("helm-odd", labels), ("helm-odder", "")] {
        world.cluster.apply(&format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n---\n{}",
            record(namespace, labels)
        ))?;
    }
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/charts/demo");
    let install = ["install", "bk-even", chart, "-n", "helm-even", "--create-namespace"];
    world.cluster.helm("3.17", &install)?.expect_code(0)?;
    let one = Collected::of(world, "helm-one", &["-n", "helm-odd"])?;
    ensure!(one.run.code == Some(3), "exit code {:?}", one.run.code);
    let releases: Value = serde_json::from_slice(&fs::read(one.folder.join("helm/helm-odd.json"))?)?;
    let revision = &releases[0]["releaseHistory"][0];
    ensure!(releases[0]["releaseName"] == "bk-odd", "{releases}");
    ensure!(revision["status"] == "pending-upgrade" && revision["revision"] == "4", "{revision}");
    ensure!(revision["unreadable"].is_string(), "{revision}");
    let all = Collected::of(world, "helm-all", &["--only", "helm"])?;
    for (path, outcome, failure) in [
        ("helm/helm-odd.json", "truncated", json!("undecodable")),
        ("helm/helm-odder.json", "failed", json!("undecodable")),
        ("helm/helm-even.json", "collected", Value::Null),
    ] {
        let entry = all.entry(path)?;
        ensure!(entry["outcome"] == outcome && entry["failure"] == failure, "{entry}");
    }
    // Others collect from the same cluster.
    for namespace in ["helm-odd", "helm-odder"] {
        world.cluster.kubectl(&["delete", "secret", "-n", namespace, "--all"])?.expect_code(0)?;
    }
    Ok(())
}

/// The objects are stored in one version, shall be read in another, and nobody converts them.
fn conversion_webhook(world: &World) -> Result<()> {
    let definition = |conversion: &str| {
        let version = |name: &str, stored: bool| {
            format!(
                "  - {{name: {name}, served: true, storage: {stored}, schema: {{openAPIV3Schema: {{type: object, \
                 x-kubernetes-preserve-unknown-fields: true}}}}}}\n"
            )
        };
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: widgets.odd.bk.test}}\n\
             spec:\n  group: odd.bk.test\n  scope: Namespaced\n  names: {{plural: widgets, singular: widget, kind: Widget}}\n  \
             conversion: {conversion}\n  versions:\n{}{}",
            version("v1", false),
            version("v1alpha1", true)
        )
    };
    world.cluster.apply(&definition("{strategy: None}"))?;
    let established = |crd: &Value| tests::cluster::condition(crd, "Established") == Some("True");
    world.cluster.wait_for("default", "crd", "widgets.odd.bk.test", "to be served", established)?;
    let object =
        "apiVersion: odd.bk.test/v1alpha1\nkind: Widget\nmetadata: {name: w, namespace: default}\nsize: 7\n";
    tests::wait::until("a widget", std::time::Duration::from_secs(60), || world.cluster.apply(object))?;
    world.cluster.apply(&definition(
        "{strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {url: 'https://127.0.0.1:1/'}}}",
    ))?;
    tests::wait::until("the conversion to fail", std::time::Duration::from_secs(60), || {
        let list = world.cluster.kubectl(&["get", "widgets.v1.odd.bk.test", "-A"])?;
        ensure!(list.stderr.contains("conversion webhook"), "{}{}", list.stdout, list.stderr);
        Ok(())
    })?;
    let collected = Collected::of(world, "conversion", &["--only", "widgets.odd.bk.test"])?;
    let path = "cluster-resources/custom-resources/widgets.odd.bk.test/default.json";
    let entry = collected.entry(path)?;
    let note = entry["note"].as_str().unwrap_or_default();
    ensure!(entry["outcome"] == "collected" && note.contains("listed as v1alpha1"), "{entry}");
    let list: Value = serde_json::from_slice(&fs::read(collected.folder.join(path))?)?;
    ensure!(list["items"][0]["size"] == 7, "{list}");
    // Others collect from the same cluster.
    world.cluster.kubectl(&["delete", "crd", "widgets.odd.bk.test"])?.expect_code(0)?;
    Ok(())
}

/// Through the real ways in which a server cannot be asked.
fn every_failure_has_its_word(world: &World) -> Result<()> {
    let dir = world.file("failures");
    fs::create_dir_all(&dir)?;
    let admin = fs::read_to_string(world.cluster.kubeconfig(User::Admin))?;
    let authority = world.cluster.authority();
    let at = |name: &str, address: &str| -> Result<PathBuf> {
        let path = dir.join(format!("{name}.kubeconfig"));
        world.cluster.write_kubeconfig(&path, &authority, address)?;
        Ok(path)
    };
    // Nobody answers, though the kernel takes the connection.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let plain = TcpListener::bind("127.0.0.1:0")?;
    let plain_address = plain.local_addr()?;
    std::thread::spawn(move || {
        for mut client in plain.incoming().flatten() {
            // Read first: a connection that is closed with something unread is broken off. Whoever speaks TLS to it goes
            // away in the middle.
            let _ = std::io::Read::read(&mut client, &mut [0; 4096]);
            let _ = std::io::Write::write_all(&mut client, b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let _ = std::io::Read::read(&mut client, &mut [0; 4096]);
        }
    });
    let stranger = Identity::make(&dir, "stranger", "127.0.0.1")?;
    let unknown = dir.join("unknown.kubeconfig");
    fs::write(&unknown, admin.replace(text(&authority)?, text(&stranger.certificate)?))?;
    let refused = dir.join("refused.kubeconfig");
    fs::write(&refused, admin.replace("admin-token", "a-token-of-nobody"))?;
    let cases = [
        ("name", at("name", "no-such-host.invalid:6443")?),
        ("timeout", at("timeout", &silent.local_addr()?.to_string())?),
        ("refused", at("closed", &closed.to_string())?),
        ("no_route", at("no-route", "192.0.2.1:6443")?),
        ("tls_not_spoken", at("plain", &plain_address.to_string())?),
        ("tls_unknown_ca", unknown),
        ("unauthorized", refused),
    ];
    for (word, kubeconfig) in cases {
        let collected = Collected::with(world, word, &kubeconfig, &["--request-timeout", "2s"])?;
        ensure!(collected.run.code == Some(3), "{word}: exit code {:?}", collected.run.code);
        let entry = collected.entry("cluster-info/cluster_version.json")?;
        ensure!(entry["failure"] == word, "{word}: {entry}");
        ensure!(entry["outcome"] != "forbidden", "{word}: nobody was refused a right: {entry}");
    }
    let through = [
        ("reset", Fault::Reset),
        ("garbled", Fault::Garbage),
        ("too_many_requests", Fault::Status(429)),
        ("unavailable", Fault::Status(503)),
        ("server_error", Fault::Status(500)),
        ("bad_request", Fault::Status(418)),
        ("unauthorized", Fault::Status(401)),
    ];
    for (word, fault) in through {
        let path = "/api/v1/namespaces/paas-healthy/configmaps".to_owned();
        let proxy = Proxy::start(&world.cluster, &dir.join(word), Trouble { path, fault, times: None })?;
        let args = ["-n", "paas-healthy", "--only", "configmaps", "--request-timeout", "2s"];
        let collected = Collected::with(world, &format!("proxy-{word}"), &proxy.kubeconfig, &args)?;
        let entry = collected.entry("cluster-resources/configmaps/paas-healthy.json")?;
        ensure!(entry["failure"] == word && entry["outcome"] == "failed", "{word}: {entry}");
    }
    let viewer =
        Collected::with(world, "forbidden", &world.cluster.kubeconfig(User::Viewer), &["--only", "nodes"])?;
    let entry = viewer.entry("cluster-resources/nodes.json")?;
    ensure!(entry["failure"] == "forbidden" && entry["outcome"] == "forbidden", "{entry}");
    Ok(())
}

fn what_the_limit_left_out(world: &World) -> Result<()> {
    let collected = Collected::of(world, "limit", &["-n", "paas-healthy", "--healthy-logs", "0"])?;
    let ledger = collected.manifest["ledger"].as_array().context("the manifest has a ledger")?;
    let skipped = ledger.iter().filter(|entry| entry["outcome"] == "skipped").count();
    ensure!(skipped > 0, "nothing was left out, so this test shows nothing");
    let bundle = world.file("ledger-limit.tar.gz");
    for (lang, words) in [("en", "left out:"), ("zh", "未收集：")] {
        let shown = run(program("casebook-collect")?.args(["inspect", text(&bundle)?, "--lang", lang]))?
            .expect_code(0)?
            .stdout;
        ensure!(shown.contains(words) && shown.contains("--healthy-logs"), "{shown}");
        let logs = shown.lines().find(|line| line.ends_with("cluster-resources/pods/logs"));
        let count = logs.and_then(|line| line.split_whitespace().rev().nth(1));
        ensure!(count == Some(&*skipped.to_string()), "{skipped} were left out: {shown}");
    }
    Ok(())
}

fn refused(world: &World, args: &[&str], words: &str) -> Result<()> {
    let bundle = world.file("ledger-refused.tar.gz");
    let run = world.collect(&[args, &["--no-host", "-o", text(&bundle)?]].concat())?.expect_code(2)?;
    ensure!(run.stderr.contains(words) && run.stderr.contains("hint: "), "{}", run.stderr);
    ensure!(!bundle.exists(), "a bundle was written");
    Ok(())
}

fn unknown_parts(world: &World) -> Result<()> {
    refused(world, &["--only", "nonsense"], "--only nonsense")?;
    let some = Collected::of(world, "some", &["--only", "nonsense,namespaces"])?;
    ensure!(some.run.code == Some(3), "a part that is missing is missing: {:?}", some.run.code);
    ensure!(some.entry("cluster-resources/nonsense")?["outcome"] == "not_found", "{}", some.manifest);
    Ok(())
}

fn selectors(world: &World) -> Result<()> {
    for wrong in ["app in (", "a==b==c", "app in (x) y", "-x"] {
        refused(world, &[&format!("-l={wrong}")], "does not understand -l")?;
    }
    refused(world, &["-n", "paas-healthy", "--dry-run", "-l", "app in ("], "does not understand -l")?;
    let none = Collected::of(world, "no-pods", &["-n", "paas-healthy", "-l", "nothing=here"])?;
    ensure!(none.run.stderr.contains("no pod has the labels of -l nothing=here"), "{}", none.run.stderr);
    ensure!(none.entry("cluster-resources/pods")?["outcome"] == "empty", "{}", none.manifest);
    let some = Collected::of(world, "some-pods", &["-n", "paas-healthy", "-l", "nothing notin (here)"])?;
    ensure!(!some.run.stderr.contains("no pod has the labels"), "{}", some.run.stderr);
    Ok(())
}

fn larger_than_asked_for(world: &World) -> Result<()> {
    let small = Collected::of(world, "small", &["-n", "paas-healthy", "--max-size", "4K"])?;
    ensure!(small.run.stderr.contains("larger than --max-size 4"), "{}", small.run.stderr);
    let roomy = Collected::of(world, "roomy", &["-n", "paas-healthy"])?;
    ensure!(!roomy.run.stderr.contains("larger than"), "{}", roomy.run.stderr);
    Ok(())
}

/// As kubectl has it.
fn all_namespaces_wins(world: &World) -> Result<()> {
    let all = Collected::of(world, "all", &["-n", "paas-healthy", "-A", "--only", "services"])?;
    ensure!(all.manifest["options"]["namespaces"].is_null(), "{}", all.manifest["options"]);
    ensure!(
        all.entry("cluster-resources/services/default.json")?["outcome"] == "collected",
        "{}",
        all.manifest
    );
    Ok(())
}
