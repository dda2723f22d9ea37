//! AWS CloudFormation: templates, the SAM transform, stacks.
//!
//! ```text
//! CreateStack ─ plan.rs ─▶ Definition ─▶ state.rs: the stack, CREATE_IN_PROGRESS
//!                                          │ job
//!                                          ▼
//!              engine/ : resources in order, each by types/, through the front door as the caller
//!                                          │ event "Report"
//!                                          ▼
//!              report.rs ─▶ state.rs: statuses, events, outputs, exports
//! ```
//! `source.rs` finds the text of templates, `macros.rs` has others transform it, `template/` reads it, `settle.rs` lets a call wait for its stack. `types/` has one file a
//! resource type; `describe.rs`, `templates.rs` and `exports.rs` answer questions, `changes.rs` and `causes.rs` foretell what an
//! update does, `change_sets.rs` is what `aws cloudformation deploy` uses, `deploy.rs` what tests use.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/>

mod capabilities;
mod causes;
mod change_sets;
mod changes;
mod deploy;
mod deployment;
mod describe;
mod engine;
mod exports;
mod lookup;
mod macros;
mod plan;
mod report;
mod responses;
mod settle;
mod source;
mod stacks;
mod state;
mod stored;
pub mod template;
mod templates;
#[cfg(test)]
mod tests;
mod types;

pub use deploy::{StackOutputs, local_template};
pub(crate) use responses::answer_response;
pub use state::Stacks;

use crate::cloud::{At, Service, Target};

/// Who assumes the roles of stacks.
const PRINCIPAL: &str = "cloudformation.amazonaws.com";

/// The service and its operations.
pub fn service() -> Service<Stacks> {
    Service::new("cloudformation")
        .asks()
        .waiting_op("CreateStack", |at, i| on(at, &i.stack_name), stacks::create)
        .waiting_op("UpdateStack", |at, i| on(at, &i.stack_name), stacks::update)
        .waiting_op("DeleteStack", |at, i| on(at, &i.stack_name), stacks::delete)
        .op("UpdateTerminationProtection", |at, i| on(at, &i.stack_name), stacks::protect)
        .op("DescribeStacks", |at, i| maybe_on(at, i.stack_name.as_deref()), describe::stacks)
        .op("ListStacks", |_, _| Target::any(), describe::list_stacks)
        .op("DescribeStackEvents", |at, i| on(at, &i.stack_name), describe::events)
        .op("DescribeStackResources", |at, i| maybe_on(at, i.stack_name.as_deref()), describe::resources)
        .op("DescribeStackResource", |at, i| on(at, &i.stack_name), describe::resource)
        .op("ListStackResources", |at, i| on(at, &i.stack_name), describe::list_resources)
        .op("GetTemplate", |at, i| maybe_on(at, i.stack_name.as_deref()), templates::get)
        .waiting_op("GetTemplateSummary", |at, i| maybe_on(at, i.stack_name.as_deref()), templates::summary)
        .waiting_op("ValidateTemplate", |_, _| Target::any(), templates::validate)
        .waiting_op("CreateChangeSet", |at, i| on(at, &i.stack_name), change_sets::create)
        .op("DescribeChangeSet", change_sets::target, change_sets::describe)
        .waiting_op("ExecuteChangeSet", change_sets::target, change_sets::execute)
        .op("DeleteChangeSet", change_sets::target, change_sets::delete)
        .op("ListChangeSets", |at, i| on(at, &i.stack_name), change_sets::list)
        .op("ListExports", |_, _| Target::any(), exports::list)
        .op("ListImports", |_, _| Target::any(), exports::imports)
        .event("Report", report::report)
        .event(responses::AWAIT, responses::begin)
        .event(responses::FORGET, responses::forget)
        .event(responses::TOLD, responses::told)
        .job("Work", engine::job)
}

/// The stack of a name or id. One that does not exist is named without its id, as policies name it with a wildcard.
fn on(at: &At<Stacks>, stack: &str) -> Target {
    let found = at.state.find(stack).map(|stack| stack.id.clone());
    Target::on(found.unwrap_or_else(|| at.scope.arn("cloudformation", format_args!("stack/{stack}/*"))))
}

fn maybe_on(at: &At<Stacks>, stack: Option<&str>) -> Target {
    stack.map_or_else(Target::any, |stack| on(at, stack))
}
