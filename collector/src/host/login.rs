//! `PATH` as the user's login shell sees it, and who that user is.
//!
//! Our own environment does not tell: sudo replaces `PATH`, and a service or an editor never had the login's. Best is to
//! look at a login shell that is running ([`login_shells`]), which runs nothing. Only where there is none, the user's
//! own shell is run as a login shell, from the environment that a login starts with, and asked. Its start-up files may
//! do anything, so it has no terminal and no input to wait for, is never killed outright ([`group`]), and what it
//! starts and leaves behind is asked to end too.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::sync::Arc;
use std::time::Duration;

use super::capture::{Capture, End, Section};
use super::facts::{Facts, SearchPath, User};
use super::group::{self, Mark};
use super::{Context, login_shells, run};

/// Stands before the answer, since profiles may print anything.
const MARK: &str = "casebook-login-path:";
/// Stands before the number of the agent that a profile started, if it did.
const AGENT: &str = "casebook-login-agent:";
const LIMIT: Duration = Duration::from_secs(5);
/// Start-up files may be slow and right all the same.
const PATIENCE: Duration = Duration::from_secs(8);
/// What login gives root where nothing else is configured.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const USER: &str = "user";
const RUNNING: &str = "PATH of what a running login shell started";
const SUDO_RUNNING: &str = "PATH of what a running login shell of SUDO_USER started";
const LOGIN: &str = "login shell: echo $PATH";
const SUDO: &str = "login shell of SUDO_USER: echo $PATH";
const OWN: &str = "echo $PATH";

