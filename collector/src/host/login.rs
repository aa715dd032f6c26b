//! `PATH` as the user's login shell sees it, and who that user is.
//!
//! Our own environment does not tell: sudo replaces `PATH`, and a service or an editor never had the login's. So the
//! user's own shell is run as a login shell, from the environment that a login starts with, and asked.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::sync::Arc;
use std::time::Duration;

use super::capture::{Capture, End, Section};
use super::facts::{Facts, SearchPath, User};
use super::{Context, run};

/// Stands before the answer, since profiles may print anything.
const MARK: &str = "casebook-login-path:";
const LIMIT: Duration = Duration::from_secs(5);
/// What login gives root where nothing else is configured.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const USER: &str = "user";
const LOGIN: &str = "login shell: echo $PATH";
const SUDO: &str = "login shell of SUDO_USER: echo $PATH";
const OWN: &str = "echo $PATH";

pub const SCRIPT: &str = "\
begin 'echo $PATH'; echo \"$PATH\"; end 0
begin 'login shell: echo $PATH'
( trap '' HUP; exec env -i HOME=\"$HOME\" USER=\"$(id -un)\" SHELL=\"${SHELL:-/bin/sh}\" TERM=dumb \
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
$LIMIT \"${SHELL:-/bin/sh}\" -lc 'echo casebook-login-path:\"$PATH\"' ) </dev/null 2>&1
end $?
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
            capture.push(login_path(account, LOGIN, false).await);
        }
        None => capture.push(Section::new(LOGIN, "", End::Failed(format!("no account with uid {uid}")))),
    }
    if let Ok(name) = std::env::var("SUDO_USER")
        && uid == 0
        && let Some(account) = self::account(&name).await
    {
        capture.push(login_path(&account, SUDO, true).await);
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

async fn login_path(account: &Account, label: &str, become_user: bool) -> Section {
    let base = base_path(account.uid == 0).await;
    let mut command = std::process::Command::new(&account.shell);
    command
        .args(["-lc", &format!("echo {MARK}\"$PATH\"")])
        .env_clear()
        .env("PATH", base)
        .env("HOME", &account.home)
        .env("USER", &account.name)
        .env("LOGNAME", &account.name)
        .env("SHELL", &account.shell)
        .env("TERM", "dumb")
        .current_dir("/");
    if become_user {
        command.uid(account.uid).gid(account.gid);
    }
    let mut section = run::run(command.into(), label.to_owned(), LIMIT).await;
    // A profile may print anything, passwords too: only the answer is kept.
    section.text = answer(&section.text).map_or_else(String::new, |path| format!("{path}\n"));
    if section.text.is_empty() && section.end == End::Exit(0) {
        section.end = End::Failed("the shell ended without an answer".to_owned());
    }
    section
}

fn answer(text: &str) -> Option<&str> {
    text.lines().rev().find_map(|line| line.split_once(MARK)).map(|(_, path)| path.trim())
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
        let path = answer(text).unwrap_or(text);
        Some(path.trim().split(':').filter(|p| !p.is_empty()).map(str::to_owned).collect::<Vec<_>>())
    };
    facts.path =
        Some(SearchPath { login: list(LOGIN), own: list(OWN).unwrap_or_default(), sudo_user: list(SUDO) });
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
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(".bash_profile"), profile).unwrap();
        let account = Account {
            name: "alice".into(),
            uid: 1000,
            gid: 1000,
            home: home.path().to_str().unwrap().into(),
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
    async fn a_profile_that_hangs_is_a_time_out() {
        let section = path_with_profile("exec sleep 60\n").await;
        assert_eq!(section, Section::new(LOGIN, "", End::TimedOut(5)));
    }
}
