//! Amazon EventBridge Scheduler.
//!
//! `schedules.rs` and `groups.rs` keep what was created, `fire.rs` invokes the targets when their time has come,
//! `targets.rs` knows which there are, and `expression/` reads the schedule expressions.
//! <https://docs.aws.amazon.com/scheduler/latest/APIReference/>

pub mod expression;
mod fire;
mod groups;
mod schedules;
mod targets;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::cloud::{At, Service, Target};

/// The group of schedules that name none.
const DEFAULT_GROUP: &str = "default";

/// The schedules of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Schedules {
    /// By group and name, joined by `/`, which occurs in neither.
    schedules: OrdMap<String, schedules::Schedule>,
    /// Without the default one, which always exists.
    groups: OrdMap<String, groups::Group>,
}

/// The service and its operations.
pub fn service() -> Service<Schedules> {
    Service::new("scheduler").with(schedules::operations).with(groups::operations).with(fire::events)
}

fn on(at: &At<Schedules>, group: &str, name: &str) -> Target {
    Target::on(at.scope.arn("scheduler", format_args!("schedule/{group}/{name}")))
}

fn on_group(at: &At<Schedules>, name: &str) -> Target {
    Target::on(at.scope.arn("scheduler", format_args!("schedule-group/{name}")))
}
