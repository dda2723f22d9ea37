//! Schedules: their life cycle.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::expression::{Expression, time_zone};
use super::targets::{self, Target};
use super::{DEFAULT_GROUP, Schedules, fire, on};
use crate::cloud::{self, Cx, Service};
use crate::{Error, Result, Timestamp};

/// `ListSchedules` answers this many, unless told otherwise, and at most.
const PAGE: usize = 100;
/// A schedule may begin so long ago.
const EARLIEST_START: Duration = Duration::from_secs(300);

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Schedules>) -> Service<Schedules> {
    service
        .op("CreateSchedule", |at, i: &CreateSchedule| on(at, i.group(), &i.name), create)
        .op("UpdateSchedule", |at, i: &CreateSchedule| on(at, i.group(), &i.name), update)
        .op("GetSchedule", |at, i: &Named| on(at, i.group(), &i.name), get)
        .op("DeleteSchedule", |at, i: &Named| on(at, i.group(), &i.name), delete)
        .op("ListSchedules", |_, _: &ListSchedules| cloud::Target::any(), list)
}

/// A schedule as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Schedule {
    pub settings: Settings,
    pub arn: String,
    pub created: Timestamp,
    pub modified: Timestamp,
}

/// What a caller decides of a schedule.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Settings {
    pub name: String,
    pub group_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    pub schedule_expression: String,
    pub schedule_expression_timezone: String,
    pub state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<Timestamp>,
    pub flexible_time_window: FlexibleTimeWindow,
    pub target: Target,
    pub action_after_completion: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FlexibleTimeWindow {
    mode: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maximum_window_in_minutes: Option<u64>,
}

