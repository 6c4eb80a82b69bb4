//! The authorities that a user trusts for one registry: `certs.d/HOST[:PORT]/*.crt`
//! (docker's "Test an insecure registry", containers-certs.d(5)).

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// What the `certs.d` folders have for a registry.
#[derive(Default)]
pub struct Certificates {
    /// Authorities, in DER.
    pub authorities: Vec<Vec<u8>>,
    /// The first client certificate, which this tool cannot send.
    pub client: Option<PathBuf>,
}

/// Reads the folders of a registry.
///
/// # Errors
/// When a file cannot be read, or has no certificate.
pub fn of(registry: &str) -> Result<Certificates> {
    let mut found = Certificates::default();
    for folder in folders() {
        found.add(&folder.join(registry))?;
    }
    Ok(found)
}

/// Docker's and podman's folders, of the machine and of the user. Docker Desktop has
/// `~/.docker/certs.d`, and docker without root `~/.config/docker/certs.d`.
fn folders() -> Vec<PathBuf> {
    let mut folders = vec![
        "/etc/docker/certs.d".into(),
        "/etc/containers/certs.d".into(),
    ];
    if let Some(home) = env::home_dir() {
        let config = env::var_os("XDG_CONFIG_HOME").filter(|value| !value.is_empty());
        let config = config.map_or_else(|| home.join(".config"), PathBuf::from);
        folders.push(config.join("containers/certs.d"));
        folders.push(config.join("docker/certs.d"));
        folders.push(home.join(".docker/certs.d"));
    }
    folders
}

impl Certificates {
    fn add(&mut self, folder: &Path) -> Result<()> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            // A folder that only root may read is none of this user's, as for podman.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied
                ) =>
            {
                return Ok(());
            }
            Err(error) => bail!("{} cannot be read: {error}", folder.display()),
        };
        for entry in entries {
            let path = entry?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => self.authorities.extend(read(&path)?),
                Some("cert") => self.client = self.client.take().or(Some(path)),
                _ => {}
            }
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<Vec<u8>>> {
    let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    match certificates {
        Ok(found) if !found.is_empty() => Ok(found.iter().map(|der| der.to_vec()).collect()),
        _ => bail!("{} is no certificate in PEM", path.display()),
    }
}
