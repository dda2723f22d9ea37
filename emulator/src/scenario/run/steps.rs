//! The steps: what each verb does.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::models::Models;
use super::player::{Player, Wrong, is_past};
use super::{snapshot, view::View};
use crate::cloud::{Call, Caller, Scope};
use crate::model::{Model, OperationModel, Shape};
use crate::scenario::awscli::{Command, CommandError, Response};
use crate::scenario::expect::Mismatch;
use crate::scenario::script::{Advance, Aws, Expected, Invoke, Log, Name, Span, Step, StepKind};
use crate::{Error, Result, Timestamp, wire};

/// What one `PutLogEvents` may carry: events, and bytes with 26 for each event.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
const BATCH_EVENTS: usize = 10_000;
const BATCH_BYTES: usize = 1_048_576;
const EVENT_OVERHEAD: usize = 26;
/// The events of one batch may be this far apart, same page.
const BATCH_SPAN: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// Pages of one command; more means that an answer's token never ends.
const PAGES_MAX: usize = 1000;

/// Carries out a step.
pub(super) async fn take(player: &mut Player<'_>, index: usize, step: &Step) -> Result<(), Wrong> {
    let stalled = |why: crate::clock::Stalled| Wrong::new(step.span, why.to_string());
    match &step.kind {
        StepKind::Log(log) => put_logs(player, log, step.span).await,
        StepKind::Aws(aws) => command(player, index, aws, step.span).await,
        StepKind::Advance(Advance::By(time)) => player.cloud.advance(*time).await.map_err(stalled),
        StepKind::Advance(Advance::To(point)) => {
            let now = player.cloud.now();
            if is_past(now, *point) {
                return Err(Wrong::new(step.span, format!("that is past: it is {}", now.to_iso_millis())));
            }
            player.cloud.advance_to(*point).await.map_err(stalled)
        }
        StepKind::Settle => player.cloud.settle().await.map_err(stalled),
        StepKind::Mark => {
            player.marked = player.books.calls.len();
            Ok(())
        }
        StepKind::Sink { name, answers } => match player.cloud.find_sink(name) {
            Some(sink) => {
                sink.answer(answers.clone());
                Ok(())
            }
            None => Err(Wrong::new(step.span, format!("the sink `{name}` was not started"))),
        },
        StepKind::Fault(fault) => {
            player.cloud.inject(fault.clone().into());
            Ok(())
        }
        StepKind::Queue { name, quirks } => {
            let arn = player.cloud.scope().arn("sqs", name);
            player.cloud.queue_quirks(&arn, *quirks).map_err(|error| wrong_call(step.span, &error))
        }
        StepKind::Invoke(invoke) => self::invoke(player, index, invoke, step.span).await,
        StepKind::Http(http) => super::http::take(player, index, http, step.span).await,
        StepKind::WebSocket(ws) => super::websocket::take(player, ws, step.span).await,
        StepKind::Expect(expectation) => expectation.evaluate(&View(player)).map_err(|mismatch| Wrong {
            difference: Some(mismatch.to_string()),
            ..Wrong::new(step.span, "this does not hold")
        }),
        StepKind::Snapshot(name) => snapshot::compare(player, name.as_deref(), step.span),
    }
}

/// An event that waits to be put.
type Line = (Timestamp, String);

async fn put_logs(player: &mut Player<'_>, log: &Log, span: Span) -> Result<(), Wrong> {
    let group = json!({ "logGroupName": log.group });
    make(player, "CreateLogGroup", group, span).await?;
    let stream = json!({ "logGroupName": log.group, "logStreamName": log.stream });
    make(player, "CreateLogStream", stream, span).await?;

    let now = player.cloud.now();
    let mut lines: Vec<Line> = Vec::new();
    for number in 1..=log.repeat {
        for line in &log.lines {
            let fill = |name: &Name| match name {
                Name::Number => Some(number.to_string()),
                other => player.name(other),
            };
            lines.push((line.timestamp.unwrap_or(now), line.message.render(&fill)?));
        }
    }
    lines.sort_by_key(|(at, _)| *at);
    for batch in batches(&lines) {
        let events: Vec<Value> = batch.iter().map(|(at, text)| json!({ "timestamp": at, "message": text })).collect();
        let input = json!({ "logGroupName": log.group, "logStreamName": log.stream, "logEvents": events });
        let answered = logs(player, "PutLogEvents", input).await.map_err(|error| wrong_call(span, &error))?;
        if let Some(rejected) = answered.get("rejectedLogEventsInfo").filter(|info| !info.is_null()) {
            return Err(Wrong {
                is_call: true,
                ..Wrong::new(span, format!("CloudWatch Logs rejected lines (too old or too new): {rejected}"))
            });
        }
    }
    Ok(())
}

