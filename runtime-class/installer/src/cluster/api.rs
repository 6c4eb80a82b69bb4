//! The calls to the Kubernetes API.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use k8s_openapi::api::core::v1::{Event, Node};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::Value;
use tracing::warn;

use crate::crash;

/// The calls about the Node `name`.
pub struct NodeApi {
    pub client: Client,
    pub name: String,
}

impl NodeApi {
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn node(&self) -> Result<Node> {
        answer(self.nodes().get(&self.name))
            .await
            .with_context(|| format!("cannot read the Node {}", self.name))
    }

    /// Returns the changed Node.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn patch(&self, patch: &Value) -> Result<Node> {
        let nodes = self.nodes();
        crash::point("before the Node is changed");
        let node = answer(nodes.patch(&self.name, &parameters(), &Patch::Merge(patch)))
            .await
            .with_context(|| format!("cannot change the Node {}", self.name))?;
        crash::point("after the Node is changed");
        Ok(node)
    }

    /// Changes the status by a strategic merge patch, which merges conditions by type.
    /// Returns the changed Node.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn patch_status(&self, patch: &Value) -> Result<Node> {
        let nodes = self.nodes();
        let patch = Patch::Strategic(patch);
        answer(nodes.patch_status(&self.name, &parameters(), &patch))
            .await
            .with_context(|| format!("cannot change the status of the Node {}", self.name))
    }

    /// Writes an event. A failure is only logged, since the annotation has the same
    /// message.
    pub async fn event(&self, event: &Event) {
        // The kubelet writes its events of Nodes to the same namespace.
        let events: Api<Event> = Api::namespaced(self.client.clone(), "default");
        if let Err(error) = answer(events.create(&PostParams::default(), event)).await {
            warn!("cannot write an event: {error:#}");
        }
    }

    fn nodes(&self) -> Api<Node> {
        Api::all(self.client.clone())
    }
}

fn parameters() -> PatchParams {
    PatchParams {
        field_manager: Some("node-installer".to_owned()),
        ..PatchParams::default()
    }
}

/// Waits for the API's answer, with a timeout.
///
/// # Errors
/// When the API refuses, or does not answer.
pub async fn answer<T>(request: impl Future<Output = kube::Result<T>>) -> Result<T> {
    match tokio::time::timeout(Duration::from_secs(15), request).await {
        Ok(Ok(answer)) => Ok(answer),
        // The API server answered: its message is the error.
        Ok(Err(kube::Error::Api(status))) => Err(kube::Error::Api(status).into()),
        Ok(Err(error)) => Err(anyhow!(error).context("the Kubernetes API does not answer")),
        Err(_) => bail!("the Kubernetes API does not answer within 15 s"),
    }
}

/// Whether another client has changed the object since it was read.
pub fn is_conflict(error: &anyhow::Error) -> bool {
    let api = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<kube::Error>());
    matches!(api, Some(kube::Error::Api(status)) if status.code == 409)
}
