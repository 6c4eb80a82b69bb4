//! Finds the credential for a registry where `docker login` and `podman login`
//! keep it: config.json of docker, auth.json of podman (containers-auth.json(5)).
//!
//! The first of these files that has a credential for the registry counts:
//! `REGISTRY_AUTH_FILE`, docker's file, podman's file of the session, and podman's
//! file in the user's configuration.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use oci_client::Reference;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::helper;

#[derive(Debug, PartialEq)]
pub enum Credential {
    Password {
        user: String,
        password: String,
    },
    /// A refresh token, which the registry's token server takes for a password.
    IdentityToken(String),
    /// A token that the registry itself takes.
    RegistryToken(String),
}

impl Credential {
    /// What must not be printed, in each form in which it is sent.
    pub fn secrets(&self) -> Vec<String> {
        match self {
            Self::Password { user, password } => {
                let pair = format!("{user}:{password}");
                vec![STANDARD.encode(pair), password.clone()]
            }
            Self::IdentityToken(token) | Self::RegistryToken(token) => {
                let in_a_form = form_urlencoded::byte_serialize(token.as_bytes()).collect();
                vec![token.clone(), in_a_form]
            }
        }
    }
}

/// The credential for an image's registry, if a file has one.
///
/// # Errors
/// When a file cannot be read, or its credential helper has no answer. The error
/// has the file's name, and no secret.
pub async fn find(image: &Reference) -> Result<Option<Credential>> {
    for path in files()? {
        let Some(config) = read(&path)? else { continue };
        let found = config.credential(image).await;
        if let Some(credential) = found.with_context(|| path.display().to_string())? {
            return Ok(Some(credential));
        }
    }
    Ok(None)
}

fn files() -> Result<Vec<PathBuf>> {
    let named = folder("REGISTRY_AUTH_FILE");
    if let Some(file) = named.as_ref().filter(|file| !file.exists()) {
        bail!("REGISTRY_AUTH_FILE={} does not exist", file.display());
    }
    let home = env::home_dir();
    let in_home = |name| home.as_ref().map(|home| home.join(name));
    let docker = folder("DOCKER_CONFIG").or_else(|| in_home(".docker"));
    let config = folder("XDG_CONFIG_HOME").or_else(|| in_home(".config"));
    let session = folder("XDG_RUNTIME_DIR").map(|folder| folder.join("containers"));
    Ok([
        named,
        docker.map(|folder| folder.join("config.json")),
        session
            .or_else(session_without_login)
            .map(|folder| folder.join("auth.json")),
        config.map(|folder| folder.join("containers/auth.json")),
    ]
    .into_iter()
    .flatten()
    .collect())
}

fn folder(variable: &str) -> Option<PathBuf> {
    let value = env::var_os(variable).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}

/// Podman's folder for a user without XDG_RUNTIME_DIR, as after `sudo`.
#[cfg(target_os = "linux")]
fn session_without_login() -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let user = fs::metadata("/proc/self").ok()?.uid();
    Some(format!("/run/containers/{user}").into())
}

#[cfg(not(target_os = "linux"))]
fn session_without_login() -> Option<PathBuf> {
    None
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// Reads a file, if it exists.
fn read(path: &Path) -> Result<Option<Config>> {
    let content = match fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => bail!("{} cannot be read: {error}", path.display()),
    };
    if content.trim_ascii().is_empty() {
        return Ok(None);
    }
    // A struct could also be read from a list.
    let object = serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(&content);
    let config = object.and_then(|_| serde_json::from_slice(&content));
    // The parser's own message can quote a secret.
    config.map(Some).map_err(|error| {
        let what = if error.is_data() {
            "has a value of the wrong type"
        } else {
            "is not JSON"
        };
        let (line, column) = (error.line(), error.column());
        anyhow!("{} {what}: line {line}, column {column}", path.display())
    })
}