/// The lines, which are in order of time, cut into what one call may carry.
fn batches(lines: &[Line]) -> Vec<&[Line]> {
    let mut batches = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (at, (time, text)) in lines.iter().enumerate() {
        let size = text.len() + EVENT_OVERHEAD;
        let apart = lines.get(from).is_some_and(|(first, _)| time.since(*first) >= BATCH_SPAN);
        if at > from && (at - from == BATCH_EVENTS || bytes + size > BATCH_BYTES || apart) {
            batches.push(&lines[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += size;
    }
    if from < lines.len() {
        batches.push(&lines[from..]);
    }
    batches
}

/// Creates what may be there already.
async fn make(player: &Player<'_>, operation: &str, input: Value, span: Span) -> Result<(), Wrong> {
    match logs(player, operation, input).await {
        Err(error) if error.code() != "ResourceAlreadyExistsException" => Err(wrong_call(span, &error)),
        _ => Ok(()),
    }
}

async fn logs(player: &Player<'_>, operation: &str, input: Value) -> Result<Value> {
    let scope = player.cloud.scope().clone();
    Ok(page(player, "logs", operation, scope, input, Bytes::new()).await?.output)
}

fn wrong_call(span: Span, error: &Error) -> Wrong {
    Wrong { is_call: true, ..Wrong::new(span, error.to_string()) }
}

/// What makes a call that is sent twice one call is made up by the AWS CLI where the user leaves it out.
fn fill_tokens(player: &Player<'_>, model: &OperationModel, input: &mut Value) {
    let members = model.input_shape().and_then(Shape::structure).into_iter().flat_map(|structure| &structure.members);
    for member in members.filter(|member| member.idempotency_token) {
        if input[member.name].is_null() {
            input[member.name] = player.cloud.0.next_request_id().into();
        }
    }
}

/// One call, validated as the wire does it.
async fn page(
    player: &Player<'_>,
    service: &str,
    operation: &str,
    scope: Scope,
    mut input: Value,
    body: Bytes,
) -> Result<Response> {
    let known = Model::of(service).and_then(|model| Some((model.service, model.operation(operation)?)));
    let (service, model) = known.ok_or_else(|| Error::not_implemented(format!("{service}:{operation}")))?;
    fill_tokens(player, model, &mut input);
    wire::validate(model, &input)?;
    let caller = Caller::root(&scope.account);
    let call = Call::new(service, operation, caller, scope, input).with_body(body);
    let reply = player.call(call).await?;
    Ok(Response { output: reply.output, body: reply.body.unwrap_or_default() })
}

async fn command(player: &mut Player<'_>, index: usize, aws: &Aws, span: Span) -> Result<(), Wrong> {
    for number in 1..=aws.repeat {
        let words = aws.render(&|name| match name {
            Name::Number => Some(number.to_string()),
            other => player.name(other),
        })?;
        let printed = print(player, aws, &words, span).await?;
        compare(player, index, &words.join(" "), printed, aws.capture.as_ref(), aws.expected.as_ref())?;
    }
    Ok(())
}

/// Runs a command; what it prints.
async fn print(player: &Player<'_>, aws: &Aws, words: &[String], span: Span) -> Result<String, Wrong> {
    let mut command = Command::parse(words, &Models).map_err(|error| aws.problem(error))?;
    if let Some((word, name)) = &command.file {
        command.body = Some(file(player, *word, name).map_err(|error| aws.problem(error))?);
    }
    let printed = match pages(player, &command).await {
        Ok(pages) => command.print(&pages, &Models).map_err(|error| aws.problem(error))?,
        // What the CLI says of an error can be expected as any other output.
        Err(error) if aws.expected.is_some() => command.failure(&error),
        Err(error) => return Err(Wrong { is_call: true, ..Wrong::new(span, command.failure(&error)) }),
    };
    Ok(printed.trim_end_matches('\n').to_owned())
}

/// Invokes a function; its answer is what is printed. An answer that says that it failed is one that can be expected.
async fn invoke(player: &mut Player<'_>, index: usize, invoke: &Invoke, span: Span) -> Result<(), Wrong> {
    let event = invoke.event.render(&|name| player.name(name))?;
    let scope = player.cloud.scope().clone();
    let input = json!({ "FunctionName": invoke.function });
    let answered = page(player, "lambda", "Invoke", scope, input, Bytes::from(event)).await;
    let answered = answered.map_err(|error| wrong_call(span, &error))?;
    let printed = String::from_utf8_lossy(&answered.body).into_owned();
    if !answered.output["FunctionError"].is_null() && invoke.expected.is_none() {
        return Err(Wrong { is_call: true, ..Wrong::new(span, format!("the function failed: {printed}")) });
    }
    let what = format!("invoke {}", invoke.function);
    compare(player, index, &what, printed, invoke.capture.as_ref(), invoke.expected.as_ref())
}

/// Keeps what was printed, and compares it with what was expected.
pub(super) fn compare(
    player: &mut Player<'_>,
    index: usize,
    what: &str,
    printed: String,
    capture: Option<&String>,
    expected: Option<&Expected>,
) -> Result<(), Wrong> {
    if let Some(name) = capture {
        player.variables.insert(name.clone(), printed.clone());
    }
    let Some(expected) = expected else { return Ok(()) };
    let wanted = expected.text.render(&|name| player.name(name))?;
    if wanted == printed {
        return Ok(());
    }
    if player.options.bless {
        player.printed.push((index, printed));
        return Ok(());
    }
    let mismatch = Mismatch::new(what.to_owned(), wanted, printed);
    Err(Wrong {
        difference: Some(mismatch.to_string()),
        is_call: true,
        ..Wrong::new(expected.span, "the command printed something else")
    })
}

/// What a file of the header holds.
fn file(player: &Player<'_>, word: usize, name: &str) -> Result<Bytes, CommandError> {
    let files = &player.script.header.files;
    let known = files.get(name).map(|file| file.content(name));
    known.ok_or_else(|| {
        CommandError::new(word, format!("the header has no file `{name}`")).near(name, files.keys().map(String::as_str))
    })
}

async fn pages(player: &Player<'_>, command: &Command) -> Result<Vec<Response>> {
    let mut scope = player.cloud.scope().clone();
    if let Some(region) = &command.region {
        scope.region = Arc::from(region.as_str());
    }
    let mut pages = Vec::new();
    let mut input = Some(command.input.clone());
    while let Some(next) = input {
        if pages.len() == PAGES_MAX {
            return Err(Error::internal(format!("the answer has more than {PAGES_MAX} pages")));
        }
        let body = command.body.clone().unwrap_or_default();
        let answer = page(player, &command.service, &command.operation, scope.clone(), next, body).await?;
        input = command.next(&answer);
        pages.push(answer);
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_by_number_size_and_time() {
        let line = |seconds: i64, size: usize| (Timestamp::from_secs(seconds), "x".repeat(size));
        let sizes = |lines: &[Line]| batches(lines).iter().map(|batch| batch.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0_usize; 0]);
        assert_eq!(sizes(&vec![line(0, 1); 10_001]), [10_000, 1]);
        assert_eq!(sizes(&vec![line(0, 500_000); 3]), [2, 1]);
        assert_eq!(sizes(&[line(0, 1), line(86_399, 1), line(86_400, 1)]), [2, 1]);
    }
}
