//! The same pods and logs in the layout of each collector, as archives of a given size.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{bundle, log_text};
use crate::run::succeed;

/// Size of one log.
const LOG: u64 = 2 << 20;
/// Pods to a namespace.
const PODS: u64 = 50;

/// What one file, or one part of a file, holds.
#[derive(Debug, Clone, Copy)]
enum Part<'a> {
    Nodes,
    Pods(&'a str),
    Log(&'a str, &'a str),
}

/// How a collector lays out what it found.
pub struct Layout {
    pub name: &'static str,
    objects: Objects,
    /// Path of the file that holds this part; parts of one path stand in it one after the other.
    place: fn(Part) -> String,
    /// What stands before a log and after it.
    around: fn(&str, &str) -> (String, String),
    /// Other files, by which the layout is known.
    more: &'static [(&'static str, &'static str)],
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Objects {
    Json,
    Yaml,
    None,
}

pub const LAYOUTS: &[Layout] = &[
    Layout {
        name: "troubleshoot",
        objects: Objects::Json,
        place: |part| match part {
            Part::Nodes => "cluster-resources/nodes.json".to_owned(),
            Part::Pods(namespace) => format!("cluster-resources/pods/{namespace}.json"),
            Part::Log(namespace, pod) => format!("cluster-resources/pods/logs/{namespace}/{pod}/main.log"),
        },
        around: nothing,
        more: &[("version.yaml", "apiVersion: troubleshoot.sh/v1beta2\nkind: SupportBundle\n")],
    },
    Layout {
        name: "cluster-info dump, JSON",
        objects: Objects::Json,
        place: |part| dumped(part, "json"),
        around: marks,
        more: &[],
    },
    Layout {
        name: "cluster-info dump, YAML",
        objects: Objects::Yaml,
        place: |part| dumped(part, "yaml"),
        around: marks,
        more: &[],
    },
    Layout {
        name: "cluster-info dump, one stream",
        objects: Objects::Json,
        place: |_| "dump.txt".to_owned(),
        around: marks,
        more: &[],
    },
    Layout {
        name: "must-gather",
        objects: Objects::Yaml,
        place: |part| match part {
            Part::Nodes => "image/cluster-scoped-resources/core/nodes.yaml".to_owned(),
            Part::Pods(namespace) => format!("image/namespaces/{namespace}/core/pods.yaml"),
            Part::Log(namespace, pod) => {
                format!("image/namespaces/{namespace}/pods/{pod}/main/main/logs/current.log")
            }
        },
        around: nothing,
        more: &[("must-gather.logs", "x\n")],
    },
    Layout {
        name: "sos",
        objects: Objects::Json,
        place: |part| match part {
            Part::Nodes => "sos_commands/kubernetes/cluster-info/kubectl_get_-o_json_nodes".to_owned(),
            Part::Pods(namespace) => format!(
                "sos_commands/kubernetes/cluster-info/{namespace}/kubectl_get_-o_json_--namespace_{namespace}_pods"
            ),
            Part::Log(namespace, pod) => format!(
                "sos_commands/kubernetes/cluster-info/{namespace}/podlogs/{pod}/kubectl_--namespace_{namespace}_logs_{pod}_-c_main"
            ),
        },
        around: nothing,
        more: &[("version.txt", "sos version: 4.7\n")],
    },
    Layout {
        name: "support-bundle-kit",
        objects: Objects::Yaml,
        place: |part| match part {
            Part::Nodes => "yamls/cluster/v1/nodes.yaml".to_owned(),
            Part::Pods(namespace) => format!("yamls/namespaced/{namespace}/v1/pods.yaml"),
            Part::Log(namespace, pod) => format!("logs/{namespace}/{pod}/main.log"),
        },
        around: nothing,
        more: &[],
    },
    Layout {
        name: "sonobuoy",
        objects: Objects::Json,
        place: |part| match part {
            Part::Nodes => "resources/cluster/core_v1_nodes.json".to_owned(),
            Part::Pods(namespace) => format!("resources/ns/{namespace}/core_v1_pods.json"),
            Part::Log(namespace, pod) => format!("podlogs/{namespace}/{pod}/logs/main.txt"),
        },
        around: nothing,
        more: &[],
    },
    Layout {
        name: "kind export logs",
        objects: Objects::None,
        place: |part| match part {
            Part::Log(namespace, pod) => format!("kind-worker/pods/{namespace}_{pod}_0a1b/main/0.log"),
            _ => "kind-version.txt".to_owned(),
        },
        around: nothing,
        more: &[("kind-version.txt", "kind v0.20.0\n")],
    },
    Layout {
        name: "kubectl get -o yaml and logs",
        objects: Objects::Yaml,
        place: |part| match part {
            Part::Nodes => "nodes.yaml".to_owned(),
            Part::Pods(namespace) => format!("pods-{namespace}.yaml"),
            Part::Log(_, pod) => format!("{pod}.log"),
        },
        around: nothing,
        more: &[],
    },
    Layout {
        name: "one terminal",
        objects: Objects::None,
        place: |_| "terminal.txt".to_owned(),
        around: |namespace, pod| {
            let row = format!("{pod}   1/1     Running   0          3d\n");
            let table = format!(
                "[root@bk ~]# kubectl get pods -n {namespace}\nNAME    READY   STATUS    RESTARTS   AGE\n{row}"
            );
            (format!("{table}[root@bk ~]# kubectl logs -n {namespace} {pod}\n"), String::new())
        },
        more: &[],
    },
];

fn nothing(_: &str, _: &str) -> (String, String) {
    (String::new(), String::new())
}

fn marks(namespace: &str, pod: &str) -> (String, String) {
    let mark = |word| format!("==== {word} logs for container main of pod {namespace}/{pod} ====\n");
    (mark("START"), mark("END"))
}

fn dumped(part: Part, ending: &str) -> String {
    match part {
        Part::Nodes => format!("nodes.{ending}"),
        Part::Pods(namespace) => format!("{namespace}/pods.{ending}"),
        Part::Log(namespace, pod) => format!("{namespace}/{pod}/logs.txt"),
    }
}

/// Writes an archive that holds about `bytes` of data before compression; `folder` is used on the way and emptied.
///
/// # Errors
/// When files cannot be written or `tar` fails.
pub fn write(layout: &Layout, archive: &Path, folder: &Path, bytes: u64) -> Result<()> {
    let top = folder.join("bundle");
    fs::create_dir_all(&top)?;
    for (path, text) in layout.more {
        append(&top.join(path), text.as_bytes())?;
    }
    let objects = |part: Part, kind: &str, items: Vec<Value>| -> Result<()> {
        let list = json!({"kind": format!("{kind}List"), "apiVersion": "v1", "items": items});
        let text = match layout.objects {
            Objects::Json => format!("{}\n", serde_json::to_string_pretty(&list)?),
            Objects::Yaml => serde_saphyr::to_string(&list)?,
            Objects::None => return Ok(()),
        };
        append(&top.join((layout.place)(part)), text.as_bytes())
    };
    objects(Part::Nodes, "Node", vec![json!({"metadata": {"name": "node-10-0-6-31"}})])?;
    let logs = bytes.div_ceil(LOG);
    for number in 0..logs.div_ceil(PODS) {
        let namespace = format!("load-{number}");
        let pods: Vec<String> =
            (number * PODS..logs.min((number + 1) * PODS)).map(|number| format!("app-{number}")).collect();
        let running = pods.iter().map(|pod| bundle::running(&namespace, pod)).collect();
        objects(Part::Pods(&namespace), "Pod", running)?;
        for (seed, pod) in (number * PODS..).zip(&pods) {
            let (before, after) = (layout.around)(&namespace, pod);
            let mut text = before.into_bytes();
            log_text::write(&mut text, LOG.min(bytes), seed)?;
            text.extend_from_slice(after.as_bytes());
            append(&top.join((layout.place)(Part::Log(&namespace, pod))), &text)?;
        }
    }
    let made = succeed(Command::new("tar").arg("-C").arg(folder).arg("-czf").arg(archive).arg("bundle"));
    fs::remove_dir_all(folder)?;
    made.map(drop)
}

fn append(path: &Path, data: &[u8]) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    fs::create_dir_all(path.parent().with_context(cannot)?)?;
    let file: File = OpenOptions::new().create(true).append(true).open(path).with_context(cannot)?;
    let mut file = BufWriter::new(file);
    file.write_all(data).and_then(|()| file.flush()).with_context(cannot)
}
