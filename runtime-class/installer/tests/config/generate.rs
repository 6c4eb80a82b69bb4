//! Configurations as GKE and people write them, in every notation that TOML has
//! for a table. A tree of settings and a tape of choices determine each.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::writer::Writer;

pub const VERSIONS: [Option<u8>; 5] = [None, Some(1), Some(2), Some(3), Some(4)];

#[derive(Clone, Debug)]
pub struct Generated {
    pub text: String,
    pub version: Option<u8>,
}

/// The path of the table of runtimes in this version, below `plugins`.
pub fn runtimes_of(version: Option<u8>) -> [&'static str; 3] {
    let plugin = match version {
        None | Some(1) => "cri",
        Some(2) => "io.containerd.grpc.v1.cri",
        _ => "io.containerd.cri.v1.runtime",
    };
    [plugin, "containerd", "runtimes"]
}

pub fn configs() -> impl Strategy<Value = Generated> {
    let version = prop::sample::select(&VERSIONS[..]);
    let settings = prop::collection::vec(any::<bool>(), 16);
    let tape = prop::collection::vec(any::<u8>(), 64);
    (version, settings, tape).prop_map(|(version, settings, tape)| Generated {
        text: Writer::new(tape).write(version, &tree(version, &settings)),
        version,
    })
}

/// The settings of a node that `present` selects.
fn tree(version: Option<u8>, present: &[bool]) -> Map<String, Value> {
    let [cri, ..] = runtimes_of(version);
    let images = "io.containerd.cri.v1.images";
    let all: [(&[&str], Value); 16] = [
        (&["root"], json!("/var/lib/containerd")),
        (&["imports"], json!(["/etc/containerd/conf.d/*.toml"])),
        (&["debug", "level"], json!("info")),
        (
            &["plugins", cri, "sandbox_image"],
            json!("gke.gcr.io/pause:3.8"),
        ),
        (&["plugins", cri, "stream_server_port"], json!("0")),
        (
            &["plugins", cri, "cni", "bin_dir"],
            json!("/home/kubernetes/bin"),
        ),
        (
            &["plugins", cri, "containerd", "snapshotter"],
            json!("gcfs"),
        ),
        (
            &["plugins", cri, "containerd", "discard_unpacked_layers"],
            json!(true),
        ),
        (
            &[
                "plugins",
                cri,
                "containerd",
                "runtimes",
                "runc",
                "runtime_type",
            ],
            json!("io.containerd.runc.v2"),
        ),
        (
            &[
                "plugins",
                cri,
                "containerd",
                "runtimes",
                "runc",
                "options",
                "SystemdCgroup",
            ],
            json!(true),
        ),
        (
            &[
                "plugins",
                cri,
                "containerd",
                "runtimes",
                "gvisor",
                "runtime_type",
            ],
            json!("io.containerd.runsc.v1"),
        ),
        (
            &[
                "plugins",
                cri,
                "registry",
                "mirrors",
                "docker.io",
                "endpoint",
            ],
            json!(["https://mirror.gcr.io"]),
        ),
        (&["plugins", images, "max_concurrent_downloads"], json!(3)),
        (
            &["plugins", images, "registry", "config_path"],
            json!("/etc/containerd/certs.d"),
        ),
        (&["plugins", images, "use_local_image_pull"], json!(false)),
        (
            &["proxy_plugins", "gcfs", "address"],
            json!("/run/gcfs \" # [x]"),
        ),
    ];
    let mut tree = Map::new();
    for ((path, value), _) in all
        .into_iter()
        .zip(present)
        .filter(|(_, present)| **present)
    {
        let (key, tables) = path.split_last().unwrap();
        let mut table = &mut tree;
        for name in tables {
            let inner = table.entry(*name).or_insert_with(|| json!({}));
            table = inner.as_object_mut().unwrap();
        }
        table.insert((*key).to_owned(), value);
    }
    tree
}
