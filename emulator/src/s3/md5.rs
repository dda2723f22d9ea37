//! MD5 of what is uploaded, which S3's ETags are.
//!
//! One digest cannot be made by parts, for each block depends on the one before it, and takes longer than all else about a large
//! object. So a large body is digested while it comes, by a thread beside the server's; and what has come of several bodies
//! together, in as many lanes of vector registers, at hardly more cost than of one.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use bytes::{Bytes, BytesMut};
use md5_many::{Md5Digest, Md5Many, Md5State};
use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::oneshot;

/// How much of each body is digested in a turn, in bytes.
const SEGMENT: usize = 256 * 1024;
/// How many segments of a body wait, for those of others to come along, before they are digested; unless the body is complete.
const PATIENCE: usize = 4;

/// The bodies that are coming. It is one for all clouds of this process: a digest is of nothing but its bytes.
static LINE: Mutex<Line> =
    Mutex::new(Line { coming: BTreeMap::new(), begun: 0, has_thread: false, digested: Vec::new() });
/// There is something for the thread to do.
static CALLED: Condvar = Condvar::new();

struct Line {
    coming: BTreeMap<u64, Coming>,
    /// How many bodies have begun to come: they are numbered.
    begun: u64,
    /// Whether the thread runs: as long as bodies come.
    has_thread: bool,
    /// The digests of those that are complete and not answered yet, by where they lie and how long they are.
    digested: Vec<(Place, Md5Digest)>,
}

/// Where a body lies in memory, and its length.
type Place = (usize, usize);

fn place(body: &Bytes) -> Place {
    (body.as_ptr().addr(), body.len())
}

/// A body that is coming.
#[derive(Default)]
struct Coming {
    /// Segments that are not digested yet, in their order.
    waiting: VecDeque<BytesMut>,
    /// What was digested: the segments are one piece of memory again.
    done: BytesMut,
    state: Md5State,
    /// Who waits for the end; absent until the body is complete.
    ended: Option<oneshot::Sender<(BytesMut, Md5Digest)>>,
}

/// A body that is put together from the pieces in which it comes, and digested meanwhile.
pub(crate) struct Intake {
    /// What is no whole segment yet, before the room for the rest.
    last: BytesMut,
    number: u64,
}

impl Intake {
    /// How many bytes bodies have that are digested while they come. Shorter ones are digested sooner than a thread wakes; for
    /// longer ones room is not made at once.
    pub const LENGTHS: RangeInclusive<usize> = PATIENCE * SEGMENT..=16 * 1024 * 1024;

    /// For a body of this length, which is one of [`Self::LENGTHS`]; `None` if the machine gives no thread.
    pub fn begin(length: usize) -> Option<Self> {
        let mut line = LINE.lock();
        if !line.has_thread {
            let started = std::thread::Builder::new().name("md5".to_owned()).spawn(digest_all);
            started.inspect_err(|error| tracing::warn!(%error, "no thread for digests")).ok()?;
            line.has_thread = true;
        }
        line.begun += 1;
        let number = line.begun;
        line.coming.insert(number, Coming::default());
        Some(Self { last: BytesMut::with_capacity(length), number })
    }

    /// The next piece has come.
    pub fn push(&mut self, piece: &[u8]) {
        self.last.extend_from_slice(piece);
        while self.last.len() >= SEGMENT {
            let segment = self.last.split_to(SEGMENT);
            self.hand_over(segment, None);
        }
    }

    /// All has come.
    ///
    /// # Errors
    /// If the thread has died.
    pub async fn end(mut self) -> Result<Digested, oneshot::error::RecvError> {
        let (ended, end) = oneshot::channel();
        let last = std::mem::take(&mut self.last);
        self.hand_over(last, Some(ended));
        let (body, digest) = end.await?;
        Ok(Digested::new(body.freeze(), digest))
    }

    fn hand_over(&self, segment: BytesMut, ended: Option<oneshot::Sender<(BytesMut, Md5Digest)>>) {
        let mut line = LINE.lock();
        // It is gone if the thread has died.
        if let Some(coming) = line.coming.get_mut(&self.number) {
            coming.waiting.push_back(segment);
            coming.ended = ended;
            if coming.is_due() {
                CALLED.notify_one();
            }
        }
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        // Of a connection that broke.
        if LINE.lock().coming.remove(&self.number).is_some() {
            CALLED.notify_one();
        }
    }
}

/// A body whose digest is known as long as this lives: [`digest`] finds it.
pub(crate) struct Digested(Bytes);

impl Digested {
    fn new(body: Bytes, digest: Md5Digest) -> Self {
        LINE.lock().digested.push((place(&body), digest));
        Self(body)
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.0
    }
}

impl Drop for Digested {
    fn drop(&mut self) {
        let place = place(&self.0);
        LINE.lock().digested.retain(|(known, _)| *known != place);
    }
}

/// The digest of a body: made now, unless it was while the body came.
pub(super) fn digest(body: &Bytes) -> Md5Digest {
    let known = |line: MutexGuard<'_, Line>| {
        let place = place(body);
        line.digested.iter().find(|(known, _)| *known == place).map(|(_, digest)| *digest)
    };
    let found = if Intake::LENGTHS.contains(&body.len()) { known(LINE.lock()) } else { None };
    found.unwrap_or_else(|| md5_many::md5(body))
}

