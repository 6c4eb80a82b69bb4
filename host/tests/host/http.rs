//! How the host itself handles requests.

use crate::support::app::{App, COUNT, MANIFEST, component};
use crate::support::client::{Client, GET, status};
use crate::support::server::{TestServer, options};

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// A handler that always answers with `status`.
fn always(status: u16) -> String {
    format!(
        r#"(func (export "handle") (param $request i32) (param $out i32)
             (call $answer (local.get $out) (i32.const {status})))"#
    )
}

#[test]
fn a_request_goes_to_the_component_of_the_best_route() {
    let manifest = r#"spin_manifest_version = 2
        trigger.http = [
            { route = "/a/...", component = "below" },
            { route = "/a/:b", component = "segment" },
            { route = "/a/b", component = "exact" },
        ]
        component = { below.source = "app.wasm", segment.source = "s.wasm", exact.source = "e.wasm" }
        [application]
        name = "app"
    "#;
    let app = App::new(manifest, &always(211));
    app.add("s.wasm", component(&always(212)));
    app.add("e.wasm", component(&always(213)));
    let server = TestServer::new(&app, options());
    for (path, expected) in [
        ("/a/b/c", 211),
        ("/a", 211),
        ("/a/c", 212),
        ("/a/b", 213),
        ("/a/b?c=d/e", 213),
        ("/a/b/", 213),
        ("http://other/a/b", 213),
        ("/", 404),
        ("/b", 404),
    ] {
        assert_eq!(
            status(server.address, get(path)),
            expected,
            "the status of {path}"
        );
    }
}

#[test]
fn the_host_answers_health_requests_for_all_routes() {
    let server = TestServer::new(&App::new(MANIFEST, &always(211)), options());
    let mut client = Client::connect(server.address);
    client
        .send(get("/.well-known/spin/health").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    let response = client.rest();
    assert!(
        response.starts_with("HTTP/1.1 200 OK\r\n"),
        "expected 200, not {response}"
    );
    assert!(
        response.ends_with("\r\n\r\nOK"),
        "expected the content `OK`, not {response}"
    );
}

#[test]
fn only_paths_below_well_known_spin_are_reserved() {
    let server = TestServer::new(&App::new(MANIFEST, &always(211)), options());
    for (path, expected) in [
        ("/.well-known/spin/other", 404),
        ("/.well-known/spin/health/", 404),
        ("/.well-known/spinner", 211),
        ("/.well-known/spin", 211),
        ("/.well-known/other", 211),
    ] {
        assert_eq!(
            status(server.address, get(path)),
            expected,
            "the status of {path}"
        );
    }
}

#[test]
fn http_1_0_needs_no_host() {
    let server = TestServer::new(&App::new(MANIFEST, COUNT), options());
    for request in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n",
    ] {
        let mut client = Client::connect(server.address);
        client.send(request);
        assert_eq!(client.status(), 201, "the status of {request:?}");
        assert_eq!(
            client.rest(),
            "",
            "the connection is closed after {request:?}"
        );
    }
}

/// RFC 9112 section 3.2.
#[test]
fn http_1_1_needs_one_valid_host() {
    let server = TestServer::new(&App::new(MANIFEST, COUNT), options());
    for fields in [
        "",
        "Host: a\r\nHost: b\r\n",
        "Host: a b\r\n",
        "Host: a/b\r\n",
    ] {
        let request = format!("GET / HTTP/1.1\r\n{fields}\r\n");
        assert_eq!(
            status(server.address, &request),
            400,
            "the status of {request:?}"
        );
    }
    assert_eq!(status(server.address, GET), 201, "the status after these");
}

#[test]
fn bytes_that_are_not_http_are_refused_and_the_next_client_is_served() {
    let server = TestServer::new(&App::new(MANIFEST, COUNT), options());
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"x\r\n\r\n",
    ] {
        let mut client = Client::connect(server.address);
        client.send(bytes);
        let response = client.rest();
        assert!(
            !response.contains(" 200 "),
            "expected no success for {bytes:?}: {response}"
        );
    }
    assert_eq!(status(server.address, GET), 201, "the status after these");
}
