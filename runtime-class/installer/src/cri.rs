//! The CRI call by which the kubelet learns whether containerd is ready and which
//! handlers it has. The answer is of the running process, not of its files.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Endpoint;

/// The status of the running containerd.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub runtime_ready: bool,
    /// Whether pods can get a network: false without a CNI configuration in the
    /// folder that containerd reads.
    pub network_ready: bool,
    pub handlers: Vec<String>,
    /// Whether containerd reports its handlers to the kubelet, which lists them in
    /// the Node's `status.runtimeHandlers`. containerd 2 does, 1.x does not.
    pub reports_handlers: bool,
}

/// Calls CRI's `RuntimeService.Status`.
///
/// # Errors
/// When containerd does not answer at the socket within `TIMEOUT`.
pub async fn status(socket: &Path) -> Result<Status> {
    let answer = tokio::time::timeout(TIMEOUT, ask(socket)).await;
    let response = answer
        .map_err(anyhow::Error::from)
        .and_then(|answer| answer)
        .with_context(|| format!("containerd does not answer at {}", socket.display()))?;
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
    Ok(Status {
        runtime_ready: is("RuntimeReady"),
        network_ready: is("NetworkReady"),
        reports_handlers: !reported.is_empty(),
        handlers: if reported.is_empty() {
            handlers_in_config(response.info.get("config"))
        } else {
            reported
        },
    })
}

const TIMEOUT: Duration = Duration::from_secs(5);

/// containerd 1.x returns its configuration as JSON instead of a list of handlers.
fn handlers_in_config(config: Option<&String>) -> Vec<String> {
    let config: Value = config
        .and_then(|config| serde_json::from_str(config).ok())
        .unwrap_or_default();
    let runtimes = config
        .get("containerd")
        .and_then(|containerd| containerd.get("runtimes"));
    runtimes
        .and_then(Value::as_object)
        .map(|runtimes| runtimes.keys().cloned().collect())
        .unwrap_or_default()
}

async fn ask(socket: &Path) -> Result<StatusResponse> {
    let channel = Endpoint::from_shared(format!("unix:{}", socket.display()))?
        .connect()
        .await?;
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let response = client
        .unary(
            tonic::Request::new(StatusRequest { verbose: true }),
            PathAndQuery::from_static("/runtime.v1.RuntimeService/Status"),
            tonic_prost::ProstCodec::<StatusRequest, StatusResponse>::default(),
        )
        .await?;
    Ok(response.into_inner())
}

// The fields of k8s.io/cri-api's runtime/v1/api.proto that the installer uses.

#[derive(Clone, PartialEq, prost::Message)]
struct StatusRequest {
    #[prost(bool, tag = "1")]
    verbose: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StatusResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<RuntimeStatus>,
    #[prost(map = "string, string", tag = "2")]
    info: HashMap<String, String>,
    #[prost(message, repeated, tag = "3")]
    runtime_handlers: Vec<RuntimeHandler>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RuntimeStatus {
    #[prost(message, repeated, tag = "1")]
    conditions: Vec<RuntimeCondition>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RuntimeCondition {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(bool, tag = "2")]
    status: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RuntimeHandler {
    #[prost(string, tag = "1")]
    name: String,
}
