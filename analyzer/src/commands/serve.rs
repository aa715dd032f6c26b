//! `casebook-analyze serve PATH… [--shell] [-- COMMAND…]`

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use shared::lang::{Lang, Localized};

use crate::cli::{Bounds, Common, Exit, identities, print, say, say_notes};
use crate::intake;
use crate::serve::cluster::Cluster;
use crate::serve::listener::Listener;
use crate::serve::{Context, Kubeconfig, child, names};

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Bundles, folders or text files, as for the analysis; each is a context of the kubeconfig, the newest the current.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run a shell with KUBECONFIG set, whose prompt says which snapshot it is.
    #[arg(long, conflicts_with = "command")]
    shell: bool,
    /// Run this command with KUBECONFIG set, and end with its exit code.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    /// File with secret keys that open what was encrypted to them; repeatable.
    #[arg(long = "identity", value_name = "FILE")]
    identity_files: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    bounds: Bounds,
}

/// Serves the inputs until the command or shell ends, or until the user wants an end.
pub fn run(args: &ServeArgs) -> anyhow::Result<Exit> {
    let lang = args.common.lang();
    let identities = identities(&args.identity_files, lang)?;
    let mut clusters = Vec::with_capacity(args.paths.len());
    for (path, name) in args.paths.iter().zip(names(&args.paths)) {
        let snapshot = intake::load(std::slice::from_ref(path), &args.bounds.limits(), &identities)?;
        say_notes(&snapshot, lang);
        clusters.push((Cluster::new(snapshot, &name, lang), name));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the server")?;
    let result = runtime.block_on(serve(args, lang, clusters));
    // Watches that are still held end with it.
    runtime.shutdown_background();
    result
}

async fn serve(args: &ServeArgs, lang: Lang, clusters: Vec<(Cluster, String)>) -> anyhow::Result<Exit> {
    let current = (0..clusters.len()).max_by_key(|at| clusters[*at].0.now).unwrap_or_default();
    let mut contexts = Vec::with_capacity(clusters.len());
    for (cluster, name) in clusters {
        if args.command.is_empty() {
            let objects: usize = cluster.kinds.iter().map(|kind| kind.items.len()).sum();
            say(cluster_note(&name, &cluster.described(), objects).get(lang));
        }
        let listener = Listener::bind(cluster).await?;
        contexts.push(Context {
            name,
            address: listener.address(),
            token: listener.token().to_owned(),
            authority: listener.authority.clone(),
        });
        tokio::spawn(listener.run());
    }
    let kubeconfig = Kubeconfig::write(&contexts, current)?;
    let label = &contexts[current].name;
    if let Some(command) = child::command(&args.command, &kubeconfig, label) {
        return Ok(Exit::Passed(child::run(command).await?));
    }
    if args.shell {
        let ending = Localized::new("退出这个 shell 即结束。", "Leave the shell to end.");
        say(ending.get(lang));
        return Ok(Exit::Passed(child::run(child::shell(&kubeconfig, label)?).await?));
    }
    let ending = Localized::new(
        "在另一个终端执行下一行，然后使用 kubectl、helm 或 k9s；按 Ctrl-C 结束。",
        "Run the next line in another terminal, then use kubectl, helm or k9s; Ctrl-C ends.",
    );
    say(ending.get(lang));
    print(&format!("export KUBECONFIG={}\n", kubeconfig.path.display()))?;
    child::until_asked_to_end().await?;
    Ok(Exit::Done)
}

fn cluster_note(name: &str, described: &Localized, objects: usize) -> Localized {
    Localized::new(
        format!("{name}：{}，{objects} 个对象，只读", described.zh),
        format!("{name}: {}, {objects} objects, read-only", described.en),
    )
}
