//! Running a command or reading a file of the host, within limits of time and size.

use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::capture::{End, Section};
use super::group::{self, Group, Mark};

/// Most bytes kept of one command or file.
const LIMIT: usize = 512 * 1024;

/// Where tools lie on machines whose `PATH` does not say so.
pub const USUAL_DIRECTORIES: &[&str] =
    &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/opt/bin", "/snap/bin"];

/// Runs a command found in our own `PATH` or in [`USUAL_DIRECTORIES`], in the C locale, without input.
///
/// Standard error follows standard output in the text: it holds the reason when a tool fails.
pub async fn command(line: &[&str], limit: Duration) -> Section {
    let label = line.join(" ");
    let Some(program) = find(line[0]) else { return Section::new(label, "", End::NotFound) };
    let mut command = tokio::process::Command::new(program);
    command.args(&line[1..]).env("LC_ALL", "C").env("PATH", search_path());
    run(command, label, limit).await
}

/// Runs a prepared command in a process group of its own. When its time is over, or whoever waits for it gives up, the
/// group is asked to end ([`group`]); what does not is left alone, and the section says so.
pub async fn run(mut command: tokio::process::Command, label: String, limit: Duration) -> Section {
    command.process_group(0);
    run_leader(command, label, limit, None).await
}

/// The same for a command that is or makes itself the leader of a group. `mark`: what was put on it.
pub async fn run_leader(
    mut command: tokio::process::Command,
    label: String,
    limit: Duration,
    mark: Option<Mark>,
) -> Section {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Section::new(label, "", end_of(&error)),
    };
    let group = Group::led_by(&child, mark);
    let stdout = Pipe::read(child.stdout.take());
    let stderr = Pipe::read(child.stderr.take());

    let ended = tokio::time::timeout(limit, child.wait()).await;
    // A child of the child may hold the pipes open; what it might still say is not waited for.
    let patience = if ended.is_ok() { Duration::from_millis(300) } else { Duration::ZERO };
    let ((mut text, mut missing), (errors, more)) =
        tokio::join!(stdout.take(patience), stderr.take(patience));
    missing += more;
    if !errors.is_empty() {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&errors);
    }
    let end = match ended {
        Err(_) => give_up(&mut child, group, limit).await,
        Ok(ended) => {
            group.settle();
            match ended {
                Err(error) => End::Failed(error.to_string()),
                Ok(_) if missing > 0 => End::Cut(missing),
                Ok(status) => match status.code() {
                    Some(code) => End::Exit(code),
                    None => End::Failed(status.to_string()),
                },
            }
        }
    };
    Section::new(label, text, end)
}

/// Asks what did not end in time to end now.
async fn give_up(child: &mut tokio::process::Child, group: Group, limit: Duration) -> End {
    let seconds = limit.as_secs().max(1);
    group.ask();
    if tokio::time::timeout(group::FAIR_WHILE, child.wait()).await.is_ok() {
        group.settle();
        return End::TimedOut(seconds);
    }
    let process = group.id();
    group.forget();
    End::LeftRunning { seconds, process }
}

/// What a pipe has given so far; the task that fills it may be left behind.
struct Pipe {
    seen: Arc<Mutex<(Vec<u8>, u64)>>,
    task: tokio::task::JoinHandle<()>,
}

impl Pipe {
    fn read(source: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let seen = Arc::new(Mutex::new((Vec::new(), 0)));
        let filled = seen.clone();
        let task = tokio::spawn(async move {
            let Some(mut source) = source else { return };
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = source.read(&mut buffer).await {
                let mut seen = filled.lock().expect("no holder of this lock panics");
                let kept = count.min(LIMIT - seen.0.len());
                seen.0.extend_from_slice(&buffer[..kept]);
                seen.1 += (count - kept) as u64;
            }
        });
        Self { seen, task }
    }

    async fn take(mut self, patience: Duration) -> (String, u64) {
        let _ = tokio::time::timeout(patience, &mut self.task).await;
        self.task.abort();
        let seen = self.seen.lock().expect("no holder of this lock panics");
        (String::from_utf8_lossy(&seen.0).into_owned(), seen.1)
    }
}

/// Reads a regular file. The label is the `cat` that shows the same.
pub async fn file(path: impl Into<PathBuf>, limit: Duration) -> Section {
    let path = path.into();
    let label = format!("cat {}", path.display());
    match detached(limit, move || read_bounded(&path)).await {
        None => Section::new(label, "", End::TimedOut(limit.as_secs().max(1))),
        Some(Err(error)) => Section::new(label, "", end_of(&error)),
        Some(Ok((text, 0))) => Section::good(label, text),
        Some(Ok((text, missing))) => Section::new(label, text, End::Cut(missing)),
    }
}

fn read_bounded(path: &Path) -> io::Result<(String, u64)> {
    let file = std::fs::File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(LIMIT as u64).read_to_end(&mut bytes)?;
    // Files of the kernel say that they have no length.
    let missing = metadata.len().saturating_sub(bytes.len() as u64);
    Ok((String::from_utf8_lossy(&bytes).into_owned(), missing))
}

