//! Explains a registry's error to the person who pushes.

use anyhow::anyhow;
use oci_client::errors::{OciDistributionError, OciEnvelope, OciErrorCode};
use oci_client::secrets::RegistryAuth;

use crate::image::Image;

/// Says why a registry did not accept the artifact, and what to do about it.
pub fn explain(image: &Image, auth: &RegistryAuth, error: OciDistributionError) -> anyhow::Error {
    let (registry, repository) = (image.reference().registry(), image.repository());
    let reason = match &error {
        OciDistributionError::RegistryError { envelope, .. } => first_message(envelope),
        // The crate does not parse the error response to an upload.
        OciDistributionError::ServerError { message, .. } => serde_json::from_str(message)
            .map_or_else(|_| message.clone(), |envelope| first_message(&envelope)),
        OciDistributionError::AuthenticationFailure(reason) => reason.clone(),
        _ => String::new(),
    };
    let quoted = if reason.is_empty() {
        String::new()
    } else {
        format!(" ({reason})")
    };
    // Artifact Registry answers "denied" for a repository that does not exist.
    if is_not_found(&error) || reason.contains("does not exist") {
        let remedy = match image.creation_command() {
            Some(command) => format!("run `{command}`"),
            None => "create it there first".to_owned(),
        };
        return anyhow!("{registry} has no repository for {repository}{quoted}: {remedy}");
    }
    let login = image.login_command();
    match (is_denied(&error), auth) {
        (true, RegistryAuth::Anonymous) => anyhow!(
            "{registry} wants to know who pushes to {repository}, and docker's configuration has no credential for it{quoted}: run `{login}`"
        ),
        (true, _) => anyhow!(
            "{registry} does not let you push to {repository}{quoted}: ask for the right to write, or log in anew with `{login}`"
        ),
        (false, _) => anyhow::Error::new(error).context(format!(
            "{registry} did not take {repository}; nothing was tagged"
        )),
    }
}

/// The first message in a registry's error response.
fn first_message(envelope: &OciEnvelope) -> String {
    let first = envelope.errors.first();
    first.map_or_else(String::new, |error| error.message.clone())
}

pub fn is_not_found(error: &OciDistributionError) -> bool {
    use OciErrorCode::{ManifestUnknown, NameUnknown, NotFound};
    match error {
        OciDistributionError::ImageManifestNotFoundError(_)
        | OciDistributionError::ServerError { code: 404, .. } => true,
        OciDistributionError::RegistryError { envelope, .. } => {
            let mut errors = envelope.errors.iter();
            errors.any(|error| matches!(error.code, ManifestUnknown | NameUnknown | NotFound))
        }
        _ => false,
    }
}

fn is_denied(error: &OciDistributionError) -> bool {
    use OciErrorCode::{Denied, Unauthorized};
    match error {
        OciDistributionError::UnauthorizedError { .. }
        | OciDistributionError::AuthenticationFailure(_)
        | OciDistributionError::ServerError {
            code: 401 | 403, ..
        } => true,
        OciDistributionError::RegistryError { envelope, .. } => {
            let mut errors = envelope.errors.iter();
            errors.any(|error| matches!(error.code, Unauthorized | Denied))
        }
        _ => false,
    }
}
