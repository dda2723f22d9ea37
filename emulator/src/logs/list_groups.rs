//! `ListLogGroups`: the names of groups that a pattern finds, anywhere in them or at their beginnings.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListLogGroups.html>

use serde::{Deserialize, Serialize};

use super::groups::{PAGE, STANDARD};
use super::names::{after, group_arn, invalid_token};
use super::store::{Group, LogGroups};
use super::token::{self, Behind};
use crate::cloud::Cx;
use crate::{Error, Result};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListLogGroups {
    log_group_name_pattern: Option<String>,
    log_group_class: Option<String>,
    include_linked_accounts: Option<bool>,
    log_group_tags: Option<Vec<TagFilter>>,
    next_token: Option<String>,
    limit: Option<usize>,
}

/// `TagFilter` of the API: any of the values will do, and any value at all without them.
#[derive(Deserialize)]
struct TagFilter {
    key: String,
    values: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListLogGroupsOutput {
    log_groups: Vec<LogGroupSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `LogGroupSummary` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogGroupSummary {
    log_group_name: String,
    log_group_arn: String,
    log_group_class: &'static str,
}

/// Whether a name is one that a pattern is for: `error|^/aws/` finds `error` anywhere and `/aws/` at the beginning.
fn finds(pattern: &str, name: &str) -> bool {
    pattern.split('|').any(|part| match part.strip_prefix('^') {
        Some(beginning) => name.starts_with(beginning),
        None => name.contains(part),
    })
}

impl TagFilter {
    fn takes(&self, group: &Group) -> bool {
        let wanted = |value: &String| self.values.as_ref().is_none_or(|values| values.contains(value));
        group.tags.get(&self.key).is_some_and(wanted)
    }
}

pub(super) fn list(cx: &mut Cx<LogGroups>, input: ListLogGroups) -> Result<ListLogGroupsOutput> {
    if input.include_linked_accounts == Some(true) {
        return Err(Error::not_implemented("log groups of linked accounts (includeLinkedAccounts)"));
    }
    let last = input.next_token.as_deref().map(token::decode::<Behind>).transpose()?;
    if last.as_ref().is_some_and(|behind| !behind.of.is_empty()) {
        return Err(invalid_token());
    }
    let class = input.log_group_class.as_deref().is_none_or(|class| class == STANDARD);
    let found = after(&cx.state.groups, last.as_ref().map(|behind| &*behind.name)).filter(|(name, group)| {
        class
            && input.log_group_name_pattern.as_deref().is_none_or(|pattern| finds(pattern, name))
            && input.log_group_tags.iter().flatten().all(|filter| filter.takes(group))
    });
    let (page, next_token) = token::page(found, input.limit.unwrap_or(PAGE), "")?;
    let summary = |(name, _): (&String, &Group)| LogGroupSummary {
        log_group_name: name.clone(),
        log_group_arn: group_arn(cx.scope, name),
        log_group_class: STANDARD,
    };
    Ok(ListLogGroupsOutput { log_groups: page.into_iter().map(summary).collect(), next_token })
}
