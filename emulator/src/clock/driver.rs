//! The driver: takes what is ready, one thing at a time, and moves virtual time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::timers::Timer;
use super::wait::{Wait, WaitId, Woken};
use super::{Clock, ClockMode, Due};
use crate::Timestamp;
use crate::cloud::{Call, JobRun, is_delivering};

/// What the queue holds.
pub(crate) enum Ready {
    /// Code that is to run beside the services: a function, a stack operation.
    Job(JobRun),
    /// Calls that a service makes of others, one after the other.
    Calls(Vec<Call>),
    /// The end of a wait.
    Wake(WaitId, Woken),
}

/// What the driver needs of the cloud.
pub(crate) trait Driven: Send + Sync + 'static {
    fn clock(&self) -> &Arc<Clock>;
    /// Delivers a timer to its service.
    fn fire(&self, timer: Timer);
    /// Starts a job. What it does after it returns, it does as an `Activity`.
    fn start(&self, job: JobRun);
    /// What makes calls for a service, one after the other.
    fn delivery(&self, calls: Vec<Call>) -> Delivery;
}

/// Calls that a service makes, while they are under way. See [`Driven::delivery`].
pub(crate) type Delivery = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Something runs and neither ends nor waits for virtual time.
#[derive(Debug, thiserror::Error)]
#[error(
    "the clock cannot move: for {REAL_LIMIT:?} of real time something has been running that neither ended nor waited for \
     virtual time (a function in an endless loop, or waiting for an answer from outside the cloud that does not come)"
)]
pub struct Stalled;

/// How long, in real time, the driver waits for running code before it says that it is stalled.
const REAL_LIMIT: Duration = Duration::from_secs(60);

/// Drives one cloud. Only one caller drives at a time.
pub(crate) struct Driver {
    turn: tokio::sync::Mutex<()>,
    /// Whether [`Driver::serve`] runs: then whoever waits need not drive.
    serving: AtomicBool,
    /// What [`Driver::serve`] runs on under real time: what is made there needs no turn.
    runtime: Mutex<Option<Handle>>,
}

impl Driver {
    pub fn new() -> Self {
        Self { turn: tokio::sync::Mutex::new(()), serving: AtomicBool::new(false), runtime: Mutex::default() }
    }

    /// Runs what is due now until nothing is left to do without time passing.
    pub async fn settle(&self, cloud: &dyn Driven) -> Result<(), Stalled> {
        let _turn = self.turn.lock().await;
        self.settle_in_turn(cloud).await
    }

    /// Moves virtual time to `target`, stopping at everything that falls due on the way.
    pub async fn advance(&self, cloud: &dyn Driven, target: Timestamp) -> Result<(), Stalled> {
        let _turn = self.turn.lock().await;
        self.settle_in_turn(cloud).await?;
        while let Some(at) = cloud.clock().next_due().filter(|at| *at <= target) {
            cloud.clock().move_to(at);
            self.settle_in_turn(cloud).await?;
        }
        cloud.clock().move_to(target);
        Ok(())
    }

    async fn settle_in_turn(&self, cloud: &dyn Driven) -> Result<(), Stalled> {
        loop {
            idle(cloud.clock()).await?;
            if !step(cloud) {
                return Ok(());
            }
        }
    }

    /// Drives until `wait` ends. In auto mode time jumps to whatever is due next, as far as that takes.
    pub async fn drive_until(&self, cloud: &dyn Driven, mut wait: Wait) -> Result<<Wait as Future>::Output, Stalled> {
        if self.serving.load(Ordering::Relaxed) {
            return Ok(wait.await);
        }
        wait.register();
        let mut wait = std::pin::pin!(wait);
        let driving = async {
            if cloud.clock().mode() == ClockMode::Real {
                return Err(self.drive(cloud).await);
            }
            loop {
                let changed = cloud.clock().changed.notified();
                let turn = self.turn.lock().await;
                self.settle_in_turn(cloud).await?;
                match cloud.clock().next_due() {
                    Some(at) if cloud.clock().mode() == ClockMode::Auto => cloud.clock().move_to(at),
                    _ => {
                        drop(turn);
                        changed.await;
                    }
                }
            }
        };
        tokio::select! {
            biased;
            woken = &mut wait => Ok(woken),
            stalled = driving => stalled,
        }
    }

