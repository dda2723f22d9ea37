//! Invariants: named functions over a finished run, and what they see of it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use serde_json::Value;

use crate::cloud::{Call, CallRecord, Caller, Cloud, Event, Record, Reply};
use crate::model::Model;
use crate::scenario::script::{Ending, Script};
use crate::{Error, Result, wire};

/// Whether something held throughout a run; the error says what did not, and where.
pub type Always = fn(&Run) -> Result<(), String>;

/// How often each thing happened that must happen exactly once. The error says why that cannot be told.
pub type Once = fn(&Run) -> Result<BTreeMap<String, usize>, String>;

/// The invariants that scripts may name in `always` and `once`.
#[derive(Clone, Default)]
pub struct Invariants {
    always: BTreeMap<&'static str, Always>,
    once: BTreeMap<&'static str, Once>,
}

impl Invariants {
    /// An invariant for `always`.
    #[must_use]
    pub fn always(mut self, name: &'static str, holds: Always) -> Self {
        self.always.insert(name, holds);
        self
    }

    /// An invariant for `once`.
    #[must_use]
    pub fn once(mut self, name: &'static str, counts: Once) -> Self {
        self.once.insert(name, counts);
        self
    }

    pub(super) fn find_always(&self, name: &str) -> Option<Always> {
        self.always.get(name).copied()
    }

    pub(super) fn find_once(&self, name: &str) -> Option<Once> {
        self.once.get(name).copied()
    }

    /// Refuses a script that names an invariant which nobody has written, drawn at its place.
    pub(super) fn check(&self, script: &Script) -> Result<(), String> {
        for ending in &script.endings {
            let (named, known): (Vec<_>, Vec<&str>) = match ending {
                Ending::Always(names) => (names.iter().collect(), self.always.keys().copied().collect()),
                Ending::Once { invariant, .. } => (vec![invariant], self.once.keys().copied().collect()),
                Ending::Explore(_) => continue,
            };
            if let Some(named) = named.into_iter().find(|named| !known.contains(&named.name.as_str())) {
                let what = if matches!(ending, Ending::Once { .. }) { "once" } else { "always" };
                let message = format!("there is no invariant `{}` for `{what}`", named.name);
                let problem = crate::scenario::script::Problem::new(named.span, message);
                return Err(script.diagnostic(problem.did_you_mean(&named.name, known)).to_string());
            }
        }
        Ok(())
    }
}

/// The state at the end of a run: answers calls of the account's root user, and changes nothing in the run.
type State = Arc<dyn Fn(Call) -> Result<Reply> + Send + Sync>;

/// A finished run, as invariants see it.
#[derive(Clone)]
pub struct Run {
    records: Arc<[Record]>,
    state: State,
}

impl Run {
    /// A run of these records, whose final state is asked through `state`: for the tests of invariants.
    pub fn new(records: Vec<Record>, state: impl Fn(Call) -> Result<Reply> + Send + Sync + 'static) -> Self {
        Self { records: records.into(), state: Arc::new(state) }
    }

    /// A run in a cloud, as it is now.
    pub(super) fn of(cloud: &Cloud, records: Vec<Record>) -> Self {
        // In a copy, so that looking leaves no trace.
        let copy = cloud.fork();
        Self::new(records, move |call| at_once(&copy, call))
    }

    /// The trace.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The calls in the trace, in order.
    pub fn calls(&self) -> impl Iterator<Item = (&Record, &CallRecord)> {
        self.records.iter().filter_map(|record| match &record.event {
            Event::Call(call) => Some((record, &**call)),
            _ => None,
        })
    }

    /// The requests that a sink answered with a status below 300, in order; whether the sender learned of it or not.
    pub fn accepted(&self, sink: &str) -> impl Iterator<Item = (&Record, &CallRecord)> {
        self.calls().filter(move |(_, call)| {
            call.service == sink
                && call.action.is_empty()
                && call.took_effect()
                && call.status.is_some_and(|status| status < 300)
        })
    }

    /// Asks the final state, as the account's root user.
    ///
    /// # Errors
    /// The service's answer, if that is an error.
    pub fn call(&self, service: &str, operation: &str, input: Value) -> Result<Reply> {
        let model = Model::of(service).ok_or_else(|| Error::not_implemented(format!("the service {service}")))?;
        let caller = Caller::root(crate::cloud::DEFAULT_ACCOUNT);
        let scope = crate::cloud::Scope::new(crate::cloud::DEFAULT_ACCOUNT, crate::cloud::DEFAULT_REGION);
        let known = model.operation(operation);
        let known = known.ok_or_else(|| Error::not_implemented(format!("{service}:{operation}")))?;
        wire::validate(known, &input)?;
        (self.state)(Call::new(model.service, operation, caller, scope, input))
    }
}

/// Makes a call that does not wait.
pub(super) fn at_once(cloud: &Cloud, call: Call) -> Result<Reply> {
    let what = format!("{}:{}", call.service, call.operation);
    let calling = pin!(cloud.call(call));
    match calling.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => Err(Error::not_implemented(format!("asking {what}, which waits, of a finished run"))),
    }
}
