//! What a function's code logs through `tracing` becomes the lines of its log stream.

use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::subscriber::DefaultGuard;

use crate::Timestamp;
use crate::clock::Clock;
use crate::cloud::Cloud;

/// How much one invocation may log, in bytes; what comes after is dropped.
const LIMIT: usize = 1024 * 1024;

type Lines = Arc<Mutex<Vec<(Timestamp, String)>>>;

/// Directs this thread's logging into `lines` for as long as the guard lives.
pub(super) fn capture(lines: Lines, cloud: &Cloud) -> DefaultGuard {
    let clock = Arc::clone(&cloud.0.clock);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .with_writer(move || Writer { lines: Arc::clone(&lines), clock: Arc::clone(&clock) })
        .finish();
    tracing::subscriber::set_default(subscriber)
}

struct Writer {
    lines: Lines,
    clock: Arc<Clock>,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut lines = self.lines.lock();
        let size: usize = lines.iter().map(|(_, line)| line.len()).sum();
        if size + bytes.len() <= LIMIT {
            lines.push((self.clock.now(), String::from_utf8_lossy(bytes).into_owned()));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
