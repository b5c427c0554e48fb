//! The HTTP shell: the same sandbox behind a socket, plain or with TLS. Adds nothing to the answers.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::{Response, StatusCode};
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::reply::{Reply, Request};
use super::tls;
use super::transport::Sandbox;

/// ARM takes bodies up to 4 MB.
const BODY_LIMIT: usize = 4 << 20;

/// What keeps a server from serving.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address or the certificate's file.
    #[error("the sandbox cannot be served")]
    Io(#[from] std::io::Error),
    /// No certificate could be made.
    #[error("no certificate could be made")]
    Certificate(#[from] rcgen::Error),
    /// The certificate cannot be used.
    #[error("the certificate cannot be used")]
    Tls(#[from] rustls::Error),
}

/// HTTPS with a certificate made on the spot.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Where the certificate of its authority is written, for `SSL_CERT_FILE`.
    pub ca_file: PathBuf,
}

/// A bound server that does not serve yet.
pub struct Server {
    listener: TcpListener,
    sandbox: Sandbox,
    tls: Option<TlsAcceptor>,
    address: SocketAddr,
}

impl Server {
    /// Takes the address; port 0 takes any free one.
    ///
    /// # Errors
    /// When the address is taken or no certificate can be made.
    pub async fn bind(address: SocketAddr, sandbox: Sandbox, tls: Option<&Tls>) -> Result<Self, Error> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let file: Option<&Path> = tls.map(|tls| tls.ca_file.as_path());
        let tls = file.map(|ca| tls::configure(address.ip(), ca)).transpose()?.map(TlsAcceptor::from);
        Ok(Self { listener, sandbox, tls, address })
    }

    /// The base URL: what `--cloud` takes.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until the task is dropped.
    ///
    /// # Errors
    /// When the socket fails.
    pub async fn run(self) -> Result<(), Error> {
        let door = Door {
            sandbox: self.sandbox,
            scheme: if self.tls.is_some() { "https" } else { "http" },
            origin: self.address.to_string(),
        };
        let router = Router::new().fallback(handle).with_state(door);
        match self.tls {
            None => axum::serve(self.listener, router).await?,
            Some(acceptor) => axum::serve(Secured::over(self.listener, acceptor, self.address), router).await?,
        }
        Ok(())
    }
}

#[derive(Clone)]
struct Door {
    sandbox: Sandbox,
    scheme: &'static str,
    origin: String,
}

async fn handle(State(door): State<Door>, request: HttpRequest) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::new(head.method.as_str(), target);
    request.body = body.to_vec();
    request.headers = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    // HTTP/2 names the host in the URI, HTTP/1.1 in a header.
    let host = head.uri.authority().map(ToString::to_string).or_else(|| request.headers.get("host").cloned());
    request.origin = format!("{}://{}", door.scheme, host.unwrap_or(door.origin));
    match door.sandbox.answer(&request).await {
        Ok(reply) => response(&request, &reply),
        Err(error) => {
            tracing::error!("the sandbox lost its file: {error}");
            plain(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn response(request: &Request, reply: &Reply) -> Response<Body> {
    if reply.lost {
        return broken();
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let body = if request.method == "HEAD" { Body::empty() } else { Body::from(reply.bytes()) };
    response.body(body).unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR))
}

/// A reply that breaks off before its first byte of body.
fn broken() -> Response<Body> {
    let reset = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "the reply is lost");
    Response::new(Body::from_stream(futures::stream::iter([Err::<Bytes, _>(reset)])))
}

/// A listener whose TLS handshakes do not wait for each other.
struct Secured {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl Secured {
    fn over(listener: TcpListener, acceptor: TlsAcceptor, address: SocketAddr) -> Self {
        let (send, ready) = mpsc::channel(64);
        tokio::spawn(async move {
            while !send.is_closed() {
                let Ok((stream, peer)) = listener.accept().await else { continue };
                let (acceptor, send) = (acceptor.clone(), send.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        // Nobody listens any more: the connection closes with the stream.
                        drop(send.send((stream, peer)).await);
                    }
                });
            }
        });
        Self { ready, address }
    }
}

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The accepting task lives as long as this listener; without it nothing will ever come.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}
