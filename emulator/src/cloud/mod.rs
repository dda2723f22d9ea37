//! The kernel: world, front, operations, trace, faults.
//!
//! Start at [`Cloud`] for what a user does with it, at [`Service`] for how a service is declared, and at `front.rs` for
//! what happens to a call.

mod access;
mod builder;
mod call;
mod cx;
mod fault;
mod front;
mod http;
mod ids;
mod inquiry;
mod job;
mod measure;
pub(crate) mod pairs;
pub mod pattern;
pub mod reply;
mod running;
mod service;
mod trace;
mod version_two;
mod world;

pub use access::{Access, IamMode};
pub use builder::{CloudBuilder, DEFAULT_ACCOUNT, DEFAULT_REGION};
pub use call::{Call, Caller, InvocationRef, Scope, SessionFacts};
pub use cx::{Cx, Later, Resumed, Step};
pub(crate) use cx::{JobRun, Work};
pub use fault::{Aim, CallAim, Fault, FaultKind};
pub(crate) use front::{Halt, delivering, is_delivering};
pub(crate) use http::{Arrived, Entry};
pub use ids::Ids;
pub use inquiry::{Answer, Asks, Inquiries, Question};
pub(crate) use job::job_input;
pub(crate) use measure::{Measured, Sampled};
pub use reply::Reply;
pub(crate) use running::{AnyService, Running, StepIn};
pub use service::{At, JobFuture, Scoping, Service, State, Target};
pub use trace::{CallRecord, Event, InvocationRecord, Record, TraceDepth};

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use ::http::HeaderValue;
use parking_lot::Mutex;

use crate::clock::{Activity, Clock, Delivery, Driven, Driver, Stalled, Timer};
use crate::lambda::Environments;
use crate::s3::NewBuckets;
use crate::sinks::Sinks;
use crate::sinks::smtp::Mailbox;
use crate::{Error, Result, Timestamp};
use fault::{Faults, Struck};
use trace::Trace;

/// A small cloud: services, a clock, and the functions and sinks around them.
///
/// Cloning gives another handle on the same cloud.
#[derive(Clone)]
pub struct Cloud(pub(crate) Arc<Inner>);

/// What the handles of a cloud share.
pub(crate) struct Inner {
    pub this: Weak<Inner>,
    pub scope: Scope,
    pub iam: IamMode,
    pub seed: u64,
    /// What the secrets of issued credentials are derived from.
    pub server_key: [u8; 32],
    pub clock: Arc<Clock>,
    pub driver: Driver,
    pub services: BTreeMap<&'static str, Arc<dyn AnyService>>,
    /// APIs that act on another service's state, and that service: see `Service::also`.
    pub apis: BTreeMap<&'static str, &'static str>,
    pub trace: Trace,
    pub faults: Mutex<Faults>,
    pub request_ids: Mutex<Ids>,
    pub environments: Environments,
    pub running: Mutex<BTreeMap<InvocationRef, Arc<Activity>>>,
    pub sinks: Sinks,
    /// What S3's buckets begin with: see `CloudBuilder::s3_object_ownership`.
    pub new_buckets: NewBuckets,
    /// Servers outside that HTTP integrations may reach: see `CloudBuilder::reach`.
    pub reachable: Vec<String>,
    /// The host at which `garoa serve` serves: calls that come by value, such as those of CloudFormation, name no other.
    pub served: OnceLock<HeaderValue>,
    /// The mails that `garoa serve --smtp` accepted.
    pub mails: Mailbox,
}

impl Cloud {
    /// A cloud that is built step by step.
    pub fn builder() -> CloudBuilder {
        CloudBuilder::default()
    }

    /// The account and region that callers act in who name none.
    pub fn scope(&self) -> &Scope {
        &self.0.scope
    }

    /// The cloud's time.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Runs everything that is due now, without moving the clock.
    ///
    /// # Errors
    /// [`Stalled`] if something keeps running.
    pub async fn settle(&self) -> Result<(), Stalled> {
        self.0.driver.settle(&*self.0).await
    }

    /// Moves the clock on, and runs everything that falls due on the way, in order, at its time.
    ///
    /// # Errors
    /// [`Stalled`] if something keeps running.
    pub async fn advance(&self, time: Duration) -> Result<(), Stalled> {
        self.advance_to(self.now() + time).await
    }

    /// Moves the clock on to a point in time; see [`Cloud::advance`]. A point in the past only settles.
    ///
    /// # Errors
    /// [`Stalled`] if something keeps running.
    pub async fn advance_to(&self, target: Timestamp) -> Result<(), Stalled> {
        self.0.driver.advance(&*self.0, target).await
    }

