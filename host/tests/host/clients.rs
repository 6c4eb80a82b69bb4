//! Slow and hostile clients: each has limits, and other clients are served.

use std::io::ErrorKind;
use std::time::Duration;

use swiss_host::Options;

use crate::support::app::{App, COUNT, MANIFEST, READ};
use crate::support::client::{Client, EXPECT, GET, status};
use crate::support::server::{TestServer, options};

/// A short header timeout that still suffices for a request on a busy machine.
fn short_header_timeout() -> Options {
    Options {
        header_timeout: Duration::from_secs(1),
        ..options()
    }
}

#[test]
fn a_client_that_sends_nothing_is_disconnected() {
    let server = TestServer::new(&App::new(MANIFEST, COUNT), short_header_timeout());
    let mut client = Client::connect(server.address);
    assert_eq!(client.rest(), "", "expected no response before the close");
}

#[test]
fn a_client_that_sends_half_a_header_is_disconnected() {
    let server = TestServer::new(&App::new(MANIFEST, COUNT), short_header_timeout());
    let halves = [
        "G",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n",
    ];
    let clients = halves.map(|half| {
        let mut client = Client::connect(server.address);
        client.send(half);
        client
    });
    for (mut client, half) in clients.into_iter().zip(halves) {
        assert_eq!(client.rest(), "", "expected no response to {half:?}");
    }
}

#[test]
fn a_client_that_sends_no_further_request_is_disconnected() {
    let server = TestServer::new(&App::new(MANIFEST, COUNT), short_header_timeout());
    let mut client = Client::connect(server.address);
    client.send(GET);
    assert_eq!(client.status(), 201, "the status of the only request");
    assert_eq!(client.rest(), "", "expected no response before the close");
}

#[test]
fn the_header_timeout_does_not_limit_the_component() {
    let server = TestServer::new(&App::new(MANIFEST, READ), short_header_timeout());
    let mut client = Client::connect(server.address);
    client.send(EXPECT);
    assert_eq!(client.status(), 100, "the component reads the content");
    // Waits until the header timeout disconnects a silent client.
    assert_eq!(
        Client::connect(server.address).rest(),
        "",
        "the header timeout passes"
    );
    client.send("x");
    assert_eq!(
        client.status(),
        200,
        "the status of the request that takes longer"
    );
}

#[test]
fn a_header_that_is_too_long_is_a_431() {
    let server = TestServer::new(&App::new(MANIFEST, COUNT), options());
    let limit = options().max_header_bytes;
    let (before, after) = ("GET / HTTP/1.1\r\nHost: localhost\r\nField: ", "\r\n\r\n");
    let longest = limit - before.len() - after.len();
    let with = |length| format!("{before}{}{after}", "x".repeat(length));
    assert_eq!(
        status(server.address, with(longest)),
        201,
        "the status with {limit} bytes"
    );
    assert_eq!(
        status(server.address, with(longest + 1)),
        431,
        "the status with a byte more"
    );
    assert_eq!(
        status(server.address, GET),
        201,
        "the status of the next client"
    );
}

#[test]
fn an_endless_header_is_refused() {
    let server = TestServer::new(&App::new(MANIFEST, COUNT), options());
    for start in ["GET /", "GET / HTTP/1.1\r\nHost: localhost\r\nField: "] {
        let mut client = Client::connect(server.address);
        client.send(start);
        client.send("x".repeat(options().max_header_bytes));
        let response = client.rest();
        assert!(
            response.starts_with("HTTP/1.1 4"),
            "expected an error for {start:?}: {response}"
        );
    }
    assert_eq!(
        status(server.address, GET),
        201,
        "the status of the next client"
    );
}

#[test]
fn clients_beyond_max_connections_wait_for_a_free_connection() {
    let options = Options {
        max_connections: 1,
        ..options()
    };
    let server = TestServer::new(&App::new(MANIFEST, COUNT), options);
    let mut first = Client::connect(server.address);
    first.send(GET);
    assert_eq!(first.status(), 201, "the status of the first client");

    let mut second = Client::connect(server.address);
    second.send(GET);
    for _ in 0..20 {
        first.send(GET);
        assert_eq!(
            first.status(),
            201,
            "the status of the first client's further requests"
        );
    }
    second.0.set_nonblocking(true).unwrap();
    let waits = second.0.peek(&mut [0]).map_err(|error| error.kind());
    assert_eq!(
        waits,
        Err(ErrorKind::WouldBlock),
        "expected no response while the first client is connected"
    );

    second.0.set_nonblocking(false).unwrap();
    drop(first);
    assert_eq!(
        second.status(),
        201,
        "the status of the second client after the first"
    );
}

#[test]
fn a_client_that_disconnects_frees_its_connection() {
    let options = Options {
        max_connections: 1,
        ..options()
    };
    let server = TestServer::new(&App::new(MANIFEST, READ), options);
    for _ in 0..3 {
        let mut client = Client::connect(server.address);
        client.send(EXPECT);
        assert_eq!(client.status(), 100, "the component reads the content");
    }
    assert_eq!(
        status(server.address, GET),
        200,
        "the status of the next client"
    );
}

#[test]
fn content_that_never_arrives_does_not_keep_the_connection_open() {
    let server = TestServer::new(&App::new(MANIFEST, COUNT), options());
    let mut client = Client::connect(server.address);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx");
    assert_eq!(
        client.status(),
        201,
        "the status, as the component does not read the content"
    );
    assert_eq!(client.rest(), "", "expected no response before the close");
}
