//! The node images of README's table: a node with the folders of each, and with a
//! configuration like its own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Containerd, Layout, Node, containerds, images, printed};

struct Image {
    /// The component in `runtime-class/nodes` that README names for it.
    component: &'static str,
    /// Folders that the installer does not make.
    folders: &'static [&'static str],
    /// Files with their content.
    files: &'static [(&'static str, &'static str)],
    config: fn(&Containerd) -> String,
}

#[test]
fn gke_container_optimized_os() {
    let image = Image {
        component: "gke",
        folders: &["home/kubernetes/bin"],
        files: &[
            ("etc/containerd/hosts.d/docker.io/hosts.toml", ""),
            ("home/containerd/cni.template", "{}"),
        ],
        config: images::gke_container_optimized_os,
    };
    containerds()
        .iter()
        .for_each(|each| image.is_supported(each));
}

#[test]
fn gke_ubuntu() {
    let image = Image {
        component: "gke",
        folders: &["home/kubernetes/bin", "usr/local/lib"],
        files: &[("home/containerd/cni.template", "{}")],
        config: images::gke_ubuntu,
    };
    containerds()
        .iter()
        .for_each(|each| image.is_supported(each));
}

#[test]
fn kubeadm_with_the_defaults_of_containerd() {
    let image = Image {
        component: "usr-local",
        folders: &["usr/local/lib"],
        files: &[],
        config: images::kubeadm,
    };
    containerds()
        .iter()
        .for_each(|each| image.is_supported(each));
}

/// containerd 1.x has the handler runc by default, and only while the file names none.
#[test]
fn the_file_of_debians_package_is_refused_with_containerd_1() {
    let image = Image {
        component: "usr-local",
        folders: &["usr/local/lib"],
        files: &[],
        config: images::debian,
    };
    for containerd in containerds() {
        if containerd.version >= (2, 0, 0) {
            image.is_supported(&containerd);
            continue;
        }
        let node = image.start(&containerd);
        let before = files(&node);
        for verb in ["plan", "install"] {
            let output = run(&node, verb);
            let error = printed(&output);
            assert!(!output.status.success(), "{error}");
            for text in ["would lose its handler runc", "`containerd config default`"] {
                assert!(error.contains(text), "{text} is not in: {error}");
            }
        }
        assert_eq!(files(&node), before);
        assert_eq!(node.restarts(), 0);
    }
}

#[test]
fn eks_amazon_linux_2023() {
    let image = Image {
        component: "usr-local",
        folders: &["usr/local/lib"],
        files: &[(
            "etc/containerd/base-runtime-spec.json",
            r#"{"ociVersion": "1.1.0"}"#,
        )],
        config: images::eks,
    };
    containerds()
        .iter()
        .for_each(|each| image.is_supported(each));
}

#[test]
fn aks() {
    let image = Image {
        component: "usr-local",
        folders: &["usr/local/lib", "etc/containerd/certs.d"],
        files: &[("etc/containerd/kubenet_template.conf", "{}")],
        config: images::aks,
    };
    containerds()
        .iter()
        .for_each(|each| image.is_supported(each));
}

/// Neither has a unit `containerd` nor a file in /etc/containerd.
#[test]
fn k3s_and_rke2_are_refused_with_their_own_way() {
    for (name, unit) in [("k3s", "k3s"), ("rke2", "rke2-server")] {
        let path = format!("var/lib/rancher/{name}/agent/etc/containerd/config.toml");
        let mut node = Node::prepare(&containerds().pop().unwrap(), |_| String::new());
        fs::remove_file(node.path("units/containerd.service")).unwrap();
        let program = node.path(&format!("usr/local/bin/{name}"));
        let start = format!("[Service]\nExecStart={} server\n", program.display());
        node.systemd.write_unit(&format!("{unit}.service"), &start);
        write(&node.path(&path), &images::k3s(name));
        write(
            &program,
            &format!("#!/bin/sh\necho '{name} version v1.33.1+{name}1'\n"),
        );
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        node.systemd.start();

        let sentence = format!("{name} writes /{path} at each start, so an edit would be lost");
        for variables in ["", &format!("UNIT={unit} CONTAINERD_CONFIG=/{path}")] {
            for verb in ["plan", "install"] {
                let error = run_with_root(&node, verb, variables);
                assert!(error.contains(&sentence), "{variables} {verb}: {error}");
                assert_eq!(
                    fs::read_to_string(node.path(&path)).unwrap(),
                    images::k3s(name)
                );
                assert!(!node.shim().exists());
            }
        }
    }
}

