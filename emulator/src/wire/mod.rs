//! Bytes to calls and replies to bytes, for every AWS protocol.
