//! The end of a program that we started: asked, given a fair while, and never killed outright.
//!
//! A probe may run what is not ours: a login shell with its user's start-up files, a tool that is a wrapper of
//! somebody's version manager. Such a program may hold a lock, and one that is killed outright leaves it for good
//! (`pyenv rehash` in a `.bashrc` then holds up each later login for a minute). So its process group gets SIGTERM, which
//! lets traps and clean-ups run, and whoever does not end then is left alone and named in the ledger.

use std::ffi::OsStr;
use std::time::Duration;

use procfs::process::{Process, all_processes};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

/// How long a program has to end once it was asked to.
pub const FAIR_WHILE: Duration = Duration::from_secs(5);
/// Between two looks at whether all of it is gone.
const LOOK: Duration = Duration::from_millis(100);
/// In the environment of what is looked for outside of its group too.
const MARK: &str = "CASEBOOK_PROBE";

/// A process group of our own making. Whatever is left of it when this is dropped is asked to end.
#[derive(Debug)]
pub struct Group {
    leader: Option<Pid>,
    mark: Option<Mark>,
}

/// Marks a program and all that it starts, daemons that leave its group too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// One that no other program has.
    pub fn new() -> Self {
        Self(format!("{}-{:016x}", std::process::id(), fastrand::u64(..)))
    }

    /// Puts it on a program that is about to be started.
    pub fn put_on(&self, command: &mut std::process::Command) {
        command.env(MARK, &self.0);
    }

    /// Processes that bear it and may be looked at.
    fn bearers(&self) -> Vec<Process> {
        let bears = |process: &Process| {
            let value = process.environ().ok().and_then(|mut all| all.remove(OsStr::new(MARK)));
            value.is_some_and(|value| value.as_os_str() == OsStr::new(&self.0))
        };
        let all = all_processes().ok().into_iter().flatten().flatten();
        all.filter(|process| bears(process) && process.stat().is_ok_and(|stat| stat.state != 'Z')).collect()
    }
}

/// Now, as the kernel counts the starts of processes: in clock ticks since it came up.
pub fn now() -> u64 {
    let up = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds: f64 = up.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default();
    (seconds * rustix::param::clock_ticks_per_second() as f64) as u64
}

/// Asks a process to end if it was started after `begun`.
pub fn ask_if_younger(process: i32, begun: u64) {
    let younger = Process::new(process).and_then(|p| p.stat()).is_ok_and(|stat| stat.starttime > begun);
    if younger && let Some(pid) = Pid::from_raw(process) {
        let _ = kill_process(pid, Signal::TERM);
    }
}

impl Group {
    /// The group whose leader is this child. `mark`: the one that was put on it.
    pub fn led_by(child: &tokio::process::Child, mark: Option<Mark>) -> Self {
        Self { leader: child.id().and_then(|id| Pid::from_raw(id.cast_signed())), mark }
    }

    /// Number of the leader's process.
    pub fn id(&self) -> i32 {
        self.leader.map_or(0, Pid::as_raw_pid)
    }

    /// Asks all of it to end, each process once: what a trap starts to clean up behind its shell is left to its work. A
    /// stopped process hears it too.
    pub fn ask(&self) {
        let leader = self.leader.map_or(0, Pid::as_raw_pid);
        let elsewhere = |process: &Process| process.stat().is_ok_and(|stat| stat.pgrp != leader);
        let outside: Vec<Process> = self.marked().into_iter().filter(elsewhere).collect();
        // An error says that it is gone, which is what we want.
        if let Some(leader) = self.leader {
            let _ = kill_process_group(leader, Signal::TERM);
            let _ = kill_process_group(leader, Signal::CONT);
        }
        for pid in outside.iter().filter_map(|process| Pid::from_raw(process.pid)) {
            let _ = kill_process(pid, Signal::TERM);
            let _ = kill_process(pid, Signal::CONT);
        }
    }

    /// Lets what is left of it end by itself, and asks after a fair while. Waits for nothing: a task sees to it, and
    /// asks at once when the program ends before.
    pub fn settle(self) {
        if self.is_gone() {
            return self.forget();
        }
        tokio::spawn(async move {
            let end = tokio::time::Instant::now() + FAIR_WHILE;
            while tokio::time::Instant::now() < end {
                tokio::time::sleep(LOOK).await;
                if self.is_gone() {
                    return self.forget();
                }
            }
        });
    }

    /// Leaves it alone from now on.
    pub fn forget(mut self) {
        (self.leader, self.mark) = (None, None);
    }

    fn is_gone(&self) -> bool {
        self.leader.is_none_or(|leader| test_kill_process_group(leader).is_err()) && self.marked().is_empty()
    }

    fn marked(&self) -> Vec<Process> {
        self.mark.as_ref().map(Mark::bearers).unwrap_or_default()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.ask();
    }
}
