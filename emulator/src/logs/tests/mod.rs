//! Tests of the operations, through the front door.

#![allow(clippy::unwrap_used)]

mod filter;
mod get;
mod groups;
mod permissions;
mod put;
mod retention;
mod sdk;
mod streams;
mod tags;

use serde_json::{Value, json};

use crate::cloud::{Call, Caller, Cloud, IamMode};
use crate::{Error, Timestamp};

const ACCOUNT: &str = "123456789012";
/// When the tests begin: 2026-03-02T12:00:00Z.
const START: i64 = 1_772_452_800_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A cloud whose root user calls the service.
struct Logs(Cloud);

impl Logs {
    fn new() -> Self {
        Self(Cloud::builder().start(Timestamp::from_millis(START)).iam(IamMode::Off).build())
    }

    /// With a group `g` and a stream `s` in it.
    async fn with_stream() -> Self {
        let logs = Self::new();
        logs.ok("CreateLogGroup", json!({"logGroupName": "g"})).await;
        logs.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).await;
        logs
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Value, Error> {
        let call = Call::new("logs", operation, Caller::root(ACCOUNT), self.0.scope().clone(), input);
        self.0.call(call).await.map(|reply| reply.output)
    }

    async fn ok(&self, operation: &str, input: Value) -> Value {
        self.call(operation, input).await.unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// Code and text of the error.
    async fn error(&self, operation: &str, input: Value) -> (String, String) {
        match self.call(operation, input).await {
            Ok(output) => panic!("{operation} succeeds: {output}"),
            Err(error) => {
                assert!(matches!(error.status(), 400 | 501), "{error}");
                (error.code().to_owned(), error.message().to_owned())
            }
        }
    }

    /// Puts events into a stream of `g`, each with its time after [`START`].
    async fn put(&self, stream: &str, events: &[(i64, &str)]) -> Value {
        let events: Vec<_> =
            events.iter().map(|(at, message)| json!({"timestamp": START + at, "message": message})).collect();
        let input = json!({"logGroupName": "g", "logStreamName": stream, "logEvents": events});
        self.ok("PutLogEvents", input).await
    }

    async fn advance(&self, millis: i64) {
        let time = std::time::Duration::from_millis(millis.unsigned_abs());
        self.0.advance(time).await.unwrap();
    }
}

/// Some members of each entry of a list.
fn members(list: &Value, member: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    list.as_array().unwrap().iter().map(|entry| text(&entry[member])).collect()
}

fn messages(output: &Value) -> Vec<String> {
    members(&output["events"], "message")
}

fn pair(code: &str, message: &str) -> (String, String) {
    (code.to_owned(), message.to_owned())
}

fn no_group() -> (String, String) {
    pair("ResourceNotFoundException", "The specified log group does not exist.")
}

fn no_stream() -> (String, String) {
    pair("ResourceNotFoundException", "The specified log stream does not exist.")
}

fn invalid_token() -> (String, String) {
    pair("InvalidParameterException", "The specified nextToken is invalid.")
}
