//! Virtual and real time: the clock, its timers, and what runs under it.
//!
//! Whatever makes something happen later, or in another place, goes through one queue here: due timers, jobs
//! (functions that run), calls that a service makes of another, and wake-ups of code that sleeps. Under
//! virtual time the driver takes them one at a time and waits until all that runs has finished or sleeps before
//! it takes the next; that is what makes a run repeatable. Under real time it takes them as they come.
//!
//! Invariant: only the driver moves virtual time, and never while something is in flight.

mod activity;
mod driver;
mod pipe;
mod signals;
mod timers;
mod wait;
mod worker;

pub(crate) use activity::Activity;
pub use driver::Stalled;
pub(crate) use driver::{Delivery, Driven, Driver, Ready, begin, deliver};
pub(crate) use pipe::{End as PipeEnd, Work, pipe};
pub(crate) use timers::{Timer, TimerChange, Timers};
pub(crate) use wait::{Hold, Wait, Woken};
pub(crate) use worker::{End, Worker};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::Timestamp;
use signals::Signals;
use wait::WaitId;

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockMode {
    /// It stands, but for `advance`.
    Frozen,
    /// It stands while anything runs, and jumps to the next thing due when somebody waits for time to pass and
    /// nothing else is in flight. `advance` moves it as well.
    Auto,
    /// It is the machine's.
    Real,
}

/// The clock of a cloud, with the queue of what is to happen.
pub(crate) struct Clock {
    mode: ClockMode,
    inner: Mutex<Inner>,
    changed: Notify,
    /// Nothing runs any more. Apart from `changed`: code that waits as a driver must not wake itself by falling idle.
    idled: Notify,
}

struct Inner {
    now: Timestamp,
    timers: Timers,
    waits: BTreeMap<WaitId, wait::Registered>,
    /// The waits for each signal: a thousand clients wait for one each, and a signal must not ask them all.
    listening: BTreeMap<Arc<str>, BTreeSet<WaitId>>,
    deadlines: BTreeMap<(Timestamp, WaitId), ()>,
    ready: VecDeque<Ready>,
    next_wait: u64,
    signals: Signals,
    /// When whoever drives under real time looks again, if that is known: what is due later need not wake it.
    looks_at: Option<Timestamp>,
    /// How often the world was replaced: see [`Clock::era`].
    era: u64,
    busy: usize,
}

/// The earliest of what is due.
enum Due {
    Timer(Timer),
    Deadline(WaitId),
}

impl Clock {
    pub fn new(mode: ClockMode, now: Timestamp) -> Self {
        let inner = Inner {
            now,
            timers: Timers::default(),
            waits: BTreeMap::new(),
            listening: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            ready: VecDeque::new(),
            next_wait: 0,
            signals: Signals::default(),
            looks_at: None,
            era: 0,
            busy: 0,
        };
        Self { mode, inner: Mutex::new(inner), changed: Notify::new(), idled: Notify::new() }
    }

    pub fn mode(&self) -> ClockMode {
        self.mode
    }

    pub fn now(&self) -> Timestamp {
        match self.mode {
            ClockMode::Real => real_now(),
            ClockMode::Frozen | ClockMode::Auto => self.inner.lock().now,
        }
    }

    /// Applies the timers that a step set and cancelled.
    pub fn change_timers(&self, changes: Vec<TimerChange>) {
        if changes.is_empty() {
            return;
        }
        let mut inner = self.inner.lock();
        let first = inner.timers.first();
        for change in changes {
            inner.timers.apply(change);
        }
        // Who drives waits for the first timer: a later one, set at every call of a busy queue, must not wake it, nor one that is
        // cancelled: then it wakes for nothing, once.
        let is_earlier = inner.timers.first().is_some_and(|now| inner.is_news(first, now));
        drop(inner);
        if is_earlier {
            self.changed.notify_waiters();
        }
    }

    /// Puts something at the end of the queue.
    pub fn push(&self, ready: Ready) {
        self.inner.lock().ready.push_back(ready);
        self.changed.notify_waiters();
    }

    /// Wakes whoever waits for `signal`: at once under real time, where nobody has to wait for its turn.
    pub fn signal(self: &Arc<Self>, signal: &str) {
        let mut inner = self.inner.lock();
        inner.signals.add(signal);
        let Some(woken) = inner.listening.get(signal).cloned() else { return };
        if self.mode == ClockMode::Real {
            drop(inner);
            woken.into_iter().for_each(|id| self.wake(id, Woken::Signal));
            return;
        }
        inner.ready.extend(woken.into_iter().map(|id| Ready::Wake(id, Woken::Signal)));
        drop(inner);
        self.changed.notify_waiters();
    }

    /// How many signals there were so far.
    pub fn signals(&self) -> u64 {
        self.inner.lock().signals.count()
    }

