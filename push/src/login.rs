//! Logs in to a registry (distribution's "Token Authentication Specification").

use anyhow::{Context, Result, anyhow, bail};
use http::HeaderValue;
use http_auth::ChallengeRef;
use http_auth::parser::ChallengeParser;
use oci_client::secrets::RegistryAuth;
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use crate::credentials::{self, Credential};
use crate::endpoint::Endpoint;
use crate::image::Image;
use crate::refusal;

/// What a token server answers.
#[derive(Deserialize)]
struct Tokens {
    token: Option<String>,
    access_token: Option<String>,
}

/// The credential of docker or podman for the registry.
///
/// # Errors
/// When there is one that cannot be read.
pub async fn credential(image: &Image) -> Result<Option<Credential>> {
    let found = credentials::find(image.reference()).await;
    found.map_err(|error| {
        let (registry, login) = (image.reference().registry(), image.login_command());
        anyhow!("docker's configuration has no usable credential for {registry}: {error:#}: mend that, or take it out and run `{login}`")
    })
}

/// Logs in by a method that the registry offers in its `WWW-Authenticate` headers,
/// anonymously if there is no credential. A token has the rights `actions`, such as
/// `pull,push`.
///
/// # Errors
/// When the credential is not accepted.
pub async fn log_in(
    image: &Image,
    endpoint: &Endpoint,
    headers: &[String],
    credential: Option<&Credential>,
    actions: &str,
) -> Result<RegistryAuth> {
    let challenges = headers
        .iter()
        .flat_map(|header| ChallengeParser::new(header).filter_map(Result::ok));
    let challenges: Vec<_> = challenges.collect();
    let offer = |scheme: &str| {
        let mut challenges = challenges.iter();
        challenges.find(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme))
    };
    let registry = image.reference().registry();
    Ok(match (offer("Bearer"), credential) {
        (_, Some(Credential::RegistryToken(token))) => RegistryAuth::Bearer(token.clone()),
        (Some(bearer), credential) => {
            RegistryAuth::Bearer(token(image, endpoint, bearer, credential, actions).await?)
        }
        (None, _) if offer("Basic").is_none() => bail!(
            "{registry} wants a login by another method than Basic or Bearer, which this tool does not have"
        ),
        (None, Some(Credential::Password { user, password })) => {
            RegistryAuth::Basic(user.clone(), password.clone())
        }
        (None, Some(Credential::IdentityToken(_))) => bail!(
            "docker's configuration has an identity token for {registry}, which takes only a name and a password: run `{}`",
            image.login_command()
        ),
        (None, None) => RegistryAuth::Anonymous,
    })
}

/// Gets a token from the server that the registry names.
async fn token(
    image: &Image,
    endpoint: &Endpoint,
    challenge: &ChallengeRef<'_>,
    credential: Option<&Credential>,
    actions: &str,
) -> Result<String> {
    let registry = image.reference().registry();
    let parameter = |name: &str| {
        let mut parameters = challenge.params.iter();
        parameters
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_unescaped())
    };
    let realm = parameter("realm").and_then(|realm| Url::parse(&realm).ok());
    let Some(mut realm) = realm.filter(|realm| realm.has_host()) else {
        bail!("{registry} asks for a token, and does not say where to get it");
    };
    let host = realm.host_str().unwrap_or_default().to_owned();
    if !endpoint.may_have_credential(&realm) {
        bail!(
            "{registry} asks for a login at {host} without TLS, where others could read it: nothing was sent there"
        );
    }
    let scope = format!("repository:{}:{actions}", image.reference().repository());
    let mut query = vec![("scope", scope)];
    query.extend(parameter("service").map(|service| ("service", service)));
    let client = endpoint.client(&realm)?;
    let request = if let Some(Credential::IdentityToken(refresh)) = credential {
        query.push(("grant_type", "refresh_token".to_owned()));
        query.push(("client_id", env!("CARGO_PKG_NAME").to_owned()));
        query.push(("refresh_token", refresh.clone()));
        client.post(realm).form(&query)
    } else {
        realm.query_pairs_mut().extend_pairs(&query);
        let request = client.get(realm);
        match credential {
            Some(Credential::Password { user, password }) => {
                request.basic_auth(user, Some(password))
            }
            _ => request,
        }
    };
    let answer = request.send().await;
    let answer = answer.map_err(|error| refusal::unreachable(image, error.without_url()))?;
    let status = answer.status();
    let body = answer.bytes().await;
    let body = body.map_err(|error| refusal::unreachable(image, error.without_url()))?;
    if !status.is_success() {
        return Err(match refusal::overload(status.as_u16()) {
            Some(overload) => refusal::not_taken(image, anyhow!("{host}: {overload}")),
            None => denied(image, credential, &host, status, &body),
        });
    }
    serde_json::from_slice(&body)
        .ok()
        .and_then(|tokens: Tokens| {
            let mut tokens = [tokens.token, tokens.access_token].into_iter().flatten();
            tokens.find(|token| !token.is_empty() && HeaderValue::from_str(token).is_ok())
        })
        .with_context(|| {
            format!("{host}, which {registry} names for logins, answers without a token")
        })
}

fn denied(
    image: &Image,
    credential: Option<&Credential>,
    host: &str,
    status: StatusCode,
    body: &[u8],
) -> anyhow::Error {
    if let (Some(Credential::IdentityToken(_)), 404 | 405) = (credential, status.as_u16()) {
        return anyhow!(
            "docker's configuration has an identity token for {}, which {host} does not take ({status}): log in with a name and a password, by `{}`",
            image.reference().registry(),
            image.login_command()
        );
    }
    let secrets = credential.map(Credential::secrets).unwrap_or_default();
    let reason = refusal::reason(&String::from_utf8_lossy(body), &secrets);
    refusal::denied(image, credential.is_none(), &reason)
}
