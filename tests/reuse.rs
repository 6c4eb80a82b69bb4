//! Hosts may send any number of requests through one instance. In this test one
//! instance serves a million, and neither its memory nor the host's table of its
//! handles grows.

mod instance;

use std::path::Path;

use instance::Instance;
use wasmtime::Engine;

const REQUESTS: usize = 1_000_000;

/// Requests for every response.
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
    let mut instance = swiss();
    for (method, target, status) in TARGETS {
        assert_eq!(instance.ask(method, target), status, "{method} {target}");
    }
    let (memory, handles) = (instance.memory_bytes(), instance.has_handles());
    assert!(memory > 0, "the limiter was never called");
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
fn a_repeated_long_request_takes_no_more_memory() {
    let mut instance = swiss();
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

fn swiss() -> Instance {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/swiss.wasm");
    assert!(
        path.exists(),
        "there is no {}: run `make build`",
        path.display()
    );
    Instance::new(&Engine::default(), &path)
}
