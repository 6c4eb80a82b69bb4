//! The CRI calls by which a kubelet starts a pod, with the fields of
//! k8s.io/cri-api's runtime/v1/api.proto that they need.

use std::path::Path;

use prost::Message;
use tokio::runtime::{Builder, Runtime};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};

pub struct Cri {
    runtime: Runtime,
    client: Grpc<Channel>,
}

impl Cri {
    pub fn connect(socket: &Path) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let endpoint = Endpoint::from_shared(format!("unix:{}", socket.display())).unwrap();
        let channel = runtime.block_on(endpoint.connect()).unwrap();
        Self {
            runtime,
            client: Grpc::new(channel),
        }
    }

    fn call<Q, A>(&mut self, method: &str, request: Q) -> A
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let path: PathAndQuery = format!("/runtime.v1.RuntimeService/{method}")
            .parse()
            .unwrap();
        let codec = tonic_prost::ProstCodec::<Q, A>::default();
        let answer = self.runtime.block_on(async {
            self.client.ready().await.unwrap();
            self.client
                .unary(tonic::Request::new(request), path, codec)
                .await
        });
        answer
            .unwrap_or_else(|error| panic!("{method}: {error}"))
            .into_inner()
    }

    /// Starts a pod with the node's network and this handler, and a container in it.
    /// Returns the pod's ID.
    pub fn run_pod(&mut self, handler: &str, image: &str) -> String {
        let name = format!("pod-{handler}");
        let config = PodConfig {
            metadata: Some(PodMetadata {
                name: name.clone(),
                uid: name,
                namespace: "default".to_owned(),
            }),
            linux: Some(LinuxPod {
                security: Some(Security {
                    namespaces: Some(Namespaces {
                        network: NODE,
                        pid: 0,
                        ipc: 0,
                    }),
                }),
            }),
        };
        let request = RunPod {
            config: Some(config.clone()),
            handler: handler.to_owned(),
        };
        let pod: Id = self.call("RunPodSandbox", request);
        let container = CreateContainer {
            pod: pod.id.clone(),
            container: Some(Container {
                metadata: Some(Named {
                    name: "busybox".to_owned(),
                }),
                image: Some(Named {
                    name: image.to_owned(),
                }),
            }),
            config: Some(config),
        };
        let container: Id = self.call("CreateContainer", container);
        let _: Empty = self.call("StartContainer", container.clone());
        let status: ContainerStatus = self.call("ContainerStatus", container);
        assert_eq!(status.status.unwrap().state, RUNNING);
        pod.id
    }

    pub fn remove_pod(&mut self, id: &str) {
        let _: Empty = self.call("StopPodSandbox", Id { id: id.to_owned() });
        let _: Empty = self.call("RemovePodSandbox", Id { id: id.to_owned() });
    }
}

const NODE: i32 = 2;
const RUNNING: i32 = 1;

#[derive(Clone, PartialEq, Message)]
struct Empty {}

#[derive(Clone, PartialEq, Message)]
struct Id {
    #[prost(string, tag = "1")]
    id: String,
}

#[derive(Clone, PartialEq, Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct RunPod {
    #[prost(message, optional, tag = "1")]
    config: Option<PodConfig>,
    #[prost(string, tag = "2")]
    handler: String,
}

#[derive(Clone, PartialEq, Message)]
struct PodConfig {
    #[prost(message, optional, tag = "1")]
    metadata: Option<PodMetadata>,
    #[prost(message, optional, tag = "8")]
    linux: Option<LinuxPod>,
}

#[derive(Clone, PartialEq, Message)]
struct PodMetadata {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    uid: String,
    #[prost(string, tag = "3")]
    namespace: String,
}

#[derive(Clone, PartialEq, Message)]
struct LinuxPod {
    #[prost(message, optional, tag = "2")]
    security: Option<Security>,
}

#[derive(Clone, PartialEq, Message)]
struct Security {
    #[prost(message, optional, tag = "1")]
    namespaces: Option<Namespaces>,
}

#[derive(Clone, PartialEq, Message)]
struct Namespaces {
    #[prost(int32, tag = "1")]
    network: i32,
    #[prost(int32, tag = "2")]
    pid: i32,
    #[prost(int32, tag = "3")]
    ipc: i32,
}

#[derive(Clone, PartialEq, Message)]
struct CreateContainer {
    #[prost(string, tag = "1")]
    pod: String,
    #[prost(message, optional, tag = "2")]
    container: Option<Container>,
    #[prost(message, optional, tag = "3")]
    config: Option<PodConfig>,
}

#[derive(Clone, PartialEq, Message)]
struct Container {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Named>,
    #[prost(message, optional, tag = "2")]
    image: Option<Named>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerStatus {
    #[prost(message, optional, tag = "1")]
    status: Option<State>,
}

#[derive(Clone, PartialEq, Message)]
struct State {
    #[prost(int32, tag = "3")]
    state: i32,
}
