//! Amazon EventBridge Scheduler.
//!
//! `schedules.rs` and `groups.rs` keep what was created, `fire.rs` invokes the targets when their time has come, and
//! `expression/` reads the schedule expressions. <https://docs.aws.amazon.com/scheduler/latest/APIReference/>

pub mod expression;
mod fire;
mod groups;
mod schedules;

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
    Service::new("scheduler")
        .op("CreateSchedule", |at, i: &schedules::CreateSchedule| on(at, i.group(), &i.name), schedules::create)
        .op("UpdateSchedule", |at, i: &schedules::CreateSchedule| on(at, i.group(), &i.name), schedules::update)
        .op("GetSchedule", |at, i: &schedules::Named| on(at, i.group(), &i.name), schedules::get)
        .op("DeleteSchedule", |at, i: &schedules::Named| on(at, i.group(), &i.name), schedules::delete)
        .op("ListSchedules", |_, _| Target::any(), schedules::list)
        .op("CreateScheduleGroup", |at, i: &groups::CreateGroup| on_group(at, &i.name), groups::create)
        .op("GetScheduleGroup", |at, i: &groups::Named| on_group(at, &i.name), groups::get)
        .op("DeleteScheduleGroup", |at, i: &groups::Named| on_group(at, &i.name), groups::delete)
        .op("ListScheduleGroups", |_, _| Target::any(), groups::list)
        .op("TagResource", |_, i: &groups::TagResource| Target::on(&i.resource_arn), groups::tag)
        .op("UntagResource", |_, i: &groups::UntagResource| Target::on(&i.resource_arn), groups::untag)
        .op("ListTagsForResource", |_, i: &groups::OfResource| Target::on(&i.resource_arn), groups::tags)
        .event("Fire", fire::fire)
        .event("Deliver", fire::deliver)
        .event("Delivered", fire::delivered)
        .job("Deliver", fire::job)
}

fn on(at: &At<Schedules>, group: &str, name: &str) -> Target {
    Target::on(at.scope.arn("scheduler", format_args!("schedule/{group}/{name}")))
}

fn on_group(at: &At<Schedules>, name: &str) -> Target {
    Target::on(at.scope.arn("scheduler", format_args!("schedule-group/{name}")))
}
