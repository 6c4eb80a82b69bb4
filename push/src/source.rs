//! The origin of an artifact's source code, from Git.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

/// The origin of source code. Outside a repository, only `created` is known.
pub struct Source {
    /// The commit, with `-dirty` where tracked files differ from it.
    pub revision: Option<String>,
    /// A web address, without credentials.
    pub url: Option<String>,
    /// The commit's time (RFC 3339), so that the same source makes the same
    /// artifact.
    pub created: String,
}

impl Source {
    /// Asks Git about the repository that contains `folder`. `SOURCE_DATE_EPOCH`
    /// (seconds, reproducible-builds.org) overrides the commit's time. Without
    /// either, the time is the start of 1970.
    ///
    /// # Errors
    /// When `SOURCE_DATE_EPOCH` is not a number.
    pub fn of(folder: &Path) -> Result<Self> {
        let epoch = match env::var("SOURCE_DATE_EPOCH") {
            Ok(seconds) => seconds,
            Err(_) => git(folder, &["log", "-1", "--format=%ct"]).unwrap_or("0".to_owned()),
        };
        let seconds = epoch
            .parse()
            .with_context(|| format!("SOURCE_DATE_EPOCH is {epoch}, not a number of seconds"))?;
        let created = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Ok(Self {
            revision: git(
                folder,
                &[
                    "describe",
                    "--always",
                    "--dirty",
                    "--abbrev=40",
                    "--exclude=*",
                ],
            ),
            url: git(folder, &["remote", "get-url", "origin"]).and_then(|url| web_address(&url)),
            created: humantime::format_rfc3339_seconds(created).to_string(),
        })
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    let output = git.arg("-C").arg(folder).args(arguments);
    let output = output.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}

/// The web address of a remote, without a user name or password. A remote that is
/// a folder has none.
fn web_address(remote: &str) -> Option<String> {
    let remote = remote.strip_suffix(".git").unwrap_or(remote);
    let address = match remote.split_once("://") {
        Some(("https" | "http" | "ssh" | "git", address)) => address.to_owned(),
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
