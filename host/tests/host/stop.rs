//! How it stops: the command on a signal, the library when it is told to.

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
use crate::support::served::options;

#[test]
fn sigint_and_sigterm_end_it_with_exit_code_0() {
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
fn a_request_in_flight_is_finished_and_no_connection_taken() {
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
            // The server was about to close its socket.
            _ => {}
        }
    };
    assert_eq!(
        refused,
        ErrorKind::ConnectionRefused,
        "what a new connection is"
    );

    client.send("x");
    let header = client.header();
    assert!(
        header.starts_with("HTTP/1.1 200 "),
        "expected a 200 response, not {header}"
    );
    assert_eq!(client.rest(), "", "nothing comes after the response");
    assert_eq!(process.end().code, Some(0), "the exit code");
}

#[test]
fn connections_without_a_request_do_not_hold_it() {
    let app = App::new(MANIFEST, COUNT);
    let mut process = Process::start(&app, &[]);
    let address = process.address();
    let mut silent = Client::connect(address);
    let mut kept = Client::connect(address);
    kept.send(GET);
    assert_eq!(kept.status(), 201, "the status before the signal");

    process.signal("TERM");
    assert_eq!(process.end().code, Some(0), "the exit code");
    assert_eq!(kept.rest(), "", "a connection that is kept is closed");
    assert_eq!(
        silent.rest(),
        "",
        "a connection that sent nothing is closed"
    );
}

#[test]
fn an_instance_without_a_request_does_not_hold_it() {
    let app = App::new(MANIFEST, COUNT);
    let mut process = Process::start(&app, &["--instance-reuse", "2"]);
    assert_eq!(
        status(process.address(), GET),
        201,
        "the status before the signal"
    );
    process.signal("TERM");
    let ended = process.end();
    assert_eq!(ended.stderr, "", "that it is dropped is no error");
    assert_eq!(ended.code, Some(0), "the exit code");
}

#[test]
fn a_component_that_never_ends_holds_neither_it_nor_other_requests() {
    let forever = r#"
        (func (export "handle") (param $request i32) (param $out i32)
          (drop (call $first-byte (local.get $request)))
          (loop $again (br $again)))"#;
    let app = App::new(MANIFEST, forever);
    let mut process = Process::start(&app, &[]);
    let address = process.address();
    // The host has as many threads.
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
fn a_request_that_does_not_end_holds_the_stop_for_the_drain_timeout_only() {
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
