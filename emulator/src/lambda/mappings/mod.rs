//! Event source mappings: what reads a queue or a stream and invokes a function with what it finds.
//!
//! `control.rs` has the operations, `checks.rs` what AWS refuses, `access.rs` asks the source itself. Under way, `queue.rs` and
//! `stream.rs` keep the books and decide what comes next; `poll.rs` and `read.rs` are the jobs that make the calls, through
//! the front door and as the function's role. A mapping that waits costs nothing: the source's signal wakes it.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html>

mod access;
mod checks;
mod control;
mod destination;
mod filter;
mod mapping;
mod poll;
mod queue;
mod read;
mod record;
mod response;
mod stream;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::Functions;
use crate::cloud::{Caller, Cloud, Cx, Service};
use crate::{Error, Result};
use mapping::{Books, Mapping, State};

/// What the signals of queues begin with; the queue's ARN follows.
const QUEUE_SIGNAL: &str = "sqs/";
/// What the signals of streams begin with; the stream's ARN follows.
const STREAM_SIGNAL: &str = "dynamodb/stream/";

/// The same of Kinesis.
const KINESIS_SIGNAL: &str = "kinesis/";

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
        .event("MappingRead", stream::read_up)
        .event("MappingProcessed", stream::processed)
        .event("MappingLost", lost)
        .event("MappingSignal", signalled)
        .on_signal(QUEUE_SIGNAL, "MappingSignal", is_source)
        .on_signal(KINESIS_SIGNAL, "MappingSignal", is_source)
        .on_signal(STREAM_SIGNAL, "MappingSignal", is_source)
        .job("CheckSource", access::job)
        .job("ReceiveBatch", poll::receive)
        .job("DeliverBatch", poll::deliver)
        .job("ReadStream", read::read_stream)
        .job("ProcessBatch", read::process)
}

pub(super) use control::{is_mapping, tags};

fn is_source(state: &Functions, arn: &str) -> bool {
    state.mappings.of_source(arn).next().is_some()
}

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
        match &mut mapping.books {
            Books::Queue(queue) => queue.is_hungry = true,
            Books::Stream(stream) => stream.wake(),
        }
        step(cx, uuid)?;
    }
    Ok(())
}

/// Does what is due.
fn step(cx: &mut Cx<Functions>, uuid: &str) -> Result<()> {
    match cx.state.mappings.by_uuid.get(uuid).filter(|mapping| mapping.state == State::Enabled).map(|m| &m.books) {
        Some(Books::Queue(_)) => queue::step(cx, uuid),
        Some(Books::Stream(_)) => stream::step(cx, uuid),
        None => Ok(()),
    }
}

/// A job has not reported: it was lost with the cloud that it ran in. `key` is the mapping's UUID and the job's number.
fn lost(cx: &mut Cx<Functions>, key: &str) -> Result<()> {
    let Some((uuid, number)) = key.split_once('/') else { return Ok(()) };
    let number = number.parse().unwrap_or_default();
    match cx.state.mappings.by_uuid.get(uuid).map(|mapping| &mapping.books) {
        Some(Books::Queue(_)) => queue::ended(cx, uuid, number),
        Some(Books::Stream(_)) => stream::lost(cx, uuid, number),
        None => Ok(()),
    }
}

/// A session of the function's role, as Lambda's pollers have one. `mapping` is the mapping's ARN.
fn role_session(cloud: &Cloud, role: &str, function: &str, mapping: &str) -> Result<Caller> {
    let service = Caller::service(super::PRINCIPAL);
    let caller = cloud.0.access(&service).role_session(role, function, super::PRINCIPAL);
    let mut caller = caller.ok_or_else(|| {
        Error::new(403, "AccessDeniedException", format!("The role {role} cannot be assumed by Lambda."))
    })?;
    caller.source_arn = Some(mapping.to_owned());
    Ok(caller)
}