pub fn end_of(error: &io::Error) -> End {
    match error.kind() {
        io::ErrorKind::NotFound => End::NotFound,
        io::ErrorKind::PermissionDenied => End::Denied,
        _ => End::Failed(error.to_string()),
    }
}

/// Runs a call that may block for ever (a dead network file system, a resolver) on a thread of its own, which is
/// left behind when the time is over. `None`: it did not end in time.
///
/// tokio's blocking pool is no place for it: the runtime waits for that pool before the program can end.
pub async fn detached<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, answer) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("probe".into()).spawn(move || drop(done.send(call()))).ok()?;
    tokio::time::timeout(limit, answer).await.ok()?.ok()
}

/// The first executable file of this name.
pub fn find(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return is_executable(Path::new(program)).then(|| program.into());
    }
    search_directories().into_iter().map(|folder| folder.join(program)).find(|path| is_executable(path))
}

pub fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// Our own `PATH`, then the usual places.
pub fn search_directories() -> Vec<PathBuf> {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&own).filter(|p| p.is_absolute()).collect();
    for usual in USUAL_DIRECTORIES.iter().map(PathBuf::from) {
        if !folders.contains(&usual) {
            folders.push(usual);
        }
    }
    folders
}

fn search_path() -> std::ffi::OsString {
    std::env::join_paths(search_directories()).unwrap_or_else(|_| USUAL_DIRECTORIES.join(":").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits until no process has this command line; the machine may be busy.
    async fn gone(line: &str) {
        let pattern = format!("^{line}$");
        for _ in 0..600 {
            let left = command(&["pgrep", "-f", &pattern], Duration::from_secs(60)).await;
            if left.end == End::Exit(1) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("still there: {line}");
    }

    /// A number of seconds that only this test sleeps for.
    fn marker(test: u32) -> String {
        format!("{}{:07}", 30 + test, std::process::id())
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_stopped_with_its_children_and_keeps_its_words() {
        let marker = marker(1);
        let script = format!("echo begun; sleep {marker} & sleep {marker}");
        let section = command(&["sh", "-c", &script], Duration::from_secs(1)).await;
        assert_eq!(section.end, End::TimedOut(1));
        assert_eq!(section.text, "begun\n");
        gone(&format!("sleep {marker}")).await;
    }

    #[tokio::test]
    async fn what_is_stopped_cleans_up_behind_itself() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("lock");
        let script =
            format!("trap 'rm {0}' EXIT; touch {0}; echo held; sleep {1}", lock.display(), marker(2));
        let section = command(&["bash", "-c", &script], Duration::from_secs(2)).await;
        assert_eq!((section.text.as_str(), section.end), ("held\n", End::TimedOut(2)));
        assert!(!lock.exists());
    }

    #[tokio::test]
    async fn what_does_not_listen_is_left_alone_and_named() {
        let script = format!("trap '' TERM; sleep {}", marker(3));
        let section = command(&["sh", "-c", &script], Duration::from_secs(1)).await;
        let End::LeftRunning { seconds: 1, process } = section.end else { panic!("{section:?}") };
        let group = rustix::process::Pid::from_raw(process).unwrap();
        assert!(rustix::process::test_kill_process_group(group).is_ok(), "it was not killed");
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_leaves_nothing_behind() {
        let marker = marker(4);
        let line = ["sh", "-c", &format!("sleep {marker} & sleep {marker}")].map(str::to_owned);
        let waiting = tokio::spawn(async move {
            command(&line.each_ref().map(String::as_str), Duration::from_secs(600)).await
        });
        while command(&["pgrep", "-f", &format!("^sleep {marker}$")], Duration::from_secs(60)).await.end
            != End::Exit(0)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        waiting.abort();
        gone(&format!("sleep {marker}")).await;
    }

    #[tokio::test]
    async fn a_grandchild_that_keeps_the_pipe_does_not_hold_us_up() {
        let marker = marker(5);
        let script = format!("echo done; sleep {marker} &");
        let section = command(&["sh", "-c", &script], Duration::from_secs(600)).await;
        assert_eq!((section.text.as_str(), section.end), ("done\n", End::Exit(0)));
        gone(&format!("sleep {marker}")).await;
    }

    #[tokio::test]
    async fn errors_are_ends() {
        let second = Duration::from_secs(5);
        assert_eq!(command(&["no-such-tool-here"], second).await.end, End::NotFound);
        assert_eq!(command(&["sh", "-c", "echo why >&2; exit 3"], second).await, {
            Section::new("sh -c echo why >&2; exit 3", "why\n", End::Exit(3))
        });
        assert_eq!(file("/no/such/file", second).await.end, End::NotFound);
        assert_eq!(file("/", second).await.end, End::Failed("no regular file".into()));
    }

    #[tokio::test]
    async fn long_output_is_cut_and_counted() {
        let section = command(&["head", "-c", "600000", "/dev/zero"], Duration::from_secs(10)).await;
        assert_eq!(section.text.len(), LIMIT);
        assert_eq!(section.end, End::Cut(600_000 - LIMIT as u64));
    }
}
