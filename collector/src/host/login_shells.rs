//! What `PATH` the login shells that are running have, without starting one.
//!
//! A login shell is known by the `-` before its name. Its own environment is what it was started with, before its
//! profile; that of a program which it started is what the profile made of it.

use std::path::Path;

use procfs::process::{Process, all_processes};

/// `PATH` of the youngest program that the youngest login shell of this user has started. `None` where there is no
/// such shell, where it has started nothing, or where that may not be read.
pub fn path_of(uid: u32) -> Option<String> {
    // What ends while we look is not there.
    let stats: Vec<_> = all_processes().ok()?.flatten().filter_map(|p| Some((p.stat().ok()?, p))).collect();
    let shells = || stats.iter().filter(|(_, process)| is_login_shell(process, uid));
    let mut children: Vec<_> = shells()
        .flat_map(|(shell, _)| {
            let of_shell = stats.iter().filter(|(stat, _)| stat.ppid == shell.pid);
            of_shell.map(|(stat, process)| ((shell.starttime, stat.starttime), process))
        })
        .collect();
    children.sort_by_key(|(age, _)| std::cmp::Reverse(*age));
    children.into_iter().find_map(|(_, process)| path_in(process))
}

fn is_login_shell(process: &Process, uid: u32) -> bool {
    process.uid().is_ok_and(|owner| owner == uid)
        && process.cmdline().is_ok_and(|words| words.first().is_some_and(|name| name.starts_with('-')))
}

/// Nothing else of the environment is kept.
fn path_in(process: &Process) -> Option<String> {
    let path = process.environ().ok()?.remove(std::ffi::OsStr::new("PATH"))?.into_string().ok()?;
    path.split(':').any(|folder| Path::new(folder).is_absolute()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};

    #[test]
    fn the_path_that_a_profile_made_is_seen_in_what_the_shell_started() {
        let home = tempfile::tempdir().unwrap();
        let profile = "PATH=/opt/bk/bin:/usr/bin:/bin\nexport PATH SECRET=tiger\n";
        std::fs::write(home.path().join(".bash_profile"), profile).unwrap();
        let mut shell = Command::new("/bin/bash")
            .arg0("-bash")
            .env_clear()
            .envs([("HOME", home.path().as_os_str()), ("PATH", "/bin".as_ref())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = shell.stdin.take().unwrap();
        // The child ends with its shell, since its input does.
        input.write_all(b"sh -c 'echo there; cat'\n").unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let uid = rustix::process::geteuid().as_raw();
        assert_eq!(path_of(uid).as_deref(), Some("/opt/bk/bin:/usr/bin:/bin"));
        drop(input);
        shell.wait().unwrap();
        assert_eq!(path_of(u32::MAX - 1), None);
    }
}
