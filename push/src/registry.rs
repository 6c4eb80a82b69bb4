//! Pushes an artifact to a registry (OCI distribution specification).

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use docker_credential::{CredentialRetrievalError, DockerCredential};
use http::HeaderValue;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, RegistryOperation};

use crate::artifact::Artifact;
use crate::image::Image;
use crate::refusal::{explain, is_not_found};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A client of an image's registry, with its credential.
pub struct Registry<'a> {
    image: &'a Image,
    client: Client,
    auth: RegistryAuth,
}

impl<'a> Registry<'a> {
    /// Logs in with the credential in docker's configuration, or anonymously.
    ///
    /// # Errors
    /// When the registry cannot be reached, or does not accept the credential.
    pub async fn connect(image: &'a Image) -> Result<Self> {
        // Fails only if a provider is already installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::try_from(ClientConfig {
            protocol: if image.is_on_loopback() {
                ClientProtocol::Http
            } else {
                ClientProtocol::Https
            },
            // Saves a request. The blobs are small.
            use_monolithic_push: true,
            connect_timeout: Some(CONNECT_TIMEOUT),
            read_timeout: Some(READ_TIMEOUT),
            user_agent: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        })
        .context("cannot set up TLS")?;
        let auth = credential(image)?;
        // Without this, later requests take a failed login for "no token needed".
        client
            .auth(image.reference(), &auth, RegistryOperation::Push)
            .await
            .map_err(|error| explain(image, &auth, error))?;
        Ok(Self {
            image,
            client,
            auth,
        })
    }

    /// The digest to which the tag points, if the tag exists.
    pub async fn tag_digest(&self) -> Result<Option<String>> {
        let reference = self.image.reference();
        match self
            .client
            .fetch_manifest_digest(reference, &self.auth)
            .await
        {
            Ok(digest) => Ok(Some(digest)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(explain(self.image, &self.auth, error)),
        }
    }

    /// Pushes the blobs, and then the manifest under the tag, so that the tag
    /// never exists without the blobs.
    ///
    /// # Errors
    /// One sentence that says what to do. The tag is then unchanged.
    pub async fn push(&self, artifact: &Artifact) -> Result<()> {
        self.push_blobs(artifact)
            .await
            .map_err(|error| explain(self.image, &self.auth, error))
    }

    async fn push_blobs(&self, artifact: &Artifact) -> Result<(), OciDistributionError> {
        let reference = self.image.reference();
        for blob in artifact.layers.iter().chain([&artifact.config]) {
            let bytes = blob.bytes.clone();
            self.client
                .push_blob(reference, bytes, &blob.digest())
                .await?;
        }
        let manifest = &artifact.manifest;
        let media_type = HeaderValue::from_static(manifest.media_type);
        let bytes = manifest.bytes.clone();
        self.client
            .push_manifest_raw(reference, bytes, media_type)
            .await?;
        Ok(())
    }
}

/// The credential for the registry from docker's configuration or from a
/// credential helper.
fn credential(image: &Image) -> Result<RegistryAuth> {
    let registry = image.reference().registry();
    // Docker's historical name for its own registry.
    let server = match registry {
        "docker.io" => "https://index.docker.io/v1/",
        other => other,
    };
    match docker_credential::get_credential(server) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(RegistryAuth::Basic(user, password))
        }
        Ok(DockerCredential::IdentityToken(_)) => bail!(
            "docker's configuration has an identity token for {registry}, which this tool cannot use: log in with a name and a password"
        ),
        Err(
            CredentialRetrievalError::ConfigNotFound
            | CredentialRetrievalError::ConfigReadError
            | CredentialRetrievalError::NoCredentialConfigured,
        ) => Ok(RegistryAuth::Anonymous),
        // Docker's own helpers answer this for an unknown registry.
        Err(CredentialRetrievalError::HelperFailure { stdout, .. })
            if stdout.contains("credentials not found") =>
        {
            Ok(RegistryAuth::Anonymous)
        }
        Err(error) => Err(anyhow!(
            "docker's configuration has no usable credential for {registry}: {error}; run `{}`",
            image.login_command()
        )),
    }
}
