//! A mapping of a DynamoDB stream under way: one batch after the other, in order, until each is processed or given up.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html> and
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

use std::time::Duration;

use imbl::Vector;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::destination::{self, Given};
use super::mapping::{Books, Mapping, Settings, StreamSettings};
use super::read::{Process, Processed, Read, ReadUp};
use super::step as step_mapping;
use crate::cloud::Cx;
use crate::lambda::Functions;
use crate::{Result, Timestamp};

/// How long nothing is read after a refusal, and after a failure that may pass. AWS gives no figures: these are ours.
const AFTER_REFUSAL: Duration = Duration::from_secs(60);
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// A batch that failed is tried again after this, twice as long each time, up to that. AWS says "exponential backoff" and no
/// figures: these are ours.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LAST_BACKOFF: Duration = Duration::from_secs(60);
/// An iterator is good for 15 minutes: a place in a stream that has no record before it is kept by reading on in time.
const REFRESH: Duration = Duration::from_secs(10 * 60);
/// A job that has not reported this long after it had to is lost.
const GRACE: Duration = Duration::from_secs(60);
/// The event of a synchronous invocation is at most this large, in bytes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;
/// What `LastProcessingResult` says of a batch.
const OK: &str = "OK";
const FAILED: &str = "PROBLEM: Function call failed";

/// What is under way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct StreamBooks {
    /// Whether there may be something to read.
    pub is_hungry: bool,
    pub place: Place,
    reading: Option<u64>,
    /// Read, and waiting for the rest of their batch.
    buffer: Vector<Value>,
    /// When the first of them has waited long enough.
    window_ends: Option<Timestamp>,
    /// The batch in work: one piece, or what it was split into.
    pieces: Vector<Piece>,
    running: Option<u64>,
    next: u64,
    paused_until: Option<Timestamp>,
    /// When the first piece is tried again.
    again: Option<Timestamp>,
}

/// Where the next record is read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Place {
    pub shard: Option<String>,
    /// The last sequence number that was read.
    pub after: Option<String>,
    /// The iterator of the place, as long as nothing was read.
    pub iterator: Option<String>,
    /// Whether the shard is closed and was read to its end.
    pub is_over: bool,
}

/// Records that are with the function together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Piece {
    records: Vec<Value>,
    /// How often they failed.
    failures: u32,
    /// How often they were given to the function, alone or with others.
    invocations: u32,
}

impl StreamBooks {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn is_full(&self, settings: &Settings) -> bool {
        self.buffer.len() >= usize::try_from(settings.batch_size).unwrap_or(usize::MAX)
    }

    /// Takes a batch out of the buffer, if one is due.
    fn fill(&mut self, settings: &Settings, now: Timestamp) {
        let is_due = self.is_full(settings) || self.window_ends.is_none_or(|at| at <= now);
        if !self.pieces.is_empty() || self.buffer.is_empty() || !is_due {
            return;
        }
        let (mut records, mut bytes) = (Vec::new(), 0);
        while records.len() < usize::try_from(settings.batch_size).unwrap_or(usize::MAX)
            && let Some(record) = self.buffer.pop_front()
        {
            bytes += record.to_string().len() + 1;
            if bytes > PAYLOAD_LIMIT && !records.is_empty() {
                self.buffer.push_front(record);
                break;
            }
            records.push(record);
        }
        self.pieces.push_back(Piece { records, ..Piece::default() });
        self.window_ends = window(settings, now).filter(|_| !self.buffer.is_empty());
    }
}

fn window(settings: &Settings, now: Timestamp) -> Option<Timestamp> {
    (settings.window > 0).then(|| now + Duration::from_secs(settings.window.into()))
}

/// The books and the settings of a mapping of a stream.
fn parts(mapping: &mut Mapping) -> Option<(&mut StreamBooks, &Settings, &StreamSettings)> {
    match (&mut mapping.books, &mapping.settings.stream) {
        (Books::Stream(books), Some(stream)) => Some((books, &mapping.settings, stream)),
        _ => None,
    }
}

