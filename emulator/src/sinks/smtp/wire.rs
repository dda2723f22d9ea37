//! Lines and message data from a client, with limits on all of it.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::reply::Reply;
use crate::clock::real_limit;

/// The longest line: what RFC 4954 section 4 asks for authentication; commands have 512 bytes (RFC 5321 section 4.5.3.1.4).
const LINE_MAX: usize = 12_288;

/// How much of a line of data is kept before it is handed on in parts.
const DATA_PART: usize = 64 * 1024;

/// Any connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection with what was read of it and not used yet.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    /// How long the client may take for each line and each part of its data, by the machine's clock.
    patience: Option<Duration>,
}

/// A line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Whole(Vec<u8>),
    TooLong,
    /// The client closed the connection.
    End,
}

/// The data of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Data {
    Whole(Vec<u8>),
    TooLarge,
    /// The client closed the connection before the end.
    End,
}

impl Wire {
    pub fn new(stream: impl Stream + 'static, patience: Option<Duration>) -> Self {
        Self { stream: Box::new(stream), buffer: BytesMut::new(), patience }
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(DATA_PART / 4);
        self.stream.read_buf(&mut self.buffer).await
    }

    async fn patient_fill(&mut self) -> io::Result<usize> {
        match self.patience {
            Some(limit) => real_limit(limit, self.fill()).await,
            None => self.fill().await,
        }
    }

    /// The next line. A line feed alone ends it as well: commands are typed by people, too.
    pub async fn line(&mut self) -> io::Result<Line> {
        match self.patience {
            Some(limit) => real_limit(limit, self.next_line()).await,
            None => self.next_line().await,
        }
    }

    async fn next_line(&mut self) -> io::Result<Line> {
        let (mut looked, mut too_long) = (0, false);
        loop {
            let found = self.buffer.iter().skip(looked).position(|byte| *byte == b'\n').map(|at| looked + at + 1);
            if let Some(end) = found {
                let line = self.buffer.split_to(end);
                if too_long || end > LINE_MAX {
                    return Ok(Line::TooLong);
                }
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                return Ok(Line::Whole(line.strip_suffix(b"\r").unwrap_or(line).to_vec()));
            }
            looked = self.buffer.len();
            if looked > LINE_MAX {
                self.buffer.clear();
                (looked, too_long) = (0, true);
            }
            if self.fill().await? == 0 {
                return Ok(Line::End);
            }
        }
    }

    /// The data of a message up to its final dot, with the dots of its lines taken away (RFC 5321 section 4.5.2). Only
    /// `CR LF . CR LF` ends it: a server that takes less for the end can be made to see mails that nobody sent.
    pub async fn data(&mut self, max: usize) -> io::Result<Data> {
        let mut data = Unstuffed { bytes: Vec::new(), max, seen: 0, line_starts: true };
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1);
                if data.line_starts && *line == *b".\r\n" {
                    let fits = data.seen <= max;
                    return Ok(if fits { Data::Whole(data.bytes) } else { Data::TooLarge });
                }
                data.push(&line);
            }
            if self.buffer.len() > DATA_PART {
                // All but a carriage return that may be half of the line's end.
                let part = self.buffer.split_to(self.buffer.len() - 1);
                data.push(&part);
            }
            if data.seen > max.saturating_mul(2) || self.patient_fill().await? == 0 {
                return Ok(Data::End);
            }
        }
    }

    pub async fn send(&mut self, reply: &Reply) -> io::Result<()> {
        let bytes = Bytes::from(reply.bytes());
        let patience = self.patience;
        let sending = async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        match patience {
            Some(limit) => real_limit(limit, sending).await,
            None => sending.await,
        }
    }

    /// Reads on until the client closes, and looks at nothing.
    pub async fn drain(&mut self) {
        loop {
            self.buffer.clear();
            match self.patient_fill().await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    /// Goes on under TLS. What the client sent ahead of it in the clear is thrown away: it may be anybody's.
    pub async fn upgrade(self, acceptor: &tokio_rustls::TlsAcceptor) -> io::Result<Self> {
        let accepting = acceptor.accept(self.stream);
        let stream = match self.patience {
            Some(limit) => real_limit(limit, accepting).await?,
            None => accepting.await?,
        };
        Ok(Self::new(stream, self.patience))
    }

    /// Says that nothing more comes; under TLS a client can tell that from a broken connection.
    pub async fn close(&mut self) {
        let closing = self.stream.shutdown();
        let closed = match self.patience {
            Some(limit) => real_limit(limit, closing).await,
            None => closing.await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "the client was gone already");
        }
    }
}

