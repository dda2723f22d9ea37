//! What runs user code: one invocation of a function at a time, on a thread and a runtime of its own.
//!
//! The driver must know when such code can go no further unless time passes: when its thread parks while it
//! awaits nothing but virtual time. A thread that parks while it awaits a socket (a sink's answer) is in flight.

use std::cell::RefCell;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Busy, Clock};
use crate::cloud::InvocationRef;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Activity>>> = const { RefCell::new(None) };
}

/// One invocation of a function, or one job of a service, while it runs.
pub(crate) struct Activity {
    clock: Arc<Clock>,
    invocation: Option<InvocationRef>,
    state: Mutex<State>,
    killed: Notify,
}

#[derive(Default)]
struct State {
    busy: Option<Busy>,
    /// Virtual waits that the code awaits.
    waits: usize,
    /// Requests to the outside that are under way.
    outside: usize,
    /// Waits that have ended and of which the code has not learned yet.
    woken: usize,
    killed: bool,
}

impl Activity {
    pub fn start(clock: &Arc<Clock>, invocation: Option<InvocationRef>) -> Arc<Self> {
        let state = Mutex::new(State { busy: Some(clock.busy()), ..State::default() });
        Arc::new(Self { clock: Arc::clone(clock), invocation, state, killed: Notify::new() })
    }

    /// The invocation that runs here; none for a job of a service.
    pub fn invocation(&self) -> Option<&InvocationRef> {
        self.invocation.as_ref()
    }

    /// The one that runs on this thread.
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.with(|current| current.borrow().clone())
    }

    /// Makes this the one that runs on this thread, until [`Activity::leave`].
    pub fn enter(self: &Arc<Self>) {
        CURRENT.with(|current| *current.borrow_mut() = Some(Arc::clone(self)));
    }

    /// Ends what [`Activity::enter`] began. The activity is not in flight any more.
    pub fn leave(&self) {
        CURRENT.with(|current| current.borrow_mut().take());
        self.state.lock().busy = None;
    }

    /// To be called when the thread has nothing more to run for now.
    pub fn thread_parks() {
        if let Some(activity) = Self::current() {
            let mut state = activity.state.lock();
            if state.waits > 0 && state.outside == 0 && state.woken == 0 && !state.killed {
                let busy = state.busy.take();
                drop(state);
                drop(busy);
            }
        }
    }

    pub fn begin_wait(&self) {
        self.state.lock().waits += 1;
    }

    pub fn end_wait(&self) {
        self.state.lock().waits -= 1;
    }

    /// Counts as in flight again: the driver is about to end one of its waits.
    pub fn wake(self: &Arc<Self>) -> Awake {
        let mut state = self.state.lock();
        state.woken += 1;
        if state.busy.is_none() {
            state.busy = Some(self.clock.busy());
        }
        Awake(Arc::clone(self))
    }

    /// A request to the outside is under way until the guard is dropped.
    pub fn outside(self: &Arc<Self>) -> Outside {
        self.state.lock().outside += 1;
        Outside(Arc::clone(self))
    }

    /// Ends the code at the next point where it awaits.
    pub fn kill(&self) {
        let mut state = self.state.lock();
        state.killed = true;
        if state.busy.is_none() {
            state.busy = Some(self.clock.busy());
        }
        drop(state);
        self.killed.notify_one();
    }

    /// Completes when it was killed.
    pub async fn killed(&self) {
        self.killed.notified().await;
    }
}

/// See [`Activity::outside`].
pub(crate) struct Outside(Arc<Activity>);

impl Drop for Outside {
    fn drop(&mut self) {
        self.0.state.lock().outside -= 1;
    }
}

/// Keeps the activity in flight until the woken code has learned of it. See [`Activity::wake`].
pub(crate) struct Awake(Arc<Activity>);

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.state.lock().woken -= 1;
    }
}
