//! Installs the handler on a node. Each step looks first whether it is done,
//! so that a run which was killed anywhere is finished by the next.

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

/// What is there after [`install`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Whether containerd was restarted for it.
    pub restarted: bool,
    /// Whether containerd tells its handlers to the kubelet, and so to the Node.
    pub reported: bool,
}

/// Puts the shim in its place, adds the handler to containerd's configuration
/// and restarts containerd, each where it is needed.
///
/// # Errors
/// When anything is not as it should be. The node then has the configuration
/// from before.
pub async fn install(node: &Node, shim_source: &Path) -> Result<Installed> {
    let _lock = change::lock(node)?;
    // What a run has left that was killed.
    files::remove(&node.host().path(&node.candidate()))?;
    // Whatever may refuse comes before the first change.
    let shim = Shim::read(shim_source)?;
    let plan = plan(node).await?;
    let running = node.status().await;
    if plan.is_change() {
        // containerd is ill already, and a restart could make that worse.
        ensure_answers(&running)?;
        node.budget().ensure_room()?;
    }

    let candidate = if plan.is_change() {
        Some(judge(node, &plan).await?)
    } else {
        None
    };

    let place = node.host().path(&node.shim);
    if shim.is_at(&place)? {
        info!("the shim is in its place");
    } else {
        shim.place(&place)?;
        info!(path = %place.display(), sha256 = shim.sha256(), "placed the shim");
    }

    let has_handler = |status: &cri::Status| status.handlers.contains(&node.handler);
    if let Some(candidate) = candidate {
        change::keep_original(node, &config::remove(&plan.config, &plan.runtime)?)?;
        candidate.replace(&plan.config)?;
        info!(path = %node.config.display(), "added the handler to containerd's configuration");
    } else if let Ok(status) = &running
        && has_handler(status)
    {
        info!("containerd has the handler");
        return Ok(Installed {
            restarted: false,
            reported: status.reports_handlers,
        });
    } else {
        // The run that has added it was killed before the restart, or in it.
        node.budget().ensure_room()?;
    }

    if let Err(error) = restart(node, running.as_ref().ok(), has_handler).await {
        let original = config::remove(&plan.changed, &plan.runtime)?;
        return Err(change::restore(node, &original, running.as_ref().ok(), error).await);
    }
    info!("containerd has restarted and has the handler");
    Ok(Installed {
        restarted: true,
        reported: node.status().await?.reports_handlers,
    })
}

/// What is to be done to the configuration.
pub struct Plan {
    /// The main file's bytes.
    pub config: Vec<u8>,
    /// The same with the handler.
    pub changed: Vec<u8>,
    pub runtime: Runtime,
    /// What containerd says with the file as it is.
    pub before: Dump,
}

impl Plan {
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.config != self.changed
    }
}

/// Finds out what is to be done, and does nothing.
///
/// # Errors
/// When the node is one on which nothing must be done.
pub async fn plan(node: &Node) -> Result<Plan> {
    let config = node.read_config()?;
    let before = node.dump(&node.config).await?;
    ensure!(
        before.has_cri(),
        "containerd's plugin for Kubernetes (cri) is off in {}",
        node.config.display()
    );
    let runtime = node.runtime(&before);
    let original = config::remove(&config, &runtime)?;
    let changed = match before.runtime_type(&node.handler) {
        // Another file, which this one imports, has the handler; or another
        // hand has put it into this one.
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
            warn!("the node's own configuration has use_local_image_pull = false, which stays");
        }
        judge_added(&plan.before, after, &plan.runtime)
    })
    .await
}

fn ensure_answers(running: &Result<cri::Status>) -> Result<()> {
    match running {
        Ok(status) => ensure!(
            status.runtime_ready,
            "containerd says that it is not ready: nothing was changed"
        ),
        Err(error) => bail!("{error:#}: nothing was changed"),
    }
    Ok(())
}
