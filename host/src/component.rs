//! A component under wasmtime: compiled once, instantiated for its requests.

use std::future::{self, Future};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep_until};
use wasmtime::component::{self, GuestTaskId, Linker, ResourceTable};
use wasmtime::{
    Cache, Config, Engine, PoolingAllocationConfig, Store, StoreContextMut, WasmBacktrace,
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p2::bindings;
use wasmtime_wasi_http::{
    Error, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

/// The most memory that an instance may have.
const MEMORY_BYTES: usize = 128 << 20;
/// What stays mapped in a memory's slot, so that the next instance need not
/// ask the kernel for it: one Wasm page.
const RESIDENT_BYTES: usize = 64 << 10;
/// How long an instance that may be used again waits for a request, as in Spin.
const IDLE: Duration = Duration::from_secs(1);

/// How long an instance computes before others get their turn.
const TURN: Duration = Duration::from_millis(10);

/// The packages of WASI 0.2, all of which this host has, as Spin does.
const WASI: [&str; 7] = [
    "wasi:cli",
    "wasi:clocks",
    "wasi:filesystem",
    "wasi:http",
    "wasi:io",
    "wasi:random",
    "wasi:sockets",
];

/// What all components of a process share.
pub struct Runtime {
    engine: Engine,
    linker: Linker<State>,
    /// One permit for each slot of the instance pool.
    slots: Arc<Semaphore>,
    instance_reuse: usize,
}

impl Runtime {
    /// A runtime for at most `instances` instances at a time, each of which
    /// serves `instance_reuse` requests, one after the other. `cache` is where
    /// compiled code is kept for the next start.
    ///
    /// # Errors
    /// When the address space does not suffice for the instances, or there can
    /// be no more threads.
    pub fn new(instances: u32, instance_reuse: usize, cache: Option<Cache>) -> Result<Self> {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(instances)
            .total_memories(instances)
            .total_stacks(instances)
            // A component made of a core module has three or four of these.
            .total_core_instances(instances.saturating_mul(4))
            .total_tables(instances.saturating_mul(4))
            .max_memory_size(MEMORY_BYTES)
            .linear_memory_keep_resident(RESIDENT_BYTES)
            .table_keep_resident(4 << 10);
        let mut config = Config::new();
        config
            .allocation_strategy(pool)
            .cache(cache)
            .epoch_interruption(true);
        let engine = Engine::new(&config)?;
        let weak = engine.weak();
        thread::Builder::new().spawn(move || {
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TURN);
            }
        })?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        Ok(Self {
            engine,
            linker,
            slots: Arc::new(Semaphore::new(usize::try_from(instances)?)),
            instance_reuse,
        })
    }

    /// Compiles the component in the file `path`; `id` is for messages.
    ///
    /// # Errors
    /// When it is no component for WASI 0.2's HTTP, with the imports
    /// that this host lacks.
    pub fn load(&self, id: &str, path: &Path) -> Result<Component> {
        let file = path.display();
        let component = component::Component::from_file(&self.engine, path)
            .map_err(|error| anyhow!("{file} is not a WebAssembly component: {error:#}"))?;
        let missing: Vec<_> = component
            .component_type()
            .imports(&self.engine)
            .map(|(name, _)| name.to_owned())
            .filter(|name| !is_wasi(name))
            .collect();
        if !missing.is_empty() {
            bail!(
                "{file} imports what this host does not have: {}",
                missing.join(", ")
            );
        }
        let pre = self
            .linker
            .instantiate_pre(&component)
            .and_then(bindings::ProxyPre::new)
            .map_err(|error| anyhow!("{file} does not fit this host: {error:#}"))?;
        Ok(Component {
            id: id.into(),
            pre: ProxyPre::P2(pre),
            slots: Arc::clone(&self.slots),
            reuse: self.instance_reuse,
        })
    }
}

/// Whether `import` names an interface of WASI 0.2.
fn is_wasi(import: &str) -> bool {
    import
        .split_once('/')
        .is_some_and(|(package, interface)| WASI.contains(&package) && interface.contains("@0.2."))
}

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

    /// A new instance; waits while all slots of the pool are taken.
    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Idle, Worker>> {
        let slot = Arc::clone(&self.slots).acquire_owned().await?;
        let mut store = Store::new(self.pre_engine(), State::new());
        // Without it, one instance that computes for ever stops the whole host.
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
    fn pre_engine(&self) -> &Engine {
        match &self.pre {
            ProxyPre::P2(pre) => pre.engine(),
        }
    }
}

/// What the host keeps for an instance.
pub struct State {
    // Most components never ask for it, and it takes a while to make.
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

/// What becomes of an instance.
pub struct Worker {
    id: Arc<str>,
    /// How many requests it serves, one after the other.
    reuse: usize,
    // Not in the store, which drops its data before it frees the pool's slot.
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

    /// Says why an instance trapped. Its request only learns that there is no
    /// response, or no more of it. Errors from elsewhere mean that the host ends.
    fn drop(&self, _: Store<State>, result: wasmtime::Result<()>) {
        if let Err(error) = result
            && error.is::<WasmBacktrace>()
        {
            let (id, cause) = (&self.id, error.root_cause());
            eprintln!("error: the component `{id}` trapped: {cause}");
        }
    }
}

/// Ends an instance that has had nothing to do for [`IDLE`].
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
        let deadline = (start + IDLE).into();
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(context)
    }
}
