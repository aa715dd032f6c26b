//! Running a program and keeping everything it said.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// How a program ended and what it said.
#[derive(Debug, Clone)]
pub struct Run {
    /// The command line, for messages.
    pub line: String,
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    fn new(line: String, output: Output) -> Run {
        Run {
            line,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// This run, if the exit code is the expected one.
    ///
    /// # Errors
    /// With everything the program said, when it ended otherwise.
    pub fn expect_code(self, code: i32) -> Result<Run> {
        if self.code != Some(code) {
            bail!(
                "`{}` ended with {:?} instead of {code}\nstdout: {}\nstderr: {}",
                self.line,
                self.code,
                self.stdout,
                self.stderr
            );
        }
        Ok(self)
    }
}

fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs to the end, whatever the exit code.
pub fn run(command: &mut Command) -> Result<Run> {
    let line = line(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run `{line}`"))?;
    Ok(Run::new(line, output))
}

/// Runs to the end with `input` on stdin, whatever the exit code.
pub fn run_with_input(command: &mut Command, input: &[u8]) -> Result<Run> {
    let line = line(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run `{line}`"))?;
    let mut stdin = child.stdin.take().context("stdin was asked for")?;
    let bytes = input.to_vec();
    // From a thread: a program that writes before it has read everything would block both otherwise. One that ends
    // without reading closes the pipe, which is its right.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&bytes);
    });
    let output = child.wait_with_output().with_context(|| format!("cannot read from `{line}`"))?;
    let _ = writer.join();
    Ok(Run::new(line, output))
}

/// Runs to the end.
///
/// # Errors
/// When the exit code is not 0.
pub fn succeed(command: &mut Command) -> Result<Run> {
    run(command)?.expect_code(0)
}
