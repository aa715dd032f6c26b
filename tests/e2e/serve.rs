//! A bundle as a cluster that stands still: what real kubectl and helm make of it, beside the cluster that it was made
//! from.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use serde_json::Value;
use shared::describe::Kind;
use shared::printers;
use tests::api::Proxy;
use tests::cluster::{User, items};
use tests::programs::program;
use tests::run::{Run, run};
use tests::{tls, wait};

use crate::on_cluster;
use crate::world::{World, text};

const KUBECTLS: [&str; 3] = ["1.20", "1.32", "1.35"];

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("serve::cells_are_the_servers", cells_are_the_servers),
        on_cluster("serve::kubectl_reads_as_from_the_cluster", kubectl_reads_as_from_the_cluster),
        on_cluster("serve::nothing_is_changed", nothing_is_changed),
        on_cluster("serve::what_was_forbidden_is_refused", what_was_forbidden_is_refused),
        on_cluster("serve::helm_reads_releases", helm_reads_releases),
        on_cluster("serve::commands_and_shells", commands_and_shells),
        on_cluster("serve::strangers_are_turned_away", strangers_are_turned_away),
    ]
}

/// A server that runs until this is dropped.
struct Server {
    child: Child,
    kubeconfig: PathBuf,
}

impl Server {
    fn start(inputs: &[&Path]) -> Result<Server> {
        let mut command = program("casebook-analyze")?;
        command.arg("serve").args(inputs).args(["--lang", "en"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("cannot start the server")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("stdout was asked for")?).read_line(&mut line)?;
        let mut server = Server { child, kubeconfig: PathBuf::new() };
        let path = line.trim().strip_prefix("export KUBECONFIG=");
        server.kubeconfig = path.with_context(|| format!("the server said {line:?}"))?.into();
        Ok(server)
    }

    fn tool(&self, world: &World, name: &str, args: &[&str]) -> Result<Run> {
        let home = world.file("serve-home");
        std::fs::create_dir_all(&home)?;
        run(world.cluster.tool(name, args).env("KUBECONFIG", &self.kubeconfig).env("HOME", home))
    }

    fn kubectl(&self, world: &World, version: &str, args: &[&str]) -> Result<Run> {
        self.tool(world, &format!("kubectl-{version}"), args)
    }

    /// Asks it to end, as Ctrl-C does, and waits until it has.
    fn stop(mut self) -> Result<PathBuf> {
        let pid = self.child.id().to_string();
        tests::run::succeed(Command::new("kill").args(["-INT", &pid]))?;
        let status = self.child.wait()?;
        ensure!(status.code() == Some(0), "the server ended with {status}");
        Ok(std::mem::take(&mut self.kubeconfig))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Kinds of the test cluster: (path, group version, kind).
const TABLES: &[(&str, &str, &str)] = &[
    ("/api/v1/pods", "v1", "Pod"),
    ("/api/v1/nodes", "v1", "Node"),
    ("/api/v1/namespaces", "v1", "Namespace"),
    ("/api/v1/services", "v1", "Service"),
    ("/api/v1/endpoints", "v1", "Endpoints"),
    ("/api/v1/events", "v1", "Event"),
    ("/api/v1/configmaps", "v1", "ConfigMap"),
    ("/api/v1/secrets", "v1", "Secret"),
    ("/api/v1/serviceaccounts", "v1", "ServiceAccount"),
    ("/api/v1/persistentvolumes", "v1", "PersistentVolume"),
    ("/api/v1/persistentvolumeclaims", "v1", "PersistentVolumeClaim"),
    ("/api/v1/resourcequotas", "v1", "ResourceQuota"),
    ("/api/v1/limitranges", "v1", "LimitRange"),
    ("/apis/apps/v1/deployments", "apps/v1", "Deployment"),
    ("/apis/apps/v1/replicasets", "apps/v1", "ReplicaSet"),
    ("/apis/apps/v1/statefulsets", "apps/v1", "StatefulSet"),
    ("/apis/apps/v1/daemonsets", "apps/v1", "DaemonSet"),
    ("/apis/apps/v1/controllerrevisions", "apps/v1", "ControllerRevision"),
    ("/apis/batch/v1/jobs", "batch/v1", "Job"),
    ("/apis/batch/v1beta1/cronjobs", "batch/v1beta1", "CronJob"),
    ("/apis/networking.k8s.io/v1/ingresses", "networking.k8s.io/v1", "Ingress"),
    ("/apis/networking.k8s.io/v1/ingressclasses", "networking.k8s.io/v1", "IngressClass"),
    ("/apis/networking.k8s.io/v1/networkpolicies", "networking.k8s.io/v1", "NetworkPolicy"),
    ("/apis/discovery.k8s.io/v1beta1/endpointslices", "discovery.k8s.io/v1beta1", "EndpointSlice"),
    ("/apis/autoscaling/v1/horizontalpodautoscalers", "autoscaling/v1", "HorizontalPodAutoscaler"),
    ("/apis/policy/v1beta1/poddisruptionbudgets", "policy/v1beta1", "PodDisruptionBudget"),
    ("/apis/coordination.k8s.io/v1/leases", "coordination.k8s.io/v1", "Lease"),
    ("/apis/storage.k8s.io/v1/storageclasses", "storage.k8s.io/v1", "StorageClass"),
    ("/apis/storage.k8s.io/v1/csinodes", "storage.k8s.io/v1", "CSINode"),
    ("/apis/scheduling.k8s.io/v1/priorityclasses", "scheduling.k8s.io/v1", "PriorityClass"),
    ("/apis/rbac.authorization.k8s.io/v1/roles", "rbac.authorization.k8s.io/v1", "Role"),
    ("/apis/rbac.authorization.k8s.io/v1/rolebindings", "rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles", "rbac.authorization.k8s.io/v1", "ClusterRole"),
    (
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
    ),
    ("/apis/apiregistration.k8s.io/v1/apiservices", "apiregistration.k8s.io/v1", "APIService"),
    (
        "/apis/flowcontrol.apiserver.k8s.io/v1beta1/flowschemas",
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "FlowSchema",
    ),
    (
        "/apis/flowcontrol.apiserver.k8s.io/v1beta1/prioritylevelconfigurations",
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "PriorityLevelConfiguration",
    ),
];

/// Columns and cells, name by name, beside those of the server, for every object of every kind that there is.
fn cells_are_the_servers(world: &World) -> Result<()> {
    crate::describe::make(&world.cluster)?;
    world.cluster.apply(
        "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: web, namespace: describe}\n\
         spec: {minAvailable: 50%, selector: {matchLabels: {app: web}}}\n",
    )?;
    let proxy = Proxy::start(world.cluster.tool("kubectl-1.32", &[]))?;
    let mut compared = BTreeMap::new();
    let mut different = Vec::new();
    for (path, api_version, kind) in TABLES {
        let of = Kind { api_version, kind };
        // Objects change and ages grow while one looks.
        let alike = wait::until(&format!("{kind} to print alike"), Duration::from_secs(30), || {
            let before = Timestamp::now();
            let list: Value = serde_json::from_slice(&proxy.get(path, "application/json")?)?;
            let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
            let table: Value = serde_json::from_slice(&proxy.get(path, accept)?)?;
            let after = Timestamp::now();
            let rows = |key: &str| table[key].as_array().cloned().unwrap_or_default();
            let settings = |now| printers::Settings { now, minor: 20, secrets_withheld: false };
            let columns: Vec<(Value, Value, Value)> = rows("columnDefinitions")
                .into_iter()
                .map(|column| (column["name"].clone(), column["type"].clone(), column["priority"].clone()))
                .collect();
            let ours: Vec<(Value, Value, Value)> = printers::columns(of, settings(after))
                .into_iter()
                .map(|column| (column.name.into(), column.kind.into(), column.priority.into()))
                .collect();
            ensure!(ours == columns, "columns are {columns:?}, ours are {ours:?}");
            let version = |object: &Value| {
                (object["metadata"]["uid"].clone(), object["metadata"]["resourceVersion"].clone())
            };
            // What changed between the two answers is another object.
            let item_of =
                |row: &&Value| items(&list).iter().find(|item| version(item) == version(&row["object"]));
            let rows = rows("rows");
            let pairs: Vec<(&Value, &Value)> =
                rows.iter().filter_map(|row| Some((row, item_of(&row)?))).collect();
            ensure!(pairs.len() * 2 >= rows.len(), "{} of {} objects stood still", pairs.len(), rows.len());
            for (row, item) in &pairs {
                let theirs = row["cells"].as_array().context("a row has cells")?;
                let ours: Vec<Vec<Value>> =
                    instants(before, after).map(|now| printers::cells(of, item, settings(now))).collect();
                for (index, cell) in theirs.iter().enumerate() {
                    ensure!(
                        ours.iter().any(|cells| cells.get(index) == Some(cell)),
                        "{} of {} is {cell}, ours is {:?}",
                        columns[index].0,
                        item["metadata"]["name"],
                        ours[0].get(index)
                    );
                }
            }
            compared.insert(*kind, pairs.len());
            Ok(())
        });
        different.extend(alike.err().map(|error| format!("{error:#}")));
    }
    ensure!(different.is_empty(), "{}", different.join("\n"));
    let with_objects = compared.values().filter(|count| **count > 0).count();
    eprintln!("objects compared: {compared:?}");
    ensure!(with_objects >= 30, "only {with_objects} kinds have objects: {compared:?}");
    Ok(())
}

/// The instants at which the server may have looked at its clock.
fn instants(before: Timestamp, after: Timestamp) -> impl Iterator<Item = Timestamp> {
    const STEP: SignedDuration = SignedDuration::from_millis(250);
    let steps = std::iter::successors(Some(before), |instant| instant.checked_add(STEP).ok());
    steps.take_while(move |instant| *instant < after + STEP)
}

/// What people type, with three kubectls, beside what it prints on the cluster that the bundle was made from.
fn kubectl_reads_as_from_the_cluster(world: &World) -> Result<()> {
    let server = Server::start(&[&world.healthy])?;
    let namespace = "paas-healthy";
    for version in KUBECTLS {
        let same = |args: &[&str]| -> Result<()> {
            let live = world.cluster.kubectl_of(version, args)?.expect_code(0)?;
            let still = server.kubectl(world, version, args)?.expect_code(0)?;
            ensure!(
                still.stdout == live.stdout,
                "`{}` prints\n{}live\n{}",
                live.line,
                still.stdout,
                live.stdout
            );
            Ok(())
        };
        // Ages differ, and what the cluster did since; names, labels and the rest do not.
        for kind in
            ["pods", "deployments", "replicasets", "statefulsets", "services", "configmaps", "endpoints"]
        {
            same(&["get", kind, "-n", namespace, "-o", "name"])?;
        }
        same(&["get", "deployments,services", "-n", namespace, "-o", "name", "--sort-by=.metadata.name"])?;
        // Another test brings a node with this label.
        same(&["get", "nodes", "-l", "!test/cordoned", "-o", "jsonpath={.items[*].metadata.name}"])?;
        // All but the managed fields, which are not collected.
        same(&[
            "get",
            "services",
            "-n",
            namespace,
            "-o",
            "jsonpath={range .items[*]}{.kind}{.spec}{.status}{end}",
        ])?;
        let pods = server
            .kubectl(world, version, &["get", "pods", "-n", namespace, "-o", "json"])?
            .expect_code(0)?;
        let pods: Value = serde_json::from_str(&pods.stdout)?;
        let first = items(&pods).first().context("the healthy namespace has pods")?;
        let name = first["metadata"]["name"].as_str().context("a pod has a name")?;
        let node = first["spec"]["nodeName"].as_str().context("it runs somewhere")?;
        let on_node = format!("spec.nodeName={node}");
        same(&["get", "pods", "-n", namespace, "--field-selector", &on_node, "-o", "name"])?;
        same(&["get", "pods", "-n", namespace, "-l", "app,app notin (none)", "-o", "name"])?;
        same(&["logs", "-n", namespace, name, "--tail=3"])?;

        let table =
            |args: &[&str]| server.kubectl(world, version, args)?.expect_code(0).map(|run| run.stdout);
        let wide =
            table(&["get", "pods", "-n", namespace, "-o", "wide", "--sort-by=.metadata.creationTimestamp"])?;
        ensure!(wide.starts_with("NAME") && wide.contains(name) && wide.contains("NOMINATED NODE"), "{wide}");
        let yes = server.kubectl(world, version, &["auth", "can-i", "list", "pods"])?;
        ensure!(yes.code == Some(0) && yes.stdout == "yes\n", "{}{}", yes.stdout, yes.stderr);
        let no = server.kubectl(world, version, &["auth", "can-i", "delete", "pods"])?;
        ensure!(no.code == Some(1) && no.stdout.starts_with("no"), "{}", no.stdout);
        let top = server.kubectl(world, version, &["top", "nodes"])?;
        ensure!(top.code == Some(1) && top.stderr.contains("not available"), "{}", top.stderr);
        let watched = server.kubectl(
            world,
            version,
            &["get", "pods", "-n", namespace, "-w", "--request-timeout=2s"],
        )?;
        ensure!(watched.stdout.matches(name).count() == 1, "a watch prints {}", watched.stdout);
        described(world, &server, version, namespace)?;
    }
    // The clock stands still.
    let ages =
        |_| server.kubectl(world, "1.32", &["get", "pods", "-A"])?.expect_code(0).map(|run| run.stdout);
    let first = ages(())?;
    std::thread::sleep(Duration::from_millis(1100));
    ensure!(first == ages(())?, "ages grow");
    Ok(())
}

/// Descriptions line by line; what tells of times is left out, since kubectl counts ages by its own clock.
fn described(world: &World, server: &Server, version: &str, namespace: &str) -> Result<()> {
    let timeless = |text: &str| -> Vec<String> {
        let events = text.split("\nEvents:").next().unwrap_or_default();
        // Renewed every ten seconds.
        let moves = |line: &&str| {
            !["RenewTime", "AcquireTime", "Heartbeat", "KubeletReady", "Kubelet"]
                .iter()
                .any(|word| line.contains(word))
        };
        let lines =
            events.lines().filter(moves).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.collect()
    };
    let (mut lines, mut equal, mut differences) = (0, 0, Vec::new());
    for kind in ["pods", "deployments", "services", "configmaps", "persistentvolumeclaims"] {
        let args = ["describe", kind, "-n", namespace];
        let live = timeless(&world.cluster.kubectl_of(version, &args)?.expect_code(0)?.stdout);
        let still = timeless(&server.kubectl(world, version, &args)?.expect_code(0)?.stdout);
        lines += live.len().max(still.len());
        for (live, still) in live.iter().zip(&still) {
            if live == still {
                equal += 1;
            } else {
                differences.push(format!("- {live}\n+ {still}"));
            }
        }
    }
    ensure!(lines > 50, "only {lines} lines were described");
    ensure!(equal * 100 >= lines * 99, "{equal} of {lines} lines are equal\n{}", differences.join("\n"));
    Ok(())
}

/// Every way of changing, running or connecting is refused, and says why.
fn nothing_is_changed(world: &World) -> Result<()> {
    let server = Server::start(&[&world.healthy])?;
    let manifest = world.file("serve-configmap.yaml");
    std::fs::write(
        &manifest,
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: default}\n",
    )?;
    let manifest = text(&manifest)?;
    let pods = server
        .kubectl(world, "1.32", &["get", "pods", "-n", "paas-healthy", "-o", "name"])?
        .expect_code(0)?;
    let pod = pods.stdout.lines().next().context("the healthy namespace has pods")?.to_owned();
    for version in KUBECTLS {
        for args in [
            &["apply", "-f", manifest][..],
            &["create", "-f", manifest],
            &["create", "namespace", "new"],
            &["delete", "-n", "paas-healthy", &pod, "--wait=false"],
            &["label", "-n", "paas-healthy", &pod, "a=b"],
            &["exec", "-n", "paas-healthy", &pod, "--", "ls"],
            &["port-forward", "-n", "paas-healthy", &pod, "12345:80"],
        ] {
            let refused = server.kubectl(world, version, args)?;
            ensure!(
                refused.code != Some(0) && refused.stderr.contains("a snapshot of"),
                "kubectl {version} {args:?} ended with {:?}: {}{}",
                refused.code,
                refused.stdout,
                refused.stderr
            );
        }
    }
    Ok(())
}

/// A bundle of somebody who may not list nodes: no empty list, but the server's words of then.
fn what_was_forbidden_is_refused(world: &World) -> Result<()> {
    world.cluster.apply(crate::permissions::BINDING)?;
    let bundle = world.file("serve-viewer.tar.gz");
    world.collect_as(User::Viewer, &["-n", "paas-healthy", "-o", text(&bundle)?])?.expect_code(3)?;
    let server = Server::start(&[&bundle])?;
    for version in KUBECTLS {
        let nodes = server.kubectl(world, version, &["get", "nodes"])?;
        ensure!(
            nodes.code == Some(1)
                && nodes.stdout.is_empty()
                && nodes.stderr.contains("(Forbidden)")
                && nodes.stderr.contains("nodes is forbidden: User"),
            "{}{}",
            nodes.stdout,
            nodes.stderr
        );
        let elsewhere = server.kubectl(world, version, &["get", "pods", "-n", "kube-system"])?;
        ensure!(
            elsewhere.code == Some(1) && elsewhere.stderr.contains("not collected"),
            "{}",
            elsewhere.stderr
        );
        server.kubectl(world, version, &["get", "pods", "-n", "paas-healthy"])?.expect_code(0)?;
        let no = server.kubectl(world, version, &["auth", "can-i", "list", "nodes"])?;
        ensure!(
            no.code == Some(1) && no.stdout.contains("forbidden when this was collected"),
            "{}",
            no.stdout
        );
    }
    Ok(())
}

fn helm_reads_releases(world: &World) -> Result<()> {
    let observed = world.observe("helm-another-operation")?;
    let server = Server::start(&[&observed.bundle])?;
    let namespace = "paas-pending";
    for version in ["helm-3.8", "helm-3.17", "helm-4.1"] {
        let live = |args: &[&str]| run(&mut world.cluster.tool(version, args))?.expect_code(0);
        let still = |args: &[&str]| server.tool(world, version, args)?.expect_code(0);
        // Helm 4 lists all of them unasked.
        let all = if version == "helm-4.1" { "-A" } else { "-aA" };
        let list = still(&["list", all])?.stdout;
        ensure!(list.contains("bk-paas") && list.contains("pending-upgrade"), "{version} lists {list}");
        let args = ["history", "bk-paas", "-n", namespace];
        ensure!(still(&args)?.stdout == live(&args)?.stdout, "{version}: {}", still(&args)?.stdout);
        let status = still(&["status", "bk-paas", "-n", namespace])?.stdout;
        ensure!(status.contains("STATUS: pending-upgrade") && status.contains("REVISION: 3"), "{status}");
        let refused = server.tool(world, version, &["rollback", "bk-paas", "2", "-n", namespace])?;
        ensure!(refused.code != Some(0), "a rollback went through: {}", refused.stdout);
    }
    Ok(())
}

/// One command with its exit code, a shell, and a context for each input; nothing stays behind.
fn commands_and_shells(world: &World) -> Result<()> {
    let observed = world.observe("helm-another-operation")?;
    let (healthy, broken) = (text(&world.healthy)?, text(&observed.bundle)?);
    let temporary = world.file("serve-tmp");
    std::fs::create_dir_all(&temporary)?;
    let kubectl = world.cluster.cache().tool("kubectl-1.32");
    let kubectl = text(&kubectl)?;
    let serve = |args: &[&str]| -> Result<Command> {
        let mut command = program("casebook-analyze")?;
        command.args(["serve", "--lang", "en"]).args(args).env("TMPDIR", &temporary).env("HOME", &temporary);
        Ok(command)
    };
    let pods = run(&mut serve(&[broken, "--", kubectl, "get", "pods", "-n", "paas-pending", "-o", "name"])?)?;
    ensure!(pods.expect_code(0)?.stdout.contains("pod/bk-paas-"), "the command's output is not passed on");
    let failing = run(&mut serve(&[broken, "--", "sh", "-c", "stat -c %a $KUBECONFIG; kill -TERM $$"])?)?;
    ensure!(failing.code == Some(143) && failing.stdout == "600\n", "{:?} {}", failing.code, failing.stdout);
    run(&mut serve(&[broken, "--", "sh", "-c", "exit 7"])?)?.expect_code(7)?;
    run(&mut serve(&[broken, "--", "/no/such/program"])?)?.expect_code(2)?;
    run(&mut serve(&["/no/such/bundle", "--", "true"])?)?.expect_code(2)?;
    let contexts =
        run(&mut serve(&[healthy, broken, "--", kubectl, "config", "get-contexts", "-o", "name"])?)?;
    let contexts = contexts.expect_code(0)?.stdout;
    ensure!(contexts.lines().count() == 2 && contexts.contains("healthy"), "{contexts}");
    let healthy_pods = ["--context=healthy", "get", "pods", "-n", "paas-healthy", "-o", "name"];
    let pods =
        run(&mut serve(&[&[healthy, broken, "--", kubectl][..], &healthy_pods].concat())?)?.expect_code(0)?;
    ensure!(pods.stdout.contains("pod/"), "{}", pods.stdout);

    let mut shell = serve(&["--shell", broken])?;
    shell.env("SHELL", "/bin/sh");
    let script = format!("{kubectl} get ns paas-pending -o name; exit 5\n");
    let shell = tests::run::run_with_input(&mut shell, script.as_bytes())?.expect_code(5)?;
    ensure!(shell.stdout == "namespace/paas-pending\n", "{}", shell.stdout);
    let left: Vec<_> = std::fs::read_dir(&temporary)?
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().starts_with("casebook-"))
        .collect();
    ensure!(left.is_empty(), "{left:?} is left behind");
    Ok(())
}

/// Without the token, under another name, or with a request that is none: no answer that tells of the cluster.
fn strangers_are_turned_away(world: &World) -> Result<()> {
    let server = Server::start(&[&world.healthy])?;
    let config: Value = serde_json::from_slice(&std::fs::read(&server.kubeconfig)?)?;
    let url = config["clusters"][0]["cluster"]["server"].as_str().context("a server")?.to_owned();
    let address = url.strip_prefix("https://").context("it is https")?.to_owned();
    let token = config["users"][0]["user"]["token"].as_str().context("a token")?.to_owned();
    ensure!(address.starts_with("127.0.0.1:"), "it listens on {address}");
    let authority = world.file("serve-authority.pem");
    let encoded =
        config["clusters"][0]["cluster"]["certificate-authority-data"].as_str().context("an authority")?;
    let decoded = tests::run::run_with_input(Command::new("base64").arg("-d"), encoded.as_bytes())?;
    std::fs::write(&authority, decoded.expect_code(0)?.stdout)?;
    let ask = |head: &str| -> Result<String> {
        let name = ServerName::try_from("127.0.0.1").context("an address is a name")?;
        let connection = ClientConnection::new(tls::client(&authority)?, name)?;
        let mut stream = StreamOwned::new(connection, TcpStream::connect(&address)?);
        // A connection that is cut off while one speaks, or after it, is an answer too.
        let _ = stream.write_all(head.as_bytes());
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            answer.extend_from_slice(&buffer[..length]);
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let get = |host: &str, token: &str| {
        ask(&format!(
            "GET /api/v1/pods HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        ))
    };
    let good = get(&address, &token)?;
    ensure!(good.starts_with("HTTP/1.1 200") && good.contains("paas-healthy"), "{good:.200}");
    for (host, token, code) in [
        (address.as_str(), "x", "401"),
        (address.as_str(), "", "401"),
        ("localhost", token.as_str(), "403"),
        ("evil.example", token.as_str(), "403"),
        ("127.0.0.1", token.as_str(), "403"),
    ] {
        let answer = get(host, token)?;
        ensure!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{host} {token}: {answer:.200}");
        ensure!(!answer.contains("paas-healthy"), "{host} {token} is told of the cluster");
    }
    let headers = "X: y\r\n".repeat(500);
    let endless = "x".repeat(200_000);
    for head in [
        format!("GET / HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n"),
        format!("GET /{endless} HTTP/1.1\r\nHost: {address}\r\n\r\n"),
        "\u{0}\u{1}\u{2}\r\n\r\n".to_owned(),
    ] {
        let answer = ask(&head)?;
        ensure!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer:.200}");
    }
    // It goes on, and at the end nothing is left.
    if !get(&address, &token)?.starts_with("HTTP/1.1 200") {
        bail!("it does not answer any more");
    }
    let kubeconfig = server.stop()?;
    let folder = kubeconfig.parent().context("it lies in a folder")?;
    ensure!(!folder.exists(), "{} is left behind", folder.display());
    Ok(())
}
