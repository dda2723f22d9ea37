//! What an operation sees: its service's state in one scope, the time, the caller, and what it may ask for.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;

use super::access::Access;
use super::call::{Call, Caller, InvocationRef, Scope};
use super::ids::Ids;
use super::measure::{Measured, Sampled};
use super::reply::Reply;
use super::trace::Event;
use crate::clock::{Timer, TimerChange};
use crate::lambda::{Attempt, Environments};
use crate::s3::NewBuckets;
use crate::{Error, Result, Timestamp};

/// The context of one step on a service's state `S`.
///
/// A step that fails must not have changed the state: check first, then change. What it asked for (timers, calls,
/// jobs) is dropped when it fails.
pub struct Cx<'a, S> {
    /// The state in the call's scope.
    pub state: &'a mut S,
    /// The cloud's time.
    pub now: Timestamp,
    /// The account and region of the call.
    pub scope: &'a Scope,
    /// Who calls.
    pub caller: &'a Caller,
    /// The payload of the call.
    pub body: Bytes,
    /// The id of this request, as its answer carries it.
    pub request_id: &'a str,
    pub(crate) service: &'static str,
    pub(crate) ids: &'a mut Ids,
    pub(crate) effects: &'a mut Effects,
    pub(crate) reply: &'a mut Reply,
    pub(crate) resumed: Option<&'a Resumed>,
    pub(crate) access: &'a Access<'a>,
    pub(crate) host: Option<&'a HeaderValue>,
    pub(crate) writes: bool,
}

