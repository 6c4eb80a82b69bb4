//! The installer with a real Kubernetes API server, and only the permissions that
//! the manifests in runtime-class/ grant.

// With this, clippy lets helpers panic, too: see clippy.toml.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod control_plane;
mod objects;
mod permissions;

use std::os::unix::process::ExitStatusExt;

use control_plane::ControlPlane;
use serde_json::Value;
use support::containerd::{Style, gke};
use support::{Node, Watch, containerds, printed};

const STARTUP_TAINT: &str = "startup-taint.cluster-autoscaler.kubernetes.io/wasm-runtime";
const NOT_READY_TAINT: &str = "status-taint.cluster-autoscaler.kubernetes.io/wasm-runtime";
const ANNOTATION: &str = "node-installer.swiss/status";

/// A control plane with the manifests and a Node with both taints.
fn cluster() -> ControlPlane {
    let cluster = ControlPlane::start();
    cluster.apply_kustomization();
    cluster.create_node("worker");
    cluster
}

fn node() -> Node {
    Node::start(&containerds().pop().unwrap(), |folder| {
        gke(Some(2), Style::Gke, folder)
    })
}

fn taints(object: &Value) -> Vec<&str> {
    let taints = object["spec"]["taints"].as_array();
    taints
        .into_iter()
        .flatten()
        .map(|taint| taint["key"].as_str().unwrap())
        .collect()
}

fn condition(object: &Value) -> Value {
    serde_json::from_str(
        object["metadata"]["annotations"][ANNOTATION]
            .as_str()
            .unwrap(),
    )
    .unwrap()
}

/// The Node's condition.
fn ready(object: &Value) -> Value {
    let conditions = object["status"]["conditions"].as_array();
    let of_type = |condition: &&Value| condition["type"] == "WasmRuntimeReady";
    let found = conditions.into_iter().flatten().find(of_type);
    found.cloned().unwrap_or_default()
}

/// The command with the credentials of the node's pod.
fn installer(node: &Node, cluster: &ControlPlane, verb: &str) -> std::process::Command {
    let mut command = node.installer(verb);
    command
        .env("KUBECONFIG", cluster.kubeconfig_of_pod("worker"))
        .env("NODE_NAME", "worker")
        .env("REPORT_TIMEOUT", "20");
    command
}

#[test]
fn the_startup_taint_is_removed_when_the_node_lists_the_handler_and_a_failure_adds_another() {
    let (cluster, node) = (cluster(), node());
    // No kubelet runs: the test reports the handlers.
    let output = std::thread::scope(|scope| {
        let running = scope.spawn(|| installer(&node, &cluster, "install").output().unwrap());
        while !node
            .status()
            .is_ok_and(|status| status.handlers.contains(&"spin".to_owned()))
        {}
        assert!(
            taints(&cluster.node("worker")).contains(&STARTUP_TAINT),
            "the Node does not list it yet"
        );
        cluster.report_handlers("worker", &["", "runc", "spin"]);
        running.join().unwrap()
    });
    assert!(output.status.success(), "{}", printed(&output));
    let object = cluster.node("worker");
    assert!(taints(&object).contains(&"wasm-runtime"));
    assert!(!taints(&object).contains(&STARTUP_TAINT));
    assert_eq!(condition(&object)["status"], "True");
    assert_eq!(ready(&object)["status"], "True");
    assert_eq!(object["metadata"]["labels"]["wasm-runtime"], "spin");

    // A boot has rewritten the configuration, with a handler of the same name.
    let other = "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.spin]\nruntime_type = \"/opt/shim\"\n";
    std::fs::write(
        node.config(),
        gke(Some(2), Style::Gke, node.folder.path()) + other,
    )
    .unwrap();
    let output = installer(&node, &cluster, "install").output().unwrap();
    assert!(!output.status.success());
    let object = cluster.node("worker");
    assert!(!taints(&object).contains(&STARTUP_TAINT));
    assert!(taints(&object).contains(&NOT_READY_TAINT));
    assert_eq!(ready(&object)["status"], "False");
    assert_eq!(ready(&object)["reason"], "InstallFailed");
    assert_eq!(condition(&object)["status"], "False");
    assert!(
        condition(&object)["message"]
            .as_str()
            .unwrap()
            .contains("/opt/shim"),
        "{object}"
    );

    let description = cluster.kubectl(&["describe", "node", "worker"]);
    for text in [
        "Installed",
        "InstallFailed",
        "already has a handler spin with runtime_type",
    ] {
        assert!(
            description.contains(text),
            "{text:?} is not in {description}"
        );
    }

    std::fs::write(node.config(), gke(Some(2), Style::Gke, node.folder.path())).unwrap();
    let output = installer(&node, &cluster, "uninstall").output().unwrap();
    assert!(output.status.success(), "{}", printed(&output));
    let object = cluster.node("worker");
    assert!(object["metadata"]["annotations"][ANNOTATION].is_null());
    assert!(!taints(&object).contains(&NOT_READY_TAINT));
    assert!(ready(&object).is_null());
}

