//! Amazon EventBridge: event buses, rules, and events on their way to targets.
//!
//! `bus.rs` and `rule.rs` say what is kept and how it is found, `buses.rs`, `rules.rs` and `targets.rs` are the operations on it;
//! `put.rs` takes events, `input.rs` makes of them what a target gets, `deliver.rs` brings it there and tries again.
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/>

mod bus;
mod buses;
mod deliver;
mod input;
mod lists;
mod permissions;
mod put;
mod rule;
mod rules;
mod schedule;
mod send;
mod tags;
mod targets;
#[cfg(test)]
mod tests;

pub use bus::Buses;

use crate::cloud::Service;

/// Who delivers.
const PRINCIPAL: &str = "events.amazonaws.com";

/// The service and its operations.
pub fn service() -> Service<Buses> {
    Service::new("events")
        // A bus's policy may let other accounts in, so that one call may concern the buses of two.
        .global()
        .with(buses::operations)
        .with(permissions::operations)
        .with(rules::operations)
        .with(targets::operations)
        .with(tags::operations)
        .with(put::operations)
        .with(schedule::events)
        .with(deliver::events)
}
