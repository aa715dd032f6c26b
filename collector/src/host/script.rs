//! The most important probes as a POSIX shell script, and reading what it printed.
//!
//! It stands in where this program cannot run: on a node of another architecture, or where somebody can only paste
//! a text. It prints the same labels that the probes use, so that the same functions draw facts from it.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::capture::{Capture, End, Section};
use super::{HostOptions, PROBES};

/// Begins every line that is not output of a command.
const MARK: &str = "@@casebook ";
const VERSION: &str = "host-script 1";
/// No command may run longer, in seconds, where the host has `timeout`.
const LIMIT: u64 = 8;

const PRELUDE: &str = r#"LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
if command -v timeout >/dev/null 2>&1; then LIMIT="timeout $SECONDS_EACH"; else LIMIT=; fi
begin() { printf '%s\n' "@@casebook begin $1"; }
end() { printf '\n%s\n' "@@casebook end $1"; }
run() {
  begin "$*"
  if command -v "$1" >/dev/null 2>&1; then $LIMIT "$@" 2>&1 </dev/null; end $?; else end missing; fi
}
show() {
  begin "cat $1"
  if [ ! -e "$1" ]; then end missing; elif [ ! -r "$1" ]; then end denied; else cat "$1" 2>&1; end $?; fi
}
"#;

/// The script. It reads only, writes nothing but standard output and needs no arguments.
pub fn script(options: &HostOptions) -> String {
    let mut text =
        String::from("#!/bin/sh\n# Reads facts of this host; changes nothing. Its output goes to support.\n");
    let _ = writeln!(text, "SECONDS_EACH={LIMIT}");
    // Names come from the cluster: nothing but the letters of names may reach a shell.
    let names: Vec<&str> = options.names.iter().map(String::as_str).filter(|name| is_plain(name)).collect();
    let _ = writeln!(text, "NAMES='{}'", names.join(" "));
    text.push_str(PRELUDE);
    let _ = writeln!(text, "printf '%s\\n' \"{MARK}{VERSION} $(uname -n) $(date +%s.%N)\"");
    for probe in PROBES {
        let _ = writeln!(text, "printf '%s\\n' '{MARK}probe {}'", probe.name);
        text.push_str(probe.script);
    }
    let _ = writeln!(text, "printf '%s\\n' '{MARK}done'");
    text
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c))
}

/// What the script printed, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Printed {
    /// `uname -n` of the host.
    pub host: String,
    /// The host's clock when the script began.
    pub time: Option<Timestamp>,
    /// Half of what the host's `date` cannot tell apart: 500 where it knows whole seconds only.
    pub time_error_ms: i64,
    /// By the name of the probe, in the script's order.
    pub probes: Vec<(String, Capture)>,
    /// The last line was there: nothing was cut off.
    pub whole: bool,
}

/// `None`: the text is not the script's output.
pub fn read(text: &str) -> Option<Printed> {
    let start = text.find(&format!("{MARK}{VERSION} "))?;
    let mut lines = text[start..].lines();
    let head = lines.next()?;
    let mut words = head[MARK.len() + VERSION.len()..].split_whitespace();
    let host = words.next().unwrap_or_default().to_owned();
    let clock = words.next().and_then(seconds);
    let mut printed = Printed {
        host,
        time: clock.map(|(time, _)| time),
        time_error_ms: clock.map_or(0, |(_, error)| error),
        ..Printed::default()
    };
    let mut open: Option<Section> = None;
    for line in lines {
        let line = line.trim_end_matches('\r');
        let Some(word) = line.strip_prefix(MARK) else {
            if let Some(section) = &mut open {
                section.text.push_str(line);
                section.text.push('\n');
            }
            continue;
        };
        if let Some(name) = word.strip_prefix("probe ") {
            printed.probes.push((name.to_owned(), Capture::default()));
        } else if let Some(label) = word.strip_prefix("begin ") {
            open = Some(Section::new(label, "", End::Failed("the output ends here".to_owned())));
        } else if let Some(code) = word.strip_prefix("end ") {
            if let (Some(section), Some((_, capture))) = (open.take(), printed.probes.last_mut()) {
                capture.push(close(section, code));
            }
        } else if word == "done" {
            printed.whole = true;
            break;
        }
    }
    if let (Some(section), Some((_, capture))) = (open, printed.probes.last_mut()) {
        capture.push(section);
    }
    Some(printed)
}

