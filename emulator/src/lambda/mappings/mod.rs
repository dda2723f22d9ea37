//! Event source mappings: what reads a queue or a stream and invokes a function with what it finds.
//!
//! `control.rs` has the operations, `checks.rs` what AWS refuses, `access.rs` asks the source itself. Under way, `queue.rs` and
//! `stream.rs` keep the books and decide what comes next; `poll.rs` and `read.rs` are the jobs that make the calls, through
//! the front door and as the function's role. A mapping that waits costs nothing: the source's signal wakes it.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html>

mod access;
mod checks;
mod control;
mod filter;
mod mapping;
mod poll;
mod queue;
mod record;
mod response;
#[cfg(test)]
mod tests;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::Functions;
use crate::cloud::{Caller, Cloud, Cx, Service};
use crate::{Error, Result};
use mapping::{Mapping, Source, State};

/// What the signals of queues begin with; the queue's ARN follows.
const QUEUE_SIGNAL: &str = "sqs/";

/// The mappings of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Mappings {
    by_uuid: OrdMap<String, Mapping>,
    /// The mappings of a source: the source's ARN, and the UUID.
    by_source: OrdSet<(String, String)>,
    /// What the sources of mappings in the making answered.
    checked: OrdMap<String, access::Checked>,
}

impl Mappings {
    fn insert(&mut self, mapping: Mapping) {
        self.by_source.insert((mapping.source.arn().to_owned(), mapping.uuid.clone()));
        self.by_uuid.insert(mapping.uuid.clone(), mapping);
    }

    fn remove(&mut self, uuid: &str) {
        if let Some(mapping) = self.by_uuid.remove(uuid) {
            self.by_source.remove(&(mapping.source.arn().to_owned(), mapping.uuid));
        }
    }

    /// The UUIDs of the mappings of a source.
    fn of_source<'a>(&'a self, arn: &'a str) -> impl Iterator<Item = &'a String> {
        let from = (arn.to_owned(), String::new());
        self.by_source.range(from..).take_while(move |(source, _)| source == arn).map(|(_, uuid)| uuid)
    }
}

/// Adds the operations, events and jobs of this folder.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .with(control::operations)
        .event("MappingChecked", access::checked)
        .event("MappingSettled", control::settled)
        .event("MappingWake", wake)
        .event("MappingDue", step)
        .event("MappingReceived", queue::received)
        .event("MappingDelivered", queue::delivered)
        .event("MappingLost", queue::lost)
        .event("MappingSignal", signalled)
        .on_signal(QUEUE_SIGNAL, "MappingSignal")
        .job("CheckSource", access::job)
        .job("ReceiveBatch", poll::receive)
        .job("DeliverBatch", poll::deliver)
}

pub(super) use control::{is_mapping, tags};

/// Something can be read from a source.
fn signalled(cx: &mut Cx<Functions>, arn: &str) -> Result<()> {
    let uuids: Vec<String> = cx.state.mappings.of_source(arn).cloned().collect();
    uuids.iter().try_for_each(|uuid| wake(cx, uuid))
}

/// A mapping looks whether there is something to read, and does what is due.
fn wake(cx: &mut Cx<Functions>, uuid: &str) -> Result<()> {
    if let Some(mapping) = cx.state.mappings.by_uuid.get_mut(uuid)
        && mapping.state == State::Enabled
    {
        mapping.queue.is_hungry = true;
        step(cx, uuid)?;
    }
    Ok(())
}

/// Does what is due.
fn step(cx: &mut Cx<Functions>, uuid: &str) -> Result<()> {
    match cx.state.mappings.by_uuid.get(uuid).filter(|mapping| mapping.state == State::Enabled).map(|m| &m.source) {
        Some(Source::Queue { .. }) => queue::step(cx, uuid),
        None => Ok(()),
    }
}

/// A session of the function's role, as Lambda's pollers have one. `mapping` is the mapping's ARN.
fn role_session(cloud: &Cloud, role: &str, function: &str, mapping: &str) -> Result<Caller> {
    let access = cloud.0.access(&Caller::service(super::PRINCIPAL));
    let caller = access.role_session(role, function, super::PRINCIPAL);
    let mut caller = caller.ok_or_else(|| {
        Error::new(403, "AccessDeniedException", format!("The role {role} cannot be assumed by Lambda."))
    })?;
    caller.source_arn = Some(mapping.to_owned());
    Ok(caller)
}
