//! The output of the command, and its errors for invalid arguments.

use std::fs;
use std::net::TcpListener;

use crate::support::app::{App, COUNT, MANIFEST, component};
use crate::support::client::{GET, status};
use crate::support::process::Process;

#[test]
fn it_prints_what_spin_up_prints() {
    let more = "[[trigger.http]]\nroute = \"a/:b\"\ncomponent = \"app\"\n";
    let app = App::new(MANIFEST.to_owned() + more, COUNT);
    let mut process = Process::start(&app, &[]);
    let address = process.address();
    process.signal("TERM");
    let expected = format!(
        "Available Routes:\n  app: http://{address} (wildcard)\n  app: http://{address}/a/:b\n"
    );
    assert_eq!(
        process.end().stdout,
        expected,
        "stdout after `Serving http://{address}`"
    );
}

#[test]
fn from_accepts_the_folder_of_a_manifest() {
    let app = App::new("", COUNT);
    fs::create_dir(app.folder().join("inner")).unwrap();
    app.add("inner/spin.toml", MANIFEST);
    app.add("inner/app.wasm", component(COUNT));
    let mut process = Process::start(&app, &["--from", "inner"]);
    assert_eq!(
        status(process.address(), GET),
        201,
        "the status of inner's component"
    );
}

#[test]
fn it_listens_on_port_5000_of_loopback_by_default() {
    let help = Process::start(&App::new(MANIFEST, COUNT), &["--help"]).end();
    let listen = help
        .stdout
        .lines()
        .find(|line| line.contains("--listen"))
        .unwrap();
    assert!(
        listen.ends_with("[default: 127.0.0.1:5000]"),
        "expected 127.0.0.1:5000 in: {listen}"
    );
    assert_eq!(help.code, Some(0), "the exit code for --help");
}

#[test]
fn a_name_is_resolved_to_its_ipv4_address() {
    let app = App::new(MANIFEST, COUNT);
    let mut process = Process::start(&app, &["--listen", "localhost:0"]);
    let address = process.address();
    assert_eq!(address.ip().to_string(), "127.0.0.1", "the address");
    assert_eq!(status(address, GET), 201, "the status");
}

#[test]
fn a_port_in_use_is_one_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = Process::start(&App::new(MANIFEST, COUNT), &["--listen", &address]).end();
    let expected = format!(
        "error: cannot listen on {address}: Address already in use (os error 98): choose another address\n"
    );
    assert_eq!(ended.stderr, expected);
    assert_eq!(ended.stdout, "", "nothing is served");
    assert_eq!(ended.code, Some(1), "the exit code");
}

#[test]
fn an_invalid_argument_is_one_line_and_exit_code_2() {
    let app = App::new(MANIFEST, COUNT);
    for (arguments, expected) in [
        (&["--other"][..], "unexpected argument '--other' found"),
        (&["--listem", "x"], "unexpected argument '--listem' found"),
        (&["other"], "unexpected argument 'other' found"),
        (
            &["--listen", "5000"],
            "invalid value '5000' for '--listen <ADDRESS>': invalid socket address: \
             give a host and a port, such as localhost:8080",
        ),
        (
            &["--instance-reuse", "0"],
            "invalid value '0' for '--instance-reuse <N>': 0 is not in 1..18446744073709551615",
        ),
        (
            &["--max-connections", "0"],
            "invalid value '0' for '--max-connections <N>': 0 is not in 1..=4294967295",
        ),
        (
            &["--instance-reuse"],
            "a value is required for '--instance-reuse <N>' but none was supplied",
        ),
    ] {
        let ended = Process::start(&app, arguments).end();
        assert_eq!(
            ended.stderr,
            format!("error: {expected}\n"),
            "stderr for {arguments:?}"
        );
        assert_eq!(ended.code, Some(2), "the exit code for {arguments:?}");
    }
}

#[test]
fn too_many_connections_for_the_address_space_are_one_line_and_exit_code_1() {
    let app = App::new(MANIFEST, COUNT);
    let ended = Process::start(&app, &["--max-connections", "4294967295"]).end();
    assert_eq!(
        ended.stderr.lines().count(),
        1,
        "lines of stderr: {}",
        ended.stderr
    );
    assert!(
        ended.stderr.starts_with("error: "),
        "expected an error: {}",
        ended.stderr
    );
    assert_eq!(ended.code, Some(1), "the exit code");
}

#[test]
fn compiled_code_is_kept_in_the_users_cache() {
    let app = App::new(MANIFEST, COUNT);
    Process::start(&app, &[]).address();
    let folder = app.folder().join("cache/swiss/compiled");
    assert!(
        folder.is_dir(),
        "expected the folder swiss/compiled in $XDG_CACHE_HOME"
    );
    let kept = fs::read_dir(folder).unwrap().count();
    assert!(kept > 0, "expected compiled code in swiss/compiled");
}

#[test]
fn there_is_no_access_log_by_default() {
    let app = App::new(MANIFEST, COUNT);
    let mut process = Process::start(&app, &[]);
    assert_eq!(status(process.address(), GET), 201, "the status");
    process.signal("TERM");
    let stdout = process.end().stdout;
    assert_eq!(
        stdout.lines().count(),
        2,
        "lines of stdout after the address: {stdout}"
    );
}

#[test]
fn the_access_log_has_a_line_of_json_for_each_request() {
    let app = App::new(MANIFEST, COUNT);
    let mut process = Process::start(&app, &["--access-log"]);
    let address = process.address();
    for target in ["/a?b=c", "/.well-known/spin/health"] {
        status(
            address,
            format!("DELETE {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        );
    }
    process.signal("TERM");
    let stdout = process.end().stdout;
    let mut lines = stdout.lines().skip(2);
    for (target, status) in [("/a?b=c", 201), ("/.well-known/spin/health", 200)] {
        let line: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        assert_eq!(line["method"], "DELETE", "the method in {line}");
        assert_eq!(line["target"], target, "the target in {line}");
        assert_eq!(line["status"], status, "the status in {line}");
        assert!(
            line["duration_us"].is_u64(),
            "expected microseconds in {line}"
        );
        let time = line["time"].as_str().unwrap();
        assert!(
            humantime::parse_rfc3339(time).is_ok(),
            "expected a time in {line}"
        );
    }
    assert_eq!(lines.next(), None, "a line after those of the requests");
}

#[test]
fn a_closed_stdout_does_not_stop_the_service() {
    let app = App::new(MANIFEST, COUNT);
    let mut process = Process::start(&app, &["--access-log"]);
    let address = process.address();
    process.stdout = None;
    for request in ["first", "second"] {
        assert_eq!(
            status(address, GET),
            201,
            "the status of the {request} request"
        );
    }
}