#[test]
fn a_node_that_never_lists_the_handler_keeps_the_startup_taint() {
    let (cluster, node) = (cluster(), node());
    cluster.report_handlers("worker", &["", "runc"]);
    let output = installer(&node, &cluster, "install")
        .env("REPORT_TIMEOUT", "1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(
        printed(&output).contains("status.runtimeHandlers does not list it"),
        "{}",
        printed(&output)
    );
    assert!(taints(&cluster.node("worker")).contains(&STARTUP_TAINT));
}

/// Kubernetes 1.30 does, without a feature gate.
#[test]
fn a_node_that_lists_no_handler_at_all_is_judged_by_containerd() {
    let (cluster, node) = (cluster(), node());
    let output = installer(&node, &cluster, "install")
        .env("REPORT_TIMEOUT", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", printed(&output));
    let object = cluster.node("worker");
    assert!(!taints(&object).contains(&STARTUP_TAINT));
    assert_eq!(condition(&object)["status"], "True");
}

#[test]
fn a_run_that_is_killed_around_the_patch_of_the_node_is_finished_by_the_next() {
    for (point, is_patched) in [
        ("before the Node is changed", false),
        ("after the Node is changed", true),
    ] {
        let (cluster, node) = (cluster(), node());
        cluster.report_handlers("worker", &["", "runc", "spin"]);
        let killed = installer(&node, &cluster, "install")
            .env("CRASH_AT", point)
            .output()
            .unwrap();
        assert_eq!(killed.status.signal(), Some(9), "{}", printed(&killed));
        let is_tainted = taints(&cluster.node("worker")).contains(&STARTUP_TAINT);
        assert_eq!(is_tainted, !is_patched, "{point}");
        let output = installer(&node, &cluster, "install").output().unwrap();
        assert!(output.status.success(), "{}", printed(&output));
        let object = cluster.node("worker");
        assert!(!taints(&object).contains(&STARTUP_TAINT));
        assert_eq!(condition(&object)["status"], "True");
        assert_eq!(node.restarts(), 1);
    }
}

#[test]
fn nothing_is_changed_when_the_api_server_does_not_answer() {
    let (mut cluster, node) = (cluster(), node());
    let mut install = installer(&node, &cluster, "install");
    cluster.stop_api_server();
    let before = node.read_config();
    let output = install.output().unwrap();
    assert!(!output.status.success());
    assert!(
        printed(&output).contains("the Kubernetes API does not answer"),
        "{}",
        printed(&output)
    );
    assert_eq!(node.read_config(), before);
    assert_eq!(node.leftovers(), Vec::<String>::new());
}

#[test]
fn watch_installs_again_when_the_configuration_is_rewritten() {
    let (cluster, node) = (cluster(), node());
    cluster.report_handlers("worker", &["", "runc", "spin"]);
    let original = node.read_config();
    let mut watch = Watch::spawn(&mut installer(&node, &cluster, "watch"));
    for _ in 0..2 {
        watch.wait_until(|| {
            let object = cluster.node("worker");
            !taints(&object).contains(&STARTUP_TAINT)
                && node.read_config().contains("spin]")
                && node
                    .status()
                    .is_ok_and(|status| status.handlers.contains(&"spin".to_owned()))
        });
        std::fs::write(node.config(), &original).unwrap();
    }
    watch.stop();
}

/// The first node holds the lease, and is killed. The second waits until it expires.
#[test]
fn a_node_restarts_containerd_only_while_it_holds_the_lease() {
    let (cluster, node) = (cluster(), node());
    cluster.report_handlers("worker", &["", "runc", "spin"]);
    let lease = |holder: &str, renewed: &str| {
        let lease = serde_json::json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": "node-installer-restart-0", "namespace": "swiss-node-installer" },
            "spec": { "holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": 600 },
        });
        cluster
            .try_kubectl(&["apply", "--filename=-"], &lease.to_string())
            .unwrap();
    };
    let now = String::from_utf8(
        std::process::Command::new("date")
            .args(["--utc", "+%Y-%m-%dT%H:%M:%S.000000Z"])
            .output()
            .unwrap()
            .stdout,
    )
    .unwrap();
    lease("other", now.trim());
    let before = node.read_config();
    let output = installer(&node, &cluster, "install").output().unwrap();
    assert!(!output.status.success());
    assert!(
        printed(&output).contains("MAX_RESTARTING is 1"),
        "{}",
        printed(&output)
    );
    assert_eq!(node.read_config(), before);
    assert_eq!(node.restarts(), 0);
    assert_eq!(ready(&cluster.node("worker"))["reason"], "RestartPending");
    assert!(taints(&cluster.node("worker")).contains(&STARTUP_TAINT));

    let mut more = installer(&node, &cluster, "plan");
    assert!(
        more.output().unwrap().status.success(),
        "a plan takes no lease"
    );
    lease("other", "2020-01-01T00:00:00.000000Z");
    let output = installer(&node, &cluster, "install").output().unwrap();
    assert!(output.status.success(), "{}", printed(&output));
    let holder = [
        "get",
        "leases",
        "--namespace=swiss-node-installer",
        "--output=jsonpath={..holderIdentity}",
    ];
    assert_eq!(cluster.kubectl(&holder), "", "the lease was given back");
}
