//! realtime: chat over a WebSocket API.
//!
//! ```text
//! $connect ─▶ ws-authorizer ─▶ ws-connect ─▶ connections table
//! message  ─▶ ws-message ─▶ audit table ─▶ every receiver (management API); who is gone leaves the connections table
//! $disconnect ─▶ ws-disconnect ─▶ connections table
//! ```
//! [`token`] and [`request`] decide and are pure; [`tables`] and [`sender`] make the calls; [`run`] puts them in order. That order is
//! the guarantee: what is sent to anybody is in the audit table before.

pub mod error;
pub mod request;
pub mod run;
pub mod sender;
pub mod service;
pub mod settings;
pub mod tables;
#[cfg(test)]
mod testing;
pub mod token;

pub use error::Error;
pub use service::{Realtime, authorizer, connect, disconnect, message};
