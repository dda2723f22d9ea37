//! Message move tasks: what is in a dead-letter queue goes back to where it came from, or to another queue.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html>

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::Queues;
use super::errors::{invalid, invalid_value};
use super::message::{Content, Message};
use super::queue::{announce, on_own_arn};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// The event that moves as many messages as a second allows; its key is the source's ARN.
pub(super) const MOVE: &str = "Move";
/// The most messages that a task may move in a second, which is also what it moves where nobody says.
const MAX_RATE: u32 = 500;
/// How often a task moves.
const TICK: Duration = Duration::from_secs(1);
/// As many tasks are remembered for a queue, and can be listed.
const MAX_LISTED: usize = 10;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Queues>) -> Service<Queues> {
    service
        .op("StartMessageMoveTask", |at, i: &StartMessageMoveTask| on_own_arn(at, &i.source_arn), start)
        .op("CancelMessageMoveTask", |at, i: &CancelMessageMoveTask| on_own_arn(at, &i.source()), cancel)
        .op("ListMessageMoveTasks", |at, i: &ListMessageMoveTasks| on_own_arn(at, &i.source_arn), list)
        .event(MOVE, tick)
}

/// A task, under way or over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MoveTask {
    id: String,
    destination: Option<String>,
    rate: Option<u32>,
    status: Status,
    moved: u64,
    to_move: u64,
    failure: Option<String>,
    started: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Running,
    Completed,
    Cancelling,
    Cancelled,
    Failed,
}

/// A task's handle: JSON in base64, as AWS's is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handle {
    task_id: String,
    source_arn: String,
}

impl Handle {
    fn encode(&self) -> Result<String> {
        Ok(STANDARD.encode(serde_json::to_vec(self)?))
    }

