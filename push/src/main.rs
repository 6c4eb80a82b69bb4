//! `make push`: packages the component as an OCI artifact and pushes it.

#![forbid(unsafe_code)]

mod artifact;
mod certificates;
mod component;
mod credentials;
mod endpoint;
mod helper;
mod image;
mod layout;
mod login;
mod refusal;
mod registry;
mod source;
mod spin;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use artifact::{Annotations, Artifact};
use clap::{Parser, ValueEnum};
use image::Image;
use oci_client::annotations as key;
use registry::Registry;
use source::Source;
use swiss_manifest::{Application, Manifest};

/// Packages the component as an OCI artifact and pushes it to a registry
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where to push, as REGISTRY/REPOSITORY:TAG; the default tag is the application's version
    #[arg(value_name = "IMAGE", required_unless_present = "layout")]
    image: Option<String>,

    /// The kind of artifact
    #[arg(long, value_name = "FORMAT", default_value_t = Format::Component)]
    format: Format,

    /// Replace the tag if it has other content
    #[arg(long)]
    force: bool,

    /// Also write an OCI image layout into this new folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "spin")]
    layout: Option<PathBuf>,

    /// With `--format spin`, push with this Spin program
    #[arg(long, value_name = "PROGRAM")]
    spin: Option<PathBuf>,

    /// The application's manifest
    #[arg(long, value_name = "FILE", default_value = "spin.toml")]
    from: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// One application/wasm layer, for the shim 0.23 or newer
    Component,
    /// What `spin registry push` writes
    Spin,
}

impl fmt::Display for Format {
    /// This is also the value of the chart's `image.packaging`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Component => "component",
            Self::Spin => "spin",
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<()> {
    match (&args.image, &args.spin, args.format) {
        (Some(image), Some(program), Format::Spin) => push_with_spin(args, image, program).await,
        _ => push(args).await,
    }
}

/// Has Spin push the application, which may use what this tool does not know.
async fn push_with_spin(args: &Args, image: &str, program: &Path) -> Result<()> {
    let application = Application::of_any(&args.from);
    let image = Image::parse(image, default_tag(application.as_ref()))?;
    let annotations = annotations(application.as_ref(), &args.from)?;
    let registry = Registry::connect(&image).await?;
    // Spin may have a login of its own, so nothing is read that need not be.
    if !args.force
        && let Some(tagged) = registry.tag_digest().await?
    {
        return Err(has_other_content(&image, &tagged));
    }
    let digest = spin::push(
        program,
        &args.from,
        &image,
        &annotations,
        registry.is_plain(),
    )?;
    println!("Pushed {image}");
    print_install_command(&image, &digest, args.format);
    Ok(())
}

async fn push(args: &Args) -> Result<()> {
    let manifest = Manifest::read(&args.from)?;
    let application = Some(&manifest.application);
    let image = args.image.as_deref();
    let image = image.map(|name| Image::parse(name, default_tag(application)));
    let image = image.transpose()?;
    let annotations = annotations(application, &args.from)?;
    let artifact = package(&manifest, args.format, annotations)
        .with_context(|| format!("cannot package {}", args.from.display()))?;
    if let Some(folder) = &args.layout {
        layout::write(folder, &artifact)?;
    }
    println!("{artifact}");
    let Some(image) = &image else { return Ok(()) };
    let digest = artifact.manifest.digest();
    let registry = Registry::connect(image).await?;
    match registry.tag_digest().await? {
        // Another push could be refused, where tags are immutable.
        Some(tagged) if tagged == digest => println!("{image} is there already"),
        Some(tagged) if !args.force => return Err(has_other_content(image, &tagged)),
        _ => {
            registry.push(&artifact).await?;
            println!("Pushed {image}");
        }
    }
    print_install_command(image, &digest, args.format);
    Ok(())
}

fn default_tag(application: Option<&Application>) -> &str {
    let version = application.and_then(|application| application.version.as_deref());
    version.unwrap_or("latest")
}

/// The error for a tag that others may have deployed.
fn has_other_content(image: &Image, tagged: &str) -> anyhow::Error {
    anyhow!(
        "{image} is there already, with the digest {tagged}: take another tag, or replace it with FORCE=1"
    )
}

fn print_install_command(image: &Image, digest: &str, format: Format) {
    let repository = image.repository();
    println!("{repository}@{digest}");
    println!();
    println!("Install it with");
    println!("  helm install k8s ./chart \\");
    println!("    --set image.repository={repository} \\");
    println!("    --set image.digest={digest} \\");
    println!("    --set image.packaging={format}");
}

/// Packages the application of a manifest as an artifact.
fn package(manifest: &Manifest, format: Format, annotations: Annotations) -> Result<Artifact> {
    let mut components = manifest.components.iter();
    let (Some((id, file)), None) = (components.next(), components.next()) else {
        bail!("there is more than one component: use Spin, with `spin registry push`");
    };
    let wasm = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    match format {
        Format::Component => component::artifact(manifest, wasm, annotations),
        Format::Spin => spin::artifact(manifest, id, wasm, annotations),
    }
}

/// OCI's predefined annotations, as far as their values are known.
fn annotations(application: Option<&Application>, from: &Path) -> Result<Annotations> {
    let folder = from.parent().filter(|folder| *folder != Path::new(""));
    let source = Source::of(folder.unwrap_or(Path::new(".")))?;
    let of_application =
        |value: fn(&Application) -> Option<&String>| application.and_then(value).cloned();
    let known = [
        (key::ORG_OPENCONTAINERS_IMAGE_CREATED, Some(source.created)),
        (
            key::ORG_OPENCONTAINERS_IMAGE_TITLE,
            of_application(|it| Some(&it.name)),
        ),
        (
            key::ORG_OPENCONTAINERS_IMAGE_VERSION,
            of_application(|it| it.version.as_ref()),
        ),
        (
            key::ORG_OPENCONTAINERS_IMAGE_DESCRIPTION,
            of_application(|it| it.description.as_ref()),
        ),
        (key::ORG_OPENCONTAINERS_IMAGE_SOURCE, source.url),
        (key::ORG_OPENCONTAINERS_IMAGE_REVISION, source.revision),
        (key::ORG_OPENCONTAINERS_IMAGE_LICENSES, source.licence),
    ];
    Ok(known
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect())
}
