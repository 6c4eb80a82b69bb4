//! How a registry is reached: encrypted or not, through a proxy or not, and with which
//! certificates.

use std::env;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use oci_client::Reference;
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use reqwest::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Response, StatusCode, Url};

use crate::certificates::{self, Certificates};
use crate::image::{Image, is_loopback};
use crate::refusal::{self, is_about_trust};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For a request without content: to find the registry, and to log in.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// From the start of an upload to its answer, besides the time for its content.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// The slowest upload that is not taken for a stop, in bytes a second.
const SLOWEST_UPLOAD: u64 = 32 << 10;
const NAME_TIMEOUT: Duration = Duration::from_secs(5);

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// The way to a registry that answers.
pub struct Endpoint {
    url: Url,
    is_on_loopback: bool,
    /// The addresses of a name that is on loopback, so that no later answer of a name
    /// server leads an unencrypted request to another machine.
    addresses: Vec<SocketAddr>,
    certificates: Certificates,
    /// The image, under the address that answered if the name must not be asked again.
    reference: Reference,
}

/// What a registry says about a login.
pub enum Login {
    NotNeeded,
    /// The content of its `WWW-Authenticate` headers.
    Needed(Vec<String>),
}

impl Endpoint {
    /// Asks the registry for its version, as the distribution specification has it.
    /// A registry on loopback may speak plain HTTP or TLS; every other one speaks
    /// TLS, unless `PLAIN_HTTP=1` says otherwise.
    ///
    /// # Errors
    /// When what answers, if anything, is not a registry that can be trusted.
    pub async fn find(image: &Image) -> Result<(Self, Login)> {
        let registry = image.reference().registry();
        let plain =
            plain_http(env::var_os("PLAIN_HTTP").map(|v| v.to_string_lossy().into_owned()))?;
        let url = Url::parse(&format!(
            "https://{}/v2/",
            image.reference().resolve_registry()
        ))
        .with_context(|| format!("{registry} is not the address of a registry"))?;
        let loopback = loopback(image, &url).await;
        let mut endpoint = Self {
            is_on_loopback: loopback.is_some(),
            addresses: loopback.unwrap_or_default(),
            certificates: certificates::of(registry)?,
            reference: image.reference().clone(),
            url,
        };
        let answer = if plain || endpoint.is_on_loopback {
            endpoint.ask_without_tls(plain).await
        } else {
            endpoint.ask().await
        };
        let answer = answer.map_err(|error| refusal::unreachable(image, error))?;
        endpoint.pin(&answer);
        let login = endpoint.login(registry, &answer);
        Ok((
            endpoint,
            login.map_err(|error| refusal::not_taken(image, error))?,
        ))
    }

    /// Plain HTTP first: a registry without TLS may never answer the start of a TLS
    /// handshake, but each with TLS refuses a plain request.
    async fn ask_without_tls(&mut self, only: bool) -> reqwest::Result<Response> {
        let encrypted = self.url.clone();
        self.url = plain_url(&self.url);
        let answer = self.ask().await;
        let is_refused = answer.as_ref().map_or(true, |answer| {
            answer.status() == StatusCode::BAD_REQUEST || answer.status().is_redirection()
        });
        if only || !is_refused {
            return answer;
        }
        let plain = std::mem::replace(&mut self.url, encrypted);
        match self.ask().await {
            Err(error) if !is_about_trust(&error) => {
                self.url = plain;
                answer
            }
            encrypted => encrypted,
        }
    }

    async fn ask(&self) -> reqwest::Result<Response> {
        let client = self.client(&self.url)?;
        client.get(self.url.clone()).send().await
    }

