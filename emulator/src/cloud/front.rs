//! The front door: every call of every caller passes this one function, which reads from top to bottom.

use bytes::Bytes;
use serde_json::Value;

use super::Inner;
use super::access::{Access, IamMode};
use super::call::{Call, InvocationRef, Scope};
use super::cx::{Effects, Later, Resumed, Step};
use super::fault::{FaultKind, Struck};
use super::reply::Reply;
use super::running::{AnyStep, StepIn};
use super::service::Target;
use super::trace::{CallRecord, Event};
use crate::clock::{self, Activity, Timer, TimerChange, Wait, Woken};
use crate::wire::straight::Unread;
use crate::{Error, Result};

/// Why a call has no answer that its caller sees, or which error it has.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The service answers with an error.
    Error(Error),
    /// The connection breaks without an answer.
    Lost,
    /// The connection is refused.
    Refused,
    /// The caller's code is dead.
    Crashed,
}

impl Halt {
    /// What a caller is told who takes answers as values.
    pub fn into_error(self) -> Error {
        match self {
            Self::Error(error) => error,
            other => Error::internal(format!("no answer: {other:?}")),
        }
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// A call on its way through the door.
struct Passage<'a> {
    call: &'a Call,
    target: Target,
    action: String,
    point: Option<(InvocationRef, u32)>,
    fault: Option<FaultKind>,
    request_id: &'a str,
}

impl Inner {
    /// Makes a call. The order of what happens to it is the design:
    /// resource, faults that come before, permission, the step itself, faults that come after, trace.
    pub(crate) async fn call(&self, mut call: Call, request_id: &str) -> Result<Reply, Halt> {
        let (input, is_watched) = self.input(&mut call);
        if call.host.is_none() {
            call.host = self.served.get().cloned();
        }
        let prepared = self.service(call.service).and_then(|service| service.prepare(&call, input));
        match prepared {
            Ok(step) => self.admit(&call, step, is_watched, request_id).await,
            Err(unreadable) => Err(self.refuse(&call, unreadable, request_id)),
        }
    }

