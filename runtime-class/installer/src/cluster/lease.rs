//! The permission to restart containerd. Each Lease is held by one node at a time, so
//! their number is how many nodes restart theirs at once.

use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};

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

    /// Takes a free lease. Returns its name, or the nodes that hold all of them.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn acquire(&self) -> Result<std::result::Result<String, Vec<String>>> {
        let mut holders = Vec::new();
        for number in 0..self.count {
            let name = format!("node-installer-restart-{number}");
            match self.take(&name).await {
                Ok(None) => return Ok(Ok(name)),
                Ok(Some(other)) => holders.push(other),
                // Another node was quicker.
                Err(error) if is_conflict(&error) => holders.push("another node".to_owned()),
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot take the Lease {name}"));
                }
            }
        }
        Ok(Err(holders))
    }

    /// Takes the lease, or returns who holds it.
    async fn take(&self, name: &str) -> Result<Option<String>> {
        let Some(mut lease) = answer(self.leases.get_opt(name)).await? else {
            let lease = Lease {
                metadata: ObjectMeta {
                    name: Some(name.to_owned()),
                    ..ObjectMeta::default()
                },
                spec: Some(self.spec()),
            };
            answer(self.leases.create(&PostParams::default(), &lease)).await?;
            return Ok(None);
        };
        if let Some(holder) = holder(&lease, Timestamp::now())
            && holder != self.holder
        {
            return Ok(Some(holder));
        }
        // The resource version in the metadata makes this fail if another node was quicker.
        lease.spec = Some(self.spec());
        answer(self.leases.replace(name, &PostParams::default(), &lease)).await?;
        Ok(None)
    }

    /// Gives the lease back, if this node still holds it.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub async fn release(&self, name: &str) -> Result<()> {
        let mut lease = answer(self.leases.get(name)).await?;
        if holder(&lease, Timestamp::now()).as_ref() != Some(&self.holder) {
            return Ok(());
        }
        lease.spec = Some(LeaseSpec::default());
        answer(self.leases.replace(name, &PostParams::default(), &lease))
            .await
            .with_context(|| format!("cannot give back the Lease {name}"))?;
        Ok(())
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
