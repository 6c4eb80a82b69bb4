//! The origin of an artifact's source code, from Git.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};
use std::{env, fs, io};

use anyhow::{Context, Result, bail};
use toml::Table;

/// The end of the year 9999, the last that RFC 3339 can write, in seconds.
const LAST_SECOND: u64 = 253_402_300_799;

/// Variables that name a repository. A Git hook has them, and they are then about
/// another repository than that of the folder.
const OTHER_REPOSITORY: [&str; 9] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// The origin of source code. Outside a repository, `revision` and `url` are unknown.
pub struct Source {
    /// The commit, with `-dirty` where tracked files differ from it.
    pub revision: Option<String>,
    /// A web address, without credentials.
    pub url: Option<String>,
    /// The commit's time (RFC 3339), so that the same source makes the same
    /// artifact.
    pub created: String,
    /// The licence that the folder's Cargo.toml has.
    pub licence: Option<String>,
}

impl Source {
    /// Asks Git about the repository that contains `folder`. `SOURCE_DATE_EPOCH`
    /// (seconds, reproducible-builds.org) overrides the commit's time. Without
    /// repository and variable, the time is the start of 1970.
    ///
    /// # Errors
    /// When `SOURCE_DATE_EPOCH` is not a time, or Git does not read the repository.
    pub fn of(folder: &Path) -> Result<Self> {
        let epoch = source_date_epoch()?;
        let commit = Commit::of(folder, epoch)?;
        let seconds = epoch.or(commit.as_ref().map(|commit| commit.seconds));
        let created = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unwrap_or(0));
        let (revision, url) = commit.map_or((None, None), |commit| (Some(commit.name), commit.url));
        Ok(Self {
            revision,
            url,
            created: humantime::format_rfc3339_seconds(created).to_string(),
            licence: licence(folder),
        })
    }
}

fn source_date_epoch() -> Result<Option<u64>> {
    let Some(value) = env::var_os("SOURCE_DATE_EPOCH").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let value = value.to_string_lossy();
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        bail!("SOURCE_DATE_EPOCH is {value}, not a number of seconds since 1970");
    }
    match value.parse() {
        Ok(seconds) if seconds <= LAST_SECOND => Ok(Some(seconds)),
        _ => bail!(
            "SOURCE_DATE_EPOCH is {value}, and as seconds that is after the year 9999: milliseconds are divided by 1000"
        ),
    }
}

/// What a repository says of its checked out commit.
struct Commit {
    /// As in [`Source::revision`].
    name: String,
    /// Since 1970.
    seconds: u64,
    url: Option<String>,
}

impl Commit {
    /// `None` if no repository contains the folder, or if it has no commit and its
    /// time is not needed, because there is `epoch`.
    fn of(folder: &Path, epoch: Option<u64>) -> Result<Option<Self>> {
        if !is_in_repository(folder)? {
            return Ok(None);
        }
        let Some(commit) = git(folder, &["rev-parse", "--verify", "--quiet", "HEAD"])? else {
            if epoch.is_some() {
                return Ok(None);
            }
            bail!(
                "the repository of {} has no commit, and so no time: commit, or set SOURCE_DATE_EPOCH",
                folder.display()
            );
        };
        // No configuration changes what this command prints: the time, and the commit.
        let listed = git(
            folder,
            &["rev-list", "--max-count=1", "--timestamp", "HEAD"],
        )?;
        let seconds = listed.as_deref().unwrap_or_default().split(' ').next();
        let seconds = seconds.and_then(|seconds| seconds.parse().ok());
        let Some(seconds) = seconds.filter(|seconds| *seconds <= LAST_SECOND).or(epoch) else {
            bail!("the commit {commit} has no time between 1970 and 9999: set SOURCE_DATE_EPOCH");
        };
        let status = [
            "status",
            "--porcelain",
            "--untracked-files=no",
            "--ignore-submodules=none",
        ];
        let dirty = git(folder, &status)?.map_or("", |_| "-dirty");
        let remote = git(folder, &["config", "--get", "remote.origin.url"])?;
        Ok(Some(Self {
            name: commit + dirty,
            seconds,
            url: remote.as_deref().and_then(web_address),
        }))
    }
}

