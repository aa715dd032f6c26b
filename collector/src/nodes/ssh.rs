//! One ssh connection a node, many at a time, each within its own time.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, Stream, StreamExt as _};
use jiff::Timestamp;
use shared::bundle::manifest::Outcome;
use shared::bundle::paths;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use super::bootstrap::{self, CANNOT_RUN, HELLO};
use super::{Node, trouble};
use crate::host::facts::{Facts, Role};
use crate::host::stream::{Reader, StreamError};
use crate::host::{self, HostItem, HostOptions, script};

/// How nodes are reached.
#[derive(Debug, Clone)]
pub struct SshOptions {
    /// `None`: as the user's ssh settings say.
    pub user: Option<String>,
    /// Each is given to ssh behind `-o`.
    pub options: Vec<String>,
    /// The ssh to run; normally just `ssh`.
    pub program: PathBuf,
    /// The program that is sent; normally this one.
    pub binary: PathBuf,
    /// For everything that is done on one node.
    pub timeout: Duration,
    /// Nodes at the same time.
    pub parallel: usize,
}

impl Default for SshOptions {
    fn default() -> Self {
        Self {
            user: None,
            options: Vec::new(),
            program: "ssh".into(),
            binary: "/proc/self/exe".into(),
            timeout: Duration::from_secs(90),
            parallel: 10,
        }
    }
}

/// Shortest and longest wait for a connection.
const CONNECT_SECONDS: u64 = 10;
/// Most bytes of ssh's own words that are kept.
const STDERR_LIMIT: u64 = 16 * 1024;
/// Most bytes of what a script may print.
const SCRIPT_LIMIT: u64 = 16 << 20;

/// Reads every node. Items of one node come together; a node that fails gives one item that says why.
pub fn collect(
    nodes: Vec<Node>,
    ssh: SshOptions,
    options: HostOptions,
) -> impl Stream<Item = HostItem> + Send {
    let parallel = ssh.parallel.max(1);
    let shared = Arc::new((ssh, options));
    stream::iter(nodes)
        .map(move |node| {
            let shared = shared.clone();
            async move { one(&node, &shared.0, &shared.1).await }
        })
        .buffer_unordered(parallel)
        .flat_map(stream::iter)
}

/// Why one attempt did not give everything.
#[derive(Debug)]
enum Fault {
    /// ssh or the lines it ran ended, with this status and these words.
    Ended(Option<i32>, String),
    Stream(StreamError, String),
    /// The system did not let us start ssh or read the program.
    Here(String),
}

/// What one node gave, and what went wrong at the end.
struct Visit<'a> {
    node: &'a Node,
    ssh: &'a SshOptions,
    options: &'a HostOptions,
    folder: String,
    items: Vec<HostItem>,
}

async fn one(node: &Node, ssh: &SshOptions, options: &HostOptions) -> Vec<HostItem> {
    let facts_path = paths::host_facts(&node.name);
    let folder = facts_path.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned());
    let begun = (Timestamp::now(), Instant::now());
    let mut visit = Visit { node, ssh, options, folder, items: Vec::new() };
    let ended = tokio::time::timeout(ssh.timeout, visit.read()).await;
    let (outcome, note) = match ended {
        Ok(Ok(())) => return visit.items,
        Err(_) => {
            let seconds = ssh.timeout.as_secs();
            (Outcome::TimedOut, format!("{} was not done within {seconds} s and was given up", node.address))
        }
        Ok(Err(Fault::Ended(_, words))) => trouble::of_ssh(&words, &node.address),
        Ok(Err(Fault::Stream(error, words))) if words.trim().is_empty() => {
            (Outcome::Failed, error.to_string())
        }
        Ok(Err(Fault::Stream(error, words))) => {
            let (outcome, said) = trouble::of_ssh(&words, &node.address);
            (outcome, format!("{error}: {said}"))
        }
        Ok(Err(Fault::Here(why))) => (Outcome::Failed, why),
    };
    visit.items.retain(|item| item.path != facts_path);
    visit.items.push(HostItem {
        path: facts_path,
        bytes: Vec::new(),
        outcome,
        source: visit.source(),
        note: Some(note),
        started: begun.0,
        millis: begun.1.elapsed().as_millis() as u64,
    });
    visit.items
}

