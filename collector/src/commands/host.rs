//! `casebook-collect host`: the facts of the machine it runs on, printed, put into a bundle, or sent to who asked for
//! them over ssh.

use std::io::Write;
use std::pin::pin;

use clap::Args;
use futures::StreamExt;
use shared::lang::Lang;
use shared::redact::Redactor;

use super::collect::{collect, refuse};
use crate::cli::CollectArgs;
use crate::exit::Exit;
use crate::host::{self, HostItem, HostOptions, script, stream};
use crate::messages::for_terminal;
use crate::options::Options;

#[derive(Debug, Clone, Args)]
pub struct HostArgs {
    #[command(flatten)]
    pub collect: CollectArgs,
    /// Print a shell script that reads the most important facts where this program cannot run: `sh script > node.txt`
    /// there, `--text node.txt` here
    #[arg(long)]
    pub script: bool,
    /// Write items for a collecting machine instead of text for a person
    #[arg(long, hide = true, conflicts_with = "script")]
    pub stream: bool,
}

/// Runs the command. With `-o`, `--encrypt-to` or `--pseudonymize` it writes a bundle, else it prints.
pub async fn host(args: HostArgs, locale: Option<Lang>) -> Exit {
    let CollectArgs { output, pseudonyms, .. } = &args.collect;
    if output.output.is_some() || !output.encrypt_to.is_empty() || !pseudonyms.pseudonymize.is_empty() {
        return collect(args.collect, false, locale).await;
    }
    let options = match Options::new(args.collect, locale) {
        Ok(options) => options.hosts.probe,
        Err(error) => return refuse(&error),
    };
    let result = if args.script {
        std::io::stdout().write_all(script::script(&options).as_bytes()).map(|()| Exit::Complete)
    } else if args.stream {
        send(options).await
    } else {
        print(options).await
    };
    match result {
        Ok(exit) => exit,
        // Who read the output went away.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Nothing,
        Err(error) => refuse(&error),
    }
}

async fn send(options: HostOptions) -> std::io::Result<Exit> {
    let mut out = std::io::stdout().lock();
    stream::write_greeting(&mut out)?;
    let mut items = pin!(host::collect(options));
    while let Some(item) = items.next().await {
        stream::write_item(&mut out, &item)?;
    }
    stream::write_end(&mut out)?;
    Ok(Exit::Complete)
}

/// The texts of all probes in one, masked, since it may be pasted anywhere.
async fn print(options: HostOptions) -> std::io::Result<Exit> {
    let redactor = Redactor::new(&[]).map_err(std::io::Error::other)?;
    let mut items: Vec<HostItem> = host::collect(options).collect().await;
    items.sort_by(|a, b| a.path.cmp(&b.path));
    let mut out = std::io::stdout().lock();
    let mut lost = false;
    for item in items {
        let HostItem { path, bytes, outcome, note, .. } = item;
        lost |= outcome.is_loss();
        writeln!(out, "==> {path} <==")?;
        if outcome.is_loss() {
            let note = note.as_deref().unwrap_or_default();
            writeln!(out, "[{}: {}]", outcome.as_str(), for_terminal(note, usize::MAX))?;
        }
        let text = String::from_utf8_lossy(&bytes);
        let masked = redactor.string(&text, &mut Default::default()).map_err(std::io::Error::other)?;
        for line in masked.as_deref().unwrap_or(&text).lines() {
            writeln!(out, "{}", for_terminal(line, usize::MAX))?;
        }
        writeln!(out)?;
    }
    Ok(if lost { Exit::Partial } else { Exit::Complete })
}
