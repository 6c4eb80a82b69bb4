//! Loads components with wasmtime. Each is compiled once for all its instances.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use tokio::sync::Semaphore;
use wasmtime::component::{self, Linker};
use wasmtime::{Cache, Config, Engine, PoolingAllocationConfig};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::p2::bindings;

use crate::component::{Component, State};

/// The memory limit of an instance.
const MEMORY_BYTES: usize = 128 << 20;
/// How much memory stays mapped in a slot, so that the next instance does not
/// request it from the kernel: one Wasm page.
const RESIDENT_BYTES: usize = 64 << 10;

/// How long an instance computes before it yields to others.
const TIME_SLICE: Duration = Duration::from_millis(10);

/// The packages of WASI 0.2. This host implements all of them, as Spin does.
const WASI: [&str; 7] = [
    "wasi:cli",
    "wasi:clocks",
    "wasi:filesystem",
    "wasi:http",
    "wasi:io",
    "wasi:random",
    "wasi:sockets",
];

/// Loads a component from a file, usually
/// [by compiling it](component::Component::from_file).
pub type Load = fn(&Engine, &Path) -> wasmtime::Result<component::Component>;

/// The engine, the linker and the instance pool that components share.
pub struct Runtime {
    engine: Engine,
    linker: Linker<State>,
    /// One permit for each slot of the instance pool.
    slots: Arc<Semaphore>,
    instance_reuse: usize,
}

impl Runtime {
    /// A runtime for at most `instances` instances at a time, each of which
    /// serves `instance_reuse` requests, one after the other. `engine` has a
    /// [configuration](config) for as many instances.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn new(engine: Engine, instances: u32, instance_reuse: usize) -> Result<Self> {
        let weak = engine.weak();
        thread::Builder::new().spawn(move || {
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TIME_SLICE);
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

    /// Loads the component in the file `path` with `load`. `id` is for messages.
    ///
    /// # Errors
    /// When the file is not a component for WASI 0.2's HTTP, or has imports that
    /// this host lacks. The error lists those imports.
    pub fn load(&self, id: &str, path: &Path, load: Load) -> Result<Component> {
        let file = path.display();
        let component = load(&self.engine, path)
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
        Ok(Component::new(
            id,
            ProxyPre::P2(pre),
            Arc::clone(&self.slots),
            self.instance_reuse,
        ))
    }
}

/// The engine with the [configuration](config) for `instances` instances.
///
/// # Errors
/// When the address space is too small for the instances.
pub fn engine(instances: u32, cache: Option<Cache>) -> Result<Engine> {
    Ok(Engine::new(&config(instances, cache))?)
}

/// The configuration of an engine for at most `instances` instances at a time. `cache`
/// keeps compiled code for the next start. The engine loads code that another such
/// engine has compiled ahead of time.
#[must_use]
pub fn config(instances: u32, cache: Option<Cache>) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_memories(instances)
        .total_stacks(instances)
        // A component that is made from a core module has three or four of each.
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
    config
}

/// Whether `import` names an interface of WASI 0.2.
fn is_wasi(import: &str) -> bool {
    import
        .split_once('/')
        .is_some_and(|(package, interface)| WASI.contains(&package) && interface.contains("@0.2."))
}