    fn decode(text: &str) -> Option<Self> {
        serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StartMessageMoveTask {
    source_arn: String,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Started {
    task_handle: String,
}

fn start(cx: &mut Cx<Queues>, input: StartMessageMoveTask) -> Result<Started> {
    let now = cx.now;
    let source: Arc<str> = input.source_arn.as_str().into();
    let rate = input.rate()?;
    let queue = cx.state.queues.get_mut(&source).ok_or_else(|| no_resource("SourceArn"))?;
    queue.touch(now);
    let to_move = queue.books.counts().visible as u64;
    let first = (Arc::clone(&source), Arc::<str>::from(""));
    if cx.state.sources.range(first..).next().is_none_or(|(dead, _)| *dead != source) {
        return Err(invalid("Source queue must be configured as a Dead Letter Queue."));
    }
    if let Some(destination) = &input.destination_arn {
        input.check_destination(cx.state, &source, destination)?;
        if !cx.access().may("sqs:SendMessage", destination) {
            return Err(not_allowed("sqs:SendMessage", destination));
        }
    }
    if let Some(action) =
        ["sqs:ReceiveMessage", "sqs:DeleteMessage"].into_iter().find(|action| !cx.access().may(action, &source))
    {
        return Err(not_allowed(action, &source));
    }
    let id = cx.ids.uuid();
    let tasks = cx.state.moves.entry(Arc::clone(&source)).or_default();
    if tasks.iter().any(MoveTask::is_active) {
        return Err(invalid(
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
        ));
    }
    let destination = input.destination_arn;
    tasks.insert(
        0,
        MoveTask {
            id: id.clone(),
            destination,
            rate,
            status: Status::Running,
            moved: 0,
            to_move,
            failure: None,
            started: now,
        },
    );
    tasks.truncate(MAX_LISTED);
    cx.set_timer(MOVE, source, now);
    Ok(Started { task_handle: Handle { task_id: id, source_arn: input.source_arn }.encode()? })
}

impl StartMessageMoveTask {
    fn rate(&self) -> Result<Option<u32>> {
        let Some(rate) = self.max_number_of_messages_per_second else { return Ok(None) };
        let valid = u32::try_from(rate).ok().filter(|rate| (1..=MAX_RATE).contains(rate));
        let reason = || format!("MaxNumberOfMessagesPerSecond must be an integer between 1 and {MAX_RATE}.");
        valid.map(Some).ok_or_else(|| invalid_value(rate, "MaxNumberOfMessagesPerSecond", reason()))
    }

    fn check_destination(&self, state: &Queues, source: &Arc<str>, destination: &str) -> Result<()> {
        let to = state.queues.get(destination).ok_or_else(|| no_resource("DestinationArn"))?;
        if to.arn == *source {
            return Err(invalid("Source queue arn and destination queue arn must not be the same."));
        }
        let from_fifo = state.queues.get(source).is_some_and(super::queue::Queue::is_fifo);
        if to.is_fifo() != from_fifo {
            return Err(invalid("Source and destination queues must be of the same type."));
        }
        Ok(())
    }
}

fn no_resource(parameter: &str) -> Error {
    let message = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
    Error::new(404, "ResourceNotFoundException", message)
}

fn not_allowed(action: &str, resource: &str) -> Error {
    Error::new(403, "AccessDenied", format!("A message move task needs the permission {action} on {resource}."))
}

impl MoveTask {
    fn is_active(&self) -> bool {
        matches!(self.status, Status::Running | Status::Cancelling)
    }

    fn end(&mut self, status: Status) {
        self.status = status;
    }
}

/// A second's share of messages is moved.
fn tick(cx: &mut Cx<Queues>, source: &str) -> Result<()> {
    let Some(task) = cx.state.moves.get(source).and_then(|tasks| tasks.first()).cloned() else { return Ok(()) };
    let mut task = task;
    match task.status {
        Status::Running => {}
        Status::Cancelling => {
            task.end(Status::Cancelled);
            return put_back(cx, source, task);
        }
        _ => return Ok(()),
    }
    for _ in 0..task.rate.unwrap_or(MAX_RATE) {
        match move_one(cx, source, task.destination.as_deref()) {
            Ok(true) => task.moved += 1,
            Ok(false) => {
                task.end(Status::Completed);
                break;
            }
            Err(reason) => {
                task.end(Status::Failed);
                task.failure = Some(reason);
                break;
            }
        }
        if task.moved >= task.to_move {
            task.end(Status::Completed);
            break;
        }
    }
    if task.is_active() {
        let next = cx.now + TICK;
        cx.set_timer(MOVE, source, next);
    }
    put_back(cx, source, task)
}

fn put_back(cx: &mut Cx<Queues>, source: &str, task: MoveTask) -> Result<()> {
    if let Some(slot) = cx.state.moves.get_mut(source).and_then(|tasks| tasks.first_mut()) {
        *slot = task;
    }
    Ok(())
}

/// Moves the oldest visible message. False if there is none; an error says why it cannot be moved.
///
/// It arrives as a new message: with an id of its own, sent now, never received.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html>
fn move_one(cx: &mut Cx<Queues>, source: &str, destination: Option<&str>) -> Result<bool, String> {
    let now = cx.now;
    let queue = cx.state.queues.get_mut(source).ok_or("AWS.SimpleQueueService.NonExistentQueue")?;
    queue.touch(now);
    let first = match queue.books.groups() {
        Some(groups) => groups.next().map(|(_, key, _)| key),
        None => queue.books.next(0),
    };
    let Some((key, message)) = first.and_then(|key| Some((key, queue.books.get(key)?))) else {
        return Ok(false);
    };
    let target = destination.map(Arc::from).or_else(|| message.source.clone());
    let target: Arc<str> = target.ok_or("CouldNotDetermineMessageSource")?;
    if !cx.state.queues.contains_key(&target) {
        return Err("AWS.SimpleQueueService.NonExistentQueue".to_owned());
    }
    let Some(message) = cx.state.queues.get_mut(source).and_then(|queue| queue.books.remove(key)) else {
        return Ok(false);
    };
    let Some(to) = cx.state.queues.get_mut(&target) else { return Ok(false) };
    let sequence = to.deduplication.as_mut().map(|memory| {
        memory.sequence += 1;
        memory.sequence
    });
    let content = Content { id: cx.ids.uuid().into(), sequence, ..(*message.content).clone() };
    to.books.add(now, Message::new(Arc::new(content)), now, now);
    let arn = Arc::clone(&to.arn);
    announce(cx, &arn);
    Ok(true)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CancelMessageMoveTask {
    task_handle: String,
}

impl CancelMessageMoveTask {
    fn source(&self) -> String {
        Handle::decode(&self.task_handle).map_or_else(|| "*".to_owned(), |handle| handle.source_arn)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Cancelled {
    approximate_number_of_messages_moved: u64,
}

fn cancel(cx: &mut Cx<Queues>, input: CancelMessageMoveTask) -> Result<Cancelled> {
    let handle =
        Handle::decode(&input.task_handle).ok_or_else(|| invalid("Value for parameter TaskHandle is invalid."))?;
    if !cx.state.queues.contains_key(handle.source_arn.as_str()) {
        return Err(no_resource("SourceArn"));
    }
    let tasks = cx.state.moves.get_mut(handle.source_arn.as_str());
    let task = tasks.and_then(|tasks| tasks.iter_mut().find(|task| task.id == handle.task_id));
    let task = task.ok_or_else(|| Error::new(404, "ResourceNotFoundException", "Task does not exist."))?;
    if task.status != Status::Running {
        return Err(invalid("Only active tasks can be cancelled."));
    }
    task.end(Status::Cancelling);
    Ok(Cancelled { approximate_number_of_messages_moved: task.moved })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListMessageMoveTasks {
    source_arn: String,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    results: Vec<Entry>,
}

/// A task as it is listed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    task_handle: Option<String>,
    status: Status,
    source_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_number_of_messages_per_second: Option<u32>,
    approximate_number_of_messages_moved: u64,
    approximate_number_of_messages_to_move: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<String>,
    started_timestamp: i64,
}

fn list(cx: &mut Cx<Queues>, input: ListMessageMoveTasks) -> Result<Listed> {
    if !cx.state.queues.contains_key(input.source_arn.as_str()) {
        return Err(no_resource("SourceArn"));
    }
    let count = input.max_results.unwrap_or(1);
    let count = usize::try_from(count).ok().filter(|count| (1..=MAX_LISTED).contains(count)).ok_or_else(|| {
        invalid_value(count, "MaxResults", format!("MaxResults must be an integer between 1 and {MAX_LISTED}."))
    })?;
    let tasks = cx.state.moves.get(input.source_arn.as_str()).into_iter().flatten();
    let results = tasks.take(count).map(|task| {
        // Only a task that can be cancelled tells its handle.
        let handle = Handle { task_id: task.id.clone(), source_arn: input.source_arn.clone() };
        Ok(Entry {
            task_handle: (task.status == Status::Running).then(|| handle.encode()).transpose()?,
            status: task.status,
            source_arn: input.source_arn.clone(),
            destination_arn: task.destination.clone(),
            max_number_of_messages_per_second: task.rate,
            approximate_number_of_messages_moved: task.moved,
            approximate_number_of_messages_to_move: task.to_move,
            failure_reason: task.failure.clone(),
            started_timestamp: task.started.millis(),
        })
    });
    Ok(Listed { results: results.collect::<Result<_>>()? })
}
