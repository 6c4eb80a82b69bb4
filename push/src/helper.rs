//! Docker's credential helpers: programs that keep the passwords of registries.

use std::io::{self, ErrorKind};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// Long enough for a person who has to unlock a keychain.
const TIMEOUT: Duration = Duration::from_secs(60);

/// More than any answer has, in bytes.
const LIMIT: u64 = 64 << 10;

/// What a helper prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer {
    #[serde(default)]
    pub username: String,
    #[serde(default)]
    pub secret: String,
}

/// Asks `docker-credential-NAME` for the credential of a server. `None` means that
/// the helper has none.
///
/// # Errors
/// When the helper cannot be run, fails, or does not answer in time. The error
/// has the program's name and nothing that it printed, which may be a secret.
pub async fn ask(name: &str, server: &str) -> Result<Option<Answer>> {
    let program = format!("docker-credential-{name}");
    get(&program, "get", server, TIMEOUT).await
}

async fn get(
    program: &str,
    argument: &str,
    server: &str,
    timeout: Duration,
) -> Result<Option<Answer>> {
    let output = tokio::time::timeout(timeout, run(program, argument, server))
        .await
        .map_err(|_| {
            anyhow!(
                "{program} did not answer within {} s",
                timeout.as_secs_f32()
            )
        })?
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => anyhow!("{program} is not on PATH"),
            _ => anyhow!("{program} cannot be run: {error}"),
        })?;
    if !output.status.success() {
        // Docker's own helpers print this for an unknown server.
        let printed = [output.stdout, output.stderr].concat();
        if String::from_utf8_lossy(&printed).contains("credentials not found") {
            return Ok(None);
        }
        bail!(
            "{program} failed ({}); `echo {server} | {program} get` shows why",
            output.status
        );
    }
    match serde_json::from_slice::<Answer>(&output.stdout) {
        Ok(answer) if answer.secret.is_empty() => Ok(None),
        Ok(answer) => Ok(Some(answer)),
        Err(_) => bail!("{program} did not print JSON with a Username and a Secret"),
    }
}

async fn run(program: &str, argument: &str, server: &str) -> io::Result<Output> {
    let mut helper = Command::new(program)
        .arg(argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = helper.stdin.take() {
        // A helper may answer without reading the server's name.
        let _ = stdin.write_all(format!("{server}\n").as_bytes()).await;
    }
    let (stdout, stderr) = (helper.stdout.take(), helper.stderr.take());
    let (stdout, stderr) = tokio::try_join!(beginning(stdout), beginning(stderr))?;
    Ok(Output {
        status: helper.wait().await?,
        stdout,
        stderr,
    })
}

/// What a helper writes, up to the limit. Then the pipe is closed.
async fn beginning(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(LIMIT).read_to_end(&mut content).await?;
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{TIMEOUT, get};

    #[tokio::test]
    async fn a_program_that_does_not_end_is_named() {
        let asked = get("sleep", "60", "gcr.io", Duration::from_millis(20)).await;
        let error = asked.err().unwrap().to_string();
        assert_eq!(error, "sleep did not answer within 0.02 s");
    }

    #[tokio::test]
    async fn a_program_that_prints_without_end_is_stopped() {
        let asked = get("yes", "get", "gcr.io", TIMEOUT).await;
        let error = asked.err().unwrap().to_string();
        assert!(error.starts_with("yes failed (signal: 13"), "{error}");
    }
}
