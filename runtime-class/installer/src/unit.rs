//! containerd's systemd unit, and the timer that takes the handler out again if
//! containerd does not become healthy with it. The timer belongs to systemd, so it works
//! when this process and the kubelet do not.

use std::fs;
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
    /// The configuration that the command line of its process names.
    pub config: Option<PathBuf>,
    /// When its main process was started, by the node's clock.
    pub started: Option<SystemTime>,
    /// When systemd last saw it start, stop or fail, by the node's clock.
    pub state_changed: Option<SystemTime>,
}

/// Reads containerd's unit, and since when the timer of the rollback is active.
///
/// # Errors
/// When systemd does not answer, or has no such unit.
pub async fn read(node: &Node) -> Result<(Unit, Option<SystemTime>)> {
    let properties = "--property=LoadState,ExecStart,ExecMainStartTimestampMonotonic,MainPID,ActiveState,\
                      ActiveEnterTimestampMonotonic,StateChangeTimestampMonotonic";
    let shown = systemctl(
        node,
        &["show", properties, &node.unit, ROLLBACK_TIMER],
        TIMEOUT,
    )
    .await?;
    let clocks = (now_since_boot(), SystemTime::now());
    // A blank line separates the units.
    let (unit, timer) = shown.split_once("\n\n").unwrap_or((&shown, ""));
    let unit = Unit::parse(unit, clocks).with_context(|| {
        format!(
            "the node's systemd has no unit {}: set UNIT to the one that runs containerd",
            node.unit
        )
    })?;
    Ok((unit, active_since(timer, clocks)))
}

impl Unit {
    /// Reads the output of `systemctl show`.
    fn parse(shown: &str, clocks: Clocks) -> Option<Self> {
        // `{ path=/usr/bin/containerd ; argv[]=/usr/bin/containerd -c FILE ; ... }`
        let start = value(shown, "ExecStart")?;
        let field = |name: &str| {
            start
                .split(" ; ")
                .find_map(|field| field.trim_start_matches("{ ").strip_prefix(name))
        };
        let arguments = field("argv[]=")?.split_whitespace().map(str::to_owned);
        let command = running_command(shown).unwrap_or_else(|| arguments.collect());
        let config = config_of(&command);
        let time = |name: &str| wall_clock(value(shown, name)?, clocks);
        Some(Self {
            program: field("path=")?.into(),
            config,
            started: time("ExecMainStartTimestampMonotonic"),
            state_changed: time("StateChangeTimestampMonotonic"),
        })
    }
}

/// The command line of the unit's process, in which variables of the unit have their
/// values; `None` if it does not run, or cannot be read.
fn running_command(shown: &str) -> Option<Vec<String>> {
    let process = value(shown, "MainPID").filter(|process| *process != "0")?;
    let command = fs::read(format!("/proc/{process}/cmdline")).ok()?;
    let command = String::from_utf8_lossy(&command);
    let arguments = command.split_terminator('\0').map(str::to_owned);
    Some(arguments.collect()).filter(|arguments: &Vec<_>| !arguments.is_empty())
}

/// The configuration that a command line of containerd names. A `-c` without a path is the
/// option of another program, such as a shell that runs containerd.
fn config_of(command: &[String]) -> Option<PathBuf> {
    let mut arguments = command.iter();
    while let Some(argument) = arguments.next() {
        let option = argument.trim_start_matches('-');
        let path = match option.split_once('=') {
            Some(("c" | "config", path)) => Some(path),
            None if ["-c", "-config", "--c", "--config"].contains(&argument.as_str()) => {
                arguments.next().map(String::as_str)
            }
            _ => None,
        };
        if let Some(path) = path.filter(|path| path.starts_with('/')) {
            return Some(path.into());
        }
    }
    None
}

/// Since when the unit is active; `None` if it is not.
fn active_since(shown: &str, clocks: Clocks) -> Option<SystemTime> {
    let since = value(shown, "ActiveEnterTimestampMonotonic")?;
    wall_clock(since, clocks).filter(|_| value(shown, "ActiveState") == Some("active"))
}

/// The time since boot, in which systemd gives timestamps, and the time of the day.
type Clocks = (Duration, SystemTime);

/// The value of a property in the output of `systemctl show`.
fn value<'s>(shown: &'s str, name: &str) -> Option<&'s str> {
    let of_name = |line: &'s str| line.strip_prefix(name)?.strip_prefix('=');
    shown.lines().find_map(of_name)
}