/// Starts what is due: the next piece, and a read if there is room for what it brings.
pub(super) fn step(cx: &mut Cx<Functions>, uuid: &str) -> Result<()> {
    give_up_the_old(cx, uuid);
    let Functions { mappings, functions, .. } = &mut *cx.state;
    let Some(mapping) = mappings.by_uuid.get_mut(uuid) else { return Ok(()) };
    let function = functions.get(&mapping.function);
    let Some(configuration) = function.and_then(|function| function.configuration_of(mapping.qualifier())) else {
        mapping.last_result = Some("PROBLEM: Function not found".to_owned());
        return Ok(());
    };
    let (role, timeout) = (configuration.role.clone(), Duration::from_secs(configuration.timeout.into()));
    let (now, mapping_arn) = (cx.now, mapping.arn(cx.scope));
    let Some((books, settings, _)) = parts(mapping) else { return Ok(()) };
    books.fill(settings, now);
    let is_free = books.running.is_none() && books.again.is_none_or(|at| at <= now);
    let records = books.pieces.front_mut().filter(|_| is_free).map(|piece| {
        piece.invocations += 1;
        piece.records.clone()
    });
    let batch = records.map(|records| (books.number(), records));
    if let Some((number, _)) = &batch {
        (books.running, books.again) = (Some(*number), None);
    }
    let may_read = books.is_hungry
        && !books.place.is_over
        && books.reading.is_none()
        && !books.is_full(settings)
        && books.paused_until.is_none_or(|until| until <= now);
    let read = may_read.then(|| books.number());
    if let Some(number) = read {
        (books.is_hungry, books.reading) = (false, Some(number));
    }
    let due = [books.window_ends, books.again].into_iter().flatten().filter(|at| *at > now).min();

    let mapping = mapping.clone();
    if let Some((number, records)) = batch {
        cx.start("ProcessBatch", &Process::new(&mapping, number, records))?;
        cx.set_timer("MappingLost", format!("{uuid}/{number}"), now + timeout + GRACE);
    }
    if let Some(read) = read.and_then(|number| Read::new(&mapping, number, &mapping_arn, &role)) {
        cx.set_timer("MappingLost", format!("{uuid}/{}", read.number), now + GRACE);
        cx.start("ReadStream", &read)?;
    }
    match due {
        Some(at) => cx.set_timer("MappingDue", uuid, at),
        None => cx.cancel_timer("MappingDue", uuid),
    }
    Ok(())
}

/// A read has ended.
pub(super) fn read_up(cx: &mut Cx<Functions>, report: &str) -> Result<()> {
    let ReadUp { uuid, number, count, records, place, problem } = serde_json::from_str(report)?;
    let now = cx.now;
    cx.cancel_timer("MappingLost", format!("{uuid}/{number}"));
    let Some(mapping) = cx.state.mappings.by_uuid.get_mut(&uuid) else { return Ok(()) };
    let Some((books, settings, _)) = parts(mapping) else { return Ok(()) };
    if books.reading != Some(number) {
        return Ok(());
    }
    books.reading = None;
    books.is_hungry |= count > 0;
    match problem {
        None => {
            let is_at_start = place.after.is_none() && !place.is_over;
            (books.place, books.paused_until) = (place, None);
            if books.buffer.is_empty() && !records.is_empty() {
                books.window_ends = window(settings, now);
            }
            books.buffer.extend(records);
            if is_at_start {
                cx.set_timer("MappingWake", uuid.as_str(), now + REFRESH);
            }
        }
        Some(problem) => {
            let until = now + if problem.may_pass { AFTER_FAILURE } else { AFTER_REFUSAL };
            books.paused_until = Some(until);
            mapping.last_result = Some(format!("PROBLEM: {}", problem.text));
            cx.set_timer("MappingWake", uuid.as_str(), until);
        }
    }
    step_mapping(cx, &uuid)
}