/// Whether a repository contains the folder. Git calls one that is broken none.
fn is_in_repository(folder: &Path) -> Result<bool> {
    let absolute = folder.canonicalize();
    let absolute = absolute.with_context(|| format!("cannot find {}", folder.display()))?;
    let mut above = absolute.ancestors();
    let repository = above.find(|above| above.join(".git").symlink_metadata().is_ok());
    let output = match run_git(folder, &["rev-parse", "--git-dir"]) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let Some(repository) = repository else {
                return Ok(false);
            };
            bail!(
                "{} is a Git repository, but there is no program git that tells its commit: install it",
                repository.display()
            );
        }
        output => output.context("cannot run git")?,
    };
    if repository.is_none() && !output.status.success() {
        let nowhere = "not a git repository (or any";
        if String::from_utf8_lossy(&output.stderr).contains(nowhere) {
            return Ok(false);
        }
    }
    printed(folder, &output)?;
    Ok(true)
}

/// What a command of Git prints; `None` if that is nothing.
fn git(folder: &Path, arguments: &[&str]) -> Result<Option<String>> {
    printed(
        folder,
        &run_git(folder, arguments).context("cannot run git")?,
    )
}

fn run_git(folder: &Path, arguments: &[&str]) -> io::Result<Output> {
    let mut git = Command::new("git");
    for variable in OTHER_REPOSITORY {
        git.env_remove(variable);
    }
    // The language of its messages. And `git status` must not lock the index.
    git.envs([("LC_ALL", "C"), ("GIT_OPTIONAL_LOCKS", "0")]);
    git.arg("-C").arg(folder).args(arguments).output()
}

fn printed(folder: &Path, output: &Output) -> Result<Option<String>> {
    // With 1, the commands used here say that what they look for does not exist.
    if !matches!(output.status.code(), Some(0 | 1)) {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let words: Vec<_> = stderr.split_whitespace().collect();
        bail!(
            "git does not tell the commit of {}: {}",
            folder.display(),
            words.join(" ")
        );
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// The licence in a package's Cargo.toml, or in that of its workspace if both are one
/// file. A spin.toml has none.
fn licence(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let cargo: Table = text.parse().ok()?;
    let package = cargo.get("package")?;
    let inherits = package.get("license")?.get("workspace").is_some();
    let package = if inherits {
        cargo.get("workspace")?.get("package")?
    } else {
        package
    };
    package.get("license")?.as_str().map(str::to_owned)
}

/// The web address of a remote, without a user name or password. A remote that is
/// a folder has none.
fn web_address(remote: &str) -> Option<String> {
    let remote = remote.strip_suffix(".git").unwrap_or(remote);
    let address = match remote.split_once("://") {
        Some(("https" | "http", address)) => address.to_owned(),
        Some(("ssh" | "git", address)) => without_port(address)?,
        Some(_) => return None,
        // `git@host:path`
        None => {
            let (host, path) = remote.split_once(':')?;
            host.contains('@').then(|| format!("{host}/{path}"))?
        }
    };
    let (host, path) = address.split_once('/')?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    Some(format!("https://{host}/{path}"))
}

/// The port of another protocol than a browser's means nothing to a browser.
fn without_port(address: &str) -> Option<String> {
    let (host, path) = address.split_once('/')?;
    let (host, _) = host.rsplit_once(':').unwrap_or((host, ""));
    Some(format!("{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::web_address;

    #[test]
    fn a_remote_becomes_a_web_address_without_credentials() {
        let expected = Some("https://example.com/team/swiss".to_owned());
        for remote in [
            "https://example.com/team/swiss.git",
            "https://example.com/team/swiss",
            "https://user:secret@example.com/team/swiss.git",
            "ssh://git@example.com/team/swiss.git",
            "ssh://git@example.com:2222/team/swiss.git",
            "git@example.com:team/swiss.git",
        ] {
            assert_eq!(web_address(remote), expected, "for {remote}");
        }
    }

    #[test]
    fn a_remote_on_this_machine_has_no_web_address() {
        for remote in [
            "/srv/swiss",
            "file:///srv/swiss.git",
            "../swiss",
            "C:/swiss",
        ] {
            assert_eq!(web_address(remote), None, "for {remote}");
        }
    }
}
