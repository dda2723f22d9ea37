//! Log groups: `CreateLogGroup`, `DeleteLogGroup`, `DescribeLogGroups`.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::id::Salt;
use super::names::{after, group_arn, invalid, invalid_token};
use super::retention::EXPIRE;
use super::store::{Group, LogGroups};
use super::tags;
use super::token::{self, Behind};
use crate::cloud::{Cx, Scope};
use crate::{Error, Result, Timestamp};

/// A page of `DescribeLogGroups` or `DescribeLogStreams` holds this many, and no more may be asked for.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html>
pub(super) const PAGE: usize = 50;
/// The one class of log groups that there is here.
pub(super) const STANDARD: &str = "STANDARD";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateLogGroup {
    pub log_group_name: String,
    kms_key_id: Option<String>,
    #[serde(default)]
    tags: OrdMap<String, String>,
    log_group_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
}

pub(super) fn create(cx: &mut Cx<LogGroups>, input: CreateLogGroup) -> Result<()> {
    let name = input.log_group_name;
    if name.starts_with("aws/") {
        return Err(invalid("Log groups starting with AWS/ are reserved for AWS."));
    }
    if input.log_group_class.as_deref().is_some_and(|class| class != STANDARD) {
        return Err(Error::not_implemented("log groups of another class than STANDARD (logGroupClass)"));
    }
    if input.deletion_protection_enabled == Some(true) {
        return Err(Error::not_implemented("protection of log groups against deletion (deletionProtectionEnabled)"));
    }
    if !input.tags.is_empty() {
        tags::may_tag(cx, &name)?;
        tags::check_count(&group_arn(cx.scope, &name), &input.tags)?;
    }
    if cx.state.groups.contains_key(&name) {
        return Err(Error::client("ResourceAlreadyExistsException", "The specified log group already exists"));
    }
    let salt = Salt::new(cx.ids().bytes());
    let group = Group { kms_key: input.kms_key_id, tags: input.tags, ..Group::new(cx.now, salt) };
    cx.state.groups.insert(name, group);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    pub log_group_name: String,
}

pub(super) fn delete(cx: &mut Cx<LogGroups>, input: Named) -> Result<()> {
    cx.state.group(&input.log_group_name)?;
    cx.state.groups.remove(&input.log_group_name);
    cx.cancel_timer(EXPIRE, input.log_group_name);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeLogGroups {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    log_group_class: Option<String>,
    include_linked_accounts: Option<bool>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeLogGroupsOutput {
    log_groups: Vec<LogGroup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `LogGroup` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogGroup {
    log_group_name: String,
    creation_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_in_days: Option<u32>,
    metric_filter_count: usize,
    arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
    log_group_class: &'static str,
    log_group_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_protection_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bearer_token_authentication_enabled: Option<bool>,
}

pub(super) fn describe(cx: &mut Cx<LogGroups>, input: DescribeLogGroups) -> Result<DescribeLogGroupsOutput> {
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    if input.include_linked_accounts == Some(true) {
        return Err(Error::not_implemented("log groups of linked accounts (includeLinkedAccounts)"));
    }
    let size = input.limit.unwrap_or(PAGE).min(PAGE);
    let last = input.next_token.as_deref().map(token::decode::<Behind>).transpose()?;
    if last.as_ref().is_some_and(|behind| !behind.of.is_empty()) {
        return Err(invalid_token());
    }
    let wanted = Wanted::new(cx.scope, &input);
    let found = wanted.entries(&cx.state.groups, last.as_ref().map(|behind| &*behind.name));
    let (page, next_token) = token::page(found, size, "")?;
    let short = input.log_group_name_pattern.is_some();
    let log_groups = page.into_iter().map(|(name, group)| show(cx.scope, name, group, short)).collect();
    Ok(DescribeLogGroupsOutput { log_groups, next_token })
}

/// Which groups are asked for.
struct Wanted<'a> {
    prefix: &'a str,
    part: &'a str,
    identifiers: Option<Vec<&'a str>>,
    class: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn new(scope: &Scope, input: &'a DescribeLogGroups) -> Self {
        let identifiers = input.log_group_identifiers.as_ref().map(|identifiers| {
            identifiers.iter().filter_map(|id| super::names::group_name(scope, None, Some(id)).ok()).collect()
        });
        Self {
            prefix: input.log_group_name_prefix.as_deref().unwrap_or_default(),
            part: input.log_group_name_pattern.as_deref().unwrap_or_default(),
            identifiers,
            class: input.log_group_class.as_deref(),
        }
    }

    fn entries(
        &self,
        groups: &'a OrdMap<String, Group>,
        last: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a String, &'a Group)> {
        let start = last.or((!self.prefix.is_empty()).then_some(self.prefix));
        // Going on behind the prefix itself would skip the group of that very name.
        let first = start.filter(|_| last.is_none()).and_then(|name| groups.get_key_value(name));
        let rest = after(groups, start).take_while(|(name, _)| name.starts_with(self.prefix));
        first.into_iter().chain(rest).filter(|(name, _)| {
            name.contains(self.part)
                && self.class.is_none_or(|class| class == STANDARD)
                && self.identifiers.as_ref().is_none_or(|names| names.contains(&name.as_str()))
        })
    }
}

/// With a pattern, AWS leaves out what it would have to look up.
fn show(scope: &Scope, name: &str, group: &Group, short: bool) -> LogGroup {
    let arn = group_arn(scope, name);
    LogGroup {
        log_group_name: name.to_owned(),
        creation_time: group.created,
        retention_in_days: group.retention_days.filter(|_| !short),
        metric_filter_count: group.metric_filters.len(),
        arn: format!("{arn}:*"),
        stored_bytes: (!short).then_some(group.stored_bytes),
        kms_key_id: group.kms_key.clone().filter(|_| !short),
        log_group_class: STANDARD,
        log_group_arn: arn,
        deletion_protection_enabled: (!short).then_some(false),
        bearer_token_authentication_enabled: (!short).then_some(false),
    }
}
