//! What a proxy may answer by itself, or change: Spin and the embedded host have these
//! promises, and a load balancer in front of them need not.

use super::{OTHER_METHODS, RESOURCES, assert_not_allowed, assert_not_found};
use crate::wire::{Connection, ask};

/// Methods that a proxy may refuse.
const UNUSUAL_METHODS: [&str; 4] = ["TRACE", "BREW", "get", "GETS"];

/// Unknown paths from which a proxy may make a known one.
const UNUSUAL_PATHS: [&str; 6] = [
    "//will",
    "/will//",
    "/%77ill",
    "/will%20",
    "/will%3Fx",
    "/will;x=1",
];

#[test]
fn an_unusual_method_is_not_allowed() {
    for (path, _) in RESOURCES {
        for method in UNUSUAL_METHODS {
            assert_not_allowed(method, path);
        }
    }
}

#[test]
fn an_unusual_path_is_not_found() {
    for path in UNUSUAL_PATHS {
        for method in ["GET", "OPTIONS"].iter().chain(&OTHER_METHODS) {
            assert_not_found(method, path);
        }
    }
    for method in UNUSUAL_METHODS {
        assert_not_found(method, "/unknown");
    }
}

#[test]
fn head_has_all_headers_of_get() {
    for path in ["/will", "/ready", "/unknown"] {
        assert_eq!(
            ask("HEAD", path).headers_except_date(),
            ask("GET", path).headers_except_date(),
            "HEAD {path}"
        );
    }
}

#[test]
fn a_response_does_not_wait_for_the_request_body() {
    for (method, status) in [("GET", 200), ("POST", 405)] {
        let mut connection = Connection::open();
        connection.send(method, "/will", "content-length: 1000000\r\n");
        assert_eq!(connection.response(method).status, status, "{method} /will");
    }
}

#[test]
fn a_connection_serves_several_requests() {
    let mut connection = Connection::open();
    for method in ["GET", "HEAD", "OPTIONS", "POST", "GET"] {
        connection.send(method, "/ready", "");
        let expected = ask(method, "/ready");
        let response = connection.response(method);
        assert_eq!(response.status, expected.status, "{method} /ready");
        assert_eq!(response.content, expected.content, "{method} /ready");
    }
}
