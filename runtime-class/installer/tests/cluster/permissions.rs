//! The permissions of the installer's pods.

use serde_json::{Value, json};

use super::{ANNOTATION, STARTUP_TAINT, cluster, installer, node};
use crate::support::printed;

#[test]
fn a_pod_can_change_only_the_startup_taint_and_annotations_of_its_own_node() {
    let cluster = cluster();
    cluster.create_node("other");
    let pod = cluster.kubeconfig_of_pod("worker");
    let patch = |node: &str, patch: Value| cluster.patch_node(&pod, node, &patch);
    let annotate = json!({ "metadata": { "annotations": { ANNOTATION: "x" } } });
    patch("worker", annotate.clone()).unwrap();
    let mut own = cluster.node("worker")["spec"]["taints"].clone();
    own.as_array_mut()
        .unwrap()
        .retain(|taint| taint["key"] != STARTUP_TAINT);
    patch("worker", json!({ "spec": { "taints": own } })).unwrap();

    let refused = [
        ("other", annotate, "only the node that it runs on"),
        (
            "worker",
            json!({ "spec": { "taints": [] } }),
            "only the startup taint",
        ),
        (
            "worker",
            json!({ "spec": { "unschedulable": true } }),
            "only the startup taint",
        ),
        (
            "worker",
            json!({ "metadata": { "labels": { "wasm-runtime": null } } }),
            "only the startup taint",
        ),
    ];
    for (node, change, message) in refused {
        let error = patch(node, change).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    for (verb, resource) in [
        ("list", "nodes"),
        ("update", "nodes"),
        ("delete", "nodes"),
        ("get", "secrets"),
        ("create", "pods"),
        ("patch", "nodes --subresource=status"),
    ] {
        assert_eq!(
            cluster.can("worker", verb, resource),
            "no",
            "{verb} {resource}"
        );
    }
}

#[test]
fn nothing_is_changed_without_permissions() {
    let (cluster, node) = (cluster(), node());
    cluster.kubectl(&["delete", "clusterrolebinding", "swiss-node-installer"]);
    let before = node.read_config();
    let output = installer(&node, &cluster, "install").output().unwrap();
    assert!(!output.status.success());
    let error = printed(&output);
    assert!(
        error.contains("cannot read the Node worker") && error.contains("forbidden"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_eq!(node.read_config(), before);
    assert_eq!(node.leftovers(), Vec::<String>::new());
}
