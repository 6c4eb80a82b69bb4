//! The objects that kubelets and controllers create in a cluster, and the tests
//! create themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::control_plane::ControlPlane;

impl ControlPlane {
    fn create(&self, object: &Value) {
        self.try_kubectl(&["create", "-f", "-"], &object.to_string())
            .unwrap();
    }

    /// Applies the manifests as README does, and validates the overlays.
    pub fn apply_kustomization(&self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        self.kubectl(&["apply", "--validate=strict", "-k", folder.to_str().unwrap()]);
        let overlay = folder.join("spin-v2");
        self.kubectl(&[
            "create",
            "--dry-run=client",
            "--validate=strict",
            "-k",
            overlay.to_str().unwrap(),
        ]);
        let uninstall = format!("--patch-file={}", folder.join("uninstall.yaml").display());
        self.kubectl(&[
            "patch",
            "--dry-run=server",
            "--namespace=swiss-node-installer",
            "daemonset/node-installer",
            &uninstall,
        ]);
        // The API server enforces the policy after a delay.
        self.create_node("canary");
        let kubeconfig = self.kubeconfig_of_pod("elsewhere");
        let end = Instant::now() + Duration::from_secs(30);
        let annotate = json!({ "metadata": { "annotations": { "x": "y" } } });
        while self.patch_node(&kubeconfig, "canary", &annotate).is_ok() {
            assert!(Instant::now() < end, "the policy is not enforced");
        }
    }

    pub fn create_node(&self, name: &str) {
        self.create(&json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": { "name": name, "labels": { "wasm-runtime": "spin", "kubernetes.io/hostname": name } },
            "spec": { "taints": [
                { "key": "wasm-runtime", "value": "spin", "effect": "NoSchedule" },
                { "key": super::STARTUP_TAINT, "effect": "NoSchedule" },
            ] },
        }));
    }

    pub fn node(&self, name: &str) -> Value {
        serde_json::from_str(&self.kubectl(&["get", "node", name, "-o", "json"])).unwrap()
    }

    /// Reports handlers as the kubelet does.
    pub fn report_handlers(&self, node: &str, handlers: &[&str]) {
        let handlers: Vec<_> = handlers
            .iter()
            .map(|name| json!({ "name": name }))
            .collect();
        let patch = json!({ "status": { "runtimeHandlers": handlers } }).to_string();
        self.kubectl(&[
            "patch",
            "node",
            node,
            "--subresource=status",
            "--type=merge",
            "-p",
            &patch,
        ]);
    }

    /// The credentials of the installer's pod on that node, as the kubelet requests them.
    pub fn kubeconfig_of_pod(&self, node: &str) -> PathBuf {
        let pod = format!("node-installer-{node}");
        let file = self.path(&format!("{pod}.conf"));
        if !file.exists() {
            if self.try_kubectl(&["get", "node", node], "").is_err() {
                self.create_node(node);
            }
            self.create(&json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": pod, "namespace": "swiss-node-installer" },
                "spec": { "serviceAccountName": "node-installer", "nodeName": node,
                    "containers": [{ "name": "node-installer", "image": "node-installer" }] },
            }));
            let token = self.kubectl(&[
                "create",
                "token",
                "node-installer",
                "--namespace=swiss-node-installer",
                "--bound-object-kind=Pod",
                &format!("--bound-object-name={pod}"),
            ]);
            fs::write(&file, self.kubeconfig(token.trim())).unwrap();
        }
        file
    }

    pub fn patch_node(
        &self,
        kubeconfig: &Path,
        node: &str,
        patch: &Value,
    ) -> Result<String, String> {
        self.kubectl_as(
            kubeconfig,
            &[
                "patch",
                "node",
                node,
                "--type=merge",
                "-p",
                &patch.to_string(),
            ],
            "",
        )
    }

    pub fn can(&self, node: &str, verb: &str, resource: &str) -> String {
        let kubeconfig = self.kubeconfig_of_pod(node);
        let mut arguments = vec!["auth", "can-i", "--namespace=swiss-node-installer", verb];
        arguments.extend(resource.split(' '));
        let answer = self.kubectl_as(&kubeconfig, &arguments, "");
        // kubectl fails when the answer is no.
        answer.map_or("no".to_owned(), |answer| answer.trim().to_owned())
    }
}
