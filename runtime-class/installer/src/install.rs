//! Installs the handler on a node. Each step first checks whether it is done, so
//! that the next run finishes a run that was killed at any point.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use tracing::{info, warn};

use crate::change::{self, Candidate};
use crate::config::{self, Runtime};
use crate::cri;
use crate::dump::Dump;
use crate::files;
use crate::judge::judge_added;
use crate::node::Node;
use crate::restart::restart;
use crate::shim::Shim;

/// The result of [`install`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Whether containerd was restarted.
    pub restarted: bool,
    /// Whether containerd reports its handlers to the kubelet.
    pub reports_handlers: bool,
}

/// Installs the shim, adds the handler to containerd's configuration and restarts
/// containerd, and skips each step that is done.
///
/// # Errors
/// When a step fails. If containerd does not become healthy after its restart, the
/// previous configuration is restored.
pub async fn install(node: &Node, shim_source: &Path) -> Result<Installed> {
    let _lock = change::lock(node)?;
    // A killed run may have left it.
    files::remove(&node.host().path(&node.candidate()))?;
    // Every check comes before the first change.
    let shim = Shim::read(shim_source)?;
    let plan = plan(node).await?;
    let running = node.status().await;
    if plan.is_change() {
        // A restart could make an unhealthy containerd worse.
        ensure_ready(&running)?;
        node.budget().ensure_room()?;
    }

    let candidate = if plan.is_change() {
        Some(judge(node, &plan).await?)
    } else {
        None
    };

    let path = node.host().path(&node.shim);
    if shim.is_at(&path)? {
        info!("the shim is already installed");
    } else {
        shim.install_at(&path)?;
        info!(path = %path.display(), sha256 = shim.sha256(), "installed the shim");
    }

    let has_handler = |status: &cri::Status| status.handlers.contains(&node.handler);
    if let Some(candidate) = candidate {
        change::keep_original(node, &config::remove(&plan.config, &plan.runtime)?)?;
        candidate.replace(&plan.config)?;
        info!(path = %node.config.display(), "added the handler to containerd's configuration");
    } else if let Ok(status) = &running
        && has_handler(status)
    {
        info!("containerd already has the handler");
        return Ok(Installed {
            restarted: false,
            reports_handlers: status.reports_handlers,
        });
    } else {
        // A run that added the handler was killed before or during the restart.
        node.budget().ensure_room()?;
    }

    if let Err(error) = restart(node, running.as_ref().ok(), has_handler).await {
        let original = config::remove(&plan.changed, &plan.runtime)?;
        return Err(change::restore(node, &original, running.as_ref().ok(), error).await);
    }
    info!("containerd has restarted and has the handler");
    Ok(Installed {
        restarted: true,
        reports_handlers: node.status().await?.reports_handlers,
    })
}

/// The change of the configuration that an installation makes.
pub struct Plan {
    /// The main file's bytes.
    pub config: Vec<u8>,
    /// The main file's bytes with the handler.
    pub changed: Vec<u8>,
    pub runtime: Runtime,
    /// containerd's dump of the main file before the change.
    pub before: Dump,
}

impl Plan {
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.config != self.changed
    }
}

/// Computes the change, and changes nothing.
///
/// # Errors
/// When the node must not be changed.
pub async fn plan(node: &Node) -> Result<Plan> {
    let config = node.read_config()?;
    let before = node.dump(&node.config).await?;
    ensure!(
        before.has_cri(),
        "containerd's CRI plugin is disabled in {}",
        node.config.display()
    );
    let runtime = node.runtime(&before);
    let original = config::remove(&config, &runtime)?;
    let changed = match before.runtime_type(&node.handler) {
        // The installer has not added the handler: it comes from an imported file,
        // or another program has added it to the main file.
        Some(path) if original == config && path == runtime.shim => original,
        Some(path) if original == config => bail!(
            "containerd already has a handler {} with runtime_type {path}, not {}: remove it, or \
             choose another handler name",
            node.handler,
            runtime.shim
        ),
        _ => config::add(&config, &runtime)?,
    };
    Ok(Plan {
        config,
        changed,
        runtime,
        before,
    })
}

async fn judge<'n>(node: &'n Node, plan: &Plan) -> Result<Candidate<'n>> {
    Candidate::judged(node, &plan.changed, |after| {
        if after.local_image_pull() == Some(false) {
            warn!("the node's configuration sets use_local_image_pull = false, which is kept");
        }
        judge_added(&plan.before, after, &plan.runtime)
    })
    .await
}

fn ensure_ready(running: &Result<cri::Status>) -> Result<()> {
    match running {
        Ok(status) => ensure!(
            status.runtime_ready,
            "containerd is not ready: nothing was changed"
        ),
        Err(error) => bail!("{error:#}: nothing was changed"),
    }
    Ok(())
}
