//! What a registry's refusal means for the person who pushes.

use anyhow::anyhow;
use oci_client::errors::{OciDistributionError, OciEnvelope, OciErrorCode};
use oci_client::secrets::RegistryAuth;

use crate::image::Image;

/// Why a registry did not take the artifact, and what to do about it.
pub fn explain(image: &Image, auth: &RegistryAuth, error: OciDistributionError) -> anyhow::Error {
    let (registry, repository) = (image.reference().registry(), image.repository());
    let said = match &error {
        OciDistributionError::RegistryError { envelope, .. } => said(envelope),
        // The crate does not read the answer to an upload.
        OciDistributionError::ServerError { message, .. } => {
            serde_json::from_str(message).map_or_else(|_| message.clone(), |answer| said(&answer))
        }
        OciDistributionError::AuthenticationFailure(reason) => reason.clone(),
        _ => String::new(),
    };
    let quoted = if said.is_empty() {
        String::new()
    } else {
        format!(" ({said})")
    };
    // Artifact Registry says "denied" of a repository that nobody made yet.
    if is_not_found(&error) || said.contains("does not exist") {
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

/// The first message of a registry's answer.
fn said(answer: &OciEnvelope) -> String {
    let first = answer.errors.first();
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