    /// The step for a call whose input was not read, where nobody wants to see it as values and the operation reads it so:
    /// [`super::Service::bulk_op`].
    pub(crate) fn straight<'a>(&'a self, call: &'a Call, request: &Unread<'_>) -> Option<Box<dyn AnyStep + 'a>> {
        if self.trace.is_kept() || !self.faults.lock().is_empty() {
            return None;
        }
        self.service(call.service).ok()?.prepare_straight(call, request)
    }

    /// Lets a call that was read through the door.
    pub(crate) async fn admit(
        &self,
        call: &Call,
        mut step: Box<dyn AnyStep + '_>,
        is_watched: bool,
        request_id: &str,
    ) -> Result<Reply, Halt> {
        let access = self.access_in(&call.caller, &call.scope);
        // What the call acts on is told to whoever asks: faults, the trace, permissions, the log.
        let is_asked = is_watched || self.iam != IamMode::Off || tracing::enabled!(tracing::Level::DEBUG);
        let (target, action) = if is_asked { aim(call, step.target()) } else { (Target::any(), String::new()) };
        let mut passage = Passage { call, target, action, point: None, fault: None, request_id };
        passage.point = self.point(call);
        passage.fault = self.strike(&passage);

        let outcome = match self.before(&passage).await {
            Ok(()) => match access.authorize(call, &passage.action, &passage.target) {
                Ok(()) => self.run(&mut *step, &access, request_id).await.map_err(Halt::Error),
                Err(denied) => Err(Halt::Error(denied)),
            },
            Err(halt) => Err(halt),
        };

        let outcome = self.after(&passage, outcome);
        self.record(&passage, &outcome);
        if matches!(outcome.1, Err(Halt::Crashed)) {
            self.crash(&passage).await;
        }
        outcome.1
    }

    /// The input for the step, and whether somebody will look at the call: the trace, or a fault. Then it keeps its input as well,
    /// and has its answer as values.
    fn input(&self, call: &mut Call) -> (Value, bool) {
        let faults = self.faults.lock();
        faults.restore_token(call);
        let is_watched = self.trace.is_kept() || !faults.is_empty();
        call.writes &= !is_watched;
        (if is_watched { call.input.clone() } else { std::mem::take(&mut call.input) }, is_watched)
    }

    /// A call that cannot even be tried, because its input is not as its operation's has to be, or because there is no such
    /// operation here: it is answered and recorded, and acts on nothing.
    pub(crate) fn refuse(&self, call: &Call, error: Error, request_id: &str) -> Halt {
        let point = self.point(call);
        let passage = Passage { call, target: Target::any(), action: action_of(call), point, fault: None, request_id };
        self.record(&passage, &(Some(Err(error.clone())), Err(Halt::Error(error.clone()))));
        Halt::Error(error)
    }

    /// The place of the call among those of the invocation that makes it.
    fn point(&self, call: &Call) -> Option<(InvocationRef, u32)> {
        let invocation = call.caller.invocation.clone()?;
        let number = self.trace.next_call(&invocation);
        Some((invocation, number))
    }

    fn strike(&self, passage: &Passage<'_>) -> Option<FaultKind> {
        if passage.call.caller.spared {
            return None;
        }
        let point = passage.point.as_ref().map(|(invocation, call)| (&*invocation.function, invocation.number, *call));
        self.faults.lock().strike(&Struck {
            service: passage.call.service,
            operation: &passage.call.operation,
            resource: &passage.target.resource,
            point,
        })
    }

    /// The faults that come before the call takes effect.
    async fn before(&self, passage: &Passage<'_>) -> Result<(), Halt> {
        match &passage.fault {
            None | Some(FaultKind::CrashAfter | FaultKind::LostReply | FaultKind::EmptyPage) => Ok(()),
            Some(FaultKind::CrashBefore) => Err(Halt::Crashed),
            Some(FaultKind::Refuse) => Err(Halt::Refused),
            Some(FaultKind::Delay(time)) => {
                let (_, hold) = Box::pin(self.wait(Some(self.clock.now() + *time))).await?;
                drop(hold);
                Ok(())
            }
            Some(fault) => match fault.answer(passage.call.service, &passage.action) {
                Some(error) => Err(Halt::Error(error)),
                None => Ok(()),
            },
        }
    }

    /// The step on the service's state, as often as it asks to be called again.
    async fn run(&self, step: &mut (dyn AnyStep + '_), access: &Access<'_>, request_id: &str) -> Result<Reply> {
        let mut resumed: Option<Resumed> = None;
        let mut hold = None;
        loop {
            // What happens from here on may be the very signal that the step is going to ask for.
            let signals = self.clock.signals();
            let at = StepIn { now: self.clock.now(), access, request_id, resumed: resumed.as_ref() };
            let (outcome, effects) = step.run(&at)?;
            self.apply(effects);
            drop(hold.take());
            match outcome {
                Step::Done(reply) => return Ok(reply),
                Step::Later(Later { signal, until, token }) => {
                    let wait = Wait::new(&self.clock, Some(signal.into()), until).since(signals);
                    // On the heap: few calls wait, and the others need not carry the room for it.
                    let (woken, held) = Box::pin(self.drive(wait)).await?;
                    resumed = Some(Resumed { token, expired: woken == Woken::Deadline });
                    hold = Some(held);
                }
            }
        }
    }

    /// What a step asked for takes effect.
    pub(crate) fn apply(&self, effects: Effects) {
        self.clock.change_timers(effects.timers);
        for event in effects.notes {
            self.trace.add(self.clock.now(), event);
        }
        if !effects.measured.is_empty() {
            self.measure(&effects.measured);
        }
        for job in effects.jobs {
            clock::begin(self, job);
        }
        for calls in effects.calls {
            clock::deliver(self, &self.driver, calls);
        }
        for invocation in effects.kills {
            self.kill(&invocation);
        }
        for (scope, signal) in effects.signals {
            self.clock.signal(&signal);
            self.tell(&scope, &signal);
        }
    }

    /// Brings about the events of the services that listen to a signal, as timers that are due: they come after what is
    /// ready, and several signals before then are one.
    fn tell(&self, scope: &Scope, signal: &str) {
        for (service, state) in &self.services {
            let Some((event, key)) = state.hears(scope, signal) else { continue };
            let service = (*service).into();
            let timer = Timer { service, scope: scope.clone(), event: event.into(), key: key.into() };
            self.clock.change_timers(vec![TimerChange::Set(timer, self.clock.now())]);
        }
    }

    /// Waits for a point in time, or for good, by the cloud's clock.
    pub(crate) async fn wait(&self, until: Option<crate::Timestamp>) -> Result<(Woken, crate::clock::Hold)> {
        self.drive(Wait::new(&self.clock, None, until)).await
    }

    /// Waits for a signal, of those since there had been `signals` of them, and no longer than until then.
    pub(crate) async fn wait_for(
        &self,
        signal: String,
        signals: u64,
        until: crate::Timestamp,
    ) -> Result<crate::clock::Hold> {
        let wait = Wait::new(&self.clock, Some(signal.into()), Some(until)).since(signals);
        self.drive(wait).await.map(|(_, hold)| hold)
    }

    /// Waits for `work`, but by the cloud's clock no longer than `time`. The end is in the clock's books before the work begins:
    /// what the work waits for cannot take time past it.
    pub(crate) async fn within<T>(&self, time: std::time::Duration, work: impl Future<Output = T>) -> Option<T> {
        let mut end = Wait::new(&self.clock, None, Some(self.clock.now() + time));
        end.register();
        tokio::select! {
            biased;
            done = work => Some(done),
            over = self.drive(end) => {
                drop(over);
                None
            }
        }
    }

    /// Waits. Whoever waits from outside drives the clock meanwhile; a function's code is driven already, and `garoa serve`
    /// drives by itself.
    async fn drive(&self, wait: Wait) -> Result<(Woken, crate::clock::Hold)> {
        if Activity::current().is_some() || is_delivering() {
            return Ok(wait.await);
        }
        self.driver.drive_until(self, wait).await.map_err(Error::internal)
    }

    /// The faults that come after it took effect. The first part is what happened, the second what the caller sees.
    fn after(
        &self,
        passage: &Passage<'_>,
        mut outcome: Result<Reply, Halt>,
    ) -> (Option<Result<Reply, Error>>, Result<Reply, Halt>) {
        if let (Some(FaultKind::EmptyPage), Ok(reply)) = (&passage.fault, &mut outcome) {
            let token = format!("empty-page/{}", passage.request_id);
            if let Err(refused) = self.faults.lock().empty_page(passage.call, &mut reply.output, token) {
                outcome = Err(Halt::Error(refused));
            }
        }
        let happened = match &outcome {
            // Copied for the trace, and for nobody else.
            _ if !self.trace.is_kept() => None,
            Ok(reply) => Some(Ok(reply.clone())),
            Err(Halt::Error(error)) => Some(Err(error.clone())),
            Err(_) => None,
        };
        let seen = match &passage.fault {
            Some(FaultKind::CrashAfter) => Err(Halt::Crashed),
            Some(FaultKind::LostReply) => Err(Halt::Lost),
            _ => outcome,
        };
        (happened, seen)
    }

    fn record(&self, passage: &Passage<'_>, outcome: &(Option<Result<Reply, Error>>, Result<Reply, Halt>)) {
        if !self.trace.is_kept() {
            if let Err(Halt::Error(error)) = &outcome.1 {
                tracing::debug!(action = passage.action, resource = passage.target.resource, %error, "answered an error");
            }
            return;
        }
        let (status, error, output, answer) = match &outcome.0 {
            Some(Ok(reply)) => {
                (Some(reply.status.unwrap_or(200)), None, reply.output.clone(), reply.body.clone().unwrap_or_default())
            }
            Some(Err(error)) => {
                let told = (error.code().to_owned(), error.message().to_owned());
                (Some(error.status()), Some(told), Value::Null, Bytes::new())
            }
            None => (None, None, Value::Null, Bytes::new()),
        };
        let call = passage.call;
        let record = CallRecord {
            service: call.service.to_owned(),
            operation: call.operation.to_string(),
            action: passage.action.clone(),
            resource: passage.target.resource.clone(),
            caller: call.caller.principal.arn(),
            source_arn: call.caller.source_arn.clone(),
            invocation: call.caller.invocation.clone(),
            index: passage.point.as_ref().map(|(_, index)| *index),
            input: call.input.clone(),
            body: call.body.clone(),
            status,
            error,
            output,
            answer,
            fault: passage.fault.clone(),
        };
        tracing::trace!(request_id = passage.request_id, action = passage.action, "recorded");
        self.trace.add(self.clock.now(), Event::Call(std::sync::Arc::new(record)));
    }

    /// The caller's code dies here: it never learns what became of its call.
    async fn crash(&self, passage: &Passage<'_>) {
        if let Some((invocation, _)) = &passage.point {
            self.kill(invocation);
            if Activity::current().is_some_and(|activity| activity.invocation() == Some(invocation)) {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// What a call acts on, and its IAM action.
fn aim(call: &Call, target: Target) -> (Target, String) {
    let action = target.action.as_deref().map_or_else(|| action_of(call), str::to_owned);
    (target, action)
}

/// The IAM action of an operation, where the operation says nothing else: the service's prefix and the operation's name.
fn action_of(call: &Call) -> String {
    format!("{}:{}", call.service, call.operation)
}

tokio::task_local! {
    static DELIVERING: ();
}

/// Runs what makes a call for a service: it is driven by somebody else, and does not drive the clock itself.
pub(crate) async fn delivering<F: Future>(future: F) -> F::Output {
    DELIVERING.scope((), future).await
}

/// Whether that is so.
pub(crate) fn is_delivering() -> bool {
    DELIVERING.try_with(|()| ()).is_ok()
}
