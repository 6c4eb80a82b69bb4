//! The permissions of the installer's pods.

use serde_json::{Value, json};

use super::{ANNOTATION, STARTUP_TAINT, cluster, installer, node, taints};
use crate::control_plane::ControlPlane;
use crate::support::printed;

const OWN_TAINT: &str = "status-taint.cluster-autoscaler.kubernetes.io/wasm-runtime";
const CONDITION: &str = "WasmRuntimeReady";

/// Patches the Node with the credentials of the pod on `worker`.
fn patch(cluster: &ControlPlane, node: &str, change: &Value) -> Result<String, String> {
    cluster.patch_node(&cluster.kubeconfig_of_pod("worker"), node, change)
}

/// Patches the Node's status, where Kubernetes merges conditions by their type. kubectl
/// reads it first, unlike the installer, and `cluster_for_status` permits that.
fn patch_status(cluster: &ControlPlane, node: &str, change: &Value) -> Result<String, String> {
    cluster.kubectl_as(
        &cluster.kubeconfig_of_pod("worker"),
        &[
            "patch",
            "node",
            node,
            "--subresource=status",
            "--type=strategic",
            "-p",
            &change.to_string(),
        ],
        "",
    )
}

fn cluster_for_status() -> ControlPlane {
    let cluster = cluster();
    cluster.kubectl(&[
        "create",
        "clusterrole",
        "kubectl-reads-status",
        "--verb=get",
        "--resource=nodes/status",
    ]);
    cluster.kubectl(&[
        "create",
        "clusterrolebinding",
        "kubectl-reads-status",
        "--clusterrole=kubectl-reads-status",
        "--serviceaccount=swiss-node-installer:node-installer",
    ]);
    cluster
}

fn condition(kind: &str, status: &str) -> Value {
    json!({ "status": { "conditions": [{ "type": kind, "status": status, "reason": "Installed" }] } })
}

fn assert_refused(result: Result<String, String>, message: &str) {
    let error = result.unwrap_err();
    assert!(error.contains(message), "{error}");
}

#[test]
fn a_pod_can_annotate_only_its_own_node_with_its_own_annotations() {
    let cluster = cluster();
    cluster.create_node("other");
    let annotate = |key: &str| json!({ "metadata": { "annotations": { key: "x" } } });
    patch(&cluster, "worker", &annotate(ANNOTATION)).unwrap();
    assert_refused(
        patch(&cluster, "other", &annotate(ANNOTATION)),
        "only the node that it runs on",
    );
    cluster.kubectl(&["annotate", "node", "worker", "other=x"]);
    for change in [
        annotate("another"),
        json!({ "metadata": { "annotations": { "other": "y" } } }),
        json!({ "metadata": { "annotations": { "other": null } } }),
    ] {
        assert_refused(patch(&cluster, "worker", &change), "only annotations");
    }
    let remove = json!({ "metadata": { "annotations": { ANNOTATION: null } } });
    patch(&cluster, "worker", &remove).unwrap();
}

#[test]
fn a_pod_can_remove_the_startup_taint_and_change_its_own_taint() {
    let cluster = cluster();
    // The API server taints new Nodes, too.
    let mut others = cluster.node("worker")["spec"]["taints"].clone();
    let others = others.as_array_mut().unwrap();
    others.retain(|taint| taint["key"] != STARTUP_TAINT);
    let startup = json!({ "key": STARTUP_TAINT, "effect": "NoSchedule" });
    let own =
        |effect: &str| json!({ "key": OWN_TAINT, "value": "RestartPending", "effect": effect });
    let taint = |added: &[&Value]| {
        let taints: Vec<_> = others.iter().chain(added.iter().copied()).collect();
        patch(&cluster, "worker", &json!({ "spec": { "taints": taints } }))
    };

    for taints in [
        json!([]),
        json!([{ "key": "wasm-runtime", "effect": "NoExecute" }]),
    ] {
        let change = json!({ "spec": { "taints": taints } });
        assert_refused(patch(&cluster, "worker", &change), "only its own taint");
    }
    let other = json!({ "key": "other", "effect": "NoSchedule" });
    assert_refused(taint(&[&startup, &other]), "only its own taint");

    taint(&[&startup, &own("NoSchedule")]).unwrap();
    taint(&[&own("NoSchedule")]).unwrap();
    assert!(!taints(&cluster.node("worker")).contains(&STARTUP_TAINT));
    assert!(taints(&cluster.node("worker")).contains(&OWN_TAINT));
    assert_refused(taint(&[&startup]), "but not add it");
    assert_refused(taint(&[&own("NoExecute")]), "effect NoSchedule");
    taint(&[]).unwrap();
    assert!(!taints(&cluster.node("worker")).contains(&OWN_TAINT));
}

