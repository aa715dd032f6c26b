//! For tests: a server on the loopback address that answers as a test says, and a sink whose bundle can be read.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use shared::bundle::manifest::{FORMAT, Manifest, Tool};
use shared::bundle::writer::{BundleWriter, Format};
use shared::redact::Redactor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::cluster::api::{Api, Bounds};
use crate::sink::Sink;
use crate::stop::Stop;

/// What the server does with one request.
pub enum Answer {
    /// Status, further header lines, body.
    Whole(u16, &'static str, String),
    /// Announces more than it sends, and closes the connection.
    Half(String),
    /// Says nothing.
    Silence,
}

pub fn json(body: impl ToString) -> Answer {
    Answer::Whole(200, "", body.to_string())
}

/// An API client of a server that answers the n-th request (from 0) for a path as `answer` says.
pub async fn server(answer: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Api {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (answer, count) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (answer, count) = (answer.clone(), count.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match socket.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => return,
                    }
                }
                let head = String::from_utf8(head).unwrap();
                let path = head.split(' ').nth(1).unwrap().to_owned();
                let text = match answer(count.fetch_add(1, Ordering::SeqCst), &path) {
                    Answer::Whole(status, headers, body) => format!(
                        "HTTP/1.1 {status} X\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
                        body.len()
                    ),
                    Answer::Half(body) => format!("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{body}"),
                    Answer::Silence => std::future::pending().await,
                };
                socket.write_all(text.as_bytes()).await.unwrap();
                socket.shutdown().await.unwrap();
            });
        }
    });
    let mut config = kube::Config::new(url.parse().unwrap());
    config.default_retry = false;
    let client = kube::Client::try_from(config).unwrap();
    let bounds = Bounds { qps: 1000.0, concurrency: 4, request_timeout: Duration::from_millis(500) };
    Api::new(client, bounds, Stop::default())
}

/// A sink that writes a directory.
pub struct Place {
    _folder: tempfile::TempDir,
    pub target: PathBuf,
    pub sink: Sink,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("bundle");
        let writer = BundleWriter::create(&target, Format::Directory, "bundle").unwrap();
        Self { _folder: folder, target, sink: Sink::new(writer, Stop::default()) }
    }

    /// Ends the bundle; gives its manifest.
    pub fn finish(&self) -> Manifest {
        let masks = Redactor::new(&[]).expect("the rules that come with the program are sound");
        self.sink.finish(manifest(), &masks).unwrap().1
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.target.join(path)).unwrap()
    }
}

/// A manifest that says nothing.
pub fn manifest() -> Manifest {
    Manifest {
        format: FORMAT.into(),
        tool: Tool { name: "casebook-collect".into(), version: "0".into() },
        started: Timestamp::UNIX_EPOCH,
        finished: Timestamp::UNIX_EPOCH,
        options: Default::default(),
        cluster: None,
        host: None,
        clocks: Vec::new(),
        stopped: None,
        ledger: Vec::new(),
    }
}
