//! Whether what stands behind a name can be connected to, and what is wrong with its certificate.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::capture::{Capture, Section};
use super::facts::{Connection, Facts};
use super::{Context, Endpoint, run};
use crate::transport;

const ANSWERS: &str = "connect";
const LIMIT: Duration = Duration::from_secs(6);
/// More are not worth the time.
const MOST: usize = 60;

pub const SCRIPT: &str = "";

/// What went wrong; the class is one of those in `facts.json`.
struct Trouble {
    class: &'static str,
    message: String,
    address: Option<IpAddr>,
}

pub async fn gather(context: Arc<Context>) -> Capture {
    let endpoints = &context.options.endpoints;
    if endpoints.is_empty() {
        return Capture { sections: vec![Section::good(ANSWERS, "")] };
    }
    let (tls, loaded) = match run::detached(LIMIT, trust).await {
        Some(trust) => trust,
        None => (connector(RootCertStore::empty()), 0),
    };
    let endpoints: Vec<Endpoint> = endpoints.iter().take(MOST).cloned().collect();
    let tried = endpoints.into_iter().map(|endpoint| {
        let tls = (endpoint.tls && loaded > 0).then(|| tls.clone());
        async move {
            let begun = Instant::now();
            let result = connect(&endpoint, tls).await;
            row(&endpoint, result, begun.elapsed())
        }
    });
    let rows: Vec<Connection> = stream::iter(tried).buffered(16).collect().await;
    let text = rows.iter().fold(String::new(), |mut text, row| {
        let _ = writeln!(text, "{}", line(row));
        text
    });
    Capture { sections: vec![Section::good(ANSWERS, text)] }
}

/// The certificates that programs on this host trust, and how many they are.
fn trust() -> (TlsConnector, usize) {
    let mut roots = RootCertStore::empty();
    let (loaded, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    (connector(roots), loaded)
}

fn connector(roots: RootCertStore) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn connect(endpoint: &Endpoint, tls: Option<TlsConnector>) -> Result<IpAddr, Trouble> {
    let asked = (endpoint.name.clone(), endpoint.port);
    let found = run::detached(LIMIT, move || asked.to_socket_addrs().map(Iterator::collect::<Vec<_>>)).await;
    let addresses = match found {
        None => {
            return Err(Trouble {
                class: "name",
                message: "the resolver did not answer".into(),
                address: None,
            });
        }
        Some(Err(error)) => return Err(Trouble { class: "name", message: error.to_string(), address: None }),
        Some(Ok(addresses)) => addresses,
    };
    let mut last = Trouble { class: "name", message: "the name has no address".into(), address: None };
    // A name may have an address of each family, and one of them may lead nowhere.
    for address in addresses.into_iter().take(4) {
        match to_address(endpoint, address, tls.as_ref()).await {
            Ok(()) => return Ok(address.ip()),
            Err((class, message)) => last = Trouble { class, message, address: Some(address.ip()) },
        }
    }
    Err(last)
}

async fn to_address(
    endpoint: &Endpoint,
    address: SocketAddr,
    tls: Option<&TlsConnector>,
) -> Result<(), (&'static str, String)> {
    let late = || ("timeout", format!("no answer within {} s", LIMIT.as_secs()));
    let stream = tokio::time::timeout(LIMIT, TcpStream::connect(address)).await.map_err(|_| late())?;
    let stream = stream.map_err(|error| (class_of(&error), error.to_string()))?;
    if !endpoint.tls {
        return Ok(());
    }
    let Some(tls) = tls else {
        return Err(("tls_other", "this host trusts no certificates at all".to_owned()));
    };
    let name =
        ServerName::try_from(endpoint.name.clone()).map_err(|error| ("tls_other", error.to_string()))?;
    let shaken = tokio::time::timeout(LIMIT, tls.connect(name, stream)).await.map_err(|_| late())?;
    shaken.map(drop).map_err(|error| (class_of(&error), error.to_string()))
}

/// The words of `error` in the facts.
fn class_of(error: &io::Error) -> &'static str {
    transport::failure_of_io(error).as_str()
}

