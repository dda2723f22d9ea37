//! What a service is: a name, a state, and a table of operations, events and jobs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::Cloud;
use super::call::Scope;
use super::cx::{Cx, Later, Step};
use super::measure::Measured;
use crate::wire::straight::{self, Unread};
use crate::{Error, Result, Timestamp};

/// A payload of so many bytes takes longer to read than another thread takes to start: a tenth of a millisecond.
const LARGE: usize = 128 * 1024;

/// Which part of the world has a state of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scoping {
    /// Each account and region, as most services.
    Regional,
    /// The whole partition, as S3's buckets and IAM's accounts.
    Global,
}

/// What a service's state must be: plain data that can be saved, and copied cheaply because its maps are persistent.
pub trait State: Clone + Default + Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<S: Clone + Default + Serialize + DeserializeOwned + Send + Sync + 'static> State for S {}

/// A service: how it is declared. `S` is its state in one scope: plain serde data in persistent maps.
pub struct Service<S: 'static> {
    pub(crate) name: &'static str,
    /// The names of the other APIs that act on the same state.
    pub(crate) others: Vec<&'static str>,
    pub(crate) scoping: Scoping,
    pub(crate) operations: BTreeMap<&'static str, Prepare<S>>,
    /// What reads the inputs of some of them from their text: see [`Service::bulk_op`].
    pub(crate) straight: BTreeMap<&'static str, Straight<S>>,
    pub(crate) events: BTreeMap<&'static str, Event<S>>,
    pub(crate) jobs: BTreeMap<&'static str, Job>,
    /// The signals that bring about events.
    pub(crate) signals: Vec<Listener<S>>,
    /// What keeps the metrics of AWS's own services.
    pub(crate) meter: Option<Meter<S>>,
}

