//! Checks that the installation is complete, and changes nothing.

use std::path::Path;

use anyhow::{Result, bail};

use crate::cluster::Cluster;
use crate::node::Node;
use crate::shim::Shim;

/// A line for each check.
///
/// # Errors
/// When a check fails, with the lines of all checks.
pub async fn verify(node: &Node, shim_source: &Path, cluster: Option<&Cluster>) -> Result<String> {
    let handler = &node.handler;
    let mut lines = Vec::new();
    let mut all_pass = true;
    let mut check = |what: String, found: Result<bool>| {
        let (passes, answer) = match found {
            Ok(true) => (true, "yes".to_owned()),
            Ok(false) => (false, "NO".to_owned()),
            Err(error) => (false, format!("NO: {error:#}")),
        };
        all_pass &= passes;
        lines.push(format!("{what}: {answer}"));
    };

    let shim = Shim::read(shim_source).and_then(|shim| shim.is_at(&node.host().path(&node.shim)));
    check(format!("the shim is {}", node.shim.display()), shim);
    let dump = node.dump(&node.config).await;
    let path = node.shim.display().to_string();
    let configured = dump.map(|dump| dump.runtime_type(handler) == Some(&path));
    check(
        format!("containerd's configuration has the handler {handler} with this shim"),
        configured,
    );
    let status = node.status().await;
    let reports = status.as_ref().is_ok_and(|status| status.reports_handlers);
    let runs = status.map(|status| status.runtime_ready && status.handlers.contains(handler));
    check("the running containerd has the handler".to_owned(), runs);
    if let Some(cluster) = cluster
        && reports
    {
        check(
            "the Node lists the handler".to_owned(),
            cluster.lists(handler).await,
        );
    }
    if !all_pass {
        bail!("{}", lines.join("; "));
    }
    Ok(lines.join("\n") + "\n")
}
