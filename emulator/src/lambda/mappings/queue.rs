//! A mapping of a queue under way: what was received, what runs, and what comes next.
//!
//! All of it is state: the jobs of `poll.rs` receive, deliver and report, and a timer stands for each of them in case it is
//! lost with the cloud that it ran in (what it held becomes visible again by itself).
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>

use std::time::Duration;

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::mapping::{Books, Mapping, Settings, State};
use super::poll::{Deliver, Delivered, Receive, Received};
use super::step as step_mapping;
use crate::cloud::Cx;
use crate::lambda::Functions;
use crate::{Result, Timestamp};

/// `ReceiveMessage` gives at most this many messages.
const RECEIVE_MOST: usize = 10;
/// The event of a synchronous invocation is at most this large, in bytes; a batch that would be larger is split.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;
/// What the event has besides its records and a comma after each.
const ENVELOPE: usize = r#"{"Records":[]}"#.len();
/// Batches that run at the same time at first, how many more may each minute while there are messages left, and at most.
const FIRST_CONCURRENCY: usize = 5;
const MORE_EACH_MINUTE: usize = 300;
const MOST_CONCURRENCY: usize = 1250;
const MINUTE: Duration = Duration::from_secs(60);
/// How long no message is received after a refusal, and after a failure that may pass. AWS gives no figures: these are ours.
const AFTER_REFUSAL: Duration = Duration::from_secs(60);
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// A job that has not reported this long after it had to is lost.
const GRACE: Duration = Duration::from_secs(60);

/// What is under way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct QueueBooks {
    /// Whether there may be something to receive.
    pub is_hungry: bool,
    /// The receive that is under way.
    receiving: Option<u64>,
    /// Received, and waiting for the rest of their batch.
    buffer: Vector<Waiting>,
    bytes: usize,
    /// When the first of them has waited long enough.
    window_ends: Option<Timestamp>,
    /// The batches that are with the function.
    running: OrdMap<u64, ()>,
    next: u64,
    /// Since when there have been messages without a break.
    busy_since: Option<Timestamp>,
    paused_until: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    record: Value,
    size: usize,
}

