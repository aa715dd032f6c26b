//! `casebook-collect redact < in > out`: masks the secrets of a text before it is pasted anywhere.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use shared::redact::{BuildError, Counts, RedactError, Redactor};

use super::collect::refuse;
use crate::cli::{RedactArgs, RedactionArgs};
use crate::exit::Exit;
use crate::say;

/// Why there is nothing to mask with.
#[derive(Debug, thiserror::Error)]
pub enum MasksError {
    #[error("cannot read the redaction rules {path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Build(#[from] BuildError),
}

#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Masks(#[from] MasksError),
    #[error("cannot read standard input: {0}")]
    Input(io::Error),
    #[error("cannot write standard output: {0}")]
    Output(io::Error),
    #[error("standard input is {0}\nhint: only text can be masked; what was printed so far is masked")]
    Undecodable(#[from] RedactError),
}

/// The redactor that the options ask for.
///
/// # Errors
/// When a rule file cannot be read or does not hold.
pub fn redactor(args: &RedactionArgs) -> Result<Redactor, MasksError> {
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path);
        text.map(|text| (path.display().to_string(), text))
            .map_err(|source| MasksError::File { path: path.clone(), source })
    };
    let rules = args.rule_files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Redactor::new(&rules)?)
}

/// Masks standard input.
pub fn redact(args: &RedactArgs) -> Exit {
    match run(args) {
        Ok(counts) => {
            let total: u64 = counts.values().sum();
            let kinds: Vec<String> = counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            if total > 0 {
                say::aside(&format!("masked {total}: {}", kinds.join(", ")));
            }
            Exit::Complete
        }
        // Who read the output went away.
        Err(RunError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Nothing,
        Err(error) => refuse(&error),
    }
}

fn run(args: &RedactArgs) -> Result<Counts, RunError> {
    let redactor = redactor(&args.rules)?;
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut masker = redactor.text();
    let mut piece = vec![0; 256 << 10];
    let mut masked = Vec::with_capacity(512 << 10);
    loop {
        let len = match input.read(&mut piece) {
            Ok(0) => break,
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(RunError::Input(error)),
        };
        masked.clear();
        masker.push(&piece[..len], &mut masked)?;
        output.write_all(&masked).map_err(RunError::Output)?;
    }
    masked.clear();
    let counts = masker.finish(&mut masked)?;
    output.write_all(&masked).and_then(|()| output.flush()).map_err(RunError::Output)?;
    Ok(counts)
}