    /// Drives for as long as the cloud is served: for `garoa serve`.
    pub async fn serve(&self, cloud: &dyn Driven) -> Stalled {
        self.serving.store(true, Ordering::Relaxed);
        *self.runtime.lock() = (cloud.clock().mode() == ClockMode::Real).then(Handle::current);
        let stalled = self.drive(cloud).await;
        self.runtime.lock().take();
        self.serving.store(false, Ordering::Relaxed);
        stalled
    }

    async fn drive(&self, cloud: &dyn Driven) -> Stalled {
        loop {
            let changed = cloud.clock().changed.notified();
            let outcome = match cloud.clock().mode() {
                ClockMode::Real => {
                    while step(cloud) {}
                    sleep_until(cloud.clock().look_at_next(), changed).await;
                    Ok(())
                }
                ClockMode::Frozen => {
                    let settled = self.settle(cloud).await;
                    changed.await;
                    settled
                }
                ClockMode::Auto => self.jump(cloud, changed).await,
            };
            if let Err(stalled) = outcome {
                return stalled;
            }
        }
    }

    async fn jump(&self, cloud: &dyn Driven, changed: impl Future<Output = ()>) -> Result<(), Stalled> {
        self.settle(cloud).await?;
        match cloud.clock().next_due().filter(|_| cloud.clock().has_deadlines()) {
            Some(at) => self.advance(cloud, at).await,
            None => {
                changed.await;
                Ok(())
            }
        }
    }
}

/// Makes calls for a service: at once where the cloud is served under real time, else in their turn. The answers are not waited for.
pub(crate) fn deliver(cloud: &dyn Driven, driver: &Driver, calls: Vec<Call>) {
    let Some(runtime) = driver.runtime.lock().clone() else { return cloud.clock().push(Ready::Calls(calls)) };
    let mut delivery = cloud.delivery(calls);
    // The end of an invocation comes about outside of any runtime. Where there is one, it stays: what may block asks it.
    let _runtime = Handle::try_current().is_err().then(|| runtime.enter());
    // Most calls are answered without waiting: then no other thread need be woken for them. Those that a delivery brings about are
    // not made within it, for they may bring about others without an end.
    if is_delivering() || delivery.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        runtime.spawn(delivery);
    }
}

/// Begins a job: at once under real time, in its turn under virtual time.
pub(crate) fn begin(cloud: &dyn Driven, job: JobRun) {
    match cloud.clock().mode() {
        ClockMode::Real => cloud.start(job),
        ClockMode::Frozen | ClockMode::Auto => cloud.clock().push(Ready::Job(job)),
    }
}

/// Takes one thing that is ready or due, and does it.
fn step(cloud: &dyn Driven) -> bool {
    let clock = cloud.clock();
    if let Some(ready) = clock.pop_ready() {
        match ready {
            Ready::Job(job) => cloud.start(job),
            Ready::Calls(calls) => drop(tokio::spawn(cloud.delivery(calls))),
            Ready::Wake(id, why) => clock.wake(id, why),
        }
        return true;
    }
    match clock.pop_due(clock.now()) {
        Some((_, Due::Timer(timer))) => cloud.fire(timer),
        Some((_, Due::Deadline(id))) => clock.wake(id, Woken::Deadline),
        None => return false,
    }
    true
}

/// Waits until nothing is in flight.
#[allow(clippy::disallowed_methods)]
async fn idle(clock: &Arc<Clock>) -> Result<(), Stalled> {
    loop {
        let idled = clock.idled.notified();
        if clock.is_idle() {
            return Ok(());
        }
        if tokio::time::timeout(REAL_LIMIT, idled).await.is_err() {
            return Err(Stalled);
        }
    }
}

/// Sleeps in real time until `due`, or until something changes.
#[allow(clippy::disallowed_methods)]
async fn sleep_until(due: Option<Timestamp>, changed: impl Future<Output = ()>) {
    match due {
        Some(at) => {
            let real = tokio::time::sleep(at.since(super::real_now()));
            tokio::select! {
                () = real => {}
                () = changed => {}
            }
        }
        None => changed.await,
    }
}
