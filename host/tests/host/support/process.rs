//! The command in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::support::app::App;
use crate::support::client::DEADLINE;

pub struct Process {
    child: Child,
    pub stdout: Option<BufReader<ChildStdout>>,
    pub stderr: Option<BufReader<ChildStderr>>,
}

/// The exit code and the output of a process that has ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    /// Starts `swiss-host` in the application's folder, on a free port unless
    /// `arguments` name one.
    pub fn start(app: &App, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swiss-host"));
        command
            .args(arguments)
            .current_dir(app.folder())
            .env("XDG_CACHE_HOME", app.folder().join("cache"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (
            child.stdout.take().map(BufReader::new),
            child.stderr.take().map(BufReader::new),
        );
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// The next line of stdout, without its end.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next line of stderr, without its end.
    pub fn error_line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The address, from the first lines of stdout, which are those of `spin up`.
    pub fn address(&mut self) -> SocketAddr {
        assert_eq!(self.line(), "", "the first line");
        let serving = self.line();
        let address = serving.strip_prefix("Serving http://");
        assert!(
            address.is_some(),
            "expected `Serving http://...`, not `{serving}`"
        );
        address.unwrap().parse().unwrap()
    }

    /// Sends a signal by its name: `TERM`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success(), "expected `{kill}` to work");
    }

    /// Waits until the process ends by itself.
    pub fn end(mut self) -> Ended {
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || {
            let mut texts = [String::new(), String::new()];
            let [out, err] = &mut texts;
            let _ = stdout.map(|mut stdout| stdout.read_to_string(out));
            let _ = stderr.map(|mut stderr| stderr.read_to_string(err));
            let _ = sender.send(texts);
        });
        let texts = ended.recv_timeout(DEADLINE);
        assert!(
            texts.is_ok(),
            "expected the process to end within {DEADLINE:?}"
        );
        let [stdout, stderr] = texts.unwrap();
        Ended {
            code: self.child.wait().unwrap().code(),
            stdout,
            stderr,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
