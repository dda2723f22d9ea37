//! CloudWatch Logs Insights: queries over log groups.
//!
//! A query is read by `parse.rs` (words by `lex.rs`) into commands, which `run.rs` has work on rows one after the other.
//! `row.rs` is an event with the fields that are found in it (`discover.rs`), `value.rs` what a field holds; `evaluate.rs`
//! computes expressions with the functions of `functions.rs`, `aggregate.rs` those of `stats`. `queries.rs` and
//! `definitions.rs` are the operations. What the language has and this has not is refused by name.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html>

mod aggregate;
mod definitions;
mod discover;
mod evaluate;
mod functions;
mod lex;
mod parse;
mod queries;
mod row;
mod run;
#[cfg(test)]
mod tests;
mod value;

pub(super) use definitions::Definition;
pub(super) use queries::Query;

use super::store::LogGroups;
use crate::cloud::Service;

/// The one language that there is here.
const LANGUAGE: &str = "CWLI";

/// Adds the operations of this folder.
pub(super) fn operations(service: Service<LogGroups>) -> Service<LogGroups> {
    service.with(queries::operations).with(definitions::operations)
}
