//! How the host stops: the command on a signal, the library on request.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use swiss_host::{Manifest, Options, Server};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::support::app::{App, COUNT, MANIFEST, READ};
use crate::support::client::{Client, DEADLINE, EXPECT, GET, status};
use crate::support::process::Process;
use crate::support::server::options;

#[test]
fn sigint_and_sigterm_stop_the_host_with_exit_code_0() {
    for signal in ["INT", "TERM"] {
        let app = App::new(MANIFEST, COUNT);
        let mut process = Process::start(&app, &[]);
        process.address();
        process.signal(signal);
        let ended = process.end();
        assert_eq!(ended.code, Some(0), "the exit code after SIG{signal}");
        assert_eq!(ended.stderr, "", "stderr after SIG{signal}");
    }
}

#[test]
fn after_a_signal_open_requests_finish_and_new_connections_are_refused() {
    let app = App::new(MANIFEST, READ);
    let mut process = Process::start(&app, &[]);
    let address = process.address();
    let mut client = Client::connect(address);
    client.send(EXPECT);
    assert_eq!(client.status(), 100, "the component reads the content");

    process.signal("TERM");
    let refused = loop {
        match TcpStream::connect_timeout(&address, DEADLINE) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => break error.kind(),
            // The server has not closed its socket yet.
            _ => {}
        }
    };
    assert_eq!(
        refused,
        ErrorKind::ConnectionRefused,
        "the error of a new connection"
    );

    client.send("x");
    let header = client.header();
    assert!(
        header.starts_with("HTTP/1.1 200 "),
        "expected a 200 response, not {header}"
    );
    assert_eq!(client.rest(), "", "expected nothing after the response");
    assert_eq!(process.end().code, Some(0), "the exit code");
}

#[test]
fn idle_connections_do_not_delay_the_stop() {
    let app = App::new(MANIFEST, COUNT);
    let mut process = Process::start(&app, &[]);
    let address = process.address();
    let mut silent = Client::connect(address);
    let mut kept = Client::connect(address);
    kept.send(GET);
    assert_eq!(kept.status(), 201, "the status before the signal");

    process.signal("TERM");
    assert_eq!(process.end().code, Some(0), "the exit code");
    assert_eq!(
        kept.rest(),
        "",
        "expected the server to close a kept connection"
    );
    assert_eq!(
        silent.rest(),
        "",
        "expected the server to close a silent connection"
    );
}

#[test]
fn an_idle_instance_does_not_delay_the_stop() {
    let app = App::new(MANIFEST, COUNT);
    let mut process = Process::start(&app, &["--instance-reuse", "2"]);
    assert_eq!(
        status(process.address(), GET),
        201,
        "the status before the signal"
    );
    process.signal("TERM");
    let ended = process.end();
    assert_eq!(ended.stderr, "", "stderr after the instance is dropped");
    assert_eq!(ended.code, Some(0), "the exit code");
}

#[test]
fn an_endless_component_delays_neither_the_stop_nor_other_requests() {
    let forever = r#"
        (func (export "handle") (param $request i32) (param $out i32)
          (drop (call $first-byte (local.get $request)))
          (loop $again (br $again)))"#;
    let app = App::new(MANIFEST, forever);
    let mut process = Process::start(&app, &[]);
    let address = process.address();
    // One client for each thread of the host.
    for _ in 0..thread::available_parallelism().unwrap().get() {
        let mut client = Client::connect(address);
        client.send(EXPECT);
        assert_eq!(client.status(), 100, "the component reads the content");
        client.send("x");
    }
    let health = "GET /.well-known/spin/health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(
        status(address, health),
        200,
        "the status of another request"
    );

    process.signal("TERM");
    assert_eq!(process.end().code, Some(0), "the exit code");
}

#[test]
fn an_endless_request_delays_the_stop_only_for_the_drain_timeout() {
    let app = App::new(MANIFEST, READ);
    let options = Options {
        drain_timeout: Duration::from_millis(50),
        ..options()
    };
    let runtime = Runtime::new().unwrap();
    let manifest = Manifest::read(&app.manifest()).unwrap();
    let server = runtime.block_on(Server::bind(&manifest, options)).unwrap();
    let mut client = Client::connect(server.address());
    let (stop, stopped) = oneshot::channel::<()>();
    let run = runtime.spawn(server.run(async { stopped.await.unwrap_or_default() }));
    client.send(EXPECT);
    assert_eq!(client.status(), 100, "the component reads the content");

    drop(stop);
    let ended = runtime.block_on(async { timeout(DEADLINE, run).await });
    assert!(
        ended.is_ok(),
        "expected the server to end within {DEADLINE:?}"
    );
}
