//! Threads that run user code: each with a runtime of its own, so that a crash can drop both.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc;

use super::{Activity, Clock};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How code on a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It came to its end.
    Finished,
    /// It was killed: what it had in memory is gone.
    Killed,
    /// It panicked.
    Panicked,
}

/// How often a worker that is done looks for its next order, and lets other threads run in between, before it sleeps: a few
/// microseconds where nothing else runs. To wake it takes both sides longer than that, and where there are many requests the worker
/// that ended last gets the next one.
const LOOKS: u32 = 100;

struct Order {
    activity: Arc<Activity>,
    task: Task,
    /// Called on the worker's thread, while the activity still counts as in flight.
    ended: Box<dyn FnOnce(End) + Send>,
}

/// A thread and a runtime that run one task after another. Between tasks the runtime stands still, as a Lambda execution
/// environment does between invocations.
pub(crate) struct Worker {
    orders: mpsc::Sender<Order>,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the machine gives no thread or no runtime.
    pub fn start(name: &str) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(Activity::thread_parks)
            .build()?;
        let (orders, received) = mpsc::channel();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || work(runtime, &received))?;
        Ok(Self { orders })
    }

    /// Runs a task. `false` if the worker died of an earlier one.
    pub fn run(&self, activity: Arc<Activity>, task: Task, ended: Box<dyn FnOnce(End) + Send>) -> bool {
        self.orders.send(Order { activity, task, ended }).is_ok()
    }

    /// Runs one task on a thread of its own, which ends with it.
    pub fn run_once(clock: &Arc<Clock>, task: Task) {
        let activity = Activity::start(clock, None);
        match Self::start("job") {
            Ok(worker) => {
                worker.run(activity, task, Box::new(|_| ()));
            }
            Err(error) => {
                activity.leave();
                tracing::error!(%error, "no thread for a job");
            }
        }
    }
}

/// The next order; `None` if none comes any more.
fn next(orders: &mpsc::Receiver<Order>) -> Option<Order> {
    for _ in 0..LOOKS {
        match orders.try_recv() {
            Ok(order) => return Some(order),
            Err(mpsc::TryRecvError::Empty) => std::thread::yield_now(),
            Err(mpsc::TryRecvError::Disconnected) => return None,
        }
    }
    orders.recv().ok()
}

fn work(runtime: tokio::runtime::Runtime, orders: &mpsc::Receiver<Order>) {
    let mut runtime = Some(runtime);
    while let (Some(alive), Some(order)) = (&runtime, next(orders)) {
        order.activity.enter();
        let end = alive.block_on(async {
            // As a task of the runtime, not as the future it blocks on: the thread then never parks while the task can run. It is
            // spawned in here because from outside the runtime that takes a system call, to wake what does not sleep.
            let task = tokio::spawn(order.task);
            tokio::select! {
                biased;
                () = order.activity.killed() => End::Killed,
                joined = task => if joined.is_ok() { End::Finished } else { End::Panicked },
            }
        });
        if end != End::Finished {
            // Whatever the code had spawned dies with it.
            if let Some(dead) = runtime.take() {
                dead.shutdown_background();
            }
        }
        (order.ended)(end);
        order.activity.leave();
    }
}