/// Seconds since 1970, with a fraction where the host's `date` knows `%N`, and how far off that may be.
fn seconds(word: &str) -> Option<(Timestamp, i64)> {
    let whole = word.split('.').next()?.parse::<i64>().ok()?;
    let fraction = word.split('.').nth(1).and_then(|digits| digits.get(..3)?.parse::<i64>().ok());
    // Without a fraction the middle of the second is the best guess.
    let time =
        Timestamp::from_millisecond(whole.checked_mul(1000)?.checked_add(fraction.unwrap_or(500))?).ok()?;
    Some((time, if fraction.is_some() { 1 } else { 500 }))
}

/// The line break that the script put before the mark is not the command's.
fn close(mut section: Section, code: &str) -> Section {
    if section.text.ends_with('\n') {
        section.text.pop();
    }
    section.end = match code {
        "missing" => End::NotFound,
        "denied" => End::Denied,
        // What timeout(1) returns.
        "124" => End::TimedOut(LIMIT),
        code => code.parse().map_or_else(|_| End::Failed(code.to_owned()), End::Exit),
    };
    section
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::super::facts::Facts;
    use super::super::{Context, facts_of, ipv6, system};
    use super::*;

    fn run_with(shell: &[&str], options: &HostOptions) -> String {
        // Of a user whose profile is known.
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(shell[0])
            .args(&shell[1..])
            .env("HOME", home.path())
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(script(options).as_bytes()).unwrap();
        String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
    }

    #[tokio::test]
    async fn the_script_and_the_program_agree_on_this_machine() {
        let options =
            HostOptions { names: vec!["localhost".into(), "$(reboot)".into()], ..HostOptions::default() };
        assert!(!script(&options).contains("reboot"));
        let printed = read(&run_with(&["sh"], &options)).unwrap();
        assert!(printed.whole);
        assert!(printed.time.unwrap().duration_until(Timestamp::now()).as_secs() < 60);
        assert_eq!(printed.probes.len(), PROBES.len());

        let done =
            printed.probes.into_iter().enumerate().map(|(at, (_, capture))| (at, Some(capture))).collect();
        let by_script = facts_of("a", &HostOptions::default(), done);
        let mut by_program = Facts::default();
        let context = std::sync::Arc::new(Context::default());
        system::understand(&system::gather(context.clone()).await, &mut by_program);
        ipv6::understand(&ipv6::gather(context).await, &mut by_program);
        assert_eq!((&by_script.os, &by_script.kernel), (&by_program.os, &by_program.kernel));
        assert_eq!(by_script.memory.unwrap().total, by_program.memory.unwrap().total);
        assert_eq!(by_script.ipv6.as_ref().unwrap().socket_opens, None, "a shell cannot open one");
        assert_eq!(by_script.ipv6.unwrap().module, by_program.ipv6.unwrap().module);
        assert!(by_script.disks.unwrap().iter().any(|disk| disk.mount == "/"));
        assert!(by_script.path.unwrap().login.unwrap().iter().any(|folder| folder == "/usr/bin"));
        assert!(!by_script.tools.unwrap()["helmfile"].paths.iter().any(|path| path == "-"));
        let names = by_script.names.unwrap();
        assert_eq!((names.len(), names[0].error.as_deref()), (1, None));
    }

    #[test]
    fn cut_output_keeps_what_came_and_says_that_it_is_cut() {
        let text = "motd\n@@casebook host-script 1 node-1\n@@casebook probe clock\n@@casebook begin chronyc -n tracking\n\n\
                    @@casebook end missing\n@@casebook begin ntpq -pn\nhalf";
        let printed = read(text).unwrap();
        assert_eq!((printed.host.as_str(), printed.whole), ("node-1", false));
        let sections = &printed.probes[0].1.sections;
        assert_eq!(sections[0].end, End::NotFound);
        assert_eq!((sections[1].text.as_str(), sections.len()), ("half\n", 2));
        assert_eq!(read("some other text"), None);
    }
}
