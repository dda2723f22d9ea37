//! Amazon SNS: topics, subscriptions, and messages on their way.
//!
//! `topic.rs` and `subscription.rs` say what is kept and how it is found, `topics.rs` and `subscribe.rs` are the operations on
//! them; `publish.rs` takes messages, `filter.rs` says who wants them, `envelope.rs` what they look like to whom, `deliver.rs`
//! brings them there and tries again (`retry.rs`), and `feedback.rs` logs what became of it.
//! <https://docs.aws.amazon.com/sns/latest/api/>

mod attributes;
mod confirm;
mod deliver;
mod envelope;
mod errors;
mod feedback;
mod fifo;
mod filter;
mod lists;
mod message;
mod permissions;
mod platform;
mod protection;
mod publish;
mod retry;
mod send;
mod signature;
mod signing_key;
mod sms;
mod subscribe;
mod subscription;
mod tags;
#[cfg(test)]
mod tests;
mod topic;
mod topics;

pub(crate) use signature::{CERTIFICATE_PATH, certificate};
pub use topic::Topics;

use crate::cloud::Service;

/// Who delivers.
const PRINCIPAL: &str = "sns.amazonaws.com";

/// The service and its operations.
pub fn service() -> Service<Topics> {
    Service::new("sns")
        // A topic's policy may let other accounts in, so that one call may concern the topics of two.
        .global()
        .with(topics::operations)
        .with(attributes::operations)
        .with(permissions::operations)
        .with(protection::operations)
        .with(tags::operations)
        .with(subscribe::operations)
        .with(confirm::operations)
        .with(lists::operations)
        .with(publish::operations)
        .with(platform::operations)
        .with(sms::operations)
        .with(deliver::events)
}
