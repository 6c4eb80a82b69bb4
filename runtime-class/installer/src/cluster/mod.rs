//! The Node object: its handlers, its taints, and the condition, the annotation and the
//! events by which the installer reports; and the leases that stage restarts.

mod api;
mod condition;
mod lease;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use k8s_openapi::api::coordination::v1 as coordination;
use k8s_openapi::api::core::v1::{Node, Taint};
use kube::{Client, ResourceExt};
use serde_json::json;
use tracing::info;

use crate::snapshot::Lease;
use api::{NodeApi, is_conflict};
use condition::{ANNOTATION, Condition, TYPE};
use lease::Leases;

/// Without `node_name`, the Kubernetes API is not called.
#[derive(Args, Clone, Debug)]
pub struct ClusterOptions {
    /// The Node object's name; without it, the Kubernetes API is not called
    #[arg(long, env, value_name = "NAME")]
    node_name: Option<String>,

    /// The key of the taint that keeps pods away from a new node
    #[arg(
        long,
        env,
        value_name = "KEY",
        default_value = "startup-taint.cluster-autoscaler.kubernetes.io/wasm-runtime"
    )]
    startup_taint: String,

    /// How many nodes may restart containerd at once
    #[arg(long, env, value_name = "NODES", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    max_restarting: u16,

    /// The namespace of the leases by which nodes restart in turn
    #[arg(long, env, value_name = "NAME", default_value = "swiss-node-installer")]
    lease_namespace: String,
}

/// The key of the taint of a node that has lost the startup taint, or never had it, and
/// cannot run the handler now. The cluster autoscaler counts a node with a status taint as
/// ready, and one with the startup taint as unready.
const NOT_READY_TAINT: &str = "status-taint.cluster-autoscaler.kubernetes.io/wasm-runtime";

/// The Node object of this node.
pub struct Cluster {
    api: NodeApi,
    startup_taint: String,
    leases: Leases,
    lease: RefCell<LeaseState>,
    /// The Node as the API server last returned it, and when. It is read again only when
    /// it is too old: a cluster may have thousands of nodes.
    node: RefCell<(Instant, Node)>,
}

/// The kubelet reports a change of its handlers within ten seconds.
const READ_NODE_EVERY: Duration = Duration::from_secs(2);

/// The result of the last call about the leases.
enum LeaseState {
    NotHeld,
    Held(Box<coordination::Lease>),
    HeldBy(Vec<String>),
}

impl Cluster {
    /// Connects with the pod's service account or by KUBECONFIG, and reads the Node
    /// once. A lease expires after `restart_takes`. Returns `None` without `node_name`.
    ///
    /// # Errors
    /// When the API does not answer, or the Node does not exist or cannot be read.
    pub async fn connect(
        options: &ClusterOptions,
        restart_takes: Duration,
    ) -> Result<Option<Self>> {
        let Some(name) = options.node_name.clone() else {
            return Ok(None);
        };
        let client = Client::try_default()
            .await
            .context("cannot find the Kubernetes API")?;
        let leases = Leases::new(
            client.clone(),
            &options.lease_namespace,
            &name,
            options.max_restarting.into(),
            restart_takes,
        );
        let api = NodeApi { client, name };
        let node = api.node().await?;
        Ok(Some(Self {
            api,
            startup_taint: options.startup_taint.clone(),
            leases,
            lease: RefCell::new(LeaseState::NotHeld),
            node: RefCell::new((Instant::now(), node)),
        }))
    }

    fn now_is(&self, node: Node) {
        self.node.replace((Instant::now(), node));
    }

