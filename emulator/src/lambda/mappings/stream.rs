//! A mapping of a stream under way: of each shard one batch after the other, in order, until each is processed or given up.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>, <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html> and
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

use std::time::Duration;

use imbl::Vector;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

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
/// An iterator is good for 15 minutes, one of Kinesis for 5: a place in a stream that has no record before it is kept by reading
/// on in time.
const REFRESH: Duration = Duration::from_secs(4 * 60);
/// A job that has not reported this long after it had to is lost.
const GRACE: Duration = Duration::from_secs(60);
/// The event of a synchronous invocation is at most this large, in bytes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;
/// What `LastProcessingResult` says of a batch.
const OK: &str = "OK";
const FAILED: &str = "PROBLEM: Function call failed";

/// What is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StreamBooks {
    /// A shard each; as long as they are not known, one for the first of them.
    lanes: Vector<Lane>,
    /// Jobs are numbered in the whole mapping.
    next: u64,
}

impl Default for StreamBooks {
    fn default() -> Self {
        Self { lanes: Vector::unit(Lane::default()), next: 0 }
    }
}

impl StreamBooks {
    /// There may be something to read.
    pub fn wake(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.is_hungry = true);
    }
}

/// What is under way of one shard.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Lane {
    /// Whether there may be something to read.
    is_hungry: bool,
    place: Place,
    reading: Option<u64>,
    paused_until: Option<Timestamp>,
    #[serde(flatten)]
    first: Track,
    /// The others, where several batches of the shard may be with the function at a time.
    #[serde(default)]
    more: Vector<Track>,
}

/// The records of a shard of which one batch is with the function at a time: those of some keys, or all.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Track {
    /// Read, and waiting for the rest of their batch.
    buffer: Vector<Value>,
    /// When the first of them has waited long enough.
    window_ends: Option<Timestamp>,
    /// The batch in work: one piece, or what it was split into.
    pieces: Vector<Piece>,
    running: Option<u64>,
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

impl Track {
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

/// What is to be started of a shard.
#[derive(Default)]
struct Due {
    batches: Vec<(u64, Vec<Value>)>,
    read: Option<(u64, Place)>,
    /// When there is something to do again.
    next: Option<Timestamp>,
}

impl Track {
    /// The piece that the function is to get now, with the number of its job.
    fn due(&mut self, settings: &Settings, now: Timestamp, number: impl FnOnce() -> u64) -> Option<(u64, Vec<Value>)> {
        self.fill(settings, now);
        let is_free = self.running.is_none() && self.again.is_none_or(|at| at <= now);
        let piece = self.pieces.front_mut().filter(|_| is_free)?;
        piece.invocations += 1;
        let (number, records) = (number(), piece.records.clone());
        (self.running, self.again) = (Some(number), None);
        Some((number, records))
    }

    /// Whether a record with this key waits here, or is with the function.
    fn has(&self, key: &Value) -> bool {
        self.pieces.iter().flat_map(|piece| &piece.records).chain(&self.buffer).any(|record| key_of(record) == key)
    }
}

impl Lane {
    fn tracks(&mut self) -> impl Iterator<Item = &mut Track> {
        std::iter::once(&mut self.first).chain(self.more.iter_mut())
    }

    fn due(&mut self, settings: &Settings, now: Timestamp, next: &mut u64) -> Due {
        let mut number = || {
            *next += 1;
            *next
        };
        let mut due = Due::default();
        let mut is_full = true;
        for track in self.tracks() {
            due.batches.extend(track.due(settings, now, &mut number));
            is_full &= track.is_full(settings);
            let next = [track.window_ends, track.again, due.next].into_iter().flatten().filter(|at| *at > now).min();
            due.next = next;
        }
        let may_read = self.is_hungry
            && !self.place.is_over
            && self.reading.is_none()
            && !is_full
            && self.paused_until.is_none_or(|until| until <= now);
        due.read = may_read.then(|| (number(), self.place.clone()));
        if let Some((number, _)) = &due.read {
            (self.is_hungry, self.reading) = (false, Some(*number));
        }
        due
    }

