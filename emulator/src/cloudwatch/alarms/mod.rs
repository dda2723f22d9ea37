//! Alarms on metrics, and composite ones on other alarms.
//!
//! `alarm.rs` is what is kept of one, `put.rs` takes it in, `describe.rs` and `history.rs` tell, `change.rs` changes it by
//! hand. `watch.rs` looks at it when its time has come: it reads the data, has `judge.rs` decide and `reason.rs` say why;
//! `act.rs` tells topics and functions. `composite.rs` has those looked at whose rule (`rule.rs`) refers to an alarm that changed.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html>

mod act;
mod alarm;
mod change;
mod composite;
mod describe;
mod history;
mod judge;
mod put;
mod reason;
mod rule;
mod watch;

pub(super) use alarm::Alarm;
pub(super) use history::Item;

use super::Metrics;
use crate::cloud::{At, Scope, Service, Target};

/// Adds the operations of this folder.
pub(super) fn operations(service: Service<Metrics>) -> Service<Metrics> {
    service
        .with(put::operations)
        .with(composite::operations)
        .with(describe::operations)
        .with(history::operations)
        .with(change::operations)
        .with(watch::events)
        .with(act::jobs)
}

/// The ARN of an alarm.
pub(super) fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("cloudwatch", format_args!("alarm:{name}"))
}

fn on(at: &At<Metrics>, name: &str) -> Target {
    Target::on(arn(at.scope, name))
}
