//! Checks that the installation is complete, and changes nothing.

use anyhow::{Result, bail};

use crate::cluster::Cluster;
use crate::node::Node;
use crate::observe::Observer;
use crate::program::Program;
use crate::snapshot::Installed;

/// A line for each check.
///
/// # Errors
/// When a check fails, with the lines of all checks.
pub async fn verify(
    node: &Node,
    programs: &[Program; 2],
    cluster: Option<&Cluster>,
) -> Result<String> {
    let handler = &node.handler;
    let snapshot = Observer::new(node, cluster, Some(programs))
        .observe()
        .await?;
    let shim = node.shim.display().to_string();
    let configured = match &snapshot.dump {
        Ok(dump) => Ok(dump.runtime_type(handler) == Some(&shim)),
        Err(error) => Err(error),
    };
    let running = snapshot.running.as_ref();
    let runs = running.map(|running| running.runtime_ready && running.handlers.contains(handler));
    let mut checks = vec![
        (
            format!("the shim is {shim}"),
            Ok(snapshot.shim == Installed::Yes),
        ),
        (
            format!("containerd's configuration has the handler {handler} with this shim"),
            configured,
        ),
        ("the running containerd has the handler".to_owned(), runs),
        (
            "no rollback is pending".to_owned(),
            Ok(snapshot.rollback_armed.is_none()),
        ),
    ];
    if let Some(object) = &snapshot.node
        && running.is_ok_and(|running| running.reports_handlers)
    {
        let lists = object.handlers.contains(handler);
        checks.push(("the Node lists the handler".to_owned(), Ok(lists)));
    }
    let lines: Vec<_> = checks
        .iter()
        .map(|(what, found)| match found {
            Ok(true) => format!("{what}: yes"),
            Ok(false) => format!("{what}: NO"),
            Err(error) => format!("{what}: NO: {error}"),
        })
        .collect();
    if checks.iter().any(|(_, found)| *found != Ok(true)) {
        bail!("{}", lines.join("; "));
    }
    Ok(lines.join("\n") + "\n")
}
