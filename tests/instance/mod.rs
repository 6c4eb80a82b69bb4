//! One instance of a component, called as a host calls it, without a server.

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

/// The instance and its store.
pub struct Instance {
    pub store: Store<State>,
    proxy: Proxy,
}

impl Instance {
    /// An instance of the component in the file `path`.
    pub fn new(engine: &Engine, path: &Path) -> Self {
        let new = || {
            let mut linker = Linker::new(engine);
            wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
            wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
            let component = Component::from_file(engine, path)?;
            let pre = ProxyPre::new(linker.instantiate_pre(&component)?)?;
            let mut store = Store::new(engine, State::default());
            store.limiter(|state| state);
            // An engine that counts fuel starts without any; other engines return an error.
            let _ = store.set_fuel(u64::MAX);
            let proxy = poll_once(pre.instantiate_async(&mut store))?;
            Ok(Self { store, proxy })
        };
        new().unwrap_or_else(|error: wasmtime::Error| panic!("no instance: {error:#}"))
    }

    /// The status of the response to one request.
    pub fn ask(&mut self, method: &str, target: &str) -> u16 {
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
            poll_once(handler.call_handle(&mut self.store, request, out))?;
            Ok(receiver.try_recv()??.status().as_u16())
        };
        ask().unwrap_or_else(|error| panic!("{method} {target}: {error:#}"))
    }

    pub fn memory_bytes(&self) -> usize {
        self.store.data().memory_bytes
    }

    pub fn has_handles(&self) -> bool {
        !self.store.data().table.is_empty()
    }
}

/// The output of a future that never waits, because no call of the component does.
fn poll_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the component waits for something"),
    }
}

/// The host's state for the instance.
#[derive(Default)]
pub struct State {
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
