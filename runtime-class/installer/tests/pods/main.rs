//! Pods on an installed node, with runc and with the new handler. The shim is
//! containerd's shim for runc under another name: the tests check that containerd
//! starts the shim at the handler's path, not what the shim does.

// With this, clippy lets helpers panic, too: see clippy.toml.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod cri;
mod sequences;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cri::Cri;
use support::{Containerd, Node, Watch, containerds};
use swiss_node_installer::cri::Status;

const IMAGE: &str = "docker.io/library/busybox:test";

/// For a machine without systemd, on which containers may not lower their OOM score.
/// runc has no options here, because the installer would copy `SystemdCgroup` to the
/// handler, and this shim does not accept it under another name.
fn config(folder: &Path) -> String {
    let folder = folder.display();
    let cri = "plugins.\"io.containerd.grpc.v1.cri\"";
    format!(
        "version = 2\nroot = \"{folder}/root\"\nstate = \"{folder}/state\"\n\
         [grpc]\n  address = \"{folder}/containerd.sock\"\n\
         [{cri}]\n  sandbox_image = \"{IMAGE}\"\n  restrict_oom_score_adj = true\n\
         [{cri}.cni]\n  conf_dir = \"{folder}/cni\"\n\
         [{cri}.containerd]\n  snapshotter = \"native\"\n\
         [{cri}.containerd.runtimes.runc]\n  runtime_type = \"io.containerd.runc.v2\"\n"
    )
}

fn variable(name: &str) -> PathBuf {
    std::env::var_os(name)
        .unwrap_or_else(|| panic!("{name} is not set: run `make test-installer-nodes`"))
        .into()
}

/// Imports an image of busybox in the format of `docker save`.
fn import_image(node: &Node) {
    let script = format!(
        "mkdir image && cd image && mkdir bin && cp {busybox} bin/busybox && tar -cf layer.tar bin && \
         echo '{{\"architecture\": \"amd64\", \"os\": \"linux\", \"config\": {{\"Entrypoint\": [\"/bin/busybox\", \"sleep\", \"100000\"]}}, \
         \"rootfs\": {{\"type\": \"layers\", \"diff_ids\": [\"sha256:'$(sha256sum layer.tar | cut -d ' ' -f 1)'\"]}}}}' >config.json && \
         echo '[{{\"Config\": \"config.json\", \"RepoTags\": [\"{IMAGE}\"], \"Layers\": [\"layer.tar\"]}}]' >manifest.json && \
         tar -cf ../image.tar manifest.json config.json layer.tar && cd .. && \
         {ctr} --address $PWD/containerd.sock --namespace k8s.io images import --local --snapshotter native image.tar",
        busybox = variable("BUSYBOX").display(),
        ctr = node.containerd.binary.with_file_name("ctr").display(),
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(node.folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", support::printed(&output));
}

/// The number of processes that run this program.
fn running(program: &Path) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| fs::read_link(process.path().join("exe")).is_ok_and(|exe| exe == program))
        .count()
}

/// A node that runs the image by runc's shim under the name of the handler's shim.
fn node(containerd: &Containerd) -> Node {
    let node = Node::start(containerd, config);
    let shim = containerd.binary.with_file_name("containerd-shim-runc-v2");
    node.write_shim_source(&fs::read(shim).unwrap());
    import_image(&node);
    node
}

fn pods_run(containerd: &Containerd) {
    let node = node(containerd);
    let mut cri = Cri::connect(&node.path("containerd.sock"));
    let plain = cri.run_pod("", IMAGE);

    node.must("install");
    let mut cri = Cri::connect(&node.path("containerd.sock"));
    assert_eq!(running(&node.shim()), 0);
    let by_handler = cri.run_pod("spin", IMAGE);
    assert_eq!(running(&node.shim()), 1, "the handler's shim runs the pod");

    // A running shim is replaced, and continues to run.
    let mut other = fs::read(node.path("shim")).unwrap();
    other.push(0);
    node.write_shim_source(&other);
    node.must("install");
    assert_eq!(fs::read(node.shim()).unwrap(), other);
    assert_eq!(node.restarts(), 1);

    cri.remove_pod(&by_handler);
    cri.remove_pod(&plain);
    node.must("uninstall");
}

/// Another process has rewritten the configuration and restarted containerd, while a pod
/// of the handler runs.
fn a_running_pod_postpones(containerd: &Containerd) {
    let mut node = node(containerd);
    let original = node.read_config();
    node.must("install");
    let mut cri = Cri::connect(&node.path("containerd.sock"));
    let pod = cri.run_pod("spin", IMAGE);

    let refusal = node.must_fail("uninstall");
    assert!(
        refusal.contains("pods of the handler spin run on this node (1)"),
        "{refusal}"
    );
    assert!(node.shim().exists());

    fs::write(node.config(), &original).unwrap();
    node.restart();
    let refusal = node.must_fail("install");
    assert!(
        refusal.contains("the running pods of the handler spin (1)"),
        "{refusal}"
    );
    assert_eq!(node.restarts(), 0);
    assert_eq!(node.read_config(), original);

    let mut watch = Watch::start(&node);
    Cri::connect(&node.path("containerd.sock")).remove_pod(&pod);
    watch.wait_until(|| {
        let has_handler = |status: Status| status.handlers.contains(&"spin".to_owned());
        node.status().is_ok_and(has_handler) && !node.is_rollback_armed()
    });
    watch.stop();

    let pod = Cri::connect(&node.path("containerd.sock")).run_pod("spin", IMAGE);
    fs::write(node.config(), &original).unwrap();
    node.restart();
    // The three of the last minute are enough.
    fs::remove_file(node.shim().with_file_name("restarts")).unwrap();
    let mut installer = node.installer("install");
    let output = installer.arg("--restart-with-pods").output().unwrap();
    assert!(output.status.success(), "{}", support::printed(&output));
    assert_eq!(node.restarts(), 1);
    Cri::connect(&node.path("containerd.sock")).remove_pod(&pod);
    node.must("uninstall");
}

fn with_each_containerd(test: impl Fn(&Containerd)) {
    for containerd in containerds() {
        if containerd.version >= (1, 7, 0) {
            println!("containerd {:?}", containerd.version);
            test(&containerd);
        }
    }
}

#[test]
fn containerd_runs_pods_with_runc_and_with_the_handler() {
    with_each_containerd(pods_run);
}

#[test]
fn a_running_pod_of_the_handler_postpones_the_restart_and_the_removal() {
    with_each_containerd(a_running_pod_postpones);
}
