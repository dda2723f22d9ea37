//! The trace: every call that passed the door, and every attempt at running a function, in order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::call::InvocationRef;
use super::fault::FaultKind;
use crate::Timestamp;

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Counted from 1.
    pub seq: u64,
    /// When, by the cloud's clock.
    pub at: Timestamp,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A call of an AWS operation, or of a sink.
    Call(Arc<CallRecord>),
    /// An attempt at running a function began.
    Started(InvocationRecord),
    /// It ended.
    Ended {
        /// Which one.
        invocation: InvocationRecord,
        /// `None` for success, else the error's type, such as `Runtime.ExitError`.
        error: Option<String>,
        /// What the function returned, as JSON, or its error document.
        payload: Arc<str>,
    },
}

/// An attempt at running a function.
#[derive(Clone, Debug, Serialize)]
pub struct InvocationRecord {
    /// Which one.
    #[serde(flatten)]
    pub invocation: InvocationRef,
    /// The request id, the same for every retry of an asynchronous invocation.
    pub request_id: String,
    /// Retries so far: 0 for the first attempt.
    pub retries: u32,
}

/// A call and its outcome.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CallRecord {
    /// The service, or the sink's name.
    pub service: String,
    /// The operation, or the HTTP method.
    pub operation: String,
    /// The IAM action; empty for a sink.
    pub action: String,
    /// The ARN it acts on, or the sink's URL.
    pub resource: String,
    /// The ARN of the caller.
    pub caller: String,
    /// The resource on whose behalf a service made the call, such as a schedule's ARN.
    pub source_arn: Option<String>,
    /// The invocation that made the call, if one did.
    pub invocation: Option<InvocationRef>,
    /// The place of the call among the invocation's calls, from 1.
    pub index: Option<u32>,
    /// The input's members.
    pub input: Value,
    /// The input's payload.
    #[serde(serialize_with = "text_or_size")]
    pub body: Bytes,
    /// The HTTP status that was answered; `None` where no answer reached the caller.
    pub status: Option<u16>,
    /// The error's code and text.
    pub error: Option<(String, String)>,
    /// The output's members.
    pub output: Value,
    /// The output's payload.
    #[serde(serialize_with = "text_or_size")]
    pub answer: Bytes,
    /// The fault that struck the call.
    pub fault: Option<FaultKind>,
}

impl CallRecord {
    /// Whether the call took effect and was not answered with an error.
    ///
    /// A call whose caller crashed after it, or whose reply was lost, took effect.
    pub fn took_effect(&self) -> bool {
        let prevented = self.fault.as_ref().is_some_and(FaultKind::prevents);
        !prevented && self.error.is_none() && self.status.is_none_or(|status| status < 400)
    }
}

/// Payloads appear in a trace as text where they are short text, else as their size.
fn text_or_size<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    const SHOWN: usize = 64 * 1024;
    match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= SHOWN => serializer.serialize_str(text),
        _ => serializer.serialize_str(&format!("<{} bytes>", bytes.len())),
    }
}

/// How many records are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceDepth {
    /// All of them, with inputs and outputs: for tests and scenarios.
    Everything,
    /// None: for `garoa serve`, whose memory must not grow with the calls it answers.
    Nothing,
}

/// The trace of a cloud.
pub(crate) struct Trace {
    depth: TraceDepth,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    records: VecDeque<Record>,
    calls: BTreeMap<InvocationRef, u32>,
}

impl Trace {
    pub fn new(depth: TraceDepth) -> Self {
        Self { depth, inner: Mutex::default() }
    }

    pub fn depth(&self) -> TraceDepth {
        self.depth
    }

    pub fn is_kept(&self) -> bool {
        self.depth == TraceDepth::Everything
    }

    /// The place of the next call of an invocation, from 1.
    pub fn next_call(&self, invocation: &InvocationRef) -> u32 {
        let mut inner = self.inner.lock();
        let count = inner.calls.entry(invocation.clone()).or_default();
        *count += 1;
        *count
    }

    pub fn add(&self, at: Timestamp, event: Event) {
        let mut inner = self.inner.lock();
        if let Event::Ended { invocation, .. } = &event {
            inner.calls.remove(&invocation.invocation);
        }
        if self.is_kept() {
            inner.next += 1;
            let seq = inner.next;
            inner.records.push_back(Record { seq, at, event });
        }
    }

    pub fn records(&self) -> Vec<Record> {
        self.records_from(0)
    }

    /// The records after the first `from`.
    pub fn records_from(&self, from: usize) -> Vec<Record> {
        self.inner.lock().records.iter().skip(from).cloned().collect()
    }
}
