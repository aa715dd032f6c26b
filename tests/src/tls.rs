//! TLS for servers of our own: certificates made on the spot, and blocking streams.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::run::succeed;

/// A self-signed certificate and its key, as PEM files.
#[derive(Debug, Clone)]
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Identity {
    /// Makes one for an IP address: `<dir>/<name>.crt` and `<name>.key`.
    pub fn make(dir: &Path, name: &str, address: &str) -> Result<Identity> {
        let identity =
            Identity { certificate: dir.join(format!("{name}.crt")), key: dir.join(format!("{name}.key")) };
        succeed(
            Command::new("openssl")
                .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650"])
                .args(["-subj", &format!("/CN={name}"), "-addext", &format!("subjectAltName=IP:{address}")])
                // Clients that look closely refuse a server that shows the certificate of an authority.
                .args(["-addext", "basicConstraints=critical,CA:FALSE"])
                .arg("-keyout")
                .arg(&identity.key)
                .arg("-out")
                .arg(&identity.certificate),
        )?;
        Ok(identity)
    }

    /// For servers that show this certificate.
    pub fn server(&self) -> Result<Arc<ServerConfig>> {
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .with_context(|| format!("no key in {}", self.key.display()))?;
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Arc::new(config))
    }
}

/// For clients that trust the certificates in this file.
pub fn client(authority: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authority)? {
        roots.add(certificate)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .with_context(|| format!("no certificates in {}", path.display()))
}

/// The server's side of a connection.
pub type Accepted = StreamOwned<ServerConnection, TcpStream>;
/// The client's side of a connection.
pub type Connected = StreamOwned<ClientConnection, TcpStream>;

/// Speaks TLS on an accepted connection.
pub fn accept(config: &Arc<ServerConfig>, socket: TcpStream) -> Result<Accepted> {
    socket.set_nodelay(true)?;
    Ok(StreamOwned::new(ServerConnection::new(Arc::clone(config))?, socket))
}

/// Connects to an `address:port`.
pub fn connect(config: &Arc<ClientConfig>, address: &str) -> Result<Connected> {
    let socket = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    socket.set_nodelay(true)?;
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let name = ServerName::try_from(host.to_owned())?;
    Ok(StreamOwned::new(ClientConnection::new(Arc::clone(config), name)?, socket))
}
