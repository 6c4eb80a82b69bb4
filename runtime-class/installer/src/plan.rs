//! Prints what an installation would change, and changes nothing.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use similar::TextDiff;

use crate::act::judge_in_memory;
use crate::config::without_values;
use crate::decide::{Action, Decision, Desired, Replacement, decide};
use crate::node::Node;
use crate::observe::Observer;
use crate::program::Program;
use crate::snapshot::{Config, Installed, Snapshot};

/// The change of the configuration as a unified diff, and a line for each other action,
/// in the order in which the installation carries them out.
///
/// # Errors
/// When the installation would be refused.
pub async fn plan(node: &Node, programs: &[Program; 2]) -> Result<String> {
    let mut observer = Observer::new(node, None, Some(programs));
    let mut snapshot = observer.observe().await?;
    let mut steps = String::new();
    loop {
        match decide(&snapshot, &Desired::Installed, node)? {
            Decision::Act(Action::Judge { candidate }) => {
                snapshot.judged = Some(judge_in_memory(node, &snapshot, candidate).await);
            }
            Decision::Act(Action::Restart) => {
                writeln!(steps, "run `{} restart {}`", node.systemctl, node.unit)?;
                break;
            }
            Decision::Act(action) => steps += &pretend(&action, &mut snapshot, node, programs)?,
            Decision::Wait(what) => {
                writeln!(steps, "wait: {what}")?;
                break;
            }
            Decision::Postpone(postponed) => {
                writeln!(steps, "wait: {}", postponed.message)?;
                break;
            }
            Decision::Done => break,
        }
    }
    if steps.is_empty() {
        steps = "nothing to do\n".to_owned();
    }
    Ok(steps)
}

/// Changes the snapshot as the action would change the node.
fn pretend(
    action: &Action,
    snapshot: &mut Snapshot,
    node: &Node,
    [shim, _]: &[Program; 2],
) -> Result<String> {
    match action {
        Action::PlaceShim => {
            snapshot.shim = Installed::Yes;
            return Ok(format!(
                "place {} with sha256 {}\n",
                node.shim.display(),
                shim.sha256()
            ));
        }
        Action::PlaceRollbackProgram => snapshot.rollback_program = Installed::Yes,
        Action::KeepOriginal { original } => snapshot.original = Some(original.clone()),
        Action::RecordTrial(trial) => snapshot.trial = Some(trial.clone()),
        Action::ForgetFailure => snapshot.failed = None,
        Action::ArmRollback => snapshot.rollback_armed = Some(snapshot.now),
        Action::DisarmRollback => snapshot.rollback_armed = None,
        Action::Replace(replacement) => {
            let judged = snapshot.judged.take().context("nothing was judged")?;
            snapshot.dump = judged.dump;
            snapshot.config = Some(Config {
                bytes: replacement.new.clone(),
                changed: snapshot.now,
            });
            return Ok(diff(replacement, node));
        }
        action => bail!("an installation has no action {action:?}"),
    }
    Ok(String::new())
}

/// The lines that change, without values of the file, which may be passwords.
fn diff(replacement: &Replacement, node: &Node) -> String {
    let [mut old, new] = [&replacement.expected, &replacement.new]
        .map(|text| String::from_utf8_lossy(text).into_owned());
    // Otherwise a last line without a line ending counts as changed, and is printed.
    if !old.ends_with('\n') {
        old.push('\n');
    }
    let path = node.config.display().to_string();
    let diff = TextDiff::from_lines(&old, &new)
        .unified_diff()
        .context_radius(0)
        .header(&path, &path)
        .to_string();
    if diff.lines().skip(2).any(|line| line.starts_with('-')) {
        // A line that is edited, as that of an inline table, is printed as a whole.
        return without_values(&diff, [&replacement.expected[..]].into_iter());
    }
    diff
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::{Runtime, add};

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        node: Node,
    }

    #[test]
    fn a_diff_has_no_password_of_an_edited_line_or_of_the_last_line() {
        let runtime = Runtime {
            handler: "spin".to_owned(),
            shim: "/shim".to_owned(),
            systemd_cgroup: None,
            local_image_pull: false,
        };
        let node = Arguments::parse_from(["plan"]).node;
        for config in [
            "version = 2\npassword = \"secret\"",
            "version = 2\nplugins = { \"io.containerd.grpc.v1.cri\" = { password = \"secret\" } }\n",
        ] {
            let new = add(config.as_bytes(), &runtime).unwrap();
            let replacement = Replacement {
                expected: config.into(),
                new,
                note: None,
            };
            let diff = diff(&replacement, &node);
            assert!(diff.contains("/shim"), "{diff}");
            assert!(!diff.contains("secret"), "{diff}");
        }
    }
}
