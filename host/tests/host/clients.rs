//! Slow and hostile clients: each is bounded, and others are served.

use std::io::ErrorKind;
use std::time::Duration;

use swiss_host::Options;

use crate::support::app::{App, COUNT, MANIFEST, READ};
use crate::support::client::{Client, EXPECT, GET, status};
use crate::support::served::{Served, options};

/// Bears with a client for long enough to send a request on a busy machine.
fn impatient() -> Options {
    Options {
        header_timeout: Duration::from_secs(1),
        ..options()
    }
}

#[test]
fn a_client_that_sends_nothing_is_disconnected() {
    let served = Served::new(&App::new(MANIFEST, COUNT), impatient());
    let mut client = Client::connect(served.address);
    assert_eq!(client.rest(), "", "nothing before the end");
}

#[test]
fn a_client_that_sends_half_a_header_is_disconnected() {
    let served = Served::new(&App::new(MANIFEST, COUNT), impatient());
    let halves = [
        "G",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n",
    ];
    let clients = halves.map(|half| {
        let mut client = Client::connect(served.address);
        client.send(half);
        client
    });
    for (mut client, half) in clients.into_iter().zip(halves) {
        assert_eq!(client.rest(), "", "nothing before the end after {half:?}");
    }
}

#[test]
fn a_client_that_sends_no_further_request_is_disconnected() {
    let served = Served::new(&App::new(MANIFEST, COUNT), impatient());
    let mut client = Client::connect(served.address);
    client.send(GET);
    assert_eq!(client.status(), 201, "the status of the only request");
    assert_eq!(client.rest(), "", "nothing before the end");
}

#[test]
fn the_header_timeout_is_not_one_of_the_component() {
    let served = Served::new(&App::new(MANIFEST, READ), impatient());
    let mut client = Client::connect(served.address);
    client.send(EXPECT);
    assert_eq!(client.status(), 100, "the component reads the content");
    // Takes as long as a client that sends nothing is borne with.
    assert_eq!(
        Client::connect(served.address).rest(),
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
    let served = Served::new(&App::new(MANIFEST, COUNT), options());
    let limit = options().max_header_bytes;
    let (before, after) = ("GET / HTTP/1.1\r\nHost: localhost\r\nField: ", "\r\n\r\n");
    let longest = limit - before.len() - after.len();
    let with = |length| format!("{before}{}{after}", "x".repeat(length));
    assert_eq!(
        status(served.address, with(longest)),
        201,
        "the status with {limit} bytes"
    );
    assert_eq!(
        status(served.address, with(longest + 1)),
        431,
        "the status with a byte more"
    );
    assert_eq!(
        status(served.address, GET),
        201,
        "the status of the next client"
    );
}

#[test]
fn a_header_without_end_is_cut_off() {
    let served = Served::new(&App::new(MANIFEST, COUNT), options());
    for start in ["GET /", "GET / HTTP/1.1\r\nHost: localhost\r\nField: "] {
        let mut client = Client::connect(served.address);
        client.send(start);
        client.send("x".repeat(options().max_header_bytes));
        let response = client.rest();
        assert!(
            response.starts_with("HTTP/1.1 4"),
            "expected an error for {start:?}: {response}"
        );
    }
    assert_eq!(
        status(served.address, GET),
        201,
        "the status of the next client"
    );
}

#[test]
fn more_clients_than_max_connections_wait_for_their_turn() {
    let options = Options {
        max_connections: 1,
        ..options()
    };
    let served = Served::new(&App::new(MANIFEST, COUNT), options);
    let mut first = Client::connect(served.address);
    first.send(GET);
    assert_eq!(first.status(), 201, "the status of the first client");

    let mut second = Client::connect(served.address);
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
        "nothing comes while the first is connected"
    );

    second.0.set_nonblocking(false).unwrap();
    drop(first);
    assert_eq!(
        second.status(),
        201,
        "the status of the second client in its turn"
    );
}

#[test]
fn a_client_that_leaves_makes_room() {
    let options = Options {
        max_connections: 1,
        ..options()
    };
    let served = Served::new(&App::new(MANIFEST, READ), options);
    for _ in 0..3 {
        let mut leaves = Client::connect(served.address);
        leaves.send(EXPECT);
        assert_eq!(leaves.status(), 100, "the component reads the content");
    }
    assert_eq!(status(served.address, GET), 200, "the status of who stays");
}

#[test]
fn content_that_never_comes_holds_no_connection() {
    let served = Served::new(&App::new(MANIFEST, COUNT), options());
    let mut client = Client::connect(served.address);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx");
    assert_eq!(
        client.status(),
        201,
        "the status, as the component does not read the content"
    );
    assert_eq!(client.rest(), "", "nothing before the end");
}
