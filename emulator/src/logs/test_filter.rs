//! `TestMetricFilter`: a pattern on messages that come with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::names::invalid;
use super::pattern::{INVALID, Pattern};
use super::store::LogGroups;
use crate::Result;
use crate::cloud::Cx;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestMetricFilter {
    filter_pattern: String,
    log_event_messages: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct TestMetricFilterOutput {
    matches: Vec<Match>,
}

/// `MetricFilterMatchRecord` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    /// From 1 on; the examples of the API's page, which count from 0, are wrong.
    event_number: usize,
    event_message: String,
    extracted_values: BTreeMap<String, String>,
}

pub(super) fn test(_: &mut Cx<LogGroups>, input: TestMetricFilter) -> Result<TestMetricFilterOutput> {
    let pattern = compile(&input.filter_pattern)?;
    let matches = input
        .log_event_messages
        .into_iter()
        .enumerate()
        .filter_map(|(index, message)| {
            let extracted_values = pattern.extract(&message)?;
            Some(Match { event_number: index + 1, event_message: message, extracted_values })
        })
        .collect();
    Ok(TestMetricFilterOutput { matches })
}

/// The pattern of a metric filter.
pub(super) fn compile(pattern: &str) -> Result<Pattern> {
    Pattern::compile(pattern).map_err(|error| {
        // The same errors as with FilterLogEvents, but for the one that says nothing in particular.
        if error.message() == INVALID { invalid("Invalid metric filter pattern") } else { error }
    })
}
