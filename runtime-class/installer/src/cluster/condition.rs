//! The result of the installation as a condition of the Node, as an annotation with the
//! same fields, and as an event. `kubectl describe node` shows all three.

use k8s_openapi::api::core::v1::{Event, Node, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde_json::{Value, json};

/// `status`, `reason`, `message` and `lastTransitionTime`, as JSON.
pub const ANNOTATION: &str = "node-installer.swiss/status";

/// The type of the Node's condition.
pub const TYPE: &str = "WasmRuntimeReady";

#[derive(Clone, Copy)]
pub struct Condition<'a> {
    status: &'a str,
    reason: &'a str,
    pub message: &'a str,
}

impl<'a> Condition<'a> {
    pub fn installed(message: &'a str) -> Self {
        Self {
            status: "True",
            reason: "Installed",
            message,
        }
    }

    pub fn not_installed(reason: &'a str, message: &'a str) -> Self {
        Self {
            status: "False",
            reason,
            message,
        }
    }

    pub fn is_installed(&self) -> bool {
        self.status == "True"
    }
}

impl Condition<'_> {
    /// The patch of the Node's status, with the annotation: Kubernetes lets a patch of the
    /// status change annotations, too.
    pub fn patch(self) -> Value {
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let annotation = json!({
            "status": self.status,
            "reason": self.reason,
            "message": self.message,
            "lastTransitionTime": now,
        });
        let mut condition = annotation.clone();
        if let Some(condition) = condition.as_object_mut() {
            condition.insert("type".to_owned(), TYPE.into());
            condition.insert("lastHeartbeatTime".to_owned(), now.into());
        }
        json!({
            "metadata": { "annotations": { ANNOTATION: annotation.to_string() } },
            "status": { "conditions": [condition] },
        })
    }

    /// Whether the Node's annotation has another status or message.
    pub fn is_new(&self, node: &Node) -> bool {
        let annotation = node.annotations().get(ANNOTATION);
        let written: Value = annotation
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default();
        let has = |key: &str, value: &str| written.get(key).and_then(Value::as_str) == Some(value);
        !has("status", self.status) || !has("message", self.message)
    }

    pub fn event(&self, node: &str) -> Event {
        let now = Timestamp::now();
        let kind = if self.is_installed() {
            "Normal"
        } else {
            "Warning"
        };
        Event {
            metadata: ObjectMeta {
                generate_name: Some("node-installer-".to_owned()),
                ..ObjectMeta::default()
            },
            type_: Some(kind.to_owned()),
            reason: Some(self.reason.to_owned()),
            message: Some(self.message.chars().take(MAX_MESSAGE).collect()),
            involved_object: ObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("Node".to_owned()),
                name: Some(node.to_owned()),
                // The kubelet sets the name here, and `kubectl describe node` selects by it.
                uid: Some(node.to_owned()),
                ..ObjectReference::default()
            },
            reporting_component: Some("node-installer".to_owned()),
            reporting_instance: Some(node.to_owned()),
            action: Some("Install".to_owned()),
            event_time: Some(MicroTime(now)),
            first_timestamp: Some(Time(now)),
            last_timestamp: Some(Time(now)),
            count: Some(1),
            ..Event::default()
        }
    }
}

/// In characters. The API server accepts 1024 bytes, and the messages are mostly ASCII.
const MAX_MESSAGE: usize = 1000;
