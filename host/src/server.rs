//! The HTTP/1.1 server in front of the components.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HOST;
use hyper::http::uri::{Authority, Scheme};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use swiss_manifest::{Manifest, Route};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime::{Cache, component};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::body::Measured;
use crate::component::Component;
use crate::log::{self, Asked};
use crate::router::Router;
use crate::runtime::{Load, Runtime, engine};

/// Paths that Spin answers itself, before any route.
const WELL_KNOWN: &str = "/.well-known/spin/";
/// The pause after a failed accept. The usual cause is a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a server serves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 selects a free port.
    pub listen: SocketAddr,
    /// How many requests an instance serves; at least 1.
    pub instance_reuse: usize,
    /// How many clients may be connected at a time; others wait.
    pub max_connections: u32,
    /// The limit for request line and header together, in bytes; at least 8,192.
    pub max_header_bytes: usize,
    /// How long a client may take to send request line and header, from the start
    /// of the connection or from the previous response.
    pub header_timeout: Duration,
    /// How long open requests may take after the signal to stop.
    pub drain_timeout: Duration,
    /// How long a component may take to answer before a line on stderr says so. The
    /// request has no deadline, as in Spin.
    pub slow_after: Duration,
    /// Whether to write a line of JSON to stdout for each request.
    pub access_log: bool,
    /// Keeps compiled code for the next start.
    pub cache: Option<Cache>,
    /// How a component's file is loaded; by default, by compiling it.
    pub load: Load,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 5000)),
            instance_reuse: 1,
            max_connections: 1000,
            max_header_bytes: 16 << 10,
            header_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(30),
            slow_after: Duration::from_secs(30),
            access_log: false,
            cache: None,
            load: |engine, file| component::Component::from_file(engine, file),
        }
    }
}

/// A server that listens, and answers once it is [run](Self::run).
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    routes: Vec<(Route, String)>,
    options: Options,
    application: Arc<Application>,
}

impl Server {
    /// Loads the components and starts to listen.
    ///
    /// # Errors
    /// When a component cannot be loaded or the address cannot be used. The error
    /// is one line.
    pub async fn bind(manifest: &Manifest, options: Options) -> Result<Self> {
        let instances = options.max_connections;
        let engine = engine(instances, options.cache.clone())?;
        let runtime = Runtime::new(engine, instances, options.instance_reuse)?;
        let mut components = BTreeMap::new();
        for (id, path) in &manifest.components {
            components.insert(id, ProxyHandler::new(runtime.load(id, path, options.load)?));
        }
        let routes: Vec<_> = manifest
            .triggers
            .iter()
            .map(|trigger| (trigger.route.clone(), trigger.component.clone()))
            .collect();
        let router = Router::new(routes.iter().filter_map(|(route, id)| {
            let handler = components.get(id)?.clone();
            Some((route.clone(), (id.as_str().into(), handler)))
        }))?;
        let listen = options.listen;
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            anyhow!("cannot listen on {listen}: {error}: choose another address")
        })?;
        let address = listener
            .local_addr()
            .context("the listener has no address")?;
        Ok(Self {
            listener,
            address,
            routes,
            application: Arc::new(Application {
                router,
                address,
                slow_after: options.slow_after,
                access_log: options.access_log,
            }),
            options,
        })
    }

    /// The address on which the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `spin up` prints: the address, and the routes in the manifest's order.
    pub fn announcement(&self) -> String {
        let base = format!("http://{}", self.address);
        let mut words = format!("\nServing {base}\nAvailable Routes:\n");
        for (route, component) in &self.routes {
            words += &format!("  {component}: {base}{route}\n");
        }
        words
    }

    /// Serves until `stop` is ready. Then accepts no new connection, waits for
    /// open requests to finish, and returns.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let open = GracefulShutdown::new();
        let free = Arc::new(Semaphore::new(self.options.max_connections as usize));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.options.header_timeout)
            .max_header_size(self.options.max_header_bytes)
            // hyper accepts no smaller buffer.
            .max_buf_size(self.options.max_header_bytes.max(8192));
        let accept = async {
            loop {
                let Ok(permit) = Arc::clone(&free).acquire_owned().await else {
                    return;
                };
                let stream = match self.listener.accept().await {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        log::error(format_args!("cannot accept a connection: {error}"));
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                };
                // Without this, a client that delays its ACKs waits 40 ms.
                let _ = stream.set_nodelay(true);
                let application = Arc::clone(&self.application);
                let service = service_fn(move |request| {
                    let application = Arc::clone(&application);
                    async move { Ok::<_, Infallible>(application.serve(request).await) }
                });
                let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
                tokio::spawn(async move {
                    // A client that violates HTTP or disconnects is not an error here.
                    let _ = connection.await;
                    drop(permit);
                });
            }
        };
        tokio::select! {
            () = accept => {}
            () = stop => {}
        }
        drop(self.listener);
        let limit = self.options.drain_timeout;
        if timeout(limit, open.shutdown()).await.is_err() {
            log::error(format_args!(
                "requests were still open {limit:?} after the signal to stop"
            ));
        }
    }
}

