//! How groups and streams are named and found, and what is answered when they are not.

use imbl::OrdMap;

use super::store::{Group, LogGroups, Stream};
use crate::cloud::{At, Scope, Target};
use crate::{Error, Result};

/// A wrong parameter, in AWS's words.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::client("InvalidParameterException", message)
}

pub(super) fn invalid_token() -> Error {
    invalid("The specified nextToken is invalid.")
}

fn no_group() -> Error {
    missing("The specified log group does not exist.")
}

pub(super) fn no_stream() -> Error {
    missing("The specified log stream does not exist.")
}

pub(super) fn missing(message: impl Into<String>) -> Error {
    Error::client("ResourceNotFoundException", message)
}

/// More than AWS allows of something, in its words.
pub(super) fn limit_exceeded() -> Error {
    Error::client("LimitExceededException", "Resource limit exceeded.")
}

impl LogGroups {
    pub(super) fn group(&self, name: &str) -> Result<&Group> {
        self.groups.get(name).ok_or_else(no_group)
    }

    pub(super) fn group_mut(&mut self, name: &str) -> Result<&mut Group> {
        self.groups.get_mut(name).ok_or_else(no_group)
    }
}

impl Group {
    pub(super) fn stream(&self, name: &str) -> Result<&Stream> {
        self.streams.get(name).ok_or_else(no_stream)
    }
}

/// The name of the group that is given by name or by identifier, which is a name or an ARN.
pub(super) fn group_name<'a>(
    scope: &Scope,
    name: Option<&'a String>,
    identifier: Option<&'a String>,
) -> Result<&'a str> {
    match (name, identifier) {
        (Some(name), None) => Ok(name),
        (None, Some(identifier)) => name_of(scope, identifier).ok_or_else(no_group),
        (Some(_), Some(_)) => Err(Error::client(
            "ValidationException",
            "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
        )),
        (None, None) => Err(invalid("Either LogGroup name or LogGroup ARN must be specified.")),
    }
}

/// The name in an ARN of a group in this scope, or the name itself. Groups of other accounts are out of reach: there is
/// no cross-account observability here.
fn name_of<'a>(scope: &Scope, identifier: &'a str) -> Option<&'a str> {
    if !identifier.starts_with("arn:") {
        return Some(identifier);
    }
    let name = identifier.strip_prefix(&scope.arn("logs", "log-group:"))?;
    Some(name.strip_suffix(":*").unwrap_or(name))
}

/// The name of the group that the tagging operations name by ARN.
pub(super) fn tagged_group<'a>(scope: &Scope, arn: &'a str) -> Result<&'a str> {
    arn.starts_with("arn:").then(|| name_of(scope, arn)).flatten().ok_or_else(no_group)
}

/// `arn:aws:logs:…:log-group:NAME`, as `logGroupArn` of the API has it.
pub(super) fn group_arn(scope: &Scope, name: &str) -> String {
    scope.arn("logs", format_args!("log-group:{name}"))
}

pub(super) fn stream_arn(scope: &Scope, group: &str, stream: &str) -> String {
    scope.arn("logs", format_args!("log-group:{group}:log-stream:{stream}"))
}

/// What an operation on a group acts on.
///
/// The Service Authorization Reference writes `log-group:NAME`, but what AWS evaluates is what its denials print:
/// `log-group:NAME:log-stream:` with nothing behind it. So a policy on `log-group:NAME:*` allows, and one on
/// `log-group:NAME` does not, as people find out who pass on the ARN without the asterisk.
pub(super) fn on_group(at: &At<LogGroups>, name: Option<&String>, identifier: Option<&String>) -> Target {
    let name = name.map(String::as_str).or_else(|| identifier.and_then(|id| name_of(at.scope, id)));
    Target::on(stream_arn(at.scope, name.unwrap_or_default(), ""))
}

/// What an operation on a stream acts on: `log-group:NAME:log-stream:STREAM`.
pub(super) fn on_stream(
    at: &At<LogGroups>,
    name: Option<&String>,
    identifier: Option<&String>,
    stream: &str,
) -> Target {
    let name = name.map(String::as_str).or_else(|| identifier.and_then(|id| name_of(at.scope, id)));
    Target::on(stream_arn(at.scope, name.unwrap_or_default(), stream))
}

/// What a tagging operation by ARN acts on: the ARN without `:*` (the API's page on `LogGroup` says so).
pub(super) fn on_arn(_: &At<LogGroups>, arn: &str) -> Target {
    Target::on(arn.strip_suffix(":*").unwrap_or(arn))
}

/// The values of a map from a name on, without that name: where a listing goes on.
pub(super) fn after<'a, V: Clone>(map: &'a OrdMap<String, V>, last: Option<&str>) -> Names<'a, V> {
    match last {
        None => Box::new(map.iter()),
        Some(last) => {
            let last = last.to_owned();
            Box::new(map.range(last.clone()..).filter(move |(name, _)| **name != last))
        }
    }
}

type Names<'a, V> = Box<dyn Iterator<Item = (&'a String, &'a V)> + 'a>;