impl Config {
    /// The credential of the helper for this registry, of the registry's entry, or
    /// of the helper for all registries, in this order.
    async fn credential(&self, image: &Reference) -> Result<Option<Credential>> {
        let mut helpers = matches(self.cred_helpers.as_ref(), image);
        let helper = helpers.next().map(|(_, name)| name);
        if let Some(name) = helper
            && let Some(credential) = ask(name, "credHelpers", image).await?
        {
            return Ok(Some(credential));
        }
        for (key, entry) in matches(self.auths.as_ref(), image) {
            if let Some(entry) = entry
                && let Some(credential) = entry.credential(key)?
            {
                return Ok(Some(credential));
            }
        }
        match &self.creds_store {
            // An empty name in credHelpers turns this helper off, as docker has it.
            Some(name) if helper.is_none() => ask(name, "credsStore", image).await,
            _ => Ok(None),
        }
    }
}

/// The values that hold for an image: first the one of the longest part of its name.
fn matches<'a, T>(
    map: Option<&'a BTreeMap<String, T>>,
    image: &Reference,
) -> impl Iterator<Item = (&'a String, &'a T)> {
    let name = format!("{}/{}", hostname(image.registry()), image.repository());
    let mut found = Vec::new();
    for (key, value) in map.into_iter().flatten() {
        let scope = scope(key);
        let rest = name.strip_prefix(&scope);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            // Of two keys with one meaning, the plain one comes first.
            found.push((Reverse(scope.len()), key.len(), (key, value)));
        }
    }
    found.sort_by_key(|(scope, key, _)| (*scope, *key));
    found.into_iter().map(|(_, _, entry)| entry)
}

/// The registry, or the part of a registry, that a key stands for:
/// `https://gcr.io/v2/` and `gcr.io` are the same, `gcr.io/my-project` is a part.
fn scope(key: &str) -> String {
    let key = key.to_ascii_lowercase();
    let address = ["https://", "http://"]
        .iter()
        .find_map(|scheme| key.strip_prefix(scheme));
    let path = address.unwrap_or(&key).trim_end_matches('/');
    let (host, path) = path.split_once('/').unwrap_or((path, ""));
    let host = hostname(host);
    match path {
        "" | "v1" | "v2" => host.to_owned(),
        // Docker reads only the host of an address.
        _ if address.is_some() => host.to_owned(),
        _ => format!("{host}/{path}"),
    }
}

/// One name for docker's own registry, which has three.
fn hostname(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
}

impl Entry {
    fn credential(&self, key: &str) -> Result<Option<Credential>> {
        let value = |field: &Option<String>| field.clone().filter(|value| !value.is_empty());
        if let Some(token) = value(&self.identitytoken) {
            return Ok(Some(Credential::IdentityToken(token)));
        }
        if let Some(token) = value(&self.registrytoken) {
            return Ok(Some(Credential::RegistryToken(token)));
        }
        let pair = match value(&self.auth) {
            Some(auth) => Some(decode(&auth).with_context(|| {
                format!("the `auth` of {key} is not the base64 of USER:PASSWORD")
            })?),
            None => value(&self.username).zip(value(&self.password)),
        };
        Ok(pair.map(|(user, password)| Credential::Password { user, password }))
    }
}

/// Decodes the base64 of `USER:PASSWORD`, with or without padding. The password may
/// have colons.
fn decode(auth: &str) -> Option<(String, String)> {
    let any_padding =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&alphabet::STANDARD, any_padding).decode(auth.trim());
    let text = String::from_utf8(bytes.ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    // Docker once padded passwords with zeros, and still removes them.
    Some((user.to_owned(), password.trim_end_matches('\0').to_owned()))
}

