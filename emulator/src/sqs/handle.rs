//! Receipt handles: which receive of which message of which queue, in a form that callers take as opaque.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::books::Key;
use crate::Timestamp;

/// What every handle begins with, as AWS's do.
const PREFIX: [u8; 3] = [0x01, 0x01, 0x01];
const LENGTH: usize = PREFIX.len() + 8 + 8 + 8 + 4;

/// A receipt handle, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle {
    /// The queue's own number, which no other queue has.
    pub queue: u64,
    pub key: Key,
    /// The how-manieth receive of the message it was.
    pub receive: u32,
}

impl Handle {
    pub fn encode(&self) -> String {
        let mut bytes = [0; LENGTH];
        let parts: [&[u8]; 5] = [
            &PREFIX,
            &self.queue.to_be_bytes(),
            &self.key.sent.millis().to_be_bytes(),
            &self.key.number.to_be_bytes(),
            &self.receive.to_be_bytes(),
        ];
        for (slot, byte) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *slot = *byte;
        }
        STANDARD.encode(bytes)
    }

    /// `None` if it is no handle of ours.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        let (prefix, rest) = bytes.split_first_chunk::<3>()?;
        let (queue, rest) = rest.split_first_chunk()?;
        let (sent, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (receive, rest) = rest.split_first_chunk()?;
        (*prefix == PREFIX && rest.is_empty()).then(|| Self {
            queue: u64::from_be_bytes(*queue),
            key: Key { sent: Timestamp::from_millis(i64::from_be_bytes(*sent)), number: u64::from_be_bytes(*number) },
            receive: u32::from_be_bytes(*receive),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_handle_reads_as_it_was_written_and_nothing_else_does() {
        let key = Key { sent: Timestamp::from_secs(5), number: 7 };
        let handle = Handle { queue: u64::MAX, key, receive: 3 };
        let text = handle.encode();
        assert!(text.starts_with("AQEB"), "as AWS's: {text}");
        assert_eq!(Handle::decode(&text).unwrap(), handle);
        for other in ["", "garbage", "AQEB", &text[4..], &format!("{text}AAAA")] {
            assert_eq!(Handle::decode(other), None, "{other}");
        }
    }
}