    /// Makes a call, as plain values.
    ///
    /// # Errors
    /// The service's answer, if that is an error. A broken connection (an injected fault) is `InternalFailure`.
    pub async fn call(&self, call: Call) -> Result<Reply> {
        let request_id = self.0.next_request_id();
        self.0.call(call, &request_id).await.map_err(Halt::into_error)
    }

    /// Everything that happened, in order.
    pub fn trace(&self) -> Vec<Record> {
        self.0.trace.records()
    }

    /// Has something go wrong at a later call.
    pub fn inject(&self, fault: Fault) {
        self.0.faults.lock().add(fault);
    }
}

impl Inner {
    pub fn handle(&self) -> Option<Cloud> {
        self.this.upgrade().map(Cloud)
    }

    pub fn service(&self, name: &str) -> Result<&Arc<dyn AnyService>> {
        let name = self.apis.get(name).copied().unwrap_or(name);
        self.services.get(name).ok_or_else(|| Error::not_implemented(format!("the service {name}")))
    }

    /// A service with its state, for code beside the states that reads what is deployed.
    pub fn running<S: State>(&self, name: &str) -> Option<&Running<S>> {
        self.services.get(name).and_then(|service| service.as_any().downcast_ref())
    }

    pub fn next_request_id(&self) -> String {
        self.request_ids.lock().uuid()
    }

    /// A copy of a service's state in a scope, as it is now; `S` is the service's.
    pub fn state_of<S: State>(&self, service: &str, scope: &Scope) -> Option<S> {
        self.running::<S>(service).map(|running| running.snapshot(scope))
    }

    /// Ends all code of functions: what runs, and what waits.
    pub fn end_functions(&self) {
        for activity in self.running.lock().values() {
            activity.kill();
        }
        self.environments.close();
    }

    /// Ends the code of an invocation.
    pub fn kill(&self, invocation: &InvocationRef) {
        if let Some(activity) = self.running.lock().get(invocation) {
            activity.kill();
        }
    }

    /// The fault that strikes a request to a sink, if one does.
    pub fn strike_outside(
        &self,
        sink: &str,
        method: &str,
        url: &str,
        point: Option<(&str, u32, u32)>,
    ) -> Option<FaultKind> {
        self.faults.lock().strike(&Struck { service: sink, operation: method, resource: url, point })
    }

    /// Has CloudWatch keep what services measured of themselves.
    fn measure(&self, measured: &[Measured]) {
        let now = self.clock.now();
        for service in self.services.values() {
            service.measure(now, measured);
        }
    }

    /// Delivers an event to a service, as its timers and jobs do.
    pub fn event(&self, service: &str, scope: &Scope, event: &str, key: &str) -> Result<()> {
        let caller = Caller::service(service);
        let access = self.access_in(&caller, scope);
        let request_id = self.next_request_id();
        let at = StepIn { now: self.clock.now(), access: &access, request_id: &request_id, resumed: None };
        let effects = self.service(service)?.event(&at, scope, event, key)?;
        self.apply(effects);
        Ok(())
    }
}

impl Driven for Inner {
    fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    fn fire(&self, timer: Timer) {
        if let Err(error) = self.event(&timer.service, &timer.scope, &timer.event, &timer.key) {
            tracing::error!(service = &*timer.service, event = &*timer.event, key = &*timer.key, %error, "a timer failed");
        }
    }

    fn start(&self, job: JobRun) {
        let Some(cloud) = self.handle() else { return };
        let JobRun { scope, work } = job;
        match work {
            // Functions run in environments that outlive one invocation.
            Work::Attempt(attempt) => {
                if let Err(error) = self.environments.run(&cloud, scope, attempt) {
                    tracing::error!(%error, "a function did not start");
                }
            }
            Work::Job { service, job, input } => match self.service(service).map(|service| service.job(job)) {
                Ok(Some(run)) => crate::clock::Worker::run_once(&self.clock, run(cloud, scope, input)),
                _ => tracing::error!(service, job, "there is no such job"),
            },
        }
    }

    fn delivery(&self, calls: Vec<Call>) -> Delivery {
        let (cloud, busy) = (self.handle(), self.clock.busy());
        Box::pin(delivering(async move {
            let Some(cloud) = cloud else { return };
            for call in calls {
                let (service, operation) = (call.service, call.operation.clone());
                let request_id = cloud.0.next_request_id();
                match Box::pin(cloud.0.call(call, &request_id)).await {
                    Ok(_) => {}
                    // Lambda asks for a function's log group whenever it starts an environment.
                    Err(Halt::Error(error)) if error.code() == "ResourceAlreadyExistsException" => {}
                    Err(error) => {
                        tracing::warn!(service, operation = &*operation, ?error, "a call that a service made failed");
                    }
                }
            }
            drop(busy);
        }))
    }
}
