//! AWS Lambda: functions, invocations, execution environments.
//!
//! `functions.rs` and `tags.rs` keep functions, `invoke.rs` the books of their invocations; `environment.rs` runs their code, which
//! `handler.rs` wraps; `report.rs` writes what an invocation leaves in CloudWatch.

mod environment;
mod functions;
mod handler;
mod invoke;
mod lines;
mod report;
mod tags;

pub(crate) use environment::Environments;
pub use handler::{FunctionEnv, FunctionFactory, handler, networked_handler};

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::cloud::{At, Service, Target};

/// Who assumes the roles of functions.
pub(crate) const PRINCIPAL: &str = "lambda.amazonaws.com";

/// The functions of an account in a region, and what they are doing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Functions {
    functions: OrdMap<String, functions::Function>,
    invocations: OrdMap<String, invoke::Invocation>,
}

/// The service and its operations.
pub fn service() -> Service<Functions> {
    Service::new("lambda").with(functions::operations).with(tags::operations).with(invoke::operations)
}

/// The function that a name, a partial or a whole ARN stands for.
fn on(at: &At<Functions>, name: &str) -> Target {
    Target::on(at.scope.arn("lambda", format_args!("function:{}", functions::bare_name(name))))
}
