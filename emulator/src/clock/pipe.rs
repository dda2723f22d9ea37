//! A connection in memory between code in the cloud and a server outside it, of which the clock knows.
//!
//! Virtual time must stand while the server works and while its answer is on the way to code that awaits it; it may
//! move
//! while the server waits, be it for the code's next bytes or for virtual time. Only the two ends know which it is, so
//! they keep the clock's books: whoever hands something over counts the other side as in flight before it lets go.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BytesMut};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Activity, Busy, Clock, Hold};

/// Bytes that a direction holds before its writer has to wait: what a socket's buffer holds.
const CAPACITY: usize = 64 * 1024;

/// Whose end it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// The code in the cloud.
    Near,
    /// The server.
    Far,
}

/// One end. Dropping it closes the connection.
pub(crate) struct End {
    shared: Arc<Shared>,
    side: Side,
}

/// The server's work, as the clock sees it. See [`Work::around`].
#[derive(Clone)]
pub(crate) struct Work(Arc<Shared>);

/// The server asks something outside the cloud, and works until that has answered. See [`Work::outside`].
pub(crate) struct Asking(Arc<Shared>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.state.lock().asking = false;
    }
}

struct Shared {
    clock: Arc<Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    to_near: Channel,
    to_far: Channel,
    /// While the server works.
    working: Option<Busy>,
    /// Whether it was handed something since it was last polled.
    handed: bool,
    /// Whether it waits for something outside the cloud.
    asking: bool,
    /// The code that awaits the server.
    waiting: Option<Waiting>,
    /// From when the code is woken until it looks.
    woken: Option<Hold>,
}

/// One direction.
#[derive(Default)]
struct Channel {
    bytes: BytesMut,
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// Code that can go no further until the server does something, as if it waited for virtual time.
struct Waiting(Arc<Activity>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.end_wait();
    }
}

/// A connection: the end of the code in the cloud, and the server's. The server counts as working from now on.
pub(crate) fn pipe(clock: &Arc<Clock>) -> (End, End) {
    let state = State { working: Some(clock.busy()), ..State::default() };
    let shared = Arc::new(Shared { clock: Arc::clone(clock), state: Mutex::new(state) });
    (End { shared: Arc::clone(&shared), side: Side::Near }, End { shared, side: Side::Far })
}

impl State {
    fn channel(&mut self, reader: Side) -> &mut Channel {
        match reader {
            Side::Near => &mut self.to_near,
            Side::Far => &mut self.to_far,
        }
    }

    /// That side looks: whatever woke it has reached it. When the server works is known from its task as a whole.
    fn looks(&mut self, side: Side) {
        if side == Side::Near {
            (self.waiting, self.woken) = (None, None);
        }
    }

    /// That side can go no further.
    fn waits(&mut self, side: Side) {
        if side == Side::Near {
            self.waiting = Activity::current().map(|activity| {
                activity.begin_wait();
                Waiting(activity)
            });
        }
    }

    /// That side is about to be woken.
    fn wakes(&mut self, side: Side, clock: &Arc<Clock>) {
        match side {
            Side::Near => {
                let waiting = self.waiting.as_ref();
                self.woken.get_or_insert_with(|| match waiting {
                    Some(Waiting(activity)) => Hold::Activity(activity.wake()),
                    None => Hold::Other(clock.busy()),
                });
            }
            Side::Far => {
                self.working.get_or_insert_with(|| clock.busy());
                self.handed = true;
            }
        }
    }
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Near => Self::Far,
            Self::Far => Self::Near,
        }
    }
}

impl End {
    /// The server's work, to be had from the server's end.
    pub fn work(&self) -> Work {
        Work(Arc::clone(&self.shared))
    }
}

impl Work {
    /// Runs the server, which is all that this future does. It works while the future is polled. When it is pending, the
    /// server waits, for bytes or for virtual time, unless it was handed something meanwhile or asks outside.
    ///
    /// The ends themselves could not tell: a TLS layer reads until there is no more, and then hands up what it has.
    pub async fn around<F: Future>(self, server: F) -> F::Output {
        let mut server = std::pin::pin!(server);
        std::future::poll_fn(|cx| {
            let mut state = self.0.state.lock();
            state.working.get_or_insert_with(|| self.0.clock.busy());
            state.handed = false;
            drop(state);
            let polled = server.as_mut().poll(cx);
            let mut state = self.0.state.lock();
            if polled.is_ready() || !(state.handed || state.asking) {
                state.working = None;
            }
            polled
        })
        .await
    }

