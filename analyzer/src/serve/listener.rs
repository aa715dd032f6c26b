//! Connections: TLS on 127.0.0.1, one token, and bounds on everything that a client may ask of the process.
//!
//! Any program of any user of the machine can connect to a port of 127.0.0.1, and so can a page in a browser whose name
//! resolves there: only who knows the token is answered, and only under the address that the kubeconfig names.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request as HttpRequest, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;

use super::api::{self, Request};
use super::cluster::Cluster;
use super::reply::{Refusal, Reply};

/// Connections at once: k9s and informers hold one for each kind that they watch.
const CONNECTIONS: usize = 256;
/// Answers that are made at once; the others wait.
const ANSWERS: usize = 8;
const HEADERS: usize = 100;
/// Bytes of a request's head.
const HEAD: usize = 64 << 10;
/// Bytes of a request's body: only reviews have one that matters.
const BODY: usize = 1 << 20;
/// For the handshake, a request's head, and its body.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of a token before they are written as text.
const TOKEN: usize = 32;

/// One cluster behind one port.
pub struct Listener {
    socket: TcpListener,
    acceptor: TlsAcceptor,
    served: Arc<Served>,
    /// Of the authority that signed the certificate, as PEM.
    pub authority: String,
}

struct Served {
    cluster: Cluster,
    address: SocketAddr,
    token: String,
    answers: Semaphore,
}

impl Listener {
    /// Takes a free port of 127.0.0.1 and makes certificate and token for it.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub async fn bind(cluster: Cluster) -> anyhow::Result<Listener> {
        let socket =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen on 127.0.0.1")?;
        let address = socket.local_addr().context("cannot tell on which port it listens")?;
        let identity = Identity::make().context("cannot make a certificate")?;
        let mut bytes = [0; TOKEN];
        getrandom::fill(&mut bytes).context("cannot make a token")?;
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let served = Served { cluster, address, token, answers: Semaphore::new(ANSWERS) };
        Ok(Listener {
            socket,
            acceptor: TlsAcceptor::from(Arc::new(identity.server)),
            served: Arc::new(served),
            authority: identity.authority,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.served.address
    }

    pub fn token(&self) -> &str {
        &self.served.token
    }

    /// Serves until it is dropped.
    pub async fn run(self) {
        let connections = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(room) = Arc::clone(&connections).acquire_owned().await else { return };
            let stream = match self.socket.accept().await {
                Ok((stream, _)) => stream,
                Err(_) => {
                    // No more files may be open, say; another connection will end.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (acceptor, served) = (self.acceptor.clone(), Arc::clone(&self.served));
            tokio::spawn(async move {
                connection(stream, acceptor, served).await;
                drop(room);
            });
        }
    }
}

/// One connection from its handshake to its end. What goes wrong on it is the client's affair.
async fn connection(stream: TcpStream, acceptor: TlsAcceptor, served: Arc<Served>) {
    let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await else { return };
    let service = service_fn(move |request| {
        let served = Arc::clone(&served);
        async move { Ok::<_, Infallible>(respond(&served, request).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_headers(HEADERS)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(served: &Arc<Served>, request: HttpRequest<Incoming>) -> Response<Answer> {
    let reply = match admit(served, request.headers()) {
        Ok(()) => answer(served, request).await,
        Err(refusal) => refusal.into(),
    };
    response(reply)
}

/// Whether this client may ask.
fn admit(served: &Served, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::HOST) != Some(served.address.to_string().as_str()) {
        return Err(Refusal::forbidden(format!("this is served as {} alone", served.address)));
    }
    let token = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    if !token.is_some_and(|token| same(token.as_bytes(), served.token.as_bytes())) {
        return Err(Refusal::new(401, "Unauthorized", "the token of the kubeconfig is needed"));
    }
    Ok(())
}

/// Whether two texts are the same, in a time that does not tell how far they are.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

async fn answer(served: &Arc<Served>, request: HttpRequest<Incoming>) -> Reply {
    let (head, body) = request.into_parts();
    let body = match tokio::time::timeout(PATIENCE, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes().to_vec(),
        // What is refused anyway need not be read to its end.
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    let accept: Vec<&str> =
        head.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let asked = Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        accept: accept.join(","),
        upgrade: head.headers.contains_key(header::UPGRADE),
        body,
    };
    let Ok(_turn) = served.answers.acquire().await else {
        return Refusal::new(503, "ServiceUnavailable", "ending").into();
    };
    let served = Arc::clone(served);
    // Off the threads that serve connections. One that panics costs its own answer alone.
    let made = tokio::task::spawn_blocking(move || api::answer(&served.cluster, &asked)).await;
    made.unwrap_or_else(|error| Refusal::new(500, "InternalError", error.to_string()).into())
}

fn response(reply: Reply) -> Response<Answer> {
    let mut response = Response::new(Answer {
        body: Some(reply.body).filter(|body| !body.is_empty()),
        held: reply.held.map(|held| Box::pin(tokio::time::sleep(held))),
    });
    *response.status_mut() =
        hyper::StatusCode::from_u16(reply.code).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for warning in reply.warnings {
        // Names in it come from the snapshot.
        let quoted: String =
            warning.chars().map(|c| if c.is_control() || c == '"' || c == '\\' { '\'' } else { c }).collect();
        if let Ok(value) = HeaderValue::from_bytes(format!("299 - \"{quoted}\"").as_bytes()) {
            headers.append(header::WARNING, value);
        }
    }
    response
}

/// A body that may stay open after its end.
struct Answer {
    body: Option<Bytes>,
    held: Option<Pin<Box<Sleep>>>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(body) = self.body.take() {
            return Poll::Ready(Some(Ok(Frame::data(body))));
        }
        match &mut self.held {
            Some(held) => held.as_mut().poll(context).map(|()| None),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none() && self.held.is_none()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match &self.held {
            Some(_) => hyper::body::SizeHint::default(),
            None => hyper::body::SizeHint::with_exact(self.body.as_ref().map_or(0, |body| body.len() as u64)),
        }
    }
}

/// What the server shows to clients, good for this run.
struct Identity {
    server: ServerConfig,
    authority: String,
}

impl Identity {
    /// An authority, and a certificate for 127.0.0.1 that it signed: clients that look closely refuse a server that
    /// shows the authority's own.
    fn make() -> anyhow::Result<Identity> {
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "casebook");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let certificate = authority.self_signed(&authority_key)?;
        let issuer = Issuer::from_params(&authority, &authority_key);

        let key = KeyPair::generate()?;
        let mut own = CertificateParams::default();
        own.distinguished_name.push(DnType::CommonName, "127.0.0.1");
        own.subject_alt_names = vec![SanType::IpAddress(Ipv4Addr::LOCALHOST.into())];
        own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        own.use_authority_key_identifier_extension = true;
        let shown = own.signed_by(&key, &issuer)?;

        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut server =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(vec![shown.der().clone()], private)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Identity { server, authority: certificate.pem() })
    }
}
