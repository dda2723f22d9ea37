//! Amazon Kinesis Data Streams: streams of records in shards.
//!
//! A stream is active when the answer to its making comes. Shards are not split or merged, and there are no consumers with
//! throughput of their own and no encryption: these operations are refused by name.
//! <https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html>

mod iterator;
mod put;
mod read;
mod shard;
mod streams;
mod tags;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::cloud::{At, Cx, Scope, Service, Target};
use crate::{Error, Result};
use streams::Stream;

/// The streams of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Streams {
    /// By their names.
    streams: OrdMap<Arc<str>, Stream>,
}

/// The service and its operations.
pub fn service() -> Service<Streams> {
    Service::new("kinesis")
        .with(streams::operations)
        .with(put::operations)
        .with(read::operations)
        .with(tags::operations)
}

/// Gives inputs the name of the stream that they name by its name or its ARN. A struct within them would hide unknown members
/// from the kernel, which refuses them.
macro_rules! named {
    ($($input:ident),+) => {
        $(impl $input {
            fn name(&self) -> &str {
                $crate::kinesis::name_of(self.stream_name.as_deref(), self.stream_arn.as_deref())
            }
        })+
    };
}
use named;

/// A stream as requests name it: by its name or its ARN.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
}

named! { Named }

/// The name of a stream that is named by its name or its ARN; empty if by neither.
fn name_of<'a>(name: Option<&'a str>, arn: Option<&'a str>) -> &'a str {
    let of_arn = || arn.and_then(|arn| arn.split_once(":stream/")).map(|(_, name)| name);
    name.or_else(of_arn).unwrap_or_default()
}

/// The ARN of a stream.
fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("kinesis", format_args!("stream/{name}"))
}

/// A stream as the target of an operation.
fn on(at: &At<Streams>, name: &str) -> Target {
    Target::on(arn(at.scope, name))
}

/// The stream that a request names.
///
/// # Errors
/// `ResourceNotFoundException`, or `InvalidArgumentException` if it names none.
fn find<'a>(cx: &'a Cx<'_, Streams>, name: &str) -> Result<&'a Stream> {
    cx.state.streams.get(name).ok_or_else(|| missing(cx.scope, name))
}

/// The same to change it.
fn find_mut<'a>(cx: &'a mut Cx<'_, Streams>, name: &str) -> Result<&'a mut Stream> {
    let scope = cx.scope;
    cx.state.streams.get_mut(name).ok_or_else(|| missing(scope, name))
}

fn missing(scope: &Scope, name: &str) -> Error {
    if name.is_empty() {
        return invalid("Either the StreamName or the StreamARN must be specified");
    }
    Error::client("ResourceNotFoundException", format!("Stream {name} under account {} not found.", scope.account))
}

/// An argument that does not fit.
fn invalid(message: impl Into<String>) -> Error {
    Error::client("InvalidArgumentException", message)
}
