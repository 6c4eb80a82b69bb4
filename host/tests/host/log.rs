//! What the host logs about a component, and that the client's view stays the same.

use std::io::ErrorKind;
use std::net::SocketAddr;

use crate::support::app::{App, MANIFEST, READ};
use crate::support::client::{Client, EXPECT, GET, post, status};
use crate::support::process::Process;

/// A handler that makes `calls` of the functions in `handler.wat`.
fn handler(calls: &str) -> String {
    format!(r#"(func (export "handle") (param $request i32) (param $out i32) {calls})"#)
}

/// The stderr of a host whose component has this handler, after the requests of `client`.
fn logged(handler: &str, client: impl FnOnce(SocketAddr)) -> String {
    let app = App::new(MANIFEST, handler);
    let mut process = Process::start(&app, &[]);
    client(process.address());
    process.signal("TERM");
    process.end().stderr
}

#[test]
fn a_handler_that_returns_without_a_response_is_a_500_and_is_logged() {
    let stderr = logged(&handler(""), |address| {
        assert_eq!(status(address, GET), 500, "the status");
    });
    let expected = "error: the component `app` did not answer GET /: \
        guest never invoked `response-outparam::set` method\n";
    assert_eq!(stderr, expected);
}

#[test]
fn a_late_response_is_logged_once_and_sent() {
    let app = App::new(MANIFEST, READ);
    let mut process = Process::start(&app, &["--slow-after", "1ms"]);
    let mut client = Client::connect(process.address());
    client.send(EXPECT.replace(" / ", " /a?b "));
    assert_eq!(client.status(), 100, "the component reads the content");
    let expected = "error: the component `app` has not answered POST /a for 1ms: its handler \
        must call `response-outparam.set`, and before its second write to the body, because \
        that write waits until the response is set";
    assert_eq!(process.error_line(), expected);

    client.send("x");
    assert_eq!(client.status(), 200, "the status");
    process.signal("TERM");
    assert_eq!(process.end().stderr, "", "stderr after the first line");
}

#[test]
fn a_handler_that_writes_twice_before_its_response_is_logged_and_its_client_waits() {
    let calls = "(call $announce (i32.const 6)) (call $open)
        (call $abc) (call $abc) (call $send (local.get $out)) (call $end)";
    let app = App::new(MANIFEST, &handler(calls));
    let mut process = Process::start(&app, &["--slow-after", "1ms"]);
    let mut client = Client::connect(process.address());
    client.send(GET);
    let expected = "error: the component `app` has not answered GET / for 1ms: ";
    let line = process.error_line();
    assert!(
        line.starts_with(expected),
        "expected `{expected}`, not `{line}`"
    );
    client.0.set_nonblocking(true).unwrap();
    let waits = client.0.peek(&mut [0]).map_err(|error| error.kind());
    assert_eq!(waits, Err(ErrorKind::WouldBlock), "expected no response");
}

#[test]
fn content_that_does_not_have_the_announced_length_is_logged() {
    let one_write = "(call $open) (call $abc) (call $send (local.get $out)) (call $end)";
    let two_writes = "(call $open) (call $abc-queued) (call $abc-queued)
        (call $send (local.get $out)) (call $end)";
    let none = "(call $send (local.get $out))";
    let close = GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    for (announced, calls, found, received) in [
        // hyper closes the connection, and may not have sent anything before.
        (5, one_write, "only 3", ""),
        (2, one_write, "at least 3", "\r\n\r\nab"),
        (3, two_writes, "at least 6", "\r\n\r\nabc"),
        (5, none, "only 0", "\r\n\r\n"),
    ] {
        let calls = format!("(call $announce (i32.const {announced})) {calls}");
        let stderr = logged(&handler(&calls), |address| {
            let mut client = Client::connect(address);
            client.send(&close);
            let response = client.rest();
            assert!(
                response.ends_with(received),
                "expected {received:?} at the end of {response:?}"
            );
        });
        let expected = format!(
            "error: the response of the component `app` to GET / has a Content-Length of \
             {announced} and {found} bytes of content\n"
        );
        assert_eq!(stderr, expected, "stderr for {calls}");
    }
}

#[test]
fn the_announced_length_is_not_logged() {
    let calls = "(call $announce (i32.const 3)) (call $open) (call $abc)
        (call $send (local.get $out)) (call $end)";
    let stderr = logged(&handler(calls), |address| {
        assert_eq!(status(address, GET), 200, "the status");
    });
    assert_eq!(stderr, "");
}

/// RFC 9110 section 8.6.
#[test]
fn a_response_that_has_no_content_may_announce_a_length() {
    for (request, code) in [("HEAD", 200), ("GET", 204), ("GET", 304)] {
        let calls = format!(
            "(call $announce (i32.const 3))
             (drop (call $status (global.get $made) (i32.const {code})))
             (call $send (local.get $out))"
        );
        let stderr = logged(&handler(&calls), |address| {
            let found = status(address, GET.replace("GET", request));
            assert_eq!(found, code, "the status");
        });
        assert_eq!(stderr, "", "stderr for {request} and {code}");
    }
}

#[test]
fn a_client_that_disconnects_is_not_logged() {
    let calls = "(call $announce (i32.const 5)) (call $open) (call $abc)
        (call $send (local.get $out)) (loop $again (br $again))";
    let stderr = logged(&handler(calls), |address| {
        assert_eq!(status(address, GET), 200, "the status");
    });
    assert_eq!(stderr, "");
}

#[test]
fn the_cause_of_a_trap_is_logged() {
    let hint = ": this is also how an overflow of its stack ends; `make build` sets the size \
        of the stack, see docs/your-own-service.md";
    let long_write = "(call $announce (i32.const 3)) (call $open)
        (call $flush (global.get $stream) (i32.const 0) (i32.const 4097) (i32.const 0))";
    for (calls, cause, hint) in [
        (
            "unreachable",
            "wasm trap: wasm `unreachable` instruction executed",
            "",
        ),
        (
            long_write,
            "Buffer too large for blocking-write-and-flush (expected at most 4096)",
            "",
        ),
        (
            "(call_indirect (i32.const 9))",
            "wasm trap: undefined element: out of bounds table access",
            "",
        ),
        (
            "(drop (i32.load (i32.const -4)))",
            "wasm trap: out of bounds memory access",
            hint,
        ),
        (
            "(call $consume (local.get $request) (i32.const -4))",
            "pointer out of bounds",
            hint,
        ),
        ("(call $deeper)", "wasm trap: call stack exhausted", hint),
    ] {
        let handler = format!(
            "(table 1 funcref) (func $deeper (call $deeper)) {}",
            handler(calls)
        );
        let stderr = logged(&handler, |address| {
            assert_eq!(status(address, post("x")), 500, "the status for {calls}");
        });
        let expected = format!("error: the component `app` trapped: {cause}{hint}");
        let mut lines: Vec<_> = stderr.lines().collect();
        lines.sort_unstable();
        let answer = "error: the component `app` did not answer POST /: \
            guest never invoked `response-outparam::set` method";
        assert_eq!(lines, [answer, &expected], "stderr for {calls}");
    }
}

#[test]
fn the_stderr_of_a_component_is_in_that_of_the_host() {
    let calls = "(global.set $stream (call $stderr)) (call $abc)
        (call $answer (local.get $out) (i32.const 200))";
    let stderr = logged(&handler(calls), |address| {
        assert_eq!(status(address, GET), 200, "the status");
    });
    assert_eq!(stderr, "abc");
}

#[test]
fn a_closed_stderr_does_not_stop_the_service() {
    let app = App::new(MANIFEST, &handler(""));
    let mut process = Process::start(&app, &[]);
    let address = process.address();
    process.stderr = None;
    let mut client = Client::connect(address);
    for request in ["first", "second"] {
        client.send(GET);
        assert_eq!(client.status(), 500, "the status of the {request} request");
    }
}
