//! Amazon SQS: queues and their messages.
//!
//! `queue.rs` says what a queue is and how it is found, `books.rs` keeps its messages (`groups.rs` those of a FIFO queue in
//! order), `message.rs` is what it keeps. `send.rs`, `receive.rs` and `settle.rs` are the operations on messages, the other
//! files those on queues. `meter.rs` counts for CloudWatch. `quirks.rs` is what scenarios ask beside the API.

mod attributes;
mod batch;
mod books;
mod configure;
mod deduplication;
mod digest;
mod errors;
mod groups;
mod handle;
mod manage;
mod message;
mod meter;
mod moves;
mod permissions;
mod queue;
mod quirks;
mod receive;
mod redrive;
mod send;
mod settle;
mod tags;
#[cfg(test)]
mod tests;

pub use queue::Queues;
pub(crate) use queue::url_of_arn;
pub use quirks::{QueueView, Quirks};
pub(crate) use send::TRACE_HEADER;

use crate::cloud::Service;

/// The service and its operations.
pub fn service() -> Service<Queues> {
    Service::new("sqs")
        // A queue's policy may let other accounts in, so that one call may need the queues of two.
        .global()
        .with(manage::operations)
        .with(configure::operations)
        .with(send::operations)
        .with(receive::operations)
        .with(settle::operations)
        .with(permissions::operations)
        .with(tags::operations)
        .with(moves::operations)
        .event(quirks::QUIRKS, quirks::change)
        .event(queue::SURFACE, queue::surface)
        .event(meter::MEASURE, meter::measure)
}
