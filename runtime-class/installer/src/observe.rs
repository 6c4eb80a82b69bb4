//! Observes the node: reads everything that a decision needs, and changes nothing.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::{Result, anyhow};

use crate::cluster::Cluster;
use crate::config::{self, without_values};
use crate::config_file::{ConfigFile, Identity};
use crate::containerd;
use crate::cri;
use crate::distribution::{GENERATED, own_way};
use crate::dump::Dump;
use crate::imports;
use crate::node::Node;
use crate::program::Program;
use crate::snapshot::{Config, Files, Imported, Installed, Judged, Lease, NodeObject, Snapshot};
use crate::trial::{Failed, Trial};
use crate::unit;

/// Observes one node during one run of the installer. What takes long is observed again
/// only if a file that it depends on has changed.
pub struct Observer<'n> {
    node: &'n Node,
    cluster: Option<&'n Cluster>,
    /// The programs that must be on the node: the shim, and the one that rolls back.
    programs: Option<&'n [Program; 2]>,
    pub judged: Option<Judged>,
    versions: HashMap<PathBuf, String>,
    dumped: Option<(Files, Result<Dump, String>)>,
    installed: HashMap<PathBuf, (Option<Identity>, Installed)>,
    had_network: Option<bool>,
    handler_since: Option<Instant>,
}

impl<'n> Observer<'n> {
    #[must_use]
    pub fn new(
        node: &'n Node,
        cluster: Option<&'n Cluster>,
        programs: Option<&'n [Program; 2]>,
    ) -> Self {
        Self {
            node,
            cluster,
            programs,
            judged: None,
            versions: HashMap::new(),
            dumped: None,
            installed: HashMap::new(),
            had_network: None,
            handler_since: None,
        }
    }

    /// # Errors
    /// When the node cannot be read. A containerd that refuses its configuration, or does
    /// not answer, is a part of the snapshot and not an error.
    pub async fn observe(&mut self) -> Result<Snapshot> {
        let node = self.node;
        let host = node.host();
        let config = ConfigFile::read(&host, &node.config)?;
        let imported = imported(node, config.as_ref());
        let identities = identities(node, config.as_ref(), &imported);
        let generated = GENERATED
            .into_iter()
            .find(|(_, path)| host.path(Path::new(path)).exists());
        let (unit, rollback_armed) = unit::read(node).await.map_err(|error| match generated {
            // These distributions run containerd in a unit of their own.
            Some((name, path)) if config.is_none() => anyhow!(own_way(name, Path::new(path))),
            _ => error,
        })?;
        let program = node.program(&unit).to_owned();
        let program_version = self.version(&program).await?;
        let dump = self
            .dump(&program, &identities, config.as_ref(), &imported)
            .await;
        let running = node.status().await.map_err(|error| format!("{error:#}"));
        let trial = Trial::read(&host.path(&node.trial()));
        let before_trial = rollback_armed.and(trial.as_ref());
        let now = SystemTime::now();
        let [shim, rollback_program] = self.installed()?;
        Ok(Snapshot {
            now,
            config: config.map(|config| Config {
                bytes: config.bytes,
                changed: config.changed,
            }),
            generated,
            imported,
            identities,
            unit,
            program_version,
            dump,
            judged: self.judged.clone(),
            had_network: before_trial
                .map_or_else(|| self.had_network(&running), |trial| trial.had_network),
            trial,
            failed: Failed::read(&host.path(&node.failed_trial())),
            shim_sha256: self
                .programs
                .map_or_else(String::new, |[shim, _]| shim.sha256().to_owned()),
            rollback_armed,
            restarts: node.budget().recent(now),
            shim,
            rollback_program,
            original: fs::read(host.path(&node.original())).ok(),
            has_files: has_files(node),
            lease: self.cluster.map_or(Lease::NotNeeded, Cluster::lease),
            node: self.node_object(&running).await?,
            running,
        })
    }

    async fn version(&mut self, program: &Path) -> Result<String> {
        if let Some(version) = self.versions.get(program) {
            return Ok(version.clone());
        }
        let version = containerd::version(&self.node.host(), program).await?;
        self.versions.insert(program.to_owned(), version.clone());
        Ok(version)
    }