impl FlexibleTimeWindow {
    /// How much later than planned the target may be invoked.
    pub fn width(&self) -> Duration {
        Duration::from_secs(60 * self.maximum_window_in_minutes.filter(|_| self.mode == "FLEXIBLE").unwrap_or(0))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateSchedule {
    pub name: String,
    group_name: Option<String>,
    description: Option<String>,
    schedule_expression: String,
    schedule_expression_timezone: Option<String>,
    state: Option<String>,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    flexible_time_window: FlexibleTimeWindow,
    target: Target,
    action_after_completion: Option<String>,
    /// Makes a repeated call recognisable to AWS; here a call is carried out once anyway.
    #[serde(rename = "ClientToken")]
    _client_token: Option<String>,
}

impl CreateSchedule {
    fn group(&self) -> &str {
        self.group_name.as_deref().unwrap_or(DEFAULT_GROUP)
    }

    fn settings(self) -> Settings {
        Settings {
            group_name: self.group().to_owned(),
            name: self.name,
            description: self.description,
            schedule_expression: self.schedule_expression,
            schedule_expression_timezone: self.schedule_expression_timezone.unwrap_or_else(|| "UTC".to_owned()),
            state: self.state.unwrap_or_else(|| "ENABLED".to_owned()),
            start_date: self.start_date,
            end_date: self.end_date,
            flexible_time_window: self.flexible_time_window,
            target: self.target,
            action_after_completion: self.action_after_completion.unwrap_or_else(|| "NONE".to_owned()),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    pub name: String,
    group_name: Option<String>,
    #[serde(rename = "ClientToken")]
    _client_token: Option<String>,
}

impl Named {
    fn group(&self) -> &str {
        self.group_name.as_deref().unwrap_or(DEFAULT_GROUP)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ScheduleArn {
    schedule_arn: String,
}

fn create(cx: &mut Cx<Schedules>, input: CreateSchedule) -> Result<ScheduleArn> {
    let key = key(input.group(), &input.name);
    let settings = check(cx, input)?;
    if cx.state.schedules.contains_key(&key) {
        let message = format!("Schedule {} already exists.", settings.name);
        return Err(Error::new(409, "ConflictException", message));
    }
    let arn = cx.scope.arn("scheduler", format_args!("schedule/{key}"));
    let schedule = Schedule { settings, arn: arn.clone(), created: cx.now, modified: cx.now };
    fire::plan(cx, &key, &schedule, None);
    cx.state.schedules.insert(key, schedule);
    Ok(ScheduleArn { schedule_arn: arn })
}

fn update(cx: &mut Cx<Schedules>, input: CreateSchedule) -> Result<ScheduleArn> {
    let key = key(input.group(), &input.name);
    let created = find(cx, input.group(), &input.name)?.created;
    let settings = check(cx, input)?;
    let arn = cx.scope.arn("scheduler", format_args!("schedule/{key}"));
    let schedule = Schedule { settings, arn: arn.clone(), created, modified: cx.now };
    cx.cancel_timer("Fire", key.as_str());
    fire::plan(cx, &key, &schedule, None);
    cx.state.schedules.insert(key, schedule);
    Ok(ScheduleArn { schedule_arn: arn })
}

/// Refuses what AWS refuses, and what is not honoured here.
fn check(cx: &Cx<Schedules>, input: CreateSchedule) -> Result<Settings> {
    let settings = input.settings();
    Expression::parse(&settings.schedule_expression)?;
    time_zone(&settings.schedule_expression_timezone)?;
    if settings.group_name != DEFAULT_GROUP && !cx.state.groups.contains_key(&settings.group_name) {
        return Err(not_found(format!("Schedule group {} does not exist.", settings.group_name)));
    }
    if settings.start_date.is_some_and(|start| start < cx.now - EARLIEST_START) {
        let text = "The StartDate you specify cannot be earlier than 5 minutes ago.";
        return Err(Error::client("ValidationException", text));
    }
    if settings.start_date.zip(settings.end_date).is_some_and(|(start, end)| start >= end) {
        return Err(Error::client(
            "ValidationException",
            "The StartDate you specify must be earlier than the EndDate.",
        ));
    }
    let window = &settings.flexible_time_window;
    if (window.mode == "FLEXIBLE") != window.maximum_window_in_minutes.is_some() {
        return Err(Error::client(
            "ValidationException",
            "MaximumWindowInMinutes must be specified when, and only when, the flexible time window's mode is FLEXIBLE.",
        ));
    }
    targets::check(&settings.target)?;
    if !cx.access().may_assume(&settings.target.role_arn, fire::PRINCIPAL) {
        return Err(Error::client(
            "ValidationException",
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        ));
    }
    Ok(settings)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetScheduleOutput {
    arn: String,
    creation_date: Timestamp,
    last_modification_date: Timestamp,
    #[serde(flatten)]
    settings: Settings,
}

fn get(cx: &mut Cx<Schedules>, input: Named) -> Result<GetScheduleOutput> {
    let Schedule { settings, arn, created, modified } = find(cx, input.group(), &input.name)?.clone();
    Ok(GetScheduleOutput { arn, creation_date: created, last_modification_date: modified, settings })
}

fn delete(cx: &mut Cx<Schedules>, input: Named) -> Result<()> {
    find(cx, input.group(), &input.name)?;
    let key = key(input.group(), &input.name);
    cx.state.schedules.remove(&key);
    cx.cancel_timer("Fire", key);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListSchedules {
    group_name: Option<String>,
    name_prefix: Option<String>,
    state: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListSchedulesOutput {
    schedules: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    arn: String,
    name: String,
    group_name: String,
    state: String,
    creation_date: Timestamp,
    last_modification_date: Timestamp,
    target: TargetSummary,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TargetSummary {
    arn: String,
}

fn list(cx: &mut Cx<Schedules>, input: ListSchedules) -> Result<ListSchedulesOutput> {
    let size = input.max_results.unwrap_or(PAGE).min(PAGE);
    let after = input.next_token.unwrap_or_default();
    let wanted = |schedule: &Schedule| {
        let settings = &schedule.settings;
        input.group_name.as_ref().is_none_or(|group| *group == settings.group_name)
            && input.name_prefix.as_ref().is_none_or(|prefix| settings.name.starts_with(prefix))
            && input.state.as_ref().is_none_or(|state| *state == settings.state)
    };
    let mut found: Vec<(String, Summary)> = cx
        .state
        .schedules
        .range(after.clone()..)
        .filter(|(key, schedule)| **key != after && wanted(schedule))
        .take(size + 1)
        .map(|(key, schedule)| (key.clone(), summary(schedule)))
        .collect();
    let more = found.len() > size;
    found.truncate(size);
    let next_token = found.last().filter(|_| more).map(|(key, _)| key.clone());
    Ok(ListSchedulesOutput { schedules: found.into_iter().map(|(_, summary)| summary).collect(), next_token })
}

fn summary(schedule: &Schedule) -> Summary {
    let settings = &schedule.settings;
    Summary {
        arn: schedule.arn.clone(),
        name: settings.name.clone(),
        group_name: settings.group_name.clone(),
        state: settings.state.clone(),
        creation_date: schedule.created,
        last_modification_date: schedule.modified,
        target: TargetSummary { arn: settings.target.arn.clone() },
    }
}

/// Where a schedule is kept.
pub(super) fn key(group: &str, name: &str) -> String {
    format!("{group}/{name}")
}

fn find<'a>(cx: &'a Cx<Schedules>, group: &str, name: &str) -> Result<&'a Schedule> {
    cx.state.schedules.get(&key(group, name)).ok_or_else(|| not_found(format!("Schedule {name} does not exist.")))
}

pub(super) fn not_found(message: impl Into<String>) -> Error {
    Error::new(404, "ResourceNotFoundException", message)
}