#[test]
fn a_pod_cannot_change_other_fields_of_its_node() {
    let cluster = cluster();
    for change in [
        json!({ "spec": { "unschedulable": true } }),
        json!({ "spec": { "providerID": "x" } }),
        json!({ "metadata": { "labels": { "wasm-runtime": null } } }),
        json!({ "metadata": { "finalizers": ["example.org/x"] } }),
        json!({ "metadata": { "ownerReferences": [
            { "apiVersion": "v1", "kind": "Node", "name": "x", "uid": "x" }] } }),
    ] {
        assert_refused(
            patch(&cluster, "worker", &change),
            "only taints and annotations",
        );
    }
}

#[test]
fn a_pod_can_change_only_its_condition_in_the_status_of_its_own_node() {
    let cluster = cluster_for_status();
    cluster.create_node("other");
    cluster.report_handlers("worker", &["", "runc"]);
    let kubelets = condition("Ready", "True").to_string();
    cluster.kubectl(&[
        "patch",
        "node",
        "worker",
        "--subresource=status",
        "-p",
        &kubelets,
    ]);

    for status in ["True", "False"] {
        patch_status(&cluster, "worker", &condition(CONDITION, status)).unwrap();
    }
    let object = cluster.node("worker");
    let conditions = object["status"]["conditions"].as_array().unwrap();
    assert!(
        conditions
            .iter()
            .any(|each| each["type"] == CONDITION && each["status"] == "False"),
        "{conditions:?}"
    );

    assert_refused(
        patch_status(&cluster, "other", &condition(CONDITION, "True")),
        "only the node that it runs on",
    );
    let only_condition = "only the condition WasmRuntimeReady";
    for (change, message) in [
        (condition("Ready", "False"), only_condition),
        (condition("MemoryPressure", "True"), only_condition),
        (
            json!({ "status": { "conditions": [{ "type": "Ready", "$patch": "delete" }] } }),
            only_condition,
        ),
        (
            json!({ "status": { "capacity": { "cpu": "64" } } }),
            only_condition,
        ),
        (
            json!({ "status": { "allocatable": { "cpu": "64" } } }),
            only_condition,
        ),
        (
            json!({ "status": { "addresses": [{ "type": "InternalIP", "address": "192.0.2.1" }] } }),
            only_condition,
        ),
        (
            json!({ "status": { "runtimeHandlers": [{ "name": "spin" }] } }),
            only_condition,
        ),
        (
            json!({ "status": { "images": [{ "names": ["x"], "sizeBytes": 1 }] } }),
            only_condition,
        ),
        (
            json!({ "status": { "nodeInfo": { "kernelVersion": "x" } } }),
            only_condition,
        ),
        (
            json!({ "status": { "declaredFeatures": ["MyFeature"] } }),
            only_condition,
        ),
        (
            json!({ "status": { "phase": "Terminated" } }),
            only_condition,
        ),
        (
            json!({ "status": { "daemonEndpoints": { "kubeletEndpoint": { "Port": 1 } } } }),
            only_condition,
        ),
        (
            json!({ "status": { "volumesInUse": ["x"] } }),
            only_condition,
        ),
        (
            json!({ "status": { "volumesAttached": [{ "name": "x", "devicePath": "x" }] } }),
            only_condition,
        ),
        (
            json!({ "status": { "features": { "supplementalGroupsPolicy": true } } }),
            only_condition,
        ),
        // A patch of the status can change metadata, too.
        (
            json!({ "metadata": { "labels": { "wasm-runtime": null } } }),
            "only taints and annotations",
        ),
        (
            json!({ "metadata": { "annotations": { "other": "x" } } }),
            "only annotations",
        ),
    ] {
        assert_refused(patch_status(&cluster, "worker", &change), message);
    }
}

#[test]
fn a_pod_has_no_other_permissions() {
    let cluster = cluster();
    for (verb, resource, answer) in [
        ("get", "nodes", "yes"),
        ("patch", "nodes", "yes"),
        ("patch", "nodes --subresource=status", "yes"),
        ("list", "leases", "yes"),
        ("create", "leases", "yes"),
        ("update", "leases", "yes"),
        ("get", "leases", "no"),
        ("delete", "leases", "no"),
        ("list", "nodes", "no"),
        ("update", "nodes", "no"),
        ("get", "nodes --subresource=status", "no"),
        ("update", "nodes --subresource=status", "no"),
        ("delete", "nodes", "no"),
        ("get", "secrets", "no"),
        ("create", "pods", "no"),
        ("create", "serviceaccounts --subresource=token", "no"),
    ] {
        assert_eq!(
            cluster.can("worker", verb, resource),
            answer,
            "{verb} {resource}"
        );
    }
    let pod = cluster.kubeconfig_of_pod("worker");
    let can = [
        "auth",
        "can-i",
        "update",
        "leases",
        "--namespace=kube-node-lease",
    ];
    // The kubelets' leases: whoever updates them decides which nodes are alive.
    assert!(cluster.kubectl_as(&pod, &can, "").is_err());
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
