//! The world as data: all state of all services, the time, and the timers. It can be saved, restored and forked.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault::Faults;
use super::trace::Trace;
use super::{Cloud, Ids, Inner};
use crate::clock::{Clock, Driver, Timers};
use crate::sinks::smtp::Mailbox;
use crate::{Error, Result, Timestamp};

/// A saved world.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct World {
    now: Timestamp,
    timers: Timers,
    request_ids: Ids,
    services: BTreeMap<String, Value>,
}

impl Cloud {
    /// A second cloud that goes on from here by itself: same state, time, timers, functions and sinks; a trace of its own and no faults.
    ///
    /// Cheap, for states are shared until one side changes them. Fork a cloud that is settled: what is running in this one
    /// does not run in the other.
    #[must_use]
    pub fn fork(&self) -> Self {
        let from = &self.0;
        let clock = Clock::new(from.clock.mode(), from.clock.now());
        clock.restore(from.clock.now(), from.clock.timers());
        Self(Arc::new_cyclic(|this| Inner {
            this: this.clone(),
            scope: from.scope.clone(),
            iam: from.iam,
            seed: from.seed,
            server_key: from.server_key,
            clock: Arc::new(clock),
            driver: Driver::new(),
            services: from.services.iter().map(|(name, service)| (*name, service.fork())).collect(),
            apis: from.apis.clone(),
            trace: Trace::new(from.trace.depth()),
            faults: Mutex::new(Faults::default()),
            request_ids: Mutex::new(from.request_ids.lock().clone()),
            environments: from.environments.fork(),
            running: Mutex::default(),
            sinks: from.sinks.clone(),
            served: from.served.clone(),
            mails: Mailbox::default(),
            new_buckets: from.new_buckets,
            reachable: from.reachable.clone(),
        }))
    }

    /// The world as plain data. Save a cloud that is settled: what is running is not part of it.
    ///
    /// # Errors
    /// If a state cannot be written as JSON, which is a bug.
    pub fn save(&self) -> Result<World> {
        let services = self
            .0
            .services
            .iter()
            .map(|(name, service)| Ok(((*name).to_owned(), service.save()?)))
            .collect::<Result<_>>()?;
        Ok(World {
            now: self.0.clock.now(),
            timers: self.0.clock.timers(),
            request_ids: self.0.request_ids.lock().clone(),
            services,
        })
    }

    /// Puts a saved world in the place of this one.
    ///
    /// # Errors
    /// If it was saved by a version whose states had another form.
    pub fn load(&self, world: World) -> Result<()> {
        for (name, state) in world.services {
            self.0.service(&name)?.load(state)?;
        }
        *self.0.request_ids.lock() = world.request_ids;
        self.0.clock.restore(world.now, world.timers.reindexed());
        self.0.clock.wake_all();
        Ok(())
    }

    /// Empties the cloud: no resources, no timers. Time stays as it is.
    pub fn reset(&self) {
        let seed = self.0.seed;
        self.0.clock.restore(self.0.clock.now(), Timers::default());
        self.0.end_functions();
        for service in self.0.services.values() {
            service.reset(seed);
        }
        self.0.mails.clear();
        *self.0.faults.lock() = Faults::default();
        *self.0.request_ids.lock() = Ids::new(seed, "request");
        self.0.clock.wake_all();
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}
