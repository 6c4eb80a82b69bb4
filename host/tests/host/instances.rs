//! How many requests an instance serves, and the effects of a trap.

use swiss_host::Options;

use crate::support::app::{App, COUNT, MANIFEST, READ};
use crate::support::client::{Client, EXPECT, GET, post, status};
use crate::support::server::{TestServer, options};

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
