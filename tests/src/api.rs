//! Asking the API server in ways that kubectl does not offer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// `kubectl proxy`: the API server on a port of 127.0.0.1, without encryption or credentials, until this is dropped.
pub struct Proxy {
    child: Child,
    address: String,
}

impl Proxy {
    /// Starts it with `kubectl`, a command that is set up for the cluster and has no arguments yet.
    ///
    /// # Errors
    /// When it does not say where it listens.
    pub fn start(mut kubectl: Command) -> Result<Proxy> {
        let child = kubectl.args(["proxy", "--port=0"]).stdout(Stdio::piped()).spawn();
        let mut child = child.context("cannot start kubectl proxy")?;
        let stdout = child.stdout.take().context("stdout was asked for")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        // Starting to serve on 127.0.0.1:40321
        let address = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        let proxy = Proxy { child, address };
        if !proxy.address.starts_with("127.0.0.1:") {
            bail!("kubectl proxy said `{}`", line.trim());
        }
        Ok(proxy)
    }

    /// The body of the answer to GET `path` with this `Accept` header.
    ///
    /// # Errors
    /// When the answer is no 200.
    pub fn get(&self, path: &str, accept: &str) -> Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.address).context("cannot reach kubectl proxy")?;
        // HTTP/1.0: the body is as it is and ends with the connection.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.with_context(|| format!("the answer to {path} has no end of its head"))?;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).unwrap_or_default();
        if status != "200" {
            bail!("{path} answers {head}\n{}", String::from_utf8_lossy(&answer[end..]));
        }
        Ok(answer.split_off(end + 4))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