    /// A client for one of the registry's hosts.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn client(&self, url: &Url) -> reqwest::Result<reqwest::Client> {
        let authorities = self.certificates.authorities.iter();
        let authorities: reqwest::Result<Vec<_>> = authorities
            .map(|der| reqwest::Certificate::from_der(der))
            .collect();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .user_agent(USER_AGENT)
            .redirect(Policy::custom(|attempt| {
                if is_encrypted(&attempt) {
                    attempt.follow()
                } else {
                    attempt.stop()
                }
            }))
            .tls_certs_merge(authorities?);
        let client = match (self.url.host_str(), self.addresses.as_slice()) {
            (Some(name), addresses @ [_, ..]) => client.resolve_to_addrs(name, addresses),
            _ => client,
        };
        if self.is_direct(url) {
            client.no_proxy().build()
        } else {
            client.build()
        }
    }

    /// Whether no proxy is used. A proxy would read what is not encrypted.
    fn is_direct(&self, url: &Url) -> bool {
        url.scheme() == "http"
            || is_loopback_address(url)
            || (self.is_on_loopback && url.host() == self.url.host())
    }

    /// Whether a URL that the registry names may get the credential: over TLS any
    /// host may, as with docker; without TLS only the registry's own.
    pub fn may_have_credential(&self, url: &Url) -> bool {
        url.scheme() == "https"
            || (self.is_plain()
                && (url.host() == self.url.host()
                    || (self.is_on_loopback && is_loopback_address(url))))
    }

    /// Whether the registry is reached without TLS.
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    fn pin(&mut self, answer: &Response) {
        if let Some(address) = answer.remote_addr()
            && self.is_plain()
            && !self.addresses.is_empty()
        {
            self.reference = Reference::with_tag(
                address.to_string(),
                self.reference.repository().to_owned(),
                self.reference.tag().unwrap_or_default().to_owned(),
            );
        }
    }

    fn login(&self, registry: &str, answer: &Response) -> Result<Login> {
        let status = answer.status();
        let is_page = answer
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        match status {
            StatusCode::UNAUTHORIZED => {
                let headers = answer.headers().get_all(WWW_AUTHENTICATE).iter();
                let headers: Vec<_> = headers
                    .filter_map(|header| header.to_str().ok())
                    .map(str::to_owned)
                    .collect();
                if headers.is_empty() {
                    bail!(
                        "it answers {status} to {}, and not how to log in (no WWW-Authenticate)",
                        self.url
                    );
                }
                Ok(Login::Needed(headers))
            }
            status if status.is_success() && !is_page => Ok(Login::NotNeeded),
            status => Err(
                match (
                    refusal::overload(status.as_u16()),
                    &self.certificates.client,
                ) {
                    (Some(overload), _) => anyhow!(overload),
                    (None, Some(file)) => anyhow!(
                        "it answers {status} to {}; this tool cannot send the client certificate {}",
                        self.url,
                        file.display()
                    ),
                    (None, None) => anyhow!(
                        "it answers {status} to {}, which no registry does: is {registry} one?",
                        self.url
                    ),
                },
            ),
        }
    }

    /// The image, by the name or address under which the registry answers.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The same way for the client that pushes.
    pub fn client_config(&self, largest_upload: u64) -> ClientConfig {
        let authorities = self.certificates.authorities.iter();
        let mut config = ClientConfig {
            protocol: if self.is_plain() {
                ClientProtocol::Http
            } else {
                ClientProtocol::Https
            },
            extra_root_certificates: authorities
                .map(|der| Certificate {
                    encoding: CertificateEncoding::Der,
                    data: der.clone(),
                })
                .collect(),
            // Saves a request. The blobs are small.
            use_monolithic_push: true,
            connect_timeout: Some(CONNECT_TIMEOUT),
            read_timeout: Some(READ_TIMEOUT + Duration::from_secs(largest_upload / SLOWEST_UPLOAD)),
            user_agent: USER_AGENT,
            ..ClientConfig::default()
        };
        if self.is_direct(&self.url) {
            // The crate cannot turn proxies off. One that is used for no address replaces
            // those of the environment.
            config.http_proxy = Some("http://localhost:9".to_owned());
            config.https_proxy.clone_from(&config.http_proxy);
            config.no_proxy = Some("*,0.0.0.0/0,::/0".to_owned());
        }
        config
    }
}

/// What `PLAIN_HTTP` says.
fn plain_http(value: Option<String>) -> Result<bool> {
    match value.as_deref().map(str::trim) {
        None | Some("" | "0") => Ok(false),
        Some("1") => Ok(true),
        Some(other) => bail!("PLAIN_HTTP={other} is neither 1, for a registry without TLS, nor 0"),
    }
}

/// Whether a registry is on this machine, and if its name says so, the addresses
/// of the name.
async fn loopback(image: &Image, url: &Url) -> Option<Vec<SocketAddr>> {
    let host = url.host_str()?;
    let port = url.port().unwrap_or_default();
    if host.ends_with(".localhost") {
        // By RFC 6761. Not every machine's resolver knows it.
        return Some(vec![
            (Ipv4Addr::LOCALHOST, port).into(),
            (Ipv6Addr::LOCALHOST, port).into(),
        ]);
    }
    if image.is_on_loopback() {
        return Some(Vec::new());
    }
    let addresses = tokio::time::timeout(NAME_TIMEOUT, tokio::net::lookup_host((host, port))).await;
    let addresses: Vec<_> = addresses.ok()?.ok()?.collect();
    let is_loopback = addresses.iter().all(|address| address.ip().is_loopback());
    (is_loopback && !addresses.is_empty()).then_some(addresses)
}

fn is_loopback_address(url: &Url) -> bool {
    is_loopback(url.host_str().unwrap_or_default())
}

/// The same address without TLS. Its default port is another.
fn plain_url(url: &Url) -> Url {
    let mut plain = url.clone();
    // Cannot fail between these two schemes.
    let _ = plain.set_scheme("http");
    plain
}

/// Whether a redirect leads from TLS to TLS.
fn is_encrypted(attempt: &Attempt<'_>) -> bool {
    let is_https = |url: &Url| url.scheme() == "https";
    is_https(attempt.url())
        && attempt.previous().iter().all(is_https)
        && attempt.previous().len() < 10
}

#[cfg(test)]
mod tests {
    use super::plain_http;

    #[test]
    fn plain_http_is_on_or_off() {
        let read = |value: Option<&str>| plain_http(value.map(str::to_owned));
        for off in [None, Some(""), Some("0")] {
            assert!(!read(off).unwrap(), "{off:?}");
        }
        assert!(read(Some("1")).unwrap());
        let error = read(Some("maybe")).unwrap_err().to_string();
        assert!(
            error.starts_with("PLAIN_HTTP=maybe is neither 1,"),
            "{error}"
        );
    }
}