impl Visit<'_> {
    fn source(&self) -> String {
        match &self.ssh.user {
            Some(user) => format!("ssh {user}@{} casebook-collect host", self.node.address),
            None => format!("ssh {} casebook-collect host", self.node.address),
        }
    }

    async fn read(&mut self) -> Result<(), Fault> {
        match self.attempt(true).await {
            // It is the program that cannot run there; a shell still can.
            Err(Fault::Ended(Some(CANNOT_RUN), _)) => {
                self.items.clear();
                self.attempt(false).await
            }
            other => other,
        }
    }

    /// One connection, in which the program is sent if the node's machine is like ours and `may_send`, else the script.
    async fn attempt(&mut self, may_send: bool) -> Result<(), Fault> {
        let mut connection = Connection::open(self.ssh, self.node, self.options).map_err(Fault::Here)?;
        let answered = self.talk(&mut connection, may_send).await;
        let (status, words) = connection.close().await;
        match answered {
            Ok(()) => Ok(()),
            Err(Fault::Stream(..)) if status != Some(0) => Err(Fault::Ended(status, words)),
            Err(Fault::Stream(error, _)) => Err(Fault::Stream(error, words)),
            Err(fault) => Err(fault),
        }
    }

    async fn talk(&mut self, connection: &mut Connection, may_send: bool) -> Result<(), Fault> {
        let fault = |error| Fault::Stream(error, String::new());
        let machine = loop {
            match connection.lines.line().await.map_err(fault)? {
                None => return Err(fault(StreamError::CutOff)),
                Some(line) => {
                    if let Some(machine) = line.strip_prefix(HELLO) {
                        break machine.to_owned();
                    }
                }
            }
        };
        let ours = format!("Linux {}", rustix::system::uname().machine().to_string_lossy());
        if may_send && machine == ours {
            let binary = tokio::fs::read(&self.ssh.binary).await.map_err(|error| {
                Fault::Here(format!("reading {} to send it: {error}", self.ssh.binary.display()))
            })?;
            // A write that fails means that the other side has ended; its status says why.
            let head = format!("binary {}\n", binary.len());
            connection.send(&[head.as_bytes(), &binary]).await;
            let sent = Timestamp::now();
            let greeting = connection.lines.greeting().await.map_err(fault)?;
            let clock = skew(sent, Timestamp::now(), greeting.time);
            while let Some(item) = connection.lines.item(&self.folder).await.map_err(fault)? {
                self.items.push(self.completed(item, clock));
            }
            return Ok(());
        }
        let script = script::script(self.options);
        connection.send(&[b"script\n", script.as_bytes()]).await;
        let sent = Timestamp::now();
        let (text, first) = connection.lines.text(SCRIPT_LIMIT).await.map_err(fault)?;
        let Some(printed) = script::read(&text) else { return Err(fault(StreamError::CutOff)) };
        let clock = first.zip(printed.time).map(|(first, time)| {
            let measured = skew(sent, first, time);
            Skew { error_ms: measured.error_ms + printed.time_error_ms, ..measured }
        });
        let why = if may_send {
            format!("the node is {machine}")
        } else {
            "the program cannot run there".to_owned()
        };
        for mut item in host::items_of_script(&self.node.name, printed) {
            item.note = Some(match item.note {
                Some(note) => format!("read by shell script, {why}; {note}"),
                None => format!("read by shell script, {why}"),
            });
            let item = self.completed(item, clock.unwrap_or_default());
            self.items.push(item);
        }
        Ok(())
    }

    /// What only this side knows goes into the facts: which node it is, and how its clock stands against ours.
    fn completed(&self, mut item: HostItem, clock: Skew) -> HostItem {
        item.source = format!("{}: {}", self.source(), item.source);
        if !item.path.ends_with("/facts.json") {
            return item;
        }
        match serde_json::from_slice::<Facts>(&item.bytes) {
            Ok(mut facts) => {
                facts.name = self.folder.rsplit('/').next().unwrap_or_default().to_owned();
                facts.role = Role::Node;
                facts.node = Some(self.node.name.clone());
                if let Some(reading) = facts.clock.as_mut().filter(|_| clock.error_ms > 0) {
                    reading.skew_ms = Some(clock.skew_ms);
                    reading.skew_error_ms = Some(clock.error_ms);
                }
                item.bytes =
                    serde_json::to_vec_pretty(&facts).expect("facts are plain data with string keys");
            }
            Err(error) => {
                item.bytes.clear();
                item.outcome = Outcome::Failed;
                item.note = Some(format!("what the node sent are no facts: {error}"));
            }
        }
        item
    }
}

