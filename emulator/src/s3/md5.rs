//! MD5 of what is uploaded, which S3's ETags are.
//!
//! One digest cannot be made by parts, for each block depends on the one before it, and takes longer than all else about a large
//! object. Several at once are as many lanes of vector registers, at hardly more cost than one: of the uploads that come at the
//! same time one digests for all, piece by piece, so that others join, and hands over to another when its own is done.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bytes::Bytes;
use md5_many::{Md5Digest, Md5Many, Md5State};
use parking_lot::Mutex;

/// A body of fewer bytes is digested sooner than another one comes.
const LARGE: usize = 128 * 1024;
/// How many bytes of each body are digested between two looks at who has come.
const PIECE: usize = 256 * 1024;

/// The bodies that wait. It is one for all clouds of this process: a digest is of nothing but its bytes.
static LINE: Mutex<Line> = Mutex::new(Line { waiting: Vec::new(), is_led: false });

struct Line {
    waiting: Vec<Upload>,
    /// Whether somebody digests, or was asked to.
    is_led: bool,
}

struct Upload {
    body: Bytes,
    /// How many bytes of it were digested, and to what.
    done: usize,
    state: Md5State,
    told: SyncSender<Told>,
}

/// The piece of a body after so many bytes.
fn piece(body: &[u8], done: usize) -> &[u8] {
    let rest = body.get(done..).unwrap_or_default();
    rest.get(..PIECE).unwrap_or(rest)
}

/// What somebody who waits is told.
enum Told {
    /// The digest.
    Digest(Md5Digest),
    /// To digest what waits, its own body among it.
    Lead,
}

/// The digest of a body. A large one holds its thread up until it is done.
pub(super) fn digest(body: &Bytes) -> Md5Digest {
    if body.len() < LARGE {
        return md5_many::md5(body);
    }
    let tells = join(body);
    let told = match tells.recv() {
        Ok(Told::Lead) => lead(&tells),
        Ok(told) => Some(told),
        Err(_) => None,
    };
    match told {
        Some(Told::Digest(digest)) => digest,
        // Whoever led did not come to the end.
        _ => md5_many::md5(body),
    }
}

/// Puts a body into the line; who finds nobody digesting is to do it.
fn join(body: &Bytes) -> Receiver<Told> {
    // At most it is told to lead, and then the digest.
    let (told, tells) = sync_channel(2);
    let mut line = LINE.lock();
    if !std::mem::replace(&mut line.is_led, true) {
        // There is room for it, and the receiver is here.
        let _ = told.send(Told::Lead);
    }
    line.waiting.push(Upload { body: body.clone(), done: 0, state: Md5State::new(), told });
    tells
}

/// Digests for all until the own digest is there.
fn lead(tells: &Receiver<Told>) -> Option<Told> {
    let mut lanes = Lanes(Vec::new());
    loop {
        lanes.0.append(&mut LINE.lock().waiting);
        if lanes.0.is_empty() {
            return None;
        }
        lanes.go_on();
        if let Ok(told) = tells.try_recv() {
            return Some(told);
        }
    }
}

/// What is being digested. However that ends, somebody else goes on with the rest.
struct Lanes(Vec<Upload>);

impl Lanes {
    /// Digests a piece of each, and tells those who have their digest.
    fn go_on(&mut self) {
        match &mut self.0[..] {
            // Alone it goes faster in the registers for numbers.
            [Upload { body, done, state, .. }] => state.update(piece(body, *done)),
            several => together(several),
        }
        self.0.retain_mut(|upload| {
            upload.done += piece(&upload.body, upload.done).len();
            let is_over = upload.done == upload.body.len();
            if is_over {
                // Its thread waits, or has been ended.
                let _ = upload.told.send(Told::Digest(upload.state.finalize()));
            }
            !is_over
        });
    }
}

fn together(uploads: &mut [Upload]) {
    let engine = Md5Many::new();
    let mut states: Vec<Md5State> = uploads.iter().map(|upload| upload.state).collect();
    let mut pieces: Vec<&[u8]> = uploads.iter().map(|upload| piece(&upload.body, upload.done)).collect();
    // Lanes that stand empty would be digested one by one: they repeat the first, and nobody looks at them.
    let lanes = engine.lanes().max(states.len());
    states.resize(lanes, Md5State::new());
    pieces.resize(lanes, pieces[0]);
    engine.update_many(&mut states, &pieces);
    for (upload, state) in uploads.iter_mut().zip(states) {
        upload.state = state;
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        let mut line = LINE.lock();
        line.waiting.append(&mut self.0);
        line.is_led = line.waiting.iter().any(|next| next.told.send(Told::Lead).is_ok());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Bodies of all lengths that come at once have the digests that they have alone.
        #[test]
        fn together_as_alone(bodies in prop::collection::vec((any::<u8>(), 0..3 * PIECE), 1..9)) {
            let bodies: Vec<Bytes> = bodies
                .into_iter()
                .map(|(first, length)| (0..length).map(|place| (place as u8).wrapping_mul(first)).collect())
                .collect();
            let together: Vec<_> = std::thread::scope(|scope| {
                let running: Vec<_> = bodies.iter().map(|body| scope.spawn(|| digest(body))).collect();
                running.into_iter().map(|thread| thread.join().expect("a digest")).collect()
            });
            for (body, digest) in bodies.iter().zip(together) {
                // An implementation of somebody else's.
                prop_assert_eq!(digest, <[u8; 16]>::from(<md5::Md5 as md5::Digest>::digest(body)));
            }
        }
    }
}