/// Asks the credential helper that a field of the file names.
async fn ask(name: &str, field: &str, image: &Reference) -> Result<Option<Credential>> {
    if name.is_empty() {
        return Ok(None);
    }
    let server = match hostname(image.registry()) {
        "docker.io" => "https://index.docker.io/v1/",
        host => host,
    };
    let answer = helper::ask(name, server).await;
    let answer = answer.with_context(|| format!("in `{field}`"))?;
    Ok(answer.map(|answer| match answer.username.as_str() {
        "<token>" => Credential::IdentityToken(answer.secret),
        _ => Credential::Password {
            user: answer.username,
            password: answer.secret,
        },
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use oci_client::Reference;

    use super::{Config, Credential, decode, matches};

    fn keys(keys: &[&str], image: &str) -> Vec<String> {
        let map: BTreeMap<_, _> = keys.iter().map(|key| ((*key).to_owned(), ())).collect();
        let image: Reference = image.parse().unwrap();
        let found = matches(Some(&map), &image);
        found.map(|(key, ())| key.clone()).collect()
    }

    #[test]
    fn the_longest_key_comes_first() {
        let map = ["gcr.io", "gcr.io/mine", "gcr.io/mine/swiss", "gcr.io/min"];
        assert_eq!(
            keys(&map, "gcr.io/mine/swiss:v1"),
            ["gcr.io/mine/swiss", "gcr.io/mine", "gcr.io"]
        );
        assert_eq!(
            keys(&map, "gcr.io/mine/other:v1"),
            ["gcr.io/mine", "gcr.io"]
        );
        assert!(keys(&map, "eu.gcr.io/mine/swiss:v1").is_empty());
        assert!(keys(&map, "gcr.io:443/mine/swiss:v1").is_empty());
    }

    #[test]
    fn a_key_may_be_an_address() {
        for key in [
            "ghcr.io",
            "GHCR.io/",
            "https://ghcr.io",
            "http://ghcr.io/v1/",
            "https://ghcr.io/v2/",
            "https://ghcr.io/v2/token",
            "ghcr.io/v2",
        ] {
            assert_eq!(keys(&[key], "ghcr.io/me/swiss:v1"), [key]);
        }
        assert_eq!(
            keys(&["https://ghcr.io", "ghcr.io"], "ghcr.io/me/swiss"),
            ["ghcr.io", "https://ghcr.io"]
        );
    }

    #[test]
    fn dockers_own_registry_has_three_names() {
        for key in [
            "docker.io",
            "https://index.docker.io/v1/",
            "registry-1.docker.io",
        ] {
            assert_eq!(keys(&[key], "me/swiss:v1"), [key]);
        }
    }

    #[test]
    fn a_password_may_have_colons_and_the_encoding_no_padding() {
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(decode("dXNlcjpzZTpjcmV0"), pair("user", "se:cret"));
        assert_eq!(decode("dXNlcjpzZWNyZXQ="), pair("user", "secret"));
        assert_eq!(decode("dXNlcjpzZWNyZXQ"), pair("user", "secret"));
        assert_eq!(decode("dXNlcjo="), pair("user", ""));
        for invalid in ["dXNlcg==", "user:secret", "/w=="] {
            assert_eq!(decode(invalid), None, "{invalid}");
        }
    }

    #[tokio::test]
    async fn each_form_of_an_entry_is_read() {
        let token = |token: &str| Credential::IdentityToken(token.to_owned());
        let password = |user: &str, password: &str| Credential::Password {
            user: user.to_owned(),
            password: password.to_owned(),
        };
        for (entry, expected) in [
            (
                r#"{"auth": "dXNlcjpzZWNyZXQ="}"#,
                Some(password("user", "secret")),
            ),
            (
                r#"{"username": "user", "password": "se:cret"}"#,
                Some(password("user", "se:cret")),
            ),
            (
                r#"{"auth": "MDAwOg==", "identitytoken": "x"}"#,
                Some(token("x")),
            ),
            (r#"{"auth": "", "email": "me@example.com"}"#, None),
            ("{}", None),
            ("null", None),
        ] {
            let config = format!(r#"{{"auths": {{"ghcr.io": {entry}}}, "psFormat": 5}}"#);
            let config: Config = serde_json::from_str(&config).unwrap();
            let image = "ghcr.io/me/swiss".parse().unwrap();
            let found = config.credential(&image);
            assert_eq!(found.await.unwrap(), expected, "{entry}");
        }
    }
}
