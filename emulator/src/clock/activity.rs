//! What runs user code: one invocation of a function at a time, on a thread and a runtime of its own.
//!
//! The driver must know when such code can go no further unless time passes: when its thread parks while it
//! awaits nothing but virtual time. A thread that parks while it awaits a socket (a sink's answer) is in flight.
//!
//! A function that is a process of its own cannot be seen to park. It is taken to go no further while it has requests to
//! the cloud under way and all of them await virtual time.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Busy, Clock};
use crate::cloud::InvocationRef;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Activity>>> = const { RefCell::new(None) };
}

tokio::task_local! {
    static REQUESTED: Arc<Activity>;
}

/// How long, in real time, a process may take to make another request after one of several was answered, before it is
/// taken to wait for the others.
const GRACE: Duration = Duration::from_millis(50);

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
    /// It is over.
    left: bool,
    /// Whether a process runs; it counts among `outside`.
    process: bool,
    /// Requests that the process makes of the cloud.
    requests: usize,
    /// Counts the beginnings and ends of those.
    turns: u64,
}

impl State {
    /// Whether the code can go no further unless time passes.
    fn is_idle(&self) -> bool {
        let process = self.process && self.requests > 0 && self.waits >= self.requests;
        self.waits > 0 && self.outside == usize::from(process) && self.woken == 0 && !self.killed
    }
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

    /// The one that runs on this thread, or whose process made the request that is answered in this task.
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.with(|current| current.borrow().clone()).or_else(|| REQUESTED.try_with(Arc::clone).ok())
    }

    /// Makes this the one that runs on this thread, until [`Activity::leave`].
    pub fn enter(self: &Arc<Self>) {
        CURRENT.with(|current| *current.borrow_mut() = Some(Arc::clone(self)));
    }

    /// Ends what [`Activity::enter`] began. The activity is not in flight any more.
    pub fn leave(&self) {
        CURRENT.with(|current| current.borrow_mut().take());
        let mut state = self.state.lock();
        state.left = true;
        let busy = state.busy.take();
        drop(state);
        drop(busy);
    }

    /// To be called when the thread has nothing more to run for now.
    pub fn thread_parks() {
        if let Some(activity) = Self::current() {
            activity.rest();
        }
    }

    /// Is not in flight any more if the code can go no further.
    fn rest(&self) {
        let mut state = self.state.lock();
        if state.is_idle() {
            let busy = state.busy.take();
            drop(state);
            drop(busy);
        }
    }

    pub fn begin_wait(&self) {
        let mut state = self.state.lock();
        state.waits += 1;
        let process = state.process;
        drop(state);
        if process {
            self.rest();
        }
    }

    pub fn end_wait(&self) {
        self.state.lock().waits -= 1;
    }

    /// Counts as in flight again: the driver is about to end one of its waits.
    pub fn wake(self: &Arc<Self>) -> Awake {
        let mut state = self.state.lock();
        state.woken += 1;
        self.busy(&mut state);
        Awake(Arc::clone(self))
    }

    fn busy(&self, state: &mut State) {
        if state.busy.is_none() && !state.left {
            state.busy = Some(self.clock.busy());
        }
    }

    /// A process runs until the guard is dropped.
    pub fn process(self: &Arc<Self>) -> Process {
        let mut state = self.state.lock();
        state.process = true;
        state.outside += 1;
        Process(Arc::clone(self))
    }

    /// Answers a request that the process makes of the cloud.
    pub async fn requested<F: Future>(self: Arc<Self>, answer: F) -> F::Output {
        let _request = self.begin_request();
        REQUESTED.scope(self, answer).await
    }

    fn begin_request(self: &Arc<Self>) -> Request {
        let mut state = self.state.lock();
        state.requests += 1;
        state.turns += 1;
        self.busy(&mut state);
        Request(Arc::clone(self))
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
        self.busy(&mut state);
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

/// See [`Activity::process`].
pub(crate) struct Process(Arc<Activity>);

impl Drop for Process {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.process = false;
        state.outside -= 1;
    }
}

/// See [`Activity::requested`].
struct Request(Arc<Activity>);

impl Drop for Request {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.requests -= 1;
        state.turns += 1;
        let turns = state.turns;
        // The process learns of the answer now, and goes on; unless it awaits the others.
        if let (true, Ok(runtime)) = (state.is_idle(), tokio::runtime::Handle::try_current()) {
            let activity = Arc::clone(&self.0);
            runtime.spawn(async move {
                super::real_sleep(GRACE).await;
                if activity.state.lock().turns == turns {
                    activity.rest();
                }
            });
        }
    }
}

/// Keeps the activity in flight until the woken code has learned of it. See [`Activity::wake`].
pub(crate) struct Awake(Arc<Activity>);

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.state.lock().woken -= 1;
    }
}