/// Answers the requests of all connections.
struct Application {
    /// Maps a path to a component's id, for messages, and its handler.
    router: Router<(Arc<str>, ProxyHandler<Component>)>,
    address: SocketAddr,
    slow_after: Duration,
    access_log: bool,
}

impl Application {
    async fn serve(&self, request: Request<Incoming>) -> Response<WasiBody> {
        if !self.access_log {
            return self.respond(request).await;
        }
        let start = Instant::now();
        let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let response = self.respond(request).await;
        let line = serde_json::json!({
            "time": time,
            "method": method.as_str(),
            "target": uri.to_string(),
            "status": response.status().as_u16(),
            "duration_us": u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
        });
        // A closed stdout must not stop the service.
        let _ = writeln!(std::io::stdout(), "{line}");
        response
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<WasiBody> {
        let path = request.uri().path();
        if let Some(rest) = path.strip_prefix(WELL_KNOWN) {
            return match rest {
                "health" => content("OK"),
                _ => empty(StatusCode::NOT_FOUND),
            };
        }
        let Some((id, handler)) = self.router.find(path) else {
            return empty(StatusCode::NOT_FOUND);
        };
        let Some(request) = with_authority(request, self.address) else {
            return empty(StatusCode::BAD_REQUEST);
        };
        let asked = Asked::new(id, &request);
        let mut answer = pin!(handler.handle((), request));
        let answer = match timeout(self.slow_after, &mut answer).await {
            Ok(answer) => answer,
            Err(_) => {
                log::error(format_args!(
                    "the component `{id}` has not answered {asked} for {:?}: its handler must \
                     call `response-outparam.set`, and before its second write to the body, \
                     because that write waits until the response is set",
                    self.slow_after
                ));
                answer.await
            }
        };
        match answer {
            Ok(response) => Measured::response(response, asked),
            Err(error) => {
                log::error(format_args!(
                    "the component `{id}` did not answer {asked}: {error:#}"
                ));
                empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

/// The request with an authority, as `wasi:http` requires. `None` if an HTTP/1.1
/// request does not have exactly one valid Host field (RFC 9112 section 3.2).
/// HTTP/1.0 does not require the field, so `address` replaces a missing one.
fn with_authority(request: Request<Incoming>, address: SocketAddr) -> Option<Request<WasiBody>> {
    let (mut parts, body) = request.into_parts();
    let mut hosts = parts.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => {
            Authority::try_from(host.as_bytes()).ok()?;
        }
        (None, None) if parts.version == Version::HTTP_10 => {
            let mut uri = parts.uri.into_parts();
            uri.scheme = Some(Scheme::HTTP);
            uri.authority = Authority::try_from(address.to_string()).ok();
            parts.uri = Uri::from_parts(uri).ok()?;
        }
        _ => return None,
    }
    let body = body.map_err(Into::into).boxed_unsync();
    Some(Request::from_parts(parts, body))
}

fn empty(status: StatusCode) -> Response<WasiBody> {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn content(text: &'static str) -> Response<WasiBody> {
    let body = Full::new(Bytes::from(text)).map_err(|never| match never {});
    Response::new(body.boxed_unsync())
}
