//! Carries out one action. Each is atomic, or can be repeated.

use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result, bail, ensure};
use tracing::{info, warn};

use crate::cluster::Cluster;
use crate::config::without_values;
use crate::config_file::ConfigFile;
use crate::containerd;
use crate::crash;
use crate::decide::{Action, Replacement};
use crate::dump::Dump;
use crate::files::{self, beside};
use crate::node::Node;
use crate::program::Program;
use crate::snapshot::{Judged, Snapshot};
use crate::unit;

/// # Errors
/// When the action cannot be carried out. The node then is as before, or the next run
/// finishes the action.
pub async fn act(
    action: Action,
    node: &Node,
    programs: Option<&[Program; 2]>,
    cluster: Option<&Cluster>,
) -> Result<()> {
    let host = node.host();
    match action {
        Action::PlaceShim | Action::PlaceRollbackProgram => {
            let [shim, own] = programs.context("no program was given to install")?;
            let (program, path) = match action {
                Action::PlaceShim => (shim, node.shim.clone()),
                _ => (own, node.rollback_program()),
            };
            program.install_at(&host.path(&path))?;
            info!(path = %path.display(), sha256 = program.sha256(), "installed a program");
        }
        Action::KeepOriginal { original } => {
            let path = host.path(&node.original());
            let new = beside(&path, ".new");
            read_config(node)?.write_copy(&new, &original)?;
            files::rename(&new, &path)?;
        }
        Action::AcquireLease => required(cluster)?.acquire_lease().await?,
        Action::ReleaseLease => required(cluster)?.release_lease().await?,
        Action::RecordTrial(trial) => trial.record(&host.path(&node.trial()))?,
        Action::ArmRollback => unit::arm_rollback(node).await?,
        Action::DisarmRollback => {
            // While the timer is there, a killed run is repeated.
            files::remove(&host.path(&node.trial()))?;
            unit::disarm_rollback(node).await?;
        }
        Action::ForgetFailure => files::remove(&host.path(&node.failed_trial()))?,
        Action::Replace(replacement) => replace(node, &replacement)?,
        Action::Restart => {
            node.budget().record()?;
            crash::point("before containerd is restarted");
            // What follows decides by what containerd does, not by what systemd says.
            match unit::restart(node).await {
                Ok(()) => info!("restarted containerd"),
                Err(error) => warn!("{error:#}"),
            }
            crash::point("after containerd is restarted");
        }
        Action::RemoveFiles => remove_files(node)?,
        Action::Judge { .. } | Action::RollBack { .. } => bail!("the loop carries this out"),
    }
    Ok(())
}

fn required(cluster: Option<&Cluster>) -> Result<&Cluster> {
    cluster.context("no cluster was given")
}

fn read_config(node: &Node) -> Result<ConfigFile> {
    ConfigFile::read(&node.host(), &node.config)?
        .with_context(|| format!("{} is gone", node.config.display()))
}

fn replace(node: &Node, replacement: &Replacement) -> Result<()> {
    let file = read_config(node)?;
    ensure!(
        file.bytes == replacement.expected,
        "another process changed {} at the same time",
        node.config.display()
    );
    file.replace(&replacement.new)?;
    if let Some(note) = &replacement.note {
        warn!("{note}");
    }
    info!(path = %node.config.display(), "replaced containerd's configuration");
    Ok(())
}

/// Lets containerd dump the candidate, which is beside the main file, because relative
/// imports start from that folder.
///
/// # Errors
/// When the candidate cannot be written.
pub async fn judge(node: &Node, snapshot: &Snapshot, candidate: Vec<u8>) -> Result<Judged> {
    let path = node.host().path(&node.candidate());
    read_config(node)?.write_copy(&path, &candidate)?;
    let program = node.program(&snapshot.unit);
    let dump = containerd::dump(&node.host(), program, &node.candidate()).await;
    files::remove(&path)?;
    Ok(judged(snapshot, candidate, dump))
}

/// Lets containerd dump the candidate from memory. Relative imports do not work there.
pub async fn judge_in_memory(node: &Node, snapshot: &Snapshot, candidate: Vec<u8>) -> Judged {
    let program = node.program(&snapshot.unit);
    let dump = containerd::dump_of(&node.host(), program, &candidate).await;
    judged(snapshot, candidate, dump)
}

fn judged(snapshot: &Snapshot, candidate: Vec<u8>, dump: Result<Dump>) -> Judged {
    let config = snapshot.config.as_ref();
    let imported = snapshot.imported.iter().map(|file| &file.bytes[..]);
    let sources = [&candidate[..]].into_iter().chain(imported);
    let dump = dump.map_err(|error| without_values(&format!("{error:#}"), sources));
    Judged {
        config: config
            .map(|config| config.bytes.clone())
            .unwrap_or_default(),
        candidate,
        dump,
    }
}

fn remove_files(node: &Node) -> Result<()> {
    let host = node.host();
    for file in node.files() {
        files::remove(&host.path(&file))?;
    }
    let folder = host.path(node.folder());
    match fs::remove_dir(&folder) {
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
