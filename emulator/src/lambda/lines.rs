//! What a function's code logs becomes the lines of its log stream.

use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::dispatcher::Dispatch;

use super::configuration::LoggingConfig;
use crate::Timestamp;
use crate::clock::Clock;
use crate::cloud::Cloud;

/// How much one invocation may log, in bytes as CloudWatch Logs counts them; what comes after is dropped, and told so.
const LIMIT: usize = 4 * 1024 * 1024;
/// What CloudWatch Logs adds to the size of each event.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
pub(super) const EVENT_OVERHEAD: usize = 26;

/// Lines with their times.
#[derive(Clone, Default)]
pub(super) struct Lines(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    lines: Vec<(Timestamp, String)>,
    size: usize,
    dropped: usize,
}

impl Lines {
    pub fn push(&self, now: Timestamp, line: String) {
        let mut kept = self.0.lock();
        let size = line.len() + EVENT_OVERHEAD;
        if kept.size + size <= LIMIT {
            kept.size += size;
            kept.lines.push((now, line));
        } else {
            kept.dropped += 1;
        }
    }

    /// The lines so far; those that follow are counted anew.
    pub fn take(&self, now: Timestamp) -> Vec<(Timestamp, String)> {
        let kept = std::mem::take(&mut *self.0.lock());
        let mut lines = kept.lines;
        if kept.dropped > 0 {
            lines.push((now, format!("Garoa: {} more lines of this invocation were dropped\n", kept.dropped)));
        }
        lines
    }
}

/// What writes an environment's logging into `lines`. Making one has every place in the program that logs looked at anew: there
/// is one for each environment, not for each invocation.
pub(super) fn logger(lines: Lines, cloud: &Cloud, logging: &LoggingConfig) -> Dispatch {
    let clock = Arc::clone(&cloud.0.clock);
    let level = match logging.application_log_level.as_deref() {
        Some("TRACE") => tracing::Level::TRACE,
        Some("DEBUG") => tracing::Level::DEBUG,
        Some("WARN") => tracing::Level::WARN,
        Some("ERROR" | "FATAL") => tracing::Level::ERROR,
        _ => tracing::Level::INFO,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .with_writer(move || Writer { lines: lines.clone(), clock: Arc::clone(&clock) });
    if logging.is_json() { Dispatch::new(subscriber.json().finish()) } else { Dispatch::new(subscriber.finish()) }
}

struct Writer {
    lines: Lines,
    clock: Arc<Clock>,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.lines.push(self.clock.now(), String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