type Prepare<S> = Box<dyn Fn(Value, &Bytes) -> Result<Box<dyn Prepared<S>>> + Send + Sync>;
type Straight<S> = Box<dyn Fn(&Unread<'_>) -> Option<Box<dyn Prepared<S>>> + Send + Sync>;
type Event<S> = fn(&mut Cx<S>, &str) -> Result<()>;
type Meter<S> = fn(&mut S, Timestamp, &Measured);
type Job = fn(Cloud, Scope, Value) -> JobFuture;

/// What a job does. It runs on a thread and a runtime of its own: see [`Service::job`].
pub type JobFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<S: State> Service<S> {
    /// A service with a state for each account and region.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            others: Vec::new(),
            scoping: Scoping::Regional,
            operations: BTreeMap::new(),
            straight: BTreeMap::new(),
            events: BTreeMap::new(),
            jobs: BTreeMap::new(),
            signals: Vec::new(),
            meter: None,
        }
    }

    /// One state for all accounts and regions.
    #[must_use]
    pub fn global(mut self) -> Self {
        self.scoping = Scoping::Global;
        self
    }

    /// Takes the calls of another API as well, as DynamoDB those of its streams: one state, two models. No operation of
    /// the one may be named as one of the other.
    #[must_use]
    pub fn also(mut self, api: &'static str) -> Self {
        self.others.push(api);
        self
    }

    /// Adds the operations that another file declares.
    #[must_use]
    pub fn with(self, operations: fn(Self) -> Self) -> Self {
        operations(self)
    }

    /// Adds an operation: `target` names what it acts on, `run` does it.
    ///
    /// `I` has a field for each member of the input shape that is honoured. A member that a caller sends and `I` does not
    /// have is refused with 501, naming it.
    #[must_use]
    pub fn op<I, O>(
        self,
        name: &'static str,
        target: fn(&At<S>, &I) -> Target,
        run: fn(&mut Cx<S>, I) -> Result<O>,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
    {
        self.op_after(name, |_, _| {}, target, run)
    }

    /// The same for an operation with work that needs no state, such as the digest of its payload: `before` does it, and
    /// leaves in the input what it found. The service's lock is not held meanwhile, and for a large payload no thread of the
    /// server's either, so that others are served.
    #[must_use]
    pub fn op_after<I, O>(
        self,
        name: &'static str,
        before: fn(&mut I, &Bytes),
        target: fn(&At<S>, &I) -> Target,
        run: fn(&mut Cx<S>, I) -> Result<O>,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
    {
        self.add(name, before, target, move |cx, input: &mut Option<I>| once(cx, input, run))
    }

    /// The same as [`Service::op`] for an operation that takes much at once, or is called most: from a request that nobody looks
    /// at on its way, neither the trace nor a fault, its input is read without becoming values first. It has no token of a page
    /// among its members.
    #[must_use]
    pub fn bulk_op<I, O>(
        self,
        name: &'static str,
        target: fn(&At<S>, &I) -> Target,
        run: fn(&mut Cx<S>, I) -> Result<O>,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
    {
        self.add_bulk(name, |_, _| {}, target, move |cx, input: &mut Option<I>| once(cx, input, run))
    }

    /// Adds an operation that may answer [`Step::Later`]; it is then called again.
    #[must_use]
    pub fn waiting_op<I, O>(
        self,
        name: &'static str,
        target: fn(&At<S>, &I) -> Target,
        run: fn(&mut Cx<S>, &I) -> Result<Step<O>>,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
    {
        self.waiting_op_after(name, |_, _| {}, target, run)
    }

    /// The same with work that needs no state: see [`Service::op_after`].
    #[must_use]
    pub fn waiting_op_after<I, O>(
        self,
        name: &'static str,
        before: fn(&mut I, &Bytes),
        target: fn(&At<S>, &I) -> Target,
        run: fn(&mut Cx<S>, &I) -> Result<Step<O>>,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
    {
        self.add(name, before, target, move |cx, input: &mut Option<I>| {
            let input = input.as_ref().ok_or_else(|| Error::internal("an operation without input"))?;
            match run(cx, input)? {
                Step::Done(output) => write(output).map(Step::Done),
                Step::Later(later) => Ok(Step::Later(later)),
            }
        })
    }

    /// The same as [`Service::op`] for an operation that may have to ask other services before it runs: `ask` says what there
    /// is to wait for ([`Cx::ask`]), is called again with the answers, and leaves in the input what `run` needs of them.
    #[must_use]
    pub fn asking_op<I, O>(
        self,
        name: &'static str,
        target: fn(&At<S>, &I) -> Target,
        ask: fn(&mut Cx<S>, &mut I) -> Result<Option<Later>>,
        run: fn(&mut Cx<S>, I) -> Result<O>,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
    {
        self.add(name, |_, _| {}, target, move |cx, input: &mut Option<I>| asking(cx, input, ask, run))
    }

    /// The same for an operation that is called most ([`Service::bulk_op`]), with work that needs no state
    /// ([`Service::op_after`]).
    #[must_use]
    pub fn bulk_asking_op<I, O>(
        self,
        name: &'static str,
        before: fn(&mut I, &Bytes),
        target: fn(&At<S>, &I) -> Target,
        ask: fn(&mut Cx<S>, &mut I) -> Result<Option<Later>>,
        run: fn(&mut Cx<S>, I) -> Result<O>,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
    {
        self.add_bulk(name, before, target, move |cx, input: &mut Option<I>| asking(cx, input, ask, run))
    }

    fn add_bulk<I, R>(
        mut self,
        name: &'static str,
        before: fn(&mut I, &Bytes),
        target: fn(&At<S>, &I) -> Target,
        run: R,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        R: Fn(&mut Cx<S>, &mut Option<I>) -> Result<Step<Value>> + Copy + Send + Sync + 'static,
    {
        let straight = move |request: &Unread<'_>| {
            let mut input = straight::read::<I>(request)?;
            beside(request.body.len(), || before(&mut input, request.body));
            Some(Box::new(Operation { input: Some(input), target, run }) as Box<dyn Prepared<S>>)
        };
        self.straight.insert(name, Box::new(straight));
        self.add(name, before, target, run)
    }

    fn add<I, R>(
        mut self,
        name: &'static str,
        before: fn(&mut I, &Bytes),
        target: fn(&At<S>, &I) -> Target,
        run: R,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        R: Fn(&mut Cx<S>, &mut Option<I>) -> Result<Step<Value>> + Copy + Send + Sync + 'static,
    {
        let service = self.name;
        let prepare = move |input, body: &Bytes| {
            let mut input = read::<I>(service, name, input)?;
            beside(body.len(), || before(&mut input, body));
            let input = Some(input);
            Ok(Box::new(Operation { input, target, run }) as Box<dyn Prepared<S>>)
        };
        self.operations.insert(name, Box::new(prepare));
        self
    }

    /// Adds an event: what a timer or a job of this service brings about.
    #[must_use]
    pub fn event(mut self, name: &'static str, run: fn(&mut Cx<S>, &str) -> Result<()>) -> Self {
        self.events.insert(name, run);
        self
    }

    /// Has `event` called, at once and in the same account and region, for each signal of any service that begins with
    /// `prefix`; its key is what follows. For what happens elsewhere: nobody need wait for it, and nothing is lost when a
    /// cloud is saved or forked. `waits` says whether the state has a use for a key: most signals concern nobody.
    #[must_use]
    pub fn on_signal(mut self, prefix: &'static str, event: &'static str, waits: fn(&S, &str) -> bool) -> Self {
        self.signals.push(Listener { prefix, event, waits });
        self
    }

    /// Keeps what services measure of themselves.
    #[must_use]
    pub(crate) fn meter(mut self, take: Meter<S>) -> Self {
        self.meter = Some(take);
        self
    }

    /// Adds a job: code that runs beside the state, may wait, makes calls, and reports by an event.
    #[must_use]
    pub fn job(mut self, name: &'static str, run: fn(Cloud, Scope, Value) -> JobFuture) -> Self {
        self.jobs.insert(name, run);
        self
    }
}

/// What a service does about signals: see [`Service::on_signal`].
pub(crate) struct Listener<S> {
    pub prefix: &'static str,
    pub event: &'static str,
    pub waits: fn(&S, &str) -> bool,
}

impl<S> Clone for Listener<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Listener<S> {}

/// Where an operation acts: what a target may be computed from.
pub struct At<'a, S> {
    /// The account and region of the call.
    pub scope: &'a Scope,
    /// The state there.
    pub state: &'a S,
}

/// What an operation acts on: IAM, faults, trace and reports live from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The IAM action, where it is not `service:Operation`.
    pub action: Option<Cow<'static, str>>,
    /// The ARN, or `*`.
    pub resource: String,
    /// The service's own condition keys, such as `s3:prefix`.
    pub context: Vec<(Cow<'static, str>, Vec<String>)>,
    /// The policy of the resource, as JSON, where it has one.
    pub policy: Option<Arc<str>>,
    /// The account that owns the resource, where it may be another than the caller's.
    pub owner: Option<String>,
    /// Whether AWS's services that act for another resource may without a policy of this one: an account's own event buses, and
    /// what is not there, which they are told.
    pub open_to_services: bool,
    /// Whether everybody may, as `sts:GetCallerIdentity`.
    pub open: bool,
}

impl Target {
    /// The operation acts on this resource.
    pub fn on(resource: impl Into<String>) -> Self {
        Self {
            action: None,
            resource: resource.into(),
            context: Vec::new(),
            policy: None,
            owner: None,
            open_to_services: false,
            open: false,
        }
    }

    /// The operation acts on no resource in particular.
    pub fn any() -> Self {
        Self::on("*")
    }

    /// The operation needs no permission.
    pub fn open() -> Self {
        Self { open: true, ..Self::any() }
    }

    /// The IAM action has another name than the operation.
    #[must_use]
    pub fn action(mut self, action: impl Into<Cow<'static, str>>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// A condition key of the service has a value.
    #[must_use]
    pub fn context(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.context.push((key.into(), vec![value.into()]));
        self
    }

    /// The resource has a policy.
    #[must_use]
    pub fn policy(mut self, policy: Option<Arc<str>>) -> Self {
        self.policy = policy;
        self
    }

    /// AWS's services may without a policy.
    #[must_use]
    pub fn open_to_services(mut self) -> Self {
        self.open_to_services = true;
        self
    }

    /// The resource belongs to this account.
    #[must_use]
    pub fn owner(mut self, account: impl Into<String>) -> Self {
        self.owner = Some(account.into());
        self
    }
}

/// An operation with its input: ready to say what it acts on, and to run.
pub(crate) trait Prepared<S>: Send {
    fn target(&self, at: &At<S>) -> Target;
    fn run(&mut self, cx: &mut Cx<S>) -> Result<Step<Value>>;
}

struct Operation<S, I, R> {
    input: Option<I>,
    target: fn(&At<S>, &I) -> Target,
    run: R,
}

impl<S, I, R> Prepared<S> for Operation<S, I, R>
where
    I: Send,
    R: Fn(&mut Cx<S>, &mut Option<I>) -> Result<Step<Value>> + Send,
{
    fn target(&self, at: &At<S>) -> Target {
        self.input.as_ref().map_or_else(Target::any, |input| (self.target)(at, input))
    }

    fn run(&mut self, cx: &mut Cx<S>) -> Result<Step<Value>> {
        (self.run)(cx, &mut self.input)
    }
}

/// Runs an operation that does not wait.
fn once<S, I, O: Serialize>(
    cx: &mut Cx<S>,
    input: &mut Option<I>,
    run: fn(&mut Cx<S>, I) -> Result<O>,
) -> Result<Step<Value>> {
    let input = input.take().ok_or_else(|| Error::internal("an operation that does not wait ran twice"))?;
    write(run(cx, input)?).map(Step::Done)
}

/// Runs an operation that may have to ask first.
fn asking<S, I, O: Serialize>(
    cx: &mut Cx<S>,
    input: &mut Option<I>,
    ask: fn(&mut Cx<S>, &mut I) -> Result<Option<Later>>,
    run: fn(&mut Cx<S>, I) -> Result<O>,
) -> Result<Step<Value>> {
    if let Some(asked) = input.as_mut()
        && let Some(later) = ask(cx, asked)?
    {
        return Ok(Step::Later(later));
    }
    once(cx, input, run)
}

/// Reads an input. A member that the operation does not honour is refused by name.
fn read<I: DeserializeOwned>(service: &str, operation: &str, input: Value) -> Result<I> {
    let input = if input.is_null() { Value::Object(serde_json::Map::new()) } else { input };
    let mut ignored = None;
    let read = serde_ignored::deserialize(input, |path| {
        ignored.get_or_insert_with(|| path.to_string());
    })
    .map_err(|e| Error::client("SerializationException", format!("{service}:{operation}: {e}")))?;
    match ignored {
        None => Ok(read),
        Some(member) => Err(Error::not_implemented(format!("the parameter {member} of {service}:{operation}"))),
    }
}

/// Works on a payload of so many bytes. Where that takes long, and a thread is shared with others, another thread goes on for them.
fn beside(bytes: usize, work: impl FnOnce()) {
    let is_shared =
        || Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if bytes >= LARGE && is_shared() {
        tokio::task::block_in_place(work);
    } else {
        work();
    }
}

fn write(output: impl Serialize) -> Result<Value> {
    serde_json::to_value(output).map_err(Error::internal)
}
