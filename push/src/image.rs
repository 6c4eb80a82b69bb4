//! The name under which an artifact is pushed.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddrV6};
use std::str::FromStr;

use anyhow::{Result, anyhow, bail};
use oci_client::Reference;

/// A registry, a repository in it, and a tag.
pub struct Image(Reference);

impl Image {
    /// Parses a name as Docker does. A name without a tag gets `default_tag`.
    ///
    /// # Errors
    /// When the name is not valid, or has a digest, which is known only after the
    /// push.
    pub fn parse(name: &str, default_tag: &str) -> Result<Self> {
        // The crate does not parse an IPv6 address.
        let (address, rest) = match name.split_once('/') {
            Some((address, path)) if is_ipv6_address(address) => (Some(address), path),
            _ => (None, name),
        };
        let parsed = match address {
            Some(_) => Reference::from_str(&format!("localhost/{rest}")),
            None => Reference::from_str(name),
        };
        let reference = parsed.map_err(|error| {
            let hint = in_lower_case(name)
                .map_or_else(String::new, |name| format!(", as in IMAGE={name}"));
            anyhow!(
                "IMAGE={name} is not an image name ({error}): it is like gcr.io/my-project/swiss:v1, without https://, and in lower case up to the tag{hint}"
            )
        })?;
        if reference.digest().is_some() {
            bail!("IMAGE={name} has a digest, which is known only after the push: give a tag");
        }
        // The crate adds `latest` to a name without a tag.
        let last = name.rsplit('/').next().unwrap_or(name);
        let tag = if last.contains(':') {
            reference.tag().unwrap_or(default_tag)
        } else {
            default_tag
        };
        Ok(Self(Reference::with_tag(
            address.unwrap_or(reference.registry()).to_ascii_lowercase(),
            reference.repository().to_owned(),
            tag.to_owned(),
        )))
    }

    pub fn reference(&self) -> &Reference {
        &self.0
    }

    /// Registry and repository: the image's name without a tag.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.0.registry(), self.0.repository())
    }

    /// Whether the registry is on this machine, by its name or address alone.
    pub fn is_on_loopback(&self) -> bool {
        let registry = self.0.registry();
        let host = match registry.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => registry,
        };
        is_loopback(host)
    }

    /// The commands that log a user in to the registry.
    pub fn login_command(&self) -> String {
        match self.0.registry() {
            host if is_gcr(host) => "gcloud auth login && gcloud auth configure-docker".to_owned(),
            host if host.ends_with("-docker.pkg.dev") => {
                format!("gcloud auth login && gcloud auth configure-docker {host}")
            }
            host => format!("docker login {host}"),
        }
    }

    /// The command that creates the repository, if a push does not (Artifact
    /// Registry, "Transition to gcr.io repositories").
    pub fn creation_command(&self) -> Option<String> {
        let host = self.0.registry();
        let mut path = self.0.repository().split('/');
        let project = match path.next()? {
            // A project of a domain, example.com:my-project.
            domain if domain.contains('.') => format!("{domain}:{}", path.next()?),
            project => project.to_owned(),
        };
        let (repository, location) = if is_gcr(host) {
            let location = match host.strip_suffix(".gcr.io") {
                Some("eu") => "europe",
                Some("asia") => "asia",
                _ => "us",
            };
            (host, location)
        } else {
            (path.next()?, host.strip_suffix("-docker.pkg.dev")?)
        };
        Some(format!(
            "gcloud artifacts repositories create {repository} --repository-format=docker --location={location} --project={project}"
        ))
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.whole())
    }
}

/// Whether a host is this machine, by its name (RFC 6761, section 6.3) or its address.
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Whether this is `[IPv6]` or `[IPv6]:PORT`.
fn is_ipv6_address(address: &str) -> bool {
    let ip = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    ip.is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok()) || address.parse::<SocketAddrV6>().is_ok()
}

/// The name with host and repository in lower case, if that makes it valid.
fn in_lower_case(name: &str) -> Option<String> {
    let lower = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => format!("{}:{tag}", path.to_lowercase()),
        _ => name.to_lowercase(),
    };
    Reference::from_str(&lower).is_ok().then_some(lower)
}

fn is_gcr(host: &str) -> bool {
    matches!(host, "gcr.io" | "us.gcr.io" | "eu.gcr.io" | "asia.gcr.io")
}

#[cfg(test)]
mod tests {
    use super::Image;

