//! The Node object: its handlers, its startup taint, and the annotation and the
//! events by which the installer reports.

mod api;
mod condition;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use k8s_openapi::api::core::v1::Taint;
use kube::{Client, ResourceExt};
use serde_json::json;
use tracing::{info, warn};

use api::{NodeApi, is_conflict};
use condition::{ANNOTATION, Condition};

/// Without `node_name`, the Kubernetes API is not called.
#[derive(Args, Clone, Debug)]
pub struct ClusterOptions {
    /// The Node object's name; without it, the Kubernetes API is not called
    #[arg(long, env, value_name = "NAME")]
    node_name: Option<String>,

    /// The key of the taint that keeps pods away until the handler is installed
    #[arg(
        long,
        env,
        value_name = "KEY",
        default_value = "startup-taint.cluster-autoscaler.kubernetes.io/wasm-runtime"
    )]
    startup_taint: String,

    /// How long the Node may take to list the handler
    #[arg(long, env, value_name = "SECONDS", default_value_t = 120)]
    report_timeout: u64,
}

/// The Node object of this node.
pub struct Cluster {
    api: NodeApi,
    startup_taint: String,
    report_timeout: Duration,
}

impl Cluster {
    /// Connects with the pod's service account or by KUBECONFIG, and reads the Node
    /// once. Returns `None` without `node_name`.
    ///
    /// # Errors
    /// When the API does not answer, or the Node does not exist or cannot be read.
    pub async fn connect(options: &ClusterOptions) -> Result<Option<Self>> {
        let Some(name) = options.node_name.clone() else {
            return Ok(None);
        };
        let client = Client::try_default()
            .await
            .context("cannot find the Kubernetes API")?;
        let cluster = Self {
            api: NodeApi { client, name },
            startup_taint: options.startup_taint.clone(),
            report_timeout: Duration::from_secs(options.report_timeout),
        };
        cluster.api.node().await?;
        Ok(Some(cluster))
    }

    /// Whether the Node lists the handler.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn lists(&self, handler: &str) -> Result<bool> {
        Ok(is_listed(handler, &self.handlers().await?))
    }

    /// The names of all handlers that the Node lists.
    async fn handlers(&self) -> Result<Vec<String>> {
        let status = self.api.node().await?.status.unwrap_or_default();
        let handlers = status.runtime_handlers.into_iter().flatten();
        Ok(handlers.filter_map(|handler| handler.name).collect())
    }

    /// Waits until the Node lists the handler.
    ///
    /// # Errors
    /// When it lists others, and not this one, within `report_timeout`, or the API does
    /// not answer. If the Node lists no handler at all, as with Kubernetes 1.30 without a
    /// feature gate, containerd's word counts.
    pub async fn wait_until_listed(&self, handler: &str) -> Result<()> {
        let end = Instant::now() + self.report_timeout;
        loop {
            let handlers = self.handlers().await?;
            if is_listed(handler, &handlers) {
                return Ok(());
            }
            if Instant::now() >= end {
                if handlers.is_empty() {
                    warn!(
                        "the Node's status.runtimeHandlers is empty, so only containerd tells \
                           that it has the handler"
                    );
                    return Ok(());
                }
                bail!(
                    "containerd has the handler {handler}, but after {} s the Node's \
                     status.runtimeHandlers does not list it: is the kubelet healthy?",
                    self.report_timeout.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Reports that the node can run the handler, and removes the startup taint.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn report_installed(&self, message: &str) -> Result<()> {
        self.report(Condition::installed(message), |taints, key| {
            taints.retain(|taint| taint.key != key);
        })
        .await
    }

    /// Reports why the node cannot run the handler, and adds the startup taint if it
    /// is missing.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn report_failed(&self, message: &str) -> Result<()> {
        self.report(Condition::failed(message), |taints, key| {
            if !taints.iter().any(|taint| taint.key == key) {
                taints.push(Taint {
                    key: key.to_owned(),
                    effect: "NoSchedule".to_owned(),
                    ..Taint::default()
                });
            }
        })
        .await
    }

    /// Removes the annotation.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn remove_annotation(&self) -> Result<()> {
        self.api
            .patch(&json!({ "metadata": { "annotations": { ANNOTATION: null } } }))
            .await
    }

    async fn report(
        &self,
        condition: Condition<'_>,
        change_taints: impl Fn(&mut Vec<Taint>, &str),
    ) -> Result<()> {
        for _ in 0..MAX_ATTEMPTS {
            let node = self.api.node().await?;
            let taints = node
                .spec
                .clone()
                .and_then(|spec| spec.taints)
                .unwrap_or_default();
            let mut wanted = taints.clone();
            change_taints(&mut wanted, &self.startup_taint);
            let is_new = condition.is_new(&node);
            if wanted == taints && !is_new {
                return Ok(());
            }
            // The patch replaces all taints. With the resource version, it fails if
            // another client has changed the Node since it was read.
            let mut metadata = json!({ "resourceVersion": node.resource_version() });
            if is_new && let Some(metadata) = metadata.as_object_mut() {
                metadata.insert(
                    "annotations".to_owned(),
                    json!({ ANNOTATION: condition.to_json() }),
                );
            }
            let patch = if wanted == taints {
                json!({ "metadata": metadata })
            } else {
                json!({ "metadata": metadata, "spec": { "taints": wanted } })
            };
            match self.api.patch(&patch).await {
                Ok(()) => {
                    info!(
                        taints = wanted.len(),
                        "updated the Node: {}", condition.message
                    );
                    if is_new {
                        self.api.event(&condition.event(&self.api.name)).await;
                    }
                    return Ok(());
                }
                Err(error) if is_conflict(&error) => {}
                Err(error) => return Err(error),
            }
        }
        bail!(
            "cannot patch the Node {}: other clients changed it during all {MAX_ATTEMPTS} attempts",
            self.api.name
        )
    }
}

fn is_listed(handler: &str, handlers: &[String]) -> bool {
    handlers.iter().any(|listed| listed == handler)
}

const MAX_ATTEMPTS: usize = 10;
