//! A service with its state: the one lock there is for each service, held for one step and never across an await.

use std::sync::Arc;

use imbl::OrdMap;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Cloud;
use super::access::Access;
use super::call::{Call, Caller, Scope};
use super::cx::{Cx, Effects, Resumed, Step};
use super::ids::Ids;
use super::measure::Measured;
use super::reply::Reply;
use super::service::{At, JobFuture, Listener, Prepared, Scoping, Service, State, Target};
use crate::wire::straight::Unread;
use crate::{Error, Result, Timestamp};

/// A service and the state that it has in every scope.
pub(crate) struct Running<S: 'static> {
    service: Arc<Service<S>>,
    world: Mutex<Part<S>>,
}

/// A service's part of the world.
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound = "S: State")]
struct Part<S> {
    ids: Ids,
    #[serde(with = "super::pairs")]
    states: OrdMap<Scope, S>,
}

/// The surroundings of a step.
pub(crate) struct StepIn<'a> {
    pub now: Timestamp,
    pub access: &'a Access<'a>,
    pub request_id: &'a str,
    pub resumed: Option<&'a Resumed>,
}

/// Any service, whatever its state.
pub(crate) trait AnyService: Send + Sync {
    fn operations(&self) -> Vec<&'static str>;
    /// The other APIs that act on the same state, each with this service's name.
    fn apis(&self) -> Vec<(&'static str, &'static str)>;
    /// The event that a signal brings about here, and its key; none if nothing here waits for it.
    fn hears<'a>(&self, scope: &Scope, signal: &'a str) -> Option<(&'static str, &'a str)>;
    /// Reads an input for a call.
    fn prepare<'a>(&'a self, call: &'a Call, input: Value) -> Result<Box<dyn AnyStep + 'a>>;
    /// The same from the request, where the operation can and the request is an ordinary one.
    fn prepare_straight<'a>(&'a self, call: &'a Call, request: &Unread<'_>) -> Option<Box<dyn AnyStep + 'a>>;
    /// Delivers an event.
    fn event(&self, at: &StepIn<'_>, scope: &Scope, name: &str, key: &str) -> Result<Effects>;
    /// Keeps what services measured of themselves, if that is this service's.
    fn measure(&self, now: Timestamp, measured: &[Measured]);
    fn job(&self, name: &str) -> Option<fn(Cloud, Scope, Value) -> JobFuture>;
    fn save(&self) -> Result<Value>;
    fn fork(&self) -> Arc<dyn AnyService>;
    fn load(&self, saved: Value) -> Result<()>;
    fn reset(&self, seed: u64);
    fn as_any(&self) -> &dyn std::any::Any;
}

/// A call that was read.
pub(crate) trait AnyStep: Send {
    fn target(&self) -> Target;
    fn run(&mut self, at: &StepIn<'_>) -> Result<(Step<Reply>, Effects)>;
}

struct CallStep<'a, S: 'static> {
    running: &'a Running<S>,
    call: &'a Call,
    operation: Box<dyn Prepared<S>>,
}

impl<S: State> Running<S> {
    pub fn new(service: Service<S>, seed: u64) -> Self {
        let part = Part { ids: Ids::new(seed, service.name), states: OrdMap::new() };
        Self { service: Arc::new(service), world: Mutex::new(part) }
    }

    /// A copy of the state in a scope, as it is now. Cheap: the maps in it are shared.
    pub fn snapshot(&self, scope: &Scope) -> S {
        self.world.lock().states.get(&self.place(scope)).cloned().unwrap_or_default()
    }

    /// What is found in the first state, in the order of scopes, that has it. A walk over the scopes: for what is addressed by an
    /// id alone, such as an API.
    pub fn find<T>(&self, find: impl Fn(&Scope, &S) -> Option<T>) -> Option<T> {
        self.world.lock().states.iter().find_map(|(scope, state)| find(scope, state))
    }

    fn place(&self, scope: &Scope) -> Scope {
        match self.service.scoping {
            Scoping::Regional => scope.clone(),
            Scoping::Global => Scope::new("", ""),
        }
    }
}

impl<S: State> AnyService for Running<S> {
    fn operations(&self) -> Vec<&'static str> {
        self.service.operations.keys().copied().collect()
    }

    fn apis(&self) -> Vec<(&'static str, &'static str)> {
        self.service.others.iter().map(|api| (*api, self.service.name)).collect()
    }

