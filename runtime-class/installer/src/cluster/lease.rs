//! The permission to restart containerd. Each Lease is held by one node at a time, so
//! their number is how many nodes restart theirs at once.

use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::{ListParams, PostParams};
use kube::{Api, Client, ResourceExt};

use super::api::{answer, is_conflict};

pub struct Leases {
    leases: Api<Lease>,
    /// The name of the Node that holds a lease.
    holder: String,
    count: usize,
    /// How long a holder that was killed keeps a lease.
    duration: Duration,
}

impl Leases {
    pub fn new(
        client: Client,
        namespace: &str,
        holder: &str,
        count: usize,
        duration: Duration,
    ) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            holder: holder.to_owned(),
            count,
            duration,
        }
    }

    /// Takes a free lease. Returns it, or the nodes that hold all of them. A node that
    /// waits makes one or two requests, however many leases there are.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn acquire(&self) -> Result<std::result::Result<Lease, Vec<String>>> {
        let listed = answer(self.leases.list(&ListParams::default()))
            .await
            .context("cannot list the Leases")?;
        let mut numbers: Vec<_> = (0..self.count).collect();
        // Nodes that ask at the same moment try different leases.
        fastrand::shuffle(&mut numbers);
        let mut holders = Vec::new();
        for number in numbers {
            let name = format!("node-installer-restart-{number}");
            let lease = listed.iter().find(|lease| lease.name_any() == name);
            match lease.and_then(|lease| holder(lease, Timestamp::now())) {
                Some(other) if other != self.holder => holders.push(other),
                _ => match self.take(&name, lease.cloned()).await {
                    Ok(lease) => return Ok(Ok(lease)),
                    // Another node took it first, and others may have taken the rest. If many
                    // nodes start at once, each would try all leases and get none.
                    Err(error) if is_conflict(&error) => {
                        holders.resize(self.count, "another node".to_owned());
                        break;
                    }
                    Err(error) => {
                        return Err(error).with_context(|| format!("cannot take the Lease {name}"));
                    }
                },
            }
        }
        Ok(Err(holders))
    }

    /// Takes a lease that is free, or does not exist.
    async fn take(&self, name: &str, lease: Option<Lease>) -> Result<Lease> {
        let parameters = PostParams::default();
        if let Some(mut lease) = lease {
            // The resource version in the metadata makes this fail if another node took it
            // first.
            lease.spec = Some(self.spec());
            return answer(self.leases.replace(name, &parameters, &lease)).await;
        }
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            spec: Some(self.spec()),
        };
        answer(self.leases.create(&parameters, &lease)).await
    }

    /// Gives back the lease that [`Self::acquire`] returned, if this node still holds it.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn release(&self, mut lease: Lease) -> Result<()> {
        let name = lease.name_any();
        lease.spec = Some(LeaseSpec::default());
        match answer(self.leases.replace(&name, &PostParams::default(), &lease)).await {
            // It expired, and another node took it.
            Err(error) if is_conflict(&error) => Ok(()),
            released => released
                .map(drop)
                .with_context(|| format!("cannot give back the Lease {name}")),
        }
    }

    fn spec(&self) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        LeaseSpec {
            holder_identity: Some(self.holder.clone()),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            lease_duration_seconds: self.duration.as_secs().try_into().ok(),
            ..LeaseSpec::default()
        }
    }
}

/// Who holds the lease at `now`; `None` if it is free or has expired.
fn holder(lease: &Lease, now: Timestamp) -> Option<String> {
    let spec = lease.spec.as_ref()?;
    let holder = spec
        .holder_identity
        .clone()
        .filter(|holder| !holder.is_empty())?;
    let age = now.as_second() - spec.renew_time.as_ref()?.0.as_second();
    (age < i64::from(spec.lease_duration_seconds?)).then_some(holder)
}