/// A clock against ours: ahead by `skew_ms`, give or take `error_ms`. No error at all: not measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Skew {
    skew_ms: i64,
    error_ms: i64,
}

/// The other clock was read at some moment between `sent` and `received`.
fn skew(sent: Timestamp, received: Timestamp, there: Timestamp) -> Skew {
    let (sent, received, there) = (sent.as_millisecond(), received.as_millisecond(), there.as_millisecond());
    let half = (received - sent).max(0) / 2;
    // One for each of the two divisions that round down.
    Skew { skew_ms: there - (sent + received) / 2, error_ms: half + 2 }
}

/// A running ssh.
struct Connection {
    child: Child,
    stdin: Option<tokio::process::ChildStdin>,
    lines: Reader<BufReader<ChildStdout>>,
    words: tokio::task::JoinHandle<String>,
}

impl Connection {
    fn open(ssh: &SshOptions, node: &Node, options: &HostOptions) -> Result<Self, String> {
        let connect = CONNECT_SECONDS.min(ssh.timeout.as_secs()).max(1);
        let mut command = Command::new(&ssh.program);
        // The user's own come first: ssh takes the first value of an option.
        for option in &ssh.options {
            command.args(["-o", option]);
        }
        command.args(["-T", "-x", "-a", "-o", "BatchMode=yes", "-o", &format!("ConnectTimeout={connect}")]);
        command.args([
            "-o",
            "ServerAliveInterval=5",
            "-o",
            "ServerAliveCountMax=3",
            "-o",
            "ControlMaster=no",
        ]);
        if let Some(user) = &ssh.user {
            command.args(["-l", user]);
        }
        let nonce = Timestamp::now().as_nanosecond() as u64 ^ u64::from(std::process::id());
        command.arg("--").arg(&node.address).arg(bootstrap::command(nonce, options));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            format!("starting {}: {error}\nhint: install the ssh client", ssh.program.display())
        })?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("it was asked for");
        let stderr = child.stderr.take().expect("it was asked for");
        let words = tokio::spawn(async move {
            let mut bytes = Vec::new();
            let _ = stderr.take(STDERR_LIMIT).read_to_end(&mut bytes).await;
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Ok(Self { child, stdin, lines: Reader::new(BufReader::new(stdout)), words })
    }

    /// Writes all of it and closes the way in.
    async fn send(&mut self, parts: &[&[u8]]) {
        let Some(mut stdin) = self.stdin.take() else { return };
        for part in parts {
            if stdin.write_all(part).await.is_err() {
                return;
            }
        }
        let _ = stdin.shutdown().await;
    }

    /// Waits a moment for ssh to end by itself; its status and words.
    async fn close(mut self) -> (Option<i32>, String) {
        self.stdin = None;
        let ended = tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await;
        if ended.is_err() {
            let _ = self.child.kill().await;
        }
        let words = tokio::time::timeout(Duration::from_secs(1), self.words).await;
        let status = ended.ok().and_then(Result::ok).and_then(|status| status.code());
        (status, words.ok().and_then(Result::ok).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_true_difference_lies_within_the_bound() {
        let at = |ms: i64| Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap();
        // Their clock is 62 s ahead and was read 30 ms after we had sent, of a round trip of 41 ms.
        let measured = skew(at(0), at(41), at(62_030));
        assert!((measured.skew_ms - 62_000).abs() <= measured.error_ms, "{measured:?}");
        assert!(measured.error_ms <= 22);
    }
}