    fn hears<'a>(&self, scope: &Scope, signal: &'a str) -> Option<(&'static str, &'a str)> {
        let listener = |listener: &Listener<S>| Some((signal.strip_prefix(listener.prefix)?, *listener));
        let (key, listener) = self.service.signals.iter().find_map(listener)?;
        let world = self.world.lock();
        let state = world.states.get(&self.place(scope))?;
        (listener.waits)(state, key).then_some((listener.event, key))
    }

    fn prepare<'a>(&'a self, call: &'a Call, input: Value) -> Result<Box<dyn AnyStep + 'a>> {
        let prepare = self
            .service
            .operations
            .get(&*call.operation)
            .ok_or_else(|| Error::not_implemented(format!("the operation {}:{}", call.service, call.operation)))?;
        let operation = prepare(input, &call.body)?;
        Ok(Box::new(CallStep { running: self, call, operation }))
    }

    fn prepare_straight<'a>(&'a self, call: &'a Call, request: &Unread<'_>) -> Option<Box<dyn AnyStep + 'a>> {
        let operation = self.service.straight.get(&*call.operation)?(request)?;
        Some(Box::new(CallStep { running: self, call, operation }))
    }

    fn measure(&self, now: Timestamp, measured: &[Measured]) {
        let Some(take) = self.service.meter else { return };
        let mut world = self.world.lock();
        for one in measured {
            take(world.states.entry(self.place(&one.scope)).or_default(), now, one);
        }
    }

    fn event(&self, at: &StepIn<'_>, scope: &Scope, name: &str, key: &str) -> Result<Effects> {
        let run = self
            .service
            .events
            .get(name)
            .ok_or_else(|| Error::internal(format!("{} has no event {name}", self.service.name)))?;
        let caller = Caller::service(self.service.name);
        let mut world = self.world.lock();
        let Part { ids, states } = &mut *world;
        let mut effects = Effects::default();
        let mut cx = Cx {
            state: states.entry(self.place(scope)).or_default(),
            now: at.now,
            scope,
            caller: &caller,
            body: bytes::Bytes::new(),
            request_id: at.request_id,
            service: self.service.name,
            ids,
            effects: &mut effects,
            reply: &mut Reply::default(),
            resumed: None,
            access: at.access,
            host: None,
            writes: false,
        };
        run(&mut cx, key)?;
        Ok(effects)
    }

    fn job(&self, name: &str) -> Option<fn(Cloud, Scope, Value) -> JobFuture> {
        self.service.jobs.get(name).copied()
    }

    fn save(&self) -> Result<Value> {
        serde_json::to_value(&*self.world.lock()).map_err(Error::internal)
    }

    fn load(&self, saved: Value) -> Result<()> {
        *self.world.lock() = serde_json::from_value(saved).map_err(Error::internal)?;
        Ok(())
    }

    fn reset(&self, seed: u64) {
        *self.world.lock() = Part { ids: Ids::new(seed, self.service.name), states: OrdMap::new() };
    }

    fn fork(&self) -> Arc<dyn AnyService> {
        Arc::new(Self { service: Arc::clone(&self.service), world: Mutex::new(self.world.lock().clone()) })
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

impl<S: State> AnyStep for CallStep<'_, S> {
    fn target(&self) -> Target {
        let mut world = self.running.world.lock();
        let state = world.states.entry(self.running.place(&self.call.scope)).or_default();
        self.operation.target(&At { scope: &self.call.scope, state })
    }

    fn run(&mut self, at: &StepIn<'_>) -> Result<(Step<Reply>, Effects)> {
        let mut world = self.running.world.lock();
        let Part { ids, states } = &mut *world;
        let (mut effects, mut reply) = (Effects::default(), Reply::default());
        let mut cx = Cx {
            state: states.entry(self.running.place(&self.call.scope)).or_default(),
            now: at.now,
            scope: &self.call.scope,
            caller: &self.call.caller,
            body: self.call.body.clone(),
            request_id: at.request_id,
            service: self.running.service.name,
            ids,
            effects: &mut effects,
            reply: &mut reply,
            resumed: at.resumed,
            access: at.access,
            host: self.call.host.as_ref(),
            writes: self.call.writes,
        };
        let step = match self.operation.run(&mut cx)? {
            Step::Done(output) => Step::Done(Reply { output, ..reply }),
            Step::Later(later) => Step::Later(later),
        };
        Ok((step, effects))
    }
}