impl Coming {
    /// Whether it is digested now, others along with it.
    fn is_due(&self) -> bool {
        self.ended.is_some() || self.waiting.len() >= PATIENCE
    }
}

/// A segment in its turn.
struct Turn {
    number: u64,
    state: Md5State,
    segment: BytesMut,
}

impl Line {
    /// What is digested next: of each body the segment that has waited longest, if one of the bodies is due.
    fn turn(&mut self) -> Vec<Turn> {
        if !self.coming.values().any(Coming::is_due) {
            return Vec::new();
        }
        let next = self.coming.iter_mut().filter_map(|(number, coming)| {
            Some(Turn { number: *number, state: coming.state, segment: coming.waiting.pop_front()? })
        });
        next.collect()
    }

    /// Takes back what was digested.
    fn take_back(&mut self, turns: Vec<Turn>) {
        for Turn { number, state, segment } in turns {
            let Some(coming) = self.coming.get_mut(&number) else { continue };
            coming.state = state;
            coming.done.unsplit(segment);
            if coming.waiting.is_empty()
                && let Some(ended) = coming.ended.take()
            {
                // Who waits may have broken off.
                let _ = ended.send((std::mem::take(&mut coming.done), state.finalize()));
                self.coming.remove(&number);
            }
        }
    }
}

/// What the thread does, until no body comes any more.
fn digest_all() {
    let _failure = Failure;
    let engine = Md5Many::new();
    let mut line = LINE.lock();
    while !line.coming.is_empty() {
        let mut turns = line.turn();
        if turns.is_empty() {
            CALLED.wait(&mut line);
        } else {
            MutexGuard::unlocked(&mut line, || digest_turn(engine, &mut turns));
            line.take_back(turns);
        }
    }
    line.has_thread = false;
}

/// Tells all who wait that nobody digests, if the thread dies of a fault.
struct Failure;

impl Drop for Failure {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut line = LINE.lock();
            line.coming.clear();
            line.has_thread = false;
        }
    }
}

fn digest_turn(engine: Md5Many, turns: &mut [Turn]) {
    // Lanes go side by side for as long as the shortest.
    let (whole, rest): (Vec<_>, Vec<_>) = turns.iter_mut().partition(|turn| turn.segment.len() == SEGMENT);
    if let [_, _, ..] = whole[..] {
        let mut states: Vec<Md5State> = whole.iter().map(|turn| turn.state).collect();
        let mut segments: Vec<&[u8]> = whole.iter().map(|turn| &turn.segment[..]).collect();
        // Lanes that stand empty would be digested one by one: they repeat the first, and nobody looks at them.
        let lanes = states.len().next_multiple_of(engine.lanes());
        states.resize(lanes, Md5State::new());
        segments.resize(lanes, segments[0]);
        engine.update_many(&mut states, &segments);
        for (turn, state) in whole.into_iter().zip(states) {
            turn.state = state;
        }
    } else {
        // Alone it goes faster in the registers for numbers.
        whole.into_iter().for_each(|turn| turn.state.update(&turn.segment));
    }
    rest.into_iter().for_each(|turn| turn.state.update(&turn.segment));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn taken_in(body: &[u8], piece: usize) -> Digested {
        let mut intake = Intake::begin(body.len()).expect("a thread");
        for piece in body.chunks(piece) {
            intake.push(piece);
            tokio::task::yield_now().await;
        }
        intake.end().await.expect("a digest")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Bodies that come at once, some of which break off, are whole and have the digests that they have alone.
        #[test]
        fn together_as_alone(bodies in prop::collection::vec((any::<u8>(), 0..6 * SEGMENT, 1..SEGMENT, any::<bool>()), 1..12)) {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
            let coming: Vec<_> = bodies.into_iter().map(|(first, length, piece, is_complete)| {
                let body: Vec<u8> = (0..length).map(|place| (place as u8).wrapping_mul(first)).collect();
                runtime.spawn(async move {
                    if !is_complete {
                        Intake::begin(length).expect("a thread").push(&body);
                    }
                    (taken_in(&body, piece).await, body)
                })
            }).collect();
            for come in coming {
                let (digested, body) = runtime.block_on(come).expect("a body");
                prop_assert_eq!(&digested.body()[..], &body[..]);
                // An implementation of somebody else's.
                prop_assert_eq!(digest(digested.body()), <[u8; 16]>::from(<md5::Md5 as md5::Digest>::digest(&body)));
            }
        }
    }

    #[tokio::test]
    async fn a_digest_is_of_its_body_only() {
        let body = vec![7; 4 * SEGMENT + 1];
        let digested = taken_in(&body, 5000).await;
        let wrong = Md5Digest::default();
        for (_, digest) in LINE.lock().digested.iter_mut().filter(|(known, _)| *known == place(digested.body())) {
            *digest = wrong;
        }
        assert_eq!(digest(digested.body()), wrong, "it is not made again");
        assert_ne!(digest(&digested.body().slice(1..)), wrong);
        assert_ne!(digest(&Bytes::from(body)), wrong);
    }
}