    /// Counts one more thing in flight, until the guard is dropped.
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.inner.lock().busy += 1;
        Busy(Arc::clone(self))
    }

    /// Whether nothing runs that could still do something without time passing.
    fn is_idle(&self) -> bool {
        self.inner.lock().busy == 0
    }

    fn pop_ready(&self) -> Option<Ready> {
        self.inner.lock().ready.pop_front()
    }

    /// Takes the earliest thing that is due at `limit` or before.
    fn pop_due(&self, limit: Timestamp) -> Option<(Timestamp, Due)> {
        let mut inner = self.inner.lock();
        let timer = inner.timers.first();
        let deadline = inner.deadlines.first_key_value().map(|(key, ())| *key);
        match (timer, deadline) {
            (Some(at), Some((by, id))) if by < at => inner.take_deadline(by, id, limit),
            (None, Some((by, id))) => inner.take_deadline(by, id, limit),
            (Some(at), _) if at <= limit => inner.timers.pop().map(|timer| (at, Due::Timer(timer))),
            _ => None,
        }
    }

    /// When the next timer or deadline is due.
    fn next_due(&self) -> Option<Timestamp> {
        self.inner.lock().next_due()
    }

    /// The same for a driver that is going to sleep until then.
    fn look_at_next(&self) -> Option<Timestamp> {
        let mut inner = self.inner.lock();
        inner.looks_at = inner.next_due();
        inner.looks_at
    }

    /// Whether anybody waits for time to pass.
    fn has_deadlines(&self) -> bool {
        !self.inner.lock().deadlines.is_empty()
    }

    /// Sets virtual time; never back.
    fn move_to(&self, at: Timestamp) {
        let mut inner = self.inner.lock();
        inner.now = inner.now.max(at);
    }

    /// The timers as data, for saving and forking.
    pub fn timers(&self) -> Timers {
        self.inner.lock().timers.clone()
    }

    /// Replaces the timers and forgets what was queued. Who waits is woken by [`Clock::wake_all`], once the rest of the world is
    /// replaced as well.
    pub fn restore(&self, now: Timestamp, timers: Timers) {
        let mut inner = self.inner.lock();
        inner.now = now;
        inner.timers = timers;
        inner.ready.clear();
        inner.era += 1;
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Which world this is: ids repeat from one to the next, so that what outlives one must not take the next for it.
    pub fn era(&self) -> u64 {
        self.inner.lock().era
    }

    /// Ends every wait: what it is for may be there no more.
    pub fn wake_all(self: &Arc<Self>) {
        let waits: Vec<WaitId> = self.inner.lock().waits.keys().copied().collect();
        for id in waits {
            self.wake(id, Woken::Signal);
        }
    }
}

impl Inner {
    fn next_due(&self) -> Option<Timestamp> {
        let deadline = self.deadlines.first_key_value().map(|((at, _), ())| *at);
        [self.timers.first(), deadline].into_iter().flatten().min()
    }

    /// Whether something that is due `at` that time changes what whoever drives waits for; `first` was the first of its kind so far.
    fn is_news(&self, first: Option<Timestamp>, at: Timestamp) -> bool {
        [first, self.looks_at].into_iter().flatten().all(|before| at < before)
    }

    /// Takes a wait out of the books.
    fn remove_wait(&mut self, id: WaitId) -> Option<wait::Registered> {
        let wait = self.waits.remove(&id)?;
        if let Some(at) = wait.deadline {
            self.deadlines.remove(&(at, id));
        }
        if let Some(signal) = &wait.signal
            && let Some(waits) = self.listening.get_mut(signal)
        {
            waits.remove(&id);
            if waits.is_empty() {
                self.listening.remove(signal);
            }
        }
        Some(wait)
    }

    fn take_deadline(&mut self, by: Timestamp, id: WaitId, limit: Timestamp) -> Option<(Timestamp, Due)> {
        if by > limit {
            return None;
        }
        self.deadlines.remove(&(by, id));
        Some((by, Due::Deadline(id)))
    }
}

/// One thing in flight. See [`Clock::busy`].
pub(crate) struct Busy(Arc<Clock>);

impl Drop for Busy {
    fn drop(&mut self) {
        let left = {
            let mut inner = self.0.inner.lock();
            inner.busy -= 1;
            inner.busy
        };
        if left == 0 {
            self.0.idled.notify_waiters();
        }
    }
}

/// Sleeps by the machine's clock: for what waits for processes outside, which know no other.
#[allow(clippy::disallowed_methods)]
pub(crate) async fn real_sleep(time: std::time::Duration) {
    tokio::time::sleep(time).await;
}

/// The machine's clock: the only place that reads it.
#[allow(clippy::disallowed_methods)]
pub(crate) fn real_now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

/// Gives up on something outside that takes too long by the machine's clock, whatever the cloud's clock does: a client
/// over TCP that says nothing must not keep its connection for ever.
///
/// # Errors
/// [`std::io::ErrorKind::TimedOut`].
#[allow(clippy::disallowed_methods)]
pub(crate) async fn real_limit<T>(
    limit: std::time::Duration,
    outside: impl Future<Output = std::io::Result<T>>,
) -> std::io::Result<T> {
    tokio::time::timeout(limit, outside).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}