    async fn dump(
        &mut self,
        program: &Path,
        files: &Files,
        config: Option<&ConfigFile>,
        imported: &[Imported],
    ) -> Result<Dump, String> {
        if let Some((of, dump)) = &self.dumped
            && of == files
        {
            return dump.clone();
        }
        let dump = containerd::dump(&self.node.host(), program, &self.node.config).await;
        let config = config.iter().map(|config| &config.bytes[..]);
        let sources = config.chain(imported.iter().map(|file| &file.bytes[..]));
        let dump = dump.map_err(|error| without_values(&format!("{error:#}"), sources));
        self.dumped = Some((files.clone(), dump.clone()));
        dump
    }

    fn installed(&mut self) -> Result<[Installed; 2]> {
        let node = self.node;
        let host = node.host();
        let mut states = [Installed::No; 2];
        let paths = [node.shim.clone(), node.rollback_program()];
        for (program, (path, state)) in self
            .programs
            .into_iter()
            .flatten()
            .zip(paths.iter().zip(&mut states))
        {
            let path = host.path(path);
            let identity = Identity::of(&path);
            *state = match self.installed.get(&path) {
                Some((of, state)) if *of == identity => *state,
                _ => program.state_at(&path)?,
            };
            self.installed.insert(path, (identity, *state));
        }
        Ok(states)
    }

    fn had_network(&mut self, running: &Result<cri::Status, String>) -> bool {
        let has = running.as_ref().is_ok_and(|running| running.network_ready);
        *self.had_network.get_or_insert(has)
    }

    /// The Node object. Its handlers are read once containerd has the handler, since
    /// nothing depends on them before.
    async fn node_object(
        &mut self,
        running: &Result<cri::Status, String>,
    ) -> Result<Option<NodeObject>> {
        let Some(cluster) = self.cluster else {
            return Ok(None);
        };
        let has_handler = |running: &cri::Status| running.handlers.contains(&self.node.handler);
        if !running.as_ref().is_ok_and(has_handler) {
            self.handler_since = None;
            return Ok(Some(NodeObject::default()));
        }
        let waited = self
            .handler_since
            .get_or_insert_with(Instant::now)
            .elapsed();
        let handlers = cluster.handlers().await?;
        Ok(Some(NodeObject { handlers, waited }))
    }
}

/// Whether a file of the installer is on the node, or its folder without any file.
fn has_files(node: &Node) -> bool {
    let host = node.host();
    let is_empty = |mut entries: fs::ReadDir| entries.next().is_none();
    node.files().iter().any(|file| host.path(file).exists())
        || fs::read_dir(host.path(node.folder())).is_ok_and(is_empty)
}

/// Whether the installer has neither a file on the node nor a trace in the main
/// configuration, and the running containerd, if it answers, does not run its shim.
pub async fn has_nothing(node: &Node) -> bool {
    let shim = node.shim.display().to_string();
    let runs_shim = |running: cri::Status| running.runs(&node.handler, &shim);
    let has_trace = |config: ConfigFile| config::has_trace(&config.bytes, &shim);
    !has_files(node)
        && ConfigFile::read(&node.host(), &node.config)
            .is_ok_and(|config| !config.is_some_and(has_trace))
        && !node.status().await.is_ok_and(runs_shim)
}

/// The identities of the files on which the installation depends.
pub fn identities_now(node: &Node) -> Files {
    let config = ConfigFile::read(&node.host(), &node.config).ok().flatten();
    identities(node, config.as_ref(), &imported(node, config.as_ref()))
}

fn imported(node: &Node, config: Option<&ConfigFile>) -> Vec<Imported> {
    config.map_or_else(Vec::new, |config| {
        imports::read(&node.host(), &node.config, &config.bytes)
    })
}

fn identities(node: &Node, config: Option<&ConfigFile>, imported: &[Imported]) -> Files {
    let host = node.host();
    let imported = imported
        .iter()
        .map(|file| Identity::of(&host.path(&file.path)));
    [
        config.map(|config| config.identity),
        Identity::of(&host.path(&node.shim)),
    ]
    .into_iter()
    .chain(imported)
    .collect()
}
