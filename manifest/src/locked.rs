//! Applications as registries store them: a locked application, which
//! `spin registry push` makes from a `spin.toml`, or a single component.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{Application, Manifest, Route, Trigger, no_hosts};

// The JSON, field by field. A field that is not listed here is an error, as in
// `spin.toml`.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    spin_lock_version: u64,
    metadata: Metadata,
    triggers: Vec<LockedTrigger>,
    components: Vec<LockedComponent>,
}

/// Any other key is allowed. Spin's shim does not start without `triggers`.
#[derive(Deserialize)]
struct Metadata {
    name: String,
    version: Option<String>,
    description: Option<String>,
    #[serde(rename = "triggers")]
    _triggers: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LockedTrigger {
    id: String,
    trigger_type: String,
    trigger_config: TriggerConfig,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerConfig {
    component: String,
    route: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LockedComponent {
    id: String,
    #[serde(default, rename = "metadata")]
    _metadata: ComponentMetadata,
    source: Source,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentMetadata {
    #[serde(rename = "description")]
    _description: Option<IgnoredAny>,
    #[serde(
        default,
        rename = "allowed_outbound_hosts",
        deserialize_with = "no_hosts"
    )]
    _allowed_outbound_hosts: (),
    #[serde(rename = "build")]
    _build: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    #[serde(rename = "content_type")]
    _content_type: IgnoredAny,
    digest: String,
}

impl Manifest {
    /// Reads the locked application `json`, whose components are layers. `files`
    /// maps the digest of a layer, as `sha256:...`, to its file.
    ///
    /// # Errors
    /// When a key is not valid or not supported. The error is one line that names
    /// the key.
    pub fn from_locked(json: &[u8], files: &BTreeMap<String, PathBuf>) -> Result<Self> {
        let mut json = serde_json::Deserializer::from_slice(json);
        let document: Document = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| anyhow!("the locked application is not valid: {error}"))?;
        if document.spin_lock_version > 1 {
            bail!(
                "the locked application has version {}: this tool reads 0 and 1",
                document.spin_lock_version
            );
        }
        let mut components = BTreeMap::new();
        for LockedComponent { id, source, .. } in document.components {
            let Some(file) = files.get(&source.digest) else {
                bail!(
                    "the locked application's component {id}: there is no layer {}",
                    source.digest
                );
            };
            components.insert(id, file.clone());
        }
        let mut triggers: Vec<Trigger> = Vec::new();
        for trigger in document.triggers {
            let TriggerConfig { component, route } = trigger.trigger_config;
            let at = format!("the locked application's trigger {}", trigger.id);
            if trigger.trigger_type != "http" {
                bail!(
                    "{at} is of type {}: this tool supports only http",
                    trigger.trigger_type
                );
            }
            let route: Route = route
                .parse()
                .map_err(|reason| anyhow!("{at}: {route} is not a valid route: {reason}"))?;
            if !components.contains_key(&component) {
                bail!("{at}: there is no component {component}");
            }
            if triggers.iter().any(|other| other.route == route) {
                bail!("{at}: another trigger already has its route");
            }
            triggers.push(Trigger { route, component });
        }
        if triggers.is_empty() {
            bail!("the locked application has no trigger");
        }
        let Metadata {
            name,
            version,
            description,
            ..
        } = document.metadata;
        Ok(Self {
            application: Application {
                name,
                version,
                description,
                _authors: None,
            },
            triggers,
            components,
        })
    }

    /// The application with one component, `file`, which gets every request.
    #[must_use]
    pub fn from_component(id: &str, file: PathBuf) -> Self {
        Self {
            application: Application {
                name: id.to_owned(),
                version: None,
                description: None,
                _authors: None,
            },
            triggers: vec![Trigger {
                route: Route::any(),
                component: id.to_owned(),
            }],
            components: BTreeMap::from([(id.to_owned(), file)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Spin 3.6.3 pushed.
    const LOCKED: &str = r#"{"spin_lock_version":0,
        "metadata":{"name":"app","trigger":{"type":"http"},"triggers":{},"version":"0.1.0"},
        "triggers":[{"id":"app-http-trigger","trigger_type":"http",
            "trigger_config":{"component":"app","route":"/..."}}],
        "components":[{"id":"app","source":{"content_type":"application/wasm","digest":"sha256:01"}}]}"#;

    fn read(json: &str) -> Result<Manifest> {
        let files = BTreeMap::from([("sha256:01".to_owned(), PathBuf::from("/app.wasm"))]);
        Manifest::from_locked(json.as_bytes(), &files)
    }

    #[test]
    fn a_locked_application_has_its_triggers_and_the_files_of_its_digests() {
        let manifest = read(LOCKED).unwrap();
        let [trigger] = manifest.triggers.as_slice() else {
            panic!("expected one trigger: {:?}", manifest.triggers);
        };
        assert_eq!(trigger.route, "/...".parse().unwrap());
        assert_eq!(trigger.component, "app");
        assert_eq!(manifest.components["app"], PathBuf::from("/app.wasm"));
    }

    #[test]
    fn errors_in_a_locked_application_name_their_place() {
        let trigger = r#"{"id":"app-http-trigger","trigger_type":"http",
            "trigger_config":{"component":"app","route":"/..."}}"#;
        let invalid = "the locked application is not valid: ";
        let at = "the locked application's trigger app-http-trigger";
        for (text, other, expected) in [
            (
                "\"spin_lock_version\":0",
                "\"spin_lock_version\":2",
                "the locked application has version 2: this tool reads 0 and 1".to_owned(),
            ),
            (
                ",\"triggers\":{}",
                "",
                format!("{invalid}metadata: missing field `triggers`"),
            ),
            (
                "\"metadata\"",
                "\"variables\":{},\"metadata\"",
                format!("{invalid}variables: unknown field `variables`"),
            ),
            (
                "\"source\"",
                "\"files\":[],\"source\"",
                format!("{invalid}components[0].files: unknown field `files`"),
            ),
            (
                "\"source\"",
                "\"metadata\":{\"allowed_outbound_hosts\":[\"*\"]},\"source\"",
                format!(
                    "{invalid}components[0].metadata.allowed_outbound_hosts: outbound requests are not supported by this tool, only by Spin"
                ),
            ),
            (
                "\"trigger_type\":\"http\"",
                "\"trigger_type\":\"redis\"",
                format!("{at} is of type redis: this tool supports only http"),
            ),
            (
                "\"route\":\"/...\"",
                "\"route\":\"/a/:/b\"",
                format!("{at}: /a/:/b is not a valid route: params must be named"),
            ),
            (
                "\"component\":\"app\"",
                "\"component\":\"other\"",
                format!("{at}: there is no component other"),
            ),
            (
                trigger,
                &format!("{trigger},{trigger}"),
                format!("{at}: another trigger already has its route"),
            ),
            (
                "sha256:01",
                "sha256:02",
                "the locked application's component app: there is no layer sha256:02".to_owned(),
            ),
            (
                trigger,
                "",
                "the locked application has no trigger".to_owned(),
            ),
        ] {
            assert!(LOCKED.contains(text), "expected {text} in the application");
            let error = read(&LOCKED.replace(text, other)).unwrap_err().to_string();
            assert!(error.starts_with(&expected), "for {other}: {error}");
            assert_eq!(error.lines().count(), 1, "lines of: {error}");
        }
    }

    #[test]
    fn a_single_component_gets_every_request() {
        let manifest = Manifest::from_component("app", PathBuf::from("/app.wasm"));
        assert_eq!(manifest.triggers[0].route, "/...".parse().unwrap());
        assert_eq!(manifest.components["app"], PathBuf::from("/app.wasm"));
    }
}
