//! A component's instances, and the requests that they serve.

use std::future::{self, Future};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep_until};
use wasmtime::component::{GuestTaskId, ResourceTable};
use wasmtime::{Engine, Store, StoreContextMut, Trap, WasmBacktrace};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::{
    Error, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::log;

/// How long a reusable instance waits for its next request, as in Spin.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// A compiled component.
pub struct Component {
    id: Arc<str>,
    pre: ProxyPre<State>,
    slots: Arc<Semaphore>,
    reuse: usize,
}

impl HandlerState for Component {
    type StoreData = State;
    type WorkerExpiration = Idle;
    type WorkerState = Worker;

    /// Makes a new instance. Waits while all slots of the pool are in use.
    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Idle, Worker>> {
        let slot = Arc::clone(&self.slots).acquire_owned().await?;
        let mut store = Store::new(self.pre_engine(), State::new());
        // Without the deadline, one instance in an endless loop blocks the whole host.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let proxy = self.pre.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Idle(None),
            state: Worker {
                id: Arc::clone(&self.id),
                reuse: self.reuse,
                _slot: slot,
            },
        })
    }
}

impl Component {
    /// Each instance of `pre` serves `reuse` requests, and holds one permit of
    /// `slots` meanwhile. `id` is for messages.
    pub fn new(id: &str, pre: ProxyPre<State>, slots: Arc<Semaphore>, reuse: usize) -> Self {
        Self {
            id: id.into(),
            pre,
            slots,
            reuse,
        }
    }

    fn pre_engine(&self) -> &Engine {
        match &self.pre {
            ProxyPre::P2(pre) => pre.engine(),
        }
    }
}

/// The host's state for an instance.
pub struct State {
    // Made on first use: most components never use it, and it is slow to make.
    wasi: Option<WasiCtx>,
    http: WasiHttpCtx,
    table: ResourceTable,
    no_outbound: NoOutbound,
}

impl State {
    fn new() -> Self {
        Self {
            wasi: None,
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            no_outbound: NoOutbound,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: self
                .wasi
                .get_or_insert_with(|| WasiCtx::builder().inherit_stderr().build()),
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.no_outbound,
        }
    }
}

/// Refuses outbound requests, as Spin does without `allowed_outbound_hosts`.
struct NoOutbound;

impl WasiHttpHooks for NoOutbound {
    fn send_request(
        &mut self,
        _: hyper::Request<WasiBody>,
        _: Option<wasmtime_wasi_http::RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Outbound, Error>> + Send> {
        Box::new(future::ready(Err(Error::HttpRequestDenied)))
    }
}

type Outbound = (
    hyper::Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

/// How often an instance is reused, and what happens when it ends.
pub struct Worker {
    id: Arc<str>,
    /// How many requests it serves, one after the other.
    reuse: usize,
    // Not in the store: a store drops its data before it frees the pool's slot.
    _slot: OwnedSemaphorePermit,
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.reuse {
            ShouldAccept::Never
        } else if concurrent > 0 {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    /// Requests have no deadline, as in Spin.
    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(future::pending())
    }

    /// Logs why an instance trapped. The error of its request says only that the
    /// response is missing or incomplete. Other errors mean that the host stops.
    fn drop(&self, _: Store<State>, result: wasmtime::Result<()>) {
        if let Err(error) = result
            && error.is::<WasmBacktrace>()
        {
            let (id, cause) = (&self.id, error.root_cause().to_string());
            // The stack is below all data, so what overflows it leaves the memory. A host
            // call then gets a pointer out of bounds, which is not a `Trap`.
            let overflow = match error.downcast_ref() {
                Some(trap) => matches!(trap, Trap::MemoryOutOfBounds | Trap::StackOverflow),
                None => cause.contains("out of bounds"),
            };
            let hint = if overflow {
                ": this is also how an overflow of its stack ends; `make build` sets the size \
                 of the stack, see docs/your-own-service.md"
            } else {
                ""
            };
            log::error(format_args!("the component `{id}` trapped: {cause}{hint}"));
        }
    }
}

/// Ends an instance that has been idle for [`IDLE_TIMEOUT`].
pub struct Idle(Option<Pin<Box<Sleep>>>);

impl WorkerExpiration for Idle {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if status != WorkerStatus::Idle {
            return Poll::Pending;
        }
        let deadline = (start + IDLE_TIMEOUT).into();
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(context)
    }
}
