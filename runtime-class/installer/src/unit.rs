//! containerd's systemd unit, and the timer that takes the handler out again if
//! containerd does not become healthy with it. The timer belongs to systemd, so it works
//! when this process and the kubelet do not.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};
use tracing::warn;

use crate::node::Node;

/// containerd's unit at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// The program of the unit's `ExecStart`, on the node.
    pub program: PathBuf,
    /// The configuration that its command line names.
    pub config: Option<PathBuf>,
    /// When its main process was started, by the node's clock.
    pub started: Option<SystemTime>,
}

impl Unit {
    /// # Errors
    /// When systemd does not answer, or has no such unit.
    pub async fn read(node: &Node) -> Result<Self> {
        let properties = "--property=LoadState,ExecStart,ExecMainStartTimestampMonotonic";
        let shown = systemctl(node, &["show", properties, &node.unit]).await?;
        Self::parse(&shown, now_since_boot(), SystemTime::now()).with_context(|| {
            format!(
                "the node's systemd has no unit {}: name the unit that runs containerd",
                node.unit
            )
        })
    }

    /// Reads the output of `systemctl show`. `since_boot` is the age of the clock in
    /// which systemd gives the start.
    fn parse(shown: &str, since_boot: Duration, now: SystemTime) -> Option<Self> {
        // `{ path=/usr/bin/containerd ; argv[]=/usr/bin/containerd -c FILE ; ... }`
        let start = value(shown, "ExecStart")?;
        let field = |name: &str| {
            start
                .split(" ; ")
                .find_map(|field| field.trim_start_matches("{ ").strip_prefix(name))
        };
        let arguments: Vec<_> = field("argv[]=")?.split_whitespace().collect();
        let config = arguments
            .iter()
            .enumerate()
            .find_map(|(at, argument)| match *argument {
                "-c" | "--config" | "-config" => arguments.get(at + 1).copied(),
                _ => argument.trim_start_matches('-').strip_prefix("config="),
            });
        let started = value(shown, "ExecMainStartTimestampMonotonic");
        Some(Self {
            program: field("path=")?.into(),
            config: config.map(PathBuf::from),
            started: started.and_then(|started| wall_clock(started, since_boot, now)),
        })
    }
}

/// The value of a property in the output of `systemctl show`.
fn value<'s>(shown: &'s str, name: &str) -> Option<&'s str> {
    let of_name = |line: &'s str| line.strip_prefix(name)?.strip_prefix('=');
    shown.lines().find_map(of_name)
}

/// The time of a monotonic timestamp in microseconds; `None` for 0, which is never.
fn wall_clock(timestamp: &str, since_boot: Duration, now: SystemTime) -> Option<SystemTime> {
    let timestamp = timestamp.parse().ok().filter(|timestamp| *timestamp > 0)?;
    Some(now - since_boot.saturating_sub(Duration::from_micros(timestamp)))
}

/// Restarts containerd, and waits for systemd to have started it.
///
/// # Errors
/// When systemd does not start it in time.
pub async fn restart(node: &Node) -> Result<()> {
    // A unit that failed too often would not be started.
    if let Err(error) = systemctl(node, &["reset-failed", &node.unit]).await {
        warn!("{error:#}");
    }
    let command = [&node.systemctl, "restart", &node.unit].map(str::to_owned);
    let timeout = Duration::from_secs(node.health_timeout);
    node.host().run(&command, timeout).await.map(drop)
}

/// Since when the timer of the rollback is active, by the node's clock.
///
/// # Errors
/// When systemd does not answer.
pub async fn rollback_armed(node: &Node) -> Result<Option<SystemTime>> {
    let properties = "--property=ActiveState,ActiveEnterTimestampMonotonic";
    let shown = systemctl(node, &["show", properties, ROLLBACK_TIMER]).await?;
    let is_active = value(&shown, "ActiveState") == Some("active");
    let since = value(&shown, "ActiveEnterTimestampMonotonic");
    Ok(since
        .filter(|_| is_active)
        .and_then(|since| wall_clock(since, now_since_boot(), SystemTime::now())))
}

/// Makes a timer that calls `node-installer roll-back` until that, or
/// [`disarm_rollback`], ends it. The first call is after the installer's own time to
/// roll back.
///
/// # Errors
/// When systemd does not make it. Containerd must then not be restarted.
pub async fn arm_rollback(node: &Node) -> Result<()> {
    let first = format!("--on-active={}", node.health_timeout * 2 + 30);
    let mut command = vec![
        node.systemd_run.clone(),
        format!("--unit={ROLLBACK}"),
        first,
        format!("--on-unit-inactive={}", node.health_timeout),
        "--timer-property=AccuracySec=1s".to_owned(),
        "--collect".to_owned(),
        "--quiet".to_owned(),
    ];
    command.extend(node.rollback_command());
    node.host().run(&command, TIMEOUT).await.map(drop)
}

/// # Errors
/// When systemd does not end the timer.
pub async fn disarm_rollback(node: &Node) -> Result<()> {
    systemctl(node, &["stop", ROLLBACK_TIMER]).await.map(drop)
}

const ROLLBACK: &str = "node-installer-rollback";
const ROLLBACK_TIMER: &str = "node-installer-rollback.timer";
const TIMEOUT: Duration = Duration::from_secs(30);

async fn systemctl(node: &Node, arguments: &[&str]) -> Result<String> {
    let command: Vec<_> = [&[node.systemctl.as_str()], arguments]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let output = node.host().run(&command, TIMEOUT).await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn now_since_boot() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(
        now.tv_sec.try_into().unwrap_or_default(),
        now.tv_nsec.try_into().unwrap_or_default(),
    )
}
