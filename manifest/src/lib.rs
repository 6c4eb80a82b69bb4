//! Reads `spin.toml`, Spin's application manifest, version 2. An unknown key is an
//! error that names the key, so that no feature of Spin is silently missing.

#![forbid(unsafe_code)]

mod locked;
mod route;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde::de::{DeserializeOwned, Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};
use toml::{Spanned, Table};

pub use route::Route;

/// The parts of a manifest that this tool needs.
#[derive(Debug)]
pub struct Manifest {
    /// The application as a whole.
    pub application: Application,
    /// The HTTP triggers in the manifest's order; at least one.
    pub triggers: Vec<Trigger>,
    /// The component files by component id.
    pub components: BTreeMap<String, PathBuf>,
}

/// The manifest's table `[application]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The application's name.
    pub name: String,
    /// The version. Spin does not specify its format.
    pub version: Option<String>,
    /// A description of one line.
    pub description: Option<String>,
    #[serde(rename = "authors")]
    _authors: Option<IgnoredAny>,
}

/// An HTTP trigger: sends the requests of a route to a component.
#[derive(Debug)]
pub struct Trigger {
    /// The paths, by Spin's rules.
    pub route: Route,
    /// A key of [`Manifest::components`].
    pub component: String,
}

impl Application {
    /// The application of a manifest that may use every feature of Spin and have any
    /// version. `None` if Spin does not read that manifest either.
    pub fn of_any(path: &Path) -> Option<Self> {
        let manifest: Table = fs::read_to_string(path).ok()?.parse().ok()?;
        // In version 1 the keys stand outside of a table.
        let table = match manifest.get("application") {
            Some(application) => application.as_table()?,
            None => &manifest,
        };
        let text = |key: &str| table.get(key)?.as_str().map(str::to_owned);
        Some(Self {
            name: text("name")?,
            version: text("version"),
            description: text("description"),
            _authors: None,
        })
    }
}

// The manifest's text, field by field. A field that is not listed here is an
// error. `IgnoredAny` marks fields that do not concern a host.

#[derive(Deserialize)]
struct Version {
    spin_manifest_version: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "spin_manifest_version")]
    _spin_manifest_version: IgnoredAny,
    application: Application,
    trigger: Triggers,
    #[serde(default)]
    component: BTreeMap<String, ComponentTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    http: Spanned<Vec<HttpTrigger>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTrigger {
    route: Spanned<String>,
    component: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentTable {
    source: Spanned<PathBuf>,
    #[serde(rename = "description")]
    _description: Option<IgnoredAny>,
    #[serde(
        default,
        rename = "allowed_outbound_hosts",
        deserialize_with = "no_hosts"
    )]
    _allowed_outbound_hosts: (),
    build: Option<Build>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    command: Commands,
    #[serde(rename = "workdir")]
    _workdir: Option<IgnoredAny>,
    #[serde(rename = "watch")]
    _watch: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Commands {
    One(String),
    Several(Vec<String>),
}

fn no_hosts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    let hosts = Vec::<String>::deserialize(deserializer)?;
    if hosts.is_empty() {
        return Ok(());
    }
    Err(D::Error::custom(
        "outbound requests are not supported by this tool, only by Spin",
    ))
}

impl Manifest {
    /// Reads the manifest in the file `path`. Sources in it are relative to its
    /// folder, as in Spin.
    ///
    /// # Errors
    /// When the manifest cannot be read, is not valid, uses a feature that this
    /// tool does not support, or names a component file that does not exist. The
    /// error is one line with file, line and key.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the manifest {}", path.display()))?;
        let at = |span: Range<usize>| Position::new(path, &text, span.start);
        let invalid = |(span, problem): Problem| anyhow!("{}: {problem}", at(span));
        // The version comes first, because other versions have other keys.
        let version = parse::<Version>(&text).map_err(invalid)?;
        if *version.spin_manifest_version.get_ref() != 2 {
            bail!(
                "{}: spin_manifest_version: this tool reads version 2 only",
                at(version.spin_manifest_version.span())
            );
        }
        let document = parse::<Document>(&text).map_err(invalid)?;
        let mut components = BTreeMap::new();
        for (id, component) in document.component {
            let source = path.with_file_name("").join(component.source.get_ref());
            if !source.is_file() {
                let build = component
                    .build
                    .map_or_else(String::new, |build| format!(": run `{}`", build.command));
                bail!(
                    "{}: component.{id}.source: there is no file {}{build}",
                    at(component.source.span()),
                    source.display()
                );
            }
            components.insert(id, source);
        }
        let mut triggers: Vec<Trigger> = Vec::new();
        if document.trigger.http.get_ref().is_empty() {
            bail!(
                "{}: trigger.http: there is no trigger",
                at(document.trigger.http.span())
            );
        }
        for trigger in document.trigger.http.into_inner() {
            let component = trigger.component.get_ref();
            let route: Route = trigger.route.get_ref().parse().map_err(|reason| {
                let (at, route) = (at(trigger.route.span()), trigger.route.get_ref());
                anyhow!("{at}: trigger.http.route: {route} is not a valid route: {reason}")
            })?;
            if !components.contains_key(component) {
                bail!(
                    "{}: trigger.http.component: there is no [component.{component}]",
                    at(trigger.component.span())
                );
            }
            if triggers.iter().any(|other| other.route == route) {
                bail!(
                    "{}: trigger.http.route: {} already has a trigger",
                    at(trigger.route.span()),
                    trigger.route.get_ref()
                );
            }
            triggers.push(Trigger {
                route,
                component: trigger.component.into_inner(),
            });
        }
        Ok(Self {
            application: document.application,
            triggers,
            components,
        })
    }
}

/// The position of an error in a manifest's text, in bytes, and its reason.
type Problem = (Range<usize>, String);

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let deserializer = toml::Deserializer::parse(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        let line = text.get(..span.start).unwrap_or(text).matches('\n').count();
        let line = text.lines().nth(line).unwrap_or_default().trim();
        (span, format!("{}: {line}", error.message()))
    })?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        // toml's internal name for a `Spanned` value is not a key.
        let key = error.path().to_string();
        let key = key.replace(".$__serde_spanned_private_value", "");
        let error = error.into_inner();
        let reason = match error.message() {
            // serde appends the list of known fields.
            message if message.starts_with("unknown field") => {
                format!("not a key that this tool supports: {message}")
            }
            message if message.starts_with("invalid type: map") => {
                format!("not a table that this tool supports: {message}")
            }
            message => message.to_owned(),
        };
        // The path of a key outside all tables.
        let problem = match key.as_str() {
            "." => reason,
            key => format!("{key}: {reason}"),
        };
        (error.span().unwrap_or_default(), problem)
    })
}

/// A place in a file, as compilers print it: `spin.toml:3:1`.
struct Position<'a> {
    path: &'a Path,
    line: usize,
    column: usize,
}

impl<'a> Position<'a> {
    fn new(path: &'a Path, text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let (_, line) = before.rsplit_once('\n').unwrap_or(("", before));
        Self {
            path,
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
        }
    }
}

impl fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

impl fmt::Display for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(command) => f.write_str(command),
            Self::Several(commands) => f.write_str(&commands.join(" && ")),
        }
    }
}
