//! The kubelets' log endpoint for nodes that are nothing but objects.
//!
//! 5,000 pods on real kubelets would measure those. This answers `GET /containerLogs/…` for every node address of the
//! isolated network, with `tailLines`, `limitBytes`, `previous` and `timestamps` as a kubelet honours them.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::ServerConfig;

use super::log_text;
use crate::tls::{self, Accepted, Identity};

/// Decides how long the log of a container is, in bytes: namespace, pod, whether the previous one.
pub type Length = fn(namespace: &str, pod: &str, previous: bool) -> Option<u64>;

/// Starts serving. The threads end with the process.
pub fn start(dir: &Path, length: Length) -> Result<()> {
    let identity = Identity::make(dir, "log-server", "127.0.0.1")?;
    let config = identity.server()?;
    let listener = TcpListener::bind("0.0.0.0:10250").context("cannot listen on 10250")?;
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            // The API server closes connections when it likes.
            std::thread::spawn(move || drop(serve(&config, socket, length)));
        }
    });
    Ok(())
}

fn serve(config: &Arc<ServerConfig>, socket: TcpStream, length: Length) -> Result<()> {
    let mut stream = BufReader::new(tls::accept(config, socket)?);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let target = line.split_whitespace().nth(1).context("a request has a path")?.to_owned();
        while line.trim_end() != "" {
            line.clear();
            stream.read_line(&mut line)?;
        }
        answer(stream.get_mut(), &target, length)?;
    }
}

fn answer(out: &mut Accepted, target: &str, length: Length) -> Result<()> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let option = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let number = |name: &str| option(name).and_then(|value| value.parse::<u64>().ok());
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let previous = option("previous") == Some("true");
    let bytes = match parts[..] {
        ["containerLogs", namespace, pod, _] => length(namespace, pod, previous),
        _ => None,
    };
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let Some(bytes) = bytes else {
        let text = "previous terminated container not found\n";
        write!(out, "HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n{text}", text.len())?;
        return Ok(out.flush()?);
    };
    // A line is some 120 bytes long.
    let bytes = number("tailLines").map_or(bytes, |lines| bytes.min(lines * 120));
    let bytes = number("limitBytes").map_or(bytes, |limit| bytes.min(limit));
    write!(out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    log_text::write(&mut Chunked(&mut out), bytes, path.len() as u64)?;
    write!(out, "0\r\n\r\n")?;
    Ok(out.flush()?)
}

/// The chunked transfer coding: the length need not be known beforehand.
struct Chunked<'a, W: Write>(&'a mut W);

impl<W: Write> Write for Chunked<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        write!(self.0, "{:x}\r\n", bytes.len())?;
        self.0.write_all(bytes)?;
        self.0.write_all(b"\r\n")?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
