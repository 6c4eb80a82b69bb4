//! Restarts containerd, and waits until it is healthy.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::crash;
use crate::cri::Status;
use crate::node::Node;

/// Restarts containerd, and waits until it is ready and `accepted` returns true.
/// If the network was ready in `before`, it must be ready again.
///
/// # Errors
/// When that takes longer than `health_timeout`, with what is missing.
pub async fn restart(
    node: &Node,
    before: Option<&Status>,
    accepted: impl Fn(&Status) -> bool,
) -> Result<()> {
    node.budget().record()?;
    crash::point("before containerd is restarted");
    let timeout = Duration::from_secs(node.health_timeout);
    let end = Instant::now() + timeout;
    let command: Vec<_> = node.restart.split_whitespace().map(str::to_owned).collect();
    node.host().run(&command, timeout).await?;
    crash::point("after containerd is restarted");
    let had_network = before.is_some_and(|before| before.network_ready);
    loop {
        let problem = match node.status().await {
            Err(error) => format!("{error:#}"),
            Ok(status) if !status.runtime_ready => "it is not ready".to_owned(),
            Ok(status) if had_network && !status.network_ready => {
                "its network is no longer ready".to_owned()
            }
            Ok(status) if !accepted(&status) => {
                format!("its handlers are {}", status.handlers.join(", "))
            }
            Ok(_) => return Ok(()),
        };
        if Instant::now() >= end {
            bail!(
                "containerd was not healthy {} s after its restart: {problem}",
                node.health_timeout
            );
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
