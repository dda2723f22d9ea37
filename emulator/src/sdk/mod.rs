//! The AWS SDK for Rust in this process, without a socket.
