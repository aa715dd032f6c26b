//! `casebook-analyze mcp PATH…`

use std::io::BufReader;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::cli::{Bounds, Common, Exit, identities, say_notes};
use crate::intake;
use crate::lexicon::Lexicon;
use crate::mcp::{desk::Desk, protocol};
use crate::rules::RuleSet;

#[derive(Debug, Args)]
pub struct McpArgs {
    /// Bundles, folders or text files, as for the analysis; together they are one body of evidence.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// File with secret keys that open what was encrypted to them; repeatable.
    #[arg(long = "identity", value_name = "FILE")]
    identity_files: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    bounds: Bounds,
}

/// Answers on stdin and stdout until the client closes them.
pub fn run(args: &McpArgs) -> anyhow::Result<Exit> {
    let lang = args.common.lang();
    let rules = RuleSet::load(&args.common.rules)?;
    let lexicon = Lexicon::load(&args.common.rules)?;
    let identities = identities(&args.identity_files, lang)?;
    let snapshot = intake::load(&args.paths, &args.bounds.limits(), &identities)?;
    say_notes(&snapshot, lang);
    let desk = Desk::new(snapshot, rules, lexicon, lang).context("the system has no random numbers")?;
    let ended = protocol::run(&desk, BufReader::new(std::io::stdin().lock()), std::io::stdout().lock());
    match ended {
        // The client has had enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        ended => ended.map(|()| Exit::Done).context("cannot talk to the client"),
    }
}
