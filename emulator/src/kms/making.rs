//! Key pairs are made by a job: the primes of an RSA key take seconds to find, and nobody else need wait.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::blob::Blob;
use super::chance::Chance;
use super::spec::Spec;
use super::{Keys, pairs};
use crate::cloud::{Cx, JobFuture, Later, Service, Step, job_input};
use crate::{Error, Result};

/// The job, and the event by which it reports.
const MAKE: &str = "MakePair";
const MADE: &str = "PairMade";
/// So many pairs may wait to be fetched. An operation that is broken off leaves its own behind.
const KEPT: usize = 64;

/// Adds the job of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service.event(MADE, made).job(MAKE, make)
}

/// The pairs that operations wait for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Making {
    asked: u64,
    made: OrdMap<u64, Blob>,
}

#[derive(Serialize, Deserialize)]
struct Order {
    number: u64,
    spec: Spec,
    seed: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct Report {
    number: u64,
    /// Absent if none could be made.
    private: Option<Blob>,
}

/// A new private key: at once if it is one of a curve, else the operation is to wait and to ask again.
pub(super) fn pair(cx: &mut Cx<Keys>, spec: Spec) -> Result<Step<Blob>> {
    if let Some(resumed) = cx.resumed() {
        let number = resumed.token.parse::<u64>().map_err(Error::internal)?;
        let made = cx.state.making.made.remove(&number);
        return made
            .map(Step::Done)
            .ok_or_else(|| Error::internal("the key pair that an operation waited for is gone"));
    }
    let seed = cx.ids().bytes();
    if spec.rsa_bits().is_none() {
        return private(spec, seed).map(Step::Done);
    }
    cx.state.making.asked += 1;
    let number = cx.state.making.asked;
    cx.start(MAKE, &Order { number, spec, seed })?;
    Ok(Step::Later(Later { signal: signal(number), until: None, token: number.to_string() }))
}

fn private(spec: Spec, seed: [u8; 32]) -> Result<Blob> {
    let made = pairs::generate(spec, &mut Chance::new(seed));
    made.map(Blob::from).ok_or_else(|| Error::internal(format!("no key pair of {} could be made", spec.name())))
}

fn signal(number: u64) -> String {
    format!("kms/pair/{number}")
}

/// The job.
fn make(cloud: crate::cloud::Cloud, scope: crate::cloud::Scope, input: serde_json::Value) -> JobFuture {
    Box::pin(async move {
        let Some(Order { number, spec, seed }) = job_input(input) else { return };
        let private = private(spec, seed).inspect_err(|error| tracing::error!(%error, "a key pair was not made")).ok();
        cloud.report("kms", &scope, MADE, &Report { number, private });
    })
}

fn made(cx: &mut Cx<Keys>, report: &str) -> Result<()> {
    let Report { number, private } = serde_json::from_str(report)?;
    let kept = &mut cx.state.making.made;
    if kept.len() >= KEPT {
        let oldest = kept.get_min().map(|(number, _)| *number);
        oldest.and_then(|oldest| kept.remove(&oldest));
    }
    if let Some(private) = private {
        kept.insert(number, private);
    }
    cx.signal(signal(number));
    Ok(())
}
