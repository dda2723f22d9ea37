//! Waiting for a point in time, for a signal, or for whichever comes first.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::activity::{Activity, Awake};
use super::{Busy, Clock, ClockMode, Ready};
use crate::Timestamp;

/// The place of a wait in the clock's books.
pub(crate) type WaitId = u64;

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    Signal,
    Deadline,
}

/// Keeps virtual time from moving on until the code that was woken has acted; then drop it.
pub(crate) enum Hold {
    Activity(#[allow(dead_code)] Awake),
    Other(#[allow(dead_code)] Busy),
}

/// What the clock keeps of a wait.
pub(super) struct Registered {
    pub(super) signal: Option<Arc<str>>,
    pub(super) deadline: Option<Timestamp>,
    since: Option<u64>,
    shared: Arc<Mutex<Shared>>,
    activity: Option<Arc<Activity>>,
}

#[derive(Default)]
struct Shared {
    /// Set by the driver.
    woken: Option<(Woken, Hold)>,
    waker: Option<Waker>,
}

/// A wait. It enters the clock's books when it is first polled, and leaves them when it ends or is dropped.
pub(crate) struct Wait {
    clock: Arc<Clock>,
    until: Until,
    id: Option<WaitId>,
    shared: Arc<Mutex<Shared>>,
    activity: Option<Arc<Activity>>,
}

struct Until {
    signal: Option<Arc<str>>,
    deadline: Option<Timestamp>,
    since: Option<u64>,
}

impl Wait {
    pub fn new(clock: &Arc<Clock>, signal: Option<Arc<str>>, deadline: Option<Timestamp>) -> Self {
        let until = Until { signal, deadline, since: None };
        Self { clock: Arc::clone(clock), until, id: None, shared: Arc::default(), activity: None }
    }

    /// Ends the wait at once if the signal that is waited for may have come since there had been `signals` of them (see
    /// [`Clock::signals`]).
    #[must_use]
    pub fn since(mut self, signals: u64) -> Self {
        self.until.since = Some(signals);
        self
    }

    /// Enters the books without being polled: for a caller that must not miss a signal.
    pub fn register(&mut self) {
        if self.id.is_some() {
            return;
        }
        self.activity = Activity::current();
        if let Some(activity) = &self.activity {
            activity.begin_wait();
        }
        let registered = Registered {
            signal: self.until.signal.clone(),
            deadline: self.until.deadline,
            since: self.until.since,
            shared: Arc::clone(&self.shared),
            activity: self.activity.clone(),
        };
        self.id = Some(self.clock.register(registered));
    }
}

impl Future for Wait {
    type Output = (Woken, Hold);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.register();
        let mut shared = self.shared.lock();
        match shared.woken.take() {
            Some(woken) => Poll::Ready(woken),
            None => {
                shared.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.clock.forget(id);
            if let Some(activity) = &self.activity {
                activity.end_wait();
            }
        }
    }
}

impl Clock {
    fn register(self: &Arc<Self>, wait: Registered) -> WaitId {
        let mut inner = self.inner.lock();
        inner.next_wait += 1;
        let id = inner.next_wait;
        let earliest = inner.deadlines.first_key_value().map(|((at, _), ())| *at);
        if let Some(at) = wait.deadline {
            inner.deadlines.insert((at, id), ());
        }
        let is_late = match (wait.since, &wait.signal) {
            (Some(number), Some(signal)) => inner.signals.had_since(number, signal),
            _ => false,
        };
        let is_real = self.mode == ClockMode::Real;
        if is_late && !is_real {
            inner.ready.push_back(Ready::Wake(id, Woken::Signal));
        }
        if let Some(signal) = &wait.signal {
            inner.listening.entry(Arc::clone(signal)).or_default().insert(id);
        }
        // Who drives has nothing to do with a wait for a signal that has not come, or for a time after the one that it sleeps
        // until: a thousand clients begin them all the time.
        let is_news = wait.deadline.is_some_and(|at| inner.is_news(earliest, at));
        inner.waits.insert(id, wait);
        drop(inner);
        if is_late && is_real {
            self.wake(id, Woken::Signal);
        } else if is_late || is_news {
            self.changed.notify_waiters();
        }
        id
    }

    fn forget(&self, id: WaitId) {
        self.inner.lock().remove_wait(id);
    }

    /// Ends a wait. One that is gone by now is passed over.
    pub(super) fn wake(self: &Arc<Self>, id: WaitId, why: Woken) {
        let Some(wait) = self.inner.lock().remove_wait(id) else { return };
        let hold = match &wait.activity {
            Some(activity) => Hold::Activity(activity.wake()),
            None => Hold::Other(self.busy()),
        };
        let mut shared = wait.shared.lock();
        shared.woken = Some((why, hold));
        if let Some(waker) = shared.waker.take() {
            drop(shared);
            waker.wake();
        }
    }
}
