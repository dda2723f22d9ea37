//! AWS Lambda: functions, invocations, execution environments.
//!
//! `functions.rs`, `configuration.rs`, `code.rs`, `versions.rs`, `aliases.rs`, `concurrency.rs`, `event_config.rs` and `tags.rs` keep
//! functions; `qualifier.rs` says which version a call means. `invoke.rs` and `attempts.rs` keep the books of invocations,
//! `destinations.rs` tells their ends. `environment.rs` runs the code, which `handler.rs` wraps if it is in this process, and
//! `runtime/` runs as a process if it was uploaded; `report.rs` writes what an invocation leaves in CloudWatch.

mod aliases;
mod attempts;
mod code;
mod concurrency;
mod configuration;
mod destinations;
mod environment;
mod event_config;
mod functions;
mod handler;
mod invoke;
mod lines;
mod qualifier;
mod report;
mod runtime;
mod tags;
mod versions;

pub(crate) use environment::Environments;
pub use handler::{FunctionEnv, FunctionFactory, handler};
pub use runtime::Interpreters;
pub(crate) use runtime::archive_of;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};

use crate::cloud::{At, Cloud, Scope, Service, Target};

/// The job that runs a function's code: `environment.rs` takes it, in environments that outlive one invocation.
pub(crate) const RUN: &str = "Run";
/// Who assumes the roles of functions.
pub(crate) const PRINCIPAL: &str = "lambda.amazonaws.com";

/// The functions of an account in a region, and what they are doing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Functions {
    functions: OrdMap<String, functions::Function>,
    invocations: OrdMap<String, invoke::Invocation>,
    /// How many invocations run, by function and in all.
    running: OrdMap<String, u32>,
    running_in_all: u32,
    /// Synchronous invocations that have ended, and whose callers have not fetched the answer yet.
    unclaimed: Vector<String>,
    /// Code that was fetched from buckets for calls that wait for it, and how often that was done.
    #[serde(skip)]
    fetched: OrdMap<u64, code::Fetched>,
    fetches: u64,
}

/// The service and its operations.
pub fn service() -> Service<Functions> {
    Service::new("lambda")
        .with(functions::operations)
        .with(code::operations)
        .with(versions::operations)
        .with(aliases::operations)
        .with(concurrency::operations)
        .with(event_config::operations)
        .with(tags::operations)
        .with(invoke::operations)
        .with(attempts::operations)
}

/// The function that a name, a partial or a whole ARN stands for.
fn on(at: &At<Functions>, name: &str) -> Target {
    Target::on(at.scope.arn("lambda", format_args!("function:{}", functions::bare_name(name))))
}

/// The digest of some code, from base64 as AWS shows it to hexadecimal digits, which make a name of a file.
fn hash_of(sha256: &str) -> String {
    hex::encode(STANDARD.decode(sha256).unwrap_or_default())
}

/// The code of a version, for who has the URL that `GetFunction` answered; see [`Environments::code_url`].
pub(crate) fn download(
    cloud: &Cloud,
    scope: &Scope,
    name: &str,
    version: &str,
    hash: &str,
    proof: &str,
) -> Option<Bytes> {
    let is_proven = cloud.0.environments.code_proof(scope, name, version, hash) == proof;
    code::stored(cloud, scope, name, version).filter(|_| is_proven)
}
