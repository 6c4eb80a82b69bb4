//! Pushes an artifact to a registry (OCI distribution specification).

use std::cell::OnceCell;
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
use crate::login::{credential, log_in};
use crate::refusal::{explain, is_not_found, not_taken, unreachable};

/// An image's registry, and the credential for it.
pub struct Registry<'a> {
    image: &'a Image,
    endpoint: Endpoint,
    login: Login,
    /// Read once, and only if the registry wants a login: a helper may ask its user.
    credential: OnceCell<Option<Credential>>,
}

impl<'a> Registry<'a> {
    /// Finds the registry.
    ///
    /// # Errors
    /// When the registry cannot be reached.
    pub async fn connect(image: &'a Image) -> Result<Self> {
        // Fails only if a provider is already installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (endpoint, login) = Endpoint::find(image).await?;
        Ok(Self {
            image,
            endpoint,
            login,
            credential: OnceCell::new(),
        })
    }

    /// Whether the registry is reached without TLS.
    pub fn is_plain(&self) -> bool {
        self.endpoint.is_plain()
    }

    /// Logs in, if the registry wants a login, with the credential of docker or podman
    /// and the rights `actions`: a credential that may only read suffices to read.
    /// `largest_upload` is in bytes.
    async fn log_in(&self, actions: &str, largest_upload: usize) -> Result<(Client, RegistryAuth)> {
        let auth = match &self.login {
            Login::NotNeeded => RegistryAuth::Anonymous,
            Login::Needed(headers) => {
                let credential = self.credential().await?;
                log_in(self.image, &self.endpoint, headers, credential, actions).await?
            }
        };
        // Without an authority of the system the crate panics, whatever its configuration.
        let authorities = reqwest::Client::builder().build();
        authorities.map_err(|error| unreachable(self.image, error))?;
        let client = Client::try_from(self.endpoint.client_config(largest_upload as u64))
            .context("cannot set up TLS")?;
        let registry = self.endpoint.reference().resolve_registry();
        client.store_auth_if_needed(registry, &auth).await;
        Ok((client, auth))
    }

    async fn credential(&self) -> Result<Option<&Credential>> {
        if self.credential.get().is_none() {
            let found = credential(self.image).await?;
            // It is empty, so this does not fail.
            let _ = self.credential.set(found);
        }
        Ok(self.known_credential())
    }

    fn known_credential(&self) -> Option<&Credential> {
        self.credential.get().and_then(Option::as_ref)
    }

    /// The digest to which the tag points, if the tag exists.
    ///
    /// # Errors
    /// When the registry does not accept the credential, or does not let it read.
    pub async fn tag_digest(&self) -> Result<Option<String>> {
        let (client, auth) = self.log_in("pull", 0).await?;
        let reference = self.endpoint.reference();
        match client.fetch_manifest_digest(reference, &auth).await {
            Ok(digest) => Ok(Some(digest)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(self.explain(&auth, error)),
        }
    }

    /// Pushes the blobs, and then the manifest under the tag, so that the tag
    /// never exists without the blobs.
    ///
    /// # Errors
    /// One sentence that says what to do. The tag is then unchanged.
    pub async fn push(&self, artifact: &Artifact) -> Result<()> {
        let largest = artifact.blobs().map(|blob| blob.bytes.len()).max();
        let (client, auth) = self.log_in("pull,push", largest.unwrap_or(0)).await?;
        // The crate panics if the registry's address for an upload is not a URL.
        let hook = panic::take_hook();
        panic::set_hook(Box::new(|_| {}));
        let pushed = AssertUnwindSafe(self.push_blobs(&client, artifact)).catch_unwind();
        let pushed = pushed.await;
        panic::set_hook(hook);
        match pushed {
            Ok(pushed) => pushed.map_err(|error| self.explain(&auth, error)),
            Err(_) => Err(not_taken(
                self.image,
                anyhow!("it does not answer as a registry does"),
            )),
        }
    }

    async fn push_blobs(
        &self,
        client: &Client,
        artifact: &Artifact,
    ) -> Result<(), OciDistributionError> {
        let reference = self.endpoint.reference();
        for blob in artifact.layers.iter().chain([&artifact.config]) {
            let bytes = blob.bytes.clone();
            client.push_blob(reference, bytes, &blob.digest()).await?;
        }
        let manifest = &artifact.manifest;
        let media_type = HeaderValue::from_static(manifest.media_type);
        let bytes = manifest.bytes.clone();
        client
            .push_manifest_raw(reference, bytes, media_type)
            .await?;
        Ok(())
    }

    fn explain(&self, auth: &RegistryAuth, error: OciDistributionError) -> anyhow::Error {
        let credential = self.known_credential();
        let mut secrets = credential.map(Credential::secrets).unwrap_or_default();
        if let RegistryAuth::Bearer(token) = auth {
            secrets.push(token.clone());
        }
        explain(self.image, credential.is_none(), &secrets, error)
    }
}
