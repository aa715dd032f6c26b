//! Texts into the bundle: what is made here, and what the user named with `--text`.

use std::io::Read;
use std::path::Path;

use shared::bundle::failure::Failure;
use shared::bundle::manifest::Outcome;
use shared::bundle::paths;

use crate::sink::{Draft, Finished, Sink, entry};
use shared::redact::{RedactError, Redactor};

/// A text larger than this is cut; what people paste is small.
const LARGEST: u64 = 64 << 20;

/// A masked text whose bytes are all there. One that cannot be masked stays out of the bundle.
pub fn masked(
    mut draft: Draft,
    text: &[u8],
    outcome: Outcome,
    note: Option<String>,
    masks: &Redactor,
) -> Result<Finished, RedactError> {
    let mut mask = masks.text();
    let mut out = Vec::with_capacity(text.len() + 64);
    mask.push(text, &mut out)?;
    let counts = mask.finish(&mut out)?;
    draft.push(&out);
    draft.redacted(&counts);
    Ok(draft.finish(outcome, note))
}

/// Writes a text that was made or read here.
pub fn put(sink: &Sink, masks: &Redactor, path: &str, source: &str, text: &[u8]) {
    let outcome = if text.is_empty() { Outcome::Empty } else { Outcome::Collected };
    match masked(Draft::new(path, source), text, outcome, None, masks) {
        Ok(finished) => sink.put(finished),
        Err(reason) => {
            let mut failed = entry(path, source, Outcome::Failed);
            (failed.note, failed.failure) = (Some(reason.to_string()), Some(Failure::Redaction));
            sink.note(failed);
        }
    }
}

/// What one `--text` names. Read before anything is asked of the cluster, so that a wrong name is noticed at once.
#[derive(Debug)]
pub struct Given {
    /// Path in the bundle.
    pub path: String,
    /// The file as the user wrote it, or `standard input`.
    pub source: String,
    pub text: Vec<u8>,
    /// More was there than is kept.
    pub cut: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum TextError {
    #[error("cannot read the text {path}: {source}\nhint: --text takes a file, or - for standard input")]
    Read { path: String, source: std::io::Error },
    #[error("--text - was given twice, and standard input can be read once only")]
    Twice,
}

/// Reads the texts that the user named.
///
/// # Errors
/// When one cannot be read.
pub fn read_given(named: &[impl AsRef<Path>]) -> Result<Vec<Given>, TextError> {
    let mut given = Vec::<Given>::new();
    for path in named.iter().map(AsRef::as_ref) {
        let from_stdin = path == Path::new("-");
        let source = if from_stdin { "standard input".to_owned() } else { path.display().to_string() };
        if from_stdin && given.iter().any(|g| g.source == source) {
            return Err(TextError::Twice);
        }
        let mut text = Vec::new();
        let read = if from_stdin {
            std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut text)
        } else {
            std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut text))
        };
        read.map_err(|error| TextError::Read { path: source.clone(), source: error })?;
        let cut = text.len() as u64 > LARGEST;
        text.truncate(LARGEST as usize);
        let name = if from_stdin { "stdin".to_owned() } else { file_name(path) };
        let taken: Vec<&str> = given.iter().map(|g| g.path.as_str()).collect();
        given.push(Given { path: free_path(&name, &taken), source, text, cut });
    }
    Ok(given)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    name.strip_suffix(".txt").map(str::to_owned).unwrap_or(name)
}

fn free_path(name: &str, taken: &[&str]) -> String {
    let plain = paths::text(name);
    let numbered = (2..).map(|n| paths::text(&format!("{name}-{n}")));
    std::iter::once(plain)
        .chain(numbered)
        .find(|path| !taken.contains(&path.as_str()))
        .expect("the numbers do not end")
}

impl Given {
    pub fn put(self, sink: &Sink, masks: &Redactor) {
        let (outcome, note) = match (self.cut, self.text.is_empty()) {
            (true, _) => {
                (Outcome::Truncated, Some(format!("only the first {} MiB were taken", LARGEST >> 20)))
            }
            (false, true) => (Outcome::Empty, None),
            (false, false) => (Outcome::Collected, None),
        };
        match masked(Draft::new(&*self.path, &*self.source), &self.text, outcome, note, masks) {
            Ok(finished) => sink.put(finished),
            Err(reason) => {
                let mut failed = entry(&self.path, self.source, Outcome::Failed);
                (failed.note, failed.failure) = (Some(reason.to_string()), Some(Failure::Redaction));
                sink.note(failed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_of_one_name_get_two_places() {
        assert_eq!(free_path("a", &[]), "texts/a.txt");
        assert_eq!(free_path("a", &["texts/a.txt", "texts/a-2.txt"]), "texts/a-3.txt");
        assert_eq!(file_name(Path::new("/tmp/终端.txt")), "终端");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read_given(&["/no/such/file"]).unwrap_err().to_string();
        assert!(error.contains("/no/such/file") && error.contains("hint:"), "{error}");
    }
}
