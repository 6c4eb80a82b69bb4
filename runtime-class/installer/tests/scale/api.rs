//! The objects of the nodes in the API server.

use std::path::Path;

use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Node, Pod, ServiceAccount};
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::{Value, json};

/// Creates the Nodes and their installers' pods. Returns the pods' tokens.
pub async fn create(admin: &Path, names: &[String]) -> Vec<String> {
    let client = client(admin).await;
    let nodes: Api<Node> = Api::all(client.clone());
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let accounts: Api<ServiceAccount> = Api::namespaced(client, NAMESPACE);
    let parameters = PostParams::default();
    let mut tokens = Vec::new();
    for name in names {
        let node = serde_json::from_value(node_object(name)).unwrap();
        nodes.create(&parameters, &node).await.unwrap();
        let pod = serde_json::from_value(pod(name)).unwrap();
        pods.create(&parameters, &pod).await.unwrap();
        let request = TokenRequest {
            spec: TokenRequestSpec {
                bound_object_ref: Some(BoundObjectReference {
                    kind: Some("Pod".to_owned()),
                    api_version: Some("v1".to_owned()),
                    name: Some(name.clone()),
                    ..BoundObjectReference::default()
                }),
                ..TokenRequestSpec::default()
            },
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request("node-installer", &parameters, &request)
            .await
            .unwrap();
        tokens.push(answer.status.unwrap().token);
    }
    tokens
}

const NAMESPACE: &str = "swiss-node-installer";

fn node_object(name: &str) -> Value {
    json!({
        "metadata": { "name": name, "labels": { "wasm-runtime": "spin" } },
        "spec": { "taints": [{ "key": crate::STARTUP_TAINT, "effect": "NoSchedule" }] },
        "status": { "runtimeHandlers": [{ "name": "" }, { "name": "runc" }] },
    })
}

fn pod(node: &str) -> Value {
    json!({
        "metadata": { "name": node },
        "spec": { "serviceAccountName": "node-installer", "nodeName": node,
            "containers": [{ "name": "node-installer", "image": "node-installer" }] },
    })
}

pub async fn client(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}
