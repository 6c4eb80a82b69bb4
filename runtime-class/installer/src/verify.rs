//! Looks whether everything is there, and changes nothing.

use std::path::Path;

use anyhow::{Result, bail};

use crate::cluster::Cluster;
use crate::node::Node;
use crate::shim::Shim;

/// A line for each thing that was looked at.
///
/// # Errors
/// When one of them is not as it should be, with all the lines.
pub async fn verify(node: &Node, shim_source: &Path, cluster: Option<&Cluster>) -> Result<String> {
    let handler = &node.handler;
    let mut lines = Vec::new();
    let mut all = true;
    let mut look = |what: String, found: Result<bool>| {
        let (is_right, word) = match found {
            Ok(true) => (true, "yes".to_owned()),
            Ok(false) => (false, "NO".to_owned()),
            Err(error) => (false, format!("NO: {error:#}")),
        };
        all &= is_right;
        lines.push(format!("{what}: {word}"));
    };

    let shim = Shim::read(shim_source).and_then(|shim| shim.is_at(&node.host().path(&node.shim)));
    look(format!("the shim is {}", node.shim.display()), shim);
    let dump = node.dump(&node.config).await;
    let path = node.shim.display().to_string();
    let configured = dump.map(|dump| dump.runtime_type(handler) == Some(&path));
    look(
        format!("containerd's configuration has the handler {handler} with it"),
        configured,
    );
    let status = node.status().await;
    let reports = status.as_ref().is_ok_and(|status| status.reports_handlers);
    let knows = status.map(|status| status.runtime_ready && status.handlers.contains(handler));
    look("the running containerd has the handler".to_owned(), knows);
    if let Some(cluster) = cluster
        && reports
    {
        look(
            "the Node lists the handler".to_owned(),
            cluster.lists(handler).await,
        );
    }
    if !all {
        bail!("{}", lines.join("; "));
    }
    Ok(lines.join("\n") + "\n")
}
