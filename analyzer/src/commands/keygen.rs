//! `casebook-analyze keygen FILE`

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;
use shared::encryption::NewKey;

use crate::cli::{Exit, print, say};

#[derive(Debug, Args)]
pub struct KeygenArgs {
    /// New file for the secret key.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Writes the secret key to a file that only its owner can read, and prints the public one.
pub fn run(args: &KeygenArgs) -> anyhow::Result<Exit> {
    let key = NewKey::generate(Timestamp::now());
    let shown = args.file.display();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&args.file).with_context(|| {
        format!("cannot make {shown}\nhint: name a file that does not exist, in a folder you may write to")
    })?;
    file.write_all(key.file.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {shown}"))?;
    say(&format!(
        "{shown} holds the secret key: keep it, and give it to nobody.\nUsers run: casebook-collect --encrypt-to {}",
        key.public
    ));
    print(&format!("{}\n", key.public))?;
    Ok(Exit::Done)
}
