//! mail-notify: mails a ZIP of video frames from S3 to whoever asked for it.
//!
//! ```text
//! SQS ─▶ request ─▶ claim in DynamoDB ─▶ archive from S3 ─▶ compose ─▶ SMTP (STARTTLS, AUTH) ─▶ record in DynamoDB
//! ```
//! [`request`] and [`compose`] are pure. [`dedup`], [`archive`], [`password`] and [`smtp`] make the calls. [`run`] puts
//! them in order, and that order is the guarantee: a message is claimed before it is mailed, under a lease that ends with
//! the invocation, and recorded as sent after the mail server took it. A crash before that loses nothing, for the lease
//! is over when the queue delivers again; a delivery after it mails nothing. Between the server's answer and the record
//! lies the one window in which a crash mails twice, and no protocol over SMTP closes it.

pub mod archive;
pub mod compose;
pub mod dedup;
pub mod error;
pub mod password;
pub mod request;
pub mod run;
pub mod service;
pub mod settings;
pub mod smtp;

#[cfg(test)]
mod testing;

pub use error::Error;
pub use service::{MailNotify, service, service_over};
pub use settings::{Settings, SettingsError};
