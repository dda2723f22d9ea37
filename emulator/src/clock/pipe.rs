//! A connection in memory between code in the cloud and a server outside it, of which the clock knows.
//!
//! Virtual time must stand while the server works and while its answer is on the way to code that awaits it; it may move
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

/// The server's work, as the clock sees it: it stops when the server waits for virtual time.
#[derive(Clone)]
pub(crate) struct Work(Arc<Shared>);

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

    /// That side is being polled: it is awake.
    fn runs(&mut self, side: Side, clock: &Arc<Clock>) {
        match side {
            Side::Near => (self.waiting, self.woken) = (None, None),
            Side::Far => _ = self.working.get_or_insert_with(|| clock.busy()),
        }
    }

    /// That side can go no further.
    fn waits(&mut self, side: Side) {
        match side {
            Side::Near => {
                self.waiting = Activity::current().map(|activity| {
                    activity.begin_wait();
                    Waiting(activity)
                });
            }
            Side::Far => self.working = None,
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
            Side::Far => _ = self.working.get_or_insert_with(|| clock.busy()),
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
    /// The server waits for virtual time.
    pub fn rest(&self) {
        self.0.state.lock().waits(Side::Far);
    }

    /// The server works again.
    pub fn resume(&self) {
        self.0.state.lock().runs(Side::Far, &self.0.clock);
    }
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (side, clock) = (self.side, &self.shared.clock);
        let mut state = self.shared.state.lock();
        state.runs(side, clock);
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
        state.runs(side, clock);
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

    #[tokio::test]
    async fn time_stands_while_the_server_works_and_may_move_while_it_waits() {
        let clock = clock();
        let (mut near, mut far) = pipe(&clock);
        assert!(!clock.is_idle(), "a new server works");
        let mut buffer = [0; 4];
        let (read, ()) = tokio::join!(far.read_exact(&mut buffer), async {
            tokio::task::yield_now().await;
            assert!(clock.is_idle(), "it waits for a line");
            near.write_all(b"EHLO").await.unwrap();
            assert!(!clock.is_idle(), "it has one");
        });
        read.unwrap();
        far.work().rest();
        assert!(clock.is_idle(), "it waits for virtual time");
        far.work().resume();
        assert!(!clock.is_idle());
        let mut answer = [0; 3];
        let (read, ()) = tokio::join!(near.read_exact(&mut answer), async {
            far.write_all(b"250").await.unwrap();
            far.work().rest();
            assert!(!clock.is_idle(), "the answer is on the way");
        });
        read.unwrap();
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
