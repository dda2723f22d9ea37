//! Traces for the tests of invariants.

use garoa::Timestamp;
use garoa::cloud::{CallRecord, Event, Record};

/// The trace of these calls, one a second.
pub fn trace(calls: Vec<CallRecord>) -> Vec<Record> {
    let record = |(at, call): (usize, CallRecord)| Record {
        seq: at as u64 + 1,
        at: Timestamp::from_secs(at as i64),
        event: Event::Call(std::sync::Arc::new(call)),
    };
    calls.into_iter().enumerate().map(record).collect()
}