impl<S> Cx<'_, S> {
    /// The service's generator of ids.
    pub fn ids(&mut self) -> &mut Ids {
        self.ids
    }

    /// Where the caller reaches this cloud, such as `http://localhost:4566`; `None` if it is at AWS's own hosts, as an SDK in
    /// this process believes, or if the call came in by value.
    pub fn endpoint(&self) -> Option<String> {
        let host = self.host?.to_str().ok()?;
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        (!name.ends_with(".amazonaws.com")).then(|| format!("http://{host}"))
    }

    /// Who may do what, for operations whose answer depends on it.
    pub fn access(&self) -> &Access<'_> {
        self.access
    }

    /// What runs the code of functions.
    pub(crate) fn environments(&self) -> &Environments {
        &self.access.inner.environments
    }

    /// What S3's buckets begin with.
    pub(crate) fn new_buckets(&self) -> NewBuckets {
        self.access.inner.new_buckets
    }

    /// Has `event` of this service called with `key` at `when`, in this scope. There is one such timer for each event
    /// and key: setting it again moves it.
    pub fn set_timer(&mut self, event: &'static str, key: impl Into<Arc<str>>, when: Timestamp) {
        let timer = self.timer(event, key.into());
        self.effects.timers.push(TimerChange::Set(timer, when));
    }

    /// Takes back what [`Cx::set_timer`] asked for.
    pub fn cancel_timer(&mut self, event: &'static str, key: impl Into<Arc<str>>) {
        let timer = self.timer(event, key.into());
        self.effects.timers.push(TimerChange::Cancel(timer));
    }

    fn timer(&self, event: &'static str, key: Arc<str>) -> Timer {
        Timer { service: self.service.into(), scope: self.scope.clone(), event: event.into(), key }
    }

    /// Wakes the calls that answered [`Step::Later`] on this signal, and the services that listen to it
    /// ([`super::Service::on_signal`]).
    pub fn signal(&mut self, signal: impl Into<String>) {
        self.signal_in(self.scope, signal);
    }

    /// The same for something that lives in another account or region than the call's.
    pub fn signal_in(&mut self, scope: &Scope, signal: impl Into<String>) {
        self.effects.signals.push((scope.clone(), signal.into()));
    }

    /// Has another service called once this step is done, through the front door. The answer is not waited for; who
    /// wants it uses a job.
    pub fn emit(&mut self, call: Call) {
        self.effects.calls.push(vec![call]);
    }

    /// The same for several calls, each of which is made when the one before it is answered.
    pub fn emit_in_order(&mut self, calls: Vec<Call>) {
        self.effects.calls.push(calls);
    }

    /// Has a job of this service started once this step is done. See `Service::job`.
    pub fn start(&mut self, job: &'static str, input: &impl Serialize) -> Result<()> {
        let input = serde_json::to_value(input).map_err(Error::internal)?;
        self.begin(Work::Job { service: self.service, job, input });
        Ok(())
    }

    /// Runs a function's code.
    pub(crate) fn run(&mut self, attempt: Attempt) {
        self.begin(Work::Attempt(Arc::new(attempt)));
    }

    fn begin(&mut self, work: Work) {
        self.effects.jobs.push(JobRun { scope: self.scope.clone(), work });
    }

    /// Kills the code of an invocation, as a crash or the end of its time does.
    pub fn kill(&mut self, invocation: InvocationRef) {
        self.effects.kills.push(invocation);
    }

    /// Has a metric of the service itself kept: `name`, `value` and `unit`, with the dimensions, in a namespace of AWS's.
    pub(crate) fn measure(
        &mut self,
        namespace: &'static str,
        dimensions: &[(&'static str, &str)],
        at: Timestamp,
        (name, value, unit): (&'static str, f64, &'static str),
    ) {
        self.measure_in(self.scope, namespace, dimensions, at, (name, Sampled::Value(value), unit));
    }

    /// The same for something that lives in another account or region than the step's, and of more than one value.
    pub(crate) fn measure_in(
        &mut self,
        scope: &Scope,
        namespace: &'static str,
        dimensions: &[(&'static str, &str)],
        at: Timestamp,
        (name, samples, unit): (&'static str, Sampled, &'static str),
    ) {
        let dimensions = dimensions.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let measured = Measured { scope: scope.clone(), namespace, name, dimensions, at, samples, unit };
        self.effects.measured.push(measured);
    }

    /// Adds to the trace.
    pub fn note(&mut self, event: Event) {
        self.effects.notes.push(event);
    }

    /// Overrides the answer's HTTP status.
    pub fn answer_status(&mut self, status: u16) {
        self.reply.status = Some(status);
    }

    /// Adds a header to the answer.
    pub fn answer_header(&mut self, name: HeaderName, value: HeaderValue) {
        self.reply.headers.insert(name, value);
    }

    /// The answer's payload.
    pub fn answer_body(&mut self, body: Bytes) {
        self.reply.body = Some(body);
    }

    /// Whether the operation may write a long member of its answer as XML itself, instead of a value that would become that
    /// XML: the call came over HTTP, and no trace and no fault looks at its answer.
    pub(crate) fn writes(&self) -> bool {
        self.writes
    }

    /// A member of the answer, as XML; the output leaves it out.
    pub(crate) fn answer_written(&mut self, member: &'static str, elements: String) {
        self.reply.written = Some((member, elements));
    }

    /// Why this operation is called again, if it is: it had answered [`Step::Later`].
    pub fn resumed(&self) -> Option<&Resumed> {
        self.resumed
    }
}

/// What an operation that may have to wait answers.
#[derive(Debug)]
pub enum Step<O> {
    /// The answer.
    Done(O),
    /// Not now: call again on this signal, or at this time.
    Later(Later),
}

/// What a waiting operation waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Later {
    /// The signal: see [`Cx::signal`].
    pub signal: String,
    /// When to be called again at the latest.
    pub until: Option<Timestamp>,
    /// What the operation wants to remember.
    pub token: String,
}

/// How a waiting operation is called again.
#[derive(Clone, Debug, PartialEq)]
pub struct Resumed {
    /// What it wanted to remember.
    pub token: String,
    /// Whether its time is over.
    pub expired: bool,
}

/// Code that runs beside the services' states.
#[derive(Clone, Debug)]
pub(crate) struct JobRun {
    pub scope: Scope,
    pub work: Work,
}

/// What such code is.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// A service's own, such as the making of a stack.
    Job { service: &'static str, job: &'static str, input: Value },
    /// A function's.
    Attempt(Arc<Attempt>),
}

/// What a step asked for.
#[derive(Default)]
pub(crate) struct Effects {
    pub timers: Vec<TimerChange>,
    pub signals: Vec<(Scope, String)>,
    /// Each a sequence.
    pub calls: Vec<Vec<Call>>,
    pub jobs: Vec<JobRun>,
    pub kills: Vec<InvocationRef>,
    pub notes: Vec<Event>,
    pub measured: Vec<Measured>,
}
