//! What the installers of many nodes cost the API server: a real one, and one process for
//! each node. `make bench-installer` prints the figures.

// With this, clippy lets helpers panic, too: see clippy.toml.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../cluster/control_plane.rs"]
mod control_plane;
#[allow(dead_code, reason = "the tests of the permissions use the rest")]
#[path = "../cluster/objects.rs"]
mod objects;

mod api;
mod fleet;
mod requests;

use std::time::{Duration, SystemTime};

use control_plane::ControlPlane;
use fleet::{Fleet, RESTART};
use requests::Requests;

const STARTUP_TAINT: &str = "startup-taint.cluster-autoscaler.kubernetes.io/wasm-runtime";

/// The fleet for which the figures are extrapolated.
const LARGE: usize = 5000;

/// `make bench-installer` sets it.
fn nodes() -> usize {
    let nodes = std::env::var("NODES").expect("NODES is not set: run `make bench-installer`");
    nodes.parse().unwrap()
}

fn cluster() -> ControlPlane {
    let cluster = ControlPlane::start();
    cluster.apply_kustomization();
    cluster
}

/// In seconds since 1970.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs_f64()
}

fn requests(cluster: &ControlPlane, from: f64) -> Requests {
    Requests::read(&cluster.path("audit.log"), from)
}

/// Prints the requests of each minute, as many as they are and for [`LARGE`] nodes.
fn print(requests: &Requests, from: f64) {
    let to = now();
    let mut minute = from;
    while minute < to {
        let end = to.min(minute + 60.0);
        println!(
            "    from {:.0} s to {:.0} s: {}",
            minute - from,
            end - from,
            rate(&requests.between(minute, end), end - minute)
        );
        minute = end;
    }
    println!("    in all: {}; {requests}", rate(requests, to - from));
    if let Some(held) = requests.lease_was_held() {
        println!("    a lease was held for {held:.1} s on average");
    }
    // Before, so many processes start that a run pauses like a waiting node.
    let waits = requests.between(from + 120.0, to).waits();
    let count: usize = waits.iter().map(|run| run.0.len()).sum();
    if !waits.is_empty() {
        let each = count as f64 / waits.len() as f64;
        println!(
            "    after 120 s a node waited again {} times, with {each:.1} requests each time; if \
             {LARGE} nodes wait, with the longest pauses: {LARGE} x {each:.1} / {MEAN_PAUSE} s = \
             {:.0} requests a second",
            waits.len(),
            LARGE as f64 * each / MEAN_PAUSE,
        );
    }
}

/// Three quarters of the longest pause of src/watch.rs, in seconds.
const MEAN_PAUSE: f64 = 225.0;

fn rate(requests: &Requests, seconds: f64) -> String {
    let average = requests.0.len() as f64 / seconds;
    format!(
        "{average:.1} requests a second, at most {} in one ({LARGE} nodes: {:.0})",
        requests.peak(),
        average * LARGE as f64 / nodes() as f64
    )
}

#[test]
fn one_node() {
    let cluster = cluster();
    let mut fleet = Fleet::prepare(&cluster, 1, 1);
    let start = now();
    fleet.start();
    fleet.run_kubelets_until(|fleet| fleet.ready() == 1);
    // The event comes after the condition.
    std::thread::sleep(Duration::from_secs(1));
    println!("\none installation: {}", requests(&cluster, start));
}

#[test]
fn roll_out_one_at_a_time() {
    roll_out(1);
}

#[test]
fn roll_out_ten_at_once() {
    roll_out(10);
}

fn roll_out(max_restarting: usize) {
    let cluster = cluster();
    let mut fleet = Fleet::prepare(&cluster, nodes(), max_restarting);
    let start = now();
    fleet.start();
    fleet.run_kubelets_until(|fleet| fleet.ready() == nodes() || now() - start > ROLL_OUT);
    println!(
        "\nroll-out, MAX_RESTARTING={max_restarting}, {} nodes started at once, restarts that take {} s: {} nodes were ready after {:.0} s",
        nodes(),
        RESTART.as_secs_f64(),
        fleet.ready(),
        now() - start
    );
    print(&requests(&cluster, start), start);
    if fleet.ready() == nodes() {
        std::thread::sleep(Duration::from_secs(5));
        let start = now();
        std::thread::sleep(Duration::from_secs(60));
        println!(
            "    at rest, {} nodes for a minute: {}",
            nodes(),
            requests(&cluster, start)
        );
        let start = now();
        fleet.restart();
        fleet.run_kubelets_until(|fleet| fleet.ready() == nodes());
        println!(
            "    all pods replaced at once: {}",
            requests(&cluster, start)
        );
    }
}

/// In seconds: how long a roll-out is observed that does not end before.
const ROLL_OUT: f64 = 600.0;

#[test]
fn outage() {
    let mut cluster = cluster();
    let mut fleet = Fleet::prepare(&cluster, nodes(), 1);
    cluster.stop_api_server();
    fleet.start();
    std::thread::sleep(OUTAGE);
    let start = now();
    cluster.start_api_server();
    fleet.run_kubelets_until(|_| now() - start > 300.0);
    println!(
        "\nafter an outage of {} s, during which {} nodes started, MAX_RESTARTING=1",
        OUTAGE.as_secs(),
        nodes()
    );
    print(&requests(&cluster, start), start);
}

const OUTAGE: Duration = Duration::from_secs(120);
