//! AWS Lambda: functions, invocations, execution environments.
//!
//! `functions.rs` and `tags.rs` keep functions, `policy.rs` says who else may invoke them, `invoke.rs` the books of their invocations; `environment.rs` runs their code, which
//! `handler.rs` wraps; `report.rs` writes what an invocation leaves in CloudWatch.
//! `mappings/` reads queues and streams for functions.

mod environment;
mod functions;
mod handler;
mod invoke;
mod lines;
mod mappings;
mod policy;
mod report;
mod tags;

pub(crate) use environment::Environments;
pub use handler::{FunctionEnv, FunctionFactory, handler, networked_handler};

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::cloud::{At, Service, Target};

/// The job that runs a function's code: `environment.rs` takes it, in environments that outlive one invocation.
pub(crate) const RUN: &str = "Run";
/// Who assumes the roles of functions.
pub(crate) const PRINCIPAL: &str = "lambda.amazonaws.com";

/// The functions of an account in a region, and what they are doing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Functions {
    functions: OrdMap<String, functions::Function>,
    invocations: OrdMap<String, invoke::Invocation>,
    #[serde(default)]
    mappings: mappings::Mappings,
}

/// The service and its operations.
pub fn service() -> Service<Functions> {
    Service::new("lambda")
        .with(functions::operations)
        .with(tags::operations)
        .with(policy::operations)
        .with(invoke::operations)
        .with(mappings::operations)
}

/// The function that a name, a partial or a whole ARN stands for.
fn on(at: &At<Functions>, name: &str) -> Target {
    let name = functions::bare_name(name);
    let policy = at.state.functions.get(name).map(|function| function.policy.document().into());
    Target::on(at.scope.arn("lambda", format_args!("function:{name}"))).policy(policy)
}