/// The time of a monotonic timestamp in microseconds; `None` for 0, which is never.
fn wall_clock(timestamp: &str, (since_boot, now): Clocks) -> Option<SystemTime> {
    let timestamp = timestamp.parse().ok().filter(|timestamp| *timestamp > 0)?;
    Some(now - since_boot.saturating_sub(Duration::from_micros(timestamp)))
}

/// Restarts containerd, and waits for systemd to have started it.
///
/// # Errors
/// When systemd does not start it in time.
pub async fn restart(node: &Node) -> Result<()> {
    // A unit that failed too often would not be started.
    if let Err(error) = systemctl(node, &["reset-failed", &node.unit], TIMEOUT).await {
        warn!("{error:#}");
    }
    let timeout = Duration::from_secs(node.health_timeout);
    let restarted = systemctl(node, &["restart", &node.unit], timeout).await;
    restarted.map(drop)
}

/// Makes a timer that calls `node-installer roll-back` until that program or
/// [`disarm_rollback`] stops the timer. The first call comes later than an installer that
/// is alive restarts and rolls back. A reboot removes the timer.
///
/// # Errors
/// When systemd does not make it. containerd must then not be restarted.
pub async fn arm_rollback(node: &Node) -> Result<()> {
    let first = format!("--on-active={}", node.health_timeout * 3);
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
/// When systemd does not stop the timer.
pub async fn disarm_rollback(node: &Node) -> Result<()> {
    systemctl(node, &["stop", ROLLBACK_TIMER], TIMEOUT)
        .await
        .map(drop)
}

const ROLLBACK: &str = "node-installer-rollback";
const ROLLBACK_TIMER: &str = "node-installer-rollback.timer";
const TIMEOUT: Duration = Duration::from_secs(30);

async fn systemctl(node: &Node, arguments: &[&str], timeout: Duration) -> Result<String> {
    let command: Vec<_> = [&[node.systemctl.as_str()], arguments]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let output = node.host().run(&command, timeout).await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn now_since_boot() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(
        now.tv_sec.try_into().unwrap_or_default(),
        now.tv_nsec.try_into().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCKS: Clocks = (Duration::from_secs(100), SystemTime::UNIX_EPOCH);

    fn unit(command: &str) -> Unit {
        let (program, _) = command.split_once(' ').unwrap_or((command, ""));
        let shown = format!(
            "LoadState=loaded\nExecStart={{ path={program} ; argv[]={command} ; ignore_errors=no ; \
             start_time=[n/a] ; pid=0 }}\nExecMainStartTimestampMonotonic=40000000\nActiveState=active\n"
        );
        Unit::parse(&shown, CLOCKS).unwrap()
    }

    #[test]
    fn the_units_command_names_the_program_and_its_configuration() {
        assert_eq!(
            unit("/usr/bin/containerd").program,
            PathBuf::from("/usr/bin/containerd")
        );
        for (command, config) in [
            ("/usr/bin/containerd", None),
            ("/usr/bin/containerd --log-level debug", None),
            ("/usr/bin/containerd -c /a.toml", Some("/a.toml")),
            (
                "/usr/bin/containerd --config /a.toml -l debug",
                Some("/a.toml"),
            ),
            ("/usr/bin/containerd --config=/a.toml", Some("/a.toml")),
            ("/usr/bin/containerd -c=/a.toml", Some("/a.toml")),
            ("/bin/sh -c exec containerd", None),
            ("/bin/ionice -c 2 containerd -c /a.toml", Some("/a.toml")),
        ] {
            assert_eq!(unit(command).config, config.map(PathBuf::from), "{command}");
        }
    }

    #[test]
    fn a_timestamp_since_boot_is_a_time_of_the_day() {
        let minute_ago = SystemTime::UNIX_EPOCH - Duration::from_secs(60);
        assert_eq!(unit("/usr/bin/containerd").started, Some(minute_ago));
        assert_eq!(wall_clock("0", CLOCKS), None);
    }

    #[test]
    fn a_unit_that_systemd_does_not_know_has_no_program() {
        assert_eq!(
            Unit::parse("LoadState=not-found\nActiveState=inactive\n", CLOCKS),
            None
        );
    }
}