    /// The server asks something outside the cloud until the guard is dropped.
    pub fn outside(&self) -> Asking {
        self.0.state.lock().asking = true;
        Asking(Arc::clone(&self.0))
    }
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (side, clock) = (self.side, &self.shared.clock);
        let mut state = self.shared.state.lock();
        state.looks(side);
        let channel = state.channel(side);
        if channel.bytes.is_empty() && !channel.closed {
            channel.reader = Some(cx.waker().clone());
            state.waits(side);
            return Poll::Pending;
        }
        let length = channel.bytes.len().min(out.remaining());
        out.put_slice(channel.bytes.get(..length).unwrap_or_default());
        channel.bytes.advance(length);
        if let Some(writer) = channel.writer.take() {
            state.wakes(side.other(), clock);
            writer.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let (side, clock) = (self.side, &self.shared.clock);
        let mut state = self.shared.state.lock();
        state.looks(side);
        let channel = state.channel(side.other());
        if channel.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = CAPACITY.saturating_sub(channel.bytes.len());
        if room == 0 {
            channel.writer = Some(cx.waker().clone());
            state.waits(side);
            return Poll::Pending;
        }
        let length = bytes.len().min(room);
        channel.bytes.extend_from_slice(bytes.get(..length).unwrap_or_default());
        if let Some(reader) = channel.reader.take() {
            state.wakes(side.other(), clock);
            reader.wake();
        }
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (side, clock) = (self.side, &self.shared.clock);
        let mut state = self.shared.state.lock();
        let channel = state.channel(side.other());
        channel.closed = true;
        if let Some(reader) = channel.reader.take() {
            state.wakes(side.other(), clock);
            reader.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let (side, other, clock) = (self.side, self.side.other(), &self.shared.clock);
        let mut state = self.shared.state.lock();
        let wakers = [state.channel(other).reader.take(), state.channel(side).writer.take()];
        (state.to_near.closed, state.to_far.closed) = (true, true);
        if wakers.iter().any(Option::is_some) {
            state.wakes(other, clock);
        }
        match side {
            Side::Near => (state.waiting, state.woken) = (None, None),
            Side::Far => state.working = None,
        }
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl std::fmt::Debug for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "End({:?})", self.side)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::Timestamp;
    use crate::clock::ClockMode;

    fn clock() -> Arc<Clock> {
        Arc::new(Clock::new(ClockMode::Frozen, Timestamp::from_secs(0)))
    }

    /// Polls a server once.
    fn step(server: &mut Pin<Box<dyn Future<Output = ()>>>) {
        assert!(server.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    #[tokio::test]
    async fn time_stands_while_the_server_works_and_may_move_while_it_waits() {
        let clock = clock();
        let (mut near, mut far) = pipe(&clock);
        let (asked, answered) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
        let (work, asking, answer) = (far.work(), Arc::clone(&asked), Arc::clone(&answered));
        let mut server: Pin<Box<dyn Future<Output = ()>>> = Box::pin(work.clone().around(async move {
            let mut buffer = [0; 4];
            far.read_exact(&mut buffer).await.unwrap();
            let outside = work.outside();
            asking.notify_one();
            answer.notified().await;
            drop(outside);
            far.write_all(b"250").await.unwrap();
            far.read_exact(&mut buffer).await.unwrap();
        }));
        assert!(!clock.is_idle(), "a new server works");
        step(&mut server);
        assert!(clock.is_idle(), "it waits for a line");
        near.write_all(b"EHLO").await.unwrap();
        assert!(!clock.is_idle(), "it has one");
        step(&mut server);
        assert!(!clock.is_idle(), "it asks outside");
        answered.notify_one();
        let mut reply = [0; 3];
        let mut reading = Box::pin(near.read_exact(&mut reply));
        assert!(reading.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        step(&mut server);
        assert!(!clock.is_idle(), "its answer is on the way");
        reading.await.unwrap();
        assert!(clock.is_idle(), "it has arrived");
        drop(server);
        assert!(clock.is_idle());
    }

    #[tokio::test]
    async fn a_full_direction_waits_and_nothing_is_lost() {
        let clock = clock();
        let (mut near, mut far) = pipe(&clock);
        let sent: Vec<u8> = (0..5 * CAPACITY).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let mut received = Vec::new();
        let (wrote, read) = tokio::join!(
            async {
                near.write_all(&sent).await.unwrap();
                near.shutdown().await
            },
            far.read_to_end(&mut received)
        );
        wrote.unwrap();
        read.unwrap();
        assert_eq!(received, sent);
    }

    #[tokio::test]
    async fn what_is_dropped_is_closed_for_the_other_side() {
        let clock = clock();
        let (mut near, far) = pipe(&clock);
        drop(far);
        assert!(clock.is_idle());
        assert_eq!(near.read(&mut [0; 1]).await.unwrap(), 0);
        assert_eq!(near.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
