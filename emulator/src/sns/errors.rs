//! What SNS answers to what it refuses, in its words.

use std::fmt::Display;

use crate::Error;

/// A parameter that is wrong.
pub(super) fn invalid(what: impl Display) -> Error {
    bare(format!("Invalid parameter: {what}"))
}

/// The same without the words that usually come first.
pub(super) fn bare(message: impl Into<String>) -> Error {
    Error::client("InvalidParameter", message)
}

/// A parameter that is wrong for a reason.
pub(super) fn because(parameter: impl Display, reason: impl Display) -> Error {
    invalid(format!("{parameter} Reason: {reason}"))
}

pub(super) fn not_found(what: &str) -> Error {
    Error::new(404, "NotFound", format!("{what} does not exist"))
}

/// A message attribute that is wrong.
pub(super) fn attribute(message: impl Into<String>) -> Error {
    Error::client("ParameterValueInvalid", message)
}

/// What an ARN must at least look like.
pub(super) fn check_arn(parameter: &str, arn: &str) -> crate::Result<()> {
    match arn.split(':').count() {
        elements if elements < 6 => {
            Err(because(parameter, format!("An ARN must have at least 6 elements, not {elements}")))
        }
        _ => Ok(()),
    }
}
