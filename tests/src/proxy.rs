//! A proxy before the API server that misbehaves, as servers and networks in trouble do.
//!
//! It ends TLS, looks at each request's path and forwards it on a connection of its own. Requests whose path holds a
//! given text are treated badly, all of them or the first few; all others pass unharmed.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustls::{ClientConfig, ServerConfig};

use crate::cluster::{API_SERVER, Cluster};
use crate::tls::{self, Accepted, Identity};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No answer, ever.
    Hang,
    /// The connection is closed without a word.
    Reset,
    /// An error with this status; 429 comes with `Retry-After: 1`.
    Status(u16),
    /// The answer comes at sixteen bytes a second.
    Drip,
    /// Half of the answer comes, then the connection is closed.
    Half,
    /// An answer that is no JSON.
    Garbage,
    /// From then on the server shows another certificate, which the client was told to trust.
    Rotate,
    /// From then on the server shows a certificate that nobody vouches for.
    Impostor,
    /// From then on nobody listens.
    Die,
}

/// Which requests are treated badly, and how.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// A part of the request's path and query.
    pub path: String,
    pub fault: Fault,
    /// Only the first so many; `None` for all.
    pub times: Option<usize>,
}

/// A running proxy. Its threads end with the process.
#[derive(Debug)]
pub struct Proxy {
    /// Points an administrator to the proxy.
    pub kubeconfig: PathBuf,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: AtomicUsize,
    troubled: AtomicUsize,
}

impl Proxy {
    /// Starts a proxy before the API server, with its files in `dir`.
    pub fn start(cluster: &Cluster, dir: &Path, trouble: Trouble) -> Result<Proxy> {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let identity = Identity::make(dir, "proxy", "127.0.0.1")?;
        let later = Identity::make(dir, "later", "127.0.0.1")?;
        let trusted = dir.join("trusted.crt");
        let mut certificates = std::fs::read(&identity.certificate)?;
        if trouble.fault != Fault::Impostor {
            certificates.extend(std::fs::read(&later.certificate)?);
        }
        std::fs::write(&trusted, certificates)?;
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
        let address = listener.local_addr()?;
        let kubeconfig = dir.join("kubeconfig");
        cluster.write_kubeconfig(&kubeconfig, &trusted, &address.to_string())?;
        let counts = Arc::new(Counts::default());
        let shared = Arc::new(Shared {
            server: identity.server()?,
            later: later.server()?,
            turned: AtomicBool::new(false),
            client: tls::client(&cluster.authority())?,
            trouble,
            counts: Arc::clone(&counts),
        });
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                if shared.trouble.fault == Fault::Die && shared.turned.load(Ordering::Relaxed) {
                    break;
                }
                // A client that goes away in the middle is part of what is tested, not an error of the proxy's.
                std::thread::spawn(move || drop(shared.serve(socket)));
            }
        });
        Ok(Proxy { kubeconfig, counts })
    }

    /// How many requests came, and how many of them were treated badly.
    pub fn requests(&self) -> (usize, usize) {
        (self.counts.all.load(Ordering::Relaxed), self.counts.troubled.load(Ordering::Relaxed))
    }
}

struct Shared {
    server: Arc<ServerConfig>,
    /// What it shows once it has turned.
    later: Arc<ServerConfig>,
    turned: AtomicBool,
    client: Arc<ClientConfig>,
    trouble: Trouble,
    counts: Arc<Counts>,
}

impl Shared {
    /// One request a connection: the answer tells the client that it will be closed.
    fn serve(&self, socket: TcpStream) -> Result<()> {
        let turned = self.turned.load(Ordering::Relaxed);
        let mut client = tls::accept(if turned { &self.later } else { &self.server }, socket)?;
        let (head, body) = read_request(&mut client)?;
        let path = head.split_whitespace().nth(1).context("a request has a path")?;
        self.counts.all.fetch_add(1, Ordering::Relaxed);
        let troubled = path.contains(&self.trouble.path) && {
            let before = self.counts.troubled.fetch_add(1, Ordering::Relaxed);
            self.trouble.times.is_none_or(|times| before < times)
        };
        let answer = |client: &mut Accepted, status: &str, body: &str| -> Result<()> {
            let length = body.len();
            write!(
                client,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )?;
            finish(client)
        };
        match self.trouble.fault {
            _ if !troubled => {
                client.write_all(&self.forward(&head, &body)?)?;
                finish(&mut client)
            }
            Fault::Rotate | Fault::Impostor | Fault::Die => {
                self.turned.store(true, Ordering::Relaxed);
                client.write_all(&self.forward(&head, &body)?)?;
                finish(&mut client)
            }
            Fault::Hang => {
                // Until the client gives up and closes.
                let _ = client.read(&mut [0; 1]);
                Ok(())
            }
            Fault::Reset => Ok(()),
            Fault::Status(429) => {
                answer(&mut client, "429 Too Many Requests\r\nRetry-After: 1", &status(429))
            }
            Fault::Status(code) => answer(&mut client, &format!("{code} Trouble"), &status(code)),
            Fault::Drip => {
                for piece in self.forward(&head, &body)?.chunks(4) {
                    client.write_all(piece)?;
                    client.flush()?;
                    std::thread::sleep(Duration::from_millis(250));
                }
                finish(&mut client)
            }
            Fault::Half => {
                let whole = self.forward(&head, &body)?;
                client.write_all(&whole[..whole.len() / 2])?;
                client.flush()?;
                Ok(())
            }
            Fault::Garbage => answer(&mut client, "200 OK", "\u{1}\u{2}<html>this is no JSON {\"kind\": "),
        }
    }

    /// The API server's whole answer, head and body.
    fn forward(&self, head: &str, body: &[u8]) -> Result<Vec<u8>> {
        let mut server = tls::connect(&self.client, API_SERVER)?;
        let lines = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        let mut request: String =
            lines.take_while(|line| !line.is_empty()).map(|line| format!("{line}\r\n")).collect();
        request.push_str("Connection: close\r\n\r\n");
        server.write_all(request.as_bytes())?;
        server.write_all(body)?;
        server.flush()?;
        let mut answer = Vec::new();
        match server.read_to_end(&mut answer) {
            Ok(_) => Ok(answer),
            // The API server closes without the farewell of TLS.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(answer),
            Err(error) => Err(error.into()),
        }
    }
}

/// A Kubernetes Status object, as the API server words its errors.
fn status(code: u16) -> String {
    format!(
        "{{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"the proxy is in trouble\",\"code\":{code}}}"
    )
}

fn finish(client: &mut Accepted) -> Result<()> {
    client.conn.send_close_notify();
    client.flush()?;
    Ok(())
}

/// Request line and header, and the body if there is one.
fn read_request(client: &mut Accepted) -> Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end + 4].to_vec()).context("a header is ASCII")?;
            let wanted: usize = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(Ok(0), |(_, value)| value.trim().parse())?;
            if bytes.len() >= end + 4 + wanted {
                return Ok((head, bytes[end + 4..].to_vec()));
            }
        }
        let count = client.read(&mut buffer)?;
        if count == 0 {
            bail!("the client went away");
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
}
