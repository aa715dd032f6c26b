//! The watched command, in a terminal of its own: it sees a terminal as it always does, the user sees and answers
//! it, and what it prints is kept.

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::termios::{self, OptionalActions, Termios};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use crate::logs::head_tail::{HeadTail, Kept};

/// Bytes that are kept of what the command prints, from its beginning and from its end.
const HEAD: usize = 4 << 20;
const TAIL: usize = 12 << 20;

/// Time for a command to end once its terminal is gone.
const FAREWELL: Duration = Duration::from_secs(2);

/// A command that has ended, or was left.
#[derive(Debug)]
pub struct Ended {
    /// As typed.
    pub line: String,
    /// `None` when the watch ended before the command did.
    pub status: Option<ExitStatus>,
    pub printed: Kept,
}

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("cannot run {program}: {words}\nhint: give the command as one would type it, behind --")]
    Start { program: String, words: String },
    #[error("cannot make a terminal for the command: {0}")]
    Terminal(String),
}

/// Runs `words` to its end, or until `stop`; then its terminal is closed, as it would be without this program.
///
/// # Errors
/// When it cannot be started.
pub async fn run(words: &[String], stop: impl Future<Output = ()>) -> Result<Ended, CommandError> {
    let terminal = |e: pty_process::Error| CommandError::Terminal(e.to_string());
    let (program, arguments) = words.split_first().expect("a command has at least its name");
    let (pty, pts) = pty_process::open().map_err(terminal)?;
    resize(&pty);
    // Never killed: it may be an installation, or hold a lock. Whoever does not heed that its terminal is gone goes on.
    let mut child = pty_process::Command::new(program)
        .args(arguments)
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
    let mut stop = pin!(stop);
    let stopped = loop {
        let count = tokio::select! {
            // Linux reports the end of the other side as an error.
            read = from.read(&mut buffer) => read.unwrap_or(0),
            () = &mut stop => break true,
        };
        if count == 0 {
            break false;
        }
        printed.push(&buffer[..count]);
        let mut out = std::io::stdout().lock();
        // A closed standard output must not end the command.
        let _ = out.write_all(&buffer[..count]).and_then(|()| out.flush());
    };
    typing.abort();
    // Its end of the terminal went with the task; with this one the command is told that its terminal is gone.
    let _ = typing.await;
    drop(from);
    let status = if stopped {
        timeout(FAREWELL, child.wait()).await.ok().transpose()
    } else {
        child.wait().await.map(Some)
    };
    drop(raw);
    let status =
        status.map_err(|e| CommandError::Start { program: program.clone(), words: e.to_string() })?;
    let status = status.filter(|_| !stopped);
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
        lines.extend_from_slice(format!("[casebook: `{}` {}]\n", self.line, self.end()).as_bytes());
        lines
    }

    /// How it ended, in words that follow its name.
    pub fn end(&self) -> String {
        match self.status {
            Some(status) => format!("ended with {status}"),
            None => "was still running when the watch was ended".to_owned(),
        }
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
    use std::future::pending;

    #[tokio::test]
    async fn a_command_sees_a_terminal_and_its_words_and_code_are_kept() {
        let words =
            ["sh", "-c", "test -t 1 && echo 'on a terminal'; echo oops >&2; exit 3"].map(str::to_owned);
        let ended = run(&words, pending()).await.unwrap();
        assert_eq!(ended.status.unwrap().code(), Some(3));
        let text = String::from_utf8(ended.text()).unwrap();
        assert!(text.starts_with("on a terminal\noops\n[casebook: `sh -c "), "{text:?}");
        assert!(text.ends_with("ended with exit status: 3]\n"), "{text:?}");
    }

    #[tokio::test]
    async fn what_a_command_printed_until_the_watch_was_ended_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (begun, told) = (folder.path().join("begun"), folder.path().join("told"));
        let script =
            "trap 'touch \"$2\"; exit 0' HUP; echo so far; touch \"$1\"; while :; do sleep 0.1; done";
        let words = ["sh", "-c", script, "-", begun.to_str().unwrap(), told.to_str().unwrap()];
        let there = |path: std::path::PathBuf| async move {
            while !path.exists() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // What it printed before has to come through the terminal.
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        let ended = run(&words.map(str::to_owned), there(begun)).await.unwrap();
        // It is told that its terminal is gone, and has its time to end.
        there(told).await;
        let text = String::from_utf8(ended.text()).unwrap();
        assert!(text.starts_with("so far\n"), "{text:?}");
        assert!(text.ends_with("was still running when the watch was ended]\n"), "{text:?}");
    }

    #[tokio::test]
    async fn a_command_that_does_not_exist_is_named() {
        let error = run(&["/no/such/program".to_owned()], pending()).await.unwrap_err().to_string();
        assert!(error.contains("/no/such/program") && error.contains("hint:"), "{error}");
    }
}
