//! What SQS answers to what it refuses, in its words.
//!
//! The codes are those of the JSON protocol; `wire` knows what the query protocol calls them.

use std::fmt::Display;

use crate::Error;

/// A parameter that is wrong, with a text of its own.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::client("InvalidParameterValueException", message)
}

/// A parameter with a wrong value.
pub(super) fn invalid_value(value: impl Display, parameter: impl Display, reason: impl Display) -> Error {
    invalid(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
}

/// A message attribute that is wrong.
pub(super) fn attribute_error(message: impl Into<String>) -> Error {
    invalid(message)
}

/// A parameter that must be there.
pub(super) fn missing(parameter: &str) -> Error {
    Error::client("MissingRequiredParameterException", format!("The request must contain the parameter {parameter}."))
}

pub(super) fn no_queue() -> Error {
    Error::client("QueueDoesNotExist", "The specified queue does not exist.")
}

/// A queue's URL that is none.
pub(super) fn invalid_address(url: &str) -> Error {
    Error::new(404, "InvalidAddress", format!("The address {url} is not valid for this endpoint."))
}

pub(super) fn unknown_attribute(name: &str) -> Error {
    Error::client("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

pub(super) fn invalid_attribute(name: &str) -> Error {
    Error::client("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

pub(super) fn invalid_attribute_because(name: &str, reason: impl Display) -> Error {
    Error::client("InvalidAttributeValue", format!("Invalid value for the parameter {name}. Reason: {reason}"))
}

pub(super) fn invalid_handle(message: impl Into<String>) -> Error {
    Error::client("ReceiptHandleIsInvalid", message)
}
