//! How many requests an instance serves, and the effects of a trap.

use std::net::SocketAddr;

use swiss_host::Options;

use crate::support::app::{App, COUNT, MANIFEST, READ};
use crate::support::client::{Client, EXPECT, GET, status};
use crate::support::process::Process;
use crate::support::server::{TestServer, options};

/// A POST request with `content`.
fn post(content: &str) -> String {
    let length = content.len();
    format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{content}")
}

#[test]
fn a_trap_is_a_500_for_that_request_only() {
    let server = TestServer::new(&App::new(MANIFEST, READ), options());
    let mut waits = Client::connect(server.address);
    waits.send(EXPECT);
    assert_eq!(waits.status(), 100, "the component reads the content");

    let mut traps = Client::connect(server.address);
    // More traps than instances: a trap must not use up an instance slot.
    for _ in 0..20 {
        traps.send(post("!"));
        assert_eq!(traps.status(), 500, "the status of a request that traps");
    }
    traps.send(post("x"));
    assert_eq!(
        traps.status(),
        200,
        "the status after the traps on the same connection"
    );
    assert_eq!(
        status(server.address, GET),
        200,
        "the status after the traps on another connection"
    );
    waits.send("x");
    assert_eq!(
        waits.status(),
        200,
        "the status of the request that was open during the traps"
    );
}

#[test]
fn the_cause_of_a_trap_is_logged() {
    let app = App::new(MANIFEST, READ);
    let mut process = Process::start(&app, &[]);
    assert_eq!(
        status(process.address(), post("!")),
        500,
        "the status of the trap"
    );
    process.signal("TERM");
    let stderr = process.end().stderr;
    let expected =
        "error: the component `app` trapped: wasm trap: wasm `unreachable` instruction executed";
    assert!(
        stderr.lines().any(|line| line == expected),
        "expected `{expected}` in:\n{stderr}"
    );
    for line in stderr.lines() {
        assert!(
            line.starts_with("error: "),
            "expected each error on one line:\n{stderr}"
        );
    }
}

/// A handler that calls `call`, and does nothing else.
fn handler(call: &str) -> String {
    format!(r#"(func (export "handle") (param $request i32) (param $out i32) {call})"#)
}

/// What the host writes to stderr when `request` is answered by `handler`.
fn logged(handler: &str, request: impl FnOnce(SocketAddr)) -> String {
    let app = App::new(MANIFEST, handler);
    let mut process = Process::start(&app, &[]);
    request(process.address());
    process.signal("TERM");
    process.end().stderr
}

#[test]
fn a_component_that_does_not_answer_is_a_500_and_is_logged() {
    let stderr = logged(&handler(""), |address| {
        assert_eq!(status(address, GET), 500, "the status");
    });
    let expected = "error: the component `app` did not answer GET /: ";
    assert!(stderr.starts_with(expected), "{stderr}");
}

#[test]
fn a_component_that_answers_late_is_logged_and_its_answer_sent() {
    let app = App::new(MANIFEST, READ);
    let mut process = Process::start(&app, &["--slow-after", "1ms"]);
    let mut client = Client::connect(process.address());
    client.send(EXPECT);
    assert_eq!(client.status(), 100, "the component reads the content");
    let line = process.error_line();
    let expected = "error: the component `app` has not answered POST / for 1ms: ";
    assert!(line.starts_with(expected), "{line}");
    client.send("x");
    assert_eq!(client.status(), 200, "the status");
}

#[test]
fn content_that_does_not_have_the_announced_length_is_logged() {
    for (digit, found) in [("5", "only 3"), ("2", "at least 3")] {
        let say = format!(
            "(call $say (local.get $out) (i32.const {}) (i32.const 1))",
            digit.as_bytes()[0]
        );
        let stderr = logged(&handler(&say), |address| {
            let mut client = Client::connect(address);
            client.send(GET);
            client.rest();
        });
        let expected = format!(
            "error: the response of the component `app` to GET / has a Content-Length of \
             {digit} and {found} bytes of content\n"
        );
        assert_eq!(stderr, expected);
    }
}

#[test]
fn a_correct_length_and_a_response_without_content_are_not_logged() {
    let say = "(call $say (local.get $out) (i32.const 51) (i32.const 1))";
    let stderr = logged(&handler(say), |address| {
        for request in [GET.to_owned(), GET.replace("GET", "HEAD")] {
            assert_eq!(status(address, request), 200, "the status");
        }
    });
    assert_eq!(stderr, "");
}

/// As a function does whose local variables need more than the stack.
#[test]
fn a_trap_outside_of_the_memory_names_the_stack() {
    for (call, cause) in [
        (
            "(drop (i32.load (i32.const -4)))",
            "wasm trap: out of bounds memory access",
        ),
        (
            "(call $consume (local.get $request) (i32.const -4))",
            "pointer out of bounds",
        ),
    ] {
        let stderr = logged(&handler(call), |address| {
            assert_eq!(status(address, GET), 500, "the status");
        });
        let expected = format!(
            "error: the component `app` trapped: {cause}: this is also how an overflow of its \
             stack ends"
        );
        assert_eq!(stderr.lines().next(), Some(expected.as_str()));
    }
}

#[test]
fn every_request_has_a_fresh_instance_by_default() {
    let server = TestServer::new(&App::new(MANIFEST, COUNT), options());
    let mut client = Client::connect(server.address);
    for _ in 0..20 {
        client.send(GET);
        assert_eq!(
            client.status(),
            201,
            "the status from an instance's first request"
        );
    }
}

/// The component computes for a while after its response, and the next request
/// arrives meanwhile.
#[test]
fn a_request_waits_for_a_free_instance_slot() {
    let busy = r#"
        (func (export "handle") (param $request i32) (param $out i32) (local $i i32)
          (call $answer (local.get $out) (i32.const 200))
          (loop $again
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.ne (local.get $i) (i32.const 100000000)))))"#;
    let options = Options {
        max_connections: 1,
        ..options()
    };
    let server = TestServer::new(&App::new(MANIFEST, busy), options);
    let mut client = Client::connect(server.address);
    for _ in 0..5 {
        client.send(GET);
        assert_eq!(
            client.status(),
            200,
            "the status of the only client's requests"
        );
    }
}

/// A request may also arrive before an instance has finished the previous one.
#[test]
fn an_instance_serves_instance_reuse_requests() {
    let options = Options {
        instance_reuse: 3,
        ..options()
    };
    let server = TestServer::new(&App::new(MANIFEST, COUNT), options);
    let mut client = Client::connect(server.address);
    let statuses = [(); 300].map(|()| {
        client.send(GET);
        client.status()
    });
    let most = statuses.iter().max();
    assert_eq!(
        most,
        Some(&203),
        "the status from an instance's last request"
    );
}

#[test]
fn an_instance_that_trapped_is_not_reused() {
    let options = Options {
        instance_reuse: 100,
        ..options()
    };
    let third =
        "(if (i32.eq (global.get $count) (i32.const 203)) (then unreachable)) (call $answer";
    let server = TestServer::new(
        &App::new(MANIFEST, &COUNT.replace("(call $answer", third)),
        options,
    );
    let mut client = Client::connect(server.address);
    let statuses = [(); 300].map(|()| {
        client.send(GET);
        client.status()
    });
    assert!(
        statuses.contains(&500),
        "expected a third request of an instance in {statuses:?}"
    );
    let most = statuses.iter().filter(|status| **status < 500).max();
    assert_eq!(
        most,
        Some(&202),
        "the status from an instance's last request before the trap"
    );
}