    /// The names of the handlers that the Node lists, or listed at most two seconds ago.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn handlers(&self) -> Result<Vec<String>> {
        let read = self.node.borrow().0;
        if read.elapsed() >= READ_NODE_EVERY {
            self.now_is(self.api.node().await?);
        }
        let status = self.node.borrow().1.status.clone().unwrap_or_default();
        let handlers = status.runtime_handlers.into_iter().flatten();
        Ok(handlers.filter_map(|handler| handler.name).collect())
    }

    /// The result of the last call of [`Self::acquire_lease`] or [`Self::release_lease`].
    #[must_use]
    pub fn lease(&self) -> Lease {
        match &*self.lease.borrow() {
            LeaseState::NotHeld => Lease::NotHeld,
            LeaseState::Held(_) => Lease::Held,
            LeaseState::HeldBy(nodes) => Lease::HeldBy(nodes.clone()),
        }
    }

    /// Takes the permission to restart containerd, if fewer nodes than allowed hold it.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn acquire_lease(&self) -> Result<()> {
        let acquired = self.leases.acquire().await?;
        self.lease.replace(match acquired {
            Ok(lease) => LeaseState::Held(Box::new(lease)),
            Err(holders) => LeaseState::HeldBy(holders),
        });
        Ok(())
    }

    /// Gives the permission back.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn release_lease(&self) -> Result<()> {
        if let LeaseState::Held(lease) = self.lease.replace(LeaseState::NotHeld) {
            self.leases.release(*lease).await?;
        }
        Ok(())
    }

    /// Reports that the node can run the handler, and removes the taints.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn report_installed(&self, message: &str) -> Result<()> {
        self.report(Condition::installed(message), |taints, startup| {
            taints.retain(|taint| taint.key != startup && taint.key != NOT_READY_TAINT);
        })
        .await
    }

    /// Reports why the node cannot run the handler, and adds a taint, unless it still has
    /// the startup taint.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn report_not_installed(&self, reason: &str, message: &str) -> Result<()> {
        let condition = Condition::not_installed(reason, message);
        self.report(condition, |taints, startup| {
            let keeps_away = |taint: &Taint| taint.key == startup || taint.key == NOT_READY_TAINT;
            if !taints.iter().any(keeps_away) {
                taints.push(Taint {
                    key: NOT_READY_TAINT.to_owned(),
                    effect: "NoSchedule".to_owned(),
                    ..Taint::default()
                });
            }
        })
        .await
    }

    /// Removes the annotation, the condition, and the taint that a failure added.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn forget(&self) -> Result<()> {
        self.change_taints(&|taints| taints.retain(|taint| taint.key != NOT_READY_TAINT))
            .await?;
        let condition = json!({ "type": TYPE, "$patch": "delete" });
        let patch = json!({
            "metadata": { "annotations": { ANNOTATION: null } },
            "status": { "conditions": [condition] },
        });
        self.api.patch_status(&patch).await.map(drop)
    }

    async fn report(
        &self,
        condition: Condition<'_>,
        change_taints: impl Fn(&mut Vec<Taint>, &str),
    ) -> Result<()> {
        let is_new = condition.is_new(&self.node.borrow().1);
        self.change_taints(&|taints| change_taints(taints, &self.startup_taint))
            .await?;
        if !is_new {
            return Ok(());
        }
        // The annotation comes after the taints: a run that is killed in between finds the old
        // one, and reports again.
        self.now_is(self.api.patch_status(&condition.patch()).await?);
        info!("updated the Node: {}", condition.message);
        self.api.event(&condition.event(&self.api.name)).await;
        Ok(())
    }

    async fn change_taints(&self, change: &impl Fn(&mut Vec<Taint>)) -> Result<()> {
        for _ in 0..MAX_ATTEMPTS {
            let node = self.node.borrow().1.clone();
            let taints = node.spec.clone().unwrap_or_default().taints;
            let taints = taints.unwrap_or_default();
            let mut wanted = taints.clone();
            change(&mut wanted);
            if wanted == taints {
                return Ok(());
            }
            // The patch replaces all taints. With the resource version, it fails if
            // another client has changed the Node since it was read.
            let patch = json!({
                "metadata": { "resourceVersion": node.resource_version() },
                "spec": { "taints": wanted },
            });
            match self.api.patch(&patch).await {
                Err(error) if is_conflict(&error) => self.now_is(self.api.node().await?),
                patched => return patched.map(|node| self.now_is(node)),
            }
        }
        bail!(
            "cannot patch the Node {}: other clients changed it during all {MAX_ATTEMPTS} attempts",
            self.api.name
        )
    }
}

const MAX_ATTEMPTS: usize = 10;
