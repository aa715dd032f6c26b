//! Words for the person at the terminal. Nobody may be there any more: a terminal that was closed, or a reader that
//! went away, must not take the run with it, as the standard macros would.

use std::io::{self, Write};
use std::path::Path;

use shared::encryption;
use shared::lang::Lang;

use crate::messages::for_terminal;

/// A line on standard error.
pub fn aside(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Warns of a file with a secret key that others than its owner may read.
pub fn if_open_to_others(key: &Path, lang: Lang) {
    if encryption::is_open_to_others(key) {
        aside(&for_terminal(encryption::open_to_others(key).get(lang), 400));
    }
}

/// A text on standard output.
///
/// # Errors
/// When it cannot be written for another reason than that nobody reads it.
pub fn out(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        end => end,
    }
}
