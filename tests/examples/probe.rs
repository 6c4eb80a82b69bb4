//! Measures a component inside the embedded host, without a server around it.
//! Prints the results as JSON for the harness in bench/.

#![forbid(unsafe_code)]

#[path = "../instance/mod.rs"]
#[allow(dead_code, reason = "the test of reuse uses the rest")]
mod instance;

use std::env;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use instance::Instance;
use serde_json::{Value, json};
use swiss_host::{Component, Runtime};
use tokio::runtime::Builder;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use wasmtime::{Cache, CacheConfig, Config, Engine, Result, component};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{HandlerState, ProxyHandler};

const USAGE: &str = "usage: probe compile|instantiate|work FILE
       probe handle FILE REQUESTS REUSE CACHE";

fn main() -> Result<()> {
    let args: Vec<_> = env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let found = match *args.as_slice() {
        ["compile", file] => compile(file.as_ref())?,
        ["instantiate", file] => instantiate(file.as_ref()),
        ["work", file] => work(file.as_ref())?,
        ["handle", file, requests, reuse, cache] => {
            handle(
                file.as_ref(),
                number(requests),
                number(reuse),
                cache.as_ref(),
            )?;
            json!({})
        }
        _ => panic!("{USAGE}"),
    };
    println!("{found}");
    Ok(())
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("{USAGE}"))
}

/// The compile time of the host's engine without a cache, and the code's size.
fn compile(file: &Path) -> Result<Value> {
    let bytes = std::fs::read(file)?;
    let engine = swiss_host::engine(1, None).unwrap();
    let mut milliseconds = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        component::Component::from_binary(&engine, &bytes)?;
        milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let code = engine.precompile_component(&bytes)?;
    Ok(json!({ "compile_ms": median(milliseconds), "compiled_bytes": code.len() }))
}

/// The time to create and drop an instance, without and with a request between
/// the two.
fn instantiate(file: &Path) -> Value {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let handler = host(file, 1, swiss_host::engine(INSTANCES, None).unwrap());
    let (mut empty, mut called) = (Vec::new(), Vec::new());
    // In batches, so that reading the clock does not distort the result.
    const BATCH: u32 = 100;
    for _ in 0..31 {
        empty.push(runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..BATCH {
                drop(handler.state().instantiate().await.unwrap());
            }
            start.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH)
        }));
        called.push(runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..BATCH {
                ask(&handler).await;
            }
            start.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH)
        }));
    }
    json!({ "instantiate_us": median(empty), "instantiate_call_us": median(called) })
}

/// Only serves requests, for a tool that counts instructions. Compiling is slow
/// under such a tool, so the folder `cache` keeps the code that a run without the
/// tool has compiled.
fn handle(file: &Path, requests: usize, reuse: usize, cache: &Path) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut config = CacheConfig::new();
    config.with_directory(cache);
    let cache = Cache::new(config)?;
    // Code for every processor of the architecture, because valgrind emulates
    // another than the machine's.
    let mut config = swiss_host::config(INSTANCES, Some(cache));
    config.target(&format!("{}-unknown-linux-gnu", env::consts::ARCH))?;
    let handler = host(file, reuse, Engine::new(&config)?);
    runtime.block_on(async {
        for _ in 0..requests {
            ask(&handler).await;
        }
    });
    Ok(())
}

/// The guest's instructions and host calls for one request.
fn work(file: &Path) -> Result<Value> {
    let mut config = Config::new();
    config.consume_fuel(true);
    let mut instance = Instance::new(&Engine::new(&config)?, file);
    instance.ask("GET", "/will");
    tracing::subscriber::set_global_default(HostCalls)?;
    let fuel = instance.store.get_fuel()?;
    instance.ask("GET", "/will");
    Ok(json!({
        "guest_instructions": fuel - instance.store.get_fuel()?,
        "host_calls": CALLS.load(Ordering::Relaxed),
    }))
}

const INSTANCES: u32 = 4;

/// The embedded host's call path for the component in `file`.
fn host(file: &Path, reuse: usize, engine: Engine) -> ProxyHandler<Component> {
    let runtime = Runtime::new(engine, INSTANCES, reuse).unwrap();
    let load = |engine: &Engine, path: &Path| component::Component::from_file(engine, path);
    ProxyHandler::new(runtime.load("peer", file, load).unwrap())
}

async fn ask(handler: &ProxyHandler<Component>) {
    let body: WasiBody = Empty::<Bytes>::new()
        .map_err(|never| match never {})
        .boxed_unsync();
    let request = Request::get("/will").header("host", "localhost");
    let response = handler.handle((), request.body(body).unwrap()).await;
    let content = response.unwrap().into_body().collect().await.unwrap();
    assert_eq!(content.to_bytes(), "\"Hello World\"\n");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

static CALLS: AtomicUsize = AtomicUsize::new(0);

/// Counts the guest's calls to the host. wasmtime opens a span for each call,
/// except for most drops of a handle.
struct HostCalls;

impl Subscriber for HostCalls {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.name() == "wit-bindgen import"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        CALLS.fetch_add(1, Ordering::Relaxed);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
