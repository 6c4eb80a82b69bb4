//! Explains a registry's error to the person who pushes.

use std::error::Error;
use std::io;

use anyhow::anyhow;
use oci_client::errors::{OciDistributionError, OciEnvelope, OciErrorCode};

use crate::image::Image;

/// Says why a registry did not accept the artifact, and what to do about it. The
/// registry may have repeated one of the secrets.
pub fn explain(
    image: &Image,
    anonymous: bool,
    secrets: &[String],
    error: OciDistributionError,
) -> anyhow::Error {
    let reason = match &error {
        OciDistributionError::RegistryError { envelope, .. } => first_message(envelope, secrets),
        // The crate does not parse the error response to an upload.
        OciDistributionError::ServerError { message, .. } => reason(message, secrets),
        _ => String::new(),
    };
    // Artifact Registry answers "denied" for a repository that does not exist.
    if is_not_found(&error) || reason.contains("does not exist") {
        return missing(image, &reason);
    }
    if is_denied(&error) {
        return denied(image, anonymous, &reason);
    }
    not_taken(
        image,
        match error {
            OciDistributionError::RequestError(error) => return unreachable(image, error),
            OciDistributionError::RegistryError { envelope, .. } if is_overload(&envelope) => {
                anyhow!("{OVERLOAD}{}", quoted(&reason))
            }
            OciDistributionError::RegistryError { .. } => anyhow!("{reason}"),
            OciDistributionError::ServerError { code, .. } => match overload(code) {
                Some(overload) => anyhow!("{overload}{}", quoted(&reason)),
                None => anyhow!("it answers {code}{}", quoted(&reason)),
            },
            // The others are answers that the specification does not have.
            error => anyhow!(
                "it does not answer as a registry does: {}",
                line(&error.to_string(), secrets)
            ),
        },
    )
}

fn missing(image: &Image, reason: &str) -> anyhow::Error {
    let remedy = match image.creation_command() {
        Some(command) => format!("run `{command}`"),
        None => "create it there first".to_owned(),
    };
    anyhow!(
        "{} has no repository for {}{}: {remedy}",
        image.reference().registry(),
        image.repository(),
        quoted(reason)
    )
}

/// The error for a registry that does not let this user push.
pub fn denied(image: &Image, anonymous: bool, reason: &str) -> anyhow::Error {
    let (registry, repository) = (image.reference().registry(), image.repository());
    let (login, quoted) = (image.login_command(), quoted(reason));
    if anonymous {
        anyhow!(
            "{registry} wants to know who pushes to {repository}, and docker's configuration has no credential for it{quoted}: run `{login}`"
        )
    } else {
        anyhow!(
            "{registry} does not let you push to {repository}{quoted}: ask for the right to write, or log in anew with `{login}`"
        )
    }
}

/// The error for a registry that does not take the artifact for another reason.
pub fn not_taken(image: &Image, reason: anyhow::Error) -> anyhow::Error {
    reason.context(format!(
        "{} did not take {}; nothing was tagged",
        image.reference().registry(),
        image.repository()
    ))
}

/// The error for a request without an answer.
pub fn unreachable(image: &Image, error: reqwest::Error) -> anyhow::Error {
    let registry = image.reference().registry();
    let reason = if error.is_timeout() {
        anyhow!("it does not answer in time")
    } else if error.is_builder() {
        anyhow::Error::new(error).context(
            "TLS cannot be set up: install the package ca-certificates, or set SSL_CERT_FILE to a file of authorities",
        )
    } else if let Some(error) = find::<rustls::Error>(&error) {
        anyhow!(tls_reason(registry, error))
    } else {
        anyhow::Error::new(error)
    };
    not_taken(image, reason)
}

fn tls_reason(registry: &str, error: &rustls::Error) -> String {
    use rustls::{CertificateError as Invalid, Error};
    let own = format!("its certificate is not trusted ({error})");
    match error {
        Error::InvalidCertificate(
            Invalid::Expired
            | Invalid::ExpiredContext { .. }
            | Invalid::NotValidYet
            | Invalid::NotValidYetContext { .. },
        ) => format!("{own}: renew it, or set this machine's clock"),
        Error::InvalidCertificate(
            Invalid::NotValidForName | Invalid::NotValidForNameContext { .. },
        ) => format!("{own}: push to a name that it has, or give it a certificate for this one"),
        Error::InvalidCertificate(Invalid::Other(_)) if own.contains("CaUsedAsEndEntity") => {
            format!(
                "{own}, because it is an authority's: give the registry one with `basicConstraints=CA:FALSE`"
            )
        }
        Error::InvalidCertificate(_) => format!(
            "{own}: if you know its authority, put the authority's certificate at ~/.docker/certs.d/{registry}/ca.crt or /etc/docker/certs.d/{registry}/ca.crt, or set SSL_CERT_FILE to it"
        ),
        Error::InvalidMessage(_) => {
            "it does not speak TLS: if you trust the network up to it, set PLAIN_HTTP=1".to_owned()
        }
        Error::AlertReceived(_) => format!(
            "it ends the TLS handshake ({error}): it may want a client certificate, which this tool cannot send"
        ),
        _ => format!("TLS fails ({error})"),
    }
}

/// Whether a request failed because the certificate is not trusted.
pub fn is_about_trust(error: &reqwest::Error) -> bool {
    let error = find::<rustls::Error>(error);
    error.is_some_and(|error| {
        matches!(
            error,
            rustls::Error::InvalidCertificate(_) | rustls::Error::AlertReceived(_)
        )
    })
}

/// An error of one type among the causes of another.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // An I/O error's source is not what it wraps, but the source of that.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        cause = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

const OVERLOAD: &str = "it has too many requests; push again later";

/// What to do about a status that says nothing about the artifact.
pub fn overload(status: u16) -> Option<String> {
    match status {
        429 => Some(OVERLOAD.to_owned()),
        500.. => Some(format!(
            "it answers {status}, a fault of its own; push again later"
        )),
        _ => None,
    }
}

fn is_overload(envelope: &OciEnvelope) -> bool {
    let mut errors = envelope.errors.iter();
    errors.any(|error| error.code == OciErrorCode::Toomanyrequests)
}

/// What a registry says in the body of an error response: the first message, or the
/// text, unless it is a page.
pub fn reason(body: &str, secrets: &[String]) -> String {
    match serde_json::from_str(body) {
        Ok(envelope) => first_message(&envelope, secrets),
        Err(_) if body.trim_start().starts_with(['<', '{']) => String::new(),
        Err(_) => line(body, secrets),
    }
}

/// The first message in a registry's error response.
fn first_message(envelope: &OciEnvelope, secrets: &[String]) -> String {
    let first = envelope.errors.first();
    first.map_or_else(String::new, |error| line(&error.message, secrets))
}

/// The text in one line of bounded length, without the secrets, and without what a
/// terminal would obey.
fn line(text: &str, secrets: &[String]) -> String {
    // First of all: the end of a secret that is cut would not be found.
    let text = hide(text, secrets);
    let words: Vec<_> = text.split_whitespace().collect();
    words
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect()
}

fn quoted(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!(" ({reason})")
    }
}

fn hide(text: &str, secrets: &[String]) -> String {
    let secrets = secrets.iter().filter(|secret| !secret.is_empty());
    secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
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