impl QueueBooks {
    /// Forgets what was received: it becomes visible again by itself.
    pub fn drop_buffer(&mut self) {
        self.buffer.clear();
        self.bytes = 0;
        self.window_ends = None;
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn concurrency(&self, settings: &Settings, now: Timestamp) -> usize {
        let minutes = self.busy_since.map_or(0, |since| now.since(since).as_secs() / MINUTE.as_secs());
        let grown = usize::try_from(minutes).unwrap_or(MOST_CONCURRENCY).saturating_mul(MORE_EACH_MINUTE);
        let most =
            settings.concurrency.map_or(MOST_CONCURRENCY, |most| usize::try_from(most).unwrap_or(MOST_CONCURRENCY));
        FIRST_CONCURRENCY.saturating_add(grown).min(MOST_CONCURRENCY).min(most)
    }

    fn is_due(&self, settings: &Settings, now: Timestamp) -> bool {
        !self.buffer.is_empty() && (self.is_full(settings) || self.window_ends.is_none_or(|at| at <= now))
    }

    fn is_full(&self, settings: &Settings) -> bool {
        self.buffer.len() >= usize::try_from(settings.batch_size).unwrap_or(usize::MAX)
            || ENVELOPE + self.bytes >= PAYLOAD_LIMIT
    }

    fn add(&mut self, records: Vec<Value>, settings: &Settings, now: Timestamp) {
        if self.buffer.is_empty() && settings.window > 0 {
            self.window_ends = Some(now + Duration::from_secs(settings.window.into()));
        }
        for record in records {
            let size = record.to_string().len() + 1;
            self.bytes += size;
            self.buffer.push_back(Waiting { record, size });
        }
    }

    /// Takes a batch: one record at least, then as many as fit.
    fn take(&mut self, settings: &Settings, now: Timestamp) -> Vec<Value> {
        let (mut records, mut bytes) = (Vec::new(), ENVELOPE);
        while records.len() < usize::try_from(settings.batch_size).unwrap_or(usize::MAX)
            && let Some(next) = self.buffer.front()
            && (records.is_empty() || bytes + next.size <= PAYLOAD_LIMIT)
            && let Some(next) = self.buffer.pop_front()
        {
            bytes += next.size;
            self.bytes -= next.size;
            records.push(next.record);
        }
        let window = Duration::from_secs(settings.window.into());
        self.window_ends = (!self.buffer.is_empty() && !window.is_zero()).then(|| now + window);
        records
    }
}

/// Starts what is due: batches that are complete, and a receive if there is room for what it brings.
pub(super) fn step(cx: &mut Cx<Functions>, uuid: &str) -> Result<()> {
    let Functions { mappings, functions, .. } = &mut *cx.state;
    let Some(mapping) = mappings.by_uuid.get_mut(uuid) else { return Ok(()) };
    let function = functions.get(&mapping.function);
    let Some(configuration) = function.and_then(|function| function.configuration_of(mapping.qualifier())) else {
        mapping.last_result = Some("PROBLEM: Function not found".to_owned());
        return Ok(());
    };
    let (role, timeout) = (configuration.role.clone(), Duration::from_secs(configuration.timeout.into()));
    let (now, mapping_arn) = (cx.now, mapping.arn(cx.scope));
    let Mapping { books: Books::Queue(queue), settings, .. } = mapping else { return Ok(()) };
    let most = queue.concurrency(settings, now);

    let mut batches = Vec::new();
    while queue.running.len() < most && queue.is_due(settings, now) {
        let number = queue.number();
        queue.running.insert(number, ());
        batches.push((number, queue.take(settings, now)));
    }
    let is_free = queue.receiving.is_none()
        && queue.running.len() < most
        && !queue.is_full(settings)
        && queue.paused_until.is_none_or(|until| until <= now);
    let receive = (queue.is_hungry && is_free).then(|| queue.number());
    if let Some(number) = receive {
        (queue.is_hungry, queue.receiving) = (false, Some(number));
    }
    let room = usize::try_from(settings.batch_size).unwrap_or(usize::MAX).saturating_sub(queue.buffer.len());
    // More may run in a minute, if that is what is missing.
    let more = queue.busy_since.filter(|_| queue.is_hungry && queue.running.len() >= most && most < MOST_CONCURRENCY);
    let more = more.map(|since| since + MINUTE * (1 + u32::try_from(now.since(since).as_secs() / 60).unwrap_or(0)));
    let due = [queue.window_ends.filter(|at| *at > now), more].into_iter().flatten().min();

    let mapping = mapping.clone();
    for (number, records) in batches {
        let job = Deliver::new(&mapping, number, &mapping_arn, &role, records);
        cx.start("DeliverBatch", &job)?;
        cx.set_timer("MappingLost", format!("{uuid}/{number}"), now + timeout + GRACE);
    }
    if let Some(number) = receive {
        let job = Receive::new(&mapping, number, &mapping_arn, &role, room.min(RECEIVE_MOST));
        cx.start("ReceiveBatch", &job)?;
        cx.set_timer("MappingLost", format!("{uuid}/{number}"), now + GRACE);
    }
    match due {
        Some(at) => cx.set_timer("MappingDue", uuid, at),
        None => cx.cancel_timer("MappingDue", uuid),
    }
    Ok(())
}

/// A receive has ended.
pub(super) fn received(cx: &mut Cx<Functions>, report: &str) -> Result<()> {
    let Received { uuid, number, count, records, problem } = serde_json::from_str(report)?;
    let now = cx.now;
    cx.cancel_timer("MappingLost", format!("{uuid}/{number}"));
    let Some(mapping) = cx.state.mappings.by_uuid.get_mut(&uuid) else { return Ok(()) };
    let Mapping { books: Books::Queue(queue), settings, state, last_result, .. } = mapping else { return Ok(()) };
    if queue.receiving != Some(number) {
        return Ok(());
    }
    queue.receiving = None;
    queue.is_hungry |= count > 0;
    match count {
        0 => queue.busy_since = None,
        _ => {
            queue.busy_since.get_or_insert(now);
        }
    }
    if *state == State::Enabled {
        queue.add(records, settings, now);
    }
    match problem {
        // Only that a problem is over is worth a word: AWS shows no result of a queue's mapping that is well.
        None => {
            queue.paused_until = None;
            *last_result = None;
        }
        Some(problem) => {
            let until = now + if problem.may_pass { AFTER_FAILURE } else { AFTER_REFUSAL };
            queue.paused_until = Some(until);
            *last_result = Some(format!("PROBLEM: {}", problem.text));
            cx.set_timer("MappingWake", uuid.as_str(), until);
        }
    }
    step_mapping(cx, &uuid)
}

/// A batch is done with.
pub(super) fn delivered(cx: &mut Cx<Functions>, report: &str) -> Result<()> {
    let Delivered { uuid, number } = serde_json::from_str(report)?;
    cx.cancel_timer("MappingLost", format!("{uuid}/{number}"));
    ended(cx, &uuid, number)
}

/// A job is over, or was lost.
pub(super) fn ended(cx: &mut Cx<Functions>, uuid: &str, number: u64) -> Result<()> {
    let books = cx.state.mappings.by_uuid.get_mut(uuid).map(|mapping| &mut mapping.books);
    let Some(Books::Queue(queue)) = books else { return Ok(()) };
    queue.running.remove(&number);
    if queue.receiving == Some(number) {
        (queue.receiving, queue.is_hungry) = (None, true);
    }
    step_mapping(cx, uuid)
}