/// The function is done with a piece.
pub(super) fn processed(cx: &mut Cx<Functions>, report: &str) -> Result<()> {
    let Processed { uuid, number, request_id, function_error, failed_at } = serde_json::from_str(report)?;
    cx.cancel_timer("MappingLost", format!("{uuid}/{number}"));
    let Some(mapping) = cx.state.mappings.by_uuid.get_mut(&uuid) else { return Ok(()) };
    let Some((books, settings, stream)) = parts(mapping) else { return Ok(()) };
    if books.running != Some(number) {
        return Ok(());
    }
    books.running = None;
    let Some(failed_at) = failed_at else {
        books.pieces.pop_front();
        mapping.last_result = Some(OK.to_owned());
        return step_mapping(cx, &uuid);
    };
    let Some(mut piece) = books.pieces.pop_front() else { return step_mapping(cx, &uuid) };
    // What came before the first record that failed is done with.
    let is_partial = settings.partial && failed_at > 0;
    piece.records.drain(..failed_at.min(piece.records.len()));
    let mut given_up = None;
    if stream.bisect && !is_partial && piece.records.len() > 1 {
        // Splitting is no retry.
        let rest = piece.records.split_off(piece.records.len() / 2);
        books.pieces.push_front(Piece { records: rest, ..piece.clone() });
        books.pieces.push_front(piece);
    } else {
        piece.failures += 1;
        if u32::try_from(stream.retries).is_ok_and(|most| piece.failures > most) {
            given_up = Some(piece);
        } else {
            let backoff = FIRST_BACKOFF.saturating_mul(1 << (piece.failures - 1).min(16)).min(LAST_BACKOFF);
            books.again = Some(cx.now + backoff);
            books.pieces.push_front(piece);
        }
    }
    mapping.last_result = Some(FAILED.to_owned());
    if let Some(piece) = given_up {
        let given = Given {
            condition: "RetryAttemptsExhausted",
            records: &piece.records,
            invocations: piece.invocations,
            request_id,
            response: Some(function_error),
        };
        destination::send(cx, &uuid, &given);
    }
    step_mapping(cx, &uuid)
}

/// Gives up the records that are older than the mapping takes them.
fn give_up_the_old(cx: &mut Cx<Functions>, uuid: &str) {
    let now = cx.now;
    let Some((books, _, stream)) = cx.state.mappings.by_uuid.get_mut(uuid).and_then(parts) else { return };
    let Ok(age) = u64::try_from(stream.age) else { return };
    let is_old = |record: &Value| arrival(record) + Duration::from_secs(age) < now;
    if books.running.is_some() {
        return;
    }
    let mut given_up = Vec::new();
    while let Some(mut piece) = books.pieces.pop_front() {
        let keep = piece.records.iter().position(|record| !is_old(record)).unwrap_or(piece.records.len());
        let rest = piece.records.split_off(keep);
        let (failures, invocations) = (piece.failures, piece.invocations);
        if !piece.records.is_empty() {
            given_up.push(piece);
        }
        if !rest.is_empty() {
            books.pieces.push_front(Piece { records: rest, failures, invocations });
            break;
        }
    }
    for piece in given_up {
        let given = Given {
            condition: "RecordAgeExceeded",
            records: &piece.records,
            invocations: piece.invocations,
            request_id: None,
            response: None,
        };
        destination::send(cx, uuid, &given);
    }
}

/// When a record came about.
pub(super) fn arrival(record: &Value) -> Timestamp {
    Timestamp::from_secs(record["dynamodb"]["ApproximateCreationDateTime"].as_f64().unwrap_or_default() as i64)
}

/// A job has not reported.
pub(super) fn lost(cx: &mut Cx<Functions>, uuid: &str, number: u64) -> Result<()> {
    let Some((books, ..)) = cx.state.mappings.by_uuid.get_mut(uuid).and_then(parts) else { return Ok(()) };
    if books.reading == Some(number) {
        (books.reading, books.is_hungry) = (None, true);
    }
    if books.running == Some(number) {
        // The piece is given to the function again.
        books.running = None;
    }
    step_mapping(cx, uuid)
}