    fn image(name: &str) -> Image {
        Image::parse(name, "0.1.0").unwrap()
    }

    #[test]
    fn a_name_without_a_tag_gets_the_default() {
        for (name, expected) in [
            ("gcr.io/project/swiss", "gcr.io/project/swiss:0.1.0"),
            ("gcr.io/project/swiss:v1", "gcr.io/project/swiss:v1"),
            ("localhost:5000/swiss", "localhost:5000/swiss:0.1.0"),
            ("Registry.Example/swiss:V1", "registry.example/swiss:V1"),
            ("swiss:v1", "docker.io/library/swiss:v1"),
            ("[::1]:5000/swiss", "[::1]:5000/swiss:0.1.0"),
            ("[2001:db8::1]/team/swiss:v1", "[2001:db8::1]/team/swiss:v1"),
        ] {
            assert_eq!(image(name).to_string(), expected);
        }
    }

    #[test]
    fn an_invalid_name_or_one_with_a_digest_is_refused() {
        let digest = format!("gcr.io/project/swiss@sha256:{}", "5".repeat(64));
        for name in [
            "",
            "gcr.io/Project/swiss",
            "https://gcr.io/a",
            &digest,
            "[::1/swiss",
            "[::1]:99999/swiss",
            "[localhost]:5000/swiss",
            "[::1]:5000/",
        ] {
            assert!(Image::parse(name, "v1").is_err(), "{name} is accepted");
        }
    }

    #[test]
    fn a_name_with_capital_letters_is_refused_with_the_right_one() {
        for (name, right) in [
            ("gcr.io/PROJECT/swiss:V1", Some("gcr.io/project/swiss:V1")),
            ("localhost:5000/Swiss", Some("localhost:5000/swiss")),
            ("https://gcr.io/Project/swiss", None),
        ] {
            let error = Image::parse(name, "v1").err().unwrap().to_string();
            assert!(error.contains("in lower case up to the tag"), "{error}");
            let hint = right.map(|right| format!(", as in IMAGE={right}"));
            assert_eq!(error.contains("as in"), hint.is_some(), "{error}");
            assert!(error.ends_with(&hint.unwrap_or_default()), "{error}");
        }
    }

    #[test]
    fn only_registries_on_this_machine_are_on_loopback() {
        for name in [
            "localhost:5000/swiss",
            "127.0.0.1:5000/swiss",
            "localhost/swiss",
            "[::1]:5000/swiss",
            "[::1]/swiss",
            "k3d-registry.localhost:5000/swiss",
        ] {
            assert!(image(name).is_on_loopback(), "{name}");
        }
        for name in [
            "gcr.io/project/swiss",
            "10.0.0.1:5000/swiss",
            "[2001:db8::1]/swiss",
            "swiss",
        ] {
            assert!(!image(name).is_on_loopback(), "{name}");
        }
    }

    #[test]
    fn repositories_of_google_have_a_creation_command() {
        for (name, expected) in [
            ("gcr.io/my-project/swiss", "gcr.io us my-project"),
            ("eu.gcr.io/my-project/swiss", "eu.gcr.io europe my-project"),
            (
                "europe-west1-docker.pkg.dev/my-project/images/swiss",
                "images europe-west1 my-project",
            ),
            (
                "gcr.io/example.com/my-project/swiss",
                "gcr.io us example.com:my-project",
            ),
            (
                "us-docker.pkg.dev/example.com/my-project/images/swiss",
                "images us example.com:my-project",
            ),
        ] {
            let [repository, location, project] = expected.split(' ').collect::<Vec<_>>()[..]
            else {
                panic!()
            };
            let expected = format!(
                "gcloud artifacts repositories create {repository} --repository-format=docker --location={location} --project={project}"
            );
            assert_eq!(image(name).creation_command(), Some(expected));
        }
        assert_eq!(image("ghcr.io/me/swiss").creation_command(), None);
    }

    #[test]
    fn each_registry_has_a_login_command() {
        for (name, expected) in [
            (
                "gcr.io/my-project/swiss",
                "gcloud auth login && gcloud auth configure-docker",
            ),
            (
                "us-docker.pkg.dev/my-project/images/swiss",
                "gcloud auth login && gcloud auth configure-docker us-docker.pkg.dev",
            ),
            ("ghcr.io/me/swiss", "docker login ghcr.io"),
        ] {
            assert_eq!(image(name).login_command(), expected);
        }
    }
}