    /// Takes what was read. Records with one key stay in order: each follows those that are still there.
    fn take(&mut self, records: Vec<Value>, settings: &Settings, factor: u32, now: Timestamp) {
        let wanted = usize::try_from(factor.max(1)).unwrap_or(1) - 1;
        while self.more.len() > wanted && self.more.last().is_some_and(Track::is_idle) {
            self.more.pop_back();
        }
        while self.more.len() < wanted {
            self.more.push_back(Track::default());
        }
        for record in records {
            let key = key_of(&record);
            let there = if self.more.is_empty() { None } else { self.tracks().position(|track| track.has(key)) };
            let place = there.unwrap_or_else(|| place_of(key, wanted + 1));
            let Some(track) = self.tracks().nth(place) else { continue };
            if track.buffer.is_empty() {
                track.window_ends = window(settings, now);
            }
            track.buffer.push_back(record);
        }
    }
}

/// By what records are kept in order: the partition key of Kinesis, or the key of an item.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>
fn key_of(record: &Value) -> &Value {
    match record.get("kinesis") {
        Some(kinesis) => &kinesis["partitionKey"],
        None => &record["dynamodb"]["Keys"],
    }
}

/// Which of so many tracks the records of a key go to.
fn place_of(key: &Value, tracks: usize) -> usize {
    let digest = Sha256::digest(key.to_string());
    digest.iter().fold(0, |place, byte| (place * 256 + usize::from(*byte)) % tracks)
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
    let StreamBooks { lanes, next } = books;
    let due: Vec<Due> = lanes.iter_mut().map(|lane| lane.due(settings, now, next)).collect();
    let mapping = mapping.clone();
    let next = due.iter().filter_map(|due| due.next).min();
    for Due { batches, read, .. } in due {
        for (number, records) in batches {
            cx.start("ProcessBatch", &Process::new(&mapping, number, records))?;
            cx.set_timer("MappingLost", format!("{uuid}/{number}"), now + timeout + GRACE);
        }
        if let Some(read) = read.and_then(|read| Read::new(&mapping, read, &mapping_arn, &role)) {
            cx.set_timer("MappingLost", format!("{uuid}/{}", read.number), now + GRACE);
            cx.start("ReadStream", &read)?;
        }
    }
    match next {
        Some(at) => cx.set_timer("MappingDue", uuid, at),
        None => cx.cancel_timer("MappingDue", uuid),
    }
    Ok(())
}

/// A read has ended.
pub(super) fn read_up(cx: &mut Cx<Functions>, report: &str) -> Result<()> {
    let ReadUp { uuid, number, count, records, place, others, problem } = serde_json::from_str(report)?;
    cx.cancel_timer("MappingLost", format!("{uuid}/{number}"));
    let now = cx.now;
    let Some(mapping) = cx.state.mappings.by_uuid.get_mut(&uuid) else { return Ok(()) };
    let Some((books, settings, stream)) = parts(mapping) else { return Ok(()) };
    let Some(lane) = books.lanes.iter_mut().find(|lane| lane.reading == Some(number)) else { return Ok(()) };
    lane.reading = None;
    lane.is_hungry |= count > 0;
    match problem {
        None => {
            let is_at_start = place.after.is_none() && !place.is_over;
            (lane.place, lane.paused_until) = (place, None);
            lane.take(records, settings, stream.factor, now);
            books.lanes.extend(others.into_iter().map(|place| Lane { place, is_hungry: true, ..Lane::default() }));
            if is_at_start {
                cx.set_timer("MappingWake", uuid.as_str(), now + REFRESH);
            }
        }
        Some(problem) => {
            let until = now + if problem.may_pass { AFTER_FAILURE } else { AFTER_REFUSAL };
            lane.paused_until = Some(until);
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
    let found = books.lanes.iter_mut().find_map(|lane| {
        let shard = lane.place.shard.clone();
        Some((shard, lane.tracks().find(|track| track.running == Some(number))?))
    });
    let Some((shard, track)) = found else { return Ok(()) };
    track.running = None;
    let Some(failed_at) = failed_at else {
        track.pieces.pop_front();
        mapping.last_result = Some(OK.to_owned());
        return step_mapping(cx, &uuid);
    };
    let Some(mut piece) = track.pieces.pop_front() else { return step_mapping(cx, &uuid) };
    // What came before the first record that failed is done with.
    let is_partial = settings.partial && failed_at > 0;
    piece.records.drain(..failed_at.min(piece.records.len()));
    let mut given_up = None;
    if stream.bisect && !is_partial && piece.records.len() > 1 {
        // Splitting is no retry.
        let rest = piece.records.split_off(piece.records.len() / 2);
        track.pieces.push_front(Piece { records: rest, ..piece.clone() });
        track.pieces.push_front(piece);
    } else {
        piece.failures += 1;
        if u32::try_from(stream.retries).is_ok_and(|most| piece.failures > most) {
            given_up = Some(piece);
        } else {
            let backoff = FIRST_BACKOFF.saturating_mul(1 << (piece.failures - 1).min(16)).min(LAST_BACKOFF);
            track.again = Some(cx.now + backoff);
            track.pieces.push_front(piece);
        }
    }
    mapping.last_result = Some(FAILED.to_owned());
    if let Some(piece) = given_up {
        let given = Given {
            condition: "RetryAttemptsExhausted",
            shard,
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
    let mut given_up = Vec::<(Option<String>, Vec<Piece>)>::new();
    for lane in &mut books.lanes {
        let shard = lane.place.shard.clone();
        for track in lane.tracks().filter(|track| track.running.is_none()) {
            given_up.push((shard.clone(), track.give_up(Duration::from_secs(age), now)));
        }
    }
    for (shard, pieces) in given_up {
        for piece in pieces {
            let given = Given {
                condition: "RecordAgeExceeded",
                shard: shard.clone(),
                records: &piece.records,
                invocations: piece.invocations,
                request_id: None,
                response: None,
            };
            destination::send(cx, uuid, &given);
        }
    }
}

impl Track {
    fn is_idle(&self) -> bool {
        self.buffer.is_empty() && self.pieces.is_empty() && self.running.is_none()
    }

    /// Takes out what is older.
    fn give_up(&mut self, age: Duration, now: Timestamp) -> Vec<Piece> {
        let is_old = |record: &Value| arrival(record) + age < now;
        let mut given_up = Vec::new();
        while let Some(mut piece) = self.pieces.pop_front() {
            let keep = piece.records.iter().position(|record| !is_old(record)).unwrap_or(piece.records.len());
            let rest = piece.records.split_off(keep);
            let (failures, invocations) = (piece.failures, piece.invocations);
            if !piece.records.is_empty() {
                given_up.push(piece);
            }
            if !rest.is_empty() {
                self.pieces.push_front(Piece { records: rest, failures, invocations });
                break;
            }
        }
        given_up
    }
}

/// When a record came about.
pub(super) fn arrival(record: &Value) -> Timestamp {
    let (table, kinesis) = (&record["dynamodb"], &record["kinesis"]);
    let at = table["ApproximateCreationDateTime"].as_f64().or_else(|| kinesis["approximateArrivalTimestamp"].as_f64());
    Timestamp::from_millis((at.unwrap_or_default() * 1000.0).round() as i64)
}

/// A job has not reported.
pub(super) fn lost(cx: &mut Cx<Functions>, uuid: &str, number: u64) -> Result<()> {
    let Some((books, ..)) = cx.state.mappings.by_uuid.get_mut(uuid).and_then(parts) else { return Ok(()) };
    for lane in &mut books.lanes {
        if lane.reading == Some(number) {
            (lane.reading, lane.is_hungry) = (None, true);
        }
        for track in lane.tracks().filter(|track| track.running == Some(number)) {
            // The piece is given to the function again.
            track.running = None;
        }
    }
    step_mapping(cx, uuid)
}
