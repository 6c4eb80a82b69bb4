//! Hosts may send any number of requests through one instance. Here a million
//! go through one, and neither it nor the host's table of its handles grows.

use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::{Request, Response};
use tokio::sync::oneshot;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, ResourceLimiter, Result, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

const REQUESTS: usize = 1_000_000;

/// Every response that there is.
const TARGETS: [(&str, &str, u16); 6] = [
    ("GET", "/will", 200),
    ("GET", "/ready?x=1", 200),
    ("HEAD", "/will", 200),
    ("OPTIONS", "/ready", 200),
    ("BREW", "/will", 405),
    ("GET", "/unknown", 404),
];

#[test]
fn a_million_requests_take_no_more_memory_than_the_first() {
    let mut instance = Instance::new();
    for (method, target, status) in TARGETS {
        assert_eq!(instance.ask(method, target), status, "{method} {target}");
    }
    let (memory, handles) = (instance.memory_bytes(), instance.has_handles());
    assert!(memory > 0, "the limiter was never asked");
    assert!(
        !handles,
        "the component keeps handles from request to request"
    );
    for (method, target, status) in TARGETS.into_iter().cycle().take(REQUESTS) {
        assert_eq!(instance.ask(method, target), status, "{method} {target}");
    }
    assert_eq!(
        instance.memory_bytes(),
        memory,
        "bytes of memory at the end"
    );
    assert!(!instance.has_handles(), "the component leaks handles");
}

#[test]
fn a_long_request_is_served_from_the_same_memory_again() {
    let mut instance = Instance::new();
    let long = format!("/{}", "x".repeat(60_000));
    for _ in 0..10 {
        assert_eq!(instance.ask("GET", &long), 404);
        assert_eq!(instance.ask("GET", "/will"), 200);
    }
    let grown = instance.memory_bytes();
    assert_eq!(instance.ask("GET", &long), 404);
    assert_eq!(
        instance.memory_bytes(),
        grown,
        "bytes of memory after the same request"
    );
}

/// One instance of the component, called as a host calls it, without a server.
struct Instance {
    store: Store<State>,
    proxy: Proxy,
}

impl Instance {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/swiss.wasm");
        assert!(
            path.exists(),
            "there is no {}: run `make build`",
            path.display()
        );
        let new = || {
            let engine = Engine::default();
            let mut linker = Linker::new(&engine);
            wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
            wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
            let component = Component::from_file(&engine, &path)?;
            let pre = ProxyPre::new(linker.instantiate_pre(&component)?)?;
            let mut store = Store::new(&engine, State::default());
            store.limiter(|state| state);
            let proxy = ready(pre.instantiate_async(&mut store))?;
            Ok(Self { store, proxy })
        };
        new().unwrap_or_else(|error: wasmtime::Error| panic!("no instance: {error:#}"))
    }

    /// The status of the response to one request.
    fn ask(&mut self, method: &str, target: &str) -> u16 {
        let mut ask = || -> Result<u16> {
            let request = Request::builder()
                .method(method)
                .uri(target)
                .header("host", "localhost")
                .body(Empty::<Bytes>::new())?;
            let (sender, mut receiver) = oneshot::channel();
            let mut http = self.store.data_mut().http();
            let request = http.new_incoming_request(Scheme::Http, request)?;
            let out = http.new_response_outparam(sender)?;
            let handler = self.proxy.wasi_http_incoming_handler();
            ready(handler.call_handle(&mut self.store, request, out))?;
            Ok(receiver.try_recv()??.status().as_u16())
        };
        ask().unwrap_or_else(|error| panic!("{method} {target}: {error:#}"))
    }

    fn memory_bytes(&self) -> usize {
        self.store.data().memory_bytes
    }

    fn has_handles(&self) -> bool {
        !self.store.data().table.is_empty()
    }
}

/// The output of a future that never waits: nothing that the component calls does.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the component waits for something"),
    }
}

#[derive(Default)]
struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    outbound: NoOutbound,
    memory_bytes: usize,
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        self.memory_bytes = desired;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        Ok(true)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outbound,
        }
    }
}

#[derive(Default)]
struct NoOutbound;

type Sent = Box<dyn Future<Output = std::result::Result<(), Error>> + Send>;

impl WasiHttpHooks for NoOutbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Sent,
    ) -> Box<dyn Future<Output = std::result::Result<(Response<WasiBody>, Sent), Error>> + Send>
    {
        panic!("the component sends a request: {request:?}")
    }
}