/// Data as it grows.
struct Unstuffed {
    bytes: Vec<u8>,
    max: usize,
    /// How much there was, kept or not.
    seen: usize,
    line_starts: bool,
}

impl Unstuffed {
    fn push(&mut self, part: &[u8]) {
        let kept = if self.line_starts { part.strip_prefix(b".").unwrap_or(part) } else { part };
        self.line_starts = part.ends_with(b"\r\n");
        self.seen = self.seen.saturating_add(kept.len());
        if self.seen <= self.max {
            self.bytes.extend_from_slice(kept);
        } else {
            self.bytes = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    /// A wire on which these bytes come in parts of `step`.
    fn wire(bytes: &[u8], step: usize) -> Wire {
        let (mut theirs, ours) = tokio::io::duplex(step);
        let bytes = bytes.to_vec();
        tokio::spawn(async move { _ = theirs.write_all(&bytes).await });
        Wire::new(ours, None)
    }

    #[tokio::test]
    async fn lines_end_with_a_line_feed_and_are_not_too_long() {
        let long = "x".repeat(3 * LINE_MAX);
        let mut wire = wire(format!("EHLO a\r\nNOOP\n{long}\r\nQUIT\r\nhalf").as_bytes(), 7);
        assert_eq!(wire.line().await.unwrap(), Line::Whole(b"EHLO a".to_vec()));
        assert_eq!(wire.line().await.unwrap(), Line::Whole(b"NOOP".to_vec()));
        assert_eq!(wire.line().await.unwrap(), Line::TooLong);
        assert_eq!(wire.line().await.unwrap(), Line::Whole(b"QUIT".to_vec()));
        assert_eq!(wire.line().await.unwrap(), Line::End);
    }

    #[tokio::test]
    async fn only_a_dot_between_two_whole_line_ends_ends_the_data() {
        for (sent, data) in [
            ("a\r\n.\r\nQUIT\r\n", Data::Whole(b"a\r\n".to_vec())),
            (".\r\n", Data::Whole(Vec::new())),
            ("..a\r\n.b\r\n.\r\n", Data::Whole(b".a\r\nb\r\n".to_vec())),
            ("a\n.\nb\n.\r\nc\r\n.\r\n", Data::Whole(b"a\n.\nb\n.\r\nc\r\n".to_vec())),
            ("0123456789abc\r\n.\r\n", Data::TooLarge),
            ("a\r\n.", Data::End),
        ] {
            assert_eq!(wire(sent.as_bytes(), 3).data(12).await.unwrap(), data, "{sent:?}");
        }
        let mut endless = wire(&[b'x'; 500], 3);
        assert_eq!(endless.data(100).await.unwrap(), Data::End, "beyond twice the size nobody listens");
    }

    proptest! {
        #[test]
        fn what_is_stuffed_is_unstuffed(
            lines in proptest::collection::vec("[.a\r]{0,5}", 0..6), long in 0_usize..200_000, step in 1_usize..70_000,
        ) {
            let lines: Vec<String> = lines.into_iter().map(|line| line.replace("\r\n", "")).collect();
            let message: String = lines.iter().map(|line| format!("{line}\r\n")).collect::<String>() + &"y".repeat(long) + "\r\n";
            let stuffed = message.split_inclusive("\r\n").map(|line| {
                if line.starts_with('.') { format!(".{line}") } else { line.to_owned() }
            }).collect::<String>() + ".\r\n";
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let read = runtime.block_on(async { wire(stuffed.as_bytes(), step).data(1 << 20).await.unwrap() });
            prop_assert_eq!(read, Data::Whole(message.into_bytes()));
        }
    }
}
