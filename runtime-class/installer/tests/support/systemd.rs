//! The real systemd as the node's init. It runs as a manager of user units, which needs no
//! boot, in a mount namespace in which it finds that the machine was booted with systemd.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub struct Systemd {
    folder: PathBuf,
    process: Option<Child>,
}

/// The folder of the unpacked packages. `make test-installer` sets it.
fn packages() -> String {
    std::env::var("SYSTEMD").expect("SYSTEMD is not set: run `make test-installer`")
}

impl Systemd {
    /// Writes `systemctl` and `systemd-run` to the node's folder. They call this systemd
    /// with any environment, as the node's do.
    pub fn prepare(folder: &Path) -> Self {
        for folder in ["units", "run"].map(|name| folder.join(name)) {
            fs::create_dir_all(folder).unwrap();
        }
        let systemd = Self {
            folder: folder.to_owned(),
            process: None,
        };
        for program in ["bin/systemctl", "usr/bin/systemd-run"] {
            let text = format!(
                "#!/bin/sh\n{}exec {}/{program} --user \"$@\"\n",
                systemd.environment(),
                packages(),
            );
            let path = folder.join(Path::new(program).file_name().unwrap());
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        systemd
    }

    pub fn write_unit(&self, name: &str, text: &str) {
        fs::write(self.folder.join("units").join(name), text).unwrap();
    }

    fn environment(&self) -> String {
        let (folder, packages) = (self.folder.display(), packages());
        let libraries = ["lib", "usr/lib"]
            .map(|lib| format!("{packages}/{lib}/x86_64-linux-gnu"))
            .join(":");
        format!(
            "export XDG_RUNTIME_DIR={folder}/run SYSTEMD_LOG_TARGET=console \
             LD_LIBRARY_PATH={libraries}:{packages}/usr/lib/x86_64-linux-gnu/systemd \
             SYSTEMD_UNIT_PATH={folder}/units:{packages}/usr/lib/systemd/user\n"
        )
    }

    /// Starts it, and waits until it answers. Its control group is its own, so that it
    /// does not take the processes of another node for its own.
    pub fn start(&mut self) {
        // Not every hierarchy of control groups takes a process at once.
        let script = format!(
            "for parent in {HIERARCHIES}; do\n\
             [ -w $parent/cgroup.procs ] && mkdir $parent/{group} && echo $$ >$parent/{group}/cgroup.procs\ndone 2>/dev/null\n\
             set -e\nmkdir -p /run/systemd\nmount -t tmpfs none /run/systemd\nmkdir /run/systemd/system\n{}\
             exec {}/lib/systemd/systemd --user\n",
            self.environment(),
            packages(),
            group = self.group(),
        );
        let log = fs::File::create(self.folder.join("systemd.log")).unwrap();
        let process = Command::new("unshare")
            .args(["--mount", "sh", "-c", &script])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.process = Some(process.unwrap());
        let end = Instant::now() + Duration::from_secs(20);
        while !self
            .systemctl(&["show", "--property=Version"])
            .status
            .success()
        {
            let log = fs::read_to_string(self.folder.join("systemd.log")).unwrap();
            assert!(Instant::now() < end, "systemd does not answer: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub const fn is_running(&self) -> bool {
        self.process.is_some()
    }

    fn group(&self) -> String {
        format!("swiss-{}", self.folder.file_name().unwrap().display())
    }

    pub fn systemctl(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.folder.join("systemctl"));
        command.args(arguments).output().unwrap()
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Systemd {
    /// Ends it and everything that it started, as a power failure does.
    pub fn stop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let _ = process.kill();
        let _ = process.wait();
        // The units' processes are in its control groups, also those that it left behind.
        let script = format!(
            "for parent in {HIERARCHIES}; do find $parent/{}/ -depth -type d | while read -r group; do\n\
             until rmdir $group; do kill -9 $(cat $group/cgroup.procs); done\ndone; done 2>/dev/null",
            self.group()
        );
        let _ = Command::new("sh").args(["-c", &script]).status();
    }
}

/// Of version 1 and version 2.
const HIERARCHIES: &str = "/sys/fs/cgroup /sys/fs/cgroup/*";
