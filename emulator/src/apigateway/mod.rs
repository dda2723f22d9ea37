//! Amazon API Gateway: REST APIs.
//!
//! This is the control plane. Requests to the APIs themselves are answered by `execute_api`.

mod account;
mod apis;
mod authorizers;
mod certificates;
mod deployments;
mod documentation;
mod domains;
mod errors;
mod export;
pub(crate) mod gateway_responses;
mod import;
mod integrations;
mod key_file;
mod keys;
mod methods;
mod model_forms;
mod models;
mod page;
mod patch;
pub(crate) mod plans;
mod resources;
mod stages;
pub(crate) mod state;
pub(crate) mod trial;
mod usage;
mod validators;
mod vpc_links;

use std::fmt::Display;

pub use state::RestApis;

use crate::Timestamp;
use crate::cloud::{At, Service, Target};

/// Who calls what an API integrates.
pub(crate) const PRINCIPAL: &str = "apigateway.amazonaws.com";

/// The service and its operations.
pub fn service() -> Service<RestApis> {
    Service::new("apigateway")
        .with(apis::operations)
        .with(resources::operations)
        .with(methods::operations)
        .with(integrations::operations)
        .with(deployments::operations)
        .with(stages::operations)
        .with(authorizers::operations)
        .with(models::operations)
        .with(model_forms::operations)
        .with(validators::operations)
        .with(gateway_responses::operations)
        .with(certificates::operations)
        .with(keys::operations)
        .with(key_file::operations)
        .with(plans::operations)
        .with(usage::operations)
        .with(domains::operations)
        .with(vpc_links::operations)
        .with(account::operations)
        .with(documentation::operations)
        .with(import::operations)
        .with(export::operations)
        .with(trial::operations)
}

/// API Gateway's actions are HTTP verbs on the paths of its own API.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-manage.html>
fn on(at: &At<RestApis>, verb: &'static str, path: impl Display) -> Target {
    let action = match verb {
        "GET" => "apigateway:GET",
        "PUT" => "apigateway:PUT",
        "POST" => "apigateway:POST",
        "PATCH" => "apigateway:PATCH",
        _ => "apigateway:DELETE",
    };
    Target::on(format!("arn:aws:apigateway:{}::{path}", at.scope.region)).action(action)
}

/// The dates of this service are whole seconds.
fn seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_secs(now.secs())
}
