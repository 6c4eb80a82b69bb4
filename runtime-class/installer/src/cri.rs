//! The CRI calls by which the kubelet learns whether containerd is ready, which
//! handlers it has and which pods it runs. The answers are of the running process, not
//! of its files.

mod messages;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use prost::Message;
use serde_json::Value;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};

use messages::{
    Empty, PodSandboxFilter, PodSandboxRequest, PodSandboxState, PodSandboxes, StatusRequest,
    StatusResponse, Version,
};

/// The status of the running containerd.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// containerd's version, without a leading `v`.
    pub version: String,
    pub runtime_ready: bool,
    /// Whether pods can get a network: false without a CNI configuration in the
    /// folder that containerd reads.
    pub network_ready: bool,
    pub handlers: Vec<String>,
    /// Whether containerd reports its handlers to the kubelet, which lists them in
    /// the Node's `status.runtimeHandlers`. containerd 2 does, 1.x does not.
    pub reports_handlers: bool,
    /// What each handler runs, if containerd tells it.
    pub runtimes: BTreeMap<String, RunningRuntime>,
    /// How many pods of each handler are ready. The default handler has the name "".
    pub pods: BTreeMap<String, usize>,
}

impl Status {
    /// Whether it has the handler with this shim, as far as it tells.
    #[must_use]
    pub fn runs(&self, handler: &str, shim: &str) -> bool {
        self.handlers.iter().any(|name| name == handler)
            && self
                .runtimes
                .get(handler)
                .is_none_or(|runtime| runtime.runtime_type == shim)
    }
}

/// A handler of the running containerd.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunningRuntime {
    pub runtime_type: String,
    pub systemd_cgroup: bool,
}

/// Calls CRI's `Version`, `Status` and `ListPodSandbox`.
///
/// # Errors
/// When containerd does not answer at the socket within `TIMEOUT`.
pub async fn status(socket: &Path) -> Result<Status> {
    let answer = tokio::time::timeout(TIMEOUT, ask(socket)).await;
    answer
        .with_context(|| format!("no answer within {} s", TIMEOUT.as_secs()))
        .and_then(|answer| answer)
        .with_context(|| format!("containerd does not answer at {}", socket.display()))
}

/// A busy node may take seconds, and the kubelet waits for two minutes.
const TIMEOUT: Duration = Duration::from_secs(15);

async fn ask(socket: &Path) -> Result<Status> {
    let channel = Endpoint::from_shared(format!("unix:{}", socket.display()))?
        .connect()
        .await?;
    let mut client = Grpc::new(channel);
    let version: Version = call(&mut client, "Version", Empty {}).await?;
    let status: StatusResponse =
        call(&mut client, "Status", StatusRequest { verbose: true }).await?;
    let ready = PodSandboxFilter {
        state: Some(PodSandboxState { state: 0 }),
    };
    let pods: PodSandboxes = call(
        &mut client,
        "ListPodSandbox",
        PodSandboxRequest {
            filter: Some(ready),
        },
    )
    .await?;
    Ok(summary(&version, status, &pods))
}

fn summary(version: &Version, response: StatusResponse, pods: &PodSandboxes) -> Status {
    let conditions = response.status.unwrap_or_default().conditions;
    let is = |name: &str| {
        conditions
            .iter()
            .any(|condition| condition.kind == name && condition.status)
    };
    let reported: Vec<_> = response
        .runtime_handlers
        .into_iter()
        .map(|handler| handler.name)
        .collect();
    let runtimes = runtimes(response.info.get("config"));
    let mut count = BTreeMap::new();
    for pod in &pods.items {
        *count.entry(pod.runtime_handler.clone()).or_default() += 1;
    }
    Status {
        version: version.runtime_version.trim_start_matches('v').to_owned(),
        runtime_ready: is("RuntimeReady"),
        network_ready: is("NetworkReady"),
        reports_handlers: !reported.is_empty(),
        handlers: if reported.is_empty() {
            runtimes.keys().cloned().collect()
        } else {
            reported
        },
        runtimes,
        pods: count,
    }
}

/// containerd's verbose status has its configuration as JSON.
fn runtimes(config: Option<&String>) -> BTreeMap<String, RunningRuntime> {
    let config: Value = config
        .and_then(|config| serde_json::from_str(config).ok())
        .unwrap_or_default();
    let runtimes = config
        .get("containerd")
        .and_then(|containerd| containerd.get("runtimes"))
        .and_then(Value::as_object);
    let runtime = |value: &Value| RunningRuntime {
        runtime_type: value
            .get("runtimeType")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        systemd_cgroup: value
            .get("options")
            .and_then(|options| options.get("SystemdCgroup"))
            .and_then(Value::as_bool)
            .unwrap_or_default(),
    };
    runtimes
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), runtime(value)))
        .collect()
}

async fn call<Q, A>(client: &mut Grpc<Channel>, method: &str, request: Q) -> Result<A>
where
    Q: Message + Send + Sync + 'static,
    A: Message + Default + Send + Sync + 'static,
{
    client.ready().await?;
    let path: PathAndQuery = format!("/runtime.v1.RuntimeService/{method}").parse()?;
    let codec = tonic_prost::ProstCodec::<Q, A>::default();
    let response = client
        .unary(tonic::Request::new(request), path, codec)
        .await?;
    Ok(response.into_inner())
}
