//! `casebook-collect reveal [FILE]`: what a reply says under pseudonyms, with the real names.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;

use shared::pseudonym::reveal::Revealer;

use super::collect::refuse;
use crate::cli::RevealArgs;
use crate::exit::Exit;
use crate::keyring::{Keyring, KeyringError};
use crate::say;

#[derive(Debug, thiserror::Error)]
enum RevealError {
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("cannot open {path}: {source}")]
    Open { path: PathBuf, source: io::Error },
    #[error("{0} is an archive\nhint: reveal turns texts back: the reply, or a report about the bundle")]
    Archive(String),
    #[error("cannot copy the text: {0}")]
    Copy(#[from] io::Error),
}

/// First bytes of what people may take for a text.
const ARCHIVES: [&[u8]; 3] = [&[0x1f, 0x8b], b"PK\x03\x04", b"age-encryption.org/"];

/// Copies a text to standard output with every pseudonym turned back.
pub fn reveal(args: &RevealArgs) -> Exit {
    match run(args) {
        Ok(0) => {
            say::aside("no pseudonym of this key was found");
            Exit::Complete
        }
        Ok(count) => {
            say::aside(&format!("turned back {count}"));
            Exit::Complete
        }
        // Who read the output went away.
        Err(RevealError::Copy(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Nothing,
        Err(error) => refuse(&error),
    }
}

fn run(args: &RevealArgs) -> Result<u64, RevealError> {
    let keyring = Keyring::open(args.keyring.pseudonym_key.clone())?;
    let mut revealer = Revealer::new(&keyring.known()?);
    let (name, mut input): (String, Box<dyn Read>) = match &args.file {
        Some(path) => {
            let file = File::open(path).map_err(|source| RevealError::Open { path: path.clone(), source })?;
            (path.display().to_string(), Box::new(file))
        }
        None => {
            if io::stdin().is_terminal() {
                say::aside("paste the text, then press Enter and Ctrl-D");
            }
            ("standard input".to_owned(), Box::new(io::stdin().lock()))
        }
    };
    let mut first = Vec::new();
    input.by_ref().take(32).read_to_end(&mut first)?;
    if ARCHIVES.iter().any(|mark| first.starts_with(mark)) {
        return Err(RevealError::Archive(name));
    }
    let mut output = io::stdout().lock();
    let count = revealer.text(&mut first.chain(input), &mut output)?;
    output.flush()?;
    Ok(count)
}
