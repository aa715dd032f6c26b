//! `casebook-collect redact < in > out`: masks the secrets of a text before it is pasted anywhere.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
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

/// Longest file that is gone over twice.
const MOST_HELD: u64 = 16 << 20;

/// The text, if standard input is a file that fits in memory; a stream is masked as it comes.
fn short_file() -> io::Result<Option<Vec<u8>>> {
    let mut file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let about = file.metadata()?;
    if !about.is_file() || about.len() > MOST_HELD {
        return Ok(None);
    }
    let mut text = Vec::new();
    (&mut file).take(MOST_HELD).read_to_end(&mut text)?;
    Ok(Some(text))
}

fn run(args: &RedactArgs) -> Result<Counts, RunError> {
    let redactor = redactor(&args.rules)?;
    let (input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let whole = short_file().map_err(RunError::Input)?;
    if let Some(whole) = &whole {
        // Gone over once to learn: a value that is recognised at the end may stand at the begin.
        let (mut masker, mut masked) = (redactor.text(), Vec::new());
        masker.push(whole, &mut masked)?;
        masker.finish(&mut masked)?;
    }
    let whole = io::Cursor::new(whole.unwrap_or_default());
    let mut input = whole.chain(input);
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
