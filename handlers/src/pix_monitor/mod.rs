//! pix-monitor: watches the Pix cash-outs of a few accounts and tells a Slack channel about the new ones.
//!
//! ```text
//! schedule ─▶ window ─▶ FilterLogEvents (every page, every group) ─▶ select ─▶ Slack ─▶ cursor in S3
//! ```
//! [`select`] and [`window`] decide what is new and how far back to read; they are pure. [`logs`], [`cursor`] and
//! [`slack`] make the calls. [`run`] puts them in order, and that order is the guarantee: the channel is told first and
//! the cursor moves after, so an alert may be repeated and is never lost.

pub mod cursor;
pub mod error;
pub mod event;
pub mod event_id;
pub mod logs;
pub mod message;
pub mod money;
pub mod run;
pub mod select;
pub mod service;
pub mod settings;
pub mod slack;
pub mod window;

#[cfg(test)]
mod guarantee;
#[cfg(test)]
mod testing;

pub use error::Error;
pub use service::{PixMonitor, service};
pub use settings::{Settings, SettingsError};
