//! AWS Lambda: functions, invocations, execution environments.
//!
//! `functions.rs`, `configuration.rs`, `code.rs`, `versions.rs`, `aliases.rs`, `concurrency.rs`, `event_config.rs`, `signing.rs`, `runtime_updates.rs` and `tags.rs` keep
//! functions; `urls.rs` keeps their URLs, `url_door.rs` answers requests to these; `qualifier.rs` says which version a call means, `policy.rs` who else may make one. `invoke.rs` and `attempts.rs` keep the books of invocations,
//! `destinations.rs` tells their ends. `environment.rs` runs the code, which `handler.rs` wraps if it is in this process, and
//! `runtime/` runs as a process if it was uploaded; `report.rs` writes what an invocation leaves in CloudWatch.
//! `mappings/` reads queues and streams for functions, `layers/` keeps the archives that they share.

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
mod layers;
mod lines;
mod mappings;
mod network;
mod policy;
mod provisioned;
mod qualifier;
mod recursion;
mod report;
mod runtime;
mod runtime_updates;
mod signing;
mod tags;
mod url_door;
mod urls;
mod versions;

pub(crate) use environment::Environments;
pub use handler::{FunctionEnv, FunctionFactory, handler, networked_handler};
pub(crate) use invoke::Attempt;
pub use runtime::Interpreters;
pub(crate) use runtime::archive_of;
pub(crate) use url_door::{answer_url, url_address};

use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};

use crate::cloud::{Asks, At, Cloud, Inquiries, Scope, Service, Target};

/// The bucket that stands for code on this machine: nothing is read from it. The functions of a template whose code is a local
/// path are registered with `CloudBuilder::function`, or cannot be invoked.
pub(crate) const LOCAL_CODE: &str = "garoa-local-code";
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
    #[serde(default)]
    mappings: mappings::Mappings,
    /// Function URLs, by the names that they begin with.
    #[serde(default)]
    urls: OrdMap<String, urls::FunctionUrl>,
    /// Code signing configurations, by ARN.
    #[serde(default)]
    signing: OrdMap<String, signing::Kept>,
    /// By name.
    #[serde(default)]
    layers: OrdMap<String, layers::Layer>,
    /// What Amazon EC2 is asked.
    #[serde(default)]
    inquiries: Inquiries,
}

impl Asks for Functions {
    fn inquiries(&mut self) -> &mut Inquiries {
        &mut self.inquiries
    }
}

/// The service and its operations.
pub fn service() -> Service<Functions> {
    Service::new("lambda")
        .asks()
        .with(functions::operations)
        .with(code::operations)
        .with(versions::operations)
        .with(aliases::operations)
        .with(concurrency::operations)
        .with(provisioned::operations)
        .with(recursion::operations)
        .with(event_config::operations)
        .with(tags::operations)
        .with(invoke::operations)
        .with(attempts::operations)
        .with(policy::operations)
        .with(urls::operations)
        .with(layers::operations)
        .with(signing::operations)
        .with(runtime_updates::operations)
        .with(mappings::operations)
}

/// The function that a name, a partial or a whole ARN stands for.
fn on(at: &At<Functions>, name: &str) -> Target {
    on_version(at, functions::bare_name(name), None)
}

/// The policy without statements.
static NOTHING: LazyLock<Arc<str>> = LazyLock::new(|| policy::FunctionPolicy::new(String::new()).document);

/// The same, or a version or an alias of it. Without statements, its policy allows nothing, as a function without one.
fn on_version(at: &At<Functions>, name: &str, parameter: Option<&str>) -> Target {
    // A call whose two qualifiers differ is refused when it runs.
    let place = qualifier::qualifier(name, parameter).ok().flatten();
    let name = functions::bare_name(name);
    let arn = at.scope.arn("lambda", format_args!("function:{name}"));
    let policies = at.state.functions.get(name).map(|function| &function.policies);
    let policy = policies.map(|policies| match policies.get(place.unwrap_or_default()) {
        Some(policy) => Arc::clone(&policy.document),
        None => Arc::clone(&NOTHING),
    });
    let arn = place.map_or_else(|| arn.clone(), |place| format!("{arn}:{place}"));
    Target::on(arn).policy(policy)
}

/// The digest of some code, from base64 as AWS shows it to hexadecimal digits, which make a name of a file.
fn hash_of(sha256: &str) -> String {
    hex::encode(STANDARD.decode(sha256).unwrap_or_default())
}

/// The code of a version, for who has the URL that `GetFunction` answered; see [`Environments::code_path`].
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