impl Image {
    fn is_supported(&self, containerd: &Containerd) {
        let what = format!("containerd {:?}", containerd.version);
        let node = self.start(containerd);
        let (before, shim) = (files(&node), node.shim().display().to_string());

        let plan = must(&node, "plan", &what);
        assert!(plan.contains(&format!("place {shim}")), "{what}: {plan}");
        assert!(plan.contains("runtimes.spin]"), "{what}: {plan}");
        assert_eq!(files(&node), before, "{what}: after plan");

        must(&node, "install", &what);
        must(&node, "verify", &what);
        assert!(has_handler(&node), "{what}");
        let [installed, source] =
            [node.shim(), node.path("shim")].map(|path| fs::read(path).unwrap());
        assert_eq!(installed, source, "{what}");
        let dump = containerd.dump(&node.config()).unwrap();
        assert_eq!(dump.runtime_type("spin"), Some(&*shim), "{what}");
        let [driver, driver_of_runc] =
            ["spin", "runc"].map(|handler| dump.systemd_cgroup(handler).unwrap_or_default());
        assert_eq!(driver, driver_of_runc, "{what}");
        assert_eq!(node.restarts(), 1, "{what}");

        let installed = files(&node);
        must(&node, "install", &what);
        assert_eq!(files(&node), installed, "{what}: after the second install");
        assert_eq!(node.restarts(), 1, "{what}: after the second install");

        must(&node, "uninstall", &what);
        assert_eq!(files(&node), before, "{what}: after uninstall");
        assert!(!has_handler(&node), "{what}: after uninstall");
        assert_eq!(node.restarts(), 2, "{what}: after uninstall");
    }

    fn start(&self, containerd: &Containerd) -> Node {
        let layout = Layout {
            config: "etc/containerd/config.toml",
            socket: "run/containerd/containerd.sock",
            network: "etc/cni/net.d",
            shim: shim_of(self.component).trim_start_matches('/').to_owned(),
        };
        let mut node = Node::prepare_with(layout, containerd, |folder| {
            images::below(folder, &(self.config)(containerd))
        });
        for folder in self.folders {
            fs::create_dir_all(node.path(folder)).unwrap();
        }
        for (file, content) in self.files {
            write(&node.path(file), content);
        }
        node.restart();
        node
    }
}

/// SHIM, as the component sets it.
fn shim_of(component: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let file = folder.join(format!("nodes/{component}/kustomization.yaml"));
    let text = fs::read_to_string(file).unwrap();
    let (_, value) = text.split_once("- name: SHIM\n").unwrap();
    let value = value.lines().next().unwrap().trim();
    value.strip_prefix("value: ").unwrap().to_owned()
}

fn write(file: &Path, content: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
}

/// Runs the installer with another path of the same root, as in its container.
fn run(node: &Node, verb: &str) -> Output {
    let mut installer = node.installer(verb);
    installer.env("HOST_ROOT", "/proc/self/root");
    installer.output().unwrap()
}

fn must(node: &Node, verb: &str, what: &str) -> String {
    let output = run(node, verb);
    let printed = printed(&output);
    assert!(output.status.success(), "{what}: {verb}: {printed}");
    printed
}

fn has_handler(node: &Node) -> bool {
    let handlers = node.status().unwrap().handlers;
    handlers.contains(&"spin".to_owned())
}

/// The folders, files and links of the image, with modes, and with bytes or targets.
fn files(node: &Node) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut files = BTreeMap::new();
    let mut left: Vec<_> = ["etc", "home", "opt", "usr"]
        .map(|name| node.path(name))
        .into();
    while let Some(path) = left.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        let content = if metadata.is_dir() {
            left.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            Vec::new()
        } else if metadata.is_symlink() {
            fs::read_link(&path)
                .unwrap()
                .into_os_string()
                .into_encoded_bytes()
        } else {
            fs::read(&path).unwrap()
        };
        files.insert(path, (metadata.mode(), content));
    }
    files
}

/// Runs the installer, which must fail, with the node's folder as the node's root. The
/// programs of the machine are there, too.
fn run_with_root(node: &Node, verb: &str, variables: &str) -> String {
    let script = "set -e\nfor path in /bin /lib /lib64 /proc /usr/bin /usr/lib $SYSTEMD $HOST_ROOT; do\n\
                  [ ! -e $path ] || { mkdir -p $HOST_ROOT$path; mount --bind $path $HOST_ROOT$path; }\ndone\n\
                  exec env $VARIABLES $INSTALLER $VERB";
    let installer = node.installer(verb);
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]);
    for (name, value) in ["SHIM_SOURCE", "SYSTEMCTL", "SYSTEMD_RUN"]
        .iter()
        .filter_map(|wanted| installer.get_envs().find(|(name, _)| name == wanted))
    {
        command.env(name, value.unwrap());
    }
    let command = command
        .env("INSTALLER", installer.get_program())
        .env("HOST_ROOT", node.folder.path())
        .env("VERB", verb)
        .env("VARIABLES", variables);
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}", printed(&output));
    printed(&output)
}