fn row(endpoint: &Endpoint, result: Result<IpAddr, Trouble>, taken: Duration) -> Connection {
    let (address, trouble) = match result {
        Ok(address) => (Some(address), None),
        Err(trouble) => (trouble.address, Some(trouble)),
    };
    Connection {
        name: endpoint.name.clone(),
        port: endpoint.port,
        tls: endpoint.tls,
        address,
        error: trouble.as_ref().map(|trouble| trouble.class.to_owned()),
        message: trouble.map(|trouble| trouble.message),
        millis: taken.as_millis() as u64,
    }
}

/// `name port tls|plain address error millis message`, `-` for what does not apply.
fn line(row: &Connection) -> String {
    format!(
        "{} {} {} {} {} {} {}",
        row.name,
        row.port,
        if row.tls { "tls" } else { "plain" },
        row.address.map_or_else(|| "-".to_owned(), |address| address.to_string()),
        row.error.as_deref().unwrap_or("-"),
        row.millis,
        row.message.as_deref().unwrap_or("-").replace('\n', " "),
    )
}

fn parse(line: &str) -> Option<Connection> {
    let words: Vec<&str> = line.splitn(7, ' ').collect();
    let [name, port, tls, address, error, millis, message] = words[..] else { return None };
    let given = |word: &str| (word != "-").then(|| word.to_owned());
    Some(Connection {
        name: name.to_owned(),
        port: port.parse().ok()?,
        tls: tls == "tls",
        address: address.parse().ok(),
        error: given(error),
        message: given(message),
        millis: millis.parse().ok()?,
    })
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    facts.connections = capture.text(ANSWERS).map(|text| text.lines().filter_map(parse).collect());
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::super::HostOptions;
    use super::super::testing::self_signed;
    use super::*;

    /// Serves what openssl serves on a port of 127.0.0.1, with a certificate for one name.
    struct Server {
        child: std::process::Child,
        port: u16,
        _folder: tempfile::TempDir,
    }

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    async fn tls_server(name: &str) -> (Server, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (key, cert) = self_signed(folder.path(), name).await;
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let child = std::process::Command::new("openssl")
            .args(["s_server", "-quiet", "-accept", &format!("127.0.0.1:{port}"), "-key"])
            .arg(&key)
            .arg("-cert")
            .arg(&cert)
            .stdin(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        (Server { child, port, _folder: folder }, cert)
    }

    fn trusting(cert: &std::path::Path) -> TlsConnector {
        use rustls::pki_types::CertificateDer;
        use rustls::pki_types::pem::PemObject as _;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(cert).unwrap()).unwrap();
        connector(roots)
    }

    async fn class(name: &str, port: u16, tls: TlsConnector) -> Option<&'static str> {
        let endpoint = Endpoint { name: name.to_owned(), port, tls: true };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        to_address(&endpoint, address, Some(&tls)).await.err().map(|(class, _)| class)
    }

    #[tokio::test]
    async fn a_certificate_of_a_real_server_is_judged() {
        let (server, cert) = tls_server("registry.example").await;
        assert_eq!(class("registry.example", server.port, trusting(&cert)).await, None);
        assert_eq!(class("other.example", server.port, trusting(&cert)).await, Some("tls_name_mismatch"));
        let nobody = connector(RootCertStore::empty());
        assert_eq!(class("registry.example", server.port, nobody).await, Some("tls_unknown_ca"));
    }

    #[tokio::test]
    async fn a_port_is_closed_or_speaks_something_else() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 512]).await;
                let _ = stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n").await;
            }
        });
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        assert_eq!(class("a.example", http, connector(RootCertStore::empty())).await, Some("tls_not_spoken"));

        let endpoint = |port| Endpoint { name: "127.0.0.1".into(), port, tls: false };
        let options =
            HostOptions { endpoints: vec![endpoint(http), endpoint(closed)], ..HostOptions::default() };
        let context = Arc::new(Context { options, ..Context::default() });
        let mut facts = Facts::default();
        understand(&gather(context).await, &mut facts);
        let rows = facts.connections.unwrap();
        assert_eq!((rows[0].error.as_deref(), rows[1].error.as_deref()), (None, Some("refused")));
        assert_eq!(rows[0].address, Some(IpAddr::from([127, 0, 0, 1])));
    }
}
