//! `StartLiveTail`: what AWS refuses is refused in its words, all else by name. There are no streams of events in answers here.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html>

use serde::Deserialize;

use super::names::invalid;
use super::pattern::Pattern;
use super::store::LogGroups;
use crate::cloud::Cx;
use crate::{Error, Result};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartLiveTail {
    log_group_identifiers: Vec<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefixes: Option<Vec<String>>,
    log_event_filter_pattern: Option<String>,
}

pub(super) fn start(_: &mut Cx<LogGroups>, input: StartLiveTail) -> Result<()> {
    let (names, prefixes) = (input.log_stream_names.is_some(), input.log_stream_name_prefixes.is_some());
    if names && prefixes {
        return Err(invalid("Only one of logStreamNames or logStreamNamePrefixes can be provided."));
    }
    if (names || prefixes) && input.log_group_identifiers.len() > 1 {
        return Err(invalid("logStreamNames and logStreamNamePrefixes can only be used with a single log group."));
    }
    Pattern::compile(input.log_event_filter_pattern.as_deref().unwrap_or_default())?;
    Err(Error::not_implemented(
        "the operation logs:StartLiveTail; `aws logs tail --follow` uses FilterLogEvents and works",
    ))
}
