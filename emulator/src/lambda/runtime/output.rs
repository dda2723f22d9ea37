//! What a process writes to its output streams becomes lines of its log.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::net::unix::pipe::Receiver;

use crate::clock::Clock;
use crate::lambda::lines::Lines;

/// The longest line, in bytes; a longer one is cut into several. The size of an event in CloudWatch Logs.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
const LINE_LIMIT: usize = 256 * 1024;
/// How much is taken from the streams after an answer, in bytes; what was written before it is in the pipes already.
const DRAIN_LIMIT: usize = 1024 * 1024;
/// With this byte, Garoa's clients for Python and Node.js begin a message that may have several lines, and part them.
const JOINT: u8 = 0x1e;

/// The output streams of a process.
pub(super) struct Output {
    streams: [Stream; 2],
    lines: Lines,
    clock: Arc<Clock>,
}

struct Stream {
    /// Until it ends.
    pipe: Option<Pipe>,
    partial: Vec<u8>,
}

/// What a stream comes from.
struct Pipe {
    /// Reads where the runtime has learned that there is something.
    watched: Receiver,
    /// Reads whether it has or not.
    direct: File,
}

impl Output {
    /// Needs a Tokio runtime, which is then the only one that may read.
    ///
    /// # Errors
    /// If the system cannot watch the streams.
    pub fn new(stdout: OwnedFd, stderr: OwnedFd, lines: Lines, clock: Arc<Clock>) -> std::io::Result<Self> {
        let stream = |pipe: OwnedFd| {
            let direct = File::from(pipe.try_clone()?);
            let pipe = Pipe { watched: Receiver::from_owned_fd(pipe)?, direct };
            Ok::<_, std::io::Error>(Stream { pipe: Some(pipe), partial: Vec::new() })
        };
        Ok(Self { streams: [stream(stdout)?, stream(stderr)?], lines, clock })
    }

    /// Takes what is written for as long as `work` takes, and what was written when it was done.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            let [out, err] = &self.streams;
            tokio::select! {
                biased;
                done = &mut work => {
                    self.drain();
                    return done;
                }
                () = out.readable() => {}
                () = err.readable() => {}
            }
            for stream in &mut self.streams {
                stream.take(|pipe, into| pipe.watched.try_read(into), &self.lines, &self.clock);
            }
        }
    }

    /// Takes what is there, even what the runtime has not learned of: an answer may overtake word of what was written before it.
    /// The end of the streams is the end of their last lines.
    pub fn drain(&mut self) {
        for stream in &mut self.streams {
            let mut taken = 0;
            while taken < DRAIN_LIMIT {
                match stream.take(|pipe, into| pipe.direct.read(into), &self.lines, &self.clock) {
                    0 => break,
                    more => taken += more,
                }
            }
            stream.end_line(&self.lines, &self.clock);
        }
    }
}

impl Stream {
    async fn readable(&self) {
        match &self.pipe {
            Some(pipe) if pipe.watched.readable().await.is_ok() => {}
            _ => std::future::pending().await,
        }
    }

    /// Takes what is there, at most a buffer full, and tells how much that was.
    fn take(
        &mut self,
        read: impl FnOnce(&mut Pipe, &mut [u8]) -> std::io::Result<usize>,
        lines: &Lines,
        clock: &Clock,
    ) -> usize {
        let Some(pipe) = &mut self.pipe else { return 0 };
        let mut buffer = [0; 16 * 1024];
        match read(pipe, &mut buffer) {
            Ok(0) => {
                self.pipe = None;
                0
            }
            Ok(size) => {
                self.feed(buffer.get(..size).unwrap_or_default(), lines, clock);
                size
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => 0,
            Err(error) => {
                tracing::debug!(%error, "a function's output stream broke");
                self.pipe = None;
                0
            }
        }
    }

    fn feed(&mut self, mut bytes: &[u8], lines: &Lines, clock: &Clock) {
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(at + 1);
            self.partial.extend_from_slice(line);
            self.end_line(lines, clock);
            bytes = rest;
        }
        self.partial.extend_from_slice(bytes);
        while self.partial.len() > LINE_LIMIT {
            let rest = self.partial.split_off(LINE_LIMIT);
            self.end_line(lines, clock);
            self.partial = rest;
        }
    }

    fn end_line(&mut self, lines: &Lines, clock: &Clock) {
        let line = std::mem::take(&mut self.partial);
        let line = match line.strip_prefix(&[JOINT]) {
            Some(message) => message.iter().map(|byte| if *byte == JOINT { b'\n' } else { *byte }).collect::<Vec<_>>(),
            None => line,
        };
        let text = String::from_utf8_lossy(&line);
        // CloudWatch Logs takes no empty event.
        if !text.trim().is_empty() {
            lines.push(clock.now(), text.into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::Timestamp;
    use crate::clock::ClockMode;

    #[tokio::test]
    async fn what_was_written_before_the_end_is_taken_though_the_runtime_was_not_told() {
        let ((out, mut writer), (err, _other)) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
        let (lines, clock) = (Lines::default(), Arc::new(Clock::new(ClockMode::Real, Timestamp::default())));
        let mut output = Output::new(out.into(), err.into(), lines.clone(), clock).unwrap();
        writer.write_all(b"one\ntwo").unwrap();
        output.during(std::future::ready(())).await;
        let texts: Vec<String> = lines.take(Timestamp::default()).into_iter().map(|(_, line)| line).collect();
        assert_eq!(texts, ["one\n", "two"]);
    }
}
