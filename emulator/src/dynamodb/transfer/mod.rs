//! Imports of tables from S3 and exports to it: jobs that read and write objects through the front door, as whoever asked
//! for them.
//!
//! Both are under way until the job has ended, which takes no virtual time. Garoa reads and writes DynamoDB JSON, and reads
//! CSV; Ion, ZSTD, incremental exports, exports to a past second and the error log of imports are not there.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3forDynamoDB.html>

mod export;
mod import;
mod source;

use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use export::Export;
pub(super) use import::Import;

use super::Tables;
use super::errors::validation;
use crate::cloud::{Call, Caller, Cloud, Cx, Reply, Scope, Service};
use crate::{Error, Result, Timestamp};

/// Adds the operations of this folder.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.with(import::operations).with(export::operations)
}

/// Where an import or export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    InProgress,
    Completed,
    Failed,
}

/// Why an import or export failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Failure {
    code: String,
    message: String,
}

impl From<Error> for Failure {
    /// What S3 answered, in the words in which AWS passes it on.
    fn from(error: Error) -> Self {
        let (code, message, status) = (error.code(), error.message(), error.status());
        Self {
            code: format!("S3{code}"),
            message: format!("{message} (Service: Amazon S3; Status Code: {status}; Error Code: {code})"),
        }
    }
}

/// Whoever asked for a transfer, as the job calls S3: an invocation that asked may be over by then.
fn requester<S>(cx: &Cx<S>) -> Caller {
    Caller { invocation: None, ..cx.caller.clone() }
}

/// Calls S3 where the bucket is, which may be another region than the table's.
async fn call_s3(cloud: &Cloud, call: Call) -> Result<Reply> {
    match cloud.call(call.clone()).await {
        Err(error) if error.code() == "PermanentRedirect" => {
            let region = error.members().get("x-amz-bucket-region").and_then(Value::as_str).map(Arc::from);
            let Some(region) = region else { return Err(error) };
            cloud.call(Call { scope: Scope { region, ..call.scope.clone() }, ..call }).await
        }
        answer => answer,
    }
}

/// What an earlier request with the same token made, if there was one.
fn repeated(cx: &Cx<Tables>, token: Option<&str>, request: &Value, conflict: &'static str) -> Result<Option<Arc<str>>> {
    match token.and_then(|token| cx.state.transfer_tokens.get(token)) {
        None => Ok(None),
        Some((earlier, arn)) if earlier == request => Ok(Some(arn.clone())),
        Some((_, arn)) => {
            let message = format!("A request with the same client token but other parameters was made: {arn}");
            Err(Error::client(conflict, message))
        }
    }
}

/// The token of a list's next page: the last ARN in hexadecimal digits, as long and as often sixteen as the model asks for.
fn page_token(arn: &str) -> String {
    let length = arn.len().next_multiple_of(8).max(56);
    hex::encode(format!("{arn:<length$}"))
}

/// What stands on a page, by ARN, and the token of the next page.
type Page<'a, T> = (Vec<(&'a Arc<str>, &'a T)>, Option<String>);

/// A page of what was made of a table or, without one, of all tables: their ARNs begin with the table's. With the token of the
/// next page.
fn page<'a, T: Clone>(
    all: &'a OrdMap<Arc<str>, T>,
    table_arn: Option<&str>,
    token: Option<&str>,
    size: usize,
) -> Result<Page<'a, T>> {
    let prefix = table_arn.map(|arn| format!("{arn}/")).unwrap_or_default();
    let after = after_token(token)?;
    let start = after.as_deref().map_or(Bound::Included(prefix.as_str()), Bound::Excluded);
    let range = all.range::<_, str>((start, Bound::Unbounded));
    let mut found = range.take_while(|(arn, _)| arn.starts_with(&prefix));
    let page: Vec<_> = found.by_ref().take(size).collect();
    let next = found.next().and(page.last()).map(|(arn, _)| page_token(arn));
    Ok((page, next))
}

/// The ARN in such a token.
fn after_token(token: Option<&str>) -> Result<Option<String>> {
    let invalid = || validation("Invalid NextToken");
    let Some(token) = token else { return Ok(None) };
    let bytes = hex::decode(token).map_err(|_| invalid())?;
    String::from_utf8(bytes).map(|arn| Some(arn.trim_end().to_owned())).map_err(|_| invalid())
}

/// The id of a transfer: when it began, and some digits.
fn id(cx: &mut Cx<Tables>) -> String {
    format!("{:014}-{}", cx.now.millis(), cx.ids().hex(8))
}

/// Adds the times, and what went wrong, to a description.
fn describe_end(shown: &mut Value, started: Timestamp, ended: Option<Timestamp>, failure: Option<&Failure>) {
    shown["StartTime"] = started.millis().into();
    if let Some(ended) = ended {
        shown["EndTime"] = ended.millis().into();
    }
    if let Some(Failure { code, message }) = failure {
        shown["FailureCode"] = code.as_str().into();
        shown["FailureMessage"] = message.as_str().into();
    }
}
