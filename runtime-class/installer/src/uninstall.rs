//! Removes everything that [`crate::install`] added to a node.

use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result, bail};
use tracing::{info, warn};

use crate::change::{self, Candidate};
use crate::config::{self, LOCAL_PULL};
use crate::cri;
use crate::files::{self, beside};
use crate::judge::judge_removed;
use crate::node::Node;
use crate::restart::restart;

/// Removes the handler from containerd's configuration, restarts containerd and
/// removes the shim.
///
/// # Errors
/// When the handler or a file cannot be removed.
pub async fn uninstall(node: &Node) -> Result<()> {
    let _lock = change::lock(node)?;
    let config = node.read_config()?;
    let before = node.dump(&node.config).await?;
    let runtime = node.runtime(&before);
    let mut original = config::remove(&config, &runtime)?;
    let is_configured = before.runtime_type(&node.handler) == Some(&runtime.shim);
    if original == config
        && is_configured
        && let Some(without) = config::remove_unmarked(&config, &runtime)?
    {
        warn!(
            "another program has removed the installer's comments from {}: the handler {} has \
             this installer's shim and is removed, {LOCAL_PULL} stays if it is there",
            node.config.display(),
            node.handler
        );
        original = without;
    }
    let running = node.status().await;
    if original != config {
        node.budget().ensure_room()?;
        Candidate::judged(node, &original, |after| {
            judge_removed(&before, after, &node.handler)
        })
        .await?
        .replace(&config)?;
        info!(path = %node.config.display(), "removed the handler from containerd's configuration");
    } else if is_configured {
        bail!(
            "containerd has the handler {} from a configuration that this installer did not \
             write: remove it there, and then remove the shim {}",
            node.handler,
            runtime.shim
        );
    }
    let is_gone = |status: &cri::Status| !status.handlers.contains(&node.handler);
    if original != config
        || (before.runtime_type(&node.handler).is_none() && !running.as_ref().is_ok_and(is_gone))
    {
        if let Err(error) = restart(node, running.as_ref().ok(), is_gone).await {
            return Err(change::restore(node, &config, running.as_ref().ok(), error).await);
        }
        info!("containerd has restarted without the handler");
    }
    remove_files(node)
}

fn remove_files(node: &Node) -> Result<()> {
    let host = node.host();
    let shim = host.path(&node.shim);
    for file in [
        shim.clone(),
        beside(&shim, ".new"),
        host.path(&node.candidate()),
        beside(&host.path(&node.original()), ".new"),
        host.path(&node.original()),
    ] {
        files::remove(&file)?;
    }
    node.budget().remove()?;
    let Some(folder) = shim.parent() else {
        return Ok(());
    };
    match fs::remove_dir(folder) {
        Ok(()) => info!("removed the shim"),
        // The folder may hold files of other programs.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty
            ) => {}
        Err(error) => {
            return Err(error).with_context(|| format!("cannot remove {}", folder.display()));
        }
    }
    Ok(())
}
