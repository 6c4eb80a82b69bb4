//! Pushes an artifact to a registry (OCI distribution specification).

use std::panic::{self, AssertUnwindSafe};

use anyhow::{Context, Result, anyhow};
use futures_util::FutureExt;
use http::HeaderValue;
use oci_client::Client;
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;

use crate::artifact::Artifact;
use crate::credentials::Credential;
use crate::endpoint::{Endpoint, Login};
use crate::image::Image;
use crate::login::log_in;
use crate::refusal::{explain, is_not_found, not_taken, unreachable, without_secrets};

/// A client of an image's registry, with its credential.
pub struct Registry<'a> {
    image: &'a Image,
    endpoint: Endpoint,
    client: Client,
    auth: RegistryAuth,
    credential: Option<Credential>,
}

impl<'a> Registry<'a> {
    /// Finds the registry, and logs in with the credential of docker or podman if it
    /// wants a login.
    ///
    /// # Errors
    /// When the registry cannot be reached, or does not accept the credential.
    pub async fn connect(image: &'a Image) -> Result<Self> {
        // Fails only if a provider is already installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (endpoint, login) = Endpoint::find(image).await?;
        let (auth, credential) = match login {
            Login::NotNeeded => (RegistryAuth::Anonymous, None),
            Login::Needed(headers) => log_in(image, &endpoint, &headers).await?,
        };
        // Without an authority of the system the crate panics, whatever its configuration.
        let authorities = reqwest::Client::builder().build();
        authorities.map_err(|error| unreachable(image, error))?;
        let client = Client::try_from(endpoint.client_config()).context("cannot set up TLS")?;
        client
            .store_auth_if_needed(endpoint.reference().resolve_registry(), &auth)
            .await;
        Ok(Self {
            image,
            endpoint,
            client,
            auth,
            credential,
        })
    }

    /// Whether the registry is reached without TLS.
    pub fn is_plain(&self) -> bool {
        self.endpoint.is_plain()
    }

    /// The digest to which the tag points, if the tag exists.
    pub async fn tag_digest(&self) -> Result<Option<String>> {
        let reference = self.endpoint.reference();
        match self
            .client
            .fetch_manifest_digest(reference, &self.auth)
            .await
        {
            Ok(digest) => Ok(Some(digest)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// Pushes the blobs, and then the manifest under the tag, so that the tag
    /// never exists without the blobs.
    ///
    /// # Errors
    /// One sentence that says what to do. The tag is then unchanged.
    pub async fn push(&self, artifact: &Artifact) -> Result<()> {
        // The crate panics if the registry's address for an upload is not a URL.
        let hook = panic::take_hook();
        panic::set_hook(Box::new(|_| {}));
        let pushed = AssertUnwindSafe(self.push_blobs(artifact)).catch_unwind();
        let pushed = pushed.await;
        panic::set_hook(hook);
        match pushed {
            Ok(pushed) => pushed.map_err(|error| self.explain(error)),
            Err(_) => Err(not_taken(
                self.image,
                anyhow!("it does not answer as a registry does"),
            )),
        }
    }

    async fn push_blobs(&self, artifact: &Artifact) -> Result<(), OciDistributionError> {
        let reference = self.endpoint.reference();
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

    fn explain(&self, error: OciDistributionError) -> anyhow::Error {
        let error = explain(self.image, self.credential.is_none(), error);
        without_secrets(self.credential.as_ref(), error)
    }
}
