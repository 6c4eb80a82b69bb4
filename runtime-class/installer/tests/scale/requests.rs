//! The installers' requests, from the API server's audit log.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

#[derive(Clone)]
pub struct Request {
    /// In seconds since 1970.
    pub at: f64,
    /// Such as `patch nodes/status`.
    pub kind: String,
    pub code: u64,
    pub node: String,
}

impl Request {
    fn parse(line: &str) -> Option<Self> {
        let event: Value = serde_json::from_str(line).ok()?;
        let at: Timestamp = event["requestReceivedTimestamp"].as_str()?.parse().ok()?;
        let object = &event["objectRef"];
        let subresource = object["subresource"].as_str();
        Some(Self {
            at: at.as_millisecond() as f64 / 1000.0,
            kind: format!(
                "{} {}{}",
                event["verb"].as_str()?,
                object["resource"].as_str()?,
                subresource
                    .map(|name| format!("/{name}"))
                    .unwrap_or_default()
            ),
            code: event["responseStatus"]["code"].as_u64()?,
            node: event["user"]["extra"]["authentication.kubernetes.io/node-name"][0]
                .as_str()?
                .to_owned(),
        })
    }
}

/// Requests in the order in which they came.
pub struct Requests(pub Vec<Request>);

impl Requests {
    /// Those that came from `from` on.
    pub fn read(audit_log: &Path, from: f64) -> Self {
        let text = fs::read_to_string(audit_log).unwrap_or_default();
        let mut requests: Vec<_> = text.lines().filter_map(Request::parse).collect();
        requests.retain(|request| request.at >= from);
        requests.sort_by(|a, b| a.at.total_cmp(&b.at));
        Self(requests)
    }

    pub fn between(&self, from: f64, to: f64) -> Self {
        let is_between = |request: &&Request| (from..to).contains(&request.at);
        Self(self.0.iter().filter(is_between).cloned().collect())
    }

    pub fn by_kind(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for request in &self.0 {
            let refused = if request.code < 400 {
                String::new()
            } else {
                format!(" ({})", request.code)
            };
            *kinds
                .entry(format!("{}{refused}", request.kind))
                .or_default() += 1;
        }
        kinds
    }

    /// The most requests in one second of the clock.
    pub fn peak(&self) -> usize {
        let mut seconds: BTreeMap<u64, usize> = BTreeMap::new();
        for request in &self.0 {
            *seconds.entry(request.at as u64).or_default() += 1;
        }
        seconds.into_values().max().unwrap_or_default()
    }

    /// The runs of installers that changed nothing: a node waited, and had reported it.
    pub fn waits(&self) -> Vec<Self> {
        let mut nodes: BTreeMap<&str, Vec<Self>> = BTreeMap::new();
        for request in &self.0 {
            let runs = nodes.entry(&request.node).or_default();
            let last = runs.last().and_then(|run| run.0.last());
            if last.is_none_or(|last| request.at - last.at > SHORTEST_PAUSE) {
                runs.push(Self(Vec::new()));
            }
            runs.last_mut().unwrap().0.push(request.clone());
        }
        let changed = |request: &Request| {
            request.code < 400
                && !["get ", "list "]
                    .iter()
                    .any(|read| request.kind.starts_with(read))
        };
        let mut runs: Vec<_> = nodes.into_values().flatten().collect();
        runs.retain(|run| !run.0.iter().any(changed));
        runs
    }

    /// For how long a node held a lease, in seconds and on average.
    pub fn lease_was_held(&self) -> Option<f64> {
        let mut taken = BTreeMap::new();
        let mut held = Vec::new();
        for request in &self.0 {
            if request.code >= 400 || !["create leases", "update leases"].contains(&&*request.kind)
            {
                continue;
            }
            match taken.remove(&request.node) {
                Some(since) => held.push(request.at - since),
                None => drop(taken.insert(&request.node, request.at)),
            }
        }
        (!held.is_empty()).then(|| held.iter().sum::<f64>() / held.len() as f64)
    }
}

/// In seconds. After a failure an installer pauses for at least ten.
const SHORTEST_PAUSE: f64 = 8.0;

impl fmt::Display for Requests {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.by_kind();
        let kinds: Vec<_> = kinds
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        write!(formatter, "{} requests: {}", self.0.len(), kinds.join(", "))
    }
}
