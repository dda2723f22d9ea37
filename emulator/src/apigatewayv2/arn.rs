//! ARNs of the control plane, and what its operations act on.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagementv2.html>: the actions are
//! HTTP methods and the resources are paths.

use std::fmt::Display;

use super::Apis;
use crate::cloud::{At, Scope, Target};

/// `arn:aws:apigateway:{region}::/{path}`.
pub(super) fn of(scope: &Scope, path: impl Display) -> String {
    format!("arn:aws:apigateway:{}::/{path}", scope.region)
}

/// The target of an operation on a path: `apigateway:GET` and its like.
pub(super) fn on(at: &At<Apis>, method: &str, path: impl Display) -> Target {
    Target::on(of(at.scope, path)).action(format!("apigateway:{method}"))
}
