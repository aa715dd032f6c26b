//! What is run against a snapshot: one command, or a shell whose prompt says which snapshot it is.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitStatus;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use super::kubeconfig::Kubeconfig;

/// A command, ready to run against the snapshots of a kubeconfig.
pub fn command(words: &[OsString], kubeconfig: &Kubeconfig, label: &str) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments);
    environment(&mut command, kubeconfig, label);
    Some(command)
}

/// The user's shell.
///
/// # Errors
/// When what sets its prompt cannot be written.
pub fn shell(kubeconfig: &Kubeconfig, label: &str) -> anyhow::Result<Command> {
    let program = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
    let program = program.unwrap_or_else(|| "/bin/sh".into());
    let name = Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned());
    let mut command = Command::new(&program);
    environment(&mut command, kubeconfig, label);
    let write = |name: &str, text: String| {
        let path = kubeconfig.folder().join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        anyhow::Ok(path)
    };
    // The label holds letters, digits and `-_.` alone.
    match name.as_deref() {
        Some("bash") => {
            let rc = format!("[ -r ~/.bashrc ] && . ~/.bashrc\nPS1='({label}) '\"$PS1\"\n");
            command.arg("--rcfile").arg(write("bashrc", rc)?);
        }
        Some("zsh") => {
            let rc = format!(
                "ZDOTDIR=${{CASEBOOK_ZDOTDIR:-$HOME}}\n[[ -r $ZDOTDIR/.zshrc ]] && . $ZDOTDIR/.zshrc\nPROMPT='({label}) '\"$PROMPT\"\n"
            );
            write(".zshrc", rc)?;
            command.env("CASEBOOK_ZDOTDIR", std::env::var_os("ZDOTDIR").unwrap_or_default());
            command.env("ZDOTDIR", kubeconfig.folder());
        }
        _ => {
            command.env("PS1", format!("({label}) $ "));
        }
    }
    Ok(command)
}

fn environment(command: &mut Command, kubeconfig: &Kubeconfig, label: &str) {
    command.env("KUBECONFIG", &kubeconfig.path).env("CASEBOOK_SNAPSHOT", label);
    // What kubectl keeps of a server goes with it, where kubectl knows this variable.
    command.env("KUBECACHEDIR", kubeconfig.folder().join("cache"));
    for name in ["NO_PROXY", "no_proxy"] {
        let mut hosts = std::env::var_os(name).unwrap_or_default();
        if !hosts.is_empty() {
            hosts.push(",");
        }
        hosts.push("127.0.0.1");
        command.env(name, hosts);
    }
}

/// Runs it to its end and gives the exit code that a shell would give: 128 and the signal's number where one ended it.
///
/// An interrupt from the terminal reaches the command by itself, which may go on; a request to end is passed on.
///
/// # Errors
/// When it cannot be started.
pub async fn run(mut command: Command) -> anyhow::Result<u8> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let (mut interrupt, mut quit) = (signal(SignalKind::interrupt())?, signal(SignalKind::quit())?);
    let (mut end, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let mut child = command.spawn().with_context(|| format!("cannot run {program}"))?;
    let pass_on = |child: &tokio::process::Child, signal| {
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        // It may have ended by itself.
        let _ = pid.map(|pid| kill_process(pid, signal));
    };
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.with_context(|| format!("cannot wait for {program}"))?,
            _ = interrupt.recv() => {}
            _ = quit.recv() => {}
            _ = end.recv() => pass_on(&child, Signal::TERM),
            _ = hangup.recv() => pass_on(&child, Signal::HUP),
        }
    };
    Ok(code(status))
}

fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Waits until the user or the system asks for an end.
///
/// # Errors
/// When signals cannot be listened to.
pub async fn until_asked_to_end() -> anyhow::Result<()> {
    let (mut interrupt, mut end) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = end.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}
