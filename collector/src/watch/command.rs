//! The watched command, in a terminal of its own: it sees a terminal as it always does, the user sees and answers
//! it, and what it prints is kept.

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::ExitStatus;

use rustix::termios::{self, OptionalActions, Termios};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};

use crate::logs::head_tail::{HeadTail, Kept};

/// Bytes that are kept of what the command prints, from its beginning and from its end.
const HEAD: usize = 4 << 20;
const TAIL: usize = 12 << 20;

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    /// As typed.
    pub line: String,
    pub status: ExitStatus,
    pub printed: Kept,
}

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("cannot run {program}: {words}\nhint: give the command as one would type it, behind --")]
    Start { program: String, words: String },
    #[error("cannot make a terminal for the command: {0}")]
    Terminal(String),
}

/// Runs `words` to its end.
///
/// # Errors
/// When it cannot be started.
pub async fn run(words: &[String]) -> Result<Ended, CommandError> {
    let terminal = |e: pty_process::Error| CommandError::Terminal(e.to_string());
    let (program, arguments) = words.split_first().expect("a command has at least its name");
    let (pty, pts) = pty_process::open().map_err(terminal)?;
    resize(&pty);
    let mut child = pty_process::Command::new(program)
        .args(arguments)
        .kill_on_drop(true)
        .spawn(pts)
        .map_err(|e| CommandError::Start { program: program.clone(), words: e.to_string() })?;
    let raw = Raw::enter();
    let (mut from, mut to) = pty.into_split();
    let typing = tokio::spawn(async move {
        let mut stdin = tokio::io::stdin();
        let mut buffer = [0; 4096];
        let mut sizes = signal(SignalKind::window_change()).ok();
        loop {
            tokio::select! {
                read = stdin.read(&mut buffer) => match read {
                    Ok(count) if count > 0 => if to.write_all(&buffer[..count]).await.is_err() { return },
                    // Without a keyboard the command still runs to its end.
                    _ => std::future::pending().await,
                },
                _ = async { match &mut sizes { Some(s) => s.recv().await, None => std::future::pending().await } } => {
                    if let Some(size) = size() {
                        // A terminal of the wrong size is a blemish at most.
                        let _ = to.resize(size);
                    }
                }
            }
        }
    });
    let mut printed = HeadTail::new(HEAD, TAIL);
    let mut buffer = vec![0; 64 << 10];
    // Linux reports the end of the other side as an error.
    while let Ok(count) = from.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        printed.push(&buffer[..count]);
        let mut out = std::io::stdout().lock();
        // A closed standard output must not end the command.
        let _ = out.write_all(&buffer[..count]).and_then(|()| out.flush());
    }
    let status = child.wait().await;
    typing.abort();
    drop(raw);
    let status =
        status.map_err(|e| CommandError::Start { program: program.clone(), words: e.to_string() })?;
    Ok(Ended { line: words.join(" "), status, printed: printed.finish() })
}

impl Ended {
    /// What was printed, with the line breaks of a file, a marker where something is missing, and how it ended.
    pub fn text(&self) -> Vec<u8> {
        let mut text = self.printed.head.clone();
        if self.printed.missing > 0 {
            text.extend_from_slice(shared::bundle::truncation::marker(Some(self.printed.missing)).as_bytes());
            text.extend_from_slice(&self.printed.tail);
        }
        let mut lines: Vec<u8> = Vec::with_capacity(text.len());
        for (at, byte) in text.iter().enumerate() {
            if *byte != b'\r' || text.get(at + 1) != Some(&b'\n') {
                lines.push(*byte);
            }
        }
        if !lines.is_empty() && !lines.ends_with(b"\n") {
            lines.push(b'\n');
        }
        lines.extend_from_slice(
            format!("[casebook: `{}` ended with {}]\n", self.line, self.status).as_bytes(),
        );
        lines
    }
}

/// The user's terminal passes keys on instead of acting on them; undone when dropped.
struct Raw(Option<Termios>);

impl Raw {
    fn enter() -> Self {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            return Self(None);
        }
        let Ok(before) = termios::tcgetattr(stdin.as_fd()) else { return Self(None) };
        let mut raw = before.clone();
        raw.make_raw();
        match termios::tcsetattr(stdin.as_fd(), OptionalActions::Now, &raw) {
            Ok(()) => Self(Some(before)),
            Err(_) => Self(None),
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // There is nobody left to tell.
            let _ = termios::tcsetattr(std::io::stdin().as_fd(), OptionalActions::Now, before);
        }
    }
}

fn size() -> Option<pty_process::Size> {
    let size = termios::tcgetwinsize(std::io::stdout().as_fd()).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then(|| pty_process::Size::new(size.ws_row, size.ws_col))
}

fn resize(pty: &pty_process::Pty) {
    // A program that cannot know its terminal's width wraps at 80 columns; long error lines are worth more whole.
    let size = size().unwrap_or_else(|| pty_process::Size::new(50, 400));
    let _ = pty.resize(size);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_sees_a_terminal_and_its_words_and_code_are_kept() {
        let words =
            ["sh", "-c", "test -t 1 && echo 'on a terminal'; echo oops >&2; exit 3"].map(str::to_owned);
        let ended = run(&words).await.unwrap();
        assert_eq!(ended.status.code(), Some(3));
        let text = String::from_utf8(ended.text()).unwrap();
        assert!(text.starts_with("on a terminal\noops\n[casebook: `sh -c "), "{text:?}");
        assert!(text.ends_with("ended with exit status: 3]\n"), "{text:?}");
    }

    #[tokio::test]
    async fn a_command_that_does_not_exist_is_named() {
        let error = run(&["/no/such/program".to_owned()]).await.unwrap_err().to_string();
        assert!(error.contains("/no/such/program") && error.contains("hint:"), "{error}");
    }
}
