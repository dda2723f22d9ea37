//! The functions of the five systems, deployable to AWS as they are.
//!
//! Nothing here knows where it runs. A function takes everything from outside: its clients, its time and its sleep
//! from one [`aws_types::SdkConfig`], its settings from a lookup of environment variables. The same code therefore
//! runs in AWS Lambda, in a test with scripted answers, or several functions side by side in one process.
//!
//! # How another function is added
//!
//! 1. A module `src/<function>/` with `pub fn service(config, env) -> Result<Function<…>, SettingsError>` ([`function`]);
//!    [`pix_monitor`] is the pattern. `service` reads and checks every setting at once, so that a wrong deployment
//!    fails at its start and not at its first event.
//! 2. The rules (what counts, what is due) are pure functions in files of their own; only `run.rs` and the files named
//!    after a service make calls.
//! 3. Errors are one `thiserror` enum that converts into [`lambda_runtime::Diagnostic`]: the variant's name becomes
//!    Lambda's `errorType`, on which alarms and people can act.
//! 4. A binary `src/bin/<function>.rs` and a `[[bin]]` of the same name: logs and configuration from [`bootstrap`],
//!    then `lambda_runtime::run`, and nothing else.
//! 5. A folder `<system>/` with `template.yaml` (SAM, with an explicit least-privilege role) and `README.md`.

pub mod bootstrap;
pub mod bucket_purge;
pub mod data_refresh;
pub mod env;
mod failure;
pub mod function;
pub mod mail_notify;
pub mod pix_monitor;
pub mod realtime;