/// `read` is the shell's own, and skips the zero bytes. Without `timeout` and its SIGTERM no start-up file is run.
pub const SCRIPT: &str = "\
begin 'echo $PATH'; echo \"$PATH\"; end 0
begin 'PATH of what a running login shell started'
found=
for d in /proc/[0-9]*; do
  [ -O \"$d\" ] || continue
  c=; IFS= read -r c 2>/dev/null <\"$d/cmdline\" || [ -n \"$c\" ] || continue
  case $c in -*) ;; *) continue ;; esac
  for k in $(cat \"$d/task/${d#/proc/}/children\" 2>/dev/null); do
    p=$(tr '\\0' '\\n' 2>/dev/null <\"/proc/$k/environ\" | sed -n 's/^PATH=//p')
    if [ -n \"$p\" ]; then found=$p; fi
  done
done
if [ -n \"$found\" ]; then echo \"$found\"; end 0; else end missing; fi
begin 'login shell: echo $PATH'
if [ -n \"$found\" ] || [ -z \"$LIMIT\" ]; then end missing; else
alone=; if command -v setsid >/dev/null 2>&1; then alone=setsid; fi
( exec env -i HOME=\"$HOME\" USER=\"$(id -un)\" SHELL=\"${SHELL:-/bin/sh}\" TERM=dumb \
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
$alone $LIMIT \"${SHELL:-/bin/sh}\" -lc 'echo casebook-login-path:\"$PATH\"' ) </dev/null 2>&1
end $?
fi
";

/// One line of the user database.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Account {
    name: String,
    uid: u32,
    gid: u32,
    home: String,
    shell: String,
}

pub async fn gather(context: Arc<Context>) -> Capture {
    context.login().await
}

pub async fn read() -> Capture {
    let mut capture = Capture::default();
    let uid = rustix::process::geteuid().as_raw();
    let account = account(&uid.to_string()).await;
    let own = std::env::var("PATH").unwrap_or_default();
    capture.push(Section::good(OWN, own));
    match &account {
        Some(account) => {
            let sudo = std::env::var("SUDO_USER").unwrap_or_default();
            capture.push(Section::good(USER, format!("{} {uid} {} {sudo}\n", account.name, account.shell)));
            capture.push(path_of(account, [RUNNING, LOGIN], false).await);
        }
        None => capture.push(Section::new(LOGIN, "", End::Failed(format!("no account with uid {uid}")))),
    }
    if let Ok(name) = std::env::var("SUDO_USER")
        && uid == 0
        && let Some(account) = self::account(&name).await
    {
        capture.push(path_of(&account, [SUDO_RUNNING, SUDO], true).await);
    }
    capture
}

async fn account(key: &str) -> Option<Account> {
    let answer = run::command(&["getent", "passwd", key], LIMIT).await;
    if answer.end == End::Exit(0) {
        return parse_account(&answer.text);
    }
    let file = run::file("/etc/passwd", LIMIT).await;
    file.text.lines().filter_map(parse_account).find(|a| a.name == key || a.uid.to_string() == key)
}

fn parse_account(line: &str) -> Option<Account> {
    let fields: Vec<&str> = line.trim().split(':').collect();
    let [name, _, uid, gid, _, home, shell] = fields[..] else { return None };
    let shell = if shell.is_empty() { "/bin/sh" } else { shell };
    Some(Account {
        name: name.to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        home: home.to_owned(),
        shell: shell.to_owned(),
    })
}

/// From a shell that is running, else from one that is run for it. `labels`: of the one and the other.
async fn path_of(account: &Account, [running, login]: [&str; 2], become_user: bool) -> Section {
    let uid = account.uid;
    let seen = run::detached(LIMIT, move || login_shells::path_of(uid)).await.flatten();
    match seen {
        Some(path) => Section::good(running, format!("{path}\n")),
        None => login_path(account, login, become_user).await,
    }
}

async fn login_path(account: &Account, label: &str, become_user: bool) -> Section {
    let base = base_path(account.uid == 0).await;
    // In a session of its own it has no terminal to ask questions at.
    let mut command = match run::find("setsid") {
        Some(setsid) => {
            let mut command = std::process::Command::new(setsid);
            command.arg(&account.shell);
            command
        }
        None => {
            let mut command = std::process::Command::new(&account.shell);
            command.process_group(0);
            command
        }
    };
    let mark = Mark::new();
    command
        .args(["-lc", &format!("echo {MARK}\"$PATH\"; echo {AGENT}\"$SSH_AGENT_PID\"")])
        .env_clear()
        .env("PATH", base)
        .env("HOME", &account.home)
        .env("USER", &account.name)
        .env("LOGNAME", &account.name)
        .env("SHELL", &account.shell)
        .env("TERM", "dumb")
        .current_dir("/");
    mark.put_on(&mut command);
    if become_user {
        command.uid(account.uid).gid(account.gid);
    }
    let begun = group::now();
    let mut section = run::run_leader(command.into(), label.to_owned(), PATIENCE, Some(mark)).await;
    if let Some(agent) = after(AGENT, &section.text).and_then(|id| id.parse().ok()) {
        // An agent hides its environment, and with it the mark, from everybody but root.
        group::ask_if_younger(agent, begun);
    }
    // A profile may print anything, passwords too: only the answer is kept.
    section.text = after(MARK, &section.text).map_or_else(String::new, |path| format!("{path}\n"));
    if section.text.is_empty() && section.end == End::Exit(0) {
        section.end = End::Failed("the shell ended without an answer".to_owned());
    }
    section
}

fn after<'a>(mark: &str, text: &'a str) -> Option<&'a str> {
    text.lines().rev().find_map(|line| line.split_once(mark)).map(|(_, rest)| rest.trim())
}

/// What `PATH` a login starts from: PAM's environment file, else login.defs, else the usual.
async fn base_path(root: bool) -> OsString {
    let environment = run::file("/etc/environment", LIMIT).await.text;
    let defaults = run::file("/etc/login.defs", LIMIT).await.text;
    first_path(&environment, &defaults, root).unwrap_or(DEFAULT_PATH).into()
}

fn first_path<'a>(environment: &'a str, defaults: &'a str, root: bool) -> Option<&'a str> {
    let of_pam = environment.lines().find_map(|line| line.trim().strip_prefix("PATH="));
    let key = if root { "ENV_SUPATH" } else { "ENV_PATH" };
    let of_login =
        defaults.lines().find_map(|line| line.trim().strip_prefix(key)?.trim_start().strip_prefix("PATH="));
    of_pam.or(of_login).map(|path| path.trim().trim_matches(['"', '\''])).filter(|path| !path.is_empty())
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    let list = |label| {
        let text = capture.text(label)?;
        let path = after(MARK, text).unwrap_or(text);
        Some(path.trim().split(':').filter(|p| !p.is_empty()).map(str::to_owned).collect::<Vec<_>>())
    };
    facts.path = Some(SearchPath {
        login: list(RUNNING).or_else(|| list(LOGIN)),
        own: list(OWN).unwrap_or_default(),
        sudo_user: list(SUDO_RUNNING).or_else(|| list(SUDO)),
    });
    if let Some(text) = capture.text(USER)
        && let [name, uid, shell, sudo @ ..] = &text.split_whitespace().collect::<Vec<_>>()[..]
    {
        facts.user = Some(User {
            name: (*name).to_owned(),
            uid: uid.parse().unwrap_or_default(),
            shell: (*shell).to_owned(),
            sudo_user: sudo.first().map(|s| (*s).to_owned()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_starts_from_what_the_system_configures() {
        let pam = "# comment\nPATH=\"/usr/local/bin:/bin\"\n";
        let defs = "ENV_SUPATH\tPATH=/sbin:/bin\nENV_PATH\tPATH=/bin\n";
        assert_eq!(first_path(pam, defs, true), Some("/usr/local/bin:/bin"));
        assert_eq!(first_path("", defs, true), Some("/sbin:/bin"));
        assert_eq!(first_path("", defs, false), Some("/bin"));
        assert_eq!(first_path("", "", false), None);
    }

    /// A home with a profile that talks, loses a directory, and is asked through the shell that reads it.
    async fn path_with_profile(profile: &str) -> Section {
        path_in(tempfile::tempdir().unwrap().path(), profile).await
    }

    async fn path_in(home: &std::path::Path, profile: &str) -> Section {
        std::fs::write(home.join(".bash_profile"), profile).unwrap();
        let account = Account {
            name: "alice".into(),
            uid: 1000,
            gid: 1000,
            home: home.to_str().unwrap().into(),
            shell: "/bin/bash".into(),
        };
        login_path(&account, LOGIN, false).await
    }

    #[tokio::test]
    async fn a_profile_that_loses_a_directory_is_seen_and_its_words_are_not_kept() {
        let section = path_with_profile("echo password is tiger\nPATH=/usr/local/sbin:/usr/bin:/bin\n").await;
        assert_eq!(section, Section::good(LOGIN, "/usr/local/sbin:/usr/bin:/bin\n"));
        let mut facts = Facts::default();
        understand(&Capture { sections: vec![section] }, &mut facts);
        assert_eq!(facts.path.unwrap().login.unwrap(), ["/usr/local/sbin", "/usr/bin", "/bin"]);
    }

    #[tokio::test]
    async fn a_profile_that_hangs_is_a_time_out_and_gives_its_lock_back() {
        let home = tempfile::tempdir().unwrap();
        let lock = home.path().join("lock");
        // What `pyenv rehash` does.
        let profile = format!(
            "set -o noclobber; echo >{0} || {{ touch {0}.waited; return; }}\ntrap 'rm {0}' EXIT\nsleep 100000\n",
            lock.display()
        );
        let section = path_in(home.path(), &profile).await;
        assert_eq!(section, Section::new(LOGIN, "", End::TimedOut(PATIENCE.as_secs())));
        assert!(!lock.exists());
    }

    #[tokio::test]
    async fn a_profile_that_asks_has_nobody_to_ask() {
        let profile = "read -p 'name? ' a </dev/tty; read -p 'really? ' b\nPATH=/bin:/usr/bin\n";
        assert_eq!(path_with_profile(profile).await, Section::good(LOGIN, "/bin:/usr/bin\n"));
    }

    #[tokio::test]
    async fn daemons_that_a_profile_starts_are_asked_to_end() {
        let marker = format!("77{:07}", std::process::id());
        let profile = format!("setsid sleep {marker} >/dev/null 2>&1 </dev/null & disown\n");
        let section = path_with_profile(&profile).await;
        assert_eq!(section.end, End::Exit(0));
        let seen = || async {
            run::command(&["pgrep", "-f", &format!("^sleep {marker}$")], Duration::from_secs(60)).await
        };
        for _ in 0..600 {
            if seen().await.end == End::Exit(1) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("still there: {}", seen().await.text);
    }
}
