//! Tests the contract of `openapi.yaml` over TCP, with the built component in the
//! embedded host, or with the server that `SWISS_URL` names: see `make test-url`.
//!
//! Responses are compared as bytes. A client library would hide content after
//! HEAD, chunks, and a missing length.

mod direct;
mod server;
mod wire;

use wire::{Response, ask};

/// Path and content of the two resources. The content is byte for byte that of
/// `jsonify` in Flask 1.1.1: `tests/outside/test_original.py` asks it.
const RESOURCES: [(&str, &str); 2] = [
    ("/will", "\"Hello World\"\n"),
    ("/ready", "\"It works!\"\n"),
];

const OTHER_METHODS: [&str; 4] = ["POST", "PUT", "DELETE", "PATCH"];

/// Unknown paths, most of them close to a known one.
const OTHER_PATHS: [&str; 9] = [
    "/", "/will/", "/ready/", "/WILL", "/Ready", "/wil", "/willl", "/will/x", "/unknown",
];

#[test]
fn get_answers_with_json() {
    for (path, content) in RESOURCES {
        let response = ask("GET", path);
        assert_eq!(response.status, 200, "GET {path}");
        assert_eq!(response.content, content.as_bytes(), "GET {path}");
        assert_headers(
            &response,
            &[
                ("content-type", "application/json"),
                ("content-length", &content.len().to_string()),
            ],
        );
    }
}

#[test]
fn the_greeting_has_14_bytes() {
    assert_eq!(ask("GET", "/will").header("content-length"), Some("14"));
}

#[test]
fn head_has_the_headers_of_get_and_no_content() {
    for (path, content) in RESOURCES {
        let head = ask("HEAD", path);
        assert_eq!(head.status, 200, "HEAD {path}");
        assert_eq!(head.content, b"", "content after HEAD {path}");
        assert_headers(
            &head,
            &[
                ("content-type", "application/json"),
                ("content-length", &content.len().to_string()),
            ],
        );
    }
}

#[test]
fn options_lists_the_methods_and_has_no_content() {
    for (path, _) in RESOURCES {
        let response = ask("OPTIONS", path);
        assert_eq!(response.status, 200, "OPTIONS {path}");
        assert_eq!(response.content, b"", "OPTIONS {path}");
        assert_eq!(response.allowed(), ["GET", "HEAD", "OPTIONS"]);
        assert_eq!(response.header("content-length"), Some("0"));
        assert_eq!(response.header("content-type"), None);
    }
}

#[test]
fn every_other_method_is_not_allowed() {
    for (path, _) in RESOURCES {
        for method in OTHER_METHODS {
            assert_not_allowed(method, path);
        }
    }
}

#[test]
fn every_other_path_is_not_found_for_every_method() {
    for path in OTHER_PATHS {
        for method in ["GET", "OPTIONS"].iter().chain(&OTHER_METHODS) {
            assert_not_found(method, path);
        }
        let head = ask("HEAD", path);
        assert_eq!(head.status, 404, "HEAD {path}");
        assert_eq!(head.header("content-length"), Some("35"), "HEAD {path}");
        assert_eq!(head.content, b"", "content after HEAD {path}");
    }
}

#[test]
fn the_query_is_ignored() {
    for (path, content) in RESOURCES {
        for query in ["?", "?x=1", "?/ready", "??", "?%00"] {
            let response = ask("GET", &format!("{path}{query}"));
            assert_eq!(response.status, 200, "GET {path}{query}");
            assert_eq!(response.content, content.as_bytes(), "GET {path}{query}");
        }
    }
    assert_eq!(ask("GET", "/?/will").status, 404);
}

fn assert_not_allowed(method: &str, path: &str) {
    let response = ask(method, path);
    let problem = "{\"title\":\"Method Not Allowed\",\"status\":405}\n";
    assert_problem(&response, 405, problem, &format!("{method} {path}"));
    assert_eq!(response.allowed(), ["GET", "HEAD", "OPTIONS"]);
}

fn assert_not_found(method: &str, path: &str) {
    let response = ask(method, path);
    let problem = "{\"title\":\"Not Found\",\"status\":404}\n";
    assert_problem(&response, 404, problem, &format!("{method} {path}"));
    assert_eq!(response.header("allow"), None, "{method} {path}");
}

fn assert_problem(response: &Response, status: u16, problem: &str, request: &str) {
    assert_eq!(response.status, status, "{request}");
    assert_eq!(response.content, problem.as_bytes(), "{request}");
    assert_headers(
        response,
        &[
            ("content-type", "application/problem+json"),
            ("content-length", &problem.len().to_string()),
        ],
    );
}

/// Asserts that `response` has these headers, each once, and is not chunked.
fn assert_headers(response: &Response, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        let found: Vec<_> = response.values(name).collect();
        assert_eq!(found, [*value], "{name} of {response:?}");
    }
    assert_eq!(response.header("transfer-encoding"), None, "{response:?}");
}
